/* SPDX-License-Identifier: MIT
 * proxy.h - what a proxy's URL says: "[http://|https://|socks5://|socks5h://][NAME:PASSWORD@]HOST[:PORT][#OPTIONS]". */
#ifndef NET_PROXY_H
#define NET_PROXY_H
#include "base/url.h"

enum proxy_kind { PROXY_NONE, PROXY_HTTP, PROXY_SOCKS, PROXY_SOCKS_NAMES };
struct proxy {
    enum proxy_kind kind; /* PROXY_SOCKS: names are looked up here; PROXY_SOCKS_NAMES: there */
    char *text;           /* as it was given                                                */
    char *url;            /* as it is dialled, without the login                            */
    char *login;          /* "NAME:PASSWORD", decoded; NULL: none                           */
};
/* text NULL or "": PROXY_NONE. 0, or DX_URL, DX_NOMEM with *err filled; doing and what begin its words.
 * The login is in none of them. */
int proxy_read(const char *text, const char *doing, const char *what, struct proxy *ret, dx_err *err);
void proxy_free(struct proxy *p);
bool proxy_is_tls(const struct proxy *p); /* is TLS spoken with it? */
int proxy_port(const struct proxy *p);    /* where its URL says none */
char *proxy_basic(const char *login);     /* "Basic ...": the value of an Authorization field; NULL: no memory */
#endif
