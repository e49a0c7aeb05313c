/* SPDX-License-Identifier: MIT
 * ws_gather.c - messages that do not come in one piece: kept until they are whole, and unpacked on the way where they were packed. */
#include "base/utf8.h"
#include "net/ws_inside.h"
#include <string.h>

enum { UNPACK_BYTES = 16384 }; /* a message that is no longer needs no memory of its own */

bool ws_gather_add(struct ws_layer *w, const uint8_t *p, size_t n)
{
    struct ws_gather *g = w->gather;
    size_t had = g ? g->n : 0, need = had + n;
    if (!g || need > g->cap) {
        size_t cap = need + need / 2 + 64, old = g ? sizeof *g + g->cap : 0;
        struct ws_gather *bigger = account_realloc(g, old, sizeof *bigger + cap);
        if (!bigger)
            return false;
        bigger->cap = cap;
        bigger->n = had;
        w->gather = g = bigger;
    }
    memcpy(g->data + had, p, n);
    g->n = need;
    return true;
}

void ws_gather_hand(struct ws_layer *w, unsigned how)
{
    struct ws_gather *g = w->gather;
    w->gather = NULL; /* the handler may close and free all */
    layer_take_above(&w->layer, g->data, g->n, how);
    account_free(g, sizeof *g + g->cap);
}

void ws_gather_free(struct ws_layer *w)
{
    if (w->gather)
        account_free(w->gather, sizeof *w->gather + w->gather->cap);
    w->gather = NULL;
}

/* How many bytes more of the message there are at p; what does not fit any longer is gathered. < 0: minus a close code. */
static int64_t unpack_more(struct ws_layer *w, const struct ws_piece *x, struct bytes *in, uint8_t *p, size_t *n)
{
    if (*n == UNPACK_BYTES) {
        if (!ws_gather_add(w, p, *n))
            return -1011;
        *n = 0;
    }
    int64_t got = ws_unpack(w->more->deflate, in, x->last, p + *n, UNPACK_BYTES - *n);
    if (got <= 0)
        return got;
    if ((w->gather ? w->gather->n : 0) + *n + (size_t)got > w->in.message_max)
        return -1009;
    if (x->op == WS_TEXT && !utf8_check(&w->in.utf8, p + *n, (size_t)got))
        return -1007;
    *n += (size_t)got;
    return got;
}

int ws_gather_packed(struct ws_layer *w, const struct ws_piece *x, unsigned how)
{
    static _Thread_local uint8_t room[UNPACK_BYTES];
    struct bytes in = {x->p, x->n};
    size_t n = 0;
    int64_t got;
    while ((got = unpack_more(w, x, &in, room, &n)) > 0)
        ;
    if (got == 0 && x->last && w->in.utf8 != 0)
        got = -1007;
    if (x->last)
        w->in.utf8 = 0;
    if (got == 0 && (!x->last || w->gather) && n > 0 && !ws_gather_add(w, room, n))
        got = -1011;
    if (got < 0)
        return (int)-got;
    if (x->last && w->gather)
        ws_gather_hand(w, how);
    else if (x->last)
        layer_take_above(&w->layer, room, n, how);
    return 0;
}
