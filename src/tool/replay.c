/* SPDX-License-Identifier: MIT
 * replay.c - duplex replay: a record is played again (replay_play.c) on one connection, dialled or listened for. */
#include "tool/replay_inside.h"
#include "tool/exchange.h"
#include "tool/sides.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <duplex/http.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 10000 };

static void on_open(dx_conn *c)
{
    struct play *p = dx_user(c);
    if (p->stood || (dx_http_is(c) && !exchange_accept_ws(c))) {
        dx_abort(c);
        return;
    }
    p->c = c;
    p->stood = true;
    p->whole = dx_kind_of(c) == DX_MESSAGES && p->rec.messages[!p->server];
    if (p->listener)
        dx_listener_drain(p->listener, 0);
    p->listener = NULL;
    trust_rest(&p->trust);
    replay_begin(p);
}

static void on_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct play *p = dx_user(c);
    (void)how;
    if (c == p->c && !p->done)
        replay_heard(p, data, n);
}

static void on_end(dx_conn *c)
{
    struct play *p = dx_user(c);
    if (c == p->c && !p->done)
        replay_heard_end(p);
}

static void on_writable(dx_conn *c)
{
    struct play *p = dx_user(c);
    if (c == p->c)
        replay_go_on(p);
}

static void on_close(dx_conn *c, const dx_err *why)
{
    struct play *p = dx_user(c);
    char words[300];
    if (p->stood ? c != p->c : p->server)
        return; /* not the one that we play with */
    p->c = NULL;
    dx_loop_cancel(p->loop, p->timer);
    if (p->done)
        return;
    if (!p->stood && !tool_stopped()) {
        p->code = tool_fail("dial", p->url, why);
    } else if (tool_stopped()) {
        p->done = true; /* we end it, and the exit code says so */
    } else if (replay_has_all(p) && p->rec.reset && tool_exit_of(why)) {
        p->done = true; /* so it was in the record */
    } else {
        snprintf(words, sizeof words, "the connection is over too early: %s",
                 why->text[0] ? why->text : dx_code_text(why->code));
        replay_unmet(p, words);
    }
}

static const dx_handler play_on = {
    .on_open = on_open, .on_data = on_data, .on_end = on_end, .on_writable = on_writable, .on_close = on_close};

static int begin(struct play *p, const struct options *o)
{
    dx_err err = {0};
    dx_opts opts = {.dial_ms_max = option_number(o, "timeout", 0),
                    .frame = wire_frame(p->url, option_text(o, "frame")),
                    .idle_ms_max = INT64_C(86400000),
                    .tls = p->trust.tls};
    if (!p->server)
        return dx_connect(p->loop, p->url, &play_on, p, &opts, &err) ? -1 : tool_fail("dial", p->url, &err);
    p->listener = dx_serve(p->loop, p->url, &play_on, p, &opts, &err);
    if (!p->listener)
        return tool_fail("replay", p->url, &err);
    for (int i = 0; dx_listener_url(p->listener, i); i++)
        fprintf(stderr, "listening %s\n", dx_listener_url(p->listener, i));
    return -1;
}

/* -1: go on. */
static int read_all(struct play *p, const struct options *o)
{
    char why[400], *rest = NULL;
    const char *speed = option_text(o, "speed");
    p->speed = speed ? strtod(speed, &rest) : 1;
    if (speed && (rest == speed || *rest || !(p->speed >= 0.001 && p->speed <= 1e6))) {
        tool_say("--speed wants a number from 0.001 to 1000000, such as 2 or 0.5, not '%.40s'", speed);
        return TOOL_USAGE;
    }
    FILE *f = strcmp(p->file, "-") ? fopen(p->file, "re") : stdin;
    if (!f) {
        tool_say("%s: %s", p->file, strerror(errno));
        return TOOL_LOCAL;
    }
    int r = record_read(f, p->file, (uint64_t)option_number(o, "conn", 0), &p->rec, why, sizeof why);
    if (f != stdin)
        fclose(f);
    if (r >= 0)
        tool_say("%s", why);
    return r;
}

int cmd_replay(int argc, char **argv)
{
    struct options o;
    struct play p = {0};
    dx_err err = {0};
    int r = options_read(argc, argv, &o);
    if (r >= 0)
        return r;
    p.file = o.args[0];
    p.url = o.args[1];
    p.server = option_has(&o, "server");
    p.fast = option_has(&o, "fast");
    p.patience_ms = option_number(&o, "idle", PATIENCE_MS);
    if ((r = sides_check(&o, p.server ? p.url : NULL, &p.url, !p.server)) < 0 && (r = read_all(&p, &o)) < 0 &&
        (r = sides_trust(&p.trust, &o, p.server ? p.url : NULL, p.server ? NULL : p.url)) < 0) {
        p.loop = dx_loop_new(&err);
        if (!p.loop) {
            r = tool_fail("replay", p.url, &err);
        } else {
            tool_signals(p.loop);
            r = begin(&p, &o);
            if (r < 0)
                r = tool_run() < 0 ? TOOL_FAILED : tool_stopped() ? 128 + tool_stopped() : p.code;
            tool_loop_free(p.loop);
        }
    }
    trust_free(&p.trust);
    record_free(&p.rec);
    return r;
}
