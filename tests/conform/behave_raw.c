/* SPDX-License-Identifier: MIT
 * behave_raw.c - the same against a plain socket, so that two errors of ours cannot cancel out. */
#include "conform.h"
#include <duplex/http.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static size_t unit(const struct raw *r)
{
    return r->datagrams ? 1000 : 64 * KIB;
}

static void raw_pingpong(struct raw *r)
{
    for (int i = 0; i < 16; i++)
        if (!raw_put(r, unit(r)) || !raw_want(r, unit(r)))
            return;
    if (r->datagrams)
        return;
    raw_end(r);
    raw_want_end(r);
}

static void raw_echo_dials(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_echo));
    MUST_DO(r = raw_dials(w, raw_pingpong));
    MUST_DO(raw_join(r));
    if (has(w, HAS_END)) {
        WAIT(w->s->closes);
        MUST_GOOD(w->s);
    }
    MUST_INT(w->accepted, 1);
}

static void raw_echoes(struct raw *r)
{
    for (int i = 0; i < 16; i++)
        if (!raw_want(r, unit(r)) || !raw_put(r, unit(r)))
            return;
    if (r->datagrams)
        return;
    raw_want_end(r);
    raw_end(r);
}

static void raw_echo_listens(struct world *w)
{
    size_t step = has(w, HAS_DATAGRAMS) ? 1000 : 64 * KIB;
    struct raw *r;
    MUST_DO(r = raw_listens(w, raw_echoes));
    MUST_DO(dial(w, r->url, &on_default));
    WAIT(w->c->opens);
    for (size_t i = 1; i <= 16; i++) {
        MUST(put(w->c, step) >= 0);
        WAIT(w->c->got == i * step);
    }
    end_close(w->c);
    MUST_DO(raw_join(r));
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
}

static void raw_ends_first(struct raw *r)
{
    if (!raw_put(r, 100 * KIB))
        return;
    raw_end(r);
    if (raw_want(r, 100 * KIB))
        raw_want_end(r);
}

static void raw_half_close(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_echo));
    MUST_DO(r = raw_dials(w, raw_ends_first));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

static void raw_ends_second(struct raw *r)
{
    if (!raw_want(r, 5000) || !raw_want_end(r) || !raw_put(r, 100 * KIB) || !raw_put(r, 200 * KIB))
        return;
    raw_end(r);
}

static void raw_half_close_ours(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_ends_second));
    WAIT(w->s);
    put(w->s, 5000);
    MUST_INT(dx_finish(w->s->c), 0);
    WAIT(w->s->ends);
    MUST_INT(w->s->got, 300 * KIB);
    MUST_DO(raw_join(r));
    end_close(w->s);
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

static void raw_reads_late(struct raw *r)
{
    raw_await_go(r);
    if (raw_want(r, 12 * MIB) && raw_want_end(r))
        raw_end(r);
}

static void raw_slow_reader(struct world *w)
{
    struct raw *r;
    w->so.queue_bytes_max = 64 * KIB;
    MUST_DO(serve(w, &on_fill));
    MUST_DO(r = raw_dials(w, raw_reads_late));
    WAIT(w->s);
    for (size_t before = 1; w->s->sent != before && !w->report->failed;) {
        before = w->s->sent;
        put_all(w->s, 12 * MIB, 16 * KIB);
        pass(w, 20);
    }
    MUST(w->s->half > 0 && w->s->sent < 12 * MIB && dx_queued(w->s->c) <= 64 * KIB);
    sem_post(&r->go);
    WAIT(w->s->sent == 12 * MIB);
    end_close(w->s);
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

static void raw_resets(struct raw *r)
{
    raw_put(r, 1000);
    raw_await_go(r);
    raw_break(r);
}

static void reset_by_raw(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_default));
    MUST_DO(r = raw_dials(w, raw_resets));
    WAIT(w->s && w->s->got == 1000);
    put(w->s, 10000); /* unread there, so that a Unix peer's close is a reset too */
    pass(w, 5);
    sem_post(&r->go);
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_RESET);
    MUST_DO(raw_join(r));
}

