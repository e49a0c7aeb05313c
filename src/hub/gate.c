/* SPDX-License-Identifier: MIT
 * gate.c - limits an address, the key, the rate and the Host header (docs/safe.md, rules 3, 12, 13). "This machine" is what the
 * socket's own peer says, never a header. */
#include "hub/inside.h"
#include <duplex/http.h>
#include <arpa/inet.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct addr *)a)->name, ((const struct addr *)b)->name);
}

/* Whoever has one IPv6 address has its whole /64. */
static void address_name(const dx_conn *c, char *ret, size_t room)
{
    dx_bytes host = dx_is_loopback(c) ? (dx_bytes){NULL, 0} : url_host(dx_peer(c));
    struct in6_addr a;
    char s[64];
    if (!host.p || host.n < 3 || host.n >= sizeof(s)) {
        snprintf(ret, room, "local");
        return;
    }
    snprintf(s, sizeof(s), "%.*s", (int)host.n, (const char *)host.p);
    if (*s == '[') {
        s[strcspn(s, "]%")] = 0;
        if (inet_pton(AF_INET6, s + 1, &a) == 1) {
            memset(a.s6_addr + 8, 0, 8);
            inet_ntop(AF_INET6, &a, s, sizeof(s));
        }
    }
    snprintf(ret, room, "%s", s);
}

static struct addr *find_or_make(struct hub *h, const dx_conn *c)
{
    struct addr key, *a, *const *found;
    address_name(c, key.name, sizeof(key.name));
    found = tfind(&key, &h->addrs, by_name);
    if (found)
        return *found;
    a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    memcpy(a->name, key.name, sizeof(a->name));
    if (!tsearch(a, &h->addrs, by_name)) {
        free(a);
        return NULL;
    }
    h->counts.addresses++;
    return a;
}

static void drop_if_idle(struct hub *h, struct addr *a)
{
    if (a->conns || a->rooms || (a->wrong && dx_loop_now(h->loop) - a->wrong_ms < 60000))
        return;
    tdelete(a, &h->addrs, by_name);
    h->counts.addresses--;
    free(a);
}

bool gate_enter(struct member *m, const dx_conn *c)
{
    struct addr *a = find_or_make(m->hub, c);
    bool many = !a || (!dx_is_loopback(c) && a->conns >= CONNS_PER_ADDRESS_MAX);
    if (many) {
        m->hub->counts.refused++;
        return false;
    }
    a->conns++;
    m->addr = a;
    m->opened = true;
    m->keyed = !m->hub->key || dx_is_loopback(c);
    return true;
}

void gate_leave(struct member *m)
{
    if (!m->opened)
        return;
    m->opened = false;
    m->addr->conns--;
    drop_if_idle(m->hub, m->addr);
    m->addr = NULL;
}

void gate_room(struct hub *h, struct addr *a, int change)
{
    if (!a)
        return;
    a->rooms += (uint32_t)change;
    if (change < 0)
        drop_if_idle(h, a);
}

/* Addresses that only hold wrong keys are looked at now and then. */
struct idle {
    struct hub *hub;
    struct addr *found;
};
static void find_idle(const void *node, VISIT visit, void *arg)
{
    struct addr *a = *(struct addr *const *)node;
    struct idle *idle = arg;
    if ((visit == postorder || visit == leaf) && !a->conns && !a->rooms &&
        dx_loop_now(idle->hub->loop) - a->wrong_ms >= 60000)
        idle->found = a;
}

void gate_sweep(struct hub *h)
{
    for (int i = 0; i < 100; i++) {
        struct idle idle = {h, NULL};
        twalk_r(h->addrs, find_idle, &idle);
        if (!idle.found)
            return;
        drop_if_idle(h, idle.found);
    }
}

void gate_free(struct hub *h)
{
    while (h->addrs) {
        struct addr *a = *(struct addr **)h->addrs;
        tdelete(a, &h->addrs, by_name);
        free(a);
    }
}

