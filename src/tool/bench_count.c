/* SPDX-License-Identifier: MIT
 * bench_count.c - what a bench counts, and when it counts. */
#include "tool/bench.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LIMIT_SHARE 0.9          /* of a core: beyond it our own speed is what is measured */
enum { TELLING_NS = 100000000 }; /* a shorter window says nothing of that                  */

int64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double cpu_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool bench_counts(const struct bench_load *l, int64_t at)
{
    return at >= l->from_ns && at < l->end_ns;
}

int64_t bench_scheduled(const struct bench_slot *s, uint64_t message)
{
    const struct bench_load *l = s->load;
    double of_all = (double)message * (double)(l->plan->wire == BENCH_ROOM ? 1 : l->plan->conns) + (double)s->number;
    return l->start_ns + (int64_t)(of_all * 1e9 / l->plan->rate);
}

int64_t bench_time_of(const struct bench_slot *s, uint64_t message)
{
    const struct bench_load *l = s->load;
    return l->plan->rate > 0 ? bench_scheduled(s, message) : s->times[message & l->times_mask];
}

void bench_came(struct bench_load *l, int64_t now, size_t bytes, uint64_t messages)
{
    l->last_ns = now;
    l->passed.in_bytes += bytes;
    l->passed.in_messages += messages;
}

void bench_right(struct bench_load *l, int64_t at, int64_t now)
{
    uint64_t ns = now > at ? (uint64_t)(now - at) : 0;
    if (l->plan->live)
        histogram_add(&l->second, ns, 1);
    if (!bench_counts(l, at))
        return;
    l->tally.right++;
    histogram_add(&l->tally.latency, ns, 1);
}

/* Messages beside the window that count after all, for nothing right came back. */
static void add_uncounted(struct bench_load *l, uint64_t n)
{
    l->tally.expected += n;
    l->tally.sent += l->plan->wire == BENCH_ROOM ? 0 : n;
}

static void add_hex(char *to, size_t n, const char *name, dx_bytes b)
{
    size_t at = strlen(to);
    at += (size_t)snprintf(to + at, n - at, "%s", name);
    for (size_t i = 0; i < b.n && i < 16 && at + 4 < n; i++)
        at += (size_t)snprintf(to + at, n - at, " %02x", ((const uint8_t *)b.p)[i]);
    if (!b.n)
        snprintf(to + at, n - at, " nothing");
}

void bench_wrong(struct bench_slot *s, int64_t at, const char *words, size_t where, dx_bytes got, dx_bytes want)
{
    struct bench_load *l = s->load;
    l->passed.wrong++;
    l->tally.wrong++;
    if (!bench_counts(l, at)) /* of the warm-up: a fault all the same */
        add_uncounted(l, 1);
    if (*l->wrong)
        return;
    snprintf(l->wrong, sizeof l->wrong, "conn %llu, %s", (unsigned long long)s->number, words);
    if (!got.n && !want.n)
        return;
    size_t n = strlen(l->wrong);
    snprintf(l->wrong + n, sizeof l->wrong - n, ": byte %zu differs: got", where);
    add_hex(l->wrong, sizeof l->wrong, "", got);
    add_hex(l->wrong, sizeof l->wrong, ", not", want);
}

void bench_unasked(struct bench_load *l)
{
    l->tally.unasked++;
}

void bench_fault(struct bench_load *l, const dx_err *why)
{
    int code = tool_exit_of(why);
    if (code == TOOL_DONE) {
        l->tally.ends++;
        return;
    }
    l->passed.errors++;
    l->tally.errors[code <= TOOL_TERMINATED ? code : TOOL_FAILED]++;
    if (!l->fault.code)
        l->fault = *why;
}

void bench_count_early(struct bench_slot *s, uint64_t owed)
{
    struct bench_load *l = s->load;
    uint64_t early = 0;
    if (l->plan->wire == BENCH_DATAGRAMS || l->plan->wire == BENCH_ROOM)
        early = bench_now() < l->from_ns ? owed : 0;
    else
        while (early < owed && s->got + early < s->sent && bench_time_of(s, s->got + early) < l->from_ns)
            early++;
    add_uncounted(l, early);
}

