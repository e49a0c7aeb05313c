/* SPDX-License-Identifier: MIT
 * visit.c - a request that is over is counted and told to the site, for its log. */
#include "hub/inside.h"
#include <duplex/http.h>
#include <stdlib.h>
#include <string.h>

static bool is_told(const struct hub *h)
{
    return h->o.site && h->o.site->done;
}

/* The peer is asked for now: of a connection that was broken off nothing is left to ask. */
void visit_begin(struct member *m)
{
    if (!is_told(m->hub))
        return;
    dx_bytes host = url_host(dx_peer(m->c));
    m->peer = host.p ? strndup(host.p, host.n) : NULL;
}

void visit_read(const struct member *m, struct hub_request *ret)
{
    *ret = (struct hub_request){.status = dx_http_status(m->c), .sent = dx_http_sent(m->c)};
    if (!is_told(m->hub))
        return;
    *ret = (struct hub_request){.method = dx_http_method(m->c),
                                .target = dx_http_target(m->c),
                                .host = dx_http_host(m->c),
                                .agent = dx_http_header(m->c, "User-Agent"),
                                .referer = dx_http_header(m->c, "Referer"),
                                .peer = m->peer ? m->peer : "-",
                                .wire = dx_wire(m->c),
                                .status = ret->status,
                                .version = dx_http_version(m->c),
                                .sent = ret->sent,
                                .ms = dx_loop_now(m->hub->loop) - m->heard_ms};
}

void visit_over(struct member *m, struct hub_request *r)
{
    struct hub *h = m->hub;
    h->counts.requests[r->status / 100 < 6 ? r->status / 100 : 0]++;
    h->counts.sent += r->sent;
    if (is_told(h))
        h->o.site->done(h->o.site_arg, r);
}
