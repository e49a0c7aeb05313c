/* SPDX-License-Identifier: MIT
 * mask.h - XOR with a repeating 4-byte key, in place: the kernels behind ws_mask and ws_in_next, apart so that a test can
 * hold each of them against the plain loop. All have one shape: key is the 4 mask bytes as they lie in memory, already
 * turned so that its first byte belongs to p[0]; true: no byte of the result has its top bit set (it is ASCII). */
#ifndef CODEC_MASK_H
#define CODEC_MASK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef bool mask_fn(uint8_t *p, size_t n, uint32_t key);

/* The key as seen at bytes further on. */
static inline uint32_t mask_turn(uint32_t key, size_t at)
{
    unsigned bits = 8 * (unsigned)(at & 3);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return key >> bits | key << (-bits & 31);
#else
    return key << bits | key >> (-bits & 31);
#endif
}

static inline bool mask_under8(uint8_t *p, size_t n, uint32_t key)
{
    if (n >= 4) { /* two words that overlap: the second is read before the first is written */
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        a ^= key;
        b ^= mask_turn(key, n);
        memcpy(p, &a, 4);
        memcpy(p + n - 4, &b, 4);
        return !((a | b) & 0x80808080);
    }
    uint8_t k[4], any = 0;
    memcpy(k, &key, 4);
    for (size_t i = 0; i < n; i++)
        any |= p[i] ^= k[i];
    return any < 0x80;
}

static inline bool mask_words(uint8_t *p, size_t n, uint32_t key)
{
    if (n < 8)
        return mask_under8(p, n, key);
    uint64_t k = (uint64_t)key << 32 | key, x, end, any = 0;
    memcpy(&end, p + n - 8, 8); /* before the loop writes over some of it */
    for (size_t i = 0; n - i >= 8; i += 8) {
        memcpy(&x, p + i, 8);
        any |= x ^= k;
        memcpy(p + i, &x, 8);
    }
    uint32_t tk = mask_turn(key, n);
    end ^= (uint64_t)tk << 32 | tk;
    memcpy(p + n - 8, &end, 8);
    return !((any | end) & 0x8080808080808080);
}

#if defined __x86_64__ && defined __GNUC__
#define MASK_X86 1
#include <immintrin.h>

static inline bool mask_sse2(uint8_t *p, size_t n, uint32_t key)
{
    if (n < 16)
        return mask_words(p, n, key);
    __m128i k = _mm_set1_epi32((int)key), any = _mm_setzero_si128();
    __m128i end = _mm_loadu_si128((const __m128i *)(const void *)(p + n - 16));
    for (size_t i = 0; n - i >= 16; i += 16) {
        __m128i x = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)(p + i)), k);
        any = _mm_or_si128(any, x);
        _mm_storeu_si128((__m128i *)(void *)(p + i), x);
    }
    if (n & 15) {
        end = _mm_xor_si128(end, _mm_set1_epi32((int)mask_turn(key, n)));
        any = _mm_or_si128(any, end);
        _mm_storeu_si128((__m128i *)(void *)(p + n - 16), end);
    }
    return _mm_movemask_epi8(any) == 0;
}

__attribute__((target("avx2"))) static inline bool mask_avx2(uint8_t *p, size_t n, uint32_t key)
{
    if (n < 32)
        return mask_sse2(p, n, key);
    __m256i k = _mm256_set1_epi32((int)key), any = _mm256_setzero_si256();
    __m256i end = _mm256_loadu_si256((const __m256i *)(const void *)(p + n - 32));
    size_t i = 0;
    for (; n - i >= 64; i += 64) {
        __m256i x = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)(p + i)), k);
        __m256i y = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32)), k);
        any = _mm256_or_si256(any, _mm256_or_si256(x, y));
        _mm256_storeu_si256((__m256i *)(void *)(p + i), x);
        _mm256_storeu_si256((__m256i *)(void *)(p + i + 32), y);
    }
    if (n - i >= 32) {
        __m256i x = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)(p + i)), k);
        any = _mm256_or_si256(any, x);
        _mm256_storeu_si256((__m256i *)(void *)(p + i), x);
    }
    if (n & 31) {
        end = _mm256_xor_si256(end, _mm256_set1_epi32((int)mask_turn(key, n)));
        any = _mm256_or_si256(any, end);
        _mm256_storeu_si256((__m256i *)(void *)(p + n - 32), end);
    }
    return _mm256_movemask_epi8(any) == 0;
}
#else
#define MASK_X86 0
#endif
#endif
