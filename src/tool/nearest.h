/* SPDX-License-Identifier: MIT
 * nearest.h - the nearest of some words, for "did you mean". */
#ifndef TOOL_NEAREST_H
#define TOOL_NEAREST_H
#include <stddef.h>

enum { WORD_MAX = 40 }; /* longer words are near to none */
/* The candidate that word most looks like; NULL: none is near. */
const char *nearest(const char *word, const char *const *candidates, size_t count);
#endif
