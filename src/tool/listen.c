/* SPDX-License-Identifier: MIT
 * listen.c - duplex listen URL...: answers (listen_answers.h), a rules file, a console on a terminal, or the first client joined to
 * stdin and stdout. Here is which of these, and the listeners they share. */
#include "tool/console.h"
#include "tool/faults.h"
#include "tool/listen_answers.h"
#include "tool/listen_rules.h"
#include "tool/rests.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/trust.h"
#include "tool/wire_options.h"
#include "tool/wires.h"
#include <duplex/http.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LISTENERS_MAX = 16,
    DRAIN_MS = 2000,
    END_MS = 4500,  /* the children of --exec, too, have ended then */
    EXEC_MAX = 100, /* processes at a time, unless --max says otherwise */
};

struct server {
    dx_loop *loop;
    dx_listener *listeners[LISTENERS_MAX];
    int listener_count;
    struct trust trusts[LISTENERS_MAX]; /* of each URL, whether it listens or not */
    bool verbose;
    struct faults faults; /* of TLS, under -v                        */
    struct rests rests;
    struct listen_rules *rules;    /* under --rules                           */
    struct listen_answers answers; /* under --echo and its like               */
};

static void drain(struct server *s, int64_t ms)
{
    for (int i = 0; i < s->listener_count; i++)
        dx_listener_drain(s->listeners[i], ms);
    s->listener_count = 0;
    rests_stop(&s->rests);
    for (int i = 0; i < LISTENERS_MAX; i++)
        trust_rest(&s->trusts[i]);
}

static void accept_no_more(void *arg)
{
    drain(arg, 0);
}

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
    struct ws_options ws; /* nothing in it is ours to free: a listener has no --header */
    int bad = ws_options_read(&ws, o, o->args, o->arg_count);
    if (bad >= 0)
        return bad;
    for (int i = 0; i < o->arg_count; i++) {
        const char *url = o->args[i], *frame = base->frame;
        dx_err err = {0};
        dx_opts opts = *base;
        dx_http_limits http = {.receive_s_min = -1}; /* somebody may be typing */
        opts.http = &http;
        opts.frame = s->rules ? NULL : wire_frame(url, frame ? frame : s->answers.upper ? "auto" : NULL);
        int r = trust_read(&s->trusts[i], o, url, NULL);
        if (r >= 0)
            return r;
        opts.tls = s->trusts[i].tls;
        opts.protocols = ws.protocols;
        dx_listener *l = dx_ws_serve(s->loop, url, on, user, &opts, &ws.o, &err);
        if (!l)
            return tool_fail("listen", url, &err);
        trust_keep(&s->trusts[i], s->loop, say, NULL);
        if (s->verbose)
            faults_watch(&s->faults, l);
        s->listeners[s->listener_count++] = l;
        if ((r = wire_listener(o, url, l)) >= 0)
            return r;
    }
    rests_watch(&s->rests, s->loop);
    for (int i = 0; i < o->arg_count; i++)
        if (s->trusts[i].tls || s->rules)
            tool_hangups(reload, s);
    for (int i = 0; i < s->listener_count; i++)
        for (int k = 0; dx_listener_url(s->listeners[i], k); k++)
            fprintf(stderr, "listening %s\n", dx_listener_url(s->listeners[i], k));
    fflush(stderr);
    for (int i = 0; s->verbose && i < s->listener_count; i++)
        if (dx_listener_tls(s->listeners[i]))
            tool_say("our pin %s", dx_tls_pin(dx_listener_tls(s->listeners[i])));
    return 0;
}

static int serve(struct server *s)
{
    int r = tool_run();
    if (tool_stopped()) { /* being told to stop is how a server ends: no failure */
        drain(s, DRAIN_MS);
        tool_run_out(END_MS);
    }
    return r < 0 ? TOOL_FAILED : s->answers.code;
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
        tool_loop_free(s->loop);
    else
        r = talk_run(&t);
    talk_free(&t);
    s->loop = NULL;
    return r;
}

static int run_console(struct server *s, struct console *k)
{
    dx_err err = {0};
    if (console_open(k, &err) < 0)
        return tool_fail("listen", "", &err);
    int r = tool_run();
    console_shut(k);
    drain(s, DRAIN_MS);
    tool_run_out(END_MS);
    return r < 0 ? TOOL_FAILED : console_code(k);
}

static int serve_console(struct server *s, const struct options *o, const dx_opts *opts)
{
    dx_opts mine = *opts;
    struct console *k;
    int r = console_new(s->loop, o, accept_no_more, s, &k);
    if (r < 0) {
        mine.frame = console_manner(k)->frame;
        mine.coding = console_manner(k)->coding;
        r = listen_all(s, o, &console_on, k, &mine);
    }
    if (!r)
        r = run_console(s, k);
    tool_loop_free(s->loop);
    s->loop = NULL;
    console_free(k);
    return r;
}

static int serve_answers(struct server *s, const struct options *o, const dx_opts *opts)
{
    int r = listen_all(s, o, &listen_answers_on, &s->answers, opts);
    if (!r)
        r = serve(s);
    tool_loop_free(s->loop);
    s->loop = NULL;
    return r;
}

static int serve_rules(struct server *s, const struct options *o, dx_opts *opts)
{
    struct listen_rules rules = {.on_first = accept_no_more, .arg = s};
    int r = listen_rules_read(&rules, o);
    opts->coding = NULL; /* the rules read it themselves: they match bytes as well */
    opts->message_bytes_max = RULES_MESSAGE_MAX;
    s->rules = &rules;
    if (r < 0 && (r = listen_all(s, o, &listen_rules_on, &rules, opts)) == 0)
        r = serve(s);
    tool_loop_free(s->loop);
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
    static const char *const talk[] = {"send",   "every", "timestamps", "log", "json",    "text",
                                       "binary", "close", "hex",        "eol", "checksum"};
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
    if (s->answers.upper && !opts->coding)
        opts->coding = "auto";
    if (s->answers.exec && !opts->conns_max)
        opts->conns_max = EXEC_MAX;
    if (!s->answers.reply.on)
        return;
    opts->coding = NULL; /* it is in the reply's bytes */
    opts->frame = s->answers.reply.frame;
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
    if ((r = reply_read(&s.answers.reply, &o)) >= 0) {
        reply_free(&s.answers.reply);
        return r;
    }
    if (!(s.loop = dx_loop_new(&err)))
        return tool_fail("listen", o.args[0], &err);
    tool_signals(s.loop);
    s.verbose = s.answers.verbose = option_has(&o, "verbose");
    s.answers.upper = option_has(&o, "upper");
    s.answers.once = option_has(&o, "once");
    s.answers.exec = option_text(&o, "exec");
    s.answers.on_first = accept_no_more;
    s.answers.arg = &s;
    dx_opts opts = {.idle_ms_max = option_number(&o, "idle", 0),
                    .conns_max = (size_t)option_number(&o, "max", 0),
                    .frame = option_text(&o, "frame"),
                    .coding = option_text(&o, "encoding")};
    set_up_answers(&s, &opts);
    if (option_has(&o, "rules"))
        r = serve_rules(&s, &o, &opts);
    else if (modes_of(&o))
        r = serve_answers(&s, &o, &opts);
    else if (is_console(&o))
        r = serve_console(&s, &o, &opts);
    else
        r = serve_talk(&s, &o, &opts);
    faults_rest(&s.faults);
    for (int i = 0; i < LISTENERS_MAX; i++)
        trust_free(&s.trusts[i]);
    reply_free(&s.answers.reply);
    return r;
}
