/* SPDX-License-Identifier: MIT
 * fetch_pool.c - see its header. The loop's list of lone layers is the pool: the one used last comes first, and what is over a
 * bound is closed from its end. */
#include "net/fetch_pool.h"
#include "core/stream.h"
#include "net/bottom.h"
#include <duplex/fetch.h>
#include <duplex/tls.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 8, ALL_MAX = 64, IDLE_MS = 30000 };

/* Stands where the exchange stood. */
struct idle {
    struct layer layer; /* first */
    struct lone lone;
    struct timer timer;
    dx_loop *loop;
    struct queue *queue; /* of what is below */
    struct pool_key key; /* text NULL: it is closing, and leads nowhere */
    int64_t since;
};
static const struct layer_type idle_type;

static struct idle *of(struct layer *l)
{
    return (struct idle *)l;
}

static struct idle *of_lone(struct lone *n)
{
    return n->layer->type == &idle_type ? of(n->layer) : NULL;
}

void pool_key_free(struct pool_key *key)
{
    free(key->text);
    dx_tls_drop(key->tls);
    *key = (struct pool_key){0};
}

static bool same(const struct pool_key *a, const struct pool_key *b)
{
    return a->text && b->text && a->tls == b->tls && !strcmp(a->text, b->text);
}

static int bound(int asked, int otherwise)
{
    return asked < 0 ? 0 : asked ? asked : otherwise;
}

static int64_t idle_ms_of(const dx_loop *l)
{
    return l->keep.idle_ms < 0 ? 0 : l->keep.idle_ms ? l->keep.idle_ms : IDLE_MS;
}

/* No exchange may have it any more. It stays in the list: the loop may be freed before it is closed. */
static void let_go(struct idle *i)
{
    pool_key_free(&i->key);
    loop_timer_off(i->loop, &i->timer);
}

static void close_it(struct idle *i)
{
    let_go(i);
    layer_close_below(&i->layer);
}

/* ---- from below ---- */

/* Nobody has asked anything: what this is an answer to must not be answered by it. */
static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    (void)p;
    (void)how;
    if (of(l)->key.text) {
        let_go(of(l));
        layer_abort_below(l);
    }
    return n;
}

static void ended(struct layer *l)
{
    if (of(l)->key.text)
        close_it(of(l));
}

static void closed(struct layer *l, const dx_err *why)
{
    (void)why;
    let_go(of(l));
    lone_del(&of(l)->lone);
    layer_bury_stack(l, of(l)->loop);
}

static void nothing(struct layer *l)
{
    (void)l;
}

static void timer_fire(struct timer *t, dx_loop *l)
{
    (void)l;
    close_it((struct idle *)((char *)t - offsetof(struct idle, timer)));
}

static void idle_free(struct layer *l)
{
    let_go(of(l));
    lone_del(&of(l)->lone);
    free(l);
}

static const struct layer_type idle_type = {
    .name = "kept",
    .ends_itself = layer_ends_itself,
    .opened = nothing,
    .take = take,
    .ended = ended,
    .writable = nothing,
    .closed = closed,
    .close = layer_close_below,
    .abort = layer_abort_below,
    .free = idle_free,
};

/* ---- the pool ---- */

/* Closes those from the list's end on that are over all_max, or, of the same key, over host_max. */
static void hold_bounds(dx_loop *l)
{
    int all = 0, all_max = bound(l->keep.all_max, ALL_MAX), host_max = bound(l->keep.host_max, HOST_MAX);
    int kept = (int)dx_fetch_kept(l);
    if (kept <= all_max && kept <= host_max && idle_ms_of(l))
        return; /* a loader keeps thousands */
    for (struct lone *n = l->lone; n; n = n->next) {
        struct idle *i = of_lone(n);
        int here = 0;
        if (!i || !i->key.text)
            continue;
        for (struct lone *m = l->lone; m != n; m = m->next)
            here += of_lone(m) && same(&of_lone(m)->key, &i->key);
        if (++all > all_max || here >= host_max || !idle_ms_of(l)) {
            close_it(i);
            all--;
        }
    }
}

bool pool_leave(dx_loop *l, struct pool_key *key, struct layer *bottom, struct queue *q, int64_t idle_ms_max)
{
    struct idle *i = calloc(1, sizeof *i);
    int64_t ms = idle_ms_of(l);
    if (!i)
        return false;
    i->layer.type = &idle_type;
    i->timer.fire = timer_fire;
    i->loop = l;
    i->queue = q;
    i->since = l->now;
    layer_put_above(bottom, &i->layer);
    lone_add_dialled(l, &i->lone, &i->layer);
    if (idle_ms_max && idle_ms_max < ms)
        ms = idle_ms_max;
    if (!key || l->freeing || loop_timer(l, &i->timer, l->now + ms) < 0) {
        close_it(i);
        return true;
    }
    i->key = *key;
    *key = (struct pool_key){0};
    stream_set_idle(bottom_stream(bottom), 0);
    hold_bounds(l);
    return true;
}

/* What cannot be written to any more may still be read, and only says so when that is over. */
static bool is_sound(const struct stream *s)
{
    return !s->error && !s->breaking && !s->finishing && !s->done;
}

struct layer *pool_take(dx_loop *l, const struct pool_key *key, int64_t young_ms, struct queue **ret_q)
{
    for (struct lone *n = l->lone; n; n = n->next) {
        struct idle *i = of_lone(n);
        if (!i || !same(&i->key, key) || (young_ms >= 0 && l->now - i->since > young_ms) ||
            !is_sound(bottom_stream(i->layer.below)))
            continue;
        struct layer *bottom = i->layer.below;
        bottom->above = NULL;
        *ret_q = i->queue;
        let_go(i);
        lone_del(&i->lone);
        loop_bury(l, &i->layer);
        return bottom;
    }
    return NULL;
}

void dx_fetch_keep(dx_loop *l, int host_max, int all_max, int64_t idle_ms)
{
    l->keep.host_max = host_max;
    l->keep.all_max = all_max;
    l->keep.idle_ms = idle_ms;
    hold_bounds(l);
}

size_t dx_fetch_kept(const dx_loop *l)
{
    size_t n = 0;
    for (struct lone *at = l->lone; at; at = at->next)
        n += of_lone(at) && of_lone(at)->key.text;
    return n;
}
