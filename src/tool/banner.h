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
};
/* Whole lines: browser, terminal, udp and unix on this machine; where wires do not meet, the bare URLs. */
void banner_ways(const struct banner *b, dx_text *t);
/* A line before each, and none after the last: the addresses of l and how to come in by them. */
void banner_lan(const struct banner *b, const struct lan *l, dx_text *t);
/* A line "listening URL" for each address, for scripts. */
void banner_listening(const struct banner *b, dx_text *t);
#endif
