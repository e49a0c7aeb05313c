/* SPDX-License-Identifier: MIT
 * words.c - exit codes, and error words that say what to try. */
#include "tool/tool.h"
#include "tool/options.h"
#include "tool/owner.h"
#include "tool/wires.h"
#include <duplex/text.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* clang-format off */
const struct tool_exit_row tool_exits[] = {
    {TOOL_DONE,        "done",         "all went well: what there was to send was sent, the peer ended cleanly"},
    {TOOL_FAILED,      "failed",       "something that has no number of its own; the words say what"},
    {TOOL_USAGE,       "usage",        "the command line, or a URL in it, does not read"},
    {TOOL_ABSENT,      "absent",       "not in this build"},
    {TOOL_NAME,        "name",         "no such host name"},
    {TOOL_REFUSED,     "refused",      "nobody listens there, or no way leads there"},
    {TOOL_PROTO,       "protocol",     "the peer broke its protocol's rules"},
    {TOOL_TRUNCATED,   "truncated",    "what came stopped before its own end mark"},
    {TOOL_HTTP,        "http",         "the server answered with an HTTP error, or with no HTTP or WebSocket"},
    {TOOL_LOCAL,       "local",        "a local read or write failed (stdin, stdout, a file)"},
    {TOOL_LIMIT,       "limit",        "out of memory, descriptors, or another named limit"},
    {TOOL_TIMEOUT,     "timeout",      "it took too long"},
    {TOOL_RANGE,       "range",        "what the server has does not go on where the file stops"},
    {TOOL_TLS,         "tls",          "the TLS handshake failed, for a reason without a number below; or the peer said so"},
    {TOOL_BUSY,        "busy",         "the address to listen on is taken, or is not ours"},
    {TOOL_REDIRECTS,   "redirects",    "one redirect after the other, more than are followed"},
    {TOOL_HOST,        "host",         "the peer's certificate is for other names"},
    {TOOL_UNSENT,      "unsent",       "the peer ended before all of our input was sent"},
    {TOOL_RESET,       "reset",        "the peer broke the connection off"},
    {TOOL_OWN_CERT,    "own-cert",     "our own certificate or key does not read, or the peer does not take it"},
    {TOOL_NO_CIPHER,   "no-cipher",    "no TLS version or cipher in common"},
    {TOOL_UNTRUSTED,   "untrusted",    "nobody that we trust has signed the peer's certificate"},
    {TOOL_BIG,         "big",          "one message is over its limit"},
    {TOOL_CA,          "ca",           "the file of issuers to trust does not read"},
    {TOOL_PIN,         "pin",          "the peer has another key than the pinned one"},
    {TOOL_REVOKED,     "revoked",      "the peer's certificate was revoked"},
    {TOOL_EXPIRED,     "expired",      "the peer's certificate has expired"},
    {TOOL_NOT_YET,     "not-yet",      "the peer's certificate is not valid yet, or the clock here is wrong"},
    {TOOL_WEAK,        "weak",         "the peer's certificate has a weak signature or a short key"},
    {TOOL_CERT_USAGE,  "cert-usage",   "the peer's certificate is not meant for this use"},
    {TOOL_NO_CERT,     "no-cert",      "a certificate is wanted and none was shown"},
    {TOOL_ALPN,        "alpn",         "no application protocol in common"},
    {TOOL_SNI,         "sni",          "a name was asked for that no certificate there has"},
    {TOOL_PLAIN,       "plain",        "what answered is no TLS"},
    {TOOL_CUT,         "cut",          "the connection ended inside the TLS handshake"},
    {TOOL_UNMET,       "unmet",        "what was expected did not come: a checksum or an answer differs, or is lost"},
    {TOOL_INTERRUPTED, "interrupted",  "SIGINT (Ctrl-C) came first; told to stop, listen, relay and serve end well: 0"},
    {TOOL_TERMINATED,  "terminated",   "SIGTERM came first; told to stop, listen, relay and serve end well: 0"},
    {0},
};

/* A DX_SYS by its errno. */
static const struct {
    int saved_errno, code;
} by_errno[] = {
    {EHOSTUNREACH, TOOL_REFUSED}, {ENETUNREACH, TOOL_REFUSED}, {ENOENT, TOOL_REFUSED},  {ECONNREFUSED, TOOL_REFUSED},
    {EADDRNOTAVAIL, TOOL_BUSY},   {EADDRINUSE, TOOL_BUSY},     {EMFILE, TOOL_LIMIT},    {ENFILE, TOOL_LIMIT},
    {ENOMEM, TOOL_LIMIT},         {ECONNRESET, TOOL_RESET},    {EPIPE, TOOL_RESET},     {ETIMEDOUT, TOOL_TIMEOUT},
    {EMSGSIZE, TOOL_BIG},
};
/* clang-format on */

