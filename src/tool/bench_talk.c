/* SPDX-License-Identifier: MIT
 * bench_talk.c - messages over conns that stand: sent as they are due, and what comes back compared byte by byte. On a stream of
 * bytes replies are as long as messages and come in their order; on wires of messages one answers one, in order; a datagram
 * says by its number which one it was, so that one may be lost and the next one counts all the same. */
#include "tool/bench.h"
#include <stdio.h>
#include <string.h>

enum { SWEEP_MS = 50 };

/* Slots begin at different messages, so that a reply on the wrong conn differs. */
static uint64_t shown(const struct bench_slot *s, uint64_t message)
{
    return s->number * 7 + message;
}

/* ---- sending ---- */

static void lose(struct bench_slot *s)
{
    s->got++;
    bench_settled(s->load, 1);
    bench_allow(s, 1);
}

static int send_datagram(struct bench_slot *s)
{
    struct bench_load *l = s->load;
    const struct bench_payload *p = &l->plan->payload;
    const uint8_t *m = bench_payload_out(p, shown(s, s->sent));
    if (p->numbered) {
        memcpy(l->scratch, m, p->one);
        bench_number_write(l->scratch, (uint32_t)s->sent);
        m = l->scratch;
    }
    int r = dx_send(s->c, m, p->one, 0);
    if (r >= 0 && l->replies_each && s->times[s->sent & l->times_mask])
        lose(s); /* so old that its place is needed */
    return r;
}

static int talk_send(struct bench_slot *s, int64_t at)
{
    const struct bench_plan *plan = s->load->plan;
    const struct bench_payload *p = &plan->payload;
    (void)at;
    if (plan->wire == BENCH_DATAGRAMS)
        return send_datagram(s);
    return dx_send(s->c, bench_payload_out(p, shown(s, s->sent)), p->one, plan->wire == BENCH_MESSAGES ? p->how : 0);
}

/* ---- what comes ---- */

/* False, and told, where a piece of the message's reply is not what it must be. */
static bool check(struct bench_slot *s, uint64_t message, const uint8_t *got, size_t from, size_t n, size_t whole)
{
    const struct bench_plan *p = s->load->plan;
    const uint8_t *want = bench_payload_in(&p->payload, shown(s, message)) + from;
    size_t left = p->payload.one - from, i = 0;
    char words[80];
    if (p->expect == EXPECT_ANY || (whole == p->payload.one && !memcmp(got, want, n)))
        return true;
    if (s->spoiled)
        return false;
    while (i < n && i < left && got[i] == want[i])
        i++;
    snprintf(words, sizeof words, "message %llu%s", (unsigned long long)message,
             whole == p->payload.one  ? ""
             : whole < p->payload.one ? " (its reply is shorter)"
                                      : " (its reply is longer)");
    bench_wrong(s, bench_time_of(s, message), words, from + i, (dx_bytes){got + i, n - i},
                (dx_bytes){want + i, i < left ? left - i : 0});
    return false;
}

static void in_order(struct bench_slot *s, bool right, int64_t now)
{
    if (right)
        bench_right(s->load, bench_time_of(s, s->got), now);
    s->got++;
    s->part = 0;
    s->spoiled = false;
}

static void take_bytes(struct bench_slot *s, const uint8_t *p, size_t n, int64_t now)
{
    size_t one = s->load->plan->payload.one;
    uint64_t before = s->got;
    while (n && s->got < s->sent) {
        size_t piece = n < one - s->part ? n : one - s->part;
        s->spoiled = !check(s, s->got, p, s->part, piece, one) || s->spoiled;
        s->part += piece;
        p += piece;
        n -= piece;
        if (s->part == one)
            in_order(s, !s->spoiled, now);
    }
    if (n)
        bench_unasked(s->load);
    bench_came(s->load, now, 0, s->got - before);
    bench_settled(s->load, s->got - before);
    bench_grant(s, s->got - before);
}

static void take_message(struct bench_slot *s, const uint8_t *p, size_t n, unsigned how, int64_t now)
{
    const struct bench_plan *plan = s->load->plan;
    const struct bench_payload *y = &plan->payload;
    bench_came(s->load, now, 0, 1);
    if (s->got == s->sent) {
        bench_unasked(s->load);
        return;
    }
    bool right = check(s, s->got, p, 0, n, n);
    if (right && plan->expect != EXPECT_ANY && y->how && !(how & y->how)) {
        bench_wrong(s, bench_time_of(s, s->got), how & DX_TEXT ? "text came for binary" : "binary came for text", 0,
                    (dx_bytes){0}, (dx_bytes){0});
        right = false;
    }
    in_order(s, right, now);
    bench_settled(s->load, 1);
    bench_grant(s, 1);
}

