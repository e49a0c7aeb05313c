/* SPDX-License-Identifier: MIT
 * bench.h - what the files of duplex bench share. bench.c reads the options into a plan and runs it on one or more threads; each has
 * a bench_load (bench_load.c): its loop, its conns (slots), the pace (bench_pace.c), and what it has counted (bench_count.c). How
 * a message goes out and what its reply must be is a bench_kind: talks (bench_talk.c), requests (bench_http.c), a room
 * (bench_room.c). bench_report.c and bench_json.c say what came of it. A thread touches its own load alone until all have ended.
 *
 * A message has a time: in the open loop (--rate) the one it is scheduled for, whatever comes back; in the closed loop the one
 * it left at. Latency counts from there to the reply. Messages whose time is in the window (after the warm-up, before the
 * end) are the ones that are counted, whenever their replies come. */
#ifndef TOOL_BENCH_H
#define TOOL_BENCH_H
#include "tool/bench_payload.h"
#include "tool/histogram.h"
#include "tool/tool.h"
#include <duplex/duplex.h>
#include <pthread.h>

enum {
    BENCH_CONNS_MAX = 100000,
    BENCH_DEPTH_MAX = 65536,
    BENCH_THREADS_MAX = 64,
    BENCH_DATAGRAM_MAX = 65507,
};
enum bench_expect { EXPECT_ECHO, EXPECT_UPPER, EXPECT_ANY, EXPECT_NONE };
enum bench_wire { BENCH_BYTES, BENCH_MESSAGES, BENCH_DATAGRAMS, BENCH_HTTP, BENCH_ROOM };

struct bench_plan {
    const char *url; /* as it was given                                             */
    char dial[2048]; /* with the room's path                                        */
    enum bench_wire wire;
    enum bench_expect expect;
    size_t conns, depth;
    int threads;
    double rate;             /* messages a second of all conns; 0: the closed loop          */
    int64_t for_ns, warm_ns; /* for_ns 0: until all messages are through                    */
    int64_t wait_ms;         /* for replies that are still out                              */
    uint64_t messages;       /* 0: no limit                                                 */
    double loss_max;         /* share of the expected replies                               */
    const char *method, *path, *room, *key;
    bool json, live;
    dx_opts opts;
    struct bench_payload payload;
};

/* What went through, whatever its time. */
struct bench_passed {
    uint64_t in_messages, in_bytes, out_messages, out_bytes, wrong, errors;
};

struct bench_tally {
    uint64_t expected, sent, right, wrong; /* of the window's messages; expected: replies   */
    uint64_t unasked;                      /* replies to nothing: twice, too late, too many */
    uint64_t left;                         /* still out when all was broken off             */
    uint64_t ends;                         /* conns that the peer ended                     */
    uint64_t errors[TOOL_TERMINATED + 1];  /* conns that broke, by exit code                */
    uint64_t opened;                       /* dials that came to stand                      */
    int64_t dial_from_ns, dial_to_ns;      /* the first began, the last stood               */
    int64_t from_ns, to_ns;                /* the window, and what passed in it             */
    struct bench_passed passed;
    double cpu_s, cpu_share_max;               /* of the threads; of the busiest                */
    struct histogram latency, behind, connect; /* ns; behind: how late messages left        */
};
/* Adds what another thread has counted. */
void bench_tally_merge(struct bench_tally *to, const struct bench_tally *from);
uint64_t bench_lost(const struct bench_tally *t);
bool bench_is_limit(const struct bench_tally *t); /* is this end of it the slower one? */

/* What one second brought, of all threads. */
struct bench_second {
    struct bench_passed passed;
    struct histogram latency;
};

struct bench_load;
struct bench_slot { /* a conn, or for HTTP one exchange after the other             */
    struct bench_load *load;
    dx_conn *c;              /* NULL: none now                                               */
    uint64_t number;         /* among all threads' slots                                     */
    uint64_t due, sent, got; /* messages: may leave, have left, are settled                  */
    size_t part;             /* bytes of a reply that is not whole                           */
    bool open, full;         /* may send; not now                                            */
    bool spoiled;            /* the reply that is not whole is wrong                         */
    uint64_t swept;          /* datagrams: all before are settled                            */
    int64_t *times;          /* of the last times_mask + 1 messages; 0: settled              */
    int64_t dial_ns;
};

struct bench_kind {
    bool stands;          /* conns are dialled before the clock runs                      */
    const dx_handler *on; /* dx_user is the slot                                          */
    /* Message number s->sent of the slot, whose time is at. As dx_send; DX_FULL: later, and then bench_go. */
    int (*send)(struct bench_slot *s, int64_t at);
    void (*begin)(struct bench_load *l); /* the clock starts; NULL: nothing to do            */
};
extern const struct bench_kind bench_talk, bench_http, bench_room;
extern const dx_handler bench_http_on;

