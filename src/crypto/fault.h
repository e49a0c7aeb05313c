/* SPDX-License-Identifier: MIT
 * fault.h - GnuTLS's numbers and certificates in the words of this house: a dx_err with DX_OF_TLS. */
#ifndef CRYPTO_FAULT_H
#define CRYPTO_FAULT_H
#include <duplex/tls.h>

/* Fills *err (may be NULL) with DX_TLS, detail (an alert, or enum dx_tls_fault) and the words; returns DX_TLS. */
int fault_set(dx_err *err, int detail, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* For what GnuTLS says of a file or of making something: "fmt: GnuTLS's words"; DX_NOMEM for want of memory, DX_SYS (errno) for a
 * file that cannot be opened, else DX_TLS with DX_TLS_FILE. */
int fault_of_file(dx_err *err, int gnutls_code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* GnuTLS's words without the full stop that some have: ours go on behind them. Good until this thread asks again. */
const char *fault_words(int gnutls_code);
int fault_of_no_store(dx_err *err); /* the system's store holds nobody to trust */
enum { FAULT_DAY_ROOM = 11 };
/* "2026-01-02": a day in UTC. */
const char *fault_day(int64_t seconds, char text[FAULT_DAY_ROOM]);
#endif
