/* SPDX-License-Identifier: MIT
 * behave_limits.c - a server of HTTP and clients that are late, slow, long, or gone. Each limit is small here and told by what
 * comes, never by how fast. */
#include "conform.h"
#include <duplex/router.h>
#include <sys/socket.h>
#include <unistd.h>

/* What comes until the end of the connection, or until text is there. */
static void hear(struct raw *r, char *buf, size_t room, const char *text)
{
    size_t n = 0;
    ssize_t got;
    buf[0] = 0;
    while (n + 1 < room && (!text || !strstr(buf, text)) && (got = raw_recv(r, buf + n, room - 1 - n)) > 0) {
        n += (size_t)got;
        buf[n] = 0;
    }
    if (text && !strstr(buf, text))
        raw_fail(r, "\"%s\" does not come, but \"%.300s\"", text, buf);
}

static void say(struct raw *r, const char *text)
{
    raw_write(r, text, strlen(text));
}

/* What r->w's raw peer says, and how the answer begins: then the connection ends. */
static const char *says, *wants;
static void raw_one(struct raw *r)
{
    char buf[8192];
    say(r, says);
    hear(r, buf, sizeof buf, NULL);
    if (strncmp(buf, wants, strlen(wants)) != 0)
        raw_fail(r, "\"%.300s\" comes, not \"%s\"", buf, wants);
    if (*wants && !strstr(buf, "\r\nConnection: close\r\n"))
        raw_fail(r, "no Connection: close in \"%.300s\"", buf);
}

static bool one(struct world *w, const char *request, const char *answer)
{
    says = request;
    wants = answer;
    struct raw *r = raw_dials(w, raw_one);
    return r && raw_join(r);
}

static void uncounted(dx_conn *c)
{
    end_of(c)->unchecked = true; /* its bodies are no pattern */
}
static void keep_quiet(dx_conn *c)
{
    (void)c;
}
static void take(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)c, (void)data, (void)n, (void)how;
}
static void reply_ok(dx_conn *c)
{
    dx_http_reply(c, 200, NULL, "ok", 2, NULL, 0);
}
static const dx_handler on_mute = {.on_open = uncounted, .on_data = take, .on_end = keep_quiet};
static const dx_handler on_ok = {.on_open = uncounted, .on_data = take, .on_end = reply_ok};

#define GET  "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"

/* ---- times ---- */
static void limit_head(struct world *w)
{
    dx_http_limits l = {.head_ms = 30};
    w->so.http = &l;
    MUST_DO(serve(w, &on_ok));
    MUST_DO(one(w, "GET / HTTP/1.1\r\nHost:", "HTTP/1.1 408 "));
    MUST_DO(one(w, "", "")); /* who says nothing hears nothing */
    MUST_INT(w->accepted, 0);
}

static void raw_one_reply_and_end(struct raw *r)
{
    char buf[4096];
    say(r, GET);
    hear(r, buf, sizeof buf, "ok");
    if (strstr(buf, "Connection: close") || raw_recv(r, buf, 1) != 0)
        raw_fail(r, "the end does not come");
}
static void limit_idle(struct world *w)
{
    dx_http_limits l = {.idle_ms = 30};
    struct raw *r;
    w->so.http = &l;
    MUST_DO(serve(w, &on_ok));
    MUST_DO(r = raw_dials(w, raw_one_reply_and_end));
    MUST_DO(raw_join(r));
    MUST_GOOD(w->s);
}

static void broken_by(struct world *w, int code, int status)
{
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, code);
    MUST_INT(w->s->why.detail, status);
    MUST_INT(w->s->why.detail_of, DX_OF_HTTP);
    MUST_INT(w->s->ends, status == 503);
}

static void limit_body_time(struct world *w)
{
    dx_http_limits l = {.body_ms = 30, .receive_s_min = -1};
    w->so.http = &l;
    MUST_DO(serve(w, &on_mute));
    MUST_DO(one(w, POST "1234", "HTTP/1.1 408 "));
    broken_by(w, DX_TIMEOUT, 408);
}

