/* SPDX-License-Identifier: MIT
 * exec.h - listen --exec: a process for each client, its stdin what the client says, its stdout what the client hears. */
#ifndef TOOL_EXEC_H
#define TOOL_EXEC_H
#include <duplex/duplex.h>

/* Starts command (words, without a shell) with DUPLEX_PEER, DUPLEX_LOCAL and DUPLEX_WIRE in its environment and joins it to c, of which
 * only on_close is called from here on. 0, or < 0 with *err filled and c as it was. */
int exec_join(dx_conn *c, const char *command, dx_err *err);
#endif
