/* SPDX-License-Identifier: MIT
 * Random schedules: every verb on every wire at any moment, from inside and outside of handlers, with plain clients that talk
 * rubbish beside. What must hold: on_close exactly once and last, nothing before on_open, every byte in its place and none
 * missing where both sides ended in order, no descriptor and no memory left. SEED=n ROUNDS=n repeat and extend a run. */
#include "breaker.h"
#include <duplex/http.h>
#include <duplex/ws.h>

enum { ENDS_MAX = 400, RAWS_MAX = 12, STEPS = 70 };
struct end { /* one conn; outlives it */
    dx_conn *c;
    struct end *peer;               /* the other one of a pair that knows each other                    */
    size_t sent, got;               /* bytes of the pattern                                             */
    bool opened, closed, ended;     /* called back                                                      */
    bool closing, aborted, relayed; /* asked for by us                                                  */
    bool dialled, messages, datagrams, http, paused;
    int wire;
};
static struct end ends[ENDS_MAX];
static int ends_n, open_n;
static unsigned seed;
static dx_loop *loop;
static int raws[RAWS_MAX];
static char complaint[300];

static unsigned dice(unsigned n)
{
    return (unsigned)rand_r(&seed) % n;
}

static void complain(const struct end *e, const char *what)
{
    if (!complaint[0])
        snprintf(complaint, sizeof complaint, "%s: %s (wire %d, %s)", what, e->dialled ? "dialled" : "accepted",
                 e->wire, e->relayed ? "relayed" : "own");
}

static uint8_t pattern(size_t at)
{
    return (uint8_t)('a' + at % 23);
}

static void act(struct end *e);

static struct end *end_of(dx_conn *c)
{
    return *(struct end **)dx_state(c);
}

static struct end *end_new(dx_conn *c, bool dialled, int wire)
{
    if (ends_n == ENDS_MAX)
        return NULL;
    struct end *e = &ends[ends_n++];
    *e = (struct end){.c = c, .dialled = dialled, .wire = wire};
    *(struct end **)dx_state(c) = e;
    open_n++;
    return e;
}

static void send_some(struct end *e)
{
    static const size_t sizes[] = {1, 1, 10, 100, 1000, 5000, 40000, 300000};
    static uint8_t buf[300000];
    size_t n = sizes[dice(e->datagrams ? 4 : 8)];
    for (size_t i = 0; i < n; i++)
        buf[i] = pattern(e->sent + i);
    int r = dice(8) ? dx_send(e->c, buf, n, 0) : dx_sendv(e->c, &(dx_bytes){buf, n}, 1, DX_BINARY);
    if (r >= 0)
        e->sent += n;
    memset(buf, '!', n);
}

static void on_open(dx_conn *c)
{
    struct end *e = end_of(c);
    if (!e)
        e = end_new(c, false, (int)(intptr_t)dx_user(c));
    if (!e) {
        dx_abort(c);
        return;
    }
    if (e->opened)
        complain(e, "on_open twice");
    e->opened = true;
    e->http = dx_http_is(c);
    if (dx_http_wants_ws(c) && dice(10))
        dx_ws_accept(c, NULL, NULL, NULL);
    else if (e->http && dice(3))
        dx_http_reply(c, 200, "text/plain", complaint, dice(200), NULL, 0);
    e->messages = dx_kind_of(c) == DX_MESSAGES;
    e->datagrams = !strcmp(dx_wire(c), "udp");
    act(e);
}

static void on_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    const uint8_t *b = p;
    (void)how;
    if (!e->opened || e->closed)
        complain(e, "on_data out of place");
    if (e->paused)
        complain(e, "on_data while paused");
    if (e->aborted || e->closing)
        complain(e, "on_data after dx_close");
    if (e->ended)
        complain(e, "on_data after on_end");
    for (size_t i = 0; e->peer && !e->relayed && !e->datagrams && i < n; i++)
        if (b[i] != pattern(e->got + i)) {
            complain(e, "a byte out of its place");
            break;
        }
    e->got += n;
    if (dice(4) == 0)
        act(e);
}

static void on_end(dx_conn *c)
{
    struct end *e = end_of(c);
    if (e->ended || !e->opened || e->closed || e->paused)
        complain(e, "on_end out of place");
    e->ended = true;
    if (e->peer && !e->relayed && !e->peer->relayed && !e->peer->aborted && !e->datagrams && e->got != e->peer->sent)
        complain(e, "an orderly end, and bytes are missing");
    if (dice(2))
        act(e);
    if (dice(4)) {
        e->closing = true;
        dx_close(c);
    }
}

