/* SPDX-License-Identifier: MIT
 * test_ws_layer.c - a peer that breaks RFC 6455 hears our last word, and then the Close that its breach wants; what dx_ws_opts ask
 * for, between two ends of ours on one loop, and with a peer that says nothing. */
#include "test.h"
#include <duplex/http.h>
#include <duplex/ws.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

struct stranger {
    const char *url;
    dx_loop *loop;
    char got[1000];
    size_t n;
};

static void last_word(dx_conn *c, int what, const void *arg)
{
    const dx_err *why = arg;
    if (what != DX_BROKEN || why->code != DX_PROTO)
        return;
    dx_send(c, "bye", 3, DX_TEXT);
    dx_close(c);
}

/* A handshake, an unmasked frame, and everything until the end. */
static void *break_the_rules(void *arg)
{
    static const char bytes[] =
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x02hi";
    struct stranger *s = arg;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.sin_port = htons((uint16_t)atoi(strchr(s->url + 5, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 10}, sizeof(struct timeval));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && send(fd, bytes, sizeof bytes - 1, 0) > 0)
        for (ssize_t n; (n = recv(fd, s->got + s->n, sizeof s->got - 1 - s->n, 0)) > 0;)
            s->n += (size_t)n;
    close(fd);
    dx_loop_stop(s->loop);
    return NULL;
}

TEST(the_last_word_goes_before_the_close)
{
    static const dx_handler on = {.on_event = last_word};
    dx_err err;
    pthread_t t;
    dx_loop *l = dx_loop_new(&err);
    dx_listener *listener = dx_serve(l, "ws://127.0.0.1:0/", &on, NULL, NULL, &err);
    CHECK_SAY(listener, "%s", err.text);
    struct stranger s = {.url = dx_listener_url(listener, 0), .loop = l};
    pthread_create(&t, NULL, break_the_rules, &s);
    dx_loop_run(l);
    pthread_join(t, NULL);
    dx_loop_free(l);
    const char *frames = strstr(s.got, "\r\n\r\n");
    CHECK_SAY(frames, "no handshake answer");
    frames += 4;
    CHECK_MEM(frames, 5,
              "\x81\x03"
              "bye",
              5);
    CHECK_INT((unsigned char)frames[5], 0x88);
    CHECK_INT((unsigned char)frames[7] << 8 | (unsigned char)frames[8], 1002);
}

/* ---- two ends of ours ---- */

struct seen { /* by one end */
    dx_conn *c;
    char text[4000], protocol[40], header[80], reason[130];
    size_t n;
    int heads, status, code, detail, closes, close_code, pongs, broken;
    bool deflates;
};
static struct seen client, server;
static dx_loop *loop;
static dx_ws_opts accepting;
static int accepted; /* what dx_ws_accept has said */
static void (*when_open)(dx_conn *c);

static void opened(dx_conn *c)
{
    struct seen *s = dx_user(c);
    s->c = c;
    snprintf(s->protocol, sizeof s->protocol, "%s", dx_ws_protocol(c));
    s->deflates = dx_ws_deflates(c);
    if (when_open && s == &client)
        when_open(c);
}

static void came(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct seen *s = dx_user(c);
    s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "%s%.*s|", how & DX_TEXT ? "t:" : "b:", (int)n,
                             (const char *)data);
}

static void happened(dx_conn *c, int what, const void *arg)
{
    struct seen *s = dx_user(c);
    (void)arg;
    s->pongs += what == DX_PONG;
    s->broken += what == DX_BROKEN;
    if (what != DX_HEAD)
        return;
    dx_bytes h = dx_http_header(c, "x-answer");
    s->heads++;
    s->status = dx_http_status(c);
    snprintf(s->header, sizeof s->header, "%.*s", (int)h.n, h.n ? (const char *)h.p : "");
}

static void closed(dx_conn *c, const dx_err *why)
{
    struct seen *s = dx_user(c);
    s->closes++;
    s->code = why->code;
    s->detail = why->detail;
    s->close_code = dx_ws_close_code(c);
    snprintf(s->reason, sizeof s->reason, "%s", dx_ws_close_reason(c));
    if (s == &client)
        dx_loop_stop(loop);
}

static const dx_handler ends_on = {.on_open = opened, .on_data = came, .on_event = happened, .on_close = closed};

/* A request over HTTP, which is answered by what `accepting` says, or by 401. */
static void asked(dx_conn *c)
{
    static const dx_http_field field = {"X-Answer", "no"};
    dx_bytes asked_for = dx_http_header(c, "X-Ask");
    snprintf(server.header, sizeof server.header, "%.*s", (int)asked_for.n,
             asked_for.n ? (const char *)asked_for.p : "");
    accepted = dx_ws_accept(c, &ends_on, &server, &accepting);
    if (accepted == 0)
        opened(c);
    else
        dx_http_reply(c, 401, "text/plain", "no", 2, &field, 1);
}

