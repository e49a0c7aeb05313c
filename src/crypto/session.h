/* SPDX-License-Identifier: MIT
 * session.h - the engine of one TLS connection: bytes in, bytes out. No sockets. What it reads is lent for a call; what it has for the
 * peer goes to push at once, within the call that brought it about. */
#ifndef CRYPTO_SESSION_H
#define CRYPTO_SESSION_H
#include "base/url.h"
#include <duplex/tls.h>

enum {
    TLS_RECORD_MAX = 16362,         /* plain bytes a record: so that four lie in 64 KiB with what is around them  */
    TLS_OPEN_MAX = 16 << 10,        /* what tls_open may write                                                    */
    TLS_AROUND_MAX = 512,           /* the most that surrounds a record's plain bytes                             */
};
dx_tls *tls_of_system(dx_err *err); /* who dials without one: the system's trust. A reference, or NULL with *err filled */

struct tls_session;
struct tls_ask {
    bool server;
    const char *host;      /* a client's: who it must be; SNI, unless it is an address. Copied                    */
    const char *protocols; /* ALPN, "h2,http/1.1"; NULL or "": none. Copied                                       */
    bool (*push)(void *arg, const void *p, size_t n); /* false: no memory, and the session is broken from then on  */
    void *arg;
};
/* NULL with *err filled: no memory, a host or a protocol that TLS cannot say (DX_URL), a server without a certificate, a store that does not read. */
struct tls_session *tls_session_new(dx_tls *t, const struct tls_ask *a, dx_err *err);
void tls_session_free(struct tls_session *s); /* NULL is fine */

/* p[0..n) is what came; the calls below read from it until it is lent anew. tls_unread: what they left. */
void tls_lend(struct tls_session *s, const uint8_t *p, size_t n);
size_t tls_unread(const struct tls_session *s);

/* The handshake goes on. 1: it stands. 0: more must come. < 0 with *err filled; the peer has been told. */
int tls_shake(struct tls_session *s, dx_err *err);
/* The plain bytes of the next record into to[0..TLS_OPEN_MAX). Their count; 0: more must come; DX_END: close_notify; else < 0 with *err
 * filled, and the peer has been told. */
int64_t tls_open(struct tls_session *s, uint8_t *to, dx_err *err);
/* One record of n <= TLS_RECORD_MAX plain bytes. 0, DX_NOMEM, DX_TLS. */
int tls_seal(struct tls_session *s, const void *p, size_t n);
int tls_bye(struct tls_session *s); /* close_notify: nothing can be sealed after it. 0, DX_NOMEM, DX_TLS */

const char *tls_alpn(const struct tls_session *s); /* "": none was agreed on */
int tls_peer(struct tls_session *s, void (*fn)(void *arg, const dx_cert_info *i), void *arg); /* as dx_tls_peer */
void tls_tell(struct tls_session *s, dx_tls_info *ret); /* good until it goes, or this thread asks of another */
#endif
