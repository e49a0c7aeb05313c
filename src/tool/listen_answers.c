/* SPDX-License-Identifier: MIT
 * listen_answers.c - see listen_answers.h. */
#include "tool/listen_answers.h"
#include "tool/bucket.h"
#include "tool/exchange.h"
#include "tool/exec.h"
#include "tool/feed.h"
#include "tool/steps.h"
#include "tool/tool.h"
#include <duplex/http.h>
#include <duplex/udp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { REPLY_TIMES = 3 }; /* a datagram from afar is answered with at most so many times its bytes (RFC 9000 8.1) */

struct client {
    struct bucket bucket; /* of a datagram source */
    bool datagrams, loopback, quiet;
    bool answered;     /* by --reply */
    bool http, headed; /* an HTTP exchange; the head of its answer has gone */
    uint64_t number;   /* for the words */
    struct steps steps;
};

/* The head goes with the first byte of the body, so that Expect: 100-continue is answered. */
static void http_head(dx_conn *c, int64_t length)
{
    static const dx_http_field type = {"Content-Type", "application/octet-stream"};
    struct client *k = dx_state(c);
    k->headed = true;
    if (dx_http_head(c, 200, length, &type, 1) < 0)
        dx_abort(c);
}

static void reply(dx_conn *c)
{
    struct listen_answers *s = dx_user(c);
    struct client *k = dx_state(c);
    int r = k->http ? reply_http(&s->reply, c) : reply_message(&s->reply, c);
    k->answered = true;
    if (k->datagrams)
        bucket_said(&k->bucket, s->reply.bytes.p, s->reply.bytes.n);
    else if (r < 0 && r != DX_CLOSED && r != DX_STATE)
        dx_abort(c);
}

/* A request is answered when it is whole, and so is who says its end and nothing else. */
static bool reply_at_end(dx_conn *c)
{
    const struct listen_answers *s = dx_user(c);
    const struct client *k = dx_state(c);
    if (!s->reply.on || k->answered)
        return false;
    reply(c);
    return k->http;
}

static void begin_exec(dx_conn *c)
{
    struct listen_answers *s = dx_user(c);
    dx_err err = {0};
    if (exec_join(c, s->exec, &err) == 0)
        return;
    tool_say("--exec: %s", err.text[0] ? err.text : dx_code_text(err.code));
    if (s->once)
        s->code = err.code == DX_SYS ? TOOL_LOCAL : tool_exit_of(&err);
    dx_abort(c);
}

static void client_end(dx_conn *c)
{
    const struct client *k = dx_state(c);
    if (reply_at_end(c))
        return;
    if (k->http && !k->headed)
        http_head(c, 0);
    dx_close(c);
}

static void tell(dx_conn *c, uint64_t number)
{
    char who[40];
    snprintf(who, sizeof who, "client %" PRIu64 ": ", number);
    tool_say("client %" PRIu64 " is %s", number, dx_peer(c));
    steps_open(&((struct client *)dx_state(c))->steps, c, who);
}

static void client_open(dx_conn *c)
{
    struct listen_answers *s = dx_user(c);
    struct client *k = dx_state(c);
    if (dx_http_is(c) && dx_http_wants_ws(c))
        k->headed = !exchange_accept_ws(c);
    k->http = dx_http_is(c);
    k->datagrams = feed_datagrams(dx_wire(c));
    k->loopback = dx_is_loopback(c);
    if (s->served) {
        dx_abort(c); /* came in the same turn as the one that --once serves */
        return;
    }
    k->number = ++s->clients;
    if (s->verbose)
        tell(c, k->number);
    if (s->once) {
        s->served = dx_id_of(c);
        s->on_first(s->arg);
    }
    if (s->exec)
        begin_exec(c);
}

/* The source of a datagram is whatever its sender wrote there: a short question must not bring somebody else a long answer. */
static bool is_too_much(const struct listen_answers *s, dx_conn *c, const struct client *k)
{
    uint64_t in, out;
    if (!s->reply.on || k->loopback)
        return false;
    dx_udp_traffic(c, &in, &out);
    return out + s->reply.bytes.n > REPLY_TIMES * in;
}

static bool may_answer(struct listen_answers *s, dx_conn *c, const void *data, size_t n)
{
    struct client *k = dx_state(c);
    if (k->datagrams && is_too_much(s, c, k)) {
        if (!k->quiet)
            tool_say("%s asks too little for so long an answer: not answering it", dx_peer(c));
        k->quiet = true;
        return false;
    }
    if (!k->datagrams || bucket_take(&k->bucket, data, n, k->loopback, dx_loop_now(dx_loop_of(c))))
        return true;
    if (!k->quiet)
        tool_say("%s asks too often, or is an echo itself: answering it less", dx_peer(c));
    k->quiet = true;
    return false;
}

static void answer(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct client *k = dx_state(c);
    if (k->datagrams)
        bucket_said(&k->bucket, data, n);
    int r = dx_send(c, data, n, how);
    k->steps.out += r < 0 ? 0 : n;
    if (r < 0 && !k->datagrams && r != DX_CLOSED)
        dx_abort(c); /* an echo with a hole in it is none */
}

static void upper(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] - 'a' + 'A');
}

static bool says_exit(const char *p, size_t n)
{
    while (n && (p[n - 1] == '\n' || p[n - 1] == '\r'))
        n--;
    return n == 4 && !memcmp(p, "EXIT", 4);
}

static void client_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct listen_answers *s = dx_user(c);
    struct client *k = dx_state(c);
    k->steps.in += n;
    if (!may_answer(s, c, data, n))
        return;
    if (s->reply.on && (k->http || how & DX_MORE))
        return; /* at its end */
    if (s->reply.on) {
        reply(c);
        return;
    }
    if (k->http && !k->headed)
        http_head(c, dx_http_length(c));
    if (!s->upper) {
        answer(c, data, n, how);
        return;
    }
    union {
        const void *lent;
        char *ours;
    } bytes = {data}; /* what on_data lends may be written over (duplex.h) */
    bool leave = n >= 4 && n <= 6 && !memcmp(data, "exit", 4);
    upper(bytes.ours, n);
    answer(c, data, n, how);
    if (leave && says_exit(data, n))
        dx_close(c);
}

static void client_close(dx_conn *c, const dx_err *why)
{
    struct listen_answers *s = dx_user(c);
    const struct client *k = dx_state(c);
    bool quiet_end = k->datagrams && why->code == DX_TIMEOUT; /* how datagrams end */
    char who[300];
    const char *peer = dx_peer(c); /* a socket that both have shut knows it no more */
    snprintf(who, sizeof who, *peer ? "client %" PRIu64 " (%s): " : "client %" PRIu64 ": ", k->number, peer);
    if (s->verbose)
        steps_close(&k->steps, c, who, why);
    if (s->once && s->served == dx_id_of(c) && !quiet_end)
        s->code = s->code ? s->code : tool_exit_of(why);
}

const dx_handler listen_answers_on = {.state_bytes = sizeof(struct client),
                                      .on_open = client_open,
                                      .on_data = client_data,
                                      .on_end = client_end,
                                      .on_close = client_close};
