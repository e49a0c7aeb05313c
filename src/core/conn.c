/* SPDX-License-Identifier: MIT
 * conn.c - one set of verbs for every wire, and the rules of QUEUE, CLOSING and RE-ENTRY in duplex.h. */
#include "core/conn.h"
#include "core/scheme.h"
#include "core/stream.h"
#include "os/fd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dx_conn *conn_of_layer(const struct layer *l)
{
    return l->type == &conn_layer ? (struct dx_conn *)(uintptr_t)l : NULL;
}

/* The conns that come by a route are few beside those that do not: their keeper lies in front of them, and costs nobody else. */
enum { KEEPER_ROOM = 16 };

static void *memory_of(struct dx_conn *c)
{
    return (char *)c - (c->kept ? KEEPER_ROOM : 0);
}

struct keeper **conn_keeper(const struct dx_conn *c)
{
    return c->kept ? (struct keeper **)(uintptr_t)((const char *)c - KEEPER_ROOM) : NULL;
}

struct dx_conn *conn_new_kept(const dx_handler *on, void *user, struct layer *below, struct queue *q, struct keeper *k)
{
    static const dx_handler nothing;
    on = on ? on : &nothing;
    size_t front = k ? KEEPER_ROOM : 0;
    /* No calloc: before glibc 2.41 it does not look where free has just put the last exchange's conn. */
    char *room = malloc(front + sizeof(struct dx_conn) + on->state_bytes);
    if (!room)
        return NULL;
    struct dx_conn *c = (struct dx_conn *)(void *)(room + front);
    *c = (struct dx_conn){.layer.type = &conn_layer, .on = on, .user = user, .q = q, .kept = k != NULL};
    memset(c->state, 0, on->state_bytes);
    if (loop_slot_take(q->loop, c) < 0) {
        free(room);
        return NULL;
    }
    if (k)
        *conn_keeper(c) = k;
    if (below)
        layer_put_above(below, &c->layer);
    return c;
}

struct dx_conn *conn_new(const dx_handler *on, void *user, struct layer *below, struct queue *q)
{
    return conn_new_kept(on, user, below, q, NULL);
}

void conn_set_why(struct dx_conn *c, int code, int detail_of, int detail, const char *text)
{
    if (c->why)
        return; /* the first cause is the cause */
    c->why = malloc(sizeof *c->why);
    if (c->why) {
        *c->why = (dx_err){.code = code, .detail = detail, .detail_of = detail_of};
        snprintf(c->why->text, sizeof c->why->text, "%s", text);
    }
}

/* ---- from below ---- */

void conn_open(struct dx_conn *c)
{
    if (c->opened || c->gone || c->quiet)
        return;
    c->opened = 1;
    if (c->on->on_open)
        c->on->on_open(c);
}

static void conn_opened(struct layer *l)
{
    conn_open(conn_of_layer(l));
}

static size_t conn_take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct dx_conn *c = (struct dx_conn *)l; /* this is its type's own, and called for every message */
    if (c->quiet || !c->on->on_data || (n == 0 && !c->messages))
        return n;
    c->in_data = 1;
    c->owes = 0;
    c->on->on_data(c, p, n, how & ~(unsigned)DX_LAST);
    c->in_data = 0;
    return n;
}

static void conn_ended(struct layer *l)
{
    struct dx_conn *c = conn_of_layer(l);
    if (c->end_seen)
        return;
    c->end_seen = 1;
    if (c->quiet)
        return;
    if (c->on->on_end)
        c->on->on_end(c);
    else if (!c->stays)
        dx_close(c);
}

static void conn_writable(struct layer *l)
{
    struct dx_conn *c = conn_of_layer(l);
    c->owes = 0;
    if (!c->want_writable || c->quiet)
        return;
    c->want_writable = 0;
    if (c->on->on_writable)
        c->on->on_writable(c);
}

void conn_event(struct dx_conn *c, int what, const void *arg)
{
    if (c->opened && !c->quiet && !c->gone && c->on->on_event)
        c->on->on_event(c, what, arg);
}

void conn_early(struct dx_conn *c, int what, const void *arg)
{
    if (!c->opened && !c->quiet && !c->gone && c->on->on_event)
        c->on->on_event(c, what, arg);
}

void conn_broken(struct dx_conn *c)
{
    conn_event(c, DX_BROKEN, dx_why(c));
    c->quiet = 1;
    c->end_said = 1;
}

