/* SPDX-License-Identifier: MIT
 * ws_layer.c - RFC 6455 on a conn: bytes below, messages above. finish is our Close frame; the conversation is over when
 * both have said theirs, and then the server ends the transport first (RFC 6455 7.1.1). */
#include "codec/ws.h"
#include "net/layers.h"
#include "os/clock.h"
#include "os/fd.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOSE_WAIT_MS = 2000, SMALL = 4096 };

struct gather { /* a message that came in pieces */
    size_t n, cap;
    uint8_t data[];
};
struct ws_layer {
    struct layer layer; /* first */
    dx_loop *loop;
    uint8_t server : 1, close_sent : 1, close_seen : 1, closing : 1, in_message : 1,
        ended : 1; /* near what sends read */
    struct ws_in in;
    struct timer timer; /* closing: how long the peer's Close or end is waited for */
    struct gather *gather;
    char *protocol; /* NULL: none */
};
static_assert(sizeof(struct ws_layer) <= 136, "an idle WebSocket is to cost little");

static struct ws_layer *of(struct layer *l)
{
    return (struct ws_layer *)l;
}

/* ---- out ---- */

/* A client's frames are masked: in a copy, for the bytes are the caller's. */
__attribute__((noinline)) static int give_masked(struct ws_layer *w, uint8_t op, bool fin, const struct span *v,
                                                 size_t count, size_t n, unsigned how)
{
    uint8_t few[SMALL + WS_HEAD_MAX], mask[4], *p = few;
    struct block *b = NULL;
    if (n > SMALL) {
        b = block_new(n + WS_HEAD_MAX);
        if (!b)
            return DX_NOMEM;
        p = b->data;
    }
    os_random(mask, 4);
    size_t head = ws_head(p, op, fin, n, mask), at = head;
    for (size_t i = 0; i < count; i++) {
        if (v[i].n)
            memcpy(p + at, v[i].p, v[i].n);
        at += v[i].n;
    }
    ws_mask(p + head, n, mask, 0);
    if (b)
        b->used = b->cap;
    struct span all = {b, p, at};
    int r = layer_give_below(&w->layer, &all, 1, how);
    block_drop(b);
    return r;
}

static int give_frame(struct ws_layer *w, uint8_t op, bool fin, const struct span *v, size_t count, unsigned how)
{
    struct span all[18];
    uint8_t head[WS_HEAD_MAX];
    size_t n = 0;
    if (count > 17)
        return DX_BIG;
    for (size_t i = 0; i < count; i++) { /* no memcpy: its call costs more than the one span there mostly is */
        all[i + 1] = v[i];
        n += v[i].n;
    }
    if (!w->server)
        return give_masked(w, op, fin, v, count, n, how);
    all[0] = (struct span){NULL, head, ws_head(head, op, fin, n, NULL)};
    return layer_give_below(&w->layer, all, count + 1, how);
}

/* A server's frame of one piece goes right into the queue, where the layer below has room for it. */
static bool give_in_place(struct ws_layer *w, uint8_t op, const struct span *v)
{
    struct layer *below = w->layer.below;
    size_t head = v->n < 126 ? 2 : 4;
    uint8_t *at = below->type->room && v->n < SMALL ? below->type->room(below, head + v->n) : NULL;
    if (!at)
        return false;
    ws_head(at, op, true, v->n, NULL);
    if (v->n)
        memcpy(at + head, v->p, v->n);
    return true;
}

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct ws_layer *w = of(l);
    uint8_t op = w->in_message ? WS_CONT : how & DX_TEXT ? WS_TEXT : WS_BINARY;
    if (w->close_sent)
        return DX_STATE;
    if (op == WS_TEXT && !(how & DX_MORE) && count == 1 && !dx_is_utf8(v->p, v->n))
        return DX_PROTO; /* the peer would have to break it off (RFC 6455 8.1) */
    if (w->server && count == 1 && !(how & DX_MORE) && op != WS_CONT && give_in_place(w, op, v))
        return 0;
    int r = give_frame(w, op, !(how & DX_MORE), v, count, how & ~(unsigned)DX_MORE);
    if (r >= 0)
        w->in_message = (how & DX_MORE) != 0;
    return r;
}

static size_t encode(const dx_msg *m, uint8_t *at, const void *arg)
{
    dx_bytes b = dx_msg_bytes(m);
    size_t head = ws_head(at, msg_how(m) & DX_TEXT ? WS_TEXT : WS_BINARY, true, b.n, NULL);
    (void)arg;
    memcpy(at + head, b.p, b.n);
    return head + b.n;
}

static int give_msg(struct layer *l, dx_msg *m)
{
    static const char key; /* its address: a server's frame, the same for every client */
    struct ws_layer *w = of(l);
    struct span span;
    if (!w->server || w->in_message)
        return layer_give_msg_plain(l, m);
    if (w->close_sent)
        return DX_STATE;
    int r = msg_encoded(m, w->loop, &key, WS_HEAD_MAX, encode, NULL, &span);
    return r < 0 ? r : layer_give_below(l, &span, 1, 0);
}

