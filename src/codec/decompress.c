/* SPDX-License-Identifier: MIT
 * decompress.c - see its header: zlib, brotli and zstd behind one door. No sockets, no clock. */
#include "codec/decompress.h"
#include <brotli/decode.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { ZSTD_WINDOW_LOG = 23 }; /* RFC 9659: no more than 8 MiB */

struct decompressor {
    const struct kind *kind;
    z_stream z;
    BrotliDecoderState *br;
    ZSTD_DStream *zstd;
    uint8_t head[4];    /* of deflate: two tell which one it is. Of a frame of zstd: its magic number */
    uint8_t head_n;     /* of them so far                                                            */
    uint8_t head_eaten; /* and given to the decoder                                                  */
    uint8_t begun : 1, end : 1, ready : 1;
};
struct kind {
    const char *name;
    int (*open)(struct decompressor *d);
    int64_t (*step)(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n);
};

static uInt cut(size_t n)
{
    return n > UINT_MAX ? UINT_MAX : (uInt)n;
}

static void eat(struct bytes *in, size_t n)
{
    in->p += n;
    in->n -= n;
}

static int z_code(int r)
{
    return r == Z_OK || r == Z_BUF_ERROR || r == Z_STREAM_END ? 0 : r == Z_MEM_ERROR ? DX_NOMEM : DX_PROTO;
}

/* One call of inflate. Bytes written. */
static int64_t inflate_some(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n)
{
    d->z.next_in = (Bytef *)(uintptr_t)in->p;
    d->z.avail_in = cut(in->n);
    d->z.next_out = out;
    d->z.avail_out = cut(n);
    int r = inflate(&d->z, Z_NO_FLUSH);
    eat(in, (size_t)(d->z.next_in - in->p));
    d->end = r == Z_STREAM_END;
    r = z_code(r);
    return r < 0 ? r : d->z.next_out - out;
}

/* What was kept back to tell what it is comes before *in. */
static int64_t z_step(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n)
{
    struct bytes kept = {d->head + d->head_eaten, (size_t)(d->head_n - d->head_eaten)};
    int64_t first = 0, got = 0;
    if (kept.n) {
        first = inflate_some(d, &kept, out, n);
        d->head_eaten = (uint8_t)(d->head_n - kept.n);
    }
    if (first < 0)
        return first;
    if (kept.n && d->end)
        return DX_PROTO;
    if (!kept.n && !d->end && (size_t)first < n)
        got = inflate_some(d, in, out + first, n - (size_t)first);
    return got < 0 ? got : first + got;
}

static int open_gzip(struct decompressor *d)
{
    d->ready = 1;
    return z_code(inflateInit2(&d->z, 15 + 16));
}

/* One behind the other are one file (RFC 1952 2.2). */
static int64_t step_gzip(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n)
{
    if (d->end && in->n) {
        if (in->p[0] != 0x1f || inflateReset(&d->z) != Z_OK)
            return DX_PROTO;
        d->end = 0;
    }
    return d->end ? 0 : z_step(d, in, out, n);
}

static int open_later(struct decompressor *d)
{
    (void)d;
    return 0;
}

/* RFC 9110 means zlib's frame by "deflate"; some servers leave it out. Its two bytes are told from a block's by their sum. */
static int64_t step_deflate(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n)
{
    while (d->head_n < 2 && in->n) {
        d->head[d->head_n++] = in->p[0];
        eat(in, 1);
    }
    if (d->head_n < 2)
        return 0;
    if (!d->ready) {
        bool framed = (d->head[0] & 15) == 8 && (d->head[0] << 8 | d->head[1]) % 31 == 0;
        int r = z_code(inflateInit2(&d->z, framed ? 15 : -15));
        if (r < 0)
            return r;
        d->ready = 1;
    }
    if (d->end)
        return in->n ? DX_PROTO : 0;
    return z_step(d, in, out, n);
}

static int open_br(struct decompressor *d)
{
    d->br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    return d->br ? 0 : DX_NOMEM;
}

static int64_t step_br(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n)
{
    size_t room = n;
    if (d->end)
        return in->n ? DX_PROTO : 0;
    BrotliDecoderResult r = BrotliDecoderDecompressStream(d->br, &in->n, &in->p, &room, &out, NULL);
    if (r == BROTLI_DECODER_RESULT_ERROR) {
        BrotliDecoderErrorCode e = BrotliDecoderGetErrorCode(d->br);
        return e <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && e >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
                   ? DX_NOMEM
                   : DX_PROTO;
    }
    d->end = r == BROTLI_DECODER_RESULT_SUCCESS;
    return d->end && in->n ? DX_PROTO : (int64_t)(n - room);
}

