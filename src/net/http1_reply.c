/* SPDX-License-Identifier: MIT
 * http1_reply.c - what a server sends on an HTTP/1.1 connection: heads, bodies by length or in chunks, refusals. */
#include "net/http1.h"
#include "net/http1_parts.h"
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

int http1_say(struct http1 *h, const char *p, size_t n)
{
    struct span v = {NULL, (const uint8_t *)p, n};
    return layer_give_below(&h->layer, &v, 1, DX_MORE);
}

void http1_say_refusal(struct http1 *h, int status, bool of_head)
{
    char text[256];
    size_t body_n = strlen(dx_http_reason(status)) + 1;
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s\n",
                     status, dx_http_reason(status), os_http_date(), body_n, dx_http_reason(status));
    http1_say(h, text, (size_t)n - (of_head ? body_n : 0));
}

void http1_refuse(struct http1 *h, int status, bool of_head)
{
    http1_say_refusal(h, status, of_head);
    h->closing = 1;
    layer_close_below(&h->layer);
}

static bool bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

bool http1_is_connect(const struct exchange *x)
{
    return x->head.method.n == 7 && !memcmp(x->head.method.p, "CONNECT", 7);
}

static void draft_status(struct draft *d, int status)
{
    char line[] = "HTTP/1.1 000 ";
    line[9] = (char)('0' + status / 100);
    line[10] = (char)('0' + status / 10 % 10);
    line[11] = (char)('0' + status % 10);
    draft_add(d, line, sizeof line - 1);
    draft_say(d, dx_http_reason(status));
    draft_say(d, "\r\n");
}

int http1_send_info(struct http1 *h, int status, const dx_http_field *fields, size_t count)
{
    char room[DRAFT_USUAL];
    struct draft d;
    draft_begin(&d, room);
    draft_status(&d, status);
    draft_fields(&d, fields, count);
    draft_say(&d, "\r\n");
    if (d.r == 0 && h->x->head.version == 10) {
        draft_free(&d);
        return 0;
    }
    int r = draft_give(&d, &h->layer);
    if (r == 0 && status == 100)
        h->x->continued = 1;
    return r < 0 ? r : 0;
}

static void draft_connection(struct draft *d, const char *option, bool upgrade)
{
    if (!option && !upgrade)
        return;
    draft_say(d, "Connection: ");
    draft_say(d, option ? option : "Upgrade");
    draft_say(d, option && upgrade ? ", Upgrade\r\n" : "\r\n");
}

static void draft_framing(struct draft *d, const struct exchange *x, int status, int64_t body_n)
{
    if (bodiless(status))
        return;
    if (body_n >= 0) {
        draft_say(d, "Content-Length: ");
        draft_number(d, (uint64_t)body_n);
        draft_say(d, "\r\n");
    } else if (x->head.version != 10) {
        draft_say(d, "Transfer-Encoding: chunked\r\n");
    }
}

/* true: the connection ends behind this reply, and the head says so. */
static bool draft_head(struct draft *d, struct http1 *h, int status, int64_t body_n, const char *type,
                       const dx_http_field *extra, size_t count)
{
    struct exchange *x = h->x;
    /* Without a 100 the client may send the body or leave it out: no next request can be told from it. */
    bool unasked = x->head.expect_continue && !x->continued && !x->body_done && status >= 200;
    const char *connection = http1_value_of(extra, count, "Connection");
    bool asked = http1_lists(connection, "close");
    /* RFC 9110 7.8: whoever sends Upgrade says so in Connection too. */
    bool upgrade =
        (http1_value_of(extra, count, "Upgrade") || http_set_has(x, "Upgrade")) && !http1_lists(connection, "Upgrade");
    bool close_it =
        x->head.close || h->last || h->from->draining || unasked || asked || (body_n < 0 && x->head.version == 10);
    if (http1_value_of(extra, count, "Content-Type")) /* it is one field and no list */
        type = NULL;
    draft_status(d, status);
    if (type)
        draft_field(d, "Content-Type", type);
    draft_fields(d, extra, count);
    if (d->r == 0)
        http_set_write(x, d, type, extra, count);
    if (!http1_value_of(extra, count, "Date")) {
        draft_say(d, "Date: ");
        draft_add(d, os_http_date(), HTTP_DATE_N);
        draft_say(d, "\r\n");
    }
    draft_framing(d, x, status, body_n);
    draft_connection(d,
                     close_it && status != 101 && !asked  ? "close"
                     : x->head.version == 10 && !close_it ? "keep-alive"
                                                          : NULL,
                     upgrade);
    draft_say(d, "\r\n");
    return close_it;
}

static bool sends_no_body(const struct exchange *x, int status)
{
    return bodiless(status) || status == 205 || (x->head.method.n == 4 && !memcmp(x->head.method.p, "HEAD", 4));
}

