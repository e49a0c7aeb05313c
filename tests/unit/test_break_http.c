/* SPDX-License-Identifier: MIT
 * Hostile and hasty HTTP clients, and handlers that do things at unusual moments. */
#include "breaker.h"
#include <duplex/http.h>
#include <duplex/sse.h>

static char big_body[64 << 10];

static void reply_big(dx_conn *c)
{
    seen.opens++;
    dx_http_reply(c, 200, "text/plain", big_body, sizeof big_body, NULL, 0);
}

static void reply_small(dx_conn *c)
{
    seen.opens++;
    dx_http_reply(c, 200, "text/plain", "ok\n", 3, NULL, 0);
}

TEST(a_client_that_pipelines_and_never_reads_fills_one_queue_and_no_more)
{
    static const dx_handler on = {.on_open = reply_big, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s);
    static char many[2000 * 32];
    size_t n = 0, most = 0;
    while (n + 32 < sizeof many)
        n += (size_t)sprintf(many + n, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t at = 0; at < n;) {
        ssize_t k = send(fd, many + at, n - at, MSG_NOSIGNAL);
        at += k > 0 ? (size_t)k : 0;
        turn(l, 2);
    }
    for (int i = 0; i < 20; i++) {
        turn(l, 2);
        most = memory() > most ? memory() : most;
    }
    CHECK_SAY(most < 3 << 20, "%zu bytes wait for a client that reads nothing, after %d replies", most, seen.opens);
    /* and when it reads, it gets them all */
    int opens = seen.opens;
    size_t got = 0;
    for (int64_t until = now_ms() + 10000; now_ms() < until && seen.opens < 500;) {
        static char buf[1 << 18];
        ssize_t k = recv(fd, buf, sizeof buf, 0);
        got += k > 0 ? (size_t)k : 0;
        if (k <= 0)
            turn(l, 1);
    }
    CHECK_SAY(seen.opens >= 500, "stuck: %d replies, then %d with %zu bytes read", opens, seen.opens, got);
    close(fd);
    loop_gone(l);
}

static void pause_first(dx_conn *c)
{
    count_open(c);
    dx_pause(c, true);
}

static void reply_at_end(dx_conn *c)
{
    seen.ends++;
    dx_http_reply(c, 200, "text/plain", "ok\n", 3, NULL, 0);
}

static void unpause(void *arg)
{
    (void)arg;
    if (seen.c)
        dx_pause(seen.c, false);
}

TEST(a_request_without_body_paused_in_on_open_has_its_on_end_later)
{
    static const dx_handler on = {.on_open = pause_first, .on_end = reply_at_end, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s);
    char buf[1000];
    raw_say(l, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(l, seen.opens == 1, 2000);
    dx_loop_after(l, 20, unpause, NULL);
    raw_read(l, fd, buf, sizeof buf, "ok\n", 2000);
    CHECK_INT(seen.ends, 1);
    CHECK(strstr(buf, "ok\n"));
    close(fd);
    loop_gone(l);
}

static void pause_at_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    count_data(c, p, n, how);
    seen.c = c;
    dx_pause(c, true);
}

TEST(a_body_paused_at_its_last_byte_has_its_on_end_later)
{
    static const dx_handler on = {.on_open = count_open, .on_data = pause_at_data, .on_end = reply_at_end};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s);
    char buf[1000];
    raw_say(l, fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    UNTIL(l, seen.datas == 1, 2000);
    CHECK_INT(seen.ends, 0);
    dx_pause(seen.c, false);
    raw_read(l, fd, buf, sizeof buf, "ok\n", 2000);
    CHECK_INT(seen.ends, 1);
    close(fd);
    loop_gone(l);
}

static void close_first(dx_conn *c)
{
    count_open(c);
    dx_close(c);
}

