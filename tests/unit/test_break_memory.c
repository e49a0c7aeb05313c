/* SPDX-License-Identifier: MIT
 * Want of memory: the Nth allocation fails, or all from the Nth on, for every N of a small session on each wire. No crash, no
 * leak, and the loop can be freed. And the process's cap: the largest queue pays. */
#include "breaker.h"
#include "fails.h"
#include <duplex/http.h>
#include <duplex/ws.h>

static long countdown; /* 0: nothing fails */
static bool for_ever;
static bool failed;

static bool fails(void)
{
    if (!countdown || spared)
        return false;
    if (countdown > 1) {
        countdown--;
        return false;
    }
    if (!for_ever)
        countdown = 0;
    failed = true;
    return true;
}

/* ---- a session: a server that echoes and replies, a client of ours and a plain one ---- */

static int balance; /* on_close for each conn dialled or opened */
static char big[20 << 10];

static void server_open(dx_conn *c)
{
    balance++;
    if (dx_http_wants_ws(c))
        dx_ws_accept(c, NULL, NULL, &(dx_ws_opts){.origins = "*"});
    else if (dx_http_is(c))
        dx_http_reply(c, 200, "text/plain", big, sizeof big, &(dx_http_field){"X-A", "b"}, 1);
}
static void server_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    dx_msg *m = dx_msg_new(p, n, how);
    dx_send(c, p, n, how);
    if (m)
        dx_send_msg(c, m);
    dx_msg_drop(m);
}
static void server_close(dx_conn *c, const dx_err *why)
{
    (void)c;
    CHECK(why->code < 0);
    balance--;
}
static void client_open(dx_conn *c)
{
    dx_send(c, "hello\n", 6, DX_TEXT);
    dx_send(c, big, sizeof big, DX_TEXT);
    dx_after(c, 1000, dx_close);
}
static void client_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)p;
    (void)how;
    seen.bytes += n;
    if (seen.bytes > 1000)
        dx_close(c);
}
static const dx_handler server = {.on_open = server_open, .on_data = server_data, .on_close = server_close};
static const dx_handler client = {.on_open = client_open, .on_data = client_data, .on_close = server_close};

static void check_words(const dx_err *err, const char *verb)
{
    CHECK_SAY(err->code == DX_NOMEM || (err->code == DX_SYS && err->detail == ENOMEM) || err->code == DX_CLOSED,
              "%s: %d %s", verb, err->code, err->text);
    CHECK_SAY(err->text[0], "%s: no words for %d", verb, err->code);
}

static void talk(dx_loop *l, const char *url, const dx_opts *o, const char *words)
{
    dx_err err = {0};
    dx_listener *s = dx_serve(l, url, &server, NULL, o, &err);
    if (!s) {
        check_words(&err, url);
        return;
    }
    char at[100];
    snprintf(at, sizeof at, "%s", dx_listener_url(s, 0));
    err.code = 0;
    dx_conn *c = strncmp(at, "http", 4) ? dx_connect(l, at, &client, NULL, o, &err) : NULL;
    balance += c != NULL;
    if (!c && strncmp(at, "http", 4))
        check_words(&err, "dial");
    int fd = words ? raw_tcp(s) : -1;
    for (int i = 0; i < 25; i++) {
        if (i == 2 && fd >= 0) {
            ssize_t k = send(fd, words, strlen(words), MSG_NOSIGNAL);
            (void)k;
        }
        if (i == 15 && fd >= 0)
            close(fd);
        if (i == 18)
            dx_listener_drain(s, 5);
        turn(l, 1);
    }
}

static void session(const char *url, const dx_opts *o, const char *words)
{
    int fds = open_fds();
    size_t before = dx_memory_used();
    dx_err err = {0};
    balance = 0;
    seen.bytes = 0;
    dx_loop *l = dx_loop_new(&err);
    if (l) {
        talk(l, url, o, words);
        dx_loop_free(l);
    } else {
        check_words(&err, "new loop");
    }
    CHECK_INT(balance, 0);
    CHECK_INT(dx_memory_used(), before);
    CHECK_INT(open_fds(), fds);
}

static void every_allocation_of(const char *url, const dx_opts *o, const char *words)
{
    for (int all = 0; all < 2; all++) {
        failed = true;
        for (long n = 1; failed && n < 3000; n += all ? 7 : 1) {
            failed = false;
            for_ever = all;
            countdown = n;
            session(url, o, words);
            countdown = 0;
        }
    }
}

