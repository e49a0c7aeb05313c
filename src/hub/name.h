/* SPDX-License-Identifier: MIT
 * name.h - what may be a nick, a room and a Host header. Pure. */
#ifndef HUB_NAME_H
#define HUB_NAME_H
#include <duplex/duplex.h>

enum { NICK_CHARS_MAX = 32, NICK_BYTES_MAX = 4 * NICK_CHARS_MAX, ROOM_NAME_MAX = 64 };
/* NULL: it may be a nick; else why not: "is longer than 32 characters". */
const char *nick_fault(const char *p, size_t n);
/* Orders nicks; those that differ in ASCII case alone are the same. */
int nick_cmp(const char *a, const char *b);
bool room_name_ok(const char *p, size_t n);

/* The Host header without its port: false: it does not read as HOST or HOST:PORT. A literal keeps its brackets. */
bool host_split(const char *p, size_t n, dx_bytes *ret_host);
/* Is host (of host_split) the canonical literal that url ("tcp://[::1]:2333") has? Whole, no prefix. */
bool host_is_url(dx_bytes host, const char *url);
bool host_is_name(dx_bytes host, const char *name); /* without ASCII case; "" never matches */
/* The host of a URL, with brackets where it has them; p NULL: it has none. */
dx_bytes url_host(const char *url);
#endif
