/* SPDX-License-Identifier: MIT
 * relay.c - duplex relay: each connection that comes is joined (dx_relay) to one that is dialled. Here a link is born, shown and
 * ended; what passes is the library's business, unless somebody looks: tap.h, record.h. */
#include "tool/faults.h"
#include "tool/record.h"
#include "tool/rests.h"
#include "tool/stamp.h"
#include "tool/tap.h"
#include "tool/targets.h"
#include "tool/exchange.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <duplex/http.h>
#include <duplex/ws.h>
#include <errno.h>
#include <inttypes.h>
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
    PEER_MAX = 200,
    WORDS_MAX = 300
};

struct relay {
    dx_loop *loop;
    dx_listener *listener;
    struct trust trust; /* the listener's */
    struct targets targets;
    dx_opts target_opts;
    struct tap tap;
    struct recorder record;
    bool looks, once, verbose;
    struct faults faults; /* of TLS, under -v */
    struct rests rests;
    bool served; /* under --once */
    uint64_t clients;
    int code;
};
struct link { /* a client, and the target dialled for it; goes with the last of the two */
    struct relay *relay;
    uint64_t number;
    const char *url; /* the target's */
    dx_conn *client, *target;
    bool joined;
    bool messages[2];
    char peer[PEER_MAX];
    int64_t began_us;
    uint64_t passed[2]; /* from the client, from the target            */
    const char *by;     /* who ended badly, or first; NULL: nobody yet */
    dx_err why;
    struct tap_side tap[2];
};
struct client {
    struct link *link; /* NULL: a request that is no link, or one too many */
};

static void accept_no_more(struct relay *r, int64_t ms)
{
    if (r->listener)
        dx_listener_drain(r->listener, ms);
    r->listener = NULL;
    rests_stop(&r->rests);
    trust_rest(&r->trust);
    for (int i = 0; i < r->targets.count; i++)
        trust_rest(&r->targets.row[i].trust);
}

/* ---- what is said of a link ---- */

static int bare(const char *url) /* its length without the fragment, which may name keys */
{
    return strncmp(url, "file:", 5) ? (int)strcspn(url, "#") : (int)strlen(url);
}

static void begin_words(struct link *k)
{
    struct relay *r = k->relay;
    char words[2 * WORDS_MAX];
    snprintf(words, sizeof words, "%s to %.*s", k->peer, bare(k->url), k->url);
    if (r->looks) {
        tap_words(&r->tap, k->number, words);
        record_open(&r->record, k->number, k->peer, k->url, k->messages[0], k->messages[1]);
    }
}

static void end_words(struct link *k)
{
    struct relay *r = k->relay;
    char how[WORDS_MAX];
    bool well = !tool_exit_of(&k->why);
    const char *text = k->why.text[0] ? k->why.text : dx_code_text(k->why.code);
    snprintf(how, sizeof how, "%s%s%s", well ? "ended" : k->by, well ? "" : ": ", well ? "" : text);
    if (r->verbose)
        tool_say("%" PRIu64 " %s to %.*s: %" PRIu64 " bytes there, %" PRIu64 " back, %.3f s, %s", k->number, k->peer,
                 bare(k->url), k->url, k->passed[0], k->passed[1], (double)(steady_now_us() - k->began_us) / 1e6, how);
    if (r->looks && k->joined) {
        tap_words(&r->tap, k->number, how);
        record_close(&r->record, k->number, strcmp(k->by, "target") ? k->by : "server", &k->why);
    }
}

/* A record with a hole in it would be worse than none, and a relay that was to record and does not is not what was asked for. */
static void check_record(struct relay *r)
{
    if (!r->record.error || r->code == TOOL_LOCAL)
        return;
    tool_say("the record cannot be written: %s", strerror(r->record.error));
    r->code = TOOL_LOCAL;
    tool_end();
}

static void look(dx_conn *from, const void *data, size_t n, unsigned how)
{
    struct link *k = dx_user(from);
    bool back = from == k->target;
    tap_data(&k->relay->tap, &k->tap[back], k->number, back, data, n);
    record_data(&k->relay->record, k->number, back, data, n, how, k->messages[back]);
    check_record(k->relay);
}

/* ---- the end of a link ---- */

/* Idle is how datagrams end. */
static bool is_end(const dx_err *why, bool messages)
{
    return !tool_exit_of(why) || (messages && why->code == DX_TIMEOUT);
}

static void link_over(struct link *k)
{
    struct relay *r = k->relay;
    if (k->client || k->target)
        return;
    end_words(k);
    check_record(r);
    if (r->once)
        r->code = r->code ? r->code : tool_exit_of(&k->why);
    tap_side_free(&k->tap[0]);
    tap_side_free(&k->tap[1]);
    free(k);
}

