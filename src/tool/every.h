/* SPDX-License-Identifier: MIT
 * every.h - a tick on a schedule that does not drift: the n-th is due n periods after the first, whatever the ones before took. A
 * thread waits for each, because the loop counts whole milliseconds. */
#ifndef TOOL_EVERY_H
#define TOOL_EVERY_H
#include <duplex/duplex.h>

struct every;
/* Calls tick on the loop's thread, the first time at once. A tick that is due while the last one has not run yet is left out and
 * counted. NULL: no memory or thread. */
struct every *every_new(dx_loop *l, int64_t ms, void (*tick)(void *arg), void *arg);
/* In tick, when it has done its work: how late it was goes into the report. */
void every_done(struct every *e);
void every_stop(struct every *e); /* no tick is posted from here on. NULL is fine, and so is twice */
/* Says on stderr how many there were, and their jitter: how late against the schedule, median and 99th percentile. */
void every_report(const struct every *e);
void every_free(struct every *e); /* after the loop: a post of ours may still lie in it. NULL is fine */
#endif
