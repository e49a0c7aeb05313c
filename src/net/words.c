/* SPDX-License-Identifier: MIT */
#include "net/words.h"
#include <stdlib.h>

/* argv and its text in one piece: as many pointers and bytes as there can be at most. */
char **words_split(struct bytes s)
{
    char **argv = malloc((s.n / 2 + 2) * sizeof *argv + s.n + 2);
    if (!argv)
        return NULL;
    char *to = (char *)(argv + s.n / 2 + 2);
    size_t count = 0;
    bool inside = false;
    char quote = 0;
    for (size_t i = 0; i < s.n; i++) {
        char ch = (char)s.p[i];
        bool blank = !quote && (ch == ' ' || ch == '\t' || ch == '\n');
        if (blank && inside) {
            *to++ = 0;
            inside = false;
        }
        if (blank)
            continue;
        if (!inside) {
            argv[count++] = to;
            inside = true;
        }
        if (quote ? ch == quote : ch == '\'' || ch == '"')
            quote = quote ? 0 : ch;
        else if (ch == '\\' && quote != '\'' && i + 1 < s.n)
            *to++ = (char)s.p[++i];
        else
            *to++ = ch;
    }
    *to = 0;
    argv[count] = NULL;
    return argv;
}

void words_free(char **argv)
{
    free(argv);
}
