/* SPDX-License-Identifier: MIT
 * raw_ws.c - the simple limit of WebSocket: epoll as in raw_tcp.c, frames unmasked in place and answered from the same
 * buffer by one send. `raw_ws bcast` sends each message to all, framed once, one send a receiver and turn. It trusts
 * its clients: no UTF-8 check, no fragments, no pings. A protocol library has to do more than this. */
#include "raw.h"
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdbool.h>
#include <stdint.h>

enum { FDS = 65536, BUF = 512 << 10, EVENTS = 1024, HEAD_ROOM = 64 };

struct conn {
    uint8_t *in, *out; /* a frame cut short; what a short write left over */
    uint32_t in_n, out_at, out_n;
    bool open; /* the handshake is over */
};
static struct conn conns[FDS];
static int member[FDS], members; /* of the broadcast */
static uint8_t buf[2 * HEAD_ROOM + 2 * BUF], *batch;
static size_t batch_n, batch_cap;
static bool bcast;
static int ep;

static void watch(int fd, unsigned events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev);
}

static void drop(int fd)
{
    free(conns[fd].in);
    free(conns[fd].out);
    conns[fd] = (struct conn){0};
    for (int i = 0; i < members; i++)
        if (member[i] == fd)
            member[i--] = member[--members];
    close(fd);
}

static void *keep(const void *p, size_t n)
{
    void *copy = malloc(n);
    return copy ? memcpy(copy, p, n) : (perror("raw"), exit(1), NULL);
}

static void out(int fd, const uint8_t *p, size_t n)
{
    struct conn *c = &conns[fd];
    ssize_t sent = c->out ? 0 : send(fd, p, n, MSG_NOSIGNAL);
    if (sent == (ssize_t)n)
        return;
    if (sent < 0 && errno != EAGAIN)
        return; /* recv will say so too */
    p += sent > 0 ? sent : 0;
    n -= sent > 0 ? (size_t)sent : 0;
    uint8_t *left = malloc(c->out_n - c->out_at + n);
    if (!left)
        exit(1);
    memcpy(left, c->out + c->out_at, c->out_n - c->out_at);
    memcpy(left + c->out_n - c->out_at, p, n);
    free(c->out);
    c->out = left;
    c->out_n += (uint32_t)n - c->out_at;
    c->out_at = 0;
    watch(fd, bcast ? EPOLLIN | EPOLLOUT : EPOLLOUT);
}

static void on_writable(int fd)
{
    struct conn *c = &conns[fd];
    ssize_t n = send(fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL);
    c->out_at += n > 0 ? (uint32_t)n : 0;
    if (c->out_at < c->out_n)
        return;
    free(c->out);
    c->out = NULL;
    c->out_at = c->out_n = 0;
    watch(fd, EPOLLIN);
}

static size_t shake(int fd, uint8_t *p, size_t n)
{
    p[n] = 0;
    char *end = strstr((char *)p, "\r\n\r\n"), *key = strcasestr((char *)p, "\r\nSec-WebSocket-Key:");
    if (!end || !key)
        return 0;
    for (key += 20; *key == ' ';)
        key++;
    struct sha1_ctx sha;
    uint8_t sum[SHA1_DIGEST_SIZE];
    char text[256] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: ";
    sha1_init(&sha);
    sha1_update(&sha, strcspn(key, " \r"), (uint8_t *)key);
    sha1_update(&sha, 36, (const uint8_t *)"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    sha1_digest(&sha, sizeof sum, sum);
    base64_encode_raw(text + strlen(text), sizeof sum, sum);
    strcat(text, "\r\n\r\n");
    conns[fd].open = true;
    out(fd, (uint8_t *)text, strlen(text));
    if (bcast)
        member[members++] = fd;
    return (size_t)(end + 4 - (char *)p);
}

/* Moves n bytes down from src to dst, unmasked. A vector is read before its place is written, and dst <= src. */
static void unmask(uint8_t *dst, const uint8_t *src, size_t n, const uint8_t key[4])
{
    typedef uint8_t vec __attribute__((vector_size(32)));
    uint32_t k;
    vec v, kv;
    memcpy(&k, key, 4);
    for (size_t i = 0; i < sizeof kv; i += 4)
        memcpy((uint8_t *)&kv + i, &k, 4);
    size_t i = 0;
    for (; i + sizeof v <= n; i += sizeof v) {
        memcpy(&v, src + i, sizeof v);
        v ^= kv;
        memcpy(dst + i, &v, sizeof v);
    }
    for (; i < n; i++)
        dst[i] = src[i] ^ ((uint8_t *)&k)[i & 3];
}

/* Turns whole client frames at p into server frames at the same place; returns what is eaten. */
static size_t turn_frames(int fd, uint8_t *p, size_t n, size_t *ret_made)
{
    size_t at = 0, made = 0;
    while (n - at >= 6) {
        uint8_t *f = p + at;
        size_t head = 2, len = f[1] & 127;
        if (len == 126)
            len = (size_t)f[2] << 8 | f[3], head = 4;
        else if (len == 127)
            len = (size_t)f[6] << 24 | (size_t)f[7] << 16 | (size_t)f[8] << 8 | f[9], head = 10;
        if (n - at < head + 4 + len)
            break;
        if ((f[0] & 15) == 8) {
            shutdown(fd, SHUT_WR);
            at = n;
            break;
        }
        uint8_t key[4];
        memcpy(key, f + head, 4);
        memmove(p + made, f, head);
        p[made + 1] &= 127;
        unmask(p + made + head, f + head + 4, len, key);
        made += head + len;
        at += head + 4 + len;
    }
    *ret_made = made;
    return at;
}

static void on_readable(int fd)
{
    struct conn *c = &conns[fd];
    uint8_t *p = buf + HEAD_ROOM;
    size_t had = c->in_n, made;
    if (had) {
        memcpy(p, c->in, had);
        free(c->in);
        c->in = NULL;
        c->in_n = 0;
    }
    ssize_t got = recv(fd, p + had, BUF, 0);
    if (got <= 0) {
        drop(fd);
        return;
    }
    size_t n = had + (size_t)got;
    size_t eaten = c->open ? turn_frames(fd, p, n, &made) : (made = 0, shake(fd, p, n));
    if (eaten < n) {
        if (n - eaten > BUF) {
            drop(fd);
            return;
        }
        c->in = keep(p + eaten, n - eaten);
        c->in_n = (uint32_t)(n - eaten);
    }
    if (made && !bcast) {
        out(fd, p, made);
    } else if (made) {
        if (batch_n + made > batch_cap && !(batch = realloc(batch, batch_cap = 2 * (batch_n + made))))
            exit(1);
        memcpy(batch + batch_n, p, made);
        batch_n += made;
    }
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

int main(int argc, char **argv)
{
    bcast = argc > 1 && !strcmp(argv[1], "bcast");
    int listener = raw_listen("ws");
    struct epoll_event ev[EVENTS] = {{.events = EPOLLIN, .data.fd = listener}};
    ep = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev[0]);
    for (;;) {
        int n = epoll_wait(ep, ev, EVENTS, -1);
        for (int i = 0; i < n; i++)
            if (ev[i].data.fd == listener)
                take(listener);
            else if (conns[ev[i].data.fd].out && ev[i].events & EPOLLOUT)
                on_writable(ev[i].data.fd);
            else
                on_readable(ev[i].data.fd);
        for (int i = 0; batch_n && i < members; i++)
            out(member[i], batch, batch_n);
        batch_n = 0;
    }
}
