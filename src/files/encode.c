/* SPDX-License-Identifier: MIT
 * encode.c - content codings (RFC 9110 8.4.1): which one a client wants, and making it in steps by zlib, brotli and zstd. The levels are
 * those that a server can afford while somebody waits. */
#include "files/inside.h"
#include <brotli/encode.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    GZIP_LEVEL = 5,
    GZIP_WINDOW = 15 + 16,
    GZIP_MEMORY = 8,
    BR_QUALITY = 4,
    BR_WINDOW = 19,
    ZSTD_LEVEL = 3,
    ROOM = 16 << 10
};
static const char *const coding_names[CODINGS] = {"identity", "gzip", "br", "zstd"};
static const char *const suffixes[CODINGS] = {"", ".gz", ".br", ".zst"};

const char *coding_name(enum coding k)
{
    return coding_names[k];
}

const char *coding_suffix(enum coding k)
{
    return suffixes[k];
}

/* Between equals ours decides: the smallest answer for the least work. "identity" may be wanted more than any. */
enum coding coding_choose(const dx_conn *c, unsigned set)
{
    static const enum coding ours[] = {CODING_BR, CODING_ZSTD, CODING_GZIP};
    dx_bytes list = dx_http_header(c, "Accept-Encoding");
    int best = dx_http_quality(list, coding_names[CODING_NONE]) - 1;
    enum coding found = CODING_NONE;
    for (size_t i = 0; list.p && i < sizeof(ours) / sizeof(*ours); i++) {
        int q = set >> ours[i] & 1 ? dx_http_quality(list, coding_names[ours[i]]) : 0;
        if (q > 0 && q > best)
            best = q, found = ours[i];
    }
    return found;
}

/* brotli's encoder ends the process where it gets no memory (BROTLI_ENCODER_EXIT_ON_OOM, which Debian leaves on). So it does not get
 * to know: what it had is given back, and we go on from where we called it. */
struct piece {
    struct piece *next, **from;
    max_align_t bytes[];
};
struct memory {
    struct piece *first;
    jmp_buf out;
    bool called; /* out is set: brotli is at work */
};

static void *take_memory(void *of, size_t n)
{
    struct memory *m = of;
    struct piece *p = malloc(sizeof(*p) + n);
    if (!p && m->called)
        longjmp(m->out, 1);
    if (!p)
        return NULL;
    p->next = m->first;
    p->from = &m->first;
    if (p->next)
        p->next->from = &p->next;
    m->first = p;
    return p->bytes;
}

static void give_memory(void *of, void *bytes)
{
    struct piece *p = bytes ? (struct piece *)(void *)((char *)bytes - offsetof(struct piece, bytes)) : NULL;
    (void)of;
    if (!p)
        return;
    *p->from = p->next;
    if (p->next)
        p->next->from = p->from;
    free(p);
}

static void drop_memory(struct memory *m)
{
    while (m->first)
        give_memory(m, m->first->bytes);
}

struct encoder {
    enum coding kind;
    z_stream z;
    BrotliEncoderState *br;
    struct memory memory; /* br's */
    ZSTD_CCtx *zstd;
    bool broken; /* no memory, found out on the way */
};

struct encoder *encoder_new(enum coding k)
{
    struct encoder *e = calloc(1, sizeof(*e));
    bool ok = false;
    if (!e)
        return NULL;
    e->kind = k;
    if (k == CODING_GZIP) {
        ok = deflateInit2(&e->z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
    } else if (k == CODING_BR) {
        e->br = BrotliEncoderCreateInstance(take_memory, give_memory, &e->memory);
        ok = e->br && BrotliEncoderSetParameter(e->br, BROTLI_PARAM_QUALITY, BR_QUALITY) &&
             BrotliEncoderSetParameter(e->br, BROTLI_PARAM_LGWIN, BR_WINDOW);
    } else if (k == CODING_ZSTD) {
        e->zstd = ZSTD_createCCtx();
        ok = e->zstd && !ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL));
    }
    if (ok)
        return e;
    e->kind = k == CODING_GZIP ? CODING_NONE : k; /* what did not begin has no end */
    encoder_free(e);
    return NULL;
}

void encoder_free(struct encoder *e)
{
    if (!e)
        return;
    if (e->kind == CODING_GZIP)
        deflateEnd(&e->z);
    drop_memory(&e->memory);
    ZSTD_freeCCtx(e->zstd);
    free(e);
}

/* Each takes what it can and writes at most ROOM bytes; true: there may be more to write. */
static bool step_gzip(struct encoder *e, const uint8_t **p, size_t *n, bool last, uint8_t *out, size_t *ret_n)
{
    e->z.next_in = (Bytef *)(uintptr_t)*p;
    e->z.avail_in = (uInt)*n;
    e->z.next_out = out;
    e->z.avail_out = ROOM;
    int r = deflate(&e->z, last ? Z_FINISH : Z_NO_FLUSH);
    e->broken = r != Z_OK && r != Z_BUF_ERROR && r != Z_STREAM_END;
    *p = e->z.next_in;
    *n = e->z.avail_in;
    *ret_n = ROOM - e->z.avail_out;
    return last ? r == Z_OK || r == Z_BUF_ERROR : *n > 0 || !e->z.avail_out;
}

static bool step_br(struct encoder *e, const uint8_t **p, size_t *n, bool last, uint8_t *out, size_t *ret_n)
{
    size_t room = ROOM;
    if (setjmp(e->memory.out)) {
        drop_memory(&e->memory);
        e->br = NULL;
        e->broken = true;
        *ret_n = 0;
        return false;
    }
    e->memory.called = true;
    bool ok = BrotliEncoderCompressStream(e->br, last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS, n, p, &room,
                                          &out, NULL);
    e->memory.called = false;
    *ret_n = ROOM - room;
    e->broken = !ok;
    return ok && (*n > 0 || BrotliEncoderHasMoreOutput(e->br) || (last && !BrotliEncoderIsFinished(e->br)));
}

static bool step_zstd(struct encoder *e, const uint8_t **p, size_t *n, bool last, uint8_t *out, size_t *ret_n)
{
    ZSTD_inBuffer in = {*p, *n, 0};
    ZSTD_outBuffer to = {out, ROOM, 0};
    size_t left = ZSTD_compressStream2(e->zstd, &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    *p += in.pos;
    *n -= in.pos;
    *ret_n = to.pos;
    e->broken = ZSTD_isError(left);
    return !e->broken && (*n > 0 || (last && left > 0));
}

int encoder_take(struct encoder *e, const void *data, size_t n, bool last, dx_text *out)
{
    bool (*step)(struct encoder *, const uint8_t **, size_t *, bool, uint8_t *, size_t *) =
        e->kind == CODING_GZIP ? step_gzip
        : e->kind == CODING_BR ? step_br
                               : step_zstd;
    const uint8_t *p = data;
    uint8_t room[ROOM];
    bool more = n > 0 || last;
    while (more) {
        size_t made = 0;
        more = step(e, &p, &n, last, room, &made);
        if (made && dx_text_add(out, room, made) < 0)
            return DX_NOMEM;
    }
    return n || e->broken ? DX_NOMEM : 0;
}
