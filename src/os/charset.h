/* SPDX-License-Identifier: MIT
 * charset.h - the system's tables of characters (iconv), one character or one failure at a time, never the whole
 * text: what to do about a bad or a cut character is the caller's business. */
#ifndef OS_CHARSET_H
#define OS_CHARSET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct charset;
enum charset_end {
    CHARSET_DONE, /* all of in is through                                                    */
    CHARSET_FULL, /* out has no room for the next character                                   */
    CHARSET_BAD,  /* what is at in now does not convert                                       */
    CHARSET_CUT,  /* in ends inside a character: give what is left of it again with more behind */
};
/* From one coding to another, by iconv's names without case. NULL: no such coding (errno EINVAL), or no memory. */
struct charset *charset_new(const char *to, const char *from);
void charset_free(struct charset *c); /* NULL is fine */
/* Moves *in and *out along and lessens *in_n and *out_n. Input that was taken is not needed again. */
enum charset_end charset_run(struct charset *c, const uint8_t **in, size_t *in_n, uint8_t **out, size_t *out_n);
/* The text ends: writes what is still inside (out_n of 32 is always enough) and is as new. Returns bytes written. */
size_t charset_reset(struct charset *c, uint8_t *out, size_t out_n);
bool charset_locale_is_zh(void); /* of LC_ALL, LC_CTYPE, LANG the first that is set */
#endif
