/* SPDX-License-Identifier: MIT
 * http1_client_inside.h - what the files of a client's exchange share: http1_client.c (the layer, its ends, and whose its connection is
 * next), http1_client_say.c (the request going down), http1_client_hear.c (the response coming up). */
#ifndef NET_HTTP1_CLIENT_INSIDE_H
#define NET_HTTP1_CLIENT_INSIDE_H
#include "core/loop.h"
#include "net/http1_client.h"

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

static inline struct client *client_of(struct layer *l)
{
    return (struct client *)l;
}

/* ---- http1_client.c ---- */
bool client_has_body(const struct client *k); /* does the response, whose head is in? */
void client_fail_of(struct client *k, int code, int detail_of, int detail, const char *words);
void client_fail(struct client *k, int code, int status, const char *words); /* status: that came; 0: none did */
void client_part_if_over(struct client *k);                                  /* request and response are whole */
void client_tell_end(struct client *k);                                      /* if the response is whole       */

/* ---- http1_client_hear.c, http1_client_say.c: the two halves of the layer's table ---- */
size_t client_take(struct layer *l, uint8_t *p, size_t n, unsigned how);
void client_ended(struct layer *l);
int client_give(struct layer *l, const struct span *v, size_t count, unsigned how);
int client_give_file(struct layer *l, int fd, int64_t off, size_t n, unsigned how);
int client_finish(struct layer *l);
#endif
