/* SPDX-License-Identifier: MIT
 * outgoing.h - what is typed, piped or given as an argument becomes messages: hex read, put into a coding, its checksum and
 * line end behind it. Pure; where one message ends is feed.h's. */
#ifndef TOOL_OUTGOING_H
#define TOOL_OUTGOING_H
#include <duplex/text.h>

struct outgoing {
    bool hex;           /* what comes in is hex text                                  */
    const char *coding; /* what comes in is UTF-8 and leaves in this; NULL: as it is   */
    const char *sum;    /* a name for dx_sum_begin; NULL: none                         */
    const char *eol;    /* after the checksum; NULL: none                              */

    dx_text bytes; /* of the last call */
};
void outgoing_free(struct outgoing *g);
/* Is there anything to do? Else all goes as it comes. */
bool outgoing_works(const struct outgoing *g);
/* A message, in without its line end. 0 and *ret, good until the next call; DX_URL: no hex from *ret_at on, or no such coding or
 * checksum; DX_NOMEM. */
int outgoing_make(struct outgoing *g, dx_bytes in, dx_bytes *ret, size_t *ret_at);
/* "lf", "crlf", "none" into what it stands for; NULL: another word. */
const char *outgoing_eol(const char *name);
#endif
