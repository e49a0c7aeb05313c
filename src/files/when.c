/* SPDX-License-Identifier: MIT
 * when.c - what a request's conditions (RFC 9110 13) lead to. */
#include "files/inside.h"
#include <string.h>
#include <strings.h>

static bool dated(dx_bytes v, int64_t *ret)
{
    return dx_http_date_read(v, time(NULL), ret) == 0;
}

/* Does the list name this entity tag? weak: W/ is looked over (RFC 9110 8.8.3.2). */
static bool names(dx_bytes list, const char *etag, bool weak)
{
    const char *p = list.p, *end = p + list.n;
    bool ours_weak = !strncmp(etag, "W/", 2);
    const char *ours = ours_weak ? etag + 2 : etag;
    if (list.n == 1 && *p == '*')
        return true;
    while (p < end) {
        bool theirs_weak = end - p > 2 && !memcmp(p, "W/", 2);
        if (theirs_weak)
            p += 2;
        if (*p != '"') {
            p++; /* a comma or a blank, or what is no entity tag */
            continue;
        }
        const char *q = memchr(p + 1, '"', (size_t)(end - p - 1));
        if (!q)
            return false;
        if ((weak || (!ours_weak && !theirs_weak)) && (size_t)(q + 1 - p) == strlen(ours) &&
            !memcmp(p, ours, (size_t)(q + 1 - p)))
            return true;
        p = q + 1;
    }
    return false;
}

static bool is_field(dx_bytes name, const char *field)
{
    return name.n == strlen(field) && !strncasecmp(name.p, field, name.n);
}

/* The same for a field that may come in several lines, which are one list. */
static bool field_names(const dx_conn *c, const char *field, const char *etag, bool weak)
{
    dx_bytes v, name;
    for (size_t i = 0; (v = dx_http_header_at(c, i, &name)).p; i++)
        if (is_field(name, field) && names(v, etag, weak))
            return true;
    return false;
}

/* A field that has one value and no more; p NULL: not there, or there twice. */
static dx_bytes only(const dx_conn *c, const char *field)
{
    dx_bytes v, name, ret = {NULL, 0};
    for (size_t i = 0; (v = dx_http_header_at(c, i, &name)).p; i++)
        if (is_field(name, field)) {
            if (ret.p)
                return (dx_bytes){NULL, 0};
            ret = v;
        }
    return ret;
}

int condition_status(const dx_conn *c, const struct facts *f)
{
    static const char match[] = "If-Match", none[] = "If-None-Match";
    int64_t t;
    if (dx_http_header(c, match).p) {
        if (!*f->etag || !field_names(c, match, f->etag, false))
            return 412;
    } else if (dated(only(c, "If-Unmodified-Since"), &t) && f->modified > t) {
        return 412;
    }
    if (dx_http_header(c, none).p)
        return *f->etag && field_names(c, none, f->etag, true) ? 304 : 0;
    return dated(only(c, "If-Modified-Since"), &t) && f->modified <= t ? 304 : 0;
}

bool condition_range(const dx_conn *c, const struct facts *f)
{
    dx_bytes field = only(c, "If-Range");
    int64_t t;
    if (!field.p)
        return !dx_http_header(c, "If-Range").p;
    if (field.n > 1 && (*(const char *)field.p == '"' || !memcmp(field.p, "W/", 2)))
        return *f->etag && names(field, f->etag, false);
    /* A date is a strong validator where the file was not changed in the second before it was asked for. */
    return dated(field, &t) && t == f->modified && f->modified < time(NULL) - 1;
}
