/* SPDX-License-Identifier: MIT */
#include "base/url_join.h"
#include <stdio.h>
#include <string.h>

struct joining {
    dx_text *out;
    int r;
};

static void add(struct joining *j, const void *p, size_t n)
{
    if (j->r == 0)
        j->r = dx_text_add(j->out, p, n);
}

static void say(struct joining *j, const char *s)
{
    add(j, s, strlen(s));
}

/* How long the scheme with its ':' is; 0: it has none, and the reference is a relative one. */
static size_t scheme_n(struct bytes ref)
{
    size_t n = 0;
    while (n < ref.n &&
           ((ref.p[n] | 32) >= 'a' ? (ref.p[n] | 32) <= 'z' : n > 0 && ref.p[n] && strchr("0123456789+-.", ref.p[n])))
        n++;
    return n > 0 && n < ref.n && ref.p[n] == ':' ? n + 1 : 0;
}

static void add_authority(struct joining *j, const struct url *u)
{
    char port[16] = "";
    if (u->port >= 0)
        snprintf(port, sizeof port, ":%d", u->port);
    add(j, "[", u->v6);
    add(j, u->host.p, u->host.n);
    add(j, "]", u->v6);
    say(j, port);
}

/* Takes "." and ".." out of the path that begins at from in out (RFC 3986 5.2.4), up to its query. */
static void take_dots_out(dx_text *out, size_t from)
{
    char *p = out->p + from, *end = out->p + out->n, *to = p;
    char *stop = memchr(p, '?', (size_t)(end - p));
    stop = stop ? stop : end;
    while (p < stop) {
        char *slash = memchr(p + 1, '/', (size_t)(stop - p - 1));
        size_t n = (size_t)((slash ? slash : stop) - p);
        bool one = n == 2 && p[1] == '.', two = n == 3 && p[1] == '.' && p[2] == '.';
        if (two)
            while (to > out->p + from && *--to != '/')
                ;
        if (!one && !two) {
            memmove(to, p, n);
            to += n;
        } else if (!slash) {
            *to++ = '/'; /* they named a folder */
        }
        p += n;
    }
    memmove(to, stop, (size_t)(end - stop));
    out->n -= (size_t)(stop - to);
    out->p[out->n] = 0;
}

static bool is_escape(const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789ABCDEFabcdef";
    return n > 2 && memchr(digits, p[1], sizeof digits - 1) && memchr(digits, p[2], sizeof digits - 1);
}

/* As browsers do: what cannot stand there is escaped, a '%' that escapes nothing too. */
static void add_encoded(struct joining *j, struct bytes b)
{
    for (size_t i = 0; i < b.n && j->r == 0; i++) {
        char hex[4];
        snprintf(hex, sizeof hex, "%%%02X", b.p[i]);
        if (b.p[i] < ' ' || b.p[i] == 0x7F)
            j->r = DX_URL;
        else if (b.p[i] == ' ' || b.p[i] > 0x7E || (b.p[i] == '%' && !is_escape(b.p + i, b.n - i)))
            add(j, hex, 3);
        else
            add(j, b.p + i, 1);
    }
}

/* Path and query behind the authority. */
static void add_target(struct joining *j, const struct url *base, struct bytes ref)
{
    size_t from = j->out->n;
    size_t folder = base->path.n;
    if (ref.n == 0 || ref.p[0] == '?') { /* base's path, and its query if there is none */
        add(j, base->path.n ? (const void *)base->path.p : "/", base->path.n ? base->path.n : 1);
        if (ref.n == 0 && base->target.n > base->path.n)
            add(j, base->target.p + base->path.n, base->target.n - base->path.n);
    } else if (ref.p[0] != '/') {
        while (folder > 0 && base->path.p[folder - 1] != '/')
            folder--;
        add(j, folder ? (const void *)base->path.p : "/", folder ? folder : 1);
    }
    add_encoded(j, ref);
    if (j->r == 0 && j->out->n > from)
        take_dots_out(j->out, from);
}

int url_join(const struct url *base, struct bytes ref, dx_text *out)
{
    struct joining j = {.out = out};
    const uint8_t *hash = ref.n ? memchr(ref.p, '#', ref.n) : NULL;
    if (hash)
        ref.n = (size_t)(hash - ref.p);
    size_t scheme = scheme_n(ref), host = 0;
    if (base->local || base->host.n == 0)
        return DX_URL;
    if (scheme) {
        add(&j, ref.p, scheme);
        ref.p += scheme;
        ref.n -= scheme;
        if (ref.n < 2 || memcmp(ref.p, "//", 2) != 0) { /* another kind of thing: as it is */
            add_encoded(&j, ref);
            return j.r;
        }
    } else {
        say(&j, base->scheme);
        say(&j, ":");
    }
    say(&j, "//");
    if (ref.n < 2 || memcmp(ref.p, "//", 2) != 0) {
        add_authority(&j, base);
        add_target(&j, base, ref);
        return j.r;
    }
    for (host = 2; host < ref.n && !strchr("/?", ref.p[host]);)
        host++;
    add_encoded(&j, (struct bytes){ref.p + 2, host - 2});
    ref = (struct bytes){ref.p + host, ref.n - host};
    if (ref.n == 0 || ref.p[0] == '?')
        say(&j, "/");
    size_t from = j.out->n - (ref.n == 0 || ref.p[0] == '?');
    add_encoded(&j, ref);
    if (j.r == 0)
        take_dots_out(j.out, from);
    return j.r;
}

int url_ascii(struct bytes text, dx_text *out)
{
    return dx_percent_encode((const char *)text.p, text.n, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}", out);
}