/* The message that this datagram answers; false: none that is out. */
static bool find_asked(struct bench_slot *s, const uint8_t *p, size_t n, uint64_t *ret_message)
{
    const struct bench_load *l = s->load;
    uint32_t number, back;
    if (!l->plan->payload.numbered || l->plan->expect == EXPECT_ANY) { /* all look alike: the oldest */
        while (s->swept < s->sent && !s->times[s->swept & l->times_mask])
            s->swept++;
        *ret_message = s->swept;
        return s->swept < s->sent;
    }
    if (n < BENCH_NUMBER_BYTES || !bench_number_read(p, &number))
        return false;
    back = (uint32_t)s->sent - number;
    if (!back || back > s->sent || back > l->times_mask + 1)
        return false;
    *ret_message = s->sent - back;
    return s->times[*ret_message & l->times_mask] != 0;
}

static void take_datagram(struct bench_slot *s, const uint8_t *p, size_t n, int64_t now)
{
    struct bench_load *l = s->load;
    uint64_t message;
    size_t from = l->plan->payload.numbered && n >= BENCH_NUMBER_BYTES ? BENCH_NUMBER_BYTES : 0;
    bench_came(l, now, 0, 1);
    if (!find_asked(s, p, n, &message)) {
        bench_unasked(l);
        return;
    }
    int64_t *at = &s->times[message & l->times_mask];
    if (check(s, message, p + from, from, n - from, n))
        bench_right(l, *at, now);
    *at = 0;
    s->got++;
    bench_settled(l, 1);
    bench_grant(s, 1);
}

/* ---- datagrams that never come back ---- */

static void sweep_slot(struct bench_slot *s, int64_t before)
{
    struct bench_load *l = s->load;
    uint64_t lost = 0;
    if (s->sent - s->swept > l->times_mask + 1)
        s->swept = s->sent - l->times_mask - 1;
    for (; s->swept < s->sent; s->swept++) {
        int64_t *at = &s->times[s->swept & l->times_mask];
        if (*at >= before)
            break;
        lost += *at != 0;
        *at = 0;
    }
    s->got += lost;
    if (lost)
        l->last_ns = bench_now();
    bench_settled(l, lost);
    bench_grant(s, lost);
}

static void sweep(void *arg)
{
    struct bench_load *l = arg;
    int64_t before = bench_now() - l->plan->wait_ms * 1000000;
    for (size_t i = 0; i < l->count && l->phase == BENCH_RUNS; i++)
        if (l->slots[i].open)
            sweep_slot(&l->slots[i], before);
    dx_loop_after(l->loop, SWEEP_MS, sweep, l);
}

static void talk_begin(struct bench_load *l)
{
    if (l->plan->wire == BENCH_DATAGRAMS && l->plan->rate <= 0 && l->replies_each)
        dx_loop_after(l->loop, SWEEP_MS, sweep, l);
}

/* ---- the conns ---- */

static void talk_open(dx_conn *c)
{
    bench_opened(dx_user(c));
}

static void talk_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct bench_slot *s = dx_user(c);
    const struct bench_plan *p = s->load->plan;
    int64_t now = bench_now();
    bench_came(s->load, now, n, 0);
    if (!s->load->replies_each)
        bench_came(s->load, now, 0, p->wire != BENCH_BYTES);
    else if (p->wire == BENCH_DATAGRAMS)
        take_datagram(s, data, n, now);
    else if (p->wire == BENCH_MESSAGES)
        take_message(s, data, n, how, now);
    else if (p->expect != EXPECT_ANY)
        take_bytes(s, data, n, now);
    else if (s->got < s->sent) /* whatever it is: a message without an end answers the one that is out */
        take_message(s, data, n, how, now);
}

static void talk_writable(dx_conn *c)
{
    struct bench_slot *s = dx_user(c);
    s->full = false;
    bench_go(s);
}

static void talk_close(dx_conn *c, const dx_err *why)
{
    struct bench_slot *s = dx_user(c);
    bench_closed(s, why, s->load->replies_each ? s->due - s->got : 0);
}

static const dx_handler talk_on = {
    .on_open = talk_open, .on_data = talk_data, .on_writable = talk_writable, .on_close = talk_close};

const struct bench_kind bench_talk = {.stands = true, .on = &talk_on, .send = talk_send, .begin = talk_begin};
