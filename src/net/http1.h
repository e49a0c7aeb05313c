/* SPDX-License-Identifier: MIT
 * http1.h - one HTTP/1.1 connection of a server: heads in, exchanges up, one at a time, replies in order. */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H
#include "codec/http1.h"
#include "core/conn.h"
#include "core/listener.h"
#include "net/http1_parts.h"
#include <duplex/http.h>

enum { HTTP_HEAD_MS = 10000, HTTP_IDLE_MS = 60000, HTTP_CLOSE_MS = 2000, HTTP_DISCARD_MAX = 1 << 20 };

struct exchange; /* one request and its reply */
struct http1 {
    struct layer layer; /* first; above: the exchange's conn, or NULL                        */
    struct lone lone;
    struct chore chore; /* an exchange may be over                                            */
    struct timer timer; /* head deadline, idle between exchanges, a body that comes too late  */
    dx_loop *loop;
    struct queue *q;
    dx_listener *from;
    size_t scanned;
    struct exchange *x;   /* NULL: waiting for a head                                           */
    struct exchange *old; /* their views live until their conn's on_close                       */
    uint8_t ws_only : 1, upgraded : 1, closing : 1, last : 1, held : 1;
    uint8_t gone : 1, rests : 1; /* rests: the client takes too little to be given another reply      */
};
struct exchange {
    struct chunked in;
    dx_text trail_out;  /* behind our last chunk                                                */
    uint64_t body_left; /* of the request's body; chunked: 1 until its end                 */
    uint64_t discarded;
    uint64_t sent;      /* of the reply's body: what was given  */
    int status;         /* of the reply; 0: no head has gone    */
    int64_t reply_left; /* declared and not yet given; -1: chunked or to the end           */
    uint8_t head_sent : 1, reply_done : 1, body_done : 1, body_told : 1, no_body : 1, chunked_out : 1, truncated : 1;
    uint8_t opened : 1, continued : 1;
    struct http1_head head; /* last: room for the fields that came, then the bytes that its views point into */
};
struct http1 *http1_new(dx_listener *s, struct queue *q, bool ws_only);
struct http1 *http1_of(const dx_conn *c); /* of an exchange; NULL: another kind of conn */
/* For http.c: sends the status line and fields; body_n -1: unknown. */
int http1_send_head(struct http1 *h, int status, int64_t body_n, const char *type, const dx_http_field *extra,
                    size_t count);
int http1_send_info(struct http1 *h, int status, const dx_http_field *fields, size_t count); /* 1xx but 101 */
bool http1_is_connect(const struct exchange *x);
void http1_reply_over(struct http1 *h);
/* A short answer to what cannot be read; it says that the connection ends. of_head: the request is a HEAD. */
void http1_say_refusal(struct http1 *h, int status, bool of_head);
void http1_refuse(struct http1 *h, int status,
                  bool of_head); /* the same where no exchange stands, and the connection ends */
int http1_say(struct http1 *h, const char *p, size_t n);
void http1_later(struct http1 *h);            /* an exchange may be over: at the end of the turn */
void http1_wait(struct http1 *h, int64_t ms); /* its one timer: head deadline, idle, the body's rest */
/* The sending half of http1_type. */
int http1_give(struct layer *l, const struct span *v, size_t count, unsigned how);
int http1_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how);
int http1_finish(struct layer *l);
extern const struct layer_type http1_type;
#endif
