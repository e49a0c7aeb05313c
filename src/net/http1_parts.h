/* SPDX-License-Identifier: MIT
 * http1_parts.h - what a server's and a client's HTTP/1.1 connection share: heads to be sent, heads kept, chunks. */
#ifndef NET_HTTP1_PARTS_H
#define NET_HTTP1_PARTS_H
#include "codec/http1.h"
#include "core/layer.h"
#include <duplex/http.h>
#include <duplex/text.h>

/* A head under way. r is the first thing that went wrong, DX_NOMEM or DX_URL (it would split the head): then it is not sent. */
struct draft {
    dx_text t;
    int r;
};
void draft_add(struct draft *d, const void *p, size_t n);
void draft_say(struct draft *d, const char *s);
void draft_field(struct draft *d, const char *name, const char *value); /* "name: value", CR LF */
void draft_fields(struct draft *d, const dx_http_field *v, size_t count);
void draft_host(struct draft *d, const struct url *u); /* as Host has it: no default port, no zone */
int draft_give(struct draft *d, struct layer *l);      /* to the layer below l, and frees it; < 0: nothing has gone */
bool http1_is_token(const char *s);                    /* of RFC 9110 5.6.2: a method, a field's name */

/* A head for longer: *ret's views point into bytes, to which the n bytes at p go. */
void http1_keep(struct http1_head *ret, const struct http1_head *head, const uint8_t *p, size_t n, uint8_t *bytes);
/* n bytes in v[0..count) as one chunk to the layer below l. */
int http1_give_chunk(struct layer *l, const struct span *v, size_t count, size_t n);
#endif
