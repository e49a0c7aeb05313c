/* SPDX-License-Identifier: MIT
 * Frames give the same messages and the same end however they are cut. The first byte chooses: bit 0 the side, bits 1-2 the
 * largest message, bit 3 whether deflate is agreed on, the rest how many bytes come at a time. */
#include "codec/ws.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct story {
    uint8_t *text;   /* op, payload, op after each message: pieces do not show */
    size_t n, whole; /* whole: up to the last complete message */
    int64_t code;
    bool rest;
};

static void tell(struct story *s, const struct ws_piece *piece)
{
    if (piece->first)
        s->text[s->n++] = piece->op;
    if (piece->n)
        memcpy(s->text + s->n, piece->p, piece->n);
    s->n += piece->n;
    if (!piece->last)
        return;
    s->text[s->n++] = piece->op;
    s->whole = s->n;
}

static void feed(struct story *s, uint8_t how, const uint8_t *bytes, size_t n, size_t step)
{
    static const uint64_t max[] = {1 << 20, 0, 125, 5000};
    struct ws_in w;
    struct ws_piece piece;
    uint8_t *rest = NULL;
    size_t rest_n = 0, done = 0;
    ws_in_init(&w, how & 1, max[how >> 1 & 3]);
    w.packs = (how & 8) != 0;
    *s = (struct story){.text = malloc(2 * n + 2)};
    while (done < n && s->code >= 0) {
        size_t more = n - done < step ? n - done : step, at = 0;
        uint8_t *p = malloc(rest_n + more); /* of its own size, so that a sanitizer sees one byte too far */
        assert(p && s->text);
        if (rest_n)
            memcpy(p, rest, rest_n);
        memcpy(p + rest_n, bytes + done, more);
        done += more;
        rest_n += more;
        while ((s->code = ws_in_next(&w, p + at, rest_n - at, &piece)) > 0) {
            assert((size_t)s->code <= rest_n - at && piece.n <= (size_t)s->code);
            assert(piece.p >= p + at && piece.p + piece.n == p + at + s->code);
            assert(piece.op < WS_CLOSE || (piece.first && piece.last && piece.n <= 125));
            assert(!piece.packed || (w.packs && piece.op < WS_CLOSE));
            tell(s, &piece);
            at += (size_t)s->code;
        }
        assert(s->code == 0 || s->code == -1002 || s->code == -1007 || s->code == -1009);
        free(rest);
        rest_n -= at;
        rest = malloc(rest_n + 1);
        assert(rest);
        memcpy(rest, p + at, rest_n);
        free(p);
    }
    s->rest = rest_n > 0;
    free(rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct story whole, cut;
    if (n == 0)
        return 0;
    feed(&whole, p[0], p + 1, n - 1, n);
    feed(&cut, p[0], p + 1, n - 1, 1 + (p[0] >> 4));
    assert(whole.code == cut.code && whole.whole == cut.whole && !memcmp(whole.text, cut.text, whole.whole));
    if (whole.code == 0) /* else one of them may have shown more of the message that is at fault */
        assert(whole.rest == cut.rest && whole.n == cut.n && !memcmp(whole.text, cut.text, whole.n));
    free(whole.text);
    free(cut.text);
    return 0;
}
