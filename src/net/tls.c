/* SPDX-License-Identifier: MIT
 * tls.c - tls://, making and asking TLS layers, and where a listener's or a dial's certificates come from. */
#include "net/tls_inside.h"
#include "base/err.h"
#include "net/bottom.h"
#include "net/tcp.h"
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_MAX = 1024,
    SHAKE_MS = 10000,      /* a server's: how long a handshake may take                           */
    UNDER_MAX = 256 << 10, /* sealed bytes that wait in the stream: past half of it sealing rests */
};

/* A fragment's options as those of dx_tls_new, in storage. */
struct said {
    dx_tls_opts o;
    bool any;
    char text[4][OPTION_MAX];
};

static int say_one(struct said *s, int i, const char **ret, const struct url *u, const char *name, const char *text,
                   dx_err *err)
{
    struct bytes v = url_option(u, name);
    if (!v.p)
        return 0;
    if (v.n == 0)
        return err_set(err, DX_URL, "%s: #%s wants a value", text, name);
    if (v.n >= OPTION_MAX)
        return err_set(err, DX_URL, "%s: the value of #%s is over %d bytes", text, name, OPTION_MAX - 1);
    memcpy(s->text[i], v.p, v.n);
    s->text[i][v.n] = 0;
    *ret = s->text[i];
    s->any = true;
    return 0;
}

/* A word that is misspelt must not be a pin forgotten. */
static int check_words(const struct url *u, const char *text, dx_err *err)
{
    static const char *const known[] = {"cert", "key", "ca", "pin", "insecure", "bind", "ttl"};
    const char *p = (const char *)u->fragment.p, *end = p + u->fragment.n;
    while (p < end) {
        size_t n = 0, i = 0, k = sizeof known / sizeof *known;
        while (p + n < end && p[n] != ',')
            n++;
        const char *eq = memchr(p, '=', n);
        size_t name = eq ? (size_t)(eq - p) : n;
        while (i < k && (strlen(known[i]) != name || memcmp(known[i], p, name) != 0))
            i++;
        if (i == k)
            return err_set(err, DX_URL, "%s: no such option as #%.*s: there are cert, key, ca, pin and insecure", text,
                           (int)name, p);
        p += n + 1;
    }
    return 0;
}

static int read_fragment(struct said *s, const struct url *u, const char *text, dx_err *err)
{
    int r = say_one(s, 0, &s->o.cert, u, "cert", text, err);
    if (r == 0)
        r = say_one(s, 1, &s->o.key, u, "key", text, err);
    if (r == 0)
        r = say_one(s, 2, &s->o.ca, u, "ca", text, err);
    if (r == 0)
        r = say_one(s, 3, &s->o.pins, u, "pin", text, err);
    if (url_option(u, "insecure").p)
        s->o.insecure = s->any = true;
    return r;
}

int tls_settle(struct settings *set, const struct url *u, const char *text, bool server, dx_err *err)
{
    if (set->o.tls)
        return 0;
    struct said *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, DX_NOMEM, "%s: no memory", text);
    int r = check_words(u, text, err);
    if (r == 0)
        r = read_fragment(s, u, text, err);
    if (r == 0 && server && !s->o.cert)
        r = err_set(err, DX_URL, "listen %s: which certificate? #cert=auto makes one", text);
    if (r == 0) {
        set->o.tls = s->any ? dx_tls_new(&s->o, err) : tls_of_system(err);
        r = set->o.tls ? 0 : err ? err->code : DX_TLS;
    }
    free(s);
    return r;
}

/* ---- making one ---- */

/* under: the queue below. */
static struct tls_layer *layer_new(struct queue *under, const struct settings *set, const struct tls_ask *ask,
                                   dx_err *err)
{
    struct tls_layer *t = tls_layer_new();
    if (!t) {
        err_set(err, DX_NOMEM, "TLS: no memory");
        return NULL;
    }
    struct tls_ask mine = *ask;
    mine.push = tls_keep_sealed;
    mine.arg = t;
    t->queue.max = set->o.queue_bytes_max;
    t->queue.loop = under->loop;
    t->queue.under = under;
    if (under->max > UNDER_MAX)
        under->max = UNDER_MAX;
    t->session = tls_session_new(set->o.tls, &mine, err);
    if (t->session)
        return t;
    tls_layer_free(&t->layer);
    return NULL;
}

