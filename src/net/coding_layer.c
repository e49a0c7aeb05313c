/* SPDX-License-Identifier: MIT
 * coding_layer.c - the peer's coding below, UTF-8 above. */
#include "base/err.h"
#include "net/layers.h"
#include "base/err.h"
#include <stdlib.h>

struct coding_layer {
    struct layer layer; /* first */
    dx_decoder *decoder;
    dx_text text; /* of one call */
    bool messages;
};

static struct coding_layer *of(struct layer *l)
{
    return (struct coding_layer *)l;
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct coding_layer *k = of(l);
    dx_text_clear(&k->text);
    int r = dx_decode(k->decoder, p, n, k->messages || how & DX_LAST, &k->text);
    if (r < 0) {
        layer_fail(l, r, DX_OF_NOTHING, 0, "no memory for decoding");
        return n;
    }
    if (k->text.n || k->messages)
        layer_take_above(l, (uint8_t *)k->text.p, k->text.n, (how & ~(unsigned)DX_BINARY) | DX_TEXT);
    if (k->text.cap > BLOCK_BYTES)
        dx_text_free(&k->text);
    return n;
}

/* A character that the end cuts is shown, too. */
static void ended(struct layer *l)
{
    if (!of(l)->messages)
        take(l, NULL, 0, DX_LAST);
    layer_ended_above(l);
}

/* Parts are one text: a character may lie across two of them. */
static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    dx_text joined = {0}, out = {0};
    int r = 0;
    for (size_t i = 0; i < count && count > 1 && r >= 0; i++)
        r = dx_text_add(&joined, v[i].p, v[i].n);
    struct span in = count > 1 ? (struct span){NULL, (const uint8_t *)joined.p, joined.n} : v[0];
    if (r >= 0)
        r = dx_encode(dx_decoder_reply_coding(of(l)->decoder), (const char *)in.p, in.n, &out);
    struct span all = {NULL, (const uint8_t *)out.p, out.n};
    if (r >= 0)
        r = layer_give_below(l, &all, 1, how);
    dx_text_free(&joined);
    dx_text_free(&out);
    return r;
}

static void layer_free(struct layer *l)
{
    dx_decoder_free(of(l)->decoder);
    dx_text_free(&of(l)->text);
    free(l);
}

static const struct layer_type coding_type = {
    .opened = layer_opened_above,
    .take = take,
    .ended = ended,
    .writable = layer_writable_above,
    .closed = layer_closed_above,
    .give = give,
    .give_msg = layer_give_msg_plain,
    .give_file = layer_give_file_below,
    .finish = layer_finish_below,
    .pause = layer_pause_below,
    .close = layer_close_below,
    .abort = layer_abort_below,
    .free = layer_free,
};

struct layer *coding_layer_new(const struct settings *set, bool messages, dx_err *err)
{
    struct coding_layer *k = calloc(1, sizeof *k);
    if (!k)
        err_set(err, DX_NOMEM, "no memory for a coding");
    dx_decoder *d = k ? dx_decoder_new(set->o.coding, DX_GUESS_LOCALE, err) : NULL;
    if (!k)
        err_set(err, DX_NOMEM, "no memory");
    if (!d) {
        free(k);
        return NULL;
    }
    *k = (struct coding_layer){.layer.type = &coding_type, .decoder = d, .messages = messages};
    return &k->layer;
}
