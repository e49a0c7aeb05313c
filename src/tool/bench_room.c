/* SPDX-License-Identifier: MIT
 * bench_room.c - a room of duplex serve (docs/room.md): slot 0 speaks, all others hear. Each message says whose it is, its number
 * and its time, so that other members' talk is left alone, and what a listener has missed shows by a gap. */
#include "tool/bench.h"
#include <duplex/text.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIELD = 16 };

static bool is_ws(const dx_conn *c)
{
    return dx_wire(c)[0] == 'w';
}

/* "bench XXXXXXXX " then number and time in hex, then letters that follow from the number. */
static size_t write_words(const struct bench_load *l, uint64_t number, int64_t at, char *to)
{
    size_t one = l->plan->payload.one;
    size_t n = (size_t)snprintf(to, one + 1, "%s%016llx %016llx ", l->room_tag, (unsigned long long)number,
                                (unsigned long long)at);
    for (; n < one; n++)
        to[n] = (char)('a' + (number + n) % 26);
    return one;
}

static int room_send(struct bench_slot *s, int64_t at)
{
    struct bench_load *l = s->load;
    char *words = (char *)l->scratch;
    size_t n = write_words(l, s->sent, at, words);
    return dx_send(s->c, words, n, is_ws(s->c) ? DX_TEXT : 0);
}

/* In the closed loop the next message leaves when as many deliveries have come as there are listeners. */
static void delivered(struct bench_load *l, uint64_t n)
{
    uint64_t before = l->delivered;
    l->delivered += n;
    bench_settled(l, n);
    if (l->replies_each)
        bench_grant(&l->slots[0], l->delivered / l->replies_each - before / l->replies_each);
}

static bool read_hex(const char *p, uint64_t *ret)
{
    uint64_t v = 0;
    for (int i = 0; i < FIELD; i++) {
        const char *d = p[i] ? strchr("0123456789abcdef", p[i]) : NULL;
        if (!d)
            return false;
        v = v << 4 | (uint64_t)(d - "0123456789abcdef");
    }
    *ret = v;
    return true;
}

static void hear(struct bench_slot *s, const char *p, size_t n, int64_t now)
{
    struct bench_load *l = s->load;
    size_t tag = strlen(l->room_tag);
    uint64_t number, at;
    char words[80];
    if (n < tag + 2 * FIELD + 2 || !read_hex(p + tag, &number) || !read_hex(p + tag + FIELD + 1, &at))
        return;
    if (number < s->got || number >= l->slots[0].sent) {
        bench_unasked(l);
        return;
    }
    bench_came(l, now, 0, 1);
    uint64_t settled = number + 1 - s->got; /* those before it were missed */
    write_words(l, number, (int64_t)at, (char *)l->scratch);
    if (n == l->plan->payload.one && !memcmp(p, l->scratch, n)) {
        bench_right(l, (int64_t)at, now);
    } else {
        snprintf(words, sizeof words, "message %llu of the room came changed", (unsigned long long)number);
        bench_wrong(s, (int64_t)at, words, 0, (dx_bytes){0}, (dx_bytes){0});
    }
    s->got = number + 1;
    delivered(l, settled);
}

static void join(dx_conn *c, struct bench_load *l)
{
    char words[400];
    int n = 0;
    if (l->plan->key && (n = snprintf(words, sizeof words, "/key %.200s", l->plan->key)) > 0)
        dx_send(c, words, (size_t)n, is_ws(c) ? DX_TEXT : 0);
    if (is_ws(c))
        return;
    n = snprintf(words, sizeof words, "/join %.200s", l->plan->room);
    dx_send(c, words, (size_t)n, 0);
}

/* A WebSocket's path has named the room; others ask, and are in when the answer comes. */
static void room_open(dx_conn *c)
{
    struct bench_slot *s = dx_user(c);
    join(c, s->load);
    if (is_ws(c) && !s->load->plan->key)
        bench_opened(s);
}

static void room_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct bench_slot *s = dx_user(c);
    struct bench_load *l = s->load;
    int64_t now = bench_now();
    const char *p = data, *end = p + n;
    (void)how;
    if (s->open)
        bench_came(l, now, n, 0);
    else if (n > 2 && !memcmp(p, "* ", 2))
        bench_opened(s);
    p = s->number ? memmem(p, n, l->room_tag, strlen(l->room_tag)) : NULL;
    if (p)
        hear(s, p, (size_t)(end - p), now);
}

static void room_writable(dx_conn *c)
{
    struct bench_slot *s = dx_user(c);
    s->full = false;
    bench_go(s);
}

/* Without its speaker a room is silent, without listeners there is nothing to count. */
static void room_close(dx_conn *c, const dx_err *why)
{
    struct bench_slot *s = dx_user(c);
    struct bench_load *l = s->load;
    uint64_t owed = s->open && s->number ? l->slots[0].due - s->got : 0;
    if (s->open && s->number && l->replies_each)
        l->replies_each--;
    bool last = s->open && l->phase == BENCH_RUNS && (s->number == 0 || !l->replies_each);
    bench_closed(s, why, owed);
    if (last)
        bench_give_up(l);
}

static void room_begin(struct bench_load *l)
{
    l->replies_each = l->open - l->slots[0].open;
    snprintf(l->room_tag, sizeof l->room_tag, "bench %08x ", (unsigned)(bench_now() / 1000) ^ (unsigned)getpid() << 16);
    if (!l->slots[0].open || !l->replies_each)
        bench_give_up(l);
}

static const dx_handler room_on = {
    .on_open = room_open, .on_data = room_data, .on_writable = room_writable, .on_close = room_close};

const struct bench_kind bench_room = {.stands = true, .on = &room_on, .send = room_send, .begin = room_begin};
