/* SPDX-License-Identifier: MIT
 * tunnel_socks.c - SOCKS 5 (RFC 1928) with a name and a password (RFC 1929). The name of a host goes to the proxy, or is looked up here
 * and its address goes: the proxy's URL says which. */
#include "base/err.h"
#include "core/conn.h"
#include "core/mailbox.h"
#include "net/tunnel.h"
#include "os/addr.h"
#include "os/resolve.h"
#include <stdlib.h>
#include <string.h>

enum { VERSION = 5, NO_LOGIN = 0, BY_LOGIN = 2, LOGIN_VERSION = 1, CONNECT = 1 };
enum { V4 = 1, NAME = 3, V6 = 4 };                 /* kinds of address */
enum { REPLY_HEAD = 5, FIXED = 6, ASK_MAX = 600 }; /* FIXED: of a reply, beside its address */

struct socks {
    enum { METHOD, LOGIN, LOOK_UP, REPLY } step;
    bool looks_up; /* names are looked up here */
    char *login;
};
struct lookup {
    struct resolve r; /* first */
    dx_id id;
};

static int make(struct tunnel *t, const struct proxy *p)
{
    t->socks = calloc(1, sizeof *t->socks);
    if (!t->socks)
        return DX_NOMEM;
    t->socks->looks_up = p->kind == PROXY_SOCKS;
    t->socks->login = p->login ? strdup(p->login) : NULL;
    return t->socks->login || !p->login ? 0 : DX_NOMEM;
}

static void begin(struct tunnel *t)
{
    const uint8_t both[] = {VERSION, 2, NO_LOGIN, BY_LOGIN}, none[] = {VERSION, 1, NO_LOGIN};
    tunnel_say(t, t->socks->login ? both : none, t->socks->login ? sizeof both : sizeof none);
}

static void log_in(struct tunnel *t)
{
    uint8_t ask[ASK_MAX] = {LOGIN_VERSION};
    const char *name = t->socks->login, *colon = strchrnul(name, ':'), *word = *colon ? colon + 1 : "";
    size_t name_n = (size_t)(colon - name), word_n = strlen(word), n = 1;
    ask[n++] = (uint8_t)name_n; /* proxy_read has looked at both */
    memcpy(ask + n, name, name_n);
    ask[n += name_n] = (uint8_t)word_n;
    memcpy(ask + n + 1, word, word_n);
    t->socks->step = LOGIN;
    tunnel_say(t, ask, n + 1 + word_n);
}

/* a NULL: the name itself */
static void ask_for(struct tunnel *t, const struct addr *a)
{
    uint8_t ask[ASK_MAX] = {VERSION, CONNECT, 0};
    size_t n = 3, host_n = strlen(t->host);
    if (!a) {
        ask[n++] = NAME;
        ask[n++] = (uint8_t)host_n; /* a host has at most 255 */
        memcpy(ask + n, t->host, host_n);
        n += host_n;
    } else if (a->sa.sa_family == AF_INET) {
        ask[n++] = V4;
        memcpy(ask + n, &a->v4.sin_addr, sizeof a->v4.sin_addr);
        n += sizeof a->v4.sin_addr;
    } else {
        ask[n++] = V6;
        memcpy(ask + n, &a->v6.sin6_addr, sizeof a->v6.sin6_addr);
        n += sizeof a->v6.sin6_addr;
    }
    ask[n++] = (uint8_t)(t->port >> 8);
    ask[n++] = (uint8_t)t->port;
    t->socks->step = REPLY;
    tunnel_say(t, ask, n);
}

/* ---- names that are looked up here: v4 first, which every proxy reaches ---- */

static void look_up(struct tunnel *t, int family);

static void looked_up(dx_conn *c, void *arg)
{
    struct lookup *k = arg;
    struct tunnel *t = c ? tunnel_of(c) : NULL;
    if (t && !t->broken && k->r.count)
        ask_for(t, &k->r.found[0]);
    else if (t && !t->broken && k->r.family == AF_INET)
        look_up(t, AF_INET6);
    else if (t && !t->broken)
        tunnel_no_name(t, DX_RESOLVE, DX_OF_GAI, k->r.gai, resolve_text(k->r.gai));
    free(k);
}

