/* SPDX-License-Identifier: MIT
 * tunnel.h - a layer that asks a proxy for a way to another host before those above begin, and then lets everything through.
 * tunnel_connect.c asks by CONNECT, tunnel_socks.c by SOCKS 5. */
#ifndef NET_TUNNEL_H
#define NET_TUNNEL_H
#include "core/loop.h"
#include "net/proxy.h"
#include "net/stack.h"

struct tunnel;
struct tunnel_kind {
    /* < 0: no memory; free is called all the same. */
    int (*make)(struct tunnel *t, const struct proxy *p);
    void (*begin)(struct tunnel *t); /* the proxy hears us */
    /* Bytes used up of p[0..n); 0: more are needed. Ends in tunnel_stands or tunnel_refuse. */
    size_t (*take)(struct tunnel *t, const uint8_t *p, size_t n);
    void (*free)(struct tunnel *t);
};
extern const struct tunnel_kind tunnel_connect, tunnel_socks;

struct tunnel {
    struct layer layer; /* first */
    struct queue queue; /* what those above say before it stands */
    struct timer timer; /* until it stands                       */
    const struct tunnel_kind *kind;
    dx_loop *loop;
    char *proxy; /* its URL, for words */
    char *host;  /* where it leads     */
    int port;
    bool v6;
    bool stands, broken, paused, finishing, closing;
    union {
        struct {
            char *head;
            size_t scanned;
        } connect;
        struct socks *socks;
    };
};
/* On bottom, which leads to p and empties queue q. NULL: no memory, and nothing was stacked. */
struct layer *tunnel_new(const struct dial *d, int port, const struct proxy *p, struct layer *bottom, struct queue *q,
                         struct queue **ret_q);
struct tunnel *tunnel_of(const dx_conn *c); /* NULL: none, or it stands */

/* ---- what a kind says ---- */
void tunnel_say(struct tunnel *t, const void *p, size_t n);
void tunnel_stands(struct tunnel *t);
void tunnel_refuse(struct tunnel *t, int code, int detail_of, int detail, const char *words); /* "it " is before them */
void tunnel_no_name(struct tunnel *t, int code, int detail_of, int detail, const char *words);
#endif
