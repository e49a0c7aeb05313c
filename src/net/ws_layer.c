/* SPDX-License-Identifier: MIT
 * ws_layer.c - RFC 6455 on a conn: bytes below, messages above. finish is our Close frame; the conversation is over when
 * both have said theirs, and then the server ends the transport first (RFC 6455 7.1.1). */
#include "base/utf8.h"
#include "codec/ws.h"
#include "core/stream.h"
#include "net/layers.h"
#include "os/clock.h"
#include "os/fd.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLOSE_WAIT_MS = 2000,
    SMALL = 4096,
    PACK_MIN = 32,        /* shorter messages go as they are                         */
    UNPACK_BYTES = 16384, /* a message that is no longer needs no memory of its own  */
    REASON_MAX = 123,
    NO_CODE = 1005, /* a Close without a code */
};

struct gather { /* a message that came in pieces */
    size_t n, cap;
    uint8_t data[];
};
struct more { /* what few WebSockets have */
    struct ws_deflate *deflate;
    uint32_t ping_ms, ping_timeout_ms;
    char reason[REASON_MAX + 1]; /* of the peer's Close */
    char protocol[];
};
struct ws_layer {
    struct layer layer; /* first */
    dx_loop *loop;
    uint8_t server : 1, close_sent : 1, close_seen : 1, closing : 1, in_message : 1, packing : 1, packs : 1,
        ended : 1; /* near what sends read; packing: this message goes packed */
    uint8_t pinged : 1;
    uint16_t peer_code; /* of its Close; 0: none came                               */
    uint16_t our_code;  /* of ours                                                  */
    struct ws_in in;
    struct timer
        timer; /* open: the next ping; closing: how long the peer's Close or end is waited for. own: heard, ms cut */
    struct gather *gather;
    struct more *more; /* NULL: no subprotocol, no deflate, pings as usual, no reason given */
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

/* A message or a part of it, packed and framed in one piece. Where it is not taken, the next one begins with nothing in mind. */
__attribute__((noinline)) static int give_packed(struct ws_layer *w, uint8_t op, bool fin, const struct span *v,
                                                 size_t count, size_t n)
{
    uint8_t few[SMALL], head[WS_HEAD_MAX], mask[4], *p = few;
    struct bytes parts[17];
    struct block *b = NULL;
    size_t room = ws_pack_room(n);
    if (count > 17)
        return DX_BIG;
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct bytes){v[i].p, v[i].n};
    if (room + WS_HEAD_MAX > sizeof few) {
        b = room < UINT32_MAX / 2 ? block_new(room + WS_HEAD_MAX) : NULL;
        if (!b)
            return DX_NOMEM;
        p = b->data;
    }
    p += WS_HEAD_MAX;
    int64_t got = ws_pack(w->more->deflate, parts, count, fin, p, room);
    if (got < 0) {
        block_drop(b);
        return DX_NOMEM;
    }
    if (!w->server) {
        os_random(mask, 4);
        ws_mask(p, (size_t)got, mask, 0);
    }
    size_t head_n = ws_head(head, op == WS_CONT ? op : op | WS_PACKED, fin, (uint64_t)got, w->server ? NULL : mask);
    memcpy(p - head_n, head, head_n);
    if (b)
        b->used = b->cap;
    struct span all = {got > SMALL ? b : NULL, p - head_n, head_n + (size_t)got};
    int r = layer_give_below(&w->layer, &all, 1, 0);
    block_drop(b);
    if (r < 0)
        ws_pack_rest(w->more->deflate);
    return r;
}

static size_t length_of(const struct span *v, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += v[i].n;
    return n;
}

__attribute__((noinline)) static bool is_text(const struct span *v, size_t count)
{
    uint32_t state = 0;
    for (size_t i = 0; i < count; i++)
        if (v[i].n && !utf8_check(&state, v[i].p, v[i].n))
            return false;
    return state == 0;
}

