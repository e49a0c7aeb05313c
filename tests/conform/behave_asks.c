/* SPDX-License-Identifier: MIT
 * behave_asks.c - a client's exchange with a server of ours: requests, and bodies both ways. behave_answers.c has the rest. */
#include "conform.h"
#include <duplex/http.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONG = 12 * MIB, PIECE = 60 * KIB };

static void nothing(dx_conn *c)
{
    (void)c;
}

/* ---- a server that sends the body back, by the length it came with or in chunks ---- */
static void back_open(dx_conn *c)
{
    struct end *e = end_of(c);
    int r = dx_http_head(c, 200, dx_http_length(c), NULL, 0);
    if (r < 0)
        fail(e->w, "dx_http_head says %d", r);
}
static void back_end(dx_conn *c)
{
    int r = dx_finish(c);
    if (r < 0)
        fail(end_of(c)->w, "dx_finish says %d", r);
}
static dx_handler back(void)
{
    return (dx_handler){.on_open = back_open, .on_data = on_echo.on_data, .on_end = back_end};
}

/* A server of ours and a conn to it that stands. */
static bool meet(struct world *w, const dx_handler *server_on, const dx_handler *client_on)
{
    if (!serve(w, server_on) || !dial(w, NULL, client_on))
        return false;
    while (!w->c->opens)
        if (!turn(w, "the client's on_open", __FILE__, __LINE__))
            return false;
    return true;
}

static bool is(dx_bytes b, const char *text)
{
    return b.p && b.n == strlen(text) && !memcmp(b.p, text, b.n);
}

/* ---- bodies both ways ---- */
static void post_by_sending(struct world *w)
{
    dx_handler on = back();
    MUST_DO(meet(w, &on, &on_quiet));
    MUST(dx_http_is(w->c->c) && !dx_http_wants_ws(w->c->c));
    MUST_INT(dx_http_status(w->c->c), 0);
    MUST(!dx_http_header(w->c->c, "Date").p && !dx_http_method(w->c->c).p);
    MUST_STR(dx_wire(w->c->c), w->scheme->wire);
    MUST_INT(dx_http_reply(w->c->c, 200, NULL, "x", 1, NULL, 0), DX_STATE);
    MUST_INT(dx_send(w->c->c, "", 0, 0), 0);
    put(w->c, 1000);
    put(w->c, 500);
    WAIT(w->c->got == 1500);
    MUST(is(dx_http_method(w->s->c), "POST") && is(dx_http_target(w->s->c), "/"));
    MUST(is(dx_http_header(w->s->c, "Content-Type"), "application/octet-stream"));
    MUST_INT(dx_http_length(w->s->c), -1);
    MUST(is(dx_http_host(w->s->c), strstr(w->url, "127.")));
    MUST_INT(dx_http_status(w->c->c), 200);
    MUST_INT(dx_http_version(w->c->c), 11);
    MUST_INT(dx_http_length(w->c->c), -1);
    MUST(dx_http_header(w->c->c, "dATE").p && is(dx_http_header(w->c->c, "Connection"), "close"));
    MUST_INT(dx_http_request(w->c->c, "GET", NULL, NULL, 0, 0), DX_STATE);
    MUST_INT(w->c->events, 1);
    MUST_INT(w->c->ends, 0);
    MUST_INT(dx_finish(w->c->c), 0);
    WAIT(all_closed(w));
    MUST_INT(w->c->ends, 1);
    MUST_INT(w->c->why.code, DX_END);
    MUST_GOOD(w->s);
}

/* No half-close of the connection: our own server would not even notice, but others would. */
static void both_ways(struct world *w, int64_t length)
{
    dx_handler on = back();
    MUST_DO(meet(w, &on, &on_fill));
    MUST_INT(dx_http_request(w->c->c, "PUT", "/a?b", NULL, 0, length), 0);
    put_all(w->c, LONG, PIECE);
    WAIT(w->c->sent == LONG);
    MUST(length < 0 || put(w->c, 1) == DX_BIG);
    MUST_INT(dx_finish(w->c->c), 0);
    WAIT(all_closed(w));
    MUST_INT(w->c->got, LONG);
    MUST_INT(w->c->ends, 1);
    MUST_GOOD(w->c);
    MUST_GOOD(w->s);
}
static void both_ways_in_chunks(struct world *w)
{
    both_ways(w, -1);
}
static void both_ways_by_length(struct world *w)
{
    both_ways(w, LONG);
}

