/* SPDX-License-Identifier: MIT
 * udp:// and unixgram://: peers that vanish, never read, never were; sizes from nothing to everything. */
#include "breaker.h"
#include <duplex/udp.h>

static const dx_handler counting = {.on_open = count_open,
                                    .on_data = count_data,
                                    .on_end = count_end,
                                    .on_writable = count_writable,
                                    .on_close = count_close};

static void echo(dx_conn *c, const void *p, size_t n, unsigned how)
{
    count_data(c, p, n, how);
    dx_send(c, p, n, how);
}
static const dx_handler echoing = {.on_open = count_open, .on_data = echo, .on_close = count_close};

static int unixgram(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    strcpy(a.sun_path, path);
    unlink(path);
    CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    return fd;
}

static void unix_to(int fd, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
}

TEST(a_unix_peer_that_never_reads_costs_no_time_and_stops_no_other)
{
    char dir[] = "/tmp/breakerXXXXXX", server[60], url[80], mine[60], yours[60], buf[100];
    CHECK(mkdtemp(dir));
    snprintf(server, sizeof server, "%s/s", dir);
    snprintf(mine, sizeof mine, "%s/a", dir);
    snprintf(yours, sizeof yours, "%s/b", dir);
    snprintf(url, sizeof url, "unixgram://%s", server);
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, url, &counting, NULL);
    int a = unixgram(mine), b = unixgram(yours);
    unix_to(b, server);
    struct sockaddr_un to = {.sun_family = AF_UNIX}; /* a connected one would be bounded by the send buffer alone */
    strcpy(to.sun_path, server);
    CHECK(sendto(a, "hello", 5, 0, (struct sockaddr *)&to, sizeof to) == 5);
    UNTIL(l, seen.datas == 1, 1000);
    dx_conn *lazy = seen.c;
    CHECK(send(b, "hello", 5, 0) == 5);
    UNTIL(l, seen.datas == 2, 1000);
    dx_conn *good = seen.c;
    CHECK(good != lazy);
    for (int i = 0; i < 1000; i++)
        dx_send(lazy, "words", 5, 0);
    turn(l, 20);
    CHECK(dx_queued(lazy) > 0);
    int64_t cpu = cpu_ms();
    turn(l, 400);
    CHECK_SAY(cpu_ms() - cpu < 80, "%lld ms of 400", (long long)(cpu_ms() - cpu));
    dx_send(good, "to you", 6, 0);
    raw_read(l, b, buf, sizeof buf, "to you", 1000);
    CHECK_STR(buf, "to you");
    int got = 0; /* and when it reads, it gets all */
    for (int64_t until = now_ms() + 5000; got < 1000 && now_ms() < until;) {
        if (recv(a, buf, sizeof buf, 0) == 5)
            got++;
        else
            turn(l, 1);
    }
    CHECK_INT(got, 1000);
    dx_send(lazy, "x", 1, 0);
    close(a);
    unlink(mine);
    turn(l, 10);
    dx_send(lazy, "x", 1, 0); /* vanished: the datagram is lost, and that is all */
    turn(l, 30);
    dx_close(lazy);
    UNTIL(l, seen.closes == 1, 1000);
    close(b);
    unlink(yours);
    (void)s;
    loop_gone(l);
    CHECK(rmdir(dir) == 0); /* the listener removes its path */
}

static size_t in_order;
static void rest_at_first(dx_conn *c, const void *p, size_t n, unsigned how)
{
    count_data(c, p, n, how);
    in_order += n == 4000 && !memcmp(p, &in_order, sizeof in_order);
    dx_pause(c, in_order == 1);
}
static const dx_handler resting = {.on_open = count_open, .on_data = rest_at_first, .on_close = count_close};

/* Sends what the socket takes while nobody reads, and the rest of 400 once it is read again. */
static void rests_and_loses_nothing(dx_loop *l, int fd, const struct sockaddr_un *to)
{
    enum { ALL = 400 };
    uint8_t buf[4000] = {0};
    size_t sent = 0;
    in_order = 0;
    for (int64_t until = now_ms() + 20000; in_order < ALL && now_ms() < until;) {
        memcpy(buf, &sent, sizeof sent);
        if (sent < ALL && sendto(fd, buf, sizeof buf, 0, (const struct sockaddr *)to, sizeof *to) > 0) {
            sent++;
            turn(l, 0);
            continue;
        }
        turn(l, 5);
        if (in_order == 1) {
            CHECK_SAY(sent < ALL, "all were taken, though nobody reads");
            dx_pause(seen.c, false);
        }
    }
    CHECK_INT(in_order, ALL);
    CHECK_INT(dx_loop_count(l, DX_COUNT_DATAGRAM_DROPS), 0);
}

