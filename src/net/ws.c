/* SPDX-License-Identifier: MIT
 * ws.c - ws:// and http:// as schemes: listening through http1.c, dialling
 * through http1_client.c, and the handshake of a ws client (RFC 6455 4.1). */
#include "codec/ws.h"
#include "base/err.h"
#include "codec/http1.h"
#include "net/http1_client.h"
#include "net/http1_parts.h"
#include "net/layers.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "os/clock.h"
#include "os/fd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int keep_path(dx_listener *s, const struct url *u, dx_err *err)
{
    if (!u->path.n)
        return 0;
    s->path = strndup((const char *)u->path.p, u->path.n);
    return s->path ? 0 : err_set(err, DX_NOMEM, "the path of the listener: no memory");
}

static int serve_http(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_http;
    return tcp_listen(s, u, text, TCP_STREAMS, "http", err);
}

static int serve_ws(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_ws;
    int r = keep_path(s, u, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "ws", err);
}

static int stack_https(dx_listener *s, struct layer *bottom, struct queue *q)
{
    return tls_accept(s, bottom, q, "http/1.1", stack_http);
}

static int serve_https(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_https;
    int r = tls_settle(s->set, u, text, true, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "https", err);
}

static int stack_wss(dx_listener *s, struct layer *bottom, struct queue *q)
{
    return tls_accept(s, bottom, q, "http/1.1", stack_ws);
}

static int serve_wss(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_wss;
    int r = keep_path(s, u, err);
    if (r == 0)
        r = tls_settle(s->set, u, text, true, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "wss", err);
}

/* ---- the client's handshake: a layer that becomes the ws layer ---- */

struct handshake {
    struct layer layer; /* first */
    dx_loop *loop;
    struct timer timer;
    uint64_t message_max;
    size_t scanned;
    char *request, *protocols, *text; /* text: the URL */
    char key[WS_KEY_N + 1];
};

static struct handshake *of(struct layer *l)
{
    return (struct handshake *)l;
}

static void fail(struct handshake *k, int code, int detail_of, int detail, const char *words)
{
    char text[240];
    snprintf(text, sizeof text, "dial %.120s: %s", k->text, words);
    loop_timer_off(k->loop, &k->timer);
    layer_fail(&k->layer, code, detail_of, detail, text);
}

static void opened(struct layer *l)
{
    struct handshake *k = of(l);
    struct span v = {NULL, (const uint8_t *)k->request, strlen(k->request)};
    layer_give_below(l, &v, 1, 0);
}

static bool same(struct bytes b, const char *s)
{
    return b.n == strlen(s) && !memcmp(b.p, s, b.n);
}

/* Was the subprotocol the server chose among those we offered? */
static bool we_offered(const char *protocols, struct bytes chosen)
{
    const char *at = protocols;
    while (at && *at) {
        size_t skip = strspn(at, ", "), n = strcspn(at + skip, ", ");
        if (n == chosen.n && !memcmp(at + skip, chosen.p, n))
            return true;
        at += skip + n;
    }
    return false;
}

static const char *why_not(const struct handshake *k, const struct http1_head *head)
{
    char want[WS_ACCEPT_N + 1];
    struct bytes chosen = http1_get(head, "Sec-WebSocket-Protocol");
    ws_accept_of((struct bytes){(const uint8_t *)k->key, WS_KEY_N}, want);
    if (head->status != 101)
        return "";
    if (!head->upgrade_ws || !same(http1_get(head, "Sec-WebSocket-Accept"), want))
        return "the server's handshake answer is wrong";
    if (chosen.p && !we_offered(k->protocols, chosen))
        return "the server chose a subprotocol that was not offered";
    if (http1_get(head, "Sec-WebSocket-Extensions").p)
        return "the server chose an extension that was not offered";
    return NULL;
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    static _Thread_local struct http1_head head;
    struct handshake *k = of(l);
    int64_t got = http1_response(p, n, &k->scanned, &head);
    if (got == 0 && !(how & DX_LAST))
        return 0;
    const char *bad = got <= 0 ? "the server's answer is not HTTP" : why_not(k, &head);
    if (bad) {
        char text[100];
        if (!*bad)
            snprintf(text, sizeof text, "the server answers %d %.*s", head.status,
                     (int)(head.reason.n < 60 ? head.reason.n : 60), head.reason.p ? (const char *)head.reason.p : "");
        fail(k, DX_PROTO, DX_OF_HTTP, *bad ? 0 : head.status, *bad ? bad : text);
        return n;
    }
    struct layer *ws = ws_layer_new(k->loop, false, k->message_max, http1_get(&head, "Sec-WebSocket-Protocol"));
    if (!ws) {
        fail(k, DX_NOMEM, DX_OF_NOTHING, 0, "no memory");
        return n;
    }
    loop_timer_off(k->loop, &k->timer);
    layer_replace(l, ws, k->loop);
    layer_opened_above(ws);
    layer_feed_again(ws);
    return (size_t)got;
}