static void answers_small(dx_conn *c)
{
    dx_http_reply(c, 200, "text/plain", pattern(0), 100, NULL, 0);
}

static void get_open(dx_conn *c)
{
    struct world *w = end_of(c)->w;
    static const dx_http_field f[] = {{"X-A", "b"}, {"host", "other.example"}, {"user-agent", ""}};
    MUST_INT(dx_http_request(c, "GET", "/p?q=1", f, 3, -1), 0);
    MUST_INT(dx_http_request(c, "GET", "/p?q=1", f, 3, -1), DX_STATE);
    MUST_INT(dx_send(c, "x", 1, 0), DX_STATE);
    MUST_INT(dx_finish(c), DX_STATE);
}
static void got_open(dx_conn *c)
{
    struct world *w = end_of(c)->w;
    MUST(is(dx_http_method(c), "GET") && is(dx_http_path(c), "/p") && is(dx_http_query(c), "q=1"));
    MUST(is(dx_http_host(c), "other.example") && is(dx_http_header(c, "x-a"), "b"));
    MUST(is(dx_http_header(c, "User-Agent"), "") && !dx_http_header(c, "Content-Length").p);
    MUST_INT(dx_http_length(c), 0);
}
static void get_it(struct world *w)
{
    static const dx_handler server_on = {.on_open = got_open, .on_end = answers_small};
    static const dx_handler on = {.on_open = get_open, .on_end = nothing};
    MUST_DO(meet(w, &server_on, &on));
    WAIT(all_closed(w));
    MUST_INT(w->c->got, 100);
    MUST_INT(w->c->ends, 1);
    MUST_INT(w->c->why.code, DX_END);
}

/* An empty body that nobody asked for in words. */
static void counts_none(dx_conn *c)
{
    struct world *w = end_of(c)->w;
    MUST(is(dx_http_method(c), "POST") && is(dx_http_header(c, "Content-Length"), "0"));
    MUST(!dx_http_header(c, "Content-Type").p);
    answers_small(c);
}
static void finish_alone(struct world *w)
{
    static const dx_handler server_on = {.on_end = counts_none};
    MUST_DO(meet(w, &server_on, &on_default));
    MUST_INT(dx_finish(w->c->c), 0);
    WAIT(all_closed(w));
    MUST_INT(w->c->got, 100);
    MUST_GOOD(w->c);
}

static void send_a_file(struct world *w)
{
    dx_handler on = back();
    FILE *f = tmpfile();
    MUST(f && fwrite(pattern(0), 1, 3 * MIB, f) == 3 * MIB && fflush(f) == 0);
    MUST_DO(meet(w, &on, &on_quiet));
    MUST_INT(dx_send_file(w->c->c, fileno(f), 0, 3 * MIB, DX_LAST) & ~1, 0);
    fclose(f);
    WAIT(all_closed(w));
    MUST_INT(w->s->got, 3 * MIB);
    MUST_INT(w->c->got, 3 * MIB);
    MUST_GOOD(w->c);
}

static void nothing_on_open(struct world *w)
{
    dx_handler on = back();
    MUST_DO(serve(w, &on));
    MUST_DO(dial(w, NULL, &on_quiet));
    put(w->c, 5000); /* before it stands: it waits, as on other wires */
    MUST_INT(dx_finish(w->c->c), 0);
    WAIT(all_closed(w));
    MUST_INT(w->c->got, 5000);
    MUST_GOOD(w->c);
}

