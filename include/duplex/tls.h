/* SPDX-License-Identifier: MIT
 *
 * tls.h - certificates and trust for tls://, wss:// and https:// (TLS 1.3 and 1.2: RFC 8446, RFC 5246).
 *
 * A dx_tls is counted, immutable but for dx_tls_reload, and shared by listeners and dials on any thread. It rides in
 * dx_opts.tls, which takes its own reference. Or the URL's fragment says it: tls://:443#cert=a.pem,key=a.key
 * tls://:4000#cert=auto tls://a.example#ca=ca.pem tls://a.example#pin=sha256:... tls://a.example#insecure
 * dx_opts.tls wins over a fragment. A listener needs a certificate (any:// without one refuses TLS); a dial without either trusts
 * the system's store.
 *
 * TRUST      A dial believes a certificate that is in date, names the URL's host, is for servers, and leads to the
 *            system's store or to ca. With pins one of them must match, and then nothing else is asked: neither
 *            issuer nor name nor date. A pin is "sha256:" and either the base64 SHA-256 of the certificate's public
 *            key (SubjectPublicKeyInfo, as RFC 7469 has it: it outlives a renewal) or the hex SHA-256 of the whole
 *            certificate (colons allowed), its fingerprint.
 * ALPN       On tls:// it is dx_opts.protocols ("" offers none, more than eight are DX_URL); wss:// and https:// speak "http/1.1" and
 *            no other; any:// takes "http/1.1", "duplex" (text) and none at all. A server that is offered none of its own refuses.
 * END        dx_finish and dx_close send close_notify. On tls:// a peer's end without one is DX_TRUNCATED; HTTP and
 *            WebSocket have end marks of their own and ask for those (a response whose end is the connection's has none).
 * KEYS       $SSLKEYLOGFILE, where it is set, gets the secrets of every connection, for Wireshark.
 */
#ifndef DUPLEX_TLS_H
#define DUPLEX_TLS_H
#include <duplex/duplex.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dx_tls_opts {
    const char *cert, *key;   /* PEM files, leaf first; several of each separated by ','. key NULL: in the cert's file. A client
                                 shows them where it is asked. "auto": a leaf of this host, dx_cert_auto            */
    const char *ca;           /* PEM file (with CRLs if any) to trust in place of the system's store; a server's: whose clients  */
    const char *pins;         /* see TRUST; separated by ','                                                       */
    const char *names;        /* of an "auto" leaf, beside this host's own; separated by ','                      */
    bool insecure;            /* believe any certificate: for debugging alone                                      */
    bool client_cert;         /* a server asks for, and insists on, the peer's certificate: ca or pins say which    */
} dx_tls_opts;
/* Reads the files. NULL: DX_TLS (detail DX_TLS_FILE: one does not read; the words name it), DX_URL (a pin that is none,
 * contradicting options), DX_ABSENT (an option that this build does not know), DX_SYS, DX_NOMEM. */
DX_API dx_tls *dx_tls_new_sized(const dx_tls_opts *o, size_t o_bytes, dx_err *err);
static inline dx_tls *dx_tls_new(const dx_tls_opts *o, dx_err *err)
{
    return dx_tls_new_sized(o, sizeof(dx_tls_opts), err);
}
DX_API dx_tls *dx_tls_ref(dx_tls *t);    /* NULL: NULL */
DX_API void    dx_tls_drop(dx_tls *t);   /* NULL is fine */
/* Reads its files anew, and renews an "auto" leaf that is due: new conns get them, open ones keep what they have; tickets
 * of before are taken no more. On failure all stays as it was. 0, or as dx_tls_new. Any thread. */
DX_API int         dx_tls_reload(dx_tls *t, dx_err *err);
/* "sha256:<base64>" of its first certificate: what a client should pin; "": it has none. Good until t goes or this thread
 * asks again. */
DX_API const char *dx_tls_pin(const dx_tls *t);

