/* SPDX-License-Identifier: MIT
 * talk_terminal.c - see talk_terminal.h. */
#include "tool/talk_terminal.h"
#include "tool/panel.h"
#include "tool/tool.h"
#include <duplex/http.h>
#include <stdlib.h>
#include <string.h>

struct talk_terminal {
    struct talk *talk;
    struct panel panel;
};

static void on_end(void *arg)
{
    struct talk_terminal *k = arg;
    talk_typed_end(k->talk);
}

static bool is(dx_bytes said, const char *word)
{
    return said.n == strlen(word) && !memcmp(said.p, word, said.n);
}

/* An empty line is one of the message in a POST's body, in a paste, and where no word ends. */
static bool ends(const struct talk_terminal *k, dx_bytes said)
{
    const struct talk *t = k->talk;
    if (!*t->exit_word)
        return false;
    if (!said.n)
        return !prompt_is_one_of_many(k->panel.prompt) && !(t->wire && dx_http_is(t->wire));
    return is(said, t->exit_word);
}

static void on_line(void *arg, const char *utf8, size_t n)
{
    struct talk_terminal *k = arg;
    dx_bytes said;
    dx_text line = {0};
    if (panel_takes(&k->panel, utf8, n, &said))
        return;
    if (ends(k, said)) {
        talk_typed_end(k->talk);
        return;
    }
    if (dx_text_add(&line, said.p, said.n) == 0 && dx_text_add(&line, "\n", 1) == 0)
        talk_typed(k->talk, line.p, line.n);
    else
        panel_say(&k->panel, "no memory: not said");
    dx_text_free(&line);
}

/* What waits for the rest of its line stands on the screen already. */
static void on_text(void *arg)
{
    struct talk_terminal *k = arg;
    if (k->talk->shown)
        show_rest(&k->talk->show);
}

static void who(void *arg, const char *rest)
{
    struct talk_terminal *k = arg;
    const dx_conn *wire = k->talk->wire;
    (void)rest;
    const char *peer = wire ? dx_peer(wire) : "";
    if (!wire)
        panel_say(&k->panel, "nobody yet: %s is being dialled", k->talk->url);
    else if (!*peer || is((dx_bytes){k->talk->url, strcspn(k->talk->url, "#")}, peer))
        panel_say(&k->panel, "talking to %s", *peer ? peer : k->talk->url);
    else
        panel_say(&k->panel, "talking to %s: it is %s", k->talk->url, peer);
}

static void quit(void *arg, const char *rest)
{
    (void)rest;
    on_end(arg);
}

struct talk_terminal *talk_terminal_new(struct talk *t, dx_err *err)
{
    static const struct prompt_watch watch = {.line = on_line, .end = on_end, .suspends = true};
    static const struct panel_command commands[] = {
        {"/who", "/who    whom we talk to", who}, {"/quit", "/quit   end", quit}, {0}};
    struct talk_terminal *k = calloc(1, sizeof *k);
    if (!k) {
        *err = (dx_err){.code = DX_NOMEM, .text = "no memory"};
        return NULL;
    }
    prompt_locale();
    k->talk = t;
    k->panel = (struct panel){.coding = t->shown_as,
                              .help = "Ctrl-D, an empty line or the exit word (exit) ends",
                              .commands = commands,
                              .on_text = on_text,
                              .arg = k};
    k->panel.prompt = prompt_new(t->loop, ">> ", &watch, k, err);
    if (k->panel.prompt)
        return k;
    free(k);
    return NULL;
}

void talk_terminal_free(struct talk_terminal *k)
{
    if (k)
        panel_free(&k->panel);
    free(k);
}

int talk_terminal_came(struct talk_terminal *k, const void *data, size_t n, bool whole)
{
    return panel_came(&k->panel, 0, data, n, whole);
}

void talk_terminal_print(struct talk_terminal *k, const char *text, size_t n)
{
    panel_text(&k->panel, 0, text, n);
}

void talk_terminal_pause(struct talk_terminal *k, bool on)
{
    prompt_pause(k->panel.prompt, on);
}
