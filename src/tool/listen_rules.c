/* SPDX-License-Identifier: MIT
 * listen_rules.c - conns on one side, rules on the other. A client that does not read is read no further; a datagram source off
 * loopback gets what its bucket gives (docs/safe.md, rule 6). */
#include "tool/listen_rules.h"
#include "tool/bucket.h"
#include "tool/exchange.h"
#include "tool/rules_file.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/trust.h"
#include <duplex/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    TOKEN_BYTES = 256,     /* so many of an answer cost a datagram source a token      */
    REPEAT_MS_MAX = 60000, /* a source that is silent for so long hears no repeats     */
    WHO_BYTES = 48,
};

struct client {
    struct rules_talk *talk;
    struct listen_rules *all;
    uint64_t number;
    int64_t timer, timer_at, heard;
    struct bucket bucket;
    dx_text body; /* of an HTTP exchange, which is one message               */
    bool datagrams, loopback, quiet, http, headed, blocked, closing;
};

/* ---- the rules ---- */

int listen_rules_read(struct listen_rules *l, const struct options *o)
{
    l->given = (struct rules_given){option_text(o, "rules"), option_text(o, "frame"), option_text(o, "encoding")};
    l->once = option_has(o, "once");
    l->verbose = option_has(o, "verbose");
    if (getrandom(&l->seed, sizeof l->seed, 0) < 0)
        l->seed = (uint64_t)time(NULL);
    int r = rules_check_given(&l->given);
    if (r == 0)
        r = rules_of_file(&l->given, &l->rules);
    if (r == 0 && l->verbose)
        tool_say("%s: %zu rule%s", l->given.name, rules_count(l->rules), rules_count(l->rules) == 1 ? "" : "s");
    return r == 0 ? -1 : r;
}

void listen_rules_reload(struct listen_rules *l)
{
    struct rules *rules = NULL;
    if (rules_of_file(&l->given, &rules) != 0) {
        tool_say("%s: the rules stay as they were", l->given.name);
        return;
    }
    rules_drop(l->rules);
    l->rules = rules;
    tool_say("%s: read anew, %zu rule%s", l->given.name, rules_count(rules), rules_count(rules) == 1 ? "" : "s");
}

void listen_rules_free(struct listen_rules *l)
{
    rules_drop(l->rules);
    l->rules = NULL;
}

/* ---- sending ---- */

static struct rules_moment moment_of(dx_conn *c)
{
    struct timespec t;
    struct tm tm = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    localtime_r(&t.tv_sec, &tm);
    return (struct rules_moment){dx_loop_now(dx_loop_of(c)), t.tv_sec * 1000 + t.tv_nsec / 1000000,
                                 (int32_t)tm.tm_gmtoff};
}

static void client_say(void *arg, bool trouble, const char *words)
{
    const struct client *k = arg;
    if (trouble || k->all->verbose)
        tool_say("client %" PRIu64 ": %s", k->number, words);
}

static void end(dx_conn *c)
{
    struct client *k = dx_state(c);
    k->closing = true;
    if (k->http && !k->headed)
        dx_http_reply(c, 200, NULL, "", 0, NULL, 0);
    dx_close(c);
}

static void broken(dx_conn *c, int code)
{
    struct client *k = dx_state(c);
    k->closing = true;
    tool_say("client %" PRIu64 " (%s): %s", k->number, dx_peer(c),
             code == DX_BIG     ? "a message over 64 KiB"
             : code == DX_PROTO ? "a length that no message can have"
                                : dx_code_text(code));
    if (code == DX_BIG && k->http && !k->headed)
        dx_http_reply(c, 413, "text/plain", "over 64 KiB\n", 12, NULL, 0);
    dx_close(c);
}

/* Whoever sends from a forged address must not make us shout at another. */
static bool may_send(struct client *k, dx_conn *c, const struct rules_out *out)
{
    int64_t now = dx_loop_now(dx_loop_of(c));
    bool may = !out->repeated || now - k->heard < REPEAT_MS_MAX;
    if (!k->datagrams)
        return true;
    for (size_t n = 0; may && n <= out->bytes.n; n += TOKEN_BYTES)
        may = bucket_take(&k->bucket, "", 0, k->loopback, now); /* "": it is no answer to what we said */
    return may;
}

