/* SPDX-License-Identifier: MIT
 * cert.h - what the files that make, read and check certificates share. Nothing here knows of a conn. */
#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H
#include "crypto/names.h"
#include <duplex/tls.h>
#include <gnutls/abstract.h>

enum { CERT_PATH_ROOM = 4096, CERT_FILE_MAX = 8 << 20, CERT_DAY_S = 86400 };
enum { CERT_DAYS = 90, CERT_CA_DAYS = 365, CERT_DAYS_MAX = 36500, CERT_RENEW_DAYS = 30 };
enum { CERT_MODE = 0644, CERT_KEY_MODE = 0600 };

/* ---- files (cert_file.c) ---- */

/* For a path and an errno: DX_SYS, or DX_NOMEM, "read PATH: Permission denied". */
int cert_sys(dx_err *err, int error, const char *verb, const char *path);
struct cert_list {
    gnutls_x509_crt_t *crt;
    unsigned n;
};
/* The certificates of a PEM file, in order, at least one. 0, DX_TLS (DX_TLS_FILE), DX_SYS, DX_NOMEM; the next three as well. */
int cert_load(const char *path, struct cert_list *ret, dx_err *err);
void cert_list_free(struct cert_list *l);
/* private: refuse a file that others may read, with words that say how to mend it. */
int cert_key_load(const char *path, bool private, gnutls_x509_privkey_t *ret, dx_err *err);
int cert_key_new(gnutls_x509_privkey_t *ret, dx_err *err); /* ECDSA P-256 */
/* replace: takes the place of what is there; else DX_SYS, EEXIST. */
int cert_save(const char *path, gnutls_x509_crt_t crt, bool replace, dx_err *err);
int cert_key_save(const char *path, gnutls_x509_privkey_t key, dx_err *err); /* never over one that is there */
bool cert_is_of(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key);

/* ---- what stands in one (cert_info.c) ---- */

/* Calls fn with all that crt says. 0 or DX_NOMEM. */
int cert_tell(gnutls_x509_crt_t crt, void (*fn)(void *arg, const dx_cert_info *i), void *arg);

/* ---- a CA (cert_signer.c) ---- */

struct cert_signer {
    struct cert_list chain; /* the CA's own is the first */
    gnutls_x509_privkey_t key;
};
/* Loads a CA and its key. 0, or as cert_load: also where it is no CA, or the key is another's. */
int cert_signer_load(struct cert_signer *s, const char *cert_path, const char *key_path, bool private, dx_err *err);
void cert_signer_free(struct cert_signer *s);
bool cert_in_date(gnutls_x509_crt_t crt);
/* The first name that its constraints do not permit; NULL: it may sign for all of them. */
const char *cert_signer_lacks(const struct cert_signer *s, const struct names *names);

/* ---- making (cert_new.c) ---- */

struct cert_wish {
    const struct names *names;        /* at least one */
    gnutls_x509_privkey_t key;
    const struct cert_signer *signer; /* NULL: it signs itself */
    int days;
    bool ca, client;
};
/* A signed certificate, which the caller deinits. It never outlives its signer. 0, DX_TLS, DX_NOMEM. */
int cert_new(const struct cert_wish *w, gnutls_x509_crt_t *ret, dx_err *err);
/* The name constraints of a CA for these names alone. 0, or GnuTLS's code. */
int cert_constrain(gnutls_x509_crt_t crt, const struct names *names);
#endif
