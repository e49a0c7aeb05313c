/* SPDX-License-Identifier: MIT
 * No allocation a message in the steady state, counted: the linker sends this program's and the library's calls of
 * malloc, calloc, realloc and posix_memalign here. After a warm-up, 10,000 echoed messages must make none. */
#include "test.h"
#include <duplex/duplex.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { WARM_UP = 1000, MESSAGES = 10000, FRAME_MAX = 16384 + 16, DEPTH_MAX = 16 };

static atomic_long allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t a, size_t b);
void *__real_realloc(void *p, size_t n);
int __real_posix_memalign(void **ret, size_t a, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t a, size_t b);
void *__wrap_realloc(void *p, size_t n);
int __wrap_posix_memalign(void **ret, size_t a, size_t n);

void *__wrap_malloc(size_t n)
{
    allocations++;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t a, size_t b)
{
    allocations++;
    return __real_calloc(a, b);
}

void *__wrap_realloc(void *p, size_t n)
{
    allocations++;
    return __real_realloc(p, n);
}

int __wrap_posix_memalign(void **ret, size_t a, size_t n)
{
    allocations++;
    return __real_posix_memalign(ret, a, n);
}

static void echo(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how);
}

static void *run(void *loop)
{
    return dx_loop_run(loop) < 0 ? loop : NULL;
}

static int dial(const char *url)
{
    const char *colon = strrchr(url, ':');
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_port = htons((uint16_t)atoi(colon + 1));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool swap(int fd, const void *out, size_t out_n, void *in, size_t in_n)
{
    if (send(fd, out, out_n, MSG_NOSIGNAL) != (ssize_t)out_n)
        return false;
    for (size_t have = 0; have < in_n;) {
        ssize_t n = recv(fd, (char *)in + have, in_n - have, 0);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

static bool shake(int fd)
{
    static const char ask[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    char text[2048];
    size_t have = 0;
    if (send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) < 0)
        return false;
    while (have < 4 || memcmp(text + have - 4, "\r\n\r\n", 4))
        if (have == sizeof text || recv(fd, text + have, 1, 0) != 1)
            return false;
        else
            have++;
    return have > 12 && !memcmp(text, "HTTP/1.1 101", 12);
}

/* A message of n bytes as the wire has it; returns its length. */
static size_t put(unsigned char *p, size_t n, bool ws)
{
    size_t at = 0;
    if (ws) {
        p[at++] = 0x81;
        p[at++] = (unsigned char)(0x80 | (n < 126 ? n : 126));
        if (n >= 126) {
            p[at++] = (unsigned char)(n >> 8);
            p[at++] = (unsigned char)n;
        }
        memset(p + at, 0, 4); /* a mask of zeroes is a mask */
        at += 4;
    }
    memset(p + at, 'x', n);
    return at + n;
}

/* Echoes MESSAGES of n bytes, depth at a time; returns the allocations they made, or -1: the echo failed. */
static long allocations_of(const char *url, size_t n, size_t depth)
{
    static unsigned char out[FRAME_MAX * DEPTH_MAX], in[FRAME_MAX * DEPTH_MAX];
    bool ws = !strncmp(url, "ws:", 3);
    const dx_handler on = {.on_data = echo};
    dx_err err;
    dx_loop *loop = dx_loop_new(&err);
    dx_listener *l = loop ? dx_serve(loop, url, &on, NULL, NULL, &err) : NULL;
    CHECK_SAY(l, "%s", err.text);
    size_t one = 0, reply;
    for (size_t i = 0; i < depth; i++)
        one = put(out + i * one, n, ws);
    reply = one - (ws ? 4 : 0);
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, run, loop), 0);
    int fd = dial(dx_listener_url(l, 0));
    bool good = fd >= 0 && (!ws || shake(fd));
    long before = 0, after = 0;
    for (size_t i = 0; good && i < (WARM_UP + MESSAGES) / depth; i++) {
        if (i == WARM_UP / depth)
            before = allocations;
        good = swap(fd, out, one * depth, in, reply * depth);
    }
    after = allocations;
    if (fd >= 0)
        close(fd);
    dx_loop_stop(loop);
    void *bad;
    pthread_join(thread, &bad);
    dx_loop_free(loop);
    return good && !bad ? after - before : -1;
}

#define CASE(name, url, n, depth)                                                                                      \
    TEST(name)                                                                                                         \
    {                                                                                                                  \
        CHECK_INT(allocations_of(url, n, depth), 0);                                                                   \
    }
CASE(tcp_echo_of_64_bytes_allocates_nothing, "tcp://127.0.0.1:0", 64, 1)
CASE(tcp_echo_of_16_messages_at_once_allocates_nothing, "tcp://127.0.0.1:0", 64, 16)
CASE(tcp_echo_of_16_kib_allocates_nothing, "tcp://127.0.0.1:0", 16384, 1)
CASE(ws_echo_of_64_bytes_allocates_nothing, "ws://127.0.0.1:0", 64, 1)
CASE(ws_echo_of_16_messages_at_once_allocates_nothing, "ws://127.0.0.1:0", 64, 16)
CASE(ws_echo_of_16_kib_allocates_nothing, "ws://127.0.0.1:0", 16384, 1)

TEST_MAIN
