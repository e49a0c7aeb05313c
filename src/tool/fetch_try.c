/* SPDX-License-Identifier: MIT
 * fetch_try.c - one try of one URL: from the request to the end of its response, and whether another try may help. */
#include "tool/exchange.h"
#include "tool/fetch_inside.h"
#include "tool/tool.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 100, LINES_MS = 10000, ERROR_FROM = 400, AFTER_MAX_S = 3600 };

static int64_t now_ms(void)
{
    return moment_now().steady_ms;
}

/* ---- how far ---- */

void fetch_clear_line(struct fetching *t)
{
    if (t->drawn && write(STDERR_FILENO, "\r\x1b[K", 4) < 0)
        t->redraws = false;
    t->drawn = false;
}

static const char *file_name(const struct fetching *t)
{
    return t->file.name ? t->file.name : t->url;
}

static void tell_progress(struct fetching *t, int64_t now)
{
    char words[PROGRESS_WORDS], line[PROGRESS_WORDS + 8];
    progress_note(&t->progress, t->got, now);
    progress_words(&t->progress, words);
    if (t->redraws) {
        int n = snprintf(line, sizeof line, "\r%s\x1b[K", words);
        t->drawn = write(STDERR_FILENO, line, (size_t)n) == n;
    } else if (now - t->shown_ms >= LINES_MS) {
        t->shown_ms = now;
        tool_say("%.200s: %s", file_name(t), words);
    }
}

static void tick(dx_conn *c)
{
    struct fetching *t = dx_user(c);
    tell_progress(t, now_ms());
    dx_after(c, TICK_MS, tick);
}

/* ---- what went wrong ---- */

/* Said on stderr, and in the last event. */
static void say(struct fetching *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct fetching *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t->cause, sizeof t->cause, fmt, ap);
    va_end(ap);
    fetch_clear_line(t);
    tool_say("%s", t->cause);
}

/* The first cause is the cause. words "": there is nothing to say. */
static void fail(struct fetching *t, int code, const char *words)
{
    if (!t->code && words && *words)
        say(t, "%s", words);
    if (!t->code)
        t->code = code;
    if (t->wire)
        dx_abort(t->wire);
}

static void say_emit(struct fetching *t, int r)
{
    if (r < 0 || out_write(t->out.events.out.p, t->out.events.out.n, t->words))
        fail(t, r < 0 ? TOOL_LIMIT : TOOL_LOCAL, t->words);
}

/* ---- stdin, as a body that flows ---- */

static void in_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct fetching *t = dx_user(c);
    (void)how;
    t->sent = true;
    if (t->wire && dx_send(t->wire, p, n, 0) > 0)
        dx_pause(c, true);
}

static void in_end(dx_conn *c)
{
    struct fetching *t = dx_user(c);
    t->sent = true;
    if (t->wire)
        dx_finish(t->wire);
    dx_close(c);
}

static void in_close(dx_conn *c, const dx_err *why)
{
    struct fetching *t = dx_user(c);
    t->in = NULL;
    if (why->code != DX_END && why->code != DX_CLOSED)
        fail(t, TOOL_LOCAL, why->text);
}

static void send_body(struct fetching *t, dx_conn *c)
{
    static const dx_handler on = {.on_data = in_data, .on_end = in_end, .on_close = in_close};
    dx_err err = {0};
    char url[32];
    if (t->ask.fd < 0)
        return;
    if (t->ask.fd_size > 0 && dx_send_file(c, t->ask.fd, lseek(t->ask.fd, 0, SEEK_CUR), t->ask.fd_size, 0) < 0)
        fail(t, TOOL_LOCAL, strerror(errno));
    if (t->ask.fd_size >= 0) {
        dx_finish(c);
        return;
    }
    snprintf(url, sizeof url, "fd:%d", t->ask.fd);
    t->in = dx_connect(t->loop, url, &on, t, NULL, &err);
    if (!t->in)
        fail(t, TOOL_LOCAL, err.text);
}

static void wire_writable(dx_conn *c)
{
    const struct fetching *t = dx_user(c);
    if (t->in)
        dx_pause(t->in, false);
}

/* ---- the response ---- */

static void wire_open(dx_conn *c)
{
    struct fetching *t = dx_user(c);
    t->opened_ms = now_ms();
    if (t->verbose) {
        tool_say("connected to %s", dx_peer(c));
        trust_tell(c, "");
    }
}

static bool may_try_again(const struct fetching *t)
{
    return t->retry.on && !t->wrote && !t->sent && (!t->retry.tries_max || t->retry.again.tries < t->retry.tries_max) &&
           !tool_stopped();
}

/* It says by itself that another time may do. */
static bool is_for_now(int status)
{
    return status == 408 || status == 429 || status == 502 || status == 503 || status == 504;
}

