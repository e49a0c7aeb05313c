/* SPDX-License-Identifier: MIT
 * loop.c - the turn of one thread: wait, posts, timers, then all that was put off to its end. */
#include "core/loop.h"
#include "base/err.h"
#include "core/conn.h"
#include "core/listener.h"
#include "core/mailbox.h"
#include "os/clock.h"
#include <stdlib.h>
#include <string.h>

enum { CHORE_ROUNDS_MAX = 8 };

dx_loop *dx_loop_new(dx_err *err)
{
    dx_loop *l = calloc(1, sizeof *l);
    if (!l) {
        err_set(err, DX_NOMEM, "new loop: no memory");
        return NULL;
    }
    int r = os_engine_init(&l->engine);
    if (r < 0 || (r = mailbox_open(l)) < 0) {
        err_sys(err, 0, r < 0 ? -r : 0, "new loop");
        os_engine_free(&l->engine);
        free(l);
        return NULL;
    }
    l->chores_end = &l->chores;
    l->dead_end = &l->dead;
    l->store.tubes = &l->engine.tubes;
    os_random(l->user_timers.seed, sizeof l->user_timers.seed);
    l->now = os_now_ms();
    return l;
}

/* ---- put off to the end of the turn ---- */

void loop_chore(dx_loop *l, struct chore *c)
{
    if (c->waiting)
        return;
    c->waiting = true;
    c->next = NULL;
    *l->chores_end = c;
    l->chores_end = &c->next;
}

void loop_chore_off(dx_loop *l, struct chore *c)
{
    if (!c->waiting)
        return;
    for (struct chore **at = &l->chores; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            if (l->chores_end == &c->next)
                l->chores_end = at;
            break;
        }
    c->waiting = false;
}

/* A chore may ask for more chores (a reply in on_writable); a few rounds, and the rest waits for the next turn. */
static void run_chores(dx_loop *l)
{
    for (int round = 0; l->chores && round < CHORE_ROUNDS_MAX; round++) {
        struct chore *c = l->chores;
        l->chores = NULL;
        l->chores_end = &l->chores;
        while (c) {
            struct chore *next = c->next;
            c->waiting = false;
            c->run(c, l);
            c = next;
        }
    }
}

void loop_bury(dx_loop *l, struct layer *layer)
{
    layer->above = NULL;
    *l->dead_end = layer;
    l->dead_end = &layer->above;
}

static void free_dead(dx_loop *l)
{
    for (struct layer *d; (d = l->dead);) {
        l->dead = d->above;
        if (!l->dead)
            l->dead_end = &l->dead;
        d->type->free(d);
    }
}

/* ---- timers ---- */

int loop_timer(dx_loop *l, struct timer *t, int64_t at)
{
    return heap_set(&l->timers, &t->node, at);
}

void loop_timer_off(dx_loop *l, struct timer *t)
{
    heap_del(&l->timers, &t->node);
}

static void run_timers(dx_loop *l)
{
    struct heap_node *top;
    while ((top = heap_top(&l->timers)) && top->at <= l->now) {
        struct timer *t = (struct timer *)top;
        heap_del(&l->timers, top);
        t->fire(t, l);
    }
}

struct user_timer {
    struct timer timer; /* first */
    int64_t number;
    void (*fn)(void *arg);
    void *arg;
    bool weak;
};

static void user_fire(struct timer *t, dx_loop *l)
{
    struct user_timer *u = (struct user_timer *)t;
    map_del(&l->user_timers, &u->number, sizeof u->number);
    l->refs -= !u->weak;
    void (*fn)(void *) = u->fn;
    void *arg = u->arg;
    free(u);
    fn(arg);
}

static int64_t add_user_timer(dx_loop *l, int64_t ms, void (*fn)(void *arg), void *arg, bool weak)
{
    struct user_timer *u = l->freeing ? NULL : malloc(sizeof *u); /* one that arms itself again would never end */
    if (!u)
        return l->freeing ? DX_CLOSED : DX_NOMEM;
    *u = (struct user_timer){
        .timer.fire = user_fire, .number = ++l->user_timer_last, .fn = fn, .arg = arg, .weak = weak};
    if (map_put(&l->user_timers, &u->number, sizeof u->number, u) < 0) {
        free(u);
        return DX_NOMEM;
    }
    int64_t wait = ms < 0 ? 0 : ms > INT64_MAX / 4 ? INT64_MAX / 4 : ms;
    if (loop_timer(l, &u->timer, os_now_ms() + wait) < 0) {
        map_del(&l->user_timers, &u->number, sizeof u->number);
        free(u);
        return DX_NOMEM;
    }
    l->refs += !weak;
    return u->number;
}