/* The first bad end is the cause; without one the first. */
static void side_closed(struct link *k, dx_conn *c, bool back, const dx_err *why)
{
    k->passed[back] = dx_relayed(c);
    if (k->by && (is_end(why, k->messages[back]) || tool_exit_of(&k->why)))
        return;
    k->by = back ? "target" : "client";
    k->why = *why;
    if (is_end(why, k->messages[back]))
        k->why = (dx_err){.code = DX_END};
}

static void client_close(dx_conn *c, const dx_err *why)
{
    struct client *s = dx_state(c);
    struct link *k = s->link;
    if (!k)
        return;
    side_closed(k, c, false, why);
    k->client = NULL;
    if (k->target && !k->joined)
        dx_abort(k->target); /* nobody waits for it any more */
    link_over(k);
}

/* The client was told nothing yet, and is told no more than that: an end would say that the answer is empty. */
static void refuse(struct link *k, const dx_err *why)
{
    char words[WORDS_MAX];
    tool_words("dial", k->url, why, words, sizeof words);
    tool_say("%" PRIu64 " %s: %s", k->number, k->peer, words);
    if (!k->client)
        return;
    if (!strncmp(dx_wire(k->client), "ws", 2))
        dx_ws_close(k->client, 1011, "the target does not answer");
    else
        dx_abort(k->client);
}

static void target_close(dx_conn *c, const dx_err *why)
{
    struct link *k = dx_user(c);
    side_closed(k, c, true, why);
    if (!k->joined && tool_exit_of(why))
        refuse(k, why);
    k->target = NULL;
    link_over(k);
}

/* ---- its beginning ---- */

static void target_open(dx_conn *c)
{
    struct link *k = dx_user(c);
    struct relay *r = k->relay;
    k->target = c;
    k->messages[0] = k->client && dx_kind_of(k->client) == DX_MESSAGES;
    k->messages[1] = dx_kind_of(c) == DX_MESSAGES;
    k->joined = k->client && dx_relay_looked(k->client, c, r->looks ? look : NULL) >= 0;
    if (k->joined)
        begin_words(k);
    else
        dx_abort(c);
    if (!k->joined && k->client)
        dx_abort(k->client);
}

static const dx_handler target_on = {.on_open = target_open, .on_close = target_close};

static void link_begin(struct relay *r, dx_conn *c, const struct target *to)
{
    struct client *s = dx_state(c);
    struct link *k = calloc(1, sizeof *k);
    dx_err err = {0};
    if (!k) {
        dx_abort(c);
        return;
    }
    *k = (struct link){.relay = r, .number = ++r->clients, .url = to->url, .client = c, .began_us = steady_now_us()};
    snprintf(k->peer, sizeof k->peer, "%s", *dx_peer(c) ? dx_peer(c) : dx_wire(c));
    s->link = k;
    dx_set_user(c, k);
    dx_pause(c, true);
    dx_opts o = r->target_opts;
    o.tls = to->trust.tls;
    o.frame = wire_frame(to->url, o.frame);
    k->target = dx_connect(r->loop, to->url, &target_on, k, &o, &err);
    if (k->target)
        return;
    k->by = "target";
    k->why = err;
    refuse(k, &err);
}

/* NULL: it has its answer. */
static struct target *target_of_request(struct relay *r, dx_conn *c)
{
    static const char no[] = "duplex relay is here: there is no such target, or this is no WebSocket\n";
    struct target *to = targets_find(&r->targets, dx_http_path(c));
    bool asks = dx_http_wants_ws(c);
    if (to && asks)
        return exchange_accept_ws(c) ? to : NULL;
    dx_http_reply(c, 404, "text/plain", no, sizeof no - 1, NULL, 0);
    return NULL;
}

static void client_open(dx_conn *c)
{
    struct relay *r = dx_user(c);
    struct target *to = &r->targets.row[0];
    if (r->served) {
        dx_abort(c); /* came in the same turn as the one that --once serves */
        return;
    }
    if (dx_http_is(c) && !(to = target_of_request(r, c)))
        return;
    r->served = r->once;
    link_begin(r, c, to);
    if (r->once)
        accept_no_more(r, 0);
}

static const dx_handler client_on = {
    .state_bytes = sizeof(struct client), .on_open = client_open, .on_close = client_close};

/* ---- the command ---- */

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
    r->listener = dx_serve(r->loop, listener_url(r, url, as, sizeof as), &client_on, r, &opts, &err);
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
        accept_no_more(r, DRAIN_MS);
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
