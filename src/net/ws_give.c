/* SPDX-License-Identifier: MIT
 * ws_give.c - what goes out of a WebSocket: messages as frames (RFC 6455 5.2), masked where we are the client, packed where that was
 * agreed on (RFC 7692), and our Close. */
#include "base/utf8.h"
#include "net/ws_inside.h"
#include "os/clock.h"
#include <string.h>

enum {
    SMALL = 4096,
    PACK_MIN = 32, /* shorter messages go as they are */
};

/* A client's frames are masked: in a copy, for the bytes are the caller's. */
__attribute__((noinline)) static int give_masked(struct ws_layer *w, uint8_t op, bool fin, const struct span *v,
                                                 size_t count, size_t n, unsigned how)
{
    uint8_t few[SMALL + WS_HEAD_MAX], mask[4], *p = few;
    struct block *b = NULL;
    if (n > SMALL) {
        b = block_new(n + WS_HEAD_MAX);
        if (!b)
            return DX_NOMEM;
        p = b->data;
    }
    os_random(mask, 4);
    size_t head = ws_head(p, op, fin, n, mask), at = head;
    for (size_t i = 0; i < count; i++) {
        if (v[i].n)
            memcpy(p + at, v[i].p, v[i].n);
        at += v[i].n;
    }
    ws_mask(p + head, n, mask, 0);
    if (b)
        b->used = b->cap;
    struct span all = {b, p, at};
    int r = layer_give_below(&w->layer, &all, 1, how);
    block_drop(b);
    return r;
}

int ws_give_frame(struct ws_layer *w, uint8_t op, bool fin, const struct span *v, size_t count, unsigned how)
{
    struct span all[18];
    uint8_t head[WS_HEAD_MAX];
    size_t n = 0;
    if (count > 17)
        return DX_BIG;
    for (size_t i = 0; i < count; i++) { /* no memcpy: its call costs more than the one span there mostly is */
        all[i + 1] = v[i];
        n += v[i].n;
    }
    if (!w->server)
        return give_masked(w, op, fin, v, count, n, how);
    all[0] = (struct span){NULL, head, ws_head(head, op, fin, n, NULL)};
    return layer_give_below(&w->layer, all, count + 1, how);
}

/* A message or a part of it, packed and framed in one piece. Where it is not taken, the next one begins with nothing in mind. */
__attribute__((noinline)) static int give_packed(struct ws_layer *w, uint8_t op, bool fin, const struct span *v,
                                                 size_t count, size_t n)
{
    uint8_t few[SMALL], head[WS_HEAD_MAX], mask[4], *p = few;
    struct bytes parts[17];
    struct block *b = NULL;
    size_t room = ws_pack_room(n);
    if (count > 17)
        return DX_BIG;
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct bytes){v[i].p, v[i].n};
    if (room + WS_HEAD_MAX > sizeof few) {
        b = room < UINT32_MAX / 2 ? block_new(room + WS_HEAD_MAX) : NULL;
        if (!b)
            return DX_NOMEM;
        p = b->data;
    }
    p += WS_HEAD_MAX;
    int64_t got = ws_pack(w->more->deflate, parts, count, fin, p, room);
    if (got < 0) {
        block_drop(b);
        return DX_NOMEM;
    }
    if (!w->server) {
        os_random(mask, 4);
        ws_mask(p, (size_t)got, mask, 0);
    }
    size_t head_n = ws_head(head, op == WS_CONT ? op : op | WS_PACKED, fin, (uint64_t)got, w->server ? NULL : mask);
    memcpy(p - head_n, head, head_n);
    if (b)
        b->used = b->cap;
    struct span all = {got > SMALL ? b : NULL, p - head_n, head_n + (size_t)got};
    int r = layer_give_below(&w->layer, &all, 1, 0);
    block_drop(b);
    if (r < 0)
        ws_pack_rest(w->more->deflate);
    return r;
}

static size_t length_of(const struct span *v, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += v[i].n;
    return n;
}

