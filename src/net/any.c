/* SPDX-License-Identifier: MIT
 * any.c - any://: one port, and the first bytes decide (docs/why/sniffing.md, docs/safe.md, rules 1, 4, 5).
 *
 * A layer on the fresh stream uses up nothing until codec/sniff.h is sure; then the layer of the verdict takes its place and is
 * given the same bytes from offset 0. Silence for 300 ms makes a provisional text conn above it, which hears and is not yet
 * believed: the first bytes are sniffed all the same, and if they are a request nothing of it becomes speech. */
#include "codec/sniff.h"
#include "core/stream.h"
#include "net/layers.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "os/clock.h"
#include "os/fd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SILENCE_MS = 300, GAP_MS = 60, HOLD_MS = 2000, SNIFF_MAX = 16 << 10 };

struct sniffer {
    struct layer layer; /* first */
    struct lone lone;
    struct timer timer;
    struct queue *q;
    dx_loop *loop; /* kept: q may be gone when this is freed */
    dx_listener *from;
    enum { SILENT, DOUBTFUL, HELD } phase;
    bool request; /* held: it looks like an HTTP request line */
    bool wrote;   /* the provisional conn has said something   */
};

static struct sniffer *of(struct layer *l)
{
    return (struct sniffer *)l;
}

static void wait_ms(struct sniffer *s, int64_t ms)
{
    loop_timer(s->loop, &s->timer, s->loop->now + ms);
}

static void say(struct sniffer *s, const void *p, size_t n)
{
    struct span v = {NULL, p, n};
    layer_give_below(&s->layer, &v, 1, 0);
}

static void drop(struct sniffer *s)
{
    loop_timer_off(s->loop, &s->timer);
    layer_close_below(&s->layer);
}

static struct dx_conn *provisional(struct sniffer *s)
{
    return layer_conn(&s->layer);
}

/* The sniffer goes; what stands above it stands on the bottom now. */
static void leave(struct sniffer *s)
{
    lone_del(&s->lone);
    loop_timer_off(s->loop, &s->timer);
    layer_remove(&s->layer, s->loop);
}

/* The stack above is that of a text conn already, or becomes it. */
static int become_text(struct sniffer *s)
{
    struct layer *bottom = s->layer.below;
    leave(s);
    return bottom->above ? 0 : stack_plain(s->from, bottom, s->q);
}

/* A silent browser's spare connection that woke up: its provisional conn goes without a word. */
static void part_provisional(struct sniffer *s)
{
    static const dx_err why = {.code = DX_CLOSED, .text = "it turned out not to be text"};
    struct dx_conn *c = provisional(s);
    struct layer *l = s->layer.above;
    if (!c)
        return;
    struct layer *top = c->layer.below;
    conn_part(c, &why);
    for (; top && top != &s->layer; top = l) {
        l = top->below;
        loop_bury(s->loop, top);
    }
    s->layer.above = NULL;
}

static int become_http(struct sniffer *s)
{
    struct layer *bottom = s->layer.below;
    if (s->wrote)
        return DX_PROTO; /* words of the room stand before the reply: there is no honest answer any more */
    part_provisional(s);
    leave(s);
    return stack_http(s->from, bottom, s->q);
}

/* What TLS has agreed on is all that may come in it; where it has agreed on nothing the first bytes decide again. */
static int stack_in_tls(dx_listener *from, struct layer *bottom, struct queue *q)
{
    const char *alpn = tls_layer_alpn(bottom);
    return !strcmp(alpn, "http/1.1") ? stack_http(from, bottom, q)
           : !strcmp(alpn, "duplex") ? stack_plain(from, bottom, q)
                                     : stack_any(from, bottom, q);
}

static int become_tls(struct sniffer *s)
{
    struct layer *bottom = s->layer.below;
    if (s->wrote)
        return DX_PROTO;
    part_provisional(s);
    leave(s);
    return tls_accept(s->from, bottom, s->q, "http/1.1,duplex", stack_in_tls);
}

/* TLS and HTTP/2 get one word in their own language. */
static void refuse_tls(struct sniffer *s)
{
    static const uint8_t handshake_failure[] = {21, 3, 1, 0, 2, 2, 40};
    say(s, handshake_failure, sizeof handshake_failure);
    drop(s);
}

static void refuse_http2(struct sniffer *s)
{
    static const uint8_t go_away[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, /* SETTINGS; GOAWAY: HTTP_1_1_REQUIRED */
                                      0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13};
    say(s, go_away, sizeof go_away);
    drop(s);
}

/* Framing by "auto" is for people's words; whoever asked for bytes, or frames of a protocol, gets any bytes. */
static bool is_for_speech(const struct sniffer *s)
{
    const char *frame = s->from->set->o.frame;
    return frame && !strcmp(frame, "auto");
}

static void refuse_noise(struct sniffer *s)
{
    struct layer *bottom = s->layer.below;
    if (become_text(s) == 0 && bottom->above)
        layer_fail(bottom->above, DX_PROTO, DX_OF_NOTHING, 0, "binary data is not speech");
}

static void hold(struct sniffer *s, const uint8_t *p, size_t n)
{
    if (s->phase == HELD)
        return;
    s->phase = HELD;
    s->request = n >= 3 && memchr(p, ' ', n) && p[0] >= 'A' && p[0] <= 'Z';
    wait_ms(s, HOLD_MS);
}

