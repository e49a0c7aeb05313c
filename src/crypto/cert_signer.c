/* SPDX-License-Identifier: MIT
 * cert_signer.c - a CA and what it may sign for. */
#include "crypto/cert.h"
#include "crypto/fault.h"
#include <string.h>
#include <time.h>

static int check_signer(const struct cert_signer *s, const char *cert_path, const char *key_path, dx_err *err)
{
    unsigned ca = 0;
    if (gnutls_x509_crt_get_basic_constraints(s->chain.crt[0], NULL, &ca, NULL) < 0 || !ca)
        return fault_set(err, DX_TLS_FILE, "%s is no CA's certificate", cert_path);
    if (!cert_is_of(s->chain.crt[0], s->key))
        return fault_set(err, DX_TLS_FILE, "%s is not the key of %s", key_path, cert_path);
    return 0;
}

int cert_signer_load(struct cert_signer *s, const char *cert_path, const char *key_path, bool private, dx_err *err)
{
    *s = (struct cert_signer){0};
    int r = cert_load(cert_path, &s->chain, err);
    if (r >= 0)
        r = cert_key_load(key_path, private, &s->key, err);
    if (r >= 0)
        r = check_signer(s, cert_path, key_path, err);
    if (r < 0)
        cert_signer_free(s);
    return r;
}

void cert_signer_free(struct cert_signer *s)
{
    cert_list_free(&s->chain);
    gnutls_x509_privkey_deinit(s->key);
    *s = (struct cert_signer){0};
}

bool cert_in_date(gnutls_x509_crt_t crt)
{
    time_t now = time(NULL);
    return gnutls_x509_crt_get_activation_time(crt) <= now && gnutls_x509_crt_get_expiration_time(crt) > now;
}

static bool permitted(gnutls_x509_name_constraints_t nc, const char *name)
{
    char copy[NAME_ROOM];
    size_t n = name_address(name, (uint8_t *)copy);
    bool address = n > 0;
    if (!address) {
        n = strlen(name);
        memcpy(copy, name, n + 1);
    }
    return gnutls_x509_name_constraints_check(nc, address ? GNUTLS_SAN_IPADDRESS : GNUTLS_SAN_DNSNAME,
                                              &(gnutls_datum_t){(unsigned char *)copy, (unsigned)n});
}

const char *cert_signer_lacks(const struct cert_signer *s, const struct names *names)
{
    gnutls_x509_name_constraints_t nc;
    const char *lacks = NULL;
    if (gnutls_x509_name_constraints_init(&nc) < 0)
        return names->name[0]; /* no memory: rather too little than too much */
    int r = gnutls_x509_crt_get_name_constraints(s->chain.crt[0], nc, 0, NULL);
    if (r < 0 && r != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        lacks = names->name[0];
    for (int i = 0; r >= 0 && i < names->n && !lacks; i++)
        if (!permitted(nc, names->name[i]))
            lacks = names->name[i];
    gnutls_x509_name_constraints_deinit(nc);
    return lacks;
}