static void head(dx_conn *c, struct client *k, bool text)
{
    char type[80] = "application/octet-stream";
    if (text)
        snprintf(type, sizeof type, "text/plain; charset=%s", rules_talk_coding(k->talk));
    const dx_http_field field = {"Content-Type", type};
    k->headed = true;
    if (dx_http_head(c, 200, -1, &field, 1) < 0)
        dx_abort(c);
}

static void send_one(dx_conn *c, struct client *k, const struct rules_out *out)
{
    if (!may_send(k, c, out))
        return;
    if (k->http && !k->headed)
        head(c, k, out->text);
    if (!out->bytes.n && dx_kind_of(c) == DX_BYTES)
        return;
    if (k->datagrams)
        bucket_said(&k->bucket, out->bytes.p, out->bytes.n);
    int r = dx_send(c, out->bytes.p, out->bytes.n, out->text ? DX_TEXT : DX_BINARY);
    k->blocked = r > 0;
    if (r < 0 && !k->datagrams && r != DX_CLOSED)
        dx_abort(c); /* an answer with a hole in it is none */
}

static void pump(dx_conn *c);

static void on_time(void *conn)
{
    struct client *k = dx_state(conn);
    k->timer = 0;
    pump(conn);
}

static void wait_for_due(dx_conn *c, struct client *k)
{
    int64_t due = k->closing || k->blocked ? -1 : rules_talk_due(k->talk);
    if (k->timer && k->timer_at == due)
        return;
    dx_loop_cancel(dx_loop_of(c), k->timer);
    k->timer = 0;
    if (due < 0)
        return;
    int64_t now = dx_loop_now(dx_loop_of(c));
    k->timer_at = due;
    k->timer = dx_loop_after(dx_loop_of(c), due > now ? due - now : 1, on_time, c);
    if (k->timer < 0) {
        k->timer = 0;
        broken(c, DX_NOMEM);
    }
}

/* Sends what is due, as far as the client reads. */
static void pump(dx_conn *c)
{
    struct client *k = dx_state(c);
    struct rules_moment m = moment_of(c);
    struct rules_out out;
    int r = rules_talk_adopt(k->talk, k->all->rules);
    while (!r && !k->closing && !k->blocked && (r = rules_talk_next(k->talk, &m, &out)) == RULES_SEND) {
        send_one(c, k, &out);
        r = 0;
    }
    if (r == RULES_CLOSE)
        end(c);
    else if (r < 0)
        broken(c, r);
    if (!k->closing)
        dx_pause(c, k->blocked || rules_talk_full(k->talk));
    wait_for_due(c, k);
}

/* ---- a client ---- */

static void tell(dx_conn *c, uint64_t number)
{
    char who[WHO_BYTES];
    snprintf(who, sizeof who, "client %" PRIu64 ": ", number);
    tool_say("client %" PRIu64 " is %s", number, dx_peer(c));
    trust_tell(c, who);
}

/* Is there a talk for it? */
static bool begin(dx_conn *c, struct client *k)
{
    struct listen_rules *l = k->all;
    const char *wire = dx_wire(c);
    struct rules_wire w = {.messages = k->http || dx_kind_of(c) == DX_MESSAGES,
                           .utf8 = !strncmp(wire, "ws", 2),
                           .peer = dx_peer(c),
                           .seed = l->seed + k->number,
                           .say = client_say,
                           .arg = k};
    k->talk = rules_talk_new(l->rules, &w);
    if (!k->talk)
        dx_abort(c);
    return k->talk != NULL;
}

