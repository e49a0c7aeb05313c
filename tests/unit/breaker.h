/* SPDX-License-Identifier: MIT
 * breaker.h - for tests whose peers break every rule: a loop turned by hand, plain sockets in the same thread on its other side,
 * and a handler that counts. Nothing sleeps: UNTIL turns the loop until the condition holds or the time is up. */
#ifndef BREAKER_H
#define BREAKER_H
#include "test.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <duplex/duplex.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void stop_it(void *arg)
{
    dx_loop_stop(arg);
}

static bool spared; /* for test_break_memory.c: what the test itself takes never fails */

/* Lets the loop run for about ms. */
static inline void turn(dx_loop *l, int64_t ms)
{
    spared = true;
    dx_loop_after(l, ms, stop_it, l);
    spared = false;
    dx_loop_run(l);
}

#define UNTIL(l, cond, ms)                                                                                             \
    do {                                                                                                               \
        int64_t until_ = now_ms() + (ms);                                                                              \
        while (!(cond)) {                                                                                              \
            CHECK_SAY(now_ms() < until_, "after %d ms still not: %s", (int)(ms), #cond);                               \
            turn(l, 2);                                                                                                \
        }                                                                                                              \
    } while (0)

/* ---- the other side ---- */

static inline int port_of(const char *url)
{
    const char *at = strrchr(url, ':');
    return at ? atoi(at + 1) : 0;
}

static inline int raw_socket(int type)
{
    return socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int raw_dial(int type, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = raw_socket(type);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline int raw_tcp(const dx_listener *s)
{
    return raw_dial(SOCK_STREAM, port_of(dx_listener_url(s, 0)));
}

/* Sends all, turning the loop while the kernel is full; false: broken, or no progress for 5 s. */
static inline bool raw_send(dx_loop *l, int fd, const void *p, size_t n)
{
    int64_t until = now_ms() + 5000;
    while (n > 0 && now_ms() < until) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k > 0) {
            p = (const char *)p + k;
            n -= (size_t)k;
            until = now_ms() + 5000;
        } else if (k < 0 && errno != EAGAIN && errno != ENOTCONN) {
            return false;
        } else {
            turn(l, 1);
        }
    }
    return n == 0;
}

static inline bool raw_say(dx_loop *l, int fd, const char *text)
{
    return raw_send(l, fd, text, strlen(text));
}

/* Reads into buf (a string) until it holds want, the end (want NULL) or ms are over. The bytes read; -1: reset. */
static inline ssize_t raw_read(dx_loop *l, int fd, char *buf, size_t cap, const char *want, int64_t ms)
{
    size_t n = 0;
    int64_t until = now_ms() + ms;
    buf[0] = 0;
    while (n + 1 < cap && now_ms() < until && !(want && strstr(buf, want))) {
        ssize_t k = recv(fd, buf + n, cap - 1 - n, 0);
        if (k == 0 || (k < 0 && errno != EAGAIN && errno != ENOTCONN))
            return k == 0 ? (ssize_t)n : -1;
        n += k > 0 ? (size_t)k : 0;
        buf[n] = 0;
        if (k < 0)
            turn(l, 2);
    }
    return (ssize_t)n;
}

/* Has the peer said its end (or broken off)? Eats what is there. */
static inline bool raw_is_over(int fd)
{
    char buf[4096];
    ssize_t k;
    while ((k = recv(fd, buf, sizeof buf, 0)) > 0)
        ;
    return k == 0 || (errno != EAGAIN && errno != ENOTCONN);
}

static inline void raw_reset(int fd)
{
    struct linger off = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
    close(fd);
}

static inline int open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

/* ---- a handler that counts ---- */

struct count {
    int opens, datas, ends, writables, events, closes;
    size_t bytes;
    dx_conn *c; /* the newest */
    dx_err why;
    char text[4096]; /* what came, its first bytes */
};
static struct count seen;
static size_t memory_before; /* what an earlier case that failed has left */

static inline void count_open(dx_conn *c)
{
    seen.opens++;
    seen.c = c;
}

static inline void count_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)c;
    (void)how;
    if (seen.bytes < sizeof seen.text - 1) {
        size_t room = sizeof seen.text - 1 - seen.bytes;
        memcpy(seen.text + seen.bytes, p, n < room ? n : room);
    }
    seen.datas++;
    seen.bytes += n;
}

static inline void count_end(dx_conn *c)
{
    seen.ends++;
    (void)c;
}

static inline void count_writable(dx_conn *c)
{
    (void)c;
    seen.writables++;
}

static inline void count_close(dx_conn *c, const dx_err *why)
{
    seen.closes++;
    seen.why = *why;
    if (seen.c == c)
        seen.c = NULL;
}

static inline dx_loop *fresh_loop(void)
{
    memset(&seen, 0, sizeof seen);
    memory_before = dx_memory_used();
    dx_err err;
    dx_loop *l = dx_loop_new(&err);
    CHECK_SAY(l, "%s", err.text);
    return l;
}

static inline dx_listener *listen_on(dx_loop *l, const char *url, const dx_handler *h, const dx_opts *o)
{
    dx_err err = {0};
    dx_listener *s = dx_serve(l, url, h, NULL, o, &err);
    CHECK_SAY(s, "%s", err.text);
    return s;
}

static inline size_t memory(void)
{
    return dx_memory_used() - memory_before;
}

/* The loop goes, and with it all memory of queues, messages and held input. */
static inline void loop_gone(dx_loop *l)
{
    dx_loop_free(l);
    CHECK_INT(dx_memory_used(), memory_before);
}
#endif
