/* SPDX-License-Identifier: MIT
 * stamp.c - see stamp.h. */
#include "tool/stamp.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t clock_us(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t steady_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

struct moment moment_now(void)
{
    return (struct moment){clock_us(CLOCK_REALTIME) / 1000, steady_now_us() / 1000};
}

int stamp_add(struct moment *last, struct moment at, bool dated, dx_text *out)
{
    char day[64], text[160];
    struct tm tm = {0};
    time_t s = (time_t)(at.wall_ms / 1000);
    int64_t since = last->steady_ms ? at.steady_ms - last->steady_ms : 0;
    localtime_r(&s, &tm);
    strftime(day, sizeof day, dated ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm);
    int n = snprintf(text, sizeof text, "%s.%03d +%" PRId64 ".%03d", day, (int)(at.wall_ms % 1000), since / 1000,
                     (int)(since % 1000));
    *last = at;
    return dx_text_add(out, text, (size_t)n);
}
