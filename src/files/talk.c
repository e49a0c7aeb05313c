/* SPDX-License-Identifier: MIT
 * talk.c - an answer that is a stream: a step at a time, while its conn takes it. All streams of a folder stand in one line, and a turn of
 * the loop does the first few steps of it: however many there are, they are not the others' wait. */
#include "files/inside.h"
#include <stdlib.h>

enum { STEPS_A_TURN = 16 };

static void line_add(struct files_talk *t)
{
    struct files *f = t->files;
    t->waits = true;
    t->next = NULL;
    t->before = f->last;
    *(f->last ? &f->last->next : &f->first) = t;
    f->last = t;
}

static void line_drop(struct files_talk *t)
{
    struct files *f = t->files;
    *(t->before ? &t->before->next : &f->first) = t->next;
    *(t->next ? &t->next->before : &f->last) = t->before;
    t->waits = false;
}

static void break_off(struct files_talk *t)
{
    t->done = true;
    dx_abort(t->c); /* the client sees that the end is missing */
}

static void run_line(void *arg);

static bool run_soon(struct files *f, dx_loop *l)
{
    if (f->timer <= 0)
        f->timer = dx_loop_after(l, 0, run_line, f);
    return f->timer > 0;
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
        line_add(t);
    }
}

static void do_step(struct files_talk *t)
{
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

static void run_line(void *arg)
{
    struct files *f = arg;
    f->timer = 0;
    for (int i = 0; i < STEPS_A_TURN && f->first; i++) {
        struct files_talk *t = f->first;
        line_drop(t);
        do_step(t);
    }
    while (f->first && !run_soon(f, dx_loop_of(f->first->c))) { /* no memory: not even for that */
        struct files_talk *t = f->first;
        line_drop(t);
        break_off(t);
    }
}

void files_more(struct files_talk *t)
{
    if (t->done || t->waits)
        return;
    if (run_soon(t->files, dx_loop_of(t->c)))
        line_add(t);
    else
        break_off(t);
}

void files_gone(struct files_talk *t)
{
    struct files *f = t->files;
    if (t->waits)
        line_drop(t);
    if (!f->first && f->timer > 0) {
        dx_loop_cancel(dx_loop_of(t->c), f->timer);
        f->timer = 0;
    }
    t->free(t);
    dx_text_free(&t->out);
    free(t);
}
