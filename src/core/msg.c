/* SPDX-License-Identifier: MIT
 * msg.c - a counted message, and its encodings: one per (loop, wire frame). */
#include "core/conn.h"
#include <string.h>

struct encoding {
    struct encoding *next;
    const void *key;
    dx_loop *loop;
    struct span span;
};
struct dx_msg {
    atomic_int refs;
    unsigned how;
    _Atomic(struct encoding *) encodings;
    size_t n;
    uint8_t data[];
};

dx_msg *dx_msg_new(const void *data, size_t n, unsigned how)
{
    dx_msg *m = n < SIZE_MAX / 2 ? account_alloc(sizeof *m + n) : NULL;
    if (!m)
        return NULL;
    atomic_init(&m->refs, 1);
    atomic_init(&m->encodings, NULL);
    m->how = how;
    m->n = n;
    if (n)
        memcpy(m->data, data, n);
    return m;
}

dx_msg *dx_msg_ref(dx_msg *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void dx_msg_drop(dx_msg *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (struct encoding *e = atomic_load(&m->encodings), *next; e; e = next) {
        next = e->next;
        block_drop(e->span.blk);
        account_free(e, sizeof *e);
    }
    account_free(m, sizeof *m + m->n);
}

dx_bytes dx_msg_bytes(const dx_msg *m)
{
    return (dx_bytes){m->data, m->n};
}

unsigned msg_how(const dx_msg *m)
{
    return m->how;
}

int msg_encoded(dx_msg *m, dx_loop *l, const void *key, size_t extra,
                size_t (*encode)(const dx_msg *m, uint8_t *at, const void *arg), const void *arg, struct span *ret)
{
    for (struct encoding *e = atomic_load_explicit(&m->encodings, memory_order_acquire); e; e = e->next)
        if (e->key == key && e->loop == l) {
            *ret = e->span;
            return 0;
        }
    struct encoding *e = account_alloc(sizeof *e);
    struct block *b = e ? block_with_room(&l->store.encoded, m->n + extra) : NULL;
    if (!b) {
        account_free(e, sizeof *e);
        return DX_NOMEM;
    }
    uint8_t *at = b->data + b->used;
    size_t n = encode(m, at, arg);
    b->used += (uint32_t)n;
    *e = (struct encoding){.key = key, .loop = l, .span = {b, at, n}, .next = atomic_load(&m->encodings)};
    while (!atomic_compare_exchange_weak(&m->encodings, &e->next, e))
        ;
    *ret = e->span;
    return 0;
}

static size_t encode_plain(const dx_msg *m, uint8_t *at, const void *arg)
{
    (void)arg;
    memcpy(at, m->data, m->n);
    return m->n;
}

int msg_plain(dx_msg *m, dx_loop *l, struct span *ret)
{
    static const char key;
    return msg_encoded(m, l, &key, 0, encode_plain, NULL, ret);
}