static const dx_handler http_on = {.on_open = asked};

static void too_late(void *arg)
{
    (void)arg;
    dx_loop_stop(loop);
}

/* Runs a dial to its end. ws NULL: the server is a ws:// listener as `listening` says. */
static void meet(const char *url, const dx_opts *o, const dx_ws_opts *ws, const dx_opts *so, const dx_ws_opts *sws)
{
    dx_err err = {0};
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    loop = dx_loop_new(&err);
    bool http = !strncmp(url, "http", 4);
    dx_listener *l = dx_ws_serve(loop, url, http ? &http_on : &ends_on, &server, so, sws, &err);
    CHECK_SAY(l, "%s", err.text);
    char at[100];
    snprintf(at, sizeof at, "ws%s", strchr(dx_listener_url(l, 0), ':'));
    CHECK_SAY(dx_ws_connect(loop, at, &ends_on, &client, o, ws, &err), "%s", err.text);
    dx_loop_after(loop, 20000, too_late, NULL);
    dx_loop_run(loop);
    dx_loop_free(loop);
}

static void close_4001(dx_conn *c)
{
    CHECK_INT(dx_ws_close(c, 4001, "\xE5\xA4\x9F\xE4\xBA\x86"), 0);
}

TEST(code_and_reason_of_a_close_can_be_read_in_on_close)
{
    when_open = close_4001;
    meet("ws://127.0.0.1:0", NULL, NULL, NULL, NULL);
    CHECK_INT(server.close_code, 4001);
    CHECK_STR(server.reason, "\xE5\xA4\x9F\xE4\xBA\x86");
    CHECK_INT(server.code, DX_PROTO);
    CHECK_INT(client.close_code, 4001); /* the answer */
    CHECK(client.code == DX_CLOSED || client.code == DX_END);
}

static void close_badly(dx_conn *c)
{
    char text[125];
    memset(text, 'x', 124);
    text[124] = 0;
    CHECK_INT(dx_ws_close(c, 1005, ""), DX_URL);
    CHECK_INT(dx_ws_close(c, 999, ""), DX_URL);
    CHECK_INT(dx_ws_close(c, 1000, text), DX_URL);
    CHECK_INT(dx_ws_close(c, 1000, "\xFF"), DX_URL);
    CHECK_INT(dx_ws_close(c, 1000, text + 1), 0);
    CHECK_INT(dx_ws_close(c, 1000, ""), DX_STATE);
}

TEST(a_close_that_may_not_be_sent)
{
    when_open = close_badly;
    meet("ws://127.0.0.1:0", NULL, NULL, NULL, NULL);
    CHECK_INT(server.close_code, 1000);
    CHECK_INT(strlen(server.reason), 123);
}

static void say_in_parts(dx_conn *c)
{
    static const char word[] = "word word word word word word word word ";
    dx_bytes halves[] = {{"\xE4\xBD", 2}, {"\xA0", 1}}, bad[] = {{"\xE4", 1}, {"x", 1}};
    CHECK_INT(dx_send(c, "\xE4", 1, DX_TEXT | DX_MORE), 0);
    CHECK_INT(dx_ws_ping(c, "between", 7), 0);
    CHECK_INT(dx_send(c, "\xBD\xA0", 2, DX_MORE), 0);
    CHECK_INT(dx_send(c, "", 0, 0), 0);
    CHECK_INT(dx_sendv(c, halves, 2, DX_TEXT), 0);
    CHECK_INT(dx_sendv(c, bad, 2, DX_TEXT), DX_PROTO);
    CHECK_INT(dx_send(c, word, 40, DX_BINARY | DX_MORE), 0);
    CHECK_INT(dx_send(c, word, 40, DX_BINARY), 0);
    CHECK_INT(dx_send(c, word, 40, DX_BINARY), 0);
    dx_close(c);
}

TEST(a_message_goes_in_parts_packed_or_not)
{
    static const char want[] = "t:\xE4\xBD\xA0|t:\xE4\xBD\xA0|"
                               "b:word word word word word word word word word word word word word word word word |"
                               "b:word word word word word word word word |";
    static const dx_ws_opts deflate = {.deflate = ""};
    when_open = say_in_parts;
    for (int i = 0; i < 2; i++) {
        meet("ws://127.0.0.1:0", NULL, i ? &deflate : NULL, NULL, &deflate);
        CHECK(client.deflates == (i == 1) && server.deflates == (i == 1));
        CHECK_STR(server.text, want);
        CHECK_INT(server.close_code, 1000);
    }
}

static void just_close(dx_conn *c)
{
    dx_close(c);
}

