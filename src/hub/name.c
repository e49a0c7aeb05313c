/* SPDX-License-Identifier: MIT
 * name.c - names that must not deceive: of members, of rooms, and of this machine in a Host header. */
#include "hub/name.h"
#include <duplex/text.h>
#include <arpa/inet.h>
#include <string.h>

/* One character of valid UTF-8. */
static uint32_t next_char(const uint8_t *p, size_t *ret_n)
{
    static const uint8_t first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    uint32_t c = *p & first_mask[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    *ret_n = n;
    return c;
}

/* Characters that nobody sees, that reorder others or that stand for a blank. */
static bool is_unseen(uint32_t c)
{
    static const struct {
        uint32_t from, to;
    } bad[] = {{0, 0x20},        {0x7f, 0xa0},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
               {0x115f, 0x1160}, {0x1680, 0x1680},   {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x2000, 0x200f},
               {0x2028, 0x202f}, {0x205f, 0x206f},   {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},
               {0xe000, 0xf8ff}, {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
               {0xfff0, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (c >= bad[i].from && c <= bad[i].to)
            return true;
    return false;
}

const char *nick_fault(const char *p, size_t n)
{
    size_t chars = 0, step;
    if (!n)
        return "is empty";
    if (!dx_is_utf8(p, n))
        return "is not UTF-8";
    for (size_t at = 0; at < n; at += step) {
        uint32_t c = next_char((const uint8_t *)p + at, &step);
        if (is_unseen(c))
            return "has a blank, a control or an invisible character";
        if (c == ':' || (at == 0 && (c == '*' || c == '/')))
            return "has a ':', or a '*' or '/' at its start";
        if (++chars > NICK_CHARS_MAX)
            return "is longer than 32 characters";
    }
    return NULL;
}

static int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c;
}

int nick_cmp(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return fold(*a) - fold(*b);
}

bool room_name_ok(const char *p, size_t n)
{
    if (n < 1 || n > ROOM_NAME_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(fold(p[i]) >= 'a' && fold(p[i]) <= 'z') && !(p[i] >= '0' && p[i] <= '9') && p[i] != '_' && p[i] != '-')
            return false;
    return true;
}

static bool is_port(const char *p, size_t n)
{
    long port = 0;
    if (n < 1 || n > 5)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        port = 10 * port + (p[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

bool host_split(const char *p, size_t n, dx_bytes *ret_host)
{
    const char *end = n && *p == '[' ? memchr(p, ']', n) : NULL, *colon;
    size_t host_n;
    if (n && *p == '[' && !end)
        return false;
    colon = end ? end + 1 : n ? memchr(p, ':', n) : NULL;
    host_n = colon ? (size_t)(colon - p) : n;
    if (host_n < 1 || (host_n < n && (p[host_n] != ':' || !is_port(p + host_n + 1, n - host_n - 1))))
        return false;
    *ret_host = (dx_bytes){p, host_n};
    return true;
}

bool host_is_name(dx_bytes host, const char *name)
{
    const char *p = host.p;
    if (!name || !*name || strlen(name) != host.n)
        return false;
    for (size_t i = 0; i < host.n; i++)
        if (fold(p[i]) != fold(name[i]))
            return false;
    return true;
}

dx_bytes url_host(const char *url)
{
    const char *p = strstr(url, "://"), *end;
    if (!p)
        return (dx_bytes){NULL, 0};
    p += 3;
    end = *p == '[' ? strchr(p, ']') : NULL;
    end = end ? end + 1 : p + strcspn(p, ":/#?");
    return (dx_bytes){p, (size_t)(end - p)};
}

/* Only a literal can be compared with a URL's address: a name that says the same would be somebody's DNS speaking. */
static bool is_literal(dx_bytes host)
{
    char s[INET6_ADDRSTRLEN + 1];
    unsigned char addr[16];
    const char *p = host.p;
    bool v6 = host.n > 2 && *p == '[' && p[host.n - 1] == ']';
    size_t n = v6 ? host.n - 2 : host.n;
    if (n >= sizeof(s))
        return false;
    memcpy(s, p + v6, n);
    s[n] = 0;
    return inet_pton(v6 ? AF_INET6 : AF_INET, s, addr) == 1;
}

bool host_is_url(dx_bytes host, const char *url)
{
    dx_bytes mine = url_host(url);
    char name[80];
    if (!mine.p || !is_literal(host) || mine.n >= sizeof(name))
        return false;
    memcpy(name, mine.p, mine.n);
    name[mine.n] = 0;
    return strcmp(name, "0.0.0.0") && strcmp(name, "[::]") && host_is_name(host, name);
}
