/* SPDX-License-Identifier: MIT
 * behave_hostile.c - a server of HTTP whose answers cannot be said, whose limits are for ever, whose clients say their end at the
 * wrong time. None of it may become a 200, a hang or another error. */
#include "conform.h"
#include <duplex/router.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void hear(struct raw *r, char *buf, size_t room)
{
    size_t n = 0;
    ssize_t got;
    while (n + 1 < room && (got = raw_recv(r, buf + n, room - 1 - n)) > 0)
        n += (size_t)got;
    buf[n] = 0;
}

static void say(struct raw *r, const char *text)
{
    raw_write(r, text, strlen(text));
}

static void uncounted(dx_conn *c)
{
    end_of(c)->unchecked = true;
}

/* ---- an answer for who may not come in ---- */

static void raw_must_not_come(struct raw *r)
{
    char buf[4096];
    say(r, "GET /in/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic QWxhZGRpbjp4\r\n\r\n");
    hear(r, buf, sizeof buf);
    if (strncmp(buf, "HTTP/1.1 500 ", 13) != 0 || !strstr(buf, "\r\nConnection: close\r\n"))
        raw_fail(r, "\"%.300s\" comes, not 500", buf);
}
static int check_all_set(dx_conn *c, const dx_http_login *l, void *user)
{
    static char big[32000];
    struct world *w = user;
    (void)l;
    memset(big, 'x', sizeof big - 1);
    if (dx_http_set(c, "X-Big", big) < 0 || dx_http_set(c, "X-More", big + sizeof big - 751) < 0)
        fail(w, "dx_http_set in check");
    return 401;
}
static void answer_without_room(struct world *w)
{
    dx_route o = {.auth = DX_AUTH_BASIC, .check = check_all_set};
    dx_router *router = w->so.router = dx_router_new(NULL);
    struct raw *r;
    MUST_INT(dx_router_add(router, "/in/", &on_quiet, w, &o, NULL), 0);
    bool fine = serve(w, &on_quiet);
    dx_router_drop(router);
    MUST(fine);
    MUST_DO(r = raw_dials(w, raw_must_not_come));
    MUST_DO(raw_join(r));
    MUST_INT(w->accepted, 0);
}

static void realms(struct world *w)
{
    dx_route o = {.auth = DX_AUTH_BASIC, .check = check_all_set, .realm = "a\1b"};
    dx_err err = {0};
    dx_router *router = dx_router_new(NULL);
    int r = dx_router_add(router, "/in/", &on_quiet, w, &o, &err);
    o.realm = "caf\xc3\xa9";
    int fine = dx_router_add(router, "/in/", &on_quiet, w, &o, &err);
    dx_router_drop(router);
    MUST_INT(r, DX_URL);
    MUST_INT(fine, 0);
}

/* ---- a reply that has no end but the connection's ---- */

static void begin_reply(dx_conn *c)
{
    end_of(c)->unchecked = true;
    dx_http_head(c, 200, -1, NULL, 0);
    dx_send(c, "half", 4, 0);
}
static void raw_wants_no_end(struct raw *r)
{
    char buf[4096];
    size_t n = 0;
    ssize_t got = 1;
    say(r, "POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\n123");
    raw_stage(r, 1);
    raw_await_go(r);
    raw_end(r);
    while (got > 0 && n < sizeof buf)
        n += (got = raw_recv(r, buf + n, sizeof buf - n)) > 0 ? (size_t)got : 0;
    if (got == 0)
        raw_fail(r, "a reply that was cut looks whole");
}
static void reply_to_the_end(struct world *w)
{
    static const dx_handler on = {.on_open = begin_reply};
    struct raw *r;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_wants_no_end));
    WAIT(r->stage == 1 && w->s && w->s->opens);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_TRUNCATED);
}

