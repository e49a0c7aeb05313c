/* SPDX-License-Identifier: MIT
 * console.c - see console.h. */
#include "tool/console.h"
#include "tool/panel.h"
#include "tool/exchange.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/ws_options.h"
#include <duplex/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REST_MS = 60,      /* a rest of a line is shown after so long  */
    LIST_MAX = 200,    /* /who lists so many                       */
    GOODBYE_MS = 2000, /* at the end, for those who do not read */
};

struct client {
    dx_conn *conn;
    struct client *next, **link; /* all that are here, the first to come first */
    uint64_t number, in;
    int64_t since;
    struct show show;
    struct view view; /* where options ask for one */
    struct feed feed; /* what has gone out too      */
    struct steps steps;
    bool here, timer;
};
struct console {
    dx_loop *loop;
    struct panel panel;
    struct client *first, **last;
    uint64_t clients; /* that have ever come */
    struct manner manner;
    struct ws_options ws;
    uint64_t sums_bad; /* of those that have gone       */
    const char *exit_word;
    bool once, verbose;
    int64_t goodbye; /* a timer */
    void (*on_first)(void *arg);
    void *arg;
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

/* ---- what is typed ---- */

static int pump(struct client *c)
{
    int r = feed_pump(&c->feed, c->conn, false);
    return r > 0 ? 0 : r;
}

static void client_writable(dx_conn *conn)
{
    struct client *c = dx_state(conn);
    if (c->here)
        pump(c);
}

/* In the coding that the client writes, unless the options say what becomes of it. */
static int say_to(struct console *k, struct client *c, const char *line, size_t n)
{
    const char *coding = dx_decoder_reply_coding(c->show.decoder);
    dx_text coded = {0};
    int r = 0;
    if (c->feed.waits)
        return DX_FULL;
    bool made = k->manner.hex || k->manner.out.coding;
    if (!made && strcasecmp(coding, "utf-8") && (r = dx_encode(coding, line, n, &coded)) >= 0)
        line = coded.p ? coded.p : "", n = coded.n;
    if (r >= 0)
        r = feed_take(&c->feed, line, n, dx_loop_now(k->loop));
    if (r >= 0)
        r = pump(c);
    dx_text_free(&coded);
    return r;
}

/* False: it is for nobody. */
static bool say(struct console *k, struct client *c, const char *line, size_t n)
{
    int r = say_to(k, c, line, n);
    if (r == DX_URL)
        panel_say(&k->panel, "that is no hex from character %zu on: not said", c->feed.fault_at + 1);
    else if (r == DX_FULL)
        panel_say(&k->panel, "%" PRIu64 " does not read what it has: not said to it", c->number);
    else if (r < 0)
        panel_say(&k->panel, "not said to %" PRIu64 ": %s", c->number, dx_code_text(r));
    return r != DX_URL;
}

static struct client *numbered(struct console *k, const char *number, const char **ret_rest)
{
    char *rest;
    uint64_t want = strtoull(number, &rest, 10);
    struct client *c = k->first;
    while (c && c->number != want)
        c = c->next;
    *ret_rest = rest + strspn(rest, " \t");
    return c;
}

/* "@2 text", but not "@home" and "@@2". */
static bool is_to_one(const char *p, size_t n)
{
    size_t digits = n > 1 && *p == '@' ? strspn(p + 1, "0123456789") : 0;
    return digits && (p[1 + digits] == ' ' || p[1 + digits] == '\t');
}

static void say_line(struct console *k, const char *p, size_t n)
{
    const char *rest = p + (n > 1 && p[0] == '@' && p[1] == '@');
    struct client *one = NULL;
    dx_text line = {0};
    bool to_one = is_to_one(p, n);
    if (to_one && !(one = numbered(k, p + 1, &rest))) {
        panel_say(&k->panel, "no %.*s here: /who lists who is", (int)strcspn(p + 1, " \t"), p + 1);
        return;
    }
    if (dx_text_add(&line, rest, n - (size_t)(rest - p)) < 0 || dx_text_add(&line, "\n", 1) < 0)
        panel_say(&k->panel, "no memory: not said");
    else if (one)
        say(k, one, line.p, line.n);
    else if (!k->first)
        panel_say(&k->panel, "nobody is here");
    for (struct client *c = to_one || !line.n ? NULL : k->first; c && say(k, c, line.p, line.n);)
        c = c->next;
    dx_text_free(&line);
}

static void on_line(void *arg, const char *utf8, size_t n)
{
    struct console *k = arg;
    dx_bytes said;
    if (panel_takes(&k->panel, utf8, n, &said))
        return;
    if (said.n && said.n == strlen(k->exit_word) && !memcmp(said.p, k->exit_word, said.n))
        tool_end();
    else if (said.n || prompt_is_one_of_many(k->panel.prompt))
        say_line(k, said.p, said.n);
}

static void on_end(void *arg)
{
    (void)arg;
    tool_end();
}

/* ---- commands ---- */

static void who(void *arg, const char *rest)
{
    struct console *k = arg;
    int listed = 0;
    (void)rest;
    if (!k->first)
        panel_say(&k->panel, "nobody is here");
    for (const struct client *c = k->first; c && listed++ < LIST_MAX; c = c->next)
        panel_say(&k->panel, "%" PRIu64 "  %s (%s)  in %" PRIu64 " B, out %" PRIu64 " B, for %" PRId64 " s", c->number,
                  dx_peer(c->conn), dx_wire(c->conn), c->in, c->feed.sent, (dx_loop_now(k->loop) - c->since) / 1000);
    if (listed > LIST_MAX)
        panel_say(&k->panel, "and more: %" PRIu64 " have come", k->clients);
}

static void close_one(void *arg, const char *rest)
{
    struct console *k = arg;
    struct client *c = numbered(k, rest, &rest);
    if (c)
        ws_options_close(&k->ws, c->conn);
    else
        panel_say(&k->panel, "/close and a number: /who lists them");
}

static void quit(void *arg, const char *rest)
{
    (void)rest;
    on_end(arg);
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
    static const struct panel_command commands[] = {
        {"/who", "/who    the clients: number, peer, wire, bytes, age", who},
        {"/close", "/close N  closes that client", close_one},
        {"/quit", "/quit   closes all and ends", quit},
        {0}};
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
                              .commands = commands,
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
    static const struct prompt_watch watch = {.line = on_line, .end = on_end, .suspends = true};
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