static int64_t retry_after_ms(const dx_conn *c)
{
    dx_bytes v = dx_http_header(c, "Retry-After");
    int64_t s = 0;
    for (size_t i = 0; i < v.n; i++) {
        char d = ((const char *)v.p)[i];
        if (d < '0' || d > '9')
            return -1; /* a date: our own time will do */
        s = s < AFTER_MAX_S ? s * 10 + (d - '0') : s;
    }
    return v.n ? (s < AFTER_MAX_S ? s : AFTER_MAX_S) * 1000 : -1;
}

static int emit_head(struct fetching *t, const dx_conn *c)
{
    dx_fetch_info i = {0};
    struct event_head h = {.opened_ms = t->opened_ms - t->began_ms, .head_ms = t->head_ms - t->began_ms};
    dx_fetch_info_of(c, &i);
    h.url = i.url;
    h.coding = i.coding;
    h.redirects = i.redirects;
    h.reused = i.reused;
    return events_head(&t->out.events, moment_now(), c, &h);
}

static void begin_progress(struct fetching *t, dx_conn *c)
{
    dx_fetch_info i = {.coding = ""};
    int64_t size = dx_http_length(c);
    dx_fetch_info_of(c, &i);
    progress_begin(&t->progress, *i.coding ? -1 : size, now_ms());
    t->shown_ms = now_ms();
    if (t->file.name && !t->quiet)
        dx_after(c, TICK_MS, tick);
}

static void take_head(struct fetching *t, dx_conn *c)
{
    int r = 0;
    t->words[0] = 0;
    t->head_ms = now_ms();
    t->status = dx_http_status(c);
    if (is_for_now(t->status) && may_try_again(t)) {
        t->again = true;
        t->after_ms = retry_after_ms(c);
        dx_abort(c);
        return;
    }
    if (t->verbose)
        exchange_tell(c, DX_HEAD, NULL);
    if (t->json)
        say_emit(t, emit_head(t, c));
    t->wrote |= t->json || (t->include && !t->file.name);
    if (!t->file.name || t->include)
        r = out_head(&t->out, c, t->include, t->words);
    if (r == 0 && t->file.name && t->status < ERROR_FROM && !t->head)
        r = file_head(&t->file, c, t->words);
    else if (r == 0 && t->file.name && t->status == 416)
        r = file_head(&t->file, c, t->words);
    t->drops = t->file.name && (t->status >= ERROR_FROM || t->head);
    if (r)
        fail(t, r, t->words);
    else
        begin_progress(t, c);
}

static void wire_event(dx_conn *c, int what, const void *arg)
{
    struct fetching *t = dx_user(c);
    if (what == DX_STEP && t->verbose)
        tool_say("%s", (const char *)arg);
    else if (what == DX_INFO && t->verbose)
        exchange_tell(c, what, arg);
    else if (what == DX_HEAD)
        take_head(t, c);
}

static void wire_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct fetching *t = dx_user(c);
    (void)how;
    (void)c;
    t->got += (int64_t)n;
    if (t->drops)
        return;
    t->wrote |= !t->file.name;
    int r = t->file.name ? file_take(&t->file, p, n, t->words) : out_take(&t->out, p, n, t->words);
    if (r)
        fail(t, r, t->words);
}

static void wire_end(dx_conn *c)
{
    struct fetching *t = dx_user(c);
    t->ended = true;
    if (!t->in)
        return;
    dx_abort(t->in); /* it has answered without the rest */
    dx_close(c);
}

/* ---- the end of one try ---- */

static void say_saved(struct fetching *t)
{
    char words[PROGRESS_WORDS];
    fetch_clear_line(t);
    if (t->quiet)
        return;
    progress_total(&t->progress, t->got, now_ms(), words);
    tool_say("%.200s: %s", t->file.name, words);
}

static int finish_body(struct fetching *t)
{
    t->words[0] = 0;
    if (!t->file.name)
        return out_end(&t->out, t->words);
    if (t->drops)
        return 0;
    int r = file_keep(&t->file, t->words);
    if (r == 0)
        say_saved(t);
    return r;
}

static void say_refused(struct fetching *t, const char *url)
{
    const char *reason = dx_http_reason(t->status);
    say(t, "%.300s answers %d %s", url, t->status, strcmp(reason, "Status") ? reason : "");
    t->code = TOOL_HTTP;
}

