/* SPDX-License-Identifier: MIT */
#include "codec/http1.h"
#include "codec/http1_scan.h"
#include "test.h"

typedef int64_t head_fn(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret);

/* In memory of its own size, so that a sanitizer sees a read too far. */
static int64_t once(head_fn *fn, const char *text, size_t n, struct http1_head *ret, uint8_t **ret_memory)
{
    size_t scanned = 0;
    uint8_t *p = malloc(n + !n);
    memcpy(p, text, n);
    int64_t got = fn(p, n, &scanned, ret);
    *ret_memory = p;
    return got;
}

static int64_t verdict(head_fn *fn, const char *text)
{
    struct http1_head h;
    uint8_t *p;
    int64_t got = once(fn, text, strlen(text), &h, &p);
    free(p);
    return got;
}

#define CHECK_BYTES(b, text) CHECK_MEM((b).p, (b).n, text, strlen(text))

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
static const char *const good_requests[] = {
    GET "\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\xE4\xBD\xA0?a=\xA1 HTTP/1.1\r\nHost:a\r\nX-Empty:\r\nX: \ta b\t\r\nY: \x80\xFF\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: \r\n\r\n",
    "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
    "POST /up HTTP/1.1\r\nHost: [::1]:2333\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\nhello",
    "POST http://127.0.0.1:2333?x HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    "GET /~r/lobby HTTP/1.1\r\nHost: 127.0.0.1:2333\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
    "x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\n\r\n",
    "GET / HTTP/1.0\r\nExpect: x\r\n\r\n",
    "GET http://a?b HTTP/1.1\r\nHost: a\r\nExpect: ,\r\n\r\n",
    "\r\nPOST / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7.8.9.10]:\r\nContent-Length:\t007 \t\r\n\r\n",
    "CONNECT [::ffff:1.2.3.4]:65535 HTTP/1.1\r\nHost: a%41\r\nContent-Length: 0\r\n\r\n",
    "!#$%&'*+-.^_`|~09azAZ /a/very/long/target/0123456789?with=0123456789-0123456789 HTTP/1.1\r\nHost: a\r\n\r\n",
    GET "!#$%&'*+-.^_`|~09azAZ-0123456789-0123456789-abc: \"quoted, \\t\t( )\"\r\n\r\n",
    "M-SEARCH /a|b^c HTTP/1.9\r\nHost: a_b.c~d:80\r\n\r\n",
    NULL,
};
static const char *const good_responses[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\n\r\n",
    "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "HTTP/1.1 204\r\n\r\n",
    "HTTP/1.1 200 OK\r\nHost: a b\r\nHost: c\r\nExpect: x\r\n\r\n",
    "HTTP/1.1 200 \xE5\xA5\xBD\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nY:\r\n\t\r\n  c \r\nContent-Length: 1\r\n\r\n",
    NULL,
};

static void check_equal(const struct http1_head *a, const struct http1_head *b)
{
    CHECK(a->status == b->status && a->version == b->version && a->length == b->length && a->count == b->count);
    CHECK(a->chunked == b->chunked && a->close == b->close && a->keep_alive == b->keep_alive);
    CHECK(a->expect_continue == b->expect_continue && a->upgrade_ws == b->upgrade_ws);
    CHECK_MEM(a->host.p, a->host.n, b->host.p, b->host.n);
    CHECK_MEM(a->path.p, a->path.n, b->path.p, b->path.n);
    CHECK_MEM(a->query.p, a->query.n, b->query.p, b->query.n);
    for (size_t i = 0; i < a->count; i++) {
        CHECK_MEM(a->fields[i].name.p, a->fields[i].name.n, b->fields[i].name.p, b->fields[i].name.n);
        CHECK_MEM(a->fields[i].value.p, a->fields[i].value.n, b->fields[i].value.p, b->fields[i].value.n);
    }
}

/* First cut bytes, then step more at a time: 0 until the head is whole, then what one call says. */
static void check_cuts(head_fn *fn, const char *text, size_t cut, size_t step)
{
    static struct http1_head whole, h;
    uint8_t *p, *q;
    size_t n = strlen(text), scanned = 0;
    int64_t want = once(fn, text, n, &whole, &p);
    CHECK_SAY(want > 0, "%lld: %s", (long long)want, text);
    CHECK(want >= 4 && !memcmp(text + want - 4, "\r\n\r\n", 4));
    for (size_t k = cut; k < n + step; k += step) {
        size_t have = k < n ? k : n;
        q = malloc(have + !have);
        memcpy(q, text, have);
        int64_t got = fn(q, have, &scanned, &h);
        CHECK_SAY(got == (have < (size_t)want ? 0 : want), "%zu of: %s: %lld", have, text, (long long)got);
        if (got > 0)
            check_equal(&h, &whole);
        free(q);
        if (got > 0)
            break;
    }
    free(p);
}

