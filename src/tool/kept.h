/* SPDX-License-Identifier: MIT
 * kept.h - what came lately, with its times, so that a terminal can show it again in another view; and the two views. Bytes and
 * time in, text out. */
#ifndef TOOL_KEPT_H
#define TOOL_KEPT_H
#include "tool/show.h"

enum { KEPT_BYTES_MAX = 262144, KEPT_PIECES_MAX = 16384 };
struct kept_piece {
    int64_t time_ms; /* since 1970                                    */
    uint64_t from;   /* a client's number; 0: there is one peer alone */
    size_t n;
    bool whole; /* a message ends here                           */
};
struct kept {
    struct kept_piece *piece;
    size_t count, room;
    dx_text bytes; /* of all pieces, the first's first */
};
/* The oldest go first where it would be more than KEPT_BYTES_MAX bytes or KEPT_PIECES_MAX pieces; of a longer piece its end is
 * kept. 0 or DX_NOMEM. */
int kept_add(struct kept *k, const struct kept_piece *piece, const void *data);
void kept_free(struct kept *k);
/* All of it as a dump of each piece, or as text that is decoded anew; each of several clients by its number. 0 or DX_NOMEM. */
int kept_dump(const struct kept *k, dx_text *out);
int kept_text(const struct kept *k, const char *coding, dx_text *out);
/* One piece: a first line "12:01:07.123 5 bytes", then offset, hex and text, 16 bytes a line. */
int piece_dump(const struct kept_piece *piece, const void *data, dx_text *out);
/* Lines of text with "2> " before each, where from is not 0. The last may lack its end: then it gets one. */
int piece_text(uint64_t from, const char *text, size_t n, dx_text *out);
#endif
