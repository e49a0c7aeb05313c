/* SPDX-License-Identifier: MIT
 * talk.c - an answer that is a stream: a step at a time, while the conn takes it. Where the conn could take more at once, the next
 * step is in the next turn all the same, so that one stream is not the others' wait. */
#include "files/inside.h"
#include <stdlib.h>

static void go_on(void *arg)
{
    struct files_talk *t = arg;
    t->timer = 0;
    files_more(t);
}

static void break_off(struct files_talk *t)
{
    t->done = true;
    dx_abort(t->c); /* the client sees that the end is missing */
}

static void sent(struct files_talk *t, int r)
{
    dx_text_clear(&t->out);
    if (r < 0) {
        t->done = true;
    } else if (t->last) {
        t->done = true;
        dx_finish(t->c);
    } else if (r == 0) {
        t->timer = dx_loop_after(dx_loop_of(t->c), 0, go_on, t);
        if (t->timer < 0)
            break_off(t);
    }
}

void files_more(struct files_talk *t)
{
    if (t->done || t->timer > 0)
        return;
    if (!t->out.n) {
        int more = t->step(t, &t->out);
        if (more < 0) {
            break_off(t);
            return;
        }
        t->last = !more;
    }
    int r = t->out.n ? dx_send(t->c, t->out.p, t->out.n, 0) : 0;
    if (r != DX_FULL)
        sent(t, r);
}

void files_gone(struct files_talk *t)
{
    if (t->timer > 0)
        dx_loop_cancel(dx_loop_of(t->c), t->timer);
    t->free(t);
    dx_text_free(&t->out);
    free(t);
}