static int exit_of_errno(int saved_errno)
{
    for (size_t i = 0; i < sizeof by_errno / sizeof *by_errno; i++)
        if (by_errno[i].saved_errno == saved_errno)
            return by_errno[i].code;
    return TOOL_LOCAL;
}

int tool_exit_of(const dx_err *e)
{
    switch (e->code) {
    case DX_OK:
    case DX_END:
    case DX_CLOSED:
        return TOOL_DONE;
    case DX_TIMEOUT:
        return TOOL_TIMEOUT;
    case DX_BIG:
        return TOOL_BIG;
    case DX_RESET:
        return TOOL_RESET;
    case DX_REFUSED:
        return TOOL_REFUSED;
    case DX_RESOLVE:
        return TOOL_NAME;
    case DX_TLS:
        return tls_exit_of(e);
    case DX_PROTO:
        return e->detail_of == DX_OF_HTTP || e->detail_of == DX_OF_TLS ? TOOL_HTTP : TOOL_PROTO;
    case DX_TRUNCATED:
        return TOOL_TRUNCATED;
    case DX_URL:
        return TOOL_USAGE;
    case DX_LIMIT:
    case DX_NOMEM:
        return TOOL_LIMIT;
    case DX_BUSY:
        return TOOL_BUSY;
    case DX_ABSENT:
        return TOOL_ABSENT;
    case DX_SYS:
        return exit_of_errno(e->detail);
    default:
        return TOOL_FAILED;
    }
}

const char *tool_exit_name(int code)
{
    for (const struct tool_exit_row *r = tool_exits; r->name; r++)
        if (r->code == code)
            return r->name;
    return "failed";
}

const char *nearest_coding(const char *name)
{
    static const char *const codings[] = {
        "utf-8",        "gb18030",      "gbk",    "gb2312", "big5",       "big5-hkscs",  "shift_jis",
        "euc-jp",       "iso-2022-jp",  "euc-kr", "latin1", "iso-8859-1", "iso-8859-15", "koi8-r",
        "windows-1251", "windows-1252", "cp936",  "cp950",  "cp437",      "ascii",       "auto"};
    char lower[WORD_MAX + 1];
    size_t n = 0;
    for (; name[n] && n < WORD_MAX; n++)
        lower[n] = (char)tolower((unsigned char)name[n]);
    lower[n] = 0;
    return nearest(lower, codings, sizeof codings / sizeof *codings);
}

static void (*words_fn)(void *arg, const char *line, size_t n);
static void *words_arg;

void tool_say_to(void (*fn)(void *arg, const char *line, size_t n), void *arg)
{
    words_fn = fn;
    words_arg = arg;
}

ssize_t tool_write(const char *lines, size_t n)
{
    if (!words_fn || !isatty(STDERR_FILENO))
        return write(STDERR_FILENO, lines, n);
    words_fn(words_arg, lines, n);
    return (ssize_t)n;
}

static void say(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
static void say(const char *fmt, va_list ap)
{
    char line[1024];
    vsnprintf(line, sizeof line, fmt, ap);
    /* Error words may quote a peer: a terminal must obey none of it. */
    dx_text t = {0};
    if (dx_text_add(&t, "duplex: ", 8) < 0 || dx_visible(line, strlen(line), NULL, &t) < 0 ||
        dx_text_add(&t, "\n", 1) < 0)
        clearerr(stderr);
    else if (tool_write(t.p, t.n) < 0)
        clearerr(stderr); /* nobody is left to tell */
    dx_text_free(&t);
}

void tool_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

int tool_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    return TOOL_USAGE;
}

/* host:port of a URL, or the path of a unix one; a view into it. */
static dx_bytes where_of(const char *url)
{
    const char *p = strchr(url, ':');
    p = p ? p + 1 : url;
    p += strncmp(p, "//", 2) ? 0 : 2;
    return (dx_bytes){p, *p == '/' || *p == '@' ? strcspn(p, "#") : strcspn(p, "/?#")};
}

static size_t scheme_length(const char *url)
{
    const char *p = strchr(url, ':');
    return p ? (size_t)(p - url) : 0;
}

/* Blanks as URLs have them, none at the end, and the '/' that a '?' wants before it. false: its host is not without blanks, or there
 * is neither. */