static int give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    (void)l;
    (void)off;
    (void)n;
    (void)how;
    os_fd_close(fd);
    return DX_ABSENT;
}

static void send_close(struct ws_layer *w, int code, const char *reason, size_t reason_n)
{
    uint8_t body[125];
    size_t n = 0;
    if (w->close_sent)
        return;
    if (code) {
        body[0] = (uint8_t)(code >> 8);
        body[1] = (uint8_t)code;
        n = 2 + (reason_n > 123 ? 123 : reason_n);
        memcpy(body + 2, reason, n - 2);
    }
    struct span v = {NULL, body, n};
    give_frame(w, WS_CLOSE, true, &v, 1, 0);
    w->close_sent = 1;
}

/* ---- the end ---- */

/* Both Closes are through: the server ends the transport, a client waits for that a while. */
static void end_transport(struct ws_layer *w)
{
    if (!w->close_sent || !w->close_seen)
        return;
    if (w->server || w->ended)
        layer_close_below(&w->layer);
    else
        loop_timer(w->loop, &w->timer, w->loop->now + CLOSE_WAIT_MS);
}

static void timer_fire(struct timer *t, dx_loop *l)
{
    struct ws_layer *w = (struct ws_layer *)((char *)t - offsetof(struct ws_layer, timer));
    (void)l;
    layer_close_below(&w->layer);
}

static int finish(struct layer *l)
{
    struct ws_layer *w = of(l);
    send_close(w, 1000, "", 0);
    end_transport(w);
    return 0;
}

static void close_down(struct layer *l)
{
    struct ws_layer *w = of(l);
    if (w->closing)
        return;
    w->closing = 1;
    send_close(w, 1000, "", 0);
    if (w->close_seen || w->ended) {
        end_transport(w);
        if (w->ended)
            layer_close_below(l);
        return;
    }
    l->below->type->pause(l->below, false); /* the peer's Close may be behind what the app has paused */
    loop_timer(w->loop, &w->timer, w->loop->now + CLOSE_WAIT_MS);
}

static void gather_free(struct ws_layer *w)
{
    if (w->gather)
        account_free(w->gather, sizeof *w->gather + w->gather->cap);
    w->gather = NULL;
}

static void fail(struct ws_layer *w, int close_code, const char *text)
{
    struct dx_conn *c = layer_conn(&w->layer);
    int code = close_code == 1009 ? DX_BIG : DX_PROTO;
    gather_free(w);
    w->closing = 1; /* a dx_close in DX_BROKEN must not say 1000 */
    if (c) {
        conn_set_why(c, code, DX_OF_WS, close_code, text);
        conn_broken(c); /* its last word goes before our Close */
    }
    send_close(w, close_code, text, strlen(text));
    w->close_seen = 1; /* whatever else it sends is not listened to */
    layer_close_below(&w->layer);
}

/* ---- in ---- */

static bool gather_add(struct ws_layer *w, const uint8_t *p, size_t n)
{
    struct gather *g = w->gather;
    size_t had = g ? g->n : 0, need = had + n;
    if (!g || need > g->cap) {
        size_t cap = need + need / 2 + 64, old = g ? sizeof *g + g->cap : 0;
        struct gather *bigger = account_realloc(g, old, sizeof *bigger + cap);
        if (!bigger)
            return false;
        bigger->cap = cap;
        bigger->n = had;
        w->gather = g = bigger;
    }
    memcpy(g->data + had, p, n);
    g->n = need;
    return true;
}

static void got_data(struct ws_layer *w, const struct ws_piece *x)
{
    unsigned how = x->op == WS_TEXT ? DX_TEXT : DX_BINARY;
    if (w->closing)
        return;
    if (x->first && x->last) {
        layer_take_above(&w->layer, x->p, x->n, how);
        return;
    }
    if (!gather_add(w, x->p, x->n)) {
        fail(w, 1011, "no memory for the message");
        return;
    }
    if (x->last) {
        struct gather *g = w->gather;
        w->gather = NULL; /* the handler may close and free all */
        layer_take_above(&w->layer, g->data, g->n, how);
        account_free(g, sizeof *g + g->cap);
    }
}

static void got_close(struct ws_layer *w, const struct ws_piece *x)
{
    struct dx_conn *c = layer_conn(&w->layer);
    int code = x->n >= 2 ? x->p[0] << 8 | x->p[1] : 1005;
    char text[200];
    w->close_seen = 1;
    gather_free(w);
    if (c && code != 1000 && code != 1001 && code != 1005) { /* what the peer says went wrong */
        dx_text shown = {0};
        dx_visible((const char *)x->p + 2, x->n - 2, NULL, &shown);
        snprintf(text, sizeof text, "the peer closed with %d %s", code, shown.p ? shown.p : "");
        dx_text_free(&shown);
        conn_set_why(c, code == 1009 ? DX_BIG : code == 1013 ? DX_LIMIT : DX_PROTO, DX_OF_WS, code, text);
    }
    if (w->closing || w->close_sent)
        end_transport(w);
    layer_ended_above(&w->layer); /* on_end: what we still have to say may go; then our Close */
}

