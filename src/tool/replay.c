/* SPDX-License-Identifier: MIT
 * replay.c - duplex replay: one side of a recorded connection is played, and what comes back is compared with the record. Each event of
 * ours has its time, and waits besides until all that the other side had said before it has come. */
#include "tool/record.h"
#include "tool/sides.h"
#include "tool/stamp.h"
#include "tool/exchange.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <duplex/http.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 10000, SHOWN_MAX = 12 };

struct play {
    dx_loop *loop;
    dx_listener *listener;
    struct trust trust;
    const char *file, *url;
    struct record rec;
    bool server, fast; /* which side we are; without the times  */
    double speed;
    int64_t patience_ms;
    dx_conn *c;
    bool stood, whole;    /* whole: messages are compared, not bytes */
    size_t next;          /* the event to do or to wait for        */
    size_t want, want_at; /* the data to come: its event, and how much of that has come */
    uint64_t came;        /* bytes                                  */
    bool ended;           /* the other side has said its end        */
    int64_t base_us, heard;
    int64_t timer;
    bool done;
    int code;
};

static int64_t now_us(const struct play *p)
{
    return p->fast ? 0 : (int64_t)((double)steady_now_us() * p->speed);
}

static const struct record_event *event_at(const struct play *p, size_t i)
{
    return i < p->rec.count ? &p->rec.event[i] : NULL;
}

static bool is_theirs(const struct play *p, const struct record_event *e)
{
    return (e->kind == RECORD_DATA || e->kind == RECORD_END) && e->server != p->server;
}

/* The next data that the other side is to say; empty ones are none in a stream. */
static void find_wanted(struct play *p)
{
    const struct record_event *e;
    p->want_at = 0;
    while ((e = event_at(p, p->want)) && (e->kind != RECORD_DATA || !is_theirs(p, e) || (!p->whole && !e->n)))
        p->want++;
}

static void go_on(struct play *p);

/* ---- the verdict ---- */

static void over(struct play *p, int code)
{
    if (!p->code)
        p->code = code;
    p->done = true;
    if (p->c && code)
        dx_abort(p->c);
}

static void unmet(struct play *p, const char *words)
{
    const struct record_event *e = event_at(p, p->want);
    if (p->done)
        return;
    if (e)
        tool_say("%s:%lu: %s", p->file, e->line, words);
    else
        tool_say("%s: %s", p->file, words);
    over(p, TOOL_UNMET);
}

static bool is_text(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == 0x7f || (p[i] < ' ' && !(p[i] >= '\t' && p[i] <= '\r')))
            return false;
    return dx_is_utf8(p, n);
}

/* tool_say shows what the terminal must not obey. */
static void add_bytes(dx_text *t, const char *before, const uint8_t *p, size_t n, bool text)
{
    size_t k = n < SHOWN_MAX ? n : SHOWN_MAX;
    (void)dx_text_add(t, before, strlen(before));
    if (!text)
        (void)dx_hex(p, k, " ", t);
    else if (n)
        (void)dx_text_add(t, "'", 1), (void)dx_text_add(t, p, k), (void)dx_text_add(t, "'", 1);
    (void)dx_text_add(t, n > SHOWN_MAX ? " ..." : "", n > SHOWN_MAX ? 4 : 0);
}

static void differs(struct play *p, const uint8_t *got, size_t n, const uint8_t *wanted, size_t wanted_n)
{
    char head[120];
    dx_text t = {0};
    size_t at = 0;
    while (at < n && at < wanted_n && got[at] == wanted[at])
        at++;
    snprintf(head, sizeof head, "at byte %" PRIu64 " of what the %s said: ", p->came + at,
             p->server ? "client" : "server");
    (void)dx_text_add(&t, head, strlen(head));
    size_t more = n - at < SHOWN_MAX ? n - at : SHOWN_MAX, rest = wanted_n - at < SHOWN_MAX ? wanted_n - at : SHOWN_MAX;
    bool text = is_text(got + at, more) && is_text(wanted + at, rest);
    add_bytes(&t, n > at ? "" : "the end of a message", got + at, n - at, text);
    add_bytes(&t, wanted_n > at ? " where the record has " : " where the message ends in the record", wanted + at,
              wanted_n - at, text);
    unmet(p, t.p ? t.p : "it differs");
    dx_text_free(&t);
}

/* ---- what comes ---- */

static const uint8_t *bytes_of(const struct play *p, const struct record_event *e)
{
    return (const uint8_t *)(p->rec.bytes.p ? p->rec.bytes.p : "") + e->at;
}

