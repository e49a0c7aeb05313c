/* SPDX-License-Identifier: MIT
 * progress.h - how far a transfer is and how fast, in words. Pure: time is an argument, and nothing is printed here. */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_WORDS = 80 };
struct progress {
    int64_t size;       /* of all; -1: nobody knows                       */
    int64_t began_ms;
    int64_t at_ms, at;  /* what was noted last                            */
    double rate;        /* bytes a second, of late; < 0: not known yet    */
};
void progress_begin(struct progress *p, int64_t size, int64_t now_ms);
void progress_note(struct progress *p, int64_t bytes, int64_t now_ms); /* so many have moved by now */
/* "412 MiB of 1.0 GiB, 40 %, 1.1 GiB/s, 0:03 left": under 60 columns. */
void progress_words(const struct progress *p, char buf[PROGRESS_WORDS]);
/* "1.0 GiB in 0.9 s, 1.1 GiB/s" */
void progress_total(const struct progress *p, int64_t bytes, int64_t now_ms, char buf[PROGRESS_WORDS]);
void progress_bytes(double bytes, char buf[PROGRESS_WORDS]); /* "12 B" "1.0 GiB" "412 MiB" */
#endif
