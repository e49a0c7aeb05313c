/* SPDX-License-Identifier: MIT
 * path.c - from a request's path to a name beneath the folder. What is odd in any way is nothing that is there. */
#include "files/inside.h"
#include <string.h>

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* The next byte of the path, its escape read; -1: no such byte may stand there. */
static int next(const uint8_t **p, const uint8_t *end)
{
    int hi, lo;
    if (**p != '%')
        return *(*p)++;
    if (end - *p < 3 || (hi = digit((*p)[1])) < 0 || (lo = digit((*p)[2])) < 0)
        return -1;
    *p += 3;
    int byte = hi << 4 | lo;
    return byte == '/' ? -1 : byte; /* an escaped '/' is part of a name, and no name has one */
}

static bool part_ok(const char *s, size_t n, bool hidden)
{
    bool dots = (n == 1 && *s == '.') || (n == 2 && !memcmp(s, "..", 2));
    return n > 0 && !dots && (hidden || *s != '.');
}

bool path_read(struct path *ret, dx_bytes raw, bool hidden)
{
    const uint8_t *p = raw.p, *end = p + raw.n;
    size_t n = 0, part = 0;
    if (!p || p == end || *p++ != '/')
        return false;
    while (p < end) {
        bool slash = *p == '/';
        int c = slash ? '/' : next(&p, end);
        if (c <= 0 || n + 2 > sizeof(ret->name))
            return false;
        if (slash) {
            if (!part_ok(ret->name + part, n - part, hidden))
                return false;
            part = n + 1;
            p++;
        }
        ret->name[n++] = (char)c;
    }
    ret->folder = n == part;
    if (n > part && !part_ok(ret->name + part, n - part, hidden))
        return false;
    if (n && ret->name[n - 1] == '/')
        n--;
    if (!n)
        ret->name[n++] = '.';
    ret->name[n] = 0;
    return true;
}
