/* SPDX-License-Identifier: MIT
 * bottom.c - see bottom.h. */
#include "net/bottom.h"
#include "base/err.h"
#include "core/stream.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/tunnel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stream *bottom_stream(struct layer *top)
{
    return stream_of(layer_bottom(top));
}

static struct layer *no_memory(const struct dial *d, dx_err *err)
{
    err_set(err, DX_NOMEM, "dial %s: no memory", d->text);
    return NULL;
}

static struct layer *dial_stream(const struct dial *d, int default_port, struct queue **ret_q, dx_err *err)
{
    struct stream *s = tcp_dial_stream(d, default_port, err);
    *ret_q = s ? &s->queue : NULL;
    return s ? &s->layer : NULL;
}

/* TLS with the proxy: whom to believe is said by its own URL alone, for the URL's pin is another's. */
static struct layer *shake_with_proxy(const struct dial *d, const struct proxy *p, struct layer *bottom,
                                      struct queue **q, dx_err *err)
{
    struct url u;
    const dx_opts o = {.dial_ms_max = d->set->o.dial_ms_max, .queue_bytes_max = d->set->o.queue_bytes_max};
    struct dial to = {.loop = d->loop, .url = &u, .text = p->url, .set = settings_new(&o, sizeof o, err)};
    struct layer *l = NULL;
    if (to.set && url_parse(p->url, &u, err) == 0 && tls_settle(to.set, &u, p->url, false, err) == 0)
        l = tls_dial_hop(&to, bottom, *q, "http/1.1", q, err);
    settings_drop(to.set);
    return l;
}

struct layer *bottom_dial_proxy(const struct dial *d, const struct proxy *p, struct queue **ret_q, dx_err *err)
{
    struct url u;
    struct dial via = *d;
    struct bytes how = d->url->fragment; /* its options of the socket hold for this one, behind the proxy's own */
    const char *joint = !how.n ? "" : strchr(p->url, '#') ? "," : "#";
    char *text;
    if (asprintf(&text, "%s%s%.*s", p->url, joint, (int)how.n, how.n ? (const char *)how.p : "") < 0)
        return no_memory(d, err);
    via.url = &u;
    via.text = text;
    struct layer *bottom = url_parse(text, &u, err) == 0 ? dial_stream(&via, proxy_port(p), ret_q, err) : NULL;
    free(text);
    if (!bottom || !proxy_is_tls(p))
        return bottom;
    struct layer *tls = shake_with_proxy(d, p, bottom, ret_q, err);
    if (!tls)
        stack_drop(bottom);
    return tls;
}

static struct layer *dial_through(const struct dial *d, int default_port, const struct proxy *p, struct queue **ret_q,
                                  dx_err *err)
{
    struct layer *bottom, *top;
    if (d->url->host.n == 0 || (d->url->port < 0 && !default_port)) {
        err_set(err, DX_URL, "dial %s: which %s?", d->text, d->url->host.n ? "port" : "host");
        return NULL;
    }
    bottom = bottom_dial_proxy(d, p, ret_q, err);
    if (!bottom)
        return NULL;
    top = tunnel_new(d, d->url->port < 0 ? default_port : d->url->port, p, bottom, *ret_q, ret_q);
    if (top)
        return top;
    stack_drop(bottom);
    return no_memory(d, err);
}

struct layer *bottom_dial(const struct dial *d, int default_port, struct queue **ret_q, dx_err *err)
{
    struct proxy p;
    if (proxy_read(d->proxy, "dial", d->text, &p, err) < 0)
        return NULL;
    struct layer *l =
        p.kind == PROXY_NONE ? dial_stream(d, default_port, ret_q, err) : dial_through(d, default_port, &p, ret_q, err);
    proxy_free(&p);
    return l;
}

struct layer *bottom_dial_tls(const struct dial *d, int default_port, const char *alpn, struct queue **ret_q,
                              dx_err *err)
{
    if (tls_settle(d->set, d->url, d->text, false, err) < 0)
        return NULL;
    struct layer *bottom = bottom_dial(d, default_port, ret_q, err);
    struct layer *tls = bottom ? tls_dial(d, bottom, *ret_q, alpn, ret_q, err) : NULL;
    if (bottom && !tls)
        stack_drop(bottom);
    return tls;
}
