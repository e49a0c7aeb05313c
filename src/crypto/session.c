/* SPDX-License-Identifier: MIT
 * session.c - GnuTLS behind session.h. It reads by pull from what was lent and writes by push, so that it never sees a socket. */
#include "crypto/session.h"
#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/fault.h"
#include "crypto/tls.h"
#include "os/addr.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALPN_MAX = 8,
    WARNINGS_MAX = 8, /* warning alerts and renegotiations that a peer may send: each costs us work */
    /* Bytes of a handshake, or behind it without one of data: GnuTLS would keep 16 MiB of a message, piece by piece;
     * and its time to read a certificate grows with the square of what is in it. */
    BARREN_MAX = 64 << 10,
};

struct tls_session {
    gnutls_session_t gnutls;
    dx_tls *tls;
    struct tls_creds *creds;
    const uint8_t *in;
    size_t in_n;
    bool (*push)(void *arg, const void *p, size_t n);
    void *arg;
    char *host;    /* a client's, until the handshake is over     */
    dx_err *fault; /* what the callbacks found; NULL: nothing      */
    uint8_t server : 1, shaken : 1, no_memory : 1, heard : 1;
    uint8_t warnings;
    uint32_t barren; /* bytes since the last of data */
};

/* ---- bytes ---- */

static ssize_t pull(gnutls_transport_ptr_t arg, void *to, size_t n)
{
    struct tls_session *s = arg;
    if (s->in_n == 0) {
        gnutls_transport_set_errno(s->gnutls, EAGAIN);
        return -1;
    }
    n = n < s->in_n ? n : s->in_n;
    memcpy(to, s->in, n);
    s->in += n;
    s->in_n -= n;
    return (ssize_t)n;
}

static ssize_t push(gnutls_transport_ptr_t arg, const giovec_t *v, int count)
{
    struct tls_session *s = arg;
    size_t n = 0;
    for (int i = 0; i < count; i++) {
        s->no_memory |= !s->push(s->arg, v[i].iov_base, v[i].iov_len);
        n += v[i].iov_len;
    }
    return (ssize_t)n; /* what could not be kept is told by no_memory: GnuTLS is not to try again */
}

void tls_lend(struct tls_session *s, const uint8_t *p, size_t n)
{
    s->in = p;
    s->in_n = n;
}

size_t tls_unread(const struct tls_session *s)
{
    return s->in_n;
}

/* ---- whom to believe ---- */

static dx_err *fault_of(struct tls_session *s)
{
    if (!s->fault)
        s->fault = calloc(1, sizeof *s->fault);
    return s->fault;
}

static int verify_pin_of(struct tls_session *s, const gnutls_datum_t *leaf)
{
    char shown[VERIFY_PIN_ROOM];
    if (verify_pins_match(&s->tls->pins, leaf))
        return 0;
    verify_pin(leaf, shown);
    return fault_set(fault_of(s), DX_TLS_PIN, "the peer's key is another than the pinned one (its pin is %s)", shown);
}

static int verify_status(struct tls_session *s, const gnutls_datum_t *chain, unsigned n)
{
    unsigned status = 0;
    gnutls_typed_vdata_st ask[2] = {
        {.type = GNUTLS_DT_KEY_PURPOSE_OID,
         .data = (uint8_t *)(uintptr_t)(s->server ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER)},
        {.type = GNUTLS_DT_DNS_HOSTNAME, .data = (uint8_t *)s->host}};
    int r = gnutls_certificate_verify_peers(s->gnutls, ask, s->host ? 2 : 1, &status);
    if (r == GNUTLS_E_CONSTRAINT_ERROR)
        return fault_set(fault_of(s), DX_TLS_ISSUER, "the peer shows %u certificates, which is too long a chain", n);
    if (r < 0)
        return fault_set(fault_of(s), DX_TLS_OTHER, "the peer's certificate does not read: %s", fault_words(r));
    r = verify_words(fault_of(s), status, chain, n, s->host);
    if (r < 0 && s->fault && s->fault->detail == DX_TLS_ISSUER) { /* what else could be trusted: the key itself */
        char pin[VERIFY_PIN_ROOM], words[sizeof s->fault->text];
        verify_pin(&chain[0], pin);
        snprintf(words, sizeof words, "%s", s->fault->text);
        fault_set(s->fault, DX_TLS_ISSUER, "%.160s (pin %s)", words, pin);
    }
    return r;
}

