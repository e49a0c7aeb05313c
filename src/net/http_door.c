/* SPDX-License-Identifier: MIT
 * http_door.c - who answers a request, and whether it may come in: its route, its length, its login. What is turned away here
 * never reaches a handler. */
#include "net/http1.h"
#include "net/router.h"
#include "os/addr.h"
#include <string.h>
#include <strings.h>

static const dx_handler nobody;

static bool over_tls(const struct layer *l)
{
    for (; l; l = l->below)
        if (l->type->is_tls)
            return true;
    return false;
}

bool http_misdirected(const struct http1 *h, const struct http1_head *head)
{
    return head->target.n > 8 && !strncasecmp((const char *)head->target.p, "https://", 8) && !over_tls(&h->layer);
}

static int port_of(const struct layer *l)
{
    struct addr a;
    while (l->below)
        l = l->below;
    return l->type->address && l->type->address(l, false, &a) && a.sa.sa_family != AF_UNIX ? addr_port(&a) : -1;
}

dx_conn *http_conn(struct http1 *h)
{
    dx_router *router = h->ws_only ? NULL : h->from->set->o.router;
    struct route *route = NULL;
    if (router) {
        struct router_ask a = {
            .tls = over_tls(&h->layer), .port = -1, .host = h->x->head.host, .path = h->x->head.path};
        if (router_wants_port(router))
            a.port = port_of(&h->layer);
        if (router_find(router, &a, &route) < 0)
            return NULL;
    }
    if (!route)
        return conn_new(h->from->on, h->from->user, &h->layer, h->q);
    dx_conn *c = conn_new_kept(route->on, route->user, &h->layer, h->q, &route->keeper);
    if (!c)
        route->keeper.drop(&route->keeper);
    h->x->route = route;
    return c;
}

static int answer(dx_conn *c, int status)
{
    const char *words = dx_http_reason(status);
    char text[64];
    size_t n = strlen(words);
    memcpy(text, words, n);
    text[n] = '\n';
    c->on = &nobody;
    return dx_http_reply(c, status, "text/plain", text, n + 1, NULL, 0);
}

/* Asks for each scheme that would do. */
static int ask_who(dx_conn *c, const dx_route *o)
{
    if (o->auth & DX_AUTH_BASIC && o->auth & DX_AUTH_BEARER) {
        dx_text t = {0};
        dx_text_add(&t, "Bearer realm=\"", 14);
        dx_text_add(&t, o->realm, strlen(o->realm));
        if (dx_text_add(&t, "\"", 1) == 0)
            dx_http_add(c, "WWW-Authenticate", t.p);
        dx_text_free(&t);
    }
    c->on = &nobody;
    return dx_http_challenge(c, o->auth & DX_AUTH_BASIC ? "Basic" : "Bearer", o->realm);
}

/* 0: may come in; else the status. */
static int check(dx_conn *c, const struct route *r)
{
    dx_http_login l;
    dx_http_login_of(c, &l);
    bool wanted = (l.scheme == DX_LOGIN_BASIC && r->o.auth & DX_AUTH_BASIC) ||
                  (l.scheme == DX_LOGIN_BEARER && r->o.auth & DX_AUTH_BEARER);
    bool came_as_nobody = l.scheme == DX_LOGIN_NONE && !dx_http_header(c, "Authorization").p;
    int status = wanted ? r->o.check(c, &l, r->user) : came_as_nobody && r->o.auth & DX_AUTH_OPTIONAL ? 0 : 401;
    if (wanted && status == 0 && l.scheme == DX_LOGIN_BASIC && !*dx_http_user(c) &&
        dx_http_set_user(c, (const char *)l.user.p) < 0)
        status = 503;
    dx_http_login_wipe(&l);
    return status == 0 || (status >= 200 && status <= 999) ? status : 500;
}

void http_admit(struct http1 *h, dx_conn *c)
{
    const struct route *r = h->x->route;
    int64_t most = HTTP_LIMIT(h, body_bytes_max);
    int status = 0;
    if (!r && !h->from->on)
        status = 404;
    else if (most >= 0 && h->x->head.length > most)
        status = 413;
    else if (r && r->o.auth)
        status = check(c, r);
    if (!status) {
        conn_open(c);
        return;
    }
    h->x->head.close |= status == 413; /* its body is not worth reading for the sake of the next request */
    int said = status == 401 ? ask_who(c, &r->o) : answer(c, status);
    if (said < 0 && !h->x->head_sent) /* no memory, or what check has set leaves no room: a close alone would say 200 */
        http1_fail(h, said, said == DX_NOMEM ? 503 : 500, "the answer could not be said");
    else
        dx_close(c); /* what comes of the body is for nobody */
}
