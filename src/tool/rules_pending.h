/* SPDX-License-Identifier: MIT
 * rules_pending.h - what one client of a rules file is yet to be sent, and when. Pure: time is an argument. */
#ifndef TOOL_RULES_PENDING_H
#define TOOL_RULES_PENDING_H
#include "tool/rules_inside.h"

struct pending { /* ordered by due; among the same, as they came */
    int64_t due;
    const struct action *every; /* made anew each time; NULL: bytes, or the end */
    dx_text bytes;
    bool text, close;
};
struct pendings { /* zeroed: nothing waits */
    struct pending item[PENDING_MAX];
    size_t n, bytes;
};
/* Takes one's bytes. There is room: pending_full says so before a message is taken. */
void pending_add(struct pendings *p, struct pending one);
void pending_drop(struct pendings *p, size_t i);
void repeats_end(struct pendings *p, const struct action *one); /* one NULL: all of them                      */
bool pending_full(const struct pendings *p);                    /* too full for all that a message may bring  */
void pending_free(struct pendings *p);
#endif
