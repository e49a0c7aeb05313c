/* SPDX-License-Identifier: MIT
 * options.c - the parser over the tables of table.c. */
#include "tool/options.h"
#include "tool/wires.h"
#include "tool/tool.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES_MAX = 64, NUMBER_DIGITS_MAX = 12 };
#define DURATION_MS_MAX INT64_C(4000000000000) /* 126 years: in ns it still fits 64 bits, and so does now beside it */

/* Options whose value may be empty: it means something there. */
static const char may_be_empty[] = "data exit-word proxy reply send sep";

/* Is name one of the blank-separated words of list? */
static bool among(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; (p = strstr(p, name)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    return false;
}

const struct opt *option_row(const struct command *c, const struct opt *o)
{
    for (o = o ? o + 1 : option_table; o->name; o++)
        if (among(o->commands, c->name))
            return o;
    return NULL;
}

static const struct opt *opt_named(const struct command *c, const char *name, size_t n)
{
    for (const struct opt *o = option_row(c, NULL); o; o = option_row(c, o))
        if (strlen(o->name) == n && !memcmp(o->name, name, n))
            return o;
    return NULL;
}

bool option_of_kind(const struct command *c, enum opt_kind kind)
{
    for (const struct opt *o = option_row(c, NULL); o; o = option_row(c, o))
        if (o->kind == kind)
            return true;
    return false;
}

static const struct opt *opt_lettered(const struct command *c, char letter)
{
    for (const struct opt *o = option_row(c, NULL); o; o = option_row(c, o))
        if (o->letter == letter)
            return o;
    return NULL;
}

const char *nearest_command(const char *word)
{
    const char *names[CANDIDATES_MAX];
    size_t n = 0;
    for (const struct command *c = command_table; c->name && n < CANDIDATES_MAX; c++)
        names[n++] = c->name;
    return nearest(word, names, n);
}

const struct command *command_find(const char *name)
{
    for (const struct command *c = command_table; c->name; c++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

/* A row of that name which belongs to other commands; NULL: none. */
static const struct opt *opt_elsewhere(const char *name)
{
    for (const struct opt *o = option_table; o->name; o++)
        if (!strcmp(o->name, name))
            return o;
    return NULL;
}

/* What other programs call by that name. NULL: nothing. */
static const char *habit(const struct command *c, const char *name)
{
    static const char wires[] = "dial listen relay send recv bench replay";
    static const struct {
        const char *commands, *names, *words;
    } rows[] = {{"serve", "port p address bind", "Try: --listen any://HOST:PORT"},
                {wires, "port p", "The port is part of the URL: tcp://HOST:PORT"},
                {wires, "host address", "The host is part of the URL: tcp://HOST:PORT"},
                {"listen relay recv", "bind", "What to listen on is the URL: tcp://ADDRESS:PORT"},
                {"recv", "resume continue", "A transfer begins anew each time; --force takes the place of a .part"},
                {"send", "resume continue", "A transfer begins anew each time"},
                {"fetch", "L location follow", "Redirects are followed; --no-location follows none"},
                {"fetch", "compressed", "Compressed bodies are asked for; --no-compression asks for none"},
                {"fetch", "f S fail show-error", "A status of 400 and up is exit 22, and errors are always said"},
                {"fetch", "s silent", "Did you mean --quiet?"},
                {"fetch", "k no-check-certificate", "Did you mean --insecure?"},
                {"fetch", "cacert", "Did you mean --ca?"},
                {"fetch", "x", "Did you mean --proxy?"},
                {"fetch", "c C continue-at", "Did you mean --continue?"},
                {"fetch", "m max-time", "Did you mean --within?"},
                {"fetch", "connect-timeout", "Did you mean --timeout?"},
                {"fetch", "request", "Did you mean --method?"},
                {"fetch", "output", "Did you mean --out?"},
                {"fetch", "T upload-file", "Try: -X PUT --data-file FILE"},
                {"fetch", "data-binary data-raw", "Try: --data TEXT, or --data-file FILE"},
                {"fetch", "F form", "A form with files in it is not made here.  Try: -d 'a=1&b=2'"},
                {"fetch", "A user-agent", "Try: -H 'User-Agent: NAME'"},
                {"fetch", "b cookie", "Try: -H 'Cookie: NAME=VALUE'"},
                {"fetch", "r range", "Try: -H 'Range: bytes=0-99'"},
                {"bench", "z d time duration", "Did you mean --for?"},
                {"fetch", "w write-out", "Did you mean --json?"},
                {"fetch", "D dump-header", "Did you mean --include?"},
                {"serve", "d directory dir", "The folder is the argument: duplex serve DIR"},
                {"serve", "v verbose", "Try: --access-log -"},
                {"serve", "qrcode", "Try: --lan --tls"},
                {"dial", "n N", "The end of stdin is said where the wire can say it"},
                {"dial", "w q", "Did you mean --idle-ends?"},
                {"dial", "origin", "Try: --header 'Origin: https://HOST'"},
                {"dial", "H", "Did you mean --header?"},
                {"dial", "protocol", "Did you mean --subprotocol?"},
                {"dial", "k", "Did you mean --insecure?"},
                {"dial", "l listen", "Try: duplex listen URL"},
                {"dial", "u udp", "Try: udp://HOST:PORT"},
                {"dial", "U unix", "Try: unix:///PATH"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (among(rows[i].commands, c->name) && among(rows[i].names, name))
            return rows[i].words;
    return NULL;
}

/* "send recv" as "send, recv" */
static void put_list(const char *words, char *buf, size_t n)
{
    size_t at = 0;
    for (; *words && at + 2 < n; words++) {
        if (*words == ' ')
            buf[at++] = ',';
        buf[at++] = *words;
    }
    buf[at] = 0;
}

static int unknown(const struct command *c, const char *word, size_t n, char *why, size_t why_n)
{
    const char *names[CANDIDATES_MAX] = {"help"}, *near, *words;
    char name[WORD_MAX + 1], list[80];
    size_t count = 1;
    const struct opt *other;
    for (const struct opt *o = option_row(c, NULL); o && count < CANDIDATES_MAX; o = option_row(c, o))
        names[count++] = o->name;
    snprintf(name, sizeof name, "%.*s", n > WORD_MAX ? WORD_MAX : (int)n, word);
    if ((words = habit(c, name))) {
        snprintf(why, why_n, "%s has no option --%s.  %s", c->name, name, words);
    } else if ((other = opt_elsewhere(name))) {
        put_list(other->commands, list, sizeof list);
        snprintf(why, why_n, "%s has no option --%s: it is one of duplex %s", c->name, name, list);
    } else if ((near = nearest(name, names, count)))
        snprintf(why, why_n, "%s has no option --%s.  Did you mean --%s?", c->name, name, near);
    else
        snprintf(why, why_n, "%s has no option --%s.  Try: duplex %s --help", c->name, name, c->name);
    return -1;
}

/* A decimal number in thousandths, of few digits before the point; -1: it is none. */
static int64_t decimal(const char *s, const char **ret_rest)
{
    int64_t whole = 0, milli = 0, scale = 1000;
    int digits = 0;
    for (; isdigit((unsigned char)*s) && digits < NUMBER_DIGITS_MAX; s++, digits++)
        whole = whole * 10 + (*s - '0');
    if (!digits && !(*s == '.' && isdigit((unsigned char)s[1])))
        return -1;
    if (*s == '.')
        for (s++; isdigit((unsigned char)*s) && scale > 1; s++) {
            scale /= 10;
            milli += (*s - '0') * scale;
        }
    *ret_rest = s;
    return whole * 1000 + milli;
}

static int number_read(const struct opt *o, const char *text, int64_t *ret_number)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const char *rest = NULL;
    int64_t milli = decimal(text, &rest);
    if (milli < 0)
        return -1;
    if (o->kind == OPT_COUNT || o->kind == OPT_MAYBE) {
        if (*rest || milli % 1000 || milli == 0 || strchr(text, '.'))
            return -1;
        *ret_number = milli / 1000;
        return 0;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(rest, units[i].unit) && milli <= INT64_MAX / units[i].ms) {
            *ret_number = milli * units[i].ms / 1000;
            return *ret_number <= DURATION_MS_MAX ? 0 : -1;
        }
    return -1;
}

static int give(struct options *r, const struct opt *o, const char *text, char *why, size_t why_n)
{
    int64_t number = 0;
    if (r->given_count == OPTIONS_GIVEN_MAX) {
        snprintf(why, why_n, "more than %d options", OPTIONS_GIVEN_MAX);
        return -1;
    }
    if (text && !*text && !among(may_be_empty, o->name)) {
        snprintf(why, why_n, "--%s wants a value, and not an empty one: --%s %s", o->name, o->name, o->arg);
        return -1;
    }
    if ((o->kind == OPT_COUNT || o->kind == OPT_MS || (o->kind == OPT_MAYBE && text)) &&
        number_read(o, text, &number) < 0) {
        snprintf(why, why_n, "--%s wants %s, not '%.60s'", o->name,
                 o->kind == OPT_MS                                ? "a duration such as 500ms, 2s or 1m"
                 : strspn(text, "0123456789") > NUMBER_DIGITS_MAX ? "a whole number from 1 to 999999999999"
                                                                  : "a whole number from 1 on",
                 text);
        return -1;
    }
    r->given[r->given_count++] = (struct option_given){o, text, number};
    return 0;
}

/* Is it one of the words in "[a|b]"? */
static bool is_word_of(const struct opt *o, const char *word)
{
    size_t n = word ? strlen(word) : 0;
    for (const char *p = o->arg + 1; n && *p; p += strcspn(p, "|]") + 1)
        if (strcspn(p, "|]") == n && !memcmp(p, word, n))
            return true;
    return false;
}

/* "--name", "--name=word", or "--name" "word" where the next is one of its words. */
static int take_word(struct options *r, const struct opt *o, const char *eq, const char *next, char *why, size_t why_n)
{
    const char *word = eq ? eq + 1 : is_word_of(o, next) ? next : NULL;
    if (eq && !is_word_of(o, word)) {
        snprintf(why, why_n, "--%s is %s, not '%.60s'", o->name, o->arg, word);
        return -1;
    }
    return give(r, o, word, why, why_n) < 0 ? -1 : word && !eq ? 2 : 1;
}

/* "--name", "--name=value" or "--name" "value". Returns how many words of argv it took, or -1. */
static int take_long(struct options *r, char **argv, char *why, size_t why_n)
{
    const char *name = argv[0] + 2, *eq = strchr(name, '=');
    size_t n = eq ? (size_t)(eq - name) : strlen(name);
    const struct opt *o = opt_named(r->command, name, n);
    if (!o)
        return unknown(r->command, name, n, why, why_n);
    if (o->kind == OPT_WORD)
        return take_word(r, o, eq, argv[1], why, why_n);
    if (o->kind == OPT_FLAG || (o->kind == OPT_MAYBE && !eq)) {
        if (!eq)
            return give(r, o, NULL, why, why_n) < 0 ? -1 : 1;
        snprintf(why, why_n, "--%s takes no value", o->name);
        return -1;
    }
    if (!eq && !argv[1]) {
        snprintf(why, why_n, "--%s wants a value: --%s %s", o->name, o->name, o->arg);
        return -1;
    }
    return give(r, o, eq ? eq + 1 : argv[1], why, why_n) < 0 ? -1 : eq ? 1 : 2;
}

static int unknown_letter(const struct command *c, char letter, char *why, size_t why_n)
{
    const char name[] = {isprint((unsigned char)letter) ? letter : '?', 0}, *words = habit(c, name);
    if (words)
        snprintf(why, why_n, "%s has no option -%s.  %s", c->name, name, words);
    else
        snprintf(why, why_n, "%s has no option -%s.  Try: duplex %s --help", c->name, name, c->name);
    return -1;
}

/* "-v", "-vf line", "-fline". */
static int take_short(struct options *r, char **argv, char *why, size_t why_n)
{
    for (const char *p = argv[0] + 1; *p; p++) {
        const struct opt *o = opt_lettered(r->command, *p);
        if (*p == 'h') {
            r->help = true;
            return 1;
        }
        if (!o)
            return unknown_letter(r->command, *p, why, why_n);
        if (o->kind != OPT_FLAG && o->kind != OPT_WORD && o->kind != OPT_MAYBE) {
            if (!p[1] && !argv[1]) {
                snprintf(why, why_n, "-%c wants a value: -%c %s", *p, *p, o->arg);
                return -1;
            }
            return give(r, o, p[1] ? p + 1 : argv[1], why, why_n) < 0 ? -1 : p[1] ? 1 : 2;
        }
        if (give(r, o, NULL, why, why_n) < 0)
            return -1;
    }
    return 1;
}

/* As nc takes them. */
static bool is_host_and_port(const char *const *args)
{
    size_t n = strlen(args[1]);
    return n && n <= 5 && strspn(args[1], "0123456789") == n && !strchr(args[0], ':') && !strchr(args[0], '/');
}

static int check_args(const struct command *c, const struct options *r, char *why, size_t why_n)
{
    if (r->arg_count < c->args_min)
        snprintf(why, why_n, "%s wants %s  Try: duplex %s --help", c->name, c->args, c->name);
    else if (r->arg_count == 2 && c->args_max == 1 && is_host_and_port(r->args))
        snprintf(why, why_n, "a host and its port are one URL.  Did you mean: duplex %s tcp://%.100s:%.5s", c->name,
                 r->args[0], r->args[1]);
    else if (r->arg_count && option_is(c, "lan") && wire_scheme(r->args[0])) /* serve, which takes a folder */
        snprintf(why, why_n, "%s takes its URLs by option.  Did you mean: duplex %s --listen %.160s", c->name, c->name,
                 r->args[0]);
    else if (r->arg_count > c->args_max)
        snprintf(why, why_n, "'%.60s' is one argument too many.  Usage: duplex %s %s", r->args[c->args_max], c->name,
                 c->args);
    else
        return 0;
    return -1;
}

int options_parse(const struct command *c, int argc, char **argv, struct options *ret, char *why, size_t why_n)
{
    bool plain = false; /* after "--" */
    memset(ret, 0, sizeof *ret);
    ret->command = c;
    for (int i = 1, took; i < argc && !ret->help; i += took) {
        took = 1;
        if (!plain && !strcmp(argv[i], "--"))
            plain = true;
        else if (!plain && !strcmp(argv[i], "--help"))
            ret->help = true;
        else if (!plain && !strncmp(argv[i], "--", 2))
            took = take_long(ret, argv + i, why, why_n);
        else if (!plain && argv[i][0] == '-' && argv[i][1])
            took = take_short(ret, argv + i, why, why_n);
        else if (ret->arg_count < OPTIONS_ARGS_MAX)
            ret->args[ret->arg_count++] = argv[i];
        else
            snprintf(why, why_n, "more than %d arguments", OPTIONS_ARGS_MAX), took = -1;
        if (took < 0)
            return -1;
    }
    return ret->help ? 0 : check_args(c, ret, why, why_n);
}

int options_read(int argc, char **argv, struct options *ret)
{
    char why[240];
    const struct command *c = command_find(argv[0]);
    assert(c && "a command runs under its own name");
    if (options_parse(c, argc, argv, ret, why, sizeof why) < 0) {
        fprintf(stderr, "duplex: %s\n", why);
        return TOOL_USAGE;
    }
    if (!ret->help)
        return -1;
    help_command(c, stdout);
    return TOOL_DONE;
}

bool option_is(const struct command *c, const char *name)
{
    return opt_named(c, name, strlen(name)) != NULL;
}

const char *option_next(const struct options *o, const char *name, int *at)
{
    assert(opt_named(o->command, name, strlen(name)) && "an option of this command");
    for (; *at < o->given_count; ++*at)
        if (!strcmp(o->given[*at].opt->name, name))
            return o->given[(*at)++].text;
    return NULL;
}

static const struct option_given *given(const struct options *o, const char *name)
{
    assert(opt_named(o->command, name, strlen(name)) && "an option of this command");
    for (int i = o->given_count; i-- > 0;)
        if (!strcmp(o->given[i].opt->name, name))
            return &o->given[i];
    return NULL;
}

bool option_has(const struct options *o, const char *name)
{
    return given(o, name) != NULL;
}

const char *option_text(const struct options *o, const char *name)
{
    const struct option_given *g = given(o, name);
    return g ? g->text : NULL;
}

int64_t option_number(const struct options *o, const char *name, int64_t otherwise)
{
    const struct option_given *g = given(o, name);
    return g ? g->number : otherwise;
}