/* GnuTLS asks once the peer has shown its certificate, before anything of ours goes that only it should read. */
static int verify(gnutls_session_t g)
{
    struct tls_session *s = gnutls_session_get_ptr(g);
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(g, &n);
    int r = 0;
    if (!chain || !n)
        r = fault_set(fault_of(s), DX_TLS_NO_CERT, "the peer shows no certificate");
    else if (s->tls->pins.count)
        r = verify_pin_of(s, &chain[0]);
    else if (!s->tls->o.insecure)
        r = verify_status(s, chain, n);
    return r < 0 ? GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR : 0;
}

static bool has_capitals(const char *name)
{
    return strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

/* A server is asked for by name: by one of its own, or not at all (safe.md 4). */
static int check_name(gnutls_session_t g)
{
    struct tls_session *s = gnutls_session_get_ptr(g);
    char name[256];
    size_t n = sizeof name;
    unsigned type;
    int r = gnutls_server_name_get(g, name, &n, &type, 0);
    if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return 0;
    if (r < 0)
        return GNUTLS_E_UNRECOGNIZED_NAME;
    for (unsigned i = 0; i < s->creds->leaf_n; i++)
        if (gnutls_x509_crt_check_hostname(s->creds->leaf[i], name))
            return s->creds->alone[i] && has_capitals(name)
                       ? gnutls_credentials_set(g, GNUTLS_CRD_CERTIFICATE, s->creds->alone[i])
                       : 0;
    fault_set(fault_of(s), DX_TLS_SNI, "the client asks for %.180s, which no certificate here names", name);
    return GNUTLS_E_UNRECOGNIZED_NAME;
}

/* ---- what went wrong ---- */

static const struct {
    int gnutls, detail;
    const char *words;
} faults[] = {
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, DX_TLS_VERSION, "no TLS version in common: ours are 1.3 and 1.2"},
    {GNUTLS_E_NO_CIPHER_SUITES, DX_TLS_CIPHER, "no cipher in common"},
    {GNUTLS_E_NO_COMMON_KEY_SHARE, DX_TLS_CIPHER, "no key exchange group in common"},
    {GNUTLS_E_INSUFFICIENT_SECURITY, DX_TLS_CIPHER, "what the peer offers is too weak"},
    {GNUTLS_E_NO_APPLICATION_PROTOCOL, DX_TLS_ALPN, "no application protocol (ALPN) in common"},
    {GNUTLS_E_UNRECOGNIZED_NAME, DX_TLS_SNI, "the client asks for a name that no certificate here has"},
    {GNUTLS_E_NO_CERTIFICATE_FOUND, DX_TLS_NO_CERT, "the peer shows no certificate"},
    {GNUTLS_E_CERTIFICATE_REQUIRED, DX_TLS_NO_CERT, "the peer shows no certificate"},
    {GNUTLS_E_KEY_USAGE_VIOLATION, DX_TLS_USAGE, "the peer's certificate is not meant for this use"},
    {GNUTLS_E_DECRYPTION_FAILED, DX_TLS_OTHER, "a record that does not decrypt"},
    {GNUTLS_E_UNEXPECTED_PACKET_LENGTH, DX_TLS_OTHER, "a record of an impossible length"},
    {GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET, DX_TLS_OTHER, "a TLS message out of its turn, as an echo sends it"},
    {GNUTLS_E_HANDSHAKE_TOO_LARGE, DX_TLS_OTHER, "too much of TLS itself, and no data"},
};

/* We have a certificate, the server has asked for one, and it was not shown: GnuTLS shows none to who names other issuers. */
static bool is_withheld(const struct tls_session *s)
{
    return !s->server && s->creds->leaf_n && gnutls_certificate_client_get_request_status(s->gnutls) &&
           !gnutls_certificate_get_ours(s->gnutls);
}

static int fault_of_alert(struct tls_session *s, gnutls_alert_description_t alert, dx_err *err)
{
    const char *name = gnutls_alert_get_name(alert);
    return fault_set(err, (int)alert, "the peer %s: \"%s\" (alert %d)%s",
                     s->shaken ? "broke off" : "refuses the handshake", name ? name : "unknown", (int)alert,
                     is_withheld(s) ? "; our certificate was not shown, for it trusts other issuers" : "");
}