static void ended(struct layer *l)
{
    fail(of(l), DX_TRUNCATED, DX_OF_HTTP, 0, "the server ended before its handshake answer");
}

static int not_yet(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    (void)l;
    (void)v;
    (void)count;
    (void)how;
    return DX_STATE; /* on_open first */
}

static int no_file_yet(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    (void)off;
    os_fd_close(fd);
    return not_yet(l, NULL, n, how);
}

/* A conn that is paused before it stands opens all the same. */
static void pause_later(struct layer *l, bool on)
{
    (void)l;
    (void)on;
}

static int finish_early(struct layer *l)
{
    layer_abort_below(l);
    return 0;
}

static void close_early(struct layer *l)
{
    layer_abort_below(l);
}

static void timer_fire(struct timer *t, dx_loop *loop)
{
    struct handshake *k = (struct handshake *)((char *)t - offsetof(struct handshake, timer));
    (void)loop;
    fail(k, DX_TIMEOUT, DX_OF_NOTHING, 0, "no answer to the WebSocket handshake in time");
    layer_abort_below(&k->layer);
}

static void layer_free(struct layer *l)
{
    struct handshake *k = of(l);
    loop_timer_off(k->loop, &k->timer);
    free(k->request);
    free(k->protocols);
    free(k->text);
    free(k);
}

static const struct layer_type handshake_type = {
    .name = "ws",
    .name_over_tls = "wss",
    .ends_itself = layer_ends_itself,
    .opened = opened,
    .take = take,
    .ended = ended,
    .writable = layer_writable_above,
    .closed = layer_closed_above,
    .give = not_yet,
    .give_msg = layer_give_msg_plain,
    .give_file = no_file_yet,
    .finish = finish_early,
    .pause = pause_later,
    .close = close_early,
    .abort = layer_abort_below,
    .free = layer_free,
};

static char *request_of(const struct dial *d, const char *key)
{
    const struct url *u = d->url;
    struct draft t = {0};
    draft_say(&t, "GET ");
    draft_add(&t, u->target.n ? u->target.p : (const uint8_t *)"/", u->target.n ? u->target.n : 1);
    draft_say(&t, " HTTP/1.1\r\nHost: ");
    draft_host(&t, u);
    draft_say(&t, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
    draft_field(&t, "Sec-WebSocket-Key", key);
    if (d->set->o.protocols)
        draft_field(&t, "Sec-WebSocket-Protocol", d->set->o.protocols);
    draft_say(&t, "\r\n");
    if (t.r < 0)
        dx_text_free(&t.t);
    return t.t.p;
}

static struct layer *handshake_new(const struct dial *d)
{
    struct handshake *k = calloc(1, sizeof *k);
    uint8_t random[16];
    if (!k)
        return NULL;
    os_random(random, sizeof random);
    ws_key(random, k->key);
    k->layer.type = &handshake_type;
    k->loop = d->loop;
    k->timer.fire = timer_fire;
    k->message_max = d->set->o.message_bytes_max;
    k->request = request_of(d, k->key);
    k->protocols = d->set->o.protocols ? strdup(d->set->o.protocols) : NULL;
    k->text = strdup(d->text);
    if (!k->request || !k->text || (d->set->o.protocols && !k->protocols)) {
        layer_free(&k->layer);
        return NULL;
    }
    loop_timer(d->loop, &k->timer, d->loop->now + d->set->o.dial_ms_max);
    return &k->layer;
}

static dx_conn *connect_with(const struct dial *d, bool tls, dx_err *err)
{
    if (d->set->o.protocols && strpbrk(d->set->o.protocols, "\r\n")) {
        err_set(err, DX_URL, "dial %s: a line end in protocols", d->text);
        return NULL;
    }
    dx_conn *c = http1_dial(d, tls, handshake_new, err);
    if (c)
        c->messages = 1;
    return c;
}

static dx_conn *connect_ws(const struct dial *d, dx_err *err)
{
    return connect_with(d, false, err);
}

static dx_conn *connect_wss(const struct dial *d, dx_err *err)
{
    return connect_with(d, true, err);
}

static dx_conn *connect_http(const struct dial *d, dx_err *err)
{
    return http1_connect(d, false, err);
}

static dx_conn *connect_https(const struct dial *d, dx_err *err)
{
    return http1_connect(d, true, err);
}

const struct scheme scheme_http = {.name = "http", .serve = serve_http, .connect = connect_http};
const struct scheme scheme_https = {.name = "https", .serve = serve_https, .connect = connect_https, .tls = true};
const struct scheme scheme_ws = {.name = "ws", .serve = serve_ws, .connect = connect_ws};
const struct scheme scheme_wss = {.name = "wss", .serve = serve_wss, .connect = connect_wss, .tls = true};
