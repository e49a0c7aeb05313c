/* SPDX-License-Identifier: MIT
 * http1.h - one HTTP/1.1 connection of a server: heads in, exchanges up, one at a time, replies in order. */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H
#include "codec/http1.h"
#include "core/conn.h"
#include "core/listener.h"
#include "net/http1_parts.h"
#include <duplex/http.h>
#include <duplex/text.h>

enum { HTTP_WORTH_WATCHING = 16 << 10 }; /* bytes that wait for the client */
struct exchange;                         /* one request and its reply */
struct route;
struct draft;
/* How fast an exchange goes: http_limits.c. Times are the loop's, in ms. */
struct http_pace {
    int64_t began, since; /* since: both rates are counted from there on */
    int64_t discards;     /* since when its body is read for nobody; 0: it is not */
    int64_t paused, rested; /* since when we read nothing of it, 0: we do; and how long that was in all     */
    bool resumed;           /* what came meanwhile may lie there still                                       */
    uint64_t in;            /* of the body */
    uint64_t in_then, sent_then;
    size_t waited_then;
};
struct http_wait { /* a long poll, or a stream of events: sse.c */
    struct timer timer;
    dx_conn *c; /* NULL: none of them */
    int64_t ms; /* of silence; -1: no matter */
    uint64_t sent;
    int status; /* of a long poll's reply; 0: a stream */
};
struct http1 {
    struct layer layer; /* first; above: the exchange's conn, or NULL                        */
    struct lone lone;
    struct chore chore; /* an exchange may be over                                            */
    struct timer timer; /* head deadline, idle between exchanges, a body that comes too late  */
    dx_loop *loop;
    struct queue *q;
    dx_listener *from;
    size_t scanned;
    struct exchange *x; /* NULL: waiting for a head                                           */
    /* While there is none the last reply may be going out: how much waited when. For http_limits.c */
    int64_t rest_since;
    size_t rest_waited;
    int64_t unsent_at; /* when the kernel was asked what it holds for the client; the same file */
    size_t unsent;
    uint8_t ws_only : 1, upgraded : 1, closing : 1, last : 1, held : 1;
    uint32_t served;             /* exchanges begun */
    uint8_t ended : 1;           /* the client has said its end, and nothing is behind it                 */
    uint8_t held_head : 1;       /* held, and what there is of it begins as a HEAD */
    uint8_t deaf : 1;            /* its timer came late, and was given as long again: http_limits.c */
    uint8_t gone : 1, rests : 1; /* rests: the client takes too little to be given another reply      */
};
struct exchange {
    struct chunked in;
    dx_text trail_out;  /* behind our last chunk                                                */
    uint64_t body_left; /* of the request's body; chunked: 1 until its end                 */
    uint64_t discarded;
    uint64_t sent;             /* of the reply's body: what was given  */
    int status;                /* of the reply; 0: no head has gone    */
    const struct route *route; /* of its conn, which holds it; NULL: none */
    dx_text set;               /* fields for its reply's head: http_fields.c */
    struct http_pace pace;
    int64_t reply_left; /* declared and not yet given; -1: chunked or to the end           */
    uint8_t head_sent : 1, reply_done : 1, body_done : 1, body_told : 1, no_body : 1, chunked_out : 1, truncated : 1;
    uint8_t opened : 1, continued : 1;
    uint8_t begun : 1; /* dx_http_head has begun the reply: who begins one ends it */
    struct http_wait wait;
    struct http1_head head; /* last: room for the fields that came, then the bytes that its views point into */
};
struct http1 *http1_new(dx_listener *s, struct queue *q, bool ws_only);
struct http1 *http1_of(const dx_conn *c); /* of an exchange; NULL: another kind of conn */
/* A limit of the exchange's prefix, else of its listener; < 0: none. In http_limits.c, with what watches over them. */
int64_t http_limit_of_route(const struct http1 *h, size_t offset); /* 0: it has none of its own */
#define HTTP_LIMIT(h, limit)                                                                                           \
    ((h)->x && (h)->x->route && http_limit_of_route(h, offsetof(dx_http_limits, limit))                                \
         ? http_limit_of_route(h, offsetof(dx_http_limits, limit))                                                     \
         : (h)->from->set->http.limit)
