/* SPDX-License-Identifier: MIT
 * http1.c - RFC 9112 for a server. The connection is a layer; while a request is being answered its conn stands above, and
 * between exchanges there is none. What ends an exchange (all of the request read, all of the reply given) may happen inside a
 * call of the handler's; the ending itself waits for the chore. */
#include "net/http1.h"
#include "base/err.h"
#include "net/layers.h"
#include "os/clock.h"
#include "os/fd.h"
#include <duplex/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOO_LONG = -413 };

static struct http1 *of(struct layer *l)
{
    return (struct http1 *)l;
}

struct http1 *http1_of(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    return l && l->type == &http1_type ? of(l) : NULL;
}

static dx_loop *loop_of(struct http1 *h)
{
    return h->loop; /* the queue may have gone before us */
}

void http1_later(struct http1 *h)
{
    loop_chore(loop_of(h), &h->chore);
}

/* ---- exchanges ---- */

static void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    free(x->in.trail);
    dx_text_free(&x->trail_out);
    dx_text_free(&x->set);
    free(x);
}

/* Its conn has had its on_close: nobody holds a view any more. */
static void drop_exchange(struct http1 *h)
{
    loop_timer_off(loop_of(h), &h->x->wait.timer);
    exchange_free(h->x);
    h->x = NULL;
}

/* The conn of an exchange that is over goes; the connection reads its next head. */
static void part(struct http1 *h)
{
    struct dx_conn *c = h->layer.above ? conn_of_layer(h->layer.above) : NULL;
    dx_err why = {.code = c && c->quiet ? DX_CLOSED : DX_END, .text = "the exchange is complete"};
    if (c)
        conn_part(c, &why);
    h->layer.above = NULL;
    drop_exchange(h);
    lone_add(h->from, &h->lone, &h->layer);
    if (h->last || h->closing || h->from->draining) {
        h->closing = 1;
        layer_close_below(&h->layer);
        http_watch_rest(h, -1);
        return;
    }
    http_watch_rest(h, HTTP_LIMIT(h, idle_ms));
}

static bool is_over(const struct http1 *h)
{
    return h->x && h->x->reply_done && h->x->body_done && !h->x->truncated;
}

static void tell_body_end(struct http1 *h)
{
    struct exchange *x = h->x;
    struct dx_conn *c = h->layer.above ? conn_of_layer(h->layer.above) : NULL;
    if (!x->body_done || x->body_told || !c || c->paused)
        return;
    x->body_told = 1;
    if (x->in.trail)
        conn_event(c, DX_TRAILERS, NULL);
    if (x->begun && x->reply_left)
        c->stays = 1;
    if (!h->upgraded)
        layer_ended_above(&h->layer);
}

static void run_chore(struct chore *c, dx_loop *l)
{
    struct http1 *h = (struct http1 *)((char *)c - offsetof(struct http1, chore));
    (void)l;
    if (h->gone || h->upgraded)
        return;
    if (h->x) /* after a pause: nothing may come any more that would bring take here */
        tell_body_end(h);
    if (!is_over(h))
        return;
    part(h);
    if (!h->closing)
        h->layer.below->type->pause(h->layer.below, false); /* a pipelined request may wait there */
}

static struct exchange *exchange_new(const struct http1_head *head, const uint8_t *p, size_t n)
{
    size_t whole = offsetof(struct exchange, head.fields) + head->count * sizeof *head->fields;
    struct exchange *x = malloc(whole + n);
    if (!x)
        return NULL;
    memset(x, 0, offsetof(struct exchange, head));
    http1_keep(&x->head, head, p, n, (uint8_t *)x + whole);
    x->reply_left = -1;
    x->body_left = head->chunked ? 1 : head->length > 0 ? (uint64_t)head->length : 0;
    x->body_done = x->body_left == 0;
    return x;
}

static void say_continue(struct http1 *h)
{
    struct exchange *x = h->x;
    struct dx_conn *c = conn_of_layer(h->layer.above);
    if (x->head.expect_continue && !x->body_done && !x->head_sent && !x->continued && !c->paused && !c->quiet) {
        x->continued = 1;
        http1_say(h, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
}

/* The handler hears of a WebSocket alone: of a request that is none it never learns. */
static void accept_ws_only(dx_conn *c)
{
    static const dx_handler nobody;
    char text[300];
    struct http1 *h = http1_of(c);
    struct bytes path = h->x->head.path;
    const char *want = h->from->path ? h->from->path : "/";
    int status = 0;
    if (path.n != strlen(want) || memcmp(path.p, want, path.n) != 0)
        status = 404;
    else if (!h->x->head.upgrade_ws || !ws_version_ok(&h->x->head))
        status = 426;
    else if (!dx_http_wants_ws(c))
        status = 400;
    else if (dx_ws_accept(c, NULL, NULL, NULL) < 0)
        status = 403;
    static const dx_http_field up[] = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}}; /* RFC 6455 4.4 */
    if (!status) {
        conn_open(c);
        return;
    }
    c->on = &nobody;
    int n = snprintf(text, sizeof text, "There is a WebSocket at %.200s, and nothing else here.\n", want);
    int said = dx_http_reply(c, status, "text/plain", text, (size_t)n, up, status == 426 ? 2 : 0);
    if (said < 0 && !h->x->head_sent)
        http1_fail(h, said, 503, "the answer could not be said");
    else
        dx_close(c); /* its body is for nobody */
}

