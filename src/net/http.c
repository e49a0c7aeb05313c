/* SPDX-License-Identifier: MIT
 * http.c - the calls of <duplex/http.h>. */
#include <duplex/http.h>
#include "codec/ws.h"
#include "net/fetch.h"
#include "net/http1.h"
#include "net/http1_client.h"
#include "net/layers.h"
#include "net/stack.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct exchange *exchange_of(const dx_conn *c)
{
    struct http1 *h = http1_of(c);
    return h ? h->x : NULL;
}

/* What came: a server's request, a client's response; NULL: nothing yet. */
static const struct http1_head *head_of(const dx_conn *c)
{
    const struct exchange *x = exchange_of(c);
    const struct client *k = x ? NULL : http1_client_of(c);
    return x ? &x->head : k ? http1_client_head(k) : ws_handshake_head(c);
}

static dx_bytes view(struct bytes b)
{
    return (dx_bytes){b.p, b.n};
}

/* Of a request; a response's are absent. */
#define ASK(c, field) (exchange_of(c) ? view(exchange_of(c)->head.field) : (dx_bytes){NULL, 0})

bool dx_http_is(const dx_conn *c)
{
    return exchange_of(c) || http1_client_of(c);
}

dx_bytes dx_http_method(const dx_conn *c)
{
    return ASK(c, method);
}

dx_bytes dx_http_target(const dx_conn *c)
{
    return ASK(c, target);
}

dx_bytes dx_http_path(const dx_conn *c)
{
    return ASK(c, path);
}

dx_bytes dx_http_query(const dx_conn *c)
{
    return ASK(c, query);
}

dx_bytes dx_http_host(const dx_conn *c)
{
    return ASK(c, host);
}

dx_bytes dx_http_header(const dx_conn *c, const char *name)
{
    const struct http1_head *h = head_of(c);
    return h ? view(http1_get(h, name)) : (dx_bytes){NULL, 0};
}

dx_bytes dx_http_header_at(const dx_conn *c, size_t i, dx_bytes *ret_name)
{
    const struct http1_head *h = head_of(c);
    if (!h || i >= h->count)
        return (dx_bytes){NULL, 0};
    if (ret_name)
        *ret_name = view(h->fields[i].name);
    return view(h->fields[i].value);
}

static const struct trail *trail_of(const dx_conn *c)
{
    const struct exchange *x = exchange_of(c);
    const struct client *k = x ? NULL : http1_client_of(c);
    return x ? x->in.trail : k ? http1_client_trail(k) : NULL;
}

dx_bytes dx_http_trailer_at(const dx_conn *c, size_t i, dx_bytes *ret_name)
{
    const struct trail *t = trail_of(c);
    if (!t || i >= t->count)
        return (dx_bytes){NULL, 0};
    if (ret_name)
        *ret_name = view(t->fields[i].name);
    return view(t->fields[i].value);
}

dx_bytes dx_http_trailer(const dx_conn *c, const char *name)
{
    const struct trail *t = trail_of(c);
    for (size_t i = 0; t && i < t->count; i++)
        if (t->fields[i].name.n == strlen(name) && !strncasecmp((const char *)t->fields[i].name.p, name, strlen(name)))
            return view(t->fields[i].value);
    return (dx_bytes){NULL, 0};
}

int64_t dx_http_length(const dx_conn *c)
{
    const struct exchange *x = exchange_of(c);
    const struct client *k = http1_client_of(c);
    if (k)
        return http1_client_length(k);
    return x && !x->head.chunked ? (x->head.length < 0 ? 0 : x->head.length) : -1;
}

int dx_http_version(const dx_conn *c)
{
    const struct http1_head *h = head_of(c);
    return h ? h->version : 0;
}

int dx_http_status(const dx_conn *c)
{
    const struct exchange *x = exchange_of(c);
    const struct http1_head *h = x ? NULL : head_of(c);
    return x ? x->status : h ? h->status : 0;
}

uint64_t dx_http_sent(const dx_conn *c)
{
    const struct exchange *x = exchange_of(c);
    return x ? x->sent : 0;
}

bool dx_http_wants_ws(const dx_conn *c)
{
    const struct exchange *x = exchange_of(c);
    return x && !x->head_sent && x->body_done && ws_asked(&x->head);
}

