/* SPDX-License-Identifier: MIT
 * any:// and ws:// against what may come on an open port: bytes cut everywhere, floods, resets in every phase. */
#include "breaker.h"
#include <duplex/http.h>
#include <duplex/ws.h>

static const char handshake[] = "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* Echo for text and WebSocket, a short page for HTTP. */
static void open_any(dx_conn *c)
{
    count_open(c);
    if (!dx_http_is(c))
        return;
    if (dx_http_wants_ws(c))
        dx_ws_accept(c, NULL, NULL, &(dx_ws_opts){.origins = "*"});
    else
        dx_http_reply(c, 200, "text/plain", "page\n", 5, NULL, 0);
}

static void echo(dx_conn *c, const void *p, size_t n, unsigned how)
{
    count_data(c, p, n, how);
    dx_send(c, p, n, how);
}

static const dx_handler any_on = {.on_open = open_any, .on_data = echo, .on_close = count_close};
static const dx_opts any_opts = {.frame = "auto", .coding = "auto"};

/* A client's frame: masked, with a key that is not zero. */
static size_t frame_of(uint8_t *to, int op, const void *p, size_t n)
{
    static const uint8_t key[4] = {1, 2, 3, 4};
    size_t at = 2;
    to[0] = (uint8_t)op;
    if (n < 126) {
        to[1] = (uint8_t)(0x80 | n);
    } else if (n < 65536) {
        to[1] = 0x80 | 126;
        to[2] = (uint8_t)(n >> 8);
        to[3] = (uint8_t)n;
        at = 4;
    } else {
        to[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            to[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
        at = 10;
    }
    memcpy(to + at, key, 4);
    for (size_t i = 0; i < n; i++)
        to[at + 4 + i] = ((const uint8_t *)p)[i] ^ key[i & 3];
    return at + 4 + n;
}

TEST(line_ends_without_end_are_bounded)
{
    static char ends[64 << 10];
    memset(ends, '\n', sizeof ends);
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &any_on, &any_opts);
    int fd = raw_tcp(s);
    size_t sent = 0, most = 0;
    int64_t cpu = cpu_ms();
    for (int64_t until = now_ms() + 1500; now_ms() < until && sent < 16 << 20;) {
        ssize_t k = send(fd, ends, sizeof ends, MSG_NOSIGNAL);
        if (k < 0 && errno != EAGAIN)
            break;
        sent += k > 0 ? (size_t)k : 0;
        turn(l, 1);
        most = memory() > most ? memory() : most;
        while (recv(fd, (char[4096]){0}, 4096, 0) > 0)
            ;
    }
    CHECK_SAY(most < 4 << 20, "%zu bytes held of %zu line ends", most, sent);
    CHECK_SAY(cpu_ms() - cpu < 20000, "%lld ms", (long long)(cpu_ms() - cpu));
    close(fd);
    loop_gone(l);
}

TEST(a_request_cut_anywhere_with_the_line_dropped_there_is_never_speech)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &any_on, &any_opts);
    for (size_t cut = 4; cut < sizeof handshake - 1; cut += 3)
        for (int how = 0; how < 3; how++) {
            int fd = raw_tcp(s);
            raw_send(l, fd, handshake, cut);
            if (how == 0)
                raw_reset(fd);
            else if (how == 1)
                shutdown(fd, SHUT_WR);
            turn(l, 2);
            if (how == 2) {
                raw_reset(fd);
            } else if (how == 1) {
                UNTIL(l, raw_is_over(fd), 5000);
                close(fd);
            }
        }
    UNTIL(l, seen.opens == seen.closes && dx_listener_conns(s) == 0, 5000);
    CHECK_SAY(seen.datas == 0, "spoken: %s", seen.text);
    loop_gone(l);
}

