/* SPDX-License-Identifier: MIT
 * http1_dial.c - the stack of a dial that begins with HTTP/1.1: TCP, or TLS over it, one layer, a conn. */
#include "base/err.h"
#include "core/stream.h"
#include "net/http1_client.h"
#include "net/tcp.h"
#include "net/tls.h"

static dx_conn *dial_on(const struct dial *d, struct stream *s, bool tls, struct layer *(*make)(const struct dial *d),
                        dx_err *err)
{
    struct queue *q = &s->queue;
    struct layer *bottom = tls ? tls_dial(d, s, "http/1.1", &q, err) : &s->layer;
    if (!bottom)
        return NULL;
    struct layer *l = make(d);
    dx_conn *c = l ? conn_new(d->on, d->user, l, q) : NULL;
    if (c) {
        layer_put_above(bottom, l);
        return c;
    }
    err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
    if (l)
        l->type->free(l);
    stack_undo(&s->layer);
    return NULL;
}

dx_conn *http1_dial(const struct dial *d, bool tls, struct layer *(*make)(const struct dial *d), dx_err *err)
{
    if (tls && tls_settle(d->set, d->url, d->text, false, err) < 0)
        return NULL;
    struct stream *s = tcp_dial_stream(d, tls ? 443 : 80, err);
    dx_conn *c = s ? dial_on(d, s, tls, make, err) : NULL;
    if (!c)
        stream_throw_away(s);
    return c;
}

dx_conn *http1_connect(const struct dial *d, bool tls, dx_err *err)
{
    if (d->url->target.n <= HTTP1_TARGET_MAX)
        return http1_dial(d, tls, http1_client_new, err);
    err_set(err, DX_URL, "dial %.100s...: its path is over %d bytes", d->text, HTTP1_TARGET_MAX);
    return NULL;
}
