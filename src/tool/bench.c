/* SPDX-License-Identifier: MIT
 * bench.c - duplex bench URL: what the options ask for, the threads, and the exit code. */
#include "tool/bench.h"
#include "tool/options.h"
#include "tool/trust.h"
#include "tool/wires.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    CONNS = 50,
    SIZE = 64,
    FOR_MS = 10000,
    WARM_MS_MAX = 1000,
    WAIT_MS = 5000,
    WAIT_DATAGRAM_MS = 1000,
    SPARE_FDS = 64,
    ROOM_SIZE_MIN = 64,
    QUEUE_BYTES = 64 << 10,
};

/* ---- the wire ---- */

static bool is_ws(const char *url)
{
    static const char *const ws[] = {"ws", "wss", NULL};
    return wire_among(url, ws);
}

static bool is_datagram(const char *url)
{
    static const char *const datagrams[] = {"udp", "unixgram", NULL};
    return wire_among(url, datagrams);
}

static int read_wire(struct bench_plan *p)
{
    static const char *const http[] = {"http", "https", NULL};
    static const char *const local[] = {"stdio", "fd", "file", "exec", NULL};
    if (wire_is(p->url, "any"))
        return tool_usage("any:// is for listening; a bench says which wire.  Did you mean: duplex bench tcp%s",
                          p->url + 3);
    if (wire_among(p->url, local))
        return tool_usage("bench wants a server to dial, and %.100s is an end on this machine", p->url);
    p->wire = wire_among(p->url, http) ? BENCH_HTTP
              : is_datagram(p->url)    ? BENCH_DATAGRAMS
              : is_ws(p->url)          ? BENCH_MESSAGES
                                       : BENCH_BYTES;
    snprintf(p->dial, sizeof p->dial, "%s", p->url);
    return strlen(p->url) < sizeof p->dial ? -1 : tool_usage("that URL is too long");
}

/* ---- numbers ---- */

static bool read_number(const char *text, const char *unit, double *ret)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || !(v >= 0) || v > 1e12 || (*end && strcmp(end, unit)))
        return false;
    *ret = v;
    return true;
}

static int read_rate(struct bench_plan *p, const struct options *o)
{
    const char *rate = option_text(o, "rate"), *loss = option_text(o, "loss-max");
    if (rate && strcmp(rate, "max") && (!read_number(rate, "/s", &p->rate) || p->rate <= 0))
        return tool_usage("--rate wants messages a second, or max, not '%.60s'", rate);
    if (loss && (!read_number(loss, "%", &p->loss_max) || p->loss_max > 100))
        return tool_usage("--loss-max wants a part of 100, such as 0.1%%, not '%.60s'", loss);
    p->loss_max /= 100;
    return -1;
}

