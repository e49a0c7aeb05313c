/* SPDX-License-Identifier: MIT
 * replay_inside.h - what the files of duplex replay share: replay.c is the command and its conn, replay_play.c plays. */
#ifndef TOOL_REPLAY_INSIDE_H
#define TOOL_REPLAY_INSIDE_H
#include "tool/record.h"
#include "tool/trust.h"

struct play {
    dx_loop *loop;
    dx_listener *listener;
    struct trust trust;
    const char *file, *url;
    struct record rec;
    bool server, fast; /* which side we are; without the times         */
    double speed;
    int64_t patience_ms;
    dx_conn *c;
    bool stood, whole;    /* whole: messages are compared, not bytes */
    size_t next;          /* the event to do or to wait for        */
    size_t want, want_at; /* the data to come: its event, and how much of that has come */
    uint64_t came;        /* bytes                                  */
    bool ended;           /* the other side has said its end        */
    int64_t base_us, heard;
    int64_t timer;
    bool done;
    int code;
};

/* The conn p->c stands: from now on events have their times. */
void replay_begin(struct play *p);
void replay_heard(struct play *p, const void *data, size_t n);
void replay_heard_end(struct play *p);
/* Says and hears what is due now. */
void replay_go_on(struct play *p);
/* Not as in the record: says so, once, with the line that was waited for, and ends the play. */
void replay_unmet(struct play *p, const char *words);
/* Has all come that the other side had said? */
bool replay_has_all(const struct play *p);
#endif
