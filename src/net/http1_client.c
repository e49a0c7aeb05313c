/* SPDX-License-Identifier: MIT
 * http1_client.c - RFC 9112 for a client: a layer that says one request and hears its response, on a connection that ends with
 * them or is kept for the next (fetch_pool.h). The two bodies go their own ways: the response may begin, and end, before the request
 * is whole. A request's end is its last chunk or its length, never the end of the connection, and so a broken one can never look whole. */
#include "net/http1_client.h"
#include "base/err.h"
#include "core/loop.h"
#include "net/fetch.h"
#include "os/fd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTERIM_MAX = 100 }; /* 1xx responses before the one that counts */

struct answer {
    struct http1_head head;
    uint8_t bytes[]; /* what its views point into */
};
struct client {
    struct layer layer; /* first */
    struct chore chore; /* the response's end is to be told yet */
    dx_loop *loop;
    char *url, *host, *target; /* as dialled; Host's value; what is asked for by default */
    size_t scanned;
    struct answer *answer; /* NULL: the response's head is not in yet */
    struct chunked in;
    dx_text trail_out;    /* behind our last chunk */
    uint64_t body_left;   /* of a response by length                                 */
    int64_t request_left; /* declared and not yet given; -1: chunks                  */
    unsigned interim;     /* 1xx so far                                              */
    uint16_t asked : 1;   /* the request's head has gone                             */
    uint16_t said : 1;    /* the request is whole                                    */
    uint16_t of_head : 1; /* it is a HEAD                                            */
    uint16_t chunked : 1; /* the response's body is                                  */
    uint16_t to_end : 1;  /* its end is the connection's                             */
    uint16_t heard : 1;   /* the response is whole                                   */
    uint16_t told : 1;    /* and that has gone up                                    */
    uint16_t closing : 1; /* nothing is read or said any more                        */
    uint16_t keeps : 1;   /* key is whose connection it is: others may have it after us */
    uint16_t over : 1;    /* all is whole, and that is to be told                    */
    uint16_t spoilt : 1;  /* the server has ended, or said more than its answer      */
    struct pool_key key;
};
static const struct layer_type client_type;

static struct client *of(struct layer *l)
{
    return (struct client *)l;
}

struct client *http1_client_of(const dx_conn *c)
{
    struct layer *l = c->layer.below;
    if (l && l->type == &fetch_layer)
        l = l->below;
    return l && l->type == &client_type ? of(l) : NULL;
}

const struct http1_head *http1_client_head(const struct client *k)
{
    return k->answer ? &k->answer->head : NULL;
}

const struct trail *http1_client_trail(const struct client *k)
{
    return k->in.trail;
}

static bool has_body(const struct client *k)
{
    int status = k->answer->head.status;
    return !k->of_head && status != 204 && status != 304;
}

int64_t http1_client_length(const struct client *k)
{
    if (!k->answer)
        return -1;
    return has_body(k) ? k->answer->head.length : 0;
}

static void fail_of(struct client *k, int code, int detail_of, int detail, const char *words)
{
    char text[240];
    snprintf(text, sizeof text, "%.120s: %s", k->url, words);
    k->closing = 1;
    layer_fail(&k->layer, code, detail_of, detail, text);
}

/* detail: the status that came; 0: none did. */
static void fail(struct client *k, int code, int detail, const char *words)
{
    fail_of(k, code, code == DX_NOMEM ? DX_OF_NOTHING : DX_OF_HTTP, detail, words);
}

static void fail_no_http(struct client *k, const uint8_t *p, size_t n)
{
    int detail_of;
    const char *words = http1_no_response(p, n, &detail_of);
    fail_of(k, DX_PROTO, detail_of, 0, words);
}

/* ---- the end ---- */

/* Request and response are whole. */
static void part_if_over(struct client *k)
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

static void tell_end(struct client *k)
{
    struct dx_conn *c = layer_conn(&k->layer);
    if (!k->heard || k->told || k->closing || (c && c->paused))
        return;
    k->told = 1;
    if (k->in.trail && c)
        conn_event(c, DX_TRAILERS, NULL);
    layer_ended_above(&k->layer);
    part_if_over(k);
}

static void run_chore(struct chore *c, dx_loop *l)
{
    struct client *k = (struct client *)((char *)c - offsetof(struct client, chore));
    (void)l;
    if (k->over && !k->closing)
        hand_over(k);
    else
        tell_end(k);
}

/* ---- the response ---- */

