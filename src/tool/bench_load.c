/* SPDX-License-Identifier: MIT
 * bench_load.c - one thread's load: dials, keeps the pace, and counts. Phases: all conns are dialled; when every thread is ready the
 * clock starts for all at once; messages leave until the end; what is out may still come for a while; the conns close. */
#include "tool/bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DIALS_AT_ONCE = 100,
    START_MS = 2, /* until every thread has heard of it                                  */
    SECOND_MS = 1000,
    LINGER_MS = 300, /* conns have so long to close well                                    */
};

/* ---- the end ---- */

static void end_all(void *arg)
{
    (void)arg;
    tool_end();
}

static void finish(struct bench_load *l)
{
    struct bench_run *run = l->run;
    if (l->finished)
        return;
    l->finished = true;
    pthread_mutex_lock(&run->lock);
    bool all = ++run->over == run->plan->threads;
    pthread_mutex_unlock(&run->lock);
    if (l != run->loads)
        dx_loop_stop(l->loop);
    if (all)
        dx_loop_post(run->loads->loop, end_all, NULL);
}

static void finish_timer(void *arg)
{
    finish(arg);
}

static void close_all(struct bench_load *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->slots[i].c && l->slots[i].open && l->kind->stands)
            dx_close(l->slots[i].c);
        else if (l->slots[i].c)
            dx_abort(l->slots[i].c);
}

void bench_over(struct bench_load *l)
{
    if (l->phase == BENCH_OVER)
        return;
    for (size_t i = 0; i < l->count && l->replies_each && l->plan->wire != BENCH_ROOM; i++)
        if (l->slots[i].open)
            bench_count_early(&l->slots[i], l->slots[i].sent - l->slots[i].got);
    bench_mark_to(l, l->replies_each ? l->last_ns : bench_now());
    l->phase = BENCH_OVER;
    if (l->clock)
        dx_abort(l->clock);
    for (size_t i = 0; i < l->count; i++)
        l->standing += l->slots[i].c != NULL;
    if (l->standing && dx_loop_after(l->loop, LINGER_MS, finish_timer, l) > 0)
        close_all(l);
    else
        finish(l);
}

static void over_timer(void *arg)
{
    bench_over(arg);
}

void bench_give_up(struct bench_load *l)
{
    dx_loop_after(l->loop, 0, over_timer, l);
}

static bool is_through(const struct bench_load *l)
{
    return l->replies_each ? !l->out : !l->open;
}

/* Nothing leaves that has not left, unless -n has promised it. */
static void take_back(struct bench_load *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct bench_slot *s = &l->slots[i];
        if (s->open)
            l->out -= (s->due - s->sent) * l->replies_each;
        s->due = s->sent;
    }
}

void bench_drain(struct bench_load *l)
{
    if (l->phase != BENCH_RUNS)
        return;
    if (l->end_ns != INT64_MAX)
        bench_mark_to(l, bench_now());
    l->phase = BENCH_DRAINS;
    if (l->clock)
        dx_abort(l->clock);
    if (l->plan->rate <= 0 && l->quota)
        take_back(l);
    if (!l->replies_each)
        close_all(l);
    if (is_through(l) || dx_loop_after(l->loop, l->plan->wait_ms, over_timer, l) <= 0)
        bench_over(l);
}

static void end_timer(void *arg)
{
    bench_drain(arg);
}

void bench_settled(struct bench_load *l, uint64_t replies)
{
    l->out -= replies < l->out ? replies : l->out;
    if (l->phase == BENCH_DRAINS && is_through(l))
        bench_over(l);
}

void bench_load_break(struct bench_load *l)
{
    if (l->phase == BENCH_OVER)
        return;
    uint64_t missing = bench_lost(&l->tally);
    l->tally.left = l->out < missing ? l->out : missing;
    bench_mark_to(l, bench_now());
    l->phase = BENCH_OVER;
    finish(l);
}

/* ---- the start ---- */

static int64_t ms_until(int64_t at)
{
    int64_t ns = at - bench_now();
    return ns > 0 ? (ns + 999999) / 1000000 : 0;
}

