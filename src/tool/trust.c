/* SPDX-License-Identifier: MIT
 * trust.c - dx_tls_opts from options and URLs, and the life of what they make. */
#include "tool/trust.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { A_DAY_MS = 86400000, LIST_MAX = 16384 };

/* What was said, and by which option, before it is a dx_tls_opts: the strings live here. */
struct said {
    char cert[LIST_MAX], key[LIST_MAX], pins[LIST_MAX], ca[LIST_MAX];
    bool insecure, client_cert;
};

/* ---- URLs ---- */

/* Is "name" or "name=value" among the words of url's fragment? Its value into buf. */
static bool in_fragment(const char *url, const char *name, char *buf, size_t n)
{
    const char *p = wire_may_be_tls(url) ? strchr(url, '#') : NULL;
    size_t name_n = strlen(name);
    for (p = p ? p + 1 : ""; *p; p += strcspn(p, ","), p += *p == ',') {
        size_t word = strcspn(p, ","), value = name_n + (word > name_n);
        if (word < name_n || strncmp(p, name, name_n) || (word > name_n && p[name_n] != '='))
            continue;
        snprintf(buf, n, "%.*s", (int)(word - value), p + value);
        return true;
    }
    return false;
}

/* A word that is not known may be a pin that is mistyped: nothing of TLS is guessed. */
static int check_fragment(const char *url)
{
    static const char *const words[] = {"cert", "key", "ca", "pin", "insecure", "bind", "ttl"};
    enum { INSECURE = 4, WORDS = 7 };
    const char *p = wire_is_tls(url) ? strchr(url, '#') : NULL;
    for (p = p ? p + 1 : ""; *p; p += strcspn(p, ","), p += *p == ',') {
        size_t n = strcspn(p, ","), name = strcspn(p, ",="), i = 0;
        char word[40];
        snprintf(word, sizeof word, "%.*s", (int)name, p);
        while (i < WORDS && strcmp(words[i], word))
            i++;
        const char *near = nearest(word, words, WORDS);
        if (i == WORDS)
            tool_say("#%s: there is no such word of TLS in a URL.%s%s%s", word, near ? "  Did you mean #" : "",
                     near ? near : "", near ? "?" : "");
        else if (i == INSECURE ? n != name : n < name + 2)
            tool_say("#%s %s", word, i == INSECURE ? "takes no value" : "wants a value");
        else
            continue;
        return TOOL_USAGE;
    }
    return -1;
}

/* ---- options ---- */

static bool has(const struct options *o, const char *name)
{
    return option_is(o->command, name) && option_has(o, name);
}

/* All that was given by that name, joined by ','. false: it does not fit. */
static bool join(const struct options *o, const char *name, char buf[LIST_MAX])
{
    int at = 0;
    size_t n = 0;
    const char *text;
    *buf = 0;
    while (option_is(o->command, name) && (text = option_next(o, name, &at))) {
        int r = snprintf(buf + n, LIST_MAX - n, "%s%s", n ? "," : "", text);
        if (r < 0 || (size_t)r >= LIST_MAX - n)
            return false;
        n += (size_t)r;
    }
    return true;
}

/* The certificate to show is one thing, whom to trust another: an option for one leaves the URL's other as it is. */
static bool read_all(struct said *s, const struct options *o, const char *url)
{
    char none[2];
    if (!join(o, "cert", s->cert) || !join(o, "key", s->key) || !join(o, "pin", s->pins))
        return false;
    join(o, has(o, "client-ca") ? "client-ca" : "ca", s->ca);
    s->insecure = has(o, "insecure");
    s->client_cert = has(o, "client-ca");
    if (!*s->cert && !*s->key) {
        in_fragment(url, "cert", s->cert, sizeof s->cert);
        in_fragment(url, "key", s->key, sizeof s->key);
    }
    if (!*s->pins && !*s->ca && !s->insecure) {
        in_fragment(url, "pin", s->pins, sizeof s->pins);
        in_fragment(url, "ca", s->ca, sizeof s->ca);
        s->insecure = in_fragment(url, "insecure", none, sizeof none);
    }
    return true;
}

static int usage(const char *words)
{
    tool_say("%s", words);
    return TOOL_USAGE;
}

static const char *const of_tls[] = {"cert", "key", "pin", "ca", "client-ca", "insecure"};

/* --pin "$PIN" of a script that forgot to set it must not mean no pin. */
static int check_empty(const struct options *o)
{
    for (size_t i = 0; i < sizeof of_tls / sizeof *of_tls; i++) {
        int at = 0;
        const char *text = "x";
        while (option_is(o->command, of_tls[i]) && text && *text)
            text = option_next(o, of_tls[i], &at);
        if (text && !*text) {
            tool_say("--%s wants a value, and this one is empty", of_tls[i]);
            return TOOL_USAGE;
        }
    }
    return -1;
}

