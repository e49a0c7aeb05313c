/* SPDX-License-Identifier: MIT
 * queue.h - what waits to be written at the bottom of one conn: spans of counted blocks and of files, in order.
 * Adjacent spans merge, so sixteen small frames leave as one iovec. Never decides whether there is room: conn.c does. */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H
#include "core/block.h"

struct iovec;
struct os_tubes;
/* The currency between layers. blk NULL: borrowed bytes, copied unless written at once. */
struct span {
    struct block *blk;
    const uint8_t *p;
    size_t n;
};
struct queued {
    struct queued *next;
    struct block *blk; /* NULL: a file, or a pipe                   */
    union {
        const uint8_t *p;
        int64_t off;
        struct os_tube *tube; /* fd is -1 then; owned, and n of it is what it holds */
    };
    size_t n;
    int fd; /* owned                                      */
};
struct queue {
    struct queued *first, *last;
    size_t n;   /* bytes                                      */
    size_t max; /* dx_opts.queue_bytes_max: conn.c holds to it */
    dx_loop *loop;
    const struct queue *under; /* the one it empties into (TLS over a stream, a tunnel over TLS); NULL: the kernel */
};
/* Bytes on their way, wherever they wait: what the bounds of duplex.h are about. */
static inline size_t queue_waits(const struct queue *q)
{
    size_t n = q->n;
    while (__builtin_expect((q = q->under) != NULL, 0)) /* most stand on the kernel */
        n += q->n;
    return n;
}
static inline bool queued_is_tube(const struct queued *d)
{
    return !d->blk && d->fd < 0;
}
/* A pipe that waits is as much as shall wait: the next to arrive would want another one. */
static inline bool queue_past_half(const struct queue *q)
{
    return queue_waits(q) > q->max / 2 || (q->last && queued_is_tube(q->last));
}
/* Where queues get their nodes and copies from: one a loop. */
struct store {
    struct queued *spare;
    size_t spare_n;
    struct block *copies;   /* small sends and TLS records of all conns, one behind the other */
    struct block *encoded;  /* dx_msg encodings, apart, so that they stay adjacent */
    struct os_tubes *tubes; /* the engine's                                           */
};
void store_free(struct store *s);

/* 0 or DX_NOMEM: then a part of it may stand in the queue, and the conn is to be broken off. whole: a datagram, never merged,
 * added whole or not at all. */
int queue_add(struct queue *q, struct store *s, const struct span *v, size_t count, size_t skip, bool whole);
/* Lengthens the last entry by a counted span that lies right behind it, as a broadcast's do. false: it does not. */
static inline bool queue_merge(struct queue *q, const struct span *v)
{
    struct queued *d = q->last;
    if (!d || !v->blk || d->blk != v->blk || d->p + d->n != v->p)
        return false;
    d->n += v->n;
    q->n += v->n;
    return true;
}
/* n bytes (at most BLOCK_BYTES / 2) at its end, already counted: the caller fills them before it does anything else. NULL: no
 * memory. */
uint8_t *queue_room_new(struct queue *q, struct store *s, size_t n);
/* The same. Mostly it is right behind what this conn had last, whose entry holds the block already: then no reference is taken,
 * for that is what a small send would cost most, and nothing is called. */
static inline uint8_t *queue_room(struct queue *q, struct store *s, size_t n)
{
    struct queued *d = q->last;
    struct block *b = s->copies;
    if (!d || !b || d->blk != b || d->p + d->n != b->data + b->used || n > b->cap - b->used)
        return queue_room_new(q, s, n);
    uint8_t *at = b->data + b->used;
    b->used += (uint32_t)n;
    d->n += n;
    q->n += n;
    return at;
}
int queue_add_tube(struct queue *q, struct store *s, struct os_tube *p); /* owns p, also on failure */
int queue_add_file(struct queue *q, struct store *s, int fd, int64_t off, size_t n);
/* The first bytes as at most max iovecs; 0: empty, or a file is first. */
size_t queue_iov(const struct queue *q, struct iovec *v, size_t max, size_t *ret_n);
void queue_eat(struct queue *q, struct store *s, size_t n); /* n bytes have gone */
void queue_eat_one(struct queue *q, struct store *s);       /* the first has gone, whatever its size */
void queue_clear(struct queue *q, struct store *s);
size_t queue_memory(const struct queue *q); /* of its bytes and those under it, what lies in memory: not files' */
/* What is left will stay a while: copies it out of blocks that others share, so that a few bytes pin no 64 KiB. */
void queue_settle(struct queue *q);
#endif
