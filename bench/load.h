/* SPDX-License-Identifier: MIT
 * load.h - the load generator's two halves: rings of ready messages (load_ring.c), the clock and its
 * windows (load_window.c), HTTP (load_http.c), and conns that move them (load.c; load_tls.c over TLS). */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_mode { LOAD_TCP, LOAD_WS, LOAD_BCAST, LOAD_UDP, LOAD_HTTP };

/* count messages ready to send and the replies they must bring, each twice over by `spare` messages, so that any run
 * of up to spare messages is one piece. Message i of a conn is entry i % count. */
struct ring {
    uint8_t *out, *in;        /* what we send (ws: masked frames); what must come back      */
    size_t out_one, in_one;   /* bytes of one message, each way                             */
    size_t out_wrap, in_wrap; /* count * one: positions live below it                       */
    size_t count;
};
/* Exits with a word when memory is short: a load generator has nothing better to do. */
void ring_make(struct ring *r, enum load_mode mode, size_t size, size_t spare, bool binary);
/* The same of one message over and over, whose replies are compared otherwise. */
void ring_repeat(struct ring *r, const void *p, size_t n, size_t spare);

/* Latencies in ns, in buckets of 1/16 octave. */
struct histogram {
    uint64_t n[64 * 16];
    uint64_t sum;
};
void histogram_add(struct histogram *h, uint64_t ns, uint64_t times);
double histogram_at(const struct histogram *h, double share); /* ns */

int64_t now_ns(void);

/* One measurement. Of -t it runs a tenth longer in front, uncounted; it ends drained. */
struct window {
    bool stopping, counting; /* no more is issued; what ends is counted                    */
    uint64_t left;           /* messages still to issue                                    */
    uint64_t all, counted, lost;
    int64_t now, start_ns, from_ns, end_ns, counted_ns;
    double cpu_s;
    struct histogram latency;
};
/* messages 0: for so many seconds. */
void window_start(struct window *w, double seconds, uint64_t messages);
/* Turns while *out is not 0; a turn makes w->now fresh. Then prints the result, without the line's end. */
void window_run(struct window *w, const uint64_t *out, void (*turn)(void));

/* What the command line asks for: one window, or (-i) those that lines on stdin ask for, "t SECONDS" and "n MESSAGES". */
struct asked {
    double seconds;
    uint64_t messages;
    bool by_word;
};
bool window_option(struct asked *a, int option, const char *value); /* false: it is not -t -n -i */
void window_serve(const struct asked *a, void (*window)(double seconds, uint64_t messages));

/* An HTTP/1.1 reply that is coming in. */
struct reply {
    size_t head_n, body_n; /* bytes so far                                               */
    bool in_body;          /* its head is in and right; set at first: there is none      */
    char head[1024];
};
/* The next bytes of it; body is what it must bring. How many were its own; *ret_whole: it is complete, and r is ready for the next
 * one. Exits with a word when it differs. */
size_t reply_take(struct reply *r, const uint8_t *body, size_t body_n, const uint8_t *p, size_t n, bool *ret_whole);
/* A GET of what the URL names. */
size_t request_make(const char *url, char *ret, size_t room);
uint8_t *body_read(const char *path, size_t *ret_n);

_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Blocking: connects to URL (tcp:// ws:// unix:// udp://, or a port on 127.0.0.1), shakes hands for ws, and returns a
 * non-blocking descriptor. Exits with a word when that fails. */
int dial(const char *url, enum load_mode mode);
#endif
