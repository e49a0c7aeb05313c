/* SPDX-License-Identifier: MIT
 * fetch_hop.c - redirects (RFC 9110 15.4): where one leads, whether to go there, and what goes along. A server says where, so nothing
 * that was meant for one place goes to another, and nothing but HTTP comes of it. */
#include "base/err.h"
#include "base/url_join.h"
#include "net/fetch_inside.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_web(const struct url *u)
{
    return !strcmp(u->scheme, "http") || !strcmp(u->scheme, "https");
}

static bool same_origin(const struct url *a, const struct url *b)
{
    return !strcmp(a->scheme, b->scheme) && http_port(a) == http_port(b) && a->host.n == b->host.n &&
           !strncasecmp((const char *)a->host.p, (const char *)b->host.p, a->host.n);
}

/* Once gone they stay away, should it lead back: whoever sent us here may have chosen the way. */
static void forget_secrets(struct request *r)
{
    request_drop(r, "Authorization");
    request_drop(r, "Cookie");
    request_drop(r, "Proxy-Authorization");
    request_drop(r, "Host"); /* the caller's name for the first one */
    free(r->login);
    r->login = NULL;
}

/* With what is it asked again? 1; 0: with a body that is not there any more; or DX_NOMEM. */
static int change_method(struct request *r, int status)
{
    bool head = !strcmp(r->method, "HEAD");
    bool to_get = status == 303 ? !head : status < 303 && !strcmp(r->method, "POST");
    if (!to_get)
        return request_can_again(r) && r->whole;
    char *get = strdup("GET");
    if (!get)
        return DX_NOMEM;
    free(r->method);
    r->method = get;
    request_drop_body(r);
    return 1;
}

static int refuse(dx_err *why, const struct fetch *f, int code, int status, const char *words)
{
    int r = err_set(why, code, "%.120s: %s", f->ask.url, words);
    why->detail = status;
    why->detail_of = DX_OF_HTTP;
    return r;
}

static int go(struct fetch *f, const struct url *from, dx_text *to, int status, dx_err *why)
{
    struct url next;
    if (url_parse(to->p, &next, NULL) < 0)
        return 0;
    if (!is_web(&next))
        return refuse(why, f, DX_PROTO, status, "the server redirects to another kind of URL");
    if (http_is_secret(from) && !http_is_secret(&next))
        return refuse(why, f, DX_PROTO, status, "the server redirects from https to http");
    if (next.target.n > HTTP1_TARGET_MAX)
        return 0;
    if (f->redirects >= f->redirects_max)
        return refuse(why, f, DX_LIMIT, status, "too many redirects");
    bool same = same_origin(from, &next);
    if (from->fragment.n && (dx_text_add(to, "#", 1) < 0 || dx_text_add(to, from->fragment.p, from->fragment.n) < 0))
        return refuse(why, f, DX_NOMEM, status, "no memory");
    int can = change_method(&f->ask, status);
    if (can <= 0)
        return can < 0 ? refuse(why, f, DX_NOMEM, status, "no memory") : 0;
    if (!same)
        forget_secrets(&f->ask);
    free(f->ask.url);
    f->ask.url = to->p;
    *to = (dx_text){0};
    f->redirects++;
    return 1;
}

int fetch_hop(struct fetch *f, const struct http1_head *head, dx_err *why)
{
    struct bytes location = http1_get(head, "Location");
    struct url from;
    dx_text to = {0};
    if (f->redirects_max <= 0 || !is_redirect(head->status) || !location.n || url_parse(f->ask.url, &from, NULL) < 0)
        return 0;
    int r = url_join(&from, location, &to);
    if (r == 0)
        r = go(f, &from, &to, head->status, why);
    else
        r = r == DX_NOMEM ? refuse(why, f, DX_NOMEM, head->status, "no memory") : 0;
    dx_text_free(&to);
    return r;
}
