/* SPDX-License-Identifier: MIT
 * http_server.c URL [limit=number ...] - an HTTP server for tests, of the public headers: it says "listening URL", and then a line for
 * each exchange that ended badly: the path and the code. GET /big?n=1000: as many bytes, streamed; /whole?n=1000: in one reply; /hold:
 * no answer; /trailers: the body, and X-Sum of the request's trailers behind it; /hints: a 103 first. Else what it was asked, and how long
 * the body was. A WebSocket is an echo, on /packed with permessage-deflate, long ones in parts. GET /drain?ms=1000 ends it. */
#include <duplex/router.h>
#include <duplex/ws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    uint64_t came, left;     /* bytes of the body, and of the reply that are still to be sent */
    bool holds, back, parts; /* answers nothing; sends the body back; says messages in parts */
    char path[64];
};
static dx_listener *listener;
static char zeros[1 << 20];

static int64_t number(dx_conn *c, const char *name)
{
    dx_text t = {0};
    int64_t n = dx_http_param(c, name, 0, &t) == 1 ? atoll(t.p) : 0;
    dx_text_free(&t);
    return n;
}

static bool is(dx_conn *c, const char *path)
{
    dx_bytes p = dx_http_path(c);
    return p.n == strlen(path) && !memcmp(p.p, path, p.n);
}

static void go_on(dx_conn *c)
{
    struct state *s = dx_state(c);
    int r = 0;
    while (s->left && r == 0) {
        size_t n = s->left < sizeof zeros / 16 ? (size_t)s->left : sizeof zeros / 16;
        r = dx_send(c, zeros, n, 0);
        s->left -= r >= 0 ? n : 0;
    }
    if (!s->left && dx_http_is(c))
        dx_finish(c);
}

static void facts(dx_conn *c)
{
    char text[2000];
    dx_bytes m = dx_http_method(c), h = dx_http_host(c), via = dx_http_header(c, "X-Forwarded-For");
    const struct state *s = dx_state(c);
    int n =
        snprintf(text, sizeof text, "%.*s %s host=%.*s for=%.*s version=%d body=%llu prefix=%s user=%s", (int)m.n,
                 (const char *)m.p, s->path, (int)h.n, (const char *)h.p, (int)via.n, via.p ? (const char *)via.p : "",
                 dx_http_version(c), (unsigned long long)s->came, dx_http_prefix(c), dx_http_user(c));
    dx_http_reply(c, 200, "text/plain", text, (size_t)n, NULL, 0);
}

static void opened(dx_conn *c)
{
    struct state *s = dx_state(c);
    dx_bytes p = dx_http_path(c);
    snprintf(s->path, sizeof s->path, "%.*s", (int)p.n, (const char *)p.p);
    s->holds = is(c, "/hold");
    if (dx_http_wants_ws(c)) {
        s->parts = is(c, "/packed");
        dx_ws_accept(c, NULL, NULL, &(dx_ws_opts){.origins = "*", .deflate = s->parts ? "" : NULL});
    } else if (is(c, "/big")) {
        s->left = (uint64_t)number(c, "n");
        dx_http_head(c, 200, -1, NULL, 0);
        go_on(c);
    } else if (is(c, "/whole")) {
        size_t n = (size_t)number(c, "n");
        char *body = calloc(1, n + 1);
        dx_http_reply(c, 200, NULL, body, n, NULL, 0);
        free(body);
    } else if (is(c, "/trailers")) {
        s->back = true;
        dx_http_head(c, 200, -1, NULL, 0);
    } else if (is(c, "/hints")) {
        dx_http_info(c, 103, &(dx_http_field){"Link", "</a.css>; rel=preload"}, 1);
    } else if (is(c, "/drain")) {
        dx_listener_drain(listener, number(c, "ms"));
    }
}

static void came(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct state *s = dx_state(c);
    enum { PART = 100000 };
    s->came += n;
    for (; s->parts && n > PART; data = (const char *)data + PART, n -= PART)
        dx_send(c, data, PART, how | DX_MORE);
    if (!dx_http_is(c) || s->back)
        dx_send(c, data, n, how);
}

