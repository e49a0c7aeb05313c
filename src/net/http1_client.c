/* SPDX-License-Identifier: MIT
 * http1_client.c - RFC 9112 for a client: a layer that says one request and hears its response, on a connection that ends with
 * them or is kept for the next (fetch_pool.h). The two bodies go their own ways: the response may begin, and end, before the request
 * is whole. A request's end is its last chunk or its length, never the end of the connection, and so a broken one can never look whole. */
#include "net/http1_client_inside.h"
#include "base/url_join.h"
#include "net/fetch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct layer_type client_type;

struct client *http1_client_of(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    if (l && l->type == &fetch_layer)
        l = l->below;
    return l && l->type == &client_type ? client_of(l) : NULL;
}

const struct http1_head *http1_client_head(const struct client *k)
{
    return k->answer ? &k->answer->head : NULL;
}

const struct trail *http1_client_trail(const struct client *k)
{
    return k->in.trail;
}

bool client_has_body(const struct client *k)
{
    int status = k->answer->head.status;
    return !k->of_head && status != 204 && status != 304;
}

int64_t http1_client_length(const struct client *k)
{
    if (!k->answer)
        return -1;
    return client_has_body(k) ? k->answer->head.length : 0;
}

void client_fail_of(struct client *k, int code, int detail_of, int detail, const char *words)
{
    char text[240];
    snprintf(text, sizeof text, "%.120s: %s", k->url, words);
    k->closing = 1;
    layer_fail(&k->layer, code, detail_of, detail, text);
}

void client_fail(struct client *k, int code, int status, const char *words)
{
    client_fail_of(k, code, code == DX_NOMEM ? DX_OF_NOTHING : DX_OF_HTTP, status, words);
}

/* ---- the end ---- */

void client_part_if_over(struct client *k)
{
    if (!k->told || !k->said || k->closing)
        return;
    if (k->keeps) { /* on_close is for the loop to call */
        k->over = 1;
        loop_chore(k->loop, &k->chore);
        return;
    }
    k->closing = 1;
    layer_close_below(&k->layer);
}

/* "Keep-Alive: timeout=5" is a promise of the server's; what is sent in its last second may not be heard any more. */
static int64_t kept_ms(const struct client *k)
{
    struct bytes v = http1_get(&k->answer->head, "Keep-Alive");
    const char *word = v.p ? memmem(v.p, v.n, "timeout=", 8) : NULL;
    int64_t s = 0;
    for (const char *p = word ? word + 8 : NULL; p && p < (const char *)v.p + v.n && *p >= '0' && *p <= '9'; p++)
        s = s < 100000 ? s * 10 + (*p - '0') : s;
    return !word ? 0 : s > 1 ? (s - 1) * 1000 : 1;
}

/* The exchange ends, and its connection stays, or closes without anybody waiting for that. */
static void hand_over(struct client *k)
{
    static const dx_err over = {.code = DX_END, .text = "the exchange is complete"};
    struct dx_conn *c = layer_conn(&k->layer);
    bool keep = !k->answer->head.close && !k->to_end && !k->spoilt && k->key.text && !queue_waits(c->q);
    k->closing = 1;
    layer_pause_below(&k->layer, false);
    if (!pool_leave(k->loop, keep ? &k->key : NULL, k->layer.below, c->q, kept_ms(k))) {
        layer_close_below(&k->layer);
        return;
    }
    conn_part(c, &over); /* its views are good until this returns */
    loop_bury(k->loop, &k->layer);
}

void http1_client_keep(struct client *k, struct pool_key *key)
{
    k->keeps = 1;
    k->key = *key;
    *key = (struct pool_key){0};
}

bool http1_client_over(const struct client *k)
{
    return k->told && k->said;
}

bool http1_client_spoke(const struct client *k)
{
    return k->answer || k->scanned || k->interim;
}

void client_tell_end(struct client *k)
{
    struct dx_conn *c = layer_conn(&k->layer);
    if (!k->heard || k->told || k->closing || (c && c->paused))
        return;
    k->told = 1;
    if (k->in.trail && c)
        conn_event(c, DX_TRAILERS, NULL);
    layer_ended_above(&k->layer);
    client_part_if_over(k);
}

static void run_chore(struct chore *c, dx_loop *l)
{
    struct client *k = (struct client *)((char *)c - offsetof(struct client, chore));
    (void)l;
    if (k->over && !k->closing)
        hand_over(k);
    else
        client_tell_end(k);
}

static bool ends_itself(const struct layer *l)
{
    const struct client *k = (const struct client *)l;
    return !k->to_end || k->heard;
}

static void closed(struct layer *l, const dx_err *why)
{
    static const dx_err over = {.code = DX_END, .text = "the exchange is complete"};
    struct client *k = client_of(l);
    k->closing = 1;
    if (l->above) /* the conn buries the stack. What the connection came to when all was said is nobody's business */
        layer_closed_above(l, k->told && k->said ? &over : why);
    else
        layer_bury_stack(l, k->loop);
}

static void pause_it(struct layer *l, bool on)
{
    struct client *k = client_of(l);
    if (k->closing)
        return;
    layer_pause_below(l, on);
    if (!on && k->heard)
        loop_chore(k->loop, &k->chore);
}

/* What is queued goes out, but nothing is made whole by closing: half an upload must not look like all of it. */
static void close_down(struct layer *l)
{
    struct client *k = client_of(l);
    if (k->over || k->closing) /* over: it is going to be told so */
        return;
    k->closing = 1;
    if (k->told && k->asked && !k->said) /* the server has answered without the rest */
        layer_abort_below(l);
    else
        layer_close_below(l);
}

static void break_off(struct layer *l)
{
    client_of(l)->closing = 1;
    layer_abort_below(l);
}

static void layer_free(struct layer *l)
{
    struct client *k = client_of(l);
    loop_chore_off(k->loop, &k->chore);
    free(k->url);
    free(k->host);
    free(k->target);
    free(k->answer);
    free(k->in.trail);
    dx_text_free(&k->trail_out);
    pool_key_free(&k->key);
    free(k);
}

static const struct layer_type client_type = {
    .name = "http",
    .name_over_tls = "https",
    .ends_itself = ends_itself,
    .opened = layer_opened_above,
    .take = client_take,
    .ended = client_ended,
    .writable = layer_writable_above,
    .closed = closed,
    .give = client_give,
    .give_msg = layer_give_msg_plain,
    .give_file = client_give_file,
    .finish = client_finish,
    .pause = pause_it,
    .close = close_down,
    .abort = break_off,
    .free = layer_free,
};

/* ---- dialling ---- */

/* NULL: no memory. */
static char *target_of(const struct url *u)
{
    dx_text t = {0};
    if (!u->target.n)
        return strdup("/");
    if (url_ascii(u->target, &t) < 0)
        dx_text_free(&t);
    return t.p;
}

struct layer *http1_client_new(const struct dial *d)
{
    struct client *k = calloc(1, sizeof *k);
    struct draft host = {0};
    if (!k)
        return NULL;
    k->layer.type = &client_type;
    k->loop = d->loop;
    k->chore.run = run_chore;
    k->request_left = -1;
    draft_host(&host, d->url);
    k->host = host.t.p;
    k->url = strndup(d->text, strcspn(d->text, "#"));
    k->target = target_of(d->url);
    if (host.r == 0 && k->url && k->target)
        return &k->layer;
    layer_free(&k->layer);
    return NULL;
}
