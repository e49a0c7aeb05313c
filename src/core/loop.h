/* SPDX-License-Identifier: MIT
 * loop.h - one thread's turn: wait, what completed, posts, timers, and at its end every conn that has something to write is
 * flushed once, every layer that is done is freed. */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H
#include "base/heap.h"
#include "base/map.h"
#include "core/layer.h"
#include "os/engine.h"

/* A deadline inside its owner. fire runs in the loop's turn, once. */
struct timer {
    struct heap_node node;
    void (*fire)(struct timer *t, dx_loop *loop);
};
/* Something to do at the end of this turn, or the next if asked for while it runs; inside its owner. */
struct chore {
    struct chore *next;
    void (*run)(struct chore *c, dx_loop *loop);
    bool waiting;
};
struct mailbox;
struct lone;
struct dx_loop {
    struct os_engine engine;
    struct heap timers;
    int64_t now; /* ms                                              */
    struct store store;
    struct chore *chores, **chores_end;
    struct layer *dead, **dead_end; /* by their `above`: freed at the end of the turn, those above before those below */
    struct mailbox *box;
    uint32_t index;          /* in the table of loops: part of every dx_id        */
    struct dx_conn ***slots; /* chunks of SLOT_CHUNK                              */
    uint32_t slot_chunks, slot_free, slot_gen;
    size_t conns, listeners, refs; /* what dx_loop_run waits for; refs: dials, user timers */
    struct dx_listener *first_listener;
    struct lone *lone; /* layers on dialled connections that have no conn: kept ones. They do not keep dx_loop_run going */
    struct {
        int host_max, all_max;
        int64_t idle_ms;
    } keep; /* dx_fetch_keep; 0: the default */
    struct map user_timers; /* by number                                        */
    int64_t user_timer_last;
    int64_t post_drops, accept_rests, handshake_faults;
    atomic_bool stop;
    bool freeing;
};
enum { SLOT_CHUNK = 512 };

int loop_timer(dx_loop *l, struct timer *t, int64_t at); /* 0 or DX_NOMEM; moves it if set   */
void loop_timer_off(dx_loop *l, struct timer *t);
/* dx_loop_after that does not keep dx_loop_run going; arg is free()d if it never runs. */
int64_t loop_after_weak(dx_loop *l, int64_t ms, void (*fn)(void *arg), void *arg);
void loop_chore(dx_loop *l, struct chore *c);     /* once, however often it is asked  */
void loop_chore_off(dx_loop *l, struct chore *c); /* not asked for: no error            */
void loop_bury(dx_loop *l, struct layer *layer);

/* ids: slots hold conns by number */
int loop_slot_take(dx_loop *l, struct dx_conn *c); /* fills c->id; DX_NOMEM            */
void loop_slot_drop(dx_loop *l, struct dx_conn *c);
/* Every conn there is, one by one: *at starts at 0; NULL at the end. */
struct dx_conn *loop_conns_next(dx_loop *l, uint32_t *at);
void loop_memory_check(dx_loop *l); /* past the process's cap: the conn with the largest queue here is broken off */
#endif
