/* SPDX-License-Identifier: MIT
 * bench_pace.c - when messages leave: in the closed loop when a reply has come, in the open loop when their time has. */
#include "tool/bench.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>

enum {
    BURST_MAX = 4096, /* messages that leave before replies are looked at again */
    CLOCK_GAP_NS = 10000,
    UNTIMED_RUN = 64,
};

static bool is_open_loop(const struct bench_load *l)
{
    return l->plan->rate > 0;
}

/* ---- sending ---- */

static void note_sent(struct bench_slot *s, int64_t at, int64_t now)
{
    struct bench_load *l = s->load;
    size_t one = l->plan->payload.one;
    if (l->times_mask || !is_open_loop(l))
        s->times[s->sent & l->times_mask] = at;
    s->sent++;
    l->passed.out_messages++;
    l->passed.out_bytes += one;
    if (!l->replies_each)
        l->last_ns = now;
    if (!bench_counts(l, at))
        return;
    l->tally.sent++;
    if (is_open_loop(l))
        histogram_add(&l->tally.behind, now > at ? (uint64_t)(now - at) : 0, 1);
    else
        l->tally.expected += l->replies_each;
}

/* A conn to which nothing more can be sent is of no more use; its on_close says why. */
static void no_sending(struct bench_slot *s, int code)
{
    if (!s->c)
        return;
    const dx_err *why = dx_why(s->c);
    dx_err e = why->code ? *why : (dx_err){.code = code};
    if (!e.text[0])
        snprintf(e.text, sizeof e.text, "send: %s", dx_code_text(code));
    bench_fault(s->load, &e);
    s->full = true;
    dx_abort(s->c);
}

void bench_allow(struct bench_slot *s, uint64_t messages)
{
    struct bench_load *l = s->load;
    if (is_open_loop(l) || l->phase != BENCH_RUNS || !s->open)
        return;
    bool limited = l->plan->messages && bench_now() >= l->from_ns;
    if (limited && messages > l->quota)
        messages = l->quota;
    l->quota -= limited ? messages : 0;
    s->due += messages;
    l->out += messages * l->replies_each;
}

/* One way in the closed loop: as much as the wire takes. */
static bool may_flow(struct bench_slot *s)
{
    struct bench_load *l = s->load;
    if (l->replies_each || is_open_loop(l) || l->phase != BENCH_RUNS)
        return false;
    bench_allow(s, 1);
    return s->sent < s->due;
}

/* With -n in the closed loop: all that it allows may leave; one way it must have left. */
static bool is_spent(const struct bench_load *l)
{
    if (is_open_loop(l) || !l->plan->messages || l->quota || l->phase != BENCH_RUNS)
        return false;
    for (size_t i = 0; i < l->count && !l->replies_each; i++)
        if (l->slots[i].open && l->slots[i].sent < l->slots[i].due)
            return false;
    return true;
}

void bench_go(struct bench_slot *s)
{
    struct bench_load *l = s->load;
    int64_t now = bench_now();
    for (int k = 1; s->open && !s->full && (s->sent < s->due || may_flow(s)); k++) {
        if (k % UNTIMED_RUN == 0)
            now = bench_now();
        int64_t at = is_open_loop(l) ? bench_scheduled(s, s->sent) : now;
        int r = l->kind->send(s, at);
        if (r >= 0)
            note_sent(s, at, now);
        else if (r != DX_FULL)
            no_sending(s, r);
        s->full |= r > 0 || r == DX_FULL;
    }
    if (is_spent(l))
        bench_drain(l);
}

void bench_grant(struct bench_slot *s, uint64_t messages)
{
    if (!messages)
        return;
    bench_allow(s, messages);
    bench_go(s);
}

/* ---- the open loop's clock ---- */

void bench_clock_set(const struct bench_load *l, int64_t at)
{
    struct itimerspec when = {.it_value = {at / 1000000000, at % 1000000000}};
    timerfd_settime(l->clock_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void schedule(struct bench_slot *s, int64_t at)
{
    struct bench_load *l = s->load;
    s->due++;
    if (bench_counts(l, at))
        l->tally.expected += l->replies_each;
    if (!s->open)
        return;
    l->out += l->replies_each;
    bench_go(s);
}

static void pace(struct bench_load *l)
{
    int64_t now = bench_now();
    for (int k = 0; l->phase == BENCH_RUNS; k++) {
        struct bench_slot *s = &l->slots[l->place];
        int64_t at = bench_scheduled(s, s->due);
        if (at >= l->end_ns && now >= l->end_ns) {
            bench_drain(l);
            return;
        }
        if (at > now || at >= l->end_ns || k == BURST_MAX) {
            at = at < l->end_ns ? at : l->end_ns;
            bench_clock_set(l, at > now + CLOCK_GAP_NS ? at : now + CLOCK_GAP_NS);
            return;
        }
        schedule(s, at);
        l->place = (l->place + 1) % l->talkers;
    }
}

static void clock_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)data, (void)n, (void)how;
    pace(dx_user(c));
}

static void clock_close(dx_conn *c, const dx_err *why)
{
    struct bench_load *l = dx_user(c);
    l->clock = NULL;
    if (l->phase != BENCH_RUNS)
        return;
    bench_fault(l, why);
    bench_over(l);
}

static const dx_handler clock_on = {.on_data = clock_data, .on_close = clock_close};

int bench_clock_make(struct bench_load *l, dx_err *err)
{
    char url[24];
    l->clock_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (l->clock_fd < 0) {
        *err = (dx_err){.code = DX_SYS, .detail = errno, .detail_of = DX_OF_ERRNO};
        snprintf(err->text, sizeof err->text, "timer: %s", strerror(errno));
        return DX_SYS;
    }
    snprintf(url, sizeof url, "fd:%d", l->clock_fd);
    l->clock = dx_connect(l->loop, url, &clock_on, l, NULL, err);
    return l->clock ? 0 : err->code;
}