enum bench_phase { BENCH_DIALS, BENCH_WAITS, BENCH_RUNS, BENCH_DRAINS, BENCH_OVER };
struct bench_run;
struct bench_load {
    struct bench_run *run;
    const struct bench_plan *plan;
    const struct bench_kind *kind;
    dx_loop *loop;
    pthread_t thread;
    enum bench_phase phase;
    struct bench_slot *slots;
    size_t count, open, dialling, next_dial;
    int64_t *times;
    size_t times_mask;
    uint8_t *scratch;                           /* one datagram, or a room's message                            */
    uint64_t replies_each;                      /* to a message: 1, none, or each listener's                    */
    uint64_t out;                               /* replies that are not in, of messages that may have left      */
    uint64_t quota;                             /* closed loop with -n: messages that may still be let go       */
    size_t talkers, place;                      /* open loop: slots that send; the next one's                   */
    int64_t start_ns, from_ns, end_ns, last_ns; /* last: when something came or went         */
    double cpu_from_s;
    int clock_fd; /* open loop: a timerfd, as a conn of the loop                  */
    dx_conn *clock;
    size_t standing; /* over: conns that are not closed yet                          */
    bool finished;
    uint64_t delivered; /* room: to all listeners                                       */
    char room_tag[24];
    dx_err fault;    /* the first one                                                */
    char wrong[320]; /* the first wrong reply, in words                              */
    struct bench_passed passed, passed_from, passed_second;
    struct bench_tally tally;
    struct histogram second; /* latency of this second                                       */
};

struct bench_run {
    const struct bench_plan *plan;
    struct bench_load *loads;
    pthread_mutex_t lock; /* of all below                                                 */
    int ready, over;      /* threads                                                      */
    int64_t start_ns, said_ns;
    struct bench_second second;
};

/* ---- bench_load.c ---- */
int64_t bench_now(void); /* ns, monotonic */
/* 0, or an error with words. */
int bench_load_make(struct bench_load *l, struct bench_run *run, size_t first, size_t count, dx_err *err);
void bench_load_start(struct bench_load *l); /* dials; the clock runs when every load is ready */
void bench_load_free(struct bench_load *l);
/* Ends it where it is; what is out is left. On its own thread, or when its loop does not run. */
void bench_load_break(struct bench_load *l);

void bench_drain(struct bench_load *l); /* nothing more becomes due; what is out may come   */
void bench_over(struct bench_load *l);  /* closes the conns, and then the thread ends       */

/* ---- bench_pace.c ---- */
int bench_clock_make(struct bench_load *l, dx_err *err);
void bench_clock_set(const struct bench_load *l, int64_t at);

/* ---- bench_count.c ---- */
void bench_mark_from(void *load); /* the window opens; it closes at the first of the other */
void bench_mark_to(struct bench_load *l, int64_t to);
int64_t bench_scheduled(const struct bench_slot *s, uint64_t message);
/* Messages of the warm-up are not counted; but one that never comes back is lost. owed: replies that are out of s. */
void bench_count_early(struct bench_slot *s, uint64_t owed);

/* ---- what kinds say ---- */
void bench_opened(struct bench_slot *s);
void bench_connected(struct bench_slot *s); /* of that alone: it came to stand */
/* It is gone; owed: replies to it that are out and will not come. */
void bench_closed(struct bench_slot *s, const dx_err *why, uint64_t owed);
void bench_fault(struct bench_load *l, const dx_err *why);
int64_t bench_time_of(const struct bench_slot *s, uint64_t message);
bool bench_counts(const struct bench_load *l, int64_t at); /* is that in the window? */
void bench_came(struct bench_load *l, int64_t now, size_t bytes, uint64_t messages);
void bench_right(struct bench_load *l, int64_t at, int64_t now);
/* words name the message, where the byte that differs; n 0 of both: the words say it all. */
void bench_wrong(struct bench_slot *s, int64_t at, const char *words, size_t where, dx_bytes got, dx_bytes want);
void bench_unasked(struct bench_load *l);
void bench_settled(struct bench_load *l, uint64_t replies); /* no longer out */
void bench_allow(struct bench_slot *s, uint64_t messages);  /* closed loop: as many more may leave */
void bench_grant(struct bench_slot *s, uint64_t messages);  /* and do, what may */
void bench_go(struct bench_slot *s);                        /* sends what may leave */
void bench_give_up(struct bench_load *l);                   /* ends it, from the next turn on */

/* ---- bench_report.c, bench_json.c ---- */
void bench_report(const struct bench_plan *p, const struct bench_tally *t, const char *wrong);
void bench_report_second(const struct bench_plan *p, const struct bench_second *b, double at_s, double seconds);
void bench_report_rest(void); /* takes the live line away */
void bench_json(const struct bench_plan *p, const struct bench_tally *t, const char *wrong, int exit_code);
void bench_json_second(const struct bench_plan *p, const struct bench_second *b, double at_s, double seconds);
#endif