static int read_numbers(struct bench_plan *p, const struct options *o)
{
    static const struct {
        const char *name;
        int64_t max;
    } bounds[] = {{"conns", BENCH_CONNS_MAX},
                  {"depth", BENCH_DEPTH_MAX},
                  {"threads", BENCH_THREADS_MAX},
                  {"size", BENCH_PAYLOAD_MAX}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (option_number(o, bounds[i].name, 1) > bounds[i].max)
            return tool_usage("--%s is at most %lld", bounds[i].name, (long long)bounds[i].max);
    int r = read_rate(p, o);
    if (r >= 0)
        return r;
    p->conns = (size_t)option_number(o, "conns", p->wire == BENCH_HTTP ? 10 : CONNS);
    p->depth = (size_t)option_number(o, "depth", 1);
    p->threads = (int)option_number(o, "threads", 1);
    p->messages = (uint64_t)option_number(o, "count", 0);
    p->for_ns = option_number(o, "for", p->messages ? 0 : FOR_MS) * 1000000;
    int64_t warm = p->for_ns / 10000000;
    warm = p->messages ? 0 : warm < WARM_MS_MAX ? warm : WARM_MS_MAX;
    p->warm_ns = option_number(o, "warm-up", warm) * 1000000;
    p->wait_ms = option_number(o, "wait", p->wire == BENCH_DATAGRAMS ? WAIT_DATAGRAM_MS : WAIT_MS);
    if (!p->messages && !p->for_ns)
        return tool_usage("--for wants some time");
    if ((size_t)p->threads > p->conns)
        return tool_usage("--threads %d wants as many conns (--conns)", p->threads);
    if (p->depth > 1 && p->rate > 0)
        return tool_usage("--depth is for the closed loop: --rate sends on time, whatever comes back");
    if (p->depth > 1 && p->wire == BENCH_HTTP)
        return tool_usage(
            "--depth is for wires that tell replies apart: a connection has one request at a time.  Try: --conns");
    return -1;
}

/* ---- what is sent and expected ---- */

static int read_expect(struct bench_plan *p, const struct options *o)
{
    static const char *const words[] = {"echo", "upper", "any", "none"};
    const char *text = option_text(o, "expect");
    size_t i = p->wire == BENCH_HTTP ? EXPECT_ANY : EXPECT_ECHO;
    if (text)
        for (i = 0; i < 4 && strcmp(words[i], text);)
            i++;
    if (i == 4)
        return tool_usage("--expect is echo, upper, any or none, not '%.60s'", text);
    p->expect = (enum bench_expect)i;
    if (p->wire == BENCH_HTTP && p->expect == EXPECT_NONE)
        return tool_usage("a request has a response: --expect none is not for http");
    if (p->wire == BENCH_BYTES && p->expect == EXPECT_ANY && (p->depth > 1 || p->rate > 0))
        return tool_usage("--expect any: on a stream of bytes nothing says where a reply ends.  Try: --frame line");
    return -1;
}

/* In place of the URL's own. < 0: there is no room. */
static int use_path(struct bench_plan *p)
{
    const char *host = strstr(p->url, "://");
    size_t before = host ? (size_t)(host + 3 - p->url) + strcspn(host + 3, "/?#") : strlen(p->url);
    int n = snprintf(p->dial, sizeof p->dial, "%.*s%s%s", (int)before, p->url, p->path, strchrnul(p->url, '#'));
    return n < (int)sizeof p->dial ? 0 : -1;
}

static int read_http(struct bench_plan *p, const struct options *o)
{
    bool body = option_has(o, "message") || option_has(o, "size");
    p->method = option_text(o, "method");
    p->path = option_text(o, "path");
    if (p->wire != BENCH_HTTP && (p->method || p->path))
        return tool_usage("--%s is for http:// and https://", p->method ? "method" : "path");
    if (!p->method)
        p->method = body || p->expect == EXPECT_ECHO || p->expect == EXPECT_UPPER ? "POST" : "GET";
    bool bodiless = !strcmp(p->method, "GET") || !strcmp(p->method, "HEAD");
    if (p->path && *p->path != '/')
        return tool_usage("--path begins with a /, not '%.60s'", p->path);
    if (p->path && use_path(p) < 0)
        return tool_usage("that URL is too long");
    if (p->wire == BENCH_HTTP && bodiless && (body || p->expect != EXPECT_ANY))
        return tool_usage("a %s has no body.  Try: --method POST", p->method);
    return -1;
}

static int read_payload(struct bench_plan *p, const struct options *o)
{
    dx_err err = {0};
    const char *said = option_text(o, "message");
    bool upper = p->expect == EXPECT_UPPER, datagrams = p->wire == BENCH_DATAGRAMS;
    bool numbered = datagrams && (p->expect == EXPECT_ECHO || upper);
    size_t size = (size_t)option_number(o, "size", SIZE);
    if (said && (option_has(o, "size") || p->wire == BENCH_ROOM))
        return tool_usage("--message is not for %s",
                          p->wire == BENCH_ROOM ? "--room: its messages are numbered" : "--size: it has one");
    if (p->wire == BENCH_HTTP && (!strcmp(p->method, "GET") || !strcmp(p->method, "HEAD")))
        return -1;
    if (said && bench_payload_read(&p->payload, said, upper, &err) < 0) {
        tool_say("%s", err.text);
        return err.code == DX_SYS ? TOOL_LOCAL : err.code == DX_BIG ? TOOL_BIG : tool_exit_of(&err);
    }
    if (!said && numbered && size < BENCH_NUMBER_BYTES)
        return tool_usage("--size is at least %d here: a datagram says its number", BENCH_NUMBER_BYTES);
    if (!said && p->wire == BENCH_ROOM && size < ROOM_SIZE_MIN)
        return tool_usage("--size is at least %d here: a room's message says its number and time", ROOM_SIZE_MIN);
    if (!said && bench_payload_make(&p->payload, size, numbered, p->wire == BENCH_BYTES, upper) < 0)
        return tool_usage("no memory for messages of %zu bytes", size);
    if (datagrams && p->payload.one > BENCH_DATAGRAM_MAX)
        return tool_usage("a datagram has at most %d bytes", BENCH_DATAGRAM_MAX);
    if (!is_ws(p->url))
        p->payload.how = 0;
    return -1;
}

/* The room is the path of a WebSocket; other members are asked to join it. */
static int read_room(struct bench_plan *p, const struct options *o)
{
    p->room = option_text(o, "room");
    if (!p->room)
        return -1;
    if (p->wire == BENCH_HTTP)
        return tool_usage("a room is a WebSocket.  Did you mean: duplex bench ws%s --room %.60s", p->url + 4, p->room);
    if (option_has(o, "expect") || option_has(o, "frame") || p->threads > 1)
        return tool_usage("--room goes without --expect, --frame and --threads");
    if (p->conns < 2)
        return tool_usage("--room wants two members at least: one speaks, the others hear");
    const char *host = strstr(p->url, "://");
    if (is_ws(p->url) && host)
        snprintf(p->dial, sizeof p->dial, "%.*s/%s", (int)(host + 3 + strcspn(host + 3, "/?#") - p->url), p->url,
                 p->room);
    p->key = getenv("DUPLEX_KEY");
    p->wire = BENCH_ROOM;
    if (!is_ws(p->url) && !is_datagram(p->url))
        p->opts.frame = "line";
    return -1;
}

static int read_plan(struct bench_plan *p, const struct options *o)
{
    int r;
    p->url = o->args[0];
    p->opts.dial_ms_max = option_number(o, "timeout", 0);
    p->opts.frame = option_text(o, "frame");
    p->opts.idle_ms_max = INT64_MAX / 1000;
    p->json = option_has(o, "json");
    p->live = option_has(o, "live") || (!p->json && isatty(STDERR_FILENO));
    if ((r = read_wire(p)) >= 0 || (r = read_numbers(p, o)) >= 0)
        return r;
    if (p->opts.frame && p->wire == BENCH_BYTES && strcmp(p->opts.frame, "none"))
        p->wire = BENCH_MESSAGES;
    if ((r = read_expect(p, o)) >= 0 || (r = read_http(p, o)) >= 0 || (r = read_room(p, o)) >= 0)
        return r;
    if ((r = read_payload(p, o)) >= 0)
        return r;
    if (p->expect == EXPECT_NONE) /* short queues: what was sent has gone, or nearly, and turns stay short */
        p->opts.queue_bytes_max = p->payload.one * 4 > QUEUE_BYTES ? p->payload.one * 4 : QUEUE_BYTES;
    return -1;
}

/* ---- running ---- */

/* The shell's limit of 1024 descriptors is far below what we may have. */
static void raise_descriptors(size_t conns)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= conns + SPARE_FDS)
        return;
    r.rlim_cur = r.rlim_max < conns + SPARE_FDS ? r.rlim_max : conns + SPARE_FDS;
    setrlimit(RLIMIT_NOFILE, &r);
}

