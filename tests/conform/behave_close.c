/* SPDX-License-Identifier: MIT
 * behave_close.c - ends: half, whole, sudden, and from inside any handler. */
#include "conform.h"

static void wait_closed(struct world *w)
{
    WAIT(all_closed(w));
}

static void half_close_ours(struct world *w)
{
    MUST_DO(both(w, &on_quiet, &on_quiet));
    put(w->c, 1000);
    MUST_INT(dx_finish(w->c->c), 0);
    MUST_INT(dx_finish(w->c->c), DX_STATE);
    MUST_INT(put(w->c, 1), DX_STATE);
    if (w->s) {
        WAIT(w->s->ends);
        MUST_INT(w->s->got, 1000);
        put(w->s, 100 * KIB);
        pass(w, 5);
        put(w->s, 10);
        MUST_INT(dx_finish(w->s->c), 0);
    }
    WAIT(w->c->ends);
    MUST_INT(w->c->got, w->s ? 100 * KIB + 10 : 1000);
    end_close(w->c);
    if (w->s)
        end_close(w->s);
    wait_closed(w);
    MUST_GOOD(w->c);
    MUST(!w->s || is_good_close(w->s));
}

static void half_close_peer(struct world *w)
{
    MUST_DO(both(w, &on_quiet, &on_fill));
    put(w->s, 1000);
    MUST_INT(dx_finish(w->s->c), 0);
    WAIT(w->c->ends);
    MUST_INT(w->c->got, 1000);
    put_all(w->c, 300 * KIB, 10 * KIB);
    WAIT(w->s->got == 300 * KIB);
    MUST_INT(w->s->ends, 0);
    end_close(w->c);
    WAIT(w->s->ends);
    end_close(w->s);
    wait_closed(w);
    MUST_GOOD(w->c);
    MUST_GOOD(w->s);
}

static void end_by_default(struct world *w)
{
    MUST_DO(both(w, &on_default, &on_quiet));
    put(w->s, 2000);
    MUST_INT(dx_finish(w->c->c), 0);
    WAIT(w->c->ends && w->s->closes);
    MUST_INT(w->c->got, 2000);
    end_close(w->c);
    wait_closed(w);
    MUST_GOOD(w->c);
    MUST_GOOD(w->s);
}

static void finish_delivers(struct world *w)
{
    MUST_DO(both(w, &on_quiet, &on_quiet));
    end_pause(w->s, true);
    MUST(put(w->c, MIB) >= 0);
    MUST_INT(dx_finish(w->c->c), 0);
    pass(w, 10);
    end_pause(w->s, false);
    WAIT(w->s->ends);
    MUST_INT(w->s->got, MIB);
}

static void close_delivers(struct world *w)
{
    MUST_DO(both(w, &on_default, &on_quiet));
    end_pause(w->s, true);
    MUST(put(w->c, MIB) >= 0);
    end_close(w->c);
    pass(w, 10);
    MUST_INT(w->s->got, 0);
    end_pause(w->s, false);
    WAIT(w->s->closes && w->c->closes);
    MUST_INT(w->s->got, MIB);
    MUST_GOOD(w->c);
    MUST_GOOD(w->s);
}

static void send_then_close(dx_conn *c)
{
    struct end *e = end_of(c);
    put(e, 3000);
    end_close(e);
}

static void close_in_open(struct world *w)
{
    static const dx_handler once = {.on_open = send_then_close};
    MUST_DO(serve(w, &once));
    MUST_DO(dial(w, NULL, &on_default));
    WAIT(w->c->closes && w->s && w->s->closes);
    MUST_INT(w->c->got, 3000);
    MUST_GOOD(w->c);
    MUST_GOOD(w->s);
}

/* The peer goes on sending while we close: a bare close() would turn its bytes into a reset that eats ours. */
static void close_with_unread(struct world *w)
{
    MUST_DO(both(w, &on_fill, &on_fill));
    put(w->c, 256 * KIB);
    put_all(w->s, 700 * KIB, 16 * KIB);
    end_close(w->c);
    WAIT(w->s->ends);
    MUST_INT(w->s->got, 256 * KIB);
    end_close(w->s);
    wait_closed(w);
    MUST_GOOD(w->c);
    MUST_GOOD(w->s);
}

