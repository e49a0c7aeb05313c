/* SPDX-License-Identifier: MIT
 * http_facts.c - what the fields of a head say, read: lists with weights, a media type's charset, the query's fields, a name for
 * the exchange. Nothing is kept: each call reads the head's views. */
#include "net/http1.h"
#include "os/clock.h"
#include "os/lock.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static dx_bytes trim(const char *p, size_t n)
{
    while (n > 0 && is_blank(*p)) {
        p++;
        n--;
    }
    while (n > 0 && is_blank(p[n - 1]))
        n--;
    return (dx_bytes){p, n};
}

/* Cuts off what stands before the first `at` that is not in quotes; false: nothing is left. */
static bool next_part(dx_bytes *list, char at, dx_bytes *ret)
{
    const char *p = list->p;
    bool quoted = false;
    size_t i = 0;
    if (!p)
        return false;
    for (; i < list->n && (quoted || p[i] != at); i++) {
        if (p[i] == '\\' && quoted && i + 1 < list->n)
            i++;
        else if (p[i] == '"')
            quoted = !quoted;
    }
    *ret = trim(p, i);
    *list = i < list->n ? (dx_bytes){p + i + 1, list->n - i - 1} : (dx_bytes){NULL, 0};
    return true;
}

/* "name=value", value without quotes; false: another name. */
static bool parameter(dx_bytes part, const char *name, dx_bytes *ret)
{
    size_t n = strlen(name);
    const char *p = part.p;
    if (part.n <= n || strncasecmp(p, name, n) || p[n] != '=')
        return false;
    *ret = (dx_bytes){p + n + 1, part.n - n - 1};
    if (ret->n >= 2 && p[n + 1] == '"' && p[part.n - 1] == '"')
        *ret = (dx_bytes){p + n + 2, part.n - n - 3};
    return true;
}

/* qvalue of RFC 9110 12.4.2 in thousandths; what is none counts as 0. */
static int weight_of(dx_bytes v)
{
    const char *p = v.p;
    int q = 0, digit = 100;
    if (!v.n || v.n > 5 || (*p != '0' && *p != '1') || (v.n > 1 && p[1] != '.'))
        return 0;
    for (size_t i = 2; i < v.n; i++, digit /= 10) {
        if (p[i] < '0' || p[i] > '9')
            return 0;
        q += (p[i] - '0') * digit;
    }
    return *p == '1' ? q == 0 ? 1000 : 0 : q;
}

/* How precisely a range fits; 0: not at all. "*" and "text/" with a star, a language's first subtags, all of it. */
static int fit(dx_bytes range, const char *what)
{
    const char *p = range.p;
    size_t n = strlen(what);
    if (range.n == 1 && *p == '*')
        return 1;
    if (range.n == 3 && !memcmp(p, "*/*", 3))
        return 1;
    if (range.n > 2 && !memcmp(p + range.n - 2, "/*", 2))
        return n >= range.n - 1 && !strncasecmp(p, what, range.n - 1) ? 2 : 0;
    if (range.n > n || !range.n || strncasecmp(p, what, range.n))
        return 0;
    return range.n == n ? 1000 : what[range.n] == '-' && !strchr(what, '/') ? 2 + (int)(range.n & 255) : 0;
}

int dx_http_quality(dx_bytes list, const char *what)
{
    dx_bytes item, part, v;
    int best = 0, q = 0;
    if (!list.p)
        return 1000;
    while (next_part(&list, ',', &item)) {
        dx_bytes range;
        int weight = 1000;
        next_part(&item, ';', &range);
        while (next_part(&item, ';', &part))
            if (parameter(part, "q", &v))
                weight = weight_of(v);
        int now = fit(range, what);
        if (now > best || (now == best && now && weight > q)) {
            best = now;
            q = weight;
        }
    }
    return best || strcmp(what, "identity") ? q : 1; /* RFC 9110 12.5.3: fine unless it is said to be not */
}

/* A quoted string's value with its quoted pairs taken for what they mean (RFC 9110 5.6.4); in text, where there are some. */
static dx_bytes unquoted(dx_bytes v, char *text, size_t room)
{
    const char *p = v.p;
    size_t n = 0;
    if (!v.n || !memchr(p, '\\', v.n))
        return v;
    for (size_t i = 0; i < v.n && n < room; i++) {
        i += p[i] == '\\' && i + 1 < v.n;
        text[n++] = p[i];
    }
    return (dx_bytes){text, n};
}

dx_bytes dx_http_charset(const dx_conn *c)
{
    static _Thread_local char text[64];
    dx_bytes type = dx_http_header(c, "Content-Type"), part, v;
    while (next_part(&type, ';', &part))
        if (parameter(part, "charset", &v))
            return unquoted(v, text, sizeof text);
    return (dx_bytes){NULL, 0};
}

int dx_http_param(const dx_conn *c, const char *name, size_t nth, dx_text *out)
{
    dx_bytes q = dx_http_query(c);
    return dx_form_get(q.p, q.n, name, nth, out);
}

int dx_http_param_at(const dx_conn *c, size_t i, dx_text *name, dx_text *value)
{
    dx_bytes q = dx_http_query(c);
    return dx_form_at(q.p, q.n, i, name, value);
}

bool dx_http_keeps_alive(const dx_conn *c)
{
    const struct http1 *h = http1_of(c);
    return h && h->x && !h->x->head.close && !h->last && !h->from->draining;
}

static uint64_t chance[2];

static void take_chance(void)
{
    os_random(chance, sizeof chance);
}

/* A bijection: no two ids of conns meet. */
static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
    v = (v ^ v >> 27) * 0x94d049bb133111ebu;
    return v ^ v >> 31;
}

const char *dx_http_id(const dx_conn *c)
{
    static os_once once = OS_ONCE_INIT;
    static _Thread_local char text[33];
    os_once_do(&once, take_chance);
    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)chance[0],
             (unsigned long long)mix(dx_id_of(c) ^ chance[1]));
    return text;
}
