/* SPDX-License-Identifier: MIT
 * framer.c - the framing engine with a buffer of its own: what <duplex/text.h> offers to those who have no conn. */
#include <duplex/text.h>
#include "base/err.h"
#include "codec/frame.h"
#include <stdlib.h>
#include <string.h>

struct piece { /* a message that time ended before more bytes came */
    size_t at, n;
};
struct dx_framer {
    struct frame_spec spec;
    struct frame frame;
    uint8_t *p;
    size_t from, to, cap; /* the bytes not yet taken: pieces lie before from */
    struct piece *piece;
    size_t piece_from, piece_to, piece_cap;
    int broken; /* the error that ended it */
    uint8_t answer[sizeof((struct frame *)0)->answer];
    char eol[sizeof((struct frame_spec *)0)->delim + 1]; /* the delimiter as a string */
};

dx_framer *dx_framer_new(const char *spec, size_t message_bytes_max, dx_err *err)
{
    struct frame_spec parsed;
    if (frame_spec_parse(spec, message_bytes_max, &parsed, err) < 0)
        return NULL;
    dx_framer *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, DX_NOMEM, "frame '%s': out of memory", spec);
        return NULL;
    }
    f->spec = parsed;
    memcpy(f->eol, parsed.delim, parsed.delim_n);
    frame_init(&f->frame, &f->spec);
    return f;
}

void dx_framer_free(dx_framer *f)
{
    if (!f)
        return;
    free(f->p);
    free(f->piece);
    free(f);
}

static int add_piece(dx_framer *f, size_t at, size_t n)
{
    if (f->piece_to == f->piece_cap) {
        size_t cap = f->piece_cap ? f->piece_cap * 2 : 8;
        struct piece *v = cap < SIZE_MAX / sizeof *v ? realloc(f->piece, cap * sizeof *v) : NULL;
        if (!v)
            return DX_NOMEM;
        f->piece = v;
        f->piece_cap = cap;
    }
    f->piece[f->piece_to++] = (struct piece){at, n};
    return 0;
}

/* The next message behind from, which moves past it: 1, 0, or < 0 and broken. */
static int step(dx_framer *f, int64_t now_ms, bool last, struct piece *ret)
{
    struct bytes b;
    if (f->from == f->to)
        return 0;
    int64_t used = frame_next(&f->frame, f->p + f->from, f->to - f->from, now_ms, last, &b);
    if (used <= 0) {
        f->broken = (int)used;
        return (int)used;
    }
    *ret = (struct piece){(size_t)(b.p - f->p), b.n};
    f->from += (size_t)used;
    return 1;
}

/* Bytes that come after a gap are a new message, also when nobody has asked for the old one yet. */
static int end_by_time(dx_framer *f, int64_t now_ms)
{
    int64_t due = frame_due(&f->frame, f->to - f->from);
    if (due < 0 || now_ms < due)
        return 0;
    struct piece piece = {0};
    int r;
    while ((r = step(f, now_ms, false, &piece)) > 0)
        if ((r = add_piece(f, piece.at, piece.n)) < 0)
            return r;
    return r;
}

static int make_room(dx_framer *f, size_t n)
{
    size_t keep = f->piece_from < f->piece_to ? f->piece[f->piece_from].at : f->from;
    if (f->cap - f->to >= n)
        return 0;
    if (keep > 0 && keep >= f->to - keep) { /* less would move the same bytes again and again */
        memmove(f->p, f->p + keep, f->to - keep);
        f->from -= keep;
        f->to -= keep;
        for (size_t i = f->piece_from; i < f->piece_to; i++)
            f->piece[i].at -= keep;
    }
    if (f->cap - f->to >= n)
        return 0;
    if (n > SIZE_MAX / 4 || f->to > SIZE_MAX / 4)
        return DX_NOMEM;
    size_t cap = f->cap ? f->cap : 256;
    while (cap - f->to < n)
        cap *= 2;
    uint8_t *p = realloc(f->p, cap);
    if (!p)
        return DX_NOMEM;
    f->p = p;
    f->cap = cap;
    return 0;
}

int dx_framer_take(dx_framer *f, const void *in, size_t n, int64_t now_ms)
{
    int r;
    if (f->broken)
        return f->broken;
    if (n == 0)
        return 0;
    if ((r = end_by_time(f, now_ms)) < 0 || (r = make_room(f, n)) < 0)
        return r;
    memcpy(f->p + f->to, in, n);
    f->to += frame_arrive(&f->frame, f->p + f->to, n, now_ms);
    return 0;
}

int dx_framer_next(dx_framer *f, int64_t now_ms, bool last, dx_bytes *ret)
{
    struct piece piece = {0};
    if (f->piece_from < f->piece_to) {
        piece = f->piece[f->piece_from++];
        if (f->piece_from == f->piece_to)
            f->piece_from = f->piece_to = 0;
    } else {
        int r = f->broken ? f->broken : step(f, now_ms, last, &piece);
        if (r <= 0)
            return r;
    }
    *ret = (dx_bytes){f->p + piece.at, piece.n};
    return 1;
}

int64_t dx_framer_due(const dx_framer *f)
{
    if (f->piece_from < f->piece_to)
        return 0;
    return f->broken ? -1 : frame_due(&f->frame, f->to - f->from);
}

dx_bytes dx_framer_answer(dx_framer *f)
{
    dx_bytes b = {f->answer, f->frame.answer_n};
    memcpy(f->answer, f->frame.answer, f->frame.answer_n);
    f->frame.answer_n = 0;
    return b;
}

const char *dx_framer_eol(const dx_framer *f)
{
    static const char *const eol[] = {[EOL_NONE] = "", [EOL_LF] = "\n", [EOL_CRLF] = "\r\n"};
    return f->spec.kind == FRAME_DELIM ? f->eol : eol[f->frame.eol];
}