static int make_loads(struct bench_run *run, dx_err *err)
{
    const struct bench_plan *p = run->plan;
    size_t threads = (size_t)p->threads, first = 0;
    run->loads = calloc(threads, sizeof *run->loads);
    if (!run->loads) {
        *err = (dx_err){.code = DX_NOMEM, .text = "no memory for so many threads"};
        return DX_NOMEM;
    }
    for (size_t i = 0; i < threads; i++) {
        size_t count = p->conns / threads + (i < p->conns % threads);
        int r = bench_load_make(&run->loads[i], run, first, count, err);
        if (r < 0)
            return r;
        first += count;
    }
    return 0;
}

static void *run_thread(void *arg)
{
    struct bench_load *l = arg;
    bench_load_start(l);
    dx_loop_run(l->loop);
    return NULL;
}

static void break_load(void *arg)
{
    bench_load_break(arg);
}

/* 0, or an error with words: then nothing has run. */
static int run_loads(struct bench_run *run, dx_err *err)
{
    int started = 1, threads = run->plan->threads;
    for (; started < threads; started++)
        if (pthread_create(&run->loads[started].thread, NULL, run_thread, &run->loads[started]))
            break;
    if (started == threads) {
        bench_load_start(&run->loads[0]);
        tool_run();
        bench_load_break(&run->loads[0]); /* nothing, unless a signal ended it */
    }
    for (int i = 1; i < started; i++) {
        dx_loop_post(run->loads[i].loop, break_load, &run->loads[i]);
        pthread_join(run->loads[i].thread, NULL);
    }
    if (started == threads)
        return 0;
    *err = (dx_err){.code = DX_LIMIT, .text = "no more threads to be had"};
    return DX_LIMIT;
}

