/* SPDX-License-Identifier: MIT
 * utf8_blocks.h - 32 bytes of UTF-8 checked at once, after J. Keiser and D. Lemire, "Validating UTF-8 in less than one instruction per
 * byte" (2020): three tables say for the nibbles of each two neighbours what may be wrong with them, and what all three say is. */
#ifndef BASE_UTF8_BLOCKS_H
#define BASE_UTF8_BLOCKS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined __x86_64__ && defined __GNUC__
#define UTF8_BLOCKS 1
#include <immintrin.h>

enum { /* what may be wrong, a bit each; with 64 in two meanings that exclude each other */
       TOO_SHORT = 1,
       TOO_LONG = 2,
       OVERLONG_3 = 4,
       TOO_LARGE = 8,
       SURROGATE = 16,
       OVERLONG_2 = 32,
       TOO_LARGE_1000 = 64,
       OVERLONG_4 = 64,
       TWO_CONTS = 128,
       CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS, /* of the first byte's high nibble alone */
};
#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
#define U8(x)      ((char)(x))

__attribute__((target("avx2"))) static inline __m256i utf8_nibbles_high(__m256i x)
{
    return _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(15));
}

/* Every byte that is not 0 is wrong: prev is the block before x. */
__attribute__((target("avx2"))) static inline __m256i utf8_block_faults(__m256i x, __m256i prev)
{
    const __m256i first_high =
        TWICE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, U8(TWO_CONTS),
              U8(TWO_CONTS), U8(TWO_CONTS), U8(TWO_CONTS), TOO_SHORT | OVERLONG_2, TOO_SHORT,
              TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4);
    enum { LARGE = CARRY | TOO_LARGE | TOO_LARGE_1000 };
    const __m256i first_low =
        TWICE(U8(CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4), U8(CARRY | OVERLONG_2), U8(CARRY), U8(CARRY),
              U8(CARRY | TOO_LARGE), U8(LARGE), U8(LARGE), U8(LARGE), U8(LARGE), U8(LARGE), U8(LARGE), U8(LARGE),
              U8(LARGE), U8(LARGE | SURROGATE), U8(LARGE), U8(LARGE));
    enum { CONT = TOO_LONG | OVERLONG_2 | TWO_CONTS };
    const __m256i second_high = TWICE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
                                      TOO_SHORT, U8(CONT | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4),
                                      U8(CONT | OVERLONG_3 | TOO_LARGE), U8(CONT | SURROGATE | TOO_LARGE),
                                      U8(CONT | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
    __m256i across = _mm256_permute2x128_si256(prev, x, 0x21);
    __m256i back1 = _mm256_alignr_epi8(x, across, 15), back2 = _mm256_alignr_epi8(x, across, 14),
            back3 = _mm256_alignr_epi8(x, across, 13);
    __m256i faults = _mm256_and_si256(
        _mm256_and_si256(_mm256_shuffle_epi8(first_high, utf8_nibbles_high(back1)),
                         _mm256_shuffle_epi8(first_low, _mm256_and_si256(back1, _mm256_set1_epi8(15)))),
        _mm256_shuffle_epi8(second_high, utf8_nibbles_high(x)));
    /* The third and fourth byte of a character are a second continuation, and nothing else is. */
    __m256i far = _mm256_or_si256(_mm256_subs_epu8(back2, _mm256_set1_epi8(U8(0xE0 - 0x80))),
                                  _mm256_subs_epu8(back3, _mm256_set1_epi8(U8(0xF0 - 0x80))));
    return _mm256_xor_si256(_mm256_and_si256(far, _mm256_set1_epi8(U8(0x80))), faults);
}

/* p is at the first byte of a character. How many bytes from there are whole good characters, of as many blocks as there are; 0: there
 * is no block, or something in one is wrong. */
__attribute__((target("avx2"))) static inline size_t utf8_blocks_avx2(const uint8_t *p, size_t n)
{
    __m256i prev = _mm256_setzero_si256(), any = prev;
    size_t i = 0;
    for (; n - i >= 32; i += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        any = _mm256_or_si256(any, utf8_block_faults(x, prev));
        prev = x;
    }
    if (!_mm256_testz_si256(any, any))
        return 0;
    for (size_t back = 1; back <= 3 && back <= i; back++) { /* the last character may be cut */
        uint8_t c = p[i - back];
        if (c >= 0xC0)
            return back < (c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u) ? i - back : i;
        if (c < 0x80)
            break;
    }
    return i;
}
#undef TWICE
#undef U8
#else
#define UTF8_BLOCKS 0
#endif
#endif
