/* SPDX-License-Identifier: MIT
 * rules_talk_inside.h - what the files of a client's talk share: rules_talk.c takes its messages and gives what is due, rules_play.c finds
 * the rule that fits and plays it. */
#ifndef TOOL_RULES_TALK_INSIDE_H
#define TOOL_RULES_TALK_INSIDE_H
#include "tool/rules_pending.h"

struct rules_talk {
    struct rules *rules;
    struct rules_wire wire;
    dx_framer *framer; /* NULL: the wire has messages */
    dx_decoder *decoder;
    char peer[128];
    int64_t vars[VARS_MAX];
    uint64_t count;
    uint64_t *rule_count; /* an entry a rule */
    uint64_t random;
    char eol[4]; /* of the last message that had one to take off */
    bool answered, opened, ended, closing, cut_short;
    struct pendings pending;
    dx_text given, text; /* what rules_talk_next lent; the message as UTF-8 */
};

/* 1: a rule of that kind, or a pattern, has matched and was played. 0: none; or < 0. */
int rules_try(struct rules_talk *t, int kind, const struct message *message, const struct rules_moment *m);
/* The bytes into t->given of the first of what is pending, which is a repeat; its next time is pending then. RULES_SEND; RULES_NOTHING; or < 0. */
int rules_repeat(struct rules_talk *t, const struct rules_moment *m, struct rules_out *ret);
#endif
