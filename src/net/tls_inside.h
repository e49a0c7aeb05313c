/* SPDX-License-Identifier: MIT
 * tls_inside.h - what the files of the TLS layer share: tls_layer.c (input, ends, the turn), tls_seal.c (output), tls.c (making
 * one, and asking it). */
#ifndef NET_TLS_INSIDE_H
#define NET_TLS_INSIDE_H
#include "core/hold.h"
#include "core/stream.h"
#include "crypto/session.h"
#include "net/tls.h"

struct tls_layer {
    struct layer layer; /* first */
    struct queue queue; /* plain bytes and files, to be sealed */
    struct chore chore;
    struct timer timer; /* the handshake's deadline; closing: does the peer still take anything? */
    struct lone lone;   /* a server's, until something stands on it */
    struct tls_session *session;
    struct hold *hold; /* plain bytes that were not used up above */
    struct block *out; /* within a call: sealed bytes from out_from on that are not given below yet */
    uint8_t *out_from;
    dx_listener *from; /* NULL: a client's */
    int (*inner)(dx_listener *s, struct layer *bottom, struct queue *q);
    char *text; /* a client's: the URL, until the handshake is over */
    uint16_t shaken : 1, paused : 1, end_seen : 1, end_told : 1, finishing : 1, bye : 1, closing : 1, done : 1,
        high : 1;
    uint16_t moved : 1; /* since the timer last looked */
    uint16_t cut : 1;   /* the peer's end came without close_notify */
    uint16_t deaf : 1;  /* the stream takes no more: its end is on its way up */
    uint16_t spoke : 1; /* after the peer's end, more than our own close_notify */
};
extern const struct layer_type tls_layer_type;
extern const struct layer_type tls_hop_type; /* with a proxy on the way: nobody above asks for this one */

static inline struct tls_layer *tls_layer_of(struct layer *l)
{
    return (struct tls_layer *)l;
}
static inline dx_loop *tls_loop(const struct tls_layer *t)
{
    return t->queue.loop;
}
static inline void tls_later(struct tls_layer *t)
{
    loop_chore(tls_loop(t), &t->chore);
}
/* Without a session: its maker adds that, the queue's loop and bound. NULL: no memory. */
struct tls_layer *tls_layer_new(void);
void tls_layer_free(struct layer *l);

/* ---- sealing (tls_seal.c) ---- */
bool tls_keep_sealed(void *arg, const void *p, size_t n); /* the session's push; arg: the layer                */
void tls_give_sealed(struct tls_layer *t);                /* what the session has pushed goes below: after each call of it */
int tls_seal_queued(struct tls_layer *t); /* four records of what is first in the queue. 0; DX_SYS, DX_TRUNCATED: its file; < 0 */
/* The sending half of tls_layer_type. */
int tls_give(struct layer *l, const struct span *v, size_t count, unsigned how);
uint8_t *tls_room(struct layer *l, size_t n);
int tls_give_msg(struct layer *l, dx_msg *m);
int tls_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how);
#endif
