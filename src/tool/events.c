/* SPDX-License-Identifier: MIT
 * events.c - see events.h. */
#include "tool/events.h"
#include "tool/add.h"
#include <duplex/http.h>
#include <duplex/ws.h>
#include <inttypes.h>
#include <string.h>

void events_free(struct events *e)
{
    dx_decoder_free(e->decoder);
    dx_text_free(&e->out);
    *e = (struct events){0};
}

static int begin(struct events *e, const char *name, struct moment at)
{
    dx_text_clear(&e->out);
    return addf(&e->out, "{\"v\":%d,\"event\":\"%s\",\"time\":%" PRId64, EVENTS_VERSION, name, at.wall_ms);
}

static int add_text(struct events *e, const char *name, const char *p, size_t n)
{
    return add_json(&e->out, name, p, n);
}

static int add_hex(struct events *e, const char *name, dx_bytes b)
{
    int r = addf(&e->out, ",\"%s\":\"", name);
    if (r >= 0 && b.n)
        r = dx_hex(b.p, b.n, " ", &e->out);
    return r < 0 ? r : add(&e->out, "\"");
}

static int add_base64(struct events *e, dx_bytes b)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = b.p;
    int r = addf(&e->out, ",\"base64\":\"");
    for (size_t i = 0; i < b.n && r >= 0; i += 3) {
        size_t n = b.n - i < 3 ? b.n - i : 3;
        uint32_t x = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0u);
        char out[4] = {digits[x >> 18], digits[x >> 12 & 63], n > 1 ? digits[x >> 6 & 63] : '=',
                       n > 2 ? digits[x & 63] : '='};
        r = dx_text_add(&e->out, out, 4);
    }
    return r < 0 ? r : add(&e->out, "\"");
}

static int finish(struct events *e)
{
    return add(&e->out, "}\n");
}

int events_open(struct events *e, struct moment at, const dx_conn *c, const char *url)
{
    const char *wire = dx_wire(c), *local = dx_local(c), *peer;
    int r = begin(e, "open", at);
    e->last = at;
    if (r < 0 || add_text(e, "wire", wire, strlen(wire)) < 0 || add_text(e, "url", url, strlen(url)) < 0 ||
        add_text(e, "local", local, strlen(local)) < 0)
        return DX_NOMEM;
    peer = dx_peer(c);
    return add_text(e, "peer", peer, strlen(peer)) < 0 ? DX_NOMEM : finish(e);
}

/* Text where it is text, else base64. */
static int add_body(struct events *e, dx_bytes data)
{
    if (e->hex)
        return add_hex(e, "hex", data);
    if (!e->decoder)
        return dx_is_utf8(data.p, data.n) ? add_text(e, "text", data.p, data.n) : add_base64(e, data);
    dx_text utf8 = {0};
    int r = dx_decode(e->decoder, data.p, data.n, true, &utf8);
    if (r >= 0)
        r = r ? add_base64(e, data) : add_text(e, "text", utf8.p, utf8.n);
    dx_text_free(&utf8);
    return r;
}

static int add_sum(struct events *e, const struct view_sum *s)
{
    if (s->good)
        return addf(&e->out, ",\"checksum\":\"good\"");
    if (addf(&e->out, ",\"checksum\":\"%s\"", s->found.n ? "bad" : "missing") < 0 || add_hex(e, "found", s->found) < 0)
        return DX_NOMEM;
    return add_hex(e, "expected", (dx_bytes){s->expected, s->n});
}

int events_data(struct events *e, struct moment at, enum view_way way, dx_bytes data, bool whole)
{
    struct view_sum sum = {.body = data};
    bool checks = e->sum && whole;
    if (checks)
        view_check(e->sum, e->eol, data, &sum);
    e->sums_bad += checks && !sum.good && way == VIEW_IN;
    int r = begin(e, "data", at);
    if (r >= 0)
        r = addf(&e->out, ",\"delta_ms\":%" PRId64 ",\"way\":\"%s\",\"bytes\":%zu%s", at.steady_ms - e->last.steady_ms,
                 way == VIEW_IN ? "in" : "out", data.n, whole ? "" : ",\"part\":true");
    if (r >= 0 && e->kind)
        r = addf(&e->out, ",\"kind\":\"%s\"", e->kind & DX_TEXT ? "text" : "binary");
    e->last = at;
    if (r < 0 || add_body(e, sum.body) < 0 || (checks && add_sum(e, &sum) < 0))
        return DX_NOMEM;
    return finish(e);
}

