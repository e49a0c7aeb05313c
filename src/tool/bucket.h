/* SPDX-License-Identifier: MIT
 * bucket.h - how much a datagram echo answers one source, so that two of them pointed at each other fall silent
 * (docs/safe.md, rule 6; CVE-2024-2169). Pure: time is an argument.
 *
 * Off loopback every answer costs a token. On loopback only an answer to what we have just said costs one: that is what
 * a loop looks like, while a program that tests against us numbers or varies what it sends, or asks less often. */
#ifndef TOOL_BUCKET_H
#define TOOL_BUCKET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUCKET_TOKENS_MAX = 1000, /* at once                                      */
    BUCKET_PER_S = 100,       /* come back in a second                        */
    BUCKET_SAID = 16,         /* so many of our last answers are remembered    */
};
struct bucket {
    int64_t spent_milli;      /* thousandths of tokens; 0: full                */
    int64_t at_ms;
    uint32_t said[BUCKET_SAID];
    unsigned said_n;
};
/* May what just came be answered? Notes nothing of the answer. */
bool bucket_take(struct bucket *b, const void *came, size_t n, bool loopback, int64_t now_ms);
void bucket_said(struct bucket *b, const void *answer, size_t n);
#endif
