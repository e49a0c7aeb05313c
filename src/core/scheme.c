/* SPDX-License-Identifier: MIT
 * scheme.c - dx_serve and dx_connect, and their like for WebSockets: find the row, fill the defaults, call it. */
#include "core/scheme.h"
#include "base/err.h"
#include "core/conn.h"
#include "core/stream.h"
#include "os/addr.h"
#include "os/clock.h"
#include <duplex/tls.h>
#include <stdio.h>
#include <string.h>

static const char not_yet[] = "quic";

static bool is_known(const char *name)
{
    size_t n = strlen(name);
    for (const char *at = not_yet; (at = strstr(at, name)); at += n)
        if ((at == not_yet || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

static const struct scheme *find(const char *name)
{
    for (size_t i = 0; schemes[i]; i++)
        if (!strcmp(schemes[i]->name, name))
            return schemes[i];
    return NULL;
}

/* The row that can do it, or NULL with the reason. */
static const struct scheme *row_for(const dx_loop *l, const char *verb, const char *text, bool serve, struct url *u,
                                    dx_err *err)
{
    if (url_parse(text, u, err) < 0)
        return NULL;
    if (l->freeing) { /* an on_close that dials again would keep the loop alive for ever */
        err_set(err, DX_CLOSED, "%s %s: the loop is being freed", verb, text);
        return NULL;
    }
    const struct scheme *s = find(u->scheme);
    if (s && (serve ? s->serve != NULL : s->connect != NULL))
        return s;
    if (is_known(u->scheme))
        err_set(err, DX_ABSENT, "%s %s: %s:// is not in this build", verb, text, u->scheme);
    else if (s)
        err_set(err, DX_URL, "%s %s: %s: can only be %s", verb, text, u->scheme, serve ? "dialled" : "listened on");
    else
        err_set(err, DX_URL, "%s %s: no such scheme as '%s'", verb, text, u->scheme);
    return NULL;
}

static struct settings *settle(const dx_opts *o, size_t o_bytes, const dx_ws_opts *ws, size_t ws_bytes, dx_err *err)
{
    struct settings *set = settings_new(o, o_bytes, err);
    if (!set || settings_ws(set, ws, ws_bytes, err) == 0)
        return set;
    settings_drop(set);
    return NULL;
}

/* A router that nobody asks would be a gate that stands open: who may come is its to say. */
static bool router_ok(const struct scheme *row, const struct settings *set, const char *text, dx_err *err)
{
    if (!set->o.router || row->routes)
        return true;
    err_set(err, DX_URL, "listen %s: a router answers on http, https and any alone", text);
    return false;
}

dx_listener *dx_ws_serve_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                               size_t o_bytes, const dx_ws_opts *ws, size_t ws_bytes, dx_err *err)
{
    struct url u;
    const struct scheme *row = row_for(l, "listen", url, true, &u, err);
    struct settings *set = row ? settle(o, o_bytes, ws, ws_bytes, err) : NULL;
    if (set && !row->tls) {
        dx_tls_drop(set->o.tls);
        set->o.tls = NULL;
    }
    dx_listener *s = set && router_ok(row, set, url, err) ? listener_new(l, h, user, set, err) : NULL;
    settings_drop(set);
    if (s && row->serve(s, &u, url, err) < 0) {
        listener_free(s);
        return NULL;
    }
    return s;
}

dx_listener *dx_serve_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                            size_t o_bytes, dx_err *err)
{
    return dx_ws_serve_sized(l, url, h, user, o, o_bytes, NULL, 0, err);
}

dx_conn *dx_ws_connect_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                             size_t o_bytes, const dx_ws_opts *ws, size_t ws_bytes, dx_err *err)
{
    struct url u;
    const struct scheme *row = row_for(l, "dial", url, false, &u, err);
    struct settings *set = row ? settle(o, o_bytes, ws, ws_bytes, err) : NULL;
    if (set && !row->proxied && set->o.proxy && *set->o.proxy) { /* not past it, as if nothing had been said */
        err_set(err, DX_URL, "dial %s: no proxy leads to %s://", url, u.scheme);
        settings_drop(set);
        return NULL;
    }
    if (!set)
        return NULL;
    l->now = os_now_ms(); /* its deadline begins now, however long the caller has been busy */
    struct dial d = {.loop = l, .url = &u, .text = url, .on = h, .user = user, .proxy = set->o.proxy, .set = set};
    dx_conn *c = row->connect(&d, err);
    settings_drop(set);
    return c;
}

dx_conn *dx_connect_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                          size_t o_bytes, dx_err *err)
{
    return dx_ws_connect_sized(l, url, h, user, o, o_bytes, NULL, 0, err);
}

const char *scheme_address(const dx_conn *c, bool peer, char *text)
{
    const struct layer *bottom = conn_bottom(c);
    struct addr a;
    text[0] = 0;
    if (bottom && !bottom->type->address) /* a local end */
        snprintf(text, SCHEME_URL_MAX, "%s:", dx_wire(c));
    else if (bottom && bottom->type->address(bottom, peer, &a))
        addr_url(dx_wire(c), &a, "", text, SCHEME_URL_MAX);
    return text;
}

/* A server asks it of every request, and a connection's peer stays who it is: the system is asked once. */
bool scheme_is_loopback(const dx_conn *c)
{
    struct layer *bottom = conn_bottom(c);
    struct stream *s = bottom ? stream_of(bottom) : NULL;
    struct addr a;
    if (!bottom || !bottom->type->address)
        return bottom != NULL;
    if (s && s->port.peer_known)
        return s->port.peer_local;
    bool known = bottom->type->address(bottom, true, &a), local = known && addr_is_loopback(&a);
    if (s && known) {
        s->port.peer_known = 1;
        s->port.peer_local = local;
    }
    return local;
}