static bool keep_answer(struct client *k, const struct http1_head *head, const uint8_t *p, size_t n)
{
    k->answer = malloc(sizeof *k->answer + n);
    if (!k->answer)
        return false;
    http1_keep(&k->answer->head, head, p, n, k->answer->bytes);
    bool body = has_body(k);
    k->chunked = body && head->chunked;
    k->to_end = body && !head->chunked && head->length < 0;
    k->body_left = body && head->length > 0 ? (uint64_t)head->length : 0;
    k->heard = !k->chunked && !k->to_end && k->body_left == 0;
    return true;
}

static void take_interim(struct client *k, int status)
{
    if (status == 101)
        fail(k, DX_PROTO, status, "the server changes the protocol, and nobody asked for that");
    else if (++k->interim > INTERIM_MAX)
        fail(k, DX_PROTO, status, "the server says too often that its answer will come");
    else
        conn_event(layer_conn(&k->layer), DX_INFO, &status);
}

static int64_t take_head(struct client *k, uint8_t *p, size_t n)
{
    static _Thread_local struct http1_head head;
    int64_t got = http1_response(p, n, &k->scanned, &head);
    if (got == 0)
        return 0;
    if (got > 0)
        http1_unfold(&head, p);
    k->scanned = 0;
    if (got < 0)
        fail_no_http(k, p, n);
    else if (head.status < 200)
        take_interim(k, head.status);
    else if (!keep_answer(k, &head, p, (size_t)got))
        fail(k, DX_NOMEM, 0, "no memory");
    else
        conn_event(layer_conn(&k->layer), DX_HEAD, NULL);
    return got;
}

static int64_t take_body(struct client *k, const uint8_t *p, size_t n)
{
    struct bytes data = {p, n};
    bool end = false;
    int64_t got = (int64_t)n;
    if (k->chunked) {
        got = http1_take_chunked(&k->in, p, n, &data, &end);
        if (got == -503)
            fail(k, DX_NOMEM, 0, "no memory");
        else if (got < 0)
            fail(k, DX_PROTO, k->answer->head.status, "the answer's chunks are against RFC 9112");
    } else if (!k->to_end) {
        data.n = n < k->body_left ? n : (size_t)k->body_left;
        got = (int64_t)data.n;
        k->body_left -= data.n;
        end = k->body_left == 0;
    }
    if (got <= 0)
        return got;
    k->heard = end;
    if (data.n)
        layer_take_above(&k->layer, (uint8_t *)(uintptr_t)data.p, data.n, 0);
    return got;
}

static size_t take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct client *k = of(l);
    size_t used = 0;
    (void)how;
    while (!k->closing && !k->heard && used < n && !layer_stopped(l)) {
        int64_t got = k->answer ? take_body(k, p + used, n - used) : take_head(k, p + used, n - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    k->spoilt |= k->heard && used < n;
    tell_end(k);
    return k->closing || k->heard ? n : used; /* there is one answer, and nothing behind it */
}

static void ended(struct layer *l)
{
    struct client *k = of(l);
    k->spoilt = 1;
    if (k->closing || k->heard)
        return;
    if (!k->answer) {
        fail(k, DX_TRUNCATED, 0,
             k->scanned ? "the server ended inside the head of its answer" : "the server ended without an answer");
    } else if (k->to_end) {
        k->heard = 1;
        tell_end(k);
    } else {
        fail(k, DX_TRUNCATED, k->answer->head.status, "the answer stopped inside its body");
    }
}

static bool ends_itself(const struct layer *l)
{
    const struct client *k = (const struct client *)l;
    return !k->to_end || k->heard;
}

static void closed(struct layer *l, const dx_err *why)
{
    static const dx_err over = {.code = DX_END, .text = "the exchange is complete"};
    struct client *k = of(l);
    k->closing = 1;
    if (l->above) /* the conn buries the stack. What the connection came to when all was said is nobody's business */
        layer_closed_above(l, k->told && k->said ? &over : why);
    else
        layer_bury_stack(l, k->loop);
}

/* ---- the request ---- */

int http1_client_ask(struct client *k, struct http1_ask *a)
{
    struct draft d = {0};
    if (k->asked || k->answer || k->closing)
        return DX_STATE;
    a->host = k->host;
    a->target = a->target ? a->target : k->target;
    a->keep = k->keeps && k->key.text;
    http1_ask_write(a, &d);
    int r = draft_give(&d, &k->layer);
    if (r < 0)
        return r;
    k->asked = 1;
    k->of_head = !strcmp(a->method, "HEAD");
    k->request_left = a->length;
    k->said = a->length == 0;
    return 0;
}

/* Who only sends has asked for a POST of what the URL names. */
static int ask_by_sending(struct client *k, int64_t length)
{
    static const dx_http_field type = {"Content-Type", "application/octet-stream"};
    struct http1_ask a = {.method = "POST", .fields = &type, .count = length != 0, .length = length};
    return k->asked ? 0 : http1_client_ask(k, &a);
}

/* n bytes of the body are about to go. */
static int may_give(struct client *k, size_t n)
{
    if (k->request_left < 0)
        return 0;
    if ((uint64_t)k->request_left < n)
        return DX_BIG; /* more than Content-Length said */
    k->request_left -= (int64_t)n;
    k->said = k->request_left == 0;
    return 0;
}

int http1_client_trailers(struct client *k, const dx_http_field *v, size_t count)
{
    if (!k->asked || k->said || k->closing || k->request_left >= 0)
        return DX_STATE;
    return http1_trail_add(&k->trail_out, v, count);
}

static int give(struct layer *l, const struct span *v, size_t count, unsigned how)
{
    struct client *k = of(l);
    size_t n = 0;
    (void)how;
    for (size_t i = 0; i < count; i++)
        n += v[i].n;
    if (n == 0)
        return 0;
    int r = k->closing ? DX_CLOSED : ask_by_sending(k, -1);
    if (r == 0)
        r = may_give(k, n);
    if (r < 0)
        return r;
    return k->request_left < 0 ? http1_give_chunk(l, v, count, n) : layer_give_below(l, v, count, 0);
}

static int give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how)
{
    struct client *k = of(l);
    int r = k->closing ? DX_CLOSED : ask_by_sending(k, (int64_t)n);
    if (r == 0 && k->request_left < 0)
        r = DX_STATE; /* say the length in dx_http_request, and it leaves as it is */
    if (r == 0)
        r = may_give(k, n);
    if (r == 0 && n > 0)
        return layer_give_file_below(l, fd, off, n, how);
    os_fd_close(fd);
    return r;
}

