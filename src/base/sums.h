/* SPDX-License-Identifier: MIT
 * sums.h - what a checksum of <duplex/text.h> is made of: a row of sums.c and three functions. */
#ifndef BASE_SUMS_H
#define BASE_SUMS_H
#include <duplex/text.h>

enum { CRC_KINDS = 112, SUM_KINDS = CRC_KINDS + 8 }; /* the CRCs come first */

struct sum_kind {
    dx_sum_info info; /* first: a dx_sum's info is its kind */
    void (*begin)(dx_sum *s);
    void (*add)(dx_sum *s, const uint8_t *p, size_t n);
    uint64_t (*value)(const dx_sum *s);
};
extern const struct sum_kind sum_kinds[SUM_KINDS + 1]; /* ends with a NULL name */

/* crc.c */
void crc_begin(dx_sum *s);
void crc_add(dx_sum *s, const uint8_t *p, size_t n);
uint64_t crc_value(const dx_sum *s);

/* checksum.c */
void sum_begin(dx_sum *s);
void adler_begin(dx_sum *s);
void sum_add(dx_sum *s, const uint8_t *p, size_t n);
void xor_add(dx_sum *s, const uint8_t *p, size_t n);
void fletcher16_add(dx_sum *s, const uint8_t *p, size_t n);
void fletcher32_add(dx_sum *s, const uint8_t *p, size_t n);
void adler_add(dx_sum *s, const uint8_t *p, size_t n);
void internet_add(dx_sum *s, const uint8_t *p, size_t n);
uint64_t sum_value(const dx_sum *s);
uint64_t negative_value(const dx_sum *s);
uint64_t pair8_value(const dx_sum *s);
uint64_t pair16_value(const dx_sum *s);
uint64_t fletcher32_value(const dx_sum *s);
uint64_t internet_value(const dx_sum *s);
#endif