static void begin(void *arg)
{
    struct bench_load *l = arg;
    const struct bench_plan *p = l->plan;
    l->start_ns = l->last_ns = l->run->start_ns; /* was written before this was posted */
    if (ms_until(l->start_ns)) {
        dx_loop_after(l->loop, ms_until(l->start_ns), begin, l);
        return;
    }
    l->from_ns = l->start_ns + p->warm_ns;
    l->end_ns = p->for_ns ? l->from_ns + p->for_ns : INT64_MAX;
    if (l->plan->rate > 0 && p->messages) {
        double ns = (double)p->messages * 1e9 / p->rate;
        if (ns < (double)(l->end_ns - l->from_ns))
            l->end_ns = l->from_ns + (int64_t)ns;
    }
    l->phase = BENCH_RUNS;
    if (p->warm_ns)
        dx_loop_after(l->loop, ms_until(l->from_ns), bench_mark_from, l);
    else
        bench_mark_from(l);
    if (!l->open) {
        bench_over(l);
        return;
    }
    if (l->kind->begin)
        l->kind->begin(l);
    if (l->plan->rate > 0) {
        bench_clock_set(l, l->start_ns);
        return;
    }
    if (l->end_ns != INT64_MAX)
        dx_loop_after(l->loop, ms_until(l->end_ns), end_timer, l);
    for (size_t i = 0; i < l->talkers && l->phase == BENCH_RUNS; i++)
        bench_grant(&l->slots[i], l->replies_each ? p->depth : 1);
}

static void ready(struct bench_load *l)
{
    struct bench_run *run = l->run;
    l->phase = BENCH_WAITS;
    pthread_mutex_lock(&run->lock);
    bool all = ++run->ready == run->plan->threads;
    if (all)
        run->start_ns = bench_now() + (run->plan->threads > 1 ? START_MS * 1000000 : 0);
    pthread_mutex_unlock(&run->lock);
    for (int i = 0; all && i < run->plan->threads; i++)
        dx_loop_post(run->loads[i].loop, begin, &run->loads[i]);
}

static void dial_more(struct bench_load *l)
{
    dx_err err = {0};
    while (l->phase == BENCH_DIALS && l->dialling < DIALS_AT_ONCE && l->next_dial < l->count) {
        struct bench_slot *s = &l->slots[l->next_dial++];
        s->dial_ns = bench_now();
        s->c = dx_connect(l->loop, l->plan->dial, l->kind->on, s, &l->plan->opts, &err);
        if (s->c)
            l->dialling++;
        else
            bench_fault(l, &err);
    }
    if (l->phase == BENCH_DIALS && !l->dialling && l->next_dial == l->count)
        ready(l);
}

void bench_connected(struct bench_slot *s)
{
    struct bench_tally *t = &s->load->tally;
    int64_t now = bench_now();
    if (!t->opened++)
        t->dial_from_ns = s->dial_ns;
    t->dial_to_ns = now;
    histogram_add(&t->connect, (uint64_t)(now - s->dial_ns), 1);
}

void bench_opened(struct bench_slot *s)
{
    struct bench_load *l = s->load;
    bench_connected(s);
    s->open = true;
    l->open++;
    l->dialling--;
    dial_more(l);
}

void bench_closed(struct bench_slot *s, const dx_err *why, uint64_t owed)
{
    struct bench_load *l = s->load;
    bool was_open = s->open, ours = l->phase == BENCH_DRAINS && !l->replies_each;
    s->c = NULL;
    s->open = false;
    if (l->phase == BENCH_OVER) {
        if (l->standing && !--l->standing)
            finish(l);
        return;
    }
    if (!ours || tool_exit_of(why) != TOOL_DONE)
        bench_fault(l, why);
    if (l->phase >= BENCH_RUNS)
        bench_count_early(s, owed);
    if (!was_open) {
        l->dialling--;
        dial_more(l);
        return;
    }
    l->open--;
    bench_settled(l, owed);
    if (!l->open && l->phase == BENCH_RUNS)
        bench_over(l);
}

/* ---- each second ---- */

static void add_passed(struct bench_passed *to, const struct bench_passed *now, const struct bench_passed *before)
{
    to->in_messages += now->in_messages - before->in_messages;
    to->in_bytes += now->in_bytes - before->in_bytes;
    to->out_messages += now->out_messages - before->out_messages;
    to->out_bytes += now->out_bytes - before->out_bytes;
    to->wrong += now->wrong - before->wrong;
    to->errors += now->errors - before->errors;
}