TEST(a_head_cut_anywhere_reads_the_same)
{
    for (size_t i = 0; good_requests[i]; i++)
        for (size_t cut = 0; cut < strlen(good_requests[i]); cut++) {
            check_cuts(http1_request, good_requests[i], cut, strlen(good_requests[i]));
            check_cuts(http1_request, good_requests[i], cut, 1 + cut % 7);
        }
    for (size_t i = 0; good_responses[i]; i++)
        for (size_t cut = 0; cut < strlen(good_responses[i]); cut++) {
            check_cuts(http1_response, good_responses[i], cut, strlen(good_responses[i]));
            check_cuts(http1_response, good_responses[i], cut, 1);
        }
}

TEST(a_request_is_taken_apart)
{
    struct http1_head h;
    uint8_t *p;
    const char *s = good_requests[3];
    CHECK_INT(once(http1_request, s, strlen(s), &h, &p), strlen(s));
    CHECK_BYTES(h.method, "GET");
    CHECK_BYTES(h.target, "/\xE4\xBD\xA0?a=\xA1");
    CHECK_BYTES(h.path, "/\xE4\xBD\xA0");
    CHECK_BYTES(h.query, "a=\xA1");
    CHECK_BYTES(h.host, "a");
    CHECK_INT(h.version, 11);
    CHECK_INT(h.length, -1);
    CHECK_INT(h.count, 4);
    CHECK_BYTES(http1_get(&h, "x-EMPTY"), "");
    CHECK(http1_get(&h, "x-EMPTY").p);
    CHECK_BYTES(http1_get(&h, "x"), "a b");
    CHECK_BYTES(http1_get(&h, "Y"), "\x80\xFF");
    CHECK(!http1_get(&h, "z").p);
    CHECK(!h.close && !h.chunked && !h.upgrade_ws && !h.expect_continue);
    free(p);

    s = good_requests[6];
    CHECK_INT(once(http1_request, s, strlen(s), &h, &p), strlen(s) - 5);
    CHECK_BYTES(h.host, "[::1]:2333");
    CHECK_INT(h.length, 5);
    CHECK(h.expect_continue && !h.query.p);
    free(p);

    s = good_requests[8];
    CHECK(once(http1_request, s, strlen(s), &h, &p) > 0);
    CHECK(h.upgrade_ws && h.keep_alive && !h.close);
    free(p);
}

TEST(an_absolute_target_is_taken_apart_and_its_host_wins)
{
    static const struct {
        const char *target, *host, *path, *query;
    } t[] = {
        {"http://a.b:80/c?d", "a.b:80", "/c", "d"},
        {"HTTPS://a", "a", "/", NULL},
        {"http://a?q", "a", "/", "q"},
        {"http://[::1]:1/", "[::1]:1", "/", NULL},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[200];
        struct http1_head h;
        uint8_t *p;
        int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: other\r\n\r\n", t[i].target);
        CHECK_INT(once(http1_request, text, (size_t)n, &h, &p), n);
        CHECK_BYTES(h.host, t[i].host);
        CHECK_BYTES(h.path, t[i].path);
        CHECK(!h.query.p == !t[i].query);
        if (t[i].query)
            CHECK_BYTES(h.query, t[i].query);
        free(p);
    }
}

TEST(a_response_is_taken_apart)
{
    struct http1_head h;
    uint8_t *p;
    const char *s = good_responses[1];
    CHECK_INT(once(http1_response, s, strlen(s), &h, &p), strlen(s));
    CHECK_INT(h.status, 404);
    CHECK_INT(h.version, 10);
    CHECK_BYTES(h.reason, "Not Found");
    CHECK(h.close);
    free(p);
    s = good_responses[3];
    CHECK_INT(once(http1_response, s, strlen(s), &h, &p), strlen(s));
    CHECK_INT(h.reason.n, 0);
    free(p);
}

