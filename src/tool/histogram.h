/* SPDX-License-Identifier: MIT
 * histogram.h - how often which value came, with three digits of each kept. Log-linear: up to 2048 each value has a slot of its own;
 * above, each doubling has 1024 slots, so that no value is off by more than 1 in 1024. Constant memory, no allocation, no clock.
 * duplex bench counts nanoseconds in it: 1 us to 1 h and far below. */
#ifndef TOOL_HISTOGRAM_H
#define TOOL_HISTOGRAM_H
#include <stdint.h>

#define HISTOGRAM_MAX ((uint64_t)3600 * 1000000000) /* what is larger counts as this (an hour)          */
enum {
    HISTOGRAM_EXACT = 2048,   /* values below it are kept as they are             */
    HISTOGRAM_DOUBLINGS = 31, /* 2048 << 31 is beyond the hour                    */
    HISTOGRAM_SLOTS = HISTOGRAM_EXACT + HISTOGRAM_DOUBLINGS * HISTOGRAM_EXACT / 2,
};
struct histogram { /* zeroed is empty */
    uint64_t count, min, max;
    double sum;
    uint64_t n[HISTOGRAM_SLOTS];
};
void histogram_add(struct histogram *h, uint64_t value, uint64_t times);
void histogram_merge(struct histogram *to, const struct histogram *from);
/* The smallest kept value that at least this share (0 to 1) of all values do not exceed; 1: the largest, exactly. 0: empty. */
uint64_t histogram_at(const struct histogram *h, double share);
double histogram_mean(const struct histogram *h); /* exact; 0: empty */
#endif
