/* SPDX-License-Identifier: MIT
 * ends.c - the local ends: stdio:  fd:N  file:PATH  exec:CMD. A stream like any other, on descriptors of this process. */
#include "base/err.h"
#include "core/stream.h"
#include "net/stack.h"
#include "net/words.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Non-blocking without changing what others see: another process may share the descriptor, so a pipe or a terminal is
 * opened anew; a socket or a file is only doubled. */
static int own_fd(int fd, int mode)
{
    struct stat st;
    char path[32];
    if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int own = open(path, mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (own >= 0)
            return own;
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void close_two(int a, int b)
{
    if (a >= 0)
        close(a);
    if (b >= 0)
        close(b);
}

/* Its on_open comes in the next turn, as every dial's. fds are taken, also on failure. */
static dx_conn *stand(const struct dial *d, const struct layer_type *type, int in, int out,
                      void (*ended)(struct split_stream *), void *owned, dx_err *err)
{
    struct split_stream *s = split_new(d->loop, type, d->set);
    int r = s ? split_adopt(s, in, out) : -ENOMEM;
    if (r < 0) {
        close_two(in, out);
        err_sys(err, 0, -r, "dial %s", d->text);
        stream_throw_away(s ? &s->s : NULL);
        return NULL;
    }
    s->ended = ended;
    s->owned = owned;
    s->s.opening = 1;
    dx_conn *c = stack_dial(d, &s->s.layer, &s->s.queue, false, err);
    if (c)
        stream_open_soon(&s->s);
    return c;
}

static dx_conn *connect_stdio(const struct dial *d, dx_err *err)
{
    int in = own_fd(0, O_RDONLY), out = own_fd(1, O_WRONLY);
    if (in < 0 || out < 0) {
        int error = errno;
        close_two(in, out);
        err_sys(err, 0, error, "dial %s", d->text);
        return NULL;
    }
    return stand(d, &stream_stdio, in, out, NULL, NULL, err);
}

static dx_conn *connect_fd(const struct dial *d, dx_err *err)
{
    char digits[12] = "", *end;
    if (d->url->path.n < sizeof digits)
        memcpy(digits, d->url->path.p, d->url->path.n);
    long fd = strtol(digits, &end, 10);
    if (!digits[0] || *end || fd < 0) {
        err_set(err, DX_URL, "dial %s: fd: wants a number, as fd:3", d->text);
        return NULL;
    }
    int mode = fcntl((int)fd, F_GETFL);
    if (mode < 0) {
        err_sys(err, 0, errno, "dial %s", d->text);
        return NULL;
    }
    mode &= O_ACCMODE;
    struct stat st;
    if (fstat((int)fd, &st) == 0 && S_ISSOCK(st.st_mode)) {
        struct stream *s = stream_new(d->loop, &stream_fd, d->set);
        int own = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
        if (!s || own < 0 || stream_adopt(s, own) < 0) {
            err_sys(err, 0, errno, "dial %s", d->text);
            close_two(own, -1);
            stream_throw_away(s);
            return NULL;
        }
        s->opening = 1;
        dx_conn *c = stack_dial(d, &s->layer, &s->queue, false, err);
        if (c)
            stream_open_soon(s);
        return c;
    }
    int in = mode == O_WRONLY ? -1 : own_fd((int)fd, O_RDONLY), out = mode == O_RDONLY ? -1 : own_fd((int)fd, O_WRONLY);
    if ((mode != O_WRONLY && in < 0) || (mode != O_RDONLY && out < 0)) {
        err_sys(err, 0, errno, "dial %s", d->text);
        close_two(in, out);
        return NULL;
    }
    return stand(d, &stream_fd, in, out, NULL, NULL, err);
}

/* file:PATH reads it; file:PATH#write makes a new one, #append adds. Never over a file that is there. */
static dx_conn *connect_file(const struct dial *d, dx_err *err)
{
    char path[4096];
    struct bytes p = d->url->path;
    int flags = O_RDONLY, fd;
    static const struct {
        const char *tail;
        int flags;
    } modes[] = {{"#write", O_WRONLY | O_CREAT | O_EXCL}, {"#append", O_WRONLY | O_CREAT | O_APPEND}};
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(modes[i].tail);
        if (p.n > n && !memcmp(p.p + p.n - n, modes[i].tail, n)) {
            flags = modes[i].flags;
            p.n -= n;
        }
    }
    if (p.n == 0 || p.n >= sizeof path) {
        err_set(err, DX_URL, "dial %s: which file?", d->text);
        return NULL;
    }
    memcpy(path, p.p, p.n);
    path[p.n] = 0;
    fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    if (fd < 0) {
        err_sys(err, 0, errno, "open %s", path);
        return NULL;
    }
    return stand(d, &stream_file, flags == O_RDONLY ? fd : -1, flags == O_RDONLY ? -1 : fd, NULL, NULL, err);
}

/* ---- exec ---- */

struct child {
    pid_t pid;
};

/* The conn is gone: so is the child's business. Reaped here if it has ended, or by a thread of init after a hang-up. */
static void child_ended(struct split_stream *s)
{
    struct child *c = s->owned;
    if (waitpid(c->pid, NULL, WNOHANG) == 0) {
        kill(-c->pid, SIGHUP);
        for (int i = 0; i < 20 && waitpid(c->pid, NULL, WNOHANG) == 0; i++)
            usleep(1000);
        if (waitpid(c->pid, NULL, WNOHANG) == 0) {
            kill(-c->pid, SIGKILL);
            waitpid(c->pid, NULL, 0);
        }
    }
    free(c);
}

static int spawn_child(char **argv, int in, int out, pid_t *ret)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&at);
    posix_spawn_file_actions_adddup2(&fa, in, 0);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&at, 0);
    posix_spawnattr_setsigmask(&at, &none);
    posix_spawnattr_setsigdefault(&at, &defaults);
    int error = posix_spawnp(ret, argv[0], &fa, &at, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&at);
    return error;
}

/* exec:CMD without a shell: words split at blanks, quotes keep them together. */
static dx_conn *connect_exec(const struct dial *d, dx_err *err)
{
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    char **argv = words_split(d->url->path);
    struct child *child = calloc(1, sizeof *child);
    dx_conn *c = NULL;
    int error = ENOMEM;
    if (argv && !argv[0])
        err_set(err, DX_URL, "dial %s: which command?", d->text);
    else if (!argv || !child || pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        err_sys(err, 0, argv && child ? errno : ENOMEM, "dial %s", d->text);
    else if ((error = spawn_child(argv, to[0], from[1], &child->pid)) != 0)
        err_sys(err, 0, error, "run %s", argv[0]);
    words_free(argv);
    close_two(to[0], from[1]);
    if (error) {
        close_two(to[1], from[0]);
        free(child);
        return NULL;
    }
    fcntl(to[1], F_SETFL, O_NONBLOCK); /* these ends are ours alone */
    fcntl(from[0], F_SETFL, O_NONBLOCK);
    c = stand(d, &stream_exec, from[0], to[1], child_ended, child, err);
    return c;
}

const struct scheme scheme_stdio = {"stdio", NULL, connect_stdio};
const struct scheme scheme_fd = {"fd", NULL, connect_fd};
const struct scheme scheme_file = {"file", NULL, connect_file};
const struct scheme scheme_exec = {"exec", NULL, connect_exec};
