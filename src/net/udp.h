/* SPDX-License-Identifier: MIT
 * udp.h - datagram sockets (udp.c), the conns on them, one for each peer address (udp_peer.c), and what leaves (udp_flush.c). */
#ifndef NET_UDP_H
#define NET_UDP_H
#include "base/map.h"
#include "core/listener.h"
#include "os/addr_dial.h"

enum { UDP_IDLE_MS = 60000, UDP_HELD_MAX = 64 << 10, UDP_PAYLOAD_MAX = 65507, UDP_RETRY_MS = 10 };
struct peer;
struct udp_socket {
    struct os_port port; /* first */
    dx_loop *loop;
    dx_listener *from;       /* NULL: a dialled one                       */
    struct udp_socket *next; /* of the listener                            */
    struct map peers;
    struct peer *only;  /* dialled                                    */
    struct peer *stuck; /* waiting until the socket takes more        */
    const struct layer_type *type;
    struct timer retry; /* see peer_flush                             */
    struct addr own;
    struct addr_how how; /* of a dialled one                           */
    char *unlink; /* of a unix path; or NULL                    */
    size_t refs;  /* peers                                      */
    bool gso, sniff, closed;
    struct layer grave;
};
struct held {
    struct held *next;
    size_t n;
    uint8_t data[];
};
struct peer {
    struct layer layer; /* first */
    struct udp_socket *socket;
    struct queue queue;
    struct chore chore;
    struct timer timer;
    struct peer *next_stuck;
    struct held *held, **held_end; /* arrived while paused                  */
    size_t held_n;
    struct block *part; /* what was sent with DX_MORE, until the rest of its datagram comes */
    uint64_t in, out;
    int64_t idle_ms, last_active;
    int error;
    uint8_t paused : 1, opening : 1, finishing : 1, closing : 1, breaking : 1, done : 1, stuck : 1, feed_due : 1;
    struct addr addr; /* key of the map                             */
};
extern const struct layer_type udp_type, unixgram_type;
extern const struct os_port_ops udp_ops;

/* Takes a bound datagram socket for s; name: "udp", "unixgram". 0 or DX_NOMEM; owns fd, also then. */
int udp_add(dx_listener *s, int fd, const char *name);
void udp_socket_drop(struct udp_socket *u); /* frees it at the end of the turn if it is closed and no peer is left */

struct peer *peer_new(struct udp_socket *u, const struct settings *set);
void peer_opened(struct peer *p); /* a dialled one has its socket: opened goes up */
void peer_end(struct peer *p, int code, const char *words);
void peer_end_errno(struct peer *p, int error);
/* A datagram of somebody unknown: a new peer with its conn, or NULL (counted as dropped by the caller). */
struct peer *peer_stranger(struct udp_socket *u, const struct addr *a, const struct os_datagram *d);
void peer_arrived(struct peer *p, const struct os_datagram *d);
static inline void peer_later(struct peer *p) /* its chore, at the end of the turn */
{
    loop_chore(p->queue.loop, &p->chore);
}
/* Sends what the socket takes; the rest waits for it. A dialled peer's socket that has failed leaves its errno in p->error. */
void peer_flush(struct peer *p);
void peer_unstick(struct peer *p); /* it waits for the socket no more */
void peer_retry_fire(struct timer *t, dx_loop *l);
void peer_retry(struct udp_socket *u); /* the socket takes more: all that waited flush again */
bool udp_is_speech(const struct udp_socket *u, const struct os_datagram *d);
#endif
