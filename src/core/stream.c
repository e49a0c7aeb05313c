/* SPDX-License-Identifier: MIT
 * stream.c - see CLOSING and QUEUE in duplex.h: this is where they are kept. Nothing here calls up but from the engine's
 * completions, the timer and the chore at the end of the turn. */
#include "core/stream.h"
#include "base/err.h"
#include "core/conn.h"
#include "os/addr.h"
#include "os/fd.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { IOV_MAX_HERE = 64, FILE_STEP = 4 << 20 };

struct hold {
    size_t n, cap;
    uint8_t *p; /* into data */
    uint8_t data[];
};

static void stream_close(struct layer *layer);

static void later(struct stream *s)
{
    loop_chore(s->queue.loop, &s->chore);
}

static struct os_port *out_port(struct stream *s)
{
    return s->split ? &((struct split_stream *)s)->out : &s->port;
}

static struct stream *of(struct layer *l)
{
    return (struct stream *)l;
}

/* ---- input ---- */

static void hold_free(struct stream *s)
{
    if (s->hold && !s->opening)
        account_free(s->hold, sizeof *s->hold + s->hold->cap);
    s->hold = NULL;
}

/* Keeps p[0..n) behind what is held (which p may be a part of). false: no memory. */
static bool hold_keep(struct stream *s, const uint8_t *p, size_t n)
{
    struct hold *h = s->hold;
    if (h && p >= h->data && p < h->data + h->cap) {
        h->p = (uint8_t *)(uintptr_t)p;
        h->n = n;
        return true;
    }
    size_t had = h ? h->n : 0, need = had + n;
    if (!h || need > h->cap - (size_t)(h->p - h->data)) {
        size_t cap = need < 256 ? 256 : need + need / 2;
        struct hold *bigger = account_alloc(sizeof *bigger + cap);
        if (!bigger)
            return false;
        bigger->cap = cap;
        bigger->p = bigger->data;
        if (had)
            memcpy(bigger->data, h->p, had);
        hold_free(s);
        s->hold = h = bigger;
    }
    memcpy(h->p + had, p, n);
    h->n = need;
    return true;
}

static bool is_stopped(const struct stream *s)
{
    return s->paused || s->done || s->closing || layer_stopped(&s->layer);
}

static void no_memory(struct stream *s)
{
    s->error = ENOMEM;
    s->breaking = 1;
    later(s);
}

/* Hands p[0..n) up; what is not used up is held. Receiving rests while the conn is stopped. */
static void feed(struct stream *s, uint8_t *p, size_t n, unsigned how)
{
    size_t used = 0;
    if (!is_stopped(s))
        used = layer_take_above(&s->layer, p, n, how);
    assert(used <= n && "a layer used up more than it was given");
    if (s->done)
        return;
    if (s->closing) {
        hold_free(s);
        return;
    }
    if (used < n) {
        if (!hold_keep(s, p + used, n - used))
            no_memory(s);
    } else if (s->hold) {
        hold_free(s);
    }
    if (is_stopped(s))
        os_recv(&s->queue.loop->engine, &s->port, false);
}

/* The peer's end goes up once all before it has. */
static void tell_end(struct stream *s)
{
    if (!s->end_seen || s->end_told || s->closing || s->done || is_stopped(s))
        return;
    for (size_t had = 0; s->hold && s->hold->n != had;) { /* a layer that takes another's place is given the rest */
        had = s->hold->n;
        feed(s, s->hold->p, had, DX_LAST);
        if (s->done || s->closing || is_stopped(s))
            return;
    }
    hold_free(s);
    s->end_told = 1;
    layer_ended_above(&s->layer);
}

/* Goes on after a pause, or after the queue has run low: what was held first. */
static void go_on(struct stream *s)
{
    if (s->hold && !is_stopped(s)) {
        struct hold *h = s->hold;
        feed(s, h->p, h->n, s->end_seen ? DX_LAST : 0);
    }
    if (is_stopped(s))
        return;
    if (s->end_seen)
        tell_end(s);
    else if (s->port.fd >= 0 && !s->opening && !s->write_only)
        os_recv(&s->queue.loop->engine, &s->port, true);
}

/* ---- the end ---- */

