/* SPDX-License-Identifier: MIT
 * tls_layer.c - a TLS session (crypto/session.h) between a stream and what stands on it. Here is the input, the ends and
 * the turn; tls_seal.c has the output. What came is opened into a block of the thread's pool and lent upwards; what is not used up is
 * held. */
#include "base/err.h"
#include "net/tls_inside.h"
#include "os/clock.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- the end ---- */

static void clear(struct tls_layer *t)
{
    queue_clear(&t->queue, &tls_loop(t)->store);
    hold_free(&t->hold);
}

/* A caller's handshake came to nothing: there is no conn to tell it. */
static void fault(struct tls_layer *t, const dx_err *err)
{
    if (t->from && !t->shaken)
        listener_fault(t->from, t->layer.below, err);
}

/* The session is broken: what was told to the peer still goes out. */
static void give_up(struct tls_layer *t, const dx_err *err)
{
    struct dx_conn *c = layer_conn(&t->layer);
    dx_err why = *err;
    fault(t, err);
    if (t->text)
        err_set(&why, err->code, "dial %.120s: %s", t->text, err->text);
    tls_give_sealed(t);
    clear(t);
    t->closing = t->finishing = t->bye = 1; /* nothing can be sealed any more */
    loop_timer_off(tls_loop(t), &t->timer);
    if (c) {
        conn_set_why(c, err->code, err->detail_of, err->detail, why.text);
        conn_broken(c);
    }
    layer_close_below(&t->layer);
}

static void give_up_for(struct tls_layer *t, int code, int detail_of, int detail, const char *words)
{
    dx_err err;
    err_set(&err, code, "%s", words);
    err.detail = detail;
    err.detail_of = detail_of;
    give_up(t, &err);
}

static void broke(struct tls_layer *t, int code)
{
    if (code == DX_NOMEM)
        give_up_for(t, DX_NOMEM, DX_OF_NOTHING, 0, "TLS: no memory");
    else
        give_up_for(t, DX_TLS, DX_OF_TLS, DX_TLS_OTHER, "TLS: a record could not be sealed");
}

static void end_when_empty(struct tls_layer *t)
{
    if (t->queue.first || !t->shaken)
        return;
    if (t->finishing && !t->bye) {
        t->bye = 1;
        tls_bye(t->session);
        tls_give_sealed(t);
        layer_finish_below(&t->layer);
    }
    if (t->closing) {
        loop_timer_off(tls_loop(t), &t->timer);
        layer_close_below(&t->layer);
    }
}

/* A file that fails under our hands: the peer must not take what it got for all there was. */
static void file_failed(struct tls_layer *t, int code)
{
    struct dx_conn *c = layer_conn(&t->layer);
    const char *words =
        code == DX_TRUNCATED ? "a file became shorter while it was sent" : "a file could not be read while it was sent";
    if (c)
        conn_set_why(c, code, DX_OF_NOTHING, 0, words);
    clear(t);
    layer_abort_below(&t->layer);
}

static void drain(struct tls_layer *t)
{
    int r = 0;
    while (t->queue.first && !queue_past_half(t->queue.under) && r >= 0 && !t->deaf)
        r = tls_seal_queued(t);
    tls_give_sealed(t);
    if (t->deaf) /* a long file would be sealed to its end for nobody, and the end be heard after it */
        queue_clear(&t->queue, &tls_loop(t)->store);
    if (r == DX_SYS || r == DX_TRUNCATED)
        file_failed(t, r);
    else if (r < 0)
        broke(t, r);
    else
        end_when_empty(t);
}

/* ---- input ---- */

static bool stopped(const struct tls_layer *t)
{
    return t->paused || t->done || t->closing || layer_stopped(&t->layer);
}

/* Hands p[0..n) up; what is not used up is held. false: no memory. */
static bool feed(struct tls_layer *t, uint8_t *p, size_t n, unsigned how)
{
    size_t used = layer_take_above(&t->layer, p, n, how);
    if (t->done || t->closing) {
        hold_free(&t->hold);
        return true;
    }
    if (used < n)
        return hold_keep(&t->hold, p + used, n - used);
    if (t->hold && p >= t->hold->data && p <= t->hold->data + t->hold->cap)
        hold_free(&t->hold);
    return true;
}

static bool feed_opened(struct tls_layer *t, uint8_t *p, size_t n)
{
    if (!t->hold)
        return feed(t, p, n, 0);
    return hold_keep(&t->hold, p, n) && feed(t, t->hold->p, t->hold->n, 0);
}

/* Came the end without close_notify, and no layer above knows its data whole? */
static bool is_cut_short(const struct tls_layer *t)
{
    const struct layer *a = t->layer.above;
    while (t->cut && a && !(a->type->ends_itself && a->type->ends_itself(a)))
        a = a->above;
    return t->cut && !a;
}

/* What is left is a message's last part only where the end is one. */
static unsigned how_of_rest(const struct tls_layer *t)
{
    return t->end_seen && !is_cut_short(t) ? DX_LAST : 0;
}

