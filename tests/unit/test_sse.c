/* SPDX-License-Identifier: MIT
 * Server-sent events and long polls: what the bytes are, and how each ends. */
#include "breaker.h"
#include <duplex/sse.h>

static const char get[] = "GET /feed HTTP/1.1\r\nHost: x\r\nLast-Event-ID: k3.41\r\n\r\n";
static char got[8192];
static size_t got_n;

static int ask(dx_listener *s, const char *text)
{
    int fd = raw_tcp(s);
    got_n = 0;
    got[0] = 0;
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
    return fd;
}

/* What has come till now. */
static const char *read_some(int fd)
{
    ssize_t n = recv(fd, got + got_n, sizeof got - 1 - got_n, MSG_DONTWAIT);
    got_n += n > 0 ? (size_t)n : 0;
    got[got_n] = 0;
    return got;
}

static void until_has(dx_loop *l, int fd, const char *part)
{
    UNTIL(l, strstr(read_some(fd), part), 10000);
}

static void until_end(dx_loop *l, int fd)
{
    char c;
    UNTIL(l, recv(fd, &c, 1, MSG_DONTWAIT) == 0, 10000);
}

static void open_stream(dx_conn *c)
{
    dx_http_field more = {"X-Accel-Buffering", "no"};
    dx_bytes id = dx_sse_last_id(c);
    count_open(c);
    CHECK_MEM(id.p, id.n, "k3.41", 5);
    CHECK_INT(dx_sse_open(c, -2, NULL, 0), DX_URL);
    CHECK_INT(dx_sse_open(c, -1, &more, 1), 0);
    CHECK_INT(dx_sse_open(c, 0, NULL, 0), DX_STATE);
    CHECK_INT(dx_http_park(c, 1, 0), DX_STATE);
}

/* The bytes that an event is, without the chunk around it. */
static void check_event(const dx_sse *e, const char *want)
{
    dx_msg *m = dx_sse_msg(e);
    CHECK(m);
    CHECK_MEM(dx_msg_bytes(m).p, dx_msg_bytes(m).n, want, strlen(want));
    dx_msg_drop(m);
}
#define DATA(s) .data = s, .n = sizeof(s) - 1

TEST(an_event_is_its_fields_and_an_empty_line)
{
    check_event(&(dx_sse){DATA("hi")}, "data: hi\n\n");
    check_event(&(dx_sse){.id = "k3.42", .event = "said", DATA("hi"), .retry_ms = 3000},
                "id: k3.42\nevent: said\nretry: 3000\ndata: hi\n\n");
    check_event(&(dx_sse){.id = ""}, "id: \n\n");
    check_event(&(dx_sse){DATA("")}, "data: \n\n");
    check_event(&(dx_sse){DATA(" \t你好")}, "data:  \t你好\n\n");
}

TEST(every_line_of_data_is_a_data_line)
{
    check_event(&(dx_sse){DATA("a\nb")}, "data: a\ndata: b\n\n");
    check_event(&(dx_sse){DATA("a\rb\r\nc\n\rd")}, "data: a\ndata: b\ndata: c\ndata: \ndata: d\n\n");
    check_event(&(dx_sse){DATA("\n")}, "data: \ndata: \n\n");
    check_event(&(dx_sse){DATA("a\r\n")}, "data: a\ndata: \n\n");
    check_event(&(dx_sse){DATA("event: forged\n\nid: 1")}, "data: event: forged\ndata: \ndata: id: 1\n\n");
}

