/* SPDX-License-Identifier: MIT
 * names.h - the names that certificates are for: DNS names and addresses, in one form each. */
#ifndef CRYPTO_NAMES_H
#define CRYPTO_NAMES_H
#include "base/url.h"
#include <gnutls/x509.h>

enum { NAME_ROOM = 256, NAMES_MAX = 200 }; /* the longest DNS name has 253 characters */
struct names {
    char name[NAMES_MAX][NAME_ROOM]; /* "a.example", "*.a.example", "10.0.0.1", "::1"; each once */
    int n;
};

struct names *names_new(dx_err *err); /* NULL: DX_NOMEM */
void names_free(struct names *s);
/* Adds one: letters, digits, '-' and '_' between dots, "*." may stand before; lower case. Or an address, which gets its usual form.
 * 0, or DX_URL with words that show it (or say that there are too many). */
int names_add(struct names *s, struct bytes name, dx_err *err);
/* "a.example,10.0.0.1"; NULL is none. 0, or DX_URL. */
int names_add_list(struct names *s, const char *list, dx_err *err);
/* This host's own: NAME, NAME.local, localhost, 127.0.0.1, ::1 and the addresses of its interfaces, as far as there is room. */
void names_add_host(struct names *s);
/* Does crt have each of them? An address or a name that a wildcard of crt covers is not looked for: they are compared as they stand. */
bool names_all_in(const struct names *s, gnutls_x509_crt_t crt);

/* An address's bytes (4 or 16) into raw; 0: it is a DNS name. */
size_t name_address(const char *name, uint8_t raw[16]);
/* The i-th name of crt, "a.example", "10.0.0.1", "::1"; "" for a kind that no host has (mail, URI), or too long a one.
 * false: there are no more. */
bool name_of_crt(gnutls_x509_crt_t crt, unsigned i, char text[NAME_ROOM]);
#endif
