/* SPDX-License-Identifier: MIT
 * raw_tcp.c - the simple limit of TCP echo: level-triggered epoll, one shared receive buffer, one recv a wake-up, send
 * at once, EPOLLOUT only after a short write. What is below this line is what a library may add to. */
#include "raw.h"

enum { FDS = 65536, BUF = 512 << 10, EVENTS = 1024 };

struct conn {
    char *left; /* what a short write left over: reading rests until it is gone */
    size_t at, n;
};
static struct conn conns[FDS];
static char buf[BUF];
static int ep;

static void watch(int fd, unsigned events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev);
}

static void drop(int fd)
{
    free(conns[fd].left);
    conns[fd] = (struct conn){0};
    close(fd);
}

static void take(int listener)
{
    for (int fd, one = 1; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (fd >= FDS || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
            close(fd);
    }
}

static void on_writable(int fd)
{
    struct conn *c = &conns[fd];
    ssize_t n = send(fd, c->left + c->at, c->n - c->at, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        drop(fd);
        return;
    }
    c->at += n > 0 ? (size_t)n : 0;
    if (c->at < c->n)
        return;
    free(c->left);
    *c = (struct conn){0};
    watch(fd, EPOLLIN);
}

static void on_readable(int fd)
{
    ssize_t n = recv(fd, buf, BUF, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            drop(fd);
        return;
    }
    ssize_t out = send(fd, buf, (size_t)n, MSG_NOSIGNAL);
    if (out == n)
        return;
    if (out < 0 && errno != EAGAIN) {
        drop(fd);
        return;
    }
    struct conn *c = &conns[fd];
    c->n = (size_t)(n - (out > 0 ? out : 0));
    if (!(c->left = malloc(c->n))) {
        drop(fd);
        return;
    }
    memcpy(c->left, buf + n - c->n, c->n);
    watch(fd, EPOLLOUT);
}

int main(void)
{
    int listener = raw_listen("tcp");
    struct epoll_event ev[EVENTS] = {{.events = EPOLLIN, .data.fd = listener}};
    ep = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev[0]);
    for (;;) {
        int n = epoll_wait(ep, ev, EVENTS, -1);
        for (int i = 0; i < n; i++)
            if (ev[i].data.fd == listener)
                take(listener);
            else if (conns[ev[i].data.fd].left)
                on_writable(ev[i].data.fd);
            else
                on_readable(ev[i].data.fd);
    }
}
