/* SPDX-License-Identifier: MIT
 * pin.c - a certificate's key, or all of it, as a hash that people copy. No system calls, no allocation. */
#include "crypto/verify.h"
#include "base/err.h"
#include "base/url.h"
#include <assert.h>
#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

enum { BASE64_CHARS = 44, PIN_SHOWN_MAX = 100, TAG_VERSION = 0xA0, TAG_SEQUENCE = 0x30 };
static_assert(VERIFY_HASH_BYTES == SHA256_DIGEST_SIZE, "a pin is a SHA-256");

static void hash_of(const uint8_t *p, size_t n, uint8_t ret[VERIFY_HASH_BYTES])
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, n, p);
    sha256_digest(&ctx, VERIFY_HASH_BYTES, ret);
}

/* Takes one DER element (X.690 8.1) off the front of *in: *ret_all is the whole of it, *ret_inside its contents. Lengths of more
 * than 4 bytes are not certificates. */
static bool der_take(struct bytes *in, struct bytes *ret_all, struct bytes *ret_inside)
{
    size_t head = 2, n;
    if (in->n < 2)
        return false;
    n = in->p[1];
    if (n > 0x80) {
        size_t more = n - 0x80;
        if (more > 4 || in->n < 2 + more)
            return false;
        n = 0;
        for (size_t i = 0; i < more; i++)
            n = n << 8 | in->p[2 + i];
        head += more;
    } else if (n == 0x80) {
        return false;
    }
    if (n > in->n - head)
        return false;
    *ret_all = (struct bytes){in->p, head + n};
    *ret_inside = (struct bytes){in->p + head, n};
    in->p += head + n;
    in->n -= head + n;
    return true;
}

/* The key as it stands in the certificate, byte for byte (RFC 5280 4.1): what GnuTLS would encode anew may differ. */
static bool key_of(const gnutls_datum_t *der, struct bytes *ret)
{
    struct bytes all, in, rest = {der->data, der->size};
    if (!der_take(&rest, &all, &in)) /* Certificate */
        return false;
    rest = in;
    if (!der_take(&rest, &all, &in)) /* TBSCertificate */
        return false;
    rest = in;
    /* serialNumber, signature, issuer, validity, subject; a version may stand before them. */
    int before = in.n > 0 && in.p[0] == TAG_VERSION ? 6 : 5;
    for (int i = 0; i < before; i++)
        if (!der_take(&rest, &all, &in))
            return false;
    return der_take(&rest, ret, &in) && ret->p[0] == TAG_SEQUENCE;
}

void verify_pin(const gnutls_datum_t *der, char text[VERIFY_PIN_ROOM])
{
    uint8_t hash[VERIFY_HASH_BYTES];
    struct bytes key;
    text[0] = '\0';
    if (!key_of(der, &key))
        return;
    hash_of(key.p, key.n, hash);
    memcpy(text, "sha256:", 7);
    base64_encode_raw(text + 7, sizeof hash, hash);
    text[7 + BASE64_CHARS] = '\0';
}

void verify_fingerprint(const gnutls_datum_t *der, char text[VERIFY_FINGERPRINT_ROOM])
{
    uint8_t hash[VERIFY_HASH_BYTES];
    hash_of(der->data, der->size, hash);
    memcpy(text, "sha256:", 8);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(text + 7 + 2 * i, 3, "%02x", hash[i]);
}

static bool read_base64(struct bytes s, uint8_t ret[VERIFY_HASH_BYTES])
{
    struct base64_decode_ctx ctx;
    uint8_t got[BASE64_DECODE_LENGTH(BASE64_CHARS)];
    size_t n = sizeof got;
    if (s.n != BASE64_CHARS || s.p[s.n - 1] != '=')
        return false;
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &n, got, s.n, (const char *)s.p) || !base64_decode_final(&ctx) ||
        n != VERIFY_HASH_BYTES)
        return false;
    memcpy(ret, got, VERIFY_HASH_BYTES);
    return true;
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Pairs, with a colon or nothing between them. */
static bool read_hex(struct bytes s, uint8_t ret[VERIFY_HASH_BYTES])
{
    uint8_t got[VERIFY_HASH_BYTES];
    size_t n = 0, i = 0;
    while (i < s.n) {
        int hi = nibble(s.p[i]), lo = i + 1 < s.n ? nibble(s.p[i + 1]) : -1;
        if (hi < 0 || lo < 0 || n == sizeof got)
            return false;
        got[n++] = (uint8_t)(hi << 4 | lo);
        i += 2;
        if (i + 1 < s.n && s.p[i] == ':')
            i++;
    }
    if (n != sizeof got)
        return false;
    memcpy(ret, got, sizeof got);
    return true;
}

static bool begins(struct bytes s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && !memcmp(s.p, with, n);
}

static bool read_pin(struct bytes s, struct verify_pins *p)
{
    bool curl = begins(s, "sha256//");
    uint8_t *hash = p->pin[p->count].hash;
    if (!curl && !begins(s, "sha256:"))
        return false;
    s.p += curl ? 8 : 7;
    s.n -= curl ? 8 : 7;
    p->pin[p->count].whole = !read_base64(s, hash);
    if (p->pin[p->count].whole && (curl || !read_hex(s, hash)))
        return false;
    p->count++;
    return true;
}

int verify_pins_parse(const char *text, struct verify_pins *ret, dx_err *err)
{
    struct verify_pins p = {.count = 0};
    const char *at = text ? text : "";
    while (*at) {
        size_t n = strcspn(at, ",");
        if (p.count == VERIFY_PINS_MAX)
            return err_set(err, DX_URL, "pins: more than %d", VERIFY_PINS_MAX);
        if (!read_pin((struct bytes){(const uint8_t *)at, n}, &p))
            return err_set(err, DX_URL,
                           "pin '%.*s' is neither sha256: and 44 characters of base64 nor sha256: and 64 of hex",
                           (int)(n < PIN_SHOWN_MAX ? n : PIN_SHOWN_MAX), at);
        at += n;
        if (*at == ',' && !*++at)
            return err_set(err, DX_URL, "pins: nothing after the last ','");
    }
    *ret = p;
    return 0;
}

bool verify_pins_match(const struct verify_pins *p, const gnutls_datum_t *der)
{
    uint8_t whole[VERIFY_HASH_BYTES], key_hash[VERIFY_HASH_BYTES];
    struct bytes key;
    bool has_key = key_of(der, &key);
    hash_of(der->data, der->size, whole);
    if (has_key)
        hash_of(key.p, key.n, key_hash);
    for (int i = 0; i < p->count; i++) {
        if (!p->pin[i].whole && !has_key)
            continue;
        if (!memcmp(p->pin[i].hash, p->pin[i].whole ? whole : key_hash, VERIFY_HASH_BYTES))
            return true;
    }
    return false;
}
