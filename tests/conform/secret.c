/* SPDX-License-Identifier: MIT
 * secret.c - the TLS of these tests: a certificate that serves both sides of every case, and raw peers that speak TLS through
 * GnuTLS alone, on the blocking socket they have anyway. */
#include "conform.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <sys/socket.h>
#include <unistd.h>

extern char scratch[64];

/* A CA, and what it signed for localhost, 127.0.0.1 and ::1; from 2024 to 2049. */
static const char test_ca[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBZjCCAQygAwIBAgICEAAwCgYIKoZIzj0EAwIwGjEYMBYGA1UEAwwPY2Egb2Yg\n"
                              "dGhlIHRlc3RzMB4XDTI0MDEwMTAwMDAwMFoXDTQ5MTIzMTIzNTk1OVowGjEYMBYG\n"
                              "A1UEAwwPY2Egb2YgdGhlIHRlc3RzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
                              "7leBOf59lZblHDGJyF2mKrZgNrk38l6wp/27M+w/XCkbam7omC0OTUXzxI57aPHp\n"
                              "JZCkxFbh6Q7gkxchEYDajqNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8E\n"
                              "BAMCAQYwHQYDVR0OBBYEFAzFqtJwqBpvoKxS/oL7YYDdYeW6MAoGCCqGSM49BAMC\n"
                              "A0gAMEUCIAMlp0igA1+SJOJ+HnmfE54FlJj1DP5MwpysnhcH/wjPAiEAs9el69k4\n"
                              "Gqjh5EuPn7kBQBLcqgufBMFziSicgh9cbGk=\n"
                              "-----END CERTIFICATE-----\n";
static const char test_cert[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBwzCCAWmgAwIBAgICEAEwCgYIKoZIzj0EAwIwGjEYMBYGA1UEAwwPY2Egb2Yg\n"
                                "dGhlIHRlc3RzMB4XDTI0MDEwMTAwMDAwMFoXDTQ5MTIzMTIzNTk1OVowFDESMBAG\n"
                                "A1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcjBVvM06\n"
                                "jHoCf+RZ6CQGgmbHZ3e57JHQoaRNgDFGCTVnLJ9tYztMfQtVvaEa3DAqZEVNJ2li\n"
                                "69B10RC9eRkYmKOBpDCBoTAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAT\n"
                                "BgNVHSUEDDAKBggrBgEFBQcDATAsBgNVHREEJTAjgglsb2NhbGhvc3SHBH8AAAGH\n"
                                "EAAAAAAAAAAAAAAAAAAAAAEwHQYDVR0OBBYEFCq8fgtB49UPmBIiQwEL9jegWOjU\n"
                                "MB8GA1UdIwQYMBaAFAzFqtJwqBpvoKxS/oL7YYDdYeW6MAoGCCqGSM49BAMCA0gA\n"
                                "MEUCIQDQb2cRHpj+t8HCblQP0TjuPcrdNl7Wf10soGAyYI5K7AIgNzdRFKRQ3ms1\n"
                                "5f+EwWDW8Nr0T0N94K53Y/0Kp3RJRbs=\n"
                                "-----END CERTIFICATE-----\n";
static const char test_key[] = "-----BEGIN PRIVATE KEY-----\n"
                               "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8Xp4T5ZisLrRZ3Pu\n"
                               "uCw+2CgWfds/79yPsaO3NHM0qoChRANCAARyMFW8zTqMegJ/5FnoJAaCZsdnd7ns\n"
                               "kdChpE2AMUYJNWcsn21jO0x9C1W9oRrcMCpkRU0naWLr0HXREL15GRiY\n"
                               "-----END PRIVATE KEY-----\n";

/* ---- the options of both sides ---- */
static bool write_file(const char *name, const char *text)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *f = fopen(path, "we");
    return f && fputs(text, f) >= 0 && fclose(f) == 0;
}

bool secret_files(void)
{
    return write_file("ca.pem", test_ca) && write_file("cert.pem", test_cert) && write_file("cert.key", test_key);
}

static bool make(struct world *w, dx_tls **ret, const dx_tls_opts *o)
{
    dx_err err = {0};
    if (*ret)
        return true;
    *ret = dx_tls_new(o, &err);
    atomic_store(&w->report->absent, err.code == DX_ABSENT);
    if (!*ret)
        fail(w, "dx_tls_new: %d %s", err.code, err.text);
    return *ret != NULL;
}

bool secret_server(struct world *w)
{
    char cert[100], key[100];
    snprintf(cert, sizeof cert, "%s/cert.pem", scratch);
    snprintf(key, sizeof key, "%s/cert.key", scratch);
    bool ok = make(w, &w->server_tls, &(dx_tls_opts){.cert = cert, .key = key});
    if (!w->so.tls)
        w->so.tls = w->server_tls;
    return ok;
}

bool secret_client(struct world *w)
{
    char ca[100];
    snprintf(ca, sizeof ca, "%s/ca.pem", scratch);
    bool ok = make(w, &w->client_tls, &(dx_tls_opts){.ca = ca});
    if (!w->co.tls)
        w->co.tls = w->client_tls;
    return ok;
}

/* ---- a raw peer's ---- */
struct secret {
    gnutls_session_t session;
    gnutls_certificate_credentials_t own;
    bool late; /* the socket's patience ended */
};

static ssize_t pull(gnutls_transport_ptr_t arg, void *p, size_t n)
{
    struct raw *r = arg;
    ssize_t got = recv(r->fd, p, n, 0);
    int saved_errno = errno;
    r->secret->late = got < 0 && saved_errno == EAGAIN;
    gnutls_transport_set_errno(r->secret->session, saved_errno);
    return got;
}

static ssize_t push(gnutls_transport_ptr_t arg, const void *p, size_t n)
{
    struct raw *r = arg;
    ssize_t got = send(r->fd, p, n, MSG_NOSIGNAL);
    int saved_errno = errno;
    r->secret->late = got < 0 && saved_errno == EAGAIN;
    gnutls_transport_set_errno(r->secret->session, saved_errno);
    errno = saved_errno;
    return got;
}

static int credentials(struct secret *s, bool client)
{
    const gnutls_datum_t ca = {(unsigned char *)(uintptr_t)test_ca, sizeof test_ca - 1},
                         cert = {(unsigned char *)(uintptr_t)test_cert, sizeof test_cert - 1},
                         key = {(unsigned char *)(uintptr_t)test_key, sizeof test_key - 1};
    int r = gnutls_certificate_allocate_credentials(&s->own);
    if (r < 0)
        return r;
    return client ? gnutls_certificate_set_x509_trust_mem(s->own, &ca, GNUTLS_X509_FMT_PEM)
                  : gnutls_certificate_set_x509_key_mem(s->own, &cert, &key, GNUTLS_X509_FMT_PEM);
}

static int begin(struct raw *r, struct secret *s)
{
    static const gnutls_datum_t http = {(unsigned char *)(uintptr_t) "http/1.1", 8};
    int e = gnutls_init(&s->session, r->client ? GNUTLS_CLIENT : GNUTLS_SERVER);
    if (e < 0 || (e = credentials(s, r->client)) < 0)
        return e;
    gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, s->own);
    if (r->client)
        gnutls_session_set_verify_cert(s->session, "127.0.0.1", 0);
    if (has(r->w, HAS_WS) || has(r->w, HAS_HTTP))
        gnutls_alpn_set_protocols(s->session, &http, 1, GNUTLS_ALPN_MANDATORY);
    gnutls_transport_set_ptr(s->session, r);
    gnutls_transport_set_pull_function(s->session, pull);
    gnutls_transport_set_push_function(s->session, push);
    gnutls_handshake_set_timeout(s->session, 0);
    return gnutls_priority_set_direct(s->session, r->w->priority ? r->w->priority : "NORMAL", NULL);
}

