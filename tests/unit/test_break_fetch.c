/* SPDX-License-Identifier: MIT
 * Fetches whose servers say anything in any pieces and whose handlers do anything at any moment, by chance from a seed that is printed
 * where it fails: SEED=1 test_break_fetch runs that one, LIVES=10000 more of them. Each conn has its on_close, once and last; nothing is left behind. */
#include "breaker.h"
#include <duplex/fetch.h>
#include <duplex/text.h>

enum { LIVES = 300, FETCHES = 12, ROUNDS = 60 };
static uint32_t chance;

static uint32_t pick(uint32_t n)
{
    chance = chance * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)(chance ^ chance >> 15) * n) >> 32);
}

/* ---- the server ---- */

static const char gzipped[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xc8\xe4\x02\x00\x7a\x7a\x6f\xed\x03\x00\x00\x00";
#define OK "HTTP/1.1 200 OK\r\n"
static const struct {
    const char *p;
    size_t n;
} says[] = {
#define SAY(text)                                                                                                      \
    {                                                                                                                  \
        text, sizeof text - 1                                                                                          \
    }
    SAY(OK "Content-Length: 2\r\n\r\nhi"),
    SAY(OK "Content-Length: 2\r\n\r\nhi" OK "Content-Length: 4\r\n\r\nevil"),
    SAY(OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n"),
    SAY(OK "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\nzz"),
    SAY(OK "\r\nhi"),
    SAY(OK "Content-Length: 9\r\n\r\nhi"),
    SAY(OK "Connection: close\r\nContent-Length: 2\r\n\r\nhi"),
    SAY(OK "Keep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n"),
    SAY("HTTP/1.1 100 x\r\n\r\nHTTP/1.1 103 x\r\nLink: a\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi"),
    SAY("HTTP/1.1 101 x\r\n\r\n"),
    SAY("HTTP/1.1 204 x\r\n\r\n"),
    SAY("HTTP/1.1 302 x\r\nLocation: /a\r\nContent-Length: 3\r\n\r\nabc"),
    SAY("HTTP/1.1 307 x\r\nLocation: b\r\n\r\nabc"),
    SAY("HTTP/1.1 303 x\r\nLocation: ?c\r\nTransfer-Encoding: chunked\r\n\r\n"),
    SAY("HTTP/1.1 302 x\r\nLocation: exec:id\r\nContent-Length: 0\r\n\r\n"),
    SAY("HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n"),
    SAY("SSH-2.0\r\n"),
    {NULL, 0}, /* gzip, by length */
    {NULL, 1}, /* gzip, cut       */
    {NULL, 2}, /* gzip, in chunks */
};
static struct peer {
    int fd, then; /* then: 0 stays, 1 ends, 2 resets */
    dx_text out;
    size_t at;
} peers[64];
static int listening;

static void say_gzip(dx_text *t, size_t kind)
{
    char head[120];
    size_t n = sizeof gzipped - 1;
    const char *coded = OK "Content-Encoding: gzip\r\n";
    if (kind == 2)
        snprintf(head, sizeof head, "%sTransfer-Encoding: chunked\r\n\r\n%zx\r\n", coded, n);
    else
        snprintf(head, sizeof head, "%sContent-Length: %zu\r\n\r\n", coded, kind ? n - 5 : n);
    dx_text_add(t, head, strlen(head));
    dx_text_add(t, gzipped, kind == 1 ? n - 5 : n);
    if (kind == 2)
        dx_text_add(t, "\r\n0\r\n\r\n", 7);
}

static void answer(struct peer *p)
{
    size_t i = pick(sizeof says / sizeof *says);
    if (says[i].p)
        dx_text_add(&p->out, says[i].p, says[i].n);
    else
        say_gzip(&p->out, says[i].n);
    p->then = pick(4) ? 0 : 1 + (int)pick(2);
}

static void leave(struct peer *p)
{
    if (p->then == 2)
        raw_reset(p->fd);
    else
        close(p->fd);
    dx_text_free(&p->out);
    *p = (struct peer){.fd = -1};
}

static void serve_some(struct peer *p)
{
    char buf[4096];
    ssize_t n = recv(p->fd, buf, sizeof buf, 0);
    if (n > 0 && pick(3))
        answer(p);
    else if (n == 0 || (n < 0 && errno != EAGAIN)) {
        leave(p);
        return;
    }
    size_t left = p->out.n - p->at, k = left ? 1 + pick(pick(2) ? 3 : (uint32_t)left) : 0;
    if (k) {
        n = send(p->fd, p->out.p + p->at, k < left ? k : left, MSG_NOSIGNAL);
        p->at += n > 0 ? (size_t)n : 0;
    } else if (p->then || !pick(200)) {
        leave(p);
    }
}

static void serve_all(void)
{
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        if (peers[i].fd < 0)
            peers[i].fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peers[i].fd >= 0)
            serve_some(&peers[i]);
    }
}

