/* SPDX-License-Identifier: MIT
 *
 * duplex.h - one URL names any wire, and behind every URL stands the same two-way connection.
 *
 *   tcp://127.0.0.1:2333   tcp://[::1]:0   unix:///tmp/x.sock   unixgram:///tmp/d.sock   udp://:5353
 *   tls://a.example:443   ws://a.example/chat   wss://   quic://a.example:4433   http://   https://
 *   any://:2333 (listening: the first bytes decide)   stdio:   fd:3   file:PATH   exec:CMD (local ends)
 *
 * Listening: an empty host is every address, port 0 is any free port (the same one on every family and
 * for TCP and UDP; ask dx_listener_url). A unix path that begins with @ is an abstract name. The fragment never goes
 * on the wire: it is for options, tls://:443#cert=a.pem,key=a.key (tls.h), and those of file:
 * (file:PATH reads, file:PATH#write makes a new file, #append adds; never over one that is there).
 * exec:CMD is over (DX_END) when the program has closed its output and reads no more: what it left is no error.
 * Whatever is dialled over TCP or UDP may have #bind=ADDR or #bind=ADDR:PORT (the source) and #ttl=N (1-255), as
 * tcp://10.0.0.9:502#bind=10.0.0.2,ttl=4.
 * README.md says which schemes this build has; the others answer DX_ABSENT.
 *
 * OWNERSHIP  The loop owns each dx_conn: your pointer is good until its on_close returns. Your buffers stay
 *            yours: dx_send copies what it cannot write at once. Bytes handed to on_data are good until
 *            it returns, and you may write over them. A dx_msg is counted and immutable; one message sent
 *            to many is encoded once.
 * ERRORS     Constructors return NULL and fill *err (err may be NULL). Other calls return >= 0 or a
 *            negative enum dx_code; dx_why has the words. The library never prints, never exits, raises
 *            no SIGPIPE. Misuse is an assert with a sentence.
 * THREADS    A loop and its conns belong to the thread in dx_loop_run. Any thread may hold a dx_id and
 *            dx_post to it (a dead id is a counted drop, never a dangling pointer), and may call
 *            dx_loop_post and dx_loop_stop (which a signal handler may call too).
 * RE-ENTRY   No dx_ call runs your code before it returns; only dx_loop_run and dx_loop_free call
 *            handlers. Closing anything inside a handler is fine: memory goes at the end of the turn.
 * QUEUE      dx_send never blocks. 0: taken. 1: taken, and the queue is past half: pause your source until
 *            on_writable. DX_FULL: nothing taken. A send is taken whole while the queue is not past half, or
 *            where it fits under queue_bytes_max. Reading from a conn rests while what its on_data sent to it
 *            keeps its queue past half, tested between messages: so where nothing else sends to it, one send per
 *            on_data is always taken. (What was sent from elsewhere never rests the reading: two ends that both
 *            write before they read would wait for each other for ever.)
 * CLOSING    dx_finish: our end of the conversation, reading goes on. dx_close: what is queued goes out, we
 *            say the end, then read and discard until the peer's end (2 s or 64 MiB), so nothing is lost to
 *            a reset. dx_abort: break it off now. on_close is the last call, exactly once per conn, when
 *            all that is over; after dx_close or dx_abort it is also the only one.
 */
#ifndef DUPLEX_H
#define DUPLEX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif
#if defined __GNUC__
#define DX_API __attribute__((visibility("default")))
#else
#define DX_API
#endif

typedef struct dx_loop dx_loop;         /* one thread's event loop                                   */
typedef struct dx_listener dx_listener; /* not a conn: its urls, its counters, its drain             */
typedef struct dx_conn dx_conn;         /* our end of one conversation, whatever the wire            */
typedef struct dx_session dx_session;   /* what several conns share: QUIC, h2, h3 (quic.h, http.h)   */
typedef struct dx_msg dx_msg;           /* an immutable counted message, shared by reference         */
typedef struct dx_tls dx_tls;           /* certificates and trust; counted, shared by many (tls.h)   */
typedef struct dx_router dx_router;     /* who answers which URLs; counted, shared by many (router.h) */
typedef uint64_t dx_id;                 /* names a conn from any thread; 0 names none                */
typedef struct dx_bytes {
    const void *p;
    size_t n;
} dx_bytes;

