/* SPDX-License-Identifier: MIT
 * stack.h - which layers stand on a transport: framing and coding as dx_opts wish, http, ws, the sniffer; and the conn. */
#ifndef NET_STACK_H
#define NET_STACK_H
#include "core/conn.h"
#include "core/listener.h"
#include "core/scheme.h"

/* bottom -> [frame] -> [coding] -> conn, already open; on datagrams each one is a message. 0 or < 0. */
int stack_plain(dx_listener *s, struct layer *bottom, struct queue *q);
int stack_datagrams(dx_listener *s, struct layer *bottom, struct queue *q);
int stack_http(dx_listener *s, struct layer *bottom, struct queue *q); /* exchanges on an HTTP/1.1 connection  */
int stack_ws(dx_listener *s, struct layer *bottom, struct queue *q);   /* accepts every handshake on s->path   */
int stack_any(dx_listener *s, struct layer *bottom, struct queue *q);  /* the first bytes decide               */

/* The layers of dx_opts.frame and .coding on below; *ret_top is what the conn stands on, *ret_messages whether it sees
 * messages. 0, or < 0 with *err filled and nothing left behind. */
int stack_codings(struct layer *below, const struct settings *set, dx_loop *loop, bool messages, struct layer **ret_top,
                  bool *ret_messages, dx_err *err);
void stack_undo(struct layer *below);                     /* frees what stands on below: no conn did yet */
void stack_drop(struct layer *bottom);                    /* the same, and breaks it off, which opens     */
int stack_check(const struct settings *set, dx_err *err); /* are frame and coding well spelt? for serve        */
/* A plain conn for a dial on bottom: codings and conn. NULL with *err filled. */
dx_conn *stack_dial(const struct dial *d, struct layer *bottom, struct queue *q, bool messages, dx_err *err);
#endif
