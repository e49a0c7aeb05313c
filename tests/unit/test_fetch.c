/* SPDX-License-Identifier: MIT
 * test_fetch.c - fetches against a server that says what each case wants, byte by byte: which connections are kept, what a
 * redirect takes along, what a body may grow to. */
#include "test.h"
#include <duplex/fetch.h>
#include <duplex/text.h>

enum { CONNS = 64 };
/* What the server says to a request whose target ends in path. Behind it: '!' resets, '.' ends, ' ' goes on listening. */
struct page {
    const char *path, *reply;
    char then;
    size_t n; /* of reply; 0: to its NUL */
};
struct asked { /* one connection of the server's */
    int number;
    dx_text in;
};
static struct {
    dx_loop *loop;
    const struct page *pages;
    char port[8];
    int conns, requests;
    dx_text log;  /* each request's head, one behind the other */
    dx_text body; /* what the fetch was given                   */
    int status, heads, ends, closes, opens;
    dx_err why;
    dx_fetch_info info;
    char url[200];
    int again; /* fetches to begin in on_close               */
    const dx_fetch_opts *opts;
    const char *next;
    bool rests;
} it;

static void say(dx_conn *c, const struct page *p)
{
    dx_text out = {0};
    size_t n = p->n ? p->n : strlen(p->reply);
    for (size_t i = 0; i < n; i++) /* $ is the server's port */
        if (p->reply[i] == '$' && !p->n)
            dx_text_add(&out, it.port, strlen(it.port));
        else
            dx_text_add(&out, p->reply + i, 1);
    if (out.n)
        dx_send(c, out.p, out.n, 0);
    dx_text_free(&out);
    if (p->then == '!')
        dx_abort(c);
    else if (p->then == '.')
        dx_close(c);
}

static void server_open(dx_conn *c)
{
    struct asked *a = dx_state(c);
    a->number = ++it.conns;
}

static void server_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct asked *a = dx_state(c);
    (void)how;
    dx_text_add(&a->in, p, n);
    char *end = strstr(a->in.p, "\r\n\r\n");
    if (!end)
        return;
    char *length = strstr(a->in.p, "Content-Length: ");
    if (length && strlen(end + 4) < strtoul(length + 16, NULL, 10))
        return;
    if (strstr(a->in.p, "chunked") && !strstr(end, "\r\n0\r\n\r\n"))
        return;
    it.requests++;
    dx_text_add(&it.log, a->in.p, a->in.n);
    char target[200] = "";
    sscanf(a->in.p, "%*s %199s", target);
    dx_text_clear(&a->in);
    for (const struct page *page = it.pages; page->path; page++)
        if (strlen(target) >= strlen(page->path) && !strcmp(target + strlen(target) - strlen(page->path), page->path)) {
            say(c, page);
            return;
        }
    dx_abort(c);
}

static void server_close(dx_conn *c, const dx_err *why)
{
    struct asked *a = dx_state(c);
    (void)why;
    dx_text_free(&a->in);
}

static const dx_handler server = {
    .state_bytes = sizeof(struct asked), .on_open = server_open, .on_data = server_data, .on_close = server_close};

/* ---- the fetch ---- */

static void opened(dx_conn *c)
{
    (void)c;
    it.opens++;
}

static void rested(dx_conn *c)
{
    dx_pause(c, false);
}

static void data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)how;
    dx_text_add(&it.body, p, n);
    if (it.rests) {
        dx_pause(c, true);
        dx_after(c, 0, rested);
    }
}

static void event(dx_conn *c, int what, const void *arg)
{
    (void)arg;
    if (what == DX_HEAD) {
        it.heads++;
        it.status = dx_http_status(c);
    }
}

static void ended(dx_conn *c)
{
    it.ends++;
    (void)c;
}

static void begin(const char *url);

static void closed(dx_conn *c, const dx_err *why)
{
    it.closes++;
    it.why = *why;
    dx_fetch_info_of(c, &it.info);
    snprintf(it.url, sizeof it.url, "%s", it.info.url);
    if (it.again-- > 0)
        begin(it.next);
    else
        dx_loop_stop(it.loop);
}

