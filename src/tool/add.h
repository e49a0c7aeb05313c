/* SPDX-License-Identifier: MIT
 * add.h - what those who write lines into a dx_text do all the time: 0, or DX_NOMEM. */
#ifndef TOOL_ADD_H
#define TOOL_ADD_H
#include <duplex/text.h>
#include <string.h>

static inline int add(dx_text *t, const char *s)
{
    return dx_text_add(t, s, strlen(s));
}
int addf(dx_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* as printf has it, however long */
int add_json(dx_text *t, const char *name, const char *value, size_t n); /* a member behind others: ,"name":"value" */
#endif
