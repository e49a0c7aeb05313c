/* SPDX-License-Identifier: MIT
 * options_help.c - --help, of a command and of all, over the tables of table.c. */
#include "tool/options.h"
#include <string.h>

enum { OVERVIEW_COLUMN = 46 };

/* Each line of text after an indent. */
void help_indented(FILE *to, const char *text, int indent)
{
    while (text && *text) {
        size_t n = strcspn(text, "\n");
        fprintf(to, "%*s%.*s\n", indent, "", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

void help_option(FILE *to, const struct opt *o)
{
    char head[64];
    const char *rest = strchr(o->help, '\n');
    int first = rest ? (int)(rest - o->help) : (int)strlen(o->help);
    snprintf(head, sizeof head, "%c%c%c --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
             o->letter ? ',' : ' ', o->name, o->arg && o->kind != OPT_MAYBE ? " " : "", o->arg ? o->arg : "");
    fprintf(to, "  %-24s %.*s\n", head, first, o->help);
    help_indented(to, rest ? rest + 1 : NULL, 27);
}

void help_command(const struct command *c, FILE *to)
{
    fprintf(to, "duplex %s: %s\n\nExamples\n", c->name, c->summary);
    help_indented(to, c->examples, 2);
    fprintf(to, "\nUsage\n  duplex %s %s\n", c->name, c->args);
    if (option_row(c, NULL))
        fprintf(to, "\nOptions\n");
    for (const struct opt *o = option_row(c, NULL); o; o = option_row(c, o))
        help_option(to, o);
    if (option_of_kind(c, OPT_MS))
        fprintf(to, "  %s\n", OPTIONS_TIME_WORDS);
    if (c->more) {
        fputc('\n', to);
        help_indented(to, c->more, 0);
    }
}

/* How far the words of a row of examples stand apart: those in the overview stand below one another. */
static void overview_example(FILE *to, const char *line)
{
    size_t n = strcspn(line, "\n"), command = n;
    const char *words = strstr(line, "  # ");
    if (words && words < line + n)
        command = (size_t)(words - line);
    while (command && line[command - 1] == ' ')
        command--;
    if (command == n)
        fprintf(to, "  %.*s\n", (int)n, line);
    else
        fprintf(to, "  %-*.*s  %.*s\n", OVERVIEW_COLUMN, (int)command, line, (int)(line + n - words - 2), words + 2);
}

void help_overview(FILE *to)
{
    fprintf(to, "duplex: one port, any wire\n\nExamples\n");
    for (const struct command *c = command_table; c->name; c++)
        overview_example(to, c->examples);
    fprintf(to, "\nCommands\n");
    for (const struct command *c = command_table; c->name; c++)
        fprintf(to, "  %-10s %s\n", c->name, c->summary);
    fprintf(to, "\nURLs\n");
    for (const struct wire *w = wire_table; w->url; w++)
        fprintf(to, "  %-24s %s%s\n", w->url, w->help,
                w->use == WIRE_LISTEN ? " (listening only)"
                : w->use == WIRE_DIAL ? " (dialling only)"
                                      : "");
    fprintf(to, "  An empty HOST is every address, port 0 any free port.\n"
                "\nduplex help COMMAND says more, duplex help tls how TLS is used, duplex help exit-codes what a\n"
                "failure's number means, duplex --version (-V) which one this is.\n");
}
