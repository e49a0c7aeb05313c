/* SPDX-License-Identifier: MIT
 * http1_parts.h - what a server's and a client's HTTP/1.1 connection share: heads to be sent, heads kept, chunks. */
#ifndef NET_HTTP1_PARTS_H
#define NET_HTTP1_PARTS_H
#include "codec/http1.h"
#include "core/layer.h"
#include <duplex/http.h>
#include <duplex/text.h>
#include <string.h>

/* A head under way. r is the first thing that went wrong, DX_NOMEM or DX_URL (it would split the head): then it is not sent. */
struct draft {
    dx_text t;
    char *room; /* t.p while it is the caller's; NULL: t is memory of its own */
    int r;
};
enum { DRAFT_USUAL = 1024 };
/* Instead of zeroing: in room[DRAFT_USUAL], which outlives it, while an ordinary head fits. */
void draft_begin(struct draft *d, char *room);
void draft_free(struct draft *d);
void draft_add_more(struct draft *d, const void *p, size_t n); /* draft_add where there is no room left */
/* These two here: what is constant is then a few stores. */
static inline void draft_add(struct draft *d, const void *p, size_t n)
{
    if (d->r < 0 || d->t.cap - d->t.n <= n) {
        draft_add_more(d, p, n);
        return;
    }
    if (n) /* p may be NULL else */
        memcpy(d->t.p + d->t.n, p, n);
    d->t.n += n;
    d->t.p[d->t.n] = '\0';
}
static inline void draft_say(struct draft *d, const char *s)
{
    draft_add(d, s, strlen(s));
}
void draft_number(struct draft *d, uint64_t n);
void draft_field(struct draft *d, const char *name, const char *value); /* "name: value", CR LF */
void draft_fields(struct draft *d, const dx_http_field *v, size_t count);
bool http_is_secret(const struct url *u);              /* https, wss */
int http_port(const struct url *u);                    /* what it says, or its scheme's own */
void draft_host(struct draft *d, const struct url *u); /* as Host has it: no default port, no zone */
int draft_give(struct draft *d, struct layer *l);      /* to the layer below l, and frees it; < 0: nothing has gone */
const char *http1_value_of(const dx_http_field *v, size_t count, const char *name); /* NULL: none of them has that name */
bool http1_is_token(const char *s);                    /* of RFC 9110 5.6.2: a method, a field's name */
bool http1_is_value(const char *s);                    /* no control bytes but tabs: what we would read ourselves; NULL is none */
bool http1_lists(const char *list, const char *word);  /* is it an element of the list, in any case? list NULL: none */

/* A response's head does not read: the words for that, and what dx_err.detail is of: DX_OF_TLS where TLS answers, else DX_OF_HTTP. */
const char *http1_no_response(const uint8_t *p, size_t n, int *ret_detail_of);
/* A head for longer: *ret's views point into bytes, to which the n bytes at p go. */
void http1_keep(struct http1_head *ret, const struct http1_head *head, const uint8_t *p, size_t n, uint8_t *bytes);
/* The fields behind a body that came. */
struct trail {
    size_t count;
    struct http1_field *fields; /* both these and what they show lie in this block */
    uint8_t bytes[];
};
struct chunked { /* a chunked body coming in; zero it first */
    struct http1_chunks chunks;
    size_t scanned;
    bool all;            /* the last chunk is through, its trailers are not */
    struct trail *trail; /* NULL: none came; yours to free */
};
/* The next piece of p[0..n): bytes used up with *ret the data in them, 0: give more, or minus a status: 400, 431, 503 (no memory).
 * *ret_end: the body and its trailers are whole. */
int64_t http1_take_chunked(struct chunked *c, const uint8_t *p, size_t n, struct bytes *ret, bool *ret_end);
/* Adds fields to the trailers that http1_give_last is to send. DX_URL: one that may not trail or would split them; DX_BIG: over 8 KiB. */
int http1_trail_add(dx_text *t, const dx_http_field *v, size_t count);
/* The last chunk and t behind it. */
int http1_give_last(struct layer *l, const dx_text *t);
/* n bytes in v[0..count) as one chunk to the layer below l. */
int http1_give_chunk(struct layer *l, const struct span *v, size_t count, size_t n);
#endif