static void close_twice(struct world *w)
{
    MUST_DO(both(w, &on_default, &on_quiet));
    end_close(w->c);
    dx_close(w->c->c);
    MUST_INT(put(w->c, 5), DX_STATE);
    MUST_INT(dx_finish(w->c->c), DX_STATE);
    dx_close(w->c->c);
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
}

static void close_then_abort(struct world *w)
{
    MUST_DO(both(w, &on_quiet, &on_quiet));
    end_pause(w->s, true);
    put(w->c, MIB);
    end_close(w->c);
    pass(w, 5);
    MUST_INT(w->c->closes, 0);
    dx_abort(w->c->c);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_CLOSED);
}

static void abort_now(struct world *w)
{
    MUST_DO(both(w, &on_default, &on_quiet));
    put(w->c, 10);
    if (w->s)
        WAIT(w->s->got == 10);
    end_abort(w->c);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_CLOSED);
    if (!has(w, HAS_END | HAS_PEER))
        return;
    WAIT(w->s->closes);
    if (has(w, HAS_TELL_BREAK))
        MUST(w->s->why.code == DX_RESET || w->s->why.code == DX_TRUNCATED);
    else
        MUST(w->s->why.code == DX_RESET || is_good_close(w->s));
}

static void abort_drops_the_queue(struct world *w)
{
    MUST_DO(both(w, &on_default, &on_quiet));
    end_pause(w->s, true);
    MUST(put(w->c, MIB) >= 0);
    pass(w, 5);
    end_abort(w->c);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_CLOSED);
    end_pause(w->s, false);
    WAIT(w->s->closes);
    MUST(w->s->got <= MIB);
}

static void loop_free_closes(struct world *w)
{
    MUST_DO(both(w, &on_quiet, &on_quiet));
    put(w->c, 100);
    dx_loop_free(w->loop);
    w->loop = NULL;
    MUST_INT(w->c->closes, 1);
    MUST_INT(w->c->why.code, DX_CLOSED);
    MUST(!w->s || (w->s->closes == 1 && w->s->why.code == DX_CLOSED));
}

static void loop_free_while_closing(struct world *w)
{
    MUST_DO(both(w, &on_quiet, &on_quiet));
    end_pause(w->s, true);
    put(w->c, MIB);
    end_close(w->c);
    pass(w, 2);
    dx_loop_free(w->loop);
    w->loop = NULL;
    MUST_INT(w->c->closes, 1);
    MUST_INT(w->s->closes, 1);
}

/* ---- closing anything inside any handler ---- */
enum trap { AT_OPEN, AT_DATA, AT_END, AT_WRITABLE, AT_AFTER, TRAPS };
enum act { CLOSE_SELF, ABORT_SELF, CLOSE_OTHER, ABORT_OTHER, ACTS };

static void spring(struct end *e, enum trap trap)
{
    struct end *other = e->w->s;
    if (e->goal != trap || e->arg)
        return;
    e->arg = e;
    if (e->piece == CLOSE_SELF)
        end_close(e);
    else if (e->piece == ABORT_SELF)
        end_abort(e);
    else if (other && other->c && e->piece == CLOSE_OTHER)
        end_close(other);
    else if (other && other->c)
        end_abort(other);
}

static void trap_open(dx_conn *c)
{
    spring(end_of(c), AT_OPEN);
}
static void trap_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)data, (void)n, (void)how;
    spring(end_of(c), AT_DATA);
}
static void trap_end(dx_conn *c)
{
    struct end *e = end_of(c);
    spring(e, AT_END);
    if (!e->closing)
        end_close(e);
}
static void trap_writable(dx_conn *c)
{
    spring(end_of(c), AT_WRITABLE);
}
static void trap_after(dx_conn *c)
{
    struct end *e = end_of(c);
    if (e->closing || e->closes)
        fail(e->w, "dx_after ran on a closed conn");
    spring(e, AT_AFTER);
}
static void trap_close(dx_conn *c, const dx_err *why)
{
    (void)why;
    dx_close(c);
    dx_abort(c);
    if (dx_send(c, "x", 1, 0) != DX_STATE)
        fail(end_of(c)->w, "dx_send in on_close is taken");
}