static void raw_hears_half(struct raw *r)
{
    char buf[4096];
    size_t n = 0;
    ssize_t got = 1;
    say(r, "GET / HTTP/1.0\r\n\r\n");
    while (got > 0 && n < sizeof buf)
        n += (got = raw_recv(r, buf + n, sizeof buf - n)) > 0 ? (size_t)got : 0;
    if (got == 0)
        raw_fail(r, "a reply that was cut by its idle time looks whole");
}
/* Over TLS too: the end that TLS would say itself is left out. */
static void reply_cut_by_idle_time(struct world *w)
{
    static const dx_handler on = {.on_open = begin_reply, .on_end = uncounted};
    struct raw *r;
    w->so.idle_ms_max = 40;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_hears_half));
    MUST_DO(raw_join(r));
    WAIT(w->s && w->s->closes);
    MUST_INT(w->s->why.code, DX_TIMEOUT);
}

/* ---- for ever ---- */

static void reply_ok(dx_conn *c)
{
    dx_http_reply(c, 200, NULL, "ok", 2, NULL, 0);
}
static void raw_asks_in_steps(struct raw *r)
{
    char buf[4096];
    say(r, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12");
    raw_stage(r, 1);
    raw_await_go(r);
    say(r, "34");
    hear(r, buf, sizeof buf);
    if (strncmp(buf, "HTTP/1.1 200 ", 13) != 0)
        raw_fail(r, "\"%.300s\" comes, not 200", buf);
}
static void limits_for_ever(struct world *w)
{
    static const dx_handler on = {.on_open = uncounted, .on_end = reply_ok};
    const int64_t max = INT64_MAX;
    dx_http_limits l = {max, max, max, max, .grace_ms = max, .body_bytes_max = max, .discard_bytes_max = max};
    struct raw *r;
    l.requests_max = l.discard_ms = max;
    w->so.http = &l;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_asks_in_steps));
    WAIT(r->stage == 1 && w->s && w->s->opens);
    pass(w, 5);
    dx_listener_drain(w->listener, max);
    w->listener = NULL;
    pass(w, 5);
    MUST_INT(w->s->closes, 0);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
}

static void rates_that_nobody_has(struct world *w)
{
    static const dx_handler on = {.on_open = uncounted, .on_end = reply_ok};
    dx_http_limits l = {.receive_s_min = INT64_MAX, .grace_ms = 20};
    struct raw *r;
    w->so.http = &l;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_asks_in_steps));
    WAIT(r->stage == 1 && w->s && w->s->closes);
    MUST_INT(w->s->why.code, DX_TIMEOUT);
    sem_post(&r->go);
    WAIT(r->done);
    r->words[0] = 0; /* that it heard 408 is told elsewhere */
}

static void dial_for_ever(struct world *w)
{
    w->so.idle_ms_max = w->co.dial_ms_max = w->co.idle_ms_max = INT64_MAX;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(dial(w, NULL, &on_quiet));
    w->c->unchecked = true;
    WAIT(w->c->opens || w->c->closes);
    pass(w, 5);
    MUST_INT(w->c->closes, 0);
    end_close(w->c);
}

/* ---- WebSocket ---- */

#define SHAKE                                                                                                          \
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* The client says its end behind the handshake; the handler accepts when it hears of that. */
static void accept_late(dx_conn *c, int what, const void *arg)
{
    dx_ws_opts o = {.ping_ms = -1};
    (void)arg;
    if (what == DX_GONE && dx_ws_accept(c, NULL, NULL, &o) < 0)
        fail(end_of(c)->w, "dx_ws_accept in DX_GONE");
}
static void keep_quiet(dx_conn *c)
{
    (void)c;
}
static void raw_shakes_and_ends(struct raw *r)
{
    char buf[4096];
    say(r, SHAKE);
    raw_end(r);
    hear(r, buf, sizeof buf);
    if (strncmp(buf, "HTTP/1.1 101 ", 13) != 0)
        raw_fail(r, "\"%.300s\" comes, not 101", buf);
}
static void ws_of_who_has_ended(struct world *w)
{
    static const dx_handler on = {.on_open = uncounted, .on_end = keep_quiet, .on_event = accept_late};
    struct raw *r;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_shakes_and_ends));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_TRUNCATED);
}

