/* SPDX-License-Identifier: MIT
 * words.h - a command line into argv, without a shell: blanks separate, 'single' and "double" quotes keep together, a
 * backslash takes the next character as it is (not inside single quotes). */
#ifndef NET_WORDS_H
#define NET_WORDS_H
#include "base/url.h"
char **words_split(struct bytes s); /* NULL-ended; NULL: no memory. words_free */
void words_free(char **argv);
#endif
