/* SPDX-License-Identifier: MIT
 * ws_inside.h - a WebSocket's layer (ws_layer.c), and what its other two files do of it: ws_give.c what goes out, ws_gather.c messages
 * that do not come in one piece. All of it on the conn's loop. */
#ifndef NET_WS_INSIDE_H
#define NET_WS_INSIDE_H
#include "codec/ws.h"
#include "net/layers.h"
#include <assert.h>

enum { WS_REASON_MAX = 123 }; /* bytes: a control frame has 125, of which the code takes two */

struct ws_gather { /* a message that came in pieces */
    size_t n, cap;
    uint8_t data[];
};
struct ws_more { /* what few WebSockets have */
    struct ws_deflate *deflate;
    uint32_t ping_ms, ping_timeout_ms;
    char reason[WS_REASON_MAX + 1]; /* of the peer's Close */
    char protocol[];
};
struct ws_layer {
    struct layer layer; /* first */
    dx_loop *loop;
    /* Near what sends read; packing: this message goes packed. */
    uint8_t server : 1, close_sent : 1, close_seen : 1, closing : 1, in_message : 1, packing : 1, packs : 1, ended : 1;
    uint8_t pinged : 1;
    uint16_t peer_code; /* of its Close; 0: none came                               */
    uint16_t our_code;  /* of ours                                                  */
    struct ws_in in;
    struct timer timer; /* open: the next ping; closing: how long the peer's Close or end is waited for. own: heard, ms cut */
    struct ws_gather *gather;
    struct ws_more *more; /* NULL: no subprotocol, no deflate, pings as usual, no reason given */
};
static_assert(sizeof(struct ws_layer) <= 136, "an idle WebSocket is to cost little");

static inline struct ws_layer *ws_layer_of(struct layer *l)
{
    return (struct ws_layer *)l;
}

/* ws_give.c: the layer's give and give_msg (core/layer.h). Once our Close has gone they are DX_STATE. */
int ws_give(struct layer *l, const struct span *v, size_t count, unsigned how);
int ws_give_msg(struct layer *l, dx_msg *m);
/* One frame of up to 17 spans, which stay the caller's; a client's is masked in a copy. DX_BIG: more of them; DX_NOMEM; what the layer
 * below says. */
int ws_give_frame(struct ws_layer *w, uint8_t op, bool fin, const struct span *v, size_t count, unsigned how);
/* Our Close, once; code 0: one without a code. A reason that is too long is cut between two characters. */
void ws_give_close(struct ws_layer *w, int code, const char *reason, size_t reason_n);

/* ws_gather.c: false: no memory. */
bool ws_gather_add(struct ws_layer *w, const uint8_t *p, size_t n);
void ws_gather_hand(struct ws_layer *w, unsigned how); /* all of it, as one message */
void ws_gather_free(struct ws_layer *w);
/* A piece of a packed message (RFC 7692): handed up where it was the last one. Never more of it in memory than a message may have.
 * 0, or the code of the Close that it wants (1007, 1009, 1011), with which the caller ends it. */
int ws_gather_packed(struct ws_layer *w, const struct ws_piece *x, unsigned how);
#endif