enum dx_code {
    DX_OK = 0,
    DX_END = -1,        /* the peer ended cleanly: not an error, but no more data                    */
    DX_CLOSED = -2,     /* we closed it, or its group or loop did                                    */
    DX_TIMEOUT = -3,
    DX_FULL = -4,       /* the send queue has no room: nothing was taken                             */
    DX_BIG = -5,        /* one message is over its limit                                             */
    DX_RESET = -6,      /* the peer broke it off                                                     */
    DX_REFUSED = -7,    /* nobody listens there                                                      */
    DX_RESOLVE = -8,    /* no such name                                                              */
    DX_TLS = -9,
    DX_PROTO = -10,     /* the peer broke its protocol's rules                                       */
    DX_TRUNCATED = -11, /* the stream stopped before its own end mark                                */
    DX_URL = -12,       /* the URL, or an option in it, does not read                                */
    DX_LIMIT = -13,     /* a named limit was reached (conns, memory, descriptors)                    */
    DX_NOMEM = -14,
    DX_SYS = -15,       /* a system call failed: detail is errno                                     */
    DX_BUSY = -16,      /* the address is taken                                                      */
    DX_ABSENT = -17,    /* not in this build                                                         */
    DX_STATE = -18,     /* not now: after our end was said, before a head was, on a closed conn      */
};
enum dx_detail { DX_OF_NOTHING, DX_OF_ERRNO, DX_OF_GAI, DX_OF_TLS, DX_OF_WS, DX_OF_HTTP, DX_OF_H2, DX_OF_H3, DX_OF_QUIC };
/* how, in dx_send and on_data. DX_TEXT and DX_BINARY say which kind of message. DX_MORE: a part of a message,
 * or more bytes follow at once. DX_LAST (sending): and then dx_finish. DX_EARLY: arrived as 0-RTT. */
enum dx_how { DX_TEXT = 1, DX_BINARY = 2, DX_MORE = 4, DX_LAST = 8, DX_EARLY = 16 };
enum dx_kind { DX_BYTES, DX_MESSAGES };  /* are send boundaries kept? udp, ws, framed streams: yes   */
/* DX_BROKEN (arg: const dx_err *): the peer broke a rule or a limit; what is sent in this call still goes out, then
 * the conn closes. DX_STEP (arg: const char *, words for people): a dial of a stream got further, its name is looked up or the
 * connection stands; it and a WebSocket dial's DX_HEAD (ws.h) alone come before on_open. DX_GONE (arg: NULL): http.h. */
enum dx_event { DX_HEAD = 1, DX_INFO, DX_TRAILERS, DX_PONG, DX_DATAGRAM, DX_STOPPED, DX_PATH, DX_BROKEN, DX_STEP, DX_GONE };

typedef struct dx_err {
    int  code;       /* enum dx_code                                                                 */
    int  detail;     /* errno, TLS alert, WebSocket, HTTP, h2, h3 or QUIC code, as detail_of says    */
    int  detail_of;  /* enum dx_detail                                                               */
    char text[244];  /* "dial tls://a.example:443: certificate expired on 2026-01-02"                */
} dx_err;

typedef struct dx_opts {        /* zero means the default named here; NULL means all zero            */
    int64_t dial_ms_max;        /* 10 000: resolve, connect and handshake together                   */
    int64_t idle_ms_max;        /* 0: none (udp peers: 60 000). Counted in both directions together  */
    size_t  message_bytes_max;  /* 16 MiB                                                            */
    size_t  queue_bytes_max;    /* 1 MiB a conn; the process has its own cap beside it               */
    size_t  conns_max;          /* 10 000 per listener; more wait in the kernel's backlog            */
    int     backlog;            /* 4096                                                              */
    dx_tls *tls;                /* NULL: what the URL's fragment says (tls.h), else the system's trust */
    const char *protocols;      /* ALPN or WebSocket subprotocols, "h3,h2": offered, or of those offered the first is chosen */
    const char *frame;          /* bytes into messages: "line" "gap:20ms" "fixed:8" "auto" (text.h)  */
    const char *coding;         /* "utf-8" "gb18030" ... "auto" (text.h); NULL: bytes as they are    */
    const char *const *env;     /* exec:, dialling: its environment has these too ("NAME=value", up to a NULL); not kept */
    dx_router *router;          /* http, https, any, listening: who answers which URLs (router.h); kept by reference */
    const struct dx_http_limits *http; /* http, https, any, ws, wss, listening: http.h; copied              */
    const char *proxy;          /* tcp, tls, ws, wss, http, https, dialling: a tunnel through it (PROXY in fetch.h)  */
} dx_opts;

