/* SPDX-License-Identifier: MIT
 * replay.c - LD_PRELOAD: user time per turn with the kernel taken away.
 *
 * The server serves real conns until the DX_REPLAY_AFTER-th turn of epoll_wait that brings at least DX_REPLAY_EVENTS
 * conns. What that turn reads is kept; from then on epoll_wait answers with the same events, each read with a copy of
 * the same bytes, and each write takes all and sends nothing. 200 chunks of DX_REPLAY_TURNS turns are timed by the
 * thread's CPU clock, "replay turn_ns=MIN median_ns=MEDIAN bytes=READ_A_TURN" goes to stderr, and the process ends.
 * Only for servers whose turns repeat: whole small messages, one read a wake-up. Neighbours on the machine disturb a
 * chunk of a millisecond rarely, so the least of 200 is the code's own cost, caches warm. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 1024, EVENTS = 64, CHUNKS = 200, KEPT = 16 << 10 };

static struct {
    enum { SERVING, KEEPING, REPLAYING } state;
    long after, events_min, turns, turn, chunk;
    struct epoll_event ev[EVENTS];
    int n;
    size_t have[EVENTS]; /* bytes; the top bit: not read yet in this turn */
    char data[EVENTS][KEPT];
    short slot[FDS]; /* 1 + place in data */
    int slots;
    size_t bytes;
    long long from, ns[CHUNKS];
} r;

static long long cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

__attribute__((constructor)) static void set_up(void)
{
    const char *a = getenv("DX_REPLAY_AFTER"), *e = getenv("DX_REPLAY_EVENTS"), *t = getenv("DX_REPLAY_TURNS");
    r.after = a ? atol(a) : 1000;
    r.events_min = e ? atol(e) : 1;
    r.turns = t ? atol(t) : 1000;
}

static int ascending(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

static void report(void)
{
    char line[160];
    qsort(r.ns, CHUNKS, sizeof *r.ns, ascending);
    int n = snprintf(line, sizeof line, "replay turn_ns=%.2f median_ns=%.2f bytes=%zu\n",
                     (double)r.ns[0] / (double)r.turns, (double)r.ns[CHUNKS / 2] / (double)r.turns, r.bytes);
    syscall(SYS_write, 2, line, (size_t)n);
    _exit(0);
}

static int replay(struct epoll_event *ev)
{
    if (++r.turn > r.turns) {
        long long now = cpu_ns();
        if (r.from)
            r.ns[r.chunk++] = now - r.from;
        if (r.chunk == CHUNKS)
            report();
        r.from = cpu_ns();
        r.turn = 1;
    }
    for (int i = 0; i < r.slots; i++)
        r.have[i] |= (size_t)1 << 63;
    memcpy(ev, r.ev, (size_t)r.n * sizeof *ev);
    return r.n;
}

static int wait(int ep, struct epoll_event *ev, int max, int ms)
{
    if (r.state == REPLAYING)
        return replay(ev);
    if (r.state == KEEPING) {
        r.state = r.slots == r.n ? REPLAYING : SERVING;
        if (r.state == REPLAYING) {
            r.turn = r.turns;
            return replay(ev);
        }
    }
    int n = (int)syscall(SYS_epoll_wait, ep, ev, max, ms);
    if (--r.after <= 0 && n >= r.events_min && n <= EVENTS) {
        memcpy(r.ev, ev, (size_t)n * sizeof *ev);
        memset(r.slot, 0, sizeof r.slot);
        r.n = n;
        r.slots = 0;
        r.bytes = 0;
        r.state = KEEPING;
    }
    return n;
}

int epoll_wait(int ep, struct epoll_event *ev, int max, int ms)
{
    return wait(ep, ev, max, ms);
}

int epoll_pwait(int ep, struct epoll_event *ev, int max, int ms, const sigset_t *set)
{
    (void)set; /* libuv passes one only when asked to block signals */
    return wait(ep, ev, max, ms);
}

static ssize_t in(int fd, void *p, size_t room, ssize_t (*real)(int, void *, size_t))
{
    short s = fd >= 0 && fd < FDS ? r.slot[fd] : 0;
    if (r.state == REPLAYING && s) {
        size_t n = r.have[s - 1] & ~((size_t)1 << 63);
        if (n == r.have[s - 1] || n > room) {
            errno = EAGAIN;
            return -1;
        }
        r.have[s - 1] = n;
        memcpy(p, r.data[s - 1], n);
        return (ssize_t)n;
    }
    ssize_t n = real(fd, p, room);
    if (r.state == KEEPING && n > 0 && n <= KEPT && fd < FDS && !s && r.slots < EVENTS) {
        memcpy(r.data[r.slots], p, (size_t)n);
        r.have[r.slots] = (size_t)n;
        r.slot[fd] = (short)++r.slots;
        r.bytes += (size_t)n;
    }
    return n;
}

static ssize_t real_recv(int fd, void *p, size_t n)
{
    return syscall(SYS_recvfrom, fd, p, n, 0, NULL, NULL);
}

static ssize_t real_read(int fd, void *p, size_t n)
{
    return syscall(SYS_read, fd, p, n);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
    return flags & ~MSG_DONTWAIT ? syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL) : in(fd, p, n, real_recv);
}

ssize_t read(int fd, void *p, size_t n)
{
    return in(fd, p, n, real_read);
}

static bool swallows(int fd)
{
    return r.state == REPLAYING && fd >= 0 && fd < FDS && r.slot[fd];
}

static ssize_t total(const struct iovec *v, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i].iov_len;
    return (ssize_t)sum;
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    return swallows(fd) ? (ssize_t)n : syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

ssize_t write(int fd, const void *p, size_t n)
{
    return swallows(fd) ? (ssize_t)n : syscall(SYS_write, fd, p, n);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    return swallows(fd) ? total(v, (size_t)n) : syscall(SYS_writev, fd, v, n);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    return swallows(fd) ? total(m->msg_iov, m->msg_iovlen) : syscall(SYS_sendmsg, fd, m, flags);
}
