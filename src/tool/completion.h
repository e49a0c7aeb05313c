/* SPDX-License-Identifier: MIT
 * completion.h - what completes command lines in bash (completion_bash.c) and zsh (completion_zsh.c), as scripts made of the tables: what
 * both shells are told. */
#ifndef TOOL_COMPLETION_H
#define TOOL_COMPLETION_H
#include "tool/describe.h"

enum { WANTS_MAX = 200, PLACES_MAX = 4 };
#define COMPLETION_HELP "examples first, then the options" /* of --help    */
#define COMPLETION_VERSION "which one this is"             /* of --version */

/* What a command wants as its arguments, place by place: of "[show [FILE] | ca] URL..." a word, a file, URLs. */
struct places {
    char list[PLACES_MAX][WANTS_MAX];
    int count;
    bool repeats; /* the last of them */
};

void completion_places(const char *args, char between, struct places *ret);
/* What an option wants whose value is one of many names: the shells have these as lists. */
void completion_wants(const struct opt *o, char between, char ret_list[WANTS_MAX]);
/* Text inside of single quotes, in one line; before each letter of escaped comes a backslash. */
void completion_quoted(FILE *to, const char *text, const char *escaped);
/* The URLs, checksums, codings and framings there are, each list as a variable of the shell. */
void completion_lists(FILE *to, const char *begin, const char *end);
#endif