static void client_open(dx_conn *c)
{
    struct listen_rules *l = dx_user(c);
    struct client *k = dx_state(c);
    k->all = l;
    if (dx_http_is(c) && dx_http_wants_ws(c))
        k->closing = !exchange_accept_ws(c);
    if (k->closing || l->served) {
        if (l->served)
            dx_abort(c); /* came in the same turn as the one that --once serves */
        k->closing = true;
        return;
    }
    k->http = dx_http_is(c);
    k->datagrams = feed_datagrams(dx_wire(c));
    k->loopback = dx_is_loopback(c);
    k->number = ++l->clients;
    if (l->verbose)
        tell(c, k->number);
    if (!begin(c, k))
        return;
    if (l->once) {
        l->served = dx_id_of(c);
        l->on_first(l->arg);
    }
    struct rules_moment m = moment_of(c);
    int r = k->http ? 0 : rules_talk_open(k->talk, &m);
    if (r < 0)
        broken(c, r);
    else
        pump(c);
}

static bool may_answer(struct client *k, dx_conn *c, const void *data, size_t n)
{
    if (!k->datagrams || bucket_take(&k->bucket, data, n, k->loopback, dx_loop_now(dx_loop_of(c))))
        return true;
    if (!k->quiet)
        tool_say("%s asks too often, or answers our answers: answering it less", dx_peer(c));
    k->quiet = true;
    return false;
}

static void take(dx_conn *c, const void *data, size_t n)
{
    struct client *k = dx_state(c);
    struct rules_moment m = moment_of(c);
    int r = rules_talk_adopt(k->talk, k->all->rules);
    if (r == 0)
        r = rules_talk_take(k->talk, data, n, &m);
    if (r < 0)
        broken(c, r);
    else
        pump(c);
}

static void client_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    struct client *k = dx_state(c);
    (void)how;
    if (k->closing || !k->talk || !may_answer(k, c, data, n))
        return;
    k->heard = dx_loop_now(dx_loop_of(c));
    if (!k->http)
        take(c, data, n);
    else if (k->body.n + n > RULES_MESSAGE_MAX)
        broken(c, DX_BIG);
    else if (dx_text_add(&k->body, data, n) < 0)
        broken(c, DX_NOMEM);
}

/* An exchange asks with its body, or where it has none with its target: /status. */
static void ask(dx_conn *c, struct client *k)
{
    static const char no[] = "no rule for this\n";
    dx_bytes target = dx_http_target(c);
    take(c, k->body.n ? k->body.p : target.p, k->body.n ? k->body.n : target.n);
    if (k->closing || rules_talk_answered(k->talk))
        return;
    k->closing = true;
    dx_http_reply(c, 404, "text/plain", no, sizeof no - 1, NULL, 0);
}

static void client_end(dx_conn *c)
{
    struct client *k = dx_state(c);
    struct rules_moment m = moment_of(c);
    if (k->closing || !k->talk)
        return;
    if (k->http)
        ask(c, k);
    if (k->closing)
        return;
    rules_talk_end(k->talk, &m);
    pump(c);
}

static void client_writable(dx_conn *c)
{
    struct client *k = dx_state(c);
    k->blocked = false;
    if (!k->closing && k->talk)
        pump(c);
}

static void client_close(dx_conn *c, const dx_err *why)
{
    struct listen_rules *l = dx_user(c);
    struct client *k = dx_state(c);
    if (l->verbose && k->talk && rules_talk_cut_short(k->talk))
        tool_say("client %" PRIu64 ": its last message is cut short, and was not answered", k->number);
    bool quiet_end = k->datagrams && why->code == DX_TIMEOUT; /* how datagrams end */
    if (l->verbose && k->number)
        tool_say("client %" PRIu64 ": %s", k->number, why->text[0] ? why->text : dx_code_text(why->code));
    if (l->once && l->served == dx_id_of(c) && !quiet_end)
        l->code = tool_exit_of(why);
    dx_loop_cancel(dx_loop_of(c), k->timer);
    rules_talk_free(k->talk);
    dx_text_free(&k->body);
}

const dx_handler listen_rules_on = {.state_bytes = sizeof(struct client),
                                    .on_open = client_open,
                                    .on_data = client_data,
                                    .on_end = client_end,
                                    .on_writable = client_writable,
                                    .on_close = client_close};
