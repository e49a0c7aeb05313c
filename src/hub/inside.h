/* SPDX-License-Identifier: MIT
 * inside.h - what the files of this room share. A member is the state of its dx_conn; a room is a ring and an array of
 * members; each member is a cursor into the ring. */
#ifndef HUB_INSIDE_H
#define HUB_INSIDE_H
#include "hub/hub.h"
#include "hub/name.h"
#include "hub/ring.h"

enum {
    MESSAGE_MAX = 64 * 1024, /* bytes of one message, and of a member's queue                        */
    LISTENERS_MAX = 64,
    ROOMS_MAX = 1000,
    ROOMS_PER_ADDRESS_MAX = 32,
    CONNS_PER_ADDRESS_MAX = 64, /* off loopback                                                        */
    CONNS_MAX = 16384,          /* a listener                                                          */
    HISTORY = 20,               /* messages for who asks                                               */
    LAST_MAX = 1000,            /* messages that hello may ask for                                     */
    WHO_MAX = 500,              /* members named in one list                                           */
    ID_MAX = 64,
    KEY_TRIES = 5,      /* wrong keys an address may show a minute                             */
    KEY_MS_MAX = 30000, /* who has not shown the key, or said hello, by then is closed         */
    WHO_EVERY_MS = 500,
    SWEEP_MS = 10000,
    PING_AFTER_MS = 25000, /* a WebSocket that is silent for so long is pinged                    */
    SILENT_MS_MAX = 75000, /* and after this given up, unless it only does not read               */
    STALLED_MS_MAX = 600000,
    HEAR_MS = 60000,          /* a datagram peer hears for so long after its cookie                  */
    RATE_MESSAGE_MS = 50,     /* off loopback: 20 messages a second                                  */
    RATE_BYTES_PER_MS = 1049, /*               and 1 MiB                                             */
    RATE_BURST_MS = 1000,
};

enum kind { KIND_RAW, KIND_UDP, KIND_WS, KIND_JSON, KIND_HTTP, KIND_LOCAL };

struct guest;
struct call;

struct addr { /* what one address of the network holds; lives while it holds anything */
    char name[64];
    uint32_t conns, rooms;
    uint32_t wrong; /* wrong keys since wrong_ms                                            */
    int64_t wrong_ms;
};

struct member { /* zeroed: the state of a dx_conn, or inside a hub_local                */
    dx_conn *c; /* NULL: local                                                          */
    struct hub *hub;
    struct room *room; /* NULL: not in                                                         */
    struct addr *addr;
    char *nick, *me;     /* nick NULL: hears, but is not listed                                  */
    char *head;          /* raw: all it has said, while that may yet be the beginning of a request */
    char *want;          /* the room it will enter; NULL: the lobby                              */
    struct call *call;   /* HTTP: it hears for a guest, or speaks for one; NULL: neither: guest.h    */
    void *talk;          /* of the site: its answer goes on; NULL: it does not                   */
    char *peer;          /* HTTP: its address, for the log                                       */
    dx_decoder *decoder; /* made when the first byte past ASCII comes                            */
    uint64_t serial;
    uint64_t start, cursor;  /* the first message and the next one to feed                           */
    uint64_t back, back_end; /* older ones that were asked for, fed first                            */
    int64_t since_ms;        /* 1970: when it was listed                                             */
    int64_t heard_ms;        /* loop's clock: when it last gave a sign of life                       */
    int64_t hears_until_ms;  /* datagram peers                                                       */
    int64_t rate_ms;         /* when its messages so far are paid for                                */
    uint64_t cookie;         /* datagram peers: 0: none yet                                          */
    uint32_t at;             /* its place in room->members                                           */
    uint8_t kind, form, tries;
    bool spoke;    /* raw: it has said what no request begins with                         */
    bool opened;   /* counted in addr                                                      */
    bool keyed;    /* has shown the key, or needs none                                     */
    bool told_key; /* has been told that it needs one                                      */
    bool asked;    /* used a command: gets joins and leaves                                */
    bool blocked;  /* its queue is full: goes on at on_writable                            */
    bool pinged, told_cookie, closing;
};

struct hub_local {
    struct member m;
    const struct hub_watch *watch;
    void *arg;
    struct hub_local *next;
};

struct room {
    char name[ROOM_NAME_MAX + 1];
    char epoch[17];
    struct hub *hub;
    struct ring ring;
    struct member **members;
    uint32_t count, cap, listed, asked, jsons;
    void *nicks, *mes;  /* trees of members                                                     */
    struct addr *maker; /* NULL: the lobby                                                      */
    struct room *next_dirty;
    size_t fresh;              /* bytes of what was said since all were fed                            */
    uint64_t fed;              /* the first of it                                                      */
    int64_t who_timer, who_ms; /* who_ms: when the list was last sent round                            */
    bool dirty;
    uint32_t numbers[6]; /* of the last "nc-1" by kind                                           */
};

struct hub {
    dx_loop *loop;
    dx_listener *listeners[LISTENERS_MAX];
    size_t listener_count;
    struct hub_local *locals;
    struct guest *guests;
    size_t guest_count;
    char token[33];      /* what a POST shows: it has read one of our answers                         */
    void *rooms, *addrs; /* trees                                                                */
    struct room *lobby, *dirty;
    struct hub_opts o;
    char *key;
    char **hosts;
    uint64_t serials;
    int64_t sweep_timer;
    bool flushing, draining;
    struct hub_counts counts;
    dx_text scratch, scratch2; /* of one call at a time: say and show                                  */
};

