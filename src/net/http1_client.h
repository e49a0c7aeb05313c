/* SPDX-License-Identifier: MIT
 * http1_client.h - dialling what speaks HTTP/1.1: http, https and, for its handshake, ws and wss. */
#ifndef NET_HTTP1_CLIENT_H
#define NET_HTTP1_CLIENT_H
#include "core/conn.h"
#include "core/scheme.h"
#include "net/fetch_pool.h"
#include "net/http1_parts.h"

/* A dial over TCP, or over TLS with ALPN "http/1.1": make's layer and a conn on it. make: NULL for no memory. NULL with *err
 * filled. */
dx_conn *http1_dial(const struct dial *d, bool tls, struct layer *(*make)(const struct dial *d), dx_err *err);
dx_conn *http1_connect(const struct dial *d, bool tls, dx_err *err); /* an exchange of a client */

struct client; /* one request and its response on a connection */
struct layer *http1_client_new(const struct dial *d); /* NULL: no memory */
struct client *http1_client_of(const dx_conn *c);     /* NULL: another kind of conn */
const struct http1_head *http1_client_head(const struct client *k); /* the response's; NULL: not in yet */
const struct trail *http1_client_trail(const struct client *k);     /* NULL: none, or not in yet           */
int http1_client_trailers(struct client *k, const dx_http_field *v, size_t count); /* to be sent: as dx_http_trailers */
int64_t http1_client_length(const struct client *k); /* of the response's body; -1: not said */

/* What a request asks for. host: Host's value; length: of its body, -1: in chunks. */
struct http1_ask {
    const char *method, *target, *host;
    const dx_http_field *fields;
    size_t count;
    int64_t length;
    bool keep;     /* the connection may be used again       */
    bool absolute; /* target is a whole URL: it goes to a proxy */
};
/* The connection is not ours alone: it goes to the pool under *key, which is taken over (text NULL: it closes), and on_close does not wait for
 * it to close. Before the request. */
void http1_client_keep(struct client *k, struct pool_key *key);
bool http1_client_over(const struct client *k);  /* request and response are whole, and that has been told */
bool http1_client_spoke(const struct client *k); /* a byte of a response has come                          */
/* Sends the request's head; host is filled in, and target where it is NULL. 0, DX_STATE or as http1_ask_write. */
int http1_client_ask(struct client *k, struct http1_ask *a);

/* Its head. DX_URL: a method, target, field or length that cannot be; DX_ABSENT: CONNECT; DX_BIG: longer than servers read;
 * DX_NOMEM. 0. In http1_ask.c. */
int http1_ask_write(const struct http1_ask *a, struct draft *ret);
#endif
