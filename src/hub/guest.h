/* SPDX-License-Identifier: MIT
 * guest.h - members without a conn of their own: they hear by one HTTP exchange after another (docs/room.md, "HTTP"), and are one
 * member over all of them, named by a secret, `me`. */
#ifndef HUB_GUEST_H
#define HUB_GUEST_H
#include "hub/inside.h"

enum {
    GUEST_MS = 60000,               /* one that neither hears nor speaks is gone after this,             */
    LEAVE_MS = 2000,                /* and where it has said so after this: a page loaded anew comes back */
    GUESTS_MAX = 10000,             /* of all rooms                                                  */
    POLL_MS_MAX = 25000,            /* an answer without news: proxies wait for 30 s and more             */
    POLL_BYTES = 64 * 1024,         /* an answer is over this by one message at most                      */
    POST_BYTES_MAX = 2 * 64 * 1024, /* what is said has 64 KiB, and grows in JSON                        */
};

struct side { /* what only this member is told: it is in no ring */
    struct side *next;
    uint64_t number;
    size_t n;
    char text[];
};
struct guest {
    struct member m;    /* first; its conn is NULL                                              */
    struct member *via; /* the exchange that it hears by; NULL: none now                          */
    const char *wire;   /* a constant: "http" "https"                                            */
    dx_text *answer;    /* while it is spoken for: what it is told goes into the answer           */
    struct side *side, **side_end;
    size_t side_bytes;
    uint64_t side_n, sent_n;    /* numbers of the newest, and of the newest that has been sent       */
    uint64_t who_n;             /* its number as one of them, when who is here has changed           */
    int64_t idle_ms;            /* since when it has heard nothing                                    */
    bool stream, welcome;       /* via is a stream; welcome is still to be said                       */
    bool leaving;               /* it has said so, and not heard since                                */
    struct guest *next, **from; /* of the hub's list */
};
struct call {            /* an exchange of a guest's; in member.call                              */
    struct guest *guest; /* that hears by it; NULL: none, or no more                              */
    dx_text body;
    bool post;
    char room[ROOM_NAME_MAX + 1];
};
struct at { /* how far it has heard: "EPOCH.OFFSET", or "EPOCH.OFFSET.NUMBER" */
    const char *epoch;
    size_t epoch_n;
    uint64_t offset, number;
    bool said, numbered;
};

static inline struct guest *guest_of(struct member *m)
{
    return (struct guest *)m;
}
struct at at_read(dx_bytes s); /* of what does not read nothing is said */
/* The member of that room with this secret, if it is a guest; by shows the key. New where there is none, taking the place of one
 * on another wire; it wants this nick. me "": it has no name and is not listed. NULL: a limit. */
struct guest *guest_come(struct member *by, const char *room, const char *me, const char *nick, bool *ret_new);
/* hear.c
 * It hears by this exchange from now on, from `at` on, or else the last of what was said; another exchange that still waits is told
 * so. ms: of a poll: how long it waits. */
void guest_hear(struct guest *g, struct member *via, bool stream, const struct at *at, uint64_t last, int64_t ms);
void guest_left(struct member *via); /* that exchange is over */
void guest_free(struct guest *g);
/* The exchange that it hears by goes its own way; NULL: there is none. */
struct member *guest_part(struct guest *g);
void guest_end_via(struct guest *g, int status, const char *code, const char *words); /* and is told why */
void guest_drop_side(struct guest *g, uint64_t up_to);

/* call.c: what an exchange asks for */
bool call_open(struct member *m, dx_bytes room); /* false: it asks for nothing that a guest does */
void call_data(struct member *m, const void *p, size_t n);
void call_end(struct member *m);
void call_free(struct member *m);
#endif
