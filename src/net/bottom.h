/* SPDX-License-Identifier: MIT
 * bottom.h - what a dial over TCP stands on: a stream, or a tunnel through a proxy (dial.proxy), and TLS on that. */
#ifndef NET_BOTTOM_H
#define NET_BOTTOM_H
#include "net/proxy.h"
#include "net/stack.h"

struct stream;
/* All of these: the top of what opens, to stand on with the queue *ret_q; NULL with *err filled, and nothing is left behind.
 * default_port 0: the URL must say one. */
struct layer *bottom_dial(const struct dial *d, int default_port, struct queue **ret_q, dx_err *err);
struct layer *bottom_dial_tls(const struct dial *d, int default_port, const char *alpn, struct queue **ret_q, dx_err *err);
/* The proxy itself: it is asked for what d's URL names by what will stand there. */
struct layer *bottom_dial_proxy(const struct dial *d, const struct proxy *p, struct queue **ret_q, dx_err *err);
struct stream *bottom_stream(struct layer *top); /* the one at its end */
#endif
