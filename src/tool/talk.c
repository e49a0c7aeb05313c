/* SPDX-License-Identifier: MIT
 * talk.c - stdin and stdout are a conn too (stdio:), so a talk is two conns and the rules of who ends when. */
#include "tool/talk_inside.h"
#include "tool/talk_terminal.h"
#include "tool/exchange.h"
#include "tool/tool.h"
#include <duplex/http.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    IDLE_ENDS_MS = 1000, /* where our end cannot be said alone (ws, datagrams), and on a terminal */
    GOODBYE_MS = 2000,   /* after Ctrl-C                                                         */
    FLUSH_MS = 10,       /* how often to look whether stdout has taken all                       */
};

int talk_options(struct talk *t, const struct options *o)
{
    int r = ws_options_read(&t->ws, o, o->args, o->arg_count);
    if (r < 0)
        r = manner_read(&t->manner, o);
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
    ws_options_free(&t->ws);
    dx_text_free(&t->content);
    dx_text_free(&t->line_end);
    feed_free(&t->feed);
    show_free(&t->show);
}

/* The first failure is the cause. */
void talk_verdict(struct talk *t, int code)
{
    if (!t->code)
        t->code = code;
}

void talk_over(struct talk *t)
{
    if (t->wire)
        ws_options_close(&t->ws, t->wire);
}

void talk_failed(struct talk *t, int code, const char *text)
{
    tool_say("%s: %s", t->url, text);
    talk_verdict(t, code);
    talk_over(t);
}

static void wire_writable(dx_conn *c)
{
    struct talk *t = dx_user(c);
    if (c == t->wire)
        talk_pump(t);
}

static void here_end(dx_conn *c)
{
    talk_typed_end(dx_user(c));
}

static void here_writable(dx_conn *c)
{
    struct talk *t = dx_user(c);
    if (t->wire)
        dx_pause(t->wire, false);
}

/* ---- ends ---- */

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
        talk_verdict(t, TOOL_HTTP);
        talk_over(t);
        return;
    }
    t->lost = t->retry.on && !t->input_said;
    if (t->half_close && !t->typed && !t->input_said && !t->lost && !talk_goes_on(t)) {
        if (t->here && !t->manner.events.on) { /* which have more to say */
            talk_print_rest(t);
            dx_finish(t->here);
        }
        return; /* stdin goes on to its own end */
    }
    if (!t->half_close && !t->input_said && !t->lost && (dx_queued(c) || t->feed.waits))
        talk_failed(t, TOOL_UNSENT, "the peer ended before all of our input was sent");
    talk_over(t);
}

void talk_maybe_stop(struct talk *t)
{
    if (!t->wire && !t->here && !t->retry_timer)
        tool_end();
}

/* Not dx_close at once: it would give a reader that rests for long (a pager) too little time. */
static void here_flushed(dx_conn *c)
{
    if (!dx_queued(c) || dx_after(c, FLUSH_MS, here_flushed) < 0)
        dx_close(c);
}

void talk_here_over(struct talk *t)
{
    if (!t->here)
        return;
    dx_pause(t->here, true);
    here_flushed(t->here);
}

static void wire_close(dx_conn *c, const dx_err *why)
{
    struct talk *t = dx_user(c);
    if (t->joined ? c != t->wire : t->listening)
        return;
    t->show.ended = true;
    if (t->joined && (t->shown || manner_views(&t->manner)))
        talk_print_rest(t);
    t->show.ended = false; /* the next conn begins anew */
    t->wire = NULL;
    t->steps.out = t->feed.sent;
    if (t->verbose && t->joined)
        steps_close(&t->steps, c, "", why);
    if (talk_tries_again(t, why)) {
        talk_tell_close(t, c, why, tool_exit_of(why));
        return;
    }
    bool alert = t->alert && t->came == 1;
    if (alert)
        tool_say("%s: what came is a TLS alert.  Try: duplex dial %s%s", t->url, tls_scheme_of(t->url),
                 strchr(t->url, ':'));
    if (tool_exit_of(why) && !t->code && !t->met)
        talk_verdict(t, tool_fail(t->joined && why->code == DX_TIMEOUT ? "talk" : t->doing, t->url, why));
    if (t->joined && t->manner.wait_for && !t->met && !t->code && !tool_stopped())
        talk_unmet(t, "before the end");
    if (alert)
        talk_verdict(t, TOOL_TLS);
    if (!t->code && !t->met)
        talk_verdict(t, talk_silence_verdict(t, c));
    if (!t->code)
        talk_verdict(t, talk_sums_verdict(t));
    if (!t->code && !t->met)
        talk_verdict(t, talk_drops_verdict(t));
    talk_tell_close(t, c, why, t->code);
    talk_here_over(t);
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
                     why->code == DX_SYS ? standard_fault(STDOUT_FILENO, why->detail) : why->text);
        talk_verdict(t, TOOL_LOCAL);
    }
    talk_tries_no_more(t);
    talk_over(t);
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
                                   .on_data = talk_here_data,
                                   .on_end = here_end,
                                   .on_writable = here_writable,
                                   .on_close = here_close};

static int prepare(struct talk *t, dx_conn *c, dx_err *err)
{
    const char *wire = dx_wire(c);
    bool ws = !strcmp(wire, "ws") || !strcmp(wire, "wss");
    t->typed = isatty(STDIN_FILENO);
    t->shown = isatty(STDOUT_FILENO);
    t->websocket = ws;
    t->half_close = !ws && !feed_datagrams(wire);
    if (ws && t->ws.kind == FEED_TEXT && !t->frame)
        t->frame = "line";                                                    /* pieces might cut a character */
    if (!t->idle_ends_ms && ((t->typed && !dx_http_is(c)) || !t->half_close)) /* an answer may take its time */
        t->idle_ends_ms = IDLE_ENDS_MS;
    t->shown_as = !t->coding ? "auto" : dx_http_is(c) ? t->coding : "utf-8"; /* a body comes as it is */
    if (t->manner.out.coding)
        t->shown_as = t->manner.out.coding;
    if ((t->shown || t->manner.out.coding) && show_init(&t->show, t->shown_as, err) < 0)
        return err->code;
    if ((err->code = talk_read_line_end(t)) < 0)
        return err->code;
    t->show.exact = !t->shown;
    t->manner.view.show = &t->show;
    t->feed.out = &t->manner.out;
    t->feed.kind = t->ws.kind;
    t->feed.went = talk_went;
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

/* After a retry: stdin and stdout are there. */
static void joined_again(struct talk *t)
{
    if (t->manner.events.on)
        talk_print_event(t, events_open(&t->manner.events, moment_now(), t->wire, t->url));
    talk_begin_sending(t);
    talk_pump(t);
}

static void wire_open(dx_conn *c)
{
    struct talk *t = dx_user(c);
    dx_err err = {0};
    int r = 0;
    if (t->listening && dx_http_is(c) && !exchange_talks(c))
        return;
    if (t->joined) {
        dx_abort(c);
        return;
    }
    talk_hears_no_more_early(t);
    t->trying = false;
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
        talk_verdict(t, tool_fail("talk", t->url, &err));
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
                            .on_data = talk_wire_data,
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
            talk_over(t);
        else
            dx_close(t->here);
        dx_loop_run(t->loop);
    }
    if (signal)
        t->code = 128 + signal;
    tool_loop_free(t->loop);
    t->loop = NULL;
    if (t->every)
        every_report(t->every);
    every_free(t->every);
    talk_free(t);
    return r < 0 && !t->code ? TOOL_FAILED : t->code;
}
