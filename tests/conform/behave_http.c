/* SPDX-License-Identifier: MIT
 * behave_http.c - an exchange is a conn: a server of ours, a raw client that writes its requests by hand. */
#include "conform.h"
#include <duplex/http.h>
#include <duplex/ws.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads until the text is in what came, or fails. Returns all that came. */
static char *read_until(struct raw *r, char *buf, size_t room, const char *text)
{
    size_t n = strlen(buf);
    while (!strstr(buf, text)) {
        ssize_t got = n + 1 < room ? raw_recv(r, buf + n, room - 1 - n) : 0;
        if (got <= 0) {
            raw_fail(r, "the end instead of \"%s\" after \"%.150s\"", text, buf);
            return buf;
        }
        n += (size_t)got;
        buf[n] = '\0';
    }
    return buf;
}

static void want_text(struct raw *r, const char *buf, const char *text, bool there)
{
    if (!strcasestr(buf, text) == there)
        raw_fail(r, "\"%s\" %s in \"%.200s\"", text, there ? "is not" : "is", buf);
}

static bool say(struct raw *r, const char *text)
{
    return raw_write(r, text, strlen(text));
}

static void want_eof(struct raw *r)
{
    char b;
    if (raw_recv(r, &b, 1) != 0)
        raw_fail(r, "the connection goes on where it should end");
}

/* ---- a server that answers each request with its method, path and the length of its body ---- */
static void count_body(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)c, (void)data, (void)n, (void)how; /* the wrapper counts */
}

static void answer(dx_conn *c)
{
    struct end *e = end_of(c);
    char body[256];
    dx_bytes m = dx_http_method(c), p = dx_http_path(c);
    int n = snprintf(body, sizeof body, "%.*s %.*s %zu", (int)m.n, (const char *)m.p, (int)p.n, (const char *)p.p,
                     e->got),
        r = dx_http_reply(c, 200, "text/plain", body, (size_t)n, NULL, 0);
    if (r < 0)
        fail(e->w, "dx_http_reply says %d", r);
    if (dx_http_reply(c, 200, NULL, "x", 1, NULL, 0) != DX_STATE)
        fail(e->w, "a second reply is taken");
}

static const dx_handler on_answer = {.on_data = count_body, .on_end = answer};

/* One request after another over one connection, by a raw client that runs fn. */
static bool exchange(struct world *w, const dx_handler *on, void (*fn)(struct raw *r))
{
    struct raw *r;
    if (!serve(w, on))
        return false;
    r = raw_dials(w, fn);
    return r && raw_join(r);
}

static void raw_get_one(struct raw *r)
{
    char buf[4096] = "";
    say(r, "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n");
    read_until(r, buf, sizeof buf, "GET /a 0");
    want_text(r, buf, "HTTP/1.1 200 OK\r\n", true);
    want_text(r, buf, "Content-Length: 8\r\n", true);
    want_text(r, buf, "Content-Type: text/plain", true);
    want_text(r, buf, "\r\nDate: ", true);
}

static void views_open(dx_conn *c)
{
    struct end *e = end_of(c);
    struct world *w = e->w;
    dx_bytes name = {0}, q = dx_http_query(c), h = dx_http_header(c, "hOST"), none = dx_http_header(c, "Cookie");
    MUST(dx_http_is(c));
    MUST_INT(dx_http_version(c), 11);
    MUST(dx_http_length(c) <= 0); /* none: not said, or nothing */
    MUST(q.n == 3 && !memcmp(q.p, "b=c", 3));
    MUST(h.n == 1 && !memcmp(h.p, "x", 1));
    MUST(none.p == NULL);
    MUST(dx_http_header_at(c, 0, &name).p && name.n == 4);
    MUST(dx_http_header_at(c, 1, &name).p == NULL);
    MUST(dx_http_target(c).n == 6 && dx_http_host(c).n == 1 && !dx_http_wants_ws(c));
    MUST_STR(dx_wire(c), w->scheme->wire);
}

