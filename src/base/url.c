/* SPDX-License-Identifier: MIT
 * url.c - an endpoint's name, taken apart. Nothing is decoded and nothing is copied but the scheme. */
#include "url.h"
#include "err.h"
#include <stdio.h>
#include <string.h>

enum { URL_SHOWN_MAX = 100, HOST_MAX = 255 };
enum shape { SHAPE_NET, SHAPE_PATH, SHAPE_REST, SHAPE_FD, SHAPE_BARE };
struct reading {
    struct url u;
    char why[48]; /* room for words that hold a number */
};

static int fail(dx_err *err, const char *s, const char *why)
{
    int n = (int)strnlen(s, URL_SHOWN_MAX + 1);
    bool cut = n > URL_SHOWN_MAX;
    while (cut && n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
        n--;
    return err_set(err, DX_URL, "url '%.*s%s': %s", n, s, cut ? "..." : "", why);
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct bytes view(const char *from, const char *to)
{
    return (struct bytes){(const uint8_t *)from, (size_t)(to - from)};
}

static enum shape shape_of(const char *scheme)
{
    static const struct {
        const char *scheme;
        enum shape shape;
    } local[] = {{"unix", SHAPE_PATH}, {"unixgram", SHAPE_PATH}, {"stdio", SHAPE_BARE},
                 {"fd", SHAPE_FD},     {"file", SHAPE_REST},     {"exec", SHAPE_REST}};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (!strcmp(local[i].scheme, scheme))
            return local[i].shape;
    return SHAPE_NET;
}

/* Returns what follows the ':', or NULL with *ret_why. */
static const char *take_scheme(const char *s, struct url *u, const char **ret_why)
{
    size_t n = 0;
    if (!is_alpha(s[0])) {
        *ret_why = s[0] ? "it begins with no scheme such as tcp://" : "it is empty";
        return NULL;
    }
    while (is_alpha(s[n]) || is_digit(s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.')
        n++;
    if (s[n] != ':') {
        *ret_why = "no ':' after the scheme";
        return NULL;
    }
    if (n >= sizeof u->scheme) {
        *ret_why = "no scheme has so long a name";
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        u->scheme[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
    u->scheme[n] = '\0';
    return s + n + 1;
}

static const char *take_local(const char *p, enum shape shape, struct url *u)
{
    u->local = true;
    if (shape == SHAPE_PATH) {
        if (p[0] != '/' || p[1] != '/')
            return "no '//' after the scheme";
        p += 2;
        const char *end = strchrnul(p, '#');
        u->path = view(p, end);
        if (*end)
            u->fragment = view(end + 1, end + strlen(end));
        if (u->path.n == 0 || (u->path.n == 1 && *p == '@'))
            return "no path in it";
        return NULL;
    }
    u->path = view(p, p + strlen(p));
    if (shape == SHAPE_BARE)
        return *p ? "nothing may follow the ':'" : NULL;
    if (shape == SHAPE_FD && (u->path.n > 9 || strspn(p, "0123456789") != u->path.n))
        return "what follows the ':' is not a descriptor's number";
    if (!*p)
        return "nothing follows the ':'";
    return NULL;
}

static const char *check_host(struct bytes host, bool v6)
{
    if (host.n > HOST_MAX)
        return "the host is over 255 bytes";
    if (v6 && !memchr(host.p, ':', host.n))
        return "no IPv6 address in the brackets";
    for (size_t i = 0; i < host.n; i++) {
        char c = (char)host.p[i];
        if (!is_alpha(c) && !is_digit(c) && !strchr("-._~", c) && !(c & 0x80) && !(v6 && (c == ':' || c == '%')))
            return "a character in the host that no host has";
    }
    return NULL;
}

static const char *take_port(const char *p, const char *end, struct reading *r)
{
    long port = 0;
    if (p == end)
        return "no port after the ':'";
    for (const char *c = p; c < end; c++) {
        if (!is_digit(*c))
            return "the port is not a number";
        if (port <= 65535)
            port = port * 10 + (*c - '0');
    }
    if (port > 65535) {
        snprintf(r->why, sizeof r->why, "port %.*s is over 65535", end - p > 20 ? 20 : (int)(end - p), p);
        return r->why;
    }
    r->u.port = (int)port;
    return NULL;
}

/* host[:port] in p..end. */
static const char *take_authority(const char *p, const char *end, struct reading *r)
{
    struct url *u = &r->u;
    size_t n = (size_t)(end - p);
    const char *why, *colon;
    if (memchr(p, '@', n))
        return "user and password do not go into a url";
    if (n > 0 && *p == '[') {
        const char *close = memchr(p, ']', n);
        if (!close)
            return "no ']' after the IPv6 address";
        if (close + 1 < end && close[1] != ':')
            return "only ':' and a port may follow the ']'";
        u->v6 = true;
        u->host = view(p + 1, close);
        colon = close + 1 < end ? close + 1 : NULL;
    } else {
        colon = memchr(p, ':', n);
        if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
            return "an IPv6 address wants brackets: [::1]";
        u->host = view(p, colon ? colon : end);
    }
    if ((why = check_host(u->host, u->v6)))
        return why;
    return colon ? take_port(colon + 1, end, r) : NULL;
}

/* RFC 3986 2.1: '%' and two hex digits. */
static const char *check_escapes(struct bytes target)
{
    static const char digits[] = "0123456789ABCDEFabcdef";
    for (size_t i = 0; i < target.n; i++)
        if (target.p[i] == '%' && (i + 2 >= target.n || !memchr(digits, target.p[i + 1], sizeof digits - 1) ||
                                   !memchr(digits, target.p[i + 2], sizeof digits - 1)))
            return "a '%' in the path without two hex digits behind it";
    return NULL;
}

static const char *take_net(const char *p, struct reading *r)
{
    struct url *u = &r->u;
    if (p[0] != '/' || p[1] != '/')
        return "no '//' after the scheme";
    p += 2;
    const char *why, *end = p + strcspn(p, "/?#");
    if ((why = take_authority(p, end, r)))
        return why;
    if (*end == '?')
        return "no '/' before the '?'";
    const char *hash = strchrnul(end, '#');
    if (*end == '/') {
        const char *query = memchr(end, '?', (size_t)(hash - end));
        u->target = view(end, hash);
        u->path = view(end, query ? query : hash);
    }
    if (*hash)
        u->fragment = view(hash + 1, hash + strlen(hash));
    return check_escapes(u->target);
}

static const char *check_bytes(const char *p, bool blanks)
{
    for (; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            return "a control byte in it";
        if (*p == ' ' && !blanks)
            return "a blank in it";
    }
    return NULL;
}

int url_parse(const char *s, struct url *ret_url, dx_err *err)
{
    struct reading r = {.u.port = -1};
    const char *why = NULL, *rest = take_scheme(s, &r.u, &why);
    if (!rest)
        return fail(err, s, why);
    enum shape shape = shape_of(r.u.scheme);
    why = check_bytes(rest, shape != SHAPE_NET);
    if (!why)
        why = shape == SHAPE_NET ? take_net(rest, &r) : take_local(rest, shape, &r.u);
    if (why)
        return fail(err, s, why);
    *ret_url = r.u;
    return 0;
}

struct bytes url_option(const struct url *u, const char *name)
{
    size_t name_n = strlen(name);
    if (u->fragment.n == 0)
        return (struct bytes){NULL, 0};
    const uint8_t *p = u->fragment.p, *end = p + u->fragment.n;
    while (p <= end) {
        const uint8_t *comma = p < end ? memchr(p, ',', (size_t)(end - p)) : NULL;
        const uint8_t *stop = comma ? comma : end;
        const uint8_t *eq = p < stop ? memchr(p, '=', (size_t)(stop - p)) : NULL;
        const uint8_t *name_end = eq ? eq : stop;
        if ((size_t)(name_end - p) == name_n && !memcmp(p, name, name_n)) {
            const uint8_t *value = eq ? eq + 1 : stop;
            return (struct bytes){value, (size_t)(stop - value)};
        }
        p = stop + 1;
    }
    return (struct bytes){NULL, 0};
}
