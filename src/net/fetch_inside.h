/* SPDX-License-Identifier: MIT
 * fetch_inside.h - what the files of a fetch share: fetch.c (the call, what comes up), fetch_body.c (its body), fetch_give.c (what goes down, and is kept
 * to be said again), fetch_ask.c (its request), fetch_carry.c (what it goes over), fetch_hop.c (redirects). */
#ifndef NET_FETCH_INSIDE_H
#define NET_FETCH_INSIDE_H
#include "codec/decompress.h"
#include "net/fetch.h"
#include "net/http1_client.h"
#include "net/proxy.h"
#include <duplex/fetch.h>

enum { FETCH_AGAIN_MAX = 64 << 10 }; /* of a body by dx_send: as much is kept to be said again */

/* What is asked for, and can be asked again. */
struct request {
    char *method, *url; /* url: with its fragment */
    dx_http_field *fields; /* in one block with their text */
    size_t count;
    char *login; /* Authorization's value; NULL: none */
    dx_text body; /* so far                           */
    int64_t length; /* of the body; -1: in chunks       */
    int file;       /* the body, from file_off on; -1: none is it */
    int64_t file_off;
    uint8_t whole : 1; /* the body's end is said           */
    uint8_t lost : 1;  /* body is not all that was sent    */
    uint8_t in_opts : 1; /* body is dx_fetch_opts.body       */
};

struct fetch {
    struct layer layer; /* first; below: see fetch.h. Above: the conn, NULL until dx_fetch has made it */
    struct chore chore; /* a kept connection stands, or held input waits                          */
    struct timer timer; /* for until, or a redirect whose body does not end                       */
    int64_t until;      /* total_ms_max, by the loop's clock; 0: none                             */
    dx_loop *loop;
    dx_conn *in; /* the exchange that carries it                                           */
    struct settings *set;
    struct request ask;
    char *proxy; /* dx_fetch_opts.proxy: NULL: none                                        */
    const char *(*proxy_for)(void *arg, const char *url);
    void *proxy_arg;
    struct proxy via; /* the one for what is asked now                                          */
    int redirects, redirects_max;
    struct decompressor *decoder; /* NULL: the body is taken as it comes                                    */
    dx_text held;                 /* of the body, not decoded while the conn rests                          */
    int64_t came, shown, shown_max, skipped; /* bytes of the body: as it came, on_data's, their bound, a redirect's  */
    int ratio_max;
    int64_t idle_ms;
    uint16_t decode : 1, fresh : 1, given_tls : 1;
    uint16_t reused : 1;  /* on a connection that had been kept                                     */
    uint16_t retried : 1; /* one of those has broken already                                        */
    uint16_t hop : 1;     /* the response is a redirect: its body is nobody's, and ask is the next  */
    uint16_t closing : 1; /* nothing new is begun                                                   */
    uint16_t holds : 1;   /* held, or the decoder, has more                                         */
    uint16_t named : 1;   /* Accept-Encoding is the caller's                                        */
};

/* ---- fetch.c, fetch_body.c ---- */
dx_conn *fetch_conn(const struct fetch *f); /* the caller's; NULL: dx_fetch has not made it yet */
int fetch_status(const struct fetch *f);
/* What came is not to be borne: DX_BROKEN, and the exchange is broken off. */
void fetch_fail(struct fetch *f, int code, int detail_of, int detail, const char *words);
void fetch_body(struct fetch *f, uint8_t *p, size_t n, unsigned how); /* a piece of it came */
void fetch_decode_held(struct fetch *f);                              /* after a rest       */
bool fetch_begin_decoding(struct fetch *f, const struct http1_head *head); /* false: it has failed */

/* ---- fetch_ask.c ---- */
int request_read(struct fetch *f, const char *url, const dx_fetch_opts *o, dx_err *err);
void request_free(struct request *r);
bool request_can_again(const struct request *r);   /* all of its body so far can be said again     */
bool request_is_idempotent(const struct request *r);
void request_drop(struct request *r, const char *prefix); /* its fields whose names begin so        */
void request_drop_body(struct request *r);
/* Its head, and what is there of its body, to the exchange that carries f. 0 or < 0 with *err filled. */
int fetch_ask(struct fetch *f, const struct url *u, dx_err *err);
/* Is the proxy asked for all of u, whatever its host? */
bool fetch_asks_proxy(const struct fetch *f, const struct url *u);

/* ---- fetch_carry.c ---- */
/* An exchange over a kept connection or a new one: f->in, f->reused. 0 or < 0 with *err filled. */
int fetch_carry(struct fetch *f, const struct url *u, bool fresh, const dx_handler *on, dx_err *err);

/* ---- fetch_hop.c ---- */
/* Is the response that came a redirect to be followed? 1: ask is what to ask next; 0: no; < 0: it must not be, *why says so. */
int fetch_hop(struct fetch *f, const struct http1_head *head, dx_err *why);

/* ---- fetch_give.c: the sending half of fetch_layer ---- */
int fetch_give(struct layer *l, const struct span *v, size_t count, unsigned how);
int fetch_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how);
int fetch_finish(struct layer *l);

static inline struct fetch *fetch_of(struct layer *l)
{
    return (struct fetch *)l;
}
#endif
