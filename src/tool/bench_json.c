/* SPDX-License-Identifier: MIT
 * bench_json.c - what came of a bench, for programs: docs/bench.md has the schema. */
#include "tool/bench.h"
#include <duplex/text.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1 };

static void put_text(const char *name, const char *s)
{
    dx_text t = {0};
    if (s && dx_json_escape(s, strlen(s), &t) >= 0)
        printf(",\"%s\":\"%s\"", name, t.p ? t.p : "");
    dx_text_free(&t);
}

static void put_latency(const char *name, const struct histogram *h)
{
    printf(",\"%s\":{\"count\":%" PRIu64, name, h->count);
    if (h->count)
        printf(",\"min\":%.3f,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p99_9\":%.3f,\"p99_99\":%.3f,\"max\":%.3f,"
               "\"mean\":%.3f",
               (double)h->min / 1e3, (double)histogram_at(h, 0.5) / 1e3, (double)histogram_at(h, 0.9) / 1e3,
               (double)histogram_at(h, 0.99) / 1e3, (double)histogram_at(h, 0.999) / 1e3,
               (double)histogram_at(h, 0.9999) / 1e3, (double)h->max / 1e3, histogram_mean(h) / 1e3);
    putchar('}');
}

static void put_rates(const struct bench_passed *n, double seconds)
{
    printf(",\"out_messages_per_s\":%.3f,\"in_messages_per_s\":%.3f,\"out_bytes_per_s\":%.3f,\"in_bytes_per_s\":%.3f",
           (double)n->out_messages / seconds, (double)n->in_messages / seconds, (double)n->out_bytes / seconds,
           (double)n->in_bytes / seconds);
}

static void put_options(const struct bench_plan *p)
{
    static const char *const expect[] = {"echo", "upper", "any", "none"};
    printf(",\"options\":{\"conns\":%zu,\"threads\":%d,\"loop\":\"%s\"", p->conns, p->threads,
           p->rate > 0 ? "open" : "closed");
    if (p->rate > 0)
        printf(",\"rate_per_s\":%.9g", p->rate);
    else
        printf(",\"depth\":%zu", p->depth);
    printf(",\"size_bytes\":%zu", p->payload.one);
    if (p->for_ns)
        printf(",\"for_ms\":%" PRId64, p->for_ns / 1000000);
    if (p->messages)
        printf(",\"messages_max\":%" PRIu64, p->messages);
    printf(",\"warm_up_ms\":%" PRId64 ",\"wait_ms\":%" PRId64 ",\"loss_max\":%.9g", p->warm_ns / 1000000, p->wait_ms,
           p->loss_max);
    if (p->wire != BENCH_ROOM)
        printf(",\"expect\":\"%s\"", expect[p->expect]);
    if (p->wire == BENCH_HTTP) {
        put_text("method", p->method);
        put_text("path", p->path);
    }
    put_text("frame", p->opts.frame);
    put_text("room", p->room);
    putchar('}');
}

static void put_connects(const struct bench_tally *t)
{
    double seconds = (double)(t->dial_to_ns - t->dial_from_ns) / 1e9;
    printf(",\"connects\":{\"opened\":%" PRIu64, t->opened);
    if (t->opened > 1 && seconds > 0)
        printf(",\"per_s\":%.3f", (double)t->opened / seconds);
    put_latency("latency_us", &t->connect);
    putchar('}');
}

static void put_messages(const struct bench_plan *p, const struct bench_tally *t)
{
    printf(",\"messages\":{\"sent\":%" PRIu64 ",\"expected\":%" PRIu64 ",\"right\":%" PRIu64 ",\"wrong\":%" PRIu64
           ",\"lost\":%" PRIu64 ",\"unasked\":%" PRIu64 ",\"still_out\":%" PRIu64,
           t->sent, t->expected, t->right, t->wrong, bench_lost(t), t->unasked, t->left);
    if (p->wire == BENCH_ROOM && t->expected)
        printf(",\"reach\":%.9g", (double)t->right / (double)t->expected);
    putchar('}');
}

static void put_errors(const struct bench_tally *t)
{
    const char *comma = "";
    printf(",\"ended_by_server\":%" PRIu64 ",\"errors\":{", t->ends);
    for (const struct tool_exit_row *r = tool_exits; r->name; r++)
        if (t->errors[r->code]) {
            printf("%s\"%s\":%" PRIu64, comma, r->name, t->errors[r->code]);
            comma = ",";
        }
    putchar('}');
}

void bench_json(const struct bench_plan *p, const struct bench_tally *t, const char *wrong, int exit_code)
{
    double seconds = (double)(t->to_ns - t->from_ns) / 1e9;
    printf("{\"v\":%d,\"is\":\"result\"", VERSION);
    put_text("version", dx_version());
    put_text("url", p->url);
    put_options(p);
    put_connects(t);
    put_messages(p, t);
    if (seconds > 0) {
        printf(",\"rates\":{\"seconds\":%.6f", seconds);
        put_rates(&t->passed, seconds);
        putchar('}');
    }
    put_latency("latency_us", &t->latency);
    if (p->rate > 0)
        put_latency("sent_late_us", &t->behind);
    put_errors(t);
    put_text("first_wrong", wrong);
    printf(",\"cpu\":{\"seconds\":%.6f,\"share_max\":%.4f},\"client_is_limit\":%s,\"exit_code\":%d}\n", t->cpu_s,
           t->cpu_share_max, bench_is_limit(t) ? "true" : "false", exit_code);
}

void bench_json_second(const struct bench_plan *p, const struct bench_second *b, double at_s, double seconds)
{
    (void)p;
    printf("{\"v\":%d,\"is\":\"second\",\"at_s\":%.3f,\"seconds\":%.6f", VERSION, at_s, seconds);
    put_rates(&b->passed, seconds);
    put_latency("latency_us", &b->latency);
    printf(",\"wrong\":%" PRIu64 ",\"errors\":%" PRIu64 "}\n", b->passed.wrong, b->passed.errors);
    fflush(stdout);
}