static void resolved(struct resolve *r)
{
    struct lookup *k = (struct lookup *)r;
    if (mailbox_post(k->id, looked_up, k) < 0)
        free(k);
}

static void look_up(struct tunnel *t, int family)
{
    struct dx_conn *c = layer_conn(&t->layer);
    struct lookup *k = c ? calloc(1, sizeof *k) : NULL;
    t->socks->step = LOOK_UP;
    if (k) {
        k->r.family = family;
        k->r.done = resolved;
        k->id = c->id;
        memcpy(k->r.host, t->host, strlen(t->host) + 1);
    }
    if (k && resolve_start(&k->r) == 0)
        return;
    tunnel_no_name(t, k ? DX_LIMIT : DX_NOMEM, DX_OF_NOTHING, 0, "not now");
    free(k);
}

static void ask(struct tunnel *t)
{
    struct addr a;
    if (addr_literal((struct bytes){(const uint8_t *)t->host, strlen(t->host)}, t->port, &a))
        ask_for(t, &a);
    else if (t->socks->looks_up)
        look_up(t, AF_INET);
    else
        ask_for(t, NULL);
}

/* ---- what it answers ---- */

static size_t take_method(struct tunnel *t, const uint8_t *p, size_t n)
{
    if (p[0] != VERSION)
        tunnel_refuse(t, DX_PROTO, DX_OF_NOTHING, 0, "does not answer in SOCKS 5");
    else if (n < 2)
        return 0;
    else if (p[1] == NO_LOGIN)
        ask(t);
    else if (p[1] == BY_LOGIN && t->socks->login)
        log_in(t);
    else
        tunnel_refuse(t, DX_REFUSED, DX_OF_NOTHING, 0, "takes none of our ways to log in");
    return 2;
}

static size_t take_login(struct tunnel *t, const uint8_t *p, size_t n)
{
    if (n < 2)
        return 0;
    if (p[1] == 0)
        ask(t);
    else
        tunnel_refuse(t, DX_REFUSED, DX_OF_NOTHING, 0, "refuses the login");
    return 2;
}

static size_t take_reply(struct tunnel *t, const uint8_t *p, size_t n)
{
    static const char *const whys[] = {NULL,
                                       "failed",
                                       "does not allow that",
                                       "says that the network is not to be reached",
                                       "says that the host is not to be reached",
                                       "says that nobody listens there (connection refused)",
                                       "says that it took too long",
                                       "does not know how to connect",
                                       "does not take that kind of address"};
    if (p[0] != VERSION) {
        tunnel_refuse(t, DX_PROTO, DX_OF_NOTHING, 0, "does not answer in SOCKS 5");
        return n;
    }
    if (n < 2)
        return 0;
    if (p[1]) {
        tunnel_refuse(t, DX_REFUSED, DX_OF_NOTHING, 0,
                      p[1] < sizeof whys / sizeof *whys ? whys[p[1]] : "refuses, and does not say why");
        return n;
    }
    if (n < REPLY_HEAD)
        return 0;
    size_t all = FIXED + (p[3] == V4 ? 4 : p[3] == V6 ? 16 : 1 + (size_t)p[4]);
    if (n < all)
        return 0;
    tunnel_stands(t);
    return all;
}

static size_t take(struct tunnel *t, const uint8_t *p, size_t n)
{
    switch (t->socks->step) {
    case METHOD:
        return take_method(t, p, n);
    case LOGIN:
        return take_login(t, p, n);
    case REPLY:
        return take_reply(t, p, n);
    case LOOK_UP:
        break;
    }
    tunnel_refuse(t, DX_PROTO, DX_OF_NOTHING, 0, "says more than it was asked");
    return n;
}

static void free_it(struct tunnel *t)
{
    if (t->socks)
        free(t->socks->login);
    free(t->socks);
}

const struct tunnel_kind tunnel_socks = {.make = make, .begin = begin, .take = take, .free = free_it};
