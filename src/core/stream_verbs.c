/* SPDX-License-Identifier: MIT
 * stream_verbs.c - what a stream is asked from above, and making one. Nothing here calls up: it queues, marks and leaves the
 * rest to the end of the turn (stream.c). */
#include "core/stream_inside.h"
#include "core/save.h"
#include "os/addr.h"
#include "os/fd.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct stream *of(struct layer *l)
{
    return (struct stream *)l;
}

/* Writes big sends at once from where they lie, behind what is queued. *ret_skip: the bytes of v that are gone. */
static void write_through(struct stream *s, const struct span *v, size_t count, size_t total, size_t *ret_skip)
{
    dx_loop *l = s->queue.loop;
    struct iovec iov[STREAM_IOV_MAX];
    size_t queued;
    s->high |= queue_past_half(&s->queue);
    size_t k = queue_iov(&s->queue, iov, STREAM_IOV_MAX - count, &queued);
    if (queued != s->queue.n)
        return; /* more pieces than fit, or a file between */
    for (size_t i = 0; i < count; i++)
        iov[k + i] = (struct iovec){(void *)(uintptr_t)v[i].p, v[i].n};
    ssize_t n = os_send(&l->engine, stream_out(s), iov, k + count, false);
    if (n < 0) {
        if (n != -EAGAIN) {
            s->error = (int16_t)-n;
            stream_later(s);
        }
        return;
    }
    size_t eaten = (size_t)n < queued ? (size_t)n : queued;
    queue_eat(&s->queue, &l->store, eaten);
    *ret_skip = (size_t)n - eaten;
    stream_touched(s);
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
    if (count == 1 && v->n < WRITE_THROUGH && queue_merge(&s->queue, v)) {
        if (!stream_out(s)->send_wait)
            stream_later(s);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        total += v[i].n;
    if (total >= WRITE_THROUGH && count < 8 && !s->opening && !s->error && !stream_out(s)->send_wait &&
        !(how & DX_MORE))
        write_through(s, v, count, total, &skip);
    int r = skip < total ? queue_add(&s->queue, &s->queue.loop->store, v, count, skip, false) : 0;
    if (r < 0) {
        stream_no_memory(s);
        return r;
    }
    if (!stream_out(s)->send_wait)
        stream_later(s);
    return 0;
}

static uint8_t *stream_room(struct layer *layer, size_t n)
{
    struct stream *s = of(layer);
    if (n >= WRITE_THROUGH || s->done || s->breaking || s->finishing || s->error || s->read_only)
        return NULL;
    uint8_t *at = queue_room(&s->queue, &s->queue.loop->store, n);
    if (at && !stream_out(s)->send_wait)
        stream_later(s);
    return at;
}

/* One copy for all conns of this loop that get it. */
static int stream_give_msg(struct layer *layer, dx_msg *m)
{
    struct span span;
    int r = msg_plain(m, of(layer)->queue.loop, &span);
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
    stream_later(s);
    return 0;
}

/* What does not go out at once waits in the pipe, and the pipe in the queue. */
int stream_give_spliced(struct stream *s)
{
    dx_loop *l = s->queue.loop;
    struct os_port *out = stream_out(s);
    struct os_tube *hot = l->engine.tubes.hot;
    ssize_t n = 0;
    if (s->done || s->breaking || s->finishing || s->error)
        return DX_CLOSED;
    if (s->read_only)
        return DX_STATE;
    while (!s->queue.first && !out->send_wait && hot->n && (n = os_send_tube(&l->engine, out, hot)) > 0)
        stream_touched(s);
    if (n < 0 && n != -EAGAIN)
        s->error = (int16_t)-n;
    int r = hot->n ? queue_add_tube(&s->queue, &l->store, os_tubes_take(&l->engine.tubes)) : 0;
    if (r < 0)
        stream_no_memory(s);
    else if (s->error || !out->send_wait)
        stream_later(s);
    return r;
}

bool stream_splice(struct stream *s, struct stream *to, bool on)
{
    s->port.splice = on && os_splices(s->port.fd, false) && os_splices(stream_out(to)->fd, true);
    if (s->port.splice) {
        os_splice_widen(s->port.fd);
        os_splice_widen(stream_out(to)->fd);
    }
    return s->port.splice == on;
}

size_t stream_unsent(struct stream *s)
{
    return os_fd_unsent(stream_out(s)->fd);
}

static int stream_finish(struct layer *layer)
{
    struct stream *s = of(layer);
    s->finishing = 1;
    stream_later(s);
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
        stream_later(s);
    }
}

