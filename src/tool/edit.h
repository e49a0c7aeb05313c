/* SPDX-License-Identifier: MIT
 * edit.h - the line being typed, without a terminal: bytes typed in, a line out, and how it lies on a screen. The keys of
 * Emacs that everybody's fingers know, history, wide characters, bracketed paste. docs/why/editor.md says why it is ours. */
#ifndef TOOL_EDIT_H
#define TOOL_EDIT_H
#include <duplex/text.h>

enum { EDIT_BYTES_MAX = 16384, EDIT_HISTORY = 200 };
struct edit {
    char text[EDIT_BYTES_MAX];
    size_t n, at; /* at: the cursor, before this byte                                        */
    char esc[8];  /* a key's escape sequence so far                                           */
    size_t esc_n;
    bool paste; /* between ESC [ 200 ~ and ESC [ 201 ~: a line end is text and no Enter     */
    bool cr;    /* what was pasted last is a CR                                             */
    bool full;  /* something had no room: whoever says so sets it back                      */
    char *past[EDIT_HISTORY];
    int past_n, past_at; /* past_at: what is shown; past_n: the line being typed                     */
};
enum edit_did { EDIT_NOTHING, EDIT_CHANGED, EDIT_LINE, EDIT_END };
/* One byte typed. EDIT_LINE: text[0..n) is a line, or several with \n between where it was pasted; edit_next before the next
 * byte. */
enum edit_did edit_byte(struct edit *e, unsigned char c);
void edit_next(struct edit *e); /* keeps the line in the history and begins an empty one */
void edit_remember(struct edit *e, const char *line, size_t n); /* as if it had been typed */
void edit_free(struct edit *e);
int edit_columns(const char *utf8, size_t n); /* what it takes on a terminal, at most */

struct edit_place { /* where the cursor is */
    int above;      /* rows of the line over it */
    int column;     /* at most                  */
};
/* The line behind its mark, wrapped into rows of so many columns. Of more than rows_max the cursor's is among those shown. The
 * cursor is left where it belongs. 0 or DX_NOMEM. */
int edit_draw(const struct edit *e, const char *mark, int columns, int rows_max, dx_text *out, struct edit_place *ret);
#endif