/* The words for what GnuTLS says, and the peer is told. */
static int failed(struct tls_session *s, int r, dx_err *err)
{
    if (r == GNUTLS_E_FATAL_ALERT_RECEIVED)
        return fault_of_alert(s, gnutls_alert_get(s->gnutls), err);
    gnutls_alert_send_appropriate(s->gnutls, r);
    if (s->no_memory || r == GNUTLS_E_MEMORY_ERROR)
        return err_set(err, DX_NOMEM, "TLS: no memory");
    if (s->fault && s->fault->code) {
        if (err)
            *err = *s->fault;
        return s->fault->code;
    }
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].gnutls == r)
            return fault_set(err, faults[i].detail, "%s", faults[i].words);
    return fault_set(err, DX_TLS_OTHER, "against the TLS protocol: %s", fault_words(r));
}

/* OpenSSL's clients (curl, Python) refuse a certificate by an alert in the clear where TLS 1.3 has keys already, maybe behind a
 * change_cipher_spec, and GnuTLS sees a record that does not decrypt. Nothing but the words hangs on it. */
static int read_clear_alert(const struct tls_session *s, const uint8_t *p, size_t n)
{
    enum { CHANGE_BYTES = 6, ALERT_BYTES = 7 };
    if (n > CHANGE_BYTES && p[0] == 20) {
        p += CHANGE_BYTES;
        n -= CHANGE_BYTES;
    }
    return s->server && n == ALERT_BYTES && p[0] == 21 && p[1] == 3 && p[3] == 0 && p[4] == 2 ? p[6] : -1;
}

/* What begins like no record is no TLS: told in clearer words than GnuTLS has. */
static int check_first(struct tls_session *s, dx_err *err)
{
    if (s->heard || s->in_n == 0)
        return 0;
    s->heard = 1;
    if (*s->in == 22 || (!s->server && *s->in == 21)) /* handshake, alert */
        return 0;
    return fault_set(err, DX_TLS_PLAIN, "no TLS: the peer speaks something else");
}

/* ---- the calls ---- */

int tls_shake(struct tls_session *s, dx_err *err)
{
    int r = check_first(s, err), alert;
    const uint8_t *came = s->in;
    size_t had, came_n = s->in_n;
    if (r < 0)
        return r;
    do { /* behind a piece of a message GnuTLS says "again" though the next one has come */
        had = s->in_n;
        r = gnutls_handshake(s->gnutls);
        s->barren += (uint32_t)(had - s->in_n);
        if (r < 0 && s->barren > BARREN_MAX)
            r = GNUTLS_E_HANDSHAKE_TOO_LARGE;
    } while (r == GNUTLS_E_INTERRUPTED || (r == GNUTLS_E_AGAIN && s->in_n < had && s->in_n > 0) ||
             (r == GNUTLS_E_WARNING_ALERT_RECEIVED && ++s->warnings < WARNINGS_MAX));
    if (r == GNUTLS_E_AGAIN && !s->no_memory)
        return 0;
    if (r == GNUTLS_E_DECRYPTION_FAILED && (alert = read_clear_alert(s, came, came_n)) >= 0)
        return fault_of_alert(s, (gnutls_alert_description_t)alert, err);
    if (r < 0 || s->no_memory)
        return failed(s, r, err);
    s->shaken = 1;
    s->barren = 0;
    /* Now, and not in the first flight as GnuTLS would: so that the client's Finished is acknowledged at once. One whose next
     * words wait for that (Nagle) would lose 40 ms to a delayed ACK. */
    if (s->server && gnutls_protocol_get_version(s->gnutls) == GNUTLS_TLS1_3)
        gnutls_session_ticket_send(s->gnutls, 1, 0);
    free(s->fault);
    free(s->host);
    s->fault = NULL;
    s->host = NULL;
    return 1;
}

