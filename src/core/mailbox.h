/* SPDX-License-Identifier: MIT
 * mailbox.h - how other threads reach a loop: by its number, never by a pointer that may be gone. */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H
#include "core/loop.h"

/* dx_id: loop 12 bits, generation 26, slot 26. Generations go on where an earlier loop of the number stopped. */
static inline dx_id id_make(uint32_t loop, uint32_t gen, uint32_t slot)
{
    return (dx_id)(loop + 1) << 52 | (dx_id)(gen & 0x3ffffff) << 26 | slot;
}
static inline uint32_t id_loop(dx_id id)
{
    return (uint32_t)(id >> 52) - 1;
}
static inline uint32_t id_slot(dx_id id)
{
    return (uint32_t)id & 0x3ffffff;
}
int mailbox_open(dx_loop *l);   /* gives the loop its number: 0, -ENOMEM, -EMFILE (4,095 loops) */
void mailbox_close(dx_loop *l); /* posts by id are DX_CLOSED from here on */
void mailbox_free(dx_loop *l);  /* what was not run is dropped */
void mailbox_run(dx_loop *l);
bool mailbox_has(dx_loop *l);
/* From any thread: fn(c, arg) on the loop of that id; c NULL: the conn is gone, or the loop was freed (then it may run on
 * any thread). 0 or DX_NOMEM, DX_CLOSED: fn will not run. */
int mailbox_post(dx_id id, void (*fn)(dx_conn *c, void *arg), void *arg);
/* From any thread: fn(l, arg) on the loop of that number; l NULL: it was freed before (any thread). 0 or DX_NOMEM,
 * DX_CLOSED: fn will not run. */
int mailbox_post_loop(uint32_t index, void (*fn)(dx_loop *l, void *arg), void *arg);
#endif
