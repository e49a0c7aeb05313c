/* SPDX-License-Identifier: MIT
 * fetch_carry.c - what a fetch goes over: an exchange on a connection that was kept, or on a new one, through a proxy or not. */
#include "base/err.h"
#include "core/stream.h"
#include "net/fetch_inside.h"
#include "net/tcp.h"
#include "net/tls.h"
#include <duplex/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { YOUNG_MS = 1000 }; /* a connection used so lately is not closed on us just now */

static bool is_secret(const struct url *u)
{
    return !strcmp(u->scheme, "https");
}

static int port_of(const struct url *u)
{
    return u->port >= 0 ? u->port : is_secret(u) ? 443 : 80;
}

/* Whose connection it is. Through a proxy that is asked for whole URLs it leads anywhere. */
static int key_of(const struct fetch *f, const struct url *u, struct pool_key *ret)
{
    bool anywhere = f->proxy && !is_secret(u);
    int n = asprintf(&ret->text, "%s://%.*s:%d#%.*s via %s %s", u->scheme, anywhere ? 1 : (int)u->host.n,
                     anywhere ? "*" : (const char *)u->host.p, anywhere ? 0 : port_of(u), (int)u->fragment.n,
                     u->fragment.n ? (const char *)u->fragment.p : "", f->proxy ? f->proxy : "",
                     f->proxy && f->proxy_login ? f->proxy_login : "");
    if (n < 0) {
        ret->text = NULL;
        return DX_NOMEM;
    }
    for (char *p = ret->text; *p != '#'; p++) /* hosts have no case; options may */
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    ret->tls =
        f->given_tls ? dx_tls_ref(f->set->o.tls) : NULL; /* what is settled by the options of the URL is in text */
    return 0;
}

static struct queue *queue_of(struct layer *top)
{
    return top->type->is_tls ? tls_layer_queue(top) : &stream_of(top)->queue;
}

static struct stream *stream_under(struct layer *l)
{
    while (l->below)
        l = l->below;
    return stream_of(l);
}

/* The exchange on what stands already. */
static dx_conn *stand_on(struct fetch *f, struct layer *bottom, struct queue *q, const struct dial *to,
                         struct pool_key *key)
{
    struct layer *l = http1_client_new(to);
    dx_conn *c = l ? conn_new(to->on, f, l, q) : NULL;
    if (!c) {
        if (l)
            l->type->free(l);
        return NULL;
    }
    layer_put_above(bottom, l);
    http1_client_keep(http1_client_of(c), key);
    return c;
}

/* The proxy as it is dialled: our URL's options of the socket hold for it. */
static int proxy_url(const struct fetch *f, const struct url *u, char **ret)
{
    return asprintf(ret, "%s%s%.*s", f->proxy, u->fragment.n ? "#" : "", (int)u->fragment.n,
                    u->fragment.n ? (const char *)u->fragment.p : "") < 0
               ? DX_NOMEM
               : 0;
}

static struct layer *dial_stack(struct fetch *f, const struct dial *to, const struct dial *via, struct queue **ret_q,
                                dx_err *err)
{
    struct stream *s = tcp_dial_stream(via, is_secret(via->url) ? 443 : 80, err);
    if (!s)
        return NULL;
    *ret_q = &s->queue;
    if (!is_secret(to->url))
        return &s->layer;
    struct layer *tls = tls_dial(to, s, "http/1.1", ret_q, err);
    if (tls && (!f->proxy || proxy_tunnel(f, &s->layer, to->url)))
        return tls;
    if (tls)
        err_set(err, DX_NOMEM, "dial %s: no memory", to->text);
    stack_undo(&s->layer);
    stream_throw_away(s);
    return NULL;
}

static dx_conn *dial(struct fetch *f, const struct dial *to, const struct dial *via, struct pool_key *key, dx_err *err)
{
    struct queue *q;
    if (is_secret(to->url) && tls_settle(to->set, to->url, to->text, false, err) < 0)
        return NULL;
    struct layer *bottom = dial_stack(f, to, via, &q, err);
    dx_conn *c = bottom ? stand_on(f, bottom, q, to, key) : NULL;
    if (bottom && !c) {
        struct stream *s = stream_under(bottom);
        err_set(err, DX_NOMEM, "dial %s: no memory", to->text);
        stack_undo(&s->layer);
        stream_throw_away(s);
    }
    return c;
}

static dx_conn *dial_new(struct fetch *f, const struct dial *to, struct pool_key *key, dx_err *err)
{
    struct dial via = *to;
    struct url proxy;
    char *text = NULL;
    dx_conn *c = NULL;
    if (!f->proxy)
        return dial(f, to, to, key, err);
    if (proxy_url(f, to->url, &text) < 0)
        err_set(err, DX_NOMEM, "dial %s: no memory", to->text);
    else if (url_parse(text, &proxy, err) == 0) {
        via.url = &proxy;
        via.text = text;
        c = dial(f, to, &via, key, err);
    }
    free(text);
    return c;
}

int fetch_carry(struct fetch *f, const struct url *u, bool fresh, const dx_handler *on, dx_err *err)
{
    struct dial to = {.loop = f->loop, .url = u, .text = f->ask.url, .on = on, .user = f, .set = f->set};
    struct pool_key key = {0};
    bool again = request_is_idempotent(&f->ask) && request_can_again(&f->ask);
    if (!f->fresh && key_of(f, u, &key) < 0)
        return err_set(err, DX_NOMEM, "dial %s: no memory", to.text);
    struct layer *kept = fresh || f->fresh ? NULL : pool_take(f->loop, &key, again ? -1 : YOUNG_MS);
    f->reused = kept != NULL;
    f->in = kept ? stand_on(f, kept, queue_of(kept), &to, &key) : dial_new(f, &to, &key, err);
    if (kept && f->in) {
        f->in->opened = 1;
        stream_set_idle(stream_under(kept), f->idle_ms);
    }
    if (kept && !f->in) {
        err_set(err, DX_NOMEM, "dial %s: no memory", to.text);
        pool_leave(f->loop, NULL, kept, 0);
    }
    pool_key_free(&key);
    return f->in ? 0 : err ? err->code : DX_NOMEM;
}
