/* SPDX-License-Identifier: MIT
 * site.h - what `serve DIR` adds to the hub: a folder's files behind every path that is not the room's, and a log of the requests. */
#ifndef TOOL_SITE_H
#define TOOL_SITE_H
#include "files/files.h"
#include "hub/hub.h"
#include "tool/access_log.h"
#include "tool/options.h"

struct site {
    struct files *files; /* NULL: no folder */
    struct access_log log;
    struct hub_site calls;
};
/* What the hub asks; its arg is the struct site. */
const struct hub_site *site_calls(struct site *s);
/* By the options and the argument. -1, or the exit code, having said why. */
int site_open(struct site *s, const struct options *o);
void site_reopen(struct site *s); /* the log, after something has moved it away */
void site_close(struct site *s);  /* after the loop's end */
#endif
