/* SPDX-License-Identifier: MIT
 * stamp.h - when something passed: the clock on the wall for people, a steady one for the time between. */
#ifndef TOOL_STAMP_H
#define TOOL_STAMP_H
#include <duplex/text.h>

struct moment {
    int64_t wall_ms, steady_ms; /* since 1970; since some time before */
};
struct moment moment_now(void);
int64_t steady_now_us(void); /* by the second of them, for what lasts less than a ms */
/* Appends "12:04:05.123 +0.250", dated with "2026-01-02 " before it: local time, and the seconds since *last, which becomes at; 0
 * for the first one. 0 or DX_NOMEM. */
int stamp_add(struct moment *last, struct moment at, bool dated, dx_text *out);
#endif