void http_begun(struct http1 *h); /* an exchange: its times count from now on             */
/* got, which is the length of a head in p[0..n) or 0 for one that is not whole, or minus the status where it is over a limit. */
int64_t http_head_fits(const struct http1 *h, const uint8_t *p, size_t n, int64_t got, const struct http1_head *head);
bool http_in(struct http1 *h, size_t n);           /* n bytes more of its body; false: that was too many */
void http_watch(struct http1 *h);                  /* sets its timer, if there is anything to watch            */
void http_watch_rest(struct http1 *h, int64_t ms); /* no exchange: for ms, or while the last reply goes out */
void http_watch_head(struct http1 *h);             /* no exchange: a head is due                         */
void http_paused(struct http1 *h, bool on);        /* its handler reads no more of the body, or again  */
void http_late(struct http1 *h);                   /* its timer */
/* n bytes more of its reply have gone to the layer below. */
static inline void http_given(struct http1 *h, size_t n)
{
    h->x->sent += n;
    if (!h->timer.node.pos && queue_waits(h->q) > HTTP_WORTH_WATCHING)
        http_watch(h);
}
/* What is over a limit before its handler hears of it is answered so: no on_open, no other call. In http_door.c, which makes the
 * conn of an exchange for the handler its route or its listener names, and lets it in or not. */
dx_conn *http_conn(struct http1 *h);
void http_admit(struct http1 *h, dx_conn *c);
/* Does it ask for an https:// URL on a connection without TLS (RFC 9110 7.4)? */
bool http_misdirected(const struct http1 *h, const struct http1_head *head);
/* What dx_http_set and its like have said, but for what the call's own fields say: to the head, once. In http_fields.c. */
void http_set_write(struct exchange *x, struct draft *d, const char *type, const dx_http_field *own, size_t count);
bool http_set_has(const struct exchange *x, const char *name);
/* A Set-Cookie, in place of one of the same name and scope ("; Path=...; Domain=..."). As dx_http_add. */
int http_set_cookie_line(dx_conn *c, const char *name, const char *scope, const char *line);
struct http1 *http1_answerable(dx_conn *c); /* the connection, if a head may still be sent; or NULL */
/* For http.c: sends the status line and fields; body_n -1: unknown. */
int http1_send_head(struct http1 *h, int status, int64_t body_n, const char *type, const dx_http_field *extra,
                    size_t count);
/* All of a reply: then it is over. */
int http1_send_whole(struct http1 *h, int status, const char *type, const void *body, size_t n,
                     const dx_http_field *extra, size_t count);
int http1_send_info(struct http1 *h, int status, const dx_http_field *fields, size_t count); /* 1xx but 101 */
bool http1_is_connect(const struct exchange *x);
void http1_reply_over(struct http1 *h);
/* The client has said its end: who only waits is answered, or ended. */
void http_wait_over(struct http1 *h);
/* An exchange cannot go on: the status, where no head has gone, and the connection ends; its handler is told why. */
void http1_fail(struct http1 *h, int code, int status, const char *words);
/* A short answer to what cannot be read; it says that the connection ends. of_head: the request is a HEAD. */
void http1_say_refusal(struct http1 *h, int status, bool of_head);
void http1_refuse(struct http1 *h, int status,
                  bool of_head); /* the same where no exchange stands, and the connection ends */
int http1_say(struct http1 *h, const char *p, size_t n);
void http1_later(struct http1 *h); /* an exchange may be over: at the end of the turn */
/* The sending half of http1_type. */
int http1_give(struct layer *l, const struct span *v, size_t count, unsigned how);
int http1_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how);
int http1_finish(struct layer *l);
extern const struct layer_type http1_type;
#endif
