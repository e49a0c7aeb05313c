/* SPDX-License-Identifier: MIT
 * panel.h - the terminal of dial and listen: a prompt, above it what comes, as text or as bytes, and the commands that begin
 * with '/'. Knows no wires. */
#ifndef TOOL_PANEL_H
#define TOOL_PANEL_H
#include "tool/kept.h"
#include "tool/prompt.h"

struct panel_command {
    const char *name, *help;
    void (*run)(void *arg, const char *rest); /* rest: what stands behind the name and its blanks */
};
struct panel {
    struct prompt *prompt;                /* NULL: nothing is shown                                     */
    const char *coding;                   /* what comes is in this                                      */
    const char *help;                     /* the last line of /help: how to leave                       */
    const struct panel_command *commands; /* beside /hex, /text and /help; ends with a NULL name */
    void (*on_text)(void *arg);           /* the view is text again, all of it shown     */
    void *arg;                            /* of both                                     */

    /* its own, zero at first */
    struct kept kept;
    bool hex;
};
void panel_free(struct panel *p); /* with its prompt */
/* A line was typed. False and *ret_said: it is to be said, "//x" as "/x". True: it was a command, and has been done. */
bool panel_takes(struct panel *p, const char *line, size_t n, dx_bytes *ret_said);
/* Keeps what came, and shows it where the view is bytes. 0 or DX_NOMEM. */
int panel_came(struct panel *p, uint64_t from, const void *data, size_t n, bool whole);
/* Shows what has become text, where the view is text. */
void panel_text(struct panel *p, uint64_t from, const char *text, size_t n);
/* "* " and words, made safe, in a line. */
void panel_say(struct panel *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
