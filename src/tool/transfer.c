/* SPDX-License-Identifier: MIT */
#include "tool/transfer.h"
#include "tool/stamp.h"
#include "tool/tool.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    TICK_MS = 100,
    LINES_MS = 10000,   /* between lines where stderr is no terminal          */
    GOODBYE_MS = 2000,  /* after Ctrl-C                                       */
    QUEUE_MAX = 4 << 20 /* a read of a pipe always fits into its upper half   */
};

/* Not the loop's: putting a file on the disk takes longer than a turn. */
static int64_t now_ms(void)
{
    return moment_now().steady_ms;
}

/* ---- how far ---- */

static void clear_line(struct transfer *t)
{
    if (t->drawn && write(STDERR_FILENO, "\r\x1b[K", 4) < 0)
        t->redraws = false; /* nobody looks any more */
    t->drawn = false;
}

static void draw(struct transfer *t)
{
    char words[PROGRESS_WORDS], line[PROGRESS_WORDS + 8];
    progress_words(&t->progress, words);
    int n = snprintf(line, sizeof line, "\r%s\x1b[K", words);
    t->drawn = write(STDERR_FILENO, line, (size_t)n) == n;
}

static void tell_progress(struct transfer *t, int64_t now)
{
    char words[PROGRESS_WORDS];
    progress_note(&t->progress, t->moved(t), now);
    if (t->redraws) {
        draw(t);
    } else if (!t->quiet && now - t->shown_ms >= LINES_MS) {
        t->shown_ms = now;
        progress_words(&t->progress, words);
        tool_say("%.200s: %s", t->file, words);
    }
}

static void tick(void *arg)
{
    struct transfer *t = arg;
    t->timer = dx_loop_after(t->loop, TICK_MS, tick, t);
    if (!t->wire)
        return;
    tell_progress(t, now_ms());
    if (t->ticks)
        t->ticks(t);
}

/* ---- the conn ---- */

bool transfer_join(struct transfer *t, dx_conn *c)
{
    if (t->joined) {
        dx_abort(c); /* came in the same turn as the first */
        return false;
    }
    t->joined = true;
    t->wire = c;
    if (t->listens && *dx_peer(c)) /* when it is gone it has no address any more */
        snprintf(t->peer, sizeof t->peer, "%s", dx_peer(c));
    else
        snprintf(t->peer, sizeof t->peer, "%.250s", t->url);
    if (t->listener)
        dx_listener_drain(t->listener, 0);
    t->listener = NULL;
    trust_rest(&t->trust);
    if (t->verbose) {
        tool_say("connected to %s", dx_peer(c));
        trust_tell(c, "");
    }
    int64_t now = now_ms();
    progress_begin(&t->progress, t->size, now);
    t->shown_ms = now;
    t->timer = dx_loop_after(t->loop, TICK_MS, tick, t);
    return true;
}

