/* SPDX-License-Identifier: MIT
 * end.c - what behaviours do with one end of a conversation, and the plain handlers. */
#include "conform.h"
#include "oom.h"

/* Its period is a prime, so that no lost, doubled or exchanged block of a round size goes unseen. */
const uint8_t *pattern(size_t at)
{
    static uint8_t *p;
    if (!p) {
        uint32_t x = 12345;
        p = malloc(PATTERN_PERIOD + PATTERN_MAX);
        if (!p)
            abort();
        for (size_t i = 0; i < PATTERN_PERIOD; i++) {
            x = x * 1664525 + 1013904223;
            p[i] = (uint8_t)(x >> 24);
        }
        for (size_t i = PATTERN_PERIOD; i < PATTERN_PERIOD + PATTERN_MAX; i++)
            p[i] = p[i - PATTERN_PERIOD];
    }
    return p + at % PATTERN_PERIOD;
}

int put(struct end *e, size_t n)
{
    uint8_t *p = sure_calloc(n + 1);
    int r;
    memcpy(p, pattern(e->sent), n);
    r = dx_send(e->c, p, n, dx_kind_of(e->c) == DX_MESSAGES ? DX_BINARY : 0);
    memset(p, 0xDD, n + 1);
    free(p);
    if (r >= 0)
        e->sent += n;
    e->half += r == 1;
    e->full += r == DX_FULL;
    /* DX_CLOSED: broken by the peer, and on_close is on its way */
    if (r != 0 && r != 1 && r != DX_FULL && r != DX_BIG && r != DX_STATE && r != DX_CLOSED)
        fail(e->w, "%s: dx_send of %zu says %d (%s)", e->who, n, r, dx_code_text(r));
    return r;
}

static void go_on(dx_conn *c)
{
    struct end *e = end_of(c);
    while (e->sent < e->goal && !e->closing) {
        size_t left = e->goal - e->sent;
        int r = put(e, left < e->piece ? left : e->piece);
        if (r < 0 || r == 1)
            return;
    }
}

void put_all(struct end *e, size_t goal, size_t piece)
{
    e->goal = goal;
    e->piece = piece;
    go_on(e->c);
}

/* Sends until nothing has moved for a while: every buffer on the way is full. For handlers that go on in on_writable. */
void stall(struct world *w, struct end *e, size_t piece)
{
    size_t before = SIZE_MAX;
    while (e->sent != before && !w->report->failed) {
        before = e->sent;
        put_all(e, e->sent + 64 * MIB, piece);
        pass(w, 20);
    }
    e->goal = 0;
}

/* The same for those that do not, up to the first DX_FULL that stays. */
void fill(struct world *w, struct end *e, size_t piece)
{
    for (int quiet = 0; quiet < 10 && e->c && !w->report->failed; quiet++) {
        size_t before = e->sent;
        while (e->c && !e->closing && put(e, piece) >= 0)
            ;
        pass(w, 2);
        if (e->sent != before)
            quiet = 0;
    }
}

void end_pause(struct end *e, bool on)
{
    e->paused = on;
    dx_pause(e->c, on);
}

void end_close(struct end *e)
{
    e->closing = true;
    if (e->c)
        dx_close(e->c);
}

void end_abort(struct end *e)
{
    e->closing = true;
    if (e->c)
        dx_abort(e->c);
}

bool is_good_close(const struct end *e)
{
    return e->why.code == DX_END || e->why.code == DX_CLOSED;
}

static void nothing(dx_conn *c)
{
    (void)c;
}

static void echo_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct end *e = end_of(c);
    int r = dx_send(c, data, n, how & (DX_TEXT | DX_BINARY));
    if (r < 0)
        fail(e->w, "%s: the one send in on_data says %d (%s), queued %zu", e->who, r, dx_code_text(r), dx_queued(c));
    else
        e->sent += n;
}

static void echo_end(dx_conn *c)
{
    end_close(end_of(c));
}

const dx_handler on_quiet = {.on_end = nothing};
const dx_handler on_echo = {.on_data = echo_data, .on_end = echo_end};
const dx_handler on_default = {0};
const dx_handler on_fill = {.on_end = nothing, .on_writable = go_on};
