/* SPDX-License-Identifier: MIT
 * stream_inside.h - what stream.c (the flow: what happens in the loop's turn) and stream_verbs.c (what is asked from above, and
 * making one) share, and nobody else. */
#ifndef CORE_STREAM_INSIDE_H
#define CORE_STREAM_INSIDE_H
#include "core/stream.h"

enum { STREAM_IOV_MAX = 64 };
extern const struct os_port_ops stream_port_ops, stream_out_ops;

/* Flush and the rest at the end of the turn. */
static inline void stream_later(struct stream *s)
{
    if (!s->chore.waiting) /* most sends are not the first of their turn */
        loop_chore(s->queue.loop, &s->chore);
}
/* Where it writes. */
static inline struct os_port *stream_out(struct stream *s)
{
    return s->split ? &((struct split_stream *)s)->out : &s->port;
}
bool stream_stopped(const struct stream *s);  /* nothing may go up now                       */
void stream_touched(struct stream *s);        /* bytes moved: not idle                       */
void stream_no_memory(struct stream *s);      /* ends it at the end of the turn              */
void stream_set_timer(struct stream *s, int64_t ms);
void stream_timer_fire(struct timer *t, dx_loop *l);
void stream_chore_run(struct chore *c, dx_loop *l);
void stream_end(struct stream *s, const dx_err *why); /* now: closed goes up                        */
#endif
