/* SPDX-License-Identifier: MIT
 *
 * tls.h - certificates and trust for tls://, wss://, https:// and quic://. Not in this build yet: dx_tls_new
 * answers DX_ABSENT.
 *
 * A dx_tls is counted, immutable but for dx_tls_reload, and shared by listeners and dials on any thread.
 */
#ifndef DUPLEX_TLS_H
#define DUPLEX_TLS_H
#include <duplex/duplex.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dx_tls_opts {
    const char *cert, *key;   /* PEM files; several of each separated by ','; "auto": a self-signed leaf        */
    const char *ca;           /* PEM file to trust in place of the system's store                              */
    const char *pins;         /* "sha256:..." of the peer's key, separated by ','                              */
    bool insecure;            /* believe any certificate: for debugging alone                                  */
    bool client_cert;         /* a server asks for, and insists on, the peer's certificate                     */
} dx_tls_opts;
DX_API dx_tls *dx_tls_new_sized(const dx_tls_opts *o, size_t o_bytes, dx_err *err);
static inline dx_tls *dx_tls_new(const dx_tls_opts *o, dx_err *err)
{
    return dx_tls_new_sized(o, sizeof(dx_tls_opts), err);
}
DX_API dx_tls *dx_tls_ref(dx_tls *t);
DX_API void    dx_tls_drop(dx_tls *t);
DX_API int     dx_tls_reload(dx_tls *t, dx_err *err);     /* reads its files anew; open conns keep the old ones  */
DX_API const char *dx_tls_pin(const dx_tls *t);           /* "sha256:...": what a client should pin            */

#ifdef __cplusplus
}
#endif
#endif
