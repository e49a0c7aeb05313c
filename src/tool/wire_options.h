/* SPDX-License-Identifier: MIT
 * wire_options.h - --bind --multicast --broadcast --ttl: into the URL of a dial, or onto a listener. */
#ifndef TOOL_WIRE_OPTIONS_H
#define TOOL_WIRE_OPTIONS_H
#include "tool/options.h"
#include <duplex/duplex.h>

enum { WIRE_URL_MAX = 4096 };
/* The URL to dial, with what the options say in its fragment. -1, or the exit code, having said what is wrong. */
int wire_url(const struct options *o, const char *url, char ret[WIRE_URL_MAX]);
/* Joins groups and sets hops on what listens on url. -1, or the exit code, having said what is wrong. */
int wire_listener(const struct options *o, const char *url, dx_listener *l);
#endif
