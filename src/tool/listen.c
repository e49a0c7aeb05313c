/* SPDX-License-Identifier: MIT
 * listen.c - duplex listen URL...: echo, upper case, a rules file, a console on a terminal, or the first client joined to stdin
 * and stdout. */
#include "tool/bucket.h"
#include "tool/console.h"
#include "tool/exec.h"
#include "tool/faults.h"
#include "tool/listen_rules.h"
#include "tool/reply.h"
#include "tool/exchange.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/trust.h"
#include "tool/wire_options.h"
#include "tool/wires.h"
#include <duplex/http.h>
#include <duplex/tls.h>
#include <duplex/udp.h>
#include <duplex/ws.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LISTENERS_MAX = 16,
    DRAIN_MS = 2000,
    EXEC_MAX = 100,  /* processes at a time, unless --max says otherwise                  */
    REPLY_TIMES = 3, /* a datagram from afar is answered with at most so many times its bytes (RFC 9000 8.1) */
};

struct server {
    dx_loop *loop;
    dx_listener *listeners[LISTENERS_MAX];
    int listener_count;
    struct trust trusts[LISTENERS_MAX]; /* of each URL, whether it listens or not */
    struct faults faults;               /* of TLS, under -v                        */
    struct listen_rules *rules;         /* under --rules                           */
    bool upper, once, verbose;
    const char *exec; /* a command; NULL: none */
    struct reply reply;
    dx_id served; /* under --once */
    uint64_t clients;
    int code;
};
struct client {
    struct bucket bucket; /* of a datagram source */
    bool datagrams, loopback, quiet;
    bool answered;     /* by --reply */
    bool http, headed; /* an HTTP exchange; the head of its answer has gone */
    uint64_t number;   /* for the words */
    struct steps steps;
};

static void drain(struct server *s, int64_t ms)
{
    for (int i = 0; i < s->listener_count; i++)
        dx_listener_drain(s->listeners[i], ms);
    s->listener_count = 0;
    for (int i = 0; i < LISTENERS_MAX; i++)
        trust_rest(&s->trusts[i]);
}

static void accept_no_more(struct server *s)
{
    drain(s, 0);
}

/* ---- a client ---- */

/* The head goes with the first byte of the body, so that Expect: 100-continue is answered. */
static void http_head(dx_conn *c, int64_t length)
{
    static const dx_http_field type = {"Content-Type", "application/octet-stream"};
    struct client *k = dx_state(c);
    k->headed = true;
    if (dx_http_head(c, 200, length, &type, 1) < 0)
        dx_abort(c);
}

static void reply(dx_conn *c)
{
    struct server *s = dx_user(c);
    struct client *k = dx_state(c);
    int r = k->http ? reply_http(&s->reply, c) : reply_message(&s->reply, c);
    k->answered = true;
    if (k->datagrams)
        bucket_said(&k->bucket, s->reply.bytes.p, s->reply.bytes.n);
    else if (r < 0 && r != DX_CLOSED && r != DX_STATE)
        dx_abort(c);
}

/* A request is answered when it is whole, and so is who says its end and nothing else. */
static bool reply_at_end(dx_conn *c)
{
    const struct server *s = dx_user(c);
    const struct client *k = dx_state(c);
    if (!s->reply.on || k->answered)
        return false;
    reply(c);
    return k->http;
}

static void begin_exec(dx_conn *c)
{
    const struct server *s = dx_user(c);
    dx_err err = {0};
    if (exec_join(c, s->exec, &err) == 0)
        return;
    tool_say("--exec: %s", err.text[0] ? err.text : dx_code_text(err.code));
    dx_abort(c);
}

static void client_end(dx_conn *c)
{
    const struct client *k = dx_state(c);
    if (reply_at_end(c))
        return;
    if (k->http && !k->headed)
        http_head(c, 0);
    dx_close(c);
}

static void tell(dx_conn *c, uint64_t number)
{
    char who[40];
    snprintf(who, sizeof who, "client %" PRIu64 ": ", number);
    tool_say("client %" PRIu64 " is %s", number, dx_peer(c));
    steps_open(&((struct client *)dx_state(c))->steps, c, who);
}

