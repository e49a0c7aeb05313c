/* SPDX-License-Identifier: MIT
 * manner.h - how a talk goes, as the options say that dial and listen share: what goes out (outgoing.h), what is shown of what
 * comes (view.h, events.h), what is kept (logfile.h), what is waited for (expect.h). The talk itself is talk.h. */
#ifndef TOOL_MANNER_H
#define TOOL_MANNER_H
#include "tool/events.h"
#include "tool/expect.h"
#include "tool/logfile.h"
#include "tool/options.h"
#include "tool/outgoing.h"

struct manner {
    const char *frame, *coding; /* for the conn: what it is to do itself; NULL: nothing      */
    struct outgoing out;
    dx_text send; /* each --send, one behind the other, or what stdin had: ready to go */
    size_t send_end[OPTIONS_GIVEN_MAX]; /* where each message in it ends              */
    int send_count;
    int64_t every_ms;
    bool hex, stamps;
    const char *wait_for; /* as it was given; NULL: for nothing                      */
    struct expect expect;
    int64_t within_ms;
    struct view view;
    struct logfile log;
    struct events events;
};
/* -1: go on; else the exit code, having said what is wrong. manner_free in any case. */
int manner_read(struct manner *m, const struct options *o);
void manner_free(struct manner *m);
/* A message of TEXT as the options have it: escapes or hex, coding, checksum, line end. -1, or the exit code, having said why. */
int manner_make(struct manner *m, const char *option, const char *text, dx_text *ret);
/* All of stdin is what --every sends: as --send, but without escapes. As manner_make. */
int manner_content(struct manner *m, const dx_text *content);
/* Is stdout in lines of view.h? Else what comes is shown or printed as it is. */
bool manner_views(const struct manner *m);
/* What came: kept, and where it is viewed or told *ret is to be printed (n may be 0). 0 or DX_NOMEM. */
int manner_came(struct manner *m, dx_bytes data, bool whole, dx_bytes *ret);
int manner_went(struct manner *m, dx_bytes data, bool whole, dx_bytes *ret); /* the same of what we sent */
/* Has what is waited for come, now or before? */
bool manner_met(struct manner *m, dx_bytes data, bool whole);
uint64_t manner_sums_bad(const struct manner *m);
int manner_sums_tell(const struct manner *m, uint64_t bad); /* 0, or TOOL_UNMET, having said how many were wrong */
#endif
