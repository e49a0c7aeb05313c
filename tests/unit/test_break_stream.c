/* SPDX-License-Identifier: MIT
 * Streams and local ends: readers that are gone, want of descriptors, loops that must sleep, verbs at odd moments. */
#include "breaker.h"
#include <duplex/ws.h>
#include <signal.h>
#include <sys/wait.h>

static const dx_handler counting = {.on_open = count_open,
                                    .on_data = count_data,
                                    .on_end = count_end,
                                    .on_writable = count_writable,
                                    .on_close = count_close};
/* The other side of a pair, which counts nothing. */
static dx_conn *other;
static void other_open(dx_conn *c)
{
    other = c;
}
static void other_close(dx_conn *c, const dx_err *why)
{
    (void)c;
    (void)why;
    other = NULL;
}
static const dx_handler quiet = {.on_open = other_open, .on_close = other_close};

static dx_conn *dial(dx_loop *l, const char *url, const dx_handler *on, const dx_opts *o)
{
    dx_err err = {0};
    dx_conn *c = dx_connect(l, url, on, NULL, o, &err);
    CHECK_SAY(c, "%s", err.text);
    return c;
}

static dx_conn *dial_fd(dx_loop *l, int fd, const dx_handler *on)
{
    char url[30];
    snprintf(url, sizeof url, "fd:%d", fd);
    return dial(l, url, on, NULL);
}

/* ---- no SIGPIPE ---- */

static void write_to_nobody(void)
{
    int p[2];
    signal(SIGPIPE, SIG_DFL);
    dx_loop *l = dx_loop_new(NULL);
    if (pipe(p) < 0)
        _exit(2);
    memset(&seen, 0, sizeof seen);
    dx_conn *c = dial_fd(l, p[1], &counting);
    close(p[1]);
    close(p[0]);
    for (int i = 0; i < 50 && !seen.closes; i++) {
        if (seen.opens)
            dx_send(c, "x", 1, 0);
        turn(l, 2);
    }
    dx_loop_free(l);
    _exit(seen.closes == 1 && seen.why.code == DX_RESET ? 0 : 3);
}