TEST(silent_strangers_that_reset_at_every_moment_leave_nothing)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &any_on, &any_opts);
    int fds = open_fds();
    int fd[60];
    for (int i = 0; i < 60; i++) {
        fd[i] = raw_tcp(s);
        if (i % 3 == 0)
            raw_say(l, fd[i], "GET");
        if (i % 3 == 1)
            raw_say(l, fd[i], "GET / HTTP/1.1\r\n");
    }
    for (int i = 0; i < 60; i++) {
        turn(l, 8);
        raw_reset(fd[i]);
    }
    UNTIL(l, seen.opens == seen.closes && dx_listener_conns(s) == 0, 5000);
    CHECK_INT(open_fds(), fds);
    loop_gone(l);
}

TEST(a_provisional_member_that_turns_out_a_request_is_answered)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &any_on, &any_opts);
    for (size_t cut = 0; cut < 40; cut++) {
        char buf[2000];
        memset(&seen, 0, sizeof seen);
        int fd = raw_tcp(s);
        UNTIL(l, seen.opens == 1, 2000); /* 300 ms of silence */
        raw_send(l, fd, "GET /index HTTP/1.1\r\nHost: example\r\n\r\n", cut);
        turn(l, 5);
        raw_say(l, fd, &"GET /index HTTP/1.1\r\nHost: example\r\n\r\n"[cut]);
        ssize_t n = raw_read(l, fd, buf, sizeof buf, "page\n", 3000);
        CHECK_SAY(n > 12 && !memcmp(buf, "HTTP/1.1 200", 12), "cut at %zu: %zd %s", cut, n, buf);
        CHECK_INT(seen.datas, 0);
        close(fd);
        UNTIL(l, seen.opens == seen.closes, 3000);
        cut += cut > 5 ? 7 : 0;
    }
    loop_gone(l);
}

TEST(a_provisional_member_that_has_heard_words_is_dropped_when_it_makes_a_request)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &any_on, &any_opts);
    int fd = raw_tcp(s);
    UNTIL(l, seen.opens == 1, 2000);
    CHECK(dx_send(seen.c, "room", 4, DX_TEXT) >= 0);
    raw_say(l, fd, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2VjcmV0\r\n\r\n");
    UNTIL(l, seen.closes == 1 && raw_is_over(fd), 5000);
    CHECK_INT(seen.datas, 0);
    close(fd);
    loop_gone(l);
}

TEST(a_listener_that_drains_makes_no_more_members)
{
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &any_on, &any_opts);
    int fd = raw_tcp(s), fd2 = raw_tcp(s), fd3 = raw_tcp(s);
    raw_say(l, fd2, "GET / HT");
    raw_say(l, fd3, "HELLO");
    UNTIL(l, dx_listener_conns(s) == 3, 2000);
    turn(l, 5);
    dx_listener_drain(s, 3000);
    turn(l, 600);
    CHECK_INT(seen.opens, 0);
    close(fd);
    close(fd2);
    close(fd3);
    turn(l, 10);
    loop_gone(l);
}

TEST(websocket_frames_cut_at_every_byte)
{
    uint8_t all[1000];
    size_t n = sizeof handshake - 1;
    memcpy(all, handshake, n);
    n += frame_of(all + n, 0x81, "hello", 5);
    n += frame_of(all + n, 0x01, "a", 1);
    n += frame_of(all + n, 0x89, "ping", 4);
    n += frame_of(all + n, 0x80, "b", 1);
    char long_text[200];
    memset(long_text, 'x', sizeof long_text);
    n += frame_of(all + n, 0x81, long_text, sizeof long_text);
    n += frame_of(all + n, 0x88, "\x03\xe8", 2);
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &any_on, &any_opts);
    for (size_t cut = sizeof handshake - 6; cut < n; cut += cut < n - 220 ? 1 : 11) {
        memset(&seen, 0, sizeof seen);
        int fd = raw_tcp(s);
        raw_send(l, fd, all, cut);
        turn(l, 1);
        raw_send(l, fd, all + cut, n - cut);
        UNTIL(l, raw_is_over(fd), 3000);
        close(fd);
        UNTIL(l, seen.closes == 1, 5000);
        CHECK_SAY(seen.datas == 3 && !memcmp(seen.text, "helloab", 7), "cut at %zu: %d messages", cut, seen.datas);
        CHECK(seen.why.code == DX_END || seen.why.code == DX_CLOSED);
    }
    loop_gone(l);
}

