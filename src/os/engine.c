/* SPDX-License-Identifier: MIT
 * engine.c - epoll, level-triggered: a paused port must fire again, and one recv a wake-up is enough. */
#include "os/engine.h"
#include "os/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { EVENTS_MAX = 512, ACCEPTS_MAX = 256, ARM_IN = 1, ARM_OUT = 2 };

int os_engine_init(struct os_engine *e)
{
    *e = (struct os_engine){.ep = -1, .wake = -1, .pipe = OS_PIPE_NONE};
    e->room = malloc(OS_HEAD_ROOM + OS_RECV_MAX + OS_TAIL_ROOM);
    e->ep = epoll_create1(EPOLL_CLOEXEC);
    e->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    if (e->room && e->ep >= 0 && e->wake >= 0 && epoll_ctl(e->ep, EPOLL_CTL_ADD, e->wake, &ev) == 0)
        return 0;
    int error = e->room ? errno : ENOMEM;
    os_engine_free(e);
    return -error;
}

void os_engine_free(struct os_engine *e)
{
    if (e->ep >= 0)
        close(e->ep);
    if (e->wake >= 0)
        close(e->wake);
    os_pipe_close(&e->pipe);
    os_tubes_free(&e->tubes);
    free(e->room);
    free(e->always);
    *e = (struct os_engine){.ep = -1, .wake = -1, .pipe = OS_PIPE_NONE};
}

void os_wake(const struct os_engine *e)
{
    int saved = errno; /* signal handlers call this */
    ssize_t done = write(e->wake, &(uint64_t){1}, 8);
    (void)done; /* full means awake already */
    errno = saved;
}

/* ---- ports ---- */

static uint32_t events_of(const struct os_port *p)
{
    return (p->armed & ARM_IN ? EPOLLIN | EPOLLRDHUP : 0u) | (p->armed & ARM_OUT ? EPOLLOUT : 0u);
}

static void arm(struct os_engine *e, struct os_port *p, uint8_t what)
{
    if (p->fd < 0 || p->no_poll || (p->armed == what && !p->parked))
        return;
    p->armed = what;
    struct epoll_event ev = {.events = events_of(p), .data.ptr = p};
    if (p->parked)
        p->parked = epoll_ctl(e->ep, EPOLL_CTL_ADD, p->fd, &ev) < 0;
    else
        epoll_ctl(e->ep, EPOLL_CTL_MOD, p->fd, &ev);
}

/* Regular files are always ready: epoll refuses them, so they are looked at each turn. */
static int add_always(struct os_engine *e, struct os_port *p)
{
    if (e->always_n == e->always_cap) {
        size_t cap = e->always_cap ? e->always_cap * 2 : 4;
        struct os_port **v = realloc(e->always, cap * sizeof *v);
        if (!v)
            return -ENOMEM;
        e->always = v;
        e->always_cap = cap;
    }
    e->always[e->always_n++] = p;
    p->no_poll = 1;
    return 0;
}

static void drop_always(struct os_engine *e, struct os_port *p)
{
    for (size_t i = 0; i < e->always_n; i++)
        if (e->always[i] == p)
            e->always[i] = NULL;
}

int os_port_open(struct os_engine *e, struct os_port *p, int fd, enum os_kind kind, const struct os_port_ops *ops)
{
    bool socket = kind != OS_FILE;
    *p = (struct os_port){.ops = ops, .fd = -1, .kind = (uint8_t)kind, .socket = socket};
    p->armed = kind == OS_CONNECT ? ARM_OUT : kind == OS_FILE ? 0 : ARM_IN;
    p->recv_on = kind != OS_CONNECT && kind != OS_FILE;
    struct epoll_event ev = {.events = events_of(p), .data.ptr = p};
    if (epoll_ctl(e->ep, EPOLL_CTL_ADD, fd, &ev) < 0) {
        if (errno != EPERM)
            return -errno;
        int r = add_always(e, p);
        if (r < 0)
            return r;
    }
    p->fd = fd;
    return 0;
}

int os_port_release(struct os_engine *e, struct os_port *p)
{
    int fd = p->fd;
    if (fd < 0)
        return -1;
    if (p->no_poll)
        drop_always(e, p);
    else if (!p->parked)
        epoll_ctl(e->ep, EPOLL_CTL_DEL, fd, NULL); /* close alone is not enough: another process may share it */
    p->fd = -1;
    return fd;
}

