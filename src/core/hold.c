/* SPDX-License-Identifier: MIT */
#include "core/hold.h"
#include <string.h>

enum { HOLD_MIN = 256 };

void hold_free(struct hold **h)
{
    if (*h)
        account_free(*h, sizeof **h + (*h)->cap);
    *h = NULL;
}

bool hold_keep(struct hold **hold, const uint8_t *p, size_t n)
{
    struct hold *h = *hold;
    if (h && p >= h->data && p < h->data + h->cap) {
        h->p = (uint8_t *)(uintptr_t)p;
        h->n = n;
        return true;
    }
    size_t had = h ? h->n : 0, need = had + n;
    if (!h || need > h->cap - (size_t)(h->p - h->data)) {
        size_t cap = need < HOLD_MIN ? HOLD_MIN : need + need / 2;
        struct hold *bigger = account_alloc(sizeof *bigger + cap);
        if (!bigger)
            return false;
        bigger->cap = cap;
        bigger->p = bigger->data;
        if (had)
            memcpy(bigger->data, h->p, had);
        hold_free(hold);
        *hold = h = bigger;
    }
    memcpy(h->p + had, p, n);
    h->n = need;
    return true;
}
