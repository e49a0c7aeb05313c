/* SPDX-License-Identifier: MIT
 * conn.h - the top of every stack: what duplex.h calls a dx_conn. */
#ifndef CORE_CONN_H
#define CORE_CONN_H
#include "core/loop.h"

struct dx_conn {
    struct layer layer; /* first: a layer whose type is conn_layer is a conn              */
    const dx_handler *on;
    struct queue *q; /* the bottom's                                                   */
    uint8_t paused : 1, opened : 1, end_said : 1, end_seen : 1, closing : 1, gone : 1, want_writable : 1, messages : 1;
    uint8_t quiet : 1;             /* quiet: dx_close or dx_abort was called: on_close alone is left */
    uint8_t in_data : 1, owes : 1; /* owes: what its on_data sent fills its queue past half           */
    uint8_t taken : 1;             /* by dx_relay or dx_save: the handler is theirs                   */
    uint8_t unspliced : 1;         /* dx_pass has found that what comes from it cannot be spliced     */
    uint8_t kept : 1;              /* a keeper stands in front of it: conn_keeper                     */
    uint8_t stays : 1;             /* the peer's end does not close it, where the handler has no on_end */
    void *user;
    dx_err *why; /* NULL: nothing went wrong                                       */
    dx_id id;
    uint64_t state[]; /* 8-byte aligned, so that an idle conn has no padding               */
};
extern const struct layer_type conn_layer;

/* A conn above `below`, whose queue is q. opened is called by the stack, or conn_open for one that already stands. The
 * listener, if any, counts it. NULL: no memory, ids or room. */
struct dx_conn *conn_new(const dx_handler *on, void *user, struct layer *below, struct queue *q);
/* What has to live as long as a conn: what it came by. drop is called once the conn's on_close is over. */
struct keeper {
    void (*drop)(struct keeper *k);
};
/* conn_new of a conn that drops k at its end; NULL: k is still the caller's. */
struct dx_conn *conn_new_kept(const dx_handler *on, void *user, struct layer *below, struct queue *q, struct keeper *k);
struct keeper **conn_keeper(const struct dx_conn *c); /* NULL: it has none; else the caller may put another there */
void conn_open(struct dx_conn *c);                    /* calls on_open unless it is closed already */
/* Ends a conn alone: on_close and burial, but not the layers below (an exchange on a connection that lives on). */
void conn_part(struct dx_conn *c, const dx_err *why);
void conn_set_why(struct dx_conn *c, int code, int detail_of, int detail, const char *text);
void conn_broken(struct dx_conn *c); /* DX_BROKEN, and then on_close alone is left */
void conn_event(struct dx_conn *c, int what, const void *arg);
void conn_early(struct dx_conn *c, int what,
                const void *arg);                     /* DX_STEP or DX_HEAD, on a conn that does not stand yet */
struct dx_conn *conn_of_layer(const struct layer *l); /* NULL: another kind of layer */
static inline bool conn_stopped(const struct dx_conn *c)
{
    return (c->paused && c->opened) || c->gone || (c->owes && queue_past_half(c->q));
}
struct layer *conn_bottom(const struct dx_conn *c);
/* A layer has answered the peer by itself, in take: that counts as sent by on_data, or answers would pile up. */
static inline void conn_answered(struct dx_conn *c)
{
    if (c && queue_past_half(c->q))
        c->owes = 1;
}

/* dx_send of bytes that would be one message, in pieces that together count as one send. */
int conn_send_pieces(struct dx_conn *c, const void *p, size_t n, size_t piece_max);
int conn_send_spliced(struct dx_conn *c, size_t n); /* dx_send of what is in the loop's pipe; right on a stream alone */

unsigned msg_how(const dx_msg *m);
/* The message as `key` (a static address) encodes it on this loop: encode writes at most n + extra bytes to at and returns how
 * many. Made once, kept with the message. 0 or DX_NOMEM; *ret borrows the message's reference. */
int msg_encoded(dx_msg *m, dx_loop *l, const void *key, size_t extra,
                size_t (*encode)(const dx_msg *m, uint8_t *at, const void *arg), const void *arg, struct span *ret);
/* Its bytes as they are: one copy for all conns of the loop. */
int msg_plain(dx_msg *m, dx_loop *l, struct span *ret);
#endif
