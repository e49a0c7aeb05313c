/* SPDX-License-Identifier: MIT
 * lines.h - what is said in a room as lines with an end: for a terminal, which obeys none of it, and for a log. Text alone. */
#ifndef TOOL_LINES_H
#define TOOL_LINES_H
#include "hub/hub.h"

/* "12:01:07 nc-1       hi from nc" */
void line_message(const struct hub_line *l, dx_text *t);
/* What the room tells: "* nc-1 joined"; private words look like a message. */
void line_notice(const char *text, size_t n, dx_text *t);
/* "2026-01-02T12:01:07 nc-1 hi from nc", the room before the name where it is not the lobby; or l->json. */
void line_log(const struct hub_line *l, bool json, dx_text *t);
#endif
