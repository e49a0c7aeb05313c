/* SPDX-License-Identifier: MIT
 * save.h - dx_save as the stream below sees it: on a conn right on its stream, bytes need not come up at all. */
#ifndef CORE_SAVE_H
#define CORE_SAVE_H
#include "core/conn.h"

/* The file that the next bytes for l, which stands on a stream, are to go to, and how many of them (> 0). -1: hand them up. */
int save_file(const struct layer *l, size_t *ret_max);
void save_filed(struct layer *l, ssize_t n); /* n have gone there; or its -errno, and then the conn is broken off */
#endif
