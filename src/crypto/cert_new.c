/* SPDX-License-Identifier: MIT
 * cert_new.c - a certificate, field by field (RFC 5280 4): a leaf for these names, or a CA that can sign for nothing else. */
#include "crypto/cert.h"
#include "crypto/fault.h"
#include "os/clock.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SERIAL_BYTES = 16, SKEW_S = 3600, CN_MAX = 64, KEY_ID_BYTES = 64, CONSTRAINT_MAX = 32 };

/* ---- what the names become ---- */

static int set_names(gnutls_x509_crt_t crt, const struct names *names)
{
    for (int i = 0; i < names->n; i++) {
        uint8_t raw[16];
        const char *name = names->name[i];
        size_t address = name_address(name, raw);
        int r = gnutls_x509_crt_set_subject_alt_name(crt, address ? GNUTLS_SAN_IPADDRESS : GNUTLS_SAN_DNSNAME,
                                                     address ? (const void *)raw : name,
                                                     (unsigned)(address ? address : strlen(name)), GNUTLS_FSAN_APPEND);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool has_dns_name(const struct names *names)
{
    uint8_t raw[16];
    for (int i = 0; i < names->n; i++)
        if (!name_address(names->name[i], raw))
            return true;
    return false;
}

static int set_subject(gnutls_x509_crt_t crt, const struct cert_wish *w)
{
    char cn[CN_MAX + 1];
    const char *name = w->names->name[0];
    /* A CA is called otherwise than its leafs: one with its issuer's name would pass for signed by itself. */
    int n = snprintf(cn, sizeof cn, "%s%s", w->ca ? "duplex CA of " : "", name);
    if (n > CN_MAX)
        n = snprintf(cn, sizeof cn, "%s", w->ca ? "duplex CA" : "duplex"); /* the names that count stand elsewhere */
    /* Of a leaf without DNS names GnuTLS takes the CN for one, and its CA does not permit that. */
    bool as_cn = !w->signer || has_dns_name(w->names);
    return gnutls_x509_crt_set_dn_by_oid(crt, as_cn ? GNUTLS_OID_X520_COMMON_NAME : GNUTLS_OID_X520_ORGANIZATION_NAME,
                                         0, cn, (unsigned)n);
}

/* ---- a CA's constraints ---- */

static int permit(gnutls_x509_name_constraints_t nc, const char *name)
{
    uint8_t raw[32];
    size_t n = name_address(name, raw);
    if (n) {
        memset(raw + n, 0xFF, n);
        return gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_IPADDRESS,
                                                          &(gnutls_datum_t){raw, (unsigned)(2 * n)});
    }
    name += strncmp(name, "*.", 2) ? 0 : 2; /* what is permitted is permitted with anything before it */
    char copy[NAME_ROOM];
    snprintf(copy, sizeof copy, "%s", name);
    return gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_DNSNAME,
                                                      &(gnutls_datum_t){(unsigned char *)copy, (unsigned)strlen(copy)});
}

/* All of a kind: an address of n zeros under a mask of n zeros, or the empty DNS name that everything ends in. */
static int exclude_all(gnutls_x509_name_constraints_t nc, size_t address)
{
    uint8_t zeros[32] = {0};
    return gnutls_x509_name_constraints_add_excluded(nc, address ? GNUTLS_SAN_IPADDRESS : GNUTLS_SAN_DNSNAME,
                                                     &(gnutls_datum_t){zeros, (unsigned)(2 * address)});
}

int cert_constrain(gnutls_x509_crt_t crt, const struct names *names)
{
    gnutls_x509_name_constraints_t nc;
    bool dns = false, v4 = false, v6 = false;
    int r = gnutls_x509_name_constraints_init(&nc);
    if (r < 0)
        return r;
    for (int i = 0; i < names->n && r >= 0; i++) {
        uint8_t raw[16];
        size_t address = name_address(names->name[i], raw);
        dns |= address == 0;
        v4 |= address == 4;
        v6 |= address == 16;
        r = permit(nc, names->name[i]);
    }
    /* A kind of name that no constraint speaks of is free (RFC 5280 4.2.1.10), and for some who check, addresses of 4 and of 16
     * bytes are two kinds. */
    if (r >= 0 && !dns)
        r = exclude_all(nc, 0);
    if (r >= 0 && !v4)
        r = exclude_all(nc, 4);
    if (r >= 0 && !v6)
        r = exclude_all(nc, 16);
    if (r >= 0)
        r = gnutls_x509_crt_set_name_constraints(crt, nc, 1);
    gnutls_x509_name_constraints_deinit(nc);
    return r;
}