TEST(a_pipe_whose_reader_is_gone_raises_no_signal)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        write_to_nobody();
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_SAY(!WIFSIGNALED(status), "killed by signal %d", WTERMSIG(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

/* ---- a peer that keeps up ---- */

enum { SPARSE_BYTES = 64 << 20 };
static size_t left_then, most_at_once;

/* Once in each turn. */
static void look(void *arg)
{
    size_t left = seen.closes ? 0 : dx_queued(other);
    most_at_once = left_then - left > most_at_once ? left_then - left : most_at_once;
    left_then = left;
    if (left)
        dx_loop_after(arg, 0, look, arg);
}

TEST(who_takes_all_at_once_leaves_the_loop_to_others)
{
    dx_loop *l = fresh_loop();
    FILE *sparse = tmpfile();
    int sink = open("/dev/null", O_WRONLY | O_CLOEXEC); /* never full */
    CHECK(ftruncate(fileno(sparse), SPARSE_BYTES) == 0);
    other = dial_fd(l, sink, &counting);
    UNTIL(l, seen.opens == 1, 2000);
    CHECK(dx_send_file(other, fileno(sparse), 0, -1, 0) >= 0);
    left_then = SPARSE_BYTES;
    most_at_once = 0;
    look(l);
    UNTIL(l, left_then == 0, 20000);
    CHECK_SAY(most_at_once <= 4 << 20, "%zu bytes in one turn", most_at_once);
    other = NULL;
    fclose(sparse);
    close(sink);
    loop_gone(l);
}

/* ---- loops that sleep ---- */

static void pause_it(dx_conn *c)
{
    count_open(c);
    dx_pause(c, true);
}

TEST(paused_conns_whose_peers_are_gone_cost_no_time)
{
    static const dx_handler on = {
        .on_open = pause_it, .on_data = count_data, .on_end = count_end, .on_close = count_close};
    static const char *const urls[] = {"tcp://127.0.0.1:0", "any://127.0.0.1:0", "ws://127.0.0.1:0/",
                                       "http://127.0.0.1:0"};
    for (int i = 0; i < 4; i++) {
        dx_loop *l = fresh_loop();
        dx_listener *s = listen_on(l, urls[i], &on, NULL);
        for (int k = 0; k < 30; k++) {
            int fd = raw_tcp(s);
            raw_say(l, fd, i == 3 ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n" : "hello, some words and a line\n");
            turn(l, 1);
            if (k % 3 == 0)
                raw_reset(fd);
            else if (k % 3 == 1)
                close(fd);
            else
                shutdown(fd, SHUT_WR);
        }
        turn(l, 50);
        int64_t cpu = cpu_ms();
        turn(l, 400);
        CHECK_SAY(cpu_ms() - cpu < 60, "%s: %lld ms of 400", urls[i], (long long)(cpu_ms() - cpu));
        loop_gone(l);
    }
}

TEST(a_pipe_to_a_reader_that_is_gone_costs_no_time_while_nothing_is_written)
{
    int p[2];
    dx_loop *l = fresh_loop();
    CHECK(pipe(p) == 0);
    dial_fd(l, p[1], &counting);
    close(p[1]);
    turn(l, 10);
    close(p[0]);
    int64_t cpu = cpu_ms();
    turn(l, 300);
    CHECK_SAY(cpu_ms() - cpu < 50, "%lld ms of 300", (long long)(cpu_ms() - cpu));
    loop_gone(l);
}

TEST(a_full_listener_sleeps_and_goes_on)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "tcp://127.0.0.1:0", &counting, &(dx_opts){.conns_max = 3});
    int fd[8];
    for (int i = 0; i < 8; i++)
        fd[i] = raw_tcp(s);
    UNTIL(l, seen.opens == 3, 2000);
    int64_t cpu = cpu_ms();
    turn(l, 300);
    CHECK_SAY(cpu_ms() - cpu < 50, "%lld ms of 300", (long long)(cpu_ms() - cpu));
    CHECK_INT(seen.opens, 3);
    for (int i = 0; i < 8; i++) {
        close(fd[i]);
        turn(l, 2);
        if (seen.c)
            dx_close(seen.c);
    }
    loop_gone(l);
}

static void with_few_descriptors(dx_loop *l, dx_listener *s)
{
    int fd[100], n = 0;
    struct rlimit was, few;
    getrlimit(RLIMIT_NOFILE, &was);
    while (n < 60 && (fd[n] = raw_tcp(s)) >= 0)
        n++;
    few = (struct rlimit){(rlim_t)open_fds() + 5, was.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    int64_t cpu = cpu_ms();
    turn(l, 500);
    cpu = cpu_ms() - cpu;
    int opens = seen.opens;
    dx_err err = {0};
    char url[40];
    snprintf(url, sizeof url, "%s", dx_listener_url(s, 0));
    dx_conn *c = dx_connect(l, url, &quiet, NULL, NULL, &err);
    setrlimit(RLIMIT_NOFILE, &was);
    CHECK(c);
    CHECK_SAY(cpu < 100, "%lld ms of 500", (long long)cpu);
    CHECK_SAY(opens < n, "%d of %d", opens, n);
    CHECK(dx_loop_count(l, DX_COUNT_ACCEPT_RESTS) >= 2);
    UNTIL(l, seen.opens >= n, 5000);
    while (n > 0)
        close(fd[--n]);
}

TEST(a_storm_while_descriptors_are_short_is_served_later)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "tcp://127.0.0.1:0", &counting, NULL);
    with_few_descriptors(l, s);
    loop_gone(l);
}