/* ---- the fetches ---- */

struct mine {
    bool closed;
};
static struct {
    dx_loop *loop;
    char url[64];
    uint32_t seed;
    int begun, closes, after;
    bool freeing;
    dx_conn *c[FETCHES];
} it;

static void begin(void);

static void wakes(dx_conn *c)
{
    dx_pause(c, false);
}

static void do_something(dx_conn *c)
{
    dx_fetch_info info;
    dx_http_field trail = {"X-T", "y"};
    it.after += ((struct mine *)dx_state(c))->closed;
    switch (pick(16)) {
    case 0:
        dx_close(c);
        break;
    case 1:
        dx_abort(c);
        break;
    case 2:
        dx_pause(c, true);
        dx_after(c, pick(3), wakes);
        break;
    case 3:
        dx_pause(c, true);
        dx_pause(c, false);
        break;
    case 4:
        dx_finish(c);
        break;
    case 5:
        dx_send(c, "some", 4, 0);
        break;
    case 6:
        dx_http_trailers(c, &trail, 1);
        break;
    case 7:
        dx_fetch_keep(it.loop, (int)pick(4) - 1, (int)pick(6) - 1, pick(3) - 1);
        break;
    case 8:
        begin();
        break;
    case 9:
        dx_http_request(c, "GET", "/", NULL, 0, 0);
        break;
    default:
        dx_fetch_info_of(c, &info);
        dx_http_header(c, "Location");
    }
}

static void on_open(dx_conn *c)
{
    do_something(c);
}

static void on_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)p;
    (void)n;
    (void)how;
    do_something(c);
}

static void on_event(dx_conn *c, int what, const void *arg)
{
    (void)what;
    (void)arg;
    do_something(c);
}

static void on_close(dx_conn *c, const dx_err *why)
{
    struct mine *m = dx_state(c);
    it.closes++;
    CHECK_SAY(why->code < 0 && why->text[0], "%d '%s'", why->code, why->text);
    it.after += m->closed;
    for (int i = 0; i < FETCHES; i++)
        it.c[i] = it.c[i] == c ? NULL : it.c[i];
    do_something(c);
    m->closed = true;
}

static void begin(void)
{
    static const dx_handler on = {.state_bytes = sizeof(struct mine),
                                  .on_open = on_open,
                                  .on_data = on_data,
                                  .on_end = on_open,
                                  .on_writable = on_open,
                                  .on_event = on_event,
                                  .on_close = on_close};
    static const dx_handler quiet = {.state_bytes = sizeof(struct mine), .on_close = on_close};
    static const char *const methods[] = {"GET", "POST", "PUT", "HEAD", NULL};
    dx_fetch_opts o = {.method = methods[pick(5)],
                       .redirects_max = (int)pick(4),
                       .decode = pick(2),
                       .fresh = !pick(4),
                       .total_ms_max = pick(3) ? 0 : 1 + pick(30),
                       .idle_ms_max = pick(3) ? 0 : 1 + pick(30),
                       .body_bytes_max = pick(3) ? 0 : 1 + pick(3),
                       .length = pick(3)   ? 0
                                 : pick(2) ? -1
                                           : 8};
    dx_err err = {0};
    if (!pick(3))
        o.body = (dx_bytes){"abc", 3}, o.length = 0;
    if (it.begun - it.closes >= FETCHES || it.begun > ROUNDS)
        return;
    dx_conn *c = dx_fetch(it.loop, it.url, pick(8) ? &on : &quiet, NULL, &o, &err);
    CHECK_SAY(c || it.freeing, "seed %u: %s", it.seed, err.text);
    it.begun += c != NULL;
    for (int i = 0; i < FETCHES && c; i++)
        if (!it.c[i]) {
            it.c[i] = c;
            break;
        }
}