/* No early way out, and no more time for a longer key. */
bool gate_same(const char *mine, const char *theirs, size_t n)
{
    size_t mine_n = strlen(mine);
    unsigned char d = mine_n != n;
    for (size_t i = 0; i < mine_n; i++)
        d |= (unsigned char)(mine[i] ^ (i < n ? theirs[i] : 0));
    return !d;
}

enum gate_key gate_key(struct member *m, const char *key, size_t n)
{
    int64_t now = dx_loop_now(m->hub->loop);
    struct addr *a = m->addr;
    if (m->keyed)
        return KEY_RIGHT;
    if (now - a->wrong_ms >= 60000)
        a->wrong = 0;
    if (a->wrong >= KEY_TRIES)
        return KEY_WAIT;
    if (m->hub->key && gate_same(m->hub->key, key, n)) {
        m->keyed = true;
        return KEY_RIGHT;
    }
    if (!a->wrong++)
        a->wrong_ms = now;
    m->hub->counts.refused++;
    return KEY_WRONG;
}

int64_t gate_rate(struct member *m, const dx_conn *by, size_t bytes)
{
    int64_t now, cost = (int64_t)(bytes / RATE_BYTES_PER_MS);
    if (!by || dx_is_loopback(by))
        return 0;
    now = dx_loop_now(m->hub->loop);
    m->rate_ms = (m->rate_ms > now ? m->rate_ms : now) + (cost > RATE_MESSAGE_MS ? cost : RATE_MESSAGE_MS);
    return m->rate_ms - now > RATE_BURST_MS ? m->rate_ms - now - RATE_BURST_MS : 0;
}

bool gate_over(const struct member *m, const dx_conn *by)
{
    return !dx_is_loopback(by) && m->rate_ms - dx_loop_now(m->hub->loop) > RATE_BURST_MS;
}

static bool is_this_host(const struct hub *h, dx_bytes host)
{
    char name[256], local[264];
    if (host_is_name(host, "localhost"))
        return true;
    for (char **s = h->hosts; s && *s; s++)
        if (host_is_name(host, *s))
            return true;
    if (gethostname(name, sizeof(name)) < 0)
        return false;
    name[sizeof(name) - 1] = 0;
    if (host_is_name(host, name))
        return true;
    name[strcspn(name, ".")] = 0;
    snprintf(local, sizeof(local), "%s.local", name);
    return *name && (host_is_name(host, name) || host_is_name(host, local));
}

static bool is_here(const struct hub *h, const dx_conn *c, dx_bytes said)
{
    dx_bytes host;
    if (!said.p || !host_split(said.p, said.n, &host))
        return false;
    if (is_this_host(h, host) || host_is_url(host, dx_local(c)))
        return true;
    for (size_t i = 0; hub_url(h, i); i++)
        if (host_is_url(host, hub_url(h, i)))
            return true;
    return false;
}

/* An absolute target says the host twice (RFC 9112 3.2.2), and whoever reads the other one of the two must find this machine too. */
bool gate_host(const struct hub *h, const dx_conn *c)
{
    return is_here(h, c, dx_http_host(c)) && is_here(h, c, dx_http_header(c, "Host"));
}

/* A browser says by Sec-Fetch-Site whose page asks, but not in clear beyond this machine; by Origin it says so where the page could
 * read the answer, or posts. Over TLS the page must have come over TLS itself: what came in clear anybody on the way may have
 * written. */
bool gate_site(const dx_conn *c)
{
    dx_bytes site = dx_http_header(c, "Sec-Fetch-Site"), origin = dx_http_header(c, "Origin"), host = dx_http_host(c);
    const char *const schemes[] = {"https://", "http://"};
    if (site.p && !host_is_name(site, "same-origin") && !host_is_name(site, "none"))
        return false;
    for (size_t i = 0; origin.p && i < (strcmp(dx_wire(c), "https") ? 2 : 1); i++) {
        size_t n = strlen(schemes[i]);
        if (origin.n == n + host.n && !memcmp(origin.p, schemes[i], n) &&
            !strncasecmp((const char *)origin.p + n, host.p, host.n))
            return true;
    }
    return !origin.p;
}
