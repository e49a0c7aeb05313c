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

static void later(struct http1 *h)
{
    loop_chore(loop_of(h), &h->chore);
}

static void wait_ms(struct http1 *h, int64_t ms)
{
    loop_timer(loop_of(h), &h->timer, loop_of(h)->now + ms);
}

/* ---- the reply ---- */

static int give_text(struct http1 *h, const char *p, size_t n)
{
    struct span v = {NULL, (const uint8_t *)p, n};
    return layer_give_below(&h->layer, &v, 1, DX_MORE);
}

/* A refusal that no exchange stands for: short, and the connection ends. */
static void refuse(struct http1 *h, int status)
{
    char text[256];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s\n",
                     status, dx_http_reason(status), os_http_date(), strlen(dx_http_reason(status)) + 1,
                     dx_http_reason(status));
    give_text(h, text, (size_t)n);
    h->closing = 1;
    layer_close_below(&h->layer);
}

static bool clean(const char *s)
{
    return s && !strpbrk(s, "\r\n");
}

static bool is_name(const char *s)
{
    size_t n = s ? strspn(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;
    return n > 0 && !s[n];
}

static int add_fields(dx_text *t, const char *type, const dx_http_field *extra, size_t count)
{
    char line[64];
    int n = 0;
    if (type) {
        if (!clean(type))
            return DX_URL;
        dx_text_add(t, "Content-Type: ", 14);
        dx_text_add(t, type, strlen(type));
        dx_text_add(t, "\r\n", 2);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_name(extra[i].name) || !clean(extra[i].value))
            return DX_URL;
        dx_text_add(t, extra[i].name, strlen(extra[i].name));
        dx_text_add(t, ": ", 2);
        dx_text_add(t, extra[i].value, strlen(extra[i].value));
        dx_text_add(t, "\r\n", 2);
    }
    n = snprintf(line, sizeof line, "Date: %s\r\n", os_http_date());
    return dx_text_add(t, line, (size_t)n);
}

static bool bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

int http1_send_head(struct http1 *h, int status, int64_t body_n, const char *type, const dx_http_field *extra,
                    size_t count)
{
    struct exchange *x = h->x;
    dx_text t = {0};
    char line[128];
    /* Without a 100 the client may send the body or leave it out: no next request can be told from it. */
    bool unasked = x->head.expect_continue && !x->continued && !x->body_done && status >= 200;
    bool close_it = x->head.close || unasked || (body_n < 0 && x->head.version == 10);
    int n = snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status, dx_http_reason(status));
    dx_text_add(&t, line, (size_t)n);
    int r = add_fields(&t, type, extra, count);
    if (body_n >= 0 && !bodiless(status))
        n = snprintf(line, sizeof line, "Content-Length: %lld\r\n", (long long)body_n);
    else if (body_n < 0 && !bodiless(status) && x->head.version != 10)
        n = snprintf(line, sizeof line, "Transfer-Encoding: chunked\r\n");
    else
        n = 0;
    dx_text_add(&t, line, (size_t)n);
    if (close_it && status != 101)
        dx_text_add(&t, "Connection: close\r\n", 19);
    else if (x->head.version == 10)
        dx_text_add(&t, "Connection: keep-alive\r\n", 24);
    if (r >= 0)
        r = dx_text_add(&t, "\r\n", 2);
    if (r >= 0)
        r = give_text(h, t.p, t.n);
    dx_text_free(&t);
    if (r < 0)
        return r;
    h->last = h->last || close_it;
    x->head_sent = 1;
    x->no_body = bodiless(status) || (x->head.method.n == 4 && !memcmp(x->head.method.p, "HEAD", 4));
    x->chunked_out = body_n < 0 && x->head.version != 10;
    x->reply_left = body_n;
    return 0;
}