static void http_get(struct world *w)
{
    dx_handler on = on_answer;
    on.on_open = views_open;
    MUST_DO(exchange(w, &on, raw_get_one));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
    MUST_INT(w->s->ends, 1);
}

static void raw_cuts_head(struct raw *r)
{
    static const char head[] = "POST /cut HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
    char buf[4096] = "";
    for (size_t i = 0; head[i] && raw_write(r, head + i, 1); i++)
        ;
    read_until(r, buf, sizeof buf, "POST /cut 4");
}

static void unchecked_open(dx_conn *c)
{
    end_of(c)->unchecked = true;
}

static void http_cut(struct world *w)
{
    dx_handler on = on_answer;
    on.on_open = unchecked_open;
    MUST_DO(exchange(w, &on, raw_cuts_head));
    MUST_INT(w->accepted, 1);
}

/* ---- bodies both ways ---- */
static void echo_body_open(dx_conn *c)
{
    static const dx_http_field f[] = {{"Content-Type", "application/octet-stream"}};
    struct end *e = end_of(c);
    int r = dx_http_head(c, 200, dx_http_length(c), f, 1);
    if (r < 0)
        fail(e->w, "dx_http_head says %d", r);
}
static void echo_body_end(dx_conn *c)
{
    int r = dx_finish(c);
    if (r < 0 && r != DX_STATE)
        fail(end_of(c)->w, "dx_finish says %d", r);
}