/* What a listener shows: dx_opts.tls, or what its URL's fragment made. Borrowed: dx_tls_ref to keep it. NULL: no TLS. */
DX_API dx_tls *dx_listener_tls(const dx_listener *s);
/* Calls fn for each caller whose TLS handshake came to nothing, as DX_COUNT_HANDSHAKE_FAULTS counts them: no handler hears of it, for
 * there was no conn yet. peer: its address as a URL, "" where the socket knows it no more. why: DX_TLS (see below), DX_TIMEOUT, DX_RESET
 * (broken off inside it) ...; its words may quote the peer: not safe to show without dx_visible. Both are good until fn returns, which
 * may drain s. Listeners that dx_listener_share makes from now on tell fn too, each on its own loop's thread. NULL: nobody. */
DX_API void dx_listener_faults(dx_listener *s, void (*fn)(void *arg, const char *peer, const dx_err *why), void *arg);

/* What dx_err.detail says where detail_of is DX_OF_TLS: below 256 the alert that the peer sent (RFC 8446 6), from 256 on
 * what is wrong in our own eyes. The words say more: expired when, which names, whose certificate. */
enum dx_tls_fault {
    DX_TLS_OTHER = 256,  /* against the protocol: a bad record, a wrong message                                  */
    DX_TLS_EXPIRED,
    DX_TLS_NOT_YET,      /* not valid yet: or this machine's clock is wrong                                     */
    DX_TLS_HOST,         /* a certificate for other names                                                        */
    DX_TLS_ISSUER,       /* nobody that we trust has signed it                                                   */
    DX_TLS_PIN,          /* another key than the pinned one                                                      */
    DX_TLS_WEAK,         /* SHA-1, short keys                                                                    */
    DX_TLS_USAGE,        /* not meant for this: a client's certificate on a server, a CA that may sign no leafs  */
    DX_TLS_REVOKED,
    DX_TLS_NO_CERT,      /* the peer shows none                                                                  */
    DX_TLS_VERSION,      /* no version in common                                                                 */
    DX_TLS_CIPHER,       /* no cipher or group in common                                                         */
    DX_TLS_ALPN,         /* no application protocol in common                                                    */
    DX_TLS_SNI,          /* a name was asked for that no certificate here has                                    */
    DX_TLS_PLAIN,        /* what came is no TLS                                                                  */
    DX_TLS_CUT,          /* the connection ended inside the handshake                                            */
    DX_TLS_FILE,         /* a certificate or key file that does not read                                         */
};

typedef struct dx_tls_info {
    const char *version;      /* "TLS1.3"                                                                          */
    const char *cipher;       /* "AES-128-GCM"                                                                     */
    const char *group;        /* "X25519"; "" where none was used                                                  */
    const char *alpn;         /* "": none                                                                          */
    const char *server_name;  /* SNI: what the client asked for; "": nothing                                       */
    const char *peer_pin;     /* "sha256:<base64>"; "": the peer showed no certificate (or the session is resumed) */
    const char *peer_subject; /* "CN=a.example"; as it stands there: not safe to show without dx_visible           */
    bool resumed;             /* from a ticket of an earlier one                                                   */
} dx_tls_info;
/* From on_open on, at any height of the stack (wss:// and https:// too). The strings are good until the conn's on_close, or
 * until this thread asks of another. DX_STATE: no TLS, or not yet. */
DX_API int dx_tls_info_sized(dx_conn *c, dx_tls_info *ret, size_t ret_bytes);
static inline int dx_tls_info_of(dx_conn *c, dx_tls_info *ret)
{
    return dx_tls_info_sized(c, ret, sizeof(dx_tls_info));
}

/* ---- making, reading and checking certificates; no conns here. Any thread ---- */

