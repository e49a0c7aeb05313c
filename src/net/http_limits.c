/* SPDX-License-Identifier: MIT
 * http_limits.c - dx_http_limits: times, sizes and rates of a server's connection. It has one timer: for a head, for an idle
 * connection, and, while an exchange stands, for the first of what could be late.
 *
 * Rates are counted from one moment (pace.since) to the next that is grace_ms later, again and again. What a client
 * takes of the reply is what was given less what waits still, so a queue that runs dry or a pause of ours begins anew. */
#include "core/stream.h"
#include "net/http1.h"
#include "net/router.h"
#include <string.h>

enum { DEAF_MS = 200 };

int64_t http_limit_of_route(const struct http1 *h, size_t offset)
{
    int64_t v;
    memcpy(&v, (const char *)&h->x->route->limits + offset, sizeof v);
    return v;
}

static int64_t now_of(const struct http1 *h)
{
    return h->loop->now;
}

/* Rates are judged over so long. */
static int64_t grace_of(const struct http1 *h)
{
    int64_t v = HTTP_LIMIT(h, grace_ms);
    return v > 0 ? v : 5000;
}

static void count_anew(struct http1 *h)
{
    struct http_pace *p = &h->x->pace;
    p->since = now_of(h);
    p->in_then = p->in;
    p->sent_then = h->x->sent;
    p->waited_then = queue_waits(h->q);
}

void http_begun(struct http1 *h)
{
    int64_t most = HTTP_LIMIT(h, requests_max);
    h->x->pace.began = now_of(h);
    h->served++;
    h->last |= most >= 0 && h->served >= most;
}

int64_t http_head_fits(const struct http1 *h, const uint8_t *p, size_t n, int64_t got, const struct http1_head *head)
{
    const dx_http_limits *l = &h->from->set->http;
    if (got == 0)
        return l->head_bytes_max < 0 || n <= (size_t)l->head_bytes_max ? 0 : memchr(p, '\n', n) ? -431 : -414;
    if ((l->head_bytes_max >= 0 && got > l->head_bytes_max) ||
        (l->fields_max >= 0 && head->count > (size_t)l->fields_max))
        return -431;
    return got;
}

bool http_in(struct http1 *h, size_t n)
{
    int64_t most = HTTP_LIMIT(h, body_bytes_max);
    h->x->pace.in += n;
    return most < 0 || h->x->pace.in <= (uint64_t)most;
}

/* ---- what is watched ---- */

/* The slowest that a body may come now, or -1. */
static int64_t receive_rate(const struct http1 *h)
{
    const struct exchange *x = h->x;
    int64_t set = HTTP_LIMIT(h, receive_s_min);
    if (x->body_done || x->pace.discards)
        return -1;
    return set ? set : !x->head_sent || x->reply_done ? 240 : -1;
}

static void first(int64_t *due, int64_t from, int64_t ms)
{
    if (ms >= 0 && from + ms < *due)
        *due = from + ms;
}

/* When the exchange must be looked at next; INT64_MAX: there is nothing to see. */
static int64_t next_look(const struct http1 *h)
{
    const struct exchange *x = h->x;
    int64_t due = INT64_MAX;
    bool ours = layer_stopped(&h->layer); /* we read nothing: no client can be late */
    if (!x->head_sent)
        first(&due, x->pace.began, HTTP_LIMIT(h, answer_ms));
    if (!x->body_done && !x->pace.discards && !ours)
        first(&due, x->pace.began + x->pace.rested, HTTP_LIMIT(h, body_ms));
    if (!x->body_done && x->pace.discards)
        first(&due, x->pace.discards, HTTP_LIMIT(h, discard_ms));
    if (receive_rate(h) >= 0 || (ours && !x->body_done) || (queue_waits(h->q) && HTTP_LIMIT(h, send_s_min) >= 0))
        first(&due, x->pace.since, grace_of(h));
    return due;
}

static void set_timer(struct http1 *h, int64_t at)
{
    h->deaf = 0;
    if (at == INT64_MAX)
        loop_timer_off(h->loop, &h->timer);
    else
        loop_timer(h->loop, &h->timer, at);
}

void http_watch(struct http1 *h)
{
    if (!h->timer.node.pos)
        count_anew(h);
    set_timer(h, next_look(h));
}

void http_paused(struct http1 *h, bool on)
{
    struct http_pace *p = &h->x->pace;
    if (!on && p->paused) {
        p->rested += now_of(h) - p->paused;
        p->resumed = true;
    }
    p->paused = on ? now_of(h) : 0;
}

void http_watch_rest(struct http1 *h, int64_t ms)
{
    int64_t due = INT64_MAX;
    first(&due, now_of(h), ms);
    h->rest_since = now_of(h);
    h->rest_waited = queue_waits(h->q);
    if (h->rest_waited && HTTP_LIMIT(h, send_s_min) >= 0)
        first(&due, now_of(h), grace_of(h));
    set_timer(h, due);
}

void http_watch_head(struct http1 *h)
{
    int64_t due = INT64_MAX;
    first(&due, now_of(h), HTTP_LIMIT(h, head_ms));
    h->rest_waited = 0;
    set_timer(h, due);
}

/* ---- what is late ---- */