/* ---- the window ---- */

/* What waits in queues has not gone out yet: one way that is all there is to measure. */
static struct bench_passed passed_now(const struct bench_load *l)
{
    struct bench_passed p = l->passed;
    uint64_t queued = 0;
    for (size_t i = 0; i < l->count && !l->replies_each; i++)
        queued += l->slots[i].c ? dx_queued(l->slots[i].c) : 0;
    queued = queued < p.out_bytes ? queued : p.out_bytes;
    p.out_bytes -= queued;
    p.out_messages -= queued ? queued / l->plan->payload.one : 0;
    return p;
}

void bench_mark_from(void *arg)
{
    struct bench_load *l = arg;
    if (l->phase != BENCH_RUNS)
        return;
    l->tally.from_ns = bench_now();
    l->passed_from = passed_now(l);
    l->cpu_from_s = cpu_now_s();
}

void bench_mark_to(struct bench_load *l, int64_t to)
{
    struct bench_tally *t = &l->tally;
    if (t->to_ns || !t->from_ns)
        return;
    const struct bench_passed now = passed_now(l), *a = &now, *b = &l->passed_from;
    t->to_ns = to > t->from_ns ? to : t->from_ns + 1;
    t->passed = (struct bench_passed){
        a->in_messages - b->in_messages, a->in_bytes - b->in_bytes, a->out_messages - b->out_messages,
        a->out_bytes - b->out_bytes,     a->wrong - b->wrong,       a->errors - b->errors};
    t->cpu_s = cpu_now_s() - l->cpu_from_s;
    t->cpu_share_max = t->cpu_s * 1e9 / (double)(bench_now() - t->from_ns + 1);
}

/* ---- of all threads ---- */

void bench_tally_merge(struct bench_tally *to, const struct bench_tally *from)
{
    struct bench_passed *a = &to->passed;
    const struct bench_passed *b = &from->passed;
    to->expected += from->expected;
    to->sent += from->sent;
    to->right += from->right;
    to->wrong += from->wrong;
    to->unasked += from->unasked;
    to->left += from->left;
    to->ends += from->ends;
    for (size_t i = 0; i < sizeof to->errors / sizeof *to->errors; i++)
        to->errors[i] += from->errors[i];
    if (from->opened && (!to->opened || from->dial_from_ns < to->dial_from_ns))
        to->dial_from_ns = from->dial_from_ns;
    to->opened += from->opened;
    to->dial_to_ns = from->dial_to_ns > to->dial_to_ns ? from->dial_to_ns : to->dial_to_ns;
    if (from->from_ns && (!to->from_ns || from->from_ns < to->from_ns))
        to->from_ns = from->from_ns;
    to->to_ns = from->to_ns > to->to_ns ? from->to_ns : to->to_ns;
    *a = (struct bench_passed){
        a->in_messages + b->in_messages, a->in_bytes + b->in_bytes, a->out_messages + b->out_messages,
        a->out_bytes + b->out_bytes,     a->wrong + b->wrong,       a->errors + b->errors};
    to->cpu_s += from->cpu_s;
    to->cpu_share_max = from->cpu_share_max > to->cpu_share_max ? from->cpu_share_max : to->cpu_share_max;
    histogram_merge(&to->latency, &from->latency);
    histogram_merge(&to->behind, &from->behind);
    histogram_merge(&to->connect, &from->connect);
}

uint64_t bench_lost(const struct bench_tally *t)
{
    uint64_t known = t->right + t->wrong + t->left;
    return t->expected > known ? t->expected - known : 0;
}

bool bench_is_limit(const struct bench_tally *t)
{
    return t->cpu_share_max > LIMIT_SHARE && t->to_ns - t->from_ns >= TELLING_NS;
}
