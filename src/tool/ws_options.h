/* SPDX-License-Identifier: MIT
 * ws_options.h - --text --binary --close --ping --header --subprotocol --deflate: how the WebSockets of dial and listen are. */
#ifndef TOOL_WS_OPTIONS_H
#define TOOL_WS_OPTIONS_H
#include "tool/feed.h"
#include "tool/options.h"
#include <duplex/http.h>
#include <duplex/ws.h>

enum { WS_HEADERS_MAX = 32 };
struct ws_options {
    dx_ws_opts o;
    const char *protocols; /* for dx_opts; NULL: none       */
    enum feed_kind kind;
    int close_code; /* 0: not said                  */
    const char *close_reason;
    dx_http_field fields[WS_HEADERS_MAX];
    char *names[WS_HEADERS_MAX]; /* ours */
};
/* -1, or the exit code, having said what is wrong. urls: what is dialled or listened on; these options want one that has WebSockets.
 * ret must stay where it is; ws_options_free in any case. */
int ws_options_read(struct ws_options *ret, const struct options *o, const char *const *urls, int url_count);
void ws_options_free(struct ws_options *w);
/* dx_close, with the code and reason of --close where c is a WebSocket whose peer has not closed first. */
void ws_options_close(const struct ws_options *w, dx_conn *c);
#endif
