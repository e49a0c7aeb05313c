/* SPDX-License-Identifier: MIT */
#include "core/block.h"
#include "os/clock.h"
#include "os/lock.h"
#include <stdlib.h>

enum { POOL_MAX = 64 };
static _Thread_local struct {
    struct block *v[POOL_MAX];
    int n;
    bool kept; /* it goes when its thread does */
} pool;
static os_key pool_key;
static os_once pool_once = OS_ONCE_INIT;
static bool pool_has_key;
static atomic_size_t used, limit;

void dx_memory_limit(size_t bytes_max)
{
    atomic_store(&limit, bytes_max);
}

size_t dx_memory_used(void)
{
    return atomic_load(&used);
}

static size_t default_limit(void)
{
    size_t quarter = os_memory_total() / 4, most = (size_t)1 << 30, now = 0;
    atomic_compare_exchange_strong(&limit, &now, quarter < most ? quarter : most);
    return atomic_load(&limit);
}

bool account_over(void)
{
    size_t most = atomic_load_explicit(&limit, memory_order_relaxed);
    return atomic_load_explicit(&used, memory_order_relaxed) > (most ? most : default_limit());
}

void *account_alloc(size_t n)
{
    void *p = malloc(n);
    if (p)
        atomic_fetch_add_explicit(&used, n, memory_order_relaxed);
    return p;
}

void *account_realloc(void *p, size_t old_n, size_t n)
{
    void *now = realloc(p, n);
    if (now)
        atomic_fetch_add_explicit(&used, n - old_n, memory_order_relaxed);
    return now;
}

void account_free(void *p, size_t n)
{
    if (p)
        atomic_fetch_sub_explicit(&used, n, memory_order_relaxed);
    free(p);
}

struct block *block_new(size_t cap)
{
    struct block *b;
    if (cap > UINT32_MAX - sizeof *b)
        return NULL;
    if ((cap == 0 || cap == BLOCK_BYTES) && pool.n > 0) {
        b = pool.v[--pool.n];
        atomic_fetch_add_explicit(&used, sizeof *b + b->cap, memory_order_relaxed);
    } else {
        cap = cap ? cap : BLOCK_BYTES;
        b = account_alloc(sizeof *b + cap);
        if (!b)
            return NULL;
        b->cap = (uint32_t)cap;
    }
    atomic_init(&b->refs, 1);
    b->used = 0;
    return b;
}

struct block *block_ref(struct block *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

/* Any thread may drop the last reference of a block, also one that never runs a loop and so never clears its pool. */
static void pool_end(void *unused)
{
    (void)unused;
    block_pool_clear();
}

static void pool_key_make(void)
{
    pool_has_key = os_key_new(&pool_key, pool_end) == 0;
}

static bool pool_keep(void)
{
    os_once_do(&pool_once, pool_key_make);
    pool.kept = pool_has_key && os_key_set(pool_key, &pool) == 0;
    return pool.kept;
}

void block_drop(struct block *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (b->cap == BLOCK_BYTES && pool.n < POOL_MAX && (pool.kept || pool_keep())) {
        pool.v[pool.n++] = b; /* spare, and so not on the account */
        atomic_fetch_sub_explicit(&used, sizeof *b + b->cap, memory_order_relaxed);
        return;
    }
    account_free(b, sizeof *b + b->cap);
}

struct block *block_with_room(struct block **last, size_t n)
{
    if (n > BLOCK_BYTES / 2)
        return block_new(n);
    if (*last && block_is_ours(*last))
        (*last)->used = 0; /* all of it has gone: the same bytes again, still in the cache */
    if (!*last || (*last)->cap - (*last)->used < n) {
        struct block *b = block_new(0);
        if (!b)
            return NULL;
        block_drop(*last);
        *last = b;
    }
    return block_ref(*last);
}

void block_pool_clear(void)
{
    while (pool.n > 0)
        free(pool.v[--pool.n]);
}
