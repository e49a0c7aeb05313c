/* SPDX-License-Identifier: MIT
 * hex.c - duplex hex: bytes and hex text into one another, and checksums of them. A stream of any length passes through
 * fixed buffers. */
#include "tool/hex.h"
#include "tool/options.h"
#include "tool/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct hex {
    struct hex_reader reader;
    struct hex_show show;
    bool shows;       /* the bytes themselves come out                             */
    bool append;      /* and the checksum behind them                              */
    char which_case;  /* 'U', 'L'; 0: as typed, and 'L' for what was not typed     */
    bool typed_upper; /* the last letter typed was upper case                      */
    dx_sum sums[HEX_SUMS_MAX];
    const char *names[HEX_SUMS_MAX];
    int sum_n;
    struct hex_check check;
};
struct source {
    const char *name; /* of the file; NULL: typed                                  */
    dx_text typed;
    int fd;
    bool hex; /* it is hex text                                            */
};

/* ---- what goes with what ---- */

static const struct {
    const char *name, *others; /* one of them forbids each of the others */
} apart[] = {
    {"pairs", "dump bytes utf8"},
    {"dump", "bytes group sep"},
    {"bytes", "group sep utf8 upper lower"},
    {"utf8", "group sep"},
    {"upper", "lower"},
    {"text", "from-hex"},
    {"check", "checksum append pairs dump bytes group sep utf8"},
    {"list", "checksum check append pairs dump bytes group sep utf8 upper lower text from-hex"},
};

/* The first of the blank-separated names that is given; NULL: none. */
static const char *given_of(const struct options *o, const char *names)
{
    for (int i = 0; i < o->given_count; i++) {
        const char *name = o->given[i].opt->name, *p = strstr(names, name);
        size_t n = strlen(name);
        for (; p; p = strstr(p + n, name))
            if ((p == names || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
                return name;
    }
    return NULL;
}

static int say_usage(const char *words)
{
    tool_say("%s.  Try: duplex hex --help", words);
    return TOOL_USAGE;
}

static int count_of(const struct options *o, const char *name)
{
    int n = 0;
    for (int at = 0; option_next(o, name, &at);)
        n++;
    return n;
}

static int check_use(const struct options *o)
{
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        const char *other = option_has(o, apart[i].name) ? given_of(o, apart[i].others) : NULL;
        if (!other)
            continue;
        tool_say("--%s and --%s do not go together.  Try: duplex hex --help", apart[i].name, other);
        return TOOL_USAGE;
    }
    const char *form = given_of(o, "pairs dump bytes group sep utf8");
    if (option_has(o, "checksum") && form && !option_has(o, "append")) {
        tool_say("--checksum alone does not show the bytes, which --%s is about.  Try: --append", form);
        return TOOL_USAGE;
    }
    if (option_has(o, "append") && !option_has(o, "checksum"))
        return say_usage("--append wants --checksum NAME");
    if (count_of(o, "checksum") > (option_has(o, "append") ? 1 : HEX_SUMS_MAX))
        return say_usage(option_has(o, "append") ? "one checksum can be appended" : "too many checksums");
    if (option_has(o, "list") && o->arg_count)
        return say_usage("--list shows names, and reads nothing");
    if (option_has(o, "text") && !o->arg_count)
        return say_usage("--text wants a text");
    return TOOL_DONE;
}

static int set_up(struct hex *h, const struct options *o)
{
    const char *name, *check = option_text(o, "check");
    for (int at = 0, r; (name = option_next(o, "checksum", &at)); h->sum_n++) {
        h->names[h->sum_n] = name;
        if ((r = hex_sum_begin(&h->sums[h->sum_n], name)) != TOOL_DONE)
            return r;
    }
    h->append = option_has(o, "append");
    h->shows = !check && (h->append || !h->sum_n);
    h->which_case = option_has(o, "upper") ? 'U' : option_has(o, "lower") ? 'L' : 0;
    return check ? hex_check_begin(&h->check, check) : TOOL_DONE;
}

/* What was typed or is hex comes out as pairs, bytes as a dump, unless told. */
static void set_form(struct hex *h, const struct options *o, const struct source *s)
{
    bool pairs = given_of(o, "pairs group sep") || ((!s->name || s->hex) && !given_of(o, "dump utf8"));
    h->show = (struct hex_show){.to = stdout,
                                .form = option_has(o, "bytes") ? HEX_BYTES
                                        : pairs                ? HEX_PAIRS
                                                               : HEX_DUMP,
                                .group = (size_t)option_number(o, "group", 1),
                                .sep = option_has(o, "sep") ? option_text(o, "sep") : " ",
                                .utf8 = option_has(o, "utf8")};
    if (h->show.utf8)
        setlocale(LC_CTYPE, "C.UTF-8"); /* how wide is a character? */
}

/* ---- where from ---- */

/* 0: it is hex, or -1 and why is what is wrong with it. */
static int try_hex(struct hex_reader *r, const dx_text *t, char *why, size_t why_n)
{
    char odd;
    hex_reader_init(r);
    for (size_t at = 0, k; at < t->n; at += k) {
        k = t->n - at < HEX_STEP ? t->n - at : HEX_STEP;
        if (hex_read(r, t->p + at, k) < 0) {
            hex_fault(r, why, why_n);
            return -1;
        }
    }
    if (hex_read_end(r, &odd) == 0)
        return 0;
    hex_fault(r, why, why_n);
    return -1;
}

static int open_file(struct source *s, const char *path, const char *why)
{
    s->name = path;
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd >= 0)
        return TOOL_DONE;
    if (errno != ENOENT && errno != ENAMETOOLONG) {
        tool_say("%.200s: %s", path, strerror(errno));
        return TOOL_LOCAL;
    }
    tool_say("'%.60s' is no file, and no hex: %s.  Try: --text for text", path, why);
    return TOOL_USAGE;
}