const char *dx_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } all[] = {{100, "Continue"},
               {101, "Switching Protocols"},
               {102, "Processing"},
               {103, "Early Hints"},
               {200, "OK"},
               {201, "Created"},
               {202, "Accepted"},
               {203, "Non-Authoritative Information"},
               {204, "No Content"},
               {205, "Reset Content"},
               {206, "Partial Content"},
               {207, "Multi-Status"},
               {208, "Already Reported"},
               {226, "IM Used"},
               {300, "Multiple Choices"},
               {301, "Moved Permanently"},
               {302, "Found"},
               {303, "See Other"},
               {304, "Not Modified"},
               {307, "Temporary Redirect"},
               {308, "Permanent Redirect"},
               {400, "Bad Request"},
               {401, "Unauthorized"},
               {402, "Payment Required"},
               {403, "Forbidden"},
               {404, "Not Found"},
               {405, "Method Not Allowed"},
               {406, "Not Acceptable"},
               {407, "Proxy Authentication Required"},
               {408, "Request Timeout"},
               {409, "Conflict"},
               {410, "Gone"},
               {411, "Length Required"},
               {412, "Precondition Failed"},
               {413, "Content Too Large"},
               {414, "URI Too Long"},
               {415, "Unsupported Media Type"},
               {416, "Range Not Satisfiable"},
               {417, "Expectation Failed"},
               {421, "Misdirected Request"},
               {422, "Unprocessable Content"},
               {423, "Locked"},
               {424, "Failed Dependency"},
               {425, "Too Early"},
               {426, "Upgrade Required"},
               {428, "Precondition Required"},
               {429, "Too Many Requests"},
               {431, "Request Header Fields Too Large"},
               {451, "Unavailable For Legal Reasons"},
               {500, "Internal Server Error"},
               {501, "Not Implemented"},
               {502, "Bad Gateway"},
               {503, "Service Unavailable"},
               {504, "Gateway Timeout"},
               {505, "HTTP Version Not Supported"},
               {506, "Variant Also Negotiates"},
               {507, "Insufficient Storage"},
               {508, "Loop Detected"},
               {511, "Network Authentication Required"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].status == status)
            return all[i].reason;
    return "Status";
}

struct http1 *http1_answerable(dx_conn *c)
{
    struct http1 *h = c->gone || c->quiet ? NULL : http1_of(c);
    return h && h->x && !h->x->head_sent ? h : NULL;
}

/* What we alone say. */
static bool ours(const dx_http_field *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (v[i].name && (!strcasecmp(v[i].name, "Content-Length") || !strcasecmp(v[i].name, "Transfer-Encoding")))
            return true;
    return false;
}

/* May this head be sent? */
static int check_head(const struct http1 *h, int status, const dx_http_field *fields, size_t count)
{
    if (!h)
        return DX_STATE;
    if (status < 200 || status > 999 || ours(fields, count))
        return DX_URL;
    return status < 300 && http1_is_connect(h->x) ? DX_ABSENT : 0;
}

int dx_http_info(dx_conn *c, int status, const dx_http_field *fields, size_t count)
{
    struct http1 *h = http1_answerable(c);
    if (!h)
        return DX_STATE;
    if (status < 100 || status > 199 || status == 101 || ours(fields, count))
        return DX_URL;
    return http1_send_info(h, status, fields, count);
}

int dx_http_trailers(dx_conn *c, const dx_http_field *fields, size_t count)
{
    if (c->gone || c->quiet || c->end_said)
        return DX_STATE;
    struct http1 *h = http1_of(c);
    struct client *k = h ? NULL : http1_client_of(c);
    if (k) {
        fetch_trails(c);
        return http1_client_trailers(k, fields, count);
    }
    if (!h || !h->x || !h->x->head_sent || h->x->reply_done || h->x->reply_left >= 0)
        return DX_STATE;
    return http1_trail_add(&h->x->trail_out, fields, count);
}

int dx_http_head(dx_conn *c, int status, int64_t length, const dx_http_field *fields, size_t count)
{
    struct http1 *h = http1_answerable(c);
    int r = length < -1 ? DX_URL : check_head(h, status, fields, count);
    r = r < 0 ? r : http1_send_head(h, status, length, NULL, fields, count);
    if (r == 0)
        h->x->begun = 1;
    return r;
}

int dx_http_reply(dx_conn *c, int status, const char *type, const void *body, size_t n, const dx_http_field *extra,
                  size_t count)
{
    struct http1 *h = http1_answerable(c);
    int r = check_head(h, status, extra, count);
    if (r == 0)
        r = http1_send_whole(h, status, type, body, n, extra, count);
    if (r == 0)
        c->end_said = 1;
    return r;
}

int dx_http_request(dx_conn *c, const char *method, const char *target, const dx_http_field *fields, size_t count,
                    int64_t length)
{
    struct client *k = c->gone || c->quiet || c->end_said ? NULL : http1_client_of(c);
    bool bodiless = method && (!strcmp(method, "GET") || !strcmp(method, "HEAD"));
    if (!k)
        return DX_STATE;
    if (length == -1 && bodiless)
        length = 0;
    struct http1_ask a = {.method = method, .target = target, .fields = fields, .count = count, .length = length};
    int r = http1_client_ask(k, &a);
    if (r == 0 && length == 0)
        c->end_said = 1;
    return r;
}

int dx_http_tunnel(dx_conn *c, const char *protocol, const dx_handler *h, void *user)
{
    (void)c;
    (void)protocol;
    (void)h;
    (void)user;
    return DX_ABSENT;
}

int stack_http(dx_listener *s, struct layer *bottom, struct queue *q)
{
    struct http1 *h = http1_new(s, q, false);
    if (h)
        layer_put_above(bottom, &h->layer);
    return h ? 0 : DX_NOMEM;
}

int stack_ws(dx_listener *s, struct layer *bottom, struct queue *q)
{
    struct http1 *h = http1_new(s, q, true);
    if (h)
        layer_put_above(bottom, &h->layer);
    return h ? 0 : DX_NOMEM;
}
