/* SPDX-License-Identifier: MIT
 * console.c - see console.h: its clients, and the whole. */
#include "tool/console_inside.h"
#include "tool/exchange.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include <duplex/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REST_MS = 60,      /* a rest of a line is shown after so long  */
    GOODBYE_MS = 2000, /* at the end, for those who do not read */
};

static void say_no_memory(struct console *k, const struct client *c)
{
    panel_say(&k->panel, "%" PRIu64 " is broken off: no memory", c->number);
    dx_abort(c->conn);
}

static void log_it(struct console *k, const struct client *c, enum view_way way, dx_bytes data, struct moment now)
{
    k->manner.log.view.from = c->number;
    logfile_add(&k->manner.log, way, data, now);
}

/* ---- what clients say ---- */

static void show_out(struct console *k, struct client *c)
{
    const dx_text *out = manner_views(&k->manner) ? &c->view.out : &c->show.out;
    panel_text(&k->panel, c->number, out->p, out->n);
    c->view.inside = false; /* here each line gets its end */
}

static void print_rest(struct console *k, struct client *c)
{
    if ((manner_views(&k->manner) ? view_rest(&c->view, moment_now()) : show_rest(&c->show)) == 0)
        show_out(k, c);
}

static void show_rest_of(dx_conn *conn)
{
    struct client *c = dx_state(conn);
    c->timer = false;
    print_rest(dx_user(conn), c);
}

static int make_shown(struct console *k, struct client *c, dx_bytes came, bool whole)
{
    struct moment now = moment_now();
    log_it(k, c, VIEW_IN, came, now);
    int r = panel_came(&k->panel, c->number, came.p, came.n, whole);
    if (r < 0)
        return r;
    return manner_views(&k->manner) ? view_add(&c->view, VIEW_IN, came, whole, now)
                                    : show_data(&c->show, came.p, came.n, whole);
}

static void client_data(dx_conn *conn, const void *data, size_t n, unsigned how)
{
    struct console *k = dx_user(conn);
    struct client *c = dx_state(conn);
    bool whole = dx_kind_of(conn) == DX_MESSAGES && !(how & DX_MORE);
    if (!c->here)
        return; /* the body of a request that is no talk */
    c->in += n;
    if (make_shown(k, c, (dx_bytes){data, n}, whole) < 0) {
        say_no_memory(k, c);
        return;
    }
    show_out(k, c);
    if (show_waits(&c->show) && !c->timer)
        c->timer = dx_after(conn, REST_MS, show_rest_of) == 0;
}

/* ---- coming and going ---- */

static void went(void *arg, dx_bytes data, unsigned how)
{
    struct client *c = arg;
    (void)how;
    log_it(dx_user(c->conn), c, VIEW_OUT, data, moment_now());
}

static int prepare(struct console *k, struct client *c)
{
    dx_err err = {0};
    int r = show_init(&c->show, k->panel.coding, &err);
    c->view = k->manner.view; /* which nobody uses: it has nothing of its own yet */
    c->view.show = &c->show;
    c->feed = (struct feed){.kind = k->ws.kind, .out = &k->manner.out, .went = went, .went_arg = c};
    if (r >= 0)
        r = feed_init(&c->feed, dx_wire(c->conn), dx_kind_of(c->conn), k->manner.frame, true, &err);
    return r;
}

static void tell_request(struct console *k, dx_conn *conn)
{
    dx_bytes method = dx_http_method(conn), target = dx_http_target(conn);
    panel_say(&k->panel, "%.*s %.*s from %s: answered", (int)method.n, (const char *)method.p,
              target.n > LIST_MAX ? LIST_MAX : (int)target.n, (const char *)target.p, dx_peer(conn));
}

static void client_open(dx_conn *conn)
{
    struct console *k = dx_user(conn);
    struct client *c = dx_state(conn);
    char who[40];
    if (dx_http_is(conn) && !exchange_talks(conn)) {
        tell_request(k, conn);
        return;
    }
    if (k->once && k->clients) {
        dx_abort(conn); /* came in the same turn as the one that --once serves */
        return;
    }
    *c = (struct client){
        .conn = conn, .link = k->last, .number = ++k->clients, .since = dx_loop_now(k->loop), .here = true};
    *k->last = c;
    k->last = &c->next;
    panel_say(&k->panel, "%" PRIu64 " comes: %s (%s)", c->number, dx_peer(conn), dx_wire(conn));
    snprintf(who, sizeof who, "%" PRIu64 ": ", c->number);
    if (k->verbose)
        steps_open(&c->steps, conn, who);
    if (prepare(k, c) < 0)
        say_no_memory(k, c);
    else if (k->clients == 1 && k->once)
        k->on_first(k->arg);
}