/* Not in one with give, which the many leave early. */
__attribute__((noinline)) static int give_part(struct ws_layer *w, uint8_t op, const struct span *v, size_t count,
                                               unsigned how)
{
    bool more = how & DX_MORE;
    size_t n = w->packs ? length_of(v, count) : 0;
    bool packing = op == WS_CONT ? w->packing : n >= PACK_MIN || (w->packs && more);
    int r =
        packing ? give_packed(w, op, !more, v, count, n) : give_frame(w, op, !more, v, count, how & ~(unsigned)DX_MORE);
    if (r >= 0) {
        w->in_message = more;
        w->packing = packing && more;
    }
    return r;
}

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct ws_layer *w = of(l);
    uint8_t op = w->in_message ? WS_CONT : how & DX_TEXT ? WS_TEXT : WS_BINARY;
    if (w->close_sent)
        return DX_STATE;
    if (op == WS_TEXT && !(how & DX_MORE) && !(count == 1 ? dx_is_utf8(v->p, v->n) : is_text(v, count)))
        return DX_PROTO; /* the peer would have to break it off (RFC 6455 8.1) */
    if (w->server && count == 1 && !(how & DX_MORE) && op != WS_CONT && !w->packs && give_in_place(w, op, v))
        return 0;
    return give_part(w, op, v, count, how);
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
    if (!w->server || w->in_message || w->packs)
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

/* code 0: none. A reason that is too long is cut between two characters. */
static void send_close(struct ws_layer *w, int code, const char *reason, size_t reason_n)
{
    uint8_t body[2 + REASON_MAX];
    size_t n = 0;
    if (w->close_sent)
        return;
    if (code) {
        body[0] = (uint8_t)(code >> 8);
        body[1] = (uint8_t)code;
        while (reason_n > REASON_MAX ||
               (reason_n && !is_text(&(struct span){NULL, (const uint8_t *)reason, reason_n}, 1)))
            reason_n--;
        n = 2 + reason_n;
        memcpy(body + 2, reason, n - 2);
    }
    struct span v = {NULL, body, n};
    give_frame(w, WS_CLOSE, true, &v, 1, 0);
    w->close_sent = 1;
    w->our_code = (uint16_t)code;
}

/* Who answers a Close says the same code (RFC 6455 5.5.1). */
static void say_end(struct ws_layer *w)
{
    send_close(w, !w->peer_code ? 1000 : w->peer_code == NO_CODE ? 0 : w->peer_code, "", 0);
}

/* ---- pings, and the end ---- */

/* In order; and whatever was waited for is waited for no longer. */
static void close_transport(struct ws_layer *w)
{
    loop_timer_off(w->loop, &w->timer);
    layer_close_below(&w->layer);
}

/* Both Closes are through: the server ends the transport, a client waits for that a while. */
static void end_transport(struct ws_layer *w)
{
    if (!w->close_sent || !w->close_seen)
        return;
    if (w->server || w->ended)
        close_transport(w);
    else
        loop_timer(w->loop, &w->timer, w->loop->now + CLOSE_WAIT_MS);
}

static void heard(struct ws_layer *w)
{
    w->timer.node.own = (uint32_t)w->loop->now;
    w->pinged = 0;
}

static uint32_t ping_ms(const struct ws_layer *w)
{
    return w->more ? w->more->ping_ms : WS_PING_MS;
}

static uint32_t ping_timeout_ms(const struct ws_layer *w)
{
    return w->more ? w->more->ping_timeout_ms : WS_PING_MS;
}

/* Its pong may stand behind much that it still has to take; does it take any? */
static bool takes_our_bytes(const struct ws_layer *w, const struct dx_conn *c)
{
    const struct stream *s = queue_waits(c->q) ? stream_of(conn_bottom(c)) : NULL;
    return s && (uint32_t)w->loop->now - s->last_active < ping_timeout_ms(w);
}

static void give_up(struct ws_layer *w, struct dx_conn *c)
{
    bool stuck = queue_waits(c->q) > 0;
    char text[80];
    snprintf(text, sizeof text, "the peer answered no ping for %u ms", (unsigned)ping_timeout_ms(w));
    conn_set_why(c, DX_TIMEOUT, DX_OF_WS, 1006, text);
    w->closing = 1;
    conn_broken(c);
    send_close(w, 1011, "no answer to a ping", 19);
    w->close_seen = 1;
    if (stuck)
        layer_abort_below(&w->layer);
    else
        close_transport(w);
}

/* The peer was silent for long: is it there? One that we do not listen to is left alone. After our Close nothing may be
 * sent, so then silence alone decides. */