TEST(who_keeps_the_connection)
{
    static const struct {
        const char *version, *connection;
        bool close;
    } t[] = {{"1.1", "x", false},          {"1.1", "close", true},
             {"1.1", "foo, Close", true},  {"1.1", ", close ,,", true},
             {"1.1", ",", false},          {"1.0", "x", true},
             {"1.0", "Keep-Alive", false}, {"1.0", "keep-alive, close", true},
             {"1.1", "xclose", false},     {"1.1", "close x", false}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[200];
        struct http1_head h;
        uint8_t *p;
        int n = snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: a\r\nConnection: %s\r\n\r\n", t[i].version,
                         t[i].connection);
        CHECK_INT(once(http1_request, text, (size_t)n, &h, &p), n);
        free(p);
        CHECK_SAY(h.close == t[i].close, "%s %s", t[i].version, t[i].connection);
    }
}

TEST(folds_of_a_response_become_one_blank)
{
    static const struct {
        const char *fields, *x, *y;
    } t[] = {
        {"X: a\r\n b\r\nY: c\r\n", "a b", "c"},    {"X: a \t \r\n \t b\r\nY: c\r\n", "a b", "c"},
        {"X:\r\n a\r\nY:\r\n\tc\r\n", "a", "c"},   {"X: a\r\n \r\n \r\n b\r\n\tc \r\nY: c\r\n \r\n", "a b c", "c"},
        {"X:\r\n \r\nY: \r\n \r\n\t\r\n", "", ""}, {"X: a\t b\r\nY: c  d\r\n Z: e\r\n", "a\t b", "c  d Z: e"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[200];
        struct http1_head h;
        uint8_t *p;
        int n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%sContent-Length: 7\r\n\r\n", t[i].fields);
        CHECK_INT(once(http1_response, text, (size_t)n, &h, &p), n);
        CHECK_INT(h.count, 3);
        CHECK_INT(h.length, 7);
        http1_unfold(&h, p);
        CHECK_BYTES(http1_get(&h, "X"), t[i].x);
        CHECK_BYTES(http1_get(&h, "Y"), t[i].y);
        CHECK_BYTES(http1_get(&h, "Content-Length"), "7");
        CHECK(!h.folded);
        free(p);
    }
}

TEST(a_2xx_to_connect_has_no_body_to_frame)
{
    static const char *const fine[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                                       "HTTP/1.0 200 OK\r\nTransfer-Encoding: x\r\nContent-Length: x\r\n\r\n",
                                       "HTTP/1.1 299 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        struct http1_head h;
        uint8_t *p;
        CHECK_INT(once(http1_tunnel_response, fine[i], strlen(fine[i]), &h, &p), strlen(fine[i]));
        free(p);
        CHECK(h.length == -1 && !h.chunked);
        CHECK(verdict(http1_response, fine[i]) < 0);
    }
    CHECK_INT(verdict(http1_tunnel_response, "HTTP/1.1 200 OK\r\nX : y\r\n\r\n"), -400);
    CHECK_INT(verdict(http1_tunnel_response, "HTTP/1.1 407 no\r\nContent-Length: x\r\n\r\n"), -400);
    CHECK_INT(verdict(http1_tunnel_response, "HTTP/1.1 199 no\r\nContent-Length: x\r\n\r\n"), -400);
}

/* ---- each of the 256 bytes where it may and where it may not stand, by the grammar and not by our tables ---- */

static bool digit(int c)
{
    return c >= '0' && c <= '9';
}
static bool tchar(int c)
{
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}
static bool of_name(int c) /* X: y becomes X:: y */
{
    return tchar(c) || c == ':';
}
static bool of_value(int c)
{
    return c == '\t' || (c >= ' ' && c != 0x7F);
}
static bool of_target(int c)
{
    return c > ' ' && c != 0x7F && !strchr("\"#<>", c);
}
static bool of_host(int c)
{
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("-._~!$&'()*+,;=", c));
}
static bool of_authority(int c) /* or it ends there */
{
    return of_host(c) || c == '/' || c == '?';
}
static bool blank(int c)
{
    return c == ' ' || c == '\t';
}
static bool space(int c)
{
    return c == ' ';
}
static bool cr(int c)
{
    return c == '\r';
}
static bool lf(int c)
{
    return c == '\n';
}
static bool none(int c)
{
    (void)c;
    return false;
}