/* Words for what no other command meets. */
static void words_for(const struct fetching *t, const char *url, const dx_err *why, char words[FETCH_WORDS])
{
    const char *text = why->text[0] ? why->text : dx_code_text(why->code);
    const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url;
    const dx_fetch_opts *o = &t->ask.opts;
    bool nobody = why->code == DX_REFUSED && why->detail_of == DX_OF_ERRNO;
    if (why->code == DX_BIG && o->body_bytes_max && strstr(text, "over the limit"))
        snprintf(words, FETCH_WORDS, "%.300s: its body is over --max-size %" PRId64, url, o->body_bytes_max);
    else if (why->code == DX_TIMEOUT && o->total_ms_max && now_ms() - t->began_ms >= o->total_ms_max)
        snprintf(words, FETCH_WORDS, "%.300s was not over in time.  Try: --within with more", url);
    else if (tool_words_of_proxy(url, why, words, FETCH_WORDS))
        return;
    else if (nobody)
        snprintf(words, FETCH_WORDS,
                 "nobody listens on %.*s (connection refused).  Is the server there, and the port right?",
                 (int)strcspn(host, "/?#"), host);
    else if (why->code == DX_LIMIT && why->detail_of == DX_OF_HTTP)
        snprintf(words, FETCH_WORDS, "%s.  Try: --redirects with more, or --no-location to see where it leads", text);
    else if (why->code == DX_PROTO && why->detail_of == DX_OF_TLS)
        tool_words("fetch", url, why, words, FETCH_WORDS);
    else if (why->code == DX_TLS || why->code == DX_RESOLVE || (why->code == DX_TIMEOUT && !t->opened_ms))
        tool_words("dial", url, why, words, FETCH_WORDS);
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

static void over(struct fetching *t)
{
    fetch_clear_line(t);
    fetch_say_rest(t);
    part_leave(&t->file.part);
    if (t->json)
        say_emit(t, events_close(&t->out.events, moment_now(), NULL, t->code, tool_exit_name(t->code),
                                 t->code ? t->cause : ""));
    if (!t->worst)
        t->worst = t->code;
    fetch_next(t);
}

static bool wait_and_try(struct fetching *t, const char *words)
{
    if (!may_try_again(t))
        return false;
    int64_t ms = retry_wait_ms(&t->retry);
    if (ms < 0)
        return false;
    ms = t->after_ms > ms ? t->after_ms : ms;
    fetch_clear_line(t);
    if (!t->quiet)
        tool_say("%.300s: again in %.1f s", words, (double)ms / 1000);
    t->code = 0;
    if (dx_loop_after(t->loop, ms, fetch_try, t) < 0)
        return false;
    return true;
}

static void wire_close(dx_conn *c, const dx_err *why)
{
    struct fetching *t = dx_user(c);
    dx_fetch_info i = {.url = t->url};
    char url[400], words[100];
    dx_fetch_info_of(c, &i);
    snprintf(url, sizeof url, "%.*s", (int)strcspn(i.url, "#"), i.url);
    t->wire = NULL;
    if (t->in)
        dx_abort(t->in);
    if (t->again) {
        snprintf(words, sizeof words, "it answers %d", t->status);
        if (!tool_stopped() && wait_and_try(t, words))
            return;
        say_refused(t, url);
    } else if (!t->code && !tool_stopped()) {
        bool fine = t->ended && (why->code == DX_END || why->code == DX_CLOSED);
        if (fine)
            t->code = finish_body(t);
        if (fine && t->code && *t->words)
            say(t, "%s", t->words);
        if (fine && !t->code && t->json)
            say_emit(t, events_body(&t->out.events, moment_now(), t->got, i.body_bytes, now_ms() - t->began_ms,
                                    t->drops ? NULL : t->file.name));
        if (fine && !t->code && t->status >= ERROR_FROM)
            say_refused(t, url);
        if (!fine && dx_again_helps(why) && wait_and_try(t, why->text))
            return;
        if (!fine) {
            words_for(t, url, why, t->words);
            say(t, "%s", t->words);
            t->code = exit_of(why);
            t->code = t->code ? t->code : TOOL_UNSENT;
        }
    }
    over(t);
}

/* ---- a try ---- */

static const dx_handler wire_on = {.on_open = wire_open,
                                   .on_data = wire_data,
                                   .on_end = wire_end,
                                   .on_writable = wire_writable,
                                   .on_event = wire_event,
                                   .on_close = wire_close};

static int begin(struct fetching *t)
{
    dx_err err = {0};
    int r = t->file.name ? file_begin(&t->file, t->words) : 0;
    if (r) {
        tool_say("%s", t->words);
        return r;
    }
    int64_t from = t->file.name ? file_from(&t->file) : 0;
    ask_for(&t->ask, from, *t->file.since ? t->file.since : NULL);
    t->ask.opts.tls = t->trust.tls;
    t->wire = dx_fetch(t->loop, t->url, &wire_on, t, &t->ask.opts, &err);
    if (!t->wire)
        return tool_fail("fetch", t->url, &err);
    send_body(t, t->wire);
    return 0;
}

void fetch_try(void *arg)
{
    struct fetching *t = arg;
    t->got = t->opened_ms = t->head_ms = 0;
    t->after_ms = -1;
    t->status = 0;
    t->drops = t->ended = t->again = false;
    t->began_ms = now_ms();
    t->code = begin(t);
    if (t->code && !t->wire)
        over(t);
}
