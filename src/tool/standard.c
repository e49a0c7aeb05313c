/* SPDX-License-Identifier: MIT
 * standard.c - descriptors 0 to 2 where who starts us has closed some of them. */
#include "tool/tool.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool closed[3];

/* A socket must not come in their place, and our words on it: stdin is empty then, writing to stdout fails, stderr says
 * nothing. */
void standard_fill(void)
{
    static const struct {
        const char *path;
        int mode;
    } in_place[] = {{"/dev/null", O_RDONLY}, {"/dev/full", O_WRONLY}, {"/dev/null", O_WRONLY}};
    for (int fd = 0; fd < 3; fd++) {
        closed[fd] = fcntl(fd, F_GETFD) < 0;
        if (closed[fd] && open(in_place[fd].path, in_place[fd].mode) != fd)
            _exit(TOOL_LOCAL);
    }
}

bool standard_closed(int fd)
{
    return closed[fd];
}

const char *standard_fault(int fd, int saved_errno)
{
    return closed[fd] ? "it is closed" : strerror(saved_errno);
}
