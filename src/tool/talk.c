/* SPDX-License-Identifier: MIT
 * talk.c - stdin and stdout are a conn too (stdio:), so a talk is two conns and the rules of who ends when. */
#include "tool/talk_inside.h"
#include "tool/talk_terminal.h"
#include "tool/exchange.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <duplex/http.h>
#include <duplex/ws.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    IDLE_ENDS_MS = 1000, /* where our end cannot be said alone (ws, datagrams), and on a terminal */
    GOODBYE_MS = 2000,   /* after Ctrl-C                                                         */
    FLUSH_MS = 10,       /* how often to look whether stdout has taken all                       */
    SHOW_REST_MS = 60,   /* a prompt without a newline is shown after so long                    */
};

static void wire_idle(dx_conn *c);

const char *talk_conn_frame(const char *url, const char *frame)
{
    return wire_has_messages(url) ? NULL : frame;
}

int talk_options(struct talk *t, const struct options *o)
{
    int r = manner_read(&t->manner, o);
    t->frame = t->manner.frame;
    t->coding = t->manner.coding;
    t->exit_word = option_text(o, "exit-word");
    if (!t->exit_word)
        t->exit_word = "exit";
    t->once = option_has(o, "once");
    t->verbose = option_has(o, "verbose");
    t->idle_ends_ms = option_number(o, "idle-ends", 0);
    t->from_option = option_text(o, "send") != NULL;
    int null = t->from_option ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    if (null >= 0) {
        dup2(null, STDIN_FILENO); /* so that its end comes at once */
        close(null);
    }
    return r;
}

void talk_free(struct talk *t)
{
    manner_free(&t->manner);
    dx_text_free(&t->content);
    dx_text_free(&t->line_end);
    feed_free(&t->feed);
    show_free(&t->show);
}

/* The first failure is the cause. */
static void verdict(struct talk *t, int code)
{
    if (!t->code)
        t->code = code;
}

static void over(struct talk *t)
{
    if (t->wire)
        dx_close(t->wire);
}

static void failed(struct talk *t, int code, const char *text)
{
    tool_say("%s: %s", t->url, text);
    verdict(t, code);
    over(t);
}

static void print(struct talk *t, const void *p, size_t n, const dx_text *after)
{
    dx_bytes parts[2] = {{p, n}, {after ? after->p : NULL, after ? after->n : 0}};
    if (t->terminal) {
        talk_terminal_print(t->terminal, p, n);
        t->manner.view.inside = false; /* there each line gets its end */
        return;
    }
    int r = t->here ? dx_sendv(t->here, parts, parts[1].n ? 2 : 1, 0) : 0;
    if (r > 0 && t->wire)
        dx_pause(t->wire, true);
    else if (r < 0 && r != DX_CLOSED && r != DX_STATE)
        failed(t, TOOL_LOCAL, "stdout does not take what came");
}

/* ---- for the other files of a talk ---- */

void talk_over(struct talk *t)
{
    over(t);
}

void talk_verdict(struct talk *t, int code)
{
    verdict(t, code);
}

void talk_failed(struct talk *t, int code, const char *text)
{
    failed(t, code, text);
}

void talk_print(struct talk *t, const void *p, size_t n)
{
    print(t, p, n, NULL);
}

/* ---- stdin to the wire ---- */

static void went(void *arg, dx_bytes data)
{
    struct talk *t = arg;
    dx_bytes event;
    int r = manner_went(&t->manner, data, &event);
    if (r < 0 || event.n)
        talk_print_event(t, r);
}

/* All of stdin is sent: say so, where the wire can, or wait for silence. */
static void say_input_end(struct talk *t)
{
    bool wait = t->idle_ends_ms > 0;
    if (t->input_said || talk_goes_on(t))
        return;
    t->input_said = true;
    if (t->verbose)
        tool_say(t->half_close ? "end of input: our end is said, reading goes on" : "end of input");
    if (t->half_close) {
        dx_finish(t->wire);
        if (t->manner.events.on)
            talk_print_event(t, events_end(&t->manner.events, moment_now(), VIEW_OUT));
    }
    t->heard = dx_loop_now(t->loop);
    if (t->peer_ended)
        over(t);
    else if (wait && dx_after(t->wire, t->idle_ends_ms, wire_idle) < 0)
        failed(t, TOOL_LIMIT, "no memory for a timer");
}

