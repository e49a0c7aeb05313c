/* SPDX-License-Identifier: MIT
 * reply.h - listen --reply: everybody gets the same answer: a browser a whole HTTP response, a program the bare bytes. */
#ifndef TOOL_REPLY_H
#define TOOL_REPLY_H
#include "tool/options.h"
#include <duplex/text.h>

struct reply {
    bool on;
    dx_text bytes; /* on a wire of bytes: in the coding, with checksum and line end */
    dx_text plain; /* UTF-8, or what hex says: on a WebSocket                       */
    bool hex;
    const char *frame; /* what a message is, for dx_opts                            */
    char type[80]; /* of an HTTP response                                           */
};
/* Without --reply all is zero. -1, or the exit code, having said what is wrong. */
int reply_read(struct reply *r, const struct options *o);
void reply_free(struct reply *r);
/* To an exchange, of which the request is whole, or to a message that came. As dx_send. */
int reply_http(const struct reply *r, dx_conn *c);
int reply_message(const struct reply *r, dx_conn *c);
#endif