static void ping_due(struct ws_layer *w, struct dx_conn *c)
{
    struct span nothing = {NULL, (const uint8_t *)"", 0};
    uint32_t silent = (uint32_t)w->loop->now - w->timer.node.own, every = ping_ms(w), wait = ping_timeout_ms(w);
    if (w->packs && !w->in_message)
        ws_pack_rest(w->more->deflate);
    if (conn_stopped(c)) {
        heard(w);
        wait = every;
    } else if (silent < every) {
        wait = every - silent;
    } else if (!w->pinged) {
        w->pinged = 1;
        if (!w->close_sent)
            give_frame(w, WS_PING, true, &nothing, 1, 0);
    } else if (!takes_our_bytes(w, c)) {
        give_up(w, c);
        return;
    }
    loop_timer(w->loop, &w->timer, w->loop->now + wait);
}

static void timer_fire(struct timer *t, dx_loop *l)
{
    struct ws_layer *w = (struct ws_layer *)((char *)t - offsetof(struct ws_layer, timer));
    struct dx_conn *c = layer_conn(&w->layer);
    (void)l;
    if (w->closing || w->close_seen || !c)
        close_transport(w);
    else
        ping_due(w, c);
}

static int finish(struct layer *l)
{
    struct ws_layer *w = of(l);
    say_end(w);
    end_transport(w);
    return 0;
}