static void limit_body_rate(struct world *w)
{
    dx_http_limits l = {.receive_s_min = 1000000, .grace_ms = 30};
    w->so.http = &l;
    MUST_DO(serve(w, &on_mute));
    MUST_DO(one(w, POST "1234", "HTTP/1.1 408 "));
    broken_by(w, DX_TIMEOUT, 408);
}

static void limit_answer(struct world *w)
{
    dx_http_limits l = {.answer_ms = 30};
    w->so.http = &l;
    MUST_DO(serve(w, &on_mute));
    MUST_DO(one(w, GET, "HTTP/1.1 503 "));
    broken_by(w, DX_TIMEOUT, 503);
}

/* The head of the reply has gone: from there on it is a conversation, and may be as slow as it likes. */
static void head_at_once(dx_conn *c)
{
    uncounted(c);
    dx_http_head(c, 200, -1, NULL, 0);
}
static void last_word(dx_conn *c)
{
    dx_send(c, "done", 4, DX_LAST);
}
static void raw_slow_talk(struct raw *r)
{
    char buf[4096];
    say(r, POST "1234");
    hear(r, buf, sizeof buf, "\r\n\r\n");
    raw_stage(r, 1);
    raw_await_go(r);
    say(r, "56789");
    hear(r, buf, sizeof buf, "done");
}
static void limit_not_of_talk(struct world *w)
{
    static const dx_handler on = {.on_open = head_at_once, .on_data = take, .on_end = last_word};
    dx_http_limits l = {.grace_ms = 1};
    struct raw *r;
    w->so.http = &l;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_slow_talk));
    WAIT(r->stage == 1);
    pass(w, 30);
    MUST_INT(w->s->closes, 0);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

/* A pause of ours is not the client's delay. */
static void pause_long(dx_conn *c)
{
    uncounted(c);
    end_pause(end_of(c), true);
}
static void raw_posts(struct raw *r)
{
    char buf[4096];
    say(r, POST "123456789");
    raw_stage(r, 1);
    hear(r, buf, sizeof buf, "ok");
}
static void limit_not_of_pause(struct world *w)
{
    static const dx_handler on = {.on_open = pause_long, .on_data = take, .on_end = reply_ok};
    dx_http_limits l = {.body_ms = 5, .receive_s_min = 1000000, .grace_ms = 1};
    struct raw *r;
    w->so.http = &l;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_posts));
    WAIT(r->stage == 1 && w->s);
    pass(w, 30);
    MUST_INT(w->s->closes, 0);
    end_pause(w->s, false);
    usleep(20000); /* a loop that comes back late to what lies there: nor is that the client's */
    MUST_DO(raw_join(r));
}

/* ---- who takes too little ---- */
static void raw_reads_nothing(struct raw *r)
{
    say(r, GET);
    raw_stage(r, 1);
    raw_await_go(r);
}
static void fill_it(dx_conn *c)
{
    dx_http_head(c, 200, -1, NULL, 0);
    put_all(end_of(c), 64 * MIB, 64 * KIB);
}
static void limit_send_rate(struct world *w)
{
    dx_handler on = on_fill;
    dx_http_limits l = {.send_s_min = 1000, .grace_ms = 100};
    struct raw *r;
    on.on_open = fill_it;
    on.on_end = keep_quiet;
    w->so.http = &l;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_reads_nothing));
    WAIT(w->s && w->s->closes);
    MUST_INT(w->s->why.code, DX_TIMEOUT);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
}