static void finish_off(struct stream *s, const dx_err *why)
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
    hold_free(s);
    if (s->layer.above)
        layer_closed_above(&s->layer, why); /* the descriptor is open yet: on_close may ask for dx_peer */
    else
        loop_bury(l, &s->layer);
    os_close(&l->engine, &s->port);
    if (s->split)
        os_close(&l->engine, out_port(s));
    if (s->from)
        listener_lost(s->from);
    s->from = NULL;
}

static void end_by_error(struct stream *s, int error)
{
    dx_err why;
    int code = error == EPIPE || error == ECONNRESET ? DX_RESET : error == ENOMEM ? DX_NOMEM : 0;
    if (code == DX_RESET)
        err_set(&why, DX_RESET, "the peer broke the connection off");
    else if (error == ESPIPE)
        err_set(&why, DX_TRUNCATED, "a file became shorter while it was sent");
    else
        err_sys(&why, code, error, "%s", s->layer.type->name);
    why.detail = error;
    why.detail_of = DX_OF_ERRNO;
    finish_off(s, &why);
}

static void end_well(struct stream *s)
{
    dx_err why = {.code = s->end_seen ? DX_END : DX_CLOSED};
    finish_off(s, &why);
}

static void end_late(struct stream *s, const char *words)
{
    dx_err why;
    err_set(&why, DX_TIMEOUT, "%s", words);
    if (s->port.socket && s->port.fd >= 0)
        addr_linger_reset(s->port.fd);
    finish_off(s, &why);
}

/* ---- timer: idle, or the phases of closing ---- */

static void set_timer(struct stream *s, int64_t ms)
{
    loop_timer(s->queue.loop, &s->timer, s->queue.loop->now + ms);
}

static void touched(struct stream *s)
{
    if (!s->lingering)
        s->last_active = (uint32_t)s->queue.loop->now;
}

/* In order, and not by a reset: the peer may still be reading what we said. */
static void end_idle(struct stream *s)
{
    struct dx_conn *c = layer_conn(&s->layer);
    if (c) {
        conn_set_why(c, DX_TIMEOUT, DX_OF_NOTHING, 0, "idle for too long");
        c->quiet = c->end_said = 1;
    }
    stream_close(&s->layer);
}

static void timer_fire(struct timer *t, dx_loop *l)
{
    struct stream *s = (struct stream *)((char *)t - offsetof(struct stream, timer));
    uint32_t quiet = (uint32_t)l->now - s->last_active, most = s->closing ? DRAIN_STALL_MS : s->timer.node.own;
    if (s->lingering) {
        end_well(s); /* our end is out; the peer had its time to say its own */
    } else if (quiet < most) {
        set_timer(s, most - quiet);
    } else if (s->closing) {
        end_late(s, "closing: the peer takes nothing of what is queued");
    } else {
        end_idle(s);
    }
}

/* ---- output ---- */

