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
/* How to read this message: LATCH_UTF8 or LATCH_GB; ASCII reads as UTF-8 and changes nothing but guessed. */
enum latch latch_message(struct latch_state *s, const uint8_t *p, size_t n, bool guess_gb);
#endif