static bool is_head(struct bytes method)
{
    return method.n == 4 && memcmp(method.p, "HEAD", 4) == 0;
}

/* true: the exchange stands and the layer is still this one. */
static bool begin(struct http1 *h, const struct http1_head *head, const uint8_t *p, size_t n)
{
    loop_timer_off(loop_of(h), &h->timer);
    h->scanned = 0;
    h->x = exchange_new(head, p, n);
    dx_conn *c = h->x ? http_conn(h) : NULL;
    if (!c) {
        exchange_free(h->x);
        h->x = NULL;
        http1_refuse(h, 503, is_head(head->method));
        return false;
    }
    lone_del(&h->lone);
    http_begun(h);
    if (h->ws_only)
        accept_ws_only(c);
    else
        http_admit(h, c);
    if (h->upgraded)
        return false;
    say_continue(h);
    return true;
}

static void hand_body(struct http1 *h, uint8_t *p, size_t n)
{
    struct dx_conn *c = conn_of_layer(h->layer.above);
    if (c->quiet) {
        h->x->discarded += n; /* nobody wants it; but the next request is behind it */
        int64_t most = HTTP_LIMIT(h, discard_bytes_max);
        if (most >= 0 && h->x->discarded > (uint64_t)most) {
            h->closing = 1;
            layer_close_below(&h->layer);
        }
    } else if (n) {
        layer_take_above(&h->layer, p, n, 0);
    }
}

/* Bytes of the request's body: how many were used up; < 0: broken. */
static int64_t take_body(struct http1 *h, uint8_t *p, size_t n)
{
    struct exchange *x = h->x;
    struct bytes data;
    bool end = false;
    int64_t got;
    if (!x->head.chunked) {
        got = (int64_t)(n < x->body_left ? n : x->body_left);
        x->body_left -= (uint64_t)got;
        data = (struct bytes){p, (size_t)got};
    } else {
        got = http1_take_chunked(&x->in, p, n, &data, &end);
        x->body_left = !end;
    }
    if (got <= 0)
        return got;
    if (!http_in(h, data.n))
        return TOO_LONG;
    hand_body(h, (uint8_t *)(uintptr_t)data.p, data.n);
    if (!h->upgraded && h->x)
        h->x->body_done = h->x->body_left == 0;
    return got;
}

/* What is refused may be a HEAD, whose answer has no body. */
static bool begins_as_head(const uint8_t *p, size_t n)
{
    size_t lead = 0;
    while (lead < n && (p[lead] == '\r' || p[lead] == '\n'))
        lead++;
    return n - lead >= 5 && memcmp(p + lead, "HEAD ", 5) == 0;
}

static int64_t take_head(struct http1 *h, const uint8_t *p, size_t n)
{
    static _Thread_local struct http1_head head;
    int64_t got = http1_request(p, n, &h->scanned, &head);
    if (got >= 0)
        got = http_head_fits(h, p, n, got, &head);
    if (got > 0 && http_misdirected(h, &head))
        got = -421;
    if (got < 0) {
        http1_refuse(h, (int)-got, begins_as_head(p, n));
    } else if (got == 0) {
        if (!h->held)
            http_watch_head(h); /* from the first byte on, whatever trickles in later */
        h->held = 1;
        h->held_head = begins_as_head(p, n);
    } else {
        h->held = 0;
        begin(h, &head, p, (size_t)got);
    }
    return got;
}

/* Is a reply under way whose end is that of the connection? */
static bool says_to_end(const struct layer *l)
{
    const struct exchange *x = ((const struct http1 *)l)->x;
    return x && x->head_sent && !x->reply_done && !x->no_body && !x->chunked_out && x->reply_left < 0;
}

void http1_fail(struct http1 *h, int code, int status, const char *words)
{
    struct exchange *x = h->x;
    bool to_end = says_to_end(&h->layer);
    h->last = 1;
    if (!x->head_sent) {
        http1_say_refusal(h, status, is_head(x->head.method));
        x->status = status;
        x->head_sent = x->reply_done = 1;
    }
    h->closing = 1;
    layer_fail(&h->layer, code, code == DX_NOMEM ? DX_OF_NOTHING : DX_OF_HTTP, status, words);
    if (to_end) /* an end in order would make the half of it whole */
        layer_abort_below(&h->layer);
    http_watch_rest(h, -1);
}

/* The rest of the request's body will never be told from what follows it. */
static void body_broken(struct http1 *h, int status)
{
    if (status == 503)
        http1_fail(h, DX_NOMEM, status, "no memory");
    else if (status == -TOO_LONG)
        http1_fail(h, DX_BIG, status, "the request's body is over body_bytes_max");
    else
        http1_fail(h, DX_PROTO, status, "a chunked body against RFC 9112");
}

