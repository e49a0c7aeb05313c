/* SPDX-License-Identifier: MIT
 * tls_layer.c - a TLS session (crypto/session.h) between a stream and what stands on it. Its queue holds plain bytes and files; it
 * seals them, four records at a time, as the stream takes them. What came is opened into one block of the loop and lent upwards; what is
 * not used up is held. */
#include "base/err.h"
#include "core/hold.h"
#include "core/stream.h"
#include "crypto/session.h"
#include "net/tls.h"
#include "os/fd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHAKE_MS = 10000,      /* a server's: how long a handshake may take                             */
    UNDER_MAX = 256 << 10, /* sealed bytes that wait in the stream: past half of it sealing rests   */
    IOV_MAX_SEAL = 16,
    RUN_MAX = 4 * TLS_RECORD_MAX,
};

struct tls_layer {
    struct layer layer; /* first */
    struct queue queue; /* plain bytes and files, to be sealed */
    struct chore chore;
    struct timer timer; /* the handshake's deadline; closing: does the peer still take anything? */
    struct lone lone;   /* a server's, until something stands on it */
    struct tls_session *session;
    struct hold *hold; /* plain bytes that were not used up above */
    struct block *out; /* within a call: sealed bytes from out_from on that are not given below yet */
    uint8_t *out_from;
    dx_listener *from; /* NULL: a client's */
    int (*inner)(dx_listener *s, struct layer *bottom, struct queue *q);
    char *text; /* a client's: the URL, until the handshake is over */
    uint16_t shaken : 1, paused : 1, end_seen : 1, end_told : 1, finishing : 1, bye : 1, closing : 1, done : 1,
        high : 1;
    uint16_t moved : 1; /* since the timer last looked */
    uint16_t cut : 1;   /* the peer's end came without close_notify */
};

static const struct layer_type tls_type;

static struct tls_layer *of(struct layer *l)
{
    return (struct tls_layer *)l;
}

static dx_loop *loop_of(const struct tls_layer *t)
{
    return t->queue.loop;
}

static void later(struct tls_layer *t)
{
    loop_chore(loop_of(t), &t->chore);
}

/* ---- sealed bytes on their way down ---- */

static void give_sealed(struct tls_layer *t)
{
    struct block *b = t->out;
    if (!b)
        return;
    struct span v = {b, t->out_from, (size_t)(b->data + b->used - t->out_from)};
    t->out = NULL;
    layer_give_below(&t->layer, &v, 1, 0); /* where the stream is broken its own end is on its way up */
    block_drop(b);
}

static bool keep_sealed(void *arg, const void *p, size_t n)
{
    struct tls_layer *t = arg;
    if (t->out && t->out->cap - t->out->used < n)
        give_sealed(t);
    if (!t->out) {
        t->out = block_with_room(&loop_of(t)->store.copies, n);
        if (!t->out)
            return false;
        t->out_from = t->out->data + t->out->used;
    }
    memcpy(t->out->data + t->out->used, p, n);
    t->out->used += (uint32_t)n;
    return true;
}

/* Records as full as can be: runs of small spans are joined in a copy. */
static int seal_spans(struct tls_layer *t, const struct span *v, size_t count)
{
    uint8_t few[TLS_RECORD_MAX];
    size_t have = 0;
    int r = 0;
    for (size_t i = 0; i < count && r >= 0; i++) {
        const uint8_t *p = v[i].p;
        for (size_t n = v[i].n, k; n > 0 && r >= 0; p += k, n -= k) {
            if (have == 0 && (n >= TLS_RECORD_MAX || i + 1 == count)) {
                k = n < TLS_RECORD_MAX ? n : TLS_RECORD_MAX;
                r = tls_seal(t->session, p, k);
                continue;
            }
            k = n < TLS_RECORD_MAX - have ? n : TLS_RECORD_MAX - have;
            memcpy(few + have, p, k);
            have += k;
            if (have == TLS_RECORD_MAX) {
                r = tls_seal(t->session, few, have);
                have = 0;
            }
        }
    }
    return have && r >= 0 ? tls_seal(t->session, few, have) : r;
}

/* ---- the end ---- */

static void clear(struct tls_layer *t)
{
    queue_clear(&t->queue, &loop_of(t)->store);
    hold_free(&t->hold);
}

