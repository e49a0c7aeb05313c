/* SPDX-License-Identifier: MIT
 * test_share.c - one listener, two loops on two threads, plain sockets as peers. */
#include "test.h"
#include <duplex/duplex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PEERS = 64, WAIT_MS = 10000 };
static atomic_int served[2];
static dx_loop *loops[2];

static void opened(dx_conn *c)
{
    atomic_fetch_add(&served[dx_loop_of(c) == loops[1]], 1);
}

static void echo(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how);
}

static void *run(void *loop)
{
    dx_loop_run(loop);
    return NULL;
}

static void still_here(void *arg)
{
    (void)arg;
}

static int dial(const char *url, int type)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const char *port = strrchr(url, ':');
    bool local = !strncmp(url, "unix", 4);
    int fd = socket(local ? AF_UNIX : AF_INET, type, 0);
    if (local)
        strcpy(un.sun_path + 1, url + strlen("unix://@"));
    else
        in.sin_port = htons((uint16_t)atoi(port + 1));
    socklen_t un_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(un.sun_path + 1) + 1);
    int r = local ? connect(fd, (struct sockaddr *)&un, un_n) : connect(fd, (struct sockaddr *)&in, sizeof in);
    return r < 0 ? -1 : fd;
}

static void ask_all(const char *url, int type)
{
    int fd[PEERS];
    char back;
    for (int i = 0; i < PEERS; i++) {
        fd[i] = dial(url, type);
        CHECK_SAY(fd[i] >= 0, "peer %d cannot dial %s", i, url);
        CHECK_INT(send(fd[i], "x", 1, 0), 1);
    }
    for (int i = 0; i < PEERS; i++) {
        struct pollfd p = {.fd = fd[i], .events = POLLIN};
        CHECK_SAY(poll(&p, 1, WAIT_MS) == 1, "peer %d of %s hears nothing", i, url);
        CHECK_INT(recv(fd[i], &back, 1, 0), 1);
        close(fd[i]);
    }
}

/* Kept going until the drain by a timer of their own, both are asked by PEERS strangers. */
static void two_loops(const char *listen_url, int type, bool both)
{
    static const dx_handler on = {.on_open = opened, .on_data = echo};
    pthread_t thread[2];
    char url[200];
    dx_err err;
    for (int i = 0; i < 2; i++) {
        loops[i] = dx_loop_new(&err);
        atomic_store(&served[i], 0);
    }
    dx_listener *s = dx_serve(loops[0], listen_url, &on, NULL, NULL, &err);
    CHECK_SAY(s, "%s", err.text);
    snprintf(url, sizeof url, "%s", dx_listener_url(s, 0));
    int64_t stay = dx_loop_after(loops[1], WAIT_MS, still_here, NULL);
    CHECK_INT(dx_listener_share(s, loops[0]), DX_STATE);
    CHECK_INT(dx_listener_share(s, loops[1]), 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, run, loops[i]);
    ask_all(url, type);
    for (int i = 0; i < 2; i++)
        dx_loop_stop(loops[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    CHECK_INT(served[0] + served[1], PEERS);
    CHECK_SAY(!both || (served[0] && served[1]), "one loop had all: %d and %d", served[0], served[1]);
    dx_loop_cancel(loops[1], stay);
    dx_listener_drain(s, 1);
    for (int i = 0; i < 2; i++)
        CHECK_INT(dx_loop_run(loops[i]), 0); /* returns: neither has a listener any more */
    CHECK_SAY(dial(url, type) < 0 || type == SOCK_DGRAM, "%s still answers after the drain", url);
    for (int i = 0; i < 2; i++)
        dx_loop_free(loops[i]);
}

TEST(tcp_strangers_are_dealt_out_to_both_loops)
{
    two_loops("tcp://127.0.0.1:0", SOCK_STREAM, true);
}

TEST(any_strangers_are_dealt_out_to_both_loops)
{
    two_loops("any://127.0.0.1:0", SOCK_STREAM, true);
}

TEST(datagram_peers_are_dealt_out_to_both_loops)
{
    two_loops("udp://127.0.0.1:0", SOCK_DGRAM, true);
}

TEST(a_unix_listener_is_shared)
{
    char url[64];
    snprintf(url, sizeof url, "unix://@duplex-test-share-%d", getpid());
    two_loops(url, SOCK_STREAM, false);
}

TEST(a_second_server_still_fails_after_sharing)
{
    static const dx_handler on;
    dx_err err;
    dx_loop *a = dx_loop_new(&err), *b = dx_loop_new(&err);
    dx_listener *s = dx_serve(a, "tcp://127.0.0.1:0", &on, NULL, NULL, &err);
    CHECK(s);
    CHECK_INT(dx_listener_share(s, b), 0);
    CHECK(!dx_serve(a, dx_listener_url(s, 0), &on, NULL, NULL, &err));
    CHECK_INT(err.code, DX_BUSY);
    dx_loop_free(b);
    dx_loop_free(a);
}

TEST_MAIN