static bool mend_path(const char *url, char *buf, size_t n)
{
    const char *rest = strstr(url, "://"), *end = rest ? rest + 3 + strcspn(rest + 3, "/?#") : url;
    size_t at = 0, host = strcspn(url, " "), all = strlen(url);
    bool blank = url[host], slash = *end == '?';
    if (!rest || url + host < end || !(blank || slash))
        return false;
    while (all && url[all - 1] == ' ')
        all--;
    for (const char *p = url; p < url + all && at + 4 < n; p++) {
        if (p == end && slash)
            buf[at++] = '/';
        if (*p == ' ') {
            memcpy(buf + at, "%20", 3);
            at += 3;
        } else {
            buf[at++] = *p;
        }
    }
    buf[at] = 0;
    return true;
}

/* A URL that would read, made from one that does not: the scheme is missing or nearly right. */
static bool mend_url(const char *url, char *buf, size_t n)
{
    const char *rest = strstr(url, "://");
    const char *scheme = wire_scheme(url);
    if (wire_is_local(url))
        return false;
    if (!rest && scheme) { /* tcp:HOST:PORT, as socat has it */
        const char *host = url + strlen(scheme) + 1;
        snprintf(buf, n, "%s://%.200s", scheme, host + (*host == '/' && !wire_is_path(url)));
        return *host;
    }
    if (!rest) {
        bool port = strchr(url, ':') && strchr(url, ':')[1] >= '0' && strchr(url, ':')[1] <= '9';
        snprintf(buf, n, *url == '/' ? "unix://%.200s" : "tcp://%.200s", url);
        return port || *url == '/';
    }
    const char *near = wire_nearest(url, (size_t)(rest - url));
    if (near && wire_is(url, near))
        return mend_path(url, buf, n);
    if (!near)
        return false;
    snprintf(buf, n, "%s%.200s", near, rest);
    return true;
}

/* serve takes its URLs by option. */
static const char *option_of(const char *doing)
{
    return strcmp(doing, "serve") ? "" : "--listen ";
}

static void words_for_url(const char *doing, const char *url, const dx_err *e, char *buf, size_t n)
{
    char mended[240];
    size_t end = strlen(e->text);
    const char *stop = end && strchr("?.", e->text[end - 1]) ? "" : "."; /* after a question there is none */
    if (!strcmp(doing, "fetch") && strstr(e->text, "user and password")) /* and not said on the screen once more */
        snprintf(buf, n, "user and password do not go into a url.  Try: --user NAME:PASSWORD");
    else if (mend_url(url, mended, sizeof mended))
        snprintf(buf, n, "%s%s  Did you mean: duplex %s %s%s", e->text, stop, doing, option_of(doing), mended);
    else
        snprintf(buf, n, "%s%s  Try: duplex help%s%s", e->text, stop, command_find(doing) ? " " : "",
                 command_find(doing) ? doing : "");
}

/* An address that would do in place of a taken one: any free port of the same host, or another path. */
static void words_for_busy(const char *doing, const char *url, char *buf, size_t n)
{
    char owner[80], by[100] = "";
    dx_bytes at = where_of(url);
    const char *option = option_of(doing);
    if (owner_of_port(url, owner, sizeof owner))
        snprintf(by, sizeof by, " by %s", owner);
    if (wire_is_path(url)) {
        snprintf(buf, n, "%.*s is taken%s.  Try: duplex %s %s%.*s://%.*s.2", (int)at.n, (const char *)at.p, by, doing,
                 option, (int)scheme_length(url), url, (int)at.n, (const char *)at.p);
        return;
    }
    size_t host = at.n;
    while (host && ((const char *)at.p)[host - 1] != ':')
        host--;
    snprintf(buf, n, "%.*s is taken%s.  Try: duplex %s %s%.*s://%.*s0", (int)at.n, (const char *)at.p, by, doing,
             option, (int)scheme_length(url), url, (int)host, (const char *)at.p);
}

/* The path of a file or a command that is not there, or of a socket to make in a folder that is not. */
static void words_for_no_path(dx_bytes at, bool unix_path, char *buf, size_t n)
{
    dx_bytes slash = at;
    while (unix_path && slash.n > 1 && ((const char *)slash.p)[slash.n - 1] != '/')
        slash.n--;
    if (unix_path && slash.n > 1)
        snprintf(buf, n, "no folder %.*s for the socket.  Try: mkdir -p %.*s", (int)slash.n, (const char *)slash.p,
                 (int)slash.n, (const char *)slash.p);
    else
        snprintf(buf, n, "no such file: %.*s", (int)(at.n < 200 ? at.n : 200), (const char *)at.p);
}

static const char *advice_on_proxy(const dx_err *e)
{
    enum { LOGIN_REQUIRED = 407 };
    if (e->code == DX_TLS)
        return "its URL with #ca=FILE or #pin=sha256:..., to say whom to believe there";
    if ((e->detail_of == DX_OF_HTTP && e->detail == LOGIN_REQUIRED) || strstr(e->text, "log in"))
        return "NAME:PASSWORD@ before its host";
    return "--proxy '' for none";
}

