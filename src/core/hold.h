/* SPDX-License-Identifier: MIT
 * hold.h - input that the layers above have not used up yet, kept in one piece. */
#ifndef CORE_HOLD_H
#define CORE_HOLD_H
#include "core/block.h"

struct hold {
    size_t n, cap;
    uint8_t *p; /* into data */
    uint8_t data[];
};
void hold_free(struct hold **h); /* *h may be NULL, and is afterwards */
/* Keeps p[0..n) behind what is held; where p is a part of what is held, that part is all that stays. false: no memory. */
bool hold_keep(struct hold **h, const uint8_t *p, size_t n);
#endif
