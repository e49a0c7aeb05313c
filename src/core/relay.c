/* SPDX-License-Identifier: MIT
 * relay.c - joins two conns, whatever their wires: bytes and messages, back-pressure and half-close both ways. A conn that
 * breaks breaks the other, once all that had come before has reached its peer; one that ends in order, or by its idle time, lets the
 * other end in order. Between two plain streams much at once is spliced; what is little, or looked at, goes through memory. */
#include "core/conn.h"
#include "core/stream.h"
#include <stdlib.h>

enum {
    MUCH = 32 << 10,         /* so much in one arrival: the next ones are worth a pipe           */
    LITTLE = 4 << 10,        /*  and after so little they no longer are                          */
    PIECE_MAX = 64 << 10,    /* of bytes into messages: under the limit of the usual servers     */
    DATAGRAM_PIECE = 1200,   /* fits every path                                                  */
    DATAGRAMS_END_MS = 1000, /* their wires have no end: after the other side's, such a silence  */
    BREAK_STEP_MS = 10,      /* how often to look whether all is out                             */
};
struct relay;
struct side {
    dx_handler on; /* first: the conn's handler from now on; its on_close is the one it had */
    void (*on_close)(dx_conn *c, const dx_err *why);
    struct relay *relay;
    dx_conn *c;      /* NULL: closed                                              */
    bool ended;      /* the peer has said its last                                */
    uint64_t passed; /* bytes that came from c and were taken by the other        */
    int64_t heard;   /* when the last of them came                                */
    size_t unsent;   /* while it is to be broken off: how much was not out yet    */
    int64_t moved;   /*  and since when it is so much                             */
};
struct relay {
    struct side side[2];
    dx_relay_look *look; /* NULL: nobody looks */
};

static struct side *side_of(const dx_conn *c)
{
    return (struct side *)(uintptr_t)c->on;
}

static struct side *other_of(struct side *s)
{
    return &s->relay->side[s == s->relay->side];
}

static bool has_datagrams(const dx_conn *c)
{
    return c->messages && !stream_of(conn_bottom(c));
}

/* ---- data ---- */

/* NULL: something stands between the conn and its transport. */
static struct stream *plain_stream(const dx_conn *c)
{
    return c->layer.below && c->layer.below == conn_bottom(c) ? stream_of(c->layer.below) : NULL;
}

/* How the next to come from c shall go, by how much came now. */
static void choose(dx_conn *c, const dx_conn *to, size_t n)
{
    if (c->unspliced)
        return;
    struct stream *from = plain_stream(c), *into = plain_stream(to);
    bool is = from && from->port.splice, want = n >= (is ? LITTLE : MUCH);
    if (want != is)
        c->unspliced = !from || !into || !stream_splice(from, into, want);
}

int dx_pass(dx_conn *from, dx_conn *to, const void *p, size_t n)
{
    bool spliced = n && !p;
    int r = !spliced ? dx_send(to, p, n, 0) : plain_stream(to) ? conn_send_spliced(to, n) : DX_STATE;
    if (r >= 0)
        choose(from, to, n);
    return r;
}

static int pass(const dx_conn *from, dx_conn *to, const void *p, size_t n, unsigned how)
{
    if (n && !p)
        return conn_send_spliced(to, n);
    if (to->messages && !from->messages)
        return conn_send_pieces(to, p, n, has_datagrams(to) ? DATAGRAM_PIECE : PIECE_MAX);
    int r = dx_send(to, p, n, how);
    return r == DX_PROTO && how & DX_TEXT ? dx_send(to, p, n, DX_BINARY) : r; /* framed, and no text */
}

static void data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct side *s = side_of(c), *o = other_of(s);
    if (!o->c)
        return;
    s->heard = dx_loop_now(dx_loop_of(c));
    if (s->relay->look)
        s->relay->look(c, p, n, how);
    int r = pass(c, o->c, p, n, how);
    if (r >= 0) {
        s->passed += n;
        if (!s->relay->look)
            choose(c, o->c, n);
    }
    if (r == 1) {
        dx_pause(c, true);
    } else if (r == DX_CLOSED || (r < 0 && o->c->quiet)) {
        dx_pause(c, true); /* it takes no more, but what its peer said last may still come; its on_close ends c */
    } else if (r < 0) {    /* c is paused while that queue is past half, so this is no want of room */
        conn_set_why(o->c, r, DX_OF_NOTHING, 0, dx_code_text(r));
        dx_abort(o->c);
    }
}

