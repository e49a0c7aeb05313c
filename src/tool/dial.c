/* SPDX-License-Identifier: MIT
 * dial.c - duplex dial URL: stdin and stdout, joined to any wire. */
#include "tool/proxies.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/trust.h"
#include "tool/wire_options.h"
#include "tool/wires.h"

enum { A_DAY_MS = 86400000 }; /* a datagram talk ends by its user, not by a minute's silence */

struct dialler {
    char url[WIRE_URL_MAX];
    dx_opts opts;
};

/* The environment's are for what the web speaks. */
static const char *proxy_of(const struct options *o, const char *url)
{
    static const char *const web[] = {"http", "https", "ws", "wss", NULL};
    const char *asked = option_text(o, "proxy");
    return asked || !wire_among(url, web) ? asked : proxy_of_environment(url);
}

static int dial(struct talk *t)
{
    const struct dialler *d = t->user;
    dx_err err = {0};
    return dx_ws_connect(t->loop, d->url, &talk_on, t, &d->opts, &t->ws.o, &err) ? 0 : tool_fail("dial", t->url, &err);
}

static int dial_and_talk(struct talk *t, const struct options *o)
{
    struct dialler d = {.opts = {.dial_ms_max = option_number(o, "timeout", 0), .idle_ms_max = A_DAY_MS}};
    struct trust trust;
    dx_err err = {0};
    int r = wire_url(o, t->url, d.url);
    if (r >= 0 || (r = trust_read(&trust, o, t->url, NULL)) >= 0)
        return r;
    t->loop = dx_loop_new(&err);
    if (!t->loop) {
        trust_free(&trust);
        return tool_fail("dial", t->url, &err);
    }
    d.opts.tls = trust.tls;
    d.opts.frame = wire_frame(t->url, t->frame);
    d.opts.coding = t->coding;
    d.opts.protocols = t->ws.protocols;
    d.opts.proxy = proxy_of(o, t->url);
    t->user = &d;
    t->redial = dial;
    tool_signals(t->loop);
    if ((r = dial(t)) == 0)
        r = talk_run(t);
    else
        tool_loop_free(t->loop);
    trust_free(&trust);
    return r;
}

int cmd_dial(int argc, char **argv)
{
    struct options o;
    int r = options_read(argc, argv, &o);
    if (r >= 0)
        return r;
    struct talk t = {.doing = "dial", .url = o.args[0]};
    if ((r = talk_options(&t, &o)) < 0) {
        t.retry.on = option_has(&o, "retry");
        t.retry.tries_max = option_number(&o, "retry", 0);
        r = dial_and_talk(&t, &o);
    }
    talk_free(&t);
    return r;
}
