/* SPDX-License-Identifier: MIT
 * tls.c - dx_tls: options, the files read by them, and reading them anew. */
#include "crypto/tls.h"
#include "base/err.h"
#include "base/opts.h"
#include "crypto/cert.h"
#include "crypto/fault.h"
#include "crypto/session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined __aarch64__
#include <sys/auxv.h>
#endif

/* ---- what every session asks for ---- */

static gnutls_priority_t priority;

static bool cpu_has_aes(void)
{
#if defined __x86_64__ || defined __i386__
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined __aarch64__
    return getauxval(AT_HWCAP) & (1 << 3 /* HWCAP_AES */);
#else
    return false;
#endif
}

static void priority_make(void)
{
    static const char rest[] =
        ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-MAC-ALL:+AEAD:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-GROUP-ALL:+GROUP-X25519"
        ":+GROUP-SECP256R1:+GROUP-SECP384R1:%SERVER_PRECEDENCE:%PROFILE_MEDIUM";
    char text[400];
    snprintf(text, sizeof text, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:%s%s",
             cpu_has_aes() ? "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
                           : "+CHACHA20-POLY1305:+AES-128-GCM:+AES-256-GCM",
             rest);
    if (gnutls_priority_init(&priority, text, NULL) < 0)
        priority = NULL;
}

gnutls_priority_t tls_priority(void)
{
    static os_once once = OS_ONCE_INIT;
    os_once_do(&once, priority_make);
    return priority;
}

/* ---- creds: the files ---- */

void tls_creds_drop(struct tls_creds *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < c->leaf_n; i++) {
        gnutls_x509_crt_deinit(c->leaf[i]);
        if (c->alone[i])
            gnutls_certificate_free_credentials(c->alone[i]);
    }
    if (c->gnutls)
        gnutls_certificate_free_credentials(c->gnutls);
    if (c->ticket_key.data)
        gnutls_memset(c->ticket_key.data, 0, c->ticket_key.size);
    gnutls_free(c->ticket_key.data);
    free(c);
}

/* The next item of a ','-separated list into buf[n]; false: none is left, or it is too long (*list stays then). */
static bool next_item(const char **list, char *buf, size_t n)
{
    size_t k = *list ? strcspn(*list, ",") : 0;
    if (!*list || k == 0 || k >= n)
        return false;
    memcpy(buf, *list, k);
    buf[k] = 0;
    *list = (*list)[k] ? *list + k + 1 : NULL;
    return true;
}

static int keep_leaf(struct tls_creds *c, int index)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned n = 0;
    int r = gnutls_certificate_get_x509_crt(c->gnutls, (unsigned)index, &chain, &n);
    if (r < 0 || n == 0)
        return r < 0 ? r : GNUTLS_E_NO_CERTIFICATE_FOUND;
    c->leaf[c->leaf_n++] = chain[0];
    for (unsigned i = 1; i < n; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return 0;
}

static int pair_failed(int r, const char *cert, const char *key, dx_err *err)
{
    bool one = !strcmp(cert, key);
    if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return fault_set(err, DX_TLS_FILE, "the key in %s is not that of the certificate in %s", key, cert);
    if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return fault_set(err, DX_TLS_FILE, "no key in PEM in %s", key);
    if (r == GNUTLS_E_DECRYPTION_FAILED)
        return fault_set(err, DX_TLS_FILE, "%s: the key wants a password; one without is needed", key);
    return fault_of_file(err, r, "certificate %s%s%s", cert, one ? "" : ", key ", one ? "" : key);
}

/* The certificate by itself: GnuTLS does not say which file is wrong, and keeps memory of a certificate that does not read. */
static int check_cert(const char *cert, dx_err *err)
{
    struct cert_list list;
    dx_err mine;
    int r = cert_load(cert, &list, &mine);
    if (r == 0)
        cert_list_free(&list);
    if (r != DX_TLS)
        return 0;
    if (err)
        *err = mine;
    return r;
}