/* The session is broken: what was told to the peer still goes out. */
static void give_up(struct tls_layer *t, const dx_err *err)
{
    struct dx_conn *c = layer_conn(&t->layer);
    dx_err why = *err;
    if (t->text)
        err_set(&why, err->code, "dial %.120s: %s", t->text, err->text);
    give_sealed(t);
    clear(t);
    t->closing = t->finishing = t->bye = 1; /* nothing can be sealed any more */
    loop_timer_off(loop_of(t), &t->timer);
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
        give_sealed(t);
        layer_finish_below(&t->layer);
    }
    if (t->closing) {
        loop_timer_off(loop_of(t), &t->timer);
        layer_close_below(&t->layer);
    }
}

/* ---- sealing what is queued, as the stream takes it ---- */

static int seal_file(struct tls_layer *t)
{
    struct queued *f = t->queue.first;
    struct block *b = block_new(0);
    size_t n = f->n < RUN_MAX ? f->n : RUN_MAX;
    int64_t got = b ? os_fd_read_at(f->fd, f->off, b->data, n) : 0;
    int r = b ? 0 : DX_NOMEM;
    if (r == 0 && f->n && got <= 0)
        r = got < 0 ? DX_SYS : DX_TRUNCATED;
    struct span v = {NULL, b ? b->data : NULL, got > 0 ? (size_t)got : 0};
    if (r == 0)
        r = seal_spans(t, &v, 1);
    if (r >= 0)
        queue_eat(&t->queue, &loop_of(t)->store, v.n);
    block_drop(b);
    return r;
}

static int seal_bytes(struct tls_layer *t)
{
    struct iovec iov[IOV_MAX_SEAL];
    struct span v[IOV_MAX_SEAL];
    size_t n, room = RUN_MAX, count = queue_iov(&t->queue, iov, IOV_MAX_SEAL, &n), used = 0;
    for (; used < count && room > 0; used++) {
        v[used] = (struct span){NULL, iov[used].iov_base, iov[used].iov_len < room ? iov[used].iov_len : room};
        room -= v[used].n;
    }
    int r = seal_spans(t, v, used);
    if (r >= 0)
        queue_eat(&t->queue, &loop_of(t)->store, RUN_MAX - room);
    return r;
}

/* Big sends are sealed from where they lie, behind what is queued: a sealed copy is as good as another. 1: done; 0: a file is
 * before them, or too many pieces. */