TEST(handshake_frames_and_end_in_one_write_lose_nothing)
{
    uint8_t all[1000];
    size_t n = sizeof handshake - 1;
    memcpy(all, handshake, n);
    for (int i = 0; i < 20; i++)
        n += frame_of(all + n, 0x81, "hello", 5);
    dx_loop *l = fresh_loop();
    for (int scheme = 0; scheme < 2; scheme++) {
        dx_listener *s = listen_on(l, scheme ? "ws://127.0.0.1:0/chat" : "any://127.0.0.1:0", &any_on, NULL);
        memset(&seen, 0, sizeof seen);
        int fd = raw_tcp(s);
        raw_send(l, fd, all, n);
        shutdown(fd, SHUT_WR);
        UNTIL(l, seen.closes == 1, 5000);
        CHECK_INT(seen.datas, 20);
        CHECK_INT(seen.why.code, DX_TRUNCATED);
        close(fd);
    }
    loop_gone(l);
}

TEST(a_ping_flood_by_a_client_that_never_reads_is_bounded)
{
    static uint8_t pings[64 << 10];
    char payload[120] = {0};
    size_t n = 0, sent = 0, most = 0;
    while (n + 130 < sizeof pings)
        n += frame_of(pings + n, 0x89, payload, sizeof payload);
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &any_on, &any_opts);
    int fd = raw_tcp(s);
    char buf[1000];
    raw_say(l, fd, handshake);
    raw_read(l, fd, buf, sizeof buf, "\r\n\r\n", 2000);
    size_t off = 0;
    for (int64_t until = now_ms() + 1000; now_ms() < until && sent < 64 << 20;) {
        ssize_t k = send(fd, pings + off, n - off, MSG_NOSIGNAL);
        sent += k > 0 ? (size_t)k : 0;
        off = k > 0 ? (off + (size_t)k) % n : off;
        if (k < 0)
            turn(l, 1);
        most = memory() > most ? memory() : most;
    }
    CHECK_SAY(most < 3 << 20, "%zu bytes of pongs wait after %zu of pings", most, sent);
    raw_reset(fd);
    UNTIL(l, seen.closes == 1, 3000);
    loop_gone(l);
}

TEST(an_echo_flood_by_a_client_that_never_reads_is_bounded)
{
    static const char *const urls[] = {"any://127.0.0.1:0", "ws://127.0.0.1:0/chat", "tcp://127.0.0.1:0"};
    static uint8_t flood[64 << 10];
    for (int i = 0; i < 3; i++) {
        char payload[100];
        size_t n = 0, sent = 0, most = 0, off = 0;
        memset(payload, 'x', sizeof payload);
        while (n + 130 < sizeof flood && i < 2)
            n += frame_of(flood + n, 0x81, payload, sizeof payload);
        while (n + 130 < sizeof flood)
            n += (size_t)sprintf((char *)flood + n, "hello, you there\n");
        dx_loop *l = fresh_loop();
        dx_listener *s = listen_on(l, urls[i], &any_on, i == 2 ? &(dx_opts){.frame = "line"} : NULL);
        int fd = raw_tcp(s);
        char buf[1000];
        if (i < 2) {
            raw_say(l, fd, handshake);
            raw_read(l, fd, buf, sizeof buf, "\r\n\r\n", 2000);
        }
        for (int64_t until = now_ms() + 700; now_ms() < until && sent < 64 << 20;) {
            ssize_t k = send(fd, flood + off, n - off, MSG_NOSIGNAL);
            sent += k > 0 ? (size_t)k : 0;
            off = k > 0 ? (off + (size_t)k) % n : off;
            if (k < 0)
                turn(l, 1);
            most = memory() > most ? memory() : most;
        }
        CHECK_SAY(most < 3 << 20, "%s: %zu bytes wait after %zu", urls[i], most, sent);
        raw_reset(fd);
        UNTIL(l, seen.closes == 1, 3000);
        loop_gone(l);
    }
}

