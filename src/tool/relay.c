/* SPDX-License-Identifier: MIT
 * relay.c - duplex relay: each connection that comes is joined (dx_relay) to one that is dialled (relay_link.c). Here is the command: its
 * options, its listener, its end. */
#include "tool/relay_inside.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <duplex/http.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    DRAIN_MS = 2000,
    END_MS = 4500,
    FDS_OWN = 64,
    FDS_EACH = 4,
    FEW = 16, /* clients at a time: worth a word */
    CLIENTS_MAX = 10000,
};

void relay_accept_no_more(struct relay *r, int64_t ms)
{
    if (r->listener)
        dx_listener_drain(r->listener, ms);
    r->listener = NULL;
    rests_stop(&r->rests);
    trust_rest(&r->trust);
    for (int i = 0; i < r->targets.count; i++)
        trust_rest(&r->targets.row[i].trust);
}

static void say(void *arg, const char *words)
{
    (void)arg;
    tool_say("%s", words);
}

static void reload(void *arg)
{
    struct relay *r = arg;
    trust_reload(&r->trust);
    for (int i = 0; i < r->targets.count; i++)
        trust_reload(&r->targets.row[i].trust);
}

/* Two descriptors a link, three with a child, and pipes; so many that a dial still finds one. */
static size_t clients_max(const struct options *o)
{
    struct rlimit fds = {0};
    size_t most = (size_t)option_number(o, "max", CLIENTS_MAX);
    if (getrlimit(RLIMIT_NOFILE, &fds) == 0 && fds.rlim_cur < fds.rlim_max) {
        fds.rlim_cur = fds.rlim_max;
        setrlimit(RLIMIT_NOFILE, &fds);
    }
    getrlimit(RLIMIT_NOFILE, &fds);
    size_t can = fds.rlim_cur > FDS_OWN + FDS_EACH ? (size_t)(fds.rlim_cur - FDS_OWN) / FDS_EACH : 1;
    if (can < most && (can < FEW || option_has(o, "max")))
        tool_say("the %ju descriptors of this process (ulimit -n) are enough for %zu client%s at a time; more wait",
                 (uintmax_t)fds.rlim_cur, can, can == 1 ? "" : "s");
    return most < can ? most : can;
}

/* Names are chosen by path, which a ws:// listener does not show: http:// does. */
static const char *listener_url(const struct relay *r, const char *url, char *buf, size_t n)
{
    bool tls = wire_is(url, "wss");
    if (!r->targets.named)
        return url;
    snprintf(buf, n, "http%s%s", tls ? "s" : "", url + 2 + tls);
    return buf;
}

/* An address for each name: what a browser is to be given. */
static void say_listening(const struct relay *r)
{
    const char *at;
    for (int i = 0; (at = dx_listener_url(r->listener, i)); i++)
        if (r->targets.named)
            for (int k = 0; k < r->targets.count; k++)
                fprintf(stderr, "listening ws%.*s/%s\n", (int)strcspn(at + 8, "/") + 4, at + 4, r->targets.row[k].name);
        else
            fprintf(stderr, "listening %s\n", at);
    fflush(stderr);
}

static int listen_there(struct relay *r, const struct options *o)
{
    const char *url = o->args[0];
    char as[1024];
    dx_err err = {0};
    dx_http_limits http = {.receive_s_min = -1}; /* somebody may be typing */
    dx_opts opts = {.http = &http,
                    .idle_ms_max = option_number(o, "idle", 0),
                    .conns_max = clients_max(o),
                    .frame = wire_frame(url, option_text(o, "frame")),
                    .tls = r->trust.tls};
    r->listener = dx_serve(r->loop, listener_url(r, url, as, sizeof as), &relay_client_on, r, &opts, &err);
    if (!r->listener)
        return tool_fail("relay", url, &err);
    if (r->verbose)
        faults_watch(&r->faults, r->listener);
    rests_watch(&r->rests, r->loop);
    bool tls = r->trust.tls;
    trust_keep(&r->trust, r->loop, say, NULL);
    for (int i = 0; i < r->targets.count; i++) {
        trust_keep(&r->targets.row[i].trust, r->loop, say, NULL);
        tls |= r->targets.row[i].trust.tls != NULL;
    }
    if (tls)
        tool_hangups(reload, r);
    say_listening(r);
    return -1;
}