/* The exchange is over for its handler, the reply still lies in the queue. */
static void reply_much(dx_conn *c)
{
    char *big = calloc(1, 16 * MIB);
    dx_http_reply(c, 200, NULL, big, 16 * MIB, NULL, 0);
    free(big);
}
static void limit_send_rest(struct world *w)
{
    static const dx_handler on = {.on_open = reply_much};
    dx_http_limits l = {.send_s_min = 1000, .grace_ms = 100, .idle_ms = 30};
    struct raw *r;
    w->so.http = &l;
    w->so.queue_bytes_max = 64 * MIB;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_reads_nothing));
    WAIT(w->s && w->s->closes);
    while (dx_listener_conns(w->listener)) /* no 30 s of a close that nobody reads */
        pass(w, 5);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
}

/* ---- sizes ---- */
static void limit_body_bytes(struct world *w)
{
    dx_http_limits l = {.body_bytes_max = 8}, more = {.body_bytes_max = 9}, none = {.body_bytes_max = -1};
    dx_route o = {.limits = &more}, free_o = {.limits = &none};
    static const dx_handler on = {.on_end = reply_ok};
    w->so.http = &l;
    w->so.router = dx_router_new(NULL);
    MUST_INT(dx_router_add(w->so.router, "/more/", &on, NULL, &o, NULL), 0);
    MUST_INT(dx_router_add(w->so.router, "/free/", &on, NULL, &free_o, NULL), 0);
    MUST_DO(serve(w, &on_ok));
    dx_router_drop(w->so.router);
    MUST_DO(one(w, POST, "HTTP/1.1 413 "));
    MUST_INT(w->accepted, 0);
    MUST_DO(one(w, "POST /more HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n123456789",
                "HTTP/1.1 200 "));
    MUST_DO(one(w, "POST /more HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", "HTTP/1.1 413 "));
    MUST_DO(one(w, "POST /free HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n1234567890",
                "HTTP/1.1 200 "));
    MUST_DO(one(w, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 8\r\n\r\n12345678",
                "HTTP/1.1 200 "));
    MUST_INT(w->accepted, 1);
}

static void limit_body_chunks(struct world *w)
{
    dx_http_limits l = {.body_bytes_max = 8};
    w->so.http = &l;
    MUST_DO(serve(w, &on_mute));
    MUST_DO(one(w,
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n3\r\n789\r\n0\r\n\r\n",
                "HTTP/1.1 413 "));
    broken_by(w, DX_BIG, 413);
}

static void limit_head_bytes(struct world *w)
{
    dx_http_limits l = {.head_bytes_max = 100, .fields_max = 3};
    w->so.http = &l;
    MUST_DO(serve(w, &on_ok));
    MUST_DO(one(
        w, "GET /0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
        "HTTP/1.1 414 "));
    MUST_DO(one(w,
                "GET / HTTP/1.1\r\nHost: x\r\nX: "
                "01234567890123456789012345678901234567890123456789012345678901234567890123456789",
                "HTTP/1.1 431 "));
    MUST_DO(one(w, "GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", "HTTP/1.1 431 "));
    MUST_INT(w->accepted, 0);
    MUST_DO(one(w, "GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 "));
}

static void raw_two_of_three(struct raw *r)
{
    char buf[4096], *second;
    say(r, GET GET GET);
    hear(r, buf, sizeof buf, NULL);
    second = strstr(buf + 1, "HTTP/1.1 200 ");
    if (!second || strstr(second + 1, "HTTP/1.1") || !strstr(second, "\r\nConnection: close\r\n") ||
        strstr(buf, "Connection: close") < second)
        raw_fail(r, "not two replies and the end: %s", buf);
}
static void limit_requests(struct world *w)
{
    dx_http_limits l = {.requests_max = 2};
    struct raw *r;
    w->so.http = &l;
    MUST_DO(serve(w, &on_ok));
    MUST_DO(r = raw_dials(w, raw_two_of_three));
    MUST_DO(raw_join(r));
    MUST_INT(w->accepted, 2);
}

