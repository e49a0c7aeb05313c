/* SPDX-License-Identifier: MIT
 * expect.h - are these bytes in what comes, however it is cut? Holds no more than the pattern. Pure. */
#ifndef TOOL_EXPECT_H
#define TOOL_EXPECT_H
#include <stdbool.h>
#include <stddef.h>

struct expect {
    char *pattern;
    size_t n, at; /* so many bytes of it are there                                     */
    size_t *back; /* where to go on when the byte after so many differs (Knuth-Morris-Pratt) */
};
int expect_init(struct expect *e, const void *pattern, size_t n); /* n 1 and up. 0 or DX_NOMEM */
void expect_free(struct expect *e);
bool expect_seen(struct expect *e, const void *data, size_t n); /* true: from here on always */
#endif
