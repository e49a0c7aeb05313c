/* SPDX-License-Identifier: MIT
 * cert_auto.c - this host's own leaf: one folder, one key that stays, and a certificate that follows the host's names. Several
 * processes may be at it at once: the key is what the first of them has put there, and a leaf is replaced whole. */
#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/fault.h"
#include "os/fd.h"
#include "os/host.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FOLDER_MODE = 0700 };

struct leaf {
    char cert_path[CERT_PATH_ROOM], key_path[CERT_PATH_ROOM];
    struct names *names;
    gnutls_x509_privkey_t key;
    struct cert_signer signer;
    bool signs; /* the CA beside it: is there, in date, and may sign for all names */
    struct cert_list old;
};

static int put_path(char *ret, size_t room, const char *folder, const char *name, dx_err *err)
{
    return (size_t)snprintf(ret, room, "%s/%s", folder, name) < room
               ? 0
               : err_sys(err, DX_SYS, ENAMETOOLONG, "path %.100s/%s", folder, name);
}

int dx_cert_folder(char *path, size_t path_n, dx_err *err)
{
    char home[CERT_PATH_ROOM];
    const char *state = getenv("XDG_STATE_HOME");
    if (state && *state == '/') /* by its specification another is not to be looked at */
        return put_path(path, path_n, state, "duplex", err);
    int error = os_home(home, sizeof home);
    if (error)
        return err_sys(err, DX_SYS, error, "find a folder for certificates: there is no home");
    return put_path(path, path_n, home, ".local/state/duplex", err);
}

/* ---- what is there ---- */

static int load_signer(struct leaf *l, const char *folder, dx_err *err)
{
    char cert[CERT_PATH_ROOM], key[CERT_PATH_ROOM];
    int r = put_path(cert, sizeof cert, folder, "ca.pem", err);
    if (r >= 0)
        r = put_path(key, sizeof key, folder, "ca.key", err);
    if (r < 0)
        return r;
    if (!os_exists(cert) || !os_exists(key))
        return 0;
    r = cert_signer_load(&l->signer, cert, key, true, err);
    if (r < 0)
        return r;
    l->signs = cert_in_date(l->signer.chain.crt[0]) && !cert_signer_lacks(&l->signer, l->names);
    return 0;
}

static int load_or_make_key(struct leaf *l, dx_err *err)
{
    for (;;) {
        dx_err why = {0};
        int r = cert_key_load(l->key_path, true, &l->key, &why);
        if (r >= 0)
            return r;
        if (r != DX_SYS || why.detail != ENOENT) {
            if (err)
                *err = why;
            return r;
        }
        gnutls_x509_privkey_t key;
        r = cert_key_new(&key, err);
        if (r < 0)
            return r;
        r = cert_key_save(l->key_path, key, &why);
        gnutls_x509_privkey_deinit(key);
        /* EEXIST: another process was first, and its key is the one. */
        if (r < 0 && !(r == DX_SYS && why.detail == EEXIST)) {
            if (err)
                *err = why;
            return r;
        }
    }
}

/* ---- is it still good? ---- */

static bool is_signed_as_wanted(const struct leaf *l)
{
    gnutls_x509_crt_t crt = l->old.crt[0];
    if (!l->signs)
        return true; /* by a CA that is away, or by itself: good until it is due */
    gnutls_x509_crt_t ca = l->signer.chain.crt[0];
    unsigned status = 0;
    return gnutls_x509_crt_check_issuer(crt, ca) && gnutls_x509_crt_verify(crt, &ca, 1, 0, &status) >= 0 &&
           !(status & (GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_FOUND));
}

/* A CA near its own end can give no longer life than it has: asking for more would make a new leaf every time. */
static bool ends_soon(const struct leaf *l)
{
    time_t until = gnutls_x509_crt_get_expiration_time(l->old.crt[0]), now = time(NULL);
    if (l->signs && until > now && until == gnutls_x509_crt_get_expiration_time(l->signer.chain.crt[0]))
        return false;
    return until < now + (time_t)CERT_RENEW_DAYS * CERT_DAY_S;
}

static bool is_good(struct leaf *l)
{
    /* Whatever is wrong with the file, a new one mends it. */
    if (cert_load(l->cert_path, &l->old, NULL) < 0)
        return false;
    gnutls_x509_crt_t crt = l->old.crt[0];
    return cert_is_of(crt, l->key) && cert_in_date(crt) && !ends_soon(l) && names_all_in(l->names, crt) &&
           is_signed_as_wanted(l);
}

/* ---- together ---- */

static int renew(const struct leaf *l, dx_err *err)
{
    gnutls_x509_crt_t crt;
    struct cert_wish w = {.names = l->names, .key = l->key, .signer = l->signs ? &l->signer : NULL, .days = CERT_DAYS};
    int r = cert_new(&w, &crt, err);
    if (r < 0)
        return r;
    r = cert_save(l->cert_path, crt, true, err);
    gnutls_x509_crt_deinit(crt);
    return r;
}

static int open_leaf(struct leaf *l, const char *names, dx_err *err)
{
    char folder[CERT_PATH_ROOM];
    int r = dx_cert_folder(folder, sizeof folder, err);
    if (r < 0)
        return r;
    l->names = names_new(err);
    if (!l->names)
        return DX_NOMEM;
    names_add_host(l->names);
    r = names_add_list(l->names, names, err);
    if (r >= 0)
        r = put_path(l->cert_path, sizeof l->cert_path, folder, "leaf.pem", err);
    if (r >= 0)
        r = put_path(l->key_path, sizeof l->key_path, folder, "leaf.key", err);
    if (r < 0)
        return r;
    int error = os_make_folders(folder, FOLDER_MODE);
    if (error)
        return cert_sys(err, error, "make the folder", folder);
    r = load_signer(l, folder, err);
    if (r >= 0)
        r = load_or_make_key(l, err);
    return r < 0 || is_good(l) ? r : renew(l, err);
}

int dx_cert_auto(const char *names, char *cert_path, char *key_path, size_t path_n, dx_err *err)
{
    struct leaf l = {.signs = false};
    int r = open_leaf(&l, names, err);
    if (r >= 0 && (strlen(l.cert_path) >= path_n || strlen(l.key_path) >= path_n))
        r = err_sys(err, DX_SYS, ENAMETOOLONG, "path %.100s", l.cert_path);
    if (r >= 0) {
        memcpy(cert_path, l.cert_path, strlen(l.cert_path) + 1);
        memcpy(key_path, l.key_path, strlen(l.key_path) + 1);
    }
    cert_list_free(&l.old);
    cert_signer_free(&l.signer);
    gnutls_x509_privkey_deinit(l.key);
    names_free(l.names);
    return r < 0 ? r : 0;
}
