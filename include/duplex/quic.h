/* SPDX-License-Identifier: MIT
 *
 * quic.h - what QUIC (RFC 9000) adds: several streams, each a conn, share a counted dx_session. Not in this build
 * yet: every call answers DX_ABSENT or NULL.
 *
 * dx_finish is FIN; dx_close is FIN and STOP_SENDING(0); dx_abort is RESET_STREAM and STOP_SENDING. Dialling
 * announces its stream at once, so that a server may speak first. A client's session ends when its last conn has
 * closed, all is acknowledged and nobody holds it.
 */
#ifndef DUPLEX_QUIC_H
#define DUPLEX_QUIC_H
#include <duplex/duplex.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

DX_API dx_session *dx_session_of(dx_conn *c);    /* NULL: the wire has none. Borrowed: dx_session_ref to keep */
DX_API dx_session *dx_session_ref(dx_session *s);
DX_API void        dx_session_drop(dx_session *s);
DX_API dx_conn    *dx_open_stream(dx_session *s, const dx_handler *h, void *user, dx_err *err);
DX_API int         dx_datagram(dx_session *s, const void *data, size_t n);   /* unreliable; peers get DX_DATAGRAM */

#ifdef __cplusplus
}
#endif
#endif
