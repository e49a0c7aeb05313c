/* SPDX-License-Identifier: MIT
 * tcp.h - what the schemes on top of TCP and Unix sockets share. */
#ifndef NET_TCP_H
#define NET_TCP_H
#include "net/stack.h"

struct stream;
enum { TCP_STREAMS = 1, TCP_DATAGRAMS = 2 };
/* Opens the URL's addresses: one port number for every family and type. s->urls become "scheme://..." and "udp://...". */
int tcp_listen(dx_listener *s, const struct url *u, const char *text, int types, const char *scheme, dx_err *err);
/* A stream that is opening; default_port 0: the URL must say one. NULL with *err filled. */
struct stream *tcp_dial_stream(const struct dial *d, int default_port, dx_err *err);
#endif
