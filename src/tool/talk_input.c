/* SPDX-License-Identifier: MIT
 * talk_input.c - from stdin, or what is typed, to the wire, and what the end of it says. See talk_inside.h. */
#include "tool/talk_inside.h"
#include "tool/talk_terminal.h"
#include "tool/tool.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void wire_idle(dx_conn *c)
{
    struct talk *t = dx_user(c);
    int64_t rest = t->heard + t->idle_ends_ms - dx_loop_now(t->loop);
    if (rest <= 0) {
        t->fell_silent = true;
        ws_options_close(&t->ws, c);
    } else if (dx_after(c, rest, wire_idle) < 0)
        talk_failed(t, TOOL_LIMIT, "no memory for a timer");
}

void talk_went(void *arg, dx_bytes data, unsigned how)
{
    struct talk *t = arg;
    dx_bytes event;
    bool whole = t->feed.framer || t->from_option || t->manner.out.sum || dx_kind_of(t->wire) == DX_MESSAGES;
    t->manner.events.kind = t->websocket ? how & (DX_TEXT | DX_BINARY) : 0;
    int r = manner_went(&t->manner, data, whole, &event);
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
        talk_over(t);
    else if (wait && dx_after(t->wire, t->idle_ends_ms, wire_idle) < 0)
        talk_failed(t, TOOL_LIMIT, "no memory for a timer");
}

void talk_input_failed(struct talk *t, int code)
{
    dx_err e = {.code = code};
    talk_failed(t, tool_exit_of(&e),
                code == DX_BIG         ? "a message is too long for this wire"
                : code == DX_TRUNCATED ? "our input ends inside a message"
                : code == DX_PROTO     ? "a message is not UTF-8, and so no text"
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
        talk_failed(t, TOOL_USAGE, text);
}

void talk_pump(struct talk *t)
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

void talk_here_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct talk *t = dx_user(c);
    (void)how;
    if ((!t->wire && !t->trying) || t->input_ended)
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
    else if (t->wire)
        talk_pump(t);
    else if (t->input_ended)
        talk_tries_over(t);
}

void talk_typed(struct talk *t, const char *line, size_t n)
{
    if ((!t->wire && !t->trying) || t->input_ended)
        return;
    if (talk_repeats_stdin(t)) {
        talk_gather(t, line, n);
        return;
    }
    int r = feed_typed(t, line, n);
    if (r < 0)
        talk_input_failed(t, r);
    else if (t->wire)
        talk_pump(t);
}

void talk_typed_end(struct talk *t)
{
    if (!t->wire && t->trying) {
        talk_tries_over(t);
        return;
    }
    t->input_ended = true;
    if (t->wire && talk_repeats_stdin(t) && !t->every)
        talk_content_ended(t);
    else if (t->wire)
        talk_pump(t);
}