TEST(every_byte_in_every_place_is_judged_by_the_grammar)
{
    static const struct {
        head_fn *fn;
        const char *before, *after;
        bool (*may)(int c);
    } t[] = {
        {http1_request, "G", "T / HTTP/1.1\r\nHost: a\r\n\r\n", tchar},
        {http1_request, "GET", "/ HTTP/1.1\r\nHost: a\r\n\r\n", space},
        {http1_request, "GET /", "b HTTP/1.1\r\nHost: a\r\n\r\n", of_target},
        {http1_request, "GET /012345678901234567890", "2 HTTP/1.1\r\nHost: a\r\n\r\n", of_target},
        {http1_request, "GET /", "HTTP/1.1\r\nHost: a\r\n\r\n", space},
        {http1_request, "GET / HTTP/1.", "\r\nHost: a\r\n\r\n", digit},
        {http1_request, "GET / HTTP/1.1", "\nHost: a\r\n\r\n", cr},
        {http1_request, "GET / HTTP/1.1\r", "Host: a\r\n\r\n", lf},
        {http1_request, "GET / HTTP/1.1", "\r\nHost: a\r\n\r\n", none},
        {http1_request, GET "X", ": y\r\n\r\n", of_name},
        {http1_request, GET "0123456789-abcdef", "ghi: y\r\n\r\n", of_name},
        {http1_request, GET, "X: y\r\n\r\n", tchar},
        {http1_request, GET "X: ", "\r\n\r\n", of_value},
        {http1_request, GET "X: 0123456789abcdef", "h\r\n\r\n", of_value},
        {http1_request, GET "X: y", "\n\r\n", cr},
        {http1_request, GET "X: y\r", "\r\n", lf},
        {http1_request, GET, "\n\n", cr},
        {http1_request, GET "\r", "\n", lf},
        {http1_request, "GET / HTTP/1.1\r\nHost: a", "b\r\n\r\n", of_host},
        {http1_request, "GET http://a", "b/ HTTP/1.1\r\nHost: a\r\n\r\n", of_authority},
        {http1_request, "GET / HTTP/1.1\r\nHost: a:8", "0\r\n\r\n", digit},
        {http1_request, GET "Content-Length: 1", "2\r\n\r\n", digit},
        {http1_request, GET "Transfer-Encoding: chunked", "\r\n\r\n", blank},
        {http1_request, GET "Transfer-Encoding:", "chunked\r\n\r\n", blank},
        {http1_response, "HTTP/1.1", "200 OK\r\n\r\n", space},
        {http1_response, "HTTP/1.1 2", "0 OK\r\n\r\n", digit},
        {http1_response, "HTTP/1.1 200", "OK\r\n\r\n", space},
        {http1_response, "HTTP/1.1 200 a", "b\r\n\r\n", of_value},
        {http1_response, "HTTP/1.1 200 OK\r\nX: a", "b\r\n\r\n", of_value},
        {http1_response, "HTTP/1.1 200 OK\r\nX: a\r\n ", "b\r\n\r\n", of_value},
        {http1_response, "HTTP/1.1 200 OK\r\nX", ": a\r\n\r\n", of_name},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int c = 0; c < 256; c++) {
            char text[200];
            struct http1_head h;
            uint8_t *p;
            int k = snprintf(text, sizeof text, "%s%c%s", t[i].before, c ? c : '?', t[i].after);
            text[strlen(t[i].before)] = (char)c;
            int64_t got = once(t[i].fn, text, (size_t)k, &h, &p);
            free(p);
            if (t[i].may(c))
                CHECK_SAY(got > 0, "%s<%02x>%s: %lld", t[i].before, c, t[i].after, (long long)got);
            else
                CHECK_SAY(got == -400 || (got == 0 && c == '\n'), "%s<%02x>%s: %lld", t[i].before, c, t[i].after,
                          (long long)got);
        }
}

