/* SPDX-License-Identifier: MIT
 * checksum.c - checksums by their names, whole or in steps; and the plain sums, whose state is one number, or two in
 * its halves. */
#include "sums.h"
#include <string.h>
#include <strings.h>

/* ---- plain sums ---- */

void sum_begin(dx_sum *s)
{
    s->state = 0;
}

void sum_add(dx_sum *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->state += p[i];
}

void xor_add(dx_sum *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->state ^= p[i];
}

uint64_t sum_value(const dx_sum *s)
{
    return s->state;
}

uint64_t negative_value(const dx_sum *s)
{
    return 0 - s->state;
}

/* A sum and the sum of sums, each below modulus; so few bytes a round that neither overflows. */
static void pair_add(dx_sum *s, uint32_t modulus, const uint8_t *p, size_t n)
{
    enum { ROUND = 5000 };
    uint32_t a = (uint32_t)s->state, b = (uint32_t)(s->state >> 32);
    while (n) {
        size_t k = n < ROUND ? n : ROUND;
        for (size_t i = 0; i < k; i++) {
            a += p[i];
            b += a;
        }
        a %= modulus;
        b %= modulus;
        p += k;
        n -= k;
    }
    s->state = (uint64_t)b << 32 | a;
}

static uint64_t pair_value(uint64_t state, int bits)
{
    return state >> 32 << bits | (uint32_t)state;
}

void adler_begin(dx_sum *s)
{
    s->state = 1;
}

void adler_add(dx_sum *s, const uint8_t *p, size_t n)
{
    pair_add(s, 65521, p, n);
}

void fletcher16_add(dx_sum *s, const uint8_t *p, size_t n)
{
    pair_add(s, 255, p, n);
}

uint64_t pair8_value(const dx_sum *s)
{
    return pair_value(s->state, 8);
}

uint64_t pair16_value(const dx_sum *s)
{
    return pair_value(s->state, 16);
}

/* Words of 16 bits, low byte first; the second half of one that has no second byte is 0. */
static uint64_t word_done(uint64_t state)
{
    uint32_t a = (uint32_t)state % 65535, b = (uint32_t)(state >> 32);
    return (uint64_t)((b + a) % 65535) << 32 | a;
}

void fletcher32_add(dx_sum *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s->state += s->odd ? (uint64_t)p[i] << 8 : p[i];
        if (s->odd)
            s->state = word_done(s->state);
        s->odd = !s->odd;
    }
}

uint64_t fletcher32_value(const dx_sum *s)
{
    return pair_value(s->odd ? word_done(s->state) : s->state, 16);
}

/* Words of 16 bits, high byte first. The carries wait above them until the end: 2^48 bytes fit. */
void internet_add(dx_sum *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s->state += s->odd ? p[i] : (uint64_t)p[i] << 8;
        s->odd = !s->odd;
    }
}

uint64_t internet_value(const dx_sum *s)
{
    uint64_t x = s->state;
    while (x >> 16)
        x = (x & 0xFFFF) + (x >> 16);
    return ~x;
}

/* ---- names ---- */

static bool is(const char *name, size_t n, const char *word, size_t word_n)
{
    return n == word_n && !strncasecmp(name, word, n);
}

/* Is it the kind's name, or one of its aliases? */
static bool is_called(const dx_sum_info *k, const char *name, size_t n)
{
    if (is(name, n, k->name, strlen(k->name)))
        return true;
    for (const char *p = k->aliases; *p;) {
        size_t word = strcspn(p, " ");
        if (is(name, n, p, word))
            return true;
        p += word + (p[word] == ' ');
    }
    return false;
}

static const struct sum_kind *kind_named(const char *name, size_t n)
{
    for (const struct sum_kind *k = sum_kinds; k->info.name; k++)
        if (is_called(&k->info, name, n))
            return k;
    return NULL;
}

const dx_sum_info *dx_sum_at(size_t i)
{
    return i < SUM_KINDS ? &sum_kinds[i].info : NULL;
}

/* ---- in steps ---- */

int dx_sum_begin(dx_sum *s, const char *name)
{
    const char *order = strchr(name, ':');
    size_t n = order ? (size_t)(order - name) : strlen(name);
    const struct sum_kind *k = kind_named(name, n);
    bool low = order && !strcasecmp(order, ":le");
    if (!k || (order && !low && strcasecmp(order, ":be") != 0))
        return DX_URL;
    *s = (dx_sum){.info = &k->info, .low_first = order ? low : k->info.refin && k->info.refout};
    k->begin(s);
    return (k->info.bits + 7) / 8;
}

static const struct sum_kind *kind_of(const dx_sum *s)
{
    return (const struct sum_kind *)(const void *)s->info;
}

void dx_sum_add(dx_sum *s, const void *p, size_t n)
{
    kind_of(s)->add(s, p, n);
}

uint64_t dx_sum_value(const dx_sum *s)
{
    return kind_of(s)->value(s) & UINT64_MAX >> (64 - s->info->bits);
}

int dx_sum_end(const dx_sum *s, uint8_t ret_sum[8])
{
    uint64_t x = dx_sum_value(s);
    int bytes = (s->info->bits + 7) / 8;
    for (int i = 0; i < bytes; i++)
        ret_sum[i] = (uint8_t)(x >> 8 * (s->low_first ? i : bytes - 1 - i));
    return bytes;
}

int dx_checksum(const char *name, const void *p, size_t n, uint8_t ret_sum[8])
{
    dx_sum s;
    int r = dx_sum_begin(&s, name);
    if (r < 0)
        return r;
    dx_sum_add(&s, p, n);
    return dx_sum_end(&s, ret_sum);
}
