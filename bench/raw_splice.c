/* SPDX-License-Identifier: MIT
 * raw_splice.c - the simple limit of saving what comes: raw_splice FILE. Takes one conn, splices through a pipe into the file
 * until the peer's end, then fsync. Blocking. raw_sendfile.c is the other side. */
#include "raw.h"
#include <fcntl.h>

enum { STEP = 1 << 20 };

static int save(int from, int file)
{
    int pipe_fd[2];
    ssize_t n, done;
    if (pipe(pipe_fd) < 0)
        return -1;
    fcntl(pipe_fd[0], F_SETPIPE_SZ, STEP);
    while ((n = splice(from, NULL, pipe_fd[1], NULL, STEP, SPLICE_F_MOVE)) > 0)
        for (; n > 0; n -= done)
            if ((done = splice(pipe_fd[0], NULL, file, NULL, (size_t)n, SPLICE_F_MOVE)) <= 0)
                return -1;
    return n < 0 || fsync(file) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    int file = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_EXCL, 0666) : -1;
    if (file < 0) {
        perror("raw_splice FILE");
        return 1;
    }
    int listener = raw_listen("tcp");
    fcntl(listener, F_SETFL, 0);
    int from = accept(listener, NULL, NULL);
    if (from >= 0 && save(from, file) == 0)
        return 0;
    perror("raw_splice");
    return 1;
}
