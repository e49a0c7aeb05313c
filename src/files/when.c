/* SPDX-License-Identifier: MIT
 * when.c - dates of HTTP (RFC 9110 5.6.7), and what a request's conditions (13) make of them. */
#include "files/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void when_write(char ret[32], time_t t)
{
    struct tm m;
    gmtime_r(&t, &m);
    snprintf(ret, 32, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[m.tm_wday % 7], m.tm_mday % 100,
             months[m.tm_mon % 12], (m.tm_year + 1900) % 10000, m.tm_hour % 100, m.tm_min % 100, m.tm_sec % 100);
}

static int month_of(const char *s)
{
    for (int i = 0; i < 12; i++)
        if (!strcmp(s, months[i]))
            return i;
    return -1;
}

/* RFC 9110: a year of two digits that seems to be more than 50 years ahead is of the century before. */
static int full_year(int two, time_t now)
{
    struct tm m;
    gmtime_r(&now, &m);
    int year = (m.tm_year + 1900) / 100 * 100 + two;
    return year > m.tm_year + 1900 + 50 ? year - 100 : year;
}

bool when_read(dx_bytes s, time_t now, time_t *ret)
{
    struct tm m = {0};
    char text[40], month[4] = "", zone[4] = "", weekday[10];
    int end = -1, year;
    if (!s.p || s.n >= sizeof(text) || s.n < 24)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    if (sscanf(text, "%3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]%n", weekday, &m.tm_mday, month, &year,
               &m.tm_hour, &m.tm_min, &m.tm_sec, zone, &end) == 8) {
    } else if (sscanf(text, "%9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d %3[A-Z]%n", weekday, &m.tm_mday, month, &year,
                      &m.tm_hour, &m.tm_min, &m.tm_sec, zone, &end) == 8) {
        year = full_year(year, now);
    } else if (sscanf(text, "%3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", weekday, month, &m.tm_mday, &m.tm_hour,
                      &m.tm_min, &m.tm_sec, &year, &end) == 7) {
        memcpy(zone, "GMT", 4);
    } else {
        return false;
    }
    m.tm_mon = month_of(month);
    m.tm_year = year - 1900;
    if (end < 0 || text[end] || strcmp(zone, "GMT") || m.tm_mon < 0 || m.tm_mday < 1 || m.tm_mday > 31 ||
        m.tm_hour > 23 || m.tm_min > 59 || m.tm_sec > 60)
        return false;
    *ret = timegm(&m);
    return true;
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
    time_t t, now = time(NULL);
    if (dx_http_header(c, match).p) {
        if (!*f->etag || !field_names(c, match, f->etag, false))
            return 412;
    } else if (when_read(only(c, "If-Unmodified-Since"), now, &t) && f->modified > t) {
        return 412;
    }
    if (dx_http_header(c, none).p)
        return *f->etag && field_names(c, none, f->etag, true) ? 304 : 0;
    return when_read(only(c, "If-Modified-Since"), now, &t) && f->modified <= t ? 304 : 0;
}

bool condition_range(const dx_conn *c, const struct facts *f)
{
    dx_bytes field = only(c, "If-Range");
    time_t t;
    if (!field.p)
        return !dx_http_header(c, "If-Range").p;
    if (field.n > 1 && (*(const char *)field.p == '"' || !memcmp(field.p, "W/", 2)))
        return *f->etag && names(field, f->etag, false);
    /* A date is a strong validator where the file was not changed in the second before it was asked for. */
    return when_read(field, time(NULL), &t) && t == f->modified && f->modified < time(NULL) - 1;
}
