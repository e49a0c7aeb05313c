/* SPDX-License-Identifier: MIT
 * cert.h - what the parts of `duplex cert` share. */
#ifndef TOOL_CERT_H
#define TOOL_CERT_H
#include "tool/options.h"
#include <duplex/text.h>
#include <duplex/tls.h>

enum { CERT_PATH_ROOM = 4096 };

/* Says what went wrong with a file or in making one, and returns the exit code. hint: what to try; NULL: nothing. */
int cert_fail(const dx_err *e, const char *hint);
/* Writes t to stdout and frees it; the exit code. */
int cert_print(dx_text *t);
/* Appends all that the certificates of a file say, or a JSON object a line. Whatever stands in them, a terminal obeys none of it.
 * 0, or the exit code of what it has said on stderr. */
int cert_show(const char *path, bool json, dx_text *t);
/* The same of what the peer of c has shown, under the heading url. */
void cert_show_peer(dx_conn *c, const char *url, dx_text *t);
/* "  name         value\n", value made safe. */
void cert_line(dx_text *t, const char *name, const char *value);

int cert_check(const struct options *o, const char *what); /* duplex cert check FILE|URL; the exit code */
#endif
