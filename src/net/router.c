/* SPDX-License-Identifier: MIT
 * router.c - the prefixes of a dx_router, in the order of matching. A request is looked up under a lock that only adding and
 * removing take for writing; what it found is counted, so a removed route lives until its last conn is gone. */
#include "net/router.h"
#include "base/err.h"
#include "base/opts.h"
#include "base/percent.h"
#include "os/lock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUTES_MAX = 1000 };

struct dx_router {
    atomic_uint refs;
    os_rwlock lock;
    struct route **v;
    size_t n;
    atomic_bool ports; /* some prefix names one: only then is it worth asking the socket */
};

/* ---- one route ---- */

static void route_free(struct route *r)
{
    prefix_free(&r->at);
    free((char *)(uintptr_t)r->o.realm);
    free(r);
}

/* A conn's hold on it ends; the last one after it was removed tells its owner. */
static void drop_of_conn(struct keeper *k)
{
    struct route *r = (struct route *)k;
    if (atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    if (r->o.on_gone)
        r->o.on_gone(r->user);
    route_free(r);
}

/* The router's hold on it ends. How many conns still have one. */
static int drop_of_router(struct route *r)
{
    size_t left = atomic_fetch_sub(&r->refs, 1) - 1;
    if (!left)
        route_free(r);
    return (int)left;
}

static struct route *route_new(const char *prefix, const dx_handler *on, void *user, const dx_route *o, int *ret_code,
                               dx_err *err)
{
    struct route *r = calloc(1, sizeof *r);
    *ret_code = r ? prefix_read(prefix, &r->at, err) : err_set(err, DX_NOMEM, "prefix %s: no memory", prefix);
    if (*ret_code < 0) {
        free(r);
        return NULL;
    }
    r->keeper.drop = drop_of_conn;
    r->refs = 1;
    r->on = on;
    r->user = user;
    r->o = *o;
    r->o.realm = strdup(o->realm ? o->realm : "duplex");
    r->o.limits = NULL;
    *ret_code = settings_http(o->limits, &r->limits, err);
    if (!r->o.realm)
        *ret_code = err_set(err, DX_NOMEM, "prefix %s: no memory", prefix);
    else if (o->auth & ~7u || (o->auth && !o->check))
        *ret_code = err_set(err, DX_URL, "prefix %s: auth wants a check", prefix);
    else if (!realm_ok(r->o.realm))
        *ret_code = err_set(err, DX_URL, "prefix %s: a quote, backslash or control character in its realm", prefix);
    if (*ret_code == 0)
        return r;
    route_free(r);
    return NULL;
}

/* ---- the router ---- */

dx_router *dx_router_new(dx_err *err)
{
    dx_router *r = calloc(1, sizeof *r);
    if (!r) {
        err_set(err, DX_NOMEM, "no memory for a router");
        return NULL;
    }
    r->refs = 1;
    os_rwlock_init(&r->lock);
    return r;
}

dx_router *dx_router_ref(dx_router *r)
{
    atomic_fetch_add(&r->refs, 1);
    return r;
}

void dx_router_drop(dx_router *r)
{
    if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    for (size_t i = 0; i < r->n; i++)
        drop_of_router(r->v[i]);
    os_rwlock_free(&r->lock);
    free(r->v);
    free(r);
}

static void know_ports(dx_router *r)
{
    bool ports = false;
    for (size_t i = 0; i < r->n; i++)
        ports |= r->v[i]->at.port >= 0;
    r->ports = ports;
}

/* Under the lock. Its place, or r->n. */
static size_t place_of(const dx_router *r, const struct prefix *p)
{
    size_t i = 0;
    while (i < r->n && !prefix_same(&r->v[i]->at, p))
        i++;
    return i;
}

/* Under the lock. */
static int put(dx_router *r, struct route *now, dx_err *err)
{
    const char *text = now->at.text;
    if (place_of(r, &now->at) < r->n)
        return err_set(err, DX_BUSY, "prefix %s: it is there already", text);
    if (r->n == ROUTES_MAX)
        return err_set(err, DX_LIMIT, "prefix %s: one more than %d", text, ROUTES_MAX);
    struct route **v = realloc(r->v, (r->n + 1) * sizeof *v);
    if (!v)
        return err_set(err, DX_NOMEM, "prefix %s: no memory", text);
    size_t i = r->n;
    for (; i > 0 && prefix_before(&now->at, &v[i - 1]->at); i--)
        v[i] = v[i - 1];
    v[i] = now;
    r->v = v;
    r->n++;
    know_ports(r);
    return 0;
}

int dx_router_add_sized(dx_router *r, const char *prefix, const dx_handler *h, void *user, const dx_route *o,
                        size_t o_bytes, dx_err *err)
{
    dx_route mine;
    int code = opts_read(o, o_bytes, &mine, sizeof mine, err);
    struct route *now = code == 0 ? route_new(prefix, h, user, &mine, &code, err) : NULL;
    if (!now)
        return code;
    os_rwlock_write(&r->lock);
    code = put(r, now, err);
    os_rwlock_give(&r->lock);
    if (code < 0)
        route_free(now);
    return code;
}

int dx_router_remove(dx_router *r, const char *prefix)
{
    struct prefix p;
    struct route *was = NULL;
    int code = prefix_read(prefix, &p, NULL);
    if (code < 0)
        return code;
    os_rwlock_write(&r->lock);
    size_t i = place_of(r, &p);
    if (i < r->n) {
        was = r->v[i];
        memmove(r->v + i, r->v + i + 1, (--r->n - i) * sizeof *r->v);
        know_ports(r);
    }
    os_rwlock_give(&r->lock);
    prefix_free(&p);
    return was ? drop_of_router(was) : DX_URL;
}

int dx_router_at(const dx_router *r, size_t i, char *ret, size_t n)
{
    os_rwlock *lock = (os_rwlock *)(uintptr_t)&r->lock;
    int length = -1;
    os_rwlock_read(lock);
    if (i < r->n)
        length = snprintf(ret, n, "%s", r->v[i]->at.text);
    os_rwlock_give(lock);
    return length;
}

bool dx_router_has(const dx_router *r, const char *prefix)
{
    os_rwlock *lock = (os_rwlock *)(uintptr_t)&r->lock;
    struct prefix p;
    if (prefix_read(prefix, &p, NULL) < 0)
        return false;
    os_rwlock_read(lock);
    bool there = place_of(r, &p) < r->n;
    os_rwlock_give(lock);
    prefix_free(&p);
    return there;
}

/* ---- a request ---- */

bool router_wants_port(dx_router *r)
{
    return r->ports;
}

/* host[:port] without its port. */
static struct bytes name_of(struct bytes host)
{
    size_t n = host.n;
    while (n > 0 && host.p[n - 1] != ':' && host.p[n - 1] != ']')
        n--;
    return n > 0 && host.p[n - 1] == ':' ? (struct bytes){host.p, n - 1} : host;
}

static void look_up(dx_router *r, const struct router_ask *a, struct route **ret)
{
    struct route *found = NULL;
    os_rwlock_read(&r->lock);
    for (size_t i = 0; i < r->n && !found; i++)
        if (prefix_matches(&r->v[i]->at, a))
            found = r->v[i];
    if (found)
        atomic_fetch_add(&found->refs, 1);
    os_rwlock_give(&r->lock);
    *ret = found;
}

int router_find(dx_router *r, const struct router_ask *ask, struct route **ret)
{
    struct router_ask a = *ask;
    a.host = name_of(a.host);
    if (path_is_clean(a.path)) {
        look_up(r, &a, ret);
        return 0;
    }
    if (!a.path.n || a.path.p[0] != '/') /* OPTIONS *, CONNECT */
        a.path = (struct bytes){(const uint8_t *)"/", 1};
    uint8_t *room = malloc(3 * a.path.n + 1);
    if (!room)
        return DX_NOMEM;
    a.path = (struct bytes){room, path_clean(a.path, room)};
    look_up(r, &a, ret);
    free(room);
    return 0;
}
