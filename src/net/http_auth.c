/* SPDX-License-Identifier: MIT
 * http_auth.c - RFC 9110 section 11, RFC 7617 (Basic), RFC 6750 (Bearer): who somebody says to be, and who it is. */
#include "net/router.h"
#include "net/http1.h"
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A conn's keeper once it has a user's name: the route's stands behind it. */
struct known {
    struct keeper keeper; /* first */
    struct route *route;
    char user[];
};

static void drop_known(struct keeper *k)
{
    struct known *w = (struct known *)k;
    struct keeper *route = &w->route->keeper;
    free(w);
    route->drop(route);
}

static struct known *known_of(const dx_conn *c)
{
    struct keeper **k = conn_keeper(c);
    return k && (*k)->drop == drop_known ? (struct known *)*k : NULL;
}

struct route *route_of(const dx_conn *c)
{
    struct keeper **k = conn_keeper(c);
    struct known *w = known_of(c);
    return w ? w->route : k ? (struct route *)*k : NULL;
}

const char *dx_http_prefix(const dx_conn *c)
{
    const struct route *r = route_of(c);
    return r ? r->at.text : "";
}

const char *dx_http_user(const dx_conn *c)
{
    const struct known *w = known_of(c);
    return w ? w->user : "";
}

int dx_http_set_user(dx_conn *c, const char *name)
{
    struct route *r = route_of(c);
    size_t n = strlen(name);
    if (!r)
        return DX_STATE;
    struct known *now = malloc(sizeof *now + n + 1), *was = known_of(c);
    if (!now)
        return DX_NOMEM;
    now->keeper.drop = drop_known;
    now->route = r;
    memcpy(now->user, name, n + 1);
    *conn_keeper(c) = &now->keeper;
    free(was);
    return 0;
}

/* ---- what Authorization says ---- */

/* "Scheme rest": the rest, without blanks in front; false: another scheme. */
static bool cut_scheme(dx_bytes v, const char *scheme, dx_bytes *ret)
{
    const char *p = v.p;
    size_t n = strlen(scheme);
    if (v.n <= n || strncasecmp(p, scheme, n) || p[n] != ' ')
        return false;
    while (n < v.n && p[n] == ' ')
        n++;
    *ret = (dx_bytes){p + n, v.n - n};
    return n < v.n;
}

/* user ":" password in base64. No control characters: nobody types them, and somebody logs them. */
static bool read_basic(dx_bytes v, dx_http_login *ret)
{
    struct base64_decode_ctx ctx;
    size_t n = sizeof ret->room - 2;
    base64_decode_init(&ctx);
    if (BASE64_DECODE_LENGTH(v.n) > n || !base64_decode_update(&ctx, &n, (uint8_t *)ret->room, v.n, v.p) ||
        !base64_decode_final(&ctx))
        return false;
    char *colon = memchr(ret->room, ':', n);
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)ret->room[i] < 32 || ret->room[i] == 127)
            return false;
    if (!colon)
        return false;
    ret->room[n] = 0;
    *colon = 0;
    ret->user = (dx_bytes){ret->room, (size_t)(colon - ret->room)};
    ret->password = (dx_bytes){colon + 1, n - ret->user.n - 1};
    return true;
}

/* b64token: RFC 6750 2.1 */
static bool is_token(dx_bytes v)
{
    const char *p = v.p;
    for (size_t i = 0; i < v.n; i++)
        if (!p[i] || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=", p[i]))
            return false;
    return v.n > 0;
}

/* The one field of that name, or none where there are two. */
static dx_bytes authorization(const dx_conn *c)
{
    dx_bytes found = {NULL, 0}, name, v;
    for (size_t i = 0; (v = dx_http_header_at(c, i, &name)).p; i++)
        if (name.n == 13 && !strncasecmp(name.p, "Authorization", 13)) {
            if (found.p)
                return (dx_bytes){NULL, 0};
            found = v;
        }
    return found;
}

void dx_http_login_of(const dx_conn *c, dx_http_login *ret)
{
    dx_bytes v = authorization(c), rest;
    memset(ret, 0, sizeof *ret);
    if (!v.n)
        return;
    if (cut_scheme(v, "Basic", &rest)) {
        if (read_basic(rest, ret))
            ret->scheme = DX_LOGIN_BASIC;
        else
            dx_http_login_wipe(ret);
    } else if (cut_scheme(v, "Bearer", &rest)) {
        if (is_token(rest)) {
            ret->scheme = DX_LOGIN_BEARER;
            ret->token = rest;
        }
    } else {
        ret->scheme = DX_LOGIN_OTHER;
        ret->token = v;
    }
}

void dx_http_login_wipe(dx_http_login *l)
{
    explicit_bzero(l, sizeof *l);
}

bool realm_ok(const char *realm)
{
    for (; *realm; realm++)
        if ((uint8_t)*realm < 32 || *realm == 127 || *realm == '"' || *realm == '\\')
            return false;
    return true;
}

int dx_http_challenge(dx_conn *c, const char *scheme, const char *realm)
{
    static const char text[] = "Unauthorized\n", charset[] = ", charset=\"UTF-8\"";
    dx_text t = {0};
    const char *parts[] = {scheme, " realm=\"", realm ? realm : "duplex", "\"",
                           strcasecmp(scheme, "Basic") ? "" : charset};
    int r = realm && !realm_ok(realm) ? DX_URL : 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && r == 0; i++)
        r = dx_text_add(&t, parts[i], strlen(parts[i]));
    dx_http_field f = {"WWW-Authenticate", t.p};
    if (r == 0)
        r = dx_http_add(c, f.name, f.value); /* beside what is set already: another scheme */
    if (r == 0)
        r = dx_http_reply(c, 401, "text/plain", text, sizeof text - 1, NULL, 0);
    dx_text_free(&t);
    return r;
}

bool dx_secret_same(dx_bytes a, dx_bytes b)
{
    const volatile uint8_t *x = a.p, *y = b.p;
    uint8_t differs = a.n != b.n;
    for (size_t i = 0; i < b.n; i++)
        differs |= (uint8_t)(y[i] ^ (a.n ? x[i % a.n] : 0));
    return !differs;
}
