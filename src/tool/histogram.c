/* SPDX-License-Identifier: MIT
 * histogram.c - see histogram.h. */
#include "tool/histogram.h"
#include <assert.h>

enum { HALF = HISTOGRAM_EXACT / 2, HALF_BITS = 10 };
_Static_assert(1 << HALF_BITS == HALF, "a doubling has HALF slots");
_Static_assert(((uint64_t)HISTOGRAM_EXACT << HISTOGRAM_DOUBLINGS) > HISTOGRAM_MAX, "the hour has a slot");

/* The 11 highest bits say which slot of which doubling. */
static unsigned slot_of(uint64_t value)
{
    if (value < HISTOGRAM_EXACT)
        return (unsigned)value;
    unsigned shift = 63 - HALF_BITS - (unsigned)__builtin_clzll(value);
    return shift * HALF + (unsigned)(value >> shift);
}

/* The largest value of a slot. */
static uint64_t top_of(unsigned slot)
{
    if (slot < HISTOGRAM_EXACT)
        return slot;
    unsigned shift = slot / HALF - 1;
    return (((uint64_t)(slot - shift * HALF) + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value, uint64_t times)
{
    if (!times)
        return;
    value = value < HISTOGRAM_MAX ? value : HISTOGRAM_MAX;
    h->min = !h->count || value < h->min ? value : h->min;
    h->max = value > h->max ? value : h->max;
    h->count += times;
    h->sum += (double)value * (double)times;
    h->n[slot_of(value)] += times;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
    if (!from->count)
        return;
    to->min = !to->count || from->min < to->min ? from->min : to->min;
    to->max = from->max > to->max ? from->max : to->max;
    to->count += from->count;
    to->sum += from->sum;
    for (unsigned i = slot_of(from->min), last = slot_of(from->max); i <= last; i++)
        to->n[i] += from->n[i];
}

uint64_t histogram_at(const struct histogram *h, double share)
{
    assert(share >= 0 && share <= 1);
    double rank = share * (double)h->count;
    uint64_t want = (uint64_t)rank, seen = 0;
    want += (double)want < rank;
    if (want >= h->count)
        return h->max;
    for (unsigned i = slot_of(h->min); i < HISTOGRAM_SLOTS; i++)
        if ((seen += h->n[i]) >= want && seen) {
            uint64_t top = top_of(i);
            return top < h->max ? top : h->max;
        }
    return h->max;
}

double histogram_mean(const struct histogram *h)
{
    return h->count ? h->sum / (double)h->count : 0;
}