static bool too_slow(int64_t bytes, int64_t ms, int64_t rate)
{
    int64_t least;
    if (rate < 0)
        return false;
    return __builtin_mul_overflow(rate, ms, &least) || bytes < least / 1000;
}

/* What the kernel holds for the client goes out while our queue stands still: it takes from us a third of its buffer at once, and that
 * may be more than a slow client takes in all of grace_ms. Asked only where the queue seems to say that nothing goes, for that costs a
 * call: so the first time there is nothing to compare with, and the client has as long again. */
static bool kernel_says_too_slow(struct http1 *h, int64_t since, int64_t gone, int64_t rate)
{
    size_t now = stream_unsent(stream_of(layer_bottom(&h->layer)));
    bool known = h->unsent_at == since;
    gone += known ? (int64_t)h->unsent - (int64_t)now : 0;
    h->unsent = now;
    h->unsent_at = now_of(h);
    return known && too_slow(gone, now_of(h) - since, rate);
}

/* Has the client taken too little of the stream that a handler says? What it says now and then may lie there when we look. */
static bool takes_too_little(struct http1 *h)
{
    const struct http_pace *p = &h->x->pace;
    int64_t rate = HTTP_LIMIT(h, send_s_min);
    size_t waits = queue_waits(h->q), least = HTTP_WORTH_WATCHING;
    int64_t gone = (int64_t)(h->x->sent - p->sent_then) + (int64_t)p->waited_then - (int64_t)waits;
    return p->waited_then > least && waits > least && too_slow(gone, now_of(h) - p->since, rate) &&
           kernel_says_too_slow(h, p->since, gone, rate);
}

/* The same where all has been said. */
static bool takes_too_little_rest(struct http1 *h)
{
    int64_t gone = (int64_t)h->rest_waited - (int64_t)queue_waits(h->q), rate = HTTP_LIMIT(h, send_s_min);
    return h->rest_waited && queue_waits(h->q) && too_slow(gone, now_of(h) - h->rest_since, rate) &&
           kernel_says_too_slow(h, h->rest_since, gone, rate);
}

/* No answer would be read. */
static void break_off(struct http1 *h)
{
    struct dx_conn *c = h->layer.above ? conn_of_layer(h->layer.above) : NULL;
    h->closing = 1;
    if (c) {
        conn_set_why(c, DX_TIMEOUT, DX_OF_HTTP, 0, "the client takes too little of the reply");
        c->quiet = c->end_said = 1;
    }
    layer_abort_below(&h->layer);
}

static void judge_exchange(struct http1 *h)
{
    struct exchange *x = h->x;
    struct http_pace *p = &x->pace;
    int64_t now = now_of(h), body = HTTP_LIMIT(h, body_ms), answer = HTTP_LIMIT(h, answer_ms),
            discard = HTTP_LIMIT(h, discard_ms), rate = receive_rate(h);
    bool counted = now - p->since >= grace_of(h), ours = layer_stopped(&h->layer);
    if (p->resumed) { /* judged when this turn has read what lies there */
        int64_t next = next_look(h);
        p->resumed = false;
        count_anew(h);
        set_timer(h, next > now ? next : now + 1);
        return;
    }
    if (p->discards) {
        if (!x->body_done && discard >= 0 && now - p->discards >= discard) {
            h->closing = 1;
            layer_close_below(&h->layer);
            http_watch_rest(h, -1);
            return;
        }
    } else if (!x->head_sent && answer >= 0 && now - p->began >= answer) {
        http1_fail(h, DX_TIMEOUT, 503, "no answer within answer_ms");
        return;
    } else if (!x->body_done && !ours && body >= 0 && now - p->began - p->rested >= body) {
        http1_fail(h, DX_TIMEOUT, 408, "the request's body was not whole within body_ms");
        return;
    } else if (counted && !ours && rate >= 0 && too_slow((int64_t)(p->in - p->in_then), now - p->since, rate)) {
        http1_fail(h, DX_TIMEOUT, 408, "the request's body comes too slowly");
        return;
    }
    if (counted && takes_too_little(h)) {
        break_off(h);
        return;
    }
    if (counted)
        count_anew(h);
    http_watch(h);
}

/* No exchange, or one that is broken off in order: what was said last may be going out still. */
static void judge_rest(struct http1 *h)
{
    if (takes_too_little_rest(h)) {
        break_off(h);
    } else if (h->closing) {
        http_watch_rest(h, -1);
    } else if (h->rest_waited) { /* it is idle from here on */
        http_watch_rest(h, HTTP_LIMIT(h, idle_ms));
    } else {
        h->closing = 1;
        layer_close_below(&h->layer);
    }
}

/* A loop that had too much to do has not read what may have come in time: nobody is late for that. Once, or a loop that always has
 * too much to do would bear with everybody. */
static bool was_deaf(struct http1 *h)
{
    int64_t late = now_of(h) - h->timer.node.at;
    if (late < DEAF_MS || h->deaf)
        return false;
    set_timer(h, now_of(h) + late);
    h->deaf = 1;
    return true;
}

void http_late(struct http1 *h)
{
    if (h->gone || was_deaf(h))
        return;
    if (h->x && !h->closing)
        judge_exchange(h);
    else if (h->held && !h->closing)
        http1_refuse(h, 408, h->held_head);
    else
        judge_rest(h);
}