/* true: it was only a word by the way. */
static bool is_harmless(struct tls_session *s, int64_t r)
{
    if (r == GNUTLS_E_REHANDSHAKE) { /* TLS 1.2: we do not, and say so (RFC 5746 4.4 allows it) */
        gnutls_alert_send(s->gnutls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
        return ++s->warnings < WARNINGS_MAX;
    }
    return r == GNUTLS_E_WARNING_ALERT_RECEIVED && ++s->warnings < WARNINGS_MAX;
}

int64_t tls_open(struct tls_session *s, uint8_t *to, dx_err *err)
{
    int64_t r;
    size_t had;
    if (s->in_n == 0 && gnutls_record_check_pending(s->gnutls) == 0)
        return s->no_memory ? err_set(err, DX_NOMEM, "TLS: no memory") : 0; /* GnuTLS would say the same, at length */
    do { /* behind a ticket or a new key GnuTLS says "again" though more has come */
        had = s->in_n;
        r = gnutls_record_recv(s->gnutls, to, TLS_OPEN_MAX);
        s->barren = r > 0 ? 0 : s->barren + (uint32_t)(had - s->in_n);
        if (s->barren > BARREN_MAX)
            r = GNUTLS_E_HANDSHAKE_TOO_LARGE;
    } while (r == GNUTLS_E_INTERRUPTED || (r == GNUTLS_E_AGAIN && s->in_n < had && s->in_n > 0) ||
             (r < 0 && is_harmless(s, r)));
    if (r > 0)
        return r;
    if (r == 0)
        return DX_END;
    return r == GNUTLS_E_AGAIN && !s->no_memory ? 0 : failed(s, (int)r, err);
}

int tls_seal(struct tls_session *s, const void *p, size_t n)
{
    ssize_t r = gnutls_record_send(s->gnutls, p, n);
    return s->no_memory || r == GNUTLS_E_MEMORY_ERROR ? DX_NOMEM : r == (ssize_t)n ? 0 : DX_TLS;
}

int tls_bye(struct tls_session *s)
{
    int r = gnutls_bye(s->gnutls, GNUTLS_SHUT_WR);
    return s->no_memory ? DX_NOMEM : r < 0 ? DX_TLS : 0;
}

/* ---- making one ---- */

static int set_protocols(gnutls_session_t g, const char *list, bool server)
{
    gnutls_datum_t v[ALPN_MAX];
    unsigned count = 0;
    for (const char *at = list; at && *at;) {
        at += strspn(at, ", ");
        size_t n = strcspn(at, ", ");
        if (n && count == ALPN_MAX)
            return GNUTLS_E_INVALID_REQUEST;
        if (n)
            v[count++] = (gnutls_datum_t){(uint8_t *)(uintptr_t)at, (unsigned)n};
        at += n;
    }
    unsigned flags = server ? GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE : 0;
    return count ? gnutls_alpn_set_protocols(g, v, count, flags) : 0;
}

static bool is_address(const char *host)
{
    struct addr a;
    return addr_literal((struct bytes){(const uint8_t *)host, strlen(host)}, 0, &a);
}

static int set_up(struct tls_session *s, const struct tls_ask *a)
{
    gnutls_session_t g = s->gnutls;
    int r = gnutls_priority_set(g, tls_priority());
    if (r >= 0)
        r = gnutls_credentials_set(g, GNUTLS_CRD_CERTIFICATE, s->creds->gnutls);
    if (r >= 0)
        r = set_protocols(g, a->protocols, a->server);
    if (r >= 0 && a->server)
        r = gnutls_session_ticket_enable_server(g, &s->creds->ticket_key);
    if (r >= 0 && s->host && !is_address(s->host))
        r = gnutls_server_name_set(g, GNUTLS_NAME_DNS, s->host, strlen(s->host));
    gnutls_session_set_ptr(g, s);
    gnutls_session_set_verify_function(g, verify);
    gnutls_transport_set_ptr(g, s);
    gnutls_transport_set_pull_function(g, pull);
    gnutls_transport_set_vec_push_function(g, push);
    if (a->server) {
        gnutls_handshake_set_post_client_hello_function(g, check_name);
        gnutls_certificate_server_set_request(g, s->tls->o.client_cert ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
    }
    return r;
}

struct tls_session *tls_session_new(dx_tls *t, const struct tls_ask *a, dx_err *err)
{
    unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_EXTENSIONS | GNUTLS_KEY_SHARE_TOP |
                     (a->server ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT | GNUTLS_NO_TICKETS);
    struct tls_creds *creds = tls_creds_now(t, !a->server, err);
    if (!creds)
        return NULL;
    if (a->server && !creds->leaf_n) {
        tls_creds_drop(creds);
        fault_set(err, DX_TLS_FILE, "a server needs a certificate");
        return NULL;
    }
    struct tls_session *s = calloc(1, sizeof *s);
    if (!s) {
        tls_creds_drop(creds);
        err_set(err, DX_NOMEM, "TLS: no memory");
        return NULL;
    }
    *s = (struct tls_session){.tls = dx_tls_ref(t), .creds = creds, .push = a->push, .arg = a->arg};
    s->server = a->server;
    s->host = a->host ? strdup(a->host) : NULL;
    int r = a->host && !s->host ? GNUTLS_E_MEMORY_ERROR : gnutls_init(&s->gnutls, flags);
    if (r >= 0)
        r = set_up(s, a);
    if (r >= 0)
        return s;
    tls_session_free(s);
    if (r == GNUTLS_E_MEMORY_ERROR)
        err_set(err, DX_NOMEM, "TLS: no memory");
    else /* what we were asked to say is nothing that TLS can: a host, a protocol */
        err_set(err, DX_URL, "TLS cannot begin: %s", fault_words(r));
    return NULL;
}

void tls_session_free(struct tls_session *s)
{
    if (!s)
        return;
    if (s->gnutls)
        gnutls_deinit(s->gnutls);
    tls_creds_drop(s->creds);
    dx_tls_drop(s->tls);
    free(s->host);
    free(s->fault);
    free(s);
}

/* ---- asking ---- */

const char *tls_alpn(const struct tls_session *s)
{
    static _Thread_local char text[256];
    gnutls_datum_t d = {0};
    if (gnutls_alpn_get_selected_protocol(s->gnutls, &d) < 0 || d.size >= sizeof text)
        d.size = 0;
    if (d.size)
        memcpy(text, d.data, d.size);
    text[d.size] = 0;
    return text;
}

static const char *or_nothing(const char *name)
{
    return name ? name : "";
}

/* Names of the peer's leaf, where it has shown one. */
static void tell_peer(struct tls_session *s, char *pin, char *subject, size_t subject_n)
{
    unsigned n = 0;
    gnutls_x509_crt_t crt;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->gnutls, &n);
    *pin = *subject = 0;
    if (!chain || !n)
        return;
    verify_pin(&chain[0], pin);
    if (gnutls_x509_crt_init(&crt) < 0)
        return;
    if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) < 0 ||
        gnutls_x509_crt_get_dn(crt, subject, &subject_n) < 0)
        *subject = 0;
    gnutls_x509_crt_deinit(crt);
}

