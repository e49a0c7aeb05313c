/* SPDX-License-Identifier: MIT */
#include "tool/progress.h"
#include <stdio.h>
#include <string.h>

enum { RATE_MS = 3000 }; /* over about so long a rate is taken */

void progress_begin(struct progress *p, int64_t size, int64_t now_ms)
{
    *p = (struct progress){.size = size, .began_ms = now_ms, .at_ms = now_ms, .rate = -1};
}

void progress_note(struct progress *p, int64_t bytes, int64_t now_ms)
{
    int64_t ms = now_ms - p->at_ms;
    if (ms <= 0)
        return;
    double rate = (double)(bytes - p->at) * 1000 / (double)ms;
    double share = ms < RATE_MS ? (double)ms / (double)RATE_MS : 1;
    int64_t all_ms = now_ms - p->began_ms;
    if (p->rate < 0 || all_ms < RATE_MS) /* at first: of all there was */
        p->rate = (double)bytes * 1000 / (double)(all_ms > 0 ? all_ms : 1);
    else
        p->rate += (rate - p->rate) * share;
    p->at = bytes;
    p->at_ms = now_ms;
}

void progress_bytes(double bytes, char buf[PROGRESS_WORDS])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t i = 0;
    if (bytes < 1024) {
        snprintf(buf, PROGRESS_WORDS, "%.0f B", bytes);
        return;
    }
    for (bytes /= 1024; bytes >= 1023.5 && i + 1 < sizeof units / sizeof *units; i++)
        bytes /= 1024;
    snprintf(buf, PROGRESS_WORDS, "%.*f %s", bytes < 99.95 ? 1 : 0, bytes, units[i]);
}

static void clock_words(int64_t s, char *buf, size_t n)
{
    if (s >= 3600)
        snprintf(buf, n, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    else
        snprintf(buf, n, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

static void add(char buf[PROGRESS_WORDS], const char *before, const char *words, const char *after)
{
    size_t n = strlen(buf);
    snprintf(buf + n, PROGRESS_WORDS - n, "%s%s%s", before, words, after);
}

void progress_words(const struct progress *p, char buf[PROGRESS_WORDS])
{
    char part[PROGRESS_WORDS];
    double left = (double)(p->size - p->at);
    progress_bytes((double)p->at, buf);
    if (p->size > 0 && left >= 0) {
        progress_bytes((double)p->size, part);
        add(buf, " of ", part, "");
        snprintf(part, sizeof part, "%d", (int)((double)p->at * 100 / (double)p->size));
        add(buf, ", ", part, " %");
    }
    if (p->rate < 0)
        return;
    progress_bytes(p->rate, part);
    add(buf, ", ", part, "/s");
    if (p->size > 0 && left > 0 && p->rate >= 1 && left / p->rate < 360000) {
        clock_words((int64_t)(left / p->rate + 0.999), part, sizeof part);
        add(buf, ", ", part, " left");
    }
}

void progress_total(const struct progress *p, int64_t bytes, int64_t now_ms, char buf[PROGRESS_WORDS])
{
    char part[PROGRESS_WORDS];
    int64_t ms = now_ms - p->began_ms;
    progress_bytes((double)bytes, buf);
    if (ms < 100000)
        snprintf(part, sizeof part, "%.1f s", (double)ms / 1000);
    else
        clock_words(ms / 1000, part, sizeof part);
    add(buf, " in ", part, "");
    if (ms <= 0)
        return;
    progress_bytes((double)bytes * 1000 / (double)ms, part);
    add(buf, ", ", part, "/s");
}
