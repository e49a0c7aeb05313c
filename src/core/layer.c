/* SPDX-License-Identifier: MIT */
#include "core/layer.h"
#include "core/conn.h"
#include "core/loop.h"
#include "os/fd.h"

void layer_opened_above(struct layer *l)
{
    if (l->above)
        l->above->type->opened(l->above);
}

void layer_ended_above(struct layer *l)
{
    if (l->above)
        l->above->type->ended(l->above);
}

void layer_writable_above(struct layer *l)
{
    if (l->above)
        l->above->type->writable(l->above);
}

void layer_closed_above(struct layer *l, const dx_err *why)
{
    if (l->above)
        l->above->type->closed(l->above, why);
}

int layer_give_below(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    return l->below->type->give(l->below, v, count, how);
}

int layer_give_msg_plain(struct layer *l, dx_msg *m)
{
    dx_bytes b = dx_msg_bytes(m);
    struct span v = {NULL, b.p, b.n};
    return l->type->give(l, &v, 1, msg_how(m));
}

int layer_give_file_below(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    return l->below->type->give_file(l->below, fd, off, n, how);
}

int layer_give_file_absent(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    (void)l;
    (void)off;
    (void)n;
    (void)how;
    os_fd_close(fd);
    return DX_ABSENT;
}

int layer_finish_below(struct layer *l)
{
    return l->below->type->finish(l->below);
}

void layer_pause_below(struct layer *l, bool on)
{
    l->below->type->pause(l->below, on);
}

void layer_close_below(struct layer *l)
{
    l->below->type->close(l->below);
}

void layer_abort_below(struct layer *l)
{
    l->below->type->abort(l->below);
}

bool layer_ends_itself(const struct layer *l)
{
    (void)l;
    return true;
}

void layer_put_above(struct layer *below, struct layer *l)
{
    l->below = below;
    below->above = l;
}

void layer_remove(struct layer *l, dx_loop *loop)
{
    if (l->below)
        l->below->above = l->above;
    if (l->above)
        l->above->below = l->below;
    loop_bury(loop, l);
}

void layer_replace(struct layer *old, struct layer *now, dx_loop *loop)
{
    now->below = old->below;
    now->above = old->above;
    if (now->below)
        now->below->above = now;
    if (now->above)
        now->above->below = now;
    loop_bury(loop, old);
}

void layer_bury_stack(struct layer *top, dx_loop *loop)
{
    while (top) {
        struct layer *below = top->below;
        loop_bury(loop, top);
        top = below;
    }
}

struct layer *layer_bottom(struct layer *l)
{
    while (l->below)
        l = l->below;
    return l;
}

struct dx_conn *layer_conn(const struct layer *l)
{
    while (l->above)
        l = l->above;
    return conn_of_layer(l);
}

bool layer_stopped(const struct layer *l)
{
    const struct dx_conn *c = layer_conn(l);
    return c && conn_stopped(c);
}

void layer_feed_again(struct layer *l)
{
    if (!layer_stopped(l))
        l->below->type->pause(l->below, false);
}

void layer_fail(struct layer *l, int code, int detail_of, int detail, const char *text)
{
    struct dx_conn *c = layer_conn(l);
    if (c) {
        conn_set_why(c, code, detail_of, detail, text);
        conn_broken(c);
    }
    l->below->type->close(l->below);
}