__attribute__((noinline)) static bool is_text(const struct span *v, size_t count)
{
    uint32_t state = 0;
    for (size_t i = 0; i < count; i++)
        if (v[i].n && !utf8_check(&state, v[i].p, v[i].n))
            return false;
    return state == 0;
}

static int give_part(struct ws_layer *w, uint8_t op, const struct span *v, size_t count, unsigned how)
{
    bool more = how & DX_MORE;
    size_t n = w->packs ? length_of(v, count) : 0;
    bool packing = op == WS_CONT ? w->packing : n >= PACK_MIN || (w->packs && more);
    int r = packing ? give_packed(w, op, !more, v, count, n)
                    : ws_give_frame(w, op, !more, v, count, how & ~(unsigned)DX_MORE);
    if (r >= 0) {
        w->in_message = more;
        w->packing = packing && more;
    }
    return r;
}

/* Not in one with give, which the many leave early. */
__attribute__((noinline)) static int give_any(struct ws_layer *w, const struct span *v, size_t count, unsigned how)
{
    uint8_t op = w->in_message ? WS_CONT : how & DX_TEXT ? WS_TEXT : WS_BINARY;
    if (w->close_sent)
        return DX_STATE;
    if (op == WS_TEXT && !(how & DX_MORE) && !is_text(v, count))
        return DX_PROTO; /* the peer would have to break it off (RFC 6455 8.1) */
    return give_part(w, op, v, count, how);
}

/* The many: a server's message of one piece goes right into the queue, where the layer below has room for it. */
static inline bool give_in_place(struct ws_layer *w, unsigned how, const struct span *v)
{
    struct layer *below = w->layer.below;
    size_t n = v->n, head = n < 126 ? 2 : 4;
    if (n >= SMALL || !below->type->room || (how & DX_TEXT && !utf8_is_short_ascii(v->p, n) && !is_text(v, 1)))
        return false;
    uint8_t *at = below->type->room(below, head + n);
    if (!at)
        return false;
    ws_head(at, how & DX_TEXT ? WS_TEXT : WS_BINARY, true, n, NULL);
    if (n)
        memcpy(at + head, v->p, n);
    return true;
}

int ws_give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct ws_layer *w = ws_layer_of(l);
    if (w->server && !w->close_sent && !w->in_message && !w->packs && count == 1 && !(how & DX_MORE) &&
        give_in_place(w, how, v))
        return 0;
    return give_any(w, v, count, how);
}

static size_t encode(const dx_msg *m, uint8_t *at, const void *arg)
{
    dx_bytes b = dx_msg_bytes(m);
    size_t head = ws_head(at, msg_how(m) & DX_TEXT ? WS_TEXT : WS_BINARY, true, b.n, NULL);
    (void)arg;
    memcpy(at + head, b.p, b.n);
    return head + b.n;
}

int ws_give_msg(struct layer *l, dx_msg *m)
{
    static const char key; /* its address: a server's frame, the same for every client */
    struct ws_layer *w = ws_layer_of(l);
    struct span span;
    if (!w->server || w->in_message || w->packs)
        return layer_give_msg_plain(l, m);
    if (w->close_sent)
        return DX_STATE;
    int r = msg_encoded(m, w->loop, &key, WS_HEAD_MAX, encode, NULL, &span);
    return r < 0 ? r : layer_give_below(l, &span, 1, 0);
}

void ws_give_close(struct ws_layer *w, int code, const char *reason, size_t reason_n)
{
    uint8_t body[2 + WS_REASON_MAX];
    size_t n = 0;
    if (w->close_sent)
        return;
    if (code) {
        body[0] = (uint8_t)(code >> 8);
        body[1] = (uint8_t)code;
        while (reason_n > WS_REASON_MAX ||
               (reason_n && !is_text(&(struct span){NULL, (const uint8_t *)reason, reason_n}, 1)))
            reason_n--;
        n = 2 + reason_n;
        memcpy(body + 2, reason, n - 2);
    }
    struct span v = {NULL, body, n};
    ws_give_frame(w, WS_CLOSE, true, &v, 1, 0);
    w->close_sent = 1;
    w->our_code = (uint16_t)code;
}