static void take_message(struct play *p, const uint8_t *data, size_t n)
{
    const struct record_event *e = event_at(p, p->want);
    if (!e) {
        unmet(p, "more messages come than the record has");
    } else if (e->n != n || memcmp(bytes_of(p, e), data, n) != 0) {
        differs(p, data, n, bytes_of(p, e), e->n);
    } else {
        p->came += n;
        p->want++;
        find_wanted(p);
    }
}

static void take_bytes(struct play *p, const uint8_t *data, size_t n)
{
    const struct record_event *e;
    while (n && !p->done && (e = event_at(p, p->want))) {
        size_t rest = e->n - p->want_at, k = n < rest ? n : rest;
        const uint8_t *wanted = bytes_of(p, e) + p->want_at;
        if (memcmp(wanted, data, k) != 0) {
            differs(p, data, k, wanted, k);
            return;
        }
        p->came += k;
        data += k;
        n -= k;
        p->want_at += k;
        if (p->want_at == e->n) {
            p->want++;
            find_wanted(p);
        }
    }
    if (n && !p->done)
        unmet(p, "more comes than the record has");
}

static void on_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct play *p = dx_user(c);
    (void)how;
    if (c != p->c || p->done)
        return;
    p->heard = dx_loop_now(p->loop);
    if (p->whole)
        take_message(p, data, n);
    else
        take_bytes(p, data, n);
    go_on(p);
}

static void on_end(dx_conn *c)
{
    struct play *p = dx_user(c);
    char words[120];
    const struct record_event *e = event_at(p, p->want);
    if (c != p->c || p->done)
        return;
    p->ended = true;
    snprintf(words, sizeof words, "the %s ended after %" PRIu64 " bytes, and the record has more",
             p->server ? "client" : "server", p->came);
    if (e)
        unmet(p, words);
    go_on(p);
}

/* ---- what we say ---- */

static void wake(void *arg)
{
    struct play *p = arg;
    p->timer = 0;
    go_on(p);
}

static void sleep_for(struct play *p, int64_t ms)
{
    dx_loop_cancel(p->loop, p->timer);
    p->timer = dx_loop_after(p->loop, ms > 0 ? ms : 1, wake, p);
    if (p->timer < 0)
        over(p, TOOL_LIMIT);
}

/* true: the time of this event has come. What was late before makes what follows later too: pauses stay as they were. */
static bool is_due(struct play *p, const struct record_event *e)
{
    int64_t early = e->us - (now_us(p) - p->base_us);
    if (p->fast || early <= 0)
        return true;
    sleep_for(p, (int64_t)((double)early / p->speed / 1000));
    return false;
}

/* true: it has come. */
static bool has_come(struct play *p, const struct record_event *e)
{
    bool here = e->kind == RECORD_END ? p->ended : p->want > p->next || (!p->whole && !e->n);
    int64_t rest = p->heard + p->patience_ms - dx_loop_now(p->loop), late = now_us(p) - p->base_us - e->us;
    if (here) {
        p->base_us += late > 0 && !p->fast ? late : 0;
        return true;
    }
    if (rest > 0) {
        sleep_for(p, rest);
        return false;
    }
    unmet(p, e->kind == RECORD_END ? "the other side does not say its end"
                                   : "nothing more comes, and the record has more");
    return false;
}

/* 1: done; 0: later; or why not. */
static int say_it(struct play *p, const struct record_event *e)
{
    if (e->kind == RECORD_END) {
        dx_finish(p->c);
        return 1;
    }
    int r = dx_send(p->c, bytes_of(p, e), e->n, e->how);
    return r == DX_FULL ? 0 : r < 0 ? r : 1;
}

static void play_ended(struct play *p)
{
    p->done = true;
    dx_loop_cancel(p->loop, p->timer);
    if (p->rec.reset && p->rec.by_client != p->server)
        dx_abort(p->c);
    else
        dx_close(p->c);
}

static void go_on(struct play *p)
{
    const struct record_event *e;
    int r = 1;
    while (!p->done && (e = event_at(p, p->next)) && e->kind != RECORD_CLOSE) {
        if (is_theirs(p, e)) {
            if (!has_come(p, e))
                return;
        } else if (e->kind != RECORD_OPEN) {
            if (!is_due(p, e) || (r = say_it(p, e)) == 0)
                return;
            p->heard = dx_loop_now(p->loop);
        }
        if (r < 0) {
            tool_say("%s:%lu: cannot be sent: %s", p->file, e->line, dx_code_text(r));
            over(p, TOOL_UNMET);
        }
        p->next++;
    }
    if (!p->done)
        play_ended(p);
}

static void on_writable(dx_conn *c)
{
    struct play *p = dx_user(c);
    if (c == p->c)
        go_on(p);
}

