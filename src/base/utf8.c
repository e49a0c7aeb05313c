/* SPDX-License-Identifier: MIT
 * utf8.c - RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "utf8.h"
#include "utf8_blocks.h"
#include <string.h>

/* The state of utf8_check inside a character: continuation bytes to come, and the range of the next one. */
#define STATE(left, lo, hi) ((uint32_t)(left) | (uint32_t)(lo) << 8 | (uint32_t)(hi) << 16)
enum { STATE_BAD = 0xFF };

static bool step(uint32_t *state, uint8_t c)
{
    uint32_t s = *state, left = s & 0xFF;
    if (left == 0) {
        if (c < 0x80)
            return true;
        if (c >= 0xC2 && c < 0xE0)
            *state = STATE(1, 0x80, 0xBF);
        else if (c >= 0xE0 && c < 0xF0)
            *state = STATE(2, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF);
        else if (c >= 0xF0 && c < 0xF5)
            *state = STATE(3, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF);
        else
            *state = STATE_BAD;
    } else if (left > 3 || c < (s >> 8 & 0xFF) || c > (s >> 16 & 0xFF)) {
        *state = STATE_BAD;
    } else {
        *state = left == 1 ? 0 : STATE(left - 1, 0x80, 0xBF);
    }
    return *state != STATE_BAD;
}

static inline bool is_tail(uint8_t c)
{
    return (c & 0xC0) == 0x80;
}

static inline size_t next(const uint8_t *p, size_t n, uint32_t *ret_cp)
{
    if (n == 0)
        return 0;
    uint8_t c = p[0];
    if (c < 0x80) {
        *ret_cp = c;
        return 1;
    }
    if (c < 0xE0) {
        if (c < 0xC2 || n < 2 || !is_tail(p[1]))
            return 0;
        *ret_cp = (c & 0x1Fu) << 6 | (p[1] & 0x3Fu);
        return 2;
    }
    if (c < 0xF0) {
        if (n < 3 || !is_tail(p[1]) || !is_tail(p[2]))
            return 0;
        uint32_t cp = (c & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        if (cp < 0x800 || (cp >= 0xD800 && cp < 0xE000))
            return 0;
        *ret_cp = cp;
        return 3;
    }
    if (c >= 0xF5 || n < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]))
        return 0;
    uint32_t cp = (c & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    if (cp < 0x10000 || cp > 0x10FFFF)
        return 0;
    *ret_cp = cp;
    return 4;
}

/* The length of the ASCII run at p, in whole steps at least: a caller finds the rest of it byte by byte. */
typedef size_t ascii_fn(const uint8_t *p, size_t n);

static size_t ascii_words(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t x;
        memcpy(&x, p + i, 8);
        if (x & 0x8080808080808080)
            break;
    }
    return i;
}

#if defined __x86_64__ && defined __GNUC__
#include <immintrin.h>
static size_t ascii_sse2(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; n - i >= 16; i += 16) {
        int mask = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + i)));
        if (mask)
            return i + (size_t)__builtin_ctz((unsigned)mask);
    }
    return i + ascii_words(p + i, n - i);
}

__attribute__((target("avx2"))) static size_t ascii_avx2(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; n - i >= 64; i += 64) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32));
        if (_mm256_movemask_epi8(_mm256_or_si256(a, b)))
            break;
    }
    return i + ascii_sse2(p + i, n - i);
}

static size_t ascii_pick(const uint8_t *p, size_t n);
static ascii_fn *ascii_run = ascii_pick;
/* Not ifunc, not target_clones: both crash under TSan. Two threads that pick at once pick the same. */
static size_t ascii_pick(const uint8_t *p, size_t n)
{
    __builtin_cpu_init();
    ascii_fn *fn = __builtin_cpu_supports("avx2") ? ascii_avx2 : ascii_sse2;
    __atomic_store_n(&ascii_run, fn, __ATOMIC_RELAXED);
    return fn(p, n);
}
#else
static ascii_fn *ascii_run = ascii_words;
#endif

/* As utf8_blocks_avx2 where the machine has that; else 0, always. */
typedef size_t blocks_fn(const uint8_t *p, size_t n);
static size_t blocks_none(const uint8_t *p, size_t n)
{
    (void)p;
    (void)n;
    return 0;
}
#if UTF8_BLOCKS
__attribute__((target("avx2"))) static size_t blocks_avx2(const uint8_t *p, size_t n)
{
    return utf8_blocks_avx2(p, n);
}
static size_t blocks_pick(const uint8_t *p, size_t n);
static blocks_fn *blocks_run = blocks_pick;
static size_t blocks_pick(const uint8_t *p, size_t n)
{
    __builtin_cpu_init();
    blocks_fn *fn = __builtin_cpu_supports("avx2") ? blocks_avx2 : blocks_none;
    __atomic_store_n(&blocks_run, fn, __ATOMIC_RELAXED);
    return fn(p, n);
}
#else
static blocks_fn *blocks_run = blocks_none;
#endif

enum { RUN_MIN = 16, BLOCKS_MIN = 64 }; /* shorter rests are not worth a call */

bool utf8_check(uint32_t *state, const uint8_t *p, size_t n)
{
    size_t i = 0, blocks_to = 0; /* up to here there is no use in trying blocks: one of them is bad */
    uint32_t s = *state, cp;
    while (i < n) {
        if (s != 0) {
            if (!step(&s, p[i++]))
                break;
            continue;
        }
        if (p[i] < 0x80) {
            if (n - i >= RUN_MIN && p[i + 1] < 0x80)
                i += __atomic_load_n(&ascii_run, __ATOMIC_RELAXED)(p + i, n - i);
            while (i < n && p[i] < 0x80)
                i++;
            continue;
        }
        size_t k = 0;
        if (n - i >= BLOCKS_MIN && i >= blocks_to) {
            k = __atomic_load_n(&blocks_run, __ATOMIC_RELAXED)(p + i, n - i);
            blocks_to = k ? 0 : n;
        }
        k = k ? k : next(p + i, n - i, &cp);
        if (k == 0 && !step(&s, p[i]))
            break;
        i += k ? k : 1;
    }
    *state = s;
    return s != STATE_BAD;
}

size_t utf8_next(const uint8_t *p, size_t n, uint32_t *ret_cp)
{
    return next(p, n, ret_cp);
}

size_t utf8_put(uint32_t cp, uint8_t ret[4])
{
    if (cp < 0x80) {
        ret[0] = (uint8_t)cp;
        return 1;
    }
    if (cp < 0x800) {
        ret[0] = (uint8_t)(0xC0 | cp >> 6);
        ret[1] = (uint8_t)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
        cp = 0xFFFD;
    if (cp < 0x10000) {
        ret[0] = (uint8_t)(0xE0 | cp >> 12);
        ret[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3F));
        ret[2] = (uint8_t)(0x80 | (cp & 0x3F));
        return 3;
    }
    ret[0] = (uint8_t)(0xF0 | cp >> 18);
    ret[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3F));
    ret[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3F));
    ret[3] = (uint8_t)(0x80 | (cp & 0x3F));
    return 4;
}
