/* SPDX-License-Identifier: MIT
 * engine.c - epoll, level-triggered: a paused port must fire again, and one recv a wake-up is enough. */
#include "os/engine_inside.h"
#include "os/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_MAX = 512 };

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

void engine_arm(struct os_engine *e, struct os_port *p, uint8_t what)
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
        engine_arm(e, p, p->armed | ARM_IN);
}

void os_recv_to_file(struct os_port *p)
{
    /* splice reads a TCP socket without MSG_DONTWAIT: only those that are non-blocking, as all but handed-over ones are */
    p->to_file = p->fd >= 0 && p->socket && p->ops->file && fcntl(p->fd, F_GETFL) & O_NONBLOCK;
}

/* ---- what has completed ---- */

static void complete_connect(struct os_engine *e, struct os_port *p)
{
    int error = 0;
    getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    engine_arm(e, p, 0);
    p->ops->connected(p, error);
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
            engine_arm(e, p, p->armed & ARM_IN);
    }
    if (p->fd < 0 || !(ev & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
        return;
    if (p->recv_on) {
        engine_take(e, p);
    } else if (ev & (EPOLLHUP | EPOLLERR) && !p->send_wait) {
        epoll_ctl(e->ep, EPOLL_CTL_DEL, p->fd, NULL); /* hang-up cannot be masked: out, until it is wanted again */
        p->parked = 1;
        p->armed = 0;
    } else {
        engine_arm(e, p, p->armed & ARM_OUT);
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
            engine_take(e, p);
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