static int open_typed(struct hex *h, const struct options *o, struct source *s)
{
    char why[120];
    for (int i = 0; i < o->arg_count; i++)
        if (dx_text_add(&s->typed, " ", i > 0) < 0 || dx_text_add(&s->typed, o->args[i], strlen(o->args[i])) < 0)
            return TOOL_LIMIT;
    if (option_has(o, "text"))
        return TOOL_DONE;
    s->hex = try_hex(&h->reader, &s->typed, why, sizeof why) == 0;
    if (s->hex)
        return TOOL_DONE;
    s->hex = option_has(o, "from-hex");
    if (o->arg_count == 1)
        return open_file(s, o->args[0], why);
    tool_say("several arguments are hex together: %s.  One file at a time; --text takes them as text", why);
    return TOOL_USAGE;
}

static int open_source(struct hex *h, const struct options *o, struct source *s)
{
    bool text = option_has(o, "text");
    if (o->arg_count > 1 || text || (o->arg_count && strcmp(o->args[0], "-") != 0))
        return open_typed(h, o, s);
    *s = (struct source){.name = "stdin", .fd = STDIN_FILENO, .hex = option_has(o, "from-hex")};
    if (standard_closed(STDIN_FILENO)) {
        tool_say("standard input is closed: there is nothing to read");
        return TOOL_LOCAL;
    }
    if (!o->arg_count && isatty(STDIN_FILENO))
        tool_say("reading %s to Ctrl-D; duplex hex --help says more", s->hex ? "hex" : "bytes");
    return TOOL_DONE;
}

/* ---- through ---- */

/* main says why not, unless whoever reads our output has seen enough. */
static int write_out(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? TOOL_DONE : TOOL_LOCAL;
}

static void take_bytes(struct hex *h, const uint8_t *p, const char *digits, size_t n)
{
    for (int i = 0; i < h->sum_n; i++)
        dx_sum_add(&h->sums[i], p, n);
    if (h->check.name)
        hex_check_add(&h->check, p, n);
    if (h->shows)
        hex_show_add(&h->show, p, digits, n);
}

static void note_case(struct hex *h, const char *digits, size_t n)
{
    while (n && digits[n - 1] <= '9')
        n--;
    if (n)
        h->typed_upper = digits[n - 1] < 'a';
}

