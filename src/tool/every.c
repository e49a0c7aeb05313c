/* SPDX-License-Identifier: MIT
 * every.c - see every.h. */
#include "tool/every.h"
#include "tool/stamp.h"
#include "tool/tool.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BUCKET_US = 10, BUCKETS = 10000 }; /* later than that all counts as the last one */

struct every {
    dx_loop *loop;
    void (*tick)(void *arg);
    void *arg;
    int64_t ms, begin_us;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, joined;   /* stop: under lock                                      */
    atomic_bool waiting; /* a tick is posted and has not run                       */
    int64_t due_us;      /* of that one: written before waiting is set             */
    _Atomic uint64_t left_out;
    uint64_t done;
    uint32_t late[BUCKETS];
};

static void run_tick(void *arg)
{
    struct every *e = arg;
    e->tick(e->arg);
    atomic_store(&e->waiting, false);
}

/* false: told to stop. */
static bool wait_until(struct every *e, int64_t us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    pthread_mutex_lock(&e->lock);
    while (!e->stop && steady_now_us() < us)
        pthread_cond_timedwait(&e->wake, &e->lock, &t);
    bool goes_on = !e->stop;
    pthread_mutex_unlock(&e->lock);
    return goes_on;
}

static void *keep_time(void *arg)
{
    struct every *e = arg;
    for (int64_t due = e->begin_us; wait_until(e, due); due += e->ms * 1000) {
        if (atomic_load(&e->waiting)) {
            atomic_fetch_add(&e->left_out, 1);
            continue;
        }
        e->due_us = due;
        atomic_store(&e->waiting, true);
        if (dx_loop_post(e->loop, run_tick, e) < 0)
            atomic_store(&e->waiting, false);
    }
    return NULL;
}

struct every *every_new(dx_loop *l, int64_t ms, void (*tick)(void *arg), void *arg)
{
    struct every *e = calloc(1, sizeof *e);
    pthread_condattr_t attr;
    if (!e)
        return NULL;
    *e = (struct every){.loop = l, .tick = tick, .arg = arg, .ms = ms, .begin_us = steady_now_us()};
    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&e->thread, NULL, keep_time, e) == 0)
        return e;
    e->joined = true;
    every_free(e);
    return NULL;
}

void every_done(struct every *e)
{
    int64_t late = (steady_now_us() - e->due_us) / BUCKET_US;
    e->late[late < 0 ? 0 : late < BUCKETS ? late : BUCKETS - 1]++;
    e->done++;
}

void every_stop(struct every *e)
{
    if (!e || e->joined)
        return;
    pthread_mutex_lock(&e->lock);
    e->stop = true;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->thread, NULL);
    e->joined = true;
}

/* In ms: what share of the ticks was no later than. */
static double percentile(const struct every *e, uint64_t percent)
{
    uint64_t want = (e->done * percent + 99) / 100, seen = 0;
    int i = 0;
    while (i < BUCKETS && (seen += e->late[i]) < want)
        i++;
    return (double)(i * BUCKET_US) / 1000.0;
}

void every_report(const struct every *e)
{
    char skipped[80] = "none skipped";
    uint64_t left_out = atomic_load(&e->left_out);
    if (left_out)
        snprintf(skipped, sizeof skipped, "%" PRIu64 " skipped: the one before was still waiting", left_out);
    if (!e->done) {
        tool_say("sent nothing, every %" PRId64 " ms; %s", e->ms, skipped);
        return;
    }
    tool_say("sent %" PRIu64 " time%s, every %" PRId64 " ms: jitter median %.2f ms, p99 %.2f ms; %s", e->done,
             e->done == 1 ? "" : "s", e->ms, percentile(e, 50), percentile(e, 99), skipped);
}

void every_free(struct every *e)
{
    if (!e)
        return;
    every_stop(e);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->wake);
    free(e);
}
