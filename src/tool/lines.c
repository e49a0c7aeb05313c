/* SPDX-License-Identifier: MIT
 * lines.c - who, when and what, safe to look at. */
#include "tool/lines.h"
#include "tool/add.h"
#include "tool/edit.h"
#include <string.h>
#include <time.h>

enum { NAME_COLUMNS = 10 };

static void add_time(dx_text *t, int64_t time_ms, bool date)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;
    char s[40];
    localtime_r(&seconds, &tm);
    if (date ? strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%S ", &tm) : strftime(s, sizeof(s), "%H:%M:%S ", &tm))
        add(t, s);
}

/* "12:01:07 nc-1       ": when and who. */
static void add_who(dx_text *t, int64_t time_ms, const char *who, size_t n)
{
    size_t name;
    add_time(t, time_ms, false);
    name = t->n;
    dx_visible(who, n, NULL, t);
    for (int at = edit_columns(t->p + name, t->n - name); at < NAME_COLUMNS; at++)
        add(t, " ");
    add(t, " ");
}

void line_message(const struct hub_line *l, dx_text *t)
{
    add_who(t, l->time_ms, l->from, strlen(l->from));
    dx_visible(l->text, l->n, "         ", t);
    if (l->guess)
        add(t, l->coding ? "  (GB18030?)" : "  (UTF-8?)");
    add(t, "\n");
}

void line_notice(const char *text, size_t n, dx_text *t)
{
    static const char to_you[] = " (to you): ";
    const char *end = n && *text != '*' ? memmem(text, n, to_you, strlen(to_you)) : NULL;
    if (end) { /* private words have their time too */
        size_t who = (size_t)(end - text) + strlen(to_you) - 2, took = who + 2;
        add_who(t, (int64_t)time(NULL) * 1000, text, who);
        dx_visible(text + took, n - took, "         ", t);
    } else
        dx_visible(text, n, "  ", t);
    add(t, "\n");
}

void line_log(const struct hub_line *l, bool json, dx_text *t)
{
    if (json)
        dx_text_add(t, l->json, l->json_n);
    else {
        add_time(t, l->time_ms, true);
        if (strcmp(l->room, "lobby"))
            add(t, l->room), add(t, "/");
        dx_visible(l->from, strlen(l->from), NULL, t);
        add(t, " ");
        dx_visible(l->text, l->n, NULL, t);
    }
    add(t, "\n");
}
