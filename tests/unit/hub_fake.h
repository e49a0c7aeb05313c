/* SPDX-License-Identifier: MIT
 * hub_fake.h - the library as the hub sees it, without sockets: conns that write down what they are sent, a queue that is as full as
 * the test says, time that stands still. For tests of src/hub. */
#ifndef HUB_FAKE_H
#define HUB_FAKE_H
#include <duplex/duplex.h>
#include <duplex/text.h>

struct fake_request { /* NULL method: not HTTP */
    const char *method, *target, *host, *protocols, *origin, *if_none_match;
    bool ws;
    const char *me, *key, *token, *type, *accept, *last_id, *site; /* fields of a guest's */
};
struct dx_conn {
    const dx_handler *h;
    void *user, *state;
    const char *wire, *peer, *local;
    bool far; /* not loopback                                   */
    bool http, accepted, closed, aborted, paused;
    struct fake_request req;
    size_t room, queued; /* sends past room are DX_FULL; half of it is 1   */
    uint64_t in, out_bytes;
    int status, ws_code, sends;
    int64_t parked_ms; /* dx_http_park                                   */
    bool stream;       /* dx_sse_open                                    */
    char type[80], fields[2048];
    dx_text out;               /* what it was sent, a line a message             */
    void (*later)(dx_conn *c); /* dx_after                                       */
    int64_t later_ms;
    struct dx_conn *next;
};

dx_loop *fake_loop(void);   /* anew: no time, no conns                        */
void fake_turn(void);       /* runs what was posted, and the timers due       */
void fake_pass(int64_t ms); /* time goes on, and a turn                       */
extern int64_t fake_now_ms;
/* A conn comes to the last dx_serve's handler: "tcp" "unix" "udp" "ws". peer NULL: loopback. */
dx_conn *fake_open(const char *wire, const char *peer);
dx_conn *fake_http(const struct fake_request *r, const char *peer);
void fake_say(dx_conn *c, const char *text); /* on_data, and a turn      */
void fake_bytes(dx_conn *c, const void *p, size_t n, unsigned how);
void fake_ended(dx_conn *c);      /* on_end, and a turn                             */
void fake_drain(dx_conn *c);      /* its queue empties: on_writable, and a turn     */
void fake_gone(dx_conn *c);       /* on_close; c is freed                           */
const char *fake_out(dx_conn *c); /* what it was sent since the last time           */
void fake_end(void);              /* closes and frees all                           */
#endif
