/* SPDX-License-Identifier: MIT
 * http1.h - RFC 9112 heads and bodies. No sockets, no clock, no allocation: views into the caller's bytes. */
#ifndef CODEC_HTTP1_H
#define CODEC_HTTP1_H
#include "base/url.h"

enum { HTTP1_FIELDS_MAX = 100, HTTP1_HEAD_MAX = 32768, HTTP1_TARGET_MAX = 8192 };
enum { HTTP1_TRAILERS_MAX = 32, HTTP1_TRAILERS_BYTES_MAX = 8192 };
struct http1_field {
    struct bytes name, value; /* value without blanks at its ends */
};
struct http1_head {
    struct bytes method, target, reason;              /* request: method, target; response: reason             */
    struct bytes path, query, host;                   /* of the target and Host; absolute-form is taken apart    */
    int status;                                       /* response                                              */
    int version;                                      /* 10, 11                                                */
    int64_t length;                                   /* Content-Length; -1: none                              */
    bool chunked, close, keep_alive, expect_continue; /* close: Connection: close, or 1.0 without keep-alive */
    bool upgrade_ws;                                  /* Upgrade: websocket with Connection: upgrade            */
    bool folded;                                      /* response: values hold line folds: http1_unfold           */
    size_t count;
    struct http1_field fields[HTTP1_FIELDS_MAX];
};
/* The head at p: its length with its blank line, 0: not whole yet, or minus the status its breach wants (400, 413,
 * 414, 417, 431, 501, 505). *scanned starts at 0 and lets a call with more bytes go on where the last one stopped. A head may
 * have two empty lines in front, which are skipped and counted. The strict reading of RFC 9112 sections 2-6, docs/why/http1-strict.md:
 * CR LF only, no obs-fold in a request, no blank before ':', field names are tokens, no control bytes, exactly one Host in 1.1, one
 * Content-Length at most and none beside Transfer-Encoding, which is "chunked" alone. A response fails at the first byte that is not
 * of "HTTP/". */
int64_t http1_request(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret);
int64_t http1_response(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret);
/* The same for the answer to a CONNECT: where it is 2xx, what frames a body is ignored (RFC 9112 6.3). */
int64_t http1_tunnel_response(const uint8_t *p, size_t n, size_t *scanned, struct http1_head *ret);
/* A response may have folded lines, which a user agent must read (5.2): a blank in place of each, in the bytes that its views point
 * into. */
void http1_unfold(struct http1_head *h, uint8_t *p);
/* The first field of that name, any case; p NULL: none. */
struct bytes http1_get(const struct http1_head *h, const char *name);
struct bytes http1_next(const struct http1_head *h, const char *name, size_t *i); /* from the i-th field on; *i is left behind it */
struct bytes http1_only(const struct http1_head *h, const char *name);            /* p NULL: there are several, or none */
/* Cuts the first element off a comma-separated list, without the blanks around it; it may be empty. false: none is left. */
bool http1_list_next(struct bytes *list, struct bytes *ret);
bool http1_list_has(struct bytes list, struct bytes element); /* byte for byte; one of no bytes is in no list */

/* Is name one of the fields that may not stand in a trailer section (RFC 9110 6.5.1)? */
bool http1_never_trails(struct bytes name);

struct http1_chunks { /* a chunked body, read in pieces; zero it first */
    uint64_t left;
    uint32_t line_n; /* of the size line so far */
    uint32_t extra;  /* bytes of size lines that no data has made up for */
    uint8_t state, digits;
};
/* The next piece of p[0..n): bytes used up (> 0) with *ret the data in them (n may be 0), 0: give more, or -400.
 * *ret_end: the last chunk is through, and behind it the trailer section begins. Limits: 16 digits, size line 256 bytes, and
 * 16 KiB of size lines beyond 16 bytes a chunk and twice its data: extensions cannot be the most of a body. */
int64_t http1_chunk(struct http1_chunks *c, const uint8_t *p, size_t n, struct bytes *ret, bool *ret_end);

struct http1_trailers {
    size_t count;
    struct http1_field fields[HTTP1_TRAILERS_MAX];
};
/* The trailer section at p, which is whole or not, as a head is: its length with its blank line (2 where there are none), 0, -400 or
 * -431. *scanned as above. A field that frames or routes a message is a breach there; another that may not trail is left out. */
int64_t http1_trailers(const uint8_t *p, size_t n, size_t *scanned, struct http1_trailers *ret);
#endif