TEST(both_sides_may_add_fields_to_the_handshake)
{
    static const dx_http_field ask = {"X-Ask", "please"}, answer = {"X-Answer", "yes"};
    static const dx_ws_opts asks = {.fields = &ask, .field_count = 1};
    accepting = (dx_ws_opts){.fields = &answer, .field_count = 1};
    when_open = just_close;
    meet("http://127.0.0.1:0", NULL, &asks, NULL, NULL);
    CHECK_STR(server.header, "please");
    CHECK_STR(client.header, "yes");
    CHECK_INT(client.heads, 1);
    CHECK_INT(client.status, 101);
    accepting = (dx_ws_opts){0};
}

TEST(an_answer_that_is_no_101_can_be_read)
{
    accepting = (dx_ws_opts){.protocol = "not offered"};
    meet("http://127.0.0.1:0", NULL, NULL, NULL, NULL);
    CHECK_INT(accepted, DX_PROTO);
    CHECK_INT(client.heads, 1);
    CHECK_INT(client.status, 401);
    CHECK_STR(client.header, "no");
    CHECK_INT(client.code, DX_PROTO);
    CHECK_INT(client.detail, 401);
    accepting = (dx_ws_opts){0};
}

TEST(a_handshake_that_is_not_answered_ends_in_time)
{
    static const dx_opts hurry = {.dial_ms_max = 100};
    dx_err err = {0};
    char at[100];
    memset(&client, 0, sizeof client);
    loop = dx_loop_new(&err);
    dx_listener *silent_one = dx_serve(loop, "tcp://127.0.0.1:0", NULL, NULL, NULL, &err);
    CHECK_SAY(silent_one, "%s", err.text);
    snprintf(at, sizeof at, "ws%s", strchr(dx_listener_url(silent_one, 0), ':'));
    CHECK_SAY(dx_connect(loop, at, &ends_on, &client, &hurry, &err), "%s", err.text);
    dx_loop_after(loop, 20000, too_late, NULL);
    dx_loop_run(loop);
    dx_loop_free(loop);
    CHECK_INT(client.closes, 1);
    CHECK_INT(client.code, DX_TIMEOUT);
    CHECK_INT(client.heads, 0);
}

TEST(fields_and_parameters_that_cannot_be_are_refused)
{
    static const char *const names[] = {"Host", "connection", "Upgrade",       "Sec-WebSocket-Key",
                                        "a b",  "",           "Content-Length"};
    dx_err err;
    dx_loop *l = dx_loop_new(&err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        dx_http_field f = {names[i], "x"};
        dx_ws_opts ws = {.fields = &f, .field_count = 1};
        CHECK_SAY(!dx_ws_connect(l, "ws://127.0.0.1:1", NULL, NULL, NULL, &ws, &err) && err.code == DX_URL, "%s",
                  names[i]);
        CHECK_SAY(!dx_ws_serve(l, "ws://127.0.0.1:0", NULL, NULL, NULL, &ws, &err) && err.code == DX_URL, "%s",
                  names[i]);
    }
    dx_http_field split = {"X", "a\r\nb: c"};
    dx_ws_opts ws = {.fields = &split, .field_count = 1};
    CHECK(!dx_ws_connect(l, "ws://127.0.0.1:1", NULL, NULL, NULL, &ws, &err) && err.code == DX_URL);
    ws = (dx_ws_opts){.deflate = "server_max_window_bits=7"};
    CHECK(!dx_ws_connect(l, "ws://127.0.0.1:1", NULL, NULL, NULL, &ws, &err) && err.code == DX_URL);
    CHECK(!dx_ws_serve(l, "ws://127.0.0.1:0", NULL, NULL, NULL, &ws, &err) && err.code == DX_URL);
    dx_loop_free(l);
}

TEST(a_listener_takes_the_first_of_its_subprotocols_that_is_offered)
{
    static const struct {
        const char *ours, *offered, *chosen;
    } t[] = {{"b,a", "a, b", "b"}, {"c, a", "a,b", "a"}, {"c", "a", ""},
             {NULL, "a", ""},      {"a", NULL, ""},      {",,a", "x,a", "a"}};
    when_open = just_close;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_opts o = {.protocols = t[i].offered}, so = {.protocols = t[i].ours};
        meet("ws://127.0.0.1:0", &o, NULL, &so, NULL);
        CHECK_STR(server.protocol, t[i].chosen);
        CHECK_STR(client.protocol, t[i].chosen);
    }
}