/* What on_close is told: our own reason first, then the transport's; a close of ours that went well is DX_CLOSED. */
static void say_closed(struct dx_conn *c, const dx_err *why)
{
    static const dx_err closed = {.code = DX_CLOSED, .text = "closed by us"};
    static const dx_err ended = {.code = DX_END, .text = "the peer ended"};
    const dx_err *say = c->why ? c->why : why;
    if (!c->why && (!why || why->code == DX_OK || why->code == DX_END))
        say = c->end_seen ? &ended : &closed;
    if (c->on->on_close)
        c->on->on_close(c, say);
}

void conn_part(struct dx_conn *c, const dx_err *why)
{
    if (c->gone)
        return;
    c->gone = 1;
    say_closed(c, why);
    loop_slot_drop(c->q->loop, c);
    if (c->layer.below && c->layer.below->above == &c->layer)
        c->layer.below->above = NULL;
    c->layer.below = NULL;
    loop_bury(c->q->loop, &c->layer);
}

static void conn_closed(struct layer *l, const dx_err *why)
{
    struct dx_conn *c = conn_of_layer(l);
    struct layer *below = c->layer.below;
    dx_loop *loop = c->q->loop;
    conn_part(c, why);
    layer_bury_stack(below, loop);
}

static void conn_free(struct layer *l)
{
    struct dx_conn *c = conn_of_layer(l);
    struct keeper **k = conn_keeper(c);
    if (k)
        (*k)->drop(*k);
    free(c->why);
    free(memory_of(c));
}

const struct layer_type conn_layer = {
    .name = "conn",
    .opened = conn_opened,
    .take = conn_take,
    .ended = conn_ended,
    .writable = conn_writable,
    .closed = conn_closed,
    .free = conn_free,
};

/* ---- sending ---- */

/* 0, or why nothing can be taken now. */
static inline int may_send(dx_conn *c, size_t n)
{
    if (c->gone || c->quiet || c->end_said)
        return DX_STATE;
    if (queue_past_half(c->q) && (n > c->q->max || queue_waits(c->q) > c->q->max - n)) {
        c->want_writable = 1;
        return DX_FULL;
    }
    return 0;
}

static inline int was_sent(dx_conn *c, int r, unsigned how)
{
    if (r < 0)
        return r;
    if (how & DX_LAST)
        dx_finish(c);
    if (!queue_past_half(c->q))
        return 0;
    c->want_writable = 1;
    c->owes |= c->in_data;
    return 1;
}

static inline int send_spans(dx_conn *c, const struct span *v, size_t count, size_t n, unsigned how)
{
    int r = may_send(c, n);
    if (r < 0)
        return r;
    return was_sent(c, c->layer.below->type->give(c->layer.below, v, count, how), how);
}

int dx_send(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct span v = {NULL, n ? data : "", n};
    return send_spans(c, &v, 1, n, how);
}

/* Layers put a little around few parts; many are one part first. */
static int send_joined(dx_conn *c, const dx_bytes *v, size_t count, size_t n, unsigned how)
{
    uint8_t *all = malloc(n ? n : 1);
    size_t at = 0;
    if (!all)
        return DX_NOMEM;
    for (size_t i = 0; i < count; at += v[i++].n)
        if (v[i].n)
            memcpy(all + at, v[i].p, v[i].n);
    int r = dx_send(c, all, n, how);
    free(all);
    return r;
}

int dx_sendv(dx_conn *c, const dx_bytes *v, size_t count, unsigned how)
{
    enum { FEW = 16 };
    struct span few[FEW] = {0};
    size_t n = 0, used = 0;
    for (size_t i = 0; i < count; i++) {
        n += v[i].n;
        if (v[i].n && used < FEW)
            few[used] = (struct span){NULL, v[i].p, v[i].n};
        used += v[i].n > 0;
    }
    if (used == 0)
        return dx_send(c, "", 0, how);
    return used > FEW ? send_joined(c, v, count, n, how) : send_spans(c, few, used, n, how);
}

int dx_send_msg(dx_conn *c, dx_msg *m)
{
    int r = may_send(c, dx_msg_bytes(m).n);
    if (r < 0)
        return r;
    return was_sent(c, c->layer.below->type->give_msg(c->layer.below, m), msg_how(m));
}

int dx_send_file(dx_conn *c, int fd, int64_t off, int64_t n, unsigned how)
{
    int64_t rest = off < 0 ? -1 : os_fd_rest(fd, off);
    if (rest < 0)
        return DX_SYS;
    if (rest == INT64_MAX)
        return DX_URL; /* not a file with an end: dx_relay moves those */
    if (n > rest)
        return DX_TRUNCATED; /* a length is a promise to the peer */
    if (n < 0)
        n = rest;
    int r = may_send(c, 0);
    if (r < 0)
        return r;
    int own = os_fd_dup(fd);
    if (own < 0)
        return DX_SYS;
    return was_sent(c, c->layer.below->type->give_file(c->layer.below, own, off, (size_t)n, how), how);
}

