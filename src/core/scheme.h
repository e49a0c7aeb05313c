/* SPDX-License-Identifier: MIT
 * scheme.h - the table that turns "tcp://..." into a file of src/net. A new wire is one more row there. */
#ifndef CORE_SCHEME_H
#define CORE_SCHEME_H
#include "base/url.h"
#include "core/listener.h"

enum { SCHEME_URL_MAX = 320 };
struct dial { /* what a connect needs to know */
    dx_loop *loop;
    const struct url *url;
    const char *text; /* the URL as it was given */
    const dx_handler *on;
    void *user;
    const char *proxy;    /* NULL, "": none                        */
    struct settings *set; /* borrowed: take a reference to keep it */
};
struct scheme {
    const char *name;
    /* Opens s's ports and sets s->stack. 0, or < 0 with *err filled; s is thrown away then. NULL: cannot listen. */
    int (*serve)(dx_listener *s, const struct url *u, const char *text, dx_err *err);
    /* Makes a conn whose on_open or on_close comes later. NULL with *err filled. NULL: cannot dial. */
    dx_conn *(*connect)(const struct dial *d, dx_err *err);
    bool tls;     /* dx_opts.tls says something to it */
    bool routes;  /* dx_opts.router does, where it is listened on */
    bool proxied; /* dx_opts.proxy does               */
};
extern const struct scheme *const schemes[]; /* src/net/table.c; ends in NULL */

/* Writes the address of the bottom of c's stack as a URL of its wire into text[SCHEME_URL_MAX] ("" if it has none). */
const char *scheme_address(const dx_conn *c, bool peer, char *text);
bool scheme_is_loopback(const dx_conn *c);
#endif
