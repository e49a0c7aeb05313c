/* SPDX-License-Identifier: MIT
 * fetch_proxy.c - CONNECT (RFC 9110 9.3.6): a layer that asks a proxy for a tunnel before those above begin, and then goes away. */
#include "core/loop.h"
#include "net/fetch_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tunnel {
    struct layer layer; /* first */
    dx_loop *loop;
    char *head; /* what is asked */
    size_t scanned;
    bool broken;
};

static struct tunnel *of(struct layer *l)
{
    return (struct tunnel *)l;
}

static void opened(struct layer *l)
{
    struct span v = {NULL, (const uint8_t *)of(l)->head, strlen(of(l)->head)};
    layer_give_below(l, &v, 1, 0);
}

static void refuse(struct tunnel *t, int code, int status, const char *words)
{
    char text[240];
    if (status)
        snprintf(text, sizeof text, "the proxy refuses the tunnel: %d %s", status, dx_http_reason(status));
    else
        snprintf(text, sizeof text, "the proxy %s", words);
    t->broken = true;
    layer_fail(&t->layer, code, DX_OF_HTTP, status, text);
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    static _Thread_local struct http1_head head;
    struct tunnel *t = of(l);
    (void)how;
    if (t->broken)
        return n;
    int64_t got = http1_tunnel_response(p, n, &t->scanned, &head);
    if (got == 0)
        return 0;
    t->scanned = 0;
    if (got < 0) {
        refuse(t, DX_PROTO, 0, "does not answer in HTTP");
    } else if (head.status >= 200 && head.status < 300) {
        struct layer *above = l->above;
        layer_remove(l, t->loop);
        above->type->opened(above);
        /* Whoever waits for us to speak first has nothing to say yet: what comes behind the head is the next layer's. */
        return (size_t)got < n ? (size_t)got + above->type->take(above, p + got, n - (size_t)got, 0) : n;
    } else if (head.status >= 200) {
        refuse(t, DX_REFUSED, head.status, NULL);
    }
    return t->broken ? n : (size_t)got;
}

static void ended(struct layer *l)
{
    if (!of(l)->broken)
        refuse(of(l), DX_TRUNCATED, 0, "ended without an answer");
}

static int finish(struct layer *l)
{
    (void)l;
    return 0;
}

static void tunnel_free(struct layer *l)
{
    free(of(l)->head);
    free(l);
}

static const struct layer_type tunnel_type = {
    .opened = opened,
    .take = take,
    .ended = ended,
    .writable = layer_writable_above,
    .closed = layer_closed_above,
    .give = layer_give_below,
    .give_file = layer_give_file_below,
    .finish = finish,
    .pause = layer_pause_below,
    .close = layer_close_below,
    .abort = layer_abort_below,
    .free = tunnel_free,
};

static char *head_of(struct fetch *f, const struct url *to)
{
    struct draft d = {0};
    char port[16];
    snprintf(port, sizeof port, ":%d", to->port < 0 ? 443 : to->port);
    for (int i = 0; i < 2; i++) {
        draft_say(&d, i ? "Host: " : "CONNECT ");
        draft_add(&d, "[", to->v6);
        draft_add(&d, to->host.p, to->host.n);
        draft_add(&d, "]", to->v6);
        draft_say(&d, port);
        draft_say(&d, i ? "\r\n" : " HTTP/1.1\r\n");
    }
    if (f->proxy_login)
        draft_field(&d, "Proxy-Authorization", f->proxy_login);
    draft_say(&d, "\r\n");
    if (d.r == 0)
        return d.t.p;
    dx_text_free(&d.t);
    return NULL;
}

bool proxy_tunnel(struct fetch *f, struct layer *s, const struct url *to)
{
    struct tunnel *t = calloc(1, sizeof *t);
    struct layer *above = s->above;
    if (!t || !(t->head = head_of(f, to))) {
        free(t);
        return false;
    }
    t->layer.type = &tunnel_type;
    t->loop = f->loop;
    layer_put_above(&t->layer, above);
    layer_put_above(s, &t->layer);
    return true;
}
