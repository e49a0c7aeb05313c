/* SPDX-License-Identifier: MIT
 * listener.h - what accepts. A transport (a stream, a datagram peer) counts itself in and out; those without a conn, which
 * drain could not find by their slots, are also in a list. */
#ifndef CORE_LISTENER_H
#define CORE_LISTENER_H
#include "core/loop.h"
#include "core/settings.h"

enum { LISTENER_PORTS_MAX = 8, ACCEPT_REST_MS = 100 };
struct stream;
struct listen_port {
    struct os_port port; /* first */
    dx_listener *listener;
    const char *wire; /* "tcp", "unix": the stream's name          */
    char *unlink;     /* a unix path to remove at the end; or NULL */
};
/* A layer that has no conn: embedded in it. */
struct lone {
    struct lone *next, **at;
    struct layer *layer;
};
struct dx_listener {
    struct layer grave; /* first: no layer of a stack, but the loop's dead are layers */
    dx_loop *loop;
    dx_listener *next, **at;
    const dx_handler *on;
    void *user;
    struct settings *set;
    char *path; /* of the URL: ws and http listeners       */
    struct listen_port ports[LISTENER_PORTS_MAX];
    size_t port_count;
    char *urls[LISTENER_PORTS_MAX];
    size_t url_count;
    /* Builds the stack on a fresh transport, whose queue is q, and calls conn_open where there is a conn at once.
     * 0, or < 0: the transport is thrown away. */
    int (*stack)(dx_listener *s, struct layer *bottom, struct queue *q);
    void (*stop)(dx_listener *s); /* the scheme's own end of accepting; NULL: none       */
    void (*free)(dx_listener *s); /* the scheme's own memory; NULL: none                 */
    void *scheme_data;
    void (*fault)(void *arg, const char *peer, const dx_err *why); /* dx_listener_faults */
    void *fault_arg;
    /* The scheme's datagram sockets, for a twin: the i-th one's fd (-1: no more), and taking one over (owns fd). */
    int (*datagrams)(const dx_listener *s, size_t i, const char **ret_wire);
    int (*add_datagrams)(dx_listener *s, int fd, const char *wire);
    uint64_t token;  /* 0: not shared; twins on other loops have the same (share.c)  */
    uint32_t *twins; /* numbers of their loops */
    size_t twin_count;
    size_t transports;
    struct lone *lone;
    struct timer rest; /* accepting rests, or the drain's deadline             */
    bool full, draining;
};
dx_listener *listener_new(dx_loop *l, const dx_handler *on, void *user, struct settings *set, dx_err *err);
/* Takes a listening stream socket. 0, DX_LIMIT, DX_NOMEM, DX_SYS: fd stays the caller's. */
int listener_add(dx_listener *s, int fd, const char *wire, const char *unlink_path);
int listener_add_url(dx_listener *s, const char *url); /* copies; one that is there already is no error */
void listener_free(dx_listener *s); /* its conns must be gone or going; its struct's memory goes at the end of the turn */
void listener_drain_twins(dx_listener *s, int64_t ms);
void listener_gained(dx_listener *s); /* a transport more; accepting stops at conns_max */
void listener_lost(dx_listener *s);
/* The handshake of a caller, whose transport is bottom, came to nothing: it is counted, and told to whoever asked. */
void listener_fault(dx_listener *s, const struct layer *bottom, const dx_err *why);
void lone_add(dx_listener *s, struct lone *n, struct layer *l);
void lone_add_dialled(dx_loop *loop, struct lone *n, struct layer *l);
/* Of all lone layers of the loop, the one on the queue with more than *most bytes in memory, the most; or NULL. */
struct layer *lone_largest(dx_loop *l, size_t *most);
void lone_del(struct lone *n); /* not in a list: no error                        */
dx_conn *listener_conn(dx_listener *s, struct layer *below, struct queue *q); /* a conn with its handler */
#endif