static const dx_handler on = {
    .on_open = opened, .on_data = data, .on_event = event, .on_end = ended, .on_close = closed};

static void begin(const char *path)
{
    char url[200];
    dx_err err = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%s%s", it.port, path);
    CHECK_SAY(dx_fetch(it.loop, url, &on, NULL, it.opts, &err), "%s", err.text);
}

static void set_up(const struct page *pages)
{
    dx_err err;
    memset(&it, 0, sizeof it);
    it.loop = dx_loop_new(&err);
    it.pages = pages;
    dx_listener *s = dx_serve(it.loop, "tcp://127.0.0.1:0", &server, NULL, NULL, &err);
    CHECK(s);
    snprintf(it.port, sizeof it.port, "%s", strrchr(dx_listener_url(s, 0), ':') + 1);
    dx_text_add(&it.log, "", 0);
    dx_text_add(&it.body, "", 0);
}

static void tear_down(void)
{
    dx_loop_free(it.loop);
    dx_text_free(&it.log);
    dx_text_free(&it.body);
}

/* One after the other, `times` of them; what they came to is in `it`. */
static void run(const char *path, const dx_fetch_opts *o, int times)
{
    dx_text_clear(&it.body);
    it.opts = o;
    it.next = path;
    it.again = times - 1;
    begin(path);
    dx_loop_run(it.loop);
}

#define OK                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define TO(status, where) "HTTP/1.1 " status " x\r\nLocation: " where "\r\nContent-Length: 0\r\n\r\n"

TEST(a_connection_is_kept_for_the_next)
{
    static const struct page pages[] = {{"/", OK, ' ', 0}, {0}};
    set_up(pages);
    run("/", NULL, 5);
    CHECK_INT(it.why.code, DX_END);
    CHECK_STR(it.body.p, "hihihihihi");
    CHECK_INT(it.requests, 5);
    CHECK_INT(it.conns, 1);
    CHECK_INT(it.opens, 5);
    CHECK(it.info.reused);
    CHECK_INT(dx_fetch_kept(it.loop), 1);
    CHECK(!strstr(it.log.p, "Connection"));
    tear_down();
}

