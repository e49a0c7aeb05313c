/* SPDX-License-Identifier: MIT
 * save.c - what arrives on a conn goes into a file. The handler keeps all its calls but on_data. Where the conn stands right on
 * a stream, the stream moves the bytes itself (save.h); all else comes by data. */
#include "core/save.h"
#include "core/stream.h"
#include "os/fd.h"
#include <stdlib.h>

struct saver {
    dx_handler on; /* first: the conn's handler from now on */
    const dx_handler *before;
    int64_t left; /* -1: no limit                          */
    int fd;
    bool regular; /* not a pipe, where the writing waits   */
};

static struct saver *saver_of(dx_conn *c)
{
    return (struct saver *)(uintptr_t)c->on;
}

/* n bytes have gone into the file, or -errno. */
static void wrote(dx_conn *c, int64_t n)
{
    struct saver *s = saver_of(c);
    s->left -= s->left >= 0 && n > 0 ? n : 0;
    if (n >= 0)
        return;
    conn_set_why(c, DX_SYS, DX_OF_ERRNO, (int)-n, "what arrived could not be written to its file");
    dx_abort(c);
}

static void data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    struct saver *s = saver_of(c);
    (void)how;
    if (s->left >= 0 && n > (uint64_t)s->left) {
        conn_set_why(c, DX_BIG, DX_OF_NOTHING, 0, "more arrived than was to be saved");
        dx_abort(c);
        return;
    }
    wrote(c, os_fd_write(s->fd, p, n));
}

static bool is_saved(const dx_conn *c)
{
    return c && c->on->on_data == data && !c->quiet && !c->gone;
}

int save_file(const struct layer *l, size_t *ret_max)
{
    dx_conn *c = conn_of_layer(l);
    if (!is_saved(c))
        return -1;
    const struct saver *s = saver_of(c);
    *ret_max = s->left < 0 ? SIZE_MAX : (size_t)s->left;
    return s->regular && s->left != 0 ? s->fd : -1;
}

void save_filed(struct layer *l, ssize_t n)
{
    if (is_saved(conn_of_layer(l)))
        wrote(conn_of_layer(l), n);
}

static void closed(dx_conn *c, const dx_err *why)
{
    struct saver *s = saver_of(c);
    c->on = s->before;
    os_fd_close(s->fd);
    free(s);
    if (c->on->on_close)
        c->on->on_close(c, why);
}

int dx_save(dx_conn *c, int fd, int64_t n_max)
{
    if (c->gone || c->quiet || c->taken)
        return DX_STATE;
    struct saver *s = malloc(sizeof *s);
    int own = s ? os_fd_dup(fd) : -1;
    if (!s)
        return DX_NOMEM;
    if (own < 0) {
        free(s);
        return DX_SYS;
    }
    bool regular = os_fd_rest(fd, 0) != INT64_MAX;
    *s = (struct saver){.on = *c->on, .before = c->on, .left = n_max, .fd = own, .regular = regular};
    s->on.on_data = data;
    s->on.on_close = closed;
    c->on = &s->on;
    c->taken = 1;
    struct stream *below = stream_of(c->layer.below);
    if (below)
        stream_may_file(below);
    return 0;
}
