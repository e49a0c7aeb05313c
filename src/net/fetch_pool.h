/* SPDX-License-Identifier: MIT
 * fetch_pool.h - connections of a loop that nobody uses now: kept for the next exchange, or on their way out. What is kept is
 * whatever stood below the exchange (a stream, TLS on it), under a key that says where it leads and how; a version of HTTP whose
 * connections carry many exchanges at once would be kept here too, and taken without being taken out. */
#ifndef NET_FETCH_POOL_H
#define NET_FETCH_POOL_H
#include "core/conn.h"

struct pool_key {
    char *text; /* scheme, host, port, options, proxy                         */
    dx_tls *tls; /* a reference: while it is held no other can have its address */
};
void pool_key_free(struct pool_key *key);

/* The stack with bottom as its top and q as its queue has no conn any more. key: it is kept for at most idle_ms_max (0: the loop's bound alone) and
 * *key is taken over; NULL: it closes. Nothing is called up. false: no memory, and nothing was done. */
bool pool_leave(dx_loop *l, struct pool_key *key, struct layer *bottom, struct queue *q,
                int64_t idle_ms_max);
/* One that leads there and was in use within the last young_ms (< 0: ever): the top of what is left of its stack; or NULL. */
struct layer *pool_take(dx_loop *l, const struct pool_key *key, int64_t young_ms, struct queue **ret_q);
#endif
