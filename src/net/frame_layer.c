/* SPDX-License-Identifier: MIT
 * frame_layer.c - bytes below, messages above: codec/frame.h on a conn. */
#include "base/err.h"
#include "net/layers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct frame_layer {
    struct layer layer; /* first */
    struct frame frame;
    struct frame_spec spec;
    struct timer timer; /* a message may end by time alone */
    dx_loop *loop;
    size_t seen; /* of what is given again: went through frame_arrive already */
};

static struct frame_layer *of(struct layer *l)
{
    return (struct frame_layer *)l;
}

static void wait_for_due(struct frame_layer *f, size_t rest)
{
    int64_t due = rest ? frame_due(&f->frame, rest) : -1;
    if (due < 0)
        loop_timer_off(f->loop, &f->timer);
    else
        loop_timer(f->loop, &f->timer, due > f->loop->now ? due : f->loop->now + 1);
}

static void timer_fire(struct timer *t, dx_loop *l)
{
    struct frame_layer *f = (struct frame_layer *)((char *)t - offsetof(struct frame_layer, timer));
    (void)l;
    layer_feed_again(&f->layer);
}

static void answer(struct frame_layer *f)
{
    struct span v = {NULL, f->frame.answer, f->frame.answer_n};
    if (!f->frame.answer_n)
        return;
    layer_give_below(&f->layer, &v, 1, 0);
    conn_answered(layer_conn(&f->layer));
    f->frame.answer_n = 0;
}

static void fail(struct frame_layer *f, int64_t code)
{
    char text[120];
    loop_timer_off(f->loop, &f->timer);
    if (code == DX_PROTO)
        snprintf(text, sizeof text, "a length field that no message can have");
    else if (code == DX_BIG)
        snprintf(text, sizeof text, "a message is over the limit of %llu bytes",
                 (unsigned long long)f->spec.message_max);
    else
        snprintf(text, sizeof text, "the stream ended inside a message");
    layer_fail(&f->layer, (int)code, DX_OF_NOTHING, 0, text);
}

/* What is cut by a length says nothing of being text. */
static unsigned how_of(const struct frame_layer *f)
{
    return f->spec.kind == FRAME_FIXED || f->spec.kind == FRAME_LENGTH ? DX_BINARY : DX_TEXT;
}

/* What had ended by time alone before more came, though the timer has not run yet in this turn. Not so with a peer that ends its
 * lines: that the timer is late shows that we are, and while we did not look the rest of the line may well have lain there. */
static size_t take_due(struct frame_layer *f, uint8_t *p)
{
    int64_t due = f->seen && !f->frame.lines ? frame_due(&f->frame, f->seen) : -1;
    size_t used = 0;
    struct bytes m;
    while (due >= 0 && due <= f->loop->now && used < f->seen && !layer_stopped(&f->layer)) {
        int64_t got = frame_next(&f->frame, p + used, f->seen - used, f->loop->now, false, &m);
        if (got <= 0)
            break;
        used += (size_t)got;
        layer_take_above(&f->layer, (uint8_t *)(uintptr_t)m.p, m.n, how_of(f));
    }
    return used;
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct frame_layer *f = of(l);
    size_t used = 0, have;
    int64_t got = 0;
    if (n > f->seen)
        used = take_due(f, p);
    have = f->seen + frame_arrive(&f->frame, p + f->seen, n - f->seen, f->loop->now);
    answer(f);
    while (used < have && !layer_stopped(l)) {
        struct bytes m;
        got = frame_next(&f->frame, p + used, have - used, f->loop->now, how & DX_LAST, &m);
        if (got <= 0)
            break;
        used += (size_t)got;
        layer_take_above(l, (uint8_t *)(uintptr_t)m.p, m.n, how_of(f));
    }
    if (got < 0) {
        fail(f, got);
        return n;
    }
    f->seen = have - used;
    memmove(p + n - f->seen, p + used, f->seen); /* where telnet bytes were taken out the rest moves up to the end */
    wait_for_due(f, layer_stopped(l) ? 0 : f->seen);
    return n - f->seen;
}

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct bytes tail = frame_tail(&of(l)->frame);
    struct span all[18];
    if (!tail.n || how & DX_MORE)
        return layer_give_below(l, v, count, how);
    if (count > 17)
        return DX_BIG;
    memcpy(all, v, count * sizeof *v);
    all[count] = (struct span){NULL, tail.p, tail.n};
    return layer_give_below(l, all, count + 1, how);
}

/* A message is encoded once for all who want the same end on it: lines differ in nothing else. */
static size_t encode(const dx_msg *m, uint8_t *at, const void *arg)
{
    const struct bytes *tail = arg;
    dx_bytes b = dx_msg_bytes(m);
    memcpy(at, b.p, b.n);
    memcpy(at + b.n, tail->p, tail->n);
    return b.n + tail->n;
}

static int give_msg(struct layer *l, dx_msg *m)
{
    static const char keys[3]; /* addresses: no end, LF, CR LF */
    struct frame_layer *f = of(l);
    struct bytes tail = frame_tail(&f->frame);
    struct span span;
    if (f->spec.kind != FRAME_AUTO && f->spec.kind != FRAME_LINE)
        return layer_give_msg_plain(l, m);
    int r = msg_encoded(m, f->loop, &keys[tail.n], tail.n, encode, &tail, &span);
    return r < 0 ? r : layer_give_below(l, &span, 1, msg_how(m));
}

static void layer_free(struct layer *l)
{
    loop_timer_off(of(l)->loop, &of(l)->timer);
    free(l);
}

static const struct layer_type frame_type = {
    .opened = layer_opened_above,
    .take = take,
    .ended = layer_ended_above,
    .writable = layer_writable_above,
    .closed = layer_closed_above,
    .give = give,
    .give_msg = give_msg,
    .give_file = layer_give_file_below,
    .finish = layer_finish_below,
    .pause = layer_pause_below,
    .close = layer_close_below,
    .abort = layer_abort_below,
    .free = layer_free,
};

struct layer *frame_layer_new(const struct settings *set, dx_loop *loop, dx_err *err)
{
    struct frame_layer *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, DX_NOMEM, "no memory for framing");
        return NULL;
    }
    if (frame_spec_parse(set->o.frame, set->o.message_bytes_max, &f->spec, err) < 0) {
        free(f);
        return NULL;
    }
    frame_init(&f->frame, &f->spec);
    f->layer.type = &frame_type;
    f->timer.fire = timer_fire;
    f->loop = loop;
    return &f->layer;
}
