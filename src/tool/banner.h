/* SPDX-License-Identifier: MIT
 * banner.h - the words with which serve begins: each way into the room, ready to copy. Text alone: who asks writes it. */
#ifndef TOOL_BANNER_H
#define TOOL_BANNER_H
#include "hub/hub.h"
#include "tool/lan.h"

struct banner {
    const struct hub *hub;
    const char *port; /* of the network addresses            */
    const char *key;  /* what they must show; "": nothing    */
    const char *pin;  /* of our certificate; "": no TLS here */
    const char *folder; /* whose files are at /; NULL: none  */
    bool metrics;       /* at /~metrics                      */
};
/* Whole lines: browser, terminal, udp, unix and TLS on this machine; where wires do not meet, the bare URLs. */
void banner_ways(const struct banner *b, dx_text *t);
/* A newline before each line, and none after the last: the addresses of l and how to come in by them, https first. */
void banner_lan(const struct banner *b, const struct lan *l, dx_text *t);
/* The https address of host, which is the network's, with the key in the fragment, or, host NULL, of this machine alone, as a code for a
 * camera, in whole lines. Without TLS, and where it is wider than columns_max, nothing. */
void banner_code(const struct banner *b, const char *host, int columns_max, dx_text *t);
/* A line "listening URL" for each address, for scripts, and "pin sha256:..." where there is TLS. */
void banner_listening(const struct banner *b, dx_text *t);
#endif