/* What only dx_loop_after may do: things between the turns of a conn. */
static void poke(void *arg)
{
    (void)arg;
    int i = (int)pick(FETCHES);
    if (it.c[i])
        do_something(it.c[i]);
    if (!pick(2))
        begin();
}

static void one_life(uint32_t seed)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    chance = seed;
    memset(&it, 0, sizeof it);
    it.seed = seed;
    it.loop = fresh_loop();
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(bind(listening, (struct sockaddr *)&at, sizeof at) == 0 && listen(listening, 64) == 0);
    CHECK(getsockname(listening, (struct sockaddr *)&at, &(socklen_t){sizeof at}) == 0);
    snprintf(it.url, sizeof it.url, "http://127.0.0.1:%d/x", ntohs(at.sin_port));
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        peers[i] = (struct peer){.fd = -1};
    for (int round = (int)pick(ROUNDS); round >= 0; round--) {
        begin();
        dx_loop_after(it.loop, 0, poke, NULL);
        dx_loop_after(it.loop, 0, stop_it, it.loop);
        dx_loop_run(it.loop);
        serve_all();
    }
    it.freeing = true;
    loop_gone(it.loop);
    close(listening);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        if (peers[i].fd >= 0)
            leave(&peers[i]);
    CHECK_SAY(it.begun == it.closes, "seed %u: %d fetches, %d ends", seed, it.begun, it.closes);
    CHECK_SAY(!it.after, "seed %u: %d calls after on_close", seed, it.after);
}

TEST(whatever_servers_say_and_handlers_do_each_fetch_ends_once)
{
    const char *only = getenv("SEED"), *count = getenv("LIVES");
    int fds = open_fds();
    for (uint32_t seed = 1; seed <= (count ? (uint32_t)atoi(count) : LIVES); seed++) {
        if (!only || (uint32_t)atoi(only) == seed)
            one_life(seed);
    }
    CHECK_INT(open_fds(), fds);
}

/* ---- one case by hand ---- */

static dx_err next_err;

static void ask_again(dx_conn *c, const dx_err *why)
{
    static const dx_handler on = {.on_close = count_close};
    count_close(c, why);
    it.begun += dx_fetch(it.loop, it.url, &on, NULL, NULL, &next_err) != NULL;
}

/* The whole response came, and behind it a reset, which the last bytes of our request have met: what comes then is read, but nothing can
 * be sent any more, and so it is nothing to keep. */
TEST(a_connection_that_takes_nothing_any_more_is_not_taken_again)
{
    static const dx_handler on = {.on_close = ask_again};
    static char much[8192], buf[4096];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    memset(&it, 0, sizeof it);
    it.loop = fresh_loop();
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), fd = -1;
    CHECK(bind(s, (struct sockaddr *)&at, sizeof at) == 0 && listen(s, 64) == 0);
    CHECK(getsockname(s, (struct sockaddr *)&at, &(socklen_t){sizeof at}) == 0);
    snprintf(it.url, sizeof it.url, "http://127.0.0.1:%d/x", ntohs(at.sin_port));
    dx_conn *c = dx_fetch(it.loop, it.url, &on, NULL, &(dx_fetch_opts){.length = sizeof much}, NULL);
    CHECK(c);
    UNTIL(it.loop, (fd = accept4(s, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0, 5000);
    UNTIL(it.loop, recv(fd, buf, sizeof buf, 0) > 0, 5000);
    CHECK(send(fd, says[0].p, says[0].n, MSG_NOSIGNAL) == (ssize_t)says[0].n);
    raw_reset(fd);
    CHECK_INT(dx_send(c, much, sizeof much, 0), 0);
    UNTIL(it.loop, seen.closes, 5000);
    CHECK_SAY(seen.why.code == DX_END, "%s", seen.why.text);
    CHECK_SAY(it.begun == 1, "%s", next_err.text);
    UNTIL(it.loop, (fd = accept4(s, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0, 5000);
    CHECK(raw_say(it.loop, fd, says[0].p));
    UNTIL(it.loop, seen.closes == 2, 5000);
    CHECK_SAY(seen.why.code == DX_END, "%s", seen.why.text);
    loop_gone(it.loop);
    close(fd);
    close(s);
}

TEST_MAIN