void talk_input_failed(struct talk *t, int code)
{
    dx_err e = {.code = code};
    failed(t, tool_exit_of(&e),
           code == DX_BIG         ? "a message is too long for this wire"
           : code == DX_TRUNCATED ? "our input ends inside a message"
                                  : dx_code_text(code));
}

static void no_hex(struct talk *t)
{
    char text[120];
    snprintf(text, sizeof text, "line %" PRIu64 " of our input is no hex from character %zu on", t->feed.count,
             t->feed.fault_at + 1);
    if (t->typed)
        tool_say("%s", text);
    else
        failed(t, TOOL_USAGE, text);
}

static void pump(struct talk *t)
{
    int r;
    while ((r = feed_pump(&t->feed, t->wire, t->input_ended)) == DX_URL) {
        no_hex(t);
        if (!t->typed)
            return;
    }
    if (r < 0 && r != DX_CLOSED && r != DX_STATE) {
        talk_input_failed(t, r);
        return;
    }
    if (t->here && !t->input_ended)
        dx_pause(t->here, r != 0);
    if (t->terminal)
        talk_terminal_pause(t->terminal, r != 0 || t->input_ended);
    if (r == 0 && t->input_ended)
        say_input_end(t);
}

static bool is_exit(const struct talk *t, const char *line, size_t n)
{
    while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
        n--;
    return n && n == strlen(t->exit_word) && !memcmp(line, t->exit_word, n);
}

/* What was typed, in the coding that the peer writes. */
static int feed_typed(struct talk *t, const char *line, size_t n)
{
    const char *coding = t->show.decoder ? dx_decoder_reply_coding(t->show.decoder) : "utf-8";
    dx_text coded = {0};
    if (!strcasecmp(coding, "utf-8") || t->manner.hex || t->manner.out.coding)
        return feed_take(&t->feed, line, n, dx_loop_now(t->loop));
    int r = dx_encode(coding, line, n, &coded);
    if (r >= 0)
        r = feed_take(&t->feed, coded.p ? coded.p : "", coded.n, dx_loop_now(t->loop));
    dx_text_free(&coded);
    return r;
}

static int take_lines(struct talk *t, const char *p, size_t n)
{
    int r = 0;
    for (size_t took; n && !t->input_ended && r >= 0; p += took, n -= took) {
        const char *nl = memchr(p, '\n', n);
        took = nl ? (size_t)(nl - p) + 1 : n;
        if (is_exit(t, p, took))
            t->input_ended = true;
        else
            r = feed_typed(t, p, took);
    }
    return r;
}

static void here_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct talk *t = dx_user(c);
    (void)how;
    if (!t->wire || t->input_ended)
        return;
    if (talk_repeats_stdin(t)) {
        talk_gather(t, data, n);
        return;
    }
    int r = t->unseen  ? talk_pass(c, t->wire, data, n)
            : t->typed ? take_lines(t, data, n)
                       : feed_take(&t->feed, data, n, dx_loop_now(t->loop));
    if (r < 0)
        talk_input_failed(t, r);
    else if (t->unseen)
        t->feed.sent += r > 0 ? n : 0;
    else
        pump(t);
}

void talk_typed(struct talk *t, const char *line, size_t n)
{
    if (!t->wire || t->input_ended)
        return;
    if (talk_repeats_stdin(t)) {
        talk_gather(t, line, n);
        return;
    }
    int r = feed_typed(t, line, n);
    if (r < 0)
        talk_input_failed(t, r);
    else
        pump(t);
}

void talk_typed_end(struct talk *t)
{
    t->input_ended = true;
    if (t->wire && talk_repeats_stdin(t) && !t->every)
        talk_content_ended(t);
    else if (t->wire)
        pump(t);
}

static void here_end(dx_conn *c)
{
    talk_typed_end(dx_user(c));
}

static void wire_writable(dx_conn *c)
{
    struct talk *t = dx_user(c);
    if (c == t->wire)
        pump(t);
}

/* ---- from the wire to stdout ---- */

static void print_shown(struct talk *t)
{
    if (t->show.out.n)
        print(t, t->show.out.p, t->show.out.n, NULL);
}