static void provoke(struct world *w, enum trap trap)
{
    if (trap == AT_WRITABLE)
        end_pause(w->s, true);
    if (trap == AT_DATA)
        put(w->s, 10);
    else if (trap == AT_END)
        dx_finish(w->s->c);
    else if (trap == AT_WRITABLE)
        fill(w, w->c, 256 * KIB);
    else if (trap == AT_AFTER)
        dx_after(w->c->c, 1, trap_after);
    if (trap == AT_WRITABLE && w->s->c)
        end_pause(w->s, false);
}

static const dx_handler on_trap = {.on_open = trap_open,
                                   .on_data = trap_data,
                                   .on_end = trap_end,
                                   .on_writable = trap_writable,
                                   .on_close = trap_close};

static void close_inside(struct world *w)
{
    dx_handler server = {.on_close = trap_close};
    MUST_DO(serve(w, &server));
    for (int trap = 0; trap < TRAPS; trap++)
        for (int act = 0; act < ACTS; act++) {
            w->s = w->c = NULL;
            MUST_DO(dial(w, NULL, &on_trap));
            w->c->goal = (size_t)trap;
            w->c->piece = (size_t)act;
            if (trap != AT_OPEN) {
                WAIT(w->c->opens && w->s);
                provoke(w, trap);
            }
            WAIT(w->c->arg);
            if (act > ABORT_SELF && !w->c->closes && !w->c->closing)
                end_close(w->c);
            WAIT(w->c->closes);
        }
    WAIT(all_closed(w));
}

/* In on_data: close the listener and every conn of it. */
static void close_all_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct world *w = end_of(c)->w;
    (void)data, (void)n, (void)how;
    if (w->listener)
        dx_listener_drain(w->listener, 100);
    w->listener = NULL;
    for (size_t i = 0; i < w->ends_n; i++)
        if (!w->ends[i]->door && w->ends[i]->c && !w->ends[i]->closing)
            (i & 1 ? end_close : end_abort)(w->ends[i]);
}

static void close_everything_inside(struct world *w)
{
    static const dx_handler all = {.on_data = close_all_data};
    MUST_DO(serve(w, &all));
    for (int i = 0; i < 6; i++)
        MUST_DO(dial(w, NULL, &on_default));
    WAIT(w->accepted == 6);
    for (size_t i = 0; i < w->ends_n; i++)
        if (!w->ends[i]->door && !w->ends[i]->accepted) {
            WAIT(w->ends[i]->opens);
            put(w->ends[i], 100);
        }
    wait_closed(w);
}

const struct behaviour behave_close[] = {
    {"half-close, our side first", HAS_END, 0, half_close_ours},
    {"half-close, the peer's side first", HAS_END | HAS_PEER, 0, half_close_peer},
    {"no on_end: the library closes", HAS_END | HAS_PEER, 0, end_by_default},
    {"finish delivers what is queued", HAS_END | HAS_PEER, 0, finish_delivers},
    {"close while sending delivers all", HAS_END | HAS_PEER, 0, close_delivers},
    {"send and close inside on_open", HAS_END | HAS_LISTENER, 0, close_in_open},
    {"close with unread input loses nothing", HAS_END | HAS_PEER, 0, close_with_unread},
    {"close twice, send after it", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, close_twice},
    {"abort while closing", HAS_PRESSURE | HAS_PEER, HAS_DATAGRAMS, close_then_abort},
    {"abort", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, abort_now},
    {"abort drops the queue", HAS_PEER | HAS_END, 0, abort_drops_the_queue},
    {"dx_loop_free closes what is left", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, loop_free_closes},
    {"dx_loop_free while closing", HAS_PEER | HAS_END, 0, loop_free_while_closing},
    {"closing inside any handler", HAS_LISTENER | HAS_END, 0, close_inside},
    {"closing everything inside on_data", HAS_LISTENER | HAS_END, 0, close_everything_inside},
    {0},
};
