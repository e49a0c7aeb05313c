/* SPDX-License-Identifier: MIT
 * panel.c - see panel.h. */
#include "tool/panel.h"
#include "tool/stamp.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 60 };

void panel_free(struct panel *p)
{
    prompt_free(p->prompt);
    p->prompt = NULL;
    kept_free(&p->kept);
}

static void print(const struct panel *p, const char *text, size_t n)
{
    if (p->prompt && n)
        prompt_print(p->prompt, text, n);
}

void panel_say(struct panel *p, const char *fmt, ...)
{
    char line[600];
    dx_text t = {0};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (dx_text_add(&t, "* ", 2) == 0 && dx_visible(line, strlen(line), NULL, &t) == 0)
        print(p, t.p, t.n);
    dx_text_free(&t);
}

/* ---- the views ---- */

int panel_came(struct panel *p, uint64_t from, const void *data, size_t n, bool whole)
{
    const struct kept_piece piece = {moment_now().wall_ms, from, n, whole};
    dx_text t = {0};
    int r = kept_add(&p->kept, &piece, data);
    if (r >= 0 && p->hex)
        r = piece_dump(&piece, data, &t);
    if (r >= 0)
        print(p, t.p, t.n);
    dx_text_free(&t);
    return r;
}

void panel_text(struct panel *p, uint64_t from, const char *text, size_t n)
{
    dx_text t = {0};
    if (!p->hex && n && piece_text(from, text, n, &t) == 0)
        print(p, t.p, t.n);
    dx_text_free(&t);
}

static void view(struct panel *p, bool hex)
{
    dx_text t = {0};
    int r = hex ? kept_dump(&p->kept, &t) : kept_text(&p->kept, p->coding, &t);
    p->hex = hex;
    if (r >= 0 && p->prompt)
        prompt_print_anew(p->prompt, t.p ? t.p : "", t.n);
    else if (r < 0)
        panel_say(p, "no memory to show it again");
    dx_text_free(&t);
    if (!hex && p->on_text)
        p->on_text(p->arg);
}

/* ---- commands ---- */

static void help(struct panel *p)
{
    panel_say(p, "/hex    clear the screen, show what came as bytes, with its times, and go on so");
    panel_say(p, "/text   the same as text");
    for (const struct panel_command *c = p->commands; c->name; c++)
        panel_say(p, "%s", c->help);
    panel_say(p, "//x     says /x");
    panel_say(p, "%s", p->help);
}

static bool is_word(const char *line, size_t n, const char *name)
{
    return n == strlen(name) && !memcmp(line, name, n);
}

static void command(struct panel *p, const char *line, size_t n)
{
    size_t word = strcspn(line, " \t");
    const char *rest = line + word + strspn(line + word, " \t");
    if (is_word(line, word, "/hex") || is_word(line, word, "/text")) {
        view(p, line[1] == 'h');
        return;
    }
    if (is_word(line, word, "/help")) {
        help(p);
        return;
    }
    for (const struct panel_command *c = p->commands; c->name; c++)
        if (is_word(line, word, c->name)) {
            c->run(p->arg, rest);
            return;
        }
    int shown = (int)(n < WORD_MAX ? n : WORD_MAX);
    panel_say(p, "no command %.*s: /help lists them, /%.*s says it", (int)(word < WORD_MAX ? word : WORD_MAX), line,
              shown, line);
}

bool panel_takes(struct panel *p, const char *line, size_t n, dx_bytes *ret_said)
{
    bool slash = n && *line == '/', doubled = slash && n > 1 && line[1] == '/';
    if (slash && !doubled) {
        command(p, line, n);
        return true;
    }
    *ret_said = (dx_bytes){line + doubled, n - doubled};
    return false;
}
