/* SPDX-License-Identifier: MIT
 * engine_take.c - what a port that can be read has: bytes, connections, datagrams, and the ends of them. */
#include "os/engine_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ACCEPTS_MAX = 256 };

static void received_last(struct os_engine *e, struct os_port *p, ssize_t n)
{
    p->recv_on = 0;
    engine_arm(e, p, p->armed & ARM_OUT);
    p->ops->received(p, e->room + OS_HEAD_ROOM, n);
}

/* The file does not take pages (it is opened to append, say): the pipe's n bytes go the way of the rest. */
static void lend_pipe(struct os_engine *e, struct os_port *p, size_t n)
{
    uint8_t *at = e->room + OS_HEAD_ROOM;
    p->to_file = 0;
    while (n > 0) {
        size_t got = os_pipe_read(&e->pipe, at, n < OS_RECV_MAX ? n : OS_RECV_MAX);
        n -= got;
        if (p->fd >= 0) /* else the owner has had enough, and the rest is only emptied out */
            p->ops->received(p, at, (ssize_t)got);
    }
}

/* From the socket through the pipe into the file. false: nothing was taken, and recv shall say what there is: what splice
 * calls the end may be urgent data, at which it stops for ever. */
static bool complete_to_file(struct os_engine *e, struct os_port *p)
{
    size_t most = 0;
    int fd = p->ops->file(p, &most);
    ssize_t n = fd < 0 ? 0 : os_pipe_fill(&e->pipe, p->fd, most);
    if (n == -EINVAL || n == -ENOSYS)
        p->to_file = 0;
    if (n == 0 || n == -EAGAIN || !p->to_file)
        return false;
    if (n < 0) {
        received_last(e, p, n);
        return true;
    }
    size_t left = (size_t)n;
    int error = os_pipe_drain(&e->pipe, fd, &left);
    if ((size_t)n > left)
        p->ops->filed(p, n - (ssize_t)left);
    if (error == EINVAL) {
        lend_pipe(e, p, left);
    } else if (error) {
        os_pipe_close(&e->pipe); /* with what nobody can have */
        p->ops->filed(p, -error);
    }
    return true;
}

/* false: not by this way, or there is no pipe; through memory it will do. */
static bool complete_splice(struct os_engine *e, struct os_port *p)
{
    struct os_tube *hot = os_tubes_hot(&e->tubes);
    ssize_t n = hot ? os_splice_in(p->fd, hot) : -ENOMEM;
    /* The end, or urgent data, at which splice stops for ever: recv shall say. */
    if (n == 0 || n == -EAGAIN || n == -EINVAL || n == -ENOSYS || n == -ENOMEM)
        return false;
    if (n < 0) { /* told once: recv would not say it again */
        received_last(e, p, n);
        return true;
    }
    p->ops->received(p, NULL, n);
    if (e->tubes.hot && e->tubes.hot->n)
        os_tubes_give(&e->tubes, os_tubes_take(&e->tubes));
    return true;
}

static void complete_stream(struct os_engine *e, struct os_port *p)
{
    uint8_t *at = e->room + OS_HEAD_ROOM;
    ssize_t n;
    if (p->to_file && complete_to_file(e, p))
        return;
    if (p->splice && complete_splice(e, p))
        return;
    do
        n = p->socket ? recv(p->fd, at, OS_RECV_MAX, MSG_DONTWAIT) : read(p->fd, at, OS_RECV_MAX);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        received_last(e, p, n < 0 ? -errno : 0);
    else
        p->ops->received(p, at, n);
}

/* Some descriptors are kept for files, name look-ups and dials: strangers must not take the last ones. Descriptors are given
 * lowest first, so a spare one shows how far up the table is full; it is asked for only near the end. */
static int64_t reserve_line(void)
{
    struct rlimit most;
    if (getrlimit(RLIMIT_NOFILE, &most) < 0 || most.rlim_cur == RLIM_INFINITY || most.rlim_cur < 2 * OS_FD_RESERVE)
        return INT64_MAX;
    return (int64_t)most.rlim_cur - OS_FD_RESERVE;
}

static bool in_reserve(const struct os_engine *e, int64_t line)
{
    if (e->fd_last < line)
        return false;
    int spare = fcntl(e->wake, F_DUPFD_CLOEXEC, 0);
    if (spare >= 0)
        close(spare);
    return spare < 0 || spare >= line;
}

static void complete_accept(struct os_engine *e, struct os_port *p)
{
    int64_t line = reserve_line();
    for (int i = 0; i < ACCEPTS_MAX && p->fd >= 0 && p->recv_on; i++) {
        if (in_reserve(e, line)) {
            p->ops->accepted(p, -1, EMFILE);
            return;
        }
        int fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            e->fd_last = fd;
            p->ops->accepted(p, fd, 0);
            continue;
        }
        int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return;
        if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EBADF ||
            error == EINVAL) {
            p->ops->accepted(p, -1, error);
            return;
        }
        /* all else (ECONNABORTED, EPROTO, network errors of the new socket) is that one stranger's trouble */
    }
}

static size_t segment_of(struct msghdr *m, size_t n)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int seg;
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            memcpy(&seg, CMSG_DATA(c), sizeof seg);
            if (seg > 0)
                return (size_t)seg;
        }
    }
    return n;
}

static void hand_datagrams(struct os_port *p, uint8_t *at, size_t n, struct msghdr *m)
{
    size_t seg = p->gro ? segment_of(m, n) : n;
    struct os_datagram d = {.p = at, .n = n, .from = m->msg_name, .from_n = m->msg_namelen};
    do {
        d.n = n < seg ? n : seg;
        p->ops->datagram(p, &d);
        d.p += d.n;
        n -= d.n;
    } while (n > 0 && p->fd >= 0);
}

static void complete_datagrams(struct os_engine *e, struct os_port *p)
{
    struct mmsghdr v[OS_DATAGRAMS];
    struct iovec iov[OS_DATAGRAMS];
    struct sockaddr_storage from[OS_DATAGRAMS];
    char control[OS_DATAGRAMS][64];
    uint8_t *at = e->room + OS_HEAD_ROOM;
    for (int i = 0; i < OS_DATAGRAMS; i++) {
        iov[i] = (struct iovec){at + (size_t)i * OS_DATAGRAM_MAX, OS_DATAGRAM_MAX};
        v[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                       .msg_namelen = sizeof from[i],
                                       .msg_iov = &iov[i],
                                       .msg_iovlen = 1,
                                       .msg_control = control[i],
                                       .msg_controllen = sizeof control[i]};
    }
    int got = recvmmsg(p->fd, v, OS_DATAGRAMS, MSG_DONTWAIT, NULL);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        p->ops->datagram(p, NULL);
    for (int i = 0; i < got && p->fd >= 0; i++)
        if (v[i].msg_hdr.msg_flags & MSG_TRUNC) /* unixgram takes longer ones than fit: half of one is none */
            e->datagram_drops++;
        else
            hand_datagrams(p, iov[i].iov_base, v[i].msg_len, &v[i].msg_hdr);
}

void engine_take(struct os_engine *e, struct os_port *p)
{
    switch ((enum os_kind)p->kind) {
    case OS_STREAM:
    case OS_FILE:
        complete_stream(e, p);
        break;
    case OS_LISTEN:
        complete_accept(e, p);
        break;
    case OS_DATAGRAM:
        complete_datagrams(e, p);
        break;
    case OS_CONNECT:
        break;
    }
}