void http1_reply_over(struct http1 *h)
{
    struct exchange *x = h->x;
    if (x->reply_done)
        return;
    if (x->reply_left > 0 && !x->no_body) {
        x->truncated = 1; /* less than was promised: only a broken connection tells the peer so */
        layer_abort_below(&h->layer);
    } else if (x->chunked_out && !x->no_body) {
        give_text(h, "0\r\n\r\n", 5);
    }
    x->reply_done = 1;
    if (!x->body_done) /* the exchange waits for it, but not for ever */
        wait_ms(h, HTTP_IDLE_MS);
    later(h);
}

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct http1 *h = of(l);
    struct exchange *x = h->x;
    struct span all[18];
    char size[24];
    size_t n = 0;
    int r = 0;
    (void)how;
    if (!x || x->reply_done)
        return DX_STATE;
    for (size_t i = 0; i < count; i++)
        n += v[i].n;
    if (!x->head_sent)
        r = http1_send_head(h, 200, -1, "application/octet-stream", NULL, 0);
    if (r < 0 || n == 0 || x->no_body)
        return r;
    if (x->reply_left >= 0) {
        if ((uint64_t)x->reply_left < n)
            return DX_BIG; /* more than Content-Length said */
        x->reply_left -= (int64_t)n;
        return layer_give_below(l, v, count, 0);
    }
    if (!x->chunked_out)
        return layer_give_below(l, v, count, 0);
    if (count > 16)
        return DX_BIG;
    all[0] = (struct span){NULL, (const uint8_t *)size, (size_t)snprintf(size, sizeof size, "%zx\r\n", n)};
    memcpy(all + 1, v, count * sizeof *v);
    all[count + 1] = (struct span){NULL, (const uint8_t *)"\r\n", 2};
    return layer_give_below(l, all, count + 2, 0);
}

static int give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    struct http1 *h = of(l);
    int r = h->x && !h->x->reply_done ? 0 : DX_STATE;
    if (r == 0 && !h->x->head_sent)
        r = http1_send_head(h, 200, (int64_t)n, "application/octet-stream", NULL, 0);
    if (r == 0 && h->x->chunked_out)
        r = DX_STATE; /* say the length in dx_http_head, and it leaves as it is */
    if (r == 0 && (uint64_t)h->x->reply_left < n)
        r = DX_BIG;
    if (r < 0 || h->x->no_body) {
        os_fd_close(fd);
        return r;
    }
    h->x->reply_left -= (int64_t)n;
    return layer_give_file_below(l, fd, off, n, how);
}

static int finish(struct layer *l)
{
    struct http1 *h = of(l);
    if (!h->x)
        return DX_STATE;
    if (!h->x->head_sent)
        http1_send_head(h, 200, 0, NULL, NULL, 0);
    http1_reply_over(h);
    return 0;
}

/* ---- exchanges ---- */

static void drop_exchange(struct http1 *h)
{
    free(h->old);
    h->old = h->x;
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
        return;
    }
    wait_ms(h, HTTP_IDLE_MS);
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

/* The views of a head point into p: into the copy instead. */
static void move_view(struct bytes *v, const uint8_t *from, const uint8_t *to, size_t n)
{
    if (v->p && v->p >= from && v->p <= from + n)
        v->p = to + (v->p - from);
}

