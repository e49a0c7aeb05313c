/* SPDX-License-Identifier: MIT
 * bench_report.c - what came of a bench, for people: a line a second on a terminal, and a table at the end. */
#include "tool/bench.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers with units ---- */

struct shown {
    char text[32];
};

static struct shown show(double v, const char *const *units, double step)
{
    struct shown s;
    while (v >= step * 0.99995 && units[1]) {
        v /= step;
        units++;
    }
    snprintf(s.text, sizeof s.text, "%.*f %s", v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2, v, *units);
    return s;
}

static struct shown time_of(double ns)
{
    static const char *const units[] = {"ns", "us", "ms", "s", NULL};
    return show(ns, units, 1000);
}

static struct shown bytes_of(double n)
{
    static const char *const units[] = {"B/s", "KiB/s", "MiB/s", "GiB/s", NULL}; /* as send and recv say it */
    return show(n, units, 1024);
}

static const char *noun_of(const struct bench_plan *p)
{
    return p->wire == BENCH_HTTP ? "requests" : "messages";
}

/* ---- the live line ---- */

void bench_report_second(const struct bench_plan *p, const struct bench_second *b, double at_s, double seconds)
{
    const struct bench_passed *n = &b->passed;
    const struct histogram *h = &b->latency;
    fprintf(stderr, "\r\033[K%5.1f s  %.0f %s/s  %s out  %s in", at_s,
            (double)(p->expect == EXPECT_NONE ? n->out_messages : n->in_messages) / seconds, noun_of(p),
            bytes_of((double)n->out_bytes / seconds).text, bytes_of((double)n->in_bytes / seconds).text);
    if (h->count)
        fprintf(stderr, "  p50 %s  p99 %s  max %s", time_of((double)histogram_at(h, 0.5)).text,
                time_of((double)histogram_at(h, 0.99)).text, time_of((double)h->max).text);
    if (n->wrong || n->errors)
        fprintf(stderr, "  %" PRIu64 " wrong, %" PRIu64 " errors", n->wrong, n->errors);
    fflush(stderr);
}

void bench_report_rest(void)
{
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* ---- the table ---- */

static void tell_plan(const struct bench_plan *p)
{
    printf("%s: %zu %s", p->url, p->conns,
           p->wire == BENCH_ROOM   ? "members"
           : p->wire == BENCH_HTTP ? "at a time"
                                   : "conns");
    if (p->payload.one)
        printf(", %zu bytes", p->payload.one);
    if (p->rate > 0)
        printf(", open loop at %g/s", p->rate);
    else
        printf(", closed loop of depth %zu", p->depth);
    if (p->threads > 1)
        printf(", %d threads", p->threads);
    putchar('\n');
}

static void tell_connects(const struct bench_tally *t)
{
    double seconds = (double)(t->dial_to_ns - t->dial_from_ns) / 1e9;
    const struct histogram *h = &t->connect;
    printf("connects    %" PRIu64, t->opened);
    if (t->opened > 1 && seconds > 0)
        printf(", %.0f/s", (double)t->opened / seconds);
    printf("; p50 %s, p99 %s, max %s\n", time_of((double)histogram_at(h, 0.5)).text,
           time_of((double)histogram_at(h, 0.99)).text, time_of((double)h->max).text);
}

static void tell_messages(const struct bench_plan *p, const struct bench_tally *t)
{
    uint64_t lost = bench_lost(t);
    printf("%-11s %" PRIu64 " sent", noun_of(p), t->sent);
    if (p->expect != EXPECT_NONE)
        printf(", %" PRIu64 " right, %" PRIu64 " wrong, %" PRIu64 " lost", t->right, t->wrong, lost);
    if (lost && t->expected)
        printf(" (%.3g %%)", 100.0 * (double)lost / (double)t->expected);
    if (t->unasked)
        printf(", %" PRIu64 " unasked for", t->unasked);
    if (t->left)
        printf(", %" PRIu64 " still out", t->left);
    putchar('\n');
    if (p->wire == BENCH_ROOM && t->expected)
        printf("reach       %.4g %% of %" PRIu64 " deliveries\n", 100.0 * (double)t->right / (double)t->expected,
               t->expected);
}

static void tell_rate(const struct bench_plan *p, const struct bench_tally *t)
{
    double seconds = (double)(t->to_ns - t->from_ns) / 1e9;
    const struct bench_passed *n = &t->passed;
    printf("rate        ");
    if (p->wire == BENCH_ROOM)
        printf("%.1f said/s, %.0f delivered/s", (double)n->out_messages / seconds, (double)n->in_messages / seconds);
    else
        printf("%.1f %s/s", (double)(p->expect == EXPECT_NONE ? n->out_messages : n->in_messages) / seconds,
               noun_of(p));
    printf(", %s out, %s in, over %.2f s\n", bytes_of((double)n->out_bytes / seconds).text,
           bytes_of((double)n->in_bytes / seconds).text, seconds);
}

static void tell_latency(const char *name, const struct histogram *h)
{
    static const struct {
        const char *name;
        double share;
    } columns[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1}};
    if (!h->count)
        return;
    printf("%-11s", name);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        printf(" %10s", columns[i].name);
    printf(" %10s\n%-11s", "mean", "");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        printf(" %10s", time_of((double)histogram_at(h, columns[i].share)).text);
    printf(" %10s\n", time_of(histogram_mean(h)).text);
}

static void tell_errors(const struct bench_tally *t)
{
    if (t->ends)
        printf("ended       %" PRIu64 " conns, by the server\n", t->ends);
    for (const struct tool_exit_row *r = tool_exits; r->name; r++)
        if (t->errors[r->code])
            printf("error       %" PRIu64 " times %s: %s\n", t->errors[r->code], r->name, r->words);
}

void bench_report(const struct bench_plan *p, const struct bench_tally *t, const char *wrong)
{
    tell_plan(p);
    tell_connects(t);
    if (t->to_ns > t->from_ns) {
        tell_messages(p, t);
        if (t->passed.in_messages || !t->expected)
            tell_rate(p, t);
    }
    tell_latency("latency", &t->latency);
    if (p->rate > 0)
        tell_latency("sent late", &t->behind);
    tell_errors(t);
    if (wrong)
        printf("first wrong %s\n", wrong);
    printf("own CPU     %.0f %% of a core%s\n", 100 * t->cpu_share_max, p->threads > 1 ? ", the busiest thread" : "");
    if (bench_is_limit(t))
        tool_say(
            "warning: this end used %.0f %% of a core: these numbers are its limit, not the server's.  Try: --threads",
            100 * t->cpu_share_max);
}
