/* SPDX-License-Identifier: MIT
 * listen_answers.h - `listen` with --echo, --upper, --reply or --exec: each client is answered by itself, over every wire. A datagram source is
 * answered with bounds (bucket.h). rules.h and listen_rules.h are the answers that a file says. */
#ifndef TOOL_LISTEN_ANSWERS_H
#define TOOL_LISTEN_ANSWERS_H
#include "tool/reply.h"
#include <duplex/duplex.h>

struct listen_answers {
    bool upper, once, verbose;
    const char *exec; /* a command; NULL: none */
    struct reply reply;
    void (*on_first)(void *arg); /* under --once: its client is there */
    void *arg;

    /* its own, zero at first */
    dx_id served; /* under --once */
    uint64_t clients;
    int code; /* of the one that --once served */
};
/* For dx_serve, with the answers as user. */
extern const dx_handler listen_answers_on;
#endif