static int read_pair(struct tls_creds *c, const char *cert, const char *key, dx_err *err)
{
    if (c->leaf_n == TLS_CERTS_MAX)
        return err_set(err, DX_URL, "more than %d certificates", TLS_CERTS_MAX);
    int r = check_cert(cert, err);
    if (r < 0)
        return r;
    r = gnutls_certificate_set_x509_key_file2(c->gnutls, cert, key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (r >= 0)
        r = keep_leaf(c, r);
    return r < 0 ? pair_failed(r, cert, key, err) : 0;
}

static int read_ca(gnutls_certificate_credentials_t c, const char *ca, dx_err *err)
{
    int r = gnutls_certificate_set_x509_trust_file(c, ca, GNUTLS_X509_FMT_PEM);
    if (r == 0 || r == GNUTLS_E_BASE64_DECODING_ERROR)
        return fault_set(err, DX_TLS_FILE, "no certificate in PEM in %s", ca);
    if (r < 0)
        return fault_of_file(err, r, "CA %s", ca);
    gnutls_certificate_set_x509_crl_file(c, ca, GNUTLS_X509_FMT_PEM); /* mostly there is none in it */
    return 0;
}

/* The pair that was read last, by itself; with the same trust, for a server may ask for its clients' certificates. */
static int read_alone(struct tls_creds *c, const char *cert, const char *key, const char *ca, dx_err *err)
{
    gnutls_certificate_credentials_t *a = &c->alone[c->leaf_n - 1];
    int r = gnutls_certificate_allocate_credentials(a);
    if (r >= 0)
        r = gnutls_certificate_set_x509_key_file2(*a, cert, key, GNUTLS_X509_FMT_PEM, NULL, 0);
    return r < 0 ? pair_failed(r, cert, key, err) : ca ? read_ca(*a, ca, err) : 0;
}

static int read_pairs(struct tls_creds *c, const dx_tls_opts *o, dx_err *err)
{
    char cert[CERT_PATH_ROOM], key[CERT_PATH_ROOM];
    const char *certs = o->cert, *keys = o->key;
    int r = 0;
    if (!strcmp(certs, "auto")) {
        r = dx_cert_auto(o->names, cert, key, sizeof cert, err);
        return r < 0 ? r : read_pair(c, cert, key, err);
    }
    while (r == 0 && next_item(&certs, cert, sizeof cert)) {
        if (o->key && !next_item(&keys, key, sizeof key))
            return err_set(err, DX_URL, "more certificates than keys: which one is for %s?", cert);
        r = read_pair(c, cert, o->key ? key : cert, err);
        if (r == 0 && strchr(o->cert, ','))
            r = read_alone(c, cert, o->key ? key : cert, o->ca, err);
    }
    if (r == 0 && (certs || keys))
        return err_set(err, DX_URL,
                       certs ? "a certificate's path is empty or too long" : "more keys than certificates");
    return r;
}

static struct tls_creds *creds_read(const dx_tls_opts *o, dx_err *err)
{
    struct tls_creds *c = calloc(1, sizeof *c);
    if (!c || gnutls_certificate_allocate_credentials(&c->gnutls) < 0) {
        free(c);
        err_set(err, DX_NOMEM, "certificates: no memory");
        return NULL;
    }
    c->refs = 1;
    gnutls_certificate_set_flags(c->gnutls, GNUTLS_CERTIFICATE_API_V2); /* else each pair is said to be the first */
    int r =
        gnutls_session_ticket_key_generate(&c->ticket_key) < 0 ? err_set(err, DX_NOMEM, "certificates: no memory") : 0;
    if (r == 0 && o->cert)
        r = read_pairs(c, o, err);
    if (r == 0 && o->ca)
        r = read_ca(c->gnutls, o->ca, err);
    c->trusts = o->ca || o->pins || o->insecure;
    if (r == 0)
        return c;
    tls_creds_drop(c);
    return NULL;
}

/* Reading the system's store takes a while: not before somebody is to be believed because of it. */
static int trust_system(struct tls_creds *c, dx_err *err)
{
    if (c->trusts)
        return 0;
    int r = gnutls_certificate_set_x509_system_trust(c->gnutls);
    if (r <= 0)
        return fault_of_no_store(err);
    c->trusts = true;
    return 0;
}

struct tls_creds *tls_creds_now(dx_tls *t, bool trust, dx_err *err)
{
    os_lock_take(&t->lock);
    struct tls_creds *c = t->creds;
    if (trust && trust_system(c, err) < 0)
        c = NULL;
    else
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    os_lock_give(&t->lock);
    return c;
}

/* ---- the public calls ---- */

static int keep_options(dx_tls *t, const dx_tls_opts *o)
{
    t->o = *o;
    const char **const strings[] = {&t->o.cert, &t->o.key, &t->o.ca, &t->o.pins, &t->o.names};
    return opts_keep(strings, sizeof strings / sizeof *strings, &t->strings);
}

static int contradicts(const dx_tls_opts *o, dx_err *err)
{
    if (o->key && !o->cert)
        return err_set(err, DX_URL, "a key without a certificate");
    if (o->insecure && (o->pins || o->ca))
        return err_set(err, DX_URL, "to believe anybody, and to believe only some: one of them");
    if (o->client_cert && !o->ca && !o->pins)
        return err_set(err, DX_URL, "whose client certificates? Name their CA, or pins");
    return 0;
}

static void tls_free(dx_tls *t)
{
    tls_creds_drop(t->creds);
    os_lock_free(&t->lock);
    free(t->strings);
    free(t);
}

dx_tls *dx_tls_new_sized(const dx_tls_opts *o, size_t o_bytes, dx_err *err)
{
    dx_tls_opts mine;
    if (opts_read(o, o_bytes, &mine, sizeof mine, err) < 0 || contradicts(&mine, err) < 0)
        return NULL;
    dx_tls *t = calloc(1, sizeof *t);
    if (!t) {
        err_set(err, DX_NOMEM, "certificates: no memory");
        return NULL;
    }
    t->refs = 1;
    os_lock_init(&t->lock);
    if (keep_options(t, &mine) < 0 || !tls_priority())
        err_set(err, DX_NOMEM, "certificates: no memory");
    else if (verify_pins_parse(mine.pins, &t->pins, err) == 0 && (t->creds = creds_read(&t->o, err)))
        return t;
    tls_free(t);
    return NULL;
}

dx_tls *dx_tls_ref(dx_tls *t)
{
    if (t)
        atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void dx_tls_drop(dx_tls *t)
{
    if (t && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
        tls_free(t);
}

int dx_tls_reload(dx_tls *t, dx_err *err)
{
    dx_err mine;
    struct tls_creds *now = creds_read(&t->o, &mine);
    if (!now) {
        if (err)
            *err = mine;
        return mine.code;
    }
    os_lock_take(&t->lock);
    struct tls_creds *old = t->creds;
    t->creds = now;
    os_lock_give(&t->lock);
    tls_creds_drop(old);
    return 0;
}

const char *dx_tls_pin(const dx_tls *t)
{
    static _Thread_local char text[VERIFY_PIN_ROOM];
    struct tls_creds *c = tls_creds_now((dx_tls *)(uintptr_t)t, false, NULL);
    gnutls_datum_t der = {0};
    text[0] = 0;
    if (c->leaf_n && gnutls_x509_crt_export2(c->leaf[0], GNUTLS_X509_FMT_DER, &der) >= 0)
        verify_pin(&der, text);
    gnutls_free(der.data);
    tls_creds_drop(c);
    return text;
}

static dx_tls *system_tls;
static dx_err system_err;

static void system_make(void)
{
    system_tls = dx_tls_new(NULL, &system_err);
}

dx_tls *tls_of_system(dx_err *err)
{
    static os_once once = OS_ONCE_INIT;
    os_once_do(&once, system_make);
    if (!system_tls && err)
        *err = system_err;
    return dx_tls_ref(system_tls);
}