/* ---- what is refused ---- */
static void bad_requests(struct world *w)
{
    static const dx_http_field split = {"X-A", "b\r\nX-C: d"}, name = {"X A", "b"}, null = {"X", NULL},
                               length = {"content-length", "5"}, te = {"Transfer-Encoding", "chunked"},
                               conn = {"Connection", "keep-alive"}, host[] = {{"Host", "a"}, {"Host", "b"}};
    static const struct {
        const char *method, *target;
        const dx_http_field *f;
        size_t count;
        int64_t length;
        int code;
    } v[] = {{NULL, "/", NULL, 0, 0, DX_URL},           {"", "/", NULL, 0, 0, DX_URL},
             {"GET /", "/", NULL, 0, 0, DX_URL},        {"G\r\nX: y", "/", NULL, 0, 0, DX_URL},
             {"GET", "", NULL, 0, 0, DX_URL},           {"GET", "/a b", NULL, 0, 0, DX_URL},
             {"GET", "/a\r\nX: y", NULL, 0, 0, DX_URL}, {"GET", "a", NULL, 0, 0, DX_URL},
             {"GET", "*", NULL, 0, 0, DX_URL},          {"GET", "/#x", NULL, 0, 0, DX_URL},
             {"GET", "/", &split, 1, 0, DX_URL},        {"GET", "/", &name, 1, 0, DX_URL},
             {"GET", "/", &null, 1, 0, DX_URL},         {"POST", "/", &length, 1, 5, DX_URL},
             {"POST", "/", &te, 1, -1, DX_URL},         {"GET", "/", &conn, 1, 0, DX_URL},
             {"GET", "/", host, 2, 0, DX_URL},          {"POST", "/", NULL, 0, -2, DX_URL},
             {"CONNECT", "/", NULL, 0, 0, DX_ABSENT}};
    static const dx_handler server_on = {.on_end = answers_small};
    MUST_DO(meet(w, &server_on, &on_quiet));
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        int r = dx_http_request(w->c->c, v[i].method, v[i].target, v[i].f, v[i].count, v[i].length);
        MUST_SAY(r == v[i].code, "%s %s is %d, not %d", v[i].method, v[i].target, r, v[i].code);
    }
    MUST_INT(dx_http_request(w->c->c, "OPTIONS", "*", NULL, 0, 0), 0); /* none of them has gone */
    WAIT(all_closed(w));
    MUST_INT(w->c->got, 100);
    MUST_INT(w->accepted, 1);
}

static void no_client(struct world *w)
{
    dx_handler on = back();
    MUST_DO(meet(w, &on, &on_quiet));
    put(w->c, 10);
    WAIT(w->s);
    MUST_INT(dx_http_request(w->s->c, "GET", NULL, NULL, 0, 0), DX_STATE);
    MUST_INT(dx_http_status(w->s->c), 200); /* its own, not one that came */
}

/* ---- lengths that are not kept ---- */
static void too_short(struct world *w)
{
    dx_handler on = back();
    MUST_DO(meet(w, &on, &on_quiet));
    MUST_INT(dx_http_request(w->c->c, "POST", NULL, NULL, 0, 1000), 0);
    put(w->c, 400);
    WAIT(w->s && w->s->got == 400);
    MUST_INT(dx_finish(w->c->c), DX_TRUNCATED);
    WAIT(all_closed(w));
    MUST_INT(w->c->why.code, DX_TRUNCATED);
    MUST(w->s->why.code == DX_TRUNCATED || w->s->why.code == DX_RESET);
    MUST_INT(w->s->ends, 0);
}

static void close_is_no_end(struct world *w)
{
    dx_handler on = back();
    MUST_DO(meet(w, &on, &on_quiet));
    put(w->c, 100 * KIB);
    end_close(w->c);
    WAIT(all_closed(w));
    MUST_INT(w->s->got, 100 * KIB); /* what was queued went out, and yet it was not all */
    MUST_INT(w->s->why.code, DX_TRUNCATED);
    MUST_INT(w->s->ends, 0);
    MUST_GOOD(w->c);
}

static void close_after_the_end(struct world *w)
{
    dx_handler on = back();
    MUST_DO(meet(w, &on, &on_quiet));
    put(w->c, 100 * KIB);
    MUST_INT(dx_finish(w->c->c), 0);
    end_close(w->c);
    WAIT(all_closed(w));
    MUST_INT(w->s->got, 100 * KIB);
    MUST_INT(w->s->ends, 1);
    MUST_GOOD(w->c);
}

static void abort_it(struct world *w)
{
    dx_handler on = back();
    MUST_DO(meet(w, &on, &on_quiet));
    put(w->c, 100);
    WAIT(w->c->got == 100);
    end_abort(w->c);
    WAIT(all_closed(w));
    MUST_INT(w->c->why.code, DX_CLOSED);
    MUST(w->s->why.code == DX_RESET || w->s->why.code == DX_TRUNCATED);
}

static void close_unasked(struct world *w)
{
    dx_handler on = back();
    MUST_DO(meet(w, &on, &on_quiet));
    end_close(w->c);
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
    MUST_INT(w->accepted, 0);
}