int64_t dx_loop_after(dx_loop *l, int64_t ms, void (*fn)(void *arg), void *arg)
{
    return add_user_timer(l, ms, fn, arg, false);
}

int64_t loop_after_weak(dx_loop *l, int64_t ms, void (*fn)(void *arg), void *arg)
{
    return add_user_timer(l, ms, fn, arg, true);
}

void dx_loop_cancel(dx_loop *l, int64_t timer)
{
    struct user_timer *u = map_del(&l->user_timers, &timer, sizeof timer);
    if (!u)
        return;
    loop_timer_off(l, &u->timer);
    l->refs -= !u->weak;
    free(u);
}

int64_t dx_loop_now(const dx_loop *l)
{
    return l->now;
}

int64_t dx_loop_count(const dx_loop *l, enum dx_count what)
{
    switch (what) {
    case DX_COUNT_CONNS:
        return (int64_t)l->conns;
    case DX_COUNT_POST_DROPS:
        return l->post_drops;
    case DX_COUNT_DATAGRAM_DROPS:
        return l->engine.datagram_drops;
    case DX_COUNT_ACCEPT_RESTS:
        return l->accept_rests;
    case DX_COUNT_HANDSHAKE_FAULTS:
        return l->handshake_faults;
    }
    return DX_STATE;
}

/* ---- slots: a conn's number ---- */

/* A free slot holds the number of the next free one, marked by its low bit. */
static struct dx_conn **slot_at(dx_loop *l, uint32_t i)
{
    return &l->slots[i / SLOT_CHUNK][i % SLOT_CHUNK];
}

static struct dx_conn *free_mark(uint32_t next)
{
    return (struct dx_conn *)((uintptr_t)next << 1 | 1);
}

static bool is_free(const struct dx_conn *c)
{
    return (uintptr_t)c & 1;
}

static int add_slots(dx_loop *l)
{
    uint32_t n = l->slot_chunks;
    struct dx_conn ***v = realloc(l->slots, (n + 1) * sizeof *v);
    if (!v)
        return DX_NOMEM;
    l->slots = v;
    v[n] = malloc(SLOT_CHUNK * sizeof *v[n]);
    if (!v[n])
        return DX_NOMEM;
    l->slot_chunks++;
    for (uint32_t i = SLOT_CHUNK; i-- > 0;) {
        v[n][i] = free_mark(l->slot_free);
        l->slot_free = n * SLOT_CHUNK + i + 1;
    }
    return 0;
}

int loop_slot_take(dx_loop *l, struct dx_conn *c)
{
    if (!l->slot_free && add_slots(l) < 0)
        return DX_NOMEM;
    uint32_t slot = l->slot_free - 1;
    struct dx_conn **at = slot_at(l, slot);
    l->slot_free = (uint32_t)((uintptr_t)*at >> 1);
    *at = c;
    l->conns++;
    c->id = id_make(l->index, ++l->slot_gen, slot);
    return 0;
}

void loop_slot_drop(dx_loop *l, struct dx_conn *c)
{
    uint32_t slot = id_slot(c->id);
    *slot_at(l, slot) = free_mark(l->slot_free);
    l->slot_free = slot + 1;
    l->conns--;
}

struct dx_conn *loop_conns_next(dx_loop *l, uint32_t *at)
{
    while (*at < l->slot_chunks * SLOT_CHUNK) {
        struct dx_conn *c = *slot_at(l, (*at)++);
        if (!is_free(c))
            return c;
    }
    return NULL;
}

dx_conn *dx_find(dx_loop *l, dx_id id)
{
    uint32_t slot = id_slot(id);
    if (id_loop(id) != l->index || slot >= l->slot_chunks * SLOT_CHUNK)
        return NULL;
    struct dx_conn *c = *slot_at(l, slot);
    return !is_free(c) && c->id == id ? c : NULL;
}

