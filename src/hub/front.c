/* SPDX-License-Identifier: MIT
 * front.c - what an HTTP exchange gets: the page, a WebSocket into a room, or what call.c has for it (docs/room.md, "The page"; docs/safe.md, rules
 * 2 and 3). Nothing else has an answer but 404. */
#include "hub/front.h"
#include "hub/guest.h"
#include "hub/inside.h"
#include <duplex/http.h>
#include <duplex/sse.h>
#include <duplex/ws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

static bool same(dx_bytes a, const char *s)
{
    return a.p && strlen(s) == a.n && !memcmp(a.p, s, a.n);
}

static int reply(dx_conn *c, int status, const char *type, const void *body, size_t n, const dx_http_field *more)
{
    const dx_http_field fields[] = {
        {"Content-Security-Policy", page_policy},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cache-Control", "no-cache"},
        more ? *more : (dx_http_field){0},
        {"Sec-WebSocket-Version", "13"}, /* with 426, for who asked for another (RFC 6455 4.4) */
    };
    size_t count = sizeof(fields) / sizeof(*fields) - (status == 426 ? 0 : more ? 1 : 2);
    return dx_http_reply(c, status, type, body, n, fields, count);
}

static void say(struct member *m, int status, const char *words, const dx_http_field *more)
{
    char body[256];
    int n = snprintf(body, sizeof(body), "%s\n", words);
    m->closing = true;
    reply(m->c, status, "text/plain; charset=utf-8", body, (size_t)n, more);
}

static const dx_http_field guarded[] = {{"X-Content-Type-Options", "nosniff"},
                                        {"Referrer-Policy", "no-referrer"},
                                        {"Cross-Origin-Resource-Policy", "same-origin"},
                                        {"X-Frame-Options", "DENY"},
                                        {"Cache-Control", "no-store"},
                                        {"X-Accel-Buffering", "no"}}; /* nginx need not wait for more of it */

void front_json(struct member *m, int status, const dx_text *t)
{
    m->closing = true;
    dx_http_reply(m->c, status, "application/json", t->p, t->n, guarded, 5);
}

static size_t error_text(char *buf, size_t n, const char *code, const char *words)
{
    return (size_t)snprintf(buf, n, "{\"is\":\"error\",\"code\":\"%s\",\"text\":\"%s\"}", code, words);
}

void front_error(struct member *m, int status, const char *code, const char *words)
{
    char body[256] = "[";
    size_t n = 1 + error_text(body + 1, sizeof(body) - 2, code, words);
    body[n++] = ']';
    front_json(m, status, &(dx_text){.p = body, .n = n});
}

void front_stream_end(struct member *m, const char *code, const char *words)
{
    char body[256];
    dx_sse_send(m->c, &(dx_sse){.data = body, .n = error_text(body, sizeof(body), code, words)});
    m->closing = true;
    dx_close(m->c);
}

bool front_stream(struct member *m)
{
    const dx_http_field fields[] = {guarded[0], guarded[1], guarded[2], guarded[3], guarded[5]};
    return dx_sse_open(m->c, 0, fields, 5) == 0;
}

bool front_has_folder(const struct hub *h)
{
    return h->o.site && h->o.site->answer;
}

/* "/" is the page where no site has it. */
static const struct page_file *file_at(const struct hub *h, dx_bytes path)
{
    for (size_t i = 0; i < page_file_count; i++)
        if (i || !front_has_folder(h) ? same(path, page_files[i].path) || (!i && same(path, "/~")) : same(path, "/~"))
            return &page_files[i];
    return NULL;
}

static bool is_ours(dx_bytes path)
{
    return path.n >= 2 && !memcmp(path.p, "/~", 2);
}

static void answer_metrics(struct member *m)
{
    dx_text t = {0};
    metrics(m, &t);
    m->closing = true;
    reply(m->c, 200, "text/plain; version=0.0.4; charset=utf-8", t.p, t.n, NULL);
    dx_text_free(&t);
}

static void page(struct member *m, const struct page_file *f)
{
    const dx_http_field tag = {"ETag", f->etag};
    m->closing = true;
    if (same(dx_http_header(m->c, "If-None-Match"), f->etag))
        reply(m->c, 304, NULL, NULL, 0, &tag);
    else
        reply(m->c, 200, f->type, f->data, f->n, &tag);
}

