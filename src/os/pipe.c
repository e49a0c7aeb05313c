/* SPDX-License-Identifier: MIT */
#include "os/pipe.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20 }; /* all that a user may ask for as systems are set up */

static bool is_made(struct os_pipe *p)
{
    int v[2];
    if (p->in >= 0)
        return true;
    if (pipe2(v, O_CLOEXEC) < 0)
        return false;
    fcntl(v[0], F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one is only slower */
    *p = (struct os_pipe){.in = v[1], .out = v[0]};
    return true;
}

static ssize_t splice_some(int from, int to, size_t n, unsigned flags)
{
    ssize_t done;
    do
        done = splice(from, NULL, to, NULL, n, SPLICE_F_MOVE | flags);
    while (done < 0 && errno == EINTR);
    return done < 0 ? -errno : done;
}

ssize_t os_pipe_fill(struct os_pipe *p, int socket, size_t n)
{
    if (!is_made(p))
        return -EINVAL; /* out of descriptors: it goes through memory */
    return splice_some(socket, p->in, n < PIPE_BYTES ? n : PIPE_BYTES, SPLICE_F_NONBLOCK);
}

int os_pipe_drain(struct os_pipe *p, int file, size_t *left)
{
    while (*left > 0) {
        ssize_t n = splice_some(p->out, file, *left, 0);
        if (n <= 0)
            return n < 0 ? (int)-n : EIO;
        *left -= (size_t)n;
    }
    return 0;
}

size_t os_pipe_read(struct os_pipe *p, void *to, size_t n)
{
    ssize_t got;
    do
        got = read(p->out, to, n);
    while (got < 0 && errno == EINTR);
    assert(got > 0 && "the pipe holds what was put into it");
    return (size_t)got;
}

void os_pipe_close(struct os_pipe *p)
{
    if (p->in >= 0) {
        close(p->in);
        close(p->out);
    }
    *p = OS_PIPE_NONE;
}
