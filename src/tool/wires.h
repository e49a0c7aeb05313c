/* SPDX-License-Identifier: MIT
 * wires.h - what the scheme of a URL says of its wire, before anything is opened. Schemes are read in any case, as the library
 * does. url NULL is of no wire. */
#ifndef TOOL_WIRES_H
#define TOOL_WIRES_H
#include <stdbool.h>

bool wire_is(const char *url, const char *scheme);
bool wire_among(const char *url, const char *const *schemes); /* they end with a NULL */
bool wire_is_tls(const char *url);                            /* whatever else is said: tls, wss, https     */
bool wire_may_be_tls(const char *url);                        /* those, any and quic                       */
bool wire_has_messages(const char *url);                      /* it keeps boundaries: framing is for the other kind */
#endif
