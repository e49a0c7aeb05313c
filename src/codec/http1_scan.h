/* SPDX-License-Identifier: MIT
 * http1_scan.h - which bytes may stand where (RFC 9110 5.5, 5.6; RFC 3986), and the loop that eats field values. */
#ifndef CODEC_HTTP1_SCAN_H
#define CODEC_HTTP1_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IN_TOKEN = 1, IN_HOST = 2, IN_TARGET = 4, IN_VALUE = 8 };
enum { IN_TGV = IN_TOKEN | IN_TARGET | IN_VALUE, IN_HGV = IN_HOST | IN_TARGET | IN_VALUE, IN_ALL = 15, IN_GV = 12 };
/* clang-format off */
static const uint8_t char_class[256] = {
    ['\t'] = IN_VALUE,        [' '] = IN_VALUE,    ['!'] = IN_ALL,     ['"'] = IN_VALUE,
    ['#'] = IN_TOKEN | IN_VALUE, ['$' ... '\''] = IN_ALL, ['(' ... ')'] = IN_HGV, ['*' ... '+'] = IN_ALL,
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

/* How many bytes from p on may stand in a field value: up to the first control byte (a tab is none). */
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
#else
static inline size_t field_run(const uint8_t *p, size_t n)
{
    return field_run_bytes(p, n);
}
#endif
#endif
