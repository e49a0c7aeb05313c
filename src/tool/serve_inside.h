/* SPDX-License-Identifier: MIT
 * serve_inside.h - what the files of `duplex serve` share: serve.c has its options, its member and its end, serve_open.c its addresses and
 * what it says of them. */
#ifndef TOOL_SERVE_INSIDE_H
#define TOOL_SERVE_INSIDE_H
#include "hub/hub.h"
#include "tool/faults.h"
#include "tool/options.h"
#include "tool/prompt.h"
#include "tool/rests.h"
#include "tool/site.h"
#include "tool/trust.h"

struct serve {
    struct options o;
    dx_loop *loop;
    struct hub *hub;
    struct hub_local *member;
    struct prompt *prompt;
    struct trust trust;
    struct site site;
    struct faults faults; /* of TLS */
    struct rests rests;
    char key[128];
    char port[8];      /* of the first network address: the others take the same */
    char lan_host[64]; /* the first address of the network that is open           */
    uint64_t unlogged; /* lines that stdout had no room for                       */
    bool terminal, open_to_all, lan_done;
};

void serve_say(struct serve *s, const char *text, size_t n); /* on the terminal, if there is one */

/* ---- serve_open.c ---- */

int serve_listen(struct serve *s);             /* on all that was asked for; -1, or the exit code, having said why */
void serve_on_lan(void *arg, dx_text *answer); /* hub_watch.lan: /lan was said, to the struct serve arg */
void serve_banner(struct serve *s);            /* on a terminal: the first five minutes        */
void serve_say_listening(struct serve *s);     /* without one: a line an address, on stderr    */
#endif
