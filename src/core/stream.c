/* SPDX-License-Identifier: MIT
 * stream.c - see CLOSING and QUEUE in duplex.h: this is where they are kept. Nothing here calls up but from the engine's
 * completions, the timer and the chore at the end of the turn. */
#include "core/stream_inside.h"
#include "base/err.h"
#include "core/hold.h"
#include "core/save.h"
#include "os/addr.h"
#include "os/fd.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TURN_BYTES = 2 << 20 }; /* what one stream writes in a turn, though its peer keeps up: others wait */

/* ---- input ---- */

static void drop_hold(struct stream *s)
{
    if (!s->opening) /* until then the place is the dialing's */
        hold_free(&s->hold);
}

bool stream_stopped(const struct stream *s)
{
    return s->paused || s->done || s->closing || layer_stopped(&s->layer);
}

void stream_no_memory(struct stream *s)
{
    s->error = ENOMEM;
    s->breaking = 1;
    stream_later(s);
}

/* Hands p[0..n) up; what is not used up is held. Receiving rests while the conn is stopped. */
static void feed(struct stream *s, uint8_t *p, size_t n, unsigned how)
{
    size_t used = 0;
    if (!stream_stopped(s))
        used = layer_take_above(&s->layer, p, n, how);
    assert(used <= n && "a layer used up more than it was given");
    if (s->done)
        return;
    if (s->closing) {
        drop_hold(s);
        return;
    }
    if (used < n) {
        if (!hold_keep(&s->hold, p + used, n - used))
            stream_no_memory(s);
    } else if (s->hold) {
        drop_hold(s);
    }
    if (stream_stopped(s))
        os_recv(&s->queue.loop->engine, &s->port, false);
}

/* The peer's end goes up once all before it has. */
static void tell_end(struct stream *s)
{
    if (!s->end_seen || s->end_told || s->closing || s->done || stream_stopped(s))
        return;
    for (size_t had = 0; s->hold && s->hold->n != had;) { /* a layer that takes another's place is given the rest */
        had = s->hold->n;
        feed(s, s->hold->p, had, DX_LAST);
        if (s->done || s->closing || stream_stopped(s))
            return;
    }
    drop_hold(s);
    s->end_told = 1;
    if (s->split)
        stream_later(s); /* it may be over now */
    layer_ended_above(&s->layer);
}

/* Goes on after a pause, or after the queue has run low: what was held first. */
static void go_on(struct stream *s)
{
    if (s->hold && !stream_stopped(s)) {
        struct hold *h = s->hold;
        feed(s, h->p, h->n, s->end_seen ? DX_LAST : 0);
    }
    if (stream_stopped(s))
        return;
    if (s->end_seen)
        tell_end(s);
    else if (s->port.fd >= 0 && !s->opening && !s->write_only)
        os_recv(&s->queue.loop->engine, &s->port, true);
}

/* ---- the end ---- */

void stream_end(struct stream *s, const dx_err *why)
{
    dx_loop *l = s->queue.loop;
    if (s->done)
        return;
    s->done = 1;
    if (s->opening && s->dialing) {
        s->dialing->cancel(s->dialing);
        s->dialing = NULL;
    }
    loop_timer_off(l, &s->timer);
    queue_clear(&s->queue, &l->store);
    drop_hold(s);
    if (s->layer.above)
        layer_closed_above(&s->layer, why); /* the descriptor is open yet: on_close may ask for dx_peer */
    else
        loop_bury(l, &s->layer);
    os_close(&l->engine, &s->port);
    if (s->split)
        os_close(&l->engine, stream_out(s));
    if (s->from)
        listener_lost(s->from);
    s->from = NULL;
}

static void end_well(struct stream *s)
{
    dx_err why = {.code = s->end_seen ? DX_END : DX_CLOSED};
    stream_end(s, &why);
}

/* A program that goes, or closes its input, has all it wanted. Whether somebody was about to write to it just then is a race,
 * and must not make an error of it. */
static bool has_enough(const struct stream *s, int error)
{
    return s->layer.type == &stream_exec && error == EPIPE;
}

