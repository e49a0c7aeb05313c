/* SPDX-License-Identifier: MIT
 * latch.h - which coding is this peer's text in? The rules of "auto" in <duplex/text.h>, one message at a time. */
#ifndef CODEC_LATCH_H
#define CODEC_LATCH_H
#include "base/url.h"

enum latch { LATCH_NONE, LATCH_UTF8, LATCH_GB };
struct latch_state {
    uint8_t latched;   /* enum latch: for good                                     */
    uint8_t last;      /* enum latch: what the last non-ASCII message was read as   */
    uint8_t guessed;   /* the last message was a guess                             */
};
/* How to read this message: LATCH_UTF8 or LATCH_GB; ASCII reads as UTF-8 and changes nothing but guessed.
 *   all valid UTF-8, a 3- or 4-byte sequence in it            UTF-8, latched (its end may cut a character)
 *   all valid UTF-8, 2-byte sequences alone: all hanzi        as guess_gb says: a guess
 *                                            one that is not  UTF-8
 *   not UTF-8, but GB18030 with a GB 2312 character in it     GB, latched (its end may cut a character)
 *   bad in both, or binary                                    where fewer bytes are bad, else as the last one, else as
 *                                                             guess_gb says: a guess */
enum latch latch_message(struct latch_state *s, const uint8_t *p, size_t n, bool guess_gb);
#endif