static int seal_through(struct tls_layer *t, const struct span *v, size_t count)
{
    struct iovec iov[IOV_MAX_SEAL];
    struct span all[IOV_MAX_SEAL];
    size_t queued;
    if (count >= IOV_MAX_SEAL)
        return 0;
    size_t k = queue_iov(&t->queue, iov, IOV_MAX_SEAL - count, &queued);
    if (queued != t->queue.n)
        return 0;
    for (size_t i = 0; i < k; i++)
        all[i] = (struct span){NULL, iov[i].iov_base, iov[i].iov_len};
    memcpy(all + k, v, count * sizeof *v);
    int r = seal_spans(t, all, k + count);
    give_sealed(t);
    queue_eat(&t->queue, &loop_of(t)->store, queued);
    t->high |= queue_past_half(&t->queue);
    return r < 0 ? r : 1;
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
    while (t->queue.first && !queue_past_half(t->queue.under) && r >= 0) {
        r = t->queue.first->blk ? seal_bytes(t) : seal_file(t);
        t->moved = 1;
    }
    give_sealed(t);
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
    static const char text[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 43\r\n"
                               "Connection: close\r\n\r\nThis port speaks TLS: say https:// to it.\r\n";
    bool http = t->inner != stack_plain;
    struct span v = {NULL, http ? (const uint8_t *)text : alert, http ? sizeof text - 1 : sizeof alert};
    if (t->from)
        layer_give_below(&t->layer, &v, 1, 0);
}

static void stands(struct tls_layer *t)
{
    loop_timer_off(loop_of(t), &t->timer);
    free(t->text);
    t->text = NULL;
    t->shaken = 1;
    give_sealed(t);
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
        later(t);
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
    if (r < 0)
        loop_of(t)->handshake_faults += t->from != NULL;
    if (r < 0 && err.detail == DX_TLS_PLAIN)
        answer_plain(t);
    if (r < 0)
        give_up(t, &err);
    else
        give_sealed(t);
    return false;
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct tls_layer *t = of(l);
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
    give_sealed(t); /* answers of TLS's own: alerts, new keys */
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
    struct tls_layer *t = of(l);
    if (t->end_seen || t->closing)
        return;
    if (!t->shaken) {
        loop_of(t)->handshake_faults += t->from != NULL;
        give_up_for(t, DX_TLS, DX_OF_TLS, DX_TLS_CUT, "the peer ended inside the TLS handshake");
        return;
    }
    t->end_seen = t->cut = 1;
    tell_end(t);
}

static void opened(struct layer *l)
{
    shake(of(l));
}

static void closed(struct layer *l, const dx_err *why)
{
    struct tls_layer *t = of(l);
    t->done = 1;
    lone_del(&t->lone);
    loop_timer_off(loop_of(t), &t->timer);
    clear(t);
    if (l->above)
        layer_closed_above(l, why); /* the conn buries the stack */
    else
        layer_bury_stack(l, loop_of(t));
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
    go_on(of(l));
}

static void timer_fire(struct timer *timer, dx_loop *loop)
{
    struct tls_layer *t = (struct tls_layer *)((char *)timer - offsetof(struct tls_layer, timer));
    if (!t->shaken) {
        loop->handshake_faults += t->from != NULL;
        give_up_for(t, DX_TIMEOUT, DX_OF_NOTHING, 0, "no TLS handshake in time");
        layer_abort_below(&t->layer);
    } else if (t->moved) { /* closing, and the peer takes what is queued */
        t->moved = 0;
        loop_timer(loop, &t->timer, loop->now + DRAIN_STALL_MS);
    } else {
        give_up_for(t, DX_TIMEOUT, DX_OF_NOTHING, 0, "closing: the peer takes nothing of what is queued");
        layer_abort_below(&t->layer);
    }
}

/* ---- asked from above ---- */

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct tls_layer *t = of(l);
    size_t total = 0;
    if (t->done || t->finishing)
        return DX_CLOSED;
    for (size_t i = 0; i < count; i++)
        total += v[i].n;
    int r = total >= WRITE_THROUGH && t->shaken && !(how & DX_MORE) ? seal_through(t, v, count) : 0;
    if (r > 0)
        return 0;
    if (r == 0)
        r = queue_add(&t->queue, &loop_of(t)->store, v, count, 0, false);
    if (r < 0)
        layer_abort_below(l); /* a part of it may stand in the queue */
    else
        later(t);
    return r;
}

static uint8_t *room(struct layer *l, size_t n)
{
    struct tls_layer *t = of(l);
    if (n >= WRITE_THROUGH || t->done || t->finishing)
        return NULL;
    later(t);
    return queue_room(&t->queue, &loop_of(t)->store, n);
}

static int give_msg(struct layer *l, dx_msg *m)
{
    struct span span;
    int r = msg_plain(m, loop_of(of(l)), &span);
    return r < 0 ? r : give(l, &span, 1, 0);
}

static int give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    struct tls_layer *t = of(l);
    (void)how;
    if (t->done || t->finishing || queue_add_file(&t->queue, &loop_of(t)->store, fd, off, n) < 0) {
        os_fd_close(fd);
        return t->done || t->finishing ? DX_CLOSED : DX_NOMEM;
    }
    later(t);
    return 0;
}

static int finish(struct layer *l)
{
    struct tls_layer *t = of(l);
    t->finishing = 1;
    later(t);
    return 0;
}

static void pause_it(struct layer *l, bool on)
{
    struct tls_layer *t = of(l);
    t->paused = on;
    if (!t->shaken)
        return; /* a handshake does not rest */
    if (!on)
        later(t);
    layer_pause_below(l, on);
}

static void close_down(struct layer *l)
{
    struct tls_layer *t = of(l);
    if (t->done || t->closing)
        return;
    t->closing = t->finishing = 1;
    t->paused = 0;
    if (!t->shaken) {
        if (!t->queue.first) /* nothing was promised to anybody yet */
            layer_abort_below(l);
        return; /* else it goes out when the handshake is over: its deadline stands */
    }
    loop_timer(loop_of(t), &t->timer, loop_of(t)->now + DRAIN_STALL_MS);
    layer_pause_below(l, false); /* what the peer still sends is read over, or both would wait for each other */
    later(t);
}