static void writable(dx_conn *c)
{
    struct side *o = other_of(side_of(c));
    if (o->c)
        dx_pause(o->c, false);
}

/* ---- beginning and end ---- */

/* What comes for a conn that does not stand yet waits where it is. */
static void opened(dx_conn *c)
{
    struct side *o = other_of(side_of(c));
    if (!o->c)
        return;
    dx_pause(o->c, false);
    if (o->ended)
        dx_finish(c);
}

static void end_in_silence(dx_conn *c)
{
    struct side *s = side_of(c);
    int64_t rest = s->heard + DATAGRAMS_END_MS - dx_loop_now(dx_loop_of(c));
    if (c->paused)
        rest = DATAGRAMS_END_MS; /* there may be more that the other side does not take yet */
    if (rest <= 0 || dx_after(c, rest, end_in_silence) < 0)
        dx_close(c);
}

static void ended(dx_conn *c)
{
    struct side *s = side_of(c), *o = other_of(s);
    s->ended = true;
    if (s->relay->look)
        s->relay->look(c, NULL, 0, 0);
    if (o->c) {
        dx_finish(o->c);
        o->heard = dx_loop_now(dx_loop_of(c));
        if (!o->ended && has_datagrams(o->c))
            end_in_silence(o->c);
    }
    if (!o->c || o->ended) { /* both have said their last: what is queued goes out, and that is all */
        dx_close(c);
        if (o->c)
            dx_close(o->c);
    }
}

/* Breaking off throws away what is under way, and that came before the other side broke. */
static void break_when_out(dx_conn *c)
{
    struct side *s = side_of(c);
    struct stream *bottom = stream_of(conn_bottom(c));
    size_t unsent = dx_queued(c) + (bottom ? stream_unsent(bottom) : 0);
    int64_t now = dx_loop_now(dx_loop_of(c));
    if (unsent != s->unsent)
        s->moved = now;
    s->unsent = unsent;
    if (!unsent || now - s->moved >= DRAIN_STALL_MS || dx_after(c, BREAK_STEP_MS, break_when_out) < 0)
        dx_abort(c);
}

static bool went_well(const dx_conn *c, const dx_err *why)
{
    return why->code == DX_END || why->code == DX_CLOSED || (why->code == DX_TIMEOUT && c->opened);
}

static void closed(dx_conn *c, const dx_err *why)
{
    struct side *s = side_of(c), *o = other_of(s);
    s->c = NULL;
    if (o->c && went_well(c, why)) {
        dx_close(o->c);
    } else if (o->c && !o->c->quiet) {
        dx_pause(o->c, true);
        break_when_out(o->c);
    }
    if (s->on_close)
        s->on_close(c, why);
    if (!o->c)
        free(s->relay);
}

/* A conn that is only written to will never say an end. */
static bool is_one_way(const dx_conn *c)
{
    const struct stream *s = stream_of(conn_bottom(c));
    return s && s->write_only;
}

static void take_over(struct side *s, struct relay *r, dx_conn *c)
{
    *s = (struct side){.on = {.state_bytes = c->on->state_bytes,
                              .on_open = opened,
                              .on_data = data,
                              .on_end = ended,
                              .on_writable = writable,
                              .on_close = closed},
                       .on_close = c->on->on_close,
                       .relay = r,
                       .c = c,
                       .ended = c->end_seen || is_one_way(c)};
    c->on = &s->on;
    c->taken = 1;
}

int dx_relay_looked(dx_conn *a, dx_conn *b, dx_relay_look *look)
{
    if (a->gone || a->quiet || b->gone || b->quiet || a == b || a->taken || b->taken)
        return DX_STATE;
    struct relay *r = malloc(sizeof *r);
    if (!r)
        return DX_NOMEM;
    r->look = look;
    take_over(&r->side[0], r, a);
    take_over(&r->side[1], r, b);
    if (r->side[0].ended && b->opened)
        dx_finish(b);
    if (r->side[1].ended && a->opened)
        dx_finish(a);
    dx_pause(a, !b->opened);
    dx_pause(b, !a->opened);
    return 0;
}

int dx_relay(dx_conn *a, dx_conn *b)
{
    return dx_relay_looked(a, b, NULL);
}

uint64_t dx_relayed(const dx_conn *c)
{
    return c->on->on_data == data ? side_of(c)->passed : 0;
}