/* What happens on a conn. Frozen: news arrive by on_event, so the layout never changes. Any may be NULL. */
typedef struct dx_handler {
    size_t state_bytes;                  /* zeroed room inside each conn: dx_state                   */
    void (*on_open)(dx_conn *c);         /* accepted (server: an HTTP head is in) or dialled: send   */
    void (*on_data)(dx_conn *c, const void *data, size_t n, unsigned how); /* bytes, or one message   */
    void (*on_end)(dx_conn *c);          /* the peer said its last; NULL: dx_close(c)                */
    void (*on_writable)(dx_conn *c);     /* after 1 or DX_FULL: the queue is below half again        */
    void (*on_event)(dx_conn *c, int what, const void *arg);               /* enum dx_event           */
    void (*on_close)(dx_conn *c, const dx_err *why); /* why->code: DX_END or DX_CLOSED where all went well */
} dx_handler;

/* ---- loop ---- */
DX_API dx_loop *dx_loop_new(dx_err *err);
/* Breaks off what is left: each conn gets its on_close. Timers and posts that have not run never will. */
DX_API void     dx_loop_free(dx_loop *l);
/* Runs until stopped (0), or nothing is left to wait for (0): no conn, listener or timer; or < 0. */
DX_API int      dx_loop_run(dx_loop *l);
DX_API void     dx_loop_stop(dx_loop *l);
/* fn runs on the loop's thread, in order of posting. Any thread. DX_NOMEM. */
DX_API int      dx_loop_post(dx_loop *l, void (*fn)(void *arg), void *arg);
/* Runs fn once, ms from now at the earliest; returns a timer > 0 for dx_loop_cancel, or DX_NOMEM, DX_CLOSED (the
 * loop is being freed). The loop's thread only. */
DX_API int64_t  dx_loop_after(dx_loop *l, int64_t ms, void (*fn)(void *arg), void *arg);
DX_API void     dx_loop_cancel(dx_loop *l, int64_t timer); /* a timer that has run, or 0, is no error */
DX_API int64_t  dx_loop_now(const dx_loop *l);             /* monotonic ms, read once a turn           */
enum dx_count { DX_COUNT_CONNS, DX_COUNT_POST_DROPS, DX_COUNT_DATAGRAM_DROPS, DX_COUNT_ACCEPT_RESTS,
                DX_COUNT_HANDSHAKE_FAULTS /* TLS handshakes of callers that came to nothing */ };
DX_API int64_t  dx_loop_count(const dx_loop *l, enum dx_count what);

/* ---- event form: call dx_serve and dx_connect, below ---- */
DX_API dx_listener *dx_serve_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                                   size_t o_bytes, dx_err *err);
DX_API dx_conn *dx_connect_sized(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                                 size_t o_bytes, dx_err *err);
/* Starts to listen. h stays yours and must outlive the listener; *o is copied. DX_BUSY names the taken address.
 * The listener lives until dx_listener_drain has ended or the loop is freed. */
static inline dx_listener *dx_serve(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                                    dx_err *err)
{
    return dx_serve_sized(l, url, h, user, o, sizeof(dx_opts), err);
}
/* Starts to dial and returns at once: on_open when it stands, or on_close with the reason. NULL only for what
 * can be said without waiting: DX_URL, DX_ABSENT, DX_NOMEM, DX_CLOSED (the loop is being freed), a local end or a
 * datagram socket that cannot be opened. */
static inline dx_conn *dx_connect(dx_loop *l, const char *url, const dx_handler *h, void *user, const dx_opts *o,
                                  dx_err *err)
{
    return dx_connect_sized(l, url, h, user, o, sizeof(dx_opts), err);
}
/* Dialling again: later and later, and half of each wait by chance, so that the many clients of a server that comes back do not come all at
 * once. In on_close, where dx_again_helps: dx_loop_after(l, dx_again_ms(&again), dial, ...); in on_open: again.tries = 0. */
