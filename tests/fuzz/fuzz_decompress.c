/* SPDX-License-Identifier: MIT
 * A compressed body unpacks the same however it is cut and however little room there is, and a step never stands still; so does a whole
 * response whose chunks carry one, read as a client reads it. The first byte chooses: bits 0-2 the coding (4 and more: the head of a
 * response says it), the rest how many bytes come at a time. */
#include "codec/decompress.h"
#include "codec/http1.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { OUT_MAX = 64 << 10, LITTLE = 7, MUCH = 65536 };
enum { READING, WHOLE, TOO_SHORT, ENOUGH }; /* ENOUGH: a bomb, or a response that nobody need read on */

struct story {
    uint8_t *text;
    size_t n, room; /* room: of a step */
    int64_t code;   /* < 0: it is broken */
    int end;
};

/* What is right in pieces is right as a whole, and the same text. What is broken may show early or late, or end too soon; and zstd is
 * lenient with a frame that it has all of, for it needs no window then: not the other way round, and others never. */
static void same(const struct story *whole, const struct story *cut, bool zstd)
{
    bool right = whole->code == 0 && whole->end == WHOLE, too = cut->code == 0 && cut->end == WHOLE;
    assert(right || !too);
    assert(too || !right || zstd);
    assert(!right || !too || (whole->n == cut->n && !memcmp(whole->text, cut->text, whole->n)));
}

static void begin(struct story *s, size_t room)
{
    *s = (struct story){.text = malloc(OUT_MAX), .room = room};
    assert(s->text);
}

/* All of data, in a block of its own. */
static void unpack(struct story *s, struct decompressor *d, const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n + !n), *some = malloc(s->room);
    assert(copy && some);
    if (n)
        memcpy(copy, p, n);
    struct bytes in = {copy, n};
    int64_t got = 1;
    while ((got > 0 || in.n) && s->code == 0 && s->end == READING) {
        size_t had = in.n;
        got = decompressor_step(d, &in, some, s->room);
        assert(got <= (int64_t)s->room && in.n <= had && in.p + in.n == copy + n);
        if (got < 0 || (got == 0 && in.n == had && had)) {
            assert(got < 0); /* it stands still */
            s->code = got;
        }
        size_t left = OUT_MAX - s->n, take = got < 0 ? 0 : (size_t)got < left ? (size_t)got : left;
        memcpy(s->text + s->n, some, take);
        s->n += take;
        s->end = s->n == OUT_MAX ? ENOUGH : READING;
    }
    free(copy);
    free(some);
}

static void body(struct story *s, const char *coding, const uint8_t *p, size_t n, size_t step, size_t room)
{
    int code;
    struct decompressor *d = decompressor_new((struct bytes){(const uint8_t *)coding, strlen(coding)}, &code);
    assert(d);
    begin(s, room);
    for (size_t at = 0, k; at < n && s->code == 0 && s->end == READING; at += k) {
        k = n - at < step ? n - at : step;
        unpack(s, d, p + at, k);
    }
    if (s->end == READING)
        s->end = decompressor_whole(d) ? WHOLE : TOO_SHORT;
    decompressor_free(d);
}

/* ---- a response ---- */

struct reply {
    struct story *s;
    struct http1_head head; /* its views are not good for long: they are not looked at */
    struct http1_chunks chunks;
    struct http1_trailers trailers;
    struct decompressor *d;
    size_t scanned;
    uint64_t left;
    bool has_head, last, over;
};

static void take_head(struct reply *r)
{
    struct bytes coding = http1_get(&r->head, "Content-Encoding");
    int code = DX_ABSENT;
    r->has_head = true;
    r->scanned = 0;
    r->left = r->head.length > 0 ? (uint64_t)r->head.length : 0;
    r->over = r->head.length == 0;
    r->d = coding.n ? decompressor_new(coding, &code) : NULL;
    if (r->head.status < 200 || !r->d)
        r->s->end = ENOUGH;
}

/* What of p[0..n) can be used up now; < 0: a breach. */
static int64_t take_some(struct reply *r, const uint8_t *p, size_t n)
{
    struct bytes data = {p, n};
    int64_t got = (int64_t)n;
    if (!r->has_head) {
        got = http1_response(p, n, &r->scanned, &r->head);
        if (got > 0)
            take_head(r);
        return got;
    }
    if (r->last) {
        got = http1_trailers(p, n, &r->scanned, &r->trailers);
        r->over = got > 0;
        return got;
    }
    if (r->head.chunked)
        got = http1_chunk(&r->chunks, p, n, &data, &r->last);
    else if (r->head.length > 0)
        got = (int64_t)(data.n = r->left < n ? (size_t)r->left : n), r->left -= data.n, r->over = !r->left;
    if (got > 0 && data.n)
        unpack(r->s, r->d, data.p, data.n);
    return got;
}

static void response(struct story *s, const uint8_t *p, size_t n, size_t step, size_t room)
{
    static struct reply r;
    size_t used = 0, have = 0;
    begin(s, room);
    r = (struct reply){.s = s};
    while (have < n && s->code == 0 && s->end == READING && !r.over) {
        have = have + step < n ? have + step : n;
        int64_t got = 1;
        while (got > 0 && used < have && s->code == 0 && s->end == READING && !r.over) {
            uint8_t *copy = malloc(have - used);
            assert(copy);
            memcpy(copy, p + used, have - used);
            got = take_some(&r, copy, have - used);
            assert(got <= (int64_t)(have - used));
            free(copy);
            used += got > 0 ? (size_t)got : 0;
        }
        if (got < 0)
            s->code = DX_PROTO;
    }
    bool to_end = r.has_head && !r.head.chunked && r.head.length < 0;
    if (s->end == READING)
        s->end = (r.over || to_end) && decompressor_whole(r.d) ? WHOLE : TOO_SHORT;
    decompressor_free(r.d);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const codings[] = {"gzip", "deflate", "br", "zstd"};
    struct story whole, cut;
    if (n == 0)
        return 0;
    size_t kind = p[0] & 7, step = 1 + (p[0] >> 3);
    if (kind < 4) {
        body(&whole, codings[kind], p + 1, n - 1, n, MUCH);
        body(&cut, codings[kind], p + 1, n - 1, step, LITTLE);
    } else {
        response(&whole, p + 1, n - 1, n, MUCH);
        response(&cut, p + 1, n - 1, step, LITTLE);
    }
    same(&whole, &cut, kind >= 3);
    free(whole.text);
    free(cut.text);
    return 0;
}