/* -1: go on. */
static int check_frame(const struct relay *r, const struct options *o)
{
    bool here = wire_has_messages(o->args[0]) || wire_is(o->args[0], "any");
    if (!option_has(o, "frame"))
        return -1;
    for (int i = 0; i < r->targets.count; i++)
        if (wire_has_messages(r->targets.row[i].url) != here)
            return -1;
    tool_say("--frame cuts a stream that is joined to messages, and both are %s here", here ? "messages" : "streams");
    return TOOL_USAGE;
}

/* Of what is shown: what passes stays as it is. -1, or the exit code. */
static int read_coding(struct relay *r, const struct options *o)
{
    const char *name = option_text(o, "encoding");
    dx_err err = {0};
    dx_decoder *d = name ? dx_decoder_new(name, DX_GUESS_LOCALE, &err) : NULL;
    dx_decoder_free(d);
    r->tap = (struct tap){.coding = name};
    if (name && !d)
        tool_say("--encoding: %s", err.text);
    else if (name && !option_has(o, "tap") && !option_has(o, "log"))
        tool_say("--encoding is about what --tap and --log show.  Try: --tap");
    else
        return -1;
    return TOOL_USAGE;
}

static int open_files(struct relay *r, const struct options *o)
{
    bool tap = option_has(o, "tap"), hex = tap && option_text(o, "tap") && !strcmp(option_text(o, "tap"), "hex");
    const char *log = option_text(o, "log"), *record = option_text(o, "record");
    int error;
    if (!tap && option_has(o, "timestamps")) {
        tool_say("--timestamps is about what --tap shows.  Try: --tap");
        return TOOL_USAGE;
    }
    if ((error = read_coding(r, o)) >= 0)
        return error;
    r->looks = tap || log || record;
    r->tap.shows = tap, r->tap.hex = hex, r->tap.stamps = option_has(o, "timestamps");
    if (log && (error = logfile_open(&r->tap.log, log)))
        return error;
    if (record && (error = recorder_open(&r->record, record, o->args[0]))) {
        tool_say("%s: %s%s", record, strerror(error),
                 error == EEXIST ? ".  A record is never written over another file" : "");
        return TOOL_LOCAL;
    }
    return -1;
}

static int run(struct relay *r)
{
    int ran = tool_run();
    if (tool_stopped() || r->code) { /* being told to stop is how a relay ends: no failure */
        relay_accept_no_more(r, DRAIN_MS);
        tool_run_out(END_MS);
    }
    return ran < 0 ? TOOL_FAILED : r->code;
}

int cmd_relay(int argc, char **argv)
{
    struct options o;
    static struct relay relay; /* large for a stack; one a process */
    struct relay *r = &relay;
    dx_err err = {0};
    int code = options_read(argc, argv, &o);
    if (code >= 0)
        return code;
    r->record.fd = -1;
    r->once = option_has(&o, "once");
    r->verbose = option_has(&o, "verbose");
    r->target_opts = (dx_opts){.dial_ms_max = option_number(&o, "timeout", 0),
                               .idle_ms_max = option_number(&o, "idle", 0),
                               .frame = option_text(&o, "frame")};
    if ((code = targets_read(&r->targets, &o, o.args[0])) < 0 && (code = check_frame(r, &o)) < 0 &&
        (code = sides_trust(&r->trust, &o, o.args[0], NULL)) < 0 && (code = open_files(r, &o)) < 0) {
        r->loop = dx_loop_new(&err);
        if (!r->loop) {
            code = tool_fail("relay", o.args[0], &err);
        } else {
            tool_signals(r->loop);
            code = listen_there(r, &o);
            code = code < 0 ? run(r) : code;
            tool_loop_free(r->loop);
        }
    }
    faults_rest(&r->faults);
    trust_free(&r->trust);
    targets_free(&r->targets);
    tap_close(&r->tap);
    if (recorder_close(&r->record) && !code)
        code = TOOL_LOCAL;
    return code;
}
