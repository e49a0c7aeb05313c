/* SPDX-License-Identifier: MIT
 * nibble.h - a digit of hex, in any case. */
#ifndef TOOL_NIBBLE_H
#define TOOL_NIBBLE_H

/* 0 to 15; -1: it is none. */
static inline int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
#endif
