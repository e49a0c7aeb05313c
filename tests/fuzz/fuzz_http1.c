/* SPDX-License-Identifier: MIT
 * Heads and chunked bodies read the same however they are cut, and all they show lies inside the input. The first byte
 * chooses: bit 0 a response, bit 1 a chunked body, the rest how many bytes come at a time. */
#include "codec/http1.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

typedef int64_t head_fn(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret);

static uint8_t *copy_of(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n + !n);
    assert(copy);
    if (n)
        memcpy(copy, p, n);
    return copy;
}

static void check_inside(struct bytes b, const uint8_t *p, size_t n)
{
    bool constant = b.n == 1 && *b.p == '/'; /* the path of an absolute target that has none */
    assert(!b.p || constant || (b.p >= p && b.p + b.n <= p + n));
}

static void check_head(const struct http1_head *h, const uint8_t *p, size_t n)
{
    struct bytes part[] = {h->method, h->target, h->reason, h->path, h->query, h->host};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        check_inside(part[i], p, n);
    assert(h->count <= HTTP1_FIELDS_MAX && h->length >= -1 && (h->version == 10 || h->version == 11));
    assert(!h->chunked || h->length == -1);
    for (size_t i = 0; i < h->count; i++) {
        check_inside(h->fields[i].name, p, n);
        check_inside(h->fields[i].value, p, n);
        assert(h->fields[i].name.n > 0);
        assert(h->folded || !memchr(h->fields[i].value.p, '\n', h->fields[i].value.n));
    }
}

static void heads(head_fn *fn, const uint8_t *p, size_t n, size_t step)
{
    static struct http1_head whole, cut;
    size_t scanned = 0, have = 0;
    int64_t want = fn(p, n, &scanned, &whole), got = 0;
    if (want > 0) {
        assert((size_t)want <= n);
        check_head(&whole, p, (size_t)want);
        http1_get(&whole, "x");
    }
    scanned = 0;
    while (got == 0 && have < n) {
        have = have + step < n ? have + step : n;
        uint8_t *q = copy_of(p, have);
        got = fn(q, have, &scanned, &cut);
        if (got > 0) {
            http1_unfold(&cut, q);
            check_head(&cut, q, have);
        }
        free(q);
    }
    assert(got == want);
    assert(got <= 0 || (cut.count == whole.count && cut.length == whole.length && cut.chunked == whole.chunked));
}

struct body {
    uint8_t *data;
    size_t n, used, scanned;
    int64_t r;
    bool all, end;
    struct http1_trailers trailers;
};

/* What of q[0..n) can be used up. */
static size_t read_piece(struct body *b, struct http1_chunks *c, const uint8_t *q, size_t n)
{
    struct bytes piece;
    size_t at = 0;
    while (!b->all && (b->r = http1_chunk(c, q + at, n - at, &piece, &b->all)) > 0) {
        assert((size_t)b->r <= n - at);
        check_inside(piece, q, n);
        memcpy(b->data + b->n, piece.p, piece.n);
        b->n += piece.n;
        at += (size_t)b->r;
    }
    if (!b->all || (b->r = http1_trailers(q + at, n - at, &b->scanned, &b->trailers)) <= 0)
        return at;
    for (size_t i = 0; i < b->trailers.count; i++) {
        check_inside(b->trailers.fields[i].name, q, n);
        check_inside(b->trailers.fields[i].value, q, n);
        assert(!http1_never_trails(b->trailers.fields[i].name));
    }
    b->end = true;
    return at + (size_t)b->r;
}

static void read_body(struct body *b, const uint8_t *p, size_t n, size_t step)
{
    struct http1_chunks c = {0};
    size_t have = 0;
    *b = (struct body){.data = malloc(n + 1)};
    while (b->data && have < n && !b->end && b->r >= 0) {
        have = have + step < n ? have + step : n;
        uint8_t *q = copy_of(p + b->used, have - b->used);
        b->used += read_piece(b, &c, q, have - b->used);
        free(q);
    }
}

static void bodies(const uint8_t *p, size_t n, size_t step)
{
    static struct body whole, cut;
    read_body(&whole, p, n, n + 1);
    read_body(&cut, p, n, step);
    assert(whole.end == cut.end && (whole.r < 0) == (cut.r < 0));
    assert(!whole.end || whole.trailers.count == cut.trailers.count);
    assert(whole.n == cut.n && (whole.n == 0 || !memcmp(whole.data, cut.data, whole.n)));
    assert(whole.r < 0 || whole.used == cut.used);
    free(whole.data);
    free(cut.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    size_t step = 1 + (p[0] >> 2);
    if (p[0] & 2)
        bodies(p + 1, n - 1, step);
    else
        heads(p[0] & 1 ? http1_response : http1_request, p + 1, n - 1, step);
    if (p[0] & 1 && !(p[0] & 2))
        heads(http1_tunnel_response, p + 1, n - 1, step);
    return 0;
}
