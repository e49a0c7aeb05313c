/* SPDX-License-Identifier: MIT
 * decompress.h - HTTP's content codings, taken off in steps (RFC 9110 8.4.1, RFC 1950-1952, 7932, 8878). Who calls bounds what comes
 * out: a step gives no more than was asked for. */
#ifndef CODEC_DECOMPRESS_H
#define CODEC_DECOMPRESS_H
#include "base/url.h"

struct decompressor;
/* coding: "gzip", "x-gzip", "deflate" (with zlib's frame or, as some send it, without), "br", "zstd"; any case. NULL: DX_ABSENT (another
 * one) or DX_NOMEM in *ret_code. */
struct decompressor *decompressor_new(struct bytes coding, int *ret_code);
void decompressor_free(struct decompressor *d);
const char *decompressor_name(const struct decompressor *d); /* "gzip"; NULL d: "" */
/* Eats of *in and writes at most n > 0 bytes to out: how many, or DX_PROTO (it is against its rules, or goes on behind its end),
 * DX_BIG (it wants a window over 8 MiB), DX_NOMEM. To be called until it writes nothing and *in is used up. */
int64_t decompressor_step(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n);
bool decompressor_whole(const struct decompressor *d); /* may the body end here? Before its first byte, too */
#endif
