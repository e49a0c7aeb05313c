/* SPDX-License-Identifier: MIT
 * url_join.h - where a reference leads from a URL (RFC 3986 5.2), for redirects: what it says may be anything; and a URL as it goes
 * on the wire. */
#ifndef BASE_URL_JOIN_H
#define BASE_URL_JOIN_H
#include "base/url.h"
#include <duplex/text.h>

/* Appends the URL that ref means beside base, without a fragment; blanks and bytes over 0x7E are percent-encoded, and a host without
 * a path gets "/". 0; DX_URL: control bytes in it, or base has no host; DX_NOMEM. Whether anybody knows the scheme is not asked. */
int url_join(const struct url *base, struct bytes ref, dx_text *out);
/* Appends text with its bytes over 0x7E percent-encoded: a request line is ASCII, and people type names as they read them. */
int url_ascii(struct bytes text, dx_text *out);
#endif
