/* SPDX-License-Identifier: MIT
 * What is said of a certificate that a dial would not believe, each fault for itself; and pins. */
#include "certs.h"
#include "crypto/verify.h"

static const char *day(int days)
{
    static char text[4][16];
    static unsigned turn;
    time_t t = time(NULL) + days * 86400;
    char *p = text[turn++ % 4];
    strftime(p, sizeof text[0], "%Y-%m-%d", gmtime(&t));
    return p;
}

/* ---- each fault, through dx_cert_check ---- */

static void check(const char *file, const char *host, const char *ca, int detail, const char *words)
{
    dx_err err = {0};
    int r = dx_cert_check(at("%s", file), host, ca ? at("%s", ca) : NULL, &err);
    CHECK_SAY(r == (detail ? DX_TLS : 0), "%s: %d %s", file, r, err.text);
    CHECK_SAY(!detail || (err.detail == detail && err.detail_of == DX_OF_TLS), "%s: detail %d: %s", file, err.detail,
              err.text);
    if (detail)
        CHECK_STR(err.text, words);
}

TEST(each_fault_has_its_words)
{
    char expired[100], not_yet[200];
    struct made ca = make_cert(&(struct cert_spec){.file = "ca.pem", .cn = "test CA", .ca = true}, NULL);
    snprintf(expired, sizeof expired, "certificate expired on %s", day(-3));
    snprintf(not_yet, sizeof not_yet, "certificate is not valid before %s (or the clock here is wrong)", day(5));
    const struct {
        struct cert_spec spec;
        const char *host;
        int detail;
        const char *words;
    } cases[] = {
        {{.dns = "a.example"}, "a.example", 0, ""},
        {{.dns = "a.example"}, NULL, 0, ""},
        {{.dns = "*.a.example"}, "b.a.example", 0, ""},
        {{.dns = "*.a.example"}, "c.b.a.example", DX_TLS_HOST, "certificate is for *.a.example, not for c.b.a.example"},
        {{.dns = "a.example", .purpose = ""}, "a.example", 0, ""},
        {{.dns = "a.example", .rsa_bits = 2048}, "a.example", 0, ""},
        {{.dns = "a.example"}, "c.example", DX_TLS_HOST, "certificate is for a.example, not for c.example"},
        {{.dns = "a.example"}, "127.0.0.1", DX_TLS_HOST, "certificate is for a.example, not for 127.0.0.1"},
        {{.dns = NULL}, "c.example", DX_TLS_HOST, "certificate holds no name, so it is not for c.example"},
        {{.dns = "a.example", .from_days = -9, .until_days = -3}, "a.example", DX_TLS_EXPIRED, expired},
        {{.dns = "a.example", .from_days = -9, .until_days = -3}, "c.example", DX_TLS_EXPIRED, expired},
        {{.dns = "a.example", .from_days = 5, .until_days = 9}, "a.example", DX_TLS_NOT_YET, not_yet},
        {{.dns = "a.example", .purpose = GNUTLS_KP_TLS_WWW_CLIENT},
         "a.example",
         DX_TLS_USAGE,
         "certificate is not meant for servers"},
        {{.dns = "a.example", .odd_extension = true},
         "a.example",
         DX_TLS_USAGE,
         "certificate has a critical extension that is not known here"},
        {{.dns = "a.example", .hash = GNUTLS_DIG_SHA1}, "a.example", DX_TLS_WEAK, "certificate is signed with SHA-1"},
        {{.dns = "a.example", .rsa_bits = 1024},
         "a.example",
         DX_TLS_WEAK,
         "certificate has too short a key (RSA, 1024 bits)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cert_spec s = cases[i].spec;
        s.file = "leaf.pem";
        s.cn = "leaf";
        made_free(make_cert(&s, &ca));
        check("leaf.pem", cases[i].host, "ca.pem", cases[i].detail, cases[i].words);
    }
    made_free(ca);
}

TEST(nobody_known_has_signed_it)
{
    struct made ca = make_cert(&(struct cert_spec){.file = "ca.pem", .cn = "test CA", .ca = true}, NULL);
    struct made other = make_cert(&(struct cert_spec){.file = "other.pem", .cn = "other CA", .ca = true}, NULL);
    struct made self = make_cert(&(struct cert_spec){.file = "self.pem", .cn = "a.example", .dns = "a.example"}, NULL);
    struct made leaf = make_cert(&(struct cert_spec){.file = "leaf.pem", .cn = "leaf", .dns = "a.example"}, &ca);
    check("leaf.pem", "a.example", "other.pem", DX_TLS_ISSUER, "certificate's issuer 'CN=test CA' is not known here");
    check("leaf.pem", "c.example", "other.pem", DX_TLS_HOST, "certificate is for a.example, not for c.example");
    check("leaf.pem", "a.example", NULL, DX_TLS_ISSUER, "certificate's issuer 'CN=test CA' is not known here");
    check("self.pem", "a.example", NULL, DX_TLS_ISSUER, "self-signed certificate");
    check("self.pem", "a.example", "other.pem", DX_TLS_ISSUER, "self-signed certificate");
    check("self.pem", "a.example", "self.pem", 0, "");
    check("self.pem", "c.example", "self.pem", DX_TLS_HOST, "certificate is for a.example, not for c.example");
    write_crt("leaf.pem", ca.crt, "a");
    check("leaf.pem", "a.example", "other.pem", DX_TLS_ISSUER, "certificate's issuer 'CN=test CA' is not known here");
    made_free(ca), made_free(other), made_free(self), made_free(leaf);
}

TEST(another_ca_of_the_same_name_has_not_signed_it)
{
    struct made ca = make_cert(&(struct cert_spec){.cn = "test CA", .ca = true}, NULL);
    struct made twin = make_cert(&(struct cert_spec){.file = "twin.pem", .cn = "test CA", .ca = true}, NULL);
    struct made leaf = make_cert(&(struct cert_spec){.file = "leaf.pem", .cn = "leaf", .dns = "a.example"}, &ca);
    dx_err err = {0};
    CHECK_INT(dx_cert_check(at("leaf.pem"), "a.example", at("twin.pem"), &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_ISSUER);
    made_free(ca), made_free(twin), made_free(leaf);
}

TEST(an_issuer_in_the_middle_is_named)
{
    char words[200];
    struct made ca = make_cert(&(struct cert_spec){.file = "ca.pem", .cn = "test CA", .ca = true}, NULL);
    struct made old =
        make_cert(&(struct cert_spec){.cn = "middle", .ca = true, .from_days = -9, .until_days = -2}, &ca);
    struct made weak = make_cert(&(struct cert_spec){.cn = "middle", .ca = true, .hash = GNUTLS_DIG_SHA1}, &ca);
    struct made good = make_cert(&(struct cert_spec){.cn = "middle", .ca = true}, &ca);
    struct made no_ca = make_cert(&(struct cert_spec){.cn = "middle", .purpose = ""}, &ca);
    const struct {
        const struct made *middle;
        int detail;
        const char *words;
    } cases[] = {
        {&good, 0, ""},
        {&old, DX_TLS_EXPIRED, words},
        {&weak, DX_TLS_WEAK, "its issuer's certificate 'CN=middle' is signed with SHA-1"},
        {&no_ca, DX_TLS_USAGE, "certificate's issuer 'CN=middle' is not a CA"},
    };
    snprintf(words, sizeof words, "its issuer's certificate 'CN=middle' expired on %s", day(-2));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_free(
            make_cert(&(struct cert_spec){.file = "leaf.pem", .cn = "leaf", .dns = "a.example"}, cases[i].middle));
        write_crt("leaf.pem", cases[i].middle->crt, "a");
        check("leaf.pem", "a.example", "ca.pem", cases[i].detail, cases[i].words);
    }
    made_free(ca), made_free(old), made_free(weak), made_free(good), made_free(no_ca);
}

/* What the trusted CA itself may be. */
TEST(an_expired_ca_believes_nobody)
{
    struct made ca = make_cert(
        &(struct cert_spec){.file = "ca.pem", .cn = "test CA", .ca = true, .from_days = -9, .until_days = -2}, NULL);
    made_free(make_cert(&(struct cert_spec){.file = "leaf.pem", .cn = "leaf", .dns = "a.example"}, &ca));
    check("leaf.pem", "a.example", "ca.pem", DX_TLS_EXPIRED, "a certificate of its issuers has expired");
    made_free(ca);
}

static void append_crl(const char *file, const struct made *ca, const struct made *revoked)
{
    gnutls_x509_crl_t crl;
    gnutls_privkey_t key;
    gnutls_datum_t pem;
    time_t now = time(NULL);
    MUST(gnutls_x509_crl_init(&crl));
    MUST(gnutls_x509_crl_set_version(crl, 2));
    MUST(gnutls_x509_crl_set_this_update(crl, now - 60));
    MUST(gnutls_x509_crl_set_next_update(crl, now + 86400));
    MUST(gnutls_x509_crl_set_number(crl, "\x01", 1));
    MUST(gnutls_x509_crl_set_crt(crl, revoked->crt, now - 60));
    MUST(gnutls_privkey_init(&key));
    MUST(gnutls_privkey_import_x509(key, ca->key, 0));
    MUST(gnutls_x509_crl_privkey_sign(crl, ca->crt, key, GNUTLS_DIG_SHA256, 0));
    MUST(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem));
    FILE *f = fopen(at("%s", file), "a");
    CHECK(f && fwrite(pem.data, 1, pem.size, f) == pem.size && fclose(f) == 0);
    gnutls_free(pem.data);
    gnutls_privkey_deinit(key);
    gnutls_x509_crl_deinit(crl);
}