static int open_zstd(struct decompressor *d)
{
    d->zstd = ZSTD_createDStream();
    if (!d->zstd)
        return DX_NOMEM;
    ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    return 0;
}

/* Does a frame begin as RFC 8878 has it? The library knows those of its own beginnings too, from before there was an RFC: as large as
 * they like, and by code that nobody uses. */
static bool is_magic(const uint8_t p[4])
{
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd}, skipped[] = {0x2a, 0x4d, 0x18};
    return !memcmp(p, frame, 4) || ((p[0] & 0xf0) == 0x50 && !memcmp(p + 1, skipped, 3));
}

/* The magic number comes first, whole: 0: not all of it is here. */
static int zstd_head(struct decompressor *d, struct bytes *in)
{
    enum { MAGIC = 4 };
    while (d->head_n < MAGIC && in->n) {
        d->end = 0;
        d->head[d->head_n++] = in->p[0];
        eat(in, 1);
    }
    return d->head_n < MAGIC ? 0 : is_magic(d->head) ? 1 : DX_PROTO;
}

/* A piece of one frame: what ZSTD_decompressStream says. */
static size_t zstd_some(struct decompressor *d, struct bytes *in, ZSTD_outBuffer *to)
{
    bool head = d->head_eaten < d->head_n;
    ZSTD_inBuffer from = {in->p, in->n, 0};
    if (head)
        from = (ZSTD_inBuffer){d->head, d->head_n, d->head_eaten};
    size_t r = ZSTD_decompressStream(d->zstd, to, &from);
    if (head)
        d->head_eaten = (uint8_t)from.pos;
    else
        eat(in, from.pos);
    d->end = r == 0;
    if (r == 0)
        d->head_n = d->head_eaten = 0;
    return r;
}

static int64_t step_zstd(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n)
{
    ZSTD_outBuffer to = {out, n, 0};
    size_t r = 1;
    while (to.pos < to.size && !(d->end && in->n == 0)) { /* a frame may end inside: they follow each other */
        size_t had = in->n, wrote = to.pos, ate = d->head_eaten;
        int begun = zstd_head(d, in);
        if (begun <= 0 && to.pos == 0)
            return begun;
        if (begun <= 0) /* what there was before it first */
            break;
        r = zstd_some(d, in, &to);
        if (ZSTD_isError(r) || (in->n == had && to.pos == wrote && d->head_eaten == ate))
            break;
    }
    if (!ZSTD_isError(r))
        return (int64_t)to.pos;
    ZSTD_ErrorCode e = ZSTD_getErrorCode(r);
    return e == ZSTD_error_memory_allocation               ? DX_NOMEM
           : e == ZSTD_error_frameParameter_windowTooLarge ? DX_BIG
                                                           : DX_PROTO;
}

static const struct kind kinds[] = {{"gzip", open_gzip, step_gzip},
                                    {"x-gzip", open_gzip, step_gzip},
                                    {"deflate", open_later, step_deflate},
                                    {"br", open_br, step_br},
                                    {"zstd", open_zstd, step_zstd}};

static const struct kind *kind_of(struct bytes name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == name.n && !strncasecmp(kinds[i].name, (const char *)name.p, name.n))
            return &kinds[i];
    return NULL;
}

struct decompressor *decompressor_new(struct bytes coding, int *ret_code)
{
    const struct kind *kind = kind_of(coding);
    struct decompressor *d = kind ? calloc(1, sizeof *d) : NULL;
    *ret_code = kind ? DX_NOMEM : DX_ABSENT;
    if (!d)
        return NULL;
    d->kind = kind;
    int r = kind->open(d);
    if (r == 0)
        return d;
    *ret_code = r;
    decompressor_free(d);
    return NULL;
}

void decompressor_free(struct decompressor *d)
{
    if (!d)
        return;
    if (d->ready)
        inflateEnd(&d->z);
    BrotliDecoderDestroyInstance(d->br);
    ZSTD_freeDStream(d->zstd);
    free(d);
}

const char *decompressor_name(const struct decompressor *d)
{
    return d ? d->kind->name : "";
}

int64_t decompressor_step(struct decompressor *d, struct bytes *in, uint8_t *out, size_t n)
{
    d->begun |= in->n > 0;
    return d->kind->step(d, in, out, n);
}

bool decompressor_whole(const struct decompressor *d)
{
    return d->end || !d->begun;
}
