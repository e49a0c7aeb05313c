/* SPDX-License-Identifier: MIT
 * http1_dial.c - the stack of a dial that begins with HTTP/1.1: what it stands on, one layer, a conn. */
#include "base/err.h"
#include "net/bottom.h"
#include "net/http1_client.h"

dx_conn *http1_dial(const struct dial *d, bool tls, struct layer *(*make)(const struct dial *d), dx_err *err)
{
    struct queue *q;
    struct layer *bottom = tls ? bottom_dial_tls(d, 443, "http/1.1", &q, err) : bottom_dial(d, 80, &q, err);
    struct layer *l = bottom ? make(d) : NULL;
    dx_conn *c = l ? conn_new(d->on, d->user, l, q) : NULL;
    if (c) {
        layer_put_above(bottom, l);
        return c;
    }
    if (bottom) {
        err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
        stack_drop(bottom);
    }
    if (l)
        l->type->free(l);
    return NULL;
}

dx_conn *http1_connect(const struct dial *d, bool tls, dx_err *err)
{
    if (d->url->target.n <= HTTP1_TARGET_MAX)
        return http1_dial(d, tls, http1_client_new, err);
    err_set(err, DX_URL, "dial %.100s...: its path is over %d bytes", d->text, HTTP1_TARGET_MAX);
    return NULL;
}