/* The others' seconds are taken as they stand: they tick beside ours. */
static void say_second(struct bench_run *run)
{
    int64_t now = bench_now(), from = run->said_ns ? run->said_ns : run->start_ns;
    double at_s = (double)(now - run->start_ns) / 1e9, seconds = (double)(now - from) / 1e9;
    if (!run->start_ns || now <= from)
        return;
    if (run->plan->json)
        bench_json_second(run->plan, &run->second, at_s, seconds);
    else
        bench_report_second(run->plan, &run->second, at_s, seconds);
    run->said_ns = now;
    run->second = (struct bench_second){0};
}

/* Messages are still to go, but nothing moves. A datagram that is lost rests its conn until the next look at them finds it so. */
static bool is_stuck(const struct bench_load *l)
{
    int64_t ms = l->plan->wait_ms + (l->plan->wire == BENCH_DATAGRAMS ? SECOND_MS : 0);
    return l->phase == BENCH_RUNS && l->end_ns == INT64_MAX && bench_now() - l->last_ns > ms * 1000000;
}

static void tick(void *arg)
{
    struct bench_load *l = arg;
    if (l->plan->live) {
        pthread_mutex_lock(&l->run->lock);
        add_passed(&l->run->second.passed, &l->passed, &l->passed_second);
        histogram_merge(&l->run->second.latency, &l->second);
        if (l == l->run->loads)
            say_second(l->run);
        pthread_mutex_unlock(&l->run->lock);
        l->passed_second = l->passed;
        l->second = (struct histogram){0};
    }
    if (is_stuck(l))
        bench_over(l);
    dx_loop_after(l->loop, SECOND_MS, tick, l);
}

void bench_load_start(struct bench_load *l)
{
    l->phase = BENCH_DIALS;
    dx_loop_after(l->loop, SECOND_MS, tick, l);
    if (l->kind->stands) {
        dial_more(l);
        return;
    }
    for (size_t i = 0; i < l->count; i++)
        l->slots[i].open = true;
    l->open = l->count;
    ready(l);
}

/* ---- its memory ---- */

static size_t times_count(const struct bench_plan *p)
{
    double in_flight = p->rate / (double)p->conns * (double)p->wait_ms / 1000 + 64;
    size_t want = p->depth, n = 1;
    if (p->wire == BENCH_DATAGRAMS) {
        want = want * 4 > 256 ? want * 4 : 256;
        want = in_flight > (double)(1 << 20) ? 1 << 20 : in_flight > (double)want ? (size_t)in_flight : want;
    } else if (p->rate > 0) {
        want = 1;
    }
    while (n < want)
        n *= 2;
    return n;
}

int bench_load_make(struct bench_load *l, struct bench_run *run, size_t first, size_t count, dx_err *err)
{
    const struct bench_plan *p = run->plan;
    size_t times = times_count(p);
    *l = (struct bench_load){.run = run, .plan = p, .count = count, .clock_fd = -1, .times_mask = times - 1};
    l->kind = p->wire == BENCH_HTTP ? &bench_http : p->wire == BENCH_ROOM ? &bench_room : &bench_talk;
    l->replies_each = p->expect != EXPECT_NONE;
    l->talkers = p->wire == BENCH_ROOM ? 1 : count;
    l->quota = p->messages / (uint64_t)p->threads + (first == 0 ? p->messages % (uint64_t)p->threads : 0);
    l->slots = calloc(count, sizeof *l->slots);
    l->times = calloc(count * times, sizeof *l->times);
    l->scratch = malloc(p->payload.one + 1);
    if (!l->slots || !l->times || !l->scratch) {
        *err = (dx_err){.code = DX_NOMEM, .text = "no memory for so many conns"};
        return DX_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        l->slots[i] = (struct bench_slot){.load = l, .number = first + i, .times = l->times + i * times};
    if (!(l->loop = dx_loop_new(err)))
        return err->code;
    return p->rate > 0 ? bench_clock_make(l, err) : 0;
}

void bench_load_free(struct bench_load *l)
{
    l->phase = BENCH_OVER;
    tool_loop_free(l->loop);
    if (l->clock_fd >= 0)
        close(l->clock_fd);
    free(l->slots);
    free(l->times);
    free(l->scratch);
}