/* Options of TLS where every wire is another promise more than they do. */
static int check_wires(const struct options *o)
{
    for (int i = 0; i < o->arg_count; i++)
        if (wire_may_be_tls(o->args[i]) || !strchr(o->args[i], ':'))
            return -1;
    for (size_t i = 0; o->arg_count && i < sizeof of_tls / sizeof *of_tls; i++)
        if (has(o, of_tls[i])) {
            const char *url = o->args[0];
            tool_say("--%s is for TLS, which %.200s is not.  Did you mean: duplex %s %s%.200s", of_tls[i], url,
                     o->command->name, tls_scheme_of(url), strchr(url, ':'));
            return TOOL_USAGE;
        }
    return -1;
}

static int check(const struct said *s, const char *url)
{
    if (*s->key && !*s->cert)
        return usage(url ? "--key wants its certificate: --cert FILE"
                         : "--key wants its certificate: --cert FILE.  (The key of the room is $DUPLEX_KEY)");
    if (s->insecure && (*s->pins || *s->ca))
        return usage("--insecure believes anybody, --pin and --ca do not: one of them");
    if (*s->pins && *s->ca)
        return usage("--pin or --ca, not both: where a pin is said nothing else is asked");
    if (s->client_cert && wire_is(url, "any"))
        return usage("--client-ca would keep nobody out: any:// takes clear text as well.  Try: tls://");
    return -1;
}

/* ---- making ---- */

static dx_tls *make(const struct said *s, const char *names, dx_err *err)
{
    const dx_tls_opts o = {.cert = *s->cert ? s->cert : NULL,
                           .key = *s->key ? s->key : NULL,
                           .ca = *s->ca ? s->ca : NULL,
                           .pins = *s->pins ? s->pins : NULL,
                           .names = names && *names ? names : NULL,
                           .insecure = s->insecure,
                           .client_cert = s->client_cert};
    return dx_tls_new(&o, err);
}

static int make_failed(const struct said *s, const dx_err *e)
{
    bool file = e->code == DX_SYS || (e->code == DX_TLS && e->detail == DX_TLS_FILE);
    const dx_tls_opts ca = {.ca = s->ca};
    dx_tls *alone = file && *s->ca ? dx_tls_new(&ca, NULL) : NULL; /* whose file is it that does not read? */
    bool is_ca = file && *s->ca && !alone;
    dx_tls_drop(alone);
    tool_say("%s%s", e->text,
             e->code == DX_TLS && file && !is_ca && *s->cert && !*s->key && strcmp(s->cert, "auto")
                 ? ".  Is its key in another file?  Try: --key FILE"
                 : "");
    return is_ca ? TOOL_CA : file ? TOOL_OWN_CERT : tool_exit_of(e);
}

/* ---- our own certificate's dates ---- */

struct dated {
    int count;
    char words[120]; /* "": it is in date */
};

/* The leaf's: what comes behind it in the file is its issuers'. */
static void look_at_dates(void *arg, const dx_cert_info *i)
{
    struct dated *d = arg;
    time_t now = time(NULL), when = now > i->until_s ? (time_t)i->until_s : (time_t)i->from_s;
    struct tm tm;
    char day[16];
    if (d->count++ || (now >= i->from_s && now <= i->until_s))
        return;
    strftime(day, sizeof day, "%Y-%m-%d", gmtime_r(&when, &tm));
    snprintf(d->words, sizeof d->words, "%s %s", now > i->until_s ? "expired on" : "is not valid before", day);
}

/* It is shown all the same: whoever has its pin believes it. */
static void say_dates(const struct trust *t, void (*say)(void *arg, const char *words), void *arg)
{
    char path[4096], words[400];
    for (const char *p = t->files ? t->files : ""; *p; p += strcspn(p, ","), p += *p == ',') {
        struct dated d = {0};
        snprintf(path, sizeof path, "%.*s", (int)strcspn(p, ","), p);
        dx_cert_read(path, look_at_dates, &d, NULL);
        snprintf(words, sizeof words, "our certificate %.200s %s.  Try: duplex cert make", path, d.words);
        if (*d.words)
            say(arg, words);
    }
}

static void say_it(void *arg, const char *words)
{
    (void)arg;
    tool_say("%s", words);
}

