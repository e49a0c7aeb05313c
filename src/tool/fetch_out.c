/* SPDX-License-Identifier: MIT
 * fetch_out.c - `duplex fetch` to stdout: exact bytes to a pipe or a file; to a terminal text that it obeys none of, in the coding the
 * server names or else the one it looks like; with --json an event for each piece. */
#include "tool/fetch_inside.h"
#include "tool/tool.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int out_write(const void *data, size_t n, char words[FETCH_WORDS])
{
    const char *p = data;
    words[0] = 0;
    while (n > 0) {
        ssize_t put = write(STDOUT_FILENO, p, n);
        if (put < 0 && errno == EAGAIN) { /* somebody else's end of it does not block */
            poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (put < 0 && errno == EINTR && !tool_stopped())
            continue;
        if (put < 0) {
            if (errno != EPIPE && errno != EINTR) /* a reader that has enough, as in "| head", needs no words */
                snprintf(words, FETCH_WORDS, "standard output: %s", standard_fault(STDOUT_FILENO, errno));
            return TOOL_LOCAL;
        }
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

/* ---- in which coding ---- */

/* The charset of Content-Type, as its field has it; false: none, or too long to be one. */
static bool charset_of(const dx_conn *c, char *name, size_t room)
{
    char text[256];
    dx_bytes v = dx_http_header(c, "Content-Type");
    if (!v.p || v.n >= sizeof text)
        return false;
    memcpy(text, v.p, v.n);
    text[v.n] = 0;
    const char *p = strcasestr(text, "charset=");
    p = p ? p + 8 + (p[8] == '"') : "";
    size_t n = strcspn(p, "\"; \t");
    if (n == 0 || n >= room)
        return false;
    memcpy(name, p, n);
    name[n] = 0;
    return true;
}

static int begin_to_show(struct fetch_out *s, const char *coding, bool exact, char words[FETCH_WORDS])
{
    dx_err err;
    int r = show_init(&s->show, coding, &err);
    s->shows = r == 0;
    s->show.exact = exact;
    if (r < 0)
        snprintf(words, FETCH_WORDS, "%s", err.text);
    return r == DX_NOMEM ? TOOL_LIMIT : r < 0 ? TOOL_USAGE : 0;
}

static int choose(struct fetch_out *s, const dx_conn *c, char words[FETCH_WORDS])
{
    char name[64];
    if (s->coding)
        return begin_to_show(s, s->coding, !s->terminal, words);
    if (!s->terminal)
        return 0;
    if (charset_of(c, name, sizeof name) && begin_to_show(s, name, false, words) == 0)
        return 0;
    return begin_to_show(s, "auto", false, words); /* none is named, or one that nobody knows */
}

/* ---- the head ---- */

static int write_head(const struct fetch_out *s, const dx_conn *c, char words[FETCH_WORDS])
{
    dx_text t = {0}, safe = {0};
    dx_bytes name, value;
    char line[80];
    int version = dx_http_version(c), status = dx_http_status(c);
    const char *end = s->terminal ? "\n" : "\r\n";
    int r = dx_text_add(&t, line,
                        (size_t)snprintf(line, sizeof line, "HTTP/%d.%d %d %s%s", version / 10, version % 10, status,
                                         dx_http_reason(status), end));
    for (size_t i = 0; r >= 0 && (value = dx_http_header_at(c, i, &name)).p; i++) {
        dx_text_clear(&safe);
        if (dx_text_add(&safe, name.p, name.n) < 0 || dx_text_add(&safe, ": ", 2) < 0 ||
            (value.n && dx_text_add(&safe, value.p, value.n) < 0))
            r = DX_NOMEM;
        else if (s->terminal)
            r = dx_visible(safe.p, safe.n, NULL, &t);
        else
            r = dx_text_add(&t, safe.p, safe.n);
        if (r >= 0)
            r = dx_text_add(&t, end, strlen(end));
    }
    if (r >= 0)
        r = dx_text_add(&t, end, strlen(end));
    r = r < 0 ? TOOL_LIMIT : out_write(t.p, t.n, words);
    dx_text_free(&t);
    dx_text_free(&safe);
    return r;
}

int out_head(struct fetch_out *s, const dx_conn *c, bool include, char words[FETCH_WORDS])
{
    s->begun = s->open = false;
    if (s->json)
        return 0;
    if (s->shows)
        show_free(&s->show);
    s->shows = false;
    int r = choose(s, c, words);
    return r == 0 && include ? write_head(s, c, words) : r;
}

/* ---- the body ---- */

/* A terminal shows text: what has a NUL in its beginning is none, unless a coding with NULs is named. */
static bool is_no_text(const struct fetch_out *s, const void *p, size_t n)
{
    const char *coding = s->show.decoder ? dx_decoder_coding(s->show.decoder) : "";
    return s->terminal && !s->begun && !strcasestr(coding, "utf-16") && !strcasestr(coding, "utf-32") &&
           memchr(p, 0, n);
}

static int put_shown(struct fetch_out *s, char words[FETCH_WORDS])
{
    const dx_text *t = &s->show.out;
    if (t->n)
        s->open = t->p[t->n - 1] != '\n';
    return out_write(t->p, t->n, words);
}

int out_take(struct fetch_out *s, const void *p, size_t n, char words[FETCH_WORDS])
{
    words[0] = 0;
    if (s->json)
        return events_data(&s->events, moment_now(), VIEW_IN, (dx_bytes){p, n}, false) < 0
                   ? TOOL_LIMIT
                   : out_write(s->events.out.p, s->events.out.n, words);
    if (!s->shows)
        return out_write(p, n, words);
    if (is_no_text(s, p, n)) {
        snprintf(words, FETCH_WORDS, "what comes is no text, and a terminal cannot show it.  Try: -o FILE, or | less");
        return TOOL_LOCAL;
    }
    s->begun = true;
    if (show_data(&s->show, p, n, false) < 0)
        return TOOL_LIMIT;
    return put_shown(s, words);
}

int out_rest(struct fetch_out *s, char words[FETCH_WORDS])
{
    words[0] = 0;
    return show_rest(&s->show) < 0 ? TOOL_LIMIT : put_shown(s, words);
}

int out_end(struct fetch_out *s, char words[FETCH_WORDS])
{
    words[0] = 0;
    if (!s->shows)
        return 0;
    s->show.ended = true;
    int r = out_rest(s, words);
    return s->terminal && s->open && r == 0 ? out_write("\n", 1, words) : r;
}

void out_free(struct fetch_out *s)
{
    if (s->shows)
        show_free(&s->show);
    s->shows = false;
    events_free(&s->events);
}
