/* SPDX-License-Identifier: MIT
 * conform.h - one list of behaviours, run over every URL scheme, against the public headers alone.
 *
 * A behaviour is a function of a world: a scheme, a loop, its listener and the ends of its conns. It reads like a
 * story: it calls dx_ functions between turns of the loop, and WAIT(cond) runs the loop until the condition holds or
 * the watchdog barks with words where everything stood. What must hold in every story (on_close once and last, no
 * call before on_open, none while paused, every byte in its place) is asserted by the handler that wraps the
 * behaviour's own. Differences between schemes are the bits of enum has and the numbers of struct scheme.
 *
 * Each case is a process of its own, so that a crash or a leak is one case's.
 */
#ifndef CONFORM_H
#define CONFORM_H
#include <duplex/duplex.h>
#include <duplex/tls.h>
#include <duplex/ws.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum has {
    HAS_LISTENER = 1 << 0, /* dx_serve makes its far end                                              */
    HAS_PEER = 1 << 1,     /* the far end takes any handler; without it, it is a fixed echo            */
    HAS_BYTES = 1 << 2,
    HAS_MESSAGES = 1 << 3,
    HAS_DATAGRAMS = 1 << 4, /* messages with a small bound; the far end appears with the first one      */
    HAS_END = 1 << 5,       /* each side can say its end, and go on reading                             */
    HAS_PRESSURE = 1 << 6,  /* a reader that stalls stalls its writer                                   */
    HAS_BACKLOG = 1 << 7,   /* connections wait in the kernel                                           */
    HAS_REFUSAL = 1 << 8,   /* dialling tells that nobody listens                                       */
    HAS_RAW = 1 << 9,       /* raw.c speaks it through a plain socket                                   */
    HAS_WS = 1 << 10,
    HAS_HTTP = 1 << 11,
    HAS_ANY = 1 << 12,
    HAS_NO_WIRE = 1 << 13,    /* behaviours of loops, URLs and the process                                */
    HAS_PATH = 1 << 14,       /* listens on a file                                                        */
    HAS_SPLICE = 1 << 15,     /* named as a far side of dx_relay                                          */
    HAS_TELL_BREAK = 1 << 16, /* breaking off always differs from an end                               */
    HAS_BY_NAME = 1 << 17,    /* its host may be a name                                                  */
    HAS_DEFLATE = 1 << 19,    /* WebSockets that pack what they say (RFC 7692)                           */
    HAS_TLS = 1 << 18,        /* spoken within TLS: w->so and w->co have the certificates (secret.c)       */
};
struct scheme {
    const char *name, *url, *wire; /* url: %s is a path or name of the case's own                        */
    unsigned has;
    size_t one_max;   /* the biggest datagram; 0: only message_bytes_max bounds it          */
    int family, type; /* for raw peers                                                      */
};
extern const struct scheme all_schemes[];

enum {
    KIB = 1024,
    MIB = 1024 * 1024,
    PATTERN_PERIOD = 65521,
    PATTERN_MAX = 16 * MIB, /* the longest slice                                                         */
    STATE_BYTES = 48,
    WORDS_MAX = 1500,
};
struct report { /* lives in memory shared with the runner, so that a killed case still tells where it stood */
    char words[WORDS_MAX], where[200];
    atomic_bool failed, absent;
};
struct world;
struct end { /* what one conn has seen; outlives the conn */
    struct world *w;
    const char *who;
    dx_conn *c; /* NULL after on_close                                                          */
    dx_id id;
    dx_handler on; /* the behaviour's, copied: it outlives the behaviour                                 */
    size_t opens, datas, ends, writables, events, closes, afters;
    size_t got, sent; /* bytes of the pattern                                                         */
    size_t last_n;    /* of the newest on_data                                                        */
    unsigned last_how;
    size_t goal, piece; /* for handlers that send in steps                                              */
    int full, half;     /* DX_FULL and 1 seen by put()                                                  */
    bool accepted, unchecked, paused, closing, knocked, door;
    dx_err why;
    void *arg;
};
struct world {
    const struct scheme *scheme;
    struct report *report;
    char *where; /* report->where, or a place of its own in a second thread            */
    dx_loop *loop;
    dx_listener *listener;
    char url[256];                   /* dialable                                                           */
    dx_opts so, co;                  /* for the next listener, the next dial                               */
    dx_tls *server_tls, *client_tls; /* what so.tls and co.tls are where the behaviour has set none        */
    bool bare;                       /* raw peers of a TLS scheme speak without TLS                        */
    const char *priority;            /* what raw peers may use, in GnuTLS's words; NULL: "NORMAL"                 */
    struct end **ends;
    size_t ends_n, ends_cap;
    struct end *c, *s; /* the first dialled, the first accepted                              */
    size_t accepted, closed;
    struct raw *raws;
    bool knocks, barked;
    int64_t watchdog;
};
struct behaviour {
    const char *name;
    unsigned needs, lacks; /* of enum has                                                        */
    void (*run)(struct world *w);
};
extern const struct behaviour behave_echo[], behave_close[], behave_queue[], behave_time[], behave_many[],
    behave_thread[], behave_file[], behave_relay[], behave_raw[], behave_http[], behave_any[], behave_local[],
    behave_loop[], behave_address[], behave_storm[], behave_frame[], behave_oom[], behave_tls[], behave_asks[],
    behave_answers[], behave_router[], behave_limits[], behave_hostile[];

