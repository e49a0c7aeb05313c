/* SPDX-License-Identifier: MIT
 * test_fetch_memory.c - want of memory in a fetch: the Nth allocation fails, for every N of one that is redirected, decoded, kept and
 * taken again, straight and through proxies. No crash, no leak, each conn has its on_close. */
#include "test.h"
#include "fails.h"
#include <duplex/fetch.h>

static long countdown; /* 0: nothing fails */
static bool failed;

static bool fails(void)
{
    if (!countdown || --countdown)
        return false;
    failed = true;
    return true;
}

static const char gzipped[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xc8\xe4\x02\x00\x7a\x7a\x6f\xed\x03\x00\x00\x00";
static char url[200], proxy[200];
static int begun, ended, whole, left;

static void answer(dx_conn *c)
{
    static const dx_http_field to = {"Location", "/b"}, coded = {"Content-Encoding", "gzip"};
    dx_bytes path = dx_http_path(c);
    if (path.n == 2 && !memcmp(path.p, "/a", 2))
        dx_http_reply(c, 307, NULL, "", 0, &to, 1);
    else
        dx_http_reply(c, 200, "text/plain", gzipped, sizeof gzipped - 1, &coded, 1);
}

static bool begin(dx_loop *l);

static void data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)how;
    whole += n == 3 && !memcmp(p, "hi\n", 3);
    dx_pause(c, true);
    dx_pause(c, false);
}

static void closed(dx_conn *c, const dx_err *why)
{
    CHECK(why->code < 0 && why->text[0]);
    ended++;
    if (left-- <= 0 || !begin(dx_loop_of(c)))
        dx_loop_stop(dx_loop_of(c));
}

/* ---- a proxy: SOCKS 5 with a login, or CONNECT ---- */

static void lead_on(dx_conn *c, const char *says, size_t n)
{
    char to[200];
    snprintf(to, sizeof to, "tcp%.*s", (int)strcspn(url + 7, "/") + 3, url + 4);
    dx_conn *there = dx_connect(dx_loop_of(c), to, NULL, NULL, NULL, NULL);
    if (!there || dx_send(c, says, n, 0) < 0 || dx_relay(c, there) < 0)
        dx_abort(c);
}

static void asked(dx_conn *c, const void *p, size_t n, unsigned how)
{
    int *step = dx_state(c);
    (void)how;
    if (n && *(const char *)p == 'C')
        lead_on(c, "HTTP/1.1 200 OK\r\n\r\n", 19);
    else if (++*step == 3)
        lead_on(c, "\5\0\0\1\0\0\0\0\0\0", 10);
    else
        dx_send(c, *step == 1 ? "\5\2" : "\1\0", 2, 0);
}

static const dx_handler proxying = {.state_bytes = sizeof(int), .on_data = asked};

/* ---- */

static void data_as_it_comes(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)c, (void)p, (void)how;
    whole += n == sizeof gzipped - 1;
}

/* A POST of nothing by CONNECT, said before the tunnel stands. */
static bool begin_exchange(dx_loop *l)
{
    static const dx_handler on = {.on_data = data_as_it_comes, .on_close = closed};
    dx_err err = {0};
    url[strlen(url) - 1] = 'b';
    dx_conn *c = dx_connect(l, url, &on, NULL, &(dx_opts){.proxy = proxy}, &err);
    CHECK_SAY(c || err.code == DX_NOMEM || err.code == DX_SYS, "%d %s", err.code, err.text);
    begun += c != NULL;
    if (c)
        dx_finish(c);
    return c;
}

static bool begin(dx_loop *l)
{
    if (!strncmp(proxy, "http:", 5))
        return begin_exchange(l);
    static const dx_handler on = {.on_data = data, .on_close = closed};
    static const dx_http_field f = {"X-A", "b"};
    const dx_fetch_opts o = {.redirects_max = 3,
                             .decode = true,
                             .fields = &f,
                             .count = 1,
                             .body = {"abc", 3},
                             .method = "PUT",
                             .login = "a:b",
                             .proxy = proxy,
                             .total_ms_max = 2000};
    dx_err err = {0};
    bool works = dx_fetch(l, url, &on, NULL, &o, &err) != NULL;
    CHECK_SAY(works || err.code == DX_NOMEM || err.code == DX_SYS, "%d %s", err.code, err.text);
    begun += works;
    return works;
}

static const dx_handler server = {.on_open = answer};

/* Did an allocation fail? via: the proxy's kind and login; NULL: none. */
static bool one_life(const char *via, long nth)
{
    dx_loop *l = dx_loop_new(NULL);
    dx_listener *s = dx_serve(l, "http://127.0.0.1:0", &server, NULL, NULL, NULL);
    dx_listener *p = dx_serve(l, "tcp://127.0.0.1:0", &proxying, NULL, NULL, NULL);
    CHECK(s && p);
    snprintf(proxy, sizeof proxy, "%s%s", via ? via : "", via ? strstr(dx_listener_url(p, 0), "127.") : "");
    snprintf(url, sizeof url, "%.*s/a", (int)strcspn(dx_listener_url(s, 0) + 7, "/") + 7, dx_listener_url(s, 0));
    begun = ended = whole = 0;
    left = 2;
    failed = false;
    countdown = nth;
    if (begin(l))
        dx_loop_run(l);
    dx_loop_free(l);
    countdown = 0;
    CHECK_SAY(begun == ended, "allocation %ld: %d fetches, %d ends", nth, begun, ended);
    CHECK_SAY(failed || whole == 3, "without a failure %d of 3 bodies came", whole);
    return failed;
}

static void every_life(const char *via)
{
    long nth = 1;
    while (nth < 2000 && one_life(via, nth))
        nth++;
    CHECK_SAY(nth > 50 && nth < 2000, "%ld allocations", nth);
}

TEST(any_allocation_of_a_fetch_may_fail)
{
    every_life(NULL);
}

TEST(any_allocation_may_fail_with_a_proxy)
{
    every_life("socks5h://a:b@");
    every_life("socks5://a:b@");
    every_life("http://a:b@");
}

TEST_MAIN
