/* SPDX-License-Identifier: MIT
 *
 * http.h - one HTTP exchange is one dx_conn, the same for every version (RFC 9110).
 *
 * SERVER     on_open: the request's head is in: ask below. on_data: its body. on_end: its body is complete (also
 *            when it had none). Answer with dx_http_reply, or dx_http_head and then dx_send ... dx_finish.
 *            Sending before a head is 200 with defaults. Expect: 100-continue is answered when on_open returns,
 *            unless answered or paused. Idle keep-alive connections are not conns; a pipelined request's on_open
 *            waits for the reply before it. Trailers are checked and skipped (DX_TRAILERS: not in this build yet).
 * CLIENT     on_open: the request may be sent. The reply's head comes as DX_HEAD, 1xx as DX_INFO (arg: const
 *            int *status), then on_data and on_end. Not in this build yet.
 * VIEWS      What the calls below return is good until on_close; a NULL p means absent.
 * WEBSOCKET  dx_ws_accept (ws.h) turns the same conn into messages, once, before any data.
 */
#ifndef DUPLEX_HTTP_H
#define DUPLEX_HTTP_H
#include <duplex/duplex.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dx_http_field {
    const char *name, *value; /* names in any case */
} dx_http_field;

DX_API bool     dx_http_is(const dx_conn *c);              /* an exchange, and not yet a tunnel           */
DX_API dx_bytes dx_http_method(const dx_conn *c);
DX_API dx_bytes dx_http_target(const dx_conn *c);          /* as it came                                  */
DX_API dx_bytes dx_http_path(const dx_conn *c);            /* of the target, still percent-encoded        */
DX_API dx_bytes dx_http_query(const dx_conn *c);           /* without the '?'; NULL: none                 */
DX_API dx_bytes dx_http_host(const dx_conn *c);            /* Host or :authority                          */
DX_API dx_bytes dx_http_header(const dx_conn *c, const char *name);   /* the first of that name           */
DX_API dx_bytes dx_http_header_at(const dx_conn *c, size_t i, dx_bytes *ret_name); /* NULL: no more       */
DX_API int64_t  dx_http_length(const dx_conn *c);          /* of the body, 0: none; -1: not said (chunked) */
DX_API int      dx_http_version(const dx_conn *c);         /* 10, 11, 20, 30                              */
DX_API bool     dx_http_wants_ws(const dx_conn *c);        /* a WebSocket handshake that dx_ws_accept takes */

/* A whole reply; then the exchange ends by itself. extra: count more fields; CR, LF and NUL in them are DX_URL.
 * Content-Length, Date and, unless type is NULL, Content-Type are added. DX_STATE: a head has gone. DX_URL: also a
 * status that is not 200-999. */
DX_API int dx_http_reply(dx_conn *c, int status, const char *type, const void *body, size_t n,
                         const dx_http_field *extra, size_t count);
/* The head alone: length -1 streams (chunked in 1.1); the body follows by dx_send, its end by dx_finish. */
DX_API int dx_http_head(dx_conn *c, int status, int64_t length, const dx_http_field *fields, size_t count);
DX_API const char *dx_http_reason(int status);             /* "Not Found"                                 */
/* CONNECT and Upgrade: the conn becomes bytes, with handler h if not NULL. Not in this build yet. */
DX_API int dx_http_tunnel(dx_conn *c, const char *protocol, const dx_handler *h, void *user);

#ifdef __cplusplus
}
#endif
#endif
