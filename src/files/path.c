/* SPDX-License-Identifier: MIT
 * path.c - from a request's path to a name beneath the folder. What is odd in any way is nothing that is there. */
#include "files/inside.h"
#include <string.h>

/* A part with a '/' in it was escaped, and no name has one. */
static bool part_ok(const char *s, size_t n, bool hidden)
{
    bool dots = (n == 1 && *s == '.') || (n == 2 && !memcmp(s, "..", 2));
    return n > 0 && !dots && !memchr(s, '/', n) && !memchr(s, 0, n) && (hidden || *s != '.');
}

bool path_read(struct path *ret, dx_bytes raw, bool hidden)
{
    const char *p = raw.p, *end = p + raw.n, *to;
    dx_text name = {0};
    bool ok = raw.n && *p == '/';
    ret->folder = true;
    for (; ok && p + 1 < end; p = to) {
        to = memchr(p + 1, '/', (size_t)(end - p - 1));
        to = to ? to : end;
        ok = !name.n || dx_text_add(&name, "/", 1) == 0;
        size_t was = name.n;
        ok = ok && dx_percent_decode(p + 1, (size_t)(to - p - 1), false, &name) == 0 &&
             part_ok(name.p + was, name.n - was, hidden) && name.n < sizeof(ret->name);
        ret->folder = to < end;
    }
    if (ok)
        memcpy(ret->name, name.n ? name.p : ".", name.n ? name.n + 1 : 2);
    dx_text_free(&name);
    return ok;
}
