/* SPDX-License-Identifier: MIT
 * serve_open.c - where `duplex serve` can be reached: its addresses, the network where that is wanted, and the words for both. */
#include "tool/serve_inside.h"
#include "tool/add.h"
#include "tool/banner.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The port behind the last ':' of scheme://host:port. */
static void note_port(struct serve *s, const char *url)
{
    const char *p = url ? strrchr(url, ':') : NULL;
    if (!*s->port && p && p[1] >= '0' && p[1] <= '9')
        snprintf(s->port, sizeof(s->port), "%.*s", (int)strspn(p + 1, "0123456789"), p + 1);
}

static dx_listener *open_at(struct serve *s, const char *url, dx_err *err)
{
    dx_listener *l = hub_listen(s->hub, url, err);
    if (l && s->trust.tls && !option_has(&s->o, "quiet"))
        faults_watch(&s->faults, l);
    return l;
}

static bool need_key(struct serve *s)
{
    if (s->open_to_all || *s->key)
        return true;
    return lan_make_key(s->key) && hub_set_key(s->hub, s->key);
}

static struct banner words_of(const struct serve *s)
{
    return (struct banner){.hub = s->hub,
                           .port = s->port,
                           .key = s->key,
                           .pin = s->trust.shows ? dx_tls_pin(s->trust.tls) : "",
                           .folder = s->o.arg_count ? s->o.args[0] : NULL,
                           .metrics = option_has(&s->o, "metrics")};
}

/* Does an any:// that was asked for cover this address of the network already? */
static bool listens_on(const struct serve *s, const char *host)
{
    const char *url, *wild = *host == '[' ? "[::]" : "0.0.0.0";
    for (int at = 0; (url = option_next(&s->o, "listen", &at));) {
        const char *of = strstr(url, "://"), *port = of ? strrchr(of + 3, ':') : NULL;
        size_t n = port ? (size_t)(port - of - 3) : 0;
        bool here =
            !n || (n == strlen(wild) && !memcmp(of + 3, wild, n)) || (n == strlen(host) && !memcmp(of + 3, host, n));
        if (port && here && wire_is(url, "any") && (!strcmp(port + 1, s->port) || !strcmp(port + 1, "0")))
            return true;
    }
    return false;
}

/* Each address of its own, so that the loopback sockets stay, Host can be checked against them and answers by datagram leave from
 * where they were asked. */
static void open_lan(struct serve *s, dx_text *answer)
{
    struct lan all, opened = {.count = 0};
    char url[128];
    dx_err err = {0};
    lan_find(&all);
    if (!need_key(s)) {
        add(answer, "* no key could be made: not opened");
        return;
    }
    bool was_open = s->lan_done || (all.count && listens_on(s, all.host[0]));
    add(answer, was_open ? "* open to the network:" : "* now open to the network:");
    for (int i = 0; i < all.count; i++) {
        snprintf(url, sizeof(url), "any://%s:%s", all.host[i], *s->port ? s->port : "2333");
        if (!s->lan_done && !listens_on(s, all.host[i])) {
            dx_listener *l = open_at(s, url, &err);
            if (!l)
                continue;
            note_port(s, dx_listener_url(l, 0));
        }
        memcpy(opened.host[opened.count++], all.host[i], sizeof(*all.host));
    }
    if (opened.count)
        memcpy(s->lan_host, opened.host[0], sizeof(s->lan_host));
    const struct banner b = words_of(s);
    banner_lan(&b, &opened, answer);
    s->lan_done |= opened.count > 0;
    if (!opened.count) {
        dx_text_clear(answer);
        add(answer, all.count ? "* not opened: " : "* this machine has no network address");
        add(answer, all.count ? err.text : "");
    }
}

/* For a phone: a camera reads it. */
static void add_code(const struct serve *s, dx_text *t)
{
    const struct banner b = words_of(s);
    struct winsize size;
    int columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    banner_code(&b, *s->lan_host ? s->lan_host : NULL, columns, t);
}