/* ---- pressure, and other ends ---- */
static void pressure(struct world *w)
{
    dx_handler on = back();
    w->co.queue_bytes_max = w->so.queue_bytes_max = 64 * KIB;
    MUST_DO(meet(w, &on, &on_fill));
    end_pause(w->c, true); /* we do not read the echo, and so the echo does not read us */
    stall(w, w->c, 16 * KIB);
    size_t n = w->c->sent;
    MUST(w->c->half > 0 && dx_queued(w->c->c) <= 64 * KIB + 100);
    end_pause(w->c, false);
    dx_finish(w->c->c);
    WAIT(all_closed(w));
    MUST_INT(w->c->got, n);
    MUST_GOOD(w->c);
}

static void relayed(struct world *w)
{
    dx_handler on = back();
    struct end *near;
    int v[2];
    char url[32];
    uint8_t buf[4096];
    size_t got = 0, n = 60000;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, v) == 0);
    MUST(write(v[1], pattern(0), n) == (ssize_t)n && shutdown(v[1], SHUT_WR) == 0);
    snprintf(url, sizeof url, "fd:%d", v[0]);
    MUST_DO(serve(w, &on));
    MUST_DO(near = dial(w, url, &on_quiet));
    close(v[0]);
    w->c = NULL;
    MUST_DO(dial(w, NULL, &on_quiet));
    MUST_INT(dx_relay(near->c, w->c->c), 0);
    WAIT(all_closed(w));
    for (ssize_t r; (r = read(v[1], buf, sizeof buf)) > 0; got += (size_t)r)
        MUST(!memcmp(buf, pattern(got), (size_t)r));
    close(v[1]);
    MUST_INT(got, n);
    MUST_GOOD(w->c);
    MUST_GOOD(near);
}

static void refused(struct world *w)
{
    char url[256];
    int fd = raw_socket(w, w->scheme->url, true, -1, url, sizeof url); /* bound, and nobody listens */
    MUST(fd >= 0);
    MUST_DO(dial(w, url, &on_quiet));
    MUST(put(w->c, 10) >= 0);
    WAIT(w->c->closes);
    close(fd);
    MUST_INT(w->c->why.code, DX_REFUSED);
    MUST_INT(w->c->opens, 0);
}

static void path_too_long(struct world *w)
{
    static char url[9000];
    dx_err err = {0};
    MUST(!has(w, HAS_TLS) || secret_client(w));
    size_t n = (size_t)snprintf(url, sizeof url, "%s://127.0.0.1:1", w->scheme->wire);
    memset(url + n, 'a', 8193);
    url[n] = '/';
    MUST(!dx_connect(w->loop, url, &on_quiet, NULL, &w->co, &err));
    MUST_INT(err.code, DX_URL);
}

const struct behaviour behave_asks[] = {
    {"who only sends has asked for a POST", HAS_HTTP, 0, post_by_sending},
    {"a POST of 12 MiB in chunks, and back at once", HAS_HTTP, 0, both_ways_in_chunks},
    {"a PUT of 12 MiB by length, and back at once", HAS_HTTP, 0, both_ways_by_length},
    {"a GET is whole at once", HAS_HTTP, 0, get_it},
    {"dx_finish alone is an empty POST", HAS_HTTP, 0, finish_alone},
    {"dx_send_file says its length", HAS_HTTP, 0, send_a_file},
    {"what is sent before on_open waits", HAS_HTTP, 0, nothing_on_open},
    {"requests that cannot be", HAS_HTTP, 0, bad_requests},
    {"a server asks for nothing", HAS_HTTP, 0, no_client},
    {"a body shorter than its length breaks off", HAS_HTTP, 0, too_short},
    {"dx_close makes no request whole", HAS_HTTP, 0, close_is_no_end},
    {"dx_close of a whole request delivers it", HAS_HTTP, 0, close_after_the_end},
    {"dx_close before anything was asked", HAS_HTTP, 0, close_unasked},
    {"abort of a request", HAS_HTTP, 0, abort_it},
    {"pressure through an exchange", HAS_HTTP, 0, pressure},
    {"relay to an exchange", HAS_HTTP, 0, relayed},
    {"nobody listens for a request", HAS_HTTP, 0, refused},
    {"a path over 8 KiB is DX_URL", HAS_HTTP, 0, path_too_long},
    {0},
};
