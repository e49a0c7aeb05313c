/* SPDX-License-Identifier: MIT
 * raw.h - what the peers that stand for "the simple limit" have in common: a listening socket, and its address said. */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Listens on 127.0.0.1 at a port of the system's choice, non-blocking, prints "listening URL", and lifts the limit of
 * descriptors to what it may be. Exits when it cannot. */
static inline int raw_listen(const char *scheme)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    struct rlimit r;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) < 0) {
        perror("raw: listen");
        exit(1);
    }
    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
    printf("listening %s://127.0.0.1:%d\n", scheme, ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}
#endif
