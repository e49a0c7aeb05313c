/* SPDX-License-Identifier: MIT
 * talk_inside.h - what the files of a talk share. talk.c has its conns, their beginnings and ends; talk_input.c what goes to the wire,
 * talk_output.c what comes from it, talk_send.c what goes without stdin,
 * talk_pass.c what passes unseen, talk_wait.c what is waited for and told, talk_again.c the dialling again. */
#ifndef TOOL_TALK_INSIDE_H
#define TOOL_TALK_INSIDE_H
#include "tool/talk.h"

/* ---- talk.c ---- */

void talk_over(struct talk *t);                               /* closes the wire                        */
void talk_verdict(struct talk *t, int code);                  /* the exit code; the first one stays      */
void talk_failed(struct talk *t, int code, const char *text); /* says it, and both of these */
void talk_maybe_stop(struct talk *t);                         /* ends the loop where nothing is left      */
void talk_here_over(struct talk *t);                          /* no wire comes: stdout gets what it has yet to, and is closed */

/* ---- talk_input.c: from stdin to the wire ---- */

void talk_here_data(dx_conn *c, const void *data, size_t n, unsigned how); /* on_data of stdin          */
void talk_went(void *arg, dx_bytes data, unsigned how); /* feed.went: a message has gone, of the talk arg     */
void talk_pump(struct talk *t);                   /* sends what there is room for; at the end says that */
void talk_input_failed(struct talk *t, int code); /* enum dx_code                                       */

/* ---- talk_output.c: from the wire to stdout ---- */

void talk_wire_data(dx_conn *c, const void *data, size_t n, unsigned how); /* on_data of the wire       */
void talk_print(struct talk *t, const void *p, size_t n); /* on stdout, or the terminal                 */
void talk_print_rest(struct talk *t);                     /* half a line that waits for its other half  */
int talk_read_line_end(
    struct talk *t); /* what cuts stdin into messages stands between those on stdout: 0 or enum dx_code */

/* ---- talk_pass.c: bytes that nothing looks at ---- */

bool talk_sees_nothing(const struct talk *t); /* by its options, its ends and its wire        */
/* 1: taken; 0: to takes no more, and its end will say why; or enum dx_code. */
int talk_pass(dx_conn *from, dx_conn *to, const void *data, size_t n);

/* ---- talk_send.c: --send, --every ---- */

bool talk_repeats_stdin(
    const struct talk *t); /* then what comes from stdin goes to talk_gather, its end to talk_content_ended */
void talk_gather(struct talk *t, const void *data, size_t n);
void talk_content_ended(struct talk *t);
void talk_begin_sending(struct talk *t); /* the wire stands, and so does stdout */
/* There is more to say than stdin has, or to hear: the end of stdin is not the end. */
bool talk_goes_on(const struct talk *t);

/* ---- talk_wait.c: --wait-for, --json, --checksum ---- */

int talk_wait(struct talk *t, dx_conn *c); /* begins to, where it is asked for: 0 or DX_NOMEM */
void talk_look_for(struct talk *t, dx_bytes came, bool whole);
void talk_unmet(struct talk *t, const char *when);
/* Prints the line in events.out; r: what making it returned. */
void talk_print_event(struct talk *t, int r);
void talk_tell_close(struct talk *t, const dx_conn *c, const dx_err *why, int code);
/* Has nothing come at all for what we sent? It says so. TOOL_UNMET where one answer was to come (--once), else 0. */
int talk_silence_verdict(struct talk *t, const dx_conn *c);
int talk_drops_verdict(struct talk *t); /* 0, or TOOL_UNMET, having said how many were lost */
int talk_sums_verdict(struct talk *t);  /* 0, or TOOL_UNMET, having said how many were wrong */

/* ---- talk_again.c: --retry ---- */

/* The wire is gone. Will another one come? Then what stdin has not said yet waits for it. */
bool talk_tries_again(struct talk *t, const dx_err *why);
void talk_tries_no_more(struct talk *t);
void talk_tries_over(struct talk *t);          /* the user has enough: ends, with what the last try came to */
void talk_hears_no_more_early(struct talk *t); /* a conn stands: the prompt, or stdin, takes over           */
#endif
