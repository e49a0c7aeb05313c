/* SPDX-License-Identifier: MIT
 * cert_make.c - dx_cert_make: a certificate and its key as two files, both or none, and never over one that is there. */
#include "base/err.h"
#include "base/opts.h"
#include "crypto/cert.h"
#include "crypto/fault.h"
#include "os/fd.h"
#include <errno.h>

struct making {
    dx_cert_opts o;
    struct names *names;
    struct cert_signer signer;
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

static int check_opts(const dx_cert_opts *o, const char *key_path, dx_err *err)
{
    if (o->days < 0 || o->days > CERT_DAYS_MAX)
        return err_set(err, DX_URL, "a certificate for %d days: 1 to %d are possible", o->days, CERT_DAYS_MAX);
    if (!o->ca_cert != !o->ca_key)
        return err_set(err, DX_URL, "a CA that signs is its certificate and its key: the %s is missing",
                       o->ca_key ? "certificate" : "key");
    if (o->ca && (o->ca_cert || o->client))
        return err_set(err, DX_URL, "a CA signs itself, and is neither a server's nor a client's");
    if (!o->key && !key_path)
        return err_set(err, DX_URL, "a path for the new key is missing");
    return 0;
}

static int gather_names(struct making *m, dx_err *err)
{
    m->names = names_new(err);
    if (!m->names)
        return DX_NOMEM;
    if (!m->o.names)
        names_add_host(m->names);
    int r = names_add_list(m->names, m->o.names, err);
    return r < 0 ? r : m->names->n ? 0 : err_set(err, DX_URL, "a certificate needs a name");
}

static int gather_signer(struct making *m, dx_err *err)
{
    if (!m->o.ca_cert)
        return 0;
    int r = cert_signer_load(&m->signer, m->o.ca_cert, m->o.ca_key, false, err);
    if (r < 0)
        return r;
    if (!cert_in_date(m->signer.chain.crt[0])) {
        char day[FAULT_DAY_ROOM];
        fault_day(gnutls_x509_crt_get_expiration_time(m->signer.chain.crt[0]), day);
        return fault_set(err, DX_TLS_FILE, "%s: this CA is out of its dates (they end on %s)", m->o.ca_cert, day);
    }
    const char *lacks = cert_signer_lacks(&m->signer, m->names);
    return lacks ? fault_set(err, DX_TLS_FILE, "%s: this CA may not sign for %s", m->o.ca_cert, lacks) : 0;
}

/* The key first: a certificate without its key is of no use to anybody who sees it. */
static int save(const struct making *m, const char *cert_path, const char *key_path, dx_err *err)
{
    int r = m->o.key ? 0 : cert_key_save(key_path, m->key, err);
    if (r < 0)
        return r;
    r = cert_save(cert_path, m->crt, false, err);
    if (r < 0 && !m->o.key)
        os_unlink(key_path); /* ours: it was not there before */
    return r;
}

static int make(struct making *m, const char *cert_path, const char *key_path, dx_err *err)
{
    int r = check_opts(&m->o, key_path, err);
    if (r >= 0)
        r = gather_names(m, err);
    if (r >= 0)
        r = gather_signer(m, err);
    if (r >= 0 && os_exists(cert_path)) /* before a key is made for it */
        r = cert_sys(err, EEXIST, "write", cert_path);
    if (r >= 0)
        r = m->o.key ? cert_key_load(m->o.key, false, &m->key, err) : cert_key_new(&m->key, err);
    if (r < 0)
        return r;
    struct cert_wish w = {.names = m->names,
                          .key = m->key,
                          .signer = m->o.ca_cert ? &m->signer : NULL,
                          .days = m->o.days ? m->o.days
                                  : m->o.ca ? CERT_CA_DAYS
                                            : CERT_DAYS,
                          .ca = m->o.ca,
                          .client = m->o.client};
    r = cert_new(&w, &m->crt, err);
    return r < 0 ? r : save(m, cert_path, key_path, err);
}

int dx_cert_make_sized(const char *cert_path, const char *key_path, const dx_cert_opts *o, size_t o_bytes, dx_err *err)
{
    struct making m = {0};
    int r = opts_read(o, o_bytes, &m.o, sizeof m.o, err);
    if (r >= 0)
        r = make(&m, cert_path, key_path, err);
    gnutls_x509_crt_deinit(m.crt);
    gnutls_x509_privkey_deinit(m.key);
    cert_signer_free(&m.signer);
    names_free(m.names);
    return r;
}
