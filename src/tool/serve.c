/* SPDX-License-Identifier: MIT
 * serve.c - duplex serve: a hub on one port. On a terminal it is itself a member, without one it logs. */
#include "tool/serve_inside.h"
#include "hub/name.h"
#include "tool/add.h"
#include "tool/lines.h"
#include "tool/tool.h"
#include <duplex/text.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAIN_MS = 2000, KEY_MIN = 8 };

/* ---- words to the terminal ---- */

void serve_say(struct serve *s, const char *text, size_t n)
{
    if (s->prompt)
        prompt_print(s->prompt, text, n);
    else if (s->terminal && write(STDOUT_FILENO, text, n) < 0)
        tool_end();
}

static void show_message(void *arg, const struct hub_line *l)
{
    dx_text t = {0};
    line_message(l, &t);
    serve_say(arg, t.p, t.n);
    dx_text_free(&t);
}

static void show_notice(void *arg, const char *text, size_t n)
{
    dx_text t = {0};
    line_notice(text, n, &t);
    serve_say(arg, t.p, t.n);
    dx_text_free(&t);
}

/* ---- the log, where there is no terminal ---- */

/* Nobody may be reading: a log must not stop the room. A pipe that polls writable takes 4 KiB without waiting. */
static bool log_write(const char *p, size_t n)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (n) {
        ssize_t r;
        if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
            return false;
        r = write(STDOUT_FILENO, p, n < 4096 ? n : 4096);
        if (r < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (r > 0)
            p += r, n -= (size_t)r;
    }
    return true;
}

static void log_message(void *arg, const struct hub_line *l)
{
    struct serve *s = arg;
    dx_text t = {0};
    char missed[64];
    line_log(l, option_has(&s->o, "json"), &t);
    if (s->unlogged && !option_has(&s->o, "json")) {
        snprintf(missed, sizeof(missed), "* %llu lines not logged\n", (unsigned long long)s->unlogged);
        if (log_write(missed, strlen(missed)))
            s->unlogged = 0;
    }
    if (!log_write(t.p, t.n))
        s->unlogged++;
    dx_text_free(&t);
}

static void log_missed(void *arg, uint64_t count)
{
    ((struct serve *)arg)->unlogged += count;
}

static void on_quit(void *arg)
{
    (void)arg;
    tool_end();
}

/* Is it said to the room? Then it comes back with its time, as what others say; a command stays where it was typed. */
static bool is_said(const char *utf8, size_t n)
{
    size_t word = n;
    while (word && (utf8[word - 1] == ' ' || utf8[word - 1] == '\t'))
        word--;
    if (!n || !dx_is_utf8(utf8, n) || (word == 4 && !memcmp(utf8, "exit", 4)))
        return false;
    return *utf8 != '/' || (n > 1 && utf8[1] == '/');
}

static void on_line(void *arg, const char *utf8, size_t n)
{
    struct serve *s = arg;
    if (is_said(utf8, n))
        prompt_take_back(s->prompt);
    hub_said(s->member, utf8, n);
}

/* A key is for nobody's eyes later. */
static bool forgets(const char *utf8, size_t n)
{
    return n >= 4 && !memcmp(utf8, "/key", 4);
}

static const struct prompt_watch keys = {.line = on_line, .end = on_quit, .forgets = forgets};
static const struct hub_watch terminal = {
    .message = show_message, .notice = show_notice, .lan = serve_on_lan, .quit = on_quit};
static const struct hub_watch log_only = {.message = log_message, .missed = log_missed};

/* ---- the beginning ---- */

static const char *my_nick(const struct serve *s)
{
    static char host[256];
    const struct passwd *login = getpwuid(getuid());
    if (gethostname(host, sizeof(host) - 1) < 0)
        *host = 0;
    host[strcspn(host, ".")] = 0;
    const char *names[] = {option_text(&s->o, "nick"), getenv("USER"), login ? login->pw_name : NULL, host};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i] && !nick_fault(names[i], strlen(names[i])))
            return names[i];
    return ""; /* the room gives one */
}

/* Names by which it may be reached are names of its certificate. */
static int settle_trust(struct serve *s, const char *const *hosts)
{
    dx_text names = {0};
    for (size_t i = 0; hosts[i]; i++)
        add(&names, i ? "," : ""), add(&names, hosts[i]);
    int r = dx_text_add(&names, "", 1) < 0 ? TOOL_LIMIT : trust_read(&s->trust, &s->o, NULL, names.p);
    dx_text_free(&names);
    return r;
}

static void say_words(void *arg, const char *words)
{
    struct serve *s = arg;
    char line[1024];
    if (s->terminal) {
        snprintf(line, sizeof(line), "* %s", words);
        show_notice(s, line, strlen(line));
    } else
        tool_say("%s", words);
}

