/* SPDX-License-Identifier: MIT
 * listen_rules.h - duplex listen --rules FILE: the clients of a rules file. tool/rules.h decides, this sends. */
#ifndef TOOL_LISTEN_RULES_H
#define TOOL_LISTEN_RULES_H
#include "tool/options.h"
#include "tool/rules.h"

struct listen_rules {
    struct rules_given given; /* its name is the file's path                             */
    struct rules *rules;      /* as last read without a fault                            */
    bool once, verbose;
    void (*on_first)(void *arg); /* under --once: accept no more                         */
    void *arg;

    /* its own, zero at first */
    dx_id served;
    uint64_t clients, seed;
    int code;                 /* of the one client under --once                          */
};
/* Reads the file that the options name, and --frame and --encoding, which win over it. -1: go on; else it has said what is
 * wrong: the exit code. */
int listen_rules_read(struct listen_rules *l, const struct options *o);
/* Reads it again: where it has faults, the rules stay as they are. Clients take the new ones the next time something happens. */
void listen_rules_reload(struct listen_rules *l);
void listen_rules_free(struct listen_rules *l);
/* For dx_serve, with the struct as user and neither frame nor coding in dx_opts. */
extern const dx_handler listen_rules_on;
#endif
