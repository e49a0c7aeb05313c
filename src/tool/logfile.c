/* SPDX-License-Identifier: MIT
 * logfile.c - see logfile.h. */
#include "tool/logfile.h"
#include "tool/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

int logfile_open(struct logfile *l, const char *path)
{
    /* Not blocking: a FIFO that nobody reads must not hold what passes. */
    l->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (l->fd < 0) {
        tool_say("--log %s: %s", path, strerror(errno));
        return TOOL_LOCAL;
    }
    l->path = path;
    return 0;
}

int logfile_open_view(struct logfile *l, const char *path, bool hex, const char *coding)
{
    dx_err err = {0};
    int r = logfile_open(l, path);
    if (r)
        return r;
    if (show_init(&l->show, coding, &err) < 0) {
        logfile_close(l);
        tool_say("--log %s: %s", path, err.text);
        return TOOL_LIMIT;
    }
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

void logfile_put(struct logfile *l, const dx_text *entry)
{
    ssize_t n = entry ? write(l->fd, entry->p, entry->n) : -1;
    if (entry && n == (ssize_t)entry->n)
        return;
    l->lost++;
    if (!l->failing)
        tool_say("--log %s: %s; it goes on without it", l->path,
                 !entry  ? "no memory"
                 : n < 0 ? strerror(errno)
                         : "No space left on device");
    l->failing = true;
}

void logfile_add(struct logfile *l, enum view_way way, dx_bytes data, struct moment at)
{
    if (l->path)
        logfile_put(l, view_add(&l->view, way, data, true, at) < 0 ? NULL : &l->view.out);
}