TEST(breaches_of_a_request_get_their_status)
{
    static const struct {
        int64_t want;
        const char *text;
    } t[] = {
        /* the request line */
        {-400, "GET /\r\n"},
        {-400, "GET  / HTTP/1.1\r\n"},
        {-400, "GET / HTTP/1.1 \r\n"},
        {-400, "GET /  HTTP/1.1\r\n"},
        {-400, "GET\t/ HTTP/1.1\r\n"},
        {-400, " GET / HTTP/1.1\r\n"},
        {-400, "GET / HTTP/1.1\n"},
        {-400, "\nGET / HTTP/1.1\r\n"},
        {-400, "G(T / HTTP/1.1\r\n"},
        {-400, "GET / http/1.1\r\n"},
        {-400, "GET / HTTP/1\r\n"},
        {-400, "GET / HTTP/11\r\n"},
        {-400, "GET / HTTP/1.11\r\n"},
        {-400, "GET / HTTP/1.1\rX\n"},
        {-400, "GET /a b HTTP/1.1\r\n"},
        {-400, "GET /\x01 HTTP/1.1\r\n"},
        {-400, "GET /\x7F HTTP/1.1\r\n"},
        {-400, "GET /a#b HTTP/1.1\r\n"},
        {-400, "GET /\"<> HTTP/1.1\r\n"},
        {-400, "GET a HTTP/1.1\r\n"},
        {-400, "GET * HTTP/1.1\r\n"},
        {-400, "GET a:80 HTTP/1.1\r\n"},
        {-400, "GET ftp://a/ HTTP/1.1\r\n"},
        {-400, "GET http:///x HTTP/1.1\r\n"},
        {-400, "GET http://u@a/ HTTP/1.1\r\n"},
        {-400, "GET http://a:99999/ HTTP/1.1\r\n"},
        {-400, "CONNECT / HTTP/1.1\r\n"},
        {-400, "CONNECT a HTTP/1.1\r\n"},
        {-400, "CONNECT a: HTTP/1.1\r\n"},
        {-400, "CONNECT :1 HTTP/1.1\r\n"},
        {-505, "GET / HTTP/2.0\r\n"},
        {-505, "GET / HTTP/0.9\r\n"},
        {-505, "PRI * HTTP/2.0\r\n"},
        {-501, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n"},
        {-400, "\x16\x03\x01\n"},
        {-400, "\r\n\r\n\r\nGET / HTTP/1.1\r\n"},
        {-400, "\r\n\n"},
        {-400, "\rGET / HTTP/1.1\r\n"},
        {-400, "GET / HTTP/1.1\r\r\n"},
        {-400, "GET / HTTP/1.1\x0B\r\n"},
        {-400, "GET / HTTP/1 .1\r\n"},
        {-400, "GET / HTTP/01.1\r\n"},
        {-400, "GET / HTTP/1.01\r\n"},
        {-400, "GET / HTTP/\r\r1.1\r\n"},
        {-400, "GET / HTTP/4294967295.255\r\n"},
        {-400, "GET / HTTP/1.1, GET / HTTP/1.1\r\n"},
        {-400, "GET / ICE/1.0\r\n"},
        {-400, "GET / XHTTP/1.1\r\n"},
        {-400, "GET HTTP/1.1\r\n"},
        {-400, "GET\r\n"},
        {-400, "HTTP/1.1 200 OK\r\n"},
        {-400, "GET,/,HTTP/1.1\r\n"},
        {-400, "GET\x0B/ HTTP/1.1\r\n"},
        {-400, "GET / \x0CHTTP/1.1\r\n"},
        {-400, "GET /\nHTTP/1.1\r\n"},
        {-400, "GET /\rX HTTP/1.1\r\n"},
        {-400, "GET ! HTTP/1.1\r\n"},
        {-400, "GET //[ HTTP/1.1 x\r\n"},
        {-400, "GET ?a HTTP/1.1\r\n"},
        {-400, "POST * HTTP/1.1\r\n"},
        {-400, "OPTIONS ** HTTP/1.1\r\n"},
        {-400, "GET http://a#b HTTP/1.1\r\n"},
        {-400, "GET http://:80/ HTTP/1.1\r\n"},
        {-400, "GET http://a:b/ HTTP/1.1\r\n"},
        {-400, "GET http:/a HTTP/1.1\r\n"},
        {-400, "GET http://[::1/ HTTP/1.1\r\n"},
        {-400, "GET https:// HTTP/1.1\r\n"},
        {-400, "CONNECT a:0 HTTP/1.1\r\n"},
        {-400, "CONNECT a:65536 HTTP/1.1\r\n"},
        {-400, "CONNECT http://a:80 HTTP/1.1\r\n"},
        {-400, "CONNECT a:80/x HTTP/1.1\r\n"},
        {-400, "CONNECT u@a:80 HTTP/1.1\r\n"},
        {-400, "CONNECT * HTTP/1.1\r\n"},
        {-400, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 1\r\n\r\n"},
        {-400, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {-505, "GET / HTTP/3.1\r\n"},
        /* fields */
        {-400, GET "X : y\r\n"},
        {-400, GET "X\r\n"},
        {-400, GET ": y\r\n"},
        {-400, GET "X: y\n"},
        {-400, GET "X: y\r\r\n"},
        {-400, GET "X: y\rz\r\n"},
        {-400, GET "X: y\r\n z\r\n"},
        {-400, GET "X: y\r\n\tz\r\n"},
        {-400, "GET / HTTP/1.1\r\n Host: a\r\n"},
        {-400, GET "X: \x01\r\n"},
        {-400, GET "X: \x1B\r\n"},
        {-400, GET "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x7F\r\n"},
        {-400, GET "X\x80: y\r\n"},
        {-400, GET "X/Y: y\r\n"},
        {-400, GET "\n"},
        {-400, GET "\rX\n"},
        {-400, GET "\xEFoo: y\r\n"},
        {-400, GET "X\x85: y\r\n"},
        {-400, GET "Fo@: y\r\n"},
        {-400, GET "X[: y\r\n"},
        {-400, GET "X\t: y\r\n"},
        {-400, GET "X\r: y\r\n"},
        {-400, GET "Content-Length 10\r\n"},
        {-400, GET "X\r\n : y\r\n"},
        {-400, GET "Transfer-\r\nEncoding: chunked\r\n"},
        {-400, GET ":\r\n"},
        {-400, GET "X:\n\nY: z\r\n"},
        {-400, GET "X:\rY: z\r\n"},
        {-400, GET "X: y\nY: z\r\n"},
        {-400, GET "X: y\r Y: z\r\n"},
        {-400, GET "X: \x0B\r\n"},
        {-400, GET "X: 0123456789\x08\r\n"},
        {-400, GET "\r\r\n"},
        {-400, GET " \r\n"},
        {-417, GET "Expect: 101-continue\r\n\r\n"},
        {-417, GET "Expect: 100-continue, x\r\n\r\n"},
        {-417, GET "Expect: 100-continue\r\nExpect: x\r\n\r\n"},
        {-417, GET "Expect: 100-continue;a=b\r\n\r\n"},
        {-400, GET "Expect: x\r\nTransfer-Encoding: x\r\n\r\n"},
        /* host */
        {-400, "GET / HTTP/1.1\r\n\r\n"},
        {-400, GET "Host: a\r\n"},
        {-400, "GET http://a/ HTTP/1.1\r\n\r\n"},
        {-400, "GET http://a/ HTTP/1.1\r\nHost: b/c\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: :80\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a, b\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: http://a\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a?b\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a#b\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a%zz\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a%4\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a:8:0\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a:080000\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: ::1\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: [a.b]\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: [1]\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a\\b\r\n"},
        {-400, "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a b\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a/b\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: u@a\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a:b\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: a:65536\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: [::1\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: [::1]x\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: []\r\n"},
        {-400, "GET / HTTP/1.1\r\nHost: \xE4\xBD\xA0\r\n"},
        /* the body's length */
        {-400, GET "Content-Length: \r\n"},
        {-400, GET "Content-Length: +5\r\n"},
        {-400, GET "Content-Length: -5\r\n"},
        {-400, GET "Content-Length: 5 5\r\n"},
        {-400, GET "Content-Length: 5,5\r\n"},
        {-400, GET "Content-Length: 0x5\r\n"},
        {-400, GET "Content-Length: 5\r\nContent-Length: 6\r\n"},
        {-400, GET "Content-Length: 5\r\nContent-Length: 5\r\n"},
        {-400, GET "Content-Length: 0\r\nContent-Length: 0\r\n"},
        {-400, GET "Content-Length: \r\nContent-Length: 5\r\n"},
        {-400, GET "Content-Length: 5, 5\r\n"},
        {-400, GET "Content-Length: 5,\r\n"},
        {-400, GET "Content-Length: 1_0\r\n"},
        {-400, GET "Content-Length: 1Z\r\n"},
        {-400, GET "Content-Length: 5;a\r\n"},
        {-400, GET "Content-Length: 5.0\r\n"},
        {-400, GET "Content-Length: 1e2\r\n"},
        {-400, GET "Content-Length: \"5\"\r\n"},
        {-400, GET "Content-Length: 5\xA0\r\n"},
        {-400, GET "Content-Length\xA0: 5\r\n"},
        {-413, GET "Content-Length: 18446744073709551617\r\n"},
        {-413, GET "Content-Length: 99999999999999999999999999999999\r\n"},
        {-400, "GET / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {-413, GET "Content-Length: 9223372036854775808\r\n"},
        {-400, GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {-400, GET "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
        {-400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {-400, GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
        {-400, GET "Transfer-Encoding: chunked, chunked\r\n"},
        {-400, GET "Transfer-Encoding: chunked, gzip\r\n"},
        {-400, GET "Transfer-Encoding: gzip\r\n\r\n"},
        {-400, GET "Transfer-Encoding: identity\r\n\r\n"},
        {-400, GET "Transfer-Encoding: xchunked\r\n\r\n"},
        {-400, GET "Transfer-Encoding: chunked;a=b\r\n\r\n"},
        {-400, GET "Transfer-Encoding: \"chunked\"\r\n\r\n"},
        {-400, GET "Transfer-Encoding: ,chunked\r\n"},
        {-400, GET "Transfer-Encoding: \r\n"},
        {-400, GET "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {-400, GET "Transfer-Encoding : chunked\r\n"},
        {-400, GET "Transfer-Encoding: \x0B"
                   "chunked\r\n"},
        {-400, GET "Transfer-Encoding: \xA0"
                   "chunked\r\n\r\n"},
        {-400, GET "Transfer-Encoding: chunkedchunked\r\n\r\n"},
        {-400, GET "Transfer-Encoding: chunked,\r\n"},
        {-400, GET "Transfer-Encoding: chunked, identity\r\n"},
        {-400, GET "Transfer-Encoding: chunked chunked\r\n\r\n"},
        {-400, GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"},
        {-400, GET "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {-400, GET "Transfer-Encoding:\r\n chunked\r\n"},
        {-400, GET "Transfer-Encoding: chunked\r\n , gzip\r\n"},
        {-501, GET "Transfer-Encoding: gzip, chunked\r\n\r\n"},
        {-501, GET "Transfer-Encoding: identity, chunked\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        size_t n = strlen(t[i].text), scanned = 0;
        struct http1_head h;
        int64_t got = verdict(http1_request, t[i].text);
        CHECK_SAY(got == t[i].want, "%lld: %s", (long long)got, t[i].text);
        got = 0;
        for (size_t k = 0; k <= n && got == 0; k++) /* and no other when it comes byte by byte */
            got = http1_request((const uint8_t *)t[i].text, k, &scanned, &h);
        CHECK_SAY(got == t[i].want, "byte by byte %lld: %s", (long long)got, t[i].text);
    }
}

TEST(breaches_of_a_response_are_refused)
{
    static const char *const t[] = {
        "HTTP/1.1\r\n",
        "HTTP/1.1 \r\n",
        "HTTP/1.1 20\r\n",
        "HTTP/1.1 2000\r\n",
        "HTTP/1.1 099 x\r\n",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/2.0 200 OK\r\n",
        "HTTP 200 OK\r\n",
        "HTTP/1.1 200 OK\n",
        "HTTP/1.1 200 \x01\r\n",
        "http/1.1 200 OK\r\n",
        "HTTP/1.1 2x0 OK\r\n",
        "ICY 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 6\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n 6\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n , gzip\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-ENCODING:\r\n\tchunked\r\n",
        "HTTP/1.1 200 OK\r\nConnection: x,\r\n close\r\n",
        "HTTP/1.1 200 OK\r\nUpgrade: x,\r\n websocket\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n \x01\r\n",
        "HTTP/1.1 200 OK\r\nX: a\n b\r\n",
        "\r\n\r\n\r\nHTTP/1.1 200 OK\r\n",
        "\rHTTP/1.1 200 OK\r\n",
        " HTTP/1.1 200 OK\r\n",
        "HTP/1.1 200 OK\r\n",
        "HTTP/01.1 200 OK\r\n",
        "HTTP/11.1 200 OK\r\n",
        "HTTP/1.01 200 OK\r\n",
        "HTTP/1.1\t200 OK\r\n",
        "HTTP/1.1 2 OK\r\n",
        "HTTP/1.1 +20 OK\r\n",
        "HTTP/1.1 200\tOK\r\n",
        "HTTP/1.1 200OK\r\n",
        "HTTP/1.1 200 O\rK\r\n",
        "HTTP/1.1 200 OK\rX: y\r\n",
        "HTTP/1.1 200 OK\r\n X: y\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n",
        "HTTP/1.1 200 OK\r\nX: 1\rY: 2\r\n",
        "HTTP/1.1 200 OK\r\nX: 1\nY: 2\r\n",
        "HTTP/1.1 200 OK\r\n: y\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int64_t got = verdict(http1_response, t[i]);
        CHECK_SAY(got == -400 || got == -501 || got == -505, "%lld: %s", (long long)got, t[i]);
    }
}

static size_t make(char *to, size_t target_n, size_t fields, size_t value_n)
{
    char *s = to;
    s += sprintf(s, "GET /");
    memset(s, 'a', target_n - 1);
    s += target_n - 1;
    s += sprintf(s, " HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 1; i < fields; i++) {
        s += sprintf(s, "X: ");
        memset(s, 'b', value_n);
        s += value_n;
        s += sprintf(s, "\r\n");
    }
    return (size_t)(s + sprintf(s, "\r\n") - to);
}

TEST(limits_hold_to_the_byte)
{
    static char text[70000];
    static struct http1_head h;
    static const struct {
        size_t target_n, fields, value_n;
        int64_t want; /* 1: the length */
    } t[] = {
        {HTTP1_TARGET_MAX, 2, 1, 1},    {HTTP1_TARGET_MAX + 1, 2, 1, -414},  {HTTP1_TARGET_MAX * 2, 2, 1, -414},
        {1, HTTP1_FIELDS_MAX, 10, 1},   {1, HTTP1_FIELDS_MAX + 1, 10, -431}, {1, 2, HTTP1_HEAD_MAX, -431},
        {1, 2, HTTP1_HEAD_MAX - 32, 1}, {1, 2, HTTP1_HEAD_MAX - 31, -431},   {40000, 2, 1, -414},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        size_t n = make(text, t[i].target_n, t[i].fields, t[i].value_n);
        for (size_t step = n; step > 0; step = step == n ? 1009 : step == 1009 ? 1 : 0) {
            size_t scanned = 0, k = 0;
            int64_t got = 0;
            while (got == 0 && k < n) {
                k = k + step < n ? k + step : n;
                got = http1_request((const uint8_t *)text, k, &scanned, &h);
            }
            int64_t want = t[i].want == 1 ? (int64_t)n : t[i].want;
            CHECK_SAY(got == want, "case %zu by %zu: %lld of %zu", i, step, (long long)got, n);
        }
    }
}

TEST(a_head_that_never_ends_is_refused)
{
    static char text[HTTP1_HEAD_MAX + 1];
    static struct http1_head h;
    size_t scanned = 0;
    memset(text, 'A', sizeof text);
    CHECK_INT(http1_request((const uint8_t *)text, 8000, &scanned, &h), 0);
    CHECK_INT(http1_request((const uint8_t *)text, sizeof text, &scanned, &h), -414);
    scanned = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "\r\n"[i % 2];
    CHECK_INT(http1_request((const uint8_t *)text, 4, &scanned, &h), 0);
    CHECK_INT(http1_request((const uint8_t *)text, 1000, &scanned, &h), -400);
}

TEST(values_targets_and_names_are_scanned_alike_by_vectors_words_and_bytes)
{
    uint8_t text[64];
    for (int c = 0; c < 256; c++)
        for (size_t n = 0; n < sizeof text; n++)
            for (size_t at = 0; at <= n; at += 1 + n / 16) {
                memset(text, 'a', sizeof text);
                text[at] = (uint8_t)c;
                CHECK_SAY(field_run(text, n) == field_run_bytes(text, n), "byte %d at %zu of %zu", c, at, n);
                CHECK_SAY(field_run_words(text, n) == field_run_bytes(text, n), "byte %d at %zu of %zu", c, at, n);
                CHECK_SAY(target_run(text, n) == target_run_bytes(text, n), "byte %d at %zu of %zu", c, at, n);
                CHECK_SAY(token_run(text, n) == token_run_bytes(text, n), "byte %d at %zu of %zu", c, at, n);
            }
}

TEST_MAIN
