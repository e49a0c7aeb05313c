/* SPDX-License-Identifier: MIT
 * fetch_carry.c - what a fetch goes over: an exchange on a connection that was kept, or on a new one, through a proxy or not. */
#include "base/err.h"
#include "core/stream.h"
#include "net/bottom.h"
#include "net/fetch_inside.h"
#include <duplex/tls.h>
#include <stdio.h>
#include <stdlib.h>

enum { YOUNG_MS = 1000 }; /* a connection used so lately is not closed on us just now */

/* Whose connection it is. Through a proxy that is asked for whole URLs it leads anywhere. */
static int key_of(const struct fetch *f, const struct url *u, struct pool_key *ret)
{
    bool anywhere = fetch_asks_proxy(f, u);
    int n = asprintf(&ret->text, "%s://%.*s:%d#%.*s via %s %s", u->scheme, anywhere ? 1 : (int)u->host.n,
                     anywhere ? "*" : (const char *)u->host.p, anywhere ? 0 : http_port(u), (int)u->fragment.n,
                     u->fragment.n ? (const char *)u->fragment.p : "", f->via.url ? f->via.url : "",
                     f->via.login ? f->via.login : "");
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

static dx_conn *dial(struct fetch *f, const struct dial *to, struct pool_key *key, dx_err *err)
{
    struct queue *q;
    struct layer *bottom = fetch_asks_proxy(f, to->url) ? bottom_dial_proxy(to, &f->via, &q, err)
                           : http_is_secret(to->url)    ? bottom_dial_tls(to, 443, "http/1.1", &q, err)
                                                        : bottom_dial(to, 80, &q, err);
    dx_conn *c = bottom ? stand_on(f, bottom, q, to, key) : NULL;
    if (bottom && !c) {
        err_set(err, DX_NOMEM, "dial %s: no memory", to->text);
        stack_drop(bottom);
    }
    return c;
}

int fetch_carry(struct fetch *f, const struct url *u, bool fresh, const dx_handler *on, dx_err *err)
{
    struct dial to = {
        .loop = f->loop, .url = u, .text = f->ask.url, .on = on, .user = f, .proxy = f->via.text, .set = f->set};
    struct pool_key key = {0};
    bool again = request_is_idempotent(&f->ask) && request_can_again(&f->ask);
    if (!f->fresh && key_of(f, u, &key) < 0)
        return err_set(err, DX_NOMEM, "dial %s: no memory", to.text);
    struct queue *q;
    struct layer *kept = fresh || f->fresh ? NULL : pool_take(f->loop, &key, again ? -1 : YOUNG_MS, &q);
    f->reused = kept != NULL;
    f->in = kept ? stand_on(f, kept, q, &to, &key) : dial(f, &to, &key, err);
    if (kept && f->in) {
        f->in->opened = 1;
        stream_set_idle(bottom_stream(kept), f->idle_ms);
    }
    if (kept && !f->in) {
        err_set(err, DX_NOMEM, "dial %s: no memory", to.text);
        stack_drop(kept);
    }
    pool_key_free(&key);
    return f->in ? 0 : err ? err->code : DX_NOMEM;
}
