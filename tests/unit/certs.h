/* SPDX-License-Identifier: MIT
 * certs.h - certificates of every kind for tests: past, weak, for others. In a folder of the test's own, $XDG_STATE_HOME too, which
 * goes at the end. */
#ifndef CERTS_H
#define CERTS_H
#include "test.h"
#include <duplex/tls.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char certs_folder[64];

static void certs_clean(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", certs_folder);
    if (system(command) != 0)
        puts("# the folder stays");
}

__attribute__((constructor)) static void certs_begin(void)
{
    snprintf(certs_folder, sizeof certs_folder, "/tmp/duplex-certs-XXXXXX");
    if (!mkdtemp(certs_folder))
        abort();
    setenv("XDG_STATE_HOME", certs_folder, 1);
    atexit(certs_clean);
}

/* The path of a file of that name in the folder; eight at a time. */
__attribute__((format(printf, 1, 2))) static inline const char *at(const char *fmt, ...)
{
    static char paths[8][200];
    static unsigned turn;
    char *p = paths[turn++ % 8], name[100];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    snprintf(p, sizeof paths[0], "%s/%s", certs_folder, name);
    return p;
}

struct cert_spec {
    const char *file;          /* its certificate goes there; NULL: nowhere                                         */
    const char *cn, *dns;      /* dns: one name, or NULL                                                              */
    int from_days, until_days; /* of now; both 0: from yesterday to in ten days                                       */
    gnutls_digest_algorithm_t hash; /* 0: SHA-256 */
    int rsa_bits;        /* 0: ECDSA P-256                                                                      */
    const char *purpose; /* an OID; NULL: servers; "": none said                                                */
    bool ca, odd_extension;
};
struct made {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
};

static inline void must(int gnutls_code, const char *what)
{
    CHECK_SAY(gnutls_code >= 0, "%s: %s", what, gnutls_strerror(gnutls_code));
}
#define MUST(call) must(call, #call)

static inline void write_crt(const char *file, gnutls_x509_crt_t crt, const char *mode)
{
    gnutls_datum_t pem;
    MUST(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem));
    FILE *f = fopen(at("%s", file), mode);
    CHECK(f && fwrite(pem.data, 1, pem.size, f) == pem.size && fclose(f) == 0);
    gnutls_free(pem.data);
}

static inline struct made make_cert(const struct cert_spec *s, const struct made *issuer)
{
    struct made m;
    unsigned char id[32];
    size_t n = sizeof id;
    time_t now = time(NULL);
    bool dated = s->from_days || s->until_days;
    MUST(gnutls_x509_privkey_init(&m.key));
    MUST(gnutls_x509_privkey_generate(
        m.key, s->rsa_bits ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
        s->rsa_bits ? (unsigned)s->rsa_bits : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    MUST(gnutls_x509_crt_init(&m.crt));
    MUST(gnutls_x509_crt_set_version(m.crt, 3));
    MUST(gnutls_x509_crt_set_key(m.crt, m.key));
    MUST(gnutls_x509_crt_set_serial(m.crt, "\x01\x02\x03", 3));
    MUST(gnutls_x509_crt_set_activation_time(m.crt, now + (dated ? s->from_days : -1) * 86400));
    MUST(gnutls_x509_crt_set_expiration_time(m.crt, now + (dated ? s->until_days : 10) * 86400));
    MUST(gnutls_x509_crt_set_dn_by_oid(m.crt, GNUTLS_OID_X520_COMMON_NAME, 0, s->cn, (unsigned)strlen(s->cn)));
    if (s->dns)
        MUST(gnutls_x509_crt_set_subject_alt_name(m.crt, GNUTLS_SAN_DNSNAME, s->dns, (unsigned)strlen(s->dns), 0));
    MUST(gnutls_x509_crt_set_basic_constraints(m.crt, s->ca, -1));
    MUST(gnutls_x509_crt_set_key_usage(m.crt, s->ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                                    : GNUTLS_KEY_DIGITAL_SIGNATURE));
    if (!s->ca && (!s->purpose || *s->purpose))
        MUST(gnutls_x509_crt_set_key_purpose_oid(m.crt, s->purpose ? s->purpose : GNUTLS_KP_TLS_WWW_SERVER, 0));
    if (s->odd_extension)
        MUST(gnutls_x509_crt_set_extension_by_oid(m.crt, "1.2.3.4.5", "\x05\x00", 2, 1));
    MUST(gnutls_x509_crt_get_key_id(m.crt, 0, id, &n));
    MUST(gnutls_x509_crt_set_subject_key_id(m.crt, id, n));
    gnutls_privkey_t key;
    MUST(gnutls_privkey_init(&key));
    MUST(gnutls_privkey_import_x509(key, issuer ? issuer->key : m.key, 0));
    MUST(gnutls_x509_crt_privkey_sign(m.crt, issuer ? issuer->crt : m.crt, key, s->hash ? s->hash : GNUTLS_DIG_SHA256,
                                      0));
    gnutls_privkey_deinit(key);
    if (s->file)
        write_crt(s->file, m.crt, "w");
    return m;
}

static inline void made_free(struct made m)
{
    gnutls_x509_crt_deinit(m.crt);
    gnutls_x509_privkey_deinit(m.key);
}
#endif