TEST(a_unix_conn_that_rests_keeps_its_sender_waiting)
{
    char dir[] = "/tmp/breakerXXXXXX", url[80];
    struct sockaddr_un us = {.sun_family = AF_UNIX}, me = us;
    CHECK(mkdtemp(dir));
    snprintf(us.sun_path, sizeof us.sun_path, "%s/s", dir);
    snprintf(me.sun_path, sizeof me.sun_path, "%s/a", dir);
    snprintf(url, sizeof url, "unixgram://%s", us.sun_path);
    dx_loop *l = fresh_loop();
    listen_on(l, url, &resting, &(dx_opts){.conns_max = 1});
    int fd = unixgram(me.sun_path);
    rests_and_loses_nothing(l, fd, &us);
    dx_abort(seen.c); /* and the next one is heard */
    UNTIL(l, seen.closes == 1, 1000);
    rests_and_loses_nothing(l, fd, &us);
    close(fd);
    unlink(me.sun_path);
    loop_gone(l);
    CHECK(rmdir(dir) == 0);
}

TEST(a_dialled_unix_peer_that_never_reads_costs_no_time)
{
    char dir[] = "/tmp/breakerXXXXXX", server[60], url[80];
    CHECK(mkdtemp(dir));
    snprintf(server, sizeof server, "%s/s", dir);
    snprintf(url, sizeof url, "unixgram://%s", server);
    int fd = unixgram(server);
    dx_loop *l = fresh_loop();
    dx_conn *c = dx_connect(l, url, &counting, NULL, NULL, NULL);
    CHECK(c);
    UNTIL(l, seen.opens, 1000);
    for (int i = 0; i < 500; i++)
        dx_send(c, "words", 5, 0);
    turn(l, 20);
    int64_t cpu = cpu_ms();
    turn(l, 300);
    CHECK_SAY(cpu_ms() - cpu < 60, "%lld ms of 300", (long long)(cpu_ms() - cpu));
    close(fd);
    UNTIL(l, seen.closes == 1, 3000);
    CHECK_SAY(seen.why.code == DX_RESET || seen.why.code == DX_REFUSED, "%d %s", seen.why.code, seen.why.text);
    unlink(server);
    rmdir(dir);
    loop_gone(l);
}

TEST(sizes_from_nothing_to_everything_come_back)
{
    static const size_t sizes[] = {0, 1, 1471, 1472, 1473, 9000, 65507, 0, 3, 65507, 1, 0};
    static char big[65507], back[65536];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "udp://127.0.0.1:0", &echoing, NULL);
    int fd = raw_dial(SOCK_DGRAM, port_of(dx_listener_url(s, 0)));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ssize_t k = -1;
        memset(big, (int)i, sizeof big);
        CHECK(send(fd, big, sizes[i], 0) == (ssize_t)sizes[i]);
        for (int64_t until = now_ms() + 2000; k < 0 && now_ms() < until;) {
            turn(l, 1);
            k = recv(fd, back, sizeof back, 0);
        }
        CHECK_INT(k, sizes[i]);
        CHECK(!memcmp(big, back, sizes[i]));
    }
    CHECK_INT(dx_send(seen.c, big, 65508, 0), DX_BIG);
    close(fd);
    loop_gone(l);
}

/* What GSO takes in one call is a run of equal sizes: every mixture must come out as it went in. */
TEST(any_mixture_of_sizes_in_one_turn_keeps_its_boundaries)
{
    static char data[3000], back[65536];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "udp://127.0.0.1:0", &counting, NULL);
    int fd = raw_dial(SOCK_DGRAM, port_of(dx_listener_url(s, 0)));
    unsigned seed = (unsigned)now_ms();
    printf("# seed %u\n", seed);
    send(fd, "x", 1, 0);
    UNTIL(l, seen.datas == 1, 1000);
    for (int round = 0; round < 60; round++) {
        size_t sizes[40];
        int n = 1 + rand_r(&seed) % 40;
        for (int i = 0; i < n; i++) {
            int k = rand_r(&seed) % 6;
            sizes[i] = k == 0 ? 0 : k < 4 ? 300 : k == 4 ? 1200 : (size_t)(rand_r(&seed) % 1400);
            data[0] = (char)i;
            CHECK(dx_send(seen.c, data, sizes[i], 0) >= 0);
        }
        for (int i = 0; i < n; i++) {
            ssize_t k = -1;
            for (int64_t until = now_ms() + 1000; (k = recv(fd, back, sizeof back, 0)) < 0 && now_ms() < until;)
                turn(l, 1);
            CHECK_SAY(k == (ssize_t)sizes[i] && (k == 0 || back[0] == i), "round %d, %d: %zd, not %zu", round, i, k,
                      sizes[i]);
        }
    }
    close(fd);
    loop_gone(l);
}

