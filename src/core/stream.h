/* SPDX-License-Identifier: MIT
 * stream.h - the bottom of a stack that carries bytes: a TCP or Unix socket, a pipe, a terminal, a file. One queue, one
 * flush a turn, and a close that loses nothing. */
#ifndef CORE_STREAM_H
#define CORE_STREAM_H
#include "core/listener.h"

enum {
    LINGER_MS = 2000,        /* after our end is out: how long the peer's end is waited for, */
    LINGER_BYTES = 64 << 20, /* and how much of its input is read for that and thrown away   */
    DRAIN_STALL_MS = 30000,  /* while our queue is still going out: how long without a byte  */
    WRITE_THROUGH = 4096,    /* this much at once leaves from where it lies                  */
};
struct hold;
struct dialing { /* what tries to open a stream; told when nobody wants it any more */
    void (*cancel)(struct dialing *d);
};
struct stream {         /* 152 bytes: an idle conn costs this and a dx_conn              */
    struct layer layer; /* first                                                        */
    struct os_port port;
    uint32_t last_active; /* loop's ms, cut; while lingering: bytes thrown away           */
    uint16_t paused : 1, feed_due : 1, end_seen : 1, end_told : 1, finishing : 1, shut : 1, closing : 1, lingering : 1;
    uint16_t breaking : 1, done : 1, opening : 1, split : 1, read_only : 1, write_only : 1, stalled : 1;
    uint16_t high : 1; /* the queue was past half, and nobody was told yet that it no longer is */
    int16_t error;     /* errno that ended it; 0: none                                 */
    struct queue queue;
    struct chore chore; /* what a send touches ends here */
    struct timer timer; /* own: idle_ms                                                 */
    union {
        struct hold *hold;       /* input that the layers above have not used up             */
        struct dialing *dialing; /* while opening                                            */
    };
    struct dx_listener *from;
};
/* A stream with a second descriptor for writing: stdio, pipes to a child. */
struct split_stream {
    struct stream s; /* first */
    struct os_port out;
    bool deaf;                             /* nobody reads what we write: the program has ended, or closed its input */
    void (*ended)(struct split_stream *s); /* its memory goes: what else it owned; NULL: nothing */
    void *owned;
};
extern const struct layer_type stream_tcp, stream_unix, stream_fd, stream_file, stream_stdio, stream_exec;
const struct layer_type *stream_type_of(const char *wire);

struct stream *stream_new(dx_loop *l, const struct layer_type *type, const struct settings *set); /* NULL: no memory */
struct split_stream *split_new(dx_loop *l, const struct layer_type *type, const struct settings *set);
int stream_adopt(struct stream *s, int fd); /* an open socket: 0 or -errno, fd stays the caller's then        */
int split_adopt(struct split_stream *s, int in, int out); /* either may be -1: read-only or write-only        */
void stream_opened(struct stream *s);    /* a dialled one stands: opened goes up, the queue goes out        */
void stream_open_soon(struct stream *s); /* the same, by the loop in its next turn: local ends, datagrams    */
void stream_broken(struct stream *s, const dx_err *why); /* a dial that failed: closed goes up                  */
void stream_throw_away(struct stream *s);       /* never used: NULL is fine                                       */
struct stream *stream_of(struct layer *bottom); /* NULL: not a stream */
void stream_set_idle(struct stream *s, int64_t ms); /* dx_opts.idle_ms_max from now on; 0: none                   */
void stream_may_file(struct stream *s);         /* what stands on it may be saved: it asks save_file from now on */
size_t stream_unsent(struct stream *s);         /* written, and not yet at the peer                               */
/* From now on, or no longer, what arrives on s comes up as take(l, NULL, n) while it stands in the loop's pipe, from where
 * stream_give_spliced moves it on into another stream. false: one of the two cannot. */
bool stream_splice(struct stream *s, struct stream *to, bool on);
int stream_give_spliced(struct stream *s);
#endif
