/* SPDX-License-Identifier: MIT
 * verify.h - what is wrong with a certificate, in words a person can act on; and pins. Certificates are DER here. */
#ifndef CRYPTO_VERIFY_H
#define CRYPTO_VERIFY_H
#include <duplex/tls.h>
#include <gnutls/x509.h>

/* How strict a verdict is asked: 112 bits, so RSA from 2048 on, and no SHA-1. For gnutls_certificate_set_verify_flags and the
 * flags of a trust list. */
enum { VERIFY_FLAGS = GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM) };

/* Turns GnuTLS's verdict (gnutls_certificate_status_t bits) on a chain, leaf first, into the fault and its words: revoked
 * before dates, dates before weakness, usage, host and last the issuer, for that one a pin or a CA mends, and the others
 * they hide. host NULL: it was not asked. Returns 0 where status is 0, else DX_TLS. Without memory the words say less. */
int verify_words(dx_err *err, unsigned status, const gnutls_datum_t *chain_der, unsigned chain_n, const char *host);

enum { VERIFY_PIN_ROOM = 64, VERIFY_FINGERPRINT_ROOM = 80 };
/* "sha256:<base64 of the SHA-256 of SubjectPublicKeyInfo>"; "": no certificate. */
void verify_pin(const gnutls_datum_t *der, char text[VERIFY_PIN_ROOM]);
/* "sha256:<hex of the SHA-256 of all of it>" */
void verify_fingerprint(const gnutls_datum_t *der, char text[VERIFY_FINGERPRINT_ROOM]);

enum { VERIFY_PINS_MAX = 16, VERIFY_HASH_BYTES = 32 };
struct verify_pins {
    struct {
        bool whole; /* the hash of the whole certificate, not of its key */
        uint8_t hash[VERIFY_HASH_BYTES];
    } pin[VERIFY_PINS_MAX];
    int count;
};
/* Reads "PIN,PIN...", each as TRUST in tls.h has it, or curl's "sha256//BASE64". NULL and "" are no pins. 0, or DX_URL with
 * words that show the one that does not read. */
int verify_pins_parse(const char *text, struct verify_pins *ret, dx_err *err);
bool verify_pins_match(const struct verify_pins *p, const gnutls_datum_t *der);
#endif
