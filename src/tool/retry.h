/* SPDX-License-Identifier: MIT
 * retry.h - when to dial again: exponential backoff with jitter, so that many clients of a server that comes back do not come
 * at once. Pure: chance is an argument. */
#ifndef TOOL_RETRY_H
#define TOOL_RETRY_H
#include <duplex/duplex.h>

enum { RETRY_FIRST_MS = 250, RETRY_MAX_MS = 30000 };
struct retry {
    bool on;
    int64_t tries_max; /* in a row; 0: no limit */
    int64_t tries;     /* since a conn last stood */
};
/* How long to wait, half of it by chance; -1: all tries are used up, or it is off. */
int64_t retry_wait_ms(struct retry *r, uint32_t chance);
void retry_stood(struct retry *r);
/* An end that another try may mend: nobody there, broken, no answer in time, no such name as yet. */
bool retry_helps(const dx_err *why);
#endif
