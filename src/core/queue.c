/* SPDX-License-Identifier: MIT */
#include "core/queue.h"
#include "os/engine.h"
#include "os/fd.h"
#include <assert.h>
#include <string.h>

enum { SPARE_MAX = 4096 };

static struct queued *node_new(struct store *s)
{
    struct queued *d = s->spare;
    if (!d)
        return account_alloc(sizeof *d);
    s->spare = d->next;
    s->spare_n--;
    return d;
}

static void node_free(struct store *s, struct queued *d)
{
    block_drop(d->blk);
    if (queued_is_tube(d))
        os_tubes_give(s->tubes, d->tube);
    else if (!d->blk)
        os_fd_close(d->fd);
    if (s->spare_n == SPARE_MAX) {
        account_free(d, sizeof *d);
        return;
    }
    d->next = s->spare;
    s->spare = d;
    s->spare_n++;
}

void store_free(struct store *s)
{
    for (struct queued *d; (d = s->spare);) {
        s->spare = d->next;
        account_free(d, sizeof *d);
    }
    block_drop(s->copies);
    block_drop(s->encoded);
    *s = (struct store){.tubes = s->tubes};
}

static void append(struct queue *q, struct queued *d)
{
    d->next = NULL;
    if (q->last)
        q->last->next = d;
    else
        q->first = d;
    q->last = d;
    q->n += d->n;
}

/* A node for a span that is counted: takes its own reference. */
static int add_ref(struct queue *q, struct store *s, const struct span *v, size_t skip, bool whole)
{
    struct span rest = {v->blk, v->p + skip, v->n - skip};
    if (!whole && queue_merge(q, &rest))
        return 0;
    struct queued *d = node_new(s);
    if (!d)
        return DX_NOMEM;
    *d = (struct queued){.blk = block_ref(v->blk), .p = v->p + skip, .n = v->n - skip, .fd = -1};
    append(q, d);
    return 0;
}

uint8_t *queue_room_new(struct queue *q, struct store *s, size_t n)
{
    struct block *b = block_with_room(&s->copies, n);
    struct queued *d = b ? node_new(s) : NULL;
    if (!d) {
        block_drop(b);
        return NULL;
    }
    uint8_t *at = b->data + b->used;
    b->used += (uint32_t)n;
    *d = (struct queued){.blk = b, .p = at, .n = n, .fd = -1};
    append(q, d);
    return at;
}

static int add_copy(struct queue *q, struct store *s, const struct span *v, size_t count, size_t skip, size_t n,
                    bool whole)
{
    uint8_t *at = whole ? queue_room_new(q, s, n) : queue_room(q, s, n);
    if (!at)
        return DX_NOMEM;
    for (size_t i = 0; i < count; skip = 0, i++) {
        if (v[i].n > skip)
            memcpy(at, v[i].p + skip, v[i].n - skip);
        at += v[i].n - skip;
    }
    return 0;
}

/* Copies runs of borrowed spans together; counted ones go by reference. */
int queue_add(struct queue *q, struct store *s, const struct span *v, size_t count, size_t skip, bool whole)
{
    size_t i = 0;
    while (i < count && skip >= v[i].n && !(whole && v[i].n == 0))
        skip -= v[i++].n;
    if (whole && i + 1 == count && v[i].blk)
        return add_ref(q, s, &v[i], skip, true);
    if (whole) {
        size_t n = 0;
        for (size_t j = i; j < count; j++)
            n += v[j].n;
        return add_copy(q, s, v + i, count - i, skip, n - skip, true);
    }
    while (i < count) {
        size_t j = i, n = 0;
        int r;
        if (v[i].blk) {
            r = v[i].n > skip ? add_ref(q, s, &v[i], skip, false) : 0;
            i++;
        } else {
            for (; j < count && !v[j].blk; j++)
                n += v[j].n;
            r = n > skip ? add_copy(q, s, v + i, j - i, skip, n - skip, false) : 0;
            i = j;
        }
        if (r < 0)
            return r; /* the conn is beyond repair now, and its owner breaks it off */
        skip = 0;
    }
    return 0;
}

int queue_add_file(struct queue *q, struct store *s, int fd, int64_t off, size_t n)
{
    struct queued *d = node_new(s);
    if (!d)
        return DX_NOMEM;
    *d = (struct queued){.off = off, .n = n, .fd = fd};
    append(q, d);
    return 0;
}

int queue_add_tube(struct queue *q, struct store *s, struct os_tube *p)
{
    struct queued *d = node_new(s);
    if (!d) {
        os_tubes_give(s->tubes, p);
        return DX_NOMEM;
    }
    *d = (struct queued){.tube = p, .n = p->n, .fd = -1};
    append(q, d);
    return 0;
}

size_t queue_iov(const struct queue *q, struct iovec *v, size_t max, size_t *ret_n)
{
    size_t count = 0, n = 0;
    for (const struct queued *d = q->first; d && d->blk && count < max; d = d->next) {
        v[count++] = (struct iovec){(void *)(uintptr_t)d->p, d->n};
        n += d->n;
    }
    *ret_n = n;
    return count;
}

static void pop(struct queue *q, struct store *s)
{
    struct queued *d = q->first;
    q->first = d->next;
    if (!q->first)
        q->last = NULL;
    node_free(s, d);
}

void queue_eat(struct queue *q, struct store *s, size_t n)
{
    assert(n <= q->n && "more was written than was queued");
    q->n -= n;
    while (n > 0 || (q->first && q->first->n == 0)) {
        struct queued *d = q->first;
        if (d->n > n) {
            d->n -= n;
            if (d->blk)
                d->p += n;
            else if (d->fd >= 0)
                d->off += (int64_t)n;
            return;
        }
        n -= d->n;
        pop(q, s);
    }
}

void queue_eat_one(struct queue *q, struct store *s)
{
    q->n -= q->first->n;
    pop(q, s);
}

void queue_clear(struct queue *q, struct store *s)
{
    while (q->first)
        pop(q, s);
    q->n = 0;
}

size_t queue_memory(const struct queue *q)
{
    size_t n = 0;
    for (const struct queued *d = q->first; d; d = d->next)
        n += d->blk ? d->n : 0;
    return q->under ? n + queue_memory(q->under) : n;
}

void queue_settle(struct queue *q)
{
    struct queued *d = q->first;
    if (!d || d->next || !d->blk || d->n > BLOCK_BYTES / 4 || d->blk->cap != BLOCK_BYTES)
        return;
    struct block *own = block_new((d->n + 1023) & ~(size_t)1023);
    if (!own)
        return; /* it works as it is, it only holds more */
    memcpy(own->data, d->p, d->n);
    own->used = own->cap; /* nobody adds behind: it is a rest */
    block_drop(d->blk);
    d->blk = own;
    d->p = own->data;
}