typedef dx_bytes field_at(const dx_conn *c, size_t i, dx_bytes *ret_name);

static int add_fields(struct events *e, const char *key, const dx_conn *c, field_at *at)
{
    dx_bytes name, value;
    int r = addf(&e->out, ",\"%s\":[", key);
    for (size_t i = 0; r >= 0 && (value = at(c, i, &name)).p; i++) {
        r = add(&e->out, i ? ",[\"" : "[\"");
        if (r >= 0)
            r = dx_json_escape(name.p, name.n, &e->out);
        if (r >= 0)
            r = add(&e->out, "\",\"");
        if (r >= 0 && value.n)
            r = dx_json_escape(value.p, value.n, &e->out);
        if (r >= 0)
            r = add(&e->out, "\"]");
    }
    return r < 0 ? r : add(&e->out, "]");
}

int events_head(struct events *e, struct moment at, const dx_conn *c, const struct event_head *h)
{
    int version = dx_http_version(c), status = dx_http_status(c);
    int r = begin(e, "head", at);
    e->last = at;
    if (r < 0 || add_text(e, "url", h->url, strcspn(h->url, "#")) < 0)
        return DX_NOMEM;
    r = addf(&e->out,
             ",\"status\":%d,\"reason\":\"%s\",\"version\":\"%d.%d\",\"redirects\":%d,\"reused\":%s,\"coding\":\"%s\","
             "\"open_ms\":%" PRId64 ",\"head_ms\":%" PRId64 ",\"length\":%" PRId64,
             status, dx_http_reason(status), version / 10, version % 10, h->redirects, h->reused ? "true" : "false",
             h->coding, h->opened_ms, h->head_ms, dx_http_length(c));
    return r < 0 || add_fields(e, "fields", c, dx_http_header_at) < 0 ? DX_NOMEM : finish(e);
}

int events_body(struct events *e, struct moment at, const dx_conn *c, int64_t bytes, int64_t coded, int64_t ms,
                const char *file)
{
    int r = begin(e, "body", at);
    if (r >= 0)
        r = addf(&e->out, ",\"bytes\":%" PRId64 ",\"coded_bytes\":%" PRId64 ",\"total_ms\":%" PRId64, bytes, coded, ms);
    if (r >= 0 && file)
        r = add_text(e, "file", file, strlen(file));
    if (r >= 0 && dx_http_trailer_at(c, 0, NULL).p)
        r = add_fields(e, "trailers", c, dx_http_trailer_at);
    return r < 0 ? r : finish(e);
}

int events_end(struct events *e, struct moment at, enum view_way way)
{
    int r = begin(e, "end", at);
    if (r >= 0)
        r = addf(&e->out, ",\"way\":\"%s\"", way == VIEW_IN ? "in" : "out");
    return r < 0 ? r : finish(e);
}

int events_close(struct events *e, struct moment at, const dx_conn *c, int code, const char *name, const char *words)
{
    int ws_code = c ? dx_ws_close_code(c) : 0;
    const char *reason = c ? dx_ws_close_reason(c) : "";
    int r = begin(e, "close", at);
    if (r >= 0)
        r = addf(&e->out, ",\"code\":%d,\"reason\":\"%s\"", code, name);
    if (r >= 0 && ws_code)
        r = addf(&e->out, ",\"ws_close\":%d", ws_code);
    if (r >= 0 && *reason)
        r = add_text(e, "ws_reason", reason, strlen(reason));
    if (r >= 0 && *words)
        r = add_text(e, "words", words, strlen(words));
    return r < 0 ? r : finish(e);
}
