/* SPDX-License-Identifier: MIT
 * tls.h - what a dx_tls holds, for the sessions made from it. The public half is <duplex/tls.h>. */
#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H
#include "crypto/verify.h"
#include "os/lock.h"
#include <duplex/tls.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>

enum { TLS_CERTS_MAX = 16 };
/* The files as they were read: replaced as a whole by a reload, and kept by each session that began with them. */
struct tls_creds {
    atomic_int refs;
    gnutls_certificate_credentials_t gnutls;
    gnutls_x509_crt_t leaf[TLS_CERTS_MAX]; /* for SNI and the pin        */
    /* Where there are several, each by itself: GnuTLS chooses a certificate by the letters of the name that is asked for, and names
     * know no case. */
    gnutls_certificate_credentials_t alone[TLS_CERTS_MAX];
    unsigned leaf_n;
    bool trusts; /* the system's store is loaded, or needs not be        */
    /* GnuTLS derives those in use from it, and changes them with the time. With the files, for a ticket lets a client in whose
     * certificate is not looked at again: what these no longer trust must not come in by one. */
    gnutls_datum_t ticket_key;
};
struct dx_tls {
    atomic_int refs;
    dx_tls_opts o; /* strings are our copies */
    char *strings;
    struct verify_pins pins;
    os_lock lock; /* over creds */
    struct tls_creds *creds;
};
/* The creds of now, with a reference for the caller; with the system's store where trust is asked for and nothing else says it. NULL
 * with *err filled. */
struct tls_creds *tls_creds_now(dx_tls *t, bool trust, dx_err *err);
void tls_creds_drop(struct tls_creds *c); /* NULL is fine */
/* TLS 1.3 and 1.2, AES-128-GCM first where the CPU has it. NULL: no memory. */
gnutls_priority_t tls_priority(void);
#endif
