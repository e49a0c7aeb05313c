/* SPDX-License-Identifier: MIT
 * logfile.h - --log FILE: what passes both ways, appended, a message or piece an entry. A file that takes no more (a full disk)
 * is said once, and the talk goes on. */
#ifndef TOOL_LOGFILE_H
#define TOOL_LOGFILE_H
#include "tool/view.h"

struct logfile {
    const char *path; /* NULL: none */
    int fd;
    bool failing;  /* has been said */
    uint64_t lost; /* entries       */
    struct show show;
    struct view view;
};
/* Opens path to append. 0, or the exit code, having said why. */
int logfile_open(struct logfile *l, const char *path, bool hex, const char *coding);
void logfile_close(struct logfile *l); /* says how much it lacks; fine without a file */
void logfile_add(struct logfile *l, enum view_way way, dx_bytes data, struct moment at);
#endif
