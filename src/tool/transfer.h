/* SPDX-License-Identifier: MIT
 * transfer.h - what `send` and `recv` share: one conn, dialled or the first that comes; how far it is, on stderr; the exit code.
 *
 * A command holds a transfer as the first member of its own struct, which dx_user of the conn is, and gives a handler. Its
 * on_open begins with transfer_join, its on_close calls transfer_closed. The first failure is the cause: it breaks the conn off,
 * so that the other side does not take a part for the whole. */
#ifndef TOOL_TRANSFER_H
#define TOOL_TRANSFER_H
#include "tool/faults.h"
#include "tool/options.h"
#include "tool/progress.h"
#include "tool/trust.h"

struct transfer {
    const char *doing, *url, *file; /* for the words: "send", "tcp://...", "photo.jpg"                  */
    bool listens;
    int64_t size;                   /* of all that is to come or go; -1: nobody knows                    */
    int64_t (*moved)(struct transfer *t); /* bytes until now                                            */
    void (*ticks)(struct transfer *t);    /* each tenth of a second while the conn stands; NULL: nothing */

    /* its own, zero at first */
    dx_loop *loop;
    dx_listener *listener;
    struct trust trust;
    struct faults faults; /* of TLS, under -v */
    dx_opts opts;
    dx_conn *wire;                  /* NULL: not yet, or not any more                                    */
    char peer[256];                 /* who is at the other end, as far as that is known                  */
    struct progress progress;
    int64_t timer, shown_ms;
    bool joined, quiet, verbose, redraws, drawn;
    bool done;                      /* all went as it should                                             */
    int code;
};
/* Takes the options, the URL and the trust; o->args is then the URL alone. -1: go on; else the exit code: it has said why. */
int transfer_read(struct transfer *t, struct options *o, const char *url, const char *file, bool listens);
/* From the first word on the wire to the exit code. */
int transfer_run(struct transfer *t, const dx_handler *on);
/* Is c the one? Another is broken off. */
bool transfer_join(struct transfer *t, dx_conn *c);
/* Says so and breaks off what there is. */
void transfer_fail(struct transfer *t, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void transfer_done(struct transfer *t); /* all is there, or there: the conn ends in order */
/* on_close of any conn: words and exit code, where there are none yet. Is it the transfer's? Then the command ends. */
bool transfer_closed(struct transfer *t, dx_conn *c, const dx_err *why);
#endif