static void reload(void *arg)
{
    struct serve *s = arg;
    if (s->trust.tls)
        trust_reload(&s->trust);
    site_reopen(&s->site);
}

static int settle(struct serve *s, struct hub_opts *ret)
{
    static const char *hosts[OPTIONS_GIVEN_MAX + 1];
    const char *guess = option_text(&s->o, "guess"), *nick = option_text(&s->o, "nick"), *key = getenv("DUPLEX_KEY");
    int at = 0, n = 0;
    while (n < OPTIONS_GIVEN_MAX && (hosts[n] = option_next(&s->o, "host", &at)))
        n++;
    if (guess && strcmp(guess, "gb") && strcmp(guess, "utf8")) {
        tool_say("--guess is gb or utf8, not '%.40s'", guess);
        return TOOL_USAGE;
    }
    if (nick && nick_fault(nick, strlen(nick))) {
        tool_say("--nick '%.120s' %s", nick, nick_fault(nick, strlen(nick)));
        return TOOL_USAGE;
    }
    if (key && strlen(key) >= sizeof(s->key)) {
        tool_say("$DUPLEX_KEY is longer than %zu characters", sizeof(s->key) - 1);
        return TOOL_USAGE;
    }
    s->open_to_all = option_has(&s->o, "open");
    if (key && *key && strlen(key) < KEY_MIN && !s->open_to_all) {
        tool_say("$DUPLEX_KEY has fewer than %d characters: it could be guessed.  Try: unset DUPLEX_KEY, and --lan "
                 "makes one",
                 KEY_MIN);
        return TOOL_USAGE;
    }
    snprintf(s->key, sizeof(s->key), "%s", key && !s->open_to_all ? key : "");
    int r = site_open(&s->site, &s->o);
    if (r < 0)
        r = settle_trust(s, hosts);
    *ret = (struct hub_opts){.hosts = hosts,
                             .site = site_calls(&s->site),
                             .site_arg = &s->site,
                             .metrics = option_has(&s->o, "metrics"),
                             .key = s->key,
                             .tls = s->trust.tls,
                             .guess = !guess                 ? DX_GUESS_LOCALE
                                      : !strcmp(guess, "gb") ? DX_GUESS_GB
                                                             : DX_GUESS_UTF8};
    return r;
}

static int begin(struct serve *s, dx_err *err)
{
    s->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (s->terminal)
        s->member = hub_join(s->hub, my_nick(s), &terminal, s, err);
    else if (!option_has(&s->o, "quiet"))
        s->member = hub_join(s->hub, NULL, &log_only, s, err);
    if (!s->member && (s->terminal || !option_has(&s->o, "quiet")))
        return tool_fail("serve", "", err);
    if (s->terminal) {
        serve_banner(s);
        s->prompt = prompt_new(s->loop, ">> ", &keys, s, NULL); /* without one it can still be read */
    } else
        serve_say_listening(s);
    return -1;
}

static int run(struct serve *s)
{
    struct hub_opts opts;
    dx_err err = {0};
    int r = settle(s, &opts);
    if (r >= 0)
        return r;
    s->loop = dx_loop_new(&err);
    s->hub = s->loop ? hub_new(s->loop, &opts, &err) : NULL;
    if (!s->hub)
        return tool_fail("serve", "", &err);
    tool_signals(s->loop);
    trust_keep(&s->trust, s->loop, say_words, s);
    if (s->trust.tls || s->site.log.fd > 0)
        tool_hangups(reload, s);
    s->faults =
        (struct faults){.say = say_words, .arg = s, .sni_advice = "Try: serve --host NAME, if it is one of yours"};
    s->rests = (struct rests){.say = say_words, .arg = s};
    r = serve_listen(s);
    if (r < 0)
        r = begin(s, &err);
    if (r >= 0)
        return r;
    rests_watch(&s->rests, s->loop);
    r = tool_run();
    rests_stop(&s->rests);
    faults_rest(&s->faults);
    trust_rest(&s->trust);
    prompt_free(s->prompt);
    s->prompt = NULL;
    hub_drain(s->hub, DRAIN_MS);
    if (r >= 0)
        r = dx_loop_run(s->loop);
    return r < 0 ? TOOL_FAILED : TOOL_DONE;
}

int cmd_serve(int argc, char **argv)
{
    static struct serve s; /* its options and an editor's line are large for a stack */
    int r = options_read(argc, argv, &s.o);
    if (r >= 0)
        return r;
    prompt_locale();
    r = run(&s);
    prompt_free(s.prompt);
    if (s.loop)
        tool_loop_free(s.loop);
    hub_free(s.hub);
    site_close(&s.site);
    trust_free(&s.trust);
    return r;
}