/* GnuTLS says "again" also after a message that is none of ours: a ticket, a new key. */
static bool again(const struct raw *r, ssize_t e)
{
    return e == GNUTLS_E_INTERRUPTED || (e == GNUTLS_E_AGAIN && !r->secret->late);
}

bool secret_shake(struct raw *r)
{
    int e;
    r->secret = calloc(1, sizeof *r->secret);
    if (!r->secret)
        abort();
    e = begin(r, r->secret);
    if (e >= 0)
        do
            e = gnutls_handshake(r->secret->session);
        while (again(r, e));
    if (e < 0)
        raw_fail(r, "the TLS handshake: %s%s%s", gnutls_strerror(e), e == GNUTLS_E_FATAL_ALERT_RECEIVED ? ": " : "",
                 e == GNUTLS_E_FATAL_ALERT_RECEIVED ? gnutls_alert_get_name(gnutls_alert_get(r->secret->session)) : "");
    return e >= 0;
}

void secret_free(struct raw *r)
{
    if (!r->secret)
        return;
    if (r->secret->session)
        gnutls_deinit(r->secret->session);
    if (r->secret->own)
        gnutls_certificate_free_credentials(r->secret->own);
    free(r->secret);
    r->secret = NULL;
}

static int errno_of(const struct raw *r, ssize_t e)
{
    if (e == GNUTLS_E_AGAIN)
        return EAGAIN;
    if (e == GNUTLS_E_PREMATURE_TERMINATION || e == GNUTLS_E_PULL_ERROR || e == GNUTLS_E_PUSH_ERROR)
        return ECONNRESET; /* broken off: a reset, or an end that is not said */
    return e == GNUTLS_E_FATAL_ALERT_RECEIVED && gnutls_alert_get(r->secret->session) ? EPROTO : EBADMSG;
}

ssize_t secret_recv(struct raw *r, void *p, size_t n)
{
    ssize_t got;
    do
        got = gnutls_record_recv(r->secret->session, p, n);
    while (again(r, got));
    if (got < 0)
        errno = errno_of(r, got);
    return got < 0 ? -1 : got;
}

ssize_t secret_send(struct raw *r, const void *p, size_t n)
{
    ssize_t got;
    do
        got = gnutls_record_send(r->secret->session, p, n);
    while (again(r, got));
    if (got < 0)
        errno = errno_of(r, got);
    return got < 0 ? -1 : got;
}

void secret_end(struct raw *r)
{
    gnutls_bye(r->secret->session, GNUTLS_SHUT_WR);
}

bool secret_rekey(struct raw *r)
{
    return gnutls_session_key_update(r->secret->session, GNUTLS_KU_PEER) >= 0;
}

void secret_alert(struct raw *r, int alert)
{
    gnutls_alert_send(r->secret->session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);
}

int secret_alert_got(struct raw *r)
{
    return (int)gnutls_alert_get(r->secret->session);
}
