/* SPDX-License-Identifier: MIT
 * fetch_give.c - what goes down from a fetch's conn: to the exchange that carries it now, and kept in case it has to be said again. */
#include "core/conn.h"
#include "net/fetch_inside.h"
#include "os/fd.h"

static void lose(struct request *r)
{
    dx_text_free(&r->body);
    os_fd_close(r->file);
    r->file = -1;
    r->lost = 1;
}

static void keep(struct request *r, const struct span *v, size_t count)
{
    for (size_t i = 0; i < count && !r->lost; i++)
        if (r->file >= 0 || v[i].n > FETCH_AGAIN_MAX - r->body.n || dx_text_add(&r->body, v[i].p, v[i].n) < 0)
            lose(r);
}

void fetch_trails(dx_conn *c)
{
    if (c->layer.below && c->layer.below->type == &fetch_layer)
        lose(&fetch_of(c->layer.below)->ask);
}

int fetch_give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct fetch *f = fetch_of(l);
    if (f->ask.whole)
        return DX_STATE;
    keep(&f->ask, v, count);
    f->in->want_writable = 1;
    return layer_give_below(l, v, count, how);
}

int fetch_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    struct fetch *f = fetch_of(l);
    struct request *r = &f->ask;
    if (r->whole) {
        os_fd_close(fd);
        return DX_STATE;
    }
    int again = r->body.n == 0 && !r->lost && (int64_t)n == r->length ? os_fd_dup(fd) : -1;
    if (n)
        lose(r);
    if (again >= 0) {
        r->file = again;
        r->file_off = off;
        r->lost = 0;
    }
    f->in->want_writable = 1;
    return layer_give_file_below(l, fd, off, n, how);
}

int fetch_finish(struct layer *l)
{
    struct fetch *f = fetch_of(l);
    f->ask.whole = 1;
    return layer_finish_below(l);
}