void serve_on_lan(void *arg, dx_text *answer)
{
    struct serve *s = arg;
    dx_text code = {0};
    open_lan(s, answer);
    if (s->lan_done)
        add_code(s, &code);
    if (code.n)
        serve_say(s, code.p, code.n);
    dx_text_free(&code);
}

static int listen_on(struct serve *s, const char *url)
{
    dx_err err = {0};
    dx_listener *l;
    if (trust_lacks(&s->trust, &s->o, url))
        return TOOL_USAGE;
    if (lan_is_beyond(url) && !need_key(s)) {
        tool_say("no key could be made: not opened");
        return TOOL_FAILED;
    }
    l = open_at(s, url, &err);
    if (!l)
        return tool_fail("serve", url, &err);
    note_port(s, wire_is_path(url) ? NULL : dx_listener_url(l, 0));
    return -1;
}

/* The Unix socket is a convenience: where it cannot be, serve goes on without. */
static void listen_unix(struct serve *s)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    char url[256];
    if ((!folder || *folder != '/') && geteuid() == 0)
        folder = "/run";
    if (!folder || *folder != '/' || strlen(folder) > 80)
        return;
    snprintf(url, sizeof(url), "unix://%s/duplex.sock", folder);
    open_at(s, url, NULL);
}

static int listen_default(struct serve *s)
{
    dx_err err = {0};
    int r = listen_on(s, "any://127.0.0.1:2333");
    if (r >= 0)
        return r;
    if (!open_at(s, "any://[::1]:2333", &err) && err.code == DX_BUSY)
        return tool_fail("serve", "any://[::1]:2333", &err);
    listen_unix(s);
    return -1;
}

int serve_listen(struct serve *s)
{
    int at = 0, r = -1;
    const char *url = option_next(&s->o, "listen", &at);
    if (!url)
        r = listen_default(s);
    for (; url && r < 0; url = option_next(&s->o, "listen", &at))
        r = listen_on(s, url);
    return r;
}

/* Off this machine, and nobody is asked for a key. */
static bool is_open_to_all(const struct serve *s)
{
    const char *url;
    bool beyond = s->lan_done;
    for (int at = 0; (url = option_next(&s->o, "listen", &at));)
        beyond |= lan_is_beyond(url);
    return beyond && s->open_to_all;
}

/* The first five minutes. */
void serve_banner(struct serve *s)
{
    const struct banner b = words_of(s);
    bool lan = option_has(&s->o, "lan");
    dx_text t = {0};
    banner_ways(&b, &t);
    if (lan)
        open_lan(s, &t), add(&t, "\n");
    add_code(s, &t);
    if (!lan && *s->key)
        add(&t, "  who is not on this machine first says  /key "), add(&t, s->key), add(&t, "\n");
    else
        add(&t, is_open_to_all(s) ? "  whoever can reach it comes in without a key.  /help, Ctrl-D ends\n"
                : lan || s->open_to_all
                    ? "  /help, Ctrl-D ends\n"
                    : "  only this machine can reach it.  /lan opens it to the network, /help, Ctrl-D ends\n");
    if (write(STDOUT_FILENO, t.p, t.n) < 0)
        s->terminal = false;
    dx_text_free(&t);
}

/* Without a terminal: what scripts read, a line an address, on stderr. */
void serve_say_listening(struct serve *s)
{
    const struct banner b = words_of(s);
    dx_text t = {0}, lan = {0};
    if (option_has(&s->o, "lan"))
        open_lan(s, &lan), add(&lan, "\n");
    else if (*s->key && !getenv("DUPLEX_KEY"))
        add(&lan, "* who is not on this machine first says  /key "), add(&lan, s->key), add(&lan, "\n");
    if (is_open_to_all(s))
        add(&lan, "* whoever can reach it comes in without a key\n");
    banner_listening(&b, &t);
    if (lan.n)
        dx_text_add(&t, lan.p, lan.n);
    dx_text_free(&lan);
    if (write(STDERR_FILENO, t.p, t.n) < 0)
        s->unlogged++;
    dx_text_free(&t);
}
