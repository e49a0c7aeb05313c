/* SPDX-License-Identifier: MIT
 * router.h - routes as the server's exchanges see them. A conn that came by a route keeps it to its end. */
#ifndef NET_ROUTER_H
#define NET_ROUTER_H
#include "base/url.h"
#include "core/conn.h"
#include "core/settings.h"
#include <duplex/router.h>
#include <stdatomic.h>

struct prefix { /* one, taken apart: views into text */
    char *text;
    enum { HOST_ALL, HOST_EXACT, HOST_WILD, HOST_REST } class; /* in the order of matching */
    enum { ANY_SCHEME, CLEAR, OVER_TLS } scheme;
    struct bytes host; /* lower case; HOST_WILD: from the '.' on */
    int port;          /* -1: not said */
    struct bytes path; /* clean, and ends in '/' */
};
struct route {
    struct keeper keeper; /* first */
    atomic_size_t refs;   /* the router's one, and one a conn */
    const dx_handler *on;
    void *user;
    dx_route o; /* its realm is a copy, its limits are checked and below */
    dx_http_limits limits;
    struct prefix at;
};
struct router_ask {
    bool tls;
    int port; /* of the socket, if router_wants_port */
    struct bytes host, path;
};
bool router_wants_port(dx_router *r);
/* *ret is the route of a request, with a reference to it, or NULL. 0; DX_NOMEM: it is not known, so nobody may answer. */
int router_find(dx_router *r, const struct router_ask *a, struct route **ret);
/* Of a conn; NULL: it came by none. */
struct route *route_of(const dx_conn *c);
bool realm_ok(const char *realm); /* may stand between quotes in WWW-Authenticate */

/* 0, or DX_URL with *err filled, DX_NOMEM. In prefix.c, as all about prefixes. */
int prefix_read(const char *text, struct prefix *ret, dx_err *err);
void prefix_free(struct prefix *p);
bool prefix_before(const struct prefix *a, const struct prefix *b); /* is a looked at first? */
bool prefix_same(const struct prefix *a, const struct prefix *b);
/* a's path is clean, its host is without a port. */
bool prefix_matches(const struct prefix *p, const struct router_ask *a);
#endif