/* The library says "dial URL: cause" of what it has dialled. */
bool tool_words_of_proxy(const char *url, const dx_err *e, char *buf, size_t n)
{
    static const char *const kinds[] = {"http", "https", "socks5", "socks5h", NULL};
    const char *it = !strncmp(e->text, "dial ", 5) ? e->text + 5 : "", *cause = strstr(it, ": ");
    const char *host = wire_among(it, kinds) ? strstr(it, "://") : NULL;
    if (!cause || !host || host > cause)
        return false;
    int whose = (int)(host + 3 - it), shown = (int)(cause - it);
    whose += (int)strcspn(it + whose, "/?#") < shown - whose ? (int)strcspn(it + whose, "/?#") : shown - whose;
    if (!strncasecmp(it, url, (size_t)whose))
        return false;
    snprintf(buf, n, "the proxy %.*s: %s.  Try: %s", whose, it, cause + 2, advice_on_proxy(e));
    return true;
}

/* Clear text was spoken to what speaks TLS. */
static void words_for_tls(const char *doing, const char *url, const char *text, char *buf, size_t n)
{
    snprintf(buf, n, "%s.  Try: duplex %s %s%.200s", text, doing, tls_scheme_of(url), strchr(url, ':'));
}

void tool_words(const char *doing, const char *url, const dx_err *e, char *buf, size_t n)
{
    dx_bytes at = where_of(url);
    int at_n = (int)(at.n < 200 ? at.n : 200), bare = (int)strcspn(url, "#"); /* a pin or a TTL is for who dials */
    const char *p = at.p, *text = e->text[0] ? e->text : dx_code_text(e->code);
    int code = tool_exit_of(e);
    bool fetching = !strcmp(doing, "fetch"), dialling = fetching || !strcmp(doing, "dial"),
         unix_path = wire_is_path(url);
    bool path = unix_path || !strstr(url, "://"); /* else it is a file that a fragment names */
    if (dialling && tool_words_of_proxy(url, e, buf, n))
        return;
    if (e->code == DX_SYS && e->detail == ENOENT && path && !(dialling && unix_path))
        words_for_no_path(at, unix_path, buf, n);
    else if (code == TOOL_REFUSED && e->detail == ECONNREFUSED && fetching)
        snprintf(buf, n, "nobody listens on %.*s (connection refused).  Is the server there, and the port right?", at_n,
                 p);
    else if (code == TOOL_REFUSED && (e->detail == ECONNREFUSED || e->detail == ENOENT) && dialling)
        snprintf(buf, n, "nobody listens on %.*s (%s).  Try: duplex listen %.*s%s", at_n, p,
                 e->detail == ENOENT ? "no such socket" : "connection refused", bare < 200 ? bare : 200, url,
                 wire_is_tls(url) ? "#cert=auto" : "");
    else if (e->code == DX_TLS)
        tls_words(doing, url, e, buf, n);
    else if (e->code == DX_RESOLVE)
        snprintf(buf, n, "no such name: %.*s.  Is it spelled right?", (int)strcspn(p, ":/?#"), p);
    else if (e->code == DX_TIMEOUT && dialling)
        snprintf(buf, n, "%.*s did not answer in time.  Try: --timeout 30s", at_n, p);
    else if (e->code == DX_ABSENT)
        snprintf(buf, n, "%s %.*s:// is not in this build.  duplex help names the wires",
                 dialling ? "dialling" : "listening on", (int)scheme_length(url), url);
    else if (e->code == DX_URL)
        words_for_url(doing, url, e, buf, n);
    else if (e->code == DX_BUSY)
        words_for_busy(doing, url, buf, n);
    else if (code == TOOL_BUSY)
        snprintf(buf, n, "%s.  Try: an address of this machine (ip address)", text);
    else if (e->code == DX_SYS && e->detail == EACCES && !dialling)
        snprintf(buf, n, "%s.  Try: a port from 1024 on", text);
    else if (e->code == DX_PROTO && e->detail_of == DX_OF_TLS)
        words_for_tls(doing, url, text, buf, n);
    else if (e->code == DX_RESET)
        snprintf(buf, n, "%.*s broke the connection off (reset)", at_n, p);
    else
        snprintf(buf, n, "%s", text);
}

int tool_fail(const char *doing, const char *url, const dx_err *e)
{
    char words[720];
    tool_words(doing, url, e, words, sizeof words);
    tool_say("%s", words);
    /* No socket to dial is nobody there; any other path that is not there is a fault of this side. */
    if (e->code == DX_SYS && e->detail == ENOENT && (strcmp(doing, "dial") || !wire_is_path(url)))
        return TOOL_LOCAL;
    return tool_exit_of(e);
}