TEST(one_that_cannot_be_kept_is_not)
{
    static const struct page pages[] = {
        {"/close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", ' ', 0},
        {"/old", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", ' ', 0},
        {"/end", "HTTP/1.1 200 OK\r\n\r\nhi", '.', 0},
        {"/more", OK "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", ' ', 0},
        {"/", OK, ' ', 0},
        {0}};
    static const char *const paths[] = {"/close", "/old", "/end", "/more"};
    for (size_t i = 0; i < 4; i++) {
        set_up(pages);
        run(paths[i], NULL, 1);
        CHECK_SAY(it.why.code == DX_END, "%s: %s", paths[i], it.why.text);
        CHECK_STR(it.body.p, "hi");
        CHECK_SAY(dx_fetch_kept(it.loop) == 0, "%s was kept", paths[i]);
        run("/", NULL, 1);
        CHECK_STR(it.body.p, "hi");
        CHECK_INT(it.conns, 2);
        tear_down();
    }
    set_up(pages);
    run("/", &(dx_fetch_opts){.fresh = true}, 2);
    CHECK_INT(it.conns, 2);
    CHECK(strstr(it.log.p, "Connection: close\r\n"));
    tear_down();
}

static void say_more(dx_conn *c)
{
    static const char more[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    dx_send(c, more, sizeof more - 1, 0);
}

static void answer_and_go_on(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)p;
    (void)n;
    (void)how;
    dx_send(c, OK, strlen(OK), 0);
    if (it.conns == 1)
        dx_after(c, 5, say_more);
}

static void conn_closed(dx_conn *c, const dx_err *why)
{
    (void)c;
    (void)why;
}

static void stop(void *arg)
{
    dx_loop_stop(arg);
}

TEST(what_comes_unasked_on_a_kept_connection_is_no_answer)
{
    static const dx_handler goes_on = {.state_bytes = sizeof(struct asked),
                                       .on_open = server_open,
                                       .on_data = answer_and_go_on,
                                       .on_close = conn_closed};
    dx_err err;
    set_up(NULL);
    dx_listener *s = dx_serve(it.loop, "tcp://127.0.0.1:0", &goes_on, NULL, NULL, &err);
    snprintf(it.port, sizeof it.port, "%s", strrchr(dx_listener_url(s, 0), ':') + 1);
    run("/", NULL, 1);
    CHECK_STR(it.body.p, "hi");
    CHECK_INT(dx_fetch_kept(it.loop), 1);
    for (int i = 0; dx_fetch_kept(it.loop) && i < 4000; i++) {
        dx_loop_after(it.loop, 5, stop, it.loop);
        dx_loop_run(it.loop);
    }
    CHECK_INT(dx_fetch_kept(it.loop), 0);
    run("/", NULL, 1);
    CHECK_STR(it.body.p, "hi");
    CHECK_INT(it.conns, 2);
    tear_down();
}

TEST(the_pool_has_bounds)
{
    static const struct page pages[] = {{"/", OK, ' ', 0}, {0}};
    set_up(pages);
    it.opts = NULL;
    it.again = 0;
    for (int i = 0; i < 12; i++) /* side by side: each needs its own */
        begin("/");
    while (it.closes < 12)
        dx_loop_run(it.loop);
    CHECK_INT(it.conns, 12);
    CHECK_INT(dx_fetch_kept(it.loop), 8);
    dx_fetch_keep(it.loop, 3, 0, 0);
    CHECK_INT(dx_fetch_kept(it.loop), 3);
    dx_fetch_keep(it.loop, 0, 1, 0);
    CHECK_INT(dx_fetch_kept(it.loop), 1);
    dx_fetch_keep(it.loop, -1, 0, 0);
    CHECK_INT(dx_fetch_kept(it.loop), 0);
    run("/", NULL, 2);
    CHECK_INT(it.conns, 14);
    CHECK_INT(dx_fetch_kept(it.loop), 0);
    tear_down();
}

/* The server answers once on each connection and breaks at the second request. */
static void once_only(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct asked *a = dx_state(c);
    (void)p;
    (void)n;
    (void)how;
    if (a->in.n++)
        dx_abort(c);
    else
        dx_send(c, OK, strlen(OK), 0);
}

static void once_closed(dx_conn *c, const dx_err *why)
{
    (void)c;
    (void)why;
}

TEST(a_kept_one_that_broke_is_tried_once_more)
{
    static const dx_handler breaks = {
        .state_bytes = sizeof(struct asked), .on_open = server_open, .on_data = once_only, .on_close = once_closed};
    static const struct {
        dx_fetch_opts o;
        int code, conns;
    } cases[] = {{{0}, DX_END, 2},
                 {{.method = "PUT", .body = {"abc", 3}}, DX_END, 2},
                 {{.method = "POST", .body = {"abc", 3}}, DX_RESET, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dx_err err;
        set_up(NULL);
        dx_listener *s = dx_serve(it.loop, "tcp://127.0.0.1:0", &breaks, NULL, NULL, &err);
        snprintf(it.port, sizeof it.port, "%s", strrchr(dx_listener_url(s, 0), ':') + 1);
        run("/", &cases[i].o, 2);
        CHECK_SAY(it.why.code == cases[i].code, "case %zu: %s", i, it.why.text);
        CHECK_INT(it.conns, cases[i].conns);
        CHECK_INT(it.closes, 2);
        tear_down();
    }
}

TEST(redirects_are_followed_as_their_status_says)
{
    static const struct page pages[] = {{"/301", TO("301", "/to"), ' ', 0},
                                        {"/302", TO("302", "to"), ' ', 0},
                                        {"/303", TO("303", "./x/../to"), ' ', 0},
                                        {"/307", TO("307", "http://127.0.0.1:$/to#insecure"), ' ', 0},
                                        {"/308", TO("308", "//127.0.0.1:$/to"), ' ', 0},
                                        {"/to", OK, ' ', 0},
                                        {0}};
    static const struct {
        const char *path, *method, *then;
    } cases[] = {{"/301", "GET", "GET"},   {"/301", "POST", "GET"}, {"/302", "POST", "GET"},  {"/302", "PUT", "PUT"},
                 {"/303", "POST", "GET"},  {"/303", "PUT", "GET"},  {"/303", "HEAD", "HEAD"}, {"/307", "POST", "POST"},
                 {"/308", "POST", "POST"}, {"/308", "GET", "GET"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool body = !strcmp(cases[i].method, "POST") || !strcmp(cases[i].method, "PUT");
        dx_http_field type = {"Content-Type", "text/plain"};
        dx_fetch_opts o = {.method = cases[i].method, .redirects_max = 5, .fields = &type, .count = body};
        char want[64];
        if (body)
            o.body = (dx_bytes){"abc", 3};
        set_up(pages);
        run(cases[i].path, &o, 1);
        if (!strcmp(cases[i].method, "HEAD")) { /* the server sends a body where there is none */
            tear_down();
            continue;
        }
        CHECK_SAY(it.why.code == DX_END, "%s %s: %s", cases[i].method, cases[i].path, it.why.text);
        CHECK_INT(it.heads, 1);
        CHECK_INT(it.opens, 1);
        CHECK_INT(it.status, 200);
        CHECK_INT(it.conns, 1);
        CHECK_INT(it.info.redirects, 1);
        snprintf(want, sizeof want, "%s /to HTTP/1.1\r\n", cases[i].then);
        char *second = strstr(it.log.p, want);
        CHECK_SAY(second, "%s %s: %s", cases[i].method, cases[i].path, it.log.p);
        bool again = body && strcmp(cases[i].then, "GET") != 0;
        CHECK((strstr(second, "\r\n\r\nabc") != NULL) == again);
        CHECK((strstr(second, "Content-Type") != NULL) == again);
        tear_down();
    }
}

TEST(redirects_that_must_not_be_followed_are_not)
{
    static const struct page pages[] = {{"/file", TO("302", "file:///etc/passwd"), ' ', 0},
                                        {"/ftp", TO("302", "ftp://127.0.0.1/"), ' ', 0},
                                        {"/exec", TO("302", "exec:id"), ' ', 0},
                                        {"/ws", TO("302", "ws://127.0.0.1:$/"), ' ', 0},
                                        {"/loop", TO("302", "/loop"), ' ', 0},
                                        {"/none", "HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n", ' ', 0},
                                        {"/user", TO("302", "http://a:b@127.0.0.1:$/"), ' ', 0},
                                        {0}};
    static const struct {
        const char *path;
        int code, status;
    } cases[] = {{"/file", DX_PROTO, 0}, {"/ftp", DX_PROTO, 0},  {"/exec", DX_PROTO, 0}, {"/ws", DX_PROTO, 0},
                 {"/loop", DX_LIMIT, 0}, {"/none", DX_END, 302}, {"/user", DX_END, 302}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(pages);
        run(cases[i].path, &(dx_fetch_opts){.redirects_max = 5}, 1);
        CHECK_SAY(it.why.code == cases[i].code, "%s: %d %s", cases[i].path, it.why.code, it.why.text);
        CHECK_SAY(it.status == cases[i].status, "%s: %d", cases[i].path, it.status);
        if (cases[i].code == DX_PROTO)
            CHECK_INT(it.why.detail, 302);
        tear_down();
    }
    set_up(pages);
    run("/loop", NULL, 1);
    CHECK_INT(it.status, 302);
    CHECK_INT(it.requests, 1);
    tear_down();
}

TEST(secrets_stay_at_the_place_they_are_for)
{
    static const struct page pages[] = {{"/same", TO("302", "/to"), ' ', 0},
                                        {"/other", TO("302", "http://localhost:$/back"), ' ', 0},
                                        {"/back", TO("302", "http://127.0.0.1:$/to"), ' ', 0},
                                        {"/to", OK, ' ', 0},
                                        {0}};
    static const dx_http_field fields[] = {{"cookie", "a=secret"}, {"X-Mine", "kept"}};
    dx_fetch_opts o = {.redirects_max = 5, .login = "me:canary", .fields = fields, .count = 2};
    set_up(pages);
    run("/same", &o, 1);
    char *second = strstr(it.log.p, "GET /to");
    CHECK(second && strstr(second, "Authorization: Basic bWU6Y2FuYXJ5\r\n") && strstr(second, "secret"));
    tear_down();
    set_up(pages);
    run("/other", &o, 1);
    CHECK_INT(it.status, 200);
    char *there = strstr(it.log.p, "GET /back");
    CHECK(strstr(it.log.p, "Basic bWU6Y2FuYXJ5") < there);
    CHECK(there && !strstr(there, "bWU6") && !strstr(there, "secret"));
    CHECK(strstr(there, "X-Mine: kept") && strstr(there, "GET /to"));
    tear_down();
}

#define GZ_HI "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xc8\xe4\x02\x00\x7a\x7a\x6f\xed\x03\x00\x00\x00"
#define CODED(coding, length, body)                                                                                    \
    "HTTP/1.1 200 OK\r\nContent-Encoding: " coding "\r\nContent-Length: " length "\r\n\r\n" body
#define PAGE(path, coding, length, body)                                                                               \
    {                                                                                                                  \
        path, CODED(coding, length, body), ' ', sizeof(CODED(coding, length, body)) - 1                                \
    }

TEST(bodies_are_decoded_or_it_is_said_why_not)
{
    static const struct page pages[] = {
        PAGE("/gzip", "gzip", "23", GZ_HI),
        PAGE("/two", "gzip", "46", GZ_HI GZ_HI),
        PAGE("/raw", "deflate", "5", "\xcb\xc8\xe4\x02\x00"),
        PAGE("/zlib", "deflate", "11", "\x78\x9c\xcb\xc8\xe4\x02\x00\x02\x17\x00\xdc"),
        PAGE("/cut", "gzip", "20", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xc8\xe4\x02\x00\x7a\x7a\x6f\xed\x03"),
        PAGE("/bad", "gzip", "5", "hello"),
        PAGE("/tail", "gzip", "24", GZ_HI "x"),
        PAGE("/what", "xz", "1", "x"),
        PAGE("/stack", "gzip, br", "1", "x"),
        PAGE("/empty", "gzip", "0", ""),
        PAGE("/plain", "identity", "3", "hi\n"),
        {0}};
    static const struct {
        const char *path;
        int code;
        const char *body;
    } cases[] = {{"/gzip", DX_END, "hi\n"},   {"/two", DX_END, "hi\nhi\n"},   {"/raw", DX_END, "hi\n"},
                 {"/zlib", DX_END, "hi\n"},   {"/cut", DX_TRUNCATED, "hi\n"}, {"/bad", DX_PROTO, ""},
                 {"/tail", DX_PROTO, "hi\n"}, {"/what", DX_PROTO, ""},        {"/stack", DX_PROTO, ""},
                 {"/empty", DX_END, ""},      {"/plain", DX_END, "hi\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int rests = 0; rests < 2; rests++) {
            set_up(pages);
            it.rests = rests;
            run(cases[i].path, &(dx_fetch_opts){.decode = true}, 1);
            CHECK_SAY(it.why.code == cases[i].code, "%s: %d %s", cases[i].path, it.why.code, it.why.text);
            CHECK_SAY(!strcmp(it.body.p, cases[i].body), "%s: '%s'", cases[i].path, it.body.p);
            CHECK_INT(it.ends, cases[i].code == DX_END);
            CHECK(strstr(it.log.p, "Accept-Encoding: gzip, deflate, br, zstd\r\n"));
            tear_down();
        }
    set_up(pages);
    run("/gzip", NULL, 1);
    CHECK_INT(it.body.n, 23);
    CHECK(!strstr(it.log.p, "Accept-Encoding"));
    tear_down();
}

TEST(a_body_over_its_limit_is_broken_off)
{
    static const struct page pages[] = {PAGE("/gzip", "gzip", "23", GZ_HI), {"/", OK, ' ', 0}, {0}};
    set_up(pages);
    run("/gzip", &(dx_fetch_opts){.decode = true, .body_bytes_max = 2}, 1);
    CHECK_INT(it.why.code, DX_BIG);
    CHECK_INT(it.body.n, 0);
    run("/", &(dx_fetch_opts){.body_bytes_max = 2}, 1);
    CHECK_INT(it.why.code, DX_END);
    run("/", &(dx_fetch_opts){.body_bytes_max = 1}, 1);
    CHECK_INT(it.why.code, DX_BIG);
    CHECK_INT(dx_fetch_kept(it.loop), 0);
    tear_down();
}

static void send_abc(dx_conn *c)
{
    CHECK_INT(dx_http_request(c, "GET", NULL, NULL, 0, 0), DX_STATE);
    CHECK_INT(dx_send(c, "abc", 3, DX_LAST), 0);
    CHECK_INT(dx_send(c, "d", 1, 0), DX_STATE);
}

TEST(a_body_that_is_sent_goes_again_where_a_redirect_keeps_it)
{
    static const struct page pages[] = {{"/307", TO("307", "/to"), ' ', 0}, {"/to", OK, ' ', 0}, {0}};
    static const dx_handler sends = {.on_open = send_abc, .on_event = event, .on_close = closed};
    static const int64_t lengths[] = {3, -1};
    for (size_t i = 0; i < 2; i++) {
        char url[100];
        set_up(pages);
        snprintf(url, sizeof url, "http://127.0.0.1:%s/307", it.port);
        CHECK(dx_fetch(it.loop, url, &sends, NULL, &(dx_fetch_opts){.length = lengths[i], .redirects_max = 1}, NULL));
        dx_loop_run(it.loop);
        CHECK_SAY(it.why.code == DX_END, "%s", it.why.text);
        CHECK_INT(it.status, 200);
        char *second = strstr(it.log.p, "POST /to");
        CHECK(second && strstr(second, lengths[i] < 0 ? "3\r\nabc\r\n0\r\n\r\n" : "\r\n\r\nabc"));
        tear_down();
    }
}

TEST(an_http_url_goes_to_its_proxy_whole)
{
    static const struct page pages[] = {{"/x?y", OK, ' ', 0}, {0}};
    char proxy[64];
    set_up(pages);
    snprintf(proxy, sizeof proxy, "http://p:%%77@127.0.0.1:%s", it.port);
    it.opts = &(dx_fetch_opts){.proxy = proxy};
    for (int i = 0; i < 2; i++) {
        CHECK(dx_fetch(it.loop, i ? "http://b.invalid/x?y" : "http://a.invalid/x?y#ttl=9", &on, NULL, it.opts, NULL));
        dx_loop_run(it.loop);
        CHECK_SAY(it.why.code == DX_END, "%s", it.why.text);
    }
    CHECK(strstr(it.log.p, "GET http://a.invalid/x?y HTTP/1.1\r\nHost: a.invalid\r\n"));
    CHECK(strstr(it.log.p, "Proxy-Authorization: Basic cDp3\r\n"));
    tear_down();
}

/* For names there is a proxy, for addresses none. */
static const char *proxy_for_names(void *arg, const char *url)
{
    static char gone[80]; /* its text is copied */
    dx_text_add(arg, url, strlen(url));
    dx_text_add(arg, " ", 1);
    snprintf(gone, sizeof gone, "p:w@127.0.0.1:%s", it.port);
    return strstr(url, "invalid") ? gone : NULL;
}

TEST(a_proxy_is_chosen_for_each_url_on_the_way)
{
    static const struct page pages[] = {{"/a", TO("302", "http://b.invalid/b"), ' ', 0},
                                        {"/b", TO("302", "http://127.0.0.1:$/c"), ' ', 0},
                                        {"/c", TO("302", "/d"), ' ', 0},
                                        {"/d", OK, ' ', 0},
                                        {0}};
    char want[200];
    dx_text urls = {0};
    set_up(pages);
    dx_fetch_opts o = {
        .proxy = "http://not.asked.invalid", .proxy_for = proxy_for_names, .proxy_arg = &urls, .redirects_max = 9};
    CHECK(dx_fetch(it.loop, "http://a.invalid/a", &on, NULL, &o, NULL));
    dx_loop_run(it.loop);
    CHECK_SAY(it.why.code == DX_END, "%s", it.why.text);
    CHECK_INT(it.status, 200);
    snprintf(want, sizeof want, "http://a.invalid/a http://b.invalid/b http://127.0.0.1:%s/c http://127.0.0.1:%s/d ",
             it.port, it.port);
    CHECK_STR(urls.p, want);
    CHECK(strstr(it.log.p, "GET http://b.invalid/b HTTP/1.1\r\n"));
    char *direct = strstr(it.log.p, "GET /c HTTP/1.1\r\n");
    CHECK(direct && !strstr(direct, "Proxy-Authorization"));
    CHECK_INT(it.conns, 2); /* one to the proxy, kept for both names, and one past it */
    dx_text_free(&urls);
    tear_down();
}

TEST(an_https_url_goes_through_a_tunnel_or_it_is_said_why_not)
{
    static const struct page pages[] = {{":443", "HTTP/1.1 407 no\r\nContent-Length: 0\r\n\r\n", ' ', 0}, {0}};
    char proxy[64];
    set_up(pages);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%s/", it.port);
    CHECK(dx_fetch(it.loop, "https://a.invalid/#insecure", &on, NULL, &(dx_fetch_opts){.proxy = proxy, .login = "a:b"},
                   NULL));
    dx_loop_run(it.loop);
    CHECK_INT(it.why.code, DX_REFUSED);
    CHECK_INT(it.why.detail, 407);
    CHECK_STR(it.log.p, "CONNECT a.invalid:443 HTTP/1.1\r\nHost: a.invalid:443\r\n\r\n");
    tear_down();
}

TEST(what_cannot_be_is_said_at_once)
{
    static const dx_http_field split = {"A", "b\r\nC: d"}, ours = {"Content-Length", "3"};
    static const struct {
        const char *url;
        dx_fetch_opts o;
    } cases[] = {{"tcp://127.0.0.1:1", {0}},
                 {"file:/etc/passwd", {0}},
                 {"http://", {0}},
                 {"http://127.0.0.1:1/", {.method = "G T"}},
                 {"http://127.0.0.1:1/", {.fields = &split, .count = 1}},
                 {"http://127.0.0.1:1/", {.fields = &ours, .count = 1}},
                 {"http://127.0.0.1:1/", {.bearer = "a\r\nb"}},
                 {"http://127.0.0.1:1/", {.proxy = "socks4://127.0.0.1:1"}},
                 {"http://127.0.0.1:1/", {.proxy = "http://a:b@"}},
                 {"http://127.0.0.1:1/", {.proxy = "socks5://:p@127.0.0.1:1"}},
                 {"http://127.0.0.1:1/", {.length = -2}},
                 {"http://127.0.0.1:1/", {.login = "a:b", .bearer = "c"}}};
    set_up(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dx_err err = {0};
        CHECK_SAY(!dx_fetch(it.loop, cases[i].url, &on, NULL, &cases[i].o, &err), "case %zu", i);
        CHECK_SAY(err.code == DX_URL, "case %zu: %s", i, err.text);
    }
    CHECK_INT(it.closes, 0);
    tear_down();
}

TEST(time_can_run_out)
{
    static const struct page pages[] = {{"/", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", ' ', 0}, {0}};
    set_up(pages);
    run("/", &(dx_fetch_opts){.total_ms_max = 50}, 1);
    CHECK_INT(it.why.code, DX_TIMEOUT);
    CHECK_INT(it.ends, 0);
    tear_down();
}

TEST(a_loop_can_be_freed_with_fetches_under_way)
{
    static const struct page pages[] = {
        {"/", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", ' ', 0}, {"/k", OK, ' ', 0}, {0}};
    set_up(pages);
    run("/k", NULL, 1);
    CHECK_INT(dx_fetch_kept(it.loop), 1);
    it.opts = NULL;
    begin("/");
    begin("/k");
    it.again = 1; /* and one that would begin in on_close */
    it.next = "http://nowhere";
    dx_loop_stop(it.loop);
    dx_loop_run(it.loop);
    it.again = 0;
    tear_down();
    CHECK_INT(it.closes, 3);
}

TEST_MAIN
