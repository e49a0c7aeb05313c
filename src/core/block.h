/* SPDX-License-Identifier: MIT
 * block.h - counted memory that queues share, and the process-wide account of it.
 *
 * A block's bytes are written once and then only read, so any thread may hold it. Blocks of the usual size are kept in a
 * small pool per thread. */
#ifndef CORE_BLOCK_H
#define CORE_BLOCK_H
#include <duplex/duplex.h>
#include <stdatomic.h>

enum { BLOCK_BYTES = 64 << 10 };
struct block {
    atomic_int refs;
    uint32_t cap;
    uint32_t used; /* bump: who fills it may add behind */
    uint8_t data[];
};
struct block *block_new(size_t cap); /* one reference; cap 0: the usual size. NULL: no memory */
struct block *block_ref(struct block *b);
void block_drop(struct block *b); /* NULL is fine */
/* A block with room for n bytes behind what *last has used, and a reference to it for the caller: *last itself, or a new one that
 * takes its place. Big ones get a block of their own. NULL: no memory. */
struct block *block_with_room(struct block **last, size_t n);
/* Is the caller's reference the only one? Then what was written is read no more. */
static inline bool block_is_ours(struct block *b)
{
    return atomic_load_explicit(&b->refs, memory_order_acquire) == 1;
}
void block_pool_clear(void); /* a thread that ends its loop gives its spare blocks back */

/* The account: what queues, messages and held input cost, in bytes of malloc. */
void *account_alloc(size_t n); /* NULL: no memory */
void *account_realloc(void *p, size_t old_n, size_t n);
void account_free(void *p, size_t n);
bool account_over(void); /* past dx_memory_limit */
#endif
