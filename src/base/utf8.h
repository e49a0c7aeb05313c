/* SPDX-License-Identifier: MIT
 * utf8.h - RFC 3629, in steps of any size. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Checks the next n bytes of a text; *state starts at 0 and is 0 again wherever a character is complete.
 * false: not UTF-8, for good. AVX2 or SSE2 for the ASCII runs, chosen once by a function pointer. */
bool utf8_check(uint32_t *state, const uint8_t *p, size_t n);
/* Is p[0..n) ASCII, as short texts mostly are? No call, and no rest that goes byte by byte. false: it is not, or n is not 16 to 256. */
static inline bool utf8_is_short_ascii(const uint8_t *p, size_t n)
{
    typedef uint64_t vec __attribute__((vector_size(16)));
    vec any, x;
    if (n - 16 > 256 - 16)
        return false;
    memcpy(&any, p + n - 16, 16);
    for (size_t i = 0; i + 16 < n; i += 16) {
        memcpy(&x, p + i, 16);
        any |= x;
    }
    return !((any[0] | any[1]) & 0x8080808080808080);
}
/* The character at p: its length 1-4 and *ret_cp, or 0: not a whole valid character. */
size_t utf8_next(const uint8_t *p, size_t n, uint32_t *ret_cp);
size_t utf8_put(uint32_t cp, uint8_t ret[4]); /* bytes written */
#endif
