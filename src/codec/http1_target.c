/* SPDX-License-Identifier: MIT
 * http1_target.c - RFC 9112 3.2 and the host of RFC 3986: what a request asks for, and of whom. */
#include "http1_inside.h"
#include "http1_scan.h"

enum { PORT_DIGITS_MAX = 5, GROUPS = 8, GROUP_DIGITS_MAX = 4 };

static bool ipv4_ok(const uint8_t *p, size_t n)
{
    unsigned parts = 0;
    for (size_t i = 0; i < n; i++) {
        size_t from = i;
        unsigned v = 0;
        while (i < n && is_digit(p[i]) && i - from < 3)
            v = v * 10 + (p[i++] - '0');
        if (i == from || v > 255 || (p[from] == '0' && i - from > 1) || ++parts > 4)
            return false;
        if (i == n)
            return parts == 4;
        if (p[i] != '.')
            return false;
    }
    return false;
}

/* Eight groups, or fewer and "::" once; the last two may be written as an IPv4 address. */
static bool ipv6_ok(const uint8_t *p, size_t n)
{
    bool gap = n >= 2 && p[0] == ':' && p[1] == ':';
    unsigned groups = 0;
    for (size_t i = gap ? 2 : 0; i < n;) {
        size_t from = i;
        while (i < n && is_hex(p[i]))
            i++;
        if (i < n && p[i] == '.')
            return (gap ? groups <= GROUPS - 3 : groups == GROUPS - 2) && ipv4_ok(p + from, n - from);
        if (i == from || i - from > GROUP_DIGITS_MAX || ++groups > GROUPS)
            return false;
        if (i == n)
            break;
        if (p[i++] != ':' || i == n)
            return false;
        if (p[i] == ':') {
            if (gap)
                return false;
            gap = true;
            i++;
        }
    }
    return gap ? groups < GROUPS : groups == GROUPS;
}

/* The end of the host itself, in front of a port; 0: it is none. */
static size_t host_end(struct bytes h)
{
    size_t i = 0;
    if (h.n > 0 && h.p[0] == '[') {
        const uint8_t *end = memchr(h.p, ']', h.n);
        return end && ipv6_ok(h.p + 1, (size_t)(end - h.p) - 1) ? (size_t)(end - h.p) + 1 : 0;
    }
    for (;;) {
        while (i < h.n && (char_class[h.p[i]] & IN_HOST))
            i++;
        if (i == h.n || h.p[i] != '%')
            return i;
        if (h.n - i < 3 || !is_hex(h.p[i + 1]) || !is_hex(h.p[i + 2]))
            return 0;
        i += 3;
    }
}

bool http1_host_ok(struct bytes h, bool port_needed)
{
    size_t i = host_end(h);
    if (i == h.n) /* an empty one says that the URL has no authority */
        return !port_needed;
    if (i == 0 || h.p[i++] != ':' || h.n - i > PORT_DIGITS_MAX)
        return false;
    unsigned port = 0;
    while (i < h.n && is_digit(h.p[i]))
        port = port * 10 + (h.p[i++] - '0');
    return i == h.n && port <= 65535 && (port > 0 || !port_needed);
}

static void split_path(struct bytes t, struct http1_head *ret)
{
    const uint8_t *q = memchr(t.p, '?', t.n);
    ret->path = (struct bytes){t.p, q ? (size_t)(q - t.p) : t.n};
    if (q)
        ret->query = (struct bytes){q + 1, t.n - ret->path.n - 1};
}

static int take_absolute(struct bytes t, struct http1_head *ret)
{
    size_t scheme = 0;
    if (t.n > 7 && SAME(((struct bytes){t.p, 7}), "http://"))
        scheme = 7;
    else if (t.n > 8 && SAME(((struct bytes){t.p, 8}), "https://"))
        scheme = 8;
    size_t i = scheme;
    while (i < t.n && t.p[i] != '/' && t.p[i] != '?')
        i++;
    struct bytes host = {t.p + scheme, i - scheme};
    if (scheme == 0 || host.n == 0 || !http1_host_ok(host, false))
        return BAD;
    ret->host = host;
    split_path((struct bytes){t.p + i, t.n - i}, ret);
    if (ret->path.n == 0)
        ret->path = (struct bytes){(const uint8_t *)"/", 1};
    return 0;
}

/* The four forms of RFC 9112 3.2. Bytes over 0x7F are let through: curl sends a path as it was typed. */
int http1_take_target(struct http1_head *ret)
{
    struct bytes t = ret->target, m = ret->method;
    if (m.n == 7 && memcmp(m.p, "CONNECT", 7) == 0) {
        ret->host = t;
        return http1_host_ok(t, true) ? 0 : BAD;
    }
    if (*t.p == '/') {
        split_path(t, ret);
        return 0;
    }
    if (t.n == 1 && *t.p == '*') {
        ret->path = t;
        return m.n == 7 && memcmp(m.p, "OPTIONS", 7) == 0 ? 0 : BAD;
    }
    return take_absolute(t, ret);
}