static void limits_that_cannot_be(struct world *w)
{
    dx_http_limits low = {.grace_ms = -2}, later = {.zero = {0, 1}};
    dx_err err;
    w->so.http = &low;
    MUST(!dx_serve(w->loop, w->scheme->url, &on_ok, NULL, &w->so, &err));
    MUST_INT(err.code, DX_URL);
    w->so.http = &later;
    MUST(!dx_serve(w->loop, w->scheme->url, &on_ok, NULL, &w->so, &err));
    MUST_INT(err.code, DX_ABSENT);
}

/* ---- the client goes; the server goes ---- */
static void gone_event(dx_conn *c, int what, const void *arg)
{
    if (what != DX_GONE || arg)
        fail(end_of(c)->w, "event %d", what);
    reply_ok(c);
}
static void raw_half_closes(struct raw *r)
{
    char buf[4096];
    say(r, GET);
    raw_end(r);
    hear(r, buf, sizeof buf, "ok");
}
static void client_gone(struct world *w)
{
    static const dx_handler on = {.on_end = keep_quiet, .on_event = gone_event};
    struct raw *r;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_half_closes));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->events, 1);
}

static void raw_waits(struct raw *r)
{
    char buf[4096];
    say(r, GET);
    hear(r, buf, sizeof buf, NULL);
    if (!strstr(buf, "\r\nConnection: close\r\n") || !strstr(buf, "\r\n\r\nok"))
        raw_fail(r, "the reply is %s", buf);
}
static void raw_one_in_time(struct raw *r)
{
    raw_stage(r, 1);
    raw_one(r);
}
static void drain_answers(struct world *w)
{
    struct raw *idle, *busy;
    dx_handler on = on_mute;
    says = wants = ""; /* the idle one's */
    MUST_DO(serve(w, &on));
    MUST_DO(idle = raw_dials(w, raw_one_in_time));
    WAIT(idle->stage == 1); /* a handshake is through */
    MUST_DO(busy = raw_dials(w, raw_waits));
    WAIT(w->s && w->s->ends);
    while (dx_listener_conns(w->listener) < 2)
        pass(w, 1);
    dx_listener_drain(w->listener, 60000);
    w->listener = NULL;
    MUST_DO(raw_join(idle));
    pass(w, 5);
    MUST_INT(w->s->closes, 0);
    reply_ok(w->s->c);
    MUST_DO(raw_join(busy));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

const struct behaviour behave_limits[] = {
    {"a limit: a head that is late is 408", HAS_HTTP, 0, limit_head},
    {"a limit: an idle connection ends", HAS_HTTP, 0, limit_idle},
    {"a limit: a body that is late is 408", HAS_HTTP, 0, limit_body_time},
    {"a limit: a body that is slow is 408", HAS_HTTP, 0, limit_body_rate},
    {"a limit: a handler that is late is 503", HAS_HTTP, 0, limit_answer},
    {"no limit: a conversation may be slow", HAS_HTTP, 0, limit_not_of_talk},
    {"no limit: a pause is ours", HAS_HTTP, 0, limit_not_of_pause},
    {"a limit: who takes too little of a stream is broken off", HAS_HTTP, 0, limit_send_rate},
    {"a limit: who takes too little of a whole reply is broken off", HAS_HTTP, 0, limit_send_rest},
    {"a limit: a body too long is 413, by prefix", HAS_HTTP, 0, limit_body_bytes},
    {"a limit: chunks too many are 413", HAS_HTTP, 0, limit_body_chunks},
    {"a limit: a head too long is 431 or 414", HAS_HTTP, 0, limit_head_bytes},
    {"a limit: so many exchanges a connection", HAS_HTTP, 0, limit_requests},
    {"limits that cannot be are refused", HAS_HTTP, HAS_TLS, limits_that_cannot_be},
    {"a client that says its end is an event, and gets its reply", HAS_HTTP, HAS_TLS, client_gone},
    {"a drain lets an exchange answer", HAS_HTTP, 0, drain_answers},
    {0},
};