static void begin_closing(struct stream *s)
{
    s->last_active = (uint32_t)s->queue.loop->now;
    stream_set_timer(s, DRAIN_STALL_MS);
    if (s->port.fd >= 0 && !s->end_seen && !s->write_only)
        os_recv(&s->queue.loop->engine, &s->port, true);
}

static void stream_close(struct layer *layer)
{
    struct stream *s = of(layer);
    if (s->done || s->closing)
        return;
    s->closing = 1;
    s->finishing = 1;
    s->paused = 0;
    if (!s->opening)
        begin_closing(s);
    else if (!s->queue.first) /* nothing was promised to anybody yet; else it goes out when the stream stands */
        s->breaking = 1;
    stream_later(s);
}

static void stream_abort(struct layer *layer)
{
    struct stream *s = of(layer);
    s->breaking = 1;
    stream_later(s);
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

static uint32_t own_of(int64_t idle_ms)
{
    return idle_ms > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)idle_ms;
}

static struct stream *init(struct stream *s, dx_loop *l, const struct layer_type *type, const struct settings *set)
{
    if (!s)
        return NULL;
    s->layer.type = type;
    s->port.fd = -1;
    s->queue.max = set->o.queue_bytes_max;
    s->queue.loop = l;
    s->chore.run = stream_chore_run;
    s->timer.fire = stream_timer_fire;
    s->timer.node.own = own_of(set->o.idle_ms_max);
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
        stream_set_timer(s, s->timer.node.own);
}

void stream_set_idle(struct stream *s, int64_t ms)
{
    if (s->done || s->closing) /* the timer is the closing's */
        return;
    s->timer.node.own = own_of(ms);
    stream_touched(s);
    loop_timer_off(s->queue.loop, &s->timer);
    start_idle(s);
}

int stream_adopt(struct stream *s, int fd)
{
    int r = os_port_open(&s->queue.loop->engine, &s->port, fd, OS_STREAM, &stream_port_ops);
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
    int r = in >= 0 ? os_port_open(e, &s->s.port, in, OS_FILE, &stream_port_ops) : 0;
    if (r < 0)
        return r;
    s->s.write_only = in < 0;
    s->s.read_only = out < 0;
    r = out >= 0 ? os_port_open(e, &s->out, out, OS_FILE, &stream_out_ops) : 0;
    if (r < 0 && in >= 0)
        os_port_release(e, &s->s.port);
    else if (r == 0 && s->s.layer.type == &stream_exec)
        os_recv(e, &s->out, true); /* of a pipe to write to: the hang-up */
    return r;
}

void stream_opened(struct stream *s)
{
    s->dialing = NULL;
    s->opening = 0;
    stream_touched(s);
    start_idle(s);
    if (s->closing)
        begin_closing(s);
    layer_opened_above(&s->layer);
    if (s->done)
        return;
    if (!stream_stopped(s) && !s->write_only && s->port.fd >= 0)
        os_recv(&s->queue.loop->engine, &s->port, true);
    if (s->write_only)
        s->end_seen = s->end_told = 1; /* there is nothing to read, and so no end to tell */
    if (s->layer.above && save_file(s->layer.above, &(size_t){0}) >= 0)
        stream_may_file(s); /* saved before there was a socket */
    stream_later(s);
}

static void open_fire(struct timer *t, dx_loop *l)
{
    struct stream *s = (struct stream *)((char *)t - offsetof(struct stream, timer));
    (void)l;
    s->timer.fire = stream_timer_fire;
    stream_opened(s);
}

void stream_open_soon(struct stream *s)
{
    s->timer.fire = open_fire;
    stream_set_timer(s, 0);
}

void stream_broken(struct stream *s, const dx_err *why)
{
    stream_end(s, why);
}

void stream_may_file(struct stream *s)
{
    os_recv_to_file(&s->port);
}

struct stream *stream_of(struct layer *bottom)
{
    return bottom->type->give == stream_give ? of(bottom) : NULL;
}
