/* SPDX-License-Identifier: MIT
 * Peers that take slowly but steadily what is sent to them. The kernel takes from us in large pieces, about a third of its buffer at once,
 * and between two of them our queue stands still for longer than any limit, while the peer takes little by little what lies in
 * the kernel. The clock is the test's (meson.build: --wrap). */
#include "breaker.h"
#include <duplex/http.h>

int64_t __real_os_now_ms(void);
int64_t __wrap_os_now_ms(void);
static int64_t skew;

int64_t __wrap_os_now_ms(void)
{
    return __real_os_now_ms() + skew;
}

enum { STEP_MS = 500, TAKES = 16 << 10, MUCH = 7 << 20 };
static char much[MUCH];

/* Connected, with little room in its own kernel. */
static int slow_peer(const dx_listener *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_of(dx_listener_url(s, 0)))};
    int fd = raw_socket(SOCK_STREAM), room = 64 << 10;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS);
    return fd;
}

/* At most `most` bytes, TAKES each STEP_MS: how many came. While the kernel has none the clock stands. */
static size_t take_steadily(dx_loop *l, int fd, size_t most)
{
    static char buf[TAKES];
    size_t got = 0;
    ssize_t k = -1;
    for (int idle = 0; got < most && k && idle < 5000;) {
        turn(l, 1);
        k = recv(fd, buf, sizeof buf, 0);
        CHECK_SAY(k >= 0 || errno == EAGAIN, "after %zu bytes: %s (%s)", got, strerror(errno), seen.why.text);
        got += k > 0 ? (size_t)k : 0;
        skew += k > 0 ? STEP_MS : 0;
        idle = k < 0 ? idle + 1 : 0;
    }
    return got;
}

/* Who takes nothing at all is not borne with. */
static void give_up_in_time(dx_loop *l, dx_listener *s)
{
    int64_t began = skew;
    for (; dx_listener_conns(s) && skew - began < 200000; skew += STEP_MS)
        turn(l, 1);
    CHECK_SAY(skew - began < 80000, "it is still there after %lld s", (long long)(skew - began) / 1000);
}

static void fill(dx_conn *c)
{
    while (dx_send(c, much, TAKES, 0) == 0)
        ;
}

static void reply_without_end(dx_conn *c)
{
    seen.opens++;
    dx_http_head(c, 200, -1, NULL, 0);
    fill(c);
}

static void reply_much(dx_conn *c)
{
    seen.opens++;
    dx_http_reply(c, 200, "text/plain", much, sizeof much, NULL, 0);
}

static void send_and_close(dx_conn *c)
{
    seen.opens++;
    dx_send(c, much, sizeof much, 0);
    dx_close(c);
}

static void steadily(const char *url, const dx_handler *on, const char *says, size_t most)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, url, on, &(dx_opts){.queue_bytes_max = 8 << 20});
    int fd = slow_peer(s);
    CHECK(raw_say(l, fd, says));
    UNTIL(l, seen.opens, 5000);
    size_t got = take_steadily(l, fd, most);
    CHECK_SAY(got >= most, "%zu of %zu bytes came", got, most);
    close(fd);
    fd = slow_peer(s);
    CHECK(raw_say(l, fd, says));
    UNTIL(l, seen.opens == 2, 5000);
    give_up_in_time(l, s);
    close(fd);
    loop_gone(l);
}

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

TEST(who_takes_a_stream_of_http_steadily_gets_it)
{
    static const dx_handler on = {.on_open = reply_without_end, .on_writable = fill, .on_close = count_close};
    steadily("http://127.0.0.1:0", &on, GET, MUCH);
}

TEST(who_takes_a_reply_steadily_gets_it)
{
    static const dx_handler on = {.on_open = reply_much, .on_close = count_close};
    steadily("http://127.0.0.1:0", &on, GET, MUCH);
}

TEST(who_takes_the_last_reply_of_a_connection_steadily_gets_it)
{
    static const dx_handler on = {.on_open = reply_much, .on_close = count_close};
    steadily("http://127.0.0.1:0", &on, "GET / HTTP/1.0\r\nHost: x\r\n\r\n", MUCH);
}

TEST(who_takes_what_was_queued_before_a_close_steadily_gets_it)
{
    static const dx_handler on = {.on_open = send_and_close, .on_close = count_close};
    steadily("tcp://127.0.0.1:0", &on, "", MUCH);
}

TEST_MAIN