/* The room that a WebSocket's path names: "/" the lobby, "/NAME" and "/~r/NAME" that one. p NULL: none. */
static dx_bytes room_at(dx_bytes path)
{
    const char *p = path.p;
    size_t n = path.n;
    if (n <= 1)
        return n ? (dx_bytes){"lobby", 5} : (dx_bytes){NULL, 0};
    p += 1, n -= 1;
    if (n > 3 && !memcmp(p, "~r/", 3))
        p += 3, n -= 3;
    return room_name_ok(p, n) ? (dx_bytes){p, n} : (dx_bytes){NULL, 0};
}

/* The page that may open a WebSocket over TLS came over TLS itself: into one that came in clear anybody on the way may have
 * written. NULL: no TLS here, and the library's own rule holds, which takes https too, for a proxy may stand before us. */
static const char *origin_over_tls(const dx_conn *c, char *buf, size_t n)
{
    dx_bytes host = dx_http_host(c);
    if (strcmp(dx_wire(c), "https"))
        return NULL;
    snprintf(buf, n, "https://%.*s", (int)host.n, (const char *)host.p);
    return buf;
}

/* NULL: without a subprotocol. */
static bool accepts(struct member *m, const char *protocol)
{
    char origin[300];
    const dx_ws_opts o = {.protocol = protocol, .origins = origin_over_tls(m->c, origin, sizeof(origin))};
    return dx_ws_accept(m->c, NULL, NULL, &o) == 0;
}

static void websocket(struct member *m, dx_bytes room)
{
    char *want = strndup(room.p, room.n); /* the path is gone with the exchange */
    if (!want) {
        say(m, 503, "no memory", NULL);
        return;
    }
    struct hub_request r;
    visit_read(m, &r);
    bool json = accepts(m, "duplex.json");
    if (!json && !accepts(m, NULL)) {
        free(want);
        m->hub->counts.refused++;
        say(m, 403, "a page from elsewhere may not speak here", NULL);
        return;
    }
    r.status = 101;
    visit_over(m, &r); /* the head is in memory until the end of the turn */
    m->want = want;
    m->kind = json ? KIND_JSON : KIND_WS;
    m->form = json ? FORM_JSON : FORM_EXACT;
    if (!json && m->keyed)
        plain_join(m);
    member_expected(m);
}

static bool is_room(dx_bytes path)
{
    return path.n > 4 && !memcmp(path.p, "/~r/", 4);
}

/* Of RFC 9110 9.3, and PATCH: one that is not is implemented for nothing here. */
static bool is_method(dx_bytes method)
{
    static const char *const all[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (same(method, all[i]))
            return true;
    return false;
}

void front_open(struct member *m)
{
    const dx_http_field upgrade = {"Upgrade", "websocket"};
    dx_bytes path = dx_http_path(m->c), method = dx_http_method(m->c), room;
    const dx_http_field allow = {"Allow", is_room(path) ? "GET, HEAD, POST" : "GET, HEAD"};
    const struct page_file *f;
    if (!gate_host(m->hub, m->c)) {
        m->hub->counts.refused++;
        say(m, 421, "no such host here: use this machine's address, its name, or serve with --host NAME", NULL);
        return;
    }
    if (!is_method(method)) {
        say(m, 501, "no such method here: GET, HEAD or POST", NULL);
        return;
    }
    room = room_at(path);
    f = file_at(m->hub, path);
    if (dx_http_wants_ws(m->c) && room.p)
        websocket(m, room);
    else if (front_has_folder(m->hub) && !is_ours(path)) {
        m->closing = true;
        m->talk = m->hub->o.site->answer(m->hub->o.site_arg, m->c);
    } else if (is_room(path) && room.p && call_open(m, room))
        return;
    else if (!same(method, "GET") && !same(method, "HEAD"))
        say(m, 405, is_room(path) ? "GET, HEAD or POST" : "GET or HEAD", &allow);
    else if (m->hub->o.metrics && same(path, "/~metrics") && (!m->hub->key || dx_is_loopback(m->c)))
        answer_metrics(m);
    else if (!f && !(is_room(path) && room.p))
        say(m, 404, front_has_folder(m->hub) ? "nothing here: the page is at /~" : "nothing here: the page is at /",
            NULL);
    else if (f)
        page(m, f);
    else
        say(m, 426,
            "a room is a WebSocket, or asked for text/event-stream or application/json: the page at / speaks them",
            &upgrade);
}