/* The request cannot become whole: only a broken connection tells the server so. */
static int break_request(struct client *k, int code, const char *words)
{
    conn_set_why(layer_conn(&k->layer), code, code == DX_TRUNCATED ? DX_OF_HTTP : DX_OF_NOTHING, 0, words);
    k->closing = 1;
    layer_abort_below(&k->layer);
    return code;
}

static int finish(struct layer *l)
{
    struct client *k = of(l);
    if (k->said)
        part_if_over(k); /* its last byte was the end, and the answer may have come before that */
    if (k->said || k->closing)
        return 0;
    int r = k->answer && !k->asked ? 0 : ask_by_sending(k, 0); /* it was answered before it was asked */
    if (r == 0 && k->request_left > 0)
        return break_request(k, DX_TRUNCATED, "the request's body ends before the length it was to have");
    if (r == 0 && k->asked && k->request_left < 0)
        r = http1_give_last(l, &k->trail_out);
    if (r == DX_NOMEM)
        return break_request(k, r, "no memory");
    k->said = r == 0;
    part_if_over(k);
    return r;
}

static void pause_it(struct layer *l, bool on)
{
    struct client *k = of(l);
    if (k->closing)
        return;
    layer_pause_below(l, on);
    if (!on && k->heard)
        loop_chore(k->loop, &k->chore);
}

/* What is queued goes out, but nothing is made whole by closing: half an upload must not look like all of it. */
static void close_down(struct layer *l)
{
    struct client *k = of(l);
    if (k->over && !k->closing)
        return;                                    /* it is going to be told so */
    bool no_use = k->told && k->asked && !k->said; /* the server has answered without the rest */
    if (k->closing)
        return;
    k->closing = 1;
    if (no_use)
        layer_abort_below(l);
    else
        layer_close_below(l);
}

static void break_off(struct layer *l)
{
    of(l)->closing = 1;
    layer_abort_below(l);
}

static void layer_free(struct layer *l)
{
    struct client *k = of(l);
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
    .take = take,
    .ended = ended,
    .writable = layer_writable_above,
    .closed = closed,
    .give = give,
    .give_msg = layer_give_msg_plain,
    .give_file = give_file,
    .finish = finish,
    .pause = pause_it,
    .close = close_down,
    .abort = break_off,
    .free = layer_free,
};

/* ---- dialling ---- */

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
    k->target = d->url->target.n ? strndup((const char *)d->url->target.p, d->url->target.n) : strdup("/");
    if (host.r == 0 && k->url && k->target)
        return &k->layer;
    layer_free(&k->layer);
    return NULL;
}
