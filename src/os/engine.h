/* SPDX-License-Identifier: MIT
 * engine.h - the only place that waits. Completion-shaped: the owner of a port asks for an operation and hears its end
 * exactly once, by return value or by one of its ops; readiness never leaves this file's .c. epoll inside, level-triggered;
 * io_uring could stand here without a change above.
 *
 * RECEIVING  os_recv(on): each arrival is lent to ops->received until it returns: mutable, with OS_HEAD_ROOM bytes free before
 *            it and OS_TAIL_ROOM behind. n 0: the peer's end; n < 0: -errno; after either nothing more is received.
 *            After os_recv_to_file what arrives goes to a file instead, without passing through memory: before each
 *            arrival ops->file names it, after it ops->filed has the count. What cannot go that way is lent as ever.
 * SENDING    One at a time. os_send returns the bytes taken (> 0), or -errno; -EAGAIN: in flight, ops->sent comes once.
 * SPLICING   Where p->splice is set an arrival comes as received(p, NULL, n): it stands in e->tubes.hot and not in memory, and
 *            os_send_tube moves it on. What is still in it when received returns is lost, unless os_tubes_take has it.
 * All calls on the loop's thread. A port lives inside its owner, who keeps it until the turn after os_close.
 */
#ifndef OS_ENGINE_H
#define OS_ENGINE_H
#include "os/pipe.h"
#include "os/splice.h"
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
    OS_HEAD_ROOM = 64 << 10,
    OS_RECV_MAX = 512 << 10,
    OS_TAIL_ROOM = 64,
    OS_DATAGRAMS = 8,
    OS_DATAGRAM_MAX = 64 << 10,
    OS_FD_RESERVE = 32,
};

struct os_port;
struct os_datagram {
    uint8_t *p;
    size_t n;
    const struct sockaddr_storage *from;
    socklen_t from_n;
};
struct os_port_ops {
    void (*received)(struct os_port *p, uint8_t *data, ssize_t n);
    int (*file)(struct os_port *p, size_t *ret_max);  /* a descriptor, and how much it may get (> 0); -1: lend it  */
    void (*filed)(struct os_port *p, ssize_t n);      /* n bytes have gone there; or its -errno: what came is lost */
    void (*sent)(struct os_port *p);                                  /* the send in flight may be asked for again  */
    void (*connected)(struct os_port *p, int error);                  /* 0 or errno                                 */
    void (*accepted)(struct os_port *p, int fd, int error);           /* fd >= 0, now the callee's; or errno        */
    void (*datagram)(struct os_port *p, const struct os_datagram *d); /* d NULL: errno says what ails the socket */
};
enum os_kind { OS_STREAM, OS_FILE, OS_LISTEN, OS_DATAGRAM, OS_CONNECT };
struct os_port {
    const struct os_port_ops *ops;
    int fd;       /* -1: closed                                              */
    uint8_t kind; /* enum os_kind                                            */
    uint8_t socket : 1, recv_on : 1, send_wait : 1, no_poll : 1, gro : 1, parked : 1, to_file : 1;
    uint8_t half_file : 1; /* its owner's: addr_linger_reset is on               */
    uint8_t splice : 1;    /* its owner's: see SPLICING                          */
    uint8_t peer_known : 1, peer_local : 1; /* its owner's: who the peer is has been asked, and it is this machine */
    uint8_t armed; /* what epoll was last told: 1 in, 2 out                   */
};
struct os_engine {
    int ep, wake;
    struct os_pipe pipe;     /* between any socket and its file                       */
    uint8_t *room;           /* OS_HEAD_ROOM + OS_RECV_MAX + OS_TAIL_ROOM               */
    struct os_port **always; /* ports that epoll does not take (regular files)          */
    size_t always_n, always_cap;
    struct os_tubes tubes;
    int64_t datagram_drops;
    int fd_last; /* the descriptor accepted last */
};

int os_engine_init(struct os_engine *e); /* 0 or -errno */
void os_engine_free(struct os_engine *e);
/* Waits up to timeout_ms (-1: for ever), sets *now and runs what has completed. 0 or -errno. */
int os_wait(struct os_engine *e, int64_t timeout_ms, int64_t *now);
void os_wake(const struct os_engine *e); /* any thread, and signal handlers: ends a wait */

/* Takes fd (non-blocking, close-on-exec are set) under this port. 0 or -errno; fd stays the caller's on failure. */
int os_port_open(struct os_engine *e, struct os_port *p, int fd, enum os_kind kind, const struct os_port_ops *ops);
void os_close(struct os_engine *e, struct os_port *p);       /* closes the fd; twice is fine */
int os_port_release(struct os_engine *e, struct os_port *p); /* gives the fd back, open, and forgets it */
void os_recv(struct os_engine *e, struct os_port *p, bool on);
void os_recv_to_file(struct os_port *p); /* where it can: a non-blocking socket; until a file refuses */
ssize_t os_send(struct os_engine *e, struct os_port *p, const struct iovec *v, size_t count, bool more);
/* As if p had taken nothing: ops->sent comes when it takes more, in the next turn at the earliest. */
ssize_t os_send_wait(struct os_engine *e, struct os_port *p);
/* The send in flight is not waited for: ops->sent will not come. */
void os_send_forget(struct os_engine *e, struct os_port *p);
ssize_t os_send_file(struct os_engine *e, struct os_port *p, int fd, int64_t off, size_t n);
ssize_t os_send_tube(struct os_engine *e, struct os_port *p, struct os_tube *from); /* some of what is in it */
/* count datagrams of seg bytes each (the last may be shorter) lie in v; to NULL: connected. All of them or -errno. */
ssize_t os_send_datagrams(struct os_engine *e, struct os_port *p, const struct iovec *v, size_t count, size_t seg,
                          const struct sockaddr *to, socklen_t to_n);
#endif