/* What is no WebSocket's has a body: it is not read for ever. By a bare socket, for a raw peer would shake hands. */
static void ws_and_a_body(struct world *w)
{
    enum { MOST = 128 * MIB };
    static const char head[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n";
    static char some[64 * KIB];
    char url[256];
    size_t sent = 0;
    ssize_t n = 0;
    MUST_DO(serve(w, &on_quiet));
    int fd = raw_socket(w, w->url, false, 0, url, sizeof url);
    MUST(fd >= 0 && send(fd, head, sizeof head - 1, MSG_NOSIGNAL) > 0);
    while (sent < MOST && (n >= 0 || errno == EAGAIN)) {
        pass(w, 0);
        n = send(fd, some, sizeof some, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    MUST(sent < MOST);
    MUST_INT(w->accepted, 0);
}

/* A relay's handler cannot be replaced behind its back. */
static void relay_then_accept(dx_conn *c)
{
    static const dx_handler other = {.on_end = keep_quiet};
    struct world *w = end_of(c)->w;
    dx_conn *d = dx_connect(w->loop, "exec:cat", &on_default, NULL, NULL, NULL);
    end_of(c)->unchecked = true;
    MUST(d);
    MUST_INT(dx_relay(c, d), 0);
    MUST_INT(dx_ws_accept(c, &other, NULL, NULL), DX_STATE);
    dx_abort(c);
}
static void raw_only_shakes(struct raw *r)
{
    char buf[4096];
    say(r, SHAKE);
    hear(r, buf, sizeof buf);
}
static void ws_in_a_relay(struct world *w)
{
    static const dx_handler on = {.on_open = relay_then_accept};
    struct raw *r;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_only_shakes));
    WAIT(w->s && w->s->closes);
    MUST_DO(raw_join(r));
}

static void ws_dial_with(struct world *w, const char *protocols, const struct dx_http_field *f)
{
    dx_opts o = w->co;
    dx_ws_opts ws = {.fields = f, .field_count = f != NULL};
    dx_err err = {0};
    o.protocols = protocols;
    dx_conn *c = dx_ws_connect(w->loop, w->url, &on_quiet, NULL, &o, &ws, &err);
    MUST(!c);
    MUST_INT(err.code, DX_URL);
}
static void ws_words(struct world *w)
{
    static const struct dx_http_field f = {"X-A", "a\1b"};
    MUST_DO(serve(w, &on_quiet));
    ws_dial_with(w, "a\1b", NULL);
    ws_dial_with(w, NULL, &f);
}

const struct behaviour behave_hostile[] = {
    {"who may not come in and cannot be told is not told 200", HAS_HTTP, 0, answer_without_room},
    {"a realm that could not be said is refused at once", HAS_HTTP, HAS_TLS, realms},
    {"a reply to HTTP/1.0 that is cut does not look whole", HAS_HTTP, HAS_TLS, reply_to_the_end},
    {"a reply to HTTP/1.0 that its idle time cuts does not look whole", HAS_HTTP, 0, reply_cut_by_idle_time},
    {"limits: the largest number is for ever", HAS_HTTP, 0, limits_for_ever},
    {"limits: a rate that nobody has", HAS_HTTP, 0, rates_that_nobody_has},
    {"a dial may take for ever", HAS_LISTENER, HAS_DATAGRAMS, dial_for_ever},
    {"a WebSocket whose client has said its end already", HAS_HTTP, HAS_TLS, ws_of_who_has_ended},
    {"a WebSocket takes nobody's place in a relay", HAS_HTTP, HAS_TLS, ws_in_a_relay},
    {"a WebSocket's address reads no body for ever", HAS_WS | HAS_LISTENER, HAS_TLS, ws_and_a_body},
    {"a WebSocket is not dialled with control characters", HAS_WS | HAS_LISTENER, 0, ws_words},
    {0},
};