void transfer_fail(struct transfer *t, int code, const char *fmt, ...)
{
    char words[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    clear_line(t);
    if (!t->code)
        tool_say("%s", words);
    if (!t->code)
        t->code = code;
    if (t->wire)
        dx_abort(t->wire);
}

void transfer_done(struct transfer *t)
{
    t->done = true;
    if (t->wire)
        dx_close(t->wire);
}

static void say_total(struct transfer *t)
{
    char words[PROGRESS_WORDS];
    clear_line(t);
    if (t->quiet)
        return;
    progress_total(&t->progress, t->moved(t), now_ms(), words);
    tool_say("%.200s: %s", t->file, words);
}

static int dial_failed(struct transfer *t, const dx_err *why)
{
    bool nobody = tool_exit_of(why) == TOOL_REFUSED && (why->detail == ECONNREFUSED || why->detail == ENOENT);
    if (!nobody)
        return tool_fail("dial", t->url, why);
    bool sends = !strcmp(t->doing, "send");
    tool_say("nobody %s at %.200s (%s).  Try there first: duplex %s%.200s%s", sends ? "waits for it" : "offers it",
             t->url, why->detail == ENOENT ? "no such socket" : "connection refused",
             sends ? "recv " : "send --listen FILE ", t->url, sends ? " FILE" : "");
    return TOOL_REFUSED;
}

bool transfer_closed(struct transfer *t, dx_conn *c, const dx_err *why)
{
    if (t->joined ? c != t->wire : t->listens)
        return false;
    int code = tool_exit_of(why);
    t->wire = NULL;
    if (t->done && !code && !t->code)
        say_total(t);
    clear_line(t);
    if (!t->code && !t->joined)
        t->code = dial_failed(t, why);
    else if (!t->code && code)
        t->code = tool_fail(t->doing, t->peer, why);
    else if (!t->code && !t->done)
        transfer_fail(t, TOOL_UNSENT, "%.200s ended before all was there", t->peer);
    tool_end();
    return true;
}

/* ---- beginning and end ---- */

static int check_scheme(const char *doing, const char *url)
{
    static const struct {
        const char *scheme, *why;
    } not_for_files[] = {
        {"udp", "datagrams may be lost and have no end"},
        {"unixgram", "datagrams have no end"},
        {"any", "a file may look like any wire"},
        {"http", "HTTP is no raw wire"},
        {"https", "HTTP is no raw wire"},
    };
    size_t n = strcspn(url, ":");
    for (size_t i = 0; i < sizeof not_for_files / sizeof *not_for_files; i++)
        if (strlen(not_for_files[i].scheme) == n && !strncasecmp(not_for_files[i].scheme, url, n)) {
            tool_say("%s does not go by %.*s: %s.  Try: tcp, unix, tls, ws or wss", doing, (int)n, url,
                     not_for_files[i].why);
            return TOOL_USAGE;
        }
    return -1;
}

static int check_role(const struct options *o, bool listens)
{
    static const char *const of_dialling[] = {"pin", "ca", "insecure", "timeout", NULL}, *const of_listening[] = {
                                                                                             "client-ca", NULL};
    for (const char *const *name = listens ? of_dialling : of_listening; *name; name++)
        if (option_has(o, *name)) {
            tool_say("--%s is for who %s, and this side %s", *name, listens ? "dials" : "listens",
                     listens ? "listens" : "dials");
            return TOOL_USAGE;
        }
    return -1;
}

int transfer_read(struct transfer *t, struct options *o, const char *url, const char *file, bool listens)
{
    const char *doing = o->command->name;
    *t = (struct transfer){.doing = doing, .url = url, .file = file, .listens = listens, .size = -1};
    if (!strstr(url, ":") && strstr(file, "://")) {
        bool sends = !strcmp(doing, "send");
        tool_say("which is the URL?  Did you mean: duplex %s %.200s %.200s", doing, sends ? url : file,
                 sends ? file : url);
        return TOOL_USAGE;
    }
    int r = check_scheme(doing, url);
    if (r < 0)
        r = check_role(o, listens);
    o->args[0] = url;
    o->arg_count = 1;
    if (r >= 0 || (r = trust_read(&t->trust, o, url, NULL)) >= 0)
        return r;
    t->quiet = option_has(o, "quiet");
    t->verbose = option_has(o, "verbose");
    t->redraws = !t->quiet && isatty(STDERR_FILENO);
    t->opts = (dx_opts){.dial_ms_max = option_number(o, "timeout", 0),
                        .idle_ms_max = option_number(o, "idle", 0),
                        .queue_bytes_max = QUEUE_MAX,
                        .tls = t->trust.tls};
    return -1;
}

static void say_words(void *arg, const char *words)
{
    (void)arg;
    tool_say("%s", words);
}

/* 0, or the exit code. */
static int begin(struct transfer *t, const dx_handler *on)
{
    dx_err err = {0};
    if (!t->listens)
        return dx_connect(t->loop, t->url, on, t, &t->opts, &err) ? 0 : tool_fail("dial", t->url, &err);
    t->listener = dx_serve(t->loop, t->url, on, t, &t->opts, &err);
    if (!t->listener)
        return tool_fail("listen", t->url, &err);
    trust_keep(&t->trust, t->loop, say_words, NULL);
    if (t->verbose)
        faults_watch(&t->faults, t->listener);
    for (int i = 0; dx_listener_url(t->listener, i); i++)
        fprintf(stderr, "listening %s\n", dx_listener_url(t->listener, i));
    fflush(stderr);
    return 0;
}

static void give_up(void *arg)
{
    dx_loop_stop(arg);
}

/* A part must not look like the whole: no orderly end. */
static void interrupted(struct transfer *t, int signal)
{
    clear_line(t);
    if (!t->code)
        t->code = 128 + signal;
    if (t->listener)
        dx_listener_drain(t->listener, 0);
    t->listener = NULL;
    trust_rest(&t->trust);
    if (!t->wire)
        return;
    dx_abort(t->wire);
    dx_loop_after(t->loop, GOODBYE_MS, give_up, t->loop);
    dx_loop_run(t->loop);
}

int transfer_run(struct transfer *t, const dx_handler *on)
{
    dx_err err = {0};
    t->loop = dx_loop_new(&err);
    if (!t->loop)
        return tool_fail(t->doing, t->url, &err);
    tool_signals(t->loop);
    t->code = begin(t, on);
    int r = t->code ? 0 : tool_run(), signal = tool_stopped();
    if (signal && !t->done)
        interrupted(t, signal);
    tool_loop_free(t->loop); /* what is left hears its on_close: the command's own ends, too */
    t->loop = NULL;
    faults_rest(&t->faults);
    trust_free(&t->trust);
    return r < 0 && !t->code ? TOOL_FAILED : t->code;
}
