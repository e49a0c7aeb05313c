/* SPDX-License-Identifier: MIT
 * pipe.h - a pipe that bytes take from a socket into a file without passing through memory (splice). One a loop is enough:
 * what os_pipe_fill puts in, its caller takes out before anybody else comes. */
#ifndef OS_PIPE_H
#define OS_PIPE_H
#include "base/url.h"
#include <sys/types.h>

struct os_pipe {
    int in, out; /* -1: not made yet */
};
#define OS_PIPE_NONE ((struct os_pipe){-1, -1})

/* At most n bytes from a non-blocking socket: how many, 0: its end or none now, or -errno. EINVAL: it cannot. */
ssize_t os_pipe_fill(struct os_pipe *p, int socket, size_t n);
/* *left bytes of it into a file, where its position is; what stays in the pipe is left in *left. 0 or errno; EINVAL: that file
 * does not take them so. */
int os_pipe_drain(struct os_pipe *p, int file, size_t *left);
size_t os_pipe_read(struct os_pipe *p, void *to, size_t n); /* 1 to n bytes of what is in it: never waits */
void os_pipe_close(struct os_pipe *p); /* and what is in it is gone; the next fill makes another. Twice is fine */
#endif