static void close_down(struct layer *l)
{
    struct ws_layer *w = of(l);
    if (w->closing)
        return;
    w->closing = 1;
    say_end(w);
    if (w->close_seen || w->ended) {
        end_transport(w);
        if (w->ended)
            close_transport(w);
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
    close_transport(w);
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

static void hand_gathered(struct ws_layer *w, unsigned how)
{
    struct gather *g = w->gather;
    w->gather = NULL; /* the handler may close and free all */
    layer_take_above(&w->layer, g->data, g->n, how);
    account_free(g, sizeof *g + g->cap);
}

/* How many bytes more of the message there are at p; what does not fit any longer is gathered. < 0: minus a close code. */
static int64_t unpack_more(struct ws_layer *w, const struct ws_piece *x, struct bytes *in, uint8_t *p, size_t *n)
{
    if (*n == UNPACK_BYTES) {
        if (!gather_add(w, p, *n))
            return -1011;
        *n = 0;
    }
    int64_t got = ws_unpack(w->more->deflate, in, x->last, p + *n, UNPACK_BYTES - *n);
    if (got <= 0)
        return got;
    if ((w->gather ? w->gather->n : 0) + *n + (size_t)got > w->in.message_max)
        return -1009;
    if (x->op == WS_TEXT && !utf8_check(&w->in.utf8, p + *n, (size_t)got))
        return -1007;
    *n += (size_t)got;
    return got;
}

static const char *words_of(int close_code)
{
    return close_code == 1007   ? "text that is not UTF-8, or what does not unpack"
           : close_code == 1009 ? "a message over the limit"
           : close_code == 1011 ? "no memory for the message"
                                : "a frame against RFC 6455";
}

/* A piece of a packed message. Never more of it in memory than a message may have. */
__attribute__((noinline)) static void got_packed(struct ws_layer *w, const struct ws_piece *x, unsigned how)
{
    static _Thread_local uint8_t room[UNPACK_BYTES];
    struct bytes in = {x->p, x->n};
    size_t n = 0;
    int64_t got;
    while ((got = unpack_more(w, x, &in, room, &n)) > 0)
        ;
    if (got == 0 && x->last && w->in.utf8 != 0)
        got = -1007;
    if (x->last)
        w->in.utf8 = 0;
    if (got == 0 && (!x->last || w->gather) && n > 0 && !gather_add(w, room, n))
        got = -1011;
    if (got < 0)
        fail(w, (int)-got, words_of((int)-got));
    else if (x->last && w->gather)
        hand_gathered(w, how);
    else if (x->last)
        layer_take_above(&w->layer, room, n, how);
}

static void got_data(struct ws_layer *w, const struct ws_piece *x)
{
    unsigned how = x->op == WS_TEXT ? DX_TEXT : DX_BINARY;
    if (w->closing)
        return;
    if (x->packed)
        got_packed(w, x, how);
    else if (x->first && x->last)
        layer_take_above(&w->layer, x->p, x->n, how);
    else if (!gather_add(w, x->p, x->n))
        fail(w, 1011, words_of(1011));
    else if (x->last)
        hand_gathered(w, how);
}

static struct more *more_of(struct ws_layer *w, struct bytes protocol)
{
    if (w->more)
        return w->more;
    w->more = calloc(1, sizeof *w->more + protocol.n + 1);
    if (!w->more)
        return NULL;
    w->more->ping_ms = w->more->ping_timeout_ms = WS_PING_MS;
    if (protocol.n)
        memcpy(w->more->protocol, protocol.p, protocol.n);
    return w->more;
}

static void got_close(struct ws_layer *w, const struct ws_piece *x)
{
    struct dx_conn *c = layer_conn(&w->layer);
    int code = x->n >= 2 ? x->p[0] << 8 | x->p[1] : NO_CODE;
    char text[200];
    w->close_seen = 1;
    if (!w->closing)
        loop_timer_off(w->loop, &w->timer); /* no more pings */
    w->peer_code = (uint16_t)code;
    if (x->n > 2 && more_of(w, (struct bytes){0}))
        memcpy(w->more->reason, x->p + 2, x->n - 2);
    gather_free(w);
    bool answer = w->close_sent && code == w->our_code;
    if (c && !answer && code != 1000 && code != 1001 && code != NO_CODE) { /* what the peer says went wrong */
        dx_text shown = {0};
        dx_visible((const char *)x->p + 2, x->n - 2, NULL, &shown);
        snprintf(text, sizeof text, "the peer closed with %d%s%s", code, shown.n ? " " : "", shown.n ? shown.p : "");
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

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct ws_layer *w = of(l);
    size_t used = 0;
    (void)how;
    heard(w);
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
    close_transport(w);
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
    if (w->more)
        ws_deflate_free(w->more->deflate);
    free(w->more);
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

void ws_stand_ping(struct ws_stand *s, const struct settings *set, const dx_ws_opts *o)
{
    s->ping_ms = o->ping_ms > 0 ? o->ping_ms : o->ping_ms < 0 || set->o.idle_ms_max ? 0 : WS_PING_MS;
    s->ping_timeout_ms = o->ping_timeout_ms > 0 ? o->ping_timeout_ms : WS_PING_MS;
}

/* What is not as usual. */
static bool settle(struct ws_layer *w, const struct ws_stand *s)
{
    bool usual = s->ping_ms == 0 || (s->ping_ms == WS_PING_MS && s->ping_timeout_ms == WS_PING_MS);
    if (usual && !s->protocol.n && !s->deflate)
        return true;
    if (!more_of(w, s->protocol))
        return false;
    w->more->ping_ms = (uint32_t)(s->ping_ms < INT32_MAX ? s->ping_ms : INT32_MAX);
    w->more->ping_timeout_ms = (uint32_t)(s->ping_timeout_ms < INT32_MAX ? s->ping_timeout_ms : INT32_MAX);
    if (!s->deflate)
        return true;
    w->packs = w->in.packs = 1;
    w->more->deflate = ws_deflate_new(s->deflate, s->server);
    return w->more->deflate != NULL;
}

struct layer *ws_layer_new(dx_loop *loop, const struct ws_stand *s)
{
    struct ws_layer *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->layer.type = &ws_type;
    w->loop = loop;
    w->server = s->server;
    w->timer.fire = timer_fire;
    ws_in_init(&w->in, s->server, s->message_max);
    heard(w);
    if (!settle(w, s) || (s->ping_ms && loop_timer(loop, &w->timer, loop->now + ping_ms(w)) < 0)) {
        layer_free(&w->layer);
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
    if (!ws_close_code_ok(code) || n > REASON_MAX || !dx_is_utf8(reason ? reason : "", n))
        return DX_URL;
    send_close(w, code, reason ? reason : "", n);
    dx_close(c);
    return 0;
}

const char *dx_ws_protocol(const dx_conn *c)
{
    const struct ws_layer *w = ws_of(c);
    return w && w->more ? w->more->protocol : "";
}

int dx_ws_close_code(const dx_conn *c)
{
    const struct ws_layer *w = ws_of(c);
    return w ? w->peer_code : 0;
}

const char *dx_ws_close_reason(const dx_conn *c)
{
    const struct ws_layer *w = ws_of(c);
    return w && w->more ? w->more->reason : "";
}

bool dx_ws_deflates(const dx_conn *c)
{
    const struct ws_layer *w = ws_of(c);
    return w && w->packs;
}
