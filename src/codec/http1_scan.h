/* SPDX-License-Identifier: MIT
 * http1_scan.h - which bytes may stand where (RFC 9110 5.5, 5.6; RFC 3986), and the loops that eat field values and targets: by
 * vectors where there are some, else by words of eight bytes, and each with a plain loop beside it that says what is meant. */
#ifndef CODEC_HTTP1_SCAN_H
#define CODEC_HTTP1_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { IN_TOKEN = 1, IN_HOST = 2, IN_TARGET = 4, IN_VALUE = 8 };
enum { IN_TGV = IN_TOKEN | IN_TARGET | IN_VALUE, IN_HGV = IN_HOST | IN_TARGET | IN_VALUE, IN_ALL = 15, IN_GV = 12 };
/* clang-format off */
static const uint8_t char_class[256] = {
    ['\t'] = IN_VALUE,        [' '] = IN_VALUE,    ['!'] = IN_ALL,     ['"'] = IN_VALUE,
    ['#'] = IN_TOKEN | IN_VALUE, ['$'] = IN_ALL,
    ['%'] = IN_TGV, ['&' ... '\''] = IN_ALL, ['(' ... ')'] = IN_HGV, ['*' ... '+'] = IN_ALL,
    [','] = IN_HGV,           ['-' ... '.'] = IN_ALL, ['/'] = IN_GV,   ['0' ... '9'] = IN_ALL,
    [':'] = IN_GV,            [';'] = IN_HGV,      ['<'] = IN_VALUE,   ['='] = IN_HGV,
    ['>'] = IN_VALUE,         ['?' ... '@'] = IN_GV, ['A' ... 'Z'] = IN_ALL, ['[' ... ']'] = IN_GV,
    ['^'] = IN_TGV,           ['_'] = IN_ALL,      ['`'] = IN_TGV,     ['a' ... 'z'] = IN_ALL,
    ['{'] = IN_GV,            ['|'] = IN_TGV,      ['}'] = IN_GV,      ['~'] = IN_ALL,
    [0x80 ... 0xFF] = IN_GV,
};
/* clang-format on */

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_hex(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static inline uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static inline size_t field_run_bytes(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && (char_class[p[i]] & IN_VALUE))
        i++;
    return i;
}

static inline size_t token_run_bytes(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && (char_class[p[i]] & IN_TOKEN))
        i++;
    return i;
}

static inline size_t target_run_bytes(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && (char_class[p[i]] & IN_TARGET))
        i++;
    return i;
}

/* Words with a control byte in them, tabs too, are looked at byte by byte. */
static inline size_t field_run_words(const uint8_t *p, size_t n)
{
    const uint64_t ones = 0x0101010101010101, highs = ones << 7;
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t x, del;
        memcpy(&x, p + i, 8);
        del = x ^ ones * 0x7F;
        if ((((x - ones * 0x20) & ~x) | ((del - ones) & ~del)) & highs) {
            size_t k = field_run_bytes(p + i, 8);
            if (k < 8)
                return i + k;
        }
    }
    return i + field_run_bytes(p + i, n - i);
}

/* field_run: how many bytes from p on may stand in a field value: up to the first control byte (a tab is none). target_run: in a
 * request's target; token_run: in a token. */
#if defined __SSE2__
#include <emmintrin.h>
static inline size_t field_run(const uint8_t *p, size_t n)
{
    const __m128i top = _mm_set1_epi8(0x1F), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7F);
    size_t i = 0;
    for (; n - i >= 16; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i control = _mm_andnot_si128(_mm_cmpeq_epi8(x, tab), _mm_cmpeq_epi8(_mm_min_epu8(x, top), x));
        int bad = _mm_movemask_epi8(_mm_or_si128(control, _mm_cmpeq_epi8(x, del)));
        if (bad)
            return i + (size_t)__builtin_ctz((unsigned)bad);
    }
    return i + field_run_bytes(p + i, n - i);
}

static inline size_t target_run(const uint8_t *p, size_t n)
{
    const __m128i top = _mm_set1_epi8('#'), bang = _mm_set1_epi8('!'), del = _mm_set1_epi8(0x7F);
    const __m128i less = _mm_set1_epi8('<'), more = _mm_set1_epi8('>');
    size_t i = 0;
    for (; n - i >= 16; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i low = _mm_andnot_si128(_mm_cmpeq_epi8(x, bang), _mm_cmpeq_epi8(_mm_min_epu8(x, top), x));
        __m128i angle = _mm_or_si128(_mm_cmpeq_epi8(x, less), _mm_cmpeq_epi8(x, more));
        int bad = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, angle), _mm_cmpeq_epi8(x, del)));
        if (bad)
            return i + (size_t)__builtin_ctz((unsigned)bad);
    }
    return i + target_run_bytes(p + i, n - i);
}
/* Letters, digits and '-' by vectors: what else a name may hold is rare. */
static inline size_t token_run(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; n - i >= 16; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i small = _mm_or_si128(x, _mm_set1_epi8(0x20));
        __m128i letter = _mm_cmpgt_epi8(_mm_add_epi8(small, _mm_set1_epi8(127 - 'z')), _mm_set1_epi8(127 - 26));
        __m128i digit = _mm_cmpgt_epi8(_mm_add_epi8(x, _mm_set1_epi8(127 - '9')), _mm_set1_epi8(127 - 10));
        __m128i good = _mm_or_si128(_mm_or_si128(letter, digit), _mm_cmpeq_epi8(x, _mm_set1_epi8('-')));
        unsigned other = (unsigned)_mm_movemask_epi8(good) ^ 0xFFFF;
        if (other) {
            i += (size_t)__builtin_ctz(other);
            break;
        }
    }
    return i + token_run_bytes(p + i, n - i);
}
#else
static inline size_t token_run(const uint8_t *p, size_t n)
{
    return token_run_bytes(p, n);
}

static inline size_t field_run(const uint8_t *p, size_t n)
{
    return field_run_words(p, n);
}

static inline size_t target_run(const uint8_t *p, size_t n)
{
    return target_run_bytes(p, n);
}
#endif
#endif
