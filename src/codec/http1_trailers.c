/* SPDX-License-Identifier: MIT
 * http1_trailers.c - RFC 9112 7.1.2: the fields behind a chunked body. Read whole, as a head is, and by the same line. */
#include "http1_inside.h"
#include <string.h>

/* They frame or route a message: behind its body they can only be there for somebody else to see. */
static const char *const breaches[] = {"Content-Length", "Transfer-Encoding", "Host"};
/* RFC 9110 6.5.1: what routes, modifies, authenticates, controls or says how to read the content. */
static const char *const left_out[] = {
    "Age",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "Expect",
    "Expires",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Location",
    "Max-Forwards",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Retry-After",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Upgrade",
    "Vary",
    "WWW-Authenticate",
};

static bool is_one_of(struct bytes name, const char *const *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (http1_same(name, v[i], strlen(v[i])))
            return true;
    return false;
}
#define ONE_OF(name, list) is_one_of(name, list, sizeof list / sizeof *list)

bool http1_never_trails(struct bytes name)
{
    return ONE_OF(name, breaches) || ONE_OF(name, left_out);
}

/* The lines from *at to the blank one; *at is left at the line that ended it. */
static int64_t lines(const uint8_t *p, size_t *at, size_t n, struct http1_trailers *ret)
{
    for (;;) {
        struct http1_field f;
        if (*at < n && p[*at] == '\r')
            return http1_line_end(p, *at, n);
        int64_t end = http1_field_line(p, *at, n, &f);
        if (end <= 0)
            return end;
        if (ONE_OF(f.name, breaches))
            return BAD;
        if (!ONE_OF(f.name, left_out)) {
            if (ret->count == HTTP1_TRAILERS_MAX)
                return TOO_MANY;
            ret->fields[ret->count++] = f;
        }
        *at = (size_t)end;
    }
}

int64_t http1_trailers(const uint8_t *p, size_t n, size_t *scanned, struct http1_trailers *ret)
{
    n = n < HTTP1_TRAILERS_BYTES_MAX ? n : HTTP1_TRAILERS_BYTES_MAX;
    size_t was = *scanned < n ? *scanned : n, at = 0;
    *scanned = n;
    ret->count = 0;
    if (n < HTTP1_TRAILERS_BYTES_MAX && !memchr(p + was, '\n', n - was))
        return 0;
    int64_t r = lines(p, &at, n, ret);
    if (r > 0 || (r < 0 && memchr(p + at, '\n', n - at))) /* a breach counts once its line is whole, as in a head */
        return r;
    return n == HTTP1_TRAILERS_BYTES_MAX ? TOO_MANY : 0;
}