TEST(a_revoked_one_is_refused)
{
    dx_err err = {0};
    struct made ca = make_cert(&(struct cert_spec){.file = "ca.pem", .cn = "test CA", .ca = true}, NULL);
    struct made twin = make_cert(&(struct cert_spec){.file = "twin.pem", .cn = "twin", .ca = true}, NULL);
    struct made leaf = make_cert(&(struct cert_spec){.file = "leaf.pem", .cn = "leaf", .dns = "a.example"}, &ca);
    check("leaf.pem", "a.example", "ca.pem", 0, "");
    append_crl("ca.pem", &ca, &leaf);
    check("leaf.pem", "a.example", "ca.pem", DX_TLS_REVOKED, "certificate was revoked");
    /* A list that none of the trusted has signed is no list. */
    append_crl("twin.pem", &ca, &leaf);
    CHECK_INT(dx_cert_check(at("leaf.pem"), NULL, at("twin.pem"), &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_FILE);
    made_free(ca), made_free(twin), made_free(leaf);
}

TEST(files_that_do_not_read_are_named)
{
    dx_err err = {0};
    FILE *f = fopen(at("rubbish.pem"), "w");
    CHECK(f && fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f) >= 0 && fclose(f) == 0);
    f = fopen(at("empty.pem"), "w");
    CHECK(f && fclose(f) == 0);
    CHECK_INT(dx_cert_check(at("none.pem"), NULL, NULL, &err), DX_SYS);
    CHECK(strstr(err.text, "none.pem: No such file"));
    CHECK_INT(dx_cert_check(at("rubbish.pem"), NULL, NULL, &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_FILE);
    CHECK(strstr(err.text, "rubbish.pem"));
    CHECK_INT(dx_cert_check(at("empty.pem"), NULL, NULL, &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_FILE);
    CHECK(strstr(err.text, "empty.pem: no certificate is in it"));
}

/* ---- bits alone: what a session may hand over ---- */

TEST(words_without_a_chain)
{
    static const struct {
        unsigned status;
        int detail;
    } cases[] = {
        {GNUTLS_CERT_INVALID, DX_TLS_ISSUER},
        {GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNER_NOT_FOUND, DX_TLS_ISSUER},
        {GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_UNEXPECTED_OWNER, DX_TLS_HOST},
        {GNUTLS_CERT_UNEXPECTED_OWNER | GNUTLS_CERT_PURPOSE_MISMATCH, DX_TLS_USAGE},
        {GNUTLS_CERT_PURPOSE_MISMATCH | GNUTLS_CERT_INSECURE_ALGORITHM, DX_TLS_WEAK},
        {GNUTLS_CERT_INSECURE_ALGORITHM | GNUTLS_CERT_NOT_ACTIVATED, DX_TLS_NOT_YET},
        {GNUTLS_CERT_EXPIRED | GNUTLS_CERT_INSECURE_ALGORITHM, DX_TLS_EXPIRED},
        {GNUTLS_CERT_EXPIRED | GNUTLS_CERT_REVOKED, DX_TLS_REVOKED},
        {GNUTLS_CERT_SIGNER_NOT_CA, DX_TLS_USAGE},
        {GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, DX_TLS_USAGE},
        {GNUTLS_CERT_SIGNATURE_FAILURE, DX_TLS_ISSUER},
        {GNUTLS_CERT_MISSING_OCSP_STATUS, DX_TLS_OTHER},
        {GNUTLS_CERT_INVALID_OCSP_STATUS, DX_TLS_OTHER},
        {GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, DX_TLS_OTHER},
    };
    dx_err err = {0};
    CHECK_INT(verify_words(&err, 0, NULL, 0, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(verify_words(&err, cases[i].status, NULL, 0, i % 2 ? "a.example" : NULL), DX_TLS);
        CHECK_SAY(err.detail == cases[i].detail, "%zu: %s", i, err.text);
        CHECK_INT(verify_words(NULL, cases[i].status, NULL, 0, NULL), DX_TLS);
    }
}

TEST(many_names_are_counted_and_no_control_byte_is_said)
{
    dx_err err = {0};
    char name[40];
    struct made m = make_cert(&(struct cert_spec){.cn = "evil \x1b]0;title\x07", .dns = "n0.example"}, NULL);
    gnutls_privkey_t key;
    for (int i = 1; i < 7; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        MUST(gnutls_x509_crt_set_subject_alt_name(m.crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name),
                                                  GNUTLS_FSAN_APPEND));
    }
    MUST(gnutls_privkey_init(&key));
    MUST(gnutls_privkey_import_x509(key, m.key, 0));
    MUST(gnutls_x509_crt_privkey_sign(m.crt, m.crt, key, GNUTLS_DIG_SHA256, 0));
    gnutls_datum_t der;
    MUST(gnutls_x509_crt_export2(m.crt, GNUTLS_X509_FMT_DER, &der));
    verify_words(&err, GNUTLS_CERT_UNEXPECTED_OWNER, &der, 1, "c.example");
    CHECK_STR(err.text,
              "certificate is for n0.example, n1.example, n2.example, n3.example and 3 more, not for c.example");
    const gnutls_datum_t two[2] = {der, der};
    verify_words(&err, GNUTLS_CERT_SIGNER_NOT_FOUND, two, 2, NULL);
    CHECK(strstr(err.text, "evil"));
    CHECK(!strpbrk(err.text, "\x1b\x07"));
    gnutls_free(der.data);
    gnutls_privkey_deinit(key);
    made_free(m);
}

/* ---- pins ---- */

TEST(pins_match_the_key_or_all_of_it)
{
    struct made m = make_cert(&(struct cert_spec){.cn = "a"}, NULL),
                other = make_cert(&(struct cert_spec){.cn = "a"}, NULL);
    gnutls_datum_t der, der_other;
    char pin[64], print[80], text[400], colons[200] = "sha256:";
    struct verify_pins p;
    MUST(gnutls_x509_crt_export2(m.crt, GNUTLS_X509_FMT_DER, &der));
    MUST(gnutls_x509_crt_export2(other.crt, GNUTLS_X509_FMT_DER, &der_other));
    verify_pin(&der, pin);
    verify_fingerprint(&der, print);
    CHECK_INT(strlen(pin), 7 + 44);
    CHECK_INT(strlen(print), 7 + 64);
    for (int i = 0; i < 32; i++)
        snprintf(colons + 7 + 3 * i, 4, "%c%c%s", print[7 + 2 * i],
                 print[8 + 2 * i] & ~(print[8 + 2 * i] & 0x40 ? 0x20 : 0), i < 31 ? ":" : "");
    const char *forms[] = {pin, print, colons};
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(verify_pins_parse(forms[i], &p, NULL), 0);
        CHECK_INT(p.count, 1);
        CHECK(verify_pins_match(&p, &der) && !verify_pins_match(&p, &der_other));
    }
    snprintf(text, sizeof text, "sha256:%064d,sha256//%s", 0, pin + 7);
    CHECK_INT(verify_pins_parse(text, &p, NULL), 0);
    CHECK_INT(p.count, 2);
    CHECK(verify_pins_match(&p, &der) && !verify_pins_match(&p, &der_other));
    CHECK_INT(verify_pins_parse(NULL, &p, NULL), 0);
    CHECK(!verify_pins_match(&p, &der));
    gnutls_free(der.data);
    gnutls_free(der_other.data);
    made_free(m), made_free(other);
}

TEST(what_is_no_pin_is_said)
{
    static const char *const bad[] = {
        "sha256:",
        "sha1:AAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "sha256:AAAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAA=",
        "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "sha256:000000000000000000000000000000000000000000000000000000000000000",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000:",
        "sha256:000000000000000000000000000000000000000000000000000000000000000000",
        "sha256//0000000000000000000000000000000000000000000000000000000000000000",
        "sha256:000000000000000000000000000000000000000000000000000000000000000g",
        ",",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000,",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000,,",
    };
    struct verify_pins p = {.count = 7};
    dx_err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_SAY(verify_pins_parse(bad[i], &p, &err) == DX_URL && p.count == 7, "%s", bad[i]);
}

TEST(there_is_a_most_of_pins)
{
    char text[80 * (VERIFY_PINS_MAX + 1)] = "";
    struct verify_pins p;
    dx_err err;
    for (int i = 0; i <= VERIFY_PINS_MAX; i++) {
        CHECK_INT(verify_pins_parse(text, &p, &err), 0);
        CHECK_INT(p.count, i);
        sprintf(text + strlen(text), "%ssha256:%064d", i ? "," : "", i);
    }
    CHECK_INT(verify_pins_parse(text, &p, &err), DX_URL);
}

/* Cut anywhere, or with a byte changed, it is never read beyond its end. */
TEST(a_pin_of_rubbish_is_no_accident)
{
    struct made m = make_cert(&(struct cert_spec){.cn = "a"}, NULL);
    gnutls_datum_t der;
    char pin[64];
    MUST(gnutls_x509_crt_export2(m.crt, GNUTLS_X509_FMT_DER, &der));
    for (unsigned n = 0; n <= der.size; n++) {
        unsigned char *copy = malloc(n + 1);
        memcpy(copy, der.data, n);
        verify_pin(&(gnutls_datum_t){copy, n}, pin);
        CHECK_SAY((pin[0] != 0) == (n == der.size), "%u: %s", n, pin);
        for (unsigned i = 0; i < n && n == der.size; i++) {
            copy[i] ^= 0x84;
            verify_pin(&(gnutls_datum_t){copy, n}, pin);
            copy[i] ^= 0x84;
        }
        free(copy);
    }
    gnutls_free(der.data);
    made_free(m);
}

TEST_MAIN