/* One step over p[0..n): bytes used up; 0: nothing more can be done with them now. */
static int64_t step(struct http1 *h, uint8_t *p, size_t n)
{
    if (!h->x)
        return n ? take_head(h, p, n) : 0;
    if (!h->x->body_done && n)
        return take_body(h, p, n);
    return 0;
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct http1 *h = of(l);
    size_t used = 0;
    (void)how;
    for (;;) {
        if (h->closing)
            return n;
        if (h->x && layer_stopped(l) && !conn_of_layer(l->above)->quiet)
            break;
        if (!h->x && queue_past_half(h->q)) { /* who takes no replies makes no requests */
            h->rests = 1;
            l->below->type->pause(l->below, true);
            break;
        }
        int64_t got = step(h, p + used, n - used);
        if (got < 0) {
            if (h->x)
                body_broken(h, (int)-got);
            return n;
        }
        used += (size_t)got;
        if (h->upgraded)
            return used; /* the rest belongs to what stands here now */
        if (h->x)
            tell_body_end(h);
        if (h->upgraded) /* at the end of a body that there was none of */
            return used;
        if (is_over(h))
            part(h);
        else if (got == 0)
            break;
    }
    if (h->x && h->x->body_done && used < n)
        l->below->type->pause(l->below, true); /* pipelined requests wait where they are */
    if (h->x && !h->timer.node.pos)
        http_watch(h);
    return used;
}

static void writable(struct layer *l)
{
    struct http1 *h = of(l);
    if (h->rests) {
        h->rests = 0;
        l->below->type->pause(l->below, false);
    }
    layer_writable_above(l);
}

static void opened(struct layer *l)
{
    (void)l; /* a server's connection stands from the start */
}

static void ended(struct layer *l)
{
    struct http1 *h = of(l);
    h->last = h->ended = 1;
    if (!h->x && h->held && !h->closing) {
        http1_refuse(h, 400, h->held_head); /* who has said its end may still be listening */
    } else if (!h->x) {
        layer_close_below(l);
    } else if (!h->x->body_done) {
        http1_fail(h, DX_TRUNCATED, 400, "the request stopped inside its body");
    } else { /* a client that half-closes after its request still gets its reply */
        conn_event(conn_of_layer(l->above), DX_GONE, NULL);
        http_wait_over(h);
    }
}

static void closed(struct layer *l, const dx_err *why)
{
    struct http1 *h = of(l);
    h->gone = 1;
    lone_del(&h->lone);
    loop_timer_off(loop_of(h), &h->timer);
    if (h->x)
        loop_timer_off(loop_of(h), &h->x->wait.timer);
    if (l->above)
        layer_closed_above(l, why); /* the conn buries the stack */
    else
        layer_bury_stack(l, loop_of(h));
}

static void pause_it(struct layer *l, bool on)
{
    struct http1 *h = of(l);
    if (!on && h->x && h->x->body_done)
        http1_later(h);
    if (h->x && !h->x->body_done)
        http_paused(h, on);
    if (on || !h->x || !h->x->body_done || !h->x->body_told)
        layer_pause_below(l, on);
    if (!on && h->x)
        say_continue(h);
}

static void close_down(struct layer *l)
{
    struct http1 *h = of(l);
    if (!h->x) {
        h->closing = 1;
        layer_close_below(l);
        return;
    }
    http1_finish(l);
    if (!h->x->body_done) { /* read over the rest of its body, if it comes soon */
        h->x->pace.discards = loop_of(h)->now;
        http_watch(h);
        l->below->type->pause(l->below, false);
    }
}

static void break_off(struct layer *l)
{
    of(l)->closing = 1; /* no request behind this one is begun */
    layer_abort_below(l);
}

static void timer_fire(struct timer *t, dx_loop *l)
{
    struct http1 *h = (struct http1 *)((char *)t - offsetof(struct http1, timer));
    (void)l;
    http_late(h);
}

static void layer_free(struct layer *l)
{
    struct http1 *h = of(l);
    loop_timer_off(loop_of(h), &h->timer);
    loop_chore_off(loop_of(h), &h->chore);
    lone_del(&h->lone);
    if (h->x)
        loop_timer_off(loop_of(h), &h->x->wait.timer);
    exchange_free(h->x);
    free(h);
}

const struct layer_type http1_type = {
    .name = "http",
    .name_over_tls = "https",
    .exchanges = true,
    .ends_itself = layer_ends_itself,
    .says_to_end = says_to_end,
    .opened = opened,
    .take = take,
    .ended = ended,
    .writable = writable,
    .closed = closed,
    .give = http1_give,
    .give_msg = layer_give_msg_plain,
    .give_file = http1_give_file,
    .finish = http1_finish,
    .pause = pause_it,
    .close = close_down,
    .abort = break_off,
    .free = layer_free,
};

struct http1 *http1_new(dx_listener *s, struct queue *q, bool ws_only)
{
    struct http1 *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->layer.type = &http1_type;
    h->chore.run = run_chore;
    h->timer.fire = timer_fire;
    h->q = q;
    h->loop = q->loop;
    h->from = s;
    h->ws_only = ws_only;
    lone_add(s, &h->lone, &h->layer);
    http_watch_head(h);
    return h;
}