static void raw_sees_break(struct raw *r)
{
    uint8_t b[4096];
    ssize_t got;
    raw_put(r, 1000);
    while ((got = raw_recv(r, b, sizeof b)) > 0)
        ;
    if (got < 0 && errno != ECONNRESET)
        raw_fail(r, "instead of a reset: %s", strerror(errno));
}

static void abort_seen_by_raw(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_sees_break));
    WAIT(w->s && w->s->got == 1000);
    put(w->s, MIB);
    end_abort(w->s);
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_CLOSED);
    MUST_DO(raw_join(r));
}

static void raw_reads_mebibyte(struct raw *r)
{
    raw_await_go(r);
    for (int i = 0; i < 64; i++)
        if (!raw_want(r, 16 * KIB))
            return;
    raw_want_end(r);
    raw_end(r);
}

static void close_delivers_to_raw(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_reads_mebibyte));
    WAIT(w->s);
    MUST(put(w->s, MIB) >= 0);
    end_close(w->s);
    pass(w, 5);
    sem_post(&r->go);
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

/* Sends 600 KiB without reading a byte while it is being closed, then reads: all of ours must still be there. */
static void raw_talks_over(struct raw *r)
{
    raw_put(r, 100);
    raw_await_go(r);
    for (int i = 0; i < 6; i++)
        if (!raw_put(r, 100 * KIB))
            return;
    if (raw_want(r, 256 * KIB))
        raw_want_end(r);
    raw_end(r);
}

static void close_with_unread_raw(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_talks_over));
    WAIT(w->s && w->s->got == 100);
    put(w->s, 256 * KIB);
    sem_post(&r->go);
    end_close(w->s);
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

/* Each byte in a packet of its own: a message still comes whole, bytes come as they are. */
static void raw_in_crumbs(struct raw *r)
{
    static const uint8_t head[6] = {0x82, 0x80 | 60, 1, 2, 3, 4};
    uint8_t b;
    for (size_t i = 0; r->ws && i < 6; i++)
        if (!raw_write(r, head + i, 1))
            return;
    for (size_t i = 0; i < 60; i++) {
        b = *pattern(i) ^ (r->ws ? head[2 + (i & 3)] : 0);
        if (!raw_write(r, &b, 1))
            return;
    }
    if (raw_want(r, 60)) {
        raw_end(r);
        raw_want_end(r);
    }
}

static void crumbs(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_echo));
    MUST_DO(r = raw_dials(w, raw_in_crumbs));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->got, 60);
    MUST(!has(w, HAS_WS) || w->s->datas == 1);
}

/* ---- what only messages on a stream can get wrong ---- */
static void raw_stops_between(struct raw *r)
{
    raw_put(r, 100);
    raw_want(r, 100);
}

static void truncated_between(struct world *w)
{
    struct raw *r;
    dx_handler on = {.on_data = on_echo.on_data};
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_stops_between));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->why.code, DX_TRUNCATED);
    MUST_INT(w->s->ends, 0);
}

static void raw_stops_inside(struct raw *r)
{
    static const uint8_t part[20] = {0x82, 0xFE, 0x10, 0x00, 1, 2, 3, 4};
    raw_write(r, part, sizeof part);
    shutdown(r->fd, SHUT_WR);
    (void)raw_get(r, (uint8_t[1]){0}, 1);
    r->words[0] = '\0'; /* a Close frame or none: both are right */
}

static void truncated_inside(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_stops_inside));
    WAIT(w->s && w->s->closes);
    MUST_INT(w->s->why.code, DX_TRUNCATED);
    MUST_INT(w->s->datas, 0);
    MUST_DO(raw_join(r));
}

static void raw_breaks_rules(struct raw *r)
{
    static const uint8_t unmasked[3] = {0x82, 0x01, 'x'};
    raw_write(r, unmasked, sizeof unmasked);
    if (raw_get(r, (uint8_t[1]){0}, 1) != 0 || r->close_code != 1002)
        raw_fail(r, "instead of Close 1002: %d", r->close_code);
    raw_end(r);
}

