/* SPDX-License-Identifier: MIT
 * http1_client.h - dialling what speaks HTTP/1.1: http, https and, for its handshake, ws and wss. */
#ifndef NET_HTTP1_CLIENT_H
#define NET_HTTP1_CLIENT_H
#include "core/conn.h"
#include "core/scheme.h"

/* A dial over TCP, or over TLS with ALPN "http/1.1": make's layer and a conn on it. make: NULL for no memory. NULL with *err
 * filled. */
dx_conn *http1_dial(const struct dial *d, bool tls, struct layer *(*make)(const struct dial *d), dx_err *err);
#endif
