/* SPDX-License-Identifier: MIT
 * test_idle.c - a loop that has slept long counts a newcomer's time from when it came. */
#include "test.h"
#include <duplex/duplex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_MS = 400, SLEPT_MS = 3 * IDLE_MS, WAIT_MS = 5000 };
struct stranger {
    const char *url;
    dx_loop *loop;
    char got[8];
    ssize_t n;
};

static void echo(dx_conn *c, const void *data, size_t n, unsigned how)
{
    dx_send(c, data, n, how);
}

/* The loop's sleep is what is tested: nothing happens on it for SLEPT_MS. */
static void *come_late(void *arg)
{
    struct stranger *s = arg;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.sin_port = htons((uint16_t)atoi(strrchr(s->url, ':') + 1));
    poll(NULL, 0, SLEPT_MS);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
        poll(&p, 1, IDLE_MS / 4); /* a moment in which a stale clock would have thrown it out */
        s->n = p.revents ? -2 : send(fd, "hi", 2, MSG_NOSIGNAL);
        if (s->n == 2 && poll(&p, 1, WAIT_MS) == 1)
            s->n = recv(fd, s->got, sizeof s->got, 0);
    }
    close(fd);
    dx_loop_stop(s->loop);
    return NULL;
}

TEST(a_newcomer_after_a_long_sleep_is_not_idle)
{
    static const dx_handler on = {.on_data = echo};
    dx_opts o = {.idle_ms_max = IDLE_MS};
    dx_err err;
    pthread_t t;
    dx_loop *l = dx_loop_new(&err);
    dx_listener *s = dx_serve(l, "tcp://127.0.0.1:0", &on, NULL, &o, &err);
    CHECK_SAY(s, "%s", err.text);
    struct stranger who = {.url = dx_listener_url(s, 0), .loop = l};
    pthread_create(&t, NULL, come_late, &who);
    CHECK_INT(dx_loop_run(l), 0);
    pthread_join(t, NULL);
    CHECK_MEM(who.got, who.n, "hi", 2);
    dx_loop_free(l);
}

TEST_MAIN