static void end_by_error(struct stream *s, int error)
{
    dx_err why;
    if (has_enough(s, error)) {
        end_well(s);
        return;
    }
    int code = error == EPIPE || error == ECONNRESET ? DX_RESET : error == ENOMEM ? DX_NOMEM : 0;
    if (code == DX_RESET)
        err_set(&why, DX_RESET, "the peer broke the connection off");
    else if (error == ESPIPE)
        err_set(&why, DX_TRUNCATED, "a file became shorter while it was sent");
    else
        err_sys(&why, code, error, "%s", s->layer.type->name);
    why.detail = error;
    why.detail_of = DX_OF_ERRNO;
    stream_end(s, &why);
}

static void end_late(struct stream *s, const char *words)
{
    dx_err why;
    err_set(&why, DX_TIMEOUT, "%s", words);
    if (s->port.socket && s->port.fd >= 0)
        addr_linger_reset(s->port.fd, true);
    stream_end(s, &why);
}

/* ---- timer: idle, or the phases of closing ---- */

void stream_set_timer(struct stream *s, int64_t ms)
{
    loop_timer(s->queue.loop, &s->timer, s->queue.loop->now + ms);
}

void stream_touched(struct stream *s)
{
    if (!s->lingering)
        s->last_active = (uint32_t)s->queue.loop->now;
}

/* In order, and not by a reset: the peer may still be reading what we said. But half of something must not look like all of it. */
static void end_idle(struct stream *s)
{
    struct dx_conn *c = layer_conn(&s->layer);
    const struct layer *half = &s->layer;
    while (half && !(half->type->says_to_end && half->type->says_to_end(half)))
        half = half->above;
    if (c) {
        conn_set_why(c, DX_TIMEOUT, DX_OF_NOTHING, 0, "idle for too long");
        c->quiet = c->end_said = 1;
    }
    if (half) {
        half->below->type->abort(half->below);
        return;
    }
    /* TLS has a last word of its own, be it right here or over a tunnel; the others are cut short. */
    struct layer *l = &s->layer;
    for (struct layer *above = s->layer.above; above; above = above->above)
        l = above->type->is_tls ? above : l;
    l->type->close(l);
}

/* Closing: has the peer taken anything since this was last asked? Our queue alone says little: the kernel takes from it a third of its
 * buffer at once, for which a slow peer needs longer than a peer that takes nothing may have. idle_ms is of no more use. */
static bool peer_takes(struct stream *s)
{
    uint32_t left = (uint32_t)(queue_waits(&s->queue) + stream_unsent(s)), then = s->timer.node.own;
    s->timer.node.own = left;
    return left != then;
}

void stream_timer_fire(struct timer *t, dx_loop *l)
{
    struct stream *s = (struct stream *)((char *)t - offsetof(struct stream, timer));
    uint32_t quiet = (uint32_t)l->now - s->last_active, most = s->closing ? DRAIN_STALL_MS : s->timer.node.own;
    if (s->lingering) {
        end_well(s); /* our end is out; the peer had its time to say its own */
    } else if (quiet < most) {
        stream_set_timer(s, most - quiet);
    } else if (s->closing && peer_takes(s)) {
        stream_set_timer(s, most);
    } else if (s->closing) {
        end_late(s, "closing: the peer takes nothing of what is queued");
    } else {
        end_idle(s);
    }
}

/* ---- output ---- */

