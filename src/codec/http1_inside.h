/* SPDX-License-Identifier: MIT
 * http1_inside.h - what the files of the parser share. */
#ifndef CODEC_HTTP1_INSIDE_H
#define CODEC_HTTP1_INSIDE_H
#include "http1.h"
#include "http1_scan.h"
#include <string.h>

/* What a breach wants to be answered with. */
enum {
    BAD = -400,
    TOO_LARGE = -413,
    LONG_TARGET = -414,
    EXPECTS = -417,
    TOO_MANY = -431,
    UNKNOWN = -501,
    VERSION = -505,
};

/* Any case, on both sides. */
static inline bool http1_same(struct bytes b, const char *word, size_t n)
{
    if (b.n != n)
        return false;
    size_t i = 0;
    while (i < n && lower(b.p[i]) == lower((uint8_t)word[i]))
        i++;
    return i == n;
}

/* The same for a word in small letters, digits, '-', ':' and '/': no byte of a token or a value but these and capitals gives them. */
static inline bool http1_is(struct bytes b, const char *word, size_t n)
{
    if (b.n != n)
        return false;
    size_t i = 0;
    while (i < n && (b.p[i] | 0x20) == word[i])
        i++;
    return i == n;
}
#define SAME(b, word) http1_is(b, word, sizeof(word) - 1)

static inline struct bytes trim(const uint8_t *p, size_t n)
{
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    while (n > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    return (struct bytes){p, n};
}

/* At i there must be CR LF: the offset behind it, 0: not there yet. */
static inline int64_t http1_line_end(const uint8_t *p, size_t i, size_t n)
{
    if (i < n && p[i] != '\r')
        return BAD;
    if (i + 1 >= n)
        return 0;
    return p[i + 1] == '\n' ? (int64_t)i + 2 : BAD;
}

/* The field line at p[at]: the offset behind its CR LF, 0: not whole yet, or BAD. Inline: it is the most of a head. */
static inline int64_t http1_field_line(const uint8_t *p, size_t at, size_t n, struct http1_field *ret)
{
    size_t i = at + token_run(p + at, n - at);
    if (i == n)
        return 0;
    if (i == at || p[i] != ':') /* also a folded line, and a blank before the colon */
        return BAD;
    size_t value = i + 1, end = value + field_run(p + value, n - value);
    ret->name = (struct bytes){p + at, i - at};
    ret->value = trim(p + value, end - value);
    return http1_line_end(p, end, n);
}

/* host [":" port] of RFC 3986; port_needed: and a port that can be dialled. */
bool http1_host_ok(struct bytes h, bool port_needed);
/* Takes ret->target apart into path, query and host; BAD: not one of the four forms, or not by this method. */
int http1_take_target(struct http1_head *ret);
#endif