static void print_rest(struct talk *t)
{
    struct view *v = &t->manner.view;
    if (!manner_views(&t->manner) && show_rest(&t->show) == 0)
        print_shown(t);
    else if (!t->manner.events.on && manner_views(&t->manner) && view_rest(v, moment_now()) == 0 && v->out.n)
        print(t, v->out.p, v->out.n, NULL);
}

static void show_rest_of(dx_conn *c)
{
    struct talk *t = dx_user(c);
    t->show_timer = false;
    print_rest(t);
}

static void wait_for_rest(struct talk *t, dx_conn *c)
{
    if (show_waits(&t->show) && !t->show_timer)
        t->show_timer = dx_after(c, SHOW_REST_MS, show_rest_of) == 0;
}

static void show(struct talk *t, dx_conn *c, const void *data, size_t n)
{
    if (show_data(&t->show, data, n, dx_kind_of(c) == DX_MESSAGES) < 0) {
        failed(t, TOOL_LIMIT, "no memory");
        return;
    }
    print_shown(t);
    wait_for_rest(t, c);
}

static void wire_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct talk *t = dx_user(c);
    bool whole = dx_kind_of(c) == DX_MESSAGES && !(how & DX_MORE);
    dx_bytes lines, came = {data, n};
    if (c != t->wire)
        return; /* the body of a request that is no talk */
    t->heard = dx_loop_now(t->loop);
    t->steps.in += n;
    if (!t->came++)
        t->alert = !t->listening && !strcmp(dx_wire(c), "tcp") && tls_is_alert(data, n);
    if (t->unseen) {
        if (t->here && talk_pass(c, t->here, data, n) < 0)
            failed(t, TOOL_LOCAL, "stdout does not take what came");
        return;
    }
    if (t->terminal && talk_terminal_came(t->terminal, data, n, whole) < 0)
        failed(t, TOOL_LIMIT, "no memory");
    if (manner_came(&t->manner, came, whole, &lines) < 0)
        failed(t, TOOL_LIMIT, "no memory");
    if (manner_views(&t->manner)) {
        if (lines.n)
            print(t, lines.p, lines.n, NULL);
        wait_for_rest(t, c);
    } else if (t->shown)
        show(t, c, data, n);
    else
        print(t, data, n, how & DX_MORE ? NULL : &t->line_end);
    talk_look_for(t, came, whole);
    if (t->once && !(how & DX_MORE))
        over(t);
}

static void here_writable(dx_conn *c)
{
    struct talk *t = dx_user(c);
    if (t->wire)
        dx_pause(t->wire, false);
}

/* ---- ends ---- */

static void wire_idle(dx_conn *c)
{
    struct talk *t = dx_user(c);
    int64_t rest = t->heard + t->idle_ends_ms - dx_loop_now(t->loop);
    if (rest <= 0)
        dx_close(c);
    else if (dx_after(c, rest, wire_idle) < 0)
        failed(t, TOOL_LIMIT, "no memory for a timer");
}

static void wire_end(dx_conn *c)
{
    struct talk *t = dx_user(c);
    if (c != t->wire)
        return;
    t->peer_ended = true;
    if (t->manner.events.on)
        talk_print_event(t, events_end(&t->manner.events, moment_now(), VIEW_IN));
    if (t->verbose || (t->typed && !t->input_said))
        tool_say("the peer has ended");
    if (exchange_refused(c, t->url)) {
        verdict(t, TOOL_HTTP);
        over(t);
        return;
    }
    t->lost = t->retry.on && !t->input_said;
    if (t->half_close && !t->typed && !t->input_said && !t->lost && !talk_goes_on(t)) {
        if (t->here)
            dx_finish(t->here);
        return; /* stdin goes on to its own end */
    }
    if (!t->half_close && !t->input_said && !t->lost && (dx_queued(c) || t->feed.waits))
        failed(t, TOOL_UNSENT, "the peer ended before all of our input was sent");
    over(t);
}

void talk_maybe_stop(struct talk *t)
{
    if (!t->wire && !t->here && !t->retry_timer)
        tool_end();
}

/* The wire is gone. Not dx_close at once: it would give a reader that rests for long (a pager) too little time. */
static void here_flushed(dx_conn *c)
{
    if (!dx_queued(c) || dx_after(c, FLUSH_MS, here_flushed) < 0)
        dx_close(c);
}