/* Writes until the queue is empty, the kernel is full, its share of the turn is used up or something breaks. */
static void write_out(struct stream *s)
{
    dx_loop *l = s->queue.loop;
    struct os_port *out = stream_out(s);
    size_t left = TURN_BYTES;
    while (s->queue.first && !out->send_wait && !s->error) {
        struct iovec v[STREAM_IOV_MAX];
        size_t asked;
        size_t count = queue_iov(&s->queue, v, STREAM_IOV_MAX, &asked);
        const struct queued *f = s->queue.first;
        ssize_t n;
        if (!left) {
            n = os_send_wait(&l->engine, out);
        } else if (count) {
            bool more = asked < s->queue.n;
            n = os_send(&l->engine, out, v, count, more);
        } else if (queued_is_tube(f)) {
            n = os_send_tube(&l->engine, out, f->tube);
        } else {
            asked = f->n < left ? f->n : left;
            n = f->n ? os_send_file(&l->engine, out, f->fd, f->off, asked) : 0;
            if (n == 0 && f->n)
                n = -ESPIPE; /* the file has become shorter than was promised */
        }
        if (n > 0 || (n == 0 && !f->n)) {
            queue_eat(&s->queue, &l->store, (size_t)n);
            left -= (size_t)n < left ? (size_t)n : left;
            stream_touched(s);
        } else if (n != -EAGAIN) {
            s->error = n < 0 ? (int16_t)-n : EIO;
            s->breaking |= !count && !queued_is_tube(f) && s->error != EPIPE &&
                           s->error != ECONNRESET; /* the file's fault, not the peer's */
        }
    }
    if (out->send_wait && !s->stalled) {
        s->stalled = 1;
        queue_settle(&s->queue);
    }
}

static void say_end(struct stream *s)
{
    s->shut = 1;
    if (s->split)
        os_close(&s->queue.loop->engine, stream_out(s));
    else if (s->port.socket)
        os_fd_end(s->port.fd);
}

/* A program that has said its end and takes no more is gone, or as good as gone. */
static bool is_over(const struct stream *s)
{
    return s->split && ((const struct split_stream *)s)->deaf && s->end_told && !stream_stopped(s);
}

/* Everything is out and our end is said: go, or read on until the peer says its own. */
static void linger(struct stream *s)
{
    /* What comes on stdin belongs to whoever reads it next. */
    bool nobody = (!s->port.socket && !s->split) || s->layer.type == &stream_stdio;
    if (s->end_seen || s->write_only || nobody) {
        end_well(s);
        return;
    }
    if (s->lingering)
        return;
    s->lingering = 1;
    s->last_active = 0;
    stream_set_timer(s, LINGER_MS);
    os_recv(&s->queue.loop->engine, &s->port, true);
}

/* What waits to be read are requests behind one that is being answered: nothing can answer them now, and so nobody would read
 * on and find the end. */
static bool waits_for_nothing(const struct stream *s)
{
    const struct layer *l = s->layer.above;
    while (l && !l->type->exchanges)
        l = l->above;
    return l && stream_stopped(s);
}

/* The peer takes no more; what it said before that is still read, and then the end is told with the reason. */
static void give_up_writing(struct stream *s)
{
    bool apart = s->layer.type == &stream_stdio; /* stdin does not say why stdout broke */
    if (s->closing || s->end_told || s->write_only || apart || s->port.fd < 0 || waits_for_nothing(s)) {
        end_by_error(s, s->error);
        return;
    }
    queue_clear(&s->queue, &s->queue.loop->store);
    if (!stream_stopped(s))
        os_recv(&s->queue.loop->engine, &s->port, true);
}

/* The peer must not take what it got for all there was. */
static void break_off(struct stream *s)
{
    static const dx_err why = {.code = DX_CLOSED, .text = "closed by us"};
    if (s->port.socket && s->port.fd >= 0)
        addr_linger_reset(s->port.fd, true);
    if (s->error)
        end_by_error(s, s->error);
    else
        stream_end(s, &why);
}

/* While a file is half out our death must not look like its end, which is what the kernel would say for us. */
static void guard_file(struct stream *s)
{
    bool half = s->queue.first && !s->queue.first->blk && !queued_is_tube(s->queue.first) && s->port.socket;
    if (half == s->port.half_file)
        return;
    s->port.half_file = half;
    addr_linger_reset(s->port.fd, half);
}

static void flush(struct stream *s)
{
    if (s->opening)
        return;
    write_out(s);
    guard_file(s);
    if (s->breaking) {
        break_off(s);
        return;
    }
    if (s->error) {
        give_up_writing(s);
        return;
    }
    if (s->queue.first)
        return;
    s->stalled = 0;
    if (s->finishing && !s->shut)
        say_end(s);
    if (s->closing)
        linger(s);
}