static void pause_each(dx_conn *c, const void *p, size_t n, unsigned how)
{
    count_data(c, p, n, how);
    dx_pause(c, true);
}

TEST(a_pause_in_on_data_holds_the_frames_behind_it)
{
    static const dx_handler on = {.on_open = open_any, .on_data = pause_each, .on_close = count_close};
    uint8_t all[2000];
    size_t n = 0;
    for (int i = 0; i < 30; i++)
        n += frame_of(all + n, 0x81, "hello", 5);
    n += frame_of(all + n, 0x88, "\x03\xe8", 2);
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "any://127.0.0.1:0", &on, NULL);
    int fd = raw_tcp(s);
    raw_say(l, fd, handshake);
    raw_send(l, fd, all, n);
    shutdown(fd, SHUT_WR);
    for (int i = 1; i <= 30; i++) {
        UNTIL(l, seen.datas == i, 2000);
        turn(l, 1);
        CHECK_INT(seen.datas, i);
        CHECK_INT(seen.closes, 0);
        dx_pause(seen.c, false);
    }
    UNTIL(l, seen.closes == 1, 5000);
    CHECK_INT(seen.why.code, DX_END);
    close(fd);
    loop_gone(l);
}

static void accept_late(void *arg)
{
    (void)arg;
    CHECK(seen.c && dx_http_wants_ws(seen.c));
    CHECK_INT(dx_ws_accept(seen.c, NULL, NULL, NULL), 0);
}

TEST(a_handshake_accepted_later_loses_no_frame)
{
    static const dx_handler on = {.on_open = count_open, .on_data = echo, .on_end = count_end, .on_close = count_close};
    static const dx_handler pausing = {
        .on_open = count_open, .on_data = echo, .on_end = count_end, .on_close = count_close};
    for (int paused = 0; paused < 2; paused++) {
        uint8_t all[1000];
        size_t n = sizeof handshake - 1;
        memcpy(all, handshake, n);
        for (int i = 0; i < 5; i++)
            n += frame_of(all + n, 0x81, "hello", 5);
        dx_loop *l = fresh_loop();
        dx_listener *s = listen_on(l, "http://127.0.0.1:0", paused ? &pausing : &on, NULL);
        int fd = raw_tcp(s);
        raw_send(l, fd, all, n);
        UNTIL(l, seen.opens == 1, 2000);
        if (paused)
            dx_pause(seen.c, true);
        raw_send(l, fd, all + sizeof handshake - 1, n - (sizeof handshake - 1));
        turn(l, 10);
        accept_late(NULL);
        turn(l, 10);
        if (paused) {
            CHECK_INT(seen.datas, 0);
            dx_pause(seen.c, false);
        }
        UNTIL(l, seen.datas == 10, 3000);
        close(fd);
        UNTIL(l, seen.closes == 1, 5000);
        loop_gone(l);
    }
}

static int in_callback, what_to_do;
static void act(dx_conn *c, int where)
{
    if (in_callback != where)
        return;
    if (what_to_do == 0)
        dx_close(c);
    else if (what_to_do == 1)
        dx_abort(c);
    else if (what_to_do == 2)
        dx_finish(c);
    else
        dx_ws_close(c, 1001, "going");
}
static void act_open(dx_conn *c)
{
    open_any(c);
    act(c, 0);
}
static void act_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    echo(c, p, n, how);
    act(c, 1);
}
static void act_end(dx_conn *c)
{
    count_end(c);
    act(c, 2);
    dx_close(c);
}
static void act_event(dx_conn *c, int what, const void *arg)
{
    (void)what;
    (void)arg;
    seen.events++;
    act(c, 3);
}

