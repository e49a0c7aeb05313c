/* SPDX-License-Identifier: MIT
 * access_log.h - a line for each request that is over (docs/access-log.md): the combined format that log readers know, or JSON. A line
 * is one write, so that several processes may append to one file; a file that takes no more is said once, and serving goes on. */
#ifndef TOOL_ACCESS_LOG_H
#define TOOL_ACCESS_LOG_H
#include "hub/hub.h"

struct access_log {
    const char *path; /* NULL: none; "-": stderr */
    int fd;           /* 0: none                 */
    bool json, failing;
    bool torn; /* the last line has no end */
};
/* 0, or -1 having said why. */
int access_log_open(struct access_log *l, const char *path, bool json);
void access_log_reopen(struct access_log *l); /* where that fails it is said, and the old one stays */
void access_log_close(struct access_log *l);
void access_log_add(struct access_log *l, const struct hub_request *q);
#endif
