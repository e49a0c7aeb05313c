/* SPDX-License-Identifier: MIT
 * history.h - the lines typed earlier, in $XDG_STATE_HOME/duplex/history (0600), or ~/.local/state. A convenience: where there
 * is no such file and none can be made, nothing is said and nothing kept. */
#ifndef TOOL_HISTORY_H
#define TOOL_HISTORY_H
#include "tool/edit.h"

enum { HISTORY_BYTES_MAX = 65536 };
void history_load(struct edit *e); /* of a file longer than that the last half stays, in the file too */
void history_add(const char *line, size_t n);
#endif