static void proto(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_breaks_rules));
    WAIT(w->s && w->s->closes);
    MUST_INT(w->s->why.code, DX_PROTO);
    MUST_INT(w->s->why.detail_of, DX_OF_WS);
    MUST_INT(w->s->why.detail, 1002);
    MUST_INT(w->s->datas, 0);
    MUST_DO(raw_join(r));
}

static void raw_says_text(struct raw *r)
{
    raw_control(r, 1, "\xE4\xBD\xA0\xFF", 4);
    if (raw_get(r, (uint8_t[1]){0}, 1) != 0 || r->close_code != 1007)
        raw_fail(r, "instead of Close 1007: %d", r->close_code);
    raw_end(r);
}

static void bad_text(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_says_text));
    WAIT(w->s && w->s->closes);
    MUST_INT(w->s->why.code, DX_PROTO);
    MUST_INT(w->s->datas, 0);
    MUST_DO(raw_join(r));
}

/* A ping between two messages and one in the middle of a fragmented one. */
static void raw_pings(struct raw *r)
{
    uint8_t pong[9] = {0};
    const uint8_t first[9] = {0x02, 0x83, 0, 0, 0, 0, pattern(0)[0], pattern(0)[1], pattern(0)[2]},
                  rest[8] = {0x80, 0x82, 0, 0, 0, 0, pattern(0)[3], pattern(0)[4]};
    raw_write(r, first, sizeof first);
    raw_control(r, 9, "ping", 4);
    if (!raw_recv_all(r, pong, 6) || memcmp(pong, "\x8a\x04ping", 6))
        raw_fail(r, "no pong: %02x %02x %s", pong[0], pong[1], pong + 2);
    raw_write(r, rest, sizeof rest);
    if (raw_want(r, 5)) {
        raw_end(r);
        raw_want_end(r);
    }
}

static void pings(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_echo));
    MUST_DO(r = raw_dials(w, raw_pings));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_INT(w->s->datas, 1);
    MUST_INT(w->s->got, 5);
}

/* Pings by the million from one who reads no pong: each is answered, so reading must rest. */
static void raw_floods(struct raw *r)
{
    static uint8_t many[600 * 131];
    bool ws = r->ws;
    size_t n = 0;
    for (size_t i = 0; ws && i < 600; i++, n += 131) {
        many[n] = 0x89;
        many[n + 1] = 0x80 | 125;
    }
    if (!ws)
        n = (size_t)snprintf((char *)many, sizeof many, "%s", "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t k = 0; !ws && k < 1000 && n < 40000; k++, n += 27)
        memcpy(many + n, many, 27);
    size_t sent = 0;
    fcntl(r->fd, F_SETFL, O_NONBLOCK);
    for (int quiet = 0; quiet < 30 && sent < 200 * MIB;) {
        ssize_t got = raw_send(r, many + sent % n, n - sent % n);
        struct timespec nap = {.tv_nsec = 3000000};
        if (got > 0)
            sent += (size_t)got;
        else
            nanosleep(&nap, NULL);
        quiet = got > 0 ? 0 : quiet + 1;
    }
    if (sent >= 200 * MIB)
        raw_fail(r, "the server took %zu bytes of requests while none of its answers was read", sent);
}

static void reply_at_end(dx_conn *c)
{
    static const char page[4000];
    dx_http_reply(c, 200, "text/plain", page, sizeof page, NULL, 0);
}

static void flood(struct world *w)
{
    dx_handler on = {.on_end = has(w, HAS_HTTP) ? reply_at_end : on_quiet.on_end};
    struct raw *r;
    size_t peak = 0;
    MUST_DO(serve(w, &on));
    MUST_DO(r = raw_dials(w, raw_floods));
    while (!r->done) {
        pass(w, 3);
        MUST(!w->report->failed);
        peak = dx_memory_used() > peak ? dx_memory_used() : peak;
    }
    MUST_SAY(peak < 3 * MIB, "%zu bytes were held for one who does not read", peak);
    MUST_DO(raw_join(r));
}

/* A reader that stalls stalls us, and no datagram is lost. */
static void raw_reads_datagrams(struct raw *r)
{
    if (!raw_want(r, 100))
        return;
    raw_await_go(r);
    raw_want(r, 12 * MIB);
}

static void stalled_datagrams(struct world *w)
{
    struct raw *r;
    w->co.queue_bytes_max = 64 * KIB;
    MUST_DO(r = raw_listens(w, raw_reads_datagrams));
    MUST_DO(dial(w, r->url, &on_fill));
    WAIT(w->c->opens);
    put(w->c, 100);
    pass(w, 20);
    put_all(w->c, 100 + 12 * MIB, 4096);
    pass(w, 30);
    MUST_SAY(w->c->half > 0 && w->c->sent < 100 + 12 * MIB, "sent %zu, half %d, queued %zu, drops %lld", w->c->sent,
             w->c->half, dx_queued(w->c->c), (long long)dx_loop_count(w->loop, DX_COUNT_DATAGRAM_DROPS));
    sem_post(&r->go);
    WAIT(w->c->sent == 100 + 12 * MIB);
    MUST_DO(raw_join(r));
    MUST_INT(dx_loop_count(w->loop, DX_COUNT_DATAGRAM_DROPS), 0);
}

/* Both sides have said all: how TCP ends is nobody's loss. */
static void raw_resets_after_close(struct raw *r)
{
    if (!raw_put(r, 100) || !raw_want(r, 100))
        return;
    raw_end(r);
    raw_want_end(r);
    raw_break(r);
}

static void reset_after_close(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_echo));
    MUST_DO(r = raw_dials(w, raw_resets_after_close));
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

