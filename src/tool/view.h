/* SPDX-License-Identifier: MIT
 * view.h - what passed becomes lines: as text or as pairs of hex digits, with its time, its way and what its checksum says. Knows
 * neither conns nor clocks, so that stored bytes can be shown anew in another view. */
#ifndef TOOL_VIEW_H
#define TOOL_VIEW_H
#include "tool/show.h"
#include "tool/stamp.h"

enum view_way { VIEW_IN, VIEW_OUT };
struct view {
    bool hex;         /* a line of pairs for each message or piece; else text by show  */
    bool stamps;      /* each line begins with [time +delta]                           */
    bool dated, ways; /* the day too; < what came, > what went                         */
    uint64_t from;    /* of several clients whose it is, with ways; 0: there is one alone */
    struct show *show;
    const char *sum, *eol; /* messages end in this checksum, and then perhaps in eol; NULL: none */

    struct moment last;
    bool inside; /* a line of which the end has not come */
    uint64_t sums_bad;
    dx_text out; /* of the last call                     */
};
void view_free(struct view *v);
/* Puts the lines of data into v->out. whole: a message; else a piece of a stream, of which the last line may wait in v->show for
 * the next one or view_rest. 0 or DX_NOMEM. */
int view_add(struct view *v, enum view_way way, dx_bytes data, bool whole, struct moment at);
int view_rest(struct view *v, struct moment at);

/* A message and the checksum at its end. */
struct view_sum {
    dx_bytes body; /* without it                                          */
    bool good;
    dx_bytes found; /* n 0: the message is too short to have one           */
    uint8_t expected[8];
    size_t n;
};
/* eol NULL: none. name must be known (dx_sum_begin). */
void view_check(const char *name, const char *eol, dx_bytes message, struct view_sum *ret);
#endif
