/* SPDX-License-Identifier: MIT
 * verify.c - GnuTLS's verdict on a chain in words: which certificate, which day, which names. */
#include "crypto/verify.h"
#include "crypto/fault.h"
#include "crypto/names.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CHAIN_MAX = 8, NAMES_SHOWN_MAX = 4, DN_SHOWN_MAX = 100 };

struct chain {
    gnutls_x509_crt_t crt[CHAIN_MAX]; /* leaf first */
    unsigned n;
    const char *host;
};

static void chain_read(struct chain *c, const gnutls_datum_t *der, unsigned n)
{
    for (; c->n < n && c->n < CHAIN_MAX; c->n++) {
        if (gnutls_x509_crt_init(&c->crt[c->n]) < 0)
            return;
        if (gnutls_x509_crt_import(c->crt[c->n], &der[c->n], GNUTLS_X509_FMT_DER) < 0) {
            gnutls_x509_crt_deinit(c->crt[c->n]);
            return;
        }
    }
}

static void chain_free(struct chain *c)
{
    while (c->n)
        gnutls_x509_crt_deinit(c->crt[--c->n]);
}

/* " 'CN=x'": the subject, or who signed it; "" where it holds no name. */
static const char *dn_text(gnutls_x509_crt_t crt, bool issuer, char text[DN_SHOWN_MAX + 8])
{
    gnutls_datum_t dn = {0};
    int r = issuer ? gnutls_x509_crt_get_issuer_dn3(crt, &dn, 0) : gnutls_x509_crt_get_dn3(crt, &dn, 0);
    text[0] = '\0';
    if (r >= 0 && dn.size)
        snprintf(text, DN_SHOWN_MAX + 8, " '%.*s'", DN_SHOWN_MAX, (const char *)dn.data);
    gnutls_free(dn.data);
    return text;
}

static bool signs_itself(gnutls_x509_crt_t crt)
{
    return gnutls_x509_crt_check_issuer(crt, crt) > 0;
}

/* ---- dates ---- */

/* The first of the chain that is out of its dates; -1: none, so it is one that we have and were not shown. */
static int first_out_of_date(const struct chain *c, bool expired)
{
    time_t now = time(NULL);
    for (unsigned i = 0; i < c->n; i++)
        if (expired ? gnutls_x509_crt_get_expiration_time(c->crt[i]) < now
                    : gnutls_x509_crt_get_activation_time(c->crt[i]) > now)
            return (int)i;
    return -1;
}

static int say_expired(dx_err *err, const struct chain *c)
{
    char day[FAULT_DAY_ROOM], dn[DN_SHOWN_MAX + 8];
    int i = first_out_of_date(c, true);
    if (i < 0)
        return fault_set(err, DX_TLS_EXPIRED, "a certificate of its issuers has expired");
    fault_day(gnutls_x509_crt_get_expiration_time(c->crt[i]), day);
    if (i == 0)
        return fault_set(err, DX_TLS_EXPIRED, "certificate expired on %s", day);
    return fault_set(err, DX_TLS_EXPIRED, "its issuer's certificate%s expired on %s", dn_text(c->crt[i], false, dn),
                     day);
}

static int say_not_yet(dx_err *err, const struct chain *c)
{
    char day[FAULT_DAY_ROOM], dn[DN_SHOWN_MAX + 8];
    int i = first_out_of_date(c, false);
    if (i < 0)
        return fault_set(err, DX_TLS_NOT_YET,
                         "a certificate of its issuers is not valid yet (or the clock here is wrong)");
    fault_day(gnutls_x509_crt_get_activation_time(c->crt[i]), day);
    if (i == 0)
        return fault_set(err, DX_TLS_NOT_YET, "certificate is not valid before %s (or the clock here is wrong)", day);
    return fault_set(err, DX_TLS_NOT_YET,
                     "its issuer's certificate%s is not valid before %s (or the clock here is wrong)",
                     dn_text(c->crt[i], false, dn), day);
}

/* ---- weakness ---- */

static bool signature_is_weak(gnutls_x509_crt_t crt, char *text, size_t n)
{
    int sign = gnutls_x509_crt_get_signature_algorithm(crt);
    if (sign < 0 || gnutls_sign_is_secure2(sign, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS) || signs_itself(crt))
        return false;
    gnutls_digest_algorithm_t hash = gnutls_sign_get_hash_algorithm(sign);
    const char *name = hash == GNUTLS_DIG_SHA1 ? "SHA-1" : gnutls_digest_get_name(hash);
    snprintf(text, n, "is signed with %s", name ? name : "a weak algorithm");
    return true;
}

static bool key_is_short(gnutls_x509_crt_t crt, char *text, size_t n)
{
    unsigned bits = 0;
    int kind = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    if (kind < 0 || gnutls_pk_bits_to_sec_param(kind, bits) >= GNUTLS_SEC_PARAM_MEDIUM)
        return false;
    snprintf(text, n, "has too short a key (%s, %u bits)", gnutls_pk_get_name(kind), bits);
    return true;
}

