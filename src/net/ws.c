/* SPDX-License-Identifier: MIT
 * ws.c - ws:// and http:// as schemes: listening through http1.c, dialling through http1_client.c and ws_handshake.c. */
#include "base/err.h"
#include "net/http1_client.h"
#include "net/layers.h"
#include "net/tcp.h"
#include "net/tls.h"
#include <string.h>

static int keep_path(dx_listener *s, const struct url *u, dx_err *err)
{
    if (!u->path.n)
        return 0;
    s->path = strndup((const char *)u->path.p, u->path.n);
    return s->path ? 0 : err_set(err, DX_NOMEM, "the path of the listener: no memory");
}

static int serve_http(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_http;
    return tcp_listen(s, u, text, TCP_STREAMS, "http", err);
}

static int check_ws(const dx_listener *s, const char *text, dx_err *err)
{
    struct ws_deflate_terms wish;
    const dx_ws_opts *o = &s->set->ws;
    if (!ws_fields_ok(o->fields, o->field_count))
        return err_set(err, DX_URL, "listen %s: a field that cannot stand in a WebSocket's handshake", text);
    if (o->deflate && !ws_deflate_wish(o->deflate, &wish))
        return err_set(err, DX_URL, "listen %s: no parameters of permessage-deflate: %s", text, o->deflate);
    return 0;
}

static int serve_ws(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_ws;
    int r = check_ws(s, text, err);
    if (r == 0)
        r = keep_path(s, u, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "ws", err);
}

static int stack_https(dx_listener *s, struct layer *bottom, struct queue *q)
{
    return tls_accept(s, bottom, q, "http/1.1", stack_http);
}

static int serve_https(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_https;
    int r = tls_settle(s->set, u, text, true, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "https", err);
}

static int stack_wss(dx_listener *s, struct layer *bottom, struct queue *q)
{
    return tls_accept(s, bottom, q, "http/1.1", stack_ws);
}

static int serve_wss(dx_listener *s, const struct url *u, const char *text, dx_err *err)
{
    s->stack = stack_wss;
    int r = check_ws(s, text, err);
    if (r == 0)
        r = keep_path(s, u, err);
    if (r == 0)
        r = tls_settle(s->set, u, text, true, err);
    return r < 0 ? r : tcp_listen(s, u, text, TCP_STREAMS, "wss", err);
}

static dx_conn *connect_with(const struct dial *d, bool tls, dx_err *err)
{
    dx_conn *c = ws_dial_ok(d, err) ? http1_dial(d, tls, ws_handshake_new, err) : NULL;
    if (c)
        c->messages = 1;
    return c;
}

static dx_conn *connect_ws(const struct dial *d, dx_err *err)
{
    return connect_with(d, false, err);
}

static dx_conn *connect_wss(const struct dial *d, dx_err *err)
{
    return connect_with(d, true, err);
}

static dx_conn *connect_http(const struct dial *d, dx_err *err)
{
    return http1_connect(d, false, err);
}

static dx_conn *connect_https(const struct dial *d, dx_err *err)
{
    return http1_connect(d, true, err);
}

const struct scheme scheme_http = {
    .name = "http", .serve = serve_http, .connect = connect_http, .routes = true, .proxied = true};
const struct scheme scheme_https = {
    .name = "https", .serve = serve_https, .connect = connect_https, .tls = true, .routes = true, .proxied = true};
const struct scheme scheme_ws = {.name = "ws", .serve = serve_ws, .connect = connect_ws, .proxied = true};
const struct scheme scheme_wss = {
    .name = "wss", .serve = serve_wss, .connect = connect_wss, .tls = true, .proxied = true};
