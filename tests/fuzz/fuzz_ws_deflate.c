/* SPDX-License-Identifier: MIT
 * What two ends agree on reads back as it was written, and by the grammar of its field; bytes that say they are deflate unpack the same
 * however they are cut; what was packed unpacks. The first byte chooses: bit 0 the parameters (else a message), bits 1-3 the window, the
 * rest how many come at a time. */
#include "codec/ws.h"
#include "codec/ws_deflate.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { OUT_MAX = 1 << 20 };

/* What is agreed on is within bounds, and both ends of it read it alike. */
static void negotiate(struct bytes offers)
{
    struct ws_deflate_terms wish = {0}, agreed, mine, again;
    char text[WS_EXTENSION_MAX];
    bool reads = ws_extensions_read(offers);
    struct ws_tokens tokens = {.n = 0};
    if (ws_tokens_add(&tokens, offers, false))
        assert(tokens.n > 0 && ws_tokens_has(&tokens, tokens.v[tokens.n - 1]) &&
               !ws_tokens_add(&tokens, offers, false));
    if (ws_deflate_agree(offers, &wish, &agreed)) {
        assert(!agreed.client_bits_open && agreed.server_bits <= WS_WINDOW_OURS &&
               agreed.client_bits <= WS_WINDOW_OURS);
        ws_deflate_write(&agreed, text);
        assert(ws_extensions_read((struct bytes){(const uint8_t *)text, strlen(text)}));
        assert(ws_deflate_agree((struct bytes){(const uint8_t *)text, strlen(text)}, &wish, &again));
        assert(!memcmp(&agreed, &again, sizeof agreed));
        struct ws_deflate_terms offer = agreed;
        assert(ws_deflate_answered((struct bytes){(const uint8_t *)text, strlen(text)}, &offer, &mine));
        assert(mine.server_bits == agreed.server_bits && mine.client_fresh == agreed.client_fresh);
    }
    ws_deflate_offer(&wish);
    if (ws_deflate_answered(offers, &wish, &mine))
        assert(reads && mine.client_bits <= WS_WINDOW_OURS && mine.server_bits <= WS_WINDOW_MAX);
}

struct story {
    uint8_t *text;
    size_t n;
    int64_t code;
};

static void unpack(struct story *s, struct ws_deflate *d, struct bytes all, size_t step, size_t room)
{
    *s = (struct story){.text = malloc(OUT_MAX)};
    size_t done = 0;
    assert(s->text);
    do {
        size_t k = all.n - done < step ? all.n - done : step;
        uint8_t *copy = malloc(k + 1), *some = malloc(room);
        assert(copy && some);
        memcpy(copy, all.p + done, k);
        struct bytes in = {copy, k};
        done += k;
        while ((s->code = ws_unpack(d, &in, done == all.n, some, room)) > 0) {
            assert((size_t)s->code <= room);
            size_t left = OUT_MAX - s->n, take = (size_t)s->code < left ? (size_t)s->code : left;
            memcpy(s->text + s->n, some, take);
            s->n += take;
            if (!left)
                break; /* a bomb: enough of it */
        }
        assert(s->n == OUT_MAX || s->code < 0 || in.n == 0);
        free(copy);
        free(some);
    } while (s->code == 0 && done < all.n && s->n < OUT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    struct bytes rest = {p + 1, n - 1};
    if (p[0] & 1) {
        negotiate(rest);
        return 0;
    }
    struct ws_deflate_terms t = {.server_bits = (uint8_t)(8 + (p[0] >> 1 & 7))};
    struct ws_deflate *a = ws_deflate_new(&t, false), *b = ws_deflate_new(&t, false), *out = ws_deflate_new(&t, true);
    struct story whole, cut;
    uint8_t *packed = malloc(ws_pack_room(n));
    assert(a && b && out && packed);
    unpack(&whole, a, rest, n, 65536);
    unpack(&cut, b, rest, 1 + (p[0] >> 4), 7);
    assert((whole.code < 0) == (cut.code < 0));
    assert(whole.code < 0 || (whole.n == cut.n && !memcmp(whole.text, cut.text, whole.n)));
    free(whole.text);
    free(cut.text);
    int64_t k = ws_pack(out, &rest, 1, true, packed, ws_pack_room(n));
    assert(k > 0);
    ws_deflate_free(a);
    a = ws_deflate_new(&t, false);
    assert(a);
    unpack(&whole, a, (struct bytes){packed, (size_t)k}, (size_t)k, 65536);
    assert(whole.code == 0 && whole.n == rest.n && !memcmp(whole.text, rest.p, rest.n));
    free(whole.text);
    free(packed);
    ws_deflate_free(a);
    ws_deflate_free(b);
    ws_deflate_free(out);
    return 0;
}