TEST(dialling_without_descriptors_says_so)
{
    static const char *const urls[] = {"tcp://127.0.0.1:9", "udp://127.0.0.1:9", "unix:///tmp/x", "ws://127.0.0.1:9/",
                                       "exec:cat",          "file:/etc/passwd",  "fd:0",          "stdio:"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct rlimit was, none;
        dx_loop *l = fresh_loop();
        dx_err err = {0};
        getrlimit(RLIMIT_NOFILE, &was);
        int before = open_fds(), top = dup(2);
        close(top);
        none = (struct rlimit){(rlim_t)top, was.rlim_max}; /* the lowest free one is out of reach */
        setrlimit(RLIMIT_NOFILE, &none);
        dx_conn *c = dx_connect(l, urls[i], &counting, NULL, NULL, &err);
        for (int k = 0; c && k < 100 && !seen.closes; k++)
            turn(l, 2);
        setrlimit(RLIMIT_NOFILE, &was);
        if (c)
            err = seen.why;
        CHECK_SAY(err.code == DX_LIMIT && strstr(err.text, "open files"), "%s: %d %s", urls[i], err.code, err.text);
        CHECK_INT(open_fds(), before);
        loop_gone(l);
    }
}

/* ---- relay ---- */

static int raw_server(char *url, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    int fd = raw_socket(SOCK_STREAM);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 8) == 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    snprintf(url, n, "tcp://127.0.0.1:%d", ntohs(a.sin_port));
    return fd;
}

TEST(an_answer_that_came_before_the_reset_passes_the_relay)
{
    char url[40], buf[100];
    static char junk[64 << 10];
    int v[2], server = raw_server(url, sizeof url), peer;
    dx_loop *l = fresh_loop();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, v) == 0);
    dx_conn *a = dial_fd(l, v[0], &counting), *b = dial(l, url, &quiet, NULL);
    close(v[0]);
    UNTIL(l, seen.opens && other, 2000);
    CHECK_INT(dx_relay(a, b), 0);
    UNTIL(l, (peer = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0, 1000);
    raw_say(l, v[1], "a question");
    for (int i = 0; i < 10; i++) /* until much is on the way, unread */
        if (send(v[1], junk, sizeof junk, MSG_NOSIGNAL) < 0)
            turn(l, 2);
    CHECK(send(peer, "413 too much", 12, MSG_NOSIGNAL) == 12);
    close(peer);                   /* with unread data: a reset */
    for (int i = 0; i < 20; i++) { /* the writer goes on writing */
        ssize_t k = send(v[1], junk, sizeof junk, MSG_NOSIGNAL);
        (void)k;
        turn(l, 1);
    }
    raw_read(l, v[1], buf, sizeof buf, "413 too much", 2000);
    CHECK_STR(buf, "413 too much");
    close(v[1]);
    UNTIL(l, !other && seen.closes == 1, 4000);
    close(server);
    loop_gone(l);
}

static uint64_t relayed;
static void count_relayed(dx_conn *c, const dx_err *why)
{
    (void)why;
    relayed = dx_relayed(c);
}
static const dx_handler relayed_on = {.on_open = count_open, .on_close = count_relayed};

/* Writes until nobody on the way takes more. */
static void write_till_full(dx_loop *l, int fd)
{
    static char junk[64 << 10];
    for (int still = 0; still < 50; still++) {
        while (send(fd, junk, sizeof junk, MSG_NOSIGNAL) > 0)
            still = 0;
        turn(l, 2);
    }
}

/* All that can be read, and what ended it: 0, or errno. */
static size_t read_till_end(dx_loop *l, int fd, int *ret_error)
{
    static char junk[64 << 10];
    size_t n = 0;
    int64_t until = now_ms() + 10000;
    for (ssize_t r; now_ms() < until; n += r > 0 ? (size_t)r : 0) {
        r = recv(fd, junk, sizeof junk, 0);
        if (r == 0 || (r < 0 && errno != EAGAIN)) {
            *ret_error = r ? errno : 0;
            return n;
        }
        turn(l, r < 0);
    }
    *ret_error = ETIMEDOUT;
    return n;
}

