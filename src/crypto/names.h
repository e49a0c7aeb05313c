/* SPDX-License-Identifier: MIT
 * names.h - the names a certificate is for: DNS names and addresses. */
#ifndef CRYPTO_NAMES_H
#define CRYPTO_NAMES_H
#include <gnutls/x509.h>
#include <stdbool.h>

enum { NAME_ROOM = 256 }; /* the longest DNS name has 253 characters */

/* The i-th name of crt, "a.example", "10.0.0.1", "::1"; "" for a kind that no host has (mail, URI), or too long a one.
 * false: there are no more. */
bool name_of_crt(gnutls_x509_crt_t crt, unsigned i, char text[NAME_ROOM]);
#endif