static void cut_short(struct tls_layer *t)
{
    struct dx_conn *c = layer_conn(&t->layer);
    if (c) {
        conn_set_why(c, DX_TRUNCATED, DX_OF_TLS, 0, "the peer ended without close_notify: what came may be cut short");
        conn_broken(c);
    }
    t->bye = 1; /* what is queued goes out, but no close_notify: the peer shall know, too, that something is wrong */
    t->layer.type->close(&t->layer);
}

/* The peer's end goes up once all before it has. */
static void tell_end(struct tls_layer *t)
{
    if (!t->end_seen || t->end_told || stopped(t))
        return;
    for (size_t had = 0; t->hold && t->hold->n != had;) {
        had = t->hold->n;
        if (!feed(t, t->hold->p, had, how_of_rest(t))) {
            broke(t, DX_NOMEM);
            return;
        }
        if (stopped(t))
            return;
    }
    hold_free(&t->hold);
    t->end_told = 1;
    if (is_cut_short(t)) /* asked now: what came last may have said where the data ends */
        cut_short(t);
    else
        layer_ended_above(&t->layer);
}

/* Records of what was lent are opened until it is used up or those above have enough. */
static int open_records(struct tls_layer *t, dx_err *err)
{
    struct block *b = block_new(0); /* of the thread's pool */
    int64_t r = b ? 1 : err_set(err, DX_NOMEM, "TLS: no memory");
    while (r > 0 && !stopped(t)) {
        size_t have = 0;
        while (have + TLS_OPEN_MAX <= b->cap && (r = tls_open(t->session, b->data + have, err)) > 0)
            have += (size_t)r;
        if (have && !feed_opened(t, b->data, have))
            r = err_set(err, DX_NOMEM, "TLS: no memory");
    }
    block_drop(b);
    return r < 0 ? (int)r : 0;
}

/* Whoever speaks plain text here is told so, in HTTP where that may be what it spoke. */
static void answer_plain(struct tls_layer *t)
{
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 10}; /* unexpected_message */
    char text[256];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 400 Bad Request\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: 43\r\n"
                     "Connection: close\r\n\r\nThis port speaks TLS: say https:// to it.\r\n",
                     os_http_date());
    bool http = t->inner != stack_plain;
    struct span v = {NULL, http ? (const uint8_t *)text : alert, http ? (size_t)n : sizeof alert};
    if (t->from)
        layer_give_below(&t->layer, &v, 1, 0);
}

static void stands(struct tls_layer *t)
{
    loop_timer_off(tls_loop(t), &t->timer);
    free(t->text);
    t->text = NULL;
    t->shaken = 1;
    tls_give_sealed(t);
    if (!t->from) {
        layer_opened_above(&t->layer);
    } else {
        lone_del(&t->lone);
        if (t->inner(t->from, &t->layer, &t->queue) < 0) {
            layer_abort_below(&t->layer);
            return;
        }
    }
    if (t->paused) /* it was asked for before there was anything to rest */
        layer_pause_below(&t->layer, true);
    if (t->queue.first || t->finishing)
        tls_later(t);
}

/* true: it stands. */
static bool shake(struct tls_layer *t)
{
    dx_err err;
    int r = tls_shake(t->session, &err);
    if (r > 0) {
        stands(t);
        return true;
    }
    if (r < 0 && err.detail == DX_TLS_PLAIN)
        answer_plain(t);
    if (r < 0)
        give_up(t, &err);
    else
        tls_give_sealed(t);
    return false;
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct tls_layer *t = tls_layer_of(l);
    dx_err err;
    (void)how;
    if (t->done || (t->closing && t->shaken) || t->end_seen)
        return n;
    tls_lend(t->session, p, n);
    if (!t->shaken && !shake(t))
        return n;
    int r = open_records(t, &err);
    size_t left = t->closing || t->done ? 0 : tls_unread(t->session);
    tls_lend(t->session, NULL, 0);
    tls_give_sealed(t); /* answers of TLS's own: alerts, new keys */
    if (r == DX_END) {
        t->end_seen = 1;
        tell_end(t);
    } else if (r < 0) {
        give_up(t, &err);
    }
    return r < 0 ? n : n - left;
}

static void ended(struct layer *l)
{
    struct tls_layer *t = tls_layer_of(l);
    if (t->end_seen || t->closing)
        return;
    if (!t->shaken) {
        give_up_for(t, DX_TLS, DX_OF_TLS, DX_TLS_CUT, "the peer ended inside the TLS handshake");
        return;
    }
    t->end_seen = t->cut = 1;
    tell_end(t);
}

static void opened(struct layer *l)
{
    shake(tls_layer_of(l));
}

/* A peer that has said close_notify and gone answers what comes still, our own close_notify, with a reset: nothing is lost by it. */
static bool is_late_reset(const struct tls_layer *t, const dx_err *why)
{
    return why->code == DX_RESET && t->end_told && !t->cut && !t->spoke && !t->queue.first;
}