typedef struct dx_again {
    int64_t first_ms;           /* the first wait, at most: 250; it doubles with each try              */
    int64_t most_ms;            /* up to 30 000                                                     */
    int64_t tries;              /* in a row, counted by dx_again_ms                                 */
} dx_again;
DX_API int64_t dx_again_ms(dx_again *a);
/* An end that another try may mend: DX_END, nobody there, broken, no answer in time, no such name as yet, a WebSocket's Close 1001, 1012 or 1013,
 * a status 408, 429, 502, 503 or 504. Not: a certificate, a broken rule, another refusal, our own dx_close. */
DX_API bool    dx_again_helps(const dx_err *why);
DX_API const char *dx_listener_url(const dx_listener *s, int i); /* the i-th address, dialable; NULL: no more */
DX_API size_t dx_listener_conns(const dx_listener *s);  /* connections and peers now, an idle HTTP one too   */
/* One more thread accepts: from its next turn the other loop has a listener of its own on the same addresses, with the same
 * handler, user and limits, that drains with s. Call it on s's thread. 0; DX_STATE: draining, or s's own loop;
 * DX_LIMIT, DX_SYS, DX_NOMEM; DX_CLOSED: the other loop is gone. */
DX_API int  dx_listener_share(dx_listener *s, dx_loop *other);
/* Accepts no more at once, closes each conn as dx_close does, aborts what is left after ms, then frees the
 * listener: do not use it after this call. An HTTP exchange is let go to its own end, and its connection ends with it.
 * ms 0: the conns stay as they are and only accepting ends. */
DX_API void dx_listener_drain(dx_listener *s, int64_t ms);

DX_API int  dx_send(dx_conn *c, const void *data, size_t n, unsigned how);     /* how 0: c's default   */
DX_API int  dx_sendv(dx_conn *c, const dx_bytes *v, size_t count, unsigned how); /* one message of parts */
DX_API int  dx_send_msg(dx_conn *c, dx_msg *m);              /* keeps its own reference                */
/* n bytes of a regular file from off on, -1: to its end; dups fd. DX_TRUNCATED: it has fewer; DX_URL: it has no
 * end (dx_relay moves those); DX_ABSENT: a wire of messages. A process that dies meanwhile resets a TCP peer. */
DX_API int  dx_send_file(dx_conn *c, int fd, int64_t off, int64_t n, unsigned how);
/* What arrives goes to a dup of fd, and not to on_data; past n_max (-1: no limit) the conn is broken off with DX_BIG.
 * DX_STATE: closed, or in a relay or saved already. */
DX_API int  dx_save(dx_conn *c, int fd, int64_t n_max);
DX_API int  dx_relay(dx_conn *a, dx_conn *b);                /* join two: back-pressure, half-close; a's and b's
                                                                handlers keep only on_close                */
/* dx_relay, and look is shown all that passes before it goes on: good until it returns, and not to be written to. data NULL:
 * from has said its end. Streams are copied then; without a look what two plain ones say much of is spliced. */
typedef void dx_relay_look(dx_conn *from, const void *data, size_t n, unsigned how);
DX_API int dx_relay_looked(dx_conn *a, dx_conn *b, dx_relay_look *look);
DX_API uint64_t dx_relayed(const dx_conn *c);                /* bytes from c that the other took; in on_close too */
/* In on_data of a conn of bytes, what it was given: sends that to `to`, always the same one, as dx_send does. Where both are plain
 * streams and much comes, what comes next is spliced: on_data has data NULL then, and only dx_pass takes it. */
DX_API int dx_pass(dx_conn *from, dx_conn *to, const void *data, size_t n);
DX_API void dx_pause(dx_conn *c, bool on);                   /* no on_data, on_end while on            */
DX_API int  dx_finish(dx_conn *c);                           /* DX_STATE: said already                 */
DX_API void dx_close(dx_conn *c);
DX_API void dx_abort(dx_conn *c);
DX_API int  dx_after(dx_conn *c, int64_t ms, void (*fn)(dx_conn *c));          /* dies with the conn    */

