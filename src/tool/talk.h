/* SPDX-License-Identifier: MIT
 * talk.h - one conn joined to stdin and stdout: what `dial` does, and `listen` with its first client.
 *
 * On pipes: exact bytes both ways; the end of stdin is said to the peer and what still comes is printed until the
 * peer's end; the peer's end closes stdout, and what still comes on stdin is sent. On a terminal (talk_terminal.h) what comes
 * is shown so that the terminal obeys none of it, and exit, an empty line, Ctrl-D or the peer's end ends. */
#ifndef TOOL_TALK_H
#define TOOL_TALK_H
#include "tool/every.h"
#include "tool/feed.h"
#include "tool/manner.h"
#include "tool/options.h"
#include "tool/retry.h"
#include "tool/show.h"
#include "tool/steps.h"
#include "tool/ws_options.h"

struct talk {
    dx_loop *loop;
    const char *doing, *url; /* for the words: "dial", "tcp://..."                              */
    const char *frame;       /* stdin into messages, where the wire has messages; NULL: its own */
    const char *coding;      /* the wire does it; NULL: none                                    */
    const char *exit_word;   /* typed, it ends; "": none does                                   */
    bool listening;          /* conns come by dx_serve: only a joined one's end is ours         */
    bool once, verbose;
    int64_t idle_ends_ms; /* after the end of stdin; 0: the wire's own way                   */
    struct manner manner; /* how it goes, by the options                                     */
    struct retry retry;
    struct ws_options ws;
    void (*on_joined)(struct talk *t, dx_conn *c); /* the conn stands; NULL: nothing to do      */
    int (*redial)(struct talk *t);                 /* dials anew, for retry: 0, or the exit code, having said why */
    void *user;                                    /* for these two                                                   */

    /* its own, zero at first */
    dx_conn *wire, *here;           /* here: stdin and stdout                                          */
    const char *shown_as;           /* the coding of what comes up to us                               */
    struct talk_terminal *terminal; /* in place of here, where both are a terminal              */
    struct feed feed;
    struct show show;
    bool from_option; /* --send: stdin is not read                                       */
    dx_text line_end; /* behind each message on stdout; n 0: nothing                     */
    struct steps steps;
    bool typed, shown; /* stdin, stdout are terminals                                     */
    bool joined, half_close, show_timer, websocket;
    bool unseen; /* nothing has to look at what passes: see talk_pass                   */
    bool input_ended, input_said, peer_ended;
    bool met, lost; /* what was waited for came; the peer ended too early, which retry mends */
    struct every *every;
    dx_text content; /* stdin, which every repeats                                      */
    int64_t retry_timer;
    dx_conn *early; /* a terminal that is listened to before there is a first conn         */
    bool trying;    /* after a first try, until a conn stands: what is typed waits         */
    int tried;      /* the exit code of the last try                                   */
    int64_t heard;  /* when data last came                                             */
    uint64_t came;  /* messages, or pieces of bytes                                    */
    bool alert;     /* the first of them is a TLS alert                                */
    bool fell_silent; /* so it ended: nothing came for idle_ends_ms                      */
    int code;
};

/* Fills in what the options say. -1, or the exit code, having said what is wrong; talk_free then. */
int talk_options(struct talk *t, const struct options *o);
/* The handler for dx_connect and dx_serve, with the talk as user. A second conn is broken off. */
extern const dx_handler talk_on;
void talk_free(struct talk *t); /* of what talk_options took; talk_run does it too */
/* A line was typed, with its end; no more will be. */
void talk_typed(struct talk *t, const char *line, size_t n);
void talk_typed_end(struct talk *t);
/* Runs the loop of tool_signals, which is t->loop, until the talk is over, then frees what the talk holds; returns the exit code. */
int talk_run(struct talk *t);
#endif
