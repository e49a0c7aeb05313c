/* SPDX-License-Identifier: MIT
 * relay.c - joins two conns, whatever their wires: bytes and messages, back-pressure and half-close both ways. A conn that
 * breaks breaks the other; one that ends in order lets the other end in order. */
#include "core/conn.h"
#include "core/stream.h"
#include <stdlib.h>

struct relay;
struct side {
    dx_handler on; /* first: the conn's handler from now on; its on_close is the one it had */
    void (*on_close)(dx_conn *c, const dx_err *why);
    struct relay *relay;
    dx_conn *c; /* NULL: closed                                                        */
    bool ended; /* the peer has said its last                                           */
};
struct relay {
    struct side side[2];
};

static struct side *side_of(dx_conn *c)
{
    return (struct side *)(uintptr_t)c->on;
}

static struct side *other_of(struct side *s)
{
    return &s->relay->side[s == s->relay->side];
}

static void data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct side *o = other_of(side_of(c));
    if (!o->c)
        return;
    int r = dx_send(o->c, p, n, how);
    if (r == 1)
        dx_pause(c, true);
    else if (r == DX_CLOSED || (r < 0 && o->c->quiet))
        dx_pause(c, true); /* it takes no more, but what its peer said last may still come; its on_close ends c */
    else if (r < 0)
        dx_abort(o->c); /* c is paused while that queue is past half, so this is no want of room */
}

static void writable(dx_conn *c)
{
    struct side *o = other_of(side_of(c));
    if (o->c)
        dx_pause(o->c, false);
}

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

static void ended(dx_conn *c)
{
    struct side *s = side_of(c), *o = other_of(s);
    s->ended = true;
    if (o->c)
        dx_finish(o->c);
    if (!o->c || o->ended) { /* both have said their last: what is queued goes out, and that is all */
        dx_close(c);
        if (o->c)
            dx_close(o->c);
    }
}

static void closed(dx_conn *c, const dx_err *why)
{
    struct side *s = side_of(c), *o = other_of(s);
    s->c = NULL;
    if (o->c && why->code != DX_END && why->code != DX_CLOSED)
        dx_abort(o->c);
    else if (o->c)
        dx_close(o->c);
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

int dx_relay(dx_conn *a, dx_conn *b)
{
    if (a->gone || a->quiet || b->gone || b->quiet || a == b || a->taken || b->taken)
        return DX_STATE;
    struct relay *r = malloc(sizeof *r);
    if (!r)
        return DX_NOMEM;
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