static void leave_list(struct console *k, struct client *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    else
        k->last = c->link;
}

static void client_close(dx_conn *conn, const dx_err *why)
{
    struct console *k = dx_user(conn);
    struct client *c = dx_state(conn);
    if (!c->here)
        return;
    c->show.ended = true;
    print_rest(k, c);
    bool well = !tool_exit_of(why);
    panel_say(&k->panel, "%" PRIu64 " goes%s%s, in %" PRIu64 " B, out %" PRIu64 " B", c->number, well ? "" : ": ",
              well           ? ""
              : why->text[0] ? why->text
                             : dx_code_text(why->code),
              c->in, c->feed.sent);
    leave_list(k, c);
    k->sums_bad += c->view.sums_bad;
    show_free(&c->show);
    view_free(&c->view);
    feed_free(&c->feed);
    if (!k->first)
        dx_loop_cancel(k->loop, k->goodbye);
    if (k->once)
        tool_end();
}

static void client_writable(dx_conn *conn)
{
    struct client *c = dx_state(conn);
    if (c->here)
        feed_pump(&c->feed, conn, false);
}

static void on_text(void *arg)
{
    struct console *k = arg;
    for (struct client *c = k->first; c; c = c->next)
        show_rest(&c->show);
}

/* ---- the whole ---- */

const dx_handler console_on = {.state_bytes = sizeof(struct client),
                               .on_open = client_open,
                               .on_data = client_data,
                               .on_writable = client_writable,
                               .on_close = client_close};

int console_new(dx_loop *loop, const struct options *o, void (*on_first)(void *arg), void *arg, struct console **ret)
{
    struct console *k = calloc(1, sizeof *k);
    const char *word = option_text(o, "exit-word");
    *ret = k;
    if (!k) {
        tool_say("no memory");
        return TOOL_LIMIT;
    }
    *k = (struct console){.loop = loop,
                          .exit_word = word ? word : "exit",
                          .once = option_has(o, "once"),
                          .verbose = option_has(o, "verbose"),
                          .on_first = on_first,
                          .arg = arg};
    k->last = &k->first;
    int r = ws_options_read(&k->ws, o, o->args, o->arg_count);
    if (r < 0)
        r = manner_read(&k->manner, o);
    const char *ours = k->manner.out.coding;
    k->panel = (struct panel){.coding = ours               ? ours
                                        : k->manner.coding ? "utf-8"
                                                           : "auto",
                              .help = "a line goes to all, @2 text to one of them; Ctrl-D or the exit word (exit) ends",
                              .commands = console_commands,
                              .on_text = on_text,
                              .arg = k};
    return r;
}

const struct manner *console_manner(const struct console *k)
{
    return &k->manner;
}

int console_code(const struct console *k)
{
    return manner_sums_tell(&k->manner, k->sums_bad);
}

int console_open(struct console *k, dx_err *err)
{
    static const struct prompt_watch watch = {.line = console_line, .end = console_end, .suspends = true};
    prompt_locale();
    k->panel.prompt = prompt_new(k->loop, ">> ", &watch, k, err);
    return k->panel.prompt ? 0 : err->code;
}

static void give_up(void *arg)
{
    dx_loop_stop(arg);
}

void console_shut(struct console *k)
{
    prompt_free(k->panel.prompt);
    k->panel.prompt = NULL;
    for (struct client *c = k->first; c; c = c->next)
        ws_options_close(&k->ws, c->conn);
    if (k->first)
        k->goodbye = dx_loop_after(k->loop, GOODBYE_MS, give_up, k->loop);
}

void console_free(struct console *k)
{
    if (k) {
        panel_free(&k->panel);
        manner_free(&k->manner);
        ws_options_free(&k->ws);
    }
    free(k);
}
