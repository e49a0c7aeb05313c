/* SPDX-License-Identifier: MIT
 * qr.h - a QR code (ISO/IEC 18004) in half blocks, so that a phone gets an address without typing. Pure. */
#ifndef TOOL_QR_H
#define TOOL_QR_H
#include <duplex/text.h>

enum { QR_QUIET = 4 }; /* light modules around it, as the standard asks for */
/* Appends the smallest code of text (level L, bytes) to out: a row of characters is two rows of modules, each line ends with a
 * newline and says its own colours, because a code on a light terminal must look as on a dark one. 0; DX_LIMIT: it would be
 * wider than columns_max, or no code holds so much; DX_NOMEM. Nothing is appended then. */
int qr_text(const char *text, int columns_max, dx_text *out);
#endif
