/* SPDX-License-Identifier: MIT
 *
 * router.h - many handlers on one HTTP server: URL prefixes, who answers each, and who may (RFC 9110 section 11).
 *
 * Give one to dx_serve in dx_opts.router, on http://, https:// or any://; on other wires that is DX_URL, for nobody would ask it (a WebSocket behind
 * a prefix: listen on http:// and call dx_ws_accept). The listener's own handler answers what no prefix matches; with a handler of NULL that is 404.
 *
 * PREFIX   [http://|https://] HOST [:PORT] /PATH/ or just /PATH/. It ends in '/'. HOST: "+" (every host, before all others), a name or
 *          address (in any case; IPv6 in brackets), "*.NAME" (any name that ends in .NAME) or "*" (every host that nothing else
 *          matches; so does no host). The scheme (https is TLS) and the port (that of the listening socket), where they are
 *          said, must be those that the request came by.
 * ORDER    +, exact names, *.NAME (the longest), *. Inside one of them the longest path wins; then one with a port or scheme. A
 *          prefix of an earlier class beats any path of a later one.
 * PATH     is compared by whole segments in the spelling of dx_path_clean (text.h): percent-decoded, without dot and empty
 *          segments, and case counts. "/files/" matches /files, /files/a and /x/../f%69les/a, not /files2. So no spelling gets by a
 *          prefix that asks for a password. An encoded slash is no '/' but a part of its segment (RFC 3986 2.2): /locked%2Fa is not
 *          under "/locked/", only "/locked%2Fa/" (or %2f) matches it. So a handler must not take %2F for '/' where it looks up
 *          what a prefix guards: dx_path_clean leaves it as it is.
 * THREADS  Any thread may add, remove and ask. A router outlives its listeners' use of it by itself: they hold references.
 */
#ifndef DUPLEX_ROUTER_H
#define DUPLEX_ROUTER_H
#include <duplex/http.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

/* Who somebody says to be: Authorization, taken apart. Good while check runs, then wiped; dx_http_login_of's until dx_http_login_wipe. */
typedef struct dx_http_login {
    enum { DX_LOGIN_NONE, DX_LOGIN_BASIC, DX_LOGIN_BEARER, DX_LOGIN_OTHER } scheme;
    dx_bytes user, password; /* Basic: decoded, each with a NUL behind it                                       */
    dx_bytes token;          /* Bearer: as it came; OTHER: all of the field                                     */
    char     room[512];      /* where they lie; a field that does not fit, or does not decode, is NONE           */
} dx_http_login;

enum dx_auth { DX_AUTH_BASIC = 1, DX_AUTH_BEARER = 2, DX_AUTH_OPTIONAL = 4 /* nobody may come too, as "" */ };
typedef struct dx_route {       /* zero means the default; NULL means all zero                            */
    unsigned auth;              /* enum dx_auth, or-ed; 0: everybody may come                              */
    const char *realm;          /* "duplex"                                                               */
    /* Called from the loop before on_open; c can be asked and not answered. 0: let in; 401: asked again; another status: that is
     * the answer. Who comes without what auth wants is told 401 and never gets here. */
    int (*check)(dx_conn *c, const dx_http_login *l, void *user);
    const dx_http_limits *limits; /* copied                                                               */
    /* After the prefix was removed while conns of it ran: the last of them has had its on_close, and h and user are used no more.
     * Called from that conn's loop. */
    void (*on_gone)(void *user);
} dx_route;

DX_API dx_router *dx_router_new(dx_err *err);           /* one reference; NULL: DX_NOMEM                       */
DX_API dx_router *dx_router_ref(dx_router *r);
DX_API void       dx_router_drop(dx_router *r);         /* NULL is fine                                        */
/* h stays yours and must outlive the prefix and the conns that came by it. 0; DX_URL: the prefix, or auth without a check; DX_BUSY: it
 * is there already; DX_LIMIT: 1 000 prefixes; DX_ABSENT: an option that this build does not know; DX_NOMEM. err says why. */
DX_API int dx_router_add_sized(dx_router *r, const char *prefix, const dx_handler *h, void *user, const dx_route *o, size_t o_bytes,
                               dx_err *err);
static inline int dx_router_add(dx_router *r, const char *prefix, const dx_handler *h, void *user, const dx_route *o, dx_err *err)
{
    return dx_router_add_sized(r, prefix, h, user, o, sizeof(dx_route), err);
}
/* No request comes by it any more. Returns how many conns still run: with 0 h and user are free now and on_gone is never called,
 * else on_gone says when. DX_URL: no such prefix. */
DX_API int dx_router_remove(dx_router *r, const char *prefix);
/* The i-th prefix in the order of matching, as it was written, into ret[n]: its length, cut or not; -1: no more. */
DX_API int  dx_router_at(const dx_router *r, size_t i, char *ret, size_t n);
DX_API bool dx_router_has(const dx_router *r, const char *prefix);

DX_API const char *dx_http_prefix(const dx_conn *c);    /* that it came by; "": none. Good until on_close       */
/* Who it is: what dx_http_set_user said, else the user of Basic that check let in; "": nobody. A WebSocket's conn keeps it.
 * Good until on_close, or the next dx_http_set_user. */
DX_API const char *dx_http_user(const dx_conn *c);
DX_API int dx_http_set_user(dx_conn *c, const char *name); /* in check. DX_STATE: it came by no prefix; DX_NOMEM  */
/* For handlers that choose by themselves: what Authorization says. Wipe it at the end. */
DX_API void dx_http_login_of(const dx_conn *c, dx_http_login *ret);
DX_API void dx_http_login_wipe(dx_http_login *l);
/* A whole reply: 401, asking for scheme ("Basic", "Bearer"); realm NULL: "duplex". As dx_http_reply; DX_URL: a quote or control
 * character in realm. */
DX_API int  dx_http_challenge(dx_conn *c, const char *scheme, const char *realm);
/* Are they the same? Takes as long for any secret of b's length. */
DX_API bool dx_secret_same(dx_bytes a, dx_bytes b);

#ifdef __cplusplus
}
#endif
#endif