TEST(a_closed_exchange_whose_body_never_comes_ends_in_time)
{
    static const dx_handler on = {.on_open = close_first, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s);
    raw_say(l, fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhello");
    UNTIL(l, seen.opens == 1, 2000);
    UNTIL(l, seen.closes == 1, 5000);
    UNTIL(l, raw_is_over(fd), 1000);
    close(fd);
    loop_gone(l);
}

TEST(a_closed_exchange_does_not_read_a_body_without_end)
{
    static const dx_handler on = {.on_open = close_first, .on_close = count_close};
    static char junk[64 << 10];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s);
    size_t sent = 0;
    raw_say(l, fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n");
    for (int64_t until = now_ms() + 6000; now_ms() < until && sent < 200 << 20;) {
        ssize_t k = send(fd, junk, sizeof junk, MSG_NOSIGNAL);
        if (k < 0 && errno != EAGAIN)
            break;
        sent += k > 0 ? (size_t)k : 0;
        if (k < 0)
            turn(l, 1);
    }
    CHECK_SAY(sent < 200 << 20, "%zu bytes of a body that nobody wants", sent);
    UNTIL(l, seen.closes == 1, 3000);
    close(fd);
    loop_gone(l);
}

static void reply_and_abort(dx_conn *c)
{
    reply_small(c);
    dx_abort(c);
}

TEST(an_abort_after_a_reply_starts_no_pipelined_request)
{
    static const dx_handler on = {.on_open = reply_and_abort, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s);
    raw_say(l, fd,
            "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(l, seen.closes >= 1 && raw_is_over(fd), 3000);
    CHECK_INT(seen.opens, 1);
    CHECK_INT(seen.closes, 1);
    close(fd);
    loop_gone(l);
}

static int shrinking;

static void send_shrinking(dx_conn *c)
{
    count_open(c);
    dx_http_head(c, 200, 8 << 20, NULL, 0);
    dx_send_file(c, shrinking, 0, -1, DX_LAST);
    CHECK(ftruncate(shrinking, 1 << 20) == 0);
}

TEST(a_file_that_shrinks_while_it_is_sent_breaks_the_connection)
{
    static const dx_handler on = {.on_open = send_shrinking, .on_end = count_end, .on_close = count_close};
    static char buf[1 << 18];
    char path[] = "/tmp/breakerXXXXXX";
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s), broken = 0;
    shrinking = mkstemp(path);
    unlink(path);
    CHECK(ftruncate(shrinking, 8 << 20) == 0);
    raw_say(l, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int64_t until = now_ms() + 4000; now_ms() < until;) {
        ssize_t k = recv(fd, buf, sizeof buf, 0);
        if (k == 0 || (k < 0 && errno == ECONNRESET)) {
            broken = k == 0 ? 1 : 2;
            break;
        }
        if (k < 0)
            turn(l, 1);
    }
    CHECK_SAY(broken, "the client waits for ever for the rest of the file");
    CHECK_INT(broken, 2); /* an end that looks clean would pass for the whole file on other wires */
    close(fd);
    close(shrinking);
    loop_gone(l);
}

TEST(a_drained_listener_answers_no_more_on_kept_connections)
{
    static const dx_handler on = {.on_open = reply_small, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s), fd2 = raw_tcp(s);
    char buf[1000];
    raw_say(l, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_read(l, fd, buf, sizeof buf, "ok\n", 2000);
    raw_say(l, fd2, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe"); /* replied, its body under way */
    UNTIL(l, seen.opens == 2, 2000);
    dx_listener_drain(s, 5000);
    raw_say(l, fd2, "lloGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(l, raw_is_over(fd) && raw_is_over(fd2), 3000);
    CHECK_INT(seen.opens, 2);
    close(fd);
    close(fd2);
    UNTIL(l, dx_loop_count(l, DX_COUNT_CONNS) == 0, 3000);
    loop_gone(l);
}

static void refuse_413(dx_conn *c)
{
    seen.opens++;
    dx_http_reply(c, 413, "text/plain", "no\n", 3, NULL, 0);
}

TEST(a_refusal_of_an_announced_body_is_not_followed_by_it_as_a_request)
{
    static const dx_handler on = {.on_open = refuse_413, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s);
    char buf[2000];
    raw_say(l, fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nExpect: 100-continue\r\n\r\n");
    raw_read(l, fd, buf, sizeof buf, "no\n", 2000);
    CHECK(strstr(buf, "413") && !strstr(buf, "100 Continue"));
    CHECK_SAY(strstr(buf, "Connection: close"), "%s", buf); /* RFC 9110 10.1.1: the client may send the next request */
    close(fd);
    loop_gone(l);
}

static void reply_late(void *arg)
{
    (void)arg;
    if (seen.c)
        seen.events = dx_http_reply(seen.c, 200, "text/plain", big_body, sizeof big_body, NULL, 0);
}

TEST(a_reply_to_a_client_that_is_gone_is_no_harm)
{
    static const dx_handler on = {.on_open = count_open, .on_end = count_end, .on_close = count_close};
    for (int how = 0; how < 3; how++) {
        dx_loop *l = fresh_loop();
        dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
        int fd = raw_tcp(s);
        raw_say(l, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        UNTIL(l, seen.opens == 1, 2000);
        if (how == 0)
            raw_reset(fd);
        else if (how == 1)
            close(fd);
        dx_loop_after(l, how == 2 ? 0 : 20, reply_late, NULL);
        if (how == 2) {
            raw_reset(fd);
            dx_loop_after(l, 10, reply_late, NULL);
        }
        UNTIL(l, seen.closes == 1, 5000);
        loop_gone(l);
    }
}

TEST(rubbish_in_every_place_is_refused_and_never_hangs)
{
    static const char *const all[] = {
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET /\r\n\r\n",
        "\r\n\r\n\r\nfoo bar baz\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n folded: x\r\n\r\n",
    };
    static const dx_handler on = {.on_open = count_open, .on_end = reply_at_end, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    char buf[2000];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int fd = raw_tcp(s);
        raw_say(l, fd, all[i]);
        ssize_t n = raw_read(l, fd, buf, sizeof buf, NULL, 4000);
        CHECK_SAY(n >= 12 && (buf[9] == '4' || buf[9] == '5'), "case %zu: %zd bytes: %s", i, n, buf);
        close(fd);
    }
    UNTIL(l, seen.opens == seen.closes, 3000);
    loop_gone(l);
}
static void open_stream(dx_conn *c)
{
    seen.opens++;
    dx_sse_open(c, 20, NULL, 0);
}

/* What is behind its request is not read while the stream goes on, and so neither is the reset. */
TEST(a_stream_whose_client_is_gone_with_more_behind_its_request_ends)
{
    static const dx_handler on = {.on_open = open_stream, .on_close = count_close};
    for (int i = 0; i < 2; i++) {
        dx_loop *l = fresh_loop();
        dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
        int fd = raw_tcp(s);
        CHECK(raw_say(l, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET"));
        UNTIL(l, seen.opens, 5000);
        if (i)
            raw_reset(fd);
        else
            close(fd);
        UNTIL(l, seen.closes, 5000);
        CHECK_SAY(seen.why.code == DX_RESET, "%s", seen.why.text);
        CHECK_INT(dx_listener_conns(s), 0);
        loop_gone(l);
    }
}

TEST_MAIN
