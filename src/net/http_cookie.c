/* SPDX-License-Identifier: MIT
 * http_cookie.c - RFC 6265 and what browsers have made of it since (SameSite, Partitioned, the two prefixes of names). */
#include "base/opts.h"
#include "net/http1.h"
#include "net/http1_parts.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- Cookie: what the browser sends ---- */

/* Cuts the first "name=value" off a Cookie field; false: none left. */
static bool next_pair(dx_bytes *list, dx_bytes *name, dx_bytes *value)
{
    while (list->n) {
        const char *p = list->p, *end = memchr(p, ';', list->n);
        size_t n = end ? (size_t)(end - p) : list->n;
        *list = (dx_bytes){p + n + (end != NULL), list->n - n - (end != NULL)};
        while (n && (*p == ' ' || *p == '\t')) {
            p++;
            n--;
        }
        while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
            n--;
        const char *is = memchr(p, '=', n);
        if (!is)
            continue;
        *name = (dx_bytes){p, (size_t)(is - p)};
        *value = (dx_bytes){is + 1, n - name->n - 1};
        return true;
    }
    return false;
}

/* wanted NULL: the i-th. */
static dx_bytes find(const dx_conn *c, const char *wanted, size_t i, dx_bytes *ret_name)
{
    dx_bytes field, list, name, value;
    for (size_t at = 0; (list = dx_http_header_at(c, at, &field)).p; at++) {
        if (field.n != 6 || strncasecmp(field.p, "Cookie", 6))
            continue;
        while (next_pair(&list, &name, &value)) {
            bool it = wanted ? name.n == strlen(wanted) && !memcmp(name.p, wanted, name.n) : i-- == 0;
            if (it && ret_name)
                *ret_name = name;
            if (it)
                return value;
        }
    }
    return (dx_bytes){NULL, 0};
}

dx_bytes dx_http_cookie(const dx_conn *c, const char *name)
{
    return find(c, name, 0, NULL);
}

dx_bytes dx_http_cookie_at(const dx_conn *c, size_t i, dx_bytes *ret_name)
{
    return find(c, NULL, i, ret_name);
}

/* ---- Set-Cookie ---- */

/* cookie-octet, RFC 6265 4.1.1: no blank, quote, comma, semicolon, backslash, control or beyond ASCII. */
static bool is_value(const char *s)
{
    for (; *s; s++)
        if ((uint8_t)*s <= ' ' || (uint8_t)*s >= 127 || strchr("\",;\\", *s))
            return false;
    return true;
}

static bool is_attribute(const char *s)
{
    for (; s && *s; s++)
        if ((uint8_t)*s < ' ' || (uint8_t)*s >= 127 || *s == ';')
            return false;
    return true;
}

static bool begins(const char *s, const char *with)
{
    return !strncasecmp(s, with, strlen(with));
}

/* Would a browser keep it? */
static bool is_sound(const dx_cookie *k)
{
    bool host = begins(k->name, "__Host-"), secure = host || begins(k->name, "__Secure-");
    if (!http1_is_token(k->name) || !is_value(k->value) || !is_attribute(k->path) || !is_attribute(k->domain))
        return false;
    if (k->path && *k->path != '/')
        return false;
    if (host && (k->domain || !k->path || strcmp(k->path, "/")))
        return false;
    return k->secure || !(secure || k->partitioned || k->same_site == DX_SAME_SITE_NONE);
}

static void say_attribute(struct draft *d, const char *name, const char *value)
{
    draft_say(d, name);
    draft_say(d, value);
}

/* What tells it from others of its name: "; Path=/a; Domain=b". */
static void say_scope(struct draft *d, const dx_cookie *k)
{
    if (k->path)
        say_attribute(d, "; Path=", k->path);
    if (k->domain)
        say_attribute(d, "; Domain=", k->domain);
}

static void say_rest(struct draft *d, const dx_cookie *k)
{
    static const char *const sites[] = {"", "; SameSite=Lax", "; SameSite=Strict", "; SameSite=None"};
    char age[32];
    snprintf(age, sizeof age, "; Max-Age=%lld", (long long)(k->max_age_s > 0 ? k->max_age_s : 0));
    draft_say(d, k->max_age_s ? age : "");
    draft_say(d, (size_t)k->same_site < 4 ? sites[k->same_site] : "");
    draft_say(d, k->secure ? "; Secure" : "");
    draft_say(d, k->http_only ? "; HttpOnly" : "");
    draft_say(d, k->partitioned ? "; Partitioned" : "");
}

int dx_http_set_cookie_sized(dx_conn *c, const dx_cookie *given, size_t n)
{
    dx_cookie k;
    struct draft line = {0}, scope = {0};
    if (opts_read(given, n, &k, sizeof k, NULL) < 0)
        return DX_ABSENT;
    if (!k.name || !k.value || !is_sound(&k))
        return DX_URL;
    say_scope(&scope, &k);
    draft_say(&line, k.name);
    draft_say(&line, "=");
    draft_say(&line, k.value);
    draft_add(&line, scope.t.p, scope.t.n);
    say_rest(&line, &k);
    int r = line.r < 0    ? line.r
            : scope.r < 0 ? scope.r
                          : http_set_cookie_line(c, k.name, scope.t.p ? scope.t.p : "", line.t.p);
    dx_text_free(&line.t);
    dx_text_free(&scope.t);
    return r;
}