int tls_accept(dx_listener *s, struct layer *bottom, struct queue *q, const char *alpn,
               int (*inner)(dx_listener *s, struct layer *bottom, struct queue *q))
{
    struct tls_ask ask = {.server = true, .protocols = alpn};
    struct tls_layer *t = layer_new(q, s->set, &ask, NULL);
    if (!t)
        return DX_NOMEM;
    t->from = s;
    t->inner = inner;
    layer_put_above(bottom, &t->layer);
    lone_add(s, &t->lone, &t->layer);
    loop_timer(s->loop, &t->timer, s->loop->now + SHAKE_MS);
    return 0;
}

struct layer *tls_dial(const struct dial *d, struct layer *bottom, struct queue *q, const char *alpn,
                       struct queue **ret_q, dx_err *err)
{
    char *host = strndup((const char *)d->url->host.p, d->url->host.n);
    struct tls_ask ask = {.host = host, .protocols = alpn};
    struct tls_layer *t = host ? layer_new(q, d->set, &ask, err) : NULL;
    free(host);
    if (t && (t->text = strdup(d->text))) {
        layer_put_above(bottom, &t->layer);
        loop_timer(d->loop, &t->timer, d->loop->now + d->set->o.dial_ms_max);
        *ret_q = &t->queue;
        return &t->layer;
    }
    if (!host || t)
        err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
    if (t)
        tls_layer_free(&t->layer);
    return NULL;
}

struct layer *tls_dial_hop(const struct dial *d, struct layer *bottom, struct queue *q, const char *alpn,
                           struct queue **ret_q, dx_err *err)
{
    struct layer *l = tls_dial(d, bottom, q, alpn, ret_q, err);
    if (l)
        l->type = &tls_hop_type;
    return l;
}

static struct tls_layer *tls_of(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    while (l && l->type != &tls_layer_type)
        l = l->below;
    return l ? tls_layer_of(l) : NULL;
}

const char *tls_layer_alpn(const struct layer *l)
{
    return l->type == &tls_layer_type ? tls_alpn(((const struct tls_layer *)l)->session) : "";
}

int dx_tls_peer(dx_conn *c, void (*fn)(void *arg, const dx_cert_info *i), void *arg)
{
    struct tls_layer *t = c->gone ? NULL : tls_of(c);
    return t && t->shaken ? tls_peer(t->session, fn, arg) : DX_STATE;
}

dx_tls *dx_listener_tls(const dx_listener *s)
{
    return s->set->o.tls;
}

int dx_tls_info_sized(dx_conn *c, dx_tls_info *ret, size_t ret_bytes)
{
    struct tls_layer *t = c->gone ? NULL : tls_of(c);
    dx_tls_info mine = {0};
    if (!t || !t->shaken)
        return DX_STATE;
    tls_tell(t->session, &mine);
    if (ret_bytes > sizeof mine) {
        memset((char *)ret + sizeof mine, 0, ret_bytes - sizeof mine);
        ret_bytes = sizeof mine;
    }
    memcpy(ret, &mine, ret_bytes);
    return 0;
}

/* ---- tls:// ---- */

static int stack_tls(dx_listener *s, struct layer *bottom, struct queue *q)
{
    return tls_accept(s, bottom, q, s->set->o.protocols, stack_plain);
}

static int serve_tls(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_tls;
    int r = stack_check(s->set, err);
    if (r == 0)
        r = tls_settle(s->set, u, text, true, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "tls", err);
}

static dx_conn *connect_tls(const struct dial *d, dx_err *err)
{
    struct queue *q;
    struct layer *l = bottom_dial_tls(d, 0, d->set->o.protocols, &q, err);
    return l ? stack_dial(d, l, q, false, err) : NULL;
}

const struct scheme scheme_tls = {
    .name = "tls", .serve = serve_tls, .connect = connect_tls, .tls = true, .proxied = true};