static void raw_wants_1001(struct raw *r)
{
    if (raw_want_end(r) && r->ws && r->close_code != 1000 && r->close_code != 1001)
        raw_fail(r, "the Close frame says %d", r->close_code);
    raw_end(r);
}

static void drain_seen_by_raw(struct world *w)
{
    struct raw *r;
    MUST_DO(serve(w, &on_quiet));
    MUST_DO(r = raw_dials(w, raw_wants_1001));
    WAIT(w->s);
    w->s->closing = true;
    dx_listener_drain(w->listener, 3000);
    MUST_DO(raw_join(r));
    WAIT(w->s->closes);
    MUST_GOOD(w->s);
}

const struct behaviour behave_raw[] = {
    {"raw peer dials: echo", HAS_RAW, 0, raw_echo_dials},
    {"raw peer listens: echo", HAS_RAW, 0, raw_echo_listens},
    {"raw peer half-closes first", HAS_RAW | HAS_END, 0, raw_half_close},
    {"raw peer goes on after our finish", HAS_RAW | HAS_END, 0, raw_half_close_ours},
    {"raw peer reads slowly", HAS_RAW | HAS_END, 0, raw_slow_reader},
    {"raw peer resets", HAS_RAW | HAS_END, 0, reset_by_raw},
    {"raw peer sees our abort", HAS_RAW | HAS_END, 0, abort_seen_by_raw},
    {"raw peer gets all of a closed conn", HAS_RAW | HAS_END, 0, close_delivers_to_raw},
    {"raw peer talks over our close, loses nothing", HAS_RAW | HAS_END, 0, close_with_unread_raw},
    {"raw peer sends byte by byte", HAS_RAW | HAS_END, 0, crumbs},
    {"raw peer sees a drain's goodbye", HAS_RAW | HAS_END, 0, drain_seen_by_raw},
    {"a flood from one who does not read is bounded", HAS_WS, 0, flood},
    {"a flood of requests from one who does not read is bounded", HAS_HTTP, 0, flood},
    {"datagrams to a stalled reader wait", HAS_DATAGRAMS | HAS_PATH, 0, stalled_datagrams},
    {"no Close frame is DX_TRUNCATED", HAS_WS, 0, truncated_between},
    {"a cut message is DX_TRUNCATED", HAS_WS, 0, truncated_inside},
    {"a reset after both Closes is no fault", HAS_WS, 0, reset_after_close},
    {"an unmasked frame is DX_PROTO and Close 1002", HAS_WS, 0, proto},
    {"bad UTF-8 is DX_PROTO and Close 1007", HAS_WS, 0, bad_text},
    {"pings are answered, also inside a message", HAS_WS, 0, pings},
    {0},
};