/* ---- what came of it ---- */

static const dx_err *first_fault(const struct bench_run *run)
{
    for (int i = 0; i < run->plan->threads; i++)
        if (run->loads[i].fault.code)
            return &run->loads[i].fault;
    return NULL;
}

static const char *first_wrong(const struct bench_run *run)
{
    for (int i = 0; i < run->plan->threads; i++)
        if (*run->loads[i].wrong)
            return run->loads[i].wrong;
    return NULL;
}

static int judge(const struct bench_run *run, const struct bench_tally *t)
{
    const dx_err *fault = first_fault(run);
    if (tool_stopped())
        return 128 + tool_stopped();
    if (fault)
        return tool_exit_of(fault);
    bool lost = (double)bench_lost(t) > run->plan->loss_max * (double)t->expected;
    bool cut = t->ends && run->plan->expect == EXPECT_NONE; /* nothing else would tell that nobody listens any more */
    return t->wrong || t->unasked || lost || cut ? TOOL_UNMET : TOOL_DONE;
}

/* Not one reply was right: it may be no echo server at all. */
static void hint(const struct bench_plan *p, const struct bench_tally *t, int code)
{
    bool echo = p->expect == EXPECT_ECHO || p->expect == EXPECT_UPPER;
    if (code == TOOL_UNMET && echo && t->wrong && !t->right && p->wire != BENCH_ROOM && p->wire != BENCH_HTTP)
        tool_say("no reply was right: does it send back what comes?  Try: --expect any%s",
                 wire_is(p->url, "ws") || wire_is(p->url, "wss") ? ", or --room NAME where it is duplex serve" : "");
}

static int tell(const struct bench_run *run)
{
    static struct bench_tally all; /* large for a stack */
    const struct bench_plan *p = run->plan;
    const dx_err *fault = first_fault(run);
    for (int i = 0; i < p->threads; i++)
        bench_tally_merge(&all, &run->loads[i].tally);
    int code = judge(run, &all);
    if (p->live && !p->json)
        bench_report_rest();
    if (fault)
        tool_fail("dial", p->url, fault);
    if (p->json)
        bench_json(p, &all, first_wrong(run), code);
    else if (all.opened)
        bench_report(p, &all, first_wrong(run));
    hint(p, &all, code);
    return fflush(stdout) == 0 ? code : TOOL_LOCAL;
}

static int run_plan(struct bench_plan *p)
{
    static struct bench_run run; /* large for a stack */
    dx_err err = {0};
    run = (struct bench_run){.plan = p};
    pthread_mutex_init(&run.lock, NULL);
    raise_descriptors(p->conns);
    int r = make_loads(&run, &err);
    if (!r) {
        tool_signals(run.loads[0].loop);
        r = run_loads(&run, &err);
    }
    int code = r < 0 ? tool_fail("dial", p->url, &err) : tell(&run);
    for (int i = 0; run.loads && i < p->threads; i++)
        bench_load_free(&run.loads[i]);
    free(run.loads);
    pthread_mutex_destroy(&run.lock);
    return code;
}

int cmd_bench(int argc, char **argv)
{
    static struct bench_plan p;
    struct options o;
    struct trust trust = {0};
    int r = options_read(argc, argv, &o);
    if (r >= 0 || (r = read_plan(&p, &o)) >= 0 || (r = trust_read(&trust, &o, p.url, NULL)) >= 0) {
        bench_payload_free(&p.payload);
        return r;
    }
    p.opts.tls = trust.tls;
    r = run_plan(&p);
    trust_free(&trust);
    bench_payload_free(&p.payload);
    return r;
}