static struct exchange *exchange_new(const struct http1_head *head, const uint8_t *p, size_t n)
{
    struct exchange *x = malloc(sizeof *x + n);
    if (!x)
        return NULL;
    memset((char *)x + sizeof x->head, 0, sizeof *x - sizeof x->head);
    x->head = *head;
    x->bytes_n = n;
    memcpy(x->bytes, p, n);
    struct bytes *v[] = {&x->head.method, &x->head.target, &x->head.path, &x->head.query, &x->head.host};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        move_view(v[i], p, x->bytes, n);
    for (size_t i = 0; i < x->head.count; i++) {
        move_view(&x->head.fields[i].name, p, x->bytes, n);
        move_view(&x->head.fields[i].value, p, x->bytes, n);
    }
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
        give_text(h, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
}

/* The handler hears of a WebSocket alone: of a request that is none it never learns. */
static void accept_ws_only(dx_conn *c)
{
    static const dx_handler nobody;
    static const char text[] = "This address speaks WebSocket.\n";
    struct http1 *h = http1_of(c);
    struct bytes path = h->x->head.path;
    const char *want = h->from->path ? h->from->path : "/";
    int status = 0;
    if (path.n != strlen(want) || memcmp(path.p, want, path.n) != 0)
        status = 404;
    else if (!dx_http_wants_ws(c))
        status = 426;
    else if (dx_ws_accept(c, NULL, NULL, &(dx_ws_opts){.origins = "*"}) < 0)
        status = 403;
    dx_http_field up = {"Upgrade", "websocket"};
    if (!status) {
        conn_open(c);
        return;
    }
    c->on = &nobody;
    dx_http_reply(c, status, "text/plain", text, sizeof text - 1, &up, status == 426);
}

/* true: the exchange stands and the layer is still this one. */
static bool begin(struct http1 *h, const struct http1_head *head, const uint8_t *p, size_t n)
{
    loop_timer_off(loop_of(h), &h->timer);
    h->scanned = 0;
    h->x = exchange_new(head, p, n);
    dx_conn *c = h->x ? conn_new(h->from->on, h->from->user, &h->layer, h->q) : NULL;
    if (!c) {
        free(h->x);
        h->x = NULL;
        refuse(h, 503);
        return false;
    }
    lone_del(&h->lone);
    if (h->ws_only)
        accept_ws_only(c);
    else
        conn_open(c);
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
        if (h->x->discarded > HTTP_DISCARD_MAX) {
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
        got = http1_chunk(&x->chunks, p, n, &data, &end);
        x->body_left = !end;
    }
    if (got <= 0)
        return got;
    hand_body(h, (uint8_t *)(uintptr_t)data.p, data.n);
    if (!h->upgraded && h->x)
        h->x->body_done = h->x->body_left == 0;
    return got;
}

static int64_t take_head(struct http1 *h, const uint8_t *p, size_t n)
{
    static _Thread_local struct http1_head head;
    int64_t got = http1_request(p, n, &h->scanned, &head);
    if (got < 0) {
        refuse(h, (int)-got);
    } else if (got == 0) {
        if (!h->held)
            wait_ms(h, HTTP_HEAD_MS); /* from the first byte on, whatever trickles in later */
        h->held = 1;
    } else {
        h->held = 0;
        begin(h, &head, p, (size_t)got);
    }
    return got;
}

static void body_broken(struct http1 *h)
{
    struct exchange *x = h->x;
    h->last = 1;
    if (!x->head_sent)
        http1_send_head(h, 400, 0, NULL, NULL, 0);
    layer_fail(&h->layer, DX_PROTO, DX_OF_HTTP, 400, "a chunked body against RFC 9112");
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
                body_broken(h);
            return n;
        }
        used += (size_t)got;
        if (h->upgraded)
            return used; /* the rest belongs to what stands here now */
        if (h->x)
            tell_body_end(h);
        if (is_over(h))
            part(h);
        else if (got == 0)
            break;
    }
    if (h->x && h->x->body_done && used < n)
        l->below->type->pause(l->below, true); /* pipelined requests wait where they are */
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
    h->last = 1;
    if (!h->x) {
        layer_close_below(l);
    } else if (!h->x->body_done) {
        layer_fail(l, DX_TRUNCATED, DX_OF_HTTP, 400, "the request stopped inside its body");
    } /* else: a client that half-closes after its request still gets its reply */
}

static void closed(struct layer *l, const dx_err *why)
{
    struct http1 *h = of(l);
    h->gone = 1;
    lone_del(&h->lone);
    loop_timer_off(loop_of(h), &h->timer);
    if (l->above)
        layer_closed_above(l, why); /* the conn buries the stack */
    else
        layer_bury_stack(l, loop_of(h));
}

static void pause_it(struct layer *l, bool on)
{
    struct http1 *h = of(l);
    if (!on && h->x && h->x->body_done)
        later(h);
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
    finish(l);
    if (!h->x->body_done) { /* read over the rest of its body, if it comes soon */
        wait_ms(h, HTTP_CLOSE_MS);
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
    if (h->held)
        refuse(h, 408);
    else
        layer_close_below(&h->layer);
    h->closing = 1;
}

static void layer_free(struct layer *l)
{
    struct http1 *h = of(l);
    loop_timer_off(loop_of(h), &h->timer);
    loop_chore_off(loop_of(h), &h->chore);
    lone_del(&h->lone);
    free(h->old);
    free(h->x);
    free(h);
}

const struct layer_type http1_type = {
    .name = "http",
    .opened = opened,
    .take = take,
    .ended = ended,
    .writable = writable,
    .closed = closed,
    .give = give,
    .give_msg = layer_give_msg_plain,
    .give_file = give_file,
    .finish = finish,
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
    wait_ms(h, HTTP_HEAD_MS);
    return h;
}