bool trust_lacks(const struct trust *t, const struct options *o, const char *url)
{
    const char *name = (o->as ? o->as : o->command)->name;
    bool serves = !strcmp(name, "serve"), relays = !strcmp(name, "relay");
    int scheme = (int)strcspn(url, ":");
    char none[2];
    if (t->shows || !wire_is_tls(url) || in_fragment(url, "cert", none, sizeof none))
        return false;
    if (serves)
        tool_say("who listens on %.*s:// shows a certificate.  Try: duplex serve --tls --listen %.200s", scheme, url,
                 url);
    else if (strcmp(name, "listen") && !relays)
        tool_say("who listens on %.*s:// shows a certificate.  Try: --cert auto, or --cert FILE --key FILE", scheme,
                 url);
    else
        tool_say("who listens on %.*s:// shows a certificate.  Try: duplex %s %.200s%ccert=auto%s, or "
                 "--cert FILE --key FILE",
                 scheme, url, name, url, strchr(url, '#') ? ',' : '#', relays ? " TARGET-URL" : "");
    return true;
}

/* Whose certificate is asked for: the other side's, or ours. */
static bool does_dial(const struct options *o)
{
    const char *name = o->command->name;
    return !strcmp(name, "dial") || !strcmp(name, "bench") || !strcmp(name, "fetch") ||
           (!strcmp(name, "send") && !option_has(o, "listen")) || (!strcmp(name, "recv") && option_has(o, "dial"));
}

int trust_read(struct trust *t, const struct options *o, const char *url, const char *names)
{
    static struct said s; /* large for a stack; one thread */
    dx_err err = {0};
    bool dials = does_dial(o);
    int r = check_wires(o);
    *t = (struct trust){0};
    if (r < 0)
        r = check_empty(o);
    if (r < 0)
        r = check_fragment(url);
    if (r >= 0 || (url && !wire_may_be_tls(url)))
        return r;
    if (!read_all(&s, o, url))
        return usage("too many certificates, keys or pins");
    if (option_is(o->command, "tls") && option_has(o, "tls") && !*s.cert && !*s.key)
        strcpy(s.cert, "auto");
    t->shows = *s.cert;
    t->renews = !strcmp(s.cert, "auto");
    if ((r = check(&s, url)) >= 0)
        return r;
    if (!dials && url && trust_lacks(t, o, url))
        return TOOL_USAGE;
    if (s.insecure && dials)
        tool_say("--insecure: anybody could be at the other end");
    if (!*s.cert && !*s.pins && !*s.ca && !s.insecure)
        return -1;
    t->tls = make(&s, names, &err);
    if (!t->tls)
        return make_failed(&s, &err);
    t->files = t->shows && !t->renews ? strdup(s.cert) : NULL;
    say_dates(t, say_it, NULL);
    return -1;
}

/* ---- its life ---- */

void trust_reload(struct trust *t)
{
    char words[400];
    dx_err err = {0};
    if (!t->tls)
        return;
    if (dx_tls_reload(t->tls, &err) < 0)
        snprintf(words, sizeof words, "certificates not read anew: %s; the old ones stay", err.text);
    else
        snprintf(words, sizeof words, "certificates read anew%s%s", t->shows ? ", pin " : "",
                 t->shows ? dx_tls_pin(t->tls) : "");
    t->say(t->arg, words);
    say_dates(t, t->say, t->arg);
}

/* A day early or late does not matter to a leaf that has a month left: nothing is said unless it fails. */
static void renew(void *arg)
{
    struct trust *t = arg;
    dx_err err = {0};
    char words[400];
    t->timer = dx_loop_after(t->loop, A_DAY_MS, renew, t);
    if (dx_tls_reload(t->tls, &err) >= 0)
        return;
    snprintf(words, sizeof words, "the certificate could not be looked after: %s", err.text);
    t->say(t->arg, words);
}

void trust_keep(struct trust *t, dx_loop *loop, void (*say)(void *arg, const char *words), void *arg)
{
    t->loop = loop;
    t->say = say;
    t->arg = arg;
    if (t->tls && t->renews)
        t->timer = dx_loop_after(loop, A_DAY_MS, renew, t);
}

void trust_rest(struct trust *t)
{
    if (t->timer > 0)
        dx_loop_cancel(t->loop, t->timer);
    t->timer = 0;
}

void trust_free(struct trust *t)
{
    dx_tls_drop(t->tls);
    free(t->files);
    *t = (struct trust){0};
}

void trust_tell(dx_conn *c, const char *who)
{
    dx_tls_info i;
    if (dx_tls_info_of(c, &i) < 0)
        return;
    tool_say("%s%s, %s%s%s%s%s%s%s%s", who, i.version, i.cipher, *i.group ? ", " : "", i.group,
             *i.alpn ? ", alpn " : "", i.alpn, *i.server_name ? ", for " : "", i.server_name,
             i.resumed ? ", resumed" : "");
    if (*i.peer_pin)
        tool_say("%speer %s, pin %s", who, i.peer_subject, i.peer_pin);
}
