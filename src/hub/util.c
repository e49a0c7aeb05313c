/* SPDX-License-Identifier: MIT
 * util.c - the clock of the wall, chance, and text that grows. */
#include "hub/inside.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool fill_random(void *p, size_t n)
{
    return getrandom(p, n, 0) == (ssize_t)n;
}

int text_str(dx_text *t, const char *s)
{
    return dx_text_add(t, s, strlen(s));
}

int text_fmt(dx_text *t, const char *fmt, ...)
{
    char s[1024];
    va_list args;
    int n;
    va_start(args, fmt);
    n = vsnprintf(s, sizeof(s), fmt, args);
    va_end(args);
    if (n < 0)
        return DX_URL;
    return dx_text_add(t, s, (size_t)n < sizeof(s) ? (size_t)n : sizeof(s) - 1);
}

int text_json(dx_text *t, const char *s, size_t n)
{
    if (dx_text_add(t, "\"", 1) < 0 || dx_json_escape(s, n, t) < 0)
        return DX_NOMEM;
    return dx_text_add(t, "\"", 1);
}

int text_base64(dx_text *t, const uint8_t *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        char out[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                       i + 2 < n ? digits[v & 63] : '='};
        if (dx_text_add(t, out, 4) < 0)
            return DX_NOMEM;
    }
    return 0;
}