TEST(a_page_is_let_in_where_its_origin_is_named)
{
    static const struct {
        const char *origins, *origin;
        int status;
    } t[] = {{"https://a,https://b:81", "https://a", 101},
             {"https://a, https://b:81", "https://b:81", 101},
             {"https://a,https://b:81", "https://b", 403},
             {"https://a,https://b:81", "http://a", 403},
             {"https://a,https://b:81", "https://a,https://b:81", 403},
             {"https://a,https://b:81", "", 403},
             {"https://a,", "", 403},
             {"https://a", "https://a.b", 403},
             {"https://a", NULL, 101},
             {"*", "null", 101},
             {NULL, "https://a", 403},
             {NULL, "http://127.0.0.1", 403},
             {NULL, NULL, 101},
             {"", "https://a", 403}};
    when_open = just_close;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_http_field origin = {"Origin", t[i].origin};
        dx_ws_opts page = {.fields = &origin, .field_count = t[i].origin != NULL}, gate = {.origins = t[i].origins};
        meet("ws://127.0.0.1:0", NULL, &page, NULL, &gate);
        CHECK_SAY(client.status == t[i].status, "%zu: %d", i, client.status);
    }
}

/* ---- pings ---- */

enum { PING = 40, PONG_WAIT = 120 };
static const dx_ws_opts pinging = {.ping_ms = PING, .ping_timeout_ms = PONG_WAIT}, silent = {.ping_ms = -1},
                        patient = {.ping_ms = PING, .ping_timeout_ms = 10000};
static void end_later(dx_conn *c)
{
    dx_close(c);
}

static void stay(dx_conn *c)
{
    dx_after(c, 10 * PING, end_later);
}

TEST(a_peer_that_answers_pings_stays)
{
    when_open = stay;
    meet("ws://127.0.0.1:0", NULL, &patient, NULL, &silent);
    CHECK(client.pongs >= 1 && !client.broken);
    CHECK_INT(server.close_code, 1000);
    CHECK_INT(server.pongs, 0);
}

TEST(where_idleness_is_bounded_no_ping_of_ours_prolongs_it)
{
    static const dx_opts idle = {.idle_ms_max = 3 * PING};
    when_open = NULL;
    meet("ws://127.0.0.1:0", &idle, NULL, &idle, NULL);
    CHECK_INT(client.pongs, 0);
    CHECK(client.code == DX_TIMEOUT || server.code == DX_TIMEOUT);
}

/* A handshake, and then it reads nothing and says nothing until the other side has gone. */
static void *be_dead(void *arg)
{
    static const char bytes[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct stranger *s = arg;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.sin_port = htons((uint16_t)atoi(strchr(s->url + 5, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 15}, sizeof(struct timeval));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && send(fd, bytes, sizeof bytes - 1, 0) > 0)
        for (ssize_t n; (n = recv(fd, s->got + s->n, sizeof s->got - 1 - s->n, 0)) > 0;)
            s->n += (size_t)n;
    close(fd);
    return NULL;
}

static void server_closed(dx_conn *c, const dx_err *why)
{
    closed(c, why);
    dx_loop_stop(loop);
}

static void pause_it(dx_conn *c)
{
    opened(c);
    dx_pause(c, true);
    dx_after(c, 2 * (PING + PONG_WAIT), end_later);
}

static struct stranger outlast(const dx_handler *on)
{
    dx_err err;
    pthread_t t;
    memset(&server, 0, sizeof server);
    loop = dx_loop_new(&err);
    dx_listener *listener = dx_ws_serve(loop, "ws://127.0.0.1:0/", on, &server, NULL, &pinging, &err);
    CHECK_SAY(listener, "%s", err.text);
    struct stranger s = {.url = dx_listener_url(listener, 0), .loop = loop};
    pthread_create(&t, NULL, be_dead, &s);
    dx_loop_after(loop, 20000, too_late, NULL);
    dx_loop_run(loop);
    dx_loop_free(loop);
    pthread_join(t, NULL);
    return s;
}

TEST(a_peer_that_answers_no_ping_is_noticed)
{
    static const dx_handler on = {.on_open = opened, .on_event = happened, .on_close = server_closed};
    struct stranger s = outlast(&on);
    CHECK_INT(server.closes, 1);
    CHECK_INT(server.code, DX_TIMEOUT);
    CHECK_INT(server.broken, 1);
    const char *frames = strstr(s.got, "\r\n\r\n") + 4;
    CHECK_MEM(frames, 2, "\x89\x00", 2); /* one ping */
    CHECK_INT((unsigned char)frames[2], 0x88);
    CHECK_INT((unsigned char)frames[4] << 8 | (unsigned char)frames[5], 1011);
}

TEST(a_peer_that_we_do_not_listen_to_is_not_counted_dead)
{
    static const dx_handler on = {.on_open = pause_it, .on_event = happened, .on_close = server_closed};
    outlast(&on);
    CHECK_INT(server.closes, 1);
    CHECK_INT(server.broken, 0);
    CHECK_INT(server.code, DX_CLOSED);
}

TEST_MAIN