TEST(all_that_came_before_a_reset_passes_the_relay_and_then_the_reset)
{
    char there[40], here[40];
    int far = raw_server(there, sizeof there), near = raw_server(here, sizeof here), writer, reader, error;
    dx_loop *l = fresh_loop();
    dx_conn *a = dial(l, here, &quiet, NULL), *b = dial(l, there, &relayed_on, NULL);
    relayed = 0;
    UNTIL(l, seen.opens && other, 2000);
    UNTIL(l, (writer = accept4(far, NULL, NULL, SOCK_NONBLOCK)) >= 0, 1000);
    UNTIL(l, (reader = accept4(near, NULL, NULL, SOCK_NONBLOCK)) >= 0, 1000);
    CHECK_INT(dx_relay(a, b), 0);
    write_till_full(l, writer);
    setsockopt(writer, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(writer);
    turn(l, 100); /* time to break off too early */
    size_t got = read_till_end(l, reader, &error);
    CHECK_INT(error, ECONNRESET);
    CHECK_SAY(relayed > 1 << 20, "%llu bytes had come", (unsigned long long)relayed);
    CHECK_INT(got, relayed);
    close(reader);
    close(near);
    close(far);
    UNTIL(l, !other, 2000);
    loop_gone(l);
}

TEST(a_conn_is_relayed_or_saved_once)
{
    int v[2], w[2];
    dx_loop *l = fresh_loop();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, v) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, w) == 0);
    dx_conn *a = dial_fd(l, v[0], &counting), *b = dial_fd(l, v[1], &counting);
    dx_conn *c = dial_fd(l, w[0], &counting), *d = dial_fd(l, w[1], &counting);
    turn(l, 5);
    CHECK_INT(dx_relay(a, c), 0);
    CHECK_INT(dx_relay(b, a), DX_STATE);
    CHECK_INT(dx_save(c, 1, -1), DX_STATE);
    CHECK_INT(dx_save(d, 1, -1), 0);
    CHECK_INT(dx_relay(d, b), DX_STATE);
    for (int i = 0; i < 2; i++) {
        close(v[i]);
        close(w[i]);
    }
    dx_abort(b);
    dx_abort(d);
    UNTIL(l, seen.closes == 4, 5000);
    loop_gone(l);
}

TEST(a_relay_to_a_websocket_that_is_still_dialled_waits_for_it)
{
    static const dx_handler server = {.on_open = count_open, .on_data = count_data};
    int v[2];
    char url[80];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "ws://127.0.0.1:0/", &server, NULL);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, v) == 0);
    snprintf(url, sizeof url, "%s", dx_listener_url(s, 0));
    dx_conn *a = dial_fd(l, v[0], &quiet), *b = dial(l, url, &quiet, NULL);
    close(v[0]);
    CHECK_INT(dx_relay(a, b), 0);
    raw_say(l, v[1], "early words");
    UNTIL(l, seen.datas == 1, 3000);
    CHECK_STR(seen.text, "early words");
    close(v[1]);
    turn(l, 10);
    loop_gone(l);
}

/* ---- verbs at odd moments ---- */

TEST(a_websocket_paused_before_it_stands_opens_all_the_same)
{
    static const dx_handler server = {.on_open = other_open, .on_close = other_close};
    char url[80];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "ws://127.0.0.1:0/", &server, NULL);
    snprintf(url, sizeof url, "%s", dx_listener_url(s, 0));
    dx_conn *c = dial(l, url, &counting, NULL);
    dx_pause(c, true);
    UNTIL(l, seen.opens == 1 && other, 2000);
    CHECK(dx_send(other, "hello", 5, DX_TEXT) >= 0);
    turn(l, 20);
    CHECK_INT(seen.datas, 0);
    dx_pause(c, false);
    UNTIL(l, seen.datas == 1, 2000);
    loop_gone(l);
}

