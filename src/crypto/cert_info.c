/* SPDX-License-Identifier: MIT
 * cert_info.c - dx_cert_read: what stands in certificates, as text. Their words are others' words, and are not made safe here. */
#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/verify.h"
#include <arpa/inet.h>
#include <duplex/text.h>
#include <stdio.h>
#include <string.h>

enum { SERIAL_MAX = 64 };
struct texts {
    dx_text subject, issuer, names, permits;
    char pin[VERIFY_PIN_ROOM], fingerprint[VERIFY_FINGERPRINT_ROOM], serial[2 * SERIAL_MAX + 1], key[64];
};

static int add(dx_text *t, const char *s)
{
    return dx_text_add(t, s, strlen(s));
}

static int add_dn(dx_text *t, gnutls_x509_crt_t crt, bool issuer)
{
    gnutls_datum_t dn = {0};
    int r = issuer ? gnutls_x509_crt_get_issuer_dn3(crt, &dn, 0) : gnutls_x509_crt_get_dn3(crt, &dn, 0);
    if (r == GNUTLS_E_MEMORY_ERROR)
        return DX_NOMEM;
    r = dx_text_add(t, dn.data, r >= 0 ? dn.size : 0);
    gnutls_free(dn.data);
    return r;
}

static int add_item(dx_text *t, const char *name)
{
    int r = t->n ? add(t, ",") : 0;
    return r < 0 ? r : add(t, name);
}

static int add_names(dx_text *t, gnutls_x509_crt_t crt)
{
    char name[NAME_ROOM];
    int r = add(t, "");
    for (unsigned i = 0; r >= 0 && name_of_crt(crt, i, name); i++)
        if (name[0])
            r = add_item(t, name);
    return r;
}

/* "10.0.0.1/32" of an address and its mask; a mask with holes shows as the bits it has. */
static void range_text(const gnutls_datum_t *range, char text[NAME_ROOM])
{
    unsigned half = range->size / 2, bits = 0;
    char address[INET6_ADDRSTRLEN];
    for (unsigned i = half; i < range->size; i++)
        bits += (unsigned)__builtin_popcount(range->data[i]);
    inet_ntop(half == 4 ? AF_INET : AF_INET6, range->data, address, sizeof address);
    snprintf(text, NAME_ROOM, "%s/%u", address, bits);
}

static int add_permitted(dx_text *t, gnutls_x509_name_constraints_t nc)
{
    gnutls_datum_t name;
    unsigned kind;
    int r = 0;
    for (unsigned i = 0; r >= 0 && gnutls_x509_name_constraints_get_permitted(nc, i, &kind, &name) >= 0; i++) {
        char text[NAME_ROOM] = "";
        if (kind == GNUTLS_SAN_IPADDRESS && (name.size == 8 || name.size == 32))
            range_text(&name, text);
        else if (kind == GNUTLS_SAN_DNSNAME)
            snprintf(text, sizeof text, "%.*s", (int)name.size, (const char *)name.data);
        if (text[0])
            r = add_item(t, text);
    }
    return r;
}

static int add_permits(dx_text *t, gnutls_x509_crt_t crt)
{
    gnutls_x509_name_constraints_t nc;
    if (gnutls_x509_name_constraints_init(&nc) < 0)
        return DX_NOMEM;
    int r = add(t, "");
    if (r >= 0 && gnutls_x509_crt_get_name_constraints(crt, nc, 0, NULL) >= 0)
        r = add_permitted(t, nc);
    gnutls_x509_name_constraints_deinit(nc);
    return r;
}

