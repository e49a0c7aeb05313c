/* SPDX-License-Identifier: MIT
 * ends.c - the local ends: stdio:  fd:N  file:PATH  exec:CMD. A stream like any other, on descriptors of this process. */
#include "base/err.h"
#include "core/stream.h"
#include "net/stack.h"
#include "net/words.h"
#include "os/fd.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Its on_open comes in the next turn, as every dial's. fds are taken, also on failure. */
static dx_conn *stand(const struct dial *d, const struct layer_type *type, int in, int out,
                      void (*ended)(struct split_stream *), void *owned, dx_err *err)
{
    struct split_stream *s = split_new(d->loop, type, d->set);
    if (s) {
        s->ended = ended;
        s->owned = owned;
    }
    int r = s ? split_adopt(s, in, out) : -ENOMEM;
    if (r < 0) {
        os_fd_close(in);
        os_fd_close(out);
        err_sys(err, 0, -r, "dial %s", d->text);
        stream_throw_away(s ? &s->s : NULL);
        return NULL;
    }
    s->s.opening = 1;
    dx_conn *c = stack_dial(d, &s->s.layer, &s->s.queue, false, err);
    if (c)
        stream_open_soon(&s->s);
    return c;
}

static dx_conn *both_or_error(const struct dial *d, const struct layer_type *type, int use, int in, int out,
                              dx_err *err)
{
    if ((use & OS_FD_READS && in < 0) || (use & OS_FD_WRITES && out < 0)) {
        err_sys(err, 0, errno, "dial %s", d->text);
        os_fd_close(in);
        os_fd_close(out);
        return NULL;
    }
    return stand(d, type, in, out, NULL, NULL, err);
}

static dx_conn *connect_stdio(const struct dial *d, dx_err *err)
{
    int in = os_fd_own(0, false), out = in < 0 ? -1 : os_fd_own(1, true);
    return both_or_error(d, &stream_stdio, OS_FD_READS | OS_FD_WRITES, in, out, err);
}

static dx_conn *connect_socket(const struct dial *d, int fd, dx_err *err)
{
    struct stream *s = stream_new(d->loop, &stream_fd, d->set);
    int own = os_fd_dup(fd);
    int r = !s ? -ENOMEM : own < 0 ? -errno : stream_adopt(s, own);
    if (r < 0) {
        os_fd_close(own);
        stream_throw_away(s);
        err_sys(err, 0, -r, "dial %s", d->text);
        return NULL;
    }
    s->opening = 1;
    os_recv(&d->loop->engine, &s->port, false); /* on_open first */
    dx_conn *c = stack_dial(d, &s->layer, &s->queue, false, err);
    if (c)
        stream_open_soon(s);
    return c;
}

static dx_conn *connect_fd(const struct dial *d, dx_err *err)
{
    int fd = (int)strtol((const char *)d->url->path.p, NULL, 10); /* url_parse let digits alone through */
    int use = os_fd_use(fd);
    if (use < 0) {
        err_sys(err, 0, errno, "dial %s", d->text);
        return NULL;
    }
    if (use & OS_FD_SOCKET)
        return connect_socket(d, fd, err);
    int in = use & OS_FD_READS ? os_fd_own(fd, false) : -1;
    int out = use & OS_FD_WRITES ? os_fd_own(fd, true) : -1;
    return both_or_error(d, &stream_fd, use, in, out, err);
}

/* file:PATH reads it; file:PATH#write makes a new one, #append adds. Never over a file that is there. */
static dx_conn *connect_file(const struct dial *d, dx_err *err)
{
    char path[4096];
    struct bytes p = d->url->path;
    enum os_open how = OS_READ;
    static const struct {
        const char *tail;
        enum os_open how;
    } modes[] = {{"#write", OS_WRITE_NEW}, {"#append", OS_APPEND}};
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(modes[i].tail);
        if (p.n > n && !memcmp(p.p + p.n - n, modes[i].tail, n)) {
            how = modes[i].how;
            p.n -= n;
        }
    }
    if (p.n == 0 || p.n >= sizeof path) {
        err_set(err, DX_URL, "dial %s: which file?", d->text);
        return NULL;
    }
    memcpy(path, p.p, p.n);
    path[p.n] = 0;
    int fd = os_open(path, how);
    if (fd < 0) {
        err_sys(err, 0, errno, "open %s", path);
        return NULL;
    }
    return stand(d, &stream_file, how == OS_READ ? fd : -1, how == OS_READ ? -1 : fd, NULL, NULL, err);
}

/* ---- exec ---- */

static void child_ended(struct split_stream *s)
{
    os_reap((int)(intptr_t)s->owned);
}

/* exec:CMD without a shell: words split at blanks, quotes keep them together. */
static dx_conn *connect_exec(const struct dial *d, dx_err *err)
{
    char **argv = words_split(d->url->path);
    int pid, in, out, error = argv ? 0 : ENOMEM;
    if (argv && !argv[0]) {
        err_set(err, DX_URL, "dial %s: which command?", d->text);
        words_free(argv);
        return NULL;
    }
    if (!error)
        error = os_spawn(argv, d->set->o.env, &pid, &in, &out);
    if (error)
        err_sys(err, 0, error, "run %s", argv ? argv[0] : d->text);
    words_free(argv);
    return error ? NULL : stand(d, &stream_exec, in, out, child_ended, (void *)(intptr_t)pid, err);
}

const struct scheme scheme_stdio = {.name = "stdio", .connect = connect_stdio};
const struct scheme scheme_fd = {.name = "fd", .connect = connect_fd};
const struct scheme scheme_file = {.name = "file", .connect = connect_file};
const struct scheme scheme_exec = {.name = "exec", .connect = connect_exec};