static void doubt(struct sniffer *s, const uint8_t *p, size_t n)
{
    size_t blank = 0;
    while (blank < n && (p[blank] == '\r' || p[blank] == '\n'))
        blank++;
    if (blank == n)
        return; /* line ends alone say nothing: still silence */
    s->phase = DOUBTFUL;
    wait_ms(s, GAP_MS);
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct sniffer *s = of(l);
    struct layer *bottom = l->below;
    enum sniff verdict = sniff_stream(p, n, NULL);
    int r = 0;
    if (how & DX_LAST && (verdict == SNIFF_MORE || verdict == SNIFF_HOLD))
        verdict =
            verdict == SNIFF_MORE ? SNIFF_TEXT : SNIFF_HTTP1; /* no more will come; a cut request is the parser's */
    if (verdict == SNIFF_MORE && n >= SNIFF_MAX)
        verdict = SNIFF_TEXT; /* line ends and nothing else, all the way */
    switch (verdict) {
    case SNIFF_MORE:
        doubt(s, p, n);
        return 0;
    case SNIFF_HOLD:
        hold(s, p, n);
        return 0;
    case SNIFF_TEXT:
        r = become_text(s);
        break;
    case SNIFF_HTTP1:
        r = become_http(s);
        break;
    case SNIFF_HTTP2:
        refuse_http2(s);
        return n;
    case SNIFF_TLS:
        if (bottom->type->is_tls) { /* TLS in TLS */
            drop(s);
            return n;
        }
        if (!s->from->set->o.tls) {
            refuse_tls(s);
            return n;
        }
        r = become_tls(s);
        break;
    case SNIFF_NOISE:
        if (is_for_speech(s)) {
            refuse_noise(s);
            return n;
        }
        r = become_text(s);
        break;
    case SNIFF_FOREIGN:
    case SNIFF_QUIC:
        drop(s);
        return n;
    }
    if (r < 0) {
        if (bottom->above == l)
            drop(s);
        else
            bottom->type->abort(bottom);
        return n;
    }
    if (layer_stopped(bottom))
        return 0; /* paused in its on_open */
    return bottom->above->type->take(bottom->above, p, n, how);
}

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    of(l)->wrote = true;
    return layer_give_below(l, v, count, how);
}

static int give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    of(l)->wrote = true;
    return layer_give_file_below(l, fd, off, n, how);
}

static void make_provisional(struct sniffer *s)
{
    struct layer *top;
    bool messages;
    if (s->layer.above)
        return;
    dx_conn *c = NULL;
    if (stack_codings(&s->layer, s->from->set, s->loop, false, &top, &messages, NULL) == 0)
        c = listener_conn(s->from, top, s->q);
    if (!c) {
        stack_undo(&s->layer);
        drop(s);
        return;
    }
    lone_del(&s->lone);
    c->messages = messages;
    conn_open(c);
}

/* A busy loop comes to its timers before it has read from every socket: what the peer has said may lie there. */
static bool has_said_more(const struct sniffer *s)
{
    struct layer *bottom = s->layer.below;
    while (bottom->below)
        bottom = bottom->below;
    const struct stream *stream = stream_of(bottom);
    return stream && stream->port.socket && !stream->paused && os_fd_has_input(stream->port.fd);
}

static void say_late(struct sniffer *s)
{
    char text[128];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 408 Request Timeout\r\nDate: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                     os_http_date());
    say(s, text, (size_t)n);
}

static void timer_fire(struct timer *t, dx_loop *loop)
{
    struct sniffer *s = (struct sniffer *)((char *)t - offsetof(struct sniffer, timer));
    (void)loop;
    if (has_said_more(s)) {
        wait_ms(s, GAP_MS);
    } else if (s->phase == SILENT) {
        make_provisional(s);
    } else if (s->phase == HELD) {
        if (s->request && !s->wrote)
            say_late(s);
        drop(s);
    } else { /* an upper-case word, and then nothing: somebody said it */
        struct layer *bottom = s->layer.below;
        if (become_text(s) < 0)
            bottom->type->abort(bottom);
        else
            layer_feed_again(bottom->above);
    }
}

static void ended(struct layer *l)
{
    if (l->above)
        layer_ended_above(l);
    else
        drop(of(l));
}

static void closed(struct layer *l, const dx_err *why)
{
    lone_del(&of(l)->lone);
    loop_timer_off(of(l)->loop, &of(l)->timer);
    if (l->above)
        layer_closed_above(l, why);
    else
        layer_bury_stack(l, of(l)->loop);
}

static void close_down(struct layer *l)
{
    drop(of(l));
}

static void layer_free(struct layer *l)
{
    lone_del(&of(l)->lone);
    loop_timer_off(of(l)->loop, &of(l)->timer);
    free(l);
}

static const struct layer_type sniffer_type = {
    .opened = layer_opened_above,
    .take = take,
    .ended = ended,
    .writable = layer_writable_above,
    .closed = closed,
    .give = give,
    .give_msg = layer_give_msg_plain,
    .give_file = give_file,
    .finish = layer_finish_below,
    .pause = layer_pause_below,
    .close = close_down,
    .abort = layer_abort_below,
    .free = layer_free,
};

int stack_any(dx_listener *from, struct layer *bottom, struct queue *q)
{
    struct sniffer *s = calloc(1, sizeof *s);
    if (!s)
        return DX_NOMEM;
    s->layer.type = &sniffer_type;
    s->timer.fire = timer_fire;
    s->q = q;
    s->loop = q->loop;
    s->from = from;
    layer_put_above(bottom, &s->layer);
    lone_add(from, &s->lone, &s->layer);
    wait_ms(s, SILENCE_MS);
    return 0;
}

static int serve_any(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_any;
    int r = stack_check(s->set, err);
    if (r == 0 && u->fragment.n)
        r = tls_settle(s->set, u, text, true, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS | TCP_DATAGRAMS, "tcp", err);
}

const struct scheme scheme_any = {.name = "any", .serve = serve_any, .tls = true, .routes = true};
