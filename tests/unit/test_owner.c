/* SPDX-License-Identifier: MIT
 * Who holds a taken address. */
#include "test.h"
#include "tool/owner.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char buf[80], us[40];

/* A bound socket, listening if it is a stream; *ret_port is where. */
static int bound(int family, int type, int *ret_port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    if (family == AF_INET6)
        a.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t n = sizeof a;
    int fd = socket(family, type, 0);
    if (fd < 0 || bind(fd, &a.any, n) < 0 || (type == SOCK_STREAM && listen(fd, 1) < 0) ||
        getsockname(fd, &a.any, &n) < 0) {
        close(fd);
        return -1;
    }
    *ret_port = ntohs(family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
    snprintf(us, sizeof us, "pid %d (test_owner)", (int)getpid());
    return fd;
}

static int owner(const char *scheme, int port)
{
    char url[80];
    snprintf(url, sizeof url, "%s%d/path?q#f", scheme, port);
    return owner_of_port(url, buf, sizeof buf);
}

TEST(a_listening_socket_has_an_owner_on_both_families)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (int i = 0; i < 2; i++) {
        int port, fd = bound(families[i], SOCK_STREAM, &port);
        if (fd < 0 && families[i] == AF_INET6)
            continue; /* a machine without it */
        CHECK(fd >= 0);
        CHECK_INT(owner("tcp://127.0.0.1:", port), 1);
        CHECK_STR(buf, us);
        CHECK_INT(owner("any://[::1]:", port), 1);
        CHECK_STR(buf, us);
        CHECK_INT(owner("ws://:", port), 1);
        close(fd);
        CHECK_INT(owner("tcp://127.0.0.1:", port), 0);
        CHECK_STR(buf, "");
    }
}

TEST(a_datagram_socket_is_not_taken_for_a_stream)
{
    int port, fd = bound(AF_INET, SOCK_DGRAM, &port);
    CHECK(fd >= 0);
    CHECK_INT(owner("udp://127.0.0.1:", port), 1);
    CHECK_STR(buf, us);
    CHECK_INT(owner("any://:", port), 1);
    CHECK_INT(owner("tcp://127.0.0.1:", port), 0);
    close(fd);
}

TEST(a_unix_socket_has_an_owner_by_path_and_by_abstract_name)
{
    for (int abstract = 0; abstract < 2; abstract++) {
        char url[80];
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        snprintf(a.sun_path, sizeof a.sun_path, "%sduplex-test-owner-%d", abstract ? "@" : "/tmp/", (int)getpid());
        snprintf(url, sizeof url, "unix://%s#mode=0600", a.sun_path);
        socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(a.sun_path));
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (abstract)
            a.sun_path[0] = 0;
        CHECK(bind(fd, (struct sockaddr *)&a, n) == 0);
        CHECK_INT(owner_of_port(url, buf, sizeof buf), 0); /* bound, and not listening */
        CHECK(listen(fd, 1) == 0);
        CHECK_INT(owner_of_port(url, buf, sizeof buf), 1);
        snprintf(us, sizeof us, "pid %d (test_owner)", (int)getpid());
        CHECK_STR(buf, us);
        close(fd);
        if (!abstract)
            unlink(a.sun_path);
        CHECK_INT(owner_of_port(url, buf, sizeof buf), 0);
    }
}

TEST(what_names_no_port_has_no_owner)
{
    static const char *const urls[] = {"",           "tcp",        "tcp://",    "tcp://host",
                                       "tcp://:0",   "tcp://[::1", "tcp://:x1", "tcp://:70000",
                                       "tcp://h:-1", "stdio:",     "unix://",   "tcp://h/p:80"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        CHECK_SAY(!owner_of_port(urls[i], buf, sizeof buf), "%s: %s", urls[i], buf);
}

TEST_MAIN
