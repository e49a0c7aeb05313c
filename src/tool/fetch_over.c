/* SPDX-License-Identifier: MIT
 * fetch_over.c - how one try of `duplex fetch` ended: what is said of it, its exit code, and whether it is tried again. */
#include "tool/fetch_inside.h"
#include "tool/tool.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int64_t try_now_ms(void)
{
    return moment_now().steady_ms;
}

void fetch_clear_line(struct fetching *t)
{
    if (t->drawn && write(STDERR_FILENO, "\r\x1b[K", 4) < 0)
        t->redraws = false;
    t->drawn = false;
}

void try_say(struct fetching *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t->cause, sizeof t->cause, fmt, ap);
    va_end(ap);
    fetch_clear_line(t);
    tool_say("%s", t->cause);
}

/* The first cause is the cause. words "": there is nothing to say, but for want of memory. */
void try_fail(struct fetching *t, int code, const char *words)
{
    if (code == TOOL_LIMIT && !*words)
        words = "no memory";
    if (!t->code && *words)
        try_say(t, "%s", words);
    if (!t->code)
        t->code = code;
    if (t->wire)
        dx_abort(t->wire);
}

void try_emit(struct fetching *t, int r)
{
    if (r < 0 || out_write(t->out.events.out.p, t->out.events.out.n, t->words))
        try_fail(t, r < 0 ? TOOL_LIMIT : TOOL_LOCAL, t->words);
}

bool try_may_again(const struct fetching *t)
{
    return t->retry.on && !t->wrote && !t->sent && (!t->retry.tries_max || t->retry.again.tries < t->retry.tries_max) &&
           !tool_stopped();
}

static void say_saved(struct fetching *t)
{
    char words[PROGRESS_WORDS];
    fetch_clear_line(t);
    if (t->quiet)
        return;
    progress_total(&t->progress, t->got, try_now_ms(), words);
    tool_say("%.200s: %s", t->file.name, words);
}

static int finish_body(struct fetching *t)
{
    t->words[0] = 0;
    if (!t->file.name)
        return out_end(&t->out, t->words);
    if (t->drops && t->status == FETCH_NOT_MODIFIED && !t->quiet)
        tool_say("%.200s: it has not changed, says the server", t->file.name);
    if (t->drops)
        return 0;
    int r = file_keep(&t->file, t->words);
    if (r == 0)
        say_saved(t);
    return r;
}

/* The last line of what was cut short, which waited for its end. */
static void show_what_came(struct fetching *t)
{
    if (!t->file.name && t->wrote)
        out_end(&t->out, t->words);
}

static void say_refused(struct fetching *t, const char *url)
{
    const char *reason = dx_http_reason(t->status);
    bool asks = t->status == 401 && !t->ask.opts.login && !t->ask.opts.bearer;
    bool flows = t->ask.fd >= 0 && t->ask.fd_size < 0;
    try_say(t, "%.300s answers %d %s%s", url, t->status, strcmp(reason, "Status") ? reason : "",
            asks        ? ".  Try: --user NAME:PASSWORD, or --bearer TOKEN"
            : !t->stuck ? ""
            : flows ? ", and what came by a pipe cannot be sent again.  Try: --data-file FILE; -i shows where it leads"
                    : ", and that cannot be followed.  Try: --no-location -i to see where it leads");
    t->code = TOOL_HTTP;
}

static void words_for(const struct fetching *t, const char *url, const dx_err *why, char words[FETCH_WORDS])
{
    const char *text = why->text[0] ? why->text : dx_code_text(why->code);
    const dx_fetch_opts *o = &t->ask.opts;
    bool met = why->code == DX_TLS || why->code == DX_RESOLVE ||
               (why->code == DX_PROTO && why->detail_of == DX_OF_TLS) ||
               (why->code == DX_REFUSED && why->detail_of == DX_OF_ERRNO) || (why->code == DX_TIMEOUT && !t->opened_ms);
    if (why->code == DX_BIG && o->body_bytes_max && strstr(text, "over the limit"))
        snprintf(words, FETCH_WORDS, "%.300s: its body is over --max-size %" PRId64, url, o->body_bytes_max);
    else if (why->code == DX_TIMEOUT && o->total_ms_max && try_now_ms() - t->began_ms >= o->total_ms_max)
        snprintf(words, FETCH_WORDS, "%.300s was not over in time.  Try: --within with more", url);
    else if (why->code == DX_TIMEOUT && o->idle_ms_max && t->opened_ms)
        snprintf(words, FETCH_WORDS, "%.300s: nothing moved for too long.  Try: --idle with more", url);
    else if (why->code == DX_LIMIT && why->detail_of == DX_OF_HTTP)
        snprintf(words, FETCH_WORDS, "%s.  Try: --redirects with more, or --no-location to see where it leads", text);
    else if (tool_words_of_proxy(url, why, words, FETCH_WORDS))
        return;
    else if (met)
        tool_words("fetch", url, why, words, FETCH_WORDS);
    else
        snprintf(words, FETCH_WORDS, "%s", text);
}