int conn_send_pieces(dx_conn *c, const void *p, size_t n, size_t piece_max)
{
    const uint8_t *at = p;
    int r = may_send(c, n);
    for (size_t k; r >= 0 && n > 0; at += k, n -= k) {
        k = n < piece_max ? n : piece_max;
        r = c->layer.below->type->give(c->layer.below, &(struct span){NULL, at, k}, 1, 0);
    }
    return was_sent(c, r, 0);
}

int conn_send_spliced(dx_conn *c, size_t n)
{
    int r = may_send(c, n);
    return r < 0 ? r : was_sent(c, stream_give_spliced(stream_of(c->layer.below)), 0);
}

void dx_pause(dx_conn *c, bool on)
{
    if (c->gone || c->quiet || c->paused == on)
        return;
    c->paused = on;
    c->layer.below->type->pause(c->layer.below, on);
}

int dx_finish(dx_conn *c)
{
    if (c->gone || c->quiet || c->end_said)
        return DX_STATE;
    c->end_said = 1;
    return c->layer.below->type->finish(c->layer.below);
}

void dx_close(dx_conn *c)
{
    if (c->gone || c->quiet)
        return;
    c->quiet = 1;
    c->end_said = 1;
    c->paused = 0;
    c->owes = 0;
    c->layer.below->type->close(c->layer.below);
}

void dx_abort(dx_conn *c)
{
    if (c->gone)
        return;
    c->quiet = 1;
    c->end_said = 1;
    c->paused = 0;
    c->owes = 0;
    c->layer.below->type->abort(c->layer.below);
}

/* ---- asking ---- */

void *dx_state(dx_conn *c)
{
    return c->state;
}

void *dx_user(const dx_conn *c)
{
    return c->user;
}

void dx_set_user(dx_conn *c, void *user)
{
    c->user = user;
}

dx_loop *dx_loop_of(const dx_conn *c)
{
    return c->q->loop;
}

enum dx_kind dx_kind_of(const dx_conn *c)
{
    return c->messages ? DX_MESSAGES : DX_BYTES;
}

size_t dx_queued(const dx_conn *c)
{
    return c->gone ? 0 : queue_waits(c->q);
}

const dx_err *dx_why(const dx_conn *c)
{
    static const dx_err nothing;
    return c->why ? c->why : &nothing;
}

dx_id dx_id_of(const dx_conn *c)
{
    return c->id;
}

struct layer *conn_bottom(const struct dx_conn *c)
{
    return c->layer.below ? layer_bottom(c->layer.below) : NULL;
}

/* dx_local, dx_peer, dx_wire and dx_is_loopback ask the bottom: scheme.h. */
const char *dx_local(const dx_conn *c)
{
    static _Thread_local char text[SCHEME_URL_MAX];
    return scheme_address(c, false, text);
}

const char *dx_peer(const dx_conn *c)
{
    static _Thread_local char text[SCHEME_URL_MAX];
    return scheme_address(c, true, text);
}

bool dx_is_loopback(const dx_conn *c)
{
    return scheme_is_loopback(c);
}

const char *dx_wire(const dx_conn *c)
{
    const struct layer_type *named = NULL;
    for (const struct layer *l = c->layer.below; l; l = l->below) {
        if (named && named->name_over_tls && l->type->is_tls)
            return named->name_over_tls;
        if (!named && l->type->name)
            named = l->type;
    }
    return named ? named->name : "";
}

struct conn_timer {
    dx_loop *loop;
    dx_id id;
    void (*fn)(dx_conn *c);
};

static void conn_timer_fire(void *arg)
{
    struct conn_timer *t = arg;
    dx_conn *c = dx_find(t->loop, t->id);
    void (*fn)(dx_conn *) = t->fn;
    free(t);
    if (c && !c->quiet)
        fn(c);
}

int dx_after(dx_conn *c, int64_t ms, void (*fn)(dx_conn *c))
{
    struct conn_timer *t = malloc(sizeof *t);
    if (!t)
        return DX_NOMEM;
    *t = (struct conn_timer){c->q->loop, c->id, fn};
    int64_t r = loop_after_weak(c->q->loop, ms, conn_timer_fire, t);
    if (r < 0)
        free(t);
    return r < 0 ? (int)r : 0;
}
