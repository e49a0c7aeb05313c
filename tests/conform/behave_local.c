/* SPDX-License-Identifier: MIT
 * behave_local.c - local ends: pipes, sockets handed over, files, commands. */
#include "conform.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char scratch[64];

static struct end *dial_fd(struct world *w, int fd, const dx_handler *on)
{
    char url[32];
    snprintf(url, sizeof url, "fd:%d", fd);
    return dial(w, url, on);
}

static void pipe_in(struct world *w)
{
    int v[2];
    MUST(pipe(v) == 0);
    MUST_DO(dial_fd(w, v[0], &on_quiet));
    MUST(write(v[1], pattern(0), 5000) == 5000);
    WAIT(w->c->got == 5000);
    MUST(dx_kind_of(w->c->c) == DX_BYTES);
    MUST_STR(dx_wire(w->c->c), "fd");
    close(v[1]);
    WAIT(w->c->ends);
    end_close(w->c);
    WAIT(w->c->closes);
    close(v[0]);
}

static void pipe_out(struct world *w)
{
    int v[2];
    uint8_t b[8192];
    size_t got = 0;
    ssize_t r;
    MUST(pipe2(v, O_CLOEXEC) == 0);
    fcntl(v[0], F_SETFL, O_NONBLOCK);
    MUST_DO(dial_fd(w, v[1], &on_default));
    WAIT(w->c->opens);
    MUST_INT(put(w->c, 300 * KIB), 0); /* more than a pipe holds */
    end_close(w->c);
    while (!w->report->failed && got < 300 * KIB) {
        while ((r = read(v[0], b, sizeof b)) > 0) {
            MUST(!memcmp(b, pattern(got), (size_t)r));
            got += (size_t)r;
        }
        pass(w, 1);
    }
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
    close(v[1]);
    MUST(read(v[0], b, 1) == 0);
    close(v[0]);
}

/* The reader of our pipe is gone: an error with words, and no SIGPIPE. */
static void pipe_broken(struct world *w)
{
    int v[2];
    MUST(pipe(v) == 0);
    MUST_DO(dial_fd(w, v[1], &on_quiet));
    WAIT(w->c->opens);
    close(v[0]);
    put(w->c, 1000);
    WAIT(w->c->closes);
    MUST_INT(w->c->why.code, DX_RESET);
    close(v[1]);
}

static void fd_bad(struct world *w)
{
    dx_err err = {0};
    MUST(!dx_connect(w->loop, "fd:987", &on_quiet, NULL, NULL, &err));
    MUST(err.code < 0 && strstr(err.text, "987"));
    MUST(!dx_connect(w->loop, "fd:x", &on_quiet, NULL, NULL, &err));
    MUST_INT(err.code, DX_URL);
    MUST(!dx_connect(w->loop, "file:/no/such/folder/file", &on_quiet, NULL, NULL, &err));
    MUST_SAY(err.code < 0 && strstr(err.text, "/no/such/folder"), "%d %s", err.code, err.text);
}

static void file_read(struct world *w)
{
    char path[200], url[220];
    int fd;
    snprintf(path, sizeof path, "%s/in-%d", scratch, (int)getpid());
    snprintf(url, sizeof url, "file:%s", path);
    fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    MUST(fd >= 0 && write(fd, pattern(0), 700000) == 700000);
    close(fd);
    MUST_DO(dial(w, url, &on_quiet));
    WAIT(w->c->ends);
    unlink(path);
    MUST_INT(w->c->got, 700000);
    MUST_STR(dx_wire(w->c->c), "file");
    end_close(w->c);
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
}

static void exec_words(struct world *w)
{
    MUST_DO(dial(w, "exec:echo hello", &on_quiet));
    w->c->unchecked = true;
    WAIT(w->c->ends);
    MUST_INT(w->c->got, 6);
    end_close(w->c);
    WAIT(w->c->closes);
    MUST_GOOD(w->c);
}

static void exec_fails(struct world *w)
{
    dx_err err = {0};
    dx_conn *c;
    struct end *e = end_new(w, "client", &on_quiet);
    c = dx_connect(w->loop, "exec:/no/such/program", watching(&on_quiet), e, NULL, &err);
    if (!c) {
        e->door = true;
        MUST(err.code < 0 && err.text[0]);
        return;
    }
    adopt(w, e, c);
    WAIT(e->ends || e->closes);
    if (e->closes)
        return;
    end_close(e);
    WAIT(e->closes);
}

/* stdio: is 0 and 1, here two pipes; relayed to a server that echoes. */
static void stdio_relayed(struct world *w)
{
    int in[2], out[2], kept[2] = {dup(0), dup(1)};
    const struct scheme *here = w->scheme;
    struct end *local, *far;
    uint8_t b[4096];
    size_t got = 0, n = 60000;
    fflush(stdout);
    MUST(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    dup2(in[0], 0);
    dup2(out[1], 1);
    w->scheme = all_schemes; /* tcp4 */
    bool ok = serve(w, &on_echo);
    w->scheme = here;
    MUST(ok && write(in[1], pattern(0), n) == (ssize_t)n);
    close(in[1]);
    MUST_DO(local = dial(w, "stdio:", &on_quiet));
    MUST_DO(far = dial(w, w->url, &on_quiet));
    MUST_INT(dx_relay(local->c, far->c), 0);
    WAIT(all_closed(w));
    dup2(kept[0], 0);
    dup2(kept[1], 1);
    close(out[1]);
    for (ssize_t r; (r = read(out[0], b, sizeof b)) > 0; got += (size_t)r)
        MUST(!memcmp(b, pattern(got), (size_t)r));
    MUST_INT(got, n);
    MUST_GOOD(local);
    MUST_GOOD(far);
    close(out[0]);
    close(in[0]);
    close(kept[0]);
    close(kept[1]);
}

/* No zombie and no running child is left when its conn is over. */
static void exec_is_reaped(struct world *w)
{
    MUST_DO(dial(w, "exec:sleep 100", &on_quiet));
    WAIT(w->c->opens);
    end_abort(w->c);
    WAIT(w->c->closes);
    for (int i = 0; i < 400 && (waitpid(-1, NULL, WNOHANG) == 0); i++)
        pass(w, 5);
    MUST(waitpid(-1, NULL, WNOHANG) == -1);
}

const struct behaviour behave_local[] = {
    {"fd: reads a pipe to its end", HAS_NO_WIRE, 0, pipe_in},
    {"fd: writes a pipe, all before the close", HAS_NO_WIRE, 0, pipe_out},
    {"fd: a broken pipe is DX_RESET", HAS_NO_WIRE, 0, pipe_broken},
    {"fd: and file: that cannot be", HAS_NO_WIRE, 0, fd_bad},
    {"file: is read to its end", HAS_NO_WIRE, 0, file_read},
    {"exec: words after the command", HAS_NO_WIRE, 0, exec_words},
    {"exec: no such program", HAS_NO_WIRE, 0, exec_fails},
    {"stdio: relayed to tcp, with half-close", HAS_NO_WIRE, 0, stdio_relayed},
    {"exec: nothing is left running", HAS_NO_WIRE, 0, exec_is_reaped},
    {0},
};
