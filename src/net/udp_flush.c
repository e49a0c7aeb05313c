/* SPDX-License-Identifier: MIT
 * udp_flush.c - what peers have for their socket leaves: equal datagrams of a turn in one call (GSO), where the kernel has it; and who
 * waits where the socket takes no more. */
#include "net/udp.h"
#include <errno.h>

enum { SEGMENTS_MAX = 60 };

/* How many of the first datagrams have one size, the last perhaps a shorter one: what GSO takes in one call. */
static size_t run_of(const struct peer *p, struct iovec *v, size_t *ret_seg)
{
    const struct queued *q = p->queue.first;
    size_t seg = q->n, count = 0, n = 0;
    for (; q && count < SEGMENTS_MAX && q->n <= seg && n + q->n <= UDP_PAYLOAD_MAX; q = q->next) {
        if (q->n == 0 && count) /* as the end of a run it would be nothing at all */
            break;
        v[count++] = (struct iovec){(void *)(uintptr_t)q->p, q->n};
        n += q->n;
        if (q->n < seg || !p->socket->gso || seg == 0)
            break;
    }
    *ret_seg = seg;
    return count;
}

static void wait_for_socket(struct peer *p)
{
    if (p->stuck)
        return;
    p->stuck = 1;
    p->next_stuck = p->socket->stuck;
    p->socket->stuck = p;
}

/* A Unix peer that does not read is full, not our socket: epoll would call that writable for ever, and the others wait. */
static void retry_later(struct udp_socket *u)
{
    os_send_forget(&u->loop->engine, &u->port);
    if (!u->stuck)
        loop_timer(u->loop, &u->retry, u->loop->now + UDP_RETRY_MS);
}

void peer_retry_fire(struct timer *t, dx_loop *l)
{
    (void)l;
    peer_retry((struct udp_socket *)((char *)t - offsetof(struct udp_socket, retry)));
}

/* Errors of one datagram (too big, nobody there) are that datagram's; only a dialled socket's end the conn. */
void peer_flush(struct peer *p)
{
    struct udp_socket *u = p->socket;
    struct os_engine *e = &u->loop->engine;
    const struct sockaddr *to = p->addr.n ? &p->addr.sa : NULL; /* a dialled one is connected, but to a group */
    while (p->queue.first && !u->port.send_wait) {
        struct iovec v[SEGMENTS_MAX];
        size_t seg, count = run_of(p, v, &seg);
        ssize_t n = os_send_datagrams(e, &u->port, v, count, seg, to, to ? p->addr.n : 0);
        if (n == -EAGAIN && !u->only && u->type == &unixgram_type) {
            retry_later(u);
            break;
        }
        if (n == -EAGAIN)
            break;
        if (n < 0 && count > 1 && (n == -EIO || n == -EINVAL)) {
            u->gso = false; /* this device, or this kernel, cannot */
            continue;
        }
        if (n < 0 && u->only && (n == -ECONNREFUSED || n == -ENOENT || n == -ECONNRESET)) {
            p->error = (int)-n;
            return;
        }
        if (n < 0)
            e->datagram_drops += (int64_t)count;
        for (; count > 0; count--) {
            p->out += n < 0 ? 0 : p->queue.first->n;
            queue_eat_one(&p->queue, &u->loop->store);
        }
        p->last_active = u->loop->now;
    }
    if (p->queue.first)
        wait_for_socket(p);
}

void peer_retry(struct udp_socket *u)
{
    struct peer *p = u->stuck;
    u->stuck = NULL;
    for (struct peer *next; p; p = next) {
        next = p->next_stuck;
        p->stuck = 0;
        peer_later(p);
    }
}

void peer_unstick(struct peer *p)
{
    for (struct peer **at = &p->socket->stuck; *at; at = &(*at)->next_stuck)
        if (*at == p) {
            *at = p->next_stuck;
            break;
        }
    p->stuck = 0;
}
