/* SPDX-License-Identifier: MIT
 * crc.c - any CRC of up to 64 bits by its parameters (the Rocksoft model). A 64-bit register serves every width: a
 * reflected one stands at its low end and shifts right, any other at its high end and shifts left. So one kind of table
 * serves all widths too, eight bytes a step. */
#include "sums.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { STEP = 8 };
struct table {
    uint64_t t[STEP][256]; /* t[k][b]: the register after b and k bytes of 0 */
};
/* Made when one is first used, and kept. Two threads may make the same one; the second's goes. */
static _Atomic(struct table *) tables[CRC_KINDS];

static uint64_t reflect(uint64_t x, int bits)
{
    uint64_t r = 0;
    for (int i = 0; i < bits; i++)
        r |= (x >> i & 1) << (bits - 1 - i);
    return r;
}

static uint64_t to_register(const dx_sum_info *c, uint64_t x)
{
    return c->refin ? reflect(x, c->bits) : x << (64 - c->bits);
}

/* One byte, bit by bit. */
static uint64_t slowly(bool refin, uint64_t poly, uint64_t x, uint8_t byte)
{
    x ^= refin ? byte : (uint64_t)byte << 56;
    for (int bit = 0; bit < 8; bit++)
        x = refin ? x >> 1 ^ (x & 1 ? poly : 0) : x << 1 ^ (x >> 63 ? poly : 0);
    return x;
}

static void fill(struct table *t, bool refin, uint64_t poly)
{
    for (int b = 0; b < 256; b++)
        t->t[0][b] = slowly(refin, poly, 0, (uint8_t)b);
    for (int k = 1; k < STEP; k++)
        for (int b = 0; b < 256; b++) {
            uint64_t x = t->t[k - 1][b];
            t->t[k][b] = refin ? t->t[0][x & 0xFF] ^ x >> 8 : t->t[0][x >> 56] ^ x << 8;
        }
}

/* NULL: no memory. */
static const struct table *table_of(const dx_sum_info *c)
{
    _Atomic(struct table *) *slot = &tables[(const struct sum_kind *)(const void *)c - sum_kinds];
    struct table *there = atomic_load_explicit(slot, memory_order_acquire), *made;
    if (there || !(made = malloc(sizeof *made)))
        return there;
    fill(made, c->refin, to_register(c, c->poly));
    if (atomic_compare_exchange_strong_explicit(slot, &there, made, memory_order_acq_rel, memory_order_acquire))
        return made;
    free(made);
    return there;
}

static uint64_t right(const struct table *t, uint64_t x, const uint8_t *p, size_t n)
{
    for (; n >= STEP; p += STEP, n -= STEP) {
        for (int i = 0; i < STEP; i++)
            x ^= (uint64_t)p[i] << 8 * i;
        x = t->t[7][x & 0xFF] ^ t->t[6][x >> 8 & 0xFF] ^ t->t[5][x >> 16 & 0xFF] ^ t->t[4][x >> 24 & 0xFF] ^
            t->t[3][x >> 32 & 0xFF] ^ t->t[2][x >> 40 & 0xFF] ^ t->t[1][x >> 48 & 0xFF] ^ t->t[0][x >> 56];
    }
    for (; n; p++, n--)
        x = t->t[0][(x ^ *p) & 0xFF] ^ x >> 8;
    return x;
}

static uint64_t left(const struct table *t, uint64_t x, const uint8_t *p, size_t n)
{
    for (; n >= STEP; p += STEP, n -= STEP) {
        for (int i = 0; i < STEP; i++)
            x ^= (uint64_t)p[i] << (56 - 8 * i);
        x = t->t[7][x >> 56] ^ t->t[6][x >> 48 & 0xFF] ^ t->t[5][x >> 40 & 0xFF] ^ t->t[4][x >> 32 & 0xFF] ^
            t->t[3][x >> 24 & 0xFF] ^ t->t[2][x >> 16 & 0xFF] ^ t->t[1][x >> 8 & 0xFF] ^ t->t[0][x & 0xFF];
    }
    for (; n; p++, n--)
        x = t->t[0][x >> 56 ^ *p] ^ x << 8;
    return x;
}

void crc_begin(dx_sum *s)
{
    s->state = to_register(s->info, s->info->init);
}

void crc_add(dx_sum *s, const uint8_t *p, size_t n)
{
    const dx_sum_info *c = s->info;
    const struct table *t = n ? table_of(c) : NULL;
    if (t) {
        s->state = c->refin ? right(t, s->state, p, n) : left(t, s->state, p, n);
        return;
    }
    uint64_t poly = to_register(c, c->poly);
    for (size_t i = 0; i < n; i++)
        s->state = slowly(c->refin, poly, s->state, p[i]);
}

uint64_t crc_value(const dx_sum *s)
{
    const dx_sum_info *c = s->info;
    uint64_t x = c->refin ? s->state : s->state >> (64 - c->bits);
    return (c->refin == c->refout ? x : reflect(x, c->bits)) ^ c->xor_out;
}
