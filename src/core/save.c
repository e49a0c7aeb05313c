/* SPDX-License-Identifier: MIT
 * save.c - what arrives on a conn goes into a file. The handler keeps all its calls but on_data. */
#include "core/conn.h"
#include "os/fd.h"
#include <stdlib.h>

struct saver {
    dx_handler on; /* first: the conn's handler from now on */
    const dx_handler *before;
    int64_t left; /* -1: no limit                          */
    int fd;
};

static struct saver *saver_of(dx_conn *c)
{
    return (struct saver *)(uintptr_t)c->on;
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
    s->left -= s->left >= 0 ? (int64_t)n : 0;
    int64_t r = os_fd_write(s->fd, p, n);
    if (r >= 0)
        return;
    conn_set_why(c, DX_SYS, DX_OF_ERRNO, (int)-r, "what arrived could not be written to its file");
    dx_abort(c);
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
    *s = (struct saver){.on = *c->on, .before = c->on, .left = n_max, .fd = own};
    s->on.on_data = data;
    s->on.on_close = closed;
    c->on = &s->on;
    c->taken = 1;
    return 0;
}
