/* SPDX-License-Identifier: MIT
 * beneath.c - opening what is beneath a folder and nothing else. openat2 does it in one call, where a kernel or a container's filter
 * has it not, part by part, and then no link is followed. */
#include "files/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What every open here has; O_PATH, which opens nothing, suffers but few others. */
static int with_ours(int flags)
{
    return flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY | O_NONBLOCK);
}

static int by_openat2(int root, const char *name, int flags)
{
    struct open_how how = {.flags = (uint64_t)with_ours(flags), .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd, tries = 0;
    do
        fd = (int)syscall(SYS_openat2, root, name, &how, sizeof(how));
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && tries++ < 10))); /* EAGAIN: something is being renamed */
    return fd;
}

static int by_parts(int root, const char *name, int flags)
{
    int at = root;
    for (;;) {
        char part[256];
        size_t n = strcspn(name, "/");
        bool last = name[n] == 0;
        if (n >= sizeof(part)) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(part, name, n);
        part[n] = 0;
        if (!strcmp(part, "..")) {
            errno = EXDEV;
            break;
        }
        int next =
            openat(at, part, last ? with_ours(flags) | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (at != root)
            close(at);
        if (next < 0 || last)
            return next;
        at = next;
        name += n + 1;
    }
    if (at != root)
        close(at);
    return -1;
}

int beneath_open(int root, const char *name, int flags)
{
    static enum { UNKNOWN, THERE, ABSENT } state;
    if (state == UNKNOWN) { /* by the folder itself, so that what a name has to do with EPERM decides nothing */
        int fd = by_openat2(root, ".", O_PATH);
        state = fd < 0 && (errno == ENOSYS || errno == EPERM) ? ABSENT : THERE;
        if (fd >= 0)
            close(fd);
    }
    return state == ABSENT ? by_parts(root, name, flags) : by_openat2(root, name, flags);
}
