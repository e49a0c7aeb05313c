/* SPDX-License-Identifier: MIT
 * load_window.c - the load generators' clock: windows, histograms and the line that tells what came of them. */
#include "load.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

_Noreturn void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("load: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

void histogram_add(struct histogram *h, uint64_t ns, uint64_t times)
{
    unsigned octave = 63 - (unsigned)__builtin_clzll(ns | 16);
    h->n[octave * 16 + ((ns >> (octave - 4)) & 15)] += times;
    h->sum += times;
}

double histogram_at(const struct histogram *h, double share)
{
    uint64_t want = (uint64_t)(share * (double)h->sum), seen = 0;
    for (size_t i = 0; i < sizeof h->n / sizeof *h->n; i++)
        if ((seen += h->n[i]) > want)
            return (double)(1ull << (i / 16)) * (1 + ((double)(i % 16) + 0.5) / 16);
    return 0;
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

void window_start(struct window *w, double seconds, uint64_t messages)
{
    *w = (struct window){.left = messages ? messages : UINT64_MAX, .counting = messages != 0, .cpu_s = cpu_seconds()};
    w->start_ns = w->now = now_ns();
    w->from_ns = w->start_ns + (messages ? 0 : (int64_t)(seconds * 1e8));
    w->end_ns = messages ? INT64_MAX : w->from_ns + (int64_t)(seconds * 1e9);
}

static void window_tick(struct window *w)
{
    if (!w->counting && !w->stopping && w->now >= w->from_ns) {
        w->counting = true;
        w->from_ns = w->now;
    }
    if (!w->stopping && w->now >= w->end_ns) {
        w->stopping = true;
        w->counted_ns = w->now - w->from_ns;
        w->counting = false;
    }
}

static void window_print(struct window *w)
{
    if (w->end_ns == INT64_MAX)
        w->counted_ns = w->now - w->start_ns;
    printf("messages=%llu seconds=%.6f p50_us=%.1f p99_us=%.1f all=%llu lost=%llu load_cpu=%.2f",
           (unsigned long long)w->counted, (double)w->counted_ns / 1e9, histogram_at(&w->latency, 0.5) / 1e3,
           histogram_at(&w->latency, 0.99) / 1e3, (unsigned long long)w->all, (unsigned long long)w->lost,
           (cpu_seconds() - w->cpu_s) / ((double)(w->now - w->start_ns) / 1e9));
}

void window_run(struct window *w, const uint64_t *out, void (*turn)(void))
{
    while (*out) {
        turn();
        window_tick(w);
    }
    window_print(w);
}

bool window_option(struct asked *a, int option, const char *value)
{
    if (option == 't')
        a->seconds = strtod(value, NULL);
    else if (option == 'n')
        a->messages = strtoull(value, NULL, 10);
    else if (option == 'i')
        a->by_word = true;
    else
        return false;
    return true;
}

void window_serve(const struct asked *a, void (*window)(double seconds, uint64_t messages))
{
    if (!a->by_word) {
        window(a->seconds, a->messages);
        return;
    }
    puts("ready");
    fflush(stdout);
    for (char line[64]; fgets(line, sizeof line, stdin);) {
        if (line[0] == 't')
            window(strtod(line + 1, NULL), 0);
        else if (line[0] == 'n')
            window(0, strtoull(line + 1, NULL, 10));
        else
            break;
    }
}