/* Writes until the queue is empty, the kernel is full or something breaks. */
static void write_out(struct stream *s)
{
    dx_loop *l = s->queue.loop;
    struct os_port *out = out_port(s);
    while (s->queue.first && !out->send_wait && !s->error) {
        struct iovec v[IOV_MAX_HERE];
        size_t asked;
        size_t count = queue_iov(&s->queue, v, IOV_MAX_HERE, &asked);
        const struct queued *f = s->queue.first;
        ssize_t n;
        if (count) {
            bool more = asked < s->queue.n;
            n = os_send(&l->engine, out, v, count, more);
        } else {
            asked = f->n < FILE_STEP ? f->n : FILE_STEP;
            n = f->n ? os_send_file(&l->engine, out, f->fd, f->off, asked) : 0;
            if (n == 0 && f->n)
                n = -ESPIPE; /* the file has become shorter than was promised */
        }
        if (n > 0 || (n == 0 && !f->n)) {
            queue_eat(&s->queue, &l->store, (size_t)n);
            touched(s);
        } else if (n != -EAGAIN) {
            s->error = n < 0 ? (int16_t)-n : EIO;
            s->breaking |= !count && s->error != EPIPE && s->error != ECONNRESET; /* the file's fault, not the peer's */
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
        os_close(&s->queue.loop->engine, out_port(s));
    else if (s->port.socket)
        os_fd_end(s->port.fd);
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
    set_timer(s, LINGER_MS);
    os_recv(&s->queue.loop->engine, &s->port, true);
}

/* The peer takes no more; what it said before that is still read, and then the end is told with the reason. */
static void give_up_writing(struct stream *s)
{
    bool apart = s->layer.type == &stream_stdio; /* stdin does not say why stdout broke */
    if (s->closing || s->end_told || s->write_only || apart || s->port.fd < 0) {
        end_by_error(s, s->error);
        return;
    }
    queue_clear(&s->queue, &s->queue.loop->store);
    if (!is_stopped(s))
        os_recv(&s->queue.loop->engine, &s->port, true);
}

/* The peer must not take what it got for all there was. */
static void break_off(struct stream *s)
{
    static const dx_err why = {.code = DX_CLOSED, .text = "closed by us"};
    if (s->port.socket && s->port.fd >= 0)
        addr_linger_reset(s->port.fd);
    if (s->error)
        end_by_error(s, s->error);
    else
        finish_off(s, &why);
}

static void flush(struct stream *s)
{
    if (s->opening)
        return;
    write_out(s);
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
static void chore_run(struct chore *c, dx_loop *l)
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
        touched(s);
    if (s->closing) {
        discard(s, n);
    } else if (n <= 0 && s->error) {
        end_by_error(s, s->error);
    } else if (n > 0) {
        if (!s->hold) {
            feed(s, data, (size_t)n, 0);
        } else if (s->hold->n <= OS_HEAD_ROOM - 64) {
            size_t had = s->hold->n; /* what was left comes in front again, so that a frame lies in one piece */
            memcpy(data - had, s->hold->p, had);
            hold_free(s);
            feed(s, data - had, had + (size_t)n, 0);
        } else if (hold_keep(s, data, (size_t)n)) {
            feed(s, s->hold->p, s->hold->n, 0);
        } else {
            no_memory(s);
        }
    } else if (n == 0 || (n == -EIO && !s->port.socket)) { /* a terminal whose other side is gone says EIO */
        s->end_seen = 1;
        tell_end(s);
    } else {
        end_by_error(s, (int)-n);
    }
}

static void sent(struct os_port *p)
{
    later(of_port(p));
}

static void out_sent(struct os_port *p)
{
    later(&((struct split_stream *)((char *)p - offsetof(struct split_stream, out)))->s);
}

/* A pipe we write to whose reader is gone shows as a hang-up: the write finds out. */
static void out_received(struct os_port *p, uint8_t *data, ssize_t n)
{
    (void)p;
    (void)data;
    (void)n;
}

static const struct os_port_ops stream_ops = {.received = received, .sent = sent};
static const struct os_port_ops out_ops = {.received = out_received, .sent = out_sent};

/* ---- from above ---- */

/* Writes big sends at once from where they lie, behind what is queued. *ret_skip: the bytes of v that are gone. */
static void write_through(struct stream *s, const struct span *v, size_t count, size_t total, size_t *ret_skip)
{
    dx_loop *l = s->queue.loop;
    struct iovec iov[IOV_MAX_HERE];
    size_t queued;
    s->high |= queue_past_half(&s->queue);
    size_t k = queue_iov(&s->queue, iov, IOV_MAX_HERE - count, &queued);
    if (queued != s->queue.n)
        return; /* more pieces than fit, or a file between */
    for (size_t i = 0; i < count; i++)
        iov[k + i] = (struct iovec){(void *)(uintptr_t)v[i].p, v[i].n};
    ssize_t n = os_send(&l->engine, out_port(s), iov, k + count, false);
    if (n < 0) {
        if (n != -EAGAIN) {
            s->error = (int16_t)-n;
            later(s);
        }
        return;
    }
    size_t eaten = (size_t)n < queued ? (size_t)n : queued;
    queue_eat(&s->queue, &l->store, eaten);
    *ret_skip = (size_t)n - eaten;
    touched(s);
    assert(*ret_skip <= total);
}

static int stream_give(struct layer *layer, const struct span *v, size_t count, unsigned how)
{
    struct stream *s = of(layer);
    size_t total = 0, skip = 0;
    if (s->done || s->breaking || s->finishing || s->error)
        return DX_CLOSED;
    if (s->read_only)
        return DX_STATE;
    for (size_t i = 0; i < count; i++)
        total += v[i].n;
    if (total >= WRITE_THROUGH && count < 8 && !s->opening && !s->error && !out_port(s)->send_wait && !(how & DX_MORE))
        write_through(s, v, count, total, &skip);
    int r = skip < total ? queue_add(&s->queue, &s->queue.loop->store, v, count, skip, false) : 0;
    if (r < 0) {
        no_memory(s);
        return r;
    }
    if (!out_port(s)->send_wait)
        later(s);
    return 0;
}

static uint8_t *stream_room(struct layer *layer, size_t n)
{
    struct stream *s = of(layer);
    if (n >= WRITE_THROUGH || s->done || s->breaking || s->finishing || s->error || s->read_only)
        return NULL;
    uint8_t *at = queue_room(&s->queue, &s->queue.loop->store, n);
    if (at && !out_port(s)->send_wait)
        later(s);
    return at;
}

static size_t encode_plain(const dx_msg *m, uint8_t *at, const void *arg)
{
    dx_bytes b = dx_msg_bytes(m);
    (void)arg;
    memcpy(at, b.p, b.n);
    return b.n;
}

/* One copy for all conns of this loop that get it. */
static int stream_give_msg(struct layer *layer, dx_msg *m)
{
    static const char key;
    struct span span;
    int r = msg_encoded(m, of(layer)->queue.loop, &key, 0, encode_plain, NULL, &span);
    return r < 0 ? r : stream_give(layer, &span, 1, 0);
}

static int stream_give_file(struct layer *layer, int fd, int64_t off, size_t n, unsigned how)
{
    struct stream *s = of(layer);
    (void)how;
    if (s->done || s->breaking || s->finishing || s->read_only ||
        queue_add_file(&s->queue, &s->queue.loop->store, fd, off, n) < 0) {
        os_fd_close(fd);
        return s->done || s->breaking || s->finishing ? DX_CLOSED : s->read_only ? DX_STATE : DX_NOMEM;
    }
    later(s);
    return 0;
}

static int stream_finish(struct layer *layer)
{
    struct stream *s = of(layer);
    s->finishing = 1;
    later(s);
    return 0;
}

static void stream_pause(struct layer *layer, bool on)
{
    struct stream *s = of(layer);
    s->paused = on;
    if (on) {
        if (s->port.fd >= 0 && !s->closing)
            os_recv(&s->queue.loop->engine, &s->port, false);
    } else {
        s->feed_due = 1;
        later(s);
    }
}

static void stream_close(struct layer *layer)
{
    struct stream *s = of(layer);
    if (s->done || s->closing)
        return;
    s->closing = 1;
    s->finishing = 1;
    s->paused = 0;
    if (s->opening) { /* nothing was promised to anybody yet */
        s->breaking = 1;
    } else {
        s->last_active = (uint32_t)s->queue.loop->now;
        set_timer(s, DRAIN_STALL_MS);
        if (s->port.fd >= 0 && !s->end_seen && !s->write_only)
            os_recv(&s->queue.loop->engine, &s->port, true);
    }
    later(s);
}

static void stream_abort(struct layer *layer)
{
    struct stream *s = of(layer);
    s->breaking = 1;
    later(s);
}

static void stream_free(struct layer *layer)
{
    struct stream *s = of(layer);
    loop_chore_off(s->queue.loop, &s->chore);
    if (s->split && ((struct split_stream *)s)->ended)
        ((struct split_stream *)s)->ended((struct split_stream *)s);
    free(s);
}

static struct dx_listener *stream_from(const struct layer *layer)
{
    return ((const struct stream *)layer)->from;
}

static bool stream_address(const struct layer *layer, bool peer, struct addr *ret)
{
    const struct stream *s = (const struct stream *)layer;
    return s->port.fd >= 0 && addr_of_fd(s->port.fd, peer, ret);
}

#define STREAM_TYPE(wire, address_fn)                                                                                  \
    {                                                                                                                  \
        .name = wire, .give = stream_give, .room = stream_room, .give_msg = stream_give_msg,                           \
        .give_file = stream_give_file, .finish = stream_finish, .pause = stream_pause, .close = stream_close,          \
        .abort = stream_abort, .free = stream_free, .from = stream_from, .address = address_fn                         \
    }
const struct layer_type stream_tcp = STREAM_TYPE("tcp", stream_address);
const struct layer_type stream_unix = STREAM_TYPE("unix", stream_address);
const struct layer_type stream_fd = STREAM_TYPE("fd", NULL);
const struct layer_type stream_file = STREAM_TYPE("file", NULL);
const struct layer_type stream_stdio = STREAM_TYPE("stdio", NULL);
const struct layer_type stream_exec = STREAM_TYPE("exec", NULL);

const struct layer_type *stream_type_of(const char *wire)
{
    return !strcmp(wire, "unix") ? &stream_unix : &stream_tcp;
}

/* ---- making one ---- */

static struct stream *init(struct stream *s, dx_loop *l, const struct layer_type *type, const struct settings *set)
{
    if (!s)
        return NULL;
    s->layer.type = type;
    s->port.fd = -1;
    s->queue.max = set->o.queue_bytes_max;
    s->queue.loop = l;
    s->chore.run = chore_run;
    s->timer.fire = timer_fire;
    s->timer.node.own = set->o.idle_ms_max > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)set->o.idle_ms_max;
    s->last_active = (uint32_t)l->now;
    return s;
}

struct stream *stream_new(dx_loop *l, const struct layer_type *type, const struct settings *set)
{
    return init(calloc(1, sizeof(struct stream)), l, type, set);
}

struct split_stream *split_new(dx_loop *l, const struct layer_type *type, const struct settings *set)
{
    struct split_stream *s = calloc(1, sizeof *s);
    if (!init(s ? &s->s : NULL, l, type, set))
        return NULL;
    s->s.split = 1;
    s->out.fd = -1;
    return s;
}

void stream_throw_away(struct stream *s)
{
    if (!s)
        return;
    if (s->opening && s->dialing)
        s->dialing->cancel(s->dialing);
    os_close(&s->queue.loop->engine, &s->port);
    loop_timer_off(s->queue.loop, &s->timer);
    stream_free(&s->layer);
}

static void start_idle(struct stream *s)
{
    if (s->timer.node.own && !s->opening)
        set_timer(s, s->timer.node.own);
}

int stream_adopt(struct stream *s, int fd)
{
    int r = os_port_open(&s->queue.loop->engine, &s->port, fd, OS_STREAM, &stream_ops);
    if (r < 0)
        return r;
    if (s->layer.type == &stream_tcp)
        addr_tune(fd, AF_INET);
    start_idle(s);
    return 0;
}

int split_adopt(struct split_stream *s, int in, int out)
{
    struct os_engine *e = &s->s.queue.loop->engine;
    int r = in >= 0 ? os_port_open(e, &s->s.port, in, OS_FILE, &stream_ops) : 0;
    if (r < 0)
        return r;
    s->s.write_only = in < 0;
    s->s.read_only = out < 0;
    r = out >= 0 ? os_port_open(e, &s->out, out, OS_FILE, &out_ops) : 0;
    if (r < 0 && in >= 0)
        os_port_release(e, &s->s.port);
    return r;
}

void stream_opened(struct stream *s)
{
    s->dialing = NULL;
    s->opening = 0;
    touched(s);
    start_idle(s);
    layer_opened_above(&s->layer);
    if (s->done)
        return;
    if (!is_stopped(s) && !s->write_only && s->port.fd >= 0)
        os_recv(&s->queue.loop->engine, &s->port, true);
    if (s->write_only)
        s->end_seen = s->end_told = 1; /* there is nothing to read, and so no end to tell */
    later(s);
}

static void open_fire(struct timer *t, dx_loop *l)
{
    struct stream *s = (struct stream *)((char *)t - offsetof(struct stream, timer));
    (void)l;
    s->timer.fire = timer_fire;
    stream_opened(s);
}

void stream_open_soon(struct stream *s)
{
    s->timer.fire = open_fire;
    set_timer(s, 0);
}

void stream_broken(struct stream *s, const dx_err *why)
{
    finish_off(s, why);
}

struct stream *stream_of(struct layer *bottom)
{
    return bottom->type->give == stream_give ? of(bottom) : NULL;
}