static void serial_text(gnutls_x509_crt_t crt, char text[2 * SERIAL_MAX + 1])
{
    unsigned char raw[SERIAL_MAX];
    size_t n = sizeof raw;
    text[0] = '\0';
    if (gnutls_x509_crt_get_serial(crt, raw, &n) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", raw[i]);
}

/* "P-256" of "SECP256R1" */
static const char *curve_text(gnutls_x509_crt_t crt)
{
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    gnutls_datum_t x = {0}, y = {0};
    gnutls_x509_crt_get_pk_ecc_raw(crt, &curve, &x, &y);
    gnutls_free(x.data);
    gnutls_free(y.data);
    const char *name = gnutls_ecc_curve_get_name(curve);
    return curve == GNUTLS_ECC_CURVE_SECP256R1   ? "P-256"
           : curve == GNUTLS_ECC_CURVE_SECP384R1 ? "P-384"
           : curve == GNUTLS_ECC_CURVE_SECP521R1 ? "P-521"
           : name                                ? name
                                                 : "on an unknown curve";
}

static void key_text(gnutls_x509_crt_t crt, char *text, size_t room)
{
    unsigned bits = 0;
    int kind = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    const char *name = kind < 0 ? NULL : gnutls_pk_get_name((gnutls_pk_algorithm_t)kind);
    if (kind == GNUTLS_PK_ECDSA)
        snprintf(text, room, "ECDSA %s", curve_text(crt));
    else if (kind == GNUTLS_PK_EDDSA_ED25519 || kind == GNUTLS_PK_EDDSA_ED448)
        snprintf(text, room, "%s", kind == GNUTLS_PK_EDDSA_ED25519 ? "Ed25519" : "Ed448");
    else if (name)
        snprintf(text, room, "%s %u", name, bits);
    else
        snprintf(text, room, "unknown");
}

static int read_texts(struct texts *t, gnutls_x509_crt_t crt)
{
    gnutls_datum_t der = {0};
    int r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
    if (r < 0)
        return DX_NOMEM;
    verify_pin(&der, t->pin);
    verify_fingerprint(&der, t->fingerprint);
    gnutls_free(der.data);
    serial_text(crt, t->serial);
    key_text(crt, t->key, sizeof t->key);
    r = add_dn(&t->subject, crt, false);
    if (r >= 0)
        r = add_dn(&t->issuer, crt, true);
    if (r >= 0)
        r = add_names(&t->names, crt);
    return r < 0 ? r : add_permits(&t->permits, crt);
}

int cert_tell(gnutls_x509_crt_t crt, void (*fn)(void *arg, const dx_cert_info *i), void *arg)
{
    struct texts t = {0};
    unsigned ca = 0;
    const char *signature = gnutls_sign_get_name((gnutls_sign_algorithm_t)gnutls_x509_crt_get_signature_algorithm(crt));
    int r = read_texts(&t, crt);
    if (r >= 0) {
        gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, NULL);
        dx_cert_info i = {
            .subject = t.subject.p,
            .issuer = t.issuer.p,
            .names = t.names.p,
            .pin = t.pin,
            .fingerprint = t.fingerprint,
            .serial = t.serial,
            .key = t.key,
            .signature = signature ? signature : "unknown",
            .permits = t.permits.p,
            .from_s = gnutls_x509_crt_get_activation_time(crt),
            .until_s = gnutls_x509_crt_get_expiration_time(crt),
            .ca = ca != 0,
            .self_signed = gnutls_x509_crt_check_issuer(crt, crt) != 0,
            .for_server = gnutls_x509_crt_check_key_purpose(crt, GNUTLS_KP_TLS_WWW_SERVER, 0) != 0,
            .for_client = gnutls_x509_crt_check_key_purpose(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0) != 0,
        };
        fn(arg, &i);
    }
    dx_text_free(&t.subject);
    dx_text_free(&t.issuer);
    dx_text_free(&t.names);
    dx_text_free(&t.permits);
    return r;
}

int dx_cert_read(const char *path, void (*fn)(void *arg, const dx_cert_info *i), void *arg, dx_err *err)
{
    struct cert_list l;
    int r = cert_load(path, &l, err);
    if (r < 0)
        return r;
    int count = (int)l.n;
    for (int i = 0; i < count && r >= 0; i++)
        r = cert_tell(l.crt[i], fn, arg);
    cert_list_free(&l);
    return r < 0 ? err_set(err, DX_NOMEM, "read %s: no memory", path) : count;
}
