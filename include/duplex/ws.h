/* SPDX-License-Identifier: MIT
 *
 * ws.h - what WebSocket (RFC 6455) adds to a conn. Messages come whole to on_data with DX_TEXT or DX_BINARY;
 * text is valid UTF-8, and a whole dx_send of text that is not is DX_PROTO. Pings are answered by the library.
 * dx_finish and dx_close send Close 1000.
 *
 * Dialling: dx_connect(loop, "ws://host:port/path", ...), or wss:// (tls.h), with dx_opts.protocols as subprotocols to offer.
 * Listening on ws:// or wss:// accepts every handshake on that path that no page of another host makes, without a subprotocol; to choose,
 * listen on http://, https:// or any:// and call dx_ws_accept in on_open.
 */
#ifndef DUPLEX_WS_H
#define DUPLEX_WS_H
#include <duplex/duplex.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dx_ws_opts {       /* zero means the default; NULL means all zero                          */
    const char *protocol;         /* the subprotocol we choose; NULL: none. It must have been offered      */
    const char *origins;          /* NULL: none, or the same host; "*": any; else a list "https://a,https://b" */
} dx_ws_opts;

/* Answers a handshake (dx_http_wants_ws): the conn becomes messages. h and user replace the handler if h is not
 * NULL (same state_bytes); on_open is not called again. DX_PROTO: no handshake, a foreign Origin, or
 * a protocol that was not offered; then nothing was sent: answer it (403). DX_STATE: something was sent already. */
DX_API int  dx_ws_accept_sized(dx_conn *c, const dx_handler *h, void *user, const dx_ws_opts *o, size_t o_bytes);
static inline int dx_ws_accept(dx_conn *c, const dx_handler *h, void *user, const dx_ws_opts *o)
{
    return dx_ws_accept_sized(c, h, user, o, sizeof(dx_ws_opts));
}
/* DX_STATE: no WebSocket, or a Close has gone. DX_BIG: the ping. DX_URL: a code that may not be sent, over 123 bytes. */
DX_API int  dx_ws_ping(dx_conn *c, const void *data, size_t n); /* up to 125 bytes; DX_PONG (arg: const dx_bytes *) */
DX_API int  dx_ws_close(dx_conn *c, int code, const char *reason); /* dx_close with a code (RFC 6455 7.4)     */
DX_API const char *dx_ws_protocol(const dx_conn *c);            /* the subprotocol agreed on; "": none        */

#ifdef __cplusplus
}
#endif
#endif
