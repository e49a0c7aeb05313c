/* SPDX-License-Identifier: MIT
 * logfile.c - see logfile.h. */
#include "tool/logfile.h"
#include "tool/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

int logfile_open(struct logfile *l, const char *path, bool hex, const char *coding)
{
    dx_err err = {0};
    /* Not blocking: a FIFO that nobody reads must not hold the talk. */
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    if (fd < 0) {
        tool_say("--log %s: %s", path, strerror(errno));
        return TOOL_LOCAL;
    }
    if (show_init(&l->show, coding, &err) < 0) {
        close(fd);
        tool_say("--log %s: %s", path, err.text);
        return TOOL_LIMIT;
    }
    l->fd = fd;
    l->path = path;
    l->view = (struct view){.hex = hex, .stamps = true, .dated = true, .ways = true, .show = &l->show};
    return 0;
}

void logfile_close(struct logfile *l)
{
    if (!l->path)
        return;
    if (l->lost)
        tool_say("--log %s: %" PRIu64 " entries are missing in it", l->path, l->lost);
    close(l->fd);
    show_free(&l->show);
    view_free(&l->view);
    l->path = NULL;
}

void logfile_add(struct logfile *l, enum view_way way, dx_bytes data, struct moment at)
{
    if (!l->path)
        return;
    int r = view_add(&l->view, way, data, true, at);
    ssize_t n = r < 0 ? -1 : write(l->fd, l->view.out.p, l->view.out.n);
    if (n == (ssize_t)l->view.out.n)
        return;
    l->lost++;
    if (!l->failing)
        tool_say("--log %s: %s; the talk goes on without it", l->path,
                 r < 0   ? "no memory"
                 : n < 0 ? strerror(errno)
                         : "No space left on device");
    l->failing = true;
}
