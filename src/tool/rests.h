/* SPDX-License-Identifier: MIT
 * rests.h - a server that has no descriptor left for those who come: said, not left to be guessed. A line every ten seconds at most. */
#ifndef TOOL_RESTS_H
#define TOOL_RESTS_H
#include <duplex/duplex.h>

enum { RESTS_LOOK_MS = 500, RESTS_MS = 10000 }; /* between looks, between lines */
struct rests {
    dx_loop *loop;
    void (*say)(void *arg, const char *words); /* NULL: tool_say */
    void *arg;
    int64_t timer, seen; /* DX_COUNT_ACCEPT_RESTS  */
    int64_t said_ms;     /* 0: not said yet        */
};
/* r, zeroed but for say and arg, outlives the loop or rests_stop. */
void rests_watch(struct rests *r, dx_loop *loop);
void rests_stop(struct rests *r); /* a timer would keep the loop running. Twice is fine */
#endif
