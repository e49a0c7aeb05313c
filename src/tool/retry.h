/* SPDX-License-Identifier: MIT
 * retry.h - --retry[=N]: dx_again (duplex.h) with a bound. */
#ifndef TOOL_RETRY_H
#define TOOL_RETRY_H
#include <duplex/duplex.h>

struct retry {
    bool on;
    int64_t tries_max; /* in a row; 0: no limit */
    dx_again again;
};
/* How long to wait; -1: all tries are used up, or it is off. */
int64_t retry_wait_ms(struct retry *r);
void retry_stood(struct retry *r);
#endif
