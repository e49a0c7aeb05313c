/* SPDX-License-Identifier: MIT
 * completion.c - see completion.h. */
#include "tool/completion.h"
#include <duplex/text.h>
#include <ctype.h>
#include <string.h>

/* What a shell can offer for a part of "[show [FILE] | ca | URL]": a word as it is, FILE, DIR, URL or COMMAND. 0: nothing. */
static size_t wanted(const char *part, size_t n, const char **ret_want)
{
    size_t lower = strspn(part, "abcdefghijklmnopqrstuvwxyz0123456789-");
    *ret_want = part;
    if (n > 3 && !memcmp(part + n - 3, "...", 3))
        n -= 3;
    if (n > 4 && !memcmp(part + n - 4, "-URL", 4)) {
        *ret_want = "URL";
        return 3;
    }
    if ((n == 3 && (!memcmp(part, "URL", 3) || !memcmp(part, "DIR", 3))) || (n == 4 && !memcmp(part, "FILE", 4)) ||
        (n == 7 && !memcmp(part, "COMMAND", 7)))
        return n;
    return n > 1 && lower >= n && isalpha((unsigned char)*part) ? n : 0;
}

/* Is want, n bytes of it, in that list already? */
static bool is_in(const char *list, char between, const char *want, size_t n)
{
    for (const char *p = list; p; p = strchr(p, between)) {
        p += *p == between;
        if (!strncmp(p, want, n) && (p[n] == between || !p[n]))
            return true;
    }
    return false;
}

/* All that is wanted by this text, each once, behind what the list has. */
static void add_wants(const char *arg, size_t arg_n, char between, char ret_list[WANTS_MAX])
{
    size_t at = strlen(ret_list), n;
    for (const char *p = arg, *want; p < arg + arg_n; p += n ? n : 1) {
        n = strcspn(p, "[]| ");
        size_t length = wanted(p, n, &want);
        if (!length || at + length + 2 > WANTS_MAX || is_in(ret_list, between, want, length))
            continue;
        if (at)
            ret_list[at++] = between;
        memcpy(ret_list + at, want, length);
        ret_list[at += length] = 0;
    }
}

static void wants(const char *arg, char between, char ret_list[WANTS_MAX])
{
    ret_list[0] = 0;
    add_wants(arg, strlen(arg), between, ret_list);
}

void completion_places(const char *args, char between, struct places *ret)
{
    int at = 0, group = 0, depth = 0;
    *ret = (struct places){0};
    for (size_t n; *args; args += n + (args[n] == ' ')) {
        n = strcspn(args, " ");
        if (!strncmp(args, "[OPTION]", 8))
            continue;
        if (n == 1 && *args == '|') {
            at = group;
            continue;
        }
        if (!depth)
            group = at;
        for (size_t i = 0; i < n; i++)
            depth += (args[i] == '[') - (args[i] == ']');
        if (at == PLACES_MAX)
            continue;
        size_t before = strlen(ret->list[at]);
        add_wants(args, n, between, ret->list[at]);
        bool wanted_here = ret->list[at++][before] != 0;
        if (wanted_here && at > ret->count)
            ret->count = at;
        ret->repeats |= wanted_here && at == ret->count && n > 3 && !memcmp(args + n - 3, "...", 3);
    }
}

void completion_wants(const struct opt *o, char between, char ret_list[WANTS_MAX])
{
    static const char *const named[][2] = {{"checksum", "SUM"}, {"encoding", "CODING"}, {"frame", "FRAME"}};
    wants(o->arg, between, ret_list);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (!strcmp(o->name, named[i][0]))
            snprintf(ret_list, WANTS_MAX, "%s", named[i][1]);
}

void completion_quoted(FILE *to, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (strchr(escaped, *text))
            fputc('\\', to);
        if (*text == '\'')
            fputs("'\\''", to);
        else
            fputc(*text == '\n' ? ' ' : *text, to);
    }
}

/* "tcp://" of "tcp://HOST:PORT" */
static int wire_prefix(const struct wire *w)
{
    return (int)strcspn(w->url, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static void put_wires(FILE *to)
{
    for (const struct wire *w = wire_table; w->url; w++)
        fprintf(to, "%s%.*s", w == wire_table ? "" : " ", wire_prefix(w), w->url);
}

static void put_sums(FILE *to)
{
    for (size_t i = 0; dx_sum_at(i); i++)
        fprintf(to, "%s%s", i ? " " : "", dx_sum_at(i)->name);
}

/* A value that goes on after a colon. */
static const char frames[] = "line none gap: fixed: delim: length:";
static const char codings[] = "auto utf-8 gb18030 gbk gb2312 big5 euc-jp sjis euc-kr iso-8859-1 windows-1252";

void completion_lists(FILE *to, const char *begin, const char *end)
{
    fprintf(to, "_duplex_urls=%s", begin);
    put_wires(to);
    fprintf(to, "%s\n_duplex_sums=%s", end, begin);
    put_sums(to);
    fprintf(to, "%s\n_duplex_codings=%s%s%s\n_duplex_frames=%s%s%s\n", end, begin, codings, end, begin, frames, end);
}
