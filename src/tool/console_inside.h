/* SPDX-License-Identifier: MIT
 * console_inside.h - what the files of the console share: console.c has its clients, console_typed.c what is typed. */
#ifndef TOOL_CONSOLE_INSIDE_H
#define TOOL_CONSOLE_INSIDE_H
#include "tool/console.h"
#include "tool/manner.h"
#include "tool/panel.h"
#include "tool/talk.h"
#include "tool/ws_options.h"

enum { LIST_MAX = 200 }; /* /who lists so many */

struct client {
    dx_conn *conn;
    struct client *next, **link; /* all that are here, the first to come first */
    uint64_t number, in;
    int64_t since;
    struct show show;
    struct view view; /* where options ask for one */
    struct feed feed; /* what has gone out too      */
    struct steps steps;
    bool here, timer;
};
struct console {
    dx_loop *loop;
    struct panel panel;
    struct client *first, **last;
    uint64_t clients; /* that have ever come */
    struct manner manner;
    struct ws_options ws;
    uint64_t sums_bad; /* of those that have gone       */
    const char *exit_word;
    bool once, verbose;
    int64_t goodbye; /* a timer */
    void (*on_first)(void *arg);
    void *arg;
};

/* A line as typed, and the end of typing. */
void console_line(void *arg, const char *utf8, size_t n);
void console_end(void *arg);
extern const struct panel_command console_commands[];
#endif