void os_close(struct os_engine *e, struct os_port *p)
{
    int fd = os_port_release(e, p);
    if (fd >= 0)
        close(fd);
}

/* Off is lazy: epoll hears of it when data comes meanwhile, so that pause and go on within a turn cost nothing. */
void os_recv(struct os_engine *e, struct os_port *p, bool on)
{
    p->recv_on = on;
    if (on)
        arm(e, p, p->armed | ARM_IN);
}

void os_recv_to_file(struct os_port *p)
{
    /* splice reads a TCP socket without MSG_DONTWAIT: only those that are non-blocking, as all but handed-over ones are */
    p->to_file = p->fd >= 0 && p->socket && p->ops->file && fcntl(p->fd, F_GETFL) & O_NONBLOCK;
}

/* ---- sending ---- */

ssize_t os_send_wait(struct os_engine *e, struct os_port *p)
{
    p->send_wait = 1;
    arm(e, p, p->armed | ARM_OUT);
    return -EAGAIN;
}

void os_send_forget(struct os_engine *e, struct os_port *p)
{
    p->send_wait = 0;
    arm(e, p, p->armed & ARM_IN);
}

/* A pipe whose reader is gone raises SIGPIPE, which no flag of write and sendfile prevents: it is blocked for the moment and
 * what came of it is eaten, unless the program has it blocked anyway. */
static void quiet_begin(sigset_t *ret_old)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, ret_old);
}

static void quiet_end(const sigset_t *old, bool broken)
{
    int error = errno;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!sigismember(old, SIGPIPE)) {
        if (broken)
            sigtimedwait(&pipe, NULL, &(struct timespec){0});
        pthread_sigmask(SIG_SETMASK, old, NULL);
    }
    errno = error;
}

static ssize_t write_quietly(int fd, const struct iovec *v, size_t count)
{
    sigset_t old;
    quiet_begin(&old);
    ssize_t done = writev(fd, v, (int)count);
    quiet_end(&old, done < 0 && errno == EPIPE);
    return done;
}

static ssize_t sendfile_quietly(int to, int fd, off_t off, size_t n)
{
    sigset_t old;
    quiet_begin(&old);
    ssize_t done = sendfile(to, fd, &off, n);
    quiet_end(&old, done < 0 && errno == EPIPE);
    return done;
}

ssize_t os_send(struct os_engine *e, struct os_port *p, const struct iovec *v, size_t count, bool more)
{
    ssize_t done;
    do {
        if (!p->socket) {
            done = write_quietly(p->fd, v, count);
        } else if (count == 1) {
            done = send(p->fd, v->iov_base, v->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
        } else {
            struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = count};
            done = sendmsg(p->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
        }
    } while (done < 0 && errno == EINTR);
    if (done >= 0)
        return done;
    return errno == EAGAIN ? os_send_wait(e, p) : -errno;
}

ssize_t os_send_file(struct os_engine *e, struct os_port *p, int fd, int64_t off, size_t n)
{
    ssize_t done = -1;
    /* sendfile knows no MSG_DONTWAIT: only for sockets that are non-blocking, as all but handed-over ones are */
    bool straight = p->socket && fcntl(p->fd, F_GETFL) & O_NONBLOCK;
    while (straight && (done = sendfile_quietly(p->fd, fd, off, n)) < 0 && errno == EINTR)
        ;
    if (done >= 0)
        return done;
    if (straight && errno == EAGAIN)
        return os_send_wait(e, p);
    if (straight && errno != EINVAL && errno != ENOSYS)
        return -errno;
    size_t want = n < OS_RECV_MAX ? n : OS_RECV_MAX; /* no sendfile between these two: through memory */
    uint8_t *copy = malloc(want);
    ssize_t got = copy ? pread(fd, copy, want, off) : -1;
    int error = copy ? errno : ENOMEM;
    done = got > 0 ? os_send(e, p, &(struct iovec){copy, (size_t)got}, 1, false) : got == 0 ? 0 : -error;
    free(copy);
    return done;
}

ssize_t os_send_tube(struct os_engine *e, struct os_port *p, struct os_tube *from)
{
    sigset_t old;
    quiet_begin(&old);
    ssize_t done = os_splice_out(from, p->fd);
    quiet_end(&old, done == -EPIPE);
    return done == -EAGAIN ? os_send_wait(e, p) : done;
}

ssize_t os_send_datagrams(struct os_engine *e, struct os_port *p, const struct iovec *v, size_t count, size_t seg,
                          const struct sockaddr *to, socklen_t to_n)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(uint16_t))];
    } control = {0};
    struct msghdr m = {.msg_name = (void *)(uintptr_t)to,
                       .msg_namelen = to_n,
                       .msg_iov = (struct iovec *)(uintptr_t)v,
                       .msg_iovlen = count};
    if (count > 1) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof control.room;
        control.head.cmsg_level = SOL_UDP;
        control.head.cmsg_type = UDP_SEGMENT;
        control.head.cmsg_len = CMSG_LEN(sizeof(uint16_t));
        memcpy(CMSG_DATA(&control.head), &(uint16_t){(uint16_t)seg}, sizeof(uint16_t));
    }
    ssize_t done;
    do
        done = sendmsg(p->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (done < 0 && errno == EINTR);
    if (done >= 0)
        return done;
    return errno == EAGAIN ? os_send_wait(e, p) : -errno;
}

