/* SPDX-License-Identifier: MIT
 * layer.h - a conn is a stack of these: wss = ws over tls over tcp. The conn itself is the top one, a transport the bottom
 * one. Each has one static table; a layer
 * that does not care for a kind of call has its pass-through in that slot.
 *
 * UP    opened once; take for what came; ended once, when the peer has said its last; writable after the queue ran below
 *       half again; closed once, last of all, whatever happened.
 * DOWN  give, give_file, finish, pause, close, abort. None of them ever calls up before it returns: what they bring about
 *       comes up from the loop (RE-ENTRY in duplex.h).
 * STOP  After each message a layer asks layer_stopped(l); if so, take returns what it has used up and the transport keeps
 *       the rest and gives it again.
 */
#ifndef CORE_LAYER_H
#define CORE_LAYER_H
#include "core/queue.h"

struct layer;
struct addr;
struct layer_type {
    const char *name, *name_over_tls; /* of the wire; NULL: it has none of its own                          */
    bool is_tls;
    bool exchanges; /* its conn is one exchange of several, and ends by itself                              */
    /* NULL: no. Does its protocol say where the data ends, so that a TLS end without close_notify loses nothing unseen? Asked
     * when all before the end has gone up. */
    bool (*ends_itself)(const struct layer *l);
    /* NULL: no. Is it saying something whose end is that of the connection, and is not through? An end in order would make it whole. */
    bool (*says_to_end)(const struct layer *l);
    void (*opened)(struct layer *l);
    size_t (*take)(struct layer *l, uint8_t *p, size_t n, unsigned how); /* streams: bytes used up; messages: n      */
    void (*ended)(struct layer *l);
    void (*writable)(struct layer *l);
    void (*closed)(struct layer *l, const dx_err *why);
    int (*give)(struct layer *l, const struct span *v, size_t count, unsigned how);
    /* NULL, or: n bytes at the end of what goes out, filled by the caller at once; a small send without a span. May return
     * NULL: give takes the send, or says why it cannot be. */
    uint8_t *(*room)(struct layer *l, size_t n);
    int (*give_msg)(struct layer *l, dx_msg *m); /* may share the message's encoding                        */
    int (*give_file)(struct layer *l, int fd, int64_t off, size_t n, unsigned how); /* owns fd, also on failure */
    int (*finish)(struct layer *l);
    void (*pause)(struct layer *l, bool on);
    void (*close)(struct layer *l);
    void (*abort)(struct layer *l);
    void (*free)(struct layer *l);                      /* its own memory alone                                     */
    struct dx_listener *(*from)(const struct layer *l); /* bottoms: who accepted it; NULL: dialled            */
    bool (*address)(const struct layer *l, bool peer, struct addr *ret); /* bottoms; false: it has none      */
};
struct layer {
    const struct layer_type *type;
    struct layer *below, *above; /* NULL above: the conn, or an HTTP connection between exchanges */
};

/* Pass-throughs, for the tables: .give = layer_give_below */
void layer_opened_above(struct layer *l);
static inline size_t layer_take_above(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    return l->above ? l->above->type->take(l->above, p, n, how) : n;
}
void layer_ended_above(struct layer *l);
void layer_writable_above(struct layer *l);
void layer_closed_above(struct layer *l, const dx_err *why);
int layer_give_below(struct layer *l, const struct span *v, size_t count, unsigned how);
int layer_give_msg_plain(struct layer *l, dx_msg *m); /* the message's bytes through this layer's own give */
int layer_give_file_below(struct layer *l, int fd, int64_t off, size_t n, unsigned how);
int layer_give_file_absent(struct layer *l, int fd, int64_t off, size_t n, unsigned how); /* DX_ABSENT: no file goes here */
int layer_finish_below(struct layer *l);
void layer_pause_below(struct layer *l, bool on);
void layer_close_below(struct layer *l);
void layer_abort_below(struct layer *l);
bool layer_ends_itself(const struct layer *l); /* true */

void layer_put_above(struct layer *below, struct layer *l); /* stacks l on below */
/* Takes l out from between its neighbours; it is freed at the end of the turn. */
void layer_remove(struct layer *l, dx_loop *loop);
void layer_replace(struct layer *old, struct layer *now, dx_loop *loop);
bool layer_stopped(const struct layer *l);
struct layer *layer_bottom(struct layer *l);         /* what it stands on in the end; itself, where that is nothing */
struct dx_conn *layer_conn(const struct layer *l); /* the top, or NULL (an idle HTTP connection)     */
void layer_bury_stack(struct layer *top, dx_loop *loop);
/* Asks the transport to give again what this layer or one above did not use up, at the end of the turn. */
void layer_feed_again(struct layer *l);
/* The peer broke this layer's rules: the conn's reason is set once, DX_BROKEN goes to its handler, which may send a last
 * word, and then the stack below is closed in order. In the loop's turn only. */
void layer_fail(struct layer *l, int code, int detail_of, int detail, const char *text);
#endif