static void got_control(struct ws_layer *w, const struct ws_piece *x)
{
    struct dx_conn *c = layer_conn(&w->layer);
    struct span v = {NULL, x->p, x->n};
    dx_bytes b = {x->p, x->n};
    if (x->op == WS_PING && !w->close_sent) {
        give_frame(w, WS_PONG, true, &v, 1, 0);
        conn_answered(c);
    } else if (x->op == WS_PONG && c) {
        conn_event(c, DX_PONG, &b);
    } else if (x->op == WS_CLOSE) {
        got_close(w, x);
    }
}

static const char *words_of(int close_code)
{
    return close_code == 1007   ? "text that is not UTF-8"
           : close_code == 1009 ? "a message over the limit"
                                : "a frame against RFC 6455";
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct ws_layer *w = of(l);
    size_t used = 0;
    (void)how;
    while (used < n && !w->close_seen && (w->closing || !layer_stopped(l))) {
        struct ws_piece x;
        int64_t got = ws_in_next(&w->in, p + used, n - used, &x);
        if (got == 0)
            break;
        if (got < 0) {
            fail(w, (int)-got, words_of((int)-got));
            return n;
        }
        used += (size_t)got;
        if (x.op >= WS_CLOSE)
            got_control(w, &x);
        else
            got_data(w, &x);
    }
    return w->close_seen ? n : used; /* bytes behind a Close mean nothing (RFC 6455 5.5.1) */
}

static void ended(struct layer *l)
{
    struct ws_layer *w = of(l);
    struct dx_conn *c = layer_conn(l);
    w->ended = 1;
    if (w->close_seen) {
        end_transport(w);
        return;
    }
    if (c)
        conn_set_why(c, DX_TRUNCATED, DX_OF_WS, 1006, "the connection ended without a WebSocket Close");
    w->close_sent = 1; /* nobody is there to read one */
    layer_close_below(l);
}

/* Once both have said Close the conversation is over: a peer that then leaves without a look at what TLS still says to it breaks
 * nothing off. */
static void closed(struct layer *l, const dx_err *why)
{
    static const dx_err over = {.code = DX_END, .text = "the peer closed"};
    const struct ws_layer *w = of(l);
    layer_closed_above(l, w->close_seen && w->close_sent && why->code == DX_RESET ? &over : why);
}

static void layer_free(struct layer *l)
{
    struct ws_layer *w = of(l);
    loop_timer_off(w->loop, &w->timer);
    gather_free(w);
    free(w->protocol);
    free(w);
}

static const struct layer_type ws_type = {
    .name = "ws",
    .name_over_tls = "wss",
    .ends_itself = layer_ends_itself,
    .opened = layer_opened_above,
    .take = take,
    .ended = ended,
    .writable = layer_writable_above,
    .closed = closed,
    .give = give,
    .give_msg = give_msg,
    .give_file = give_file,
    .finish = finish,
    .pause = layer_pause_below,
    .close = close_down,
    .abort = layer_abort_below,
    .free = layer_free,
};

struct layer *ws_layer_new(dx_loop *loop, bool server, uint64_t message_max, struct bytes protocol)
{
    struct ws_layer *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->layer.type = &ws_type;
    w->loop = loop;
    w->server = server;
    w->timer.fire = timer_fire;
    ws_in_init(&w->in, server, message_max);
    if (protocol.n && !(w->protocol = strndup((const char *)protocol.p, protocol.n))) {
        free(w);
        return NULL;
    }
    return &w->layer;
}

/* ---- ws.h ---- */

static struct ws_layer *ws_of(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    while (l && l->type != &ws_type)
        l = l->below;
    return l ? of(l) : NULL;
}

int dx_ws_ping(dx_conn *c, const void *data, size_t n)
{
    struct ws_layer *w = c->quiet || c->gone ? NULL : ws_of(c);
    struct span v = {NULL, data, n};
    if (!w || w->close_sent)
        return DX_STATE;
    return n > 125 ? DX_BIG : give_frame(w, WS_PING, true, &v, 1, 0);
}

int dx_ws_close(dx_conn *c, int code, const char *reason)
{
    struct ws_layer *w = c->quiet || c->gone ? NULL : ws_of(c);
    if (!w || w->close_sent)
        return DX_STATE;
    size_t n = reason ? strlen(reason) : 0;
    if (!ws_close_code_ok(code) || n > 123)
        return DX_URL;
    send_close(w, code, reason ? reason : "", n);
    dx_close(c);
    return 0;
}

const char *dx_ws_protocol(const dx_conn *c)
{
    struct ws_layer *w = c->gone ? NULL : ws_of(c);
    return w && w->protocol ? w->protocol : "";
}
