/* SPDX-License-Identifier: MIT
 * talk_terminal.h - a talk on a terminal: a line to type in, and what comes above it (panel.h). */
#ifndef TOOL_TALK_TERMINAL_H
#define TOOL_TALK_TERMINAL_H
#include "tool/talk.h"

struct talk_terminal;
/* NULL: there is no such terminal. A line typed is talk_typed, the end talk_typed_end. */
struct talk_terminal *talk_terminal_new(struct talk *t, dx_err *err);
void talk_terminal_free(struct talk_terminal *k); /* gives the terminal back; NULL is fine */
int talk_terminal_came(struct talk_terminal *k, const void *data, size_t n, bool whole); /* 0 or DX_NOMEM */
void talk_terminal_print(struct talk_terminal *k, const char *text, size_t n); /* what came, made text and safe */
void talk_terminal_pause(struct talk_terminal *k, bool on);
#endif
