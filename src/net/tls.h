/* SPDX-License-Identifier: MIT
 * tls.h - TLS as a layer: bytes below, bytes above. What stands on it gives its queue to conn_new and to the listeners' stacks. */
#ifndef NET_TLS_H
#define NET_TLS_H
#include "net/stack.h"

/* A server's, on a stream that listener s has accepted; inner builds what stands on it when the handshake is over. alpn: "h2,http/1.1",
 * NULL or "": none. 0 or < 0: nothing was stacked. */
int tls_accept(dx_listener *s, struct layer *bottom, struct queue *q, const char *alpn,
               int (*inner)(dx_listener *s, struct layer *bottom, struct queue *q));
/* A client's, on the bottom of a dial, whose queue is q: opened goes up after the handshake. The layer, to stand on with the queue
 * *ret_q; NULL with *err filled: nothing was stacked. */
struct layer *tls_dial(const struct dial *d, struct layer *bottom, struct queue *q, const char *alpn, struct queue **ret_q,
                       dx_err *err);
/* The same with a proxy on the way: what is asked of the conn's TLS, and its wire's name, know nothing of it. */
struct layer *tls_dial_hop(const struct dial *d, struct layer *bottom, struct queue *q, const char *alpn,
                           struct queue **ret_q, dx_err *err);
const char *tls_layer_alpn(const struct layer *l); /* what was agreed on; "": none. Good until this thread asks again */

/* A listener's or a dial's certificates: dx_opts.tls, or what the URL's fragment says, or (dials) the system's trust. Sets set->o.tls.
 * 0, or < 0 with *err filled. */
int tls_settle(struct settings *set, const struct url *u, const char *text, bool server, dx_err *err);
#endif
