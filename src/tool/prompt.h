/* SPDX-License-Identifier: MIT
 * prompt.h - one line to type in at the bottom of the terminal, while others' words arrive above it. A small editor: the keys
 * of Emacs that everybody's fingers know, history, wide characters, sideways scrolling. */
#ifndef TOOL_PROMPT_H
#define TOOL_PROMPT_H
#include <duplex/duplex.h>

struct prompt;
struct prompt_watch {
    void (*line)(void *arg, const char *utf8, size_t n); /* Enter: without its end; may be empty           */
    void (*end)(void *arg);                              /* Ctrl-D on an empty line, or the terminal is gone */
};
/* Takes the controlling terminal over until prompt_free, which gives it back as it was. w stays the caller's. */
struct prompt *prompt_new(dx_loop *loop, const char *mark, const struct prompt_watch *w, void *arg, dx_err *err);
/* In the line callback: takes the line as typed off the screen, because the caller shows it in another form. */
void prompt_take_back(struct prompt *p);
void prompt_free(struct prompt *p); /* NULL is fine */
/* Whole lines, safe to show as they are; they go above the line being typed. */
void prompt_print(struct prompt *p, const char *text, size_t n);

/* ---- the editor alone: no terminal ---- */
enum { EDIT_BYTES_MAX = 16384, EDIT_HISTORY = 50 };
struct edit {
    char text[EDIT_BYTES_MAX];
    size_t n, at; /* at: the cursor, before this byte                                        */
    char esc[8];  /* a key's escape sequence so far                                           */
    size_t esc_n;
    char *past[EDIT_HISTORY];
    int past_n, past_at; /* past_at: what is shown; past_n: the line being typed                     */
};
enum edit_did { EDIT_NOTHING, EDIT_CHANGED, EDIT_LINE, EDIT_END };
/* One byte typed. EDIT_LINE: text[0..n) is a line; edit_next before the next byte. */
enum edit_did edit_byte(struct edit *e, unsigned char c);
void edit_next(struct edit *e); /* keeps the line in the history and begins an empty one */
void edit_free(struct edit *e);
int edit_columns(const char *utf8, size_t n); /* what it takes on a terminal */
/* The part of the line that fits into so many columns with the cursor in it: [*ret_from, *ret_to). */
void edit_window(const struct edit *e, int columns, size_t *ret_from, size_t *ret_to);
#endif