/* ---- the fields ---- */

static int set_dates(gnutls_x509_crt_t crt, const struct cert_wish *w)
{
    time_t now = time(NULL), until = now + (time_t)w->days * CERT_DAY_S;
    time_t signer_until = w->signer ? gnutls_x509_crt_get_expiration_time(w->signer->chain.crt[0]) : until;
    /* An hour ago: who dials may have a clock that is late. */
    int r = gnutls_x509_crt_set_activation_time(crt, now - SKEW_S);
    return r < 0 ? r : gnutls_x509_crt_set_expiration_time(crt, until < signer_until ? until : signer_until);
}

static int set_serial(gnutls_x509_crt_t crt)
{
    uint8_t serial[SERIAL_BYTES];
    os_random(serial, sizeof serial);
    serial[0] = (serial[0] & 0x7F) | 0x40; /* positive, and of one length */
    return gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
}

static int set_use(gnutls_x509_crt_t crt, const struct cert_wish *w)
{
    int r = gnutls_x509_crt_set_basic_constraints(crt, w->ca, w->ca ? 0 : -1);
    if (r >= 0)
        r = gnutls_x509_crt_set_key_usage(crt, w->ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                                     : GNUTLS_KEY_DIGITAL_SIGNATURE);
    /* On a CA these bound what its leafs may be for: TLS, not mail or programs. */
    if (r >= 0 && (w->ca || !w->client))
        r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (r >= 0 && (w->ca || w->client))
        r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    return r;
}

/* The subject's, and the issuer's as the issuer calls it. */
static int set_key_ids(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
    uint8_t id[KEY_ID_BYTES];
    size_t n = sizeof id;
    int r = gnutls_x509_crt_get_key_id(crt, 0, id, &n);
    if (r >= 0)
        r = gnutls_x509_crt_set_subject_key_id(crt, id, n);
    if (r < 0)
        return r;
    n = sizeof id;
    r = gnutls_x509_crt_get_subject_key_id(issuer, id, &n, NULL);
    if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return 0;
    return r < 0 ? r : gnutls_x509_crt_set_authority_key_id(crt, id, n);
}

static int sign(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, gnutls_x509_privkey_t issuer_key)
{
    gnutls_privkey_t key;
    gnutls_pubkey_t public = NULL;
    gnutls_digest_algorithm_t hash = GNUTLS_DIG_SHA256;
    int r = gnutls_privkey_init(&key);
    if (r < 0)
        return r;
    r = gnutls_privkey_import_x509(key, issuer_key, 0);
    if (r >= 0)
        r = gnutls_pubkey_init(&public);
    if (r >= 0)
        r = gnutls_pubkey_import_privkey(public, key, 0, 0);
    if (r >= 0) /* SHA-256 for P-256; a key from elsewhere may want another */
        r = gnutls_pubkey_get_preferred_hash_algorithm(public, &hash, NULL);
    if (r >= 0)
        r = gnutls_x509_crt_privkey_sign(crt, issuer, key, hash, 0);
    gnutls_pubkey_deinit(public);
    gnutls_privkey_deinit(key);
    return r;
}

static int fill(gnutls_x509_crt_t crt, const struct cert_wish *w)
{
    gnutls_x509_crt_t issuer = w->signer ? w->signer->chain.crt[0] : crt;
    int r = gnutls_x509_crt_set_version(crt, 3);
    if (r >= 0)
        r = gnutls_x509_crt_set_key(crt, w->key);
    if (r >= 0)
        r = set_serial(crt);
    if (r >= 0)
        r = set_dates(crt, w);
    if (r >= 0)
        r = set_subject(crt, w);
    if (r >= 0)
        r = w->ca ? cert_constrain(crt, w->names) : set_names(crt, w->names);
    if (r >= 0)
        r = set_use(crt, w);
    if (r >= 0)
        r = set_key_ids(crt, issuer);
    return r < 0 ? r : sign(crt, issuer, w->signer ? w->signer->key : w->key);
}

int cert_new(const struct cert_wish *w, gnutls_x509_crt_t *ret, dx_err *err)
{
    gnutls_x509_crt_t crt = NULL;
    int r = gnutls_x509_crt_init(&crt);
    if (r >= 0)
        r = fill(crt, w);
    if (r < 0) {
        gnutls_x509_crt_deinit(crt);
        return fault_of_file(err, r, "make a certificate");
    }
    *ret = crt;
    return 0;
}
