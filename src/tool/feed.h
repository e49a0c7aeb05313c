/* SPDX-License-Identifier: MIT
 * feed.h - stdin on its way to a wire: a stream as it comes, or cut into messages. Holds what the wire does not take yet:
 * whoever feeds pauses stdin until feed_pump says 0 again, so it holds one read at most, or one unfinished message. */
#ifndef TOOL_FEED_H
#define TOOL_FEED_H
#include "tool/outgoing.h"

enum feed_kind { FEED_BY_ITSELF, FEED_TEXT, FEED_BINARY }; /* of WebSocket messages */
struct feed {
    enum feed_kind kind;    /* FEED_TEXT: what is no UTF-8 cannot go (DX_PROTO)                            */
    dx_framer *framer;      /* NULL: pieces of at most piece_max, as they are read                     */
    dx_text pending;        /* without a framer: read and not yet sent, from at on                      */
    size_t at, piece_max;
    const char *piece_end;  /* what the framer takes off and the wire shall have                        */
    bool text;              /* a message that is UTF-8 goes as text                                     */
    bool stream;            /* the wire keeps no boundaries                                             */
    bool waits;             /* something is held until the wire is writable                             */
    struct outgoing *out;   /* what a message becomes on its way; NULL: it stays as it is                */
    void (*went)(void *arg, dx_bytes sent, unsigned how); /* told of what was sent; NULL: nobody is     */
    void *went_arg;
    uint64_t count;         /* messages taken so far                                                    */
    size_t fault_at;        /* in the one that is no hex                                                */
    uint64_t sent;          /* bytes that the wire has taken                                            */
};

/* f->kind, out, went and went_arg stay as they are. With an out that works each line is a message, or what spec cuts; hex is in lines.
 * wire: dx_wire of the conn. spec NULL: its own way: datagrams are lines with their end kept, WebSocket messages lines
 * where they are typed, else pieces. 0, or DX_URL, DX_NOMEM. */
int feed_init(struct feed *f, const char *wire, enum dx_kind kind, const char *spec, bool typed, dx_err *err);
void feed_free(struct feed *f);
int feed_take(struct feed *f, const void *data, size_t n, int64_t now_ms); /* 0, DX_BIG, DX_NOMEM */
/* Sends what waits. 0: nothing waits; 1: the rest when `to` is writable; or why it cannot be sent: DX_URL for a message that is
 * no hex, which is passed over. ended: no more comes. */
int feed_pump(struct feed *f, dx_conn *to, bool ended);
/* Sends bytes that are a message already, once. As dx_send. */
int feed_whole(struct feed *f, dx_conn *to, dx_bytes message);
bool feed_datagrams(const char *wire);
#endif
