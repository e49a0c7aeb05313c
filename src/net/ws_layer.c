/* SPDX-License-Identifier: MIT
 * ws_layer.c - RFC 6455 on a conn: bytes below, messages above. finish is our Close frame; the conversation is over when
 * both have said theirs, and then the server ends the transport first (RFC 6455 7.1.1). */
#include "core/stream.h"
#include "net/ws_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLOSE_WAIT_MS = 2000,
    NO_CODE = 1005, /* a Close without a code */
};

/* Who answers a Close says the same code (RFC 6455 5.5.1). */
static void say_end(struct ws_layer *w)
{
    ws_give_close(w, !w->peer_code ? 1000 : w->peer_code == NO_CODE ? 0 : w->peer_code, "", 0);
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
    ws_give_close(w, 1011, "no answer to a ping", 19);
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
            ws_give_frame(w, WS_PING, true, &nothing, 1, 0);
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
    struct ws_layer *w = ws_layer_of(l);
    say_end(w);
    end_transport(w);
    return 0;
}

static void close_down(struct layer *l)
{
    struct ws_layer *w = ws_layer_of(l);
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

__attribute__((noinline)) static void fail(struct ws_layer *w, int close_code, const char *text)
{
    struct dx_conn *c = layer_conn(&w->layer);
    int code = close_code == 1009 ? DX_BIG : DX_PROTO;
    ws_gather_free(w);
    w->closing = 1; /* a dx_close in DX_BROKEN must not say 1000 */
    if (c) {
        conn_set_why(c, code, DX_OF_WS, close_code, text);
        conn_broken(c); /* its last word goes before our Close */
    }
    ws_give_close(w, close_code, text, strlen(text));
    w->close_seen = 1; /* whatever else it sends is not listened to */
    close_transport(w);
}

/* ---- in ---- */

static const char *words_of(int close_code)
{
    return close_code == 1007   ? "text that is not UTF-8, or what does not unpack"
           : close_code == 1009 ? "a message over the limit"
           : close_code == 1011 ? "no memory for the message"
                                : "a frame against RFC 6455";
}

/* What is no message in one piece. As with got_control and fail: not in one with take, which the many pass through. */
__attribute__((noinline)) static void got_data(struct ws_layer *w, const struct ws_piece *x)
{
    unsigned how = x->op == WS_TEXT ? DX_TEXT : DX_BINARY;
    int bad = 0;
    if (w->closing)
        return;
    if (x->packed)
        bad = ws_gather_packed(w, x, how);
    else if (!ws_gather_add(w, x->p, x->n))
        bad = 1011;
    else if (x->last)
        ws_gather_hand(w, how);
    if (bad)
        fail(w, bad, words_of(bad));
}

static struct ws_more *more_of(struct ws_layer *w, struct bytes protocol)
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
    ws_gather_free(w);
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

__attribute__((noinline)) static void got_control(struct ws_layer *w, const struct ws_piece *x)
{
    struct dx_conn *c = layer_conn(&w->layer);
    struct span v = {NULL, x->p, x->n};
    dx_bytes b = {x->p, x->n};
    if (x->op == WS_PING && !w->close_sent) {
        ws_give_frame(w, WS_PONG, true, &v, 1, 0);
        conn_answered(c);
    } else if (x->op == WS_PONG && c) {
        conn_event(c, DX_PONG, &b);
    } else if (x->op == WS_CLOSE) {
        got_close(w, x);
    }
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct ws_layer *w = ws_layer_of(l);
    const struct dx_conn *c = layer_conn(l); /* not looked for again for each message: it lives until the turn ends */
    size_t used = 0;
    (void)how;
    heard(w);
    while (used < n && !w->close_seen && (w->closing || !c || !conn_stopped(c))) {
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
        else if (x.first && x.last && !x.packed && !w->closing)
            layer_take_above(l, x.p, x.n, x.op == WS_TEXT ? DX_TEXT : DX_BINARY);
        else
            got_data(w, &x);
    }
    return w->close_seen ? n : used; /* bytes behind a Close mean nothing (RFC 6455 5.5.1) */
}

static void ended(struct layer *l)
{
    struct ws_layer *w = ws_layer_of(l);
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
    const struct ws_layer *w = ws_layer_of(l);
    layer_closed_above(l, w->close_seen && w->close_sent && why->code == DX_RESET ? &over : why);
}

static void layer_free(struct layer *l)
{
    struct ws_layer *w = ws_layer_of(l);
    loop_timer_off(w->loop, &w->timer);
    ws_gather_free(w);
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
    .give = ws_give,
    .give_msg = ws_give_msg,
    .give_file = layer_give_file_absent,
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
    return l ? ws_layer_of(l) : NULL;
}

int dx_ws_ping(dx_conn *c, const void *data, size_t n)
{
    struct ws_layer *w = c->quiet || c->gone ? NULL : ws_of(c);
    struct span v = {NULL, data, n};
    if (!w || w->close_sent)
        return DX_STATE;
    return n > 125 ? DX_BIG : ws_give_frame(w, WS_PING, true, &v, 1, 0);
}

int dx_ws_close(dx_conn *c, int code, const char *reason)
{
    struct ws_layer *w = c->quiet || c->gone ? NULL : ws_of(c);
    if (!w || w->close_sent)
        return DX_STATE;
    size_t n = reason ? strlen(reason) : 0;
    if (!ws_close_code_ok(code) || n > WS_REASON_MAX || !dx_is_utf8(reason ? reason : "", n))
        return DX_URL;
    ws_give_close(w, code, reason ? reason : "", n);
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
