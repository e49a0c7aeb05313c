/* SPDX-License-Identifier: MIT
 * settings.h - dx_opts with its defaults filled in, checked, and kept for as long as somebody uses them. */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H
#include <duplex/http.h>
#include <duplex/ws.h>

struct settings {
    unsigned refs; /* one loop's thread                          */
    dx_opts o;     /* every zero replaced; strings are our copies, tls a reference */
    char *strings;
    dx_http_limits http; /* every zero replaced; -1 or a number                        */
    dx_ws_opts ws; /* as given: all of it is our copy */
    char *ws_strings;
};
/* o_bytes: the caller's sizeof(dx_opts), older and shorter or newer and longer than ours. NULL with *err filled. */
struct settings *settings_new(const dx_opts *o, size_t o_bytes, dx_err *err);
/* Checks limits: 0, or DX_URL, DX_ABSENT with *err filled. from NULL: all zero. */
int settings_http(const dx_http_limits *from, dx_http_limits *ret, dx_err *err);
/* What is said of WebSockets, beside; o NULL: nothing. 0, or < 0 with *err filled. */
int settings_ws(struct settings *s, const dx_ws_opts *o, size_t o_bytes, dx_err *err);
struct settings *settings_ref(struct settings *s);
void settings_drop(struct settings *s);
#endif
