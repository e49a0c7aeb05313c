/* SPDX-License-Identifier: MIT
 * relay_link.c - a link of duplex relay, born, shown and ended: a client, and the target dialled for it. What passes is the library's
 * business, unless somebody looks: tap.h, record.h. */
#include "tool/relay_inside.h"
#include "tool/exchange.h"
#include "tool/stamp.h"
#include "tool/talk.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <duplex/http.h>
#include <duplex/ws.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_MAX = 200, WORDS_MAX = 300 };

struct link { /* a client, and the target dialled for it; goes with the last of the two */
    struct relay *relay;
    uint64_t number;
    const char *url; /* the target's */
    dx_conn *client, *target;
    bool joined;
    bool messages[2];
    char peer[PEER_MAX];
    int64_t began_us;
    uint64_t passed[2]; /* from the client, from the target            */
    const char *by;     /* who ended badly, or first; NULL: nobody yet */
    dx_err why;
    struct tap_side tap[2];
};
struct client {
    struct link *link; /* NULL: a request that is no link, or one too many */
};

/* ---- what is said of a link ---- */

static int bare(const char *url) /* its length without the fragment, which may name keys */
{
    return strncmp(url, "file:", 5) ? (int)strcspn(url, "#") : (int)strlen(url);
}

static void begin_words(struct link *k)
{
    struct relay *r = k->relay;
    char words[2 * WORDS_MAX];
    snprintf(words, sizeof words, "%s to %.*s", k->peer, bare(k->url), k->url);
    if (r->looks) {
        tap_words(&r->tap, k->number, words);
        record_open(&r->record, k->number, k->peer, k->url, k->messages[0], k->messages[1]);
    }
}

static void end_words(struct link *k)
{
    struct relay *r = k->relay;
    char how[WORDS_MAX];
    bool well = !tool_exit_of(&k->why);
    const char *text = k->why.text[0] ? k->why.text : dx_code_text(k->why.code);
    snprintf(how, sizeof how, "%s%s%s", well ? "ended" : k->by, well ? "" : ": ", well ? "" : text);
    if (r->verbose)
        tool_say("%" PRIu64 " %s to %.*s: %" PRIu64 " bytes there, %" PRIu64 " back, %.3f s, %s", k->number, k->peer,
                 bare(k->url), k->url, k->passed[0], k->passed[1], (double)(steady_now_us() - k->began_us) / 1e6, how);
    if (r->looks && k->joined) {
        tap_words(&r->tap, k->number, how);
        record_close(&r->record, k->number, strcmp(k->by, "target") ? k->by : "server", &k->why);
    }
}

/* A record with a hole in it would be worse than none, and a relay that was to record and does not is not what was asked for. */
static void check_record(struct relay *r)
{
    if (!r->record.error || r->code == TOOL_LOCAL)
        return;
    tool_say("the record cannot be written: %s", strerror(r->record.error));
    r->code = TOOL_LOCAL;
    tool_end();
}

static void look(dx_conn *from, const void *data, size_t n, unsigned how)
{
    struct link *k = dx_user(from);
    bool back = from == k->target;
    tap_data(&k->relay->tap, &k->tap[back], k->number, back, data, n);
    record_data(&k->relay->record, k->number, back, data, n, how, k->messages[back]);
    check_record(k->relay);
}

/* ---- the end of a link ---- */

/* Idle is how datagrams end. */
static bool is_end(const dx_err *why, bool messages)
{
    return !tool_exit_of(why) || (messages && why->code == DX_TIMEOUT);
}

static void link_over(struct link *k)
{
    struct relay *r = k->relay;
    if (k->client || k->target)
        return;
    end_words(k);
    check_record(r);
    if (r->once)
        r->code = r->code ? r->code : tool_exit_of(&k->why);
    tap_side_free(&k->tap[0]);
    tap_side_free(&k->tap[1]);
    free(k);
}

