/* SPDX-License-Identifier: MIT
 * rules_pending.c - see rules_pending.h. */
#include "tool/rules_pending.h"
#include <string.h>

void pending_drop(struct pendings *p, size_t i)
{
    p->bytes -= p->item[i].bytes.n;
    dx_text_free(&p->item[i].bytes);
    memmove(&p->item[i], &p->item[i + 1], (--p->n - i) * sizeof *p->item);
}

void repeats_end(struct pendings *p, const struct action *one)
{
    for (size_t i = p->n; i-- > 0;)
        if (p->item[i].every && (!one || p->item[i].every == one))
            pending_drop(p, i);
}

void pending_add(struct pendings *p, struct pending one)
{
    size_t at = p->n;
    if (p->n == PENDING_MAX) {
        dx_text_free(&one.bytes);
        return;
    }
    while (at && p->item[at - 1].due > one.due)
        at--;
    memmove(&p->item[at + 1], &p->item[at], (p->n - at) * sizeof *p->item);
    p->item[at] = one;
    p->n++;
    p->bytes += one.bytes.n;
}

bool pending_full(const struct pendings *p)
{
    return p->n + ANSWERS_MAX + 2 > PENDING_MAX || p->bytes > PENDING_BYTES_MAX;
}

void pending_free(struct pendings *p)
{
    while (p->n)
        pending_drop(p, p->n - 1);
}
