/* SPDX-License-Identifier: MIT
 * console.h - listen on a terminal: many clients at once, each with a number. What they say is shown behind it, a line typed goes to
 * all of them, "@2 text" to one; panel.h is the terminal. */
#ifndef TOOL_CONSOLE_H
#define TOOL_CONSOLE_H
#include "tool/options.h"
#include <duplex/duplex.h>

struct console;
struct manner;
/* on_first: under --once, when its one client is here. -1 and *ret; else the exit code, having said what is wrong: *ret may be NULL
 * then. console_free in any case. */
int console_new(dx_loop *loop, const struct options *o, void (*on_first)(void *arg), void *arg, struct console **ret);
const struct manner *console_manner(const struct console *k); /* what the conns are to do themselves */
extern const dx_handler console_on; /* for dx_serve, with the console as user */
/* Takes the terminal; tool_end is called when somebody wants to leave. 0, or why there is none. */
int console_open(struct console *k, dx_err *err);
void console_shut(struct console *k); /* gives it back, closes the clients; the loop runs on until they have ended, or 2 s */
int console_code(const struct console *k); /* the exit code, when all have ended; says what is wrong */
void console_free(struct console *k); /* after the loop is gone; NULL is fine */
#endif
