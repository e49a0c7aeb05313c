/* SPDX-License-Identifier: MIT
 * test_http1_ask.c - the head of a request: to the byte, what may not stand in it, and its limits. */
#include "test.h"
#include "codec/http1.h"
#include "net/http1_client.h"

#define AGENT "User-Agent: duplex/0.1.0\r\n"

static struct draft d;

static int write_it(const struct http1_ask *a)
{
    struct http1_ask mine = *a;
    dx_text_free(&d.t);
    d = (struct draft){0};
    mine.host = mine.host ? mine.host : "h";
    mine.target = mine.target ? mine.target : "/";
    return http1_ask_write(&mine, &d);
}

/* What we write, a strict server reads, and to its end. */
static void check_reads(void)
{
    static struct http1_head head;
    size_t scanned = 0;
    CHECK_INT(http1_request((const uint8_t *)d.t.p, d.t.n, &scanned, &head), d.t.n);
    CHECK(head.close);
}

TEST(heads_to_the_byte)
{
    static const dx_http_field type[] = {{"content-type", "a/b"}}, hop[] = {{"te", "trailers"}, {"UPGRADE", "x"}};
    static const dx_http_field fields[] = {{"X-A", "b c"}, {"x-empty", ""}, {"Expect", "100-continue"}},
                               agent[] = {{"user-agent", "mine"}}, host[] = {{"HOST", "other:81"}};
    static const struct {
        struct http1_ask a;
        const char *want;
    } v[] = {
        {{.method = "GET"}, "GET / HTTP/1.1\r\nHost: h\r\n" AGENT "Connection: close\r\n\r\n"},
        {{.method = "HEAD", .target = "/a?b=c&d", .host = "a.example:81"},
         "HEAD /a?b=c&d HTTP/1.1\r\nHost: a.example:81\r\n" AGENT "Connection: close\r\n\r\n"},
        {{.method = "OPTIONS", .target = "*"}, "OPTIONS * HTTP/1.1\r\nHost: h\r\n" AGENT "Connection: close\r\n\r\n"},
        {{.method = "DELETE"}, "DELETE / HTTP/1.1\r\nHost: h\r\n" AGENT "Connection: close\r\n\r\n"},
        {{.method = "TRACE"}, "TRACE / HTTP/1.1\r\nHost: h\r\n" AGENT "Connection: close\r\n\r\n"},
        {{.method = "DELETE", .length = 1},
         "DELETE / HTTP/1.1\r\nHost: h\r\n" AGENT "Content-Length: 1\r\nConnection: close\r\n\r\n"},
        {{.method = "OPTIONS", .length = 5},
         "OPTIONS / HTTP/1.1\r\nHost: h\r\n" AGENT
         "Content-Type: application/octet-stream\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"},
        {{.method = "OPTIONS", .length = 5, .fields = type, .count = 1},
         "OPTIONS / HTTP/1.1\r\nHost: h\r\n" AGENT
         "content-type: a/b\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"},
        {{.method = "GET", .fields = hop, .count = 2},
         "GET / HTTP/1.1\r\nHost: h\r\n" AGENT "te: trailers\r\nUPGRADE: x\r\nConnection: close, TE, Upgrade\r\n\r\n"},
        {{.method = "POST"}, "POST / HTTP/1.1\r\nHost: h\r\n" AGENT "Content-Length: 0\r\nConnection: close\r\n\r\n"},
        {{.method = "POST", .length = -1},
         "POST / HTTP/1.1\r\nHost: h\r\n" AGENT "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"},
        {{.method = "GET", .length = 5},
         "GET / HTTP/1.1\r\nHost: h\r\n" AGENT "Content-Length: 5\r\nConnection: close\r\n\r\n"},
        {{.method = "PUT", .length = INT64_MAX, .fields = fields, .count = 3},
         "PUT / HTTP/1.1\r\nHost: h\r\n" AGENT "X-A: b c\r\nx-empty: \r\nExpect: 100-continue\r\n"
         "Content-Length: 9223372036854775807\r\nConnection: close\r\n\r\n"},
        {{.method = "GET", .fields = agent, .count = 1},
         "GET / HTTP/1.1\r\nHost: h\r\nuser-agent: mine\r\nConnection: close\r\n\r\n"},
        {{.method = "GET", .fields = host, .count = 1},
         "GET / HTTP/1.1\r\n" AGENT "HOST: other:81\r\nConnection: close\r\n\r\n"},
        {{.method = "M-SEARCH", .target = "/\xe4\xbd\xa0?\xff"},
         "M-SEARCH /\xe4\xbd\xa0?\xff HTTP/1.1\r\nHost: h\r\n" AGENT "Content-Length: 0\r\nConnection: close\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        CHECK_INT(write_it(&v[i].a), 0);
        CHECK_STR(d.t.p, v[i].want);
        check_reads();
    }
    CHECK_INT(write_it(&(struct http1_ask){.method = "GET", .fields = hop, .count = 1, .keep = true}), 0);
    CHECK_STR(d.t.p, "GET / HTTP/1.1\r\nHost: h\r\n" AGENT "te: trailers\r\nConnection: TE\r\n\r\n");
    CHECK_INT(write_it(&(struct http1_ask){.method = "GET", .keep = true}), 0);
    CHECK_STR(d.t.p, "GET / HTTP/1.1\r\nHost: h\r\n" AGENT "\r\n");
}

TEST(what_cannot_be_asked_is_refused)
{
    static const dx_http_field f[] = {{"X", "a\nb"},
                                      {"X", "a\rb"},
                                      {"X:", "a"},
                                      {"", "a"},
                                      {NULL, "a"},
                                      {"X", NULL},
                                      {"X\r\nY", "a"},
                                      {" X", "a"},
                                      {"CONTENT-LENGTH", "0"},
                                      {"transfer-encoding", "chunked"},
                                      {"connection", "x"},
                                      {"Expect", "100-Continue"}, /* there is no content to ask for */
                                      {"Expect", "x, 100-continue"},
                                      {"TE", "chunked"},
                                      {"te", "trailers, Chunked;q=0.5"}};
    static const dx_http_field secrets[] = {{"Authorization", "Basic x"}, {"COOKIE", "a=b"}};
    static const dx_http_field hosts[] = {{"Host", "a"}, {"host", "a"}};
    static const char *const methods[] = {"", " ", "GET ", "G\tT", "GET\n", "G:T", "\xc3\xa4", "connect me"},
                             *const targets[] = {"",      "*",   "a",     "?a",        "/ ",   "/\t",
                                                 "/\r\n", "/#a", "/\x7f", "http://a/", "a:80", "//\n"};
    for (size_t i = 0; i < sizeof f / sizeof *f; i++)
        CHECK_SAY(write_it(&(struct http1_ask){.method = "GET", .fields = &f[i], .count = 1}) == DX_URL, "field %zu",
                  i);
    CHECK_INT(write_it(&(struct http1_ask){.method = "GET", .fields = hosts, .count = 2}), DX_URL);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        CHECK_SAY(write_it(&(struct http1_ask){.method = methods[i]}) == DX_URL, "method %zu", i);
    CHECK_INT(write_it(&(struct http1_ask){.method = NULL}), DX_URL);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        CHECK_SAY(write_it(&(struct http1_ask){.method = "GET", .target = targets[i]}) == DX_URL, "target %zu", i);
    for (size_t i = 0; i < 2; i++)
        CHECK_INT(write_it(&(struct http1_ask){.method = "TRACE", .fields = secrets + i, .count = 1}), DX_URL);
    CHECK_INT(write_it(&(struct http1_ask){.method = "TRACE", .length = 1}), DX_URL);
    CHECK_INT(write_it(&(struct http1_ask){.method = "TRACE", .length = -1}), DX_URL);
    CHECK_INT(write_it(&(struct http1_ask){.method = "CONNECT"}), DX_ABSENT);
    CHECK_INT(write_it(&(struct http1_ask){.method = "POST", .length = -2}), DX_URL);
}

/* A string of n bytes; good until the next one. */
static const char *long_text(size_t n)
{
    static char text[40000];
    memset(text, 'a', sizeof text);
    text[0] = '/';
    text[n] = 0;
    return text;
}

TEST(limits_at_one_below_at_and_one_above)
{
    CHECK_INT(write_it(&(struct http1_ask){.method = "GET", .target = long_text(HTTP1_TARGET_MAX)}), 0);
    check_reads();
    CHECK_INT(write_it(&(struct http1_ask){.method = "GET", .target = long_text(HTTP1_TARGET_MAX + 1)}), DX_URL);
    CHECK_INT(write_it(&(struct http1_ask){.method = long_text(32) + 1}), 0);
    CHECK_INT(write_it(&(struct http1_ask){.method = long_text(33) + 1}), 0);
    CHECK_INT(write_it(&(struct http1_ask){.method = long_text(34) + 1}), DX_URL);
    CHECK_INT(write_it(&(struct http1_ask){.method = "GET"}), 0);
    size_t more = HTTP1_HEAD_MAX - d.t.n - strlen("X: \r\n");
    for (int over = -1; over < 2; over++) {
        dx_http_field f = {"X", long_text(more + (size_t)over)};
        CHECK_INT(write_it(&(struct http1_ask){.method = "GET", .fields = &f, .count = 1}), over > 0 ? DX_BIG : 0);
    }
    dx_text_free(&d.t);
}

TEST(host_is_the_url_s_without_a_default_port_or_a_zone)
{
    static const char *const v[][2] = {
        {"http://a.example/x", "a.example"},          {"http://a.example:80", "a.example"},
        {"http://a.example:443", "a.example:443"},    {"https://a.example:443/", "a.example"},
        {"https://a.example:80/", "a.example:80"},    {"ws://a.example:80/", "a.example"},
        {"wss://a.example:443/", "a.example"},        {"wss://a.example:8443/", "a.example:8443"},
        {"http://[::1]:8080/", "[::1]:8080"},         {"http://[::1]/", "[::1]"},
        {"http://[fe80::1%eth0]:81/", "[fe80::1]:81"}};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        struct url u;
        dx_err err = {0};
        CHECK_SAY(url_parse(v[i][0], &u, &err) == 0, "%s", err.text);
        dx_text_free(&d.t);
        d = (struct draft){0};
        draft_host(&d, &u);
        CHECK_INT(d.r, 0);
        CHECK_STR(d.t.p, v[i][1]);
    }
    dx_text_free(&d.t);
}

TEST_MAIN
