/* SPDX-License-Identifier: MIT
 * bench_http.c - requests: an exchange is a conn of its own (http.h), so latency counts from the dial, or from the time the request
 * was scheduled for, to the end of the response. A status of 2xx or 3xx is right; with --expect echo the body counts too. */
#include "tool/bench.h"
#include <duplex/http.h>
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

/* s->part counts the bytes of the body; s->due - s->got is what is out or waits. */
static int http_send(struct bench_slot *s, int64_t at)
{
    struct bench_load *l = s->load;
    dx_err err = {0};
    (void)at;
    if (s->c)
        return DX_FULL;
    s->dial_ns = bench_now();
    s->part = 0;
    s->spoiled = false;
    s->c = dx_connect(l->loop, l->plan->dial, &bench_http_on, s, &l->plan->opts, &err);
    if (s->c)
        return 1; /* one at a time */
    bench_fault(l, &err);
    bench_give_up(l);
    return DX_FULL;
}

static void http_open(dx_conn *c)
{
    struct bench_slot *s = dx_user(c);
    const struct bench_plan *p = s->load->plan;
    bool body = has_body(p);
    bench_connected(s);
    int r = dx_http_request(c, p->method, p->path, NULL, 0, body ? (int64_t)p->payload.one : 0);
    if (r >= 0 && body)
        r = dx_send(c, bench_payload_out(&p->payload, shown(s)), p->payload.one, DX_LAST);
    if (r >= 0)
        return;
    dx_err e = {.code = r};
    snprintf(e.text, sizeof e.text, "%s %s: %s", p->method, p->path ? p->path : p->url, dx_code_text(r));
    bench_fault(s->load, &e);
    dx_abort(c);
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

const struct bench_kind bench_http = {.on = &bench_http_on, .send = http_send};