static void on_writable(dx_conn *c)
{
    struct end *e = end_of(c);
    if (!e->opened || e->closed || e->closing || e->aborted)
        complain(e, "on_writable out of place");
    if (dice(3) == 0)
        act(e);
}

static void on_event(dx_conn *c, int what, const void *arg)
{
    (void)what;
    (void)arg;
    act(end_of(c));
}

static void on_close(dx_conn *c, const dx_err *why)
{
    struct end *e = end_of(c);
    if (!e)
        return; /* more than we count */
    if (e->closed)
        complain(e, "on_close twice");
    if (why->code >= 0)
        complain(e, "on_close without a code");
    if (dx_send(c, "x", 1, 0) >= 0)
        complain(e, "a send taken in on_close");
    e->closed = true;
    open_n--;
    e->c = NULL;
    if (e->peer)
        e->peer->peer = NULL;
}

static const dx_handler on = {sizeof(struct end *), on_open, on_data, on_end, on_writable, on_event, on_close};

static struct end *any_end(void)
{
    for (int i = 0; ends_n && i < 10; i++) {
        struct end *e = &ends[dice((unsigned)ends_n)];
        if (e->c)
            return e;
    }
    return NULL;
}

static void later(dx_conn *c)
{
    act(end_of(c));
}

static void relay(struct end *a, struct end *b)
{
    if (!b || a == b || dice(4) || a->datagrams || b->datagrams || dx_relay(a->c, b->c) < 0)
        return;
    struct end *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        both[i]->relayed = true;
        both[i]->paused = false;
        if (both[i]->peer) { /* its bytes go elsewhere, and others come */
            both[i]->peer->relayed = true;
            both[i]->peer->peer = NULL;
        }
        both[i]->peer = NULL;
    }
}

static void act(struct end *e)
{
    dx_msg *m;
    if (!e->c)
        return;
    switch (dice(18)) {
    case 0:
        e->paused = !e->relayed && !e->closing && !e->aborted && !e->paused;
        dx_pause(e->c, e->paused);
        break;
    case 1:
        e->paused = false;
        dx_pause(e->c, false);
        break;
    case 2:
        dx_finish(e->c);
        break;
    case 3:
        e->closing = true;
        e->paused = false;
        dx_close(e->c);
        break;
    case 4:
        if (dice(3))
            break;
        e->aborted = true;
        e->paused = false;
        dx_abort(e->c);
        break;
    case 5:
        dx_after(e->c, dice(4), later);
        break;
    case 6:
        m = dx_msg_new("abcdefghijklmnopqrstuvw", 23, DX_TEXT);
        if (e->sent % 23 == 0 && m && dx_send_msg(e->c, m) >= 0)
            e->sent += 23;
        dx_msg_drop(m);
        break;
    case 7:
        relay(e, any_end());
        break;
    case 8:
        dx_ws_ping(e->c, "ping", 4);
        break;
    case 9:
        if (e->http)
            dx_http_reply(e->c, 200, NULL, "late", 4, NULL, 0);
        break;
    default:
        send_some(e);
    }
}

/* ---- plain clients ---- */

static void raw_act(int i, dx_listener *const *all, int n)
{
    static const char *const lines[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab",
        ("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x83\1\1\1\1abc"),
        "\x89\x80\1\1\1\1",
        "\x88\x80\1\1\1\1",
        "rubbish\n",
        "GET",
        "\r\n\r\n",
        "c\r\n",
    };
    char buf[4096];
    ssize_t k;
    if (raws[i] < 0) {
        raws[i] = raw_tcp(all[dice((unsigned)n)]);
        return;
    }
    const char *line = lines[dice(sizeof lines / sizeof *lines)];
    switch (dice(6)) {
    case 0:
        raw_reset(raws[i]);
        raws[i] = -1;
        break;
    case 1:
        shutdown(raws[i], SHUT_WR);
        break;
    case 2:
        k = recv(raws[i], buf, sizeof buf, 0);
        break;
    default:
        k = send(raws[i], line, strlen(line), MSG_NOSIGNAL);
    }
    (void)k;
}

/* ---- a round ---- */

