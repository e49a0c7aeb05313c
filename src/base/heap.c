/* SPDX-License-Identifier: MIT
 * heap.c - a 4-ary heap: half the depth of a binary one, and four children share a cache line. */
#include "heap.h"
#include <duplex/duplex.h>
#include <assert.h>
#include <stdlib.h>

static void place(struct heap *h, struct heap_node *node, size_t i)
{
    h->v[i] = node;
    node->pos = (uint32_t)i + 1;
}

static void sift_up(struct heap *h, struct heap_node *node, size_t i)
{
    while (i > 0) {
        size_t up = (i - 1) / 4;
        if (h->v[up]->at <= node->at)
            break;
        place(h, h->v[up], i);
        i = up;
    }
    place(h, node, i);
}

static void sift_down(struct heap *h, struct heap_node *node, size_t i)
{
    for (;;) {
        size_t first = 4 * i + 1, end = first + 4 < h->n ? first + 4 : h->n;
        if (first >= h->n)
            break;
        size_t least = first;
        for (size_t k = first + 1; k < end; k++)
            if (h->v[k]->at < h->v[least]->at)
                least = k;
        if (h->v[least]->at >= node->at)
            break;
        place(h, h->v[least], i);
        i = least;
    }
    place(h, node, i);
}

static void settle(struct heap *h, struct heap_node *node, size_t i)
{
    if (i > 0 && h->v[(i - 1) / 4]->at > node->at)
        sift_up(h, node, i);
    else
        sift_down(h, node, i);
}

static int grow(struct heap *h)
{
    size_t cap = h->cap ? h->cap * 2 : 16;
    if (cap > UINT32_MAX / 2)
        return DX_NOMEM;
    struct heap_node **v = realloc(h->v, cap * sizeof(struct heap_node *));
    if (!v)
        return DX_NOMEM;
    h->v = v;
    h->cap = cap;
    return 0;
}

int heap_set(struct heap *h, struct heap_node *node, int64_t at)
{
    if (node->pos == 0) {
        if (h->n == h->cap && grow(h) < 0)
            return DX_NOMEM;
        node->at = at;
        h->n++;
        sift_up(h, node, h->n - 1);
        return 0;
    }
    assert(node->pos <= h->n && h->v[node->pos - 1] == node && "the node is in this heap");
    node->at = at;
    settle(h, node, node->pos - 1);
    return 0;
}

void heap_del(struct heap *h, struct heap_node *node)
{
    if (node->pos == 0)
        return;
    size_t i = node->pos - 1;
    assert(i < h->n && h->v[i] == node && "the node is in this heap");
    node->pos = 0;
    struct heap_node *end = h->v[--h->n];
    if (end != node)
        settle(h, end, i);
}

void heap_free(struct heap *h)
{
    for (size_t i = 0; i < h->n; i++)
        h->v[i]->pos = 0;
    free(h->v);
    *h = (struct heap){0};
}
