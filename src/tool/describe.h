/* SPDX-License-Identifier: MIT
 * describe.h - the tables of the command, written for others: man pages and completions. What is here says nothing of its
 * own about an option. */
#ifndef TOOL_DESCRIBE_H
#define TOOL_DESCRIBE_H
#include "tool/options.h"

/* The man page of that command in man(7) roff; of the whole program where c is NULL. */
void man_page(const struct command *c, FILE *to);

/* "exit-codes" or "tls" in a page; false: there is no such topic. */
bool help_topic(const char *name, FILE *to);

/* A script that completes command lines of duplex. */
void completion_bash(FILE *to);
void completion_zsh(FILE *to);
#endif
