/* SPDX-License-Identifier: MIT
 * fetch_try.c - one try of one URL: its request, and its response as it comes. How it ends is in fetch_over.c. */
#include "tool/exchange.h"
#include "tool/fetch_inside.h"
#include "tool/tool.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    REST_MS = 60, /* the beginning of a line is shown after so long without its end */
    TICK_MS = 100,
    LINES_MS = 10000,
    AFTER_MAX_S = 3600
};

/* ---- how far ---- */

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
    tell_progress(t, try_now_ms());
    dx_after(c, TICK_MS, tick);
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
        try_fail(t, TOOL_LOCAL, why->text);
}

static void send_body(struct fetching *t, dx_conn *c)
{
    static const dx_handler on = {.on_data = in_data, .on_end = in_end, .on_close = in_close};
    dx_err err = {0};
    char url[32];
    if (t->ask.fd < 0)
        return;
    if (t->ask.fd_size > 0 && dx_send_file(c, t->ask.fd, lseek(t->ask.fd, 0, SEEK_CUR), t->ask.fd_size, 0) < 0)
        try_fail(t, TOOL_LOCAL, strerror(errno));
    if (t->ask.fd_size >= 0) {
        dx_finish(c);
        return;
    }
    snprintf(url, sizeof url, "fd:%d", t->ask.fd);
    t->in = dx_connect(t->loop, url, &on, t, NULL, &err);
    if (!t->in)
        try_fail(t, TOOL_LOCAL, err.text);
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
    t->opened_ms = try_now_ms();
    if (t->verbose) {
        tool_say("connected to %s", dx_peer(c));
        trust_tell(c, "");
    }
}

/* A redirect that was to be followed, and could not be: where it leads does not read, or the body cannot be sent again. */
static bool is_dead_end(const struct fetching *t, const dx_conn *c)
{
    bool redirect = t->status == 301 || t->status == 302 || t->status == 303 || t->status == 307 || t->status == 308;
    return redirect && t->ask.opts.redirects_max > 0 && dx_http_header(c, "Location").n;
}

/* It says by itself that another time may do. */
static bool is_for_now(int status)
{
    return dx_again_helps(&(dx_err){.code = DX_PROTO, .detail_of = DX_OF_HTTP, .detail = status});
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
    progress_begin(&t->progress, *i.coding ? -1 : size, try_now_ms());
    t->shown_ms = try_now_ms();
    if (t->file.name && !t->quiet)
        dx_after(c, TICK_MS, tick);
}

static void take_head(struct fetching *t, dx_conn *c)
{
    int r = 0;
    t->words[0] = 0;
    t->head_ms = try_now_ms();
    t->status = dx_http_status(c);
    if (is_for_now(t->status) && try_may_again(t)) {
        t->again = true;
        t->after_ms = retry_after_ms(c);
        dx_abort(c);
        return;
    }
    if (t->verbose)
        exchange_tell(c, DX_HEAD, NULL);
    if (t->json)
        try_emit(t, emit_head(t, c));
    t->wrote |= t->json || (t->include && !t->file.name);
    if (!t->file.name || t->include)
        r = out_head(&t->out, c, t->include, t->words);
    t->stuck = is_dead_end(t, c);
    t->drops =
        t->file.name && (t->status >= FETCH_ERROR_FROM || t->status == FETCH_NOT_MODIFIED || t->head || t->stuck);
    if (r == 0 && t->file.name && (!t->drops || t->status == 416))
        r = file_head(&t->file, c, t->words);
    if (r)
        try_fail(t, r, t->words);
    else
        begin_progress(t, c);
}

static void wire_event(dx_conn *c, int what, const void *arg)
{
    struct fetching *t = dx_user(c);
    if (what == DX_STEP && t->verbose)
        tool_say("%s", (const char *)arg);
    else if ((what == DX_INFO || what == DX_TRAILERS) && t->verbose)
        exchange_tell(c, what, arg);
    else if (what == DX_HEAD)
        take_head(t, c);
}

static void show_rest_of(dx_conn *c)
{
    struct fetching *t = dx_user(c);
    t->rests = false;
    int r = out_rest(&t->out, t->words);
    if (r)
        try_fail(t, r, t->words);
}

static void wire_data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct fetching *t = dx_user(c);
    (void)how;
    t->got += (int64_t)n;
    if (t->drops)
        return;
    t->wrote |= !t->file.name;
    int r = t->file.name ? file_take(&t->file, p, n, t->words) : out_take(&t->out, p, n, t->words);
    if (r)
        try_fail(t, r, t->words);
    else if (!t->file.name && out_waits(&t->out) && !t->rests)
        t->rests = dx_after(c, REST_MS, show_rest_of) == 0;
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

/* ---- a try ---- */

static const dx_handler wire_on = {.on_open = wire_open,
                                   .on_data = wire_data,
                                   .on_end = wire_end,
                                   .on_writable = wire_writable,
                                   .on_event = wire_event,
                                   .on_close = try_closed};

static int begin(struct fetching *t)
{
    dx_err err = {0};
    t->file.any_part = t->ask.ranged;
    int r = t->file.name ? file_begin(&t->file, t->words) : 0;
    if (r) {
        tool_say("%s", t->words);
        return r;
    }
    int64_t from = t->file.name ? file_from(&t->file) : 0;
    ask_for(&t->ask, from, *t->file.since ? t->file.since : NULL);
    t->ask.opts.tls = t->trust.tls;
    if (t->verbose)
        tool_say("%s %.*s",
                 t->ask.opts.method   ? t->ask.opts.method
                 : t->ask.opts.body.n ? "POST"
                                      : "GET",
                 (int)strcspn(t->url, "#"), t->url);
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
    t->drops = t->ended = t->again = t->stuck = t->rests = false;
    t->began_ms = try_now_ms();
    t->code = begin(t);
    if (t->code && !t->wire)
        try_over(t);
}