TEST(nothing_is_sent_on_a_websocket_before_it_stands)
{
    char url[80];
    dx_loop *l = fresh_loop();
    static const dx_handler server = {.on_open = other_open, .on_close = other_close};
    dx_listener *s = listen_on(l, "ws://127.0.0.1:0/", &server, NULL);
    snprintf(url, sizeof url, "%s", dx_listener_url(s, 0));
    dx_conn *c = dial(l, url, &counting, NULL);
    int fd = open("/etc/passwd", O_RDONLY);
    CHECK(dx_send(c, "x", 1, DX_TEXT) < 0);
    CHECK(dx_send_file(c, fd, 0, -1, 0) < 0);
    close(fd);
    UNTIL(l, seen.opens == 1, 3000);
    loop_gone(l);
}

TEST(a_message_of_many_parts_is_one_message_on_every_wire)
{
    static const char *const urls[] = {"tcp://127.0.0.1:0", "ws://127.0.0.1:0/", "udp://127.0.0.1:0"};
    static const dx_handler server = {.on_open = other_open, .on_data = count_data};
    for (int i = 0; i < 3; i++) {
        char url[80];
        dx_bytes parts[100];
        for (int k = 0; k < 100; k++)
            parts[k] = k % 3 ? (dx_bytes){"ab", 2} : (dx_bytes){NULL, 0};
        dx_loop *l = fresh_loop();
        dx_opts o = {.frame = i == 0 ? "line" : NULL};
        dx_listener *s = listen_on(l, urls[i], &server, &o);
        snprintf(url, sizeof url, "%s", dx_listener_url(s, 0));
        other = NULL;
        dial(l, url, &quiet, &o);
        UNTIL(l, other, 2000);
        dx_conn *c = other;
        CHECK_INT(dx_sendv(c, parts, 100, 0), 0);
        UNTIL(l, seen.datas >= 1, 2000);
        CHECK_INT(seen.datas, 1);
        CHECK_INT(seen.bytes, 132);
        CHECK_INT(dx_sendv(c, NULL, 0, DX_TEXT), 0);
        CHECK_INT(dx_send(c, NULL, 0, DX_TEXT), 0);
        CHECK_INT(dx_sendv(c, parts, 1, 0), 0);
        turn(l, 10);
        CHECK_SAY(seen.datas == 4, "%s: %d empty ones", url, seen.datas - 1);
        loop_gone(l);
    }
}

static dx_loop *the_loop;
static int ran;
static void note(void *arg)
{
    (void)arg;
    ran++;
}
static void post_and_dial(dx_conn *c, const dx_err *why)
{
    dx_err err = {0};
    count_close(c, why);
    dx_loop_post(the_loop, note, NULL);
    dx_loop_after(the_loop, 0, note, NULL);
    CHECK(!dx_connect(the_loop, "tcp://127.0.0.1:1", &counting, NULL, NULL, &err));
    CHECK(!dx_serve(the_loop, "tcp://127.0.0.1:0", &counting, NULL, NULL, &err));
}