/* ---- failing: the first words win; the behaviour returns, the world is taken down as always ---- */
void fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t slow_ms(int64_t ms); /* so many times that as $DUPLEX_SLOW says */
int64_t watch_ms(void);      /* what a case may take: 20 s, slowed         */
bool turn(struct world *w, const char *cond, const char *file, int line);
void standing(struct world *w, const char *file, int line, const char *what);
#define MUST_SAY(cond, ...)                                                                                            \
    do {                                                                                                               \
        standing(w, __FILE__, __LINE__, #cond);                                                                        \
        if (w->report->failed)                                                                                         \
            return;                                                                                                    \
        if (!(cond)) {                                                                                                 \
            fail(w, __VA_ARGS__);                                                                                      \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)
#define MUST(cond) MUST_SAY(cond, "%s:%d: not so: %s", __FILE__, __LINE__, #cond)
#define MUST_INT(got, want)                                                                                            \
    do {                                                                                                               \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                  \
        MUST_SAY(got_ == want_, "%s:%d: %s is %lld, not %lld", __FILE__, __LINE__, #got, got_, want_);                 \
    } while (0)
#define MUST_STR(got, want)                                                                                            \
    do {                                                                                                               \
        const char *got_ = (got), *want_ = (want);                                                                     \
        MUST_SAY(got_ && !strcmp(got_, want_), "%s:%d: %s is \"%s\", not \"%s\"", __FILE__, __LINE__, #got,            \
                 got_ ? got_ : "(null)", want_);                                                                       \
    } while (0)
#define MUST_GOOD(e)                                                                                                   \
    MUST_SAY(is_good_close(e), "%s:%d: %s ended with %d %s", __FILE__, __LINE__, #e, (e)->why.code, (e)->why.text)
#define MUST_DO(call)                                                                                                  \
    do {                                                                                                               \
        standing(w, __FILE__, __LINE__, #call);                                                                        \
        if (!(call))                                                                                                   \
            return;                                                                                                    \
    } while (0)
#define WAIT(cond)                                                                                                     \
    do {                                                                                                               \
        while (!(cond))                                                                                                \
            if (!turn(w, #cond, __FILE__, __LINE__))                                                                   \
                return;                                                                                                \
        if (w->report->failed)                                                                                         \
            return;                                                                                                    \
    } while (0)

/* ---- the world ---- */
bool world_init(struct world *w, const struct scheme *s, struct report *r);
void world_free(struct world *w); /* frees the loop; every conn must have had its one on_close       */
bool has(const struct world *w, unsigned bits);
bool shakes_hands(const struct world *w); /* an accepted socket is not yet a conn: both sides must speak first    */
bool url_is_secret(const char *url);      /* tls:// wss:// https://                                       */
void name_url(struct world *w, char *ret_url, size_t n); /* a fresh URL to listen on                    */
/* Listens with the options in w->so; w->url and w->listener are set. False: failed, with words. */
bool serve(struct world *w, const dx_handler *on);
/* Dials url (NULL: w->url) with w->co; the end is there at once. NULL: failed, with words. */
struct end *dial(struct world *w, const char *url, const dx_handler *on);
/* Both ends up: w->s (NULL where the far end is a fixed echo) and w->c. */
bool both(struct world *w, const dx_handler *server_on, const dx_handler *client_on);
struct end *accepted(struct world *w, size_t i); /* the i-th, or NULL                                  */
void adopt(struct world *w, struct end *e, dx_conn *c);
struct end *end_new(struct world *w, const char *who, const dx_handler *on);
const dx_handler *watching(const dx_handler *on); /* user: an end                                   */
void pass(struct world *w, int64_t ms);           /* lets ms go by in the loop: to see that nothing happens     */
bool all_closed(const struct world *w);

/* ---- one end ---- */
const uint8_t *pattern(size_t at); /* PATTERN_MAX bytes of it from there                          */
int put(struct end *e, size_t n);  /* dx_send of its next n bytes, from memory freed at once after */
void put_all(struct end *e, size_t goal, size_t piece);   /* in pieces, going on in on_writable (on_fill)  */
void stall(struct world *w, struct end *e, size_t piece); /* until every buffer on the way is full */
void fill(struct world *w, struct end *e, size_t piece);  /* the same, up to DX_FULL              */
void end_pause(struct end *e, bool on);
void end_close(struct end *e); /* from here on only on_close may come                         */
void end_abort(struct end *e);
struct end *end_of(dx_conn *c);
bool is_good_close(const struct end *e); /* DX_END or DX_CLOSED                                        */

extern const dx_handler on_quiet;   /* counts, and does nothing at on_end                          */
extern const dx_handler on_echo;    /* sends back, closes at on_end; each send must be taken        */
extern const dx_handler on_default; /* no on_end: the library closes                               */
extern const dx_handler on_fill;    /* goes on sending to its goal in on_writable                  */

/* ---- the other side as a plain socket, in a thread of its own ---- */
struct raw {
    struct world *w;
    struct raw *next;
    atomic_int fd, listen_fd;
    bool client, tls, ws, datagrams, joined;
    struct secret *secret; /* its TLS; NULL: none                                               */
    uint64_t left;         /* of the frame under way                                                */
    uint8_t mask[4];
    size_t mask_at;
    int close_code; /* of the Close frame that came                                          */
    size_t got, sent;
    sem_t go; /* posted by the behaviour                                                */
    void (*run)(struct raw *r);
    pthread_t thread;
    atomic_bool done, cancelled;
    atomic_int stage;
    char url[256], words[300];
    void *arg;
};
/* A raw peer that dials w->url, or one that listens (its url is r->url); fn then runs in the thread. NULL: failed. */
struct raw *raw_dials(struct world *w, void (*fn)(struct raw *r));
struct raw *raw_listens(struct world *w, void (*fn)(struct raw *r));
bool raw_join(struct raw *r); /* waits in the loop; its failure becomes the case's                     */
void raw_fail(struct raw *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void raw_stage(struct raw *r, int stage);                 /* tells the behaviour how far it is             */
bool raw_write(struct raw *r, const void *p, size_t n);   /* the bytes as they are                         */
ssize_t raw_recv(struct raw *r, void *p, size_t n);       /* as recv, below TLS's surface where there is one; a cut */
ssize_t raw_send(struct raw *r, const void *p, size_t n); /*  TLS stream is ECONNRESET. As send             */
bool raw_recv_all(struct raw *r, void *p, size_t n);      /* n bytes, no fewer                             */
void raw_await_go(struct raw *r);                         /* until the behaviour does sem_post(&r->go)      */
bool raw_put(struct raw *r, size_t n);                    /* the next n bytes of the pattern, one message   */
bool raw_control(struct raw *r, int op, const void *p, size_t n); /* a WebSocket frame by its opcode    */
ssize_t raw_get(struct raw *r, void *p, size_t n);                /* payload; 0: the end, -1: errno                */
bool raw_want(struct raw *r, size_t n);                           /* n more bytes of the pattern                   */
bool raw_want_end(struct raw *r);                                 /* a clean end, nothing before it                */
void raw_end(struct raw *r);                                      /* says our end                                  */
void raw_break(struct raw *r);                                    /* a reset                                       */
int raw_socket(struct world *w, const char *url, bool listens, int backlog, char *ret_url, size_t n); /* an fd, or -1 */

/* ---- TLS, secret.c ---- */
bool secret_files(void);             /* writes the certificate into the scratch folder             */
bool secret_server(struct world *w); /* w->so.tls is set. False: failed, with words                */
bool secret_client(struct world *w);
bool secret_shake(struct raw *r); /* the handshake; the server's certificate is checked           */
void secret_free(struct raw *r);
ssize_t secret_recv(struct raw *r, void *p, size_t n);
ssize_t secret_send(struct raw *r, const void *p, size_t n);
void secret_end(struct raw *r);              /* close_notify alone                                          */
bool secret_rekey(struct raw *r);            /* new keys for both directions (TLS 1.3)                      */
void secret_alert(struct raw *r, int alert); /* a fatal one                                       */
int secret_alert_got(struct raw *r);         /* the last one that came                            */

#endif