/* ---- what has completed ---- */

static void received_last(struct os_engine *e, struct os_port *p, ssize_t n)
{
    p->recv_on = 0;
    arm(e, p, p->armed & ARM_OUT);
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

static void complete_connect(struct os_engine *e, struct os_port *p)
{
    int error = 0;
    getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    arm(e, p, 0);
    p->ops->connected(p, error);
}

static void complete_in(struct os_engine *e, struct os_port *p)
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

static void complete(struct os_engine *e, struct os_port *p, uint32_t ev)
{
    if (p->fd < 0)
        return; /* closed earlier in this turn */
    if (p->kind == OS_CONNECT) {
        complete_connect(e, p);
        return;
    }
    if (ev & EPOLLOUT || (ev & (EPOLLERR | EPOLLHUP) && p->send_wait)) {
        if (p->send_wait) {
            p->send_wait = 0;
            p->ops->sent(p);
        }
        if (p->fd >= 0 && !p->send_wait)
            arm(e, p, p->armed & ARM_IN);
    }
    if (p->fd < 0 || !(ev & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
        return;
    if (p->recv_on) {
        complete_in(e, p);
    } else if (ev & (EPOLLHUP | EPOLLERR) && !p->send_wait) {
        epoll_ctl(e->ep, EPOLL_CTL_DEL, p->fd, NULL); /* hang-up cannot be masked: out, until it is wanted again */
        p->parked = 1;
        p->armed = 0;
    } else {
        arm(e, p, p->armed & ARM_OUT);
    }
}

/* true: something has completed, and what that brought about (a flush at the end of the turn) must not wait for epoll. */
static bool run_always(struct os_engine *e)
{
    size_t kept = 0, n = e->always_n;
    bool busy = false;
    for (size_t i = 0; i < n; i++) {
        struct os_port *p = e->always[i];
        if (p && p->send_wait) {
            busy = true;
            p->send_wait = 0;
            p->ops->sent(p);
        }
        p = e->always[i];
        if (p && p->recv_on) {
            busy = true;
            complete_in(e, p);
        }
    }
    for (size_t i = 0; i < e->always_n; i++)
        if (e->always[i]) {
            busy = busy || e->always[i]->recv_on || e->always[i]->send_wait;
            e->always[kept++] = e->always[i];
        }
    e->always_n = kept;
    return busy;
}

int os_wait(struct os_engine *e, int64_t timeout_ms, int64_t *now)
{
    struct epoll_event ev[EVENTS_MAX];
    if (e->always_n && run_always(e))
        timeout_ms = 0;
    int n = epoll_wait(e->ep, ev, EVENTS_MAX, timeout_ms > 1 << 30 ? 1 << 30 : (int)timeout_ms);
    *now = os_now_ms(); /* before anything is told: deadlines that begin now must not begin when the wait did */
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        if (ev[i].data.ptr) {
            complete(e, ev[i].data.ptr, ev[i].events);
        } else {
            uint64_t count;
            ssize_t got = read(e->wake, &count, sizeof count);
            (void)got;
        }
    }
    return 0;
}
