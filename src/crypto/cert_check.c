/* SPDX-License-Identifier: MIT
 * cert_check.c - dx_cert_check: the verdict that a dial would come to, asked of a file. */
#include "crypto/cert.h"
#include "crypto/fault.h"
#include "crypto/verify.h"
#include "os/fd.h"
#include <stdlib.h>
#include <string.h>

/* ---- whom to trust ---- */

/* The certificates of a PEM file become the list's. */
static int trust_certs(gnutls_x509_trust_list_t list, const char *path, dx_err *err)
{
    struct cert_list l;
    int r = cert_load(path, &l, err);
    if (r < 0)
        return r;
    r = gnutls_x509_trust_list_add_cas(list, l.crt, l.n, 0);
    if (r < (int)l.n) {
        /* what it has taken is its own now: it stops at the first that it does not take */
        for (unsigned i = r < 0 ? 0 : (unsigned)r; i < l.n; i++)
            gnutls_x509_crt_deinit(l.crt[i]);
        r = fault_of_file(err, GNUTLS_E_MEMORY_ERROR, "trust %s", path);
    }
    gnutls_free(l.crt);
    return r < 0 ? r : 0;
}

static int trust_crls(gnutls_x509_trust_list_t list, const char *path, dx_err *err)
{
    char *text;
    size_t n;
    int error = os_file_read(path, CERT_FILE_MAX, &text, &n, NULL);
    if (error)
        return cert_sys(err, error, "read", path);
    int r = 0;
    if (strstr(text, "-----BEGIN X509 CRL-----")) {
        gnutls_datum_t crls = {(unsigned char *)text, (unsigned)n};
        r = gnutls_x509_trust_list_add_trust_mem(list, NULL, &crls, GNUTLS_X509_FMT_PEM,
                                                 GNUTLS_TL_VERIFY_CRL | GNUTLS_TL_FAIL_ON_INVALID_CRL, VERIFY_FLAGS);
    }
    free(text);
    return r < 0 ? fault_of_file(err, r, "%s: its list of revoked certificates", path) : 0;
}

static int trust(gnutls_x509_trust_list_t list, const char *ca, dx_err *err)
{
    if (!ca) {
        int r = gnutls_x509_trust_list_add_system_trust(list, 0, 0);
        return r > 0 ? 0 : fault_of_no_store(err);
    }
    int r = trust_certs(list, ca, err);
    return r < 0 ? r : trust_crls(list, ca, err);
}

/* ---- the verdict ---- */

/* Says what status means for the chain, in DER as a session has it. */
static int say(const struct cert_list *chain, unsigned status, const char *host, dx_err *err)
{
    gnutls_datum_t *der = calloc(chain->n, sizeof *der);
    unsigned n = 0;
    while (der && n < chain->n && gnutls_x509_crt_export2(chain->crt[n], GNUTLS_X509_FMT_DER, &der[n]) >= 0)
        n++;
    int r = verify_words(err, status, der, n, host);
    while (n)
        gnutls_free(der[--n].data);
    free(der);
    return r;
}

static int verify(gnutls_x509_trust_list_t list, const struct cert_list *chain, const char *path, const char *host,
                  dx_err *err)
{
    char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
    gnutls_typed_vdata_st asked[2] = {{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose}};
    char *copy = host ? strdup(host) : NULL;
    unsigned status = 0;
    if (host && !copy)
        return fault_of_file(err, GNUTLS_E_MEMORY_ERROR, "check %s", path);
    asked[1] = (gnutls_typed_vdata_st){.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)copy};
    int r = gnutls_x509_trust_list_verify_crt2(list, chain->crt, chain->n, asked, copy ? 2 : 1, VERIFY_FLAGS, &status,
                                               NULL);
    free(copy);
    return r < 0 ? fault_of_file(err, r, "check %s", path) : say(chain, status, host, err);
}

int dx_cert_check(const char *path, const char *host, const char *ca, dx_err *err)
{
    gnutls_x509_trust_list_t list = NULL;
    struct cert_list chain;
    int r = cert_load(path, &chain, err);
    if (r < 0)
        return r;
    r = gnutls_x509_trust_list_init(&list, 0);
    r = r < 0 ? fault_of_file(err, r, "check %s", path) : trust(list, ca, err);
    if (r >= 0)
        r = verify(list, &chain, path, host, err);
    gnutls_x509_trust_list_deinit(list, 1);
    cert_list_free(&chain);
    return r;
}
