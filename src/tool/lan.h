/* SPDX-License-Identifier: MIT
 * lan.h - this machine as its network sees it. */
#ifndef TOOL_LAN_H
#define TOOL_LAN_H
#include <stdbool.h>
#include <stddef.h>

enum { LAN_ADDRESSES_MAX = 32, LAN_KEY_CHARS = 16 };
struct lan {
    char host[LAN_ADDRESSES_MAX][64]; /* "192.168.1.5" or "[2001:db8::5]" */
    int count;
};
/* The addresses of the interfaces that are up, without loopback and link-local ones; IPv4 first. */
void lan_find(struct lan *ret);
/* A key to type in: 80 random bits in letters and digits that look unlike each other. false: no randomness. */
bool lan_make_key(char ret[LAN_KEY_CHARS + 1]);
/* Would this URL be reached from beyond this machine? Names other than localhost: yes. */
bool lan_is_beyond(const char *url);
#endif
