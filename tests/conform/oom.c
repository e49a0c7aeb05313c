/* SPDX-License-Identifier: MIT
 * oom.c - the linker sends every allocation of the library through here (--wrap), so that the n-th can fail. */
#include "oom.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

static atomic_int left; /* 0: none fails */

void oom_arm(int nth)
{
    atomic_store(&left, nth);
}

static bool fails(void)
{
    if (atomic_load(&left) == 0 || atomic_fetch_sub(&left, 1) != 1)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
    return fails() ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

bool oom_came(void)
{
    return atomic_load(&left) <= 0;
}

/* ---- the tests' own, which do not fail ---- */
void *sure_calloc(size_t n)
{
    void *p = __real_calloc(1, n);
    if (!p)
        abort();
    return p;
}

void *sure_realloc(void *p, size_t n)
{
    p = __real_realloc(p, n);
    if (!p)
        abort();
    return p;
}
