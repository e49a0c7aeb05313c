/* SPDX-License-Identifier: MIT
 * steps.h - what -v says: how a conn came to be, layer by layer, and how it ended. On stderr. */
#ifndef TOOL_STEPS_H
#define TOOL_STEPS_H
#include <duplex/duplex.h>

struct steps {
    int64_t began, opened; /* dx_loop_now                */
    uint64_t in, out;      /* bytes of the conversation  */
};
/* The conn stands: who is there, what TLS has agreed on and with whom, that HTTP has become a WebSocket. who stands before each
 * line: "client 1: " or "". */
void steps_open(struct steps *s, dx_conn *c, const char *who);
/* It is over; why as on_close has it. */
void steps_close(const struct steps *s, dx_conn *c, const char *who, const dx_err *why);
#endif
