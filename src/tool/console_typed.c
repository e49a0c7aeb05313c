/* SPDX-License-Identifier: MIT
 * console_typed.c - what is typed at the console: lines for all or for one client, and its commands. */
#include "tool/console_inside.h"
#include "tool/tool.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
        r = feed_pump(&c->feed, c->conn, false);
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

void console_line(void *arg, const char *utf8, size_t n)
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

void console_end(void *arg)
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
    console_end(arg);
}

const struct panel_command console_commands[] = {{"/who", "/who    the clients: number, peer, wire, bytes, age", who},
                                                 {"/close", "/close N  closes that client", close_one},
                                                 {"/quit", "/quit   closes all and ends", quit},
                                                 {0}};