static void raw_body_back(struct raw *r)
{
    char head[4096] = "";
    size_t n = 0;
    say(r, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
    while (n < sizeof head - 1 && !strstr(head, "\r\n\r\n") && raw_recv(r, head + n, 1) == 1)
        n++;
    want_text(r, head, "Content-Length: 1048576\r\n", true);
    for (int i = 0; i < 32; i++)
        if (!raw_put(r, 32 * KIB) || !raw_want(r, 32 * KIB))
            return;
}

static void http_body(struct world *w)
{
    dx_handler on = {.on_open = echo_body_open, .on_data = on_echo.on_data, .on_end = echo_body_end};
    MUST_DO(exchange(w, &on, raw_body_back));
    WAIT(w->s->closes);
    MUST_INT(w->s->got, MIB);
    MUST_GOOD(w->s);
}

static void raw_chunks(struct raw *r)
{
    char buf[8192] = "";
    say(r, "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n");
    raw_put(r, 5);
    say(r, "\r\n1");
    say(r, "0;ext=1\r\n");
    raw_put(r, 16);
    say(r, "\r\n0\r\nTrailer: yes\r\n\r\n");
    read_until(r, buf, sizeof buf, "POST /c 21");
}

static void http_chunked_in(struct world *w)
{
    MUST_DO(exchange(w, &on_answer, raw_chunks));
    MUST_INT(w->s->got, 21);
}

static void stream_open(dx_conn *c)
{
    dx_send(c, "one,", 4, 0); /* before a head: 200 with defaults */
    dx_send(c, "two,", 4, 0);
}
static void stream_end(dx_conn *c)
{
    dx_send(c, "three", 5, DX_LAST);
}
static void raw_streamed(struct raw *r)
{
    char buf[8192] = "";
    say(r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    read_until(r, buf, sizeof buf, "\r\n0\r\n\r\n");
    want_text(r, buf, "HTTP/1.1 200 ", true);
    want_text(r, buf, "Transfer-Encoding: chunked", true);
    want_text(r, buf, "three\r\n", true);
    say(r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    buf[0] = '\0';
    read_until(r, buf, sizeof buf, "\r\n0\r\n\r\n");
}
static void http_stream(struct world *w)
{
    static const dx_handler on = {.on_open = stream_open, .on_end = stream_end};
    MUST_DO(exchange(w, &on, raw_streamed));
    MUST_INT(w->accepted, 2);
    WAIT(all_closed(w));
}

/* ---- a reply longer than any queue, by a handler that hears nothing of the request's end ---- */
enum { LONG_PIECES = 160, LONG_BYTES = LONG_PIECES * 64 * KIB };

static void long_more(dx_conn *c)
{
    static const char piece[64 * KIB];
    struct end *e = end_of(c);
    int r = 0;
    while (r == 0 && e->piece < LONG_PIECES)
        if ((r = dx_send(c, piece, sizeof piece, 0)) >= 0)
            e->piece++;
    if (r < 0 && r != DX_FULL)
        fail(e->w, "dx_send says %d after %zu pieces", r, e->piece);
    if (e->piece == LONG_PIECES && dx_finish(c) < 0)
        fail(e->w, "dx_finish fails");
}
static void long_open(dx_conn *c)
{
    bool sized = dx_http_path(c).n > 1;
    if (dx_http_head(c, 200, sized ? LONG_BYTES : -1, NULL, 0) < 0)
        fail(end_of(c)->w, "no head");
    end_of(c)->piece = 0;
    long_more(c);
}
static void read_long(struct raw *r, const char *request, const char *head, const char *end, size_t more)
{
    static char buf[64 * KIB];
    size_t n = 0, all = 0, end_n = strlen(end);
    int64_t got;
    say(r, request);
    while ((got = raw_recv(r, buf + n, sizeof buf - n)) > 0) {
        if (!all)
            want_text(r, buf, head, true);
        all += (size_t)got;
        n += (size_t)got;
        memmove(buf, buf + n - (n < end_n ? n : end_n), n < end_n ? n : end_n); /* its last bytes stay at the front */
        n = n < end_n ? n : end_n;
    }
    if (all < LONG_BYTES + more || memcmp(buf, end, end_n))
        raw_fail(r, "%zu bytes, or another end", all);
}
static void raw_long_chunks(struct raw *r)
{
    read_long(r, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "chunked", "\r\n0\r\n\r\n", 100);
}
static void raw_long_sized(struct raw *r)
{
    read_long(r, "GET /sized HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "Content-Length: 10485760", "", 50);
}
static void http_long(struct world *w)
{
    static const dx_handler on = {.on_open = long_open, .on_writable = long_more};
    MUST_DO(exchange(w, &on, raw_long_chunks));
    MUST_DO(exchange(w, &on, raw_long_sized));
    WAIT(all_closed(w));
    MUST_GOOD(w->s);
}
static void short_open(dx_conn *c)
{
    dx_http_head(c, 200, 4, NULL, 0);
    dx_send(c, "four", 4, 0);
}
static void raw_short(struct raw *r)
{
    char buf[4096] = "";
    say(r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    read_until(r, buf, sizeof buf, "four");
    say(r, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); /* the one before is over */
    buf[0] = '\0';
    read_until(r, buf, sizeof buf, "four");
    want_eof(r);
}
static void http_short(struct world *w)
{
    static const dx_handler on = {.on_open = short_open};
    MUST_DO(exchange(w, &on, raw_short));
    MUST_INT(w->accepted, 2);
    WAIT(all_closed(w));
}

/* ---- one connection, many exchanges ---- */
static void raw_keep_alive(struct raw *r)
{
    char buf[4096];
    for (int i = 0; i < 3; i++) {
        buf[0] = '\0';
        say(r,
            i == 1 ? "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n" : "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i == 1)
            raw_put(r, 3);
        read_until(r, buf, sizeof buf, i == 1 ? "POST /b 3" : "GET /a 0");
    }
    buf[0] = '\0';
    say(r, "GET /z HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    read_until(r, buf, sizeof buf, "GET /z 0");
    want_text(r, buf, "Connection: close", true);
    want_eof(r);
}
static void http_keep_alive(struct world *w)
{
    MUST_DO(exchange(w, &on_answer, raw_keep_alive));
    MUST_INT(w->accepted, 4);
    WAIT(all_closed(w));
}

static void raw_idle_after(struct raw *r)
{
    raw_get_one(r);
    raw_stage(r, 1);
    raw_await_go(r);
}
static void http_idle_is_no_conn(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_answer));
    MUST_DO(r = raw_dials(w, raw_idle_after));
    WAIT(r->stage == 1 && w->s->closes);
    pass(w, 1);
    MUST_INT(dx_loop_count(w->loop, DX_COUNT_CONNS), 0);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
}

static void answer_late(dx_conn *c)
{
    struct end *e = end_of(c);
    if (e->w->accepted > 1 && !e->w->ends[e->w->ends_n - 2]->arg)
        fail(e->w, "the pipelined request opened before the reply to the one before it");
    e->arg = e;
    answer(c);
}
static void late_end(dx_conn *c)
{
    dx_after(c, 10, answer_late);
}
static void raw_pipelines(struct raw *r)
{
    char buf[8192] = "", *a, *b, *c;
    say(r, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n");
    raw_put(r, 2);
    say(r, "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    read_until(r, buf, sizeof buf, "GET /3 0");
    a = strstr(buf, "GET /1 0");
    b = strstr(buf, "POST /2 2");
    c = strstr(buf, "GET /3 0");
    if (!a || !b || a > b || b > c)
        raw_fail(r, "the replies come in another order: %.200s", buf);
}
static void http_pipeline(struct world *w)
{
    static const dx_handler on = {.on_data = count_body, .on_end = late_end};
    MUST_DO(exchange(w, &on, raw_pipelines));
    MUST_INT(w->accepted, 3);
}

/* ---- what is refused ---- */
static void raw_bad_heads(struct raw *r)
{
    char buf[4096] = "";
    say(r, "GET / HTTP/1.1\r\nHost : x\r\n\r\n");
    read_until(r, buf, sizeof buf, "\r\n\r\n");
    want_text(r, buf, "HTTP/1.1 400 ", true);
    while (raw_recv(r, buf, sizeof buf) > 0)
        ;
}
static void http_bad_head(struct world *w)
{
    MUST_DO(exchange(w, &on_answer, raw_bad_heads));
    MUST_INT(w->accepted, 0);
}

static void raw_expects(struct raw *r)
{
    char buf[4096] = "";
    say(r, "POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n");
    read_until(r, buf, sizeof buf, "\r\n\r\n");
    want_text(r, buf, "HTTP/1.1 100 ", true);
    raw_put(r, 6);
    read_until(r, buf, sizeof buf, "POST /e 6");
}
static void http_expect(struct world *w)
{
    MUST_DO(exchange(w, &on_answer, raw_expects));
}

static void raw_leaves(struct raw *r)
{
    say(r, "POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n");
    raw_put(r, 6);
}
static void http_truncated(struct world *w)
{
    static const dx_handler on = {.on_data = count_body};
    MUST_DO(exchange(w, &on, raw_leaves));
    WAIT(w->s && w->s->closes);
    MUST_INT(w->s->why.code, DX_TRUNCATED);
    MUST_INT(w->s->ends, 0);
}

static void bad_fields_end(dx_conn *c)
{
    static const dx_http_field split[] = {{"X-A", "b\r\nX-C: d"}}, name[] = {{"X A", "b"}};
    struct world *w = end_of(c)->w;
    MUST_INT(dx_http_reply(c, 200, NULL, "x", 1, split, 1), DX_URL);
    MUST_INT(dx_http_head(c, 200, 1, name, 1), DX_URL);
    answer(c);
}
static void http_bad_fields(struct world *w)
{
    static const dx_handler on = {.on_end = bad_fields_end};
    MUST_DO(exchange(w, &on, raw_get_one));
}

static void half_reply_end(dx_conn *c)
{
    dx_http_head(c, 200, 100, NULL, 0);
    put(end_of(c), 10);
    end_abort(end_of(c));
}
static void raw_sees_truncation(struct raw *r)
{
    char buf[4096] = "";
    ssize_t got;
    size_t n = 0;
    say(r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    while ((got = raw_recv(r, buf, sizeof buf)) > 0)
        n += (size_t)got;
    if (n > 1000)
        raw_fail(r, "more came than was sent");
}
static void http_abort(struct world *w)
{
    static const dx_handler on = {.on_end = half_reply_end};
    MUST_DO(exchange(w, &on, raw_sees_truncation));
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_CLOSED);
}

static void close_unanswered(dx_conn *c)
{
    end_close(end_of(c));
}
static void raw_wants_some_answer(struct raw *r)
{
    char buf[4096] = "";
    say(r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    read_until(r, buf, sizeof buf, "\r\n\r\n");
    want_text(r, buf, "HTTP/1.1 ", true);
}
static void http_close_unanswered(struct world *w)
{
    static const dx_handler on = {.on_end = close_unanswered};
    MUST_DO(exchange(w, &on, raw_wants_some_answer));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

/* ---- the same conn becomes a WebSocket ---- */
static void upgrade_open(dx_conn *c)
{
    struct end *e = end_of(c);
    int r;
    if (!dx_http_wants_ws(c)) {
        fail(e->w, "the handshake is not seen as one");
        return;
    }
    r = dx_ws_accept(c, NULL, NULL, NULL);
    if (r < 0)
        fail(e->w, "dx_ws_accept says %d (%s)", r, dx_code_text(r));
    if (dx_kind_of(c) != DX_MESSAGES || dx_http_is(c))
        fail(e->w, "after dx_ws_accept it is not messages");
}
static void raw_upgrades(struct raw *r)
{
    char buf[4096] = "";
    uint8_t back[7];
    say(r, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    read_until(r, buf, sizeof buf, "\r\n\r\n");
    want_text(r, buf, "HTTP/1.1 101 ", true);
    want_text(r, buf, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", true);
    uint8_t one[11] = {0x82, 0x85, 0, 0, 0, 0};
    memcpy(one + 6, pattern(0), 5);
    raw_write(r, one, sizeof one);
    if (!raw_recv_all(r, back, 7) || back[0] != 0x82 || back[1] != 5 || memcmp(back + 2, pattern(0), 5))
        raw_fail(r, "the echo of the first message");
}
static void http_upgrade(struct world *w)
{
    dx_handler on = {.on_open = upgrade_open, .on_data = on_echo.on_data};
    MUST_DO(exchange(w, &on, raw_upgrades));
    WAIT(w->s->closes);
    MUST_INT(w->s->opens, 1);
    MUST_INT(w->s->why.code, DX_TRUNCATED); /* the raw side left without a Close */
}

const struct behaviour behave_http[] = {
    {"a GET, its views, its reply", HAS_HTTP, 0, http_get},
    {"a head cut at every byte", HAS_HTTP, 0, http_cut},
    {"a body of 1 MiB there and back", HAS_HTTP, 0, http_body},
    {"a chunked body", HAS_HTTP, 0, http_chunked_in},
    {"sending before a head is 200, streamed", HAS_HTTP, 0, http_stream},
    {"no on_end: a reply goes on behind the request's end", HAS_HTTP, 0, http_long},
    {"no on_end: one that is all there ends", HAS_HTTP, 0, http_short},
    {"keep-alive, then Connection: close", HAS_HTTP, 0, http_keep_alive},
    {"an idle connection is no conn", HAS_HTTP, 0, http_idle_is_no_conn},
    {"pipelined: one at a time, in order", HAS_HTTP, 0, http_pipeline},
    {"a bad head is 400 and no conn", HAS_HTTP, 0, http_bad_head},
    {"Expect: 100-continue", HAS_HTTP, 0, http_expect},
    {"a body cut short is DX_TRUNCATED", HAS_HTTP, 0, http_truncated},
    {"fields that would split the head are refused", HAS_HTTP, 0, http_bad_fields},
    {"abort in a reply", HAS_HTTP, 0, http_abort},
    {"close without an answer answers", HAS_HTTP, 0, http_close_unanswered},
    {"dx_ws_accept turns the exchange into messages", HAS_HTTP, 0, http_upgrade},
    {0},
};