/* ---- beginning and end ---- */

static void on_open(dx_conn *c)
{
    struct play *p = dx_user(c);
    if (p->stood || (dx_http_is(c) && !exchange_accept_ws(c))) {
        dx_abort(c);
        return;
    }
    p->c = c;
    p->stood = true;
    p->whole = dx_kind_of(c) == DX_MESSAGES && p->rec.messages[!p->server];
    p->base_us = now_us(p) - p->rec.event[0].us;
    p->heard = dx_loop_now(p->loop);
    if (p->listener)
        dx_listener_drain(p->listener, 0);
    p->listener = NULL;
    trust_rest(&p->trust);
    find_wanted(p);
    go_on(p);
}

static void on_close(dx_conn *c, const dx_err *why)
{
    struct play *p = dx_user(c);
    char words[300];
    if (p->stood ? c != p->c : p->server)
        return; /* not the one that we play with */
    p->c = NULL;
    dx_loop_cancel(p->loop, p->timer);
    if (p->done)
        return;
    if (!p->stood && !tool_stopped()) {
        p->code = tool_fail("dial", p->url, why);
    } else if (tool_stopped()) {
        p->done = true; /* we end it, and the exit code says so */
    } else if (!event_at(p, p->want) && p->rec.reset && tool_exit_of(why)) {
        p->done = true; /* so it was in the record */
    } else {
        snprintf(words, sizeof words, "the connection is over too early: %s",
                 why->text[0] ? why->text : dx_code_text(why->code));
        unmet(p, words);
    }
}

static const dx_handler play_on = {
    .on_open = on_open, .on_data = on_data, .on_end = on_end, .on_writable = on_writable, .on_close = on_close};

static int begin(struct play *p, const struct options *o)
{
    dx_err err = {0};
    dx_opts opts = {.dial_ms_max = option_number(o, "timeout", 0),
                    .frame = wire_frame(p->url, option_text(o, "frame")),
                    .idle_ms_max = INT64_C(86400000),
                    .tls = p->trust.tls};
    if (!p->server)
        return dx_connect(p->loop, p->url, &play_on, p, &opts, &err) ? -1 : tool_fail("dial", p->url, &err);
    p->listener = dx_serve(p->loop, p->url, &play_on, p, &opts, &err);
    if (!p->listener)
        return tool_fail("replay", p->url, &err);
    for (int i = 0; dx_listener_url(p->listener, i); i++)
        fprintf(stderr, "listening %s\n", dx_listener_url(p->listener, i));
    return -1;
}

/* -1: go on. */
static int read_all(struct play *p, const struct options *o)
{
    char why[400], *rest = NULL;
    const char *speed = option_text(o, "speed");
    p->speed = speed ? strtod(speed, &rest) : 1;
    if (speed && (rest == speed || *rest || !(p->speed >= 0.001 && p->speed <= 1e6))) {
        tool_say("--speed wants a number from 0.001 to 1000000, such as 2 or 0.5, not '%.40s'", speed);
        return TOOL_USAGE;
    }
    FILE *f = strcmp(p->file, "-") ? fopen(p->file, "re") : stdin;
    if (!f) {
        tool_say("%s: %s", p->file, strerror(errno));
        return TOOL_LOCAL;
    }
    int r = record_read(f, p->file, (uint64_t)option_number(o, "conn", 0), &p->rec, why, sizeof why);
    if (f != stdin)
        fclose(f);
    if (r >= 0)
        tool_say("%s", why);
    return r;
}

int cmd_replay(int argc, char **argv)
{
    struct options o;
    struct play p = {0};
    dx_err err = {0};
    int r = options_read(argc, argv, &o);
    if (r >= 0)
        return r;
    p.file = o.args[0];
    p.url = o.args[1];
    p.server = option_has(&o, "server");
    p.fast = option_has(&o, "fast");
    p.patience_ms = option_number(&o, "idle", PATIENCE_MS);
    if ((r = sides_check(&o, p.server ? p.url : NULL, &p.url, !p.server)) < 0 && (r = read_all(&p, &o)) < 0 &&
        (r = sides_trust(&p.trust, &o, p.server ? p.url : NULL, p.server ? NULL : p.url)) < 0) {
        p.loop = dx_loop_new(&err);
        if (!p.loop) {
            r = tool_fail("replay", p.url, &err);
        } else {
            tool_signals(p.loop);
            r = begin(&p, &o);
            if (r < 0)
                r = tool_run() < 0 ? TOOL_FAILED : tool_stopped() ? 128 + tool_stopped() : p.code;
            tool_loop_free(p.loop);
        }
    }
    trust_free(&p.trust);
    record_free(&p.rec);
    return r;
}
