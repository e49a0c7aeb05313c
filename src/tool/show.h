/* SPDX-License-Identifier: MIT
 * show.h - what came from a peer on its way to a terminal: decoded, line ends made ours, and harmless (dx_visible). */
#ifndef TOOL_SHOW_H
#define TOOL_SHOW_H
#include <duplex/text.h>

struct show {
    dx_decoder *decoder; /* NULL: bytes stay as they are      */
    bool exact;          /* for no terminal: nothing becomes a picture, line ends stay */
    bool ended;          /* nothing comes any more: half a character waits no longer   */
    dx_text tail;        /* came, and may be half a character or half a line */
    dx_text utf8, out;   /* out: ready for the terminal until the next call  */
};
int show_init(struct show *s, const char *coding, dx_err *err); /* 0, DX_URL, DX_NOMEM */
void show_free(struct show *s);
/* Puts into s->out what can be shown. whole: a message ends here, and gets a line end if it has none; else the rest of
 * a line stays until the next call or show_rest, of which half a character stays all the same until ended. 0 or DX_NOMEM. */
int show_data(struct show *s, const void *data, size_t n, bool whole);
int show_rest(struct show *s);
static inline bool show_waits(const struct show *s)
{
    return s->tail.n > 0;
}
#endif
