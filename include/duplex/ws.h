/* SPDX-License-Identifier: MIT
 *
 * ws.h - what WebSocket (RFC 6455) adds to a conn. Messages come whole to on_data with DX_TEXT or DX_BINARY; text is valid UTF-8,
 * and a whole dx_send of text that is not is DX_PROTO. A message may go in parts: DX_MORE with each but the last, all in
 * the kind of the first. dx_finish and dx_close send Close 1000, or the code of the peer's Close where that came first.
 *
 * Dialling: dx_ws_connect(loop, "ws://host:port/path", ...), or wss:// (tls.h), with dx_opts.protocols as subprotocols to offer;
 * dx_connect is the same without dx_ws_opts. DX_HEAD (on_event, before on_open, arg NULL): the server's answer is in;
 * dx_http_status and dx_http_header read it in that call alone. One that is no 101 ends the dial: DX_PROTO, DX_OF_HTTP, the status
 * (DX_OF_TLS: the server speaks TLS there).
 * Listening on ws:// or wss:// accepts every handshake on that path that no page of another host makes (403), and answers what is none
 * itself: 404, 426 or 400. To choose, listen on http://, https:// or any:// and call dx_ws_accept in on_open.
 * A conn that has ended stays so: to dial another, later and later, is dx_again's (duplex.h).
 * PINGS      are answered by the library. It sends its own after ping_ms of silence; ping_timeout_ms more without a byte, and without
 *            one of ours taken while some wait, and the conn ends: DX_TIMEOUT. While the conn is paused nobody is counted dead.
 * DEFLATE    permessage-deflate (RFC 7692) costs a conn that uses it about 50 KiB, less with no_context_takeover, and what the other
 *            side packs may tell who watches the wire what is in it: so it is off unless asked for. message_bytes_max bounds
 *            what is unpacked, while it is unpacked.
 */
#ifndef DUPLEX_WS_H
#define DUPLEX_WS_H
#include <duplex/duplex.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

struct dx_http_field;             /* http.h                                                               */
typedef struct dx_ws_opts {       /* zero means the default; NULL means all zero                          */
    const char *protocol;         /* accepting: the subprotocol we choose, which must have been offered; NULL: the
                                     first of dx_opts.protocols that was, or none                           */
    const char *origins;          /* accepting. NULL: none, or the same host; "*": any; else a list "https://a,https://b" */
    const char *deflate;          /* NULL: no. "": yes, if the other side wants it too; or with parameters of RFC 7692:
                                     "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10;
                                     client_max_window_bits=10". Windows are of 12 bits unless somebody asks for less  */
    int64_t ping_ms;              /* 20 000, or none where dx_opts.idle_ms_max is set: pings are no idleness. -1: none */
    int64_t ping_timeout_ms;      /* 20 000                                                                */
    const struct dx_http_field *fields; /* more of our half of the handshake: of the request, or of the answer 101. Not
                                     Host, Connection, Upgrade or Sec-WebSocket-...: DX_URL                */
    size_t field_count;           /* at most 64                                                            */
} dx_ws_opts;

DX_API dx_conn *dx_ws_connect_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o, size_t o_bytes,
                                    const dx_ws_opts *ws, size_t ws_bytes, dx_err *err);
DX_API dx_listener *dx_ws_serve_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                                      size_t o_bytes, const dx_ws_opts *ws, size_t ws_bytes, dx_err *err);
/* dx_connect and dx_serve with what WebSockets of that conn or listener are to be like; *ws is copied. DX_URL: deflate or fields
 * do not read, or a dial's dx_opts.protocols are no tokens, each once. Other schemes take no notice. */
static inline dx_conn *dx_ws_connect(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                                     const dx_ws_opts *ws, dx_err *err)
{
    return dx_ws_connect_sized(l, url, h, user, o, sizeof(dx_opts), ws, sizeof(dx_ws_opts), err);
}
static inline dx_listener *dx_ws_serve(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                                       const dx_ws_opts *ws, dx_err *err)
{
    return dx_ws_serve_sized(l, url, h, user, o, sizeof(dx_opts), ws, sizeof(dx_ws_opts), err);
}

/* Answers a handshake (dx_http_wants_ws): the conn becomes messages. h and user replace the handler if h is not
 * NULL (same state_bytes); on_open is not called again. o NULL: as dx_ws_serve was told. 0; DX_URL: deflate or fields do not read;
 * DX_PROTO: no handshake that reads, a foreign Origin, or a protocol that was not offered; DX_NOMEM. Nothing was sent then: answer it (403), or
 * ask for another protocol. DX_STATE: something was sent already, or h is not NULL
 * and the conn is in a relay or saved. */
DX_API int  dx_ws_accept_sized(dx_conn *c, const dx_handler *h, void *user, const dx_ws_opts *o, size_t o_bytes);
static inline int dx_ws_accept(dx_conn *c, const dx_handler *h, void *user, const dx_ws_opts *o)
{
    return dx_ws_accept_sized(c, h, user, o, sizeof(dx_ws_opts));
}
/* DX_STATE: no WebSocket, or a Close has gone. DX_BIG: the ping. DX_URL: a code that may not be sent, a reason over 123 bytes
 * or not UTF-8. */
DX_API int  dx_ws_ping(dx_conn *c, const void *data, size_t n); /* up to 125 bytes; DX_PONG (arg: const dx_bytes *) */
DX_API int  dx_ws_close(dx_conn *c, int code, const char *reason); /* dx_close with a code (RFC 6455 7.4)     */
/* Until on_close has returned: */
DX_API const char *dx_ws_protocol(const dx_conn *c);            /* the subprotocol agreed on; "": none        */
DX_API bool        dx_ws_deflates(const dx_conn *c);            /* permessage-deflate was agreed on           */
DX_API int         dx_ws_close_code(const dx_conn *c);          /* of the peer's Close; 1005: it had none; 0: none came  */
DX_API const char *dx_ws_close_reason(const dx_conn *c);        /* of the peer's Close: UTF-8, for no terminal as it is; "": none */

#ifdef __cplusplus
}
#endif
#endif
