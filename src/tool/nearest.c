/* SPDX-License-Identifier: MIT
 * nearest.c - which known word did somebody mean? It knows no table: whoever asks brings the candidates. */
#include "tool/nearest.h"
#include <string.h>

/* Edits from a to b (insert, drop, change, swap neighbours); both at most WORD_MAX long. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1], *before = rows[0], *prev = rows[1], *cur = rows[2];
    size_t an = strlen(a), bn = strlen(b);
    for (size_t j = 0; j <= bn; j++)
        before[j] = prev[j] = j;
    for (size_t i = 1; i <= an; i++) {
        cur[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            size_t best = prev[j - 1] + (a[i - 1] != b[j - 1]);
            best = prev[j] + 1 < best ? prev[j] + 1 : best;
            best = cur[j - 1] + 1 < best ? cur[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            cur[j] = best;
        }
        size_t *spare = before;
        before = prev, prev = cur, cur = spare;
    }
    return prev[bn];
}

const char *nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t n = strlen(word), best = n < 4 ? 2 : n / 3 + 2; /* fewer edits than this are near */
    const char *found = NULL;
    if (!n || n > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(candidates[i]) > WORD_MAX)
            continue;
        size_t d = !strncmp(word, candidates[i], n) ? 1 : distance(word, candidates[i]);
        if (d < best) {
            best = d;
            found = candidates[i];
        }
    }
    return found;
}