/* The first bad end is the cause; without one the first. */
static void side_closed(struct link *k, dx_conn *c, bool back, const dx_err *why)
{
    k->passed[back] = dx_relayed(c);
    if (k->by && (is_end(why, k->messages[back]) || tool_exit_of(&k->why)))
        return;
    k->by = back ? "target" : "client";
    k->why = *why;
    if (is_end(why, k->messages[back]))
        k->why = (dx_err){.code = DX_END};
}

static void client_close(dx_conn *c, const dx_err *why)
{
    struct client *s = dx_state(c);
    struct link *k = s->link;
    if (!k)
        return;
    side_closed(k, c, false, why);
    k->client = NULL;
    if (k->target && !k->joined)
        dx_abort(k->target); /* nobody waits for it any more */
    link_over(k);
}

/* The client was told nothing yet, and is told no more than that: an end would say that the answer is empty. */
static void refuse(struct link *k, const dx_err *why)
{
    char words[WORDS_MAX];
    tool_words("dial", k->url, why, words, sizeof words);
    tool_say("%" PRIu64 " %s: %s", k->number, k->peer, words);
    if (!k->client)
        return;
    if (!strncmp(dx_wire(k->client), "ws", 2))
        dx_ws_close(k->client, 1011, "the target does not answer");
    else
        dx_abort(k->client);
}

static void target_close(dx_conn *c, const dx_err *why)
{
    struct link *k = dx_user(c);
    side_closed(k, c, true, why);
    if (!k->joined && tool_exit_of(why))
        refuse(k, why);
    k->target = NULL;
    link_over(k);
}

/* ---- its beginning ---- */

static void target_open(dx_conn *c)
{
    struct link *k = dx_user(c);
    struct relay *r = k->relay;
    k->target = c;
    k->messages[0] = k->client && dx_kind_of(k->client) == DX_MESSAGES;
    k->messages[1] = dx_kind_of(c) == DX_MESSAGES;
    k->joined = k->client && dx_relay_looked(k->client, c, r->looks ? look : NULL) >= 0;
    if (k->joined)
        begin_words(k);
    else
        dx_abort(c);
    if (!k->joined && k->client)
        dx_abort(k->client);
}

static const dx_handler target_on = {.on_open = target_open, .on_close = target_close};

static void link_begin(struct relay *r, dx_conn *c, const struct target *to)
{
    struct client *s = dx_state(c);
    struct link *k = calloc(1, sizeof *k);
    dx_err err = {0};
    if (!k) {
        dx_abort(c);
        return;
    }
    *k = (struct link){.relay = r, .number = ++r->clients, .url = to->url, .client = c, .began_us = steady_now_us()};
    snprintf(k->peer, sizeof k->peer, "%s", *dx_peer(c) ? dx_peer(c) : dx_wire(c));
    s->link = k;
    dx_set_user(c, k);
    dx_pause(c, true);
    dx_opts o = r->target_opts;
    o.tls = to->trust.tls;
    o.frame = wire_frame(to->url, o.frame);
    k->target = dx_connect(r->loop, to->url, &target_on, k, &o, &err);
    if (k->target)
        return;
    k->by = "target";
    k->why = err;
    refuse(k, &err);
}

/* NULL: it has its answer. */
static struct target *target_of_request(struct relay *r, dx_conn *c)
{
    static const char no[] = "duplex relay is here: there is no such target, or this is no WebSocket\n";
    struct target *to = targets_find(&r->targets, dx_http_path(c));
    bool asks = dx_http_wants_ws(c);
    if (to && asks)
        return exchange_accept_ws(c) ? to : NULL;
    dx_http_reply(c, 404, "text/plain", no, sizeof no - 1, NULL, 0);
    return NULL;
}

static void client_open(dx_conn *c)
{
    struct relay *r = dx_user(c);
    struct target *to = &r->targets.row[0];
    if (r->served) {
        dx_abort(c); /* came in the same turn as the one that --once serves */
        return;
    }
    if (dx_http_is(c) && !(to = target_of_request(r, c)))
        return;
    r->served = r->once;
    link_begin(r, c, to);
    if (r->once)
        relay_accept_no_more(r, 0);
}

const dx_handler relay_client_on = {
    .state_bytes = sizeof(struct client), .on_open = client_open, .on_close = client_close};