TEST(closing_in_every_callback_ends_with_one_on_close)
{
    static const dx_handler on = {
        .on_open = act_open, .on_data = act_data, .on_end = act_end, .on_event = act_event, .on_close = count_close};
    uint8_t all[1000];
    size_t n = sizeof handshake - 1;
    memcpy(all, handshake, n);
    n += frame_of(all + n, 0x81, "one", 3);
    n += frame_of(all + n, 0x8A, "pong", 4);
    n += frame_of(all + n, 0x81, "two", 3);
    n += frame_of(all + n, 0x88, "\x03\xe8", 2);
    uint8_t bad[1000];
    memcpy(bad, all, n);
    bad[n - 8] = 0xC1; /* a reserved bit: DX_BROKEN */
    for (what_to_do = 0; what_to_do < 4; what_to_do++)
        for (in_callback = 0; in_callback < 4; in_callback++)
            for (int broken = 0; broken < 2; broken++) {
                dx_loop *l = fresh_loop();
                dx_listener *s = listen_on(l, "any://127.0.0.1:0", &on, NULL);
                int fd = raw_tcp(s);
                raw_send(l, fd, broken ? bad : all, n);
                UNTIL(l, seen.opens == 1, 3000);
                shutdown(fd, SHUT_WR);
                UNTIL(l, seen.closes == 1, 8000);
                UNTIL(l, raw_is_over(fd), 3000);
                turn(l, 2);
                CHECK_INT(seen.closes, 1);
                close(fd);
                loop_gone(l);
            }
}

TEST(rubbish_frames_are_refused)
{
    static const char *const bad[] = {
        "\x81\x05hello",                                    /* not masked                 */
        "\x83\x80\0\0\0\0",                                 /* an opcode that is not      */
        "\xF1\x80\0\0\0\0",                                 /* reserved bits              */
        "\x09\x80\0\0\0\0",                                 /* a control frame in pieces  */
        "\x89\xFE\x00\x7E",                                 /* a long ping                */
        "\x80\x80\0\0\0\0",                                 /* a rest of nothing          */
        "\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\2\3\4", /* a length of 2^64 - 1       */
        "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\2\3\4", /* 2^63 - 1                   */
        "\x81\xFE\x00\x01\1\2\3\4x",                        /* not the shortest length    */
        "\x81\x82\0\0\0\0\xFF\xFE",                         /* not UTF-8                  */
        "\x88\x81\0\0\0\0x",                                /* half a close code          */
        "\x88\x82\0\0\0\0\x03\xED",                         /* 1005 sent                  */
    };
    static const size_t n[] = {7, 6, 6, 6, 4, 6, 14, 14, 9, 8, 7, 8};
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "ws://127.0.0.1:0/chat", &any_on, NULL);
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        char buf[1000];
        memset(&seen, 0, sizeof seen);
        int fd = raw_tcp(s);
        raw_say(l, fd, handshake);
        raw_read(l, fd, buf, sizeof buf, "\r\n\r\n", 2000);
        raw_send(l, fd, bad[i], n[i]);
        UNTIL(l, raw_is_over(fd), 4000);
        close(fd);
        UNTIL(l, seen.closes == 1, 4000);
        CHECK_SAY(seen.why.code == DX_PROTO || seen.why.code == DX_BIG, "case %zu: %d %s", i, seen.why.code,
                  seen.why.text);
        CHECK(seen.why.text[0]);
    }
    loop_gone(l);
}

TEST(a_flood_of_fragments_is_one_message_or_too_big)
{
    static uint8_t piece[64 << 10];
    static char payload[32 << 10];
    dx_loop *l = fresh_loop();
    dx_listener *s = listen_on(l, "ws://127.0.0.1:0/chat", &any_on, &(dx_opts){.message_bytes_max = 1 << 20});
    int fd = raw_tcp(s);
    char buf[1000];
    raw_say(l, fd, handshake);
    raw_read(l, fd, buf, sizeof buf, "\r\n\r\n", 2000);
    memset(payload, 'x', sizeof payload);
    for (int i = 0; i < 100 && raw_send(l, fd, piece, frame_of(piece, i ? 0x00 : 0x01, payload, sizeof payload)); i++)
        CHECK_SAY(memory() < 4 << 20, "%zu", memory());
    UNTIL(l, seen.closes == 1, 5000);
    CHECK_INT(seen.why.code, DX_BIG);
    CHECK_INT(seen.datas, 0);
    close(fd);
    loop_gone(l);
}
TEST_MAIN