static const char request[] =
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: x\r\n\r\n";
static const char handshake[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                                "\x01\x83\1\1\1\1```\x80\x83\1\1\1\1```";

TEST(memory_fails_on_tcp)
{
    every_allocation_of("tcp://127.0.0.1:0", &(dx_opts){.frame = "line", .coding = "utf-8"}, "a line\nanother");
}
TEST(memory_fails_on_any)
{
    every_allocation_of("any://127.0.0.1:0", &(dx_opts){.frame = "auto", .coding = "auto"}, "HELLO all\n");
}
TEST(memory_fails_on_any_with_a_request)
{
    every_allocation_of("any://127.0.0.1:0", &(dx_opts){.frame = "auto", .coding = "auto"}, request);
}
TEST(memory_fails_on_http)
{
    every_allocation_of("http://127.0.0.1:0", NULL, request);
}
TEST(memory_fails_on_ws)
{
    every_allocation_of("ws://127.0.0.1:0/", NULL, handshake);
}
TEST(memory_fails_on_udp)
{
    every_allocation_of("udp://127.0.0.1:0", NULL, NULL);
}
TEST(memory_fails_on_unix)
{
    char url[60];
    snprintf(url, sizeof url, "unix://@breaker-%d", (int)getpid());
    every_allocation_of(url, NULL, NULL);
}
TEST(memory_fails_on_unixgram)
{
    char url[60];
    snprintf(url, sizeof url, "unixgram://@breaker-%d", (int)getpid());
    every_allocation_of(url, NULL, NULL);
}

/* ---- the cap ---- */

static int closed_by_limit, closed_else;
static dx_conn *conns[10];
static int conns_n;
static void keep_conn(dx_conn *c)
{
    if (conns_n < 10)
        conns[conns_n++] = c;
}
static void note_close(dx_conn *c, const dx_err *why)
{
    for (int i = 0; i < conns_n; i++)
        if (conns[i] == c)
            conns[i] = NULL;
    if (why->code == DX_LIMIT && strstr(why->text, "memory"))
        closed_by_limit++;
    else
        closed_else++;
}

TEST(over_the_cap_the_largest_queue_pays_and_files_do_not_count)
{
    static const dx_handler on = {.on_open = keep_conn, .on_close = note_close};
    static char much[3 << 20];
    char path[] = "/tmp/breakerXXXXXX";
    int file = mkstemp(path), fd[4];
    unlink(path);
    CHECK(ftruncate(file, 1 << 30) == 0);
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "tcp://127.0.0.1:0", &on, &(dx_opts){.queue_bytes_max = 64 << 20});
    for (int i = 0; i < 4; i++)
        fd[i] = raw_tcp(s);
    UNTIL(l, conns_n == 4, 1000);
    dx_memory_limit(16 << 20);
    CHECK(dx_send_file(conns[0], file, 0, -1, 0) >= 0); /* a gigabyte that costs no memory */
    for (int i = 0; i < 2; i++)
        dx_send(conns[1], much, sizeof much, 0);
    turn(l, 5);
    for (int i = 0; i < 9; i++) {
        if (conns[2])
            dx_send(conns[2], much, sizeof much, 0);
        turn(l, 5);
    }
    turn(l, 20);
    CHECK_INT(closed_by_limit, 1);
    CHECK_INT(closed_else, 0);
    CHECK(conns[0] && conns[1] && !conns[2] && conns[3]);
    dx_memory_limit(0);
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    close(file);
    loop_gone(l);
}
static void reply_big(dx_conn *c)
{
    static char much[400 << 10];
    dx_http_reply(c, 200, "text/plain", much, sizeof much, NULL, 0);
}

TEST(replies_that_nobody_reads_pay_too)
{
    static const dx_handler on = {.on_open = reply_big};
    int fd[60];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "http://127.0.0.1:0", &on, NULL);
    dx_memory_limit(4 << 20);
    for (int i = 0; i < 60; i++) {
        int small = 4096;
        fd[i] = raw_tcp(s);
        setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        for (int k = 0; k < 20; k++)
            raw_say(l, fd[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        turn(l, 2);
    }
    turn(l, 100);
    CHECK_SAY(memory() < 6 << 20, "%zu bytes", memory());
    dx_memory_limit(0);
    for (int i = 0; i < 60; i++)
        close(fd[i]);
    loop_gone(l);
}
TEST_MAIN
