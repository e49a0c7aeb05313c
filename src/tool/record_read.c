/* SPDX-License-Identifier: MIT
 * record_read.c - a record, checked line by line. Members that are not known are skipped, so that a later version may add some; what is
 * known must be right. */
#include "tool/record.h"
#include "tool/tool.h"
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_OPEN = 1, SEEN_CLIENT_END = 2, SEEN_SERVER_END = 4, SEEN_CLOSE = 8 };
struct reader {
    const char *name;
    unsigned long line;
    int64_t us;    /* of the line before               */
    uint8_t *seen; /* by number                        */
    size_t seen_n;
    uint64_t wanted; /* 0: the first to open             */
    struct record *to;
    char *why;
    size_t why_n;
};

static int broken(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int broken(struct reader *r, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(r->why, r->why_n, "%s:%lu: ", r->name, r->line);
    va_start(ap, fmt);
    if (n > 0 && (size_t)n < r->why_n)
        vsnprintf(r->why + n, r->why_n - (size_t)n, fmt, ap);
    va_end(ap);
    return TOOL_USAGE;
}

static int no_memory(struct reader *r)
{
    broken(r, "no memory for it");
    return TOOL_LIMIT;
}

/* The index of a member's text in names, which ends with NULL; -1: it is none of them, and why says so. */
static int word_of(struct reader *r, const json_t *o, const char *member, const char *const *names)
{
    const char *text = json_string_value(json_object_get(o, member));
    for (int i = 0; text && names[i]; i++)
        if (!strcmp(text, names[i]))
            return i;
    if (text)
        broken(r, "\"%s\" is \"%.40s\"; it may be \"%s\" or \"%s\"", member, text, names[0], names[1]);
    else
        broken(r, "no text \"%s\"", member);
    return -1;
}

static const char *const sides[] = {"client", "server", NULL};
static const char *const kinds[] = {"bytes", "messages", NULL};

static uint8_t *seen_of(struct reader *r, uint64_t conn)
{
    if (conn >= r->seen_n) {
        size_t n = (size_t)conn + 1 + r->seen_n / 2;
        uint8_t *more = realloc(r->seen, n);
        if (!more)
            return NULL;
        memset(more + r->seen_n, 0, n - r->seen_n);
        r->seen = more;
        r->seen_n = n;
    }
    return &r->seen[conn];
}

static int keep(struct reader *r, const struct record_event *e)
{
    struct record *to = r->to;
    if (to->count == to->cap) {
        size_t cap = to->cap ? to->cap * 2 : 64;
        struct record_event *more = realloc(to->event, cap * sizeof *more);
        if (!more)
            return no_memory(r);
        to->event = more;
        to->cap = cap;
    }
    to->event[to->count++] = *e;
    return -1;
}

static int take_open(struct reader *r, const json_t *o, uint64_t conn, uint8_t *seen)
{
    int client = word_of(r, o, "client", kinds), server = client < 0 ? -1 : word_of(r, o, "server", kinds);
    if (server < 0)
        return TOOL_USAGE;
    if (*seen)
        return broken(r, "connection %llu opens twice", (unsigned long long)conn);
    *seen = SEEN_OPEN;
    if (!r->wanted)
        r->wanted = conn;
    if (conn == r->wanted) {
        r->to->conn = conn;
        r->to->messages[0] = client;
        r->to->messages[1] = server;
    }
    return -1;
}

static int take_data(struct reader *r, const json_t *o, bool wanted, struct record_event *e)
{
    const json_t *hex = json_object_get(o, "hex"), *as = json_object_get(o, "as");
    static const char *const ways[] = {"text", "binary", NULL};
    size_t at = 0;
    dx_text *to = &r->to->bytes;
    int way = as ? word_of(r, o, "as", ways) : -1;
    if (as && way < 0)
        return TOOL_USAGE;
    if (!json_is_string(hex))
        return broken(r, "no text \"hex\"");
    e->how = way < 0 ? 0 : way ? DX_BINARY : DX_TEXT;
    e->at = to->n;
    int code = dx_unhex(json_string_value(hex), json_string_length(hex), to, &at);
    if (code == DX_NOMEM)
        return no_memory(r);
    if (code < 0)
        return broken(r, "\"hex\" does not read, from character %zu on", at + 1);
    e->n = to->n - e->at;
    if (!wanted)
        to->n = e->at;
    if (to->n > RECORD_BYTES_MAX) {
        broken(r, "connection %llu has more than 256 MiB", (unsigned long long)r->wanted);
        return TOOL_LIMIT;
    }
    return -1;
}

static int take_close(struct reader *r, const json_t *o, bool wanted, uint8_t *seen, struct record_event *e)
{
    const char *reason = json_string_value(json_object_get(o, "reason")),
               *by = json_string_value(json_object_get(o, "by"));
    if (!reason || !by)
        return broken(r, "no text \"reason\" or \"by\"");
    *seen |= SEEN_CLOSE;
    e->server = !strcmp(by, "server");
    if (wanted) {
        r->to->reset = strcmp(reason, "done") && strcmp(reason, "timeout");
        r->to->by_client = !strcmp(by, "client");
    }
    return -1;
}

static int take_event(struct reader *r, const json_t *o, const char *what, uint64_t conn, int64_t us)
{
    static const char *const names[] = {"open", "data", "end", "close"};
    struct record_event e = {.line = r->line, .us = us};
    uint8_t *seen = seen_of(r, conn);
    int side = 0, code;
    for (; (int)e.kind < 4 && strcmp(names[e.kind], what); e.kind++)
        ;
    if (!seen)
        return no_memory(r);
    if ((int)e.kind == 4)
        return broken(r, "no such event: \"%.40s\"", what);
    if (e.kind != RECORD_OPEN && (!*seen || *seen & SEEN_CLOSE))
        return broken(r, "connection %llu is not open", (unsigned long long)conn);
    if ((e.kind == RECORD_DATA || e.kind == RECORD_END) && (side = word_of(r, o, "from", sides)) < 0)
        return TOOL_USAGE;
    e.server = side == 1;
    if (*seen & (side ? SEEN_SERVER_END : SEEN_CLIENT_END) && (e.kind == RECORD_DATA || e.kind == RECORD_END))
        return broken(r, "the %s had said its end", sides[side]);
    if (e.kind == RECORD_END)
        *seen |= side ? SEEN_SERVER_END : SEEN_CLIENT_END;
    code = e.kind == RECORD_OPEN    ? take_open(r, o, conn, seen)
           : e.kind == RECORD_DATA  ? take_data(r, o, conn == r->wanted, &e)
           : e.kind == RECORD_CLOSE ? take_close(r, o, conn == r->wanted, seen, &e)
                                    : -1;
    return code >= 0 || conn != r->wanted ? code : keep(r, &e);
}

static int take_line(struct reader *r, const json_t *o)
{
    const json_t *version = json_object_get(o, "v"), *t = json_object_get(o, "t"), *conn = json_object_get(o, "conn");
    const char *what = json_string_value(json_object_get(o, "event"));
    if (!json_is_object(o))
        return broken(r, "no JSON object");
    if (r->line == 1 && (!json_is_integer(version) || !what || strcmp(what, "record")))
        return broken(r, "this is no record: its first line has no \"v\" and \"event\":\"record\"");
    if (r->line == 1 && json_integer_value(version) != RECORD_VERSION)
        return broken(r, "a record of version %lld; this duplex reads version %d",
                      (long long)json_integer_value(version), RECORD_VERSION);
    if (r->line == 1)
        return -1;
    if (!json_is_integer(t) || json_integer_value(t) < 0)
        return broken(r, "no number \"t\" of microseconds");
    if (json_integer_value(t) < r->us)
        return broken(r, "its time is before that of the line before");
    if (!json_is_integer(conn) || json_integer_value(conn) < 1 || json_integer_value(conn) > RECORD_CONNS_MAX)
        return broken(r, "no number \"conn\" from 1 to %d", RECORD_CONNS_MAX);
    if (!what)
        return broken(r, "no text \"event\"");
    r->us = json_integer_value(t);
    return take_event(r, o, what, (uint64_t)json_integer_value(conn), r->us);
}

/* The next line, its end included, or as much of it as is over the limit. 0: there is none; -1: no memory. */
static ssize_t next_line(FILE *f, char **line, size_t *cap)
{
    size_t n = 0;
    for (int c; n <= RECORD_LINE_MAX && (c = getc_unlocked(f)) != EOF;) {
        if (n == *cap) {
            char *more = realloc(*line, *cap ? *cap * 2 : 4096);
            if (!more)
                return -1;
            *line = more;
            *cap = *cap ? *cap * 2 : 4096;
        }
        (*line)[n++] = (char)c;
        if (c == '\n')
            break;
    }
    return (ssize_t)n;
}

static int read_lines(struct reader *r, FILE *f)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = 0;
    int code = -1;
    while (code < 0 && (n = next_line(f, &line, &cap)) > 0) {
        json_error_t at;
        r->line++;
        json_t *o = n > RECORD_LINE_MAX ? NULL : json_loadb(line, (size_t)n, JSON_REJECT_DUPLICATES, &at);
        if (o)
            code = take_line(r, o);
        else if (n > RECORD_LINE_MAX)
            code = broken(r, "a line of more than 64 MiB");
        else
            code = broken(r, "%.100s, at character %d%s", at.text, at.column,
                          line[n - 1] == '\n' ? "" : ": was the writer stopped here?");
        json_decref(o);
    }
    free(line);
    if (n < 0) {
        snprintf(r->why, r->why_n, "%s: no memory", r->name);
        return TOOL_LIMIT;
    }
    if (code < 0 && ferror(f)) {
        snprintf(r->why, r->why_n, "%s: %s", r->name, strerror(errno));
        return TOOL_LOCAL;
    }
    return code;
}

int record_read(FILE *f, const char *name, uint64_t conn, struct record *ret, char *why, size_t why_n)
{
    struct reader r = {.name = name, .wanted = conn, .to = ret, .why = why, .why_n = why_n};
    *ret = (struct record){0};
    int code = read_lines(&r, f);
    if (code < 0 && !ret->count) {
        code = TOOL_USAGE;
        if (r.line == 0)
            snprintf(why, why_n, "%s: it is empty", name);
        else if (conn)
            snprintf(why, why_n, "%s: there is no connection %llu in it", name, (unsigned long long)conn);
        else
            snprintf(why, why_n, "%s: there is no connection in it", name);
    }
    free(r.seen);
    if (code >= 0)
        record_free(ret);
    return code;
}

void record_free(struct record *r)
{
    free(r->event);
    dx_text_free(&r->bytes);
    *r = (struct record){0};
}