TEST(nobody_there_is_said_to_a_dialled_one_alone)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "udp://127.0.0.1:0", &echoing, NULL);
    int fd = raw_dial(SOCK_DGRAM, port_of(dx_listener_url(s, 0)));
    send(fd, "hello", 5, 0);
    close(fd); /* the echo meets a closed port */
    UNTIL(l, seen.datas == 1, 1000);
    for (int i = 0; i < 5; i++) {
        dx_send(seen.c, "x", 1, 0);
        turn(l, 5);
    }
    CHECK_INT(seen.closes, 0);
    fd = raw_dial(SOCK_DGRAM, port_of(dx_listener_url(s, 0)));
    send(fd, "hello", 5, 0); /* and the listener lives */
    UNTIL(l, seen.datas == 2, 1000);
    close(fd);
    memset(&seen, 0, sizeof seen);
    dx_conn *c = dx_connect(l, "udp://127.0.0.1:1", &counting, NULL, NULL, NULL);
    UNTIL(l, seen.opens == 1, 1000);
    dx_send(c, "x", 1, 0);
    UNTIL(l, seen.closes == 1, 2000);
    CHECK_INT(seen.why.code, DX_REFUSED);
    CHECK_SAY(strstr(seen.why.text, "127.0.0.1:1"), "%s", seen.why.text);
    loop_gone(l);
}

TEST(thousands_of_peers_come_and_are_swept)
{
    enum { PEERS = 400 };
    static int fd[PEERS];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "udp://127.0.0.1:0", &echoing, &(dx_opts){.idle_ms_max = 150, .conns_max = 300});
    int port = port_of(dx_listener_url(s, 0));
    for (int i = 0; i < PEERS; i++) {
        fd[i] = raw_dial(SOCK_DGRAM, port);
        send(fd[i], "x", 1, 0);
        if (i % 50 == 0)
            turn(l, 1);
    }
    UNTIL(l, seen.opens == 300, 2000);
    turn(l, 5);
    CHECK_INT(seen.opens, 300);
    UNTIL(l, seen.closes == 300, 5000);
    CHECK_INT(seen.why.code, DX_TIMEOUT);
    CHECK_INT(dx_listener_conns(s), 0);
    send(fd[399], "x", 1, 0);
    UNTIL(l, seen.opens == 301, 2000);
    for (int i = 0; i < PEERS; i++)
        close(fd[i]);
    loop_gone(l);
}

TEST(a_paused_peer_is_held_to_its_bound)
{
    static char data[1000];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "udp://127.0.0.1:0", &counting, NULL);
    int fd = raw_dial(SOCK_DGRAM, port_of(dx_listener_url(s, 0)));
    send(fd, "x", 1, 0);
    UNTIL(l, seen.datas == 1, 1000);
    dx_pause(seen.c, true);
    for (int i = 0; i < 20000; i++) { /* empty ones cost memory too */
        send(fd, data, i % 2 ? 0 : 100, 0);
        if (i % 50 == 0)
            turn(l, 0);
    }
    turn(l, 20);
    CHECK_SAY(memory() < 80 << 10, "%zu bytes held", memory());
    CHECK(dx_loop_count(l, DX_COUNT_DATAGRAM_DROPS) > 0);
    CHECK_INT(seen.datas, 1);
    dx_pause(seen.c, false);
    UNTIL(l, seen.datas > 100, 1000);
    close(fd);
    loop_gone(l);
}

static dx_listener *the_listener;
static void close_in_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    count_data(c, p, n, how);
    if (seen.datas == 7 && the_listener) {
        dx_listener_drain(the_listener, 10);
        the_listener = NULL;
    }
    if (seen.datas % 3 == 1)
        dx_abort(c);
    else if (seen.datas % 3 == 2)
        dx_close(c);
}

TEST(closing_and_draining_inside_on_data)
{
    static const dx_handler on = {.on_open = count_open, .on_data = close_in_data, .on_close = count_close};
    for (int i = 0; i < 7; i++) {
        dx_loop *l = fresh_loop();
        dx_listener *s = the_listener = listen_on(l, "udp://127.0.0.1:0", &on, NULL);
        int fd[9], port = port_of(dx_listener_url(s, 0));
        seen.datas = i;
        for (int k = 0; k < 9; k++) {
            fd[k] = raw_dial(SOCK_DGRAM, port);
            for (int m = 0; m < 4; m++)
                send(fd[k], "x", 1, 0);
        }
        UNTIL(l, !the_listener && seen.opens == seen.closes && !dx_loop_count(l, DX_COUNT_CONNS), 2000);
        for (int k = 0; k < 9; k++)
            close(fd[k]);
        loop_gone(l);
    }
}
TEST_MAIN