static void wire_close(dx_conn *c, const dx_err *why)
{
    struct talk *t = dx_user(c);
    if (t->joined ? c != t->wire : t->listening)
        return;
    if (t->joined && (t->shown || manner_views(&t->manner)))
        print_rest(t);
    t->wire = NULL;
    t->steps.out = t->feed.sent;
    if (t->verbose && t->joined)
        steps_close(&t->steps, c, "", why);
    if (talk_tries_again(t, why)) {
        talk_tell_close(t, why, tool_exit_of(why));
        return;
    }
    if (t->alert && t->came == 1)
        tool_say("%s: what came is a TLS alert.  Try: duplex dial %s%s", t->url, tls_scheme_of(t->url),
                 strchr(t->url, ':'));
    if (tool_exit_of(why) && !t->code && !t->met)
        verdict(t, tool_fail(t->joined && why->code == DX_TIMEOUT ? "talk" : t->doing, t->url, why));
    if (t->joined && t->manner.wait_for && !t->met && !t->code && !tool_stopped())
        talk_unmet(t, "before the end");
    if (!t->code)
        verdict(t, talk_sums_verdict(t));
    if (!t->code && !t->met)
        verdict(t, talk_drops_verdict(t));
    talk_tell_close(t, why, t->code);
    if (t->here) {
        dx_pause(t->here, true);
        here_flushed(t->here);
    }
    talk_maybe_stop(t);
}

static void here_close(dx_conn *c, const dx_err *why)
{
    struct talk *t = dx_user(c);
    bool gone = why->code == DX_RESET || (why->code == DX_SYS && why->detail == EPIPE);
    t->here = NULL;
    if (tool_exit_of(why)) {
        if (!gone || t->verbose) /* a reader that has enough, as in "| head", needs no words */
            tool_say("standard %s: %s", why->detail == EISDIR ? "input" : "output",
                     why->code == DX_SYS ? strerror(why->detail) : why->text);
        verdict(t, TOOL_LOCAL);
    }
    talk_tries_no_more(t);
    over(t);
    talk_maybe_stop(t);
}

/* ---- beginnings ---- */

static void here_open(dx_conn *c)
{
    struct talk *t = dx_user(c);
    if (t->wire)
        dx_pause(t->wire, false);
    if (t->wire)
        talk_begin_sending(t);
}

static const dx_handler here_on = {.on_open = here_open,
                                   .on_data = here_data,
                                   .on_end = here_end,
                                   .on_writable = here_writable,
                                   .on_close = here_close};

/* What cuts stdin into messages stands between those on stdout. */
static int read_line_end(struct talk *t)
{
    static const char *const lines[] = {"line", "auto", "gap:"};
    dx_text_clear(&t->line_end);
    for (size_t i = 0; t->frame && i < sizeof lines / sizeof *lines; i++)
        if (!strncmp(t->frame, lines[i], strlen(lines[i])))
            return dx_text_add(&t->line_end, "\n", 1);
    if (t->frame && !strncmp(t->frame, "delim:", 6))
        return dx_unhex(t->frame + 6, strlen(t->frame + 6), &t->line_end, NULL);
    return 0;
}

static int prepare(struct talk *t, dx_conn *c, dx_err *err)
{
    const char *wire = dx_wire(c);
    bool ws = !strcmp(wire, "ws") || !strcmp(wire, "wss");
    t->typed = isatty(STDIN_FILENO);
    t->shown = isatty(STDOUT_FILENO);
    t->half_close = !ws && !feed_datagrams(wire);
    if (!t->idle_ends_ms && ((t->typed && !dx_http_is(c)) || !t->half_close)) /* an answer may take its time */
        t->idle_ends_ms = IDLE_ENDS_MS;
    t->shown_as = !t->coding ? "auto" : dx_http_is(c) ? t->coding : "utf-8"; /* a body comes as it is */
    if (t->manner.out.coding)
        t->shown_as = t->manner.out.coding;
    if ((t->shown || t->manner.out.coding) && show_init(&t->show, t->shown_as, err) < 0)
        return err->code;
    if ((err->code = read_line_end(t)) < 0)
        return err->code;
    t->show.exact = !t->shown;
    t->manner.view.show = &t->show;
    t->feed.out = &t->manner.out;
    t->feed.went = went;
    t->feed.went_arg = t;
    int r = feed_init(&t->feed, wire, dx_kind_of(c), t->frame, t->typed, err);
    t->unseen = r == 0 && talk_sees_nothing(t);
    return r;
}

