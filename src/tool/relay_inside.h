/* SPDX-License-Identifier: MIT
 * relay_inside.h - what the files of duplex relay share: relay.c is the command, relay_link.c one client and its target. */
#ifndef TOOL_RELAY_INSIDE_H
#define TOOL_RELAY_INSIDE_H
#include "tool/faults.h"
#include "tool/record.h"
#include "tool/rests.h"
#include "tool/tap.h"
#include "tool/targets.h"

struct relay {
    dx_loop *loop;
    dx_listener *listener;
    struct trust trust; /* the listener's */
    struct targets targets;
    dx_opts target_opts;
    struct tap tap;
    struct recorder record;
    bool looks, once, verbose;
    struct faults faults; /* of TLS, under -v */
    struct rests rests;
    bool served; /* under --once */
    uint64_t clients;
    int code;
};

/* What comes to the listener, whose user is the relay. */
extern const dx_handler relay_client_on;
/* Those who are there may go on for so long. */
void relay_accept_no_more(struct relay *r, int64_t ms);
#endif