/* Hex text, or at most HEX_STEP bytes. */
static int take(struct hex *h, const struct source *s, const char *p, size_t n)
{
    struct hex_reader *r = &h->reader;
    char why[120];
    if (!s->hex) {
        if (h->shows && h->show.form != HEX_BYTES)
            hex_digits((const uint8_t *)p, n, h->which_case == 'U', r->digits);
        take_bytes(h, (const uint8_t *)p, r->digits, n);
        return write_out();
    }
    int fault = hex_read(r, p, n);
    note_case(h, r->digits, 2 * r->n);
    hex_case(r->digits, 2 * r->n, h->which_case);
    take_bytes(h, r->bytes, r->digits, r->n);
    int written = write_out();
    if (fault == 0)
        return written;
    hex_fault(r, why, sizeof why);
    tool_say("%.200s: %s", s->name, why);
    return TOOL_FAILED;
}

static int take_all(struct hex *h, const struct source *s)
{
    static char buf[HEX_STEP];
    int r = TOOL_DONE;
    for (size_t at = 0, k; !s->name && r == TOOL_DONE && at < s->typed.n; at += k) {
        k = s->typed.n - at < HEX_STEP ? s->typed.n - at : HEX_STEP;
        r = take(h, s, s->typed.p + at, k);
    }
    while (s->name && r == TOOL_DONE) {
        ssize_t n = read(s->fd, buf, sizeof buf);
        if (n == 0)
            break;
        if (n > 0)
            r = take(h, s, buf, (size_t)n);
        else if (errno != EINTR) {
            tool_say("%.200s: %s", s->name, strerror(errno));
            r = TOOL_LOCAL;
        }
    }
    return r;
}

/* ---- the end ---- */

static void append_sum(struct hex *h, bool upper)
{
    uint8_t sum[HEX_SUM_BYTES];
    char digits[2 * HEX_SUM_BYTES];
    size_t n = (size_t)dx_sum_end(&h->sums[0], sum);
    hex_digits(sum, n, upper, digits);
    hex_show_add(&h->show, sum, digits, n);
}

/* A digit that has no other is kept and shown. But it is no byte, so where bytes are wanted something is missing. */
static int end_odd(struct hex *h, char odd)
{
    bool bytes = !h->shows || h->append || h->show.form == HEX_BYTES;
    char shown = odd;
    hex_case(&shown, 1, h->which_case);
    if (h->shows)
        hex_show_end(&h->show, shown);
    (void)write_out(); /* the words begin a line of their own; run asks again */
    tool_say("the last digit, %c, has no other: half a byte%s", odd, bytes ? ", and the rest of it is missing" : "");
    return bytes ? TOOL_TRUNCATED : TOOL_DONE;
}

static int finish(struct hex *h, char odd)
{
    bool upper = h->which_case ? h->which_case == 'U' : h->typed_upper;
    int r = TOOL_DONE;
    if (odd)
        return end_odd(h, odd);
    if (h->append)
        append_sum(h, upper);
    if (h->shows)
        hex_show_end(&h->show, '\0');
    for (int i = 0; i < h->sum_n && !h->append; i++)
        hex_sum_print(&h->sums[i], h->names[i], upper, stdout);
    if (h->check.name)
        r = hex_check_print(&h->check, upper, stdout);
    return r;
}

static int run(struct hex *h, const struct source *s)
{
    char odd = '\0', why[120];
    hex_reader_init(&h->reader);
    int r = take_all(h, s);
    if (r != TOOL_DONE)
        return r;
    if (s->hex && hex_read_end(&h->reader, &odd) < 0) {
        hex_fault(&h->reader, why, sizeof why);
        tool_say("%.200s: %s", s->name, why);
        return TOOL_FAILED;
    }
    r = finish(h, odd);
    int written = write_out();
    return written == TOOL_DONE ? r : written;
}

int cmd_hex(int argc, char **argv)
{
    static struct hex h;
    static char out[1 << 16];
    struct options o;
    struct source s = {0};
    int r = options_read(argc, argv, &o);
    if (r >= 0)
        return r;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, out, _IOFBF, sizeof out);
    if ((r = check_use(&o)) != TOOL_DONE)
        return r;
    if (option_has(&o, "list")) {
        hex_list(stdout);
        return write_out();
    }
    if ((r = set_up(&h, &o)) != TOOL_DONE || (r = open_source(&h, &o, &s)) != TOOL_DONE) {
        dx_text_free(&s.typed);
        return r;
    }
    set_form(&h, &o, &s);
    r = run(&h, &s);
    if (s.name && s.fd > STDERR_FILENO)
        close(s.fd);
    dx_text_free(&s.typed);
    return r;
}