/* A head, and where the whole body is there too and short, that behind it in the same piece. */
static int send_head(struct http1 *h, int status, int64_t body_n, const char *type, const dx_http_field *extra,
                     size_t count, const void *body)
{
    struct exchange *x = h->x;
    char room[DRAFT_USUAL];
    struct draft d;
    if (status == 205) /* RFC 9110 15.3.6 */
        body_n = 0;
    draft_begin(&d, room);
    bool close_it = draft_head(&d, h, status, body_n, type, extra, count), none = sends_no_body(x, status);
    bool joined = body && !none && d.r == 0 && (size_t)body_n < d.t.cap - d.t.n;
    if (joined)
        draft_add(&d, body, (size_t)body_n);
    int r = draft_give(&d, &h->layer);
    if (r < 0)
        return r;
    h->last = h->last || close_it;
    x->head_sent = 1;
    x->no_body = none;
    x->chunked_out = body_n < 0 && x->head.version != 10;
    x->reply_left = body_n;
    x->status = status;
    if (joined) {
        x->reply_left = 0;
        http_given(h, (size_t)body_n);
    }
    return 0;
}

int http1_send_head(struct http1 *h, int status, int64_t body_n, const char *type, const dx_http_field *extra,
                    size_t count)
{
    return send_head(h, status, body_n, type, extra, count, NULL);
}

/* More of a body may come than is read for the sake of the next request: a client that has sent it all by the time it reads the answer
 * must not ask again here. */
static bool much_is_left(const struct http1 *h)
{
    const struct exchange *x = h->x;
    if (x->body_done)
        return false;
    int64_t most = HTTP_LIMIT(h, discard_bytes_max);
    return most >= 0 && (x->head.chunked || x->body_left > (uint64_t)most);
}

int http1_send_whole(struct http1 *h, int status, const char *type, const void *body, size_t n,
                     const dx_http_field *extra, size_t count)
{
    struct span v = {NULL, body, n};
    h->last |= much_is_left(h);
    int r = send_head(h, status, (int64_t)n, type, extra, count, body);
    if (r == 0 && h->x->no_body)
        h->x->reply_left = 0;
    else if (r == 0 && h->x->reply_left > 0)
        r = http1_give(&h->layer, &v, 1, 0);
    if (r == 0)
        http1_reply_over(h);
    return r;
}

/* The head of who sends without one. */
static int send_default(struct http1 *h, int64_t body_n, const char *type)
{
    return http1_send_head(h, http1_is_connect(h->x) ? 501 : 200, body_n, type, NULL, 0);
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
        http1_give_last(&h->layer, &x->trail_out);
    }
    x->reply_done = 1;
    if (!x->body_done) /* the exchange waits for it, but not for ever */
        http_watch(h);
    http1_later(h);
}

int http1_give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct http1 *h = of(l);
    struct exchange *x = h->x;
    size_t n = 0;
    int r = 0;
    (void)how;
    if (!x || x->reply_done)
        return DX_STATE;
    for (size_t i = 0; i < count; i++)
        n += v[i].n;
    if (!x->head_sent)
        r = send_default(h, -1, "application/octet-stream");
    if (r < 0 || n == 0 || x->no_body)
        return r;
    if (x->reply_left >= 0 && (uint64_t)x->reply_left < n)
        return DX_BIG; /* more than Content-Length said */
    r = x->chunked_out ? http1_give_chunk(l, v, count, n) : layer_give_below(l, v, count, 0);
    if (r < 0)
        return r; /* what was promised is still to come */
    x->reply_left -= x->reply_left >= 0 ? (int64_t)n : 0;
    http_given(h, n);
    return r;
}

int http1_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    struct http1 *h = of(l);
    int r = h->x && !h->x->reply_done ? 0 : DX_STATE;
    if (r == 0 && !h->x->head_sent)
        r = send_default(h, (int64_t)n, "application/octet-stream");
    if (r == 0 && h->x->chunked_out)
        r = DX_STATE; /* say the length in dx_http_head, and it leaves as it is */
    if (r == 0 && (uint64_t)h->x->reply_left < n)
        r = DX_BIG;
    if (r < 0 || h->x->no_body) {
        os_fd_close(fd);
        return r;
    }
    r = layer_give_file_below(l, fd, off, n, how);
    if (r < 0)
        return r;
    h->x->reply_left -= h->x->reply_left >= 0 ? (int64_t)n : 0;
    http_given(h, n);
    return r;
}

int http1_finish(struct layer *l)
{
    struct http1 *h = of(l);
    if (!h->x)
        return DX_STATE;
    if (!h->x->head_sent)
        send_default(h, 0, NULL);
    http1_reply_over(h);
    return 0;
}