static void client_open(dx_conn *c)
{
    struct server *s = dx_user(c);
    struct client *k = dx_state(c);
    if (dx_http_is(c) && dx_http_wants_ws(c))
        k->headed = !exchange_accept_ws(c);
    k->http = dx_http_is(c);
    k->datagrams = feed_datagrams(dx_wire(c));
    k->loopback = dx_is_loopback(c);
    if (s->served) {
        dx_abort(c); /* came in the same turn as the one that --once serves */
        return;
    }
    k->number = ++s->clients;
    if (s->verbose)
        tell(c, k->number);
    if (s->once) {
        s->served = dx_id_of(c);
        accept_no_more(s);
    }
    if (s->exec)
        begin_exec(c);
}

/* The source of a datagram is whatever its sender wrote there: a short question must not bring somebody else a long answer. */
static bool is_too_much(const struct server *s, dx_conn *c, const struct client *k)
{
    uint64_t in, out;
    if (!s->reply.on || k->loopback)
        return false;
    dx_udp_traffic(c, &in, &out);
    return out + s->reply.bytes.n > REPLY_TIMES * in;
}

static bool may_answer(struct server *s, dx_conn *c, const void *data, size_t n)
{
    struct client *k = dx_state(c);
    if (k->datagrams && is_too_much(s, c, k)) {
        if (!k->quiet)
            tool_say("%s asks too little for so long an answer: not answering it", dx_peer(c));
        k->quiet = true;
        return false;
    }
    if (!k->datagrams || bucket_take(&k->bucket, data, n, k->loopback, dx_loop_now(s->loop)))
        return true;
    if (!k->quiet)
        tool_say("%s asks too often, or is an echo itself: answering it less", dx_peer(c));
    k->quiet = true;
    return false;
}

static void answer(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct client *k = dx_state(c);
    if (k->datagrams)
        bucket_said(&k->bucket, data, n);
    int r = dx_send(c, data, n, how);
    k->steps.out += r < 0 ? 0 : n;
    if (r < 0 && !k->datagrams && r != DX_CLOSED)
        dx_abort(c); /* an echo with a hole in it is none */
}

static void upper(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] - 'a' + 'A');
}

static bool says_exit(const char *p, size_t n)
{
    while (n && (p[n - 1] == '\n' || p[n - 1] == '\r'))
        n--;
    return n == 4 && !memcmp(p, "EXIT", 4);
}

static void client_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct server *s = dx_user(c);
    struct client *k = dx_state(c);
    k->steps.in += n;
    if (!may_answer(s, c, data, n))
        return;
    if (s->reply.on && (k->http || how & DX_MORE))
        return; /* at its end */
    if (s->reply.on) {
        reply(c);
        return;
    }
    if (k->http && !k->headed)
        http_head(c, dx_http_length(c));
    if (!s->upper) {
        answer(c, data, n, how);
        return;
    }
    union {
        const void *lent;
        char *ours;
    } bytes = {data}; /* what on_data lends may be written over (duplex.h) */
    bool leave = n >= 4 && n <= 6 && !memcmp(data, "exit", 4);
    upper(bytes.ours, n);
    answer(c, data, n, how);
    if (leave && says_exit(data, n))
        dx_close(c);
}

static void client_close(dx_conn *c, const dx_err *why)
{
    struct server *s = dx_user(c);
    const struct client *k = dx_state(c);
    bool quiet_end = k->datagrams && why->code == DX_TIMEOUT; /* how datagrams end */
    char who[300];
    const char *peer = dx_peer(c); /* a socket that both have shut knows it no more */
    snprintf(who, sizeof who, *peer ? "client %" PRIu64 " (%s): " : "client %" PRIu64 ": ", k->number, peer);
    if (s->verbose)
        steps_close(&k->steps, c, who, why);
    if (s->once && s->served == dx_id_of(c) && !quiet_end)
        s->code = tool_exit_of(why);
}

static const dx_handler client_on = {.state_bytes = sizeof(struct client),
                                     .on_open = client_open,
                                     .on_data = client_data,
                                     .on_end = client_end,
                                     .on_close = client_close};