static void closed(struct layer *l, const dx_err *why)
{
    static const dx_err end = {.code = DX_END};
    struct tls_layer *t = tls_layer_of(l);
    if (is_late_reset(t, why))
        why = &end;
    if (!t->closing && why->code != DX_CLOSED) /* neither told yet nor our own doing */
        fault(t, why);
    t->done = 1;
    lone_del(&t->lone);
    loop_timer_off(tls_loop(t), &t->timer);
    clear(t);
    if (l->above)
        layer_closed_above(l, why); /* the conn buries the stack */
    else
        layer_bury_stack(l, tls_loop(t));
}

/* ---- the turn ---- */

static void go_on(struct tls_layer *t)
{
    if (t->done || !t->shaken)
        return;
    t->high |= queue_past_half(&t->queue);
    drain(t);
    bool rested = t->hold != NULL;
    if (t->high && !t->done && !t->closing && !queue_past_half(&t->queue)) {
        t->high = 0;
        rested = true;
        layer_writable_above(&t->layer);
    }
    if (t->hold && !stopped(t) && !feed(t, t->hold->p, t->hold->n, how_of_rest(t)))
        broke(t, DX_NOMEM);
    tell_end(t);
    if (rested && !stopped(t)) /* the stream rested with those above, and may hold more */
        layer_pause_below(&t->layer, false);
}

static void run_chore(struct chore *c, dx_loop *l)
{
    (void)l;
    go_on((struct tls_layer *)((char *)c - offsetof(struct tls_layer, chore)));
}

static void writable(struct layer *l)
{
    go_on(tls_layer_of(l));
}

/* Since this was last asked; as in stream.c, for the same reason. */
static bool peer_takes(struct tls_layer *t)
{
    struct stream *s = stream_of(layer_bottom(&t->layer)); /* a proxy's tunnel may stand between */
    uint32_t left = (uint32_t)(queue_waits(t->queue.under) + stream_unsent(s)), then = t->timer.node.own;
    bool moved = t->moved;
    t->moved = 0;
    t->timer.node.own = left;
    return moved || left != then;
}

static void timer_fire(struct timer *timer, dx_loop *loop)
{
    struct tls_layer *t = (struct tls_layer *)((char *)timer - offsetof(struct tls_layer, timer));
    if (!t->shaken) {
        give_up_for(t, DX_TIMEOUT, DX_OF_NOTHING, 0, "no TLS handshake in time");
        layer_abort_below(&t->layer);
    } else if (peer_takes(t)) { /* closing */
        loop_timer(loop, &t->timer, loop->now + DRAIN_STALL_MS);
    } else {
        give_up_for(t, DX_TIMEOUT, DX_OF_NOTHING, 0, "closing: the peer takes nothing of what is queued");
        layer_abort_below(&t->layer);
    }
}

/* ---- asked from above ---- */

static int finish(struct layer *l)
{
    struct tls_layer *t = tls_layer_of(l);
    t->finishing = 1;
    tls_later(t);
    return 0;
}

static void pause_it(struct layer *l, bool on)
{
    struct tls_layer *t = tls_layer_of(l);
    t->paused = on;
    if (!t->shaken)
        return; /* a handshake does not rest */
    if (!on)
        tls_later(t);
    layer_pause_below(l, on);
}

static void close_down(struct layer *l)
{
    struct tls_layer *t = tls_layer_of(l);
    if (t->done || t->closing)
        return;
    t->closing = t->finishing = 1;
    t->paused = 0;
    if (!t->shaken) {
        if (!t->queue.first) /* nothing was promised to anybody yet */
            layer_abort_below(l);
        return; /* else it goes out when the handshake is over: its deadline stands */
    }
    loop_timer(tls_loop(t), &t->timer, tls_loop(t)->now + DRAIN_STALL_MS);
    layer_pause_below(l, false); /* what the peer still sends is read over, or both would wait for each other */
    tls_later(t);
}

void tls_layer_free(struct layer *l)
{
    struct tls_layer *t = tls_layer_of(l);
    loop_chore_off(tls_loop(t), &t->chore);
    loop_timer_off(tls_loop(t), &t->timer);
    lone_del(&t->lone);
    clear(t);
    block_drop(t->out);
    tls_session_free(t->session);
    free(t->text);
    free(t);
}

/* Who stands on it knows by itself where its own data end, TLS in TLS too. */
#define TLS_CALLS                                                                                                      \
    .ends_itself = layer_ends_itself, .opened = opened, .take = take, .ended = ended, .writable = writable,            \
    .closed = closed, .give = tls_give, .room = tls_room, .give_msg = tls_give_msg, .give_file = tls_give_file,        \
    .finish = finish, .pause = pause_it, .close = close_down, .abort = layer_abort_below, .free = tls_layer_free

const struct layer_type tls_layer_type = {.name = "tls", .is_tls = true, TLS_CALLS};
const struct layer_type tls_hop_type = {TLS_CALLS};

struct tls_layer *tls_layer_new(void)
{
    struct tls_layer *t = calloc(1, sizeof *t);
    if (t) {
        t->layer.type = &tls_layer_type;
        t->chore.run = run_chore;
        t->timer.fire = timer_fire;
    }
    return t;
}
