/* SPDX-License-Identifier: MIT
 * bench_http.c - requests on connections that are kept, one at a time on each: a slot is one fetch after the other (fetch.h). Latency
 * counts from the time the request left, or was scheduled for, to the end of the response; the first one's holds the dial. A status of
 * 2xx or 3xx is right; with --expect echo the body counts too. */
#include "tool/bench.h"
#include <duplex/fetch.h>
#include <stdio.h>
#include <string.h>

enum { REFUSED_FROM = 400 };

static bool has_body(const struct bench_plan *p)
{
    return strcmp(p->method, "GET") && strcmp(p->method, "HEAD");
}

static uint64_t shown(const struct bench_slot *s)
{
    return s->number * 7 + s->got;
}

/* Every slot may keep its connection. */
static void http_begin(struct bench_load *l)
{
    dx_fetch_keep(l->loop, (int)l->count, (int)l->count, 0);
}

/* s->part counts the bytes of the body; s->due - s->got is what is out or waits. */
static int http_send(struct bench_slot *s, int64_t at)
{
    struct bench_load *l = s->load;
    const struct bench_plan *p = l->plan;
    const dx_fetch_opts o = {.method = p->method,
                             .body = has_body(p) ? (dx_bytes){bench_payload_out(&p->payload, shown(s)), p->payload.one}
                                                 : (dx_bytes){0},
                             .tls = p->opts.tls,
                             .dial_ms_max = p->opts.dial_ms_max,
                             .idle_ms_max = p->opts.idle_ms_max};
    dx_err err = {0};
    (void)at;
    if (s->c)
        return DX_FULL;
    s->dial_ns = bench_now();
    s->part = 0;
    s->spoiled = false;
    s->c = dx_fetch(l->loop, p->dial, &bench_http_on, s, &o, &err);
    if (s->c)
        return 1; /* one at a time */
    bench_fault(l, &err);
    bench_give_up(l);
    return DX_FULL;
}

static void http_open(dx_conn *c)
{
    dx_fetch_info i;
    if (dx_fetch_info_of(c, &i) == 0 && !i.reused)
        bench_connected(dx_user(c));
}

static void http_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct bench_slot *s = dx_user(c);
    const struct bench_plan *p = s->load->plan;
    size_t one = p->payload.one, left = s->part < one ? one - s->part : 0;
    (void)how;
    bench_came(s->load, bench_now(), n, 0);
    if (p->expect != EXPECT_ANY)
        s->spoiled |= n > left || memcmp(data, bench_payload_in(&p->payload, shown(s)) + s->part, n);
    s->part += n;
}

static void judge(struct bench_slot *s, int status, int64_t now)
{
    const struct bench_plan *p = s->load->plan;
    int64_t at = bench_time_of(s, s->got);
    char words[80];
    bench_came(s->load, now, 0, 1);
    if (status >= REFUSED_FROM)
        snprintf(words, sizeof words, "request %llu: status %d", (unsigned long long)s->got, status);
    else if (p->expect != EXPECT_ANY && (s->spoiled || s->part != p->payload.one))
        snprintf(words, sizeof words, "request %llu: the body that came back is another", (unsigned long long)s->got);
    else {
        bench_right(s->load, at, now);
        return;
    }
    bench_wrong(s, at, words, 0, (dx_bytes){0}, (dx_bytes){0});
}

/* Where the very first one fails there is nothing to measure. */
static bool is_hopeless(const struct bench_load *l)
{
    return l->fault.code && !l->passed.in_messages;
}

static void http_close(dx_conn *c, const dx_err *why)
{
    struct bench_slot *s = dx_user(c);
    struct bench_load *l = s->load;
    int status = dx_http_status(c);
    bool failed = tool_exit_of(why) != TOOL_DONE || !status;
    s->c = NULL;
    if (l->phase == BENCH_OVER) {
        bench_closed(s, why, 0);
        return;
    }
    if (failed)
        bench_fault(l, why);
    else
        judge(s, status, bench_now());
    s->got++;
    s->full = false;
    if (is_hopeless(l)) {
        s->open = false;
        bench_give_up(l);
        return;
    }
    bench_settled(l, 1);
    bench_grant(s, 1);
    bench_go(s); /* open loop: one may be late already */
}

const dx_handler bench_http_on = {.on_open = http_open, .on_data = http_data, .on_close = http_close};

const struct bench_kind bench_http = {.on = &bench_http_on, .send = http_send, .begin = http_begin};