/* ---- the listeners ---- */

static void say(void *arg, const char *words)
{
    (void)arg;
    tool_say("%s", words);
}

static void reload(void *arg)
{
    struct server *s = arg;
    for (int i = 0; i < LISTENERS_MAX; i++)
        trust_reload(&s->trusts[i]);
    if (s->rules)
        listen_rules_reload(s->rules);
}

/* 0, or the exit code. */
static int listen_all(struct server *s, const struct options *o, const dx_handler *on, void *user, const dx_opts *base)
{
    for (int i = 0; i < o->arg_count; i++) {
        const char *url = o->args[i], *frame = base->frame;
        dx_err err = {0};
        dx_opts opts = *base;
        opts.frame = s->rules ? NULL : wire_frame(url, frame ? frame : s->upper ? "auto" : NULL);
        int r = trust_read(&s->trusts[i], o, url, NULL);
        if (r >= 0)
            return r;
        opts.tls = s->trusts[i].tls;
        dx_listener *l = dx_serve(s->loop, url, on, user, &opts, &err);
        if (!l)
            return tool_fail("listen", url, &err);
        trust_keep(&s->trusts[i], s->loop, say, NULL);
        if (s->verbose)
            faults_watch(&s->faults, l);
        s->listeners[s->listener_count++] = l;
        if ((r = wire_listener(o, url, l)) >= 0)
            return r;
    }
    for (int i = 0; i < o->arg_count; i++)
        if (s->trusts[i].tls || s->rules)
            tool_hangups(reload, s);
    for (int i = 0; i < s->listener_count; i++)
        for (int k = 0; dx_listener_url(s->listeners[i], k); k++)
            fprintf(stderr, "listening %s\n", dx_listener_url(s->listeners[i], k));
    fflush(stderr);
    for (int i = 0; option_has(o, "verbose") && i < s->listener_count; i++)
        if (dx_listener_tls(s->listeners[i]))
            tool_say("our pin %s", dx_tls_pin(dx_listener_tls(s->listeners[i])));
    return 0;
}

static int serve(struct server *s)
{
    int r = tool_run();
    if (tool_stopped()) { /* being told to stop is how a server ends: no failure */
        drain(s, DRAIN_MS);
        dx_loop_run(s->loop);
    }
    return r < 0 ? TOOL_FAILED : s->code;
}

static void talk_joined(struct talk *t, dx_conn *c)
{
    (void)c;
    accept_no_more(t->user);
}

static int serve_talk(struct server *s, const struct options *o, const dx_opts *opts)
{
    struct talk t = {.doing = "listen", .url = o->args[0], .loop = s->loop, .listening = true};
    int r = talk_options(&t, o);
    t.on_joined = talk_joined;
    t.user = s;
    dx_opts mine = *opts;
    mine.frame = t.frame;
    mine.coding = t.coding;
    if (r < 0)
        r = listen_all(s, o, &talk_on, &t, &mine);
    if (r)
        dx_loop_free(s->loop);
    else
        r = talk_run(&t);
    talk_free(&t);
    s->loop = NULL;
    return r;
}

static void first_came(void *arg)
{
    accept_no_more(arg);
}

static int run_console(struct server *s, struct console *k)
{
    dx_err err = {0};
    if (console_open(k, &err) < 0)
        return tool_fail("listen", "", &err);
    int r = tool_run();
    console_shut(k);
    drain(s, DRAIN_MS);
    dx_loop_run(s->loop);
    return r < 0 ? TOOL_FAILED : console_code(k);
}

static int serve_console(struct server *s, const struct options *o, const dx_opts *opts)
{
    dx_opts mine = *opts;
    struct console *k;
    int r = console_new(s->loop, o, first_came, s, &k);
    if (r < 0) {
        mine.frame = console_manner(k)->frame;
        mine.coding = console_manner(k)->coding;
        r = listen_all(s, o, &console_on, k, &mine);
    }
    if (!r)
        r = run_console(s, k);
    dx_loop_free(s->loop);
    s->loop = NULL;
    console_free(k);
    return r;
}