/* stdin and stdout belong to the conn from now on, so that closing it closes them for whoever is at the other end. */
static dx_conn *open_here(struct talk *t, dx_err *err)
{
    dx_conn *c = dx_connect(t->loop, "stdio:", &here_on, t, NULL, err);
    int null = c ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        close(null);
    }
    return c;
}

/* The terminal to type on, or else what stdin and stdout are. */
static bool open_local(struct talk *t, dx_err *err)
{
    if (t->typed && t->shown && (t->terminal = talk_terminal_new(t, err)))
        return true;
    t->here = open_here(t, err);
    dx_pause(t->wire, true); /* until stdout is there */
    return t->here != NULL;
}

bool talk_accept_ws(dx_conn *c)
{
    static const char no[] = "a page from elsewhere may not speak here\n";
    if (dx_ws_accept(c, NULL, NULL, NULL) >= 0)
        return true;
    dx_http_reply(c, 403, "text/plain", no, sizeof no - 1, NULL, 0);
    return false;
}

/* A request that wants no WebSocket is answered and is no talk; not by 200: who posts must learn that nobody took it. */
bool talk_http_talks(dx_conn *c)
{
    static const char no[] = "duplex listen is here: a talk goes by socket or WebSocket\n";
    static const dx_http_field up = {"Upgrade", "websocket"};
    if (dx_http_wants_ws(c))
        return talk_accept_ws(c);
    dx_http_reply(c, 426, "text/plain", no, sizeof no - 1, &up, 1);
    return false;
}

/* After a retry: stdin and stdout are there. */
static void joined_again(struct talk *t)
{
    if (t->manner.events.on)
        talk_print_event(t, events_open(&t->manner.events, moment_now(), t->wire, t->url));
    talk_begin_sending(t);
    pump(t);
}

static void wire_open(dx_conn *c)
{
    struct talk *t = dx_user(c);
    dx_err err = {0};
    int r = 0;
    if (t->listening && dx_http_is(c) && !talk_http_talks(c))
        return;
    if (t->joined) {
        dx_abort(c);
        return;
    }
    t->joined = true;
    t->wire = c;
    t->steps = (struct steps){0};
    t->feed.sent = 0;
    if (t->verbose) {
        tool_say("talking to %s", dx_peer(c));
        steps_open(&t->steps, c, "");
    }
    if (t->on_joined)
        t->on_joined(t, c);
    retry_stood(&t->retry);
    r = talk_wait(t, c);
    if (t->here || t->terminal) {
        joined_again(t);
        return;
    }
    if (dx_http_is(c) && (r = exchange_ask(c)) < 0)
        err = (dx_err){.code = r};
    if (t->manner.events.on)
        talk_print_event(t, events_open(&t->manner.events, moment_now(), c, t->url));
    if (r < 0 || prepare(t, c, &err) < 0 || !open_local(t, &err)) {
        verdict(t, tool_fail("talk", t->url, &err));
        dx_abort(c);
    }
}

static void wire_event(dx_conn *c, int what, const void *arg)
{
    const struct talk *t = dx_user(c);
    if (what == DX_STEP && t->verbose)
        tool_say("%s", (const char *)arg);
    else if (c == t->wire && t->verbose)
        exchange_tell(c, what, arg);
}

const dx_handler talk_on = {.on_open = wire_open,
                            .on_event = wire_event,
                            .on_data = wire_data,
                            .on_end = wire_end,
                            .on_writable = wire_writable,
                            .on_close = wire_close};

static void give_up(void *arg)
{
    dx_loop_stop(arg);
}

int talk_run(struct talk *t)
{
    int r = tool_run(), signal = tool_stopped();
    every_stop(t->every);
    talk_tries_no_more(t);
    talk_terminal_free(t->terminal);
    t->terminal = NULL;
    if (signal && (t->wire || t->here)) {
        dx_loop_after(t->loop, GOODBYE_MS, give_up, t->loop);
        if (t->wire)
            over(t);
        else
            dx_close(t->here);
        dx_loop_run(t->loop);
    }
    if (signal)
        t->code = 128 + signal;
    dx_loop_free(t->loop);
    t->loop = NULL;
    if (t->every)
        every_report(t->every);
    every_free(t->every);
    talk_free(t);
    return r < 0 && !t->code ? TOOL_FAILED : t->code;
}
