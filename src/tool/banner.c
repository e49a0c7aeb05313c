/* SPDX-License-Identifier: MIT
 * banner.c - URLs of the hub, as people and scripts want them. */
#include "tool/banner.h"
#include "tool/add.h"
#include "tool/qr.h"
#include <stdio.h>
#include <string.h>

/* The first address where all wires meet: tcp and udp on one port, for this machine alone. p NULL: none. */
static dx_bytes meeting_point(const struct hub *h)
{
    const char *url, *other;
    for (size_t i = 0; (url = hub_url(h, i)); i++)
        for (size_t k = 0; !strncmp(url, "tcp://", 6) && !lan_is_beyond(url) && (other = hub_url(h, k)); k++)
            if (!strncmp(other, "udp://", 6) && !strcmp(other + 6, url + 6))
                return (dx_bytes){url + 6, strlen(url + 6)};
    return (dx_bytes){NULL, 0};
}

static const char *unix_url(const struct hub *h)
{
    const char *url;
    for (size_t i = 0; (url = hub_url(h, i)); i++)
        if (!strncmp(url, "unix:", 5))
            return url;
    return NULL;
}

static void add_pin(const struct banner *b, const char *before, dx_text *t)
{
    if (*b->pin)
        add(t, before), add(t, b->pin), add(t, "\n");
}

/* What else there is at those addresses, by its path. */
static void add_paths(const struct banner *b, dx_text *t)
{
    if (b->folder)
        add(t, "  files     / is the folder "), dx_visible(b->folder, strlen(b->folder), NULL, t),
            add(t, ", /~ the room's page\n");
    add(t, b->metrics ? "  metrics   /~metrics\n" : "");
}

void banner_ways(const struct banner *b, dx_text *t)
{
    dx_bytes at = meeting_point(b->hub);
    const char *path = unix_url(b->hub), *p = at.p, *url;
    char line[512];
    if (!p) {
        for (size_t i = 0; (url = hub_url(b->hub, i)); i++)
            add(t, "  "), add(t, url), add(t, "\n");
        add_paths(b, t);
        add_pin(b, "  pin       ", t);
        return;
    }
    int host = (int)(strrchr(p, ':') - p), v6 = *p == '[', tls = *b->pin != 0;
    snprintf(line, sizeof(line), "  browser   http://%s/%s%s%s\n  terminal  nc %.*s %s\n  %s udp://%s%s%s\n", p,
             tls ? "   https://" : "", tls ? p : "", tls ? "/" : "", host - 2 * v6, p + v6, p + host + 1,
             path ? "udp, unix" : "udp      ", p, path ? "   " : "", path ? path : "");
    add(t, line);
    add_paths(b, t);
    snprintf(line, sizeof(line), "  tls       duplex dial tls://%s --pin %s\n", p, b->pin);
    add(t, tls ? line : "");
    add_pin(b, "  pin       ", t);
}

static void https_address(const struct banner *b, const char *host, char *buf, size_t n)
{
    snprintf(buf, n, "https://%s:%s/%s%s", host, b->port, *b->key ? "#key=" : "", b->key);
}

void banner_lan(const struct banner *b, const struct lan *l, dx_text *t)
{
    char line[400];
    for (int i = 0; *b->pin && i < l->count; i++) {
        add(t, "\n  ");
        https_address(b, l->host[i], line, sizeof(line));
        add(t, line);
    }
    for (int i = 0; i < l->count; i++) {
        const char *host = l->host[i], *bare = *host == '[' ? host + 1 : host;
        snprintf(line, sizeof(line), "\n  http://%s:%s/%s%s   nc %.*s %s%s%s", host, b->port, *b->key ? "#key=" : "",
                 b->key, (int)strcspn(bare, "]"), bare, b->port, *b->key ? "   then: /key " : "", b->key);
        add(t, line);
    }
}

void banner_code(const struct banner *b, const char *host, int columns_max, dx_text *t)
{
    char url[400];
    const char *at = meeting_point(b->hub).p;
    if (!*b->pin || (!host && !at))
        return;
    if (host)
        https_address(b, host, url, sizeof(url));
    else
        snprintf(url, sizeof(url), "https://%s/", at);
    qr_text(url, columns_max, t); /* what does not fit is not missed: the address stands above */
}

void banner_listening(const struct banner *b, dx_text *t)
{
    for (size_t i = 0; hub_url(b->hub, i); i++)
        add(t, "listening "), add(t, hub_url(b->hub, i)), add(t, "\n");
    add_pin(b, "pin ", t);
}
