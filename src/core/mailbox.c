/* SPDX-License-Identifier: MIT */
#include "core/mailbox.h"
#include "core/conn.h"
#include "os/lock.h"
#include <errno.h>
#include <stdlib.h>

enum { LOOPS_MAX = 4095 };
struct letter {
    struct letter *next;
    void (*fn)(void *arg);
    void (*conn_fn)(dx_conn *c, void *arg);
    void (*loop_fn)(dx_loop *l, void *arg);
    void *arg;
    dx_msg *msg; /* one of these four */
    dx_id to;
};
struct mailbox {
    os_lock lock;
    struct letter *first, **last;
};
/* A reader lock lets posts to all loops go on side by side; a loop that goes takes the writer lock. */
static os_rwlock table_lock = OS_RWLOCK_INIT;
static struct {
    dx_loop *loop;
    uint32_t gen;
} table[LOOPS_MAX];

int mailbox_open(dx_loop *l)
{
    struct mailbox *b = malloc(sizeof *b);
    if (!b)
        return -ENOMEM;
    os_lock_init(&b->lock);
    b->first = NULL;
    b->last = &b->first;
    os_rwlock_write(&table_lock);
    uint32_t i = 0;
    while (i < LOOPS_MAX && table[i].loop)
        i++;
    if (i < LOOPS_MAX) {
        table[i].loop = l;
        l->index = i;
        l->slot_gen = table[i].gen;
        l->box = b;
    }
    os_rwlock_give(&table_lock);
    if (i < LOOPS_MAX)
        return 0;
    free(b);
    return -EMFILE;
}

static struct letter *take_all(struct mailbox *b)
{
    os_lock_take(&b->lock);
    struct letter *all = b->first;
    b->first = NULL;
    b->last = &b->first;
    os_lock_give(&b->lock);
    return all;
}

void mailbox_close(dx_loop *l)
{
    os_rwlock_write(&table_lock);
    table[l->index].loop = NULL;
    table[l->index].gen = l->slot_gen;
    os_rwlock_give(&table_lock);
}

void mailbox_free(dx_loop *l)
{
    for (struct letter *d = take_all(l->box), *next; d; d = next) {
        next = d->next;
        if (d->conn_fn)
            d->conn_fn(NULL, d->arg);
        if (d->loop_fn)
            d->loop_fn(NULL, d->arg);
        dx_msg_drop(d->msg);
        free(d);
    }
    os_lock_free(&l->box->lock);
    free(l->box);
    l->box = NULL;
}

static void put(dx_loop *l, struct letter *d)
{
    struct mailbox *b = l->box;
    os_lock_take(&b->lock);
    bool was_empty = !b->first;
    d->next = NULL;
    *b->last = d;
    b->last = &d->next;
    os_lock_give(&b->lock);
    if (was_empty)
        os_wake(&l->engine);
}

int dx_loop_post(dx_loop *l, void (*fn)(void *arg), void *arg)
{
    struct letter *d = malloc(sizeof *d);
    if (!d)
        return DX_NOMEM;
    *d = (struct letter){.fn = fn, .arg = arg};
    put(l, d);
    return 0;
}

/* What the letter holds stays the caller's where it fails. */
static int post(uint32_t loop, struct letter what)
{
    struct letter *d = malloc(sizeof *d);
    if (!d)
        return DX_NOMEM;
    *d = what;
    os_rwlock_read(&table_lock);
    dx_loop *l = loop < LOOPS_MAX ? table[loop].loop : NULL;
    if (l)
        put(l, d);
    os_rwlock_give(&table_lock);
    if (l)
        return 0;
    free(d);
    return DX_CLOSED;
}

int dx_post(dx_id id, dx_msg *m)
{
    int r = post(id_loop(id), (struct letter){.msg = dx_msg_ref(m), .to = id});
    if (r < 0)
        dx_msg_drop(m);
    return r;
}

int mailbox_post(dx_id id, void (*fn)(dx_conn *c, void *arg), void *arg)
{
    return post(id_loop(id), (struct letter){.conn_fn = fn, .arg = arg, .to = id});
}

int mailbox_post_loop(uint32_t index, void (*fn)(dx_loop *l, void *arg), void *arg)
{
    return post(index, (struct letter){.loop_fn = fn, .arg = arg});
}

static void deliver(dx_loop *l, const struct letter *d)
{
    dx_conn *c = dx_find(l, d->to);
    if (!c || dx_send_msg(c, d->msg) < 0)
        l->post_drops++;
    dx_msg_drop(d->msg);
}

void mailbox_run(dx_loop *l)
{
    for (struct letter *d = take_all(l->box), *next; d; d = next) {
        next = d->next;
        if (d->msg)
            deliver(l, d);
        else if (d->conn_fn)
            d->conn_fn(dx_find(l, d->to), d->arg);
        else if (d->loop_fn)
            d->loop_fn(l, d->arg);
        else
            d->fn(d->arg);
        free(d);
    }
}

bool mailbox_has(dx_loop *l)
{
    os_lock_take(&l->box->lock);
    bool has = l->box->first != NULL;
    os_lock_give(&l->box->lock);
    return has;
}
