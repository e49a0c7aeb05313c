/* SPDX-License-Identifier: MIT
 * options.h - one table says what every command takes; the parser, --help, the man pages (man.c) and what completes
 * command lines (completion.c) read the same rows. */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H
#include "tool/nearest.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum opt_kind {
    OPT_FLAG,
    OPT_TEXT,
    OPT_COUNT, /* a whole number, 1 and up                                                */
    OPT_MAYBE, /* a flag, or a whole number behind '=': --retry, --retry=5                  */
    OPT_MS,    /* a duration: 2, 500ms, 1.5s, 2m, 1h; a bare number is seconds            */
    OPT_WORD,  /* one of the words of its arg, "[a|b]"; without one the first             */
};
/* How every OPT_MS reads, for help and man pages. */
#define OPTIONS_TIME_WORDS "TIME is 2s, 500ms, 1.5m or 1h; a bare number is seconds."
struct opt {
    const char *commands; /* who has it, separated by blanks: "dial listen"               */
    char letter;          /* 0: none                                                      */
    const char *name;     /* without the dashes                                           */
    enum opt_kind kind;
    const char *arg;  /* what --help calls its value; NULL for a flag                 */
    const char *help; /* short lines, separated by newlines                           */
};
struct command {
    const char *name, *args, *summary;
    const char *examples; /* lines "command  # what it does"                              */
    const char *more;     /* said after the options; NULL: nothing                        */
    int args_min, args_max;
    int (*run)(int argc, char **argv);
};
/* An endpoint as help names it; what is to be filled in stands in capitals. */
struct wire {
    const char *url;
    enum wire_use { WIRE_BOTH, WIRE_LISTEN, WIRE_DIAL } use;
    const char *help;
};
extern const struct command command_table[]; /* ends with a NULL name */
extern const struct wire wire_table[];       /* ends with a NULL url  */
extern const struct opt option_table[];      /* ends with a NULL name */

enum { OPTIONS_GIVEN_MAX = 64, OPTIONS_ARGS_MAX = 64 };
struct options {
    const struct command *command, *as; /* as: the one that words name, where it is another; else NULL */
    struct option_given {
        const struct opt *opt;
        const char *
            text; /* a flag's is NULL, and that of a word that was left out                                             */
        int64_t number;
    } given[OPTIONS_GIVEN_MAX];
    int given_count;
    const char *args[OPTIONS_ARGS_MAX];
    int arg_count;
    bool help; /* -h or --help stood there; nothing after it was read          */
};

/* Reads argv[1..] by the rows of c. 0, or -1 with words in why that name the option and the nearest known one.
 * What ret holds points into argv. */
int options_parse(const struct command *c, int argc, char **argv, struct options *ret, char *why, size_t why_n);
/* The same for argv[0]'s command; prints help or what is wrong. -1: go on; else the exit code to return. */
int options_read(int argc, char **argv, struct options *ret);

/* The row after o of those that c takes, the first after NULL; NULL: no more. */
const struct opt *option_row(const struct command *c, const struct opt *o);
/* Does that command take an option of that kind? */
bool option_of_kind(const struct command *c, enum opt_kind kind);
/* Does that command take an option of that name? */
bool option_is(const struct command *c, const char *name);
/* The last one given wins. A name that is not in the command's table is an assert. */
bool option_has(const struct options *o, const char *name);
const char *option_text(const struct options *o, const char *name); /* NULL: not given */
int64_t option_number(const struct options *o, const char *name, int64_t otherwise);
/* The next text given by that name, for options that may stand several times; *at starts as 0. NULL: no more. */
const char *option_next(const struct options *o, const char *name, int *at);

const struct command *command_find(const char *name); /* NULL: none */
const char *nearest_command(const char *word);
/* A row as --help shows it, and text behind an indent, each of its lines. */
void help_option(FILE *to, const struct opt *o);
void help_indented(FILE *to, const char *text, int indent);
void help_overview(FILE *to);
void help_command(const struct command *c, FILE *to);
#endif