static int exit_of(const dx_err *why)
{
    return why->code == DX_LIMIT && why->detail_of == DX_OF_HTTP ? TOOL_REDIRECTS : tool_exit_of(why);
}

void fetch_say_rest(struct fetching *t)
{
    char words[PROGRESS_WORDS];
    if (!t->file.name || t->file.part.kept)
        return;
    int64_t n = t->file.part.fd >= 0 ? lseek(t->file.part.fd, 0, SEEK_END) : 0;
    progress_bytes((double)n, words);
    if (part_leave(&t->file.part) && t->code != TOOL_RANGE)
        tool_say("what came, %s, is in %.300s.  Try: --continue", words, t->file.part.name);
}

void try_over(struct fetching *t)
{
    fetch_clear_line(t);
    fetch_say_rest(t);
    part_leave(&t->file.part);
    if (t->json)
        try_emit(t, events_close(&t->out.events, moment_now(), NULL, t->code, tool_exit_name(t->code),
                                 t->code ? t->cause : ""));
    if (!t->worst)
        t->worst = t->code;
    fetch_next(t);
}

static bool wait_and_try(struct fetching *t, const char *words)
{
    if (!try_may_again(t))
        return false;
    int64_t ms = retry_wait_ms(&t->retry);
    if (ms < 0)
        return false;
    ms = t->after_ms > ms ? t->after_ms : ms;
    fetch_clear_line(t);
    if (!t->quiet)
        tool_say("%.300s: again in %.1f s", words, (double)ms / 1000);
    t->code = 0;
    return dx_loop_after(t->loop, ms, fetch_try, t) >= 0;
}

static void say_all(struct fetching *t, const dx_conn *c, const char *url, int64_t coded)
{
    t->code = finish_body(t);
    if (t->code && *t->words)
        try_say(t, "%s", t->words);
    if (!t->code && t->json)
        try_emit(t, events_body(&t->out.events, moment_now(), c, t->got, coded, try_now_ms() - t->began_ms,
                                t->drops ? NULL : t->file.name));
    if (!t->code && (t->status >= FETCH_ERROR_FROM || t->stuck))
        say_refused(t, url);
}

static void say_broken(struct fetching *t, const char *url, const dx_err *why)
{
    int code = exit_of(why);
    show_what_came(t);
    words_for(t, url, why, t->words);
    try_say(t, "%s", t->words);
    t->code = code ? code : TOOL_UNSENT;
}

void try_closed(dx_conn *c, const dx_err *why)
{
    struct fetching *t = dx_user(c);
    dx_fetch_info i = {.url = t->url};
    char url[400], words[100];
    bool fine = t->ended; /* whatever has become of the rest of the request */
    dx_fetch_info_of(c, &i);
    snprintf(url, sizeof url, "%.*s", (int)strcspn(i.url, "#"), i.url);
    snprintf(words, sizeof words, "it answers %d", t->status);
    t->wire = NULL;
    if (t->in)
        dx_abort(t->in);
    if (t->again && wait_and_try(t, words))
        return;
    if (t->again)
        say_refused(t, url);
    else if (t->code || tool_stopped())
        ; /* that has been said */
    else if (fine)
        say_all(t, c, url, i.body_bytes);
    else if (dx_again_helps(why) && wait_and_try(t, why->text))
        return;
    else
        say_broken(t, url, why);
    try_over(t);
}
