/* SPDX-License-Identifier: MIT
 * escape.h - the escapes of TEXT arguments (--send, --reply, --wait-for). Pure. */
#ifndef TOOL_ESCAPE_H
#define TOOL_ESCAPE_H
#include <duplex/text.h>

/* Appends text with \r \n \t \0 \xHH and \\ read; all else as it is. 0; DX_NOMEM; DX_URL: another escape stands at *ret_at, and
 * out has what came before it. */
int escape_read(const char *text, dx_text *out, size_t *ret_at);
#endif