typedef struct dx_cert_opts {
    const char *names;        /* DNS names and addresses, separated by ','; NULL: this host's own names and addresses */
    int days;                 /* 0: 90; of a CA 365                                                                */
    bool ca;                  /* a CA: path length 0, critical name constraints to these names, for nothing else   */
    bool client;              /* a client's: for clients in place of servers                                       */
    const char *ca_cert, *ca_key; /* PEM files of the CA that signs it; NULL: it signs itself                     */
    const char *key;          /* PEM file of a key that is there already; NULL: a new ECDSA P-256 one              */
} dx_cert_opts;
/* Makes a certificate at cert_path (0644) and, unless o->key is given, its key at key_path (0600). Each appears whole or not at
 * all, and never over a file that is there (DX_SYS, EEXIST). 0, DX_URL (a name that is none, contradicting options), DX_ABSENT (an
 * option that this build does not know), DX_TLS (DX_TLS_FILE), DX_SYS, DX_NOMEM. */
DX_API int dx_cert_make_sized(const char *cert_path, const char *key_path, const dx_cert_opts *o, size_t o_bytes, dx_err *err);
static inline int dx_cert_make(const char *cert_path, const char *key_path, const dx_cert_opts *o, dx_err *err)
{
    return dx_cert_make_sized(cert_path, key_path, o, sizeof(dx_cert_opts), err);
}
/* This host's own leaf, under $XDG_STATE_HOME/duplex (~/.local/state/duplex): leaf.pem, leaf.key (0600). Made where it is missing,
 * made anew with the same key (so that its pin stays) where it ends within 30 days or lacks one of this host's names and addresses or
 * of names (','-separated, may be NULL). Signed by the CA beside it (ca.pem, ca.key: `duplex cert ca`) if there is one and it covers them,
 * else by itself. Writes the paths into cert_path and key_path, path_n bytes each. 0, DX_URL (names), DX_TLS (DX_TLS_FILE: also for a
 * key that others may read), DX_SYS, DX_NOMEM. */
DX_API int dx_cert_auto(const char *names, char *cert_path, char *key_path, size_t path_n, dx_err *err);
/* The same folder: "/home/ada/.local/state/duplex". 0, or DX_SYS: there is no home, or path_n is too little. */
DX_API int dx_cert_folder(char *path, size_t path_n, dx_err *err);

typedef struct dx_cert_info { /* one certificate; strings good during the call, and not safe to show without dx_visible */
    const char *subject, *issuer;
    const char *names;        /* "a.example,127.0.0.1"; "": none                                                  */
    const char *pin;          /* "sha256:<base64>" of its key                                                      */
    const char *fingerprint;  /* "sha256:<hex>" of all of it                                                       */
    const char *serial;       /* hex                                                                               */
    const char *key;          /* "ECDSA P-256", "RSA 2048"                                                         */
    const char *signature;    /* "ECDSA-SHA256"                                                                    */
    const char *permits;      /* a CA's name constraints, "a.example,10.0.0.1/32"; "": none                        */
    int64_t from_s, until_s;  /* seconds since 1970                                                                */
    bool ca, self_signed, for_server, for_client;
} dx_cert_info;
/* Calls fn for each certificate that the peer of c has shown, its own first. Their count (0: it has shown none, or the session is resumed),
 * DX_STATE: no TLS, or not yet; DX_NOMEM. */
DX_API int dx_tls_peer(dx_conn *c, void (*fn)(void *arg, const dx_cert_info *i), void *arg);
/* Calls fn for each certificate of a PEM file, in order. Their count, DX_TLS (DX_TLS_FILE), DX_SYS, DX_NOMEM. */
DX_API int dx_cert_read(const char *path, void (*fn)(void *arg, const dx_cert_info *i), void *arg, dx_err *err);
/* Would a dial to host believe the chain in this PEM file (leaf first)? ca as in dx_tls_opts; host NULL: the name is not asked. 0,
 * DX_TLS with the fault and its words (a file that does not read: DX_TLS_FILE), DX_SYS, DX_NOMEM. */
DX_API int dx_cert_check(const char *path, const char *host, const char *ca, dx_err *err);

#ifdef __cplusplus
}
#endif
#endif