TEST(a_loop_is_freed_from_any_state)
{
    static const dx_handler on = {
        .on_open = count_open, .on_data = count_data, .on_end = count_end, .on_close = post_and_dial};
    for (int i = 0; i < 40; i++) {
        int fds = open_fds();
        dx_loop *l = the_loop = fresh_loop();
        ran = 0;
        dx_listener *s = listen_on(l, i % 2 ? "any://127.0.0.1:0" : "tcp://127.0.0.1:0", &on, NULL);
        int fd[5];
        for (int k = 0; k < 5; k++)
            fd[k] = raw_tcp(s);
        dial(l, dx_listener_url(s, 0), &on, NULL);
        dial(l, "exec:cat", &on, NULL);
        if (i % 4 > 1)
            raw_say(l, fd[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i % 5 > 1)
            turn(l, i % 5);
        if (i % 3 == 0 && seen.c)
            dx_close(seen.c);
        if (i % 7 == 0)
            dx_listener_drain(s, 1000);
        dx_loop_after(l, 100000, note, NULL);
        dx_loop_free(l);
        CHECK_INT(ran, 0);
        CHECK_INT(dx_memory_used(), memory_before);
        for (int k = 0; k < 5; k++)
            close(fd[k]);
        CHECK_INT(open_fds(), fds);
    }
}

/* ---- local ends ---- */

TEST(children_of_every_kind_end)
{
    static const char *const urls[] = {"exec:true",
                                       "exec:false",
                                       "exec:sleep 6",
                                       "exec:sh -c \"trap '' HUP; sleep 6\"",
                                       "exec:sh -c 'exec 1>&-; sleep 6'",
                                       "exec:sh -c 'exec 0<&-; sleep 6'"};
    static char junk[200 << 10];
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        dx_loop *l = fresh_loop();
        int fds = open_fds();
        dx_conn *c = dial(l, urls[i], &counting, NULL);
        UNTIL(l, seen.opens || seen.closes, 2000);
        for (int k = 0; k < 3 && !seen.closes; k++) {
            dx_send(c, junk, sizeof junk, 0);
            turn(l, 10);
        }
        if (!seen.closes)
            dx_abort(c);
        UNTIL(l, seen.closes == 1, 3000);
        CHECK_INT(open_fds(), fds);
        loop_gone(l);
    }
}

TEST(a_full_device_says_so)
{
    dx_loop *l = fresh_loop();
    dx_conn *c = dial(l, "file:/dev/full#append", &counting, NULL);
    UNTIL(l, seen.opens, 1000);
    dx_send(c, "x", 1, 0);
    UNTIL(l, seen.closes == 1, 2000);
    CHECK_SAY(seen.why.code == DX_SYS && seen.why.detail == ENOSPC && strstr(seen.why.text, "No space"), "%d %s",
              seen.why.code, seen.why.text);
    loop_gone(l);
}

TEST(no_such_thing_is_said_in_words)
{
    static const struct {
        const char *url;
        int code;
    } all[] = {{"exec:no-such-command-here", DX_SYS},
               {"file:/no/such/file", DX_SYS},
               {"fd:9999", DX_SYS},
               {"fd:x", DX_URL},
               {"fd:-1", DX_URL},
               {"exec:", DX_URL},
               {"file:", DX_URL},
               {"tcp://127.0.0.1", DX_URL},
               {"tcp://127.0.0.1:99999", DX_URL},
               {"unix:", DX_URL},
               {"foo://x", DX_URL},
               {"", DX_URL},
               {"file:/etc/passwd#write", DX_SYS},
               {"unixgram:///no/such", DX_REFUSED}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        dx_loop *l = fresh_loop();
        dx_err err = {0};
        dx_conn *c = dx_connect(l, all[i].url, &counting, NULL, NULL, &err);
        if (c)
            UNTIL(l, seen.closes, 2000);
        int code = c ? seen.why.code : err.code;
        CHECK_SAY(code == all[i].code, "%s: %d %s", all[i].url, code, c ? seen.why.text : err.text);
        CHECK((c ? seen.why.text : err.text)[0]);
        loop_gone(l);
    }
}

static dx_listener *to_drain;

static void drain_and_count(dx_conn *c, const dx_err *why)
{
    count_close(c, why);
    dx_listener_drain(to_drain, 0);
}

TEST(a_listener_that_ends_in_a_handler_may_have_a_caller_in_the_same_turn)
{
    static const dx_handler h = {.on_open = count_open, .on_close = drain_and_count};
    dx_loop *l = fresh_loop();
    dx_listener *s = to_drain = listen_on(l, "tcp://127.0.0.1:0", &h, NULL);
    int one = raw_tcp(s), two, port = port_of(dx_listener_url(s, 0));
    UNTIL(l, seen.opens == 1, 2000);
    raw_reset(one); /* the loop hears of both in one turn, of this one first */
    two = raw_dial(SOCK_STREAM, port);
    UNTIL(l, seen.closes == 1, 2000);
    turn(l, 10);
    close(two);
    loop_gone(l);
}
TEST_MAIN
