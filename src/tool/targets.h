/* SPDX-License-Identifier: MIT
 * targets.h - where a relay may lead: one URL, or those that --target names. A browser chooses among names, never a URL of its own. */
#ifndef TOOL_TARGETS_H
#define TOOL_TARGETS_H
#include "tool/sides.h"

enum { TARGETS_MAX = 16, TARGET_NAME_MAX = 64 };
struct target {
    char name[TARGET_NAME_MAX + 1]; /* "": the only one       */
    const char *url;
    struct trust trust;
};
struct targets {
    struct target row[TARGETS_MAX];
    int count;
    bool named;
};
/* From the second argument, or from the options --target NAME=URL. -1: go on; else the exit code: it has said why. */
int targets_read(struct targets *t, const struct options *o, const char *listen);
void targets_free(struct targets *t);
/* By the path of a request, "/NAME"; NULL: no such name. Without names every path leads to the only one. */
struct target *targets_find(struct targets *t, dx_bytes path);
#endif
