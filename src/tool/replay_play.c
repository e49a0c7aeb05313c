/* SPDX-License-Identifier: MIT
 * replay_play.c - one side of a recorded connection is played, and what comes back is compared with the record. Each event of ours has
 * its time, and waits besides until all that the other side had said before it has come. */
#include "tool/replay_inside.h"
#include "tool/stamp.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include <inttypes.h>
#include <string.h>

enum { SHOWN_MAX = 12 };

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

/* ---- the verdict ---- */

static void over(struct play *p, int code)
{
    if (!p->code)
        p->code = code;
    p->done = true;
    if (p->c && code)
        dx_abort(p->c);
}

void replay_unmet(struct play *p, const char *words)
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
    replay_unmet(p, t.p ? t.p : "it differs");
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
        replay_unmet(p, "more messages come than the record has");
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
        replay_unmet(p, "more comes than the record has");
}

void replay_heard(struct play *p, const void *data, size_t n)
{
    p->heard = dx_loop_now(p->loop);
    if (p->whole)
        take_message(p, data, n);
    else
        take_bytes(p, data, n);
    replay_go_on(p);
}

void replay_heard_end(struct play *p)
{
    char words[120];
    const struct record_event *e = event_at(p, p->want);
    p->ended = true;
    snprintf(words, sizeof words, "the %s ended after %" PRIu64 " bytes, and the record has more",
             p->server ? "client" : "server", p->came);
    if (e)
        replay_unmet(p, words);
    replay_go_on(p);
}

/* ---- what we say ---- */

static void wake(void *arg)
{
    struct play *p = arg;
    p->timer = 0;
    replay_go_on(p);
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
    replay_unmet(p, e->kind == RECORD_END ? "the other side does not say its end"
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

void replay_go_on(struct play *p)
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

void replay_begin(struct play *p)
{
    p->base_us = now_us(p) - p->rec.event[0].us;
    p->heard = dx_loop_now(p->loop);
    find_wanted(p);
    replay_go_on(p);
}

bool replay_has_all(const struct play *p)
{
    return !event_at(p, p->want);
}
