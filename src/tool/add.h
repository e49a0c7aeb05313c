/* SPDX-License-Identifier: MIT
 * add.h - what those who write lines into a dx_text do all the time. */
#ifndef TOOL_ADD_H
#define TOOL_ADD_H
#include <duplex/text.h>
#include <string.h>

static inline int add(dx_text *t, const char *s)
{
    return dx_text_add(t, s, strlen(s));
}
#endif
