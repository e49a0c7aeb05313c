/* SPDX-License-Identifier: MIT
 * man.c - a man page from the tables, in man(7) roff: every letter of a table is shown as it is. */
#include "tool/describe.h"
#include "tool/tool.h"
#include <ctype.h>
#include <string.h>

/* Of the pages' form, as year-month-day: a clock would make each build another. */
static const char written[] = "2026-11-26";
enum { LINE_MAX_BYTES = 78 };

static const struct {
    const char *name, *words;
} variables[] = {
    {"DUPLEX_KEY", "The key of a room: what serve asks of members from beyond this machine, and what bench shows."},
    {"DUPLEX_PEER", "Who the client is, in the process that listen --exec gives it."},
    {"XDG_STATE_HOME",
     "The folder duplex in it keeps this host's own certificate and key; ~/.local/state where it is not set."},
    {"XDG_RUNTIME_DIR", "serve makes its Unix socket duplex.sock there."},
    {"SSLKEYLOGFILE", "Gets the secrets of every TLS connection, for Wireshark. Whoever reads it reads them."},
    {"NO_COLOR", "Changes nothing: words are never coloured, and a code for a camera needs its black on white."},
};
static const struct {
    const char *name, *words;
} kept[] = {
    {"~/.local/state/duplex/",
     "leaf.pem and leaf.key: this host's own certificate and key; ca.pem and ca.key: its CA, once "
     "duplex cert ca has made one."},
    {"FILE.part", "What recv has so far. It gets its name when all of it is there."},
};

/* How roff spells a character that it would take for something else, or NULL: a dash is one to copy, quotes are
 * straight. */
static const char *spelled(char c)
{
    switch (c) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    default:
        return NULL;
    }
}

static size_t width(const char *text, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += spelled(text[i]) ? strlen(spelled(text[i])) : 1;
    return sum;
}

/* Text within a line, n bytes of it. */
static void put_text(FILE *to, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (spelled(text[i]))
            fputs(spelled(text[i]), to);
        else
            fputc(text[i], to);
}

static void put_font(FILE *to, char font, const char *text)
{
    fprintf(to, "\\f%c", font);
    put_text(to, text, strlen(text));
    fputs("\\fR", to);
}

/* A word of flowing text; *column counts the line. What would be a request at its beginning is shielded. */
static void put_word(FILE *to, const char *word, size_t n, size_t *column)
{
    if (*column && *column + 1 + width(word, n) > LINE_MAX_BYTES) {
        fputc('\n', to);
        *column = 0;
    }
    if (*column)
        fputc(' ', to);
    else if (*word == '.')
        fputs("\\&", to);
    put_text(to, word, n);
    *column += width(word, n) + 1;
}

/* Does a line begin with a label: capitals, and two blanks or more? Returns the label's length. */
static size_t label(const char *line)
{
    size_t n = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return n && line[n] == ' ' && line[n + 1] == ' ' ? n : 0;
}

/* Lines flow together, but a full stop at the end of one ends a paragraph, and a label begins one. */
static void flowing(FILE *to, const char *text)
{
    size_t column = 0, n;
    for (const char *p = text; *p; p += n) {
        if ((p == text || p[-1] == '\n') && (n = label(p))) {
            fprintf(to, "%s.TP\n%.*s\n", column ? "\n" : "", (int)n, p);
            column = 0;
            continue;
        }
        if ((n = strspn(p, " \n"))) {
            bool ended = p != text && p[-1] == '.' && memchr(p, '\n', n) && p[n];
            if (ended && !label(p + n) && p[n - 1] == '\n') {
                fputs("\n.PP\n", to);
                column = 0;
            }
            continue;
        }
        n = strcspn(p, " \n");
        put_word(to, p, n, &column);
    }
    fputc('\n', to);
}

static void title(FILE *to, const char *command)
{
    fputs(".TH DUPLEX", to);
    if (command)
        fputs("\\-", to);
    for (; command && *command; command++)
        fputc(toupper((unsigned char)*command), to);
    /* Names of commands and options are to be copied: none is divided, and no blank is stretched. */
    fprintf(to, " 1 %s \"duplex %s\" \"User Commands\"\n.nh\n.ad l\n", written, dx_version());
}

/* "command  # what it does": the command, and below it the words. */
static void example(FILE *to, const char *line, size_t n)
{
    const char *words = memmem(line, n, "  # ", 4);
    size_t command = words ? (size_t)(words - line) : n;
    while (command && line[command - 1] == ' ')
        command--;
    fputs(words ? ".TP\n\\fB" : ".PP\n\\fB", to);
    put_text(to, line, command);
    fputs("\\fR\n", to);
    if (!words)
        return;
    size_t column = 0;
    for (const char *p = words + 4, *end = line + n; p < end;) {
        size_t word = strcspn(p, " \n");
        put_word(to, p, word, &column);
        p += word + 1;
    }
    fputc('\n', to);
}

