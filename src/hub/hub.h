/* SPDX-License-Identifier: MIT
 * hub.h - rooms in which browsers, plain sockets, datagram peers and the terminal meet. What the command sees of it.
 *
 * One thread, one loop: every call on the loop's thread. Peers' bytes come in by the conns of the listeners, the words of
 * docs/room.md go out. The hub knows the public headers alone. */
#ifndef HUB_HUB_H
#define HUB_HUB_H
#include <duplex/duplex.h>
#include <duplex/text.h>

struct hub;
struct hub_local;

/* A request that is over. Views are good until the call returns; p NULL: absent. */
struct hub_request {
    dx_bytes method, target, host, agent, referer;
    const char *peer, *wire; /* "127.0.0.1"; "http" "https" "ws" ... */
    int status, version;     /* status: 101 for a WebSocket; 0: broken off before there was one */
    uint64_t sent;           /* bytes of the body */
    int64_t ms;              /* from its head to its end */
};
/* Who answers the requests that are not ours ("/~..." is, and every WebSocket): all of the answer is his. Any may be NULL. */
struct hub_site {
    void *(*answer)(void *arg, dx_conn *c); /* in on_open; what it returns, if not NULL, is told more and gone */
    void (*more)(void *talk);               /* on_writable */
    void (*gone)(void *talk);               /* on_close    */
    void (*done)(void *arg, const struct hub_request *r); /* a request is over, whoever answered it */
};
struct hub_opts {             /* zero means the default named here                                      */
    size_t room_bytes_max;    /* 4 MiB of messages a room                                               */
    int64_t room_age_ms_max;  /* a day                                                                  */
    enum dx_guess guess;      /* how text that could be GB2312 or UTF-8 is read                         */
    const char *key;          /* members from beyond this machine must show it; NULL or "": they need none */
    const char *const *hosts; /* more names that a Host header may have; NULL-terminated; copied         */
    dx_tls *tls;              /* any:// answers TLS beside clear text with it; the hub takes a reference */
    const struct hub_site
        *site; /* NULL: the page is at "/" too, and nothing else is there; else it must outlive the hub */
    void *site_arg;
    bool metrics; /* /~metrics is answered, to this machine only unless there is no key      */
};
struct hub_counts {
    size_t rooms, members, listed, addresses;
    uint64_t messages, missed, refused; /* refused: wrong Host, Origin or key, over a limit */
    uint64_t requests[6], sent;         /* HTTP by the hundreds of its status, [0] without one; bytes of bodies */
};
/* NULL: no memory. Free the loop first, then the hub: conns that are still there say goodbye to it. */
struct hub *hub_new(dx_loop *loop, const struct hub_opts *o, dx_err *err);
void hub_free(struct hub *h);
/* Listens for members on url (any:// tcp:// unix:// udp:// ...). The listener stays the hub's. */
dx_listener *hub_listen(struct hub *h, const char *url, dx_err *err);
/* The i-th URL over all listeners, as dx_listener_url says it; NULL: no more. Good until the next listen. */
const char *hub_url(const struct hub *h, size_t i);
/* From now on members from beyond this machine need it ("" or NULL: they need none). Who is in stays in. false: no memory. */
bool hub_set_key(struct hub *h, const char *key);
/* Accepts no more, tells WebSockets 1001, lets what is queued go out, breaks off the rest after ms. Local members leave. */
void hub_drain(struct hub *h, int64_t ms);
void hub_count(const struct hub *h, struct hub_counts *ret);

/* ---- members without a wire: the terminal, the log ---- */
struct hub_line { /* one message of the room; views, good during the call                    */
    uint64_t offset;
    int64_t time_ms; /* since 1970                                                             */
    const char *from, *wire, *room;
    const char *text; /* UTF-8, as it was said: not safe to show without dx_visible             */
    size_t n;
    bool own, binary, guess; /* binary: text is a line of hex                                          */
    const char *coding;      /* NULL: UTF-8                                                            */
    const char *json;        /* the same as one line of JSON (docs/room.md, "msg"); NULL: no memory     */
    size_t json_n;
};
struct hub_watch { /* any may be NULL                                                        */
    void (*message)(void *arg, const struct hub_line *line);
    void (*notice)(void *arg, const char *text, size_t n); /* answers, joins and leaves: begins with "* "    */
    void (*missed)(void *arg, uint64_t count);             /* so many were gone before their turn; NULL: a notice  */
    void (*lan)(void *arg, dx_text *answer);               /* /lan was said here; answer: lines to show      */
    void (*quit)(void *arg);                               /* /quit or exit was said here                    */
};
/* nick NULL: listens only, is not listed and cannot speak. NULL: no memory. w stays yours and must outlive it. */
struct hub_local *hub_join(struct hub *h, const char *nick, const struct hub_watch *w, void *arg, dx_err *err);
void hub_leave(struct hub_local *l);
/* A line as typed: words, or a command. */
void hub_said(struct hub_local *l, const char *utf8, size_t n);
const char *hub_nick(const struct hub_local *l);
#endif
