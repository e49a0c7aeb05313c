/* SPDX-License-Identifier: MIT
 * load_ring.c - what the load generator prepares before the clock runs: messages and connections. */
#include "load.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <fcntl.h>

enum { RING_COUNT_MAX = 61, RING_BYTES_MAX = 192 << 10 };

static uint32_t chance(uint32_t *s)
{
    *s = *s * 1664525u + 1013904223u;
    return *s >> 8;
}

/* A frame's head of FIN and op; returns its length. */
static size_t ws_head(uint8_t *p, size_t n, bool binary, bool masked)
{
    uint8_t bit = masked ? 0x80 : 0;
    p[0] = binary ? 0x82 : 0x81;
    if (n < 126) {
        p[1] = (uint8_t)(bit | n);
        return 2;
    }
    if (n < 65536) {
        p[1] = bit | 126;
        p[2] = (uint8_t)(n >> 8);
        p[3] = (uint8_t)n;
        return 4;
    }
    p[1] = bit | 127;
    for (int i = 0; i < 8; i++)
        p[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
    return 10;
}

void ring_make(struct ring *r, enum load_mode mode, size_t size, size_t spare, bool binary)
{
    bool ws = mode == LOAD_WS || mode == LOAD_BCAST;
    uint8_t head[10];
    size_t head_n = ws ? ws_head(head, size, binary, false) : 0;
    r->in_one = head_n + size;
    r->out_one = r->in_one + (ws ? 4 : 0);
    r->count = RING_BYTES_MAX / size;
    if (r->count > RING_COUNT_MAX)
        r->count = RING_COUNT_MAX;
    if (r->count < 3)
        r->count = 3;
    r->out_wrap = r->count * r->out_one;
    r->in_wrap = r->count * r->in_one;
    size_t all = r->count + spare;
    r->out = malloc(all * r->out_one);
    r->in = malloc(all * r->in_one);
    if (!r->out || !r->in)
        die("no memory for %zu messages", all);
    uint32_t seed = 20;
    for (size_t i = 0; i < all; i++) {
        uint8_t *in = r->in + i * r->in_one, *out = r->out + i * r->out_one;
        if (i >= r->count) {
            memcpy(in, r->in + (i - r->count) * r->in_one, r->in_one);
            memcpy(out, r->out + (i - r->count) * r->out_one, r->out_one);
            continue;
        }
        if (ws)
            ws_head(in, size, binary, false);
        char number[24];
        int digits = snprintf(number, sizeof number, "%zu ", i);
        for (size_t k = 0; k < size; k++)
            in[head_n + k] = k < (size_t)digits ? (uint8_t)number[k] : (uint8_t)(32 + chance(&seed) % 95);
        if (!ws) {
            memcpy(out, in, size);
            continue;
        }
        uint8_t mask[4];
        for (int k = 0; k < 4; k++)
            mask[k] = (uint8_t)chance(&seed);
        ws_head(out, size, binary, true);
        memcpy(out + head_n, mask, 4);
        for (size_t k = 0; k < size; k++)
            out[head_n + 4 + k] = in[head_n + k] ^ mask[k % 4];
    }
}

void ring_repeat(struct ring *r, const void *p, size_t n, size_t spare)
{
    *r = (struct ring){.out_one = n, .out_wrap = n, .count = 1, .out = malloc((1 + spare) * n)};
    if (!r->out)
        die("no memory for %zu messages", spare + 1);
    for (size_t i = 0; i <= spare; i++)
        memcpy(r->out + i * n, p, n);
}

static int dial_unix(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path)
        die("%s: the path is too long", path);
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
        die("dial %s: %s", path, strerror(errno));
    return fd;
}

static int dial_inet(const char *rest, bool datagram)
{
    char host[256] = "127.0.0.1", port[16] = "";
    if (rest[strspn(rest, "0123456789")] == 0)
        snprintf(port, sizeof port, "%s", rest);
    else if (sscanf(rest, "[%255[^]]]:%15[0-9]", host, port) != 2 &&
             sscanf(rest, "%255[^:/]:%15[0-9]", host, port) != 2)
        die("%s: no host:port", rest);
    struct addrinfo hint = {.ai_socktype = datagram ? SOCK_DGRAM : SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *a;
    int bad = getaddrinfo(host, port, &hint, &a);
    if (bad)
        die("%s: %s", rest, gai_strerror(bad));
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) < 0)
        die("dial %s: %s", rest, strerror(errno));
    if (!datagram)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    freeaddrinfo(a);
    return fd;
}

static void shake(int fd, const char *url)
{
    const char *slash = strncmp(url, "ws://", 5) ? NULL : strchr(url + 5, '/');
    char text[1024], *end = NULL;
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     slash ? slash : "/");
    if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        die("handshake with %s: %s", url, strerror(errno));
    size_t have = 0;
    while (!end) {
        ssize_t got = recv(fd, text + have, sizeof text - 1 - have, 0);
        if (got <= 0)
            die("handshake with %s: %s", url, got ? strerror(errno) : "closed");
        text[have += (size_t)got] = 0;
        end = strstr(text, "\r\n\r\n");
    }
    if (strncmp(text, "HTTP/1.1 101", 12) || !strstr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        die("handshake with %s: %.*s", url, (int)strcspn(text, "\r\n"), text);
    if (end + 4 != text + have)
        die("handshake with %s: bytes follow it unasked", url);
}

int dial(const char *url, enum load_mode mode)
{
    const char *rest = strstr(url, "://");
    int fd = !strncmp(url, "unix://", 7) ? dial_unix(url + 7) : dial_inet(rest ? rest + 3 : url, mode == LOAD_UDP);
    struct timeval patience = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (mode == LOAD_WS || mode == LOAD_BCAST)
        shake(fd, url);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}
