/* SPDX-License-Identifier: MIT
 * ws_lists.c - the two fields of a WebSocket's handshake that are lists (RFC 6455 4.3): do they read? */
#include "http1_inside.h"
#include "ws.h"

static bool is_token(struct bytes b)
{
    return b.n > 0 && token_run(b.p, b.n) == b.n;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.n == b.n && !memcmp(a.p, b.p, a.n);
}

bool ws_tokens_has(const struct ws_tokens *t, struct bytes token)
{
    for (size_t i = 0; i < t->n; i++)
        if (same(t->v[i], token))
            return true;
    return false;
}

bool ws_tokens_add(struct ws_tokens *t, struct bytes value, bool strict)
{
    struct bytes e;
    size_t had = t->n;
    while (http1_list_next(&value, &e)) {
        if (e.n == 0 && !strict)
            continue; /* RFC 9110 5.6.1.2: a reader takes empty elements, and counts them for nothing */
        if (!is_token(e) || ws_tokens_has(t, e) || t->n == WS_TOKENS_MAX)
            return false;
        t->v[t->n++] = e;
    }
    return t->n > had;
}

static const uint8_t *skip_blank(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* Behind a token and the blanks that follow it; NULL: there is none. */
static const uint8_t *skip_token(const uint8_t *p, const uint8_t *end)
{
    size_t n = token_run(p, (size_t)(end - p));
    return n ? skip_blank(p + n, end) : NULL;
}

/* A token, or one in quotes, where any byte of it may have a backslash before it. */
static const uint8_t *skip_value(const uint8_t *p, const uint8_t *end)
{
    if (p == end || *p != '"')
        return skip_token(p, end);
    const uint8_t *first = ++p;
    for (; p < end && *p != '"'; p++) {
        p += *p == '\\';
        if (p == end || !token_run(p, 1))
            return NULL;
    }
    return p < end && p > first ? skip_blank(p + 1, end) : NULL;
}

static const uint8_t *skip_extension(const uint8_t *p, const uint8_t *end)
{
    p = skip_token(p, end);
    while (p && p < end && *p == ';') {
        p = skip_token(skip_blank(p + 1, end), end);
        if (p && p < end && *p == '=')
            p = skip_value(skip_blank(p + 1, end), end);
    }
    return p;
}

bool ws_extensions_read(struct bytes value)
{
    const uint8_t *p = skip_blank(value.p, value.p + value.n), *end = value.p + value.n;
    bool some = false;
    while (p && p < end) {
        if (*p != ',') {
            p = skip_extension(p, end);
            some = true;
        }
        if (!p || (p < end && *p != ','))
            return false;
        p = p < end ? skip_blank(p + 1, end) : p;
    }
    return p && some;
}
