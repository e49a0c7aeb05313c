/* SPDX-License-Identifier: MIT
 * logfile.h - --log FILE of dial, listen and relay: what passes both ways, beside all that is shown, appended, a message or piece an
 * entry with its date, for its owner's eyes alone (0600). A file that takes no more (a full disk) is said once, and all goes on. */
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
int logfile_open(struct logfile *l, const char *path);
void logfile_put(struct logfile *l, const dx_text *entry); /* NULL: there was no memory for it */
/* Where the log makes the entries out of what passes: opened, and how. */
int logfile_open_view(struct logfile *l, const char *path, bool hex, const char *coding);
void logfile_close(struct logfile *l); /* says how much it lacks; fine without a file */
void logfile_add(struct logfile *l, enum view_way way, dx_bytes data, struct moment at);
#endif