/* The end of the turn: all that was put off, in the one place that may call up. */
void stream_chore_run(struct chore *c, dx_loop *l)
{
    struct stream *s = (struct stream *)((char *)c - offsetof(struct stream, chore));
    (void)l;
    if (s->done)
        return;
    if (s->breaking) {
        break_off(s);
        return;
    }
    s->high |= queue_past_half(&s->queue);
    flush(s);
    if (s->done || s->closing || s->opening)
        return;
    if (s->high && !queue_past_half(&s->queue)) { /* else nobody waits to hear it, and up there memory is cold */
        s->high = 0;
        layer_writable_above(&s->layer);
    }
    if (!s->done && (s->feed_due || s->hold || !s->port.recv_on)) {
        s->feed_due = 0;
        go_on(s);
    }
    if (!s->done && is_over(s))
        end_well(s);
}

/* ---- from the engine ---- */

static struct stream *of_port(struct os_port *p)
{
    return (struct stream *)((char *)p - offsetof(struct stream, port));
}

static void discard(struct stream *s, ssize_t n)
{
    if (n < 0) {
        end_by_error(s, (int)-n); /* what was under way may not have arrived: not a clean end */
        return;
    }
    if (n == 0) {
        s->end_seen = 1;
        if (s->shut)
            end_well(s);
        return;
    }
    if (!s->lingering)
        return; /* our queue is still going out */
    s->last_active += (uint32_t)n;
    if (s->last_active > LINGER_BYTES)
        end_well(s);
}

static void received(struct os_port *p, uint8_t *data, ssize_t n)
{
    struct stream *s = of_port(p);
    if (!s->closing) /* then only what the peer takes keeps it up */
        stream_touched(s);
    if (s->closing) {
        discard(s, n);
    } else if (n <= 0 && s->error && !has_enough(s, s->error)) {
        end_by_error(s, s->error);
    } else if (n > 0 && !data) {
        layer_take_above(&s->layer, NULL, (size_t)n, 0); /* the loop's pipe has it */
        if (!s->done && stream_stopped(s))
            os_recv(&s->queue.loop->engine, &s->port, false);
    } else if (n > 0) {
        if (!s->hold) {
            feed(s, data, (size_t)n, 0);
        } else if (s->hold->n <= OS_HEAD_ROOM - 64) {
            size_t had = s->hold->n; /* what was left comes in front again, so that a frame lies in one piece */
            memcpy(data - had, s->hold->p, had);
            drop_hold(s);
            feed(s, data - had, had + (size_t)n, 0);
        } else if (hold_keep(&s->hold, data, (size_t)n)) {
            feed(s, s->hold->p, s->hold->n, 0);
        } else {
            stream_no_memory(s);
        }
    } else if (n == 0 || (n == -EIO && !s->port.socket)) { /* a terminal whose other side is gone says EIO */
        s->end_seen = 1;
        tell_end(s);
    } else {
        end_by_error(s, (int)-n);
    }
}

/* dx_save right on the stream: what comes goes there by itself, behind what is held. */
static int file_for(struct os_port *p, size_t *ret_max)
{
    const struct stream *s = of_port(p);
    return s->layer.above && !s->hold && !s->closing && !s->done ? save_file(s->layer.above, ret_max) : -1;
}

static void filed(struct os_port *p, ssize_t n)
{
    struct stream *s = of_port(p);
    stream_touched(s);
    save_filed(s->layer.above, n);
}

static void sent(struct os_port *p)
{
    stream_later(of_port(p));
}

static void out_sent(struct os_port *p)
{
    stream_later(&((struct split_stream *)((char *)p - offsetof(struct split_stream, out)))->s);
}

/* A pipe we write to whose reader is gone shows as a hang-up. */
static void out_received(struct os_port *p, uint8_t *data, ssize_t n)
{
    struct split_stream *s = (struct split_stream *)((char *)p - offsetof(struct split_stream, out));
    (void)data;
    (void)n;
    s->deaf = true;
    stream_later(&s->s);
}

const struct os_port_ops stream_port_ops = {.received = received, .file = file_for, .filed = filed, .sent = sent};
const struct os_port_ops stream_out_ops = {.received = out_received, .sent = out_sent};
