/* SPDX-License-Identifier: MIT */
#include "os/clock.h"
#include <duplex/http.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

int64_t os_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void os_random(void *ret, size_t n)
{
    uint8_t *p = ret;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

size_t os_memory_total(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size : (size_t)1 << 30;
}

const char *os_http_date(void)
{
    static _Thread_local char text[30];
    static _Thread_local time_t made;
    time_t now = time(NULL);
    if (now != made || !text[0]) {
        dx_http_date(text, now);
        made = now;
    }
    return text;
}
