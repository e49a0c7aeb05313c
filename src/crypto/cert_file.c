/* SPDX-License-Identifier: MIT
 * cert_file.c - certificates and keys from and to PEM files. A key's bytes are wiped before their memory goes. */
#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/fault.h"
#include "os/fd.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cert_sys(dx_err *err, int error, const char *verb, const char *path)
{
    return err_sys(err, error == ENOMEM ? DX_NOMEM : DX_SYS, error, "%s %s", verb, path);
}

static int load_text(const char *path, gnutls_datum_t *ret, unsigned *ret_mode, dx_err *err)
{
    char *p;
    size_t n;
    int error = os_file_read(path, CERT_FILE_MAX, &p, &n, ret_mode);
    if (error)
        return cert_sys(err, error, "read", path);
    *ret = (gnutls_datum_t){(unsigned char *)p, (unsigned)n};
    return 0;
}

int cert_load(const char *path, struct cert_list *ret, dx_err *err)
{
    gnutls_datum_t text;
    struct cert_list l = {0};
    int r = load_text(path, &text, NULL, err);
    if (r < 0)
        return r;
    r = gnutls_x509_crt_list_import2(&l.crt, &l.n, &text, GNUTLS_X509_FMT_PEM, 0);
    free(text.data);
    if (r == GNUTLS_E_NO_CERTIFICATE_FOUND)
        return fault_set(err, DX_TLS_FILE, "%s: no certificate is in it", path);
    if (r < 0)
        return fault_of_file(err, r, "%s", path);
    *ret = l;
    return 0;
}

void cert_list_free(struct cert_list *l)
{
    for (unsigned i = 0; i < l->n; i++)
        gnutls_x509_crt_deinit(l->crt[i]);
    gnutls_free(l->crt);
    *l = (struct cert_list){0};
}

int cert_key_load(const char *path, bool private, gnutls_x509_privkey_t *ret, dx_err *err)
{
    gnutls_datum_t text;
    gnutls_x509_privkey_t key = NULL;
    unsigned mode;
    int r = load_text(path, &text, &mode, err);
    if (r < 0)
        return r;
    if (private && (mode & 077)) {
        r = fault_set(err, DX_TLS_FILE, "others may read this key (mode %04o).  Try: chmod 600 %s", mode, path);
        goto out;
    }
    r = gnutls_x509_privkey_init(&key);
    if (r >= 0)
        r = gnutls_x509_privkey_import2(key, &text, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);
    if (r >= 0) {
        *ret = key;
        r = 0;
        goto out;
    }
    gnutls_x509_privkey_deinit(key);
    if (r == GNUTLS_E_MEMORY_ERROR)
        r = fault_of_file(err, r, "%s", path);
    else if (r == GNUTLS_E_DECRYPTION_FAILED)
        r = fault_set(err, DX_TLS_FILE, "%s: the key wants a password; one without is needed", path);
    else
        r = fault_set(err, DX_TLS_FILE, "%s: no key is in it that reads", path);
out:
    gnutls_memset(text.data, 0, text.size);
    free(text.data);
    return r;
}

int cert_key_new(gnutls_x509_privkey_t *ret, dx_err *err)
{
    gnutls_x509_privkey_t key = NULL;
    int r = gnutls_x509_privkey_init(&key);
    if (r >= 0)
        r = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (r < 0) {
        gnutls_x509_privkey_deinit(key);
        return fault_of_file(err, r, "make a key");
    }
    *ret = key;
    return 0;
}

static int save(const char *path, const gnutls_datum_t *text, unsigned mode, bool replace, dx_err *err)
{
    int error = os_file_write(path, text->data, text->size, mode, replace);
    return error ? cert_sys(err, error, "write", path) : 0;
}

int cert_save(const char *path, gnutls_x509_crt_t crt, bool replace, dx_err *err)
{
    gnutls_datum_t text = {0};
    int r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text);
    if (r < 0)
        return fault_of_file(err, r, "%s", path);
    r = save(path, &text, CERT_MODE, replace, err);
    gnutls_free(text.data);
    return r;
}

int cert_key_save(const char *path, gnutls_x509_privkey_t key, dx_err *err)
{
    gnutls_datum_t text = {0};
    /* PKCS #8: the form that everything reads */
    int r = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &text);
    if (r < 0)
        return fault_of_file(err, r, "%s", path);
    r = save(path, &text, CERT_KEY_MODE, false, err);
    gnutls_memset(text.data, 0, text.size);
    gnutls_free(text.data);
    return r;
}

bool cert_is_of(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    unsigned char a[32], b[32];
    size_t a_n = sizeof a, b_n = sizeof b;
    return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &a_n) >= 0 &&
           gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &b_n) >= 0 && a_n == b_n &&
           !memcmp(a, b, a_n);
}