static void give_back_trailers(dx_conn *c)
{
    char sum[64];
    dx_bytes t = dx_http_trailer(c, "X-Sum");
    snprintf(sum, sizeof sum, "%.*s", (int)t.n, t.p ? (const char *)t.p : "");
    dx_http_trailers(c, &(dx_http_field){"X-Sum", sum}, 1);
    dx_finish(c);
}

static void ended(dx_conn *c)
{
    const struct state *s = dx_state(c);
    if (!dx_http_is(c))
        dx_close(c);
    else if (s->back)
        give_back_trailers(c);
    else if (!s->holds && !s->left)
        facts(c);
}

static void happened(dx_conn *c, int what, const void *arg)
{
    const struct state *s = dx_state(c);
    (void)arg;
    if (what == DX_GONE) {
        printf("gone %s\n", s->path);
        if (s->holds)
            dx_http_reply(c, 204, NULL, NULL, 0, NULL, 0);
    }
}

static void closed(dx_conn *c, const dx_err *why)
{
    const struct state *s = dx_state(c);
    if (why->code != DX_END && why->code != DX_CLOSED)
        printf("%s %d\n", s->path, why->code);
}

static int set_limit(dx_http_limits *l, const char *arg)
{
    static const struct {
        const char *name;
        size_t at;
    } all[] = {{"head_ms", offsetof(dx_http_limits, head_ms)},
               {"idle_ms", offsetof(dx_http_limits, idle_ms)},
               {"body_ms", offsetof(dx_http_limits, body_ms)},
               {"answer_ms", offsetof(dx_http_limits, answer_ms)},
               {"receive_s_min", offsetof(dx_http_limits, receive_s_min)},
               {"send_s_min", offsetof(dx_http_limits, send_s_min)},
               {"grace_ms", offsetof(dx_http_limits, grace_ms)},
               {"body_bytes_max", offsetof(dx_http_limits, body_bytes_max)},
               {"discard_ms", offsetof(dx_http_limits, discard_ms)}};
    size_t n = strcspn(arg, "=");
    int64_t value = arg[n] ? atoll(arg + n + 1) : 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strlen(all[i].name) == n && !memcmp(all[i].name, arg, n)) {
            memcpy((char *)l + all[i].at, &value, sizeof value);
            return 0;
        }
    return -1;
}

static int check(dx_conn *c, const dx_http_login *l, void *user)
{
    (void)c, (void)user;
    return dx_secret_same(l->password, (dx_bytes){"sesame", 6}) ? 0 : 401;
}

int main(int argc, char **argv)
{
    const dx_handler on = {sizeof(struct state), opened, came, ended, go_on, happened, closed};
    const dx_route locked = {.auth = DX_AUTH_BASIC, .check = check};
    dx_http_limits limits = {0};
    dx_err err = {.text = "usage: http_server URL [limit=number ...]"};
    dx_loop *loop = argc > 1 ? dx_loop_new(&err) : NULL;
    dx_opts opts = {.http = &limits, .router = dx_router_new(NULL), .conns_max = 20000, .queue_bytes_max = 256 << 10};
    for (int i = 2; i < argc; i++)
        if (!strncmp(argv[i], "queue_bytes_max=", 16))
            opts.queue_bytes_max = (size_t)atoll(argv[i] + 16);
        else if (set_limit(&limits, argv[i]) < 0)
            return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (loop && dx_router_add(opts.router, "/locked/", &on, NULL, &locked, &err) == 0 &&
        (listener = dx_serve(loop, argv[1], &on, NULL, &opts, &err))) {
        fprintf(stderr, "listening %s\n", dx_listener_url(listener, 0));
        int r = dx_loop_run(loop);
        dx_loop_free(loop);
        dx_router_drop(opts.router);
        return r < 0;
    }
    fprintf(stderr, "http_server: %s\n", err.text);
    return 1;
}