static void examples(FILE *to, const char *lines)
{
    for (size_t n; *lines; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        example(to, lines, n);
    }
}

static void option(FILE *to, const struct opt *o)
{
    char name[64];
    fputs(".TP\n", to);
    if (o->letter) {
        snprintf(name, sizeof name, "-%c", o->letter);
        put_font(to, 'B', name);
        fputs(", ", to);
    }
    snprintf(name, sizeof name, "--%s", o->name);
    put_font(to, 'B', name);
    if (o->arg) {
        fputs(o->kind == OPT_MAYBE ? "" : " ", to);
        put_font(to, 'I', o->arg);
    }
    fputc('\n', to);
    flowing(to, o->help);
}

/* A definition: what is in bold, then the words. */
static void item(FILE *to, const char *name, const char *words)
{
    fputs(".TP\n", to);
    put_font(to, 'B', name);
    fputc('\n', to);
    flowing(to, words);
}

static void see_also(FILE *to, const struct command *but)
{
    const char *before = but ? ".BR duplex (1)" : "";
    fprintf(to, ".SH SEE ALSO\n%s", before);
    for (const struct command *c = command_table; c->name; c++) {
        if (c == but)
            continue;
        fprintf(to, "%s.BR duplex\\-%s (1)", *before ? ",\n" : "", c->name);
        before = ",";
    }
    fputc('\n', to);
}

static void page_of_command(FILE *to, const struct command *c)
{
    title(to, c->name);
    fprintf(to, ".SH NAME\nduplex\\-%s \\-\n", c->name);
    flowing(to, c->summary);
    fprintf(to, ".SH SYNOPSIS\n\\fBduplex %s\\fR ", c->name);
    put_text(to, c->args, strlen(c->args));
    fputs("\n.SH EXAMPLES\n", to);
    examples(to, c->examples);
    fputs(".SH OPTIONS\n", to);
    for (const struct opt *o = option_row(c, NULL); o; o = option_row(c, o))
        option(to, o);
    option(to, &(struct opt){NULL, 'h', "help", OPT_FLAG, NULL, "say all of this in short"});
    if (option_of_kind(c, OPT_MS)) {
        fputs(".PP\n", to);
        flowing(to, OPTIONS_TIME_WORDS);
    }
    if (c->more) {
        fputs(".SH DESCRIPTION\n", to);
        flowing(to, c->more);
    }
    fputs(".SH EXIT STATUS\n0 when all went well. Any other number tells the cause, the same for every\ncommand: see\n"
          ".BR duplex (1).\n",
          to);
    see_also(to, c);
}

static void exits(FILE *to)
{
    fputs(".SH EXIT STATUS\nThe number tells the cause, the same for every command;\ncurl\\(aqs numbers where it has "
          "them.\n",
          to);
    for (const struct tool_exit_row *r = tool_exits; r->name; r++) {
        fprintf(to, ".TP\n\\fB%d\\fR ", r->code);
        put_text(to, r->name, strlen(r->name));
        fputc('\n', to);
        flowing(to, r->words);
    }
}

static void commands(FILE *to)
{
    fputs(".SH COMMANDS\n", to);
    for (const struct command *c = command_table; c->name; c++) {
        fprintf(to, ".TP\n.BR duplex\\-%s (1)\n", c->name);
        flowing(to, c->summary);
    }
}

static void wires(FILE *to)
{
    static const char *const uses[] = {"", " (listening only)", " (dialling only)"};
    char words[160];
    fputs(".SH URLS\n", to);
    for (const struct wire *w = wire_table; w->url; w++) {
        snprintf(words, sizeof words, "%s%s", w->help, uses[w->use]);
        item(to, w->url, words);
    }
    fputs(".PP\nAn empty HOST is every address, port 0 any free port.\n", to);
}

static void page_of_all(FILE *to)
{
    title(to, NULL);
    fputs(
        ".SH NAME\nduplex \\- one port, any wire\n.SH SYNOPSIS\n\\fBduplex\\fR COMMAND [OPTION]... [ARGUMENT]...\n.br\n"
        "\\fBduplex \\-\\-version\\fR\n.SH EXAMPLES\n",
        to);
    for (const struct command *c = command_table; c->name; c++)
        example(to, c->examples, strcspn(c->examples, "\n"));
    commands(to);
    wires(to);
    exits(to);
    fputs(".SH ENVIRONMENT\n", to);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        item(to, variables[i].name, variables[i].words);
    fputs(".SH FILES\n", to);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        item(to, kept[i].name, kept[i].words);
    see_also(to, NULL);
}

void man_page(const struct command *c, FILE *to)
{
    if (c)
        page_of_command(to, c);
    else
        page_of_all(to);
}
