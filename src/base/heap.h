/* SPDX-License-Identifier: MIT
 * heap.h - the deadlines of a loop: a 4-ary heap of nodes that live inside their owners. No clock here. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t at;   /* the key: any unit                              */
    uint32_t pos; /* place in the heap + 1; 0: not in it. Zero it first */
    uint32_t own; /* the owner's: room that would else be padding */
};
struct heap {
    struct heap_node **v;
    size_t n, cap;
};
/* Adds the node with key at, or moves it there. 0 or DX_NOMEM (then it is where it was). */
int heap_set(struct heap *h, struct heap_node *node, int64_t at);
void heap_del(struct heap *h, struct heap_node *node); /* not in it: no error */
static inline struct heap_node *heap_top(const struct heap *h)
{
    return h->n ? h->v[0] : NULL;
}
void heap_free(struct heap *h); /* its own memory alone */
#endif
