/* SPDX-License-Identifier: MIT
 * http1_client_hear.c - the response on its way up: interim ones, the head that counts, its body, and where that ends. */
#include "net/http1_client_inside.h"
#include <stdlib.h>

enum { INTERIM_MAX = 100 }; /* 1xx responses before the one that counts */

static void fail_no_http(struct client *k, const uint8_t *p, size_t n)
{
    int detail_of;
    const char *words = http1_no_response(p, n, &detail_of);
    client_fail_of(k, DX_PROTO, detail_of, 0, words);
}

static bool keep_answer(struct client *k, const struct http1_head *head, const uint8_t *p, size_t n)
{
    k->answer = malloc(sizeof *k->answer + n);
    if (!k->answer)
        return false;
    http1_keep(&k->answer->head, head, p, n, k->answer->bytes);
    bool body = client_has_body(k);
    k->chunked = body && head->chunked;
    k->to_end = body && !head->chunked && head->length < 0;
    k->body_left = body && head->length > 0 ? (uint64_t)head->length : 0;
    k->heard = !k->chunked && !k->to_end && k->body_left == 0;
    return true;
}

static void take_interim(struct client *k, int status)
{
    if (status == 101)
        client_fail(k, DX_PROTO, status, "the server changes the protocol, and nobody asked for that");
    else if (++k->interim > INTERIM_MAX)
        client_fail(k, DX_PROTO, status, "the server says too often that its answer will come");
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
        client_fail(k, DX_NOMEM, 0, "no memory");
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
            client_fail(k, DX_NOMEM, 0, "no memory");
        else if (got < 0)
            client_fail(k, DX_PROTO, k->answer->head.status, "the answer's chunks are against RFC 9112");
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

size_t client_take(struct layer *l, uint8_t *p, size_t n, unsigned how)
{
    struct client *k = client_of(l);
    size_t used = 0;
    (void)how;
    while (!k->closing && !k->heard && used < n && !layer_stopped(l)) {
        int64_t got = k->answer ? take_body(k, p + used, n - used) : take_head(k, p + used, n - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    k->spoilt |= k->heard && used < n;
    client_tell_end(k);
    return k->closing || k->heard ? n : used; /* there is one answer, and nothing behind it */
}

void client_ended(struct layer *l)
{
    struct client *k = client_of(l);
    k->spoilt = 1;
    if (k->closing || k->heard)
        return;
    if (!k->answer) {
        client_fail(k, DX_TRUNCATED, 0,
                    k->scanned ? "the server ended inside the head of its answer"
                               : "the server ended without an answer");
    } else if (k->to_end) {
        k->heard = 1;
        client_tell_end(k);
    } else {
        client_fail(k, DX_TRUNCATED, k->answer->head.status, "the answer stopped inside its body");
    }
}