void loop_memory_check(dx_loop *l)
{
    struct dx_conn *largest = NULL, *c;
    size_t most = BLOCK_BYTES - 1; /* below that it is not queues that eat it */
    if (!account_over())
        return;
    for (uint32_t at = 0; (c = loop_conns_next(l, &at));) {
        size_t n = c->gone ? 0 : queue_memory(c->q);
        if (n > most) {
            most = n;
            largest = c;
        }
    }
    struct layer *lone = lone_largest(l, &most);
    if (lone)
        lone->type->abort(lone);
    if (lone || !largest)
        return;
    conn_set_why(largest, DX_LIMIT, 0, 0, "the process is over its memory limit, and this queue was the largest");
    dx_abort(largest);
}

/* ---- the turn ---- */

static int64_t wait_ms(const dx_loop *l)
{
    const struct heap_node *top = heap_top(&l->timers);
    if (l->chores || l->dead || atomic_load(&l->stop))
        return 0;
    if (!top)
        return -1;
    return top->at > l->now ? top->at - l->now : 0;
}

static int turn(dx_loop *l, int64_t timeout_ms)
{
    int r = os_wait(&l->engine, timeout_ms, &l->now);
    mailbox_run(l);
    run_timers(l);
    run_chores(l);
    loop_memory_check(l);
    free_dead(l);
    return r;
}

static bool has_work(dx_loop *l)
{
    return l->conns || l->listeners || l->refs || l->chores || l->dead || mailbox_has(l);
}

int dx_loop_run(dx_loop *l)
{
    int r = 0;
    l->now = os_now_ms();
    while (r == 0 && !atomic_load(&l->stop) && has_work(l))
        r = turn(l, wait_ms(l));
    atomic_store(&l->stop, false);
    return r < 0 ? DX_SYS : 0;
}

void dx_loop_stop(dx_loop *l)
{
    atomic_store(&l->stop, true);
    os_wake(&l->engine);
}

/* Their time has not come, and now never will. */
static void drop_user_timers(dx_loop *l)
{
    struct user_timer *u;
    for (size_t at = 0; (u = map_next(&l->user_timers, &at));) {
        loop_timer_off(l, &u->timer);
        l->refs -= !u->weak;
        if (u->weak)
            free(u->arg);
        free(u);
    }
    map_free(&l->user_timers);
    l->user_timers = (struct map){0};
}

/* A listener with conns goes with the last of them. */
static void free_listeners(dx_loop *l)
{
    for (dx_listener *s = l->first_listener, *next; s; s = next) {
        next = s->next;
        listener_free(s);
    }
}

/* What has no conn any more goes in order, for nobody waits for anything there; but a peer that takes and takes of what is still queued
 * must not keep us. */
static void abort_all(dx_loop *l, bool in_order)
{
    struct dx_conn *c;
    for (struct lone *n = l->lone, *next; n; n = next) {
        next = n->next;
        if (in_order)
            n->layer->type->close(n->layer);
        else
            n->layer->type->abort(n->layer);
    }
    for (uint32_t at = 0; (c = loop_conns_next(l, &at));)
        dx_abort(c);
}

void dx_loop_free(dx_loop *l)
{
    if (!l)
        return;
    l->freeing = true;
    mailbox_close(l);
    drop_user_timers(l);
    free_listeners(l);
    for (int i = 0; i < 100 && (l->conns || l->lone || l->listeners || l->refs || l->chores || l->dead); i++) {
        abort_all(l, i < 50);
        run_chores(l);
        free_dead(l);
        os_wait(&l->engine, 0, &l->now);
        l->now += 3600 * 1000; /* whatever still waits has waited long enough */
        run_timers(l);
        run_chores(l);
        free_dead(l);
    }
    drop_user_timers(l);
    mailbox_free(l);
    heap_free(&l->timers);
    for (uint32_t i = 0; i < l->slot_chunks; i++)
        free(l->slots[i]);
    free(l->slots);
    store_free(&l->store);
    block_pool_clear();
    os_engine_free(&l->engine);
    free(l);
}