TEST(what_would_break_a_line_in_an_id_or_a_kind_is_refused)
{
    static const dx_sse bad[] = {
        {.id = "a\nb"}, {.id = "a\rdata: x"}, {.event = "a\n"}, {.event = "\r", DATA("x")}, {.retry_ms = -1, DATA("x")},
        {.n = 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_SAY(!dx_sse_msg(&bad[i]), "case %zu was taken", i);
}

TEST(a_stream_has_its_head_and_its_events_until_it_is_closed)
{
    static const dx_handler on = {.state_bytes = 0, .on_open = open_stream, .on_close = count_close};
    dx_loop *l = fresh_loop();
    int fd = ask(listen_on(l, "http://127.0.0.1:0", &on, NULL), get);
    until_has(l, fd, "\r\n\r\n");
    CHECK(strstr(got, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"));
    CHECK(strstr(got, "X-Accel-Buffering: no\r\n"));
    CHECK(seen.c && seen.closes == 0); /* its request is whole: that alone ends nothing */
    CHECK_INT(dx_sse_send(seen.c, &(dx_sse){.id = "a\n"}), DX_URL);
    CHECK_INT(dx_sse_send(seen.c, &(dx_sse){DATA("one")}), 0);
    dx_msg *m = dx_sse_msg(&(dx_sse){.id = "2", DATA("two")});
    CHECK_INT(dx_send_msg(seen.c, m), 0);
    dx_msg_drop(m);
    until_has(l, fd, "b\r\ndata: one\n\n\r\n11\r\nid: 2\ndata: two\n\n\r\n");
    dx_close(seen.c);
    until_has(l, fd, "\r\n0\r\n\r\n");
    UNTIL(l, seen.closes == 1, 10000);
    close(fd);
    loop_gone(l);
}

static void open_and_keep(dx_conn *c)
{
    count_open(c);
    dx_sse_open(c, 20, NULL, 0);
}

TEST(a_silent_stream_is_kept_by_comments_and_ends_with_its_client)
{
    static const dx_handler on = {.on_open = open_and_keep, .on_close = count_close};
    dx_loop *l = fresh_loop();
    int fd = ask(listen_on(l, "http://127.0.0.1:0", &on, NULL), get);
    until_has(l, fd, "3\r\n:\n\n\r\n3\r\n:\n\n\r\n");
    shutdown(fd, SHUT_WR);
    until_has(l, fd, "\r\n0\r\n\r\n");
    until_end(l, fd);
    UNTIL(l, seen.closes == 1, 10000);
    close(fd);
    loop_gone(l);
}

TEST(in_version_1_0_the_stream_is_the_rest_of_the_connection)
{
    static const dx_handler on = {.on_open = open_and_keep, .on_close = count_close};
    dx_loop *l = fresh_loop();
    int fd = ask(listen_on(l, "http://127.0.0.1:0", &on, NULL), "GET / HTTP/1.0\r\n\r\n");
    until_has(l, fd, "\r\n\r\n:\n\n:\n\n");
    CHECK(!strstr(got, "chunked"));
    dx_finish(seen.c);
    until_end(l, fd);
    close(fd);
    loop_gone(l);
}

static int64_t park_ms;
static void park(dx_conn *c)
{
    count_open(c);
    CHECK_INT(dx_http_park(c, -1, 0), DX_URL);
    CHECK_INT(dx_http_park(c, 0, 100), DX_URL);
    CHECK_INT(dx_http_park(c, 100000, 0), 0);
    CHECK_INT(dx_http_park(c, park_ms, park_ms ? 204 : 503), 0);
}
static const dx_handler parker = {.on_open = park, .on_close = count_close};

TEST(a_long_poll_without_news_is_answered_in_time)
{
    dx_loop *l = fresh_loop();
    park_ms = 20;
    int fd = ask(listen_on(l, "http://127.0.0.1:0", &parker, NULL), get);
    until_has(l, fd, "HTTP/1.1 204 No Content\r\n");
    UNTIL(l, seen.closes == 1, 10000);
    CHECK_INT(seen.why.code, DX_END);
    park_ms = 0;
    CHECK(send(fd, get, strlen(get), MSG_NOSIGNAL) > 0); /* the connection lives on */
    until_has(l, fd, "HTTP/1.1 503 ");
    close(fd);
    loop_gone(l);
}

TEST(a_long_poll_with_news_is_answered_once)
{
    dx_loop *l = fresh_loop();
    park_ms = 30;
    int fd = ask(listen_on(l, "http://127.0.0.1:0", &parker, NULL), get);
    UNTIL(l, seen.c, 10000);
    CHECK_INT(seen.ends, 0);
    CHECK_INT(dx_http_reply(seen.c, 200, "text/plain", "news", 4, NULL, 0), 0);
    until_has(l, fd, "\r\n\r\nnews");
    turn(l, 60);
    CHECK(!strstr(read_some(fd), "204"));
    CHECK_INT(seen.closes, 1);
    close(fd);
    loop_gone(l);
}

TEST(a_long_poll_whose_client_goes_is_over)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &parker, NULL);
    park_ms = 100000;
    int fd = ask(s, get);
    UNTIL(l, seen.c, 10000);
    shutdown(fd, SHUT_WR);
    until_has(l, fd, "HTTP/1.1 204 ");
    UNTIL(l, seen.closes == 1, 10000);
    close(fd);
    fd = ask(s, get);
    UNTIL(l, seen.opens == 2, 10000);
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    UNTIL(l, seen.closes == 2, 10000);
    CHECK_INT(seen.why.code, DX_RESET);
    loop_gone(l);
}

static void count_them(dx_conn *c)
{
    count_open(c);
    dx_sse_open(c, 1, NULL, 0);
}

TEST(a_loop_that_is_freed_takes_its_streams_and_their_timers)
{
    static const dx_handler on = {.on_open = count_them, .on_close = count_close};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    int a = ask(s, get), b = ask(s, get);
    UNTIL(l, seen.opens == 2, 10000);
    loop_gone(l);
    CHECK_INT(seen.closes, 2);
    close(a);
    close(b);
}

TEST_MAIN
