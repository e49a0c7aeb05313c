/* SPDX-License-Identifier: MIT
 * expect.c - see expect.h. */
#include "tool/expect.h"
#include <duplex/duplex.h>
#include <stdlib.h>
#include <string.h>

static size_t go_on(const struct expect *e, size_t at, char c)
{
    while (at && e->pattern[at] != c)
        at = e->back[at];
    return at + (e->pattern[at] == c);
}

int expect_init(struct expect *e, const void *pattern, size_t n)
{
    *e = (struct expect){.pattern = malloc(n), .n = n};
    e->back = n < SIZE_MAX / sizeof *e->back ? calloc(n + 1, sizeof *e->back) : NULL;
    if (!e->pattern || !e->back) {
        expect_free(e);
        return DX_NOMEM;
    }
    memcpy(e->pattern, pattern, n);
    for (size_t i = 1; i < n; i++)
        e->back[i + 1] = go_on(e, e->back[i], e->pattern[i]);
    return 0;
}

void expect_free(struct expect *e)
{
    free(e->pattern);
    free(e->back);
    *e = (struct expect){0};
}

bool expect_seen(struct expect *e, const void *data, size_t n)
{
    const char *p = data;
    for (size_t i = 0; i < n && e->at < e->n; i++)
        e->at = go_on(e, e->at, p[i]);
    return e->at == e->n;
}