static int say_weak(dx_err *err, const struct chain *c)
{
    char what[64], dn[DN_SHOWN_MAX + 8];
    for (unsigned i = 0; i < c->n; i++) {
        if (!signature_is_weak(c->crt[i], what, sizeof what) && !key_is_short(c->crt[i], what, sizeof what))
            continue;
        if (i == 0)
            return fault_set(err, DX_TLS_WEAK, "certificate %s", what);
        return fault_set(err, DX_TLS_WEAK, "its issuer's certificate%s %s", dn_text(c->crt[i], false, dn), what);
    }
    return fault_set(err, DX_TLS_WEAK, "certificate is signed with a weak algorithm");
}

/* ---- usage ---- */

static int say_usage(dx_err *err, const struct chain *c, unsigned status)
{
    char dn[DN_SHOWN_MAX + 8] = "";
    if (c->n)
        dn_text(c->crt[0], true, dn);
    if (status & GNUTLS_CERT_SIGNER_NOT_CA)
        return fault_set(err, DX_TLS_USAGE, "certificate's issuer%s is not a CA", dn);
    if (status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE)
        return fault_set(err, DX_TLS_USAGE, "certificate is beyond what its issuer%s may sign for", dn);
    if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
        /* Who asks for a host is a client, and looks at a server's. */
        return fault_set(err, DX_TLS_USAGE, "certificate is not meant for %s", c->host ? "servers" : "this use");
    return fault_set(err, DX_TLS_USAGE, "certificate has a critical extension that is not known here");
}

/* ---- names ---- */

/* "a.example, b.example and 3 more"; "": none. */
static void names_text(gnutls_x509_crt_t crt, char *text, size_t room)
{
    char name[NAME_ROOM], names[NAMES_SHOWN_MAX][NAME_ROOM];
    unsigned count = 0;
    size_t at = 0;
    for (unsigned i = 0; name_of_crt(crt, i, name); i++)
        if (name[0] && count++ < NAMES_SHOWN_MAX)
            memcpy(names[count - 1], name, sizeof name);
    unsigned shown = count < NAMES_SHOWN_MAX ? count : NAMES_SHOWN_MAX;
    text[0] = '\0';
    for (unsigned i = 0; i < shown && at < room; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%.60s", !i ? "" : i + 1 == count ? " and " : ", ", names[i]);
    if (count > shown && at < room)
        snprintf(text + at, room - at, " and %u more", count - shown);
}

static int say_host(dx_err *err, const struct chain *c)
{
    char names[160] = "";
    if (c->n)
        names_text(c->crt[0], names, sizeof names);
    const char *host = c->host ? c->host : "the host that was asked for";
    if (!names[0])
        return fault_set(err, DX_TLS_HOST, "certificate holds no name, so it is not for %.100s", host);
    return fault_set(err, DX_TLS_HOST, "certificate is for %s, not for %.100s", names, host);
}

/* ---- issuer ---- */

static int say_issuer(dx_err *err, const struct chain *c, unsigned status)
{
    char dn[DN_SHOWN_MAX + 8] = "";
    if (c->n == 1 && signs_itself(c->crt[0]))
        return fault_set(err, DX_TLS_ISSUER, "self-signed certificate");
    if (status & GNUTLS_CERT_SIGNATURE_FAILURE)
        return fault_set(err, DX_TLS_ISSUER, "certificate's signature is not its issuer's%s",
                         c->n ? dn_text(c->crt[0], true, dn) : "");
    if (c->n)
        dn_text(c->crt[c->n - 1], true, dn);
    return fault_set(err, DX_TLS_ISSUER, "certificate's issuer%s is not known here", dn);
}

static int say(dx_err *err, const struct chain *c, unsigned status)
{
    const unsigned usage = GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE | GNUTLS_CERT_SIGNER_NOT_CA |
                           GNUTLS_CERT_PURPOSE_MISMATCH | GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS;
    const unsigned issuer = GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE;
    if (status & GNUTLS_CERT_REVOKED)
        return fault_set(err, DX_TLS_REVOKED, "certificate was revoked");
    if (status & GNUTLS_CERT_EXPIRED)
        return say_expired(err, c);
    if (status & GNUTLS_CERT_NOT_ACTIVATED)
        return say_not_yet(err, c);
    if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
        return say_weak(err, c);
    if (status & usage)
        return say_usage(err, c, status);
    if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
        return say_host(err, c);
    if (status & issuer)
        return say_issuer(err, c, status);
    if (status & (GNUTLS_CERT_MISSING_OCSP_STATUS | GNUTLS_CERT_INVALID_OCSP_STATUS))
        return fault_set(err, DX_TLS_OTHER, "certificate demands a proof that it is not revoked (OCSP), and none came");
    if (status & (GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE))
        return fault_set(err, DX_TLS_OTHER, "the list of revoked certificates is out of date");
    return fault_set(err, DX_TLS_ISSUER, "certificate is not trusted");
}

int verify_words(dx_err *err, unsigned status, const gnutls_datum_t *chain_der, unsigned chain_n, const char *host)
{
    struct chain c = {.host = host};
    if (!status)
        return 0;
    chain_read(&c, chain_der, chain_n);
    int r = say(err, &c, status);
    chain_free(&c);
    return r;
}
