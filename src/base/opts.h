/* SPDX-License-Identifier: MIT
 * opts.h - options structs from callers whose header was older or newer than ours, and copies of their strings. */
#ifndef BASE_OPTS_H
#define BASE_OPTS_H
#include <duplex/duplex.h>

/* Copies what o (NULL: all zero) has of ours into *ret; the rest of it is zero. 0, or DX_ABSENT: o sets a field that we do not have,
 * which must not be lost silently. */
int opts_read(const void *o, size_t o_bytes, void *ret, size_t ret_bytes, dx_err *err);
/* Each of the n strings becomes a copy; all lie in one block, which the caller frees. NULL stays NULL. 0 or DX_NOMEM, and then all is
 * as it was. */
int opts_keep(const char **const strings[], size_t n, char **ret_block);
#endif