static int serve_echo(struct server *s, const struct options *o, const dx_opts *opts)
{
    int r = listen_all(s, o, &client_on, s, opts);
    if (!r)
        r = serve(s);
    dx_loop_free(s->loop);
    s->loop = NULL;
    return r;
}

static int serve_rules(struct server *s, const struct options *o, dx_opts *opts)
{
    struct listen_rules rules = {.on_first = first_came, .arg = s};
    int r = listen_rules_read(&rules, o);
    opts->coding = NULL; /* the rules read it themselves: they match bytes as well */
    opts->message_bytes_max = RULES_MESSAGE_MAX;
    s->rules = &rules;
    if (r < 0 && (r = listen_all(s, o, &listen_rules_on, &rules, opts)) == 0)
        r = serve(s);
    dx_loop_free(s->loop);
    s->loop = NULL;
    listen_rules_free(&rules);
    return r ? r : rules.code;
}

static int modes_of(const struct options *o)
{
    return option_has(o, "echo") + option_has(o, "upper") + option_has(o, "reply") + option_has(o, "exec") +
           option_has(o, "rules");
}

/* What an option is about, in words, where it does nothing for the mode; NULL: all have a use. */
static const char *useless(const struct options *o)
{
    static const char *const talk[] = {"send", "every", "timestamps", "log", "json", "hex", "eol", "checksum"};
    size_t n = sizeof talk / sizeof *talk;
    for (size_t i = 0; modes_of(o) && i < (option_has(o, "reply") ? n - 3 : n); i++)
        if (option_has(o, talk[i]))
            return talk[i];
    return NULL;
}

/* What says the same to one client, or tells of one in JSON, is no console. */
static bool is_console(const struct options *o)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !option_has(o, "json") && !option_has(o, "send") &&
           !option_has(o, "every");
}

/* What answers by itself has its own idea of messages and codings. */
static void set_up_answers(const struct server *s, dx_opts *opts)
{
    if (s->upper && !opts->coding)
        opts->coding = "auto";
    if (s->exec && !opts->conns_max)
        opts->conns_max = EXEC_MAX;
    if (!s->reply.on)
        return;
    opts->coding = NULL; /* it is in the reply's bytes */
    opts->frame = s->reply.frame;
}

int cmd_listen(int argc, char **argv)
{
    struct options o;
    struct server s = {0};
    dx_err err = {0};
    int r = options_read(argc, argv, &o);
    if (r >= 0)
        return r;
    if (modes_of(&o) > 1) {
        tool_say("one of --echo, --upper, --rules, --reply and --exec.  Try: duplex listen --help");
        return TOOL_USAGE;
    }
    if (useless(&o)) {
        tool_say("--%s is for a talk: without --echo, --upper, --rules, --reply and --exec", useless(&o));
        return TOOL_USAGE;
    }
    s.exec = option_text(&o, "exec");
    if ((r = reply_read(&s.reply, &o)) >= 0) {
        reply_free(&s.reply);
        return r;
    }
    if (!(s.loop = dx_loop_new(&err)))
        return tool_fail("listen", o.args[0], &err);
    tool_signals(s.loop);
    s.upper = option_has(&o, "upper");
    s.once = option_has(&o, "once");
    s.verbose = option_has(&o, "verbose");
    dx_opts opts = {.idle_ms_max = option_number(&o, "idle", 0),
                    .conns_max = (size_t)option_number(&o, "max", 0),
                    .frame = option_text(&o, "frame"),
                    .coding = option_text(&o, "encoding")};
    set_up_answers(&s, &opts);
    if (option_has(&o, "rules"))
        r = serve_rules(&s, &o, &opts);
    else if (modes_of(&o))
        r = serve_echo(&s, &o, &opts);
    else if (is_console(&o))
        r = serve_console(&s, &o, &opts);
    else
        r = serve_talk(&s, &o, &opts);
    faults_rest(&s.faults);
    for (int i = 0; i < LISTENERS_MAX; i++)
        trust_free(&s.trusts[i]);
    reply_free(&s.reply);
    return r;
}
