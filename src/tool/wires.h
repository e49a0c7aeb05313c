/* SPDX-License-Identifier: MIT
 * wires.h - what the scheme of a URL says of its wire, before anything is opened. Schemes are read in any case, as the library
 * does. url NULL is of no wire. */
#ifndef TOOL_WIRES_H
#define TOOL_WIRES_H
#include <stdbool.h>
#include <stddef.h>

bool wire_is(const char *url, const char *scheme);
bool wire_among(const char *url, const char *const *schemes); /* they end with a NULL */
bool wire_is_tls(const char *url);                            /* whatever else is said: tls, wss, https     */
bool wire_may_be_tls(const char *url);                        /* those, any and quic                       */
bool wire_has_messages(const char *url);                      /* it keeps boundaries: framing is for the other kind */
bool wire_is_path(const char *url);                           /* unix, unixgram: a path, and no host and port   */
bool wire_is_local(const char *url);                          /* stdio, fd, file, exec: no "//" behind the colon */
const char *wire_scheme(const char *url);                     /* of those with a "//", in lower case; NULL: none     */
bool wire_can_be_dialled(const char *url);                    /* and reads so far; whether it is in this build is the library's to say */
const char *wire_nearest(const char *scheme, size_t n);       /* of those with a "//", the one that is meant; NULL: none is near */
const char *wire_frame(const char *url, const char *frame);   /* what the conn itself is to frame: NULL where it has messages */
#endif
