/* SPDX-License-Identifier: MIT
 * prompt_inside.h - what the files of the prompt share: prompt.c has its keys and the terminal's state, prompt_screen.c its rows. */
#ifndef TOOL_PROMPT_INSIDE_H
#define TOOL_PROMPT_INSIDE_H
#include "tool/edit.h"
#include "tool/prompt.h"
#include <termios.h>

struct prompt {
    struct edit edit;
    struct termios before;
    const struct prompt_watch *watch;
    void *arg;
    const char *mark;
    dx_conn *keys;
    int fd;
    struct edit_place at; /* the cursor, within the line as it is drawn                      */
    int columns;          /* the terminal's then                                             */
    int entered_rows;     /* what the line entered last took and still takes                 */
    bool plain, raw, over, many;
};

/* To the terminal, all of it. */
void screen_put(const struct prompt *p, const char *s, size_t n);
/* From the first row of the line down the screen is empty then, and the cursor there. */
void screen_erase(struct prompt *p, dx_text *out);
void screen_redraw(struct prompt *p);
void screen_size(const struct prompt *p, int *ret_columns, int *ret_rows);
#endif