void tls_tell(struct tls_session *s, dx_tls_info *ret)
{
    static _Thread_local char name[256], pin[VERIFY_PIN_ROOM], subject[512];
    gnutls_session_t g = s->gnutls;
    size_t n = sizeof name;
    unsigned type;
    if (!s->server || gnutls_server_name_get(g, name, &n, &type, 0) < 0)
        *name = 0;
    tell_peer(s, pin, subject, sizeof subject);
    gnutls_group_t group = gnutls_group_get(g);
    *ret = (dx_tls_info){.version = or_nothing(gnutls_protocol_get_name(gnutls_protocol_get_version(g))),
                         .cipher = or_nothing(gnutls_cipher_get_name(gnutls_cipher_get(g))),
                         .group = or_nothing(group ? gnutls_group_get_name(group) : NULL),
                         .alpn = tls_alpn(s),
                         .server_name = name,
                         .peer_pin = pin,
                         .peer_subject = subject,
                         .resumed = gnutls_session_is_resumed(g) != 0};
}

int tls_peer(struct tls_session *s, void (*fn)(void *arg, const dx_cert_info *i), void *arg)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->gnutls, &n);
    int r = 0, count = 0;
    for (unsigned i = 0; chain && i < n && r >= 0; i++) {
        gnutls_x509_crt_t crt;
        if (gnutls_x509_crt_init(&crt) < 0)
            return DX_NOMEM;
        if (gnutls_x509_crt_import(crt, &chain[i], GNUTLS_X509_FMT_DER) >= 0) {
            r = cert_tell(crt, fn, arg);
            count++;
        }
        gnutls_x509_crt_deinit(crt);
    }
    return r < 0 ? r : count;
}
