/* SPDX-License-Identifier: MIT
 * differ.c - our parser as a filter, for test_differ.py: cases on stdin (a letter, Q for requests or S for responses, four bytes of
 * length, least first, and the bytes), and for each case a line for every whole message it begins with, and one that says why no
 * more: "." nothing or not whole, "close" the connection ends with the message before, "tunnel", or the status of a breach and where its message begins. */
#include "codec/http1.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASE_MAX = 1 << 16 };

static void hex(struct bytes b, bool small)
{
    for (size_t i = 0; i < b.n; i++)
        printf("%02x", small && b.p[i] >= 'A' && b.p[i] <= 'Z' ? b.p[i] | 0x20 : b.p[i]);
}

static void fields(const struct http1_field *f, size_t count)
{
    printf(" [");
    for (size_t i = 0; i < count; i++) {
        printf(i ? "," : "");
        hex(f[i].name, true);
        printf("=");
        hex(f[i].value, false);
    }
    printf("]");
}

struct body {
    uint8_t data[CASE_MAX];
    size_t n;
    struct http1_trailers trailers;
};

/* Bytes of the chunked body at p, 0: not whole, or a breach. */
static int64_t chunked(const uint8_t *p, size_t n, struct body *b)
{
    struct http1_chunks c = {0};
    struct bytes piece;
    bool all = false;
    size_t at = 0, scanned = 0;
    int64_t got = 1;
    while (!all && (got = http1_chunk(&c, p + at, n - at, &piece, &all)) > 0) {
        memcpy(b->data + b->n, piece.p, piece.n);
        b->n += piece.n;
        at += (size_t)got;
    }
    if (all)
        got = http1_trailers(p + at, n - at, &scanned, &b->trailers);
    return got > 0 ? (int64_t)at + got : got;
}

static bool has_body(const struct http1_head *h)
{
    return h->status == 0 || (h->status >= 200 && h->status != 204 && h->status != 304);
}

static int64_t take_body(const struct http1_head *h, const uint8_t *p, size_t n, struct body *b)
{
    if (!has_body(h))
        return 0;
    if (h->chunked)
        return chunked(p, n, b);
    size_t want = h->length >= 0 ? (size_t)h->length : h->status ? n : 0;
    if (want > n)
        return -1;
    if (want)
        memcpy(b->data, p, want);
    b->n = want;
    return (int64_t)want;
}

static bool is(struct bytes b, const char *s)
{
    return b.n == strlen(s) && !memcmp(b.p, s, b.n);
}

/* One message; bytes of it, or 0 after the last line has been said. */
static size_t message(bool request, const uint8_t *p, size_t n, size_t at)
{
    static struct http1_head h;
    static struct body b;
    size_t scanned = 0;
    int64_t got = (request ? http1_request : http1_response)(p, n, &scanned, &h), body = 0;
    b.n = b.trailers.count = 0;
    if (got > 0 && !(request && is(h.method, "CONNECT"))) {
        body = take_body(&h, p + got, n - (size_t)got, &b);
        if (body < -1 || (body <= 0 && h.chunked && has_body(&h)))
            got = body;
        else if (body < 0)
            got = 0;
    }
    if (got <= 0) {
        if (got)
            printf("%d %zu\n", (int)-got, at);
        else
            printf(".\n");
        return 0;
    }
    printf("M ");
    if (request) {
        hex(h.method, false);
        printf(" ");
        hex(h.target, false);
    } else {
        printf("%d ", h.status);
        hex(h.reason, false);
    }
    printf(" %d", h.version);
    fields(h.fields, h.count);
    printf(" ");
    hex((struct bytes){b.data, b.n}, false);
    fields(b.trailers.fields, b.trailers.count);
    printf("\n");
    bool to_end = !request && has_body(&h) && !h.chunked && h.length < 0;
    if (h.close || to_end || (request && is(h.method, "CONNECT"))) {
        printf(h.close || to_end ? "close\n" : "tunnel\n");
        return 0;
    }
    return (size_t)(got + body);
}

int main(void)
{
    uint8_t head[5];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t n = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24, at = 0, used;
        uint8_t *p = n <= CASE_MAX ? malloc(n + !n) : NULL;
        if (!p || fread(p, 1, n, stdin) != n)
            return 1;
        while ((used = message(head[0] == 'Q', p + at, n - at, at)) > 0)
            at += used;
        free(p);
    }
    return 0;
}