DX_API void       *dx_state(dx_conn *c);                     /* state_bytes of zeroed room, 8-aligned   */
DX_API void       *dx_user(const dx_conn *c);
DX_API void        dx_set_user(dx_conn *c, void *user);
DX_API dx_loop    *dx_loop_of(const dx_conn *c);
DX_API const char *dx_local(const dx_conn *c);               /* as URLs, good until the same call on another */
DX_API const char *dx_peer(const dx_conn *c);                /*  conn of this thread. "" where there is none  */
DX_API const char *dx_wire(const dx_conn *c);                /* "tcp" "unix" "udp" "ws" "http" "fd" ...     */
DX_API bool        dx_is_loopback(const dx_conn *c);         /* the socket's own peer is this machine       */
DX_API enum dx_kind dx_kind_of(const dx_conn *c);
DX_API size_t      dx_queued(const dx_conn *c);              /* bytes taken and not yet written              */
DX_API const dx_err *dx_why(const dx_conn *c);               /* the conn's last error; code 0: none          */

DX_API dx_msg     *dx_msg_new(const void *data, size_t n, unsigned how);       /* NULL: no memory       */
DX_API dx_msg     *dx_msg_ref(dx_msg *m);
DX_API void        dx_msg_drop(dx_msg *m);
DX_API dx_bytes    dx_msg_bytes(const dx_msg *m);
DX_API dx_id       dx_id_of(const dx_conn *c);
DX_API dx_conn    *dx_find(dx_loop *l, dx_id id);            /* on its own loop's thread; NULL: gone   */
/* Sends m to the conn from any thread, in order per thread; takes its own reference. What the queue has no
 * room for, and what meets a dead id, is dropped and counted (DX_COUNT_POST_DROPS). DX_CLOSED: the loop is gone. */
DX_API int         dx_post(dx_id id, dx_msg *m);

/* ---- the process ---- */
DX_API void        dx_memory_limit(size_t bytes_max); /* a quarter of memory, at most 1 GiB; the largest queue pays */
DX_API size_t      dx_memory_used(void);              /* bytes of queues, messages and held input             */
DX_API const char *dx_version(void);                  /* "0.1.0"                                              */
DX_API const char *dx_code_text(int code);            /* "nobody listens there"                               */

/* ---- blocking form: the caller waits, in a thread or in a task. Not in this build yet: DX_ABSENT. ---- */
typedef struct dx_sock dx_sock;          /* a conn or listener driven by a hidden loop thread          */
typedef struct dx_group dx_group;        /* tasks that end together                                    */
DX_API dx_sock *dx_listen_sized(const char *url, const dx_opts *o, size_t o_bytes, dx_err *err);
DX_API dx_sock *dx_dial_sized(const char *url, const dx_opts *o, size_t o_bytes, dx_err *err);
static inline dx_sock *dx_listen(const char *url, const dx_opts *o, dx_err *err)
{
    return dx_listen_sized(url, o, sizeof(dx_opts), err);
}
static inline dx_sock *dx_dial(const char *url, const dx_opts *o, dx_err *err)
{
    return dx_dial_sized(url, o, sizeof(dx_opts), err);
}
DX_API dx_sock *dx_accept(dx_sock *listener, dx_err *err);
DX_API int64_t  dx_recv(dx_sock *s, void *buf, size_t n);    /* bytes (0: an empty message), or < 0;   */
                                                             /* DX_BIG: the message is kept            */
DX_API int64_t  dx_take(dx_sock *s, const void **ret_data);  /* lends the library's buffer             */
DX_API int64_t  dx_recv_line(dx_sock *s, char *buf, size_t n);
DX_API int      dx_write(dx_sock *s, const void *data, size_t n); /* all of it, or one message         */
DX_API void     dx_deadline(dx_sock *s, int64_t ms);         /* for each later wait; absolute          */
DX_API int      dx_hangup(dx_sock *s);                       /* finish, wait until all is out, free    */
DX_API dx_group *dx_group_new(size_t tasks_max, dx_err *err);
DX_API int      dx_spawn(dx_group *g, void (*fn)(dx_sock *s, void *arg), dx_sock *s, void *arg);
DX_API int      dx_group_wait(dx_group *g, int64_t ms);
DX_API void     dx_group_free(dx_group *g);  /* wakes its tasks with DX_CLOSED, joins them, frees      */

#ifdef __cplusplus
}
#endif
#endif