static void dial_one(dx_listener *const *all, int n)
{
    int i = (int)dice((unsigned)n + 1);
    char url[100] = "fd:";
    int v[2];
    if (ends_n + 2 > ENDS_MAX)
        return;
    if (i < n) {
        const char *to = dx_listener_url(all[i], 0);
        snprintf(url, sizeof url, "%s", strncmp(to, "http", 4) ? to : "ws://127.0.0.1:1/");
        dx_conn *c = dx_connect(loop, url, &on, NULL, NULL, NULL);
        CHECK(c);
        end_new(c, true, i);
        return;
    }
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, v) == 0);
    struct end *pair[2];
    for (int k = 0; k < 2; k++) {
        snprintf(url, sizeof url, "fd:%d", v[k]);
        dx_conn *c = dx_connect(loop, url, &on, NULL, NULL, NULL);
        CHECK(c);
        pair[k] = end_new(c, true, i);
        close(v[k]);
    }
    pair[0]->peer = pair[1];
    pair[1]->peer = pair[0];
}

static void close_all(void)
{
    for (int i = 0; i < ends_n; i++)
        if (ends[i].c && !ends[i].closing) {
            ends[i].closing = true;
            dx_close(ends[i].c);
        }
}

static void settle(void)
{
    for (int i = 0; i < ends_n; i++)
        if (ends[i].c) {
            ends[i].paused = false;
            dx_pause(ends[i].c, false);
        }
    turn(loop, 10);
    close_all();
    for (int i = 0; i < RAWS_MAX; i++)
        if (raws[i] >= 0) {
            close(raws[i]);
            raws[i] = -1;
        }
    for (int64_t until = now_ms() + 10000; open_n > 0 && now_ms() < until;) {
        turn(loop, 2);
        close_all(); /* some are accepted late */
    }
    for (int i = 0; i < ends_n; i++)
        if (ends[i].c)
            CHECK_SAY(false, "still open: end %d %s on wire %d %s: opened %d ended %d aborted %d relayed %d queued %zu",
                      i, ends[i].dialled ? "dialled" : "accepted", ends[i].wire, dx_wire(ends[i].c), ends[i].opened,
                      ends[i].ended, ends[i].aborted, ends[i].relayed, dx_queued(ends[i].c));
}

static void one_round(unsigned number)
{
    static const char *const urls[] = {"tcp://127.0.0.1:0",  "any://127.0.0.1:0", "ws://127.0.0.1:0/",
                                       "http://127.0.0.1:0", "udp://127.0.0.1:0", ""};
    enum { N = 6 };
    char unix_url[60];
    dx_listener *all[N];
    int fds = open_fds();
    loop = fresh_loop();
    ends_n = open_n = 0;
    snprintf(unix_url, sizeof unix_url, "unix://@breaker-%d-%u", (int)getpid(), number);
    for (int i = 0; i < N; i++) {
        dx_err err;
        all[i] = dx_serve(loop, urls[i][0] ? urls[i] : unix_url, &on, (void *)(intptr_t)i,
                          &(dx_opts){.queue_bytes_max = 200000}, &err);
        CHECK_SAY(all[i], "%s", err.text);
    }
    for (int i = 0; i < RAWS_MAX; i++)
        raws[i] = -1;
    for (int step = 0; step < STEPS && !complaint[0]; step++) {
        struct end *e = any_end();
        switch (dice(5)) {
        case 0:
            dial_one(all, N);
            break;
        case 1:
            raw_act((int)dice(RAWS_MAX), all, 4);
            break;
        case 2:
            turn(loop, dice(3));
            break;
        default:
            if (e)
                act(e);
        }
    }
    if (dice(4) == 0)
        settle();
    else
        turn(loop, dice(4));
    dx_loop_free(loop);
    for (int i = 0; i < RAWS_MAX; i++)
        if (raws[i] >= 0)
            close(raws[i]);
    CHECK_SAY(!complaint[0], "%s", complaint);
    CHECK_INT(open_n, 0);
    CHECK_INT(dx_memory_used(), memory_before);
    CHECK_INT(open_fds(), fds);
}

TEST(random_schedules_keep_every_promise)
{
    const char *s = getenv("SEED"), *r = getenv("ROUNDS");
    unsigned first = s ? (unsigned)strtoul(s, NULL, 10) : (unsigned)now_ms(), rounds = r ? (unsigned)atoi(r) : 120;
    for (unsigned i = 0; i < rounds; i++) {
        seed = first + i;
        complaint[0] = 0;
        printf("# SEED=%u\n", seed); /* each: after a crash the last one is it */
        fflush(stdout);
        one_round(i);
    }
}
TEST_MAIN