static void layer_free(struct layer *l)
{
    struct tls_layer *t = of(l);
    loop_chore_off(loop_of(t), &t->chore);
    loop_timer_off(loop_of(t), &t->timer);
    lone_del(&t->lone);
    clear(t);
    block_drop(t->out);
    tls_session_free(t->session);
    free(t->text);
    free(t);
}

static const struct layer_type tls_type = {
    .name = "tls",
    .is_tls = true,
    .opened = opened,
    .take = take,
    .ended = ended,
    .writable = writable,
    .closed = closed,
    .give = give,
    .room = room,
    .give_msg = give_msg,
    .give_file = give_file,
    .finish = finish,
    .pause = pause_it,
    .close = close_down,
    .abort = layer_abort_below,
    .free = layer_free,
};

/* ---- making one ---- */

static struct tls_layer *layer_new(struct stream *s, const struct settings *set, const struct tls_ask *ask, dx_err *err)
{
    struct tls_layer *t = calloc(1, sizeof *t);
    if (!t) {
        err_set(err, DX_NOMEM, "TLS: no memory");
        return NULL;
    }
    struct tls_ask mine = *ask;
    mine.push = keep_sealed;
    mine.arg = t;
    t->layer.type = &tls_type;
    t->chore.run = run_chore;
    t->timer.fire = timer_fire;
    t->queue.max = set->o.queue_bytes_max;
    t->queue.loop = s->queue.loop;
    t->queue.under = &s->queue;
    if (s->queue.max > UNDER_MAX)
        s->queue.max = UNDER_MAX;
    t->session = tls_session_new(set->o.tls, &mine, err);
    if (t->session)
        return t;
    layer_free(&t->layer);
    return NULL;
}

int tls_accept(dx_listener *s, struct layer *bottom, struct queue *q, const char *alpn,
               int (*inner)(dx_listener *s, struct layer *bottom, struct queue *q))
{
    struct tls_ask ask = {.server = true, .protocols = alpn};
    struct stream *stream = stream_of(bottom);
    struct tls_layer *t = layer_new(stream, s->set, &ask, NULL);
    (void)q;
    if (!t)
        return DX_NOMEM;
    t->from = s;
    t->inner = inner;
    layer_put_above(bottom, &t->layer);
    lone_add(s, &t->lone, &t->layer);
    loop_timer(s->loop, &t->timer, s->loop->now + SHAKE_MS);
    return 0;
}

struct layer *tls_dial(const struct dial *d, struct stream *s, const char *alpn, struct queue **ret_q, dx_err *err)
{
    char *host = strndup((const char *)d->url->host.p, d->url->host.n);
    struct tls_ask ask = {.host = host, .protocols = alpn};
    struct tls_layer *t = host ? layer_new(s, d->set, &ask, err) : NULL;
    free(host);
    if (t && (t->text = strdup(d->text))) {
        layer_put_above(&s->layer, &t->layer);
        loop_timer(d->loop, &t->timer, d->loop->now + d->set->o.dial_ms_max);
        *ret_q = &t->queue;
        return &t->layer;
    }
    if (!host || t)
        err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
    if (t)
        layer_free(&t->layer);
    return NULL;
}

static struct tls_layer *tls_of(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    while (l && l->type != &tls_type)
        l = l->below;
    return l ? of(l) : NULL;
}

const char *tls_layer_alpn(const struct layer *l)
{
    return l->type == &tls_type ? tls_alpn(((const struct tls_layer *)l)->session) : "";
}

int dx_tls_peer(dx_conn *c, void (*fn)(void *arg, const dx_cert_info *i), void *arg)
{
    struct tls_layer *t = c->gone ? NULL : tls_of(c);
    return t && t->shaken ? tls_peer(t->session, fn, arg) : DX_STATE;
}

dx_tls *dx_listener_tls(const dx_listener *s)
{
    return s->set->o.tls;
}

int dx_tls_info_sized(dx_conn *c, dx_tls_info *ret, size_t ret_bytes)
{
    struct tls_layer *t = c->gone ? NULL : tls_of(c);
    dx_tls_info mine = {0};
    if (!t || !t->shaken)
        return DX_STATE;
    tls_tell(t->session, &mine);
    if (ret_bytes > sizeof mine) {
        memset((char *)ret + sizeof mine, 0, ret_bytes - sizeof mine);
        ret_bytes = sizeof mine;
    }
    memcpy(ret, &mine, ret_bytes);
    return 0;
}
