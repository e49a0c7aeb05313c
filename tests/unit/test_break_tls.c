/* SPDX-License-Identifier: MIT
 * The TLS engine against peers that the other tests cannot be: GnuTLS with every record in the test's hands. */
#include "certs.h"
#include "crypto/names.h"
#include "crypto/session.h"
#include <errno.h>

enum { PIPE_MAX = 512 << 10, PLAIN_MAX = 16000 };
struct wire {
    uint8_t p[PIPE_MAX];
    size_t n, at;
};
static struct wire to_us, from_us;
static struct tls_session *us;
static gnutls_session_t peer;
static gnutls_certificate_credentials_t anybody;
static dx_tls *server;
static dx_err err;

static bool put(struct wire *w, const void *p, size_t n)
{
    if (n > PIPE_MAX - w->n)
        return false;
    memcpy(w->p + w->n, p, n);
    w->n += n;
    return true;
}

static bool keep(void *arg, const void *p, size_t n)
{
    return put(arg, p, n);
}

static ssize_t push(gnutls_transport_ptr_t arg, const void *p, size_t n)
{
    (void)arg;
    return put(&to_us, p, n) ? (ssize_t)n : -1;
}

static ssize_t pull(gnutls_transport_ptr_t arg, void *to, size_t n)
{
    (void)arg;
    size_t have = from_us.n - from_us.at;
    if (!have) {
        gnutls_transport_set_errno(peer, EAGAIN);
        return -1;
    }
    n = n < have ? n : have;
    memcpy(to, from_us.p + from_us.at, n);
    from_us.at += n;
    return (ssize_t)n;
}

static void finish(void)
{
    tls_session_free(us);
    if (peer)
        gnutls_deinit(peer);
    if (anybody)
        gnutls_certificate_free_credentials(anybody);
    dx_tls_drop(server);
    us = NULL;
    peer = NULL;
    anybody = NULL;
    server = NULL;
}

/* A client of GnuTLS's own that stands, and our server. */
static void begin(void)
{
    struct tls_ask ask = {.server = true, .push = keep, .arg = &from_us};
    finish();
    to_us.n = to_us.at = from_us.n = from_us.at = 0;
    made_free(make_cert(&(struct cert_spec){.file = "leaf.pem", .cn = "a", .dns = "a.example"}, NULL));
    unlink(at("l.pem"));
    unlink(at("l.key"));
    CHECK(dx_cert_make(at("l.pem"), at("l.key"), &(dx_cert_opts){.names = "a.example"}, &err) == 0);
    server = dx_tls_new(&(dx_tls_opts){.cert = at("l.pem"), .key = at("l.key")}, &err);
    CHECK_SAY(server, "%s", err.text);
    us = tls_session_new(server, &ask, &err);
    MUST(gnutls_init(&peer, GNUTLS_CLIENT | GNUTLS_NONBLOCK));
    MUST(gnutls_certificate_allocate_credentials(&anybody));
    MUST(gnutls_credentials_set(peer, GNUTLS_CRD_CERTIFICATE, anybody));
    MUST(gnutls_set_default_priority(peer));
    gnutls_transport_set_push_function(peer, push);
    gnutls_transport_set_pull_function(peer, pull);
    int r = GNUTLS_E_AGAIN, shaken = 0;
    for (int i = 0; i < 10 && !shaken; i++) {
        if (r == GNUTLS_E_AGAIN) /* once it stands, this would be a new key */
            r = gnutls_handshake(peer);
        tls_lend(us, to_us.p, to_us.n);
        shaken = tls_shake(us, &err);
        to_us.n = 0;
    }
    CHECK_SAY(r == 0 && shaken == 1, "%s, %s", gnutls_strerror(r), err.text);
    to_us.n = 0;
}

/* What tls_open says of all that the peer has sent: bytes, or < 0. */
static int64_t hear(void)
{
    static uint8_t plain[TLS_OPEN_MAX];
    int64_t r, sum = 0;
    tls_lend(us, to_us.p, to_us.n);
    while ((r = tls_open(us, plain, &err)) > 0)
        sum += r;
    to_us.n = 0;
    return r < 0 ? r : sum;
}

/* Records without a byte of data, blown up to nothing but padding. */
static void say_nothing(int times)
{
    for (int i = 0; i < times; i++)
        CHECK_INT(gnutls_record_send2(peer, "", 0, PLAIN_MAX, 0), 0);
}

TEST(what_is_no_data_is_bounded)
{
    begin();
    for (int i = 0; i < 10; i++) { /* between data it is nobody's business */
        say_nothing(2);
        CHECK_INT(gnutls_record_send(peer, "hi", 2), 2);
        int64_t r = hear();
        CHECK_SAY(r == 2, "%d, %s", (int)r, err.text);
    }
    say_nothing(8);
    CHECK_INT(hear(), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_OTHER);
    CHECK_SAY(strstr(err.text, "too much"), "%s", err.text);
    finish();
}

TEST(a_handshake_is_bounded)
{
    static uint8_t record[5 + PLAIN_MAX] = {22, 3, 3, PLAIN_MAX >> 8, PLAIN_MAX & 255, 1, 0xff, 0xff, 0xff};
    struct tls_ask ask = {.server = true, .push = keep, .arg = &from_us};
    begin();
    tls_session_free(us);
    us = tls_session_new(server, &ask, &err);
    int r = 0, i = 0;
    for (; i < 20 && r == 0; i++) { /* a ClientHello of 16 MiB */
        if (i)
            record[5] = record[6] = record[7] = record[8] = 0;
        tls_lend(us, record, sizeof record);
        r = tls_shake(us, &err);
    }
    CHECK_INT(r, DX_TLS);
    CHECK_SAY(i <= 5, "%d records of %d bytes", i, PLAIN_MAX);
    finish();
}

TEST(a_name_that_holds_a_nul_is_nobody_s)
{
    static const char evil[] = "a.example?.evil";
    char text[NAME_ROOM];
    gnutls_x509_crt_t crt, read;
    gnutls_x509_privkey_t key;
    gnutls_datum_t der;
    MUST(gnutls_x509_privkey_init(&key));
    MUST(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    MUST(gnutls_x509_crt_init(&crt));
    MUST(gnutls_x509_crt_init(&read));
    MUST(gnutls_x509_crt_set_version(crt, 3));
    MUST(gnutls_x509_crt_set_key(crt, key));
    MUST(gnutls_x509_crt_set_serial(crt, "\x01", 1));
    MUST(gnutls_x509_crt_set_activation_time(crt, time(NULL)));
    MUST(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 1000));
    MUST(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, evil, sizeof evil - 1, 0));
    MUST(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0));
    MUST(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der));
    unsigned char *at_name = memmem(der.data, der.size, evil, sizeof evil - 1);
    CHECK(at_name);
    at_name[strlen("a.example")] = 0; /* GnuTLS would not write it so */
    MUST(gnutls_x509_crt_import(read, &der, GNUTLS_X509_FMT_DER));
    CHECK(name_of_crt(read, 0, text));
    CHECK_STR(text, "");
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(read);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}
TEST_MAIN
