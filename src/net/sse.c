/* SPDX-License-Identifier: MIT
 * sse.c - the calls of <duplex/sse.h>, and dx_http_park: exchanges that wait for news. What they wait by is part of the
 * exchange, so that nothing of it is left when that ends. */
#include <duplex/sse.h>
#include "net/http1.h"
#include <duplex/text.h>
#include <stdio.h>
#include <string.h>

enum { KEEP_MS = 15000 };

/* ---- events as bytes ---- */

/* In one line of the stream? NULL is. */
static bool one_line(const char *s)
{
    return !s || !s[strcspn(s, "\r\n")];
}

static int field(dx_text *out, const char *name, const char *p, size_t n)
{
    int r = dx_text_add(out, name, strlen(name));
    r = r < 0 ? r : dx_text_add(out, p, n);
    return r < 0 ? r : dx_text_add(out, "\n", 1);
}

/* A line each for what CR, LF and CRLF part; the client joins them with LF. */
static int data_lines(dx_text *out, const char *p, size_t n)
{
    for (;;) {
        size_t k = 0;
        while (k < n && p[k] != '\r' && p[k] != '\n')
            k++;
        int r = field(out, "data: ", p, k);
        if (r < 0 || k == n)
            return r;
        k += p[k] == '\r' && k + 1 < n && p[k + 1] == '\n' ? 2 : 1;
        p += k;
        n -= k;
    }
}

static int write_event(const dx_sse *e, dx_text *out)
{
    char retry[24];
    int n = snprintf(retry, sizeof retry, "%lld", (long long)e->retry_ms), r = 0;
    if (!one_line(e->id) || !one_line(e->event) || e->retry_ms < 0 || (!e->id && !e->event && !e->data && !e->retry_ms))
        return DX_URL;
    if (e->id)
        r = field(out, "id: ", e->id, strlen(e->id));
    if (r == 0 && e->event)
        r = field(out, "event: ", e->event, strlen(e->event));
    if (r == 0 && e->retry_ms)
        r = field(out, "retry: ", retry, (size_t)n);
    if (r == 0 && e->data)
        r = data_lines(out, e->data, e->n);
    return r < 0 ? r : dx_text_add(out, "\n", 1);
}

static int write_sized(const dx_sse *e, size_t e_bytes, dx_text *out)
{
    dx_sse mine = {0};
    memcpy(&mine, e, e_bytes < sizeof mine ? e_bytes : sizeof mine);
    return write_event(&mine, out);
}

int dx_sse_send_sized(dx_conn *c, const dx_sse *e, size_t e_bytes)
{
    dx_text t = {0};
    int r = write_sized(e, e_bytes, &t);
    r = r < 0 ? r : dx_send(c, t.p, t.n, 0);
    dx_text_free(&t);
    return r;
}

dx_msg *dx_sse_msg_sized(const dx_sse *e, size_t e_bytes)
{
    dx_text t = {0};
    dx_msg *m = write_sized(e, e_bytes, &t) < 0 ? NULL : dx_msg_new(t.p, t.n, 0);
    dx_text_free(&t);
    return m;
}

dx_bytes dx_sse_last_id(const dx_conn *c)
{
    return dx_http_header(c, "Last-Event-ID");
}

/* ---- waiting ---- */

static int wait_more(struct http_wait *w)
{
    return loop_timer(w->c->q->loop, &w->timer, w->c->q->loop->now + w->ms);
}

static void over(struct http_wait *w)
{
    if (w->status)
        dx_http_reply(w->c, w->status, NULL, NULL, 0, NULL, 0); /* answered already: DX_STATE */
    else
        dx_close(w->c);
}

static void fire(struct timer *t, dx_loop *l)
{
    struct http_wait *w = (struct http_wait *)((char *)t - offsetof(struct http_wait, timer));
    (void)l;
    if (w->c->quiet || w->c->gone)
        return;
    if (w->status) {
        over(w);
        return;
    }
    /* A full queue has something to send already, and says soon enough whether the client is there. */
    if (dx_http_sent(w->c) != w->sent || dx_send(w->c, ":\n\n", 3, 0) != DX_STATE)
        wait_more(w);
    w->sent = dx_http_sent(w->c);
}

void http_wait_over(struct http1 *h)
{
    struct http_wait *w = h->x ? &h->x->wait : NULL;
    if (w && w->c && !w->c->quiet && !w->c->gone)
        over(w);
}

/* status 0: a stream. */
static int begin(dx_conn *c, struct http1 *h, int64_t ms, int status)
{
    struct http_wait *w = &h->x->wait;
    *w = (struct http_wait){.timer = w->timer, .c = c, .ms = ms, .status = status};
    w->timer.fire = fire;
    c->stays = 1;
    return ms < 0 ? 0 : wait_more(w);
}

int dx_sse_open(dx_conn *c, int64_t keep_ms, const dx_http_field *fields, size_t count)
{
    enum { MORE_MAX = 32 };
    dx_http_field all[MORE_MAX + 2] = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    struct http1 *h = http1_answerable(c);
    if (!h)
        return DX_STATE;
    if (keep_ms < -1)
        return DX_URL;
    if (count > MORE_MAX)
        return DX_BIG;
    if (count)
        memcpy(all + 2, fields, count * sizeof *fields);
    int r = dx_http_head(c, 200, -1, all, count + 2);
    return r < 0 ? r : begin(c, h, keep_ms ? keep_ms : KEEP_MS, 0);
}

int dx_http_park(dx_conn *c, int64_t ms, int status)
{
    struct http1 *h = http1_answerable(c);
    if (!h)
        return DX_STATE;
    if (ms < 0 || (status && (status < 200 || status > 999)))
        return DX_URL;
    return begin(c, h, ms, status ? status : 204);
}
