/* SPDX-License-Identifier: MIT
 * udp.h - datagram sockets of a listener: a conn for each peer address. */
#ifndef NET_UDP_H
#define NET_UDP_H
#include "core/listener.h"

enum { UDP_IDLE_MS = 60000, UDP_HELD_MAX = 64 << 10, UDP_PAYLOAD_MAX = 65507, UDP_QUEUE_DATAGRAMS = 1024 };
/* Takes a bound datagram socket for s; name: "udp", "unixgram". 0, DX_NOMEM, DX_SYS: fd stays the caller's. */
int udp_add(dx_listener *s, int fd, const char *name);
#endif