/* util.c */
int64_t wall_ms(void);
bool fill_random(void *p, size_t n);
int text_fmt(dx_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int text_str(dx_text *t, const char *s);
int text_json(dx_text *t, const char *s, size_t n); /* with the quotes */
int text_base64(dx_text *t, const uint8_t *p, size_t n);

/* show.c - the forms of a message */
enum form form_of(const char *coding);
const char *form_coding(enum form form);                      /* NULL: UTF-8, or no text */
dx_msg *show(struct room *r, struct note *n, enum form form); /* borrowed; NULL: no memory */
int show_json(const struct note *n, dx_text *out);
int show_clean(const char *p, size_t n, dx_text *out); /* controls as pictures, lines after the first indented */

/* gate.c - who may come in, how fast, with which key */
bool gate_enter(struct member *m, const dx_conn *c); /* false: too many from where c comes from */
void gate_leave(struct member *m);
void gate_sweep(struct hub *h);
void gate_free(struct hub *h);
void gate_room(struct hub *h, struct addr *a, int change);
enum gate_key { KEY_RIGHT, KEY_WRONG, KEY_WAIT };
/* Does it equal the secret? Takes as long for any of that length. */
bool gate_same(const char *secret, const char *p, size_t n);
enum gate_key gate_key(struct member *m, const char *key, size_t n);
/* Counts a message against the member's rate: 0, or for how many ms to rest. */
int64_t gate_rate(struct member *m, const dx_conn *by, size_t bytes);
bool gate_over(const struct member *m, const dx_conn *by); /* it would have to rest before it says more */
bool gate_host(const struct hub *h, const dx_conn *c);     /* the Host header says this machine */
bool gate_site(const dx_conn *c);                          /* no page from elsewhere has asked */

/* room.c */
struct room *room_open(struct hub *h, const char *name, size_t n, struct addr *maker); /* NULL: a limit */
struct room *room_there(const struct hub *h, const char *name);                        /* NULL: there is none */
void room_free(struct hub *h, struct room *r);
bool room_enter(struct room *r, struct member *m); /* cursor behind the newest; not listed */
bool room_enter_wanted(struct member *m);
void room_leave(struct member *m); /* frees the room where it was the last */
bool room_move(struct member *m, const char *name, size_t n);
bool room_list(struct member *m,
               const char *wanted); /* gives it a nick (wanted, wanted-2 or by its kind) and says so */
const char *room_nick(struct member *m, const char *nick, size_t n); /* NULL: done; else why not */
struct member *room_find(const struct room *r, const char *nick);
struct member *room_me(const struct room *r, const char *me);
bool room_set_me(struct member *m, const char *me);
struct note *room_say(struct member *m, struct note_in *in); /* NULL: no memory */
void room_notice(struct room *r, const struct member *but, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void room_who_changed(struct room *r);
int room_who_json(const struct room *r, dx_text *out);
const char *wire_of(const struct member *m);

/* feed.c */
void feed(struct member *m);
void feed_before(struct room *r, const struct note *n); /* n is about to be said: may push out what is not fed */
void feed_later(struct room *r);
void feed_history(struct member *m, uint64_t last); /* the last of what was said before it came */

/* member.c - what the kinds have in common */
void member_sent(struct member *m, int r); /* what dx_send said: is the queue full? */
void member_open(dx_conn *c, struct hub *h);
void member_expected(struct member *m);                  /* it is closed unless it comes in within KEY_MS_MAX */
void member_broken(struct member *m, const dx_err *why); /* the last words to it */
void member_gone(struct member *m);
int member_tell(struct member *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int member_tell_n(struct member *m, const char *utf8, size_t n);
bool member_private(struct member *from, struct member *to, const char *text, size_t n);
void member_rest(struct member *m, size_t bytes); /* after each message: the rate */
void member_close(struct member *m);

/* visit.c - a request that is over is counted and told */
void visit_begin(struct member *m);
void visit_read(const struct member *m, struct hub_request *ret);
void visit_over(struct member *m, struct hub_request *r);
void metrics(struct member *m, dx_text *out); /* metrics.c: Prometheus' text */

/* plain.c, command.c, json.c, front.c, local.c */
void plain_data(struct member *m, const void *data, size_t n, unsigned how);
void plain_line(struct member *m, struct note_in *in); /* said or commanded, decoded */
void plain_join(struct member *m);
/* Has this raw member, with these bytes, begun a request in pieces? Then nothing more of it may be heard. */
bool request_begins(struct member *m, const char *p, size_t n);
void command_run(struct member *m, const char *text, size_t n);
bool command_key(struct member *m, const char *text, size_t n); /* false: it was no /key with the right key */
void json_data(struct member *m, const char *p, size_t n);
void json_error(struct member *m, const char *code, const char *id, const char *text);
int json_put(struct member *m, const dx_text *t);
int json_welcome(const struct member *m, dx_text *out);
/* In and listed, in place of the member with the same me. NULL and "": none. */
bool json_enter(struct member *m, const char *me, const char *nick);
void front_open(struct member *m);
bool front_has_folder(const struct hub *h); /* files are at "/", the page at "/~" */
void front_json(struct member *m, int status, const dx_text *t); /* the whole reply */
void front_error(struct member *m, int status, const char *code, const char *words);
bool front_stream(struct member *m); /* events follow */
void front_stream_end(struct member *m, const char *code, const char *words);
void local_feed(struct hub_local *l, struct note *n);
void local_missed(struct hub_local *l, uint64_t count);
/* guest.c */
int guest_put(struct guest *g, const dx_text *t);
void guest_who(struct guest *g); /* who is here has changed */
void guest_feed(struct guest *g);
void guest_taken(struct guest *g); /* another member has its me: frees it */
void guests_sweep(struct hub *h);
void guests_end(struct hub *h);
static inline bool is_guest(const struct member *m)
{
    return !m->c && m->kind == KIND_JSON;
}
static inline struct hub_local *local_of(struct member *m)
{
    return (struct hub_local *)m;
}
#endif
