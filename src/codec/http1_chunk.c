/* SPDX-License-Identifier: MIT
 * http1_chunk.c - RFC 9112 section 7.1: a chunked body in pieces. As strict as the head: CR LF only, nothing behind the size
 * but an extension that begins with ';', no control bytes anywhere. */
#include "http1.h"
#include "http1_scan.h"

enum { SIZE_LINE_MAX = 256, TRAILERS_MAX = 8192, BAD = -400 };
enum state {
    SIZE_FIRST, /* the first digit of a size */
    SIZE,
    SIZE_BLANK, /* "5 ;x": a blank before ';' is bad style, not a breach (7.1.1) */
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST, /* the first byte of a trailer line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    END
};

static int digit_of(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    return is_hex(c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* Which state follows within a size line; -1: none may. */
static int step_size(struct http1_chunks *c, uint8_t b)
{
    int d;
    switch ((enum state)c->state) {
    case SIZE_FIRST:
    case SIZE:
        d = digit_of(b);
        if (d >= 0) {
            if (c->left >> 59) /* over 2^63 - 1 after this digit */
                return -1;
            c->left = c->left << 4 | (uint64_t)d;
            return SIZE;
        }
        if (c->state == SIZE_FIRST)
            return -1;
        return b == '\r' ? SIZE_LF : b == ';' ? EXTENSION : b == ' ' || b == '\t' ? SIZE_BLANK : -1;
    case SIZE_BLANK:
        return b == ';' ? EXTENSION : b == ' ' || b == '\t' ? SIZE_BLANK : -1;
    case EXTENSION:
        return b == '\r' ? SIZE_LF : char_class[b] & IN_VALUE ? EXTENSION : -1;
    default: /* SIZE_LF */
        return b != '\n' ? -1 : c->left ? DATA : TRAILER_FIRST;
    }
}

static int step_trailer(const struct http1_chunks *c, uint8_t b)
{
    switch ((enum state)c->state) {
    case TRAILER_FIRST:
        return b == '\r' ? LAST_LF : char_class[b] & IN_TOKEN ? TRAILER_NAME : -1;
    case TRAILER_NAME:
        return b == ':' ? TRAILER_VALUE : char_class[b] & IN_TOKEN ? TRAILER_NAME : -1;
    case TRAILER_VALUE:
        return b == '\r' ? TRAILER_LF : char_class[b] & IN_VALUE ? TRAILER_VALUE : -1;
    case TRAILER_LF:
        return b == '\n' ? TRAILER_FIRST : -1;
    default: /* LAST_LF */
        return b == '\n' ? END : -1;
    }
}

/* One byte that is not data. */
static bool step(struct http1_chunks *c, uint8_t b)
{
    int next;
    if (c->state == DATA_CR)
        next = b == '\r' ? DATA_LF : -1;
    else if (c->state == DATA_LF)
        next = b == '\n' ? SIZE_FIRST : -1;
    else if (c->state < DATA)
        next = ++c->line_n > SIZE_LINE_MAX ? -1 : step_size(c, b);
    else
        next = ++c->line_n > TRAILERS_MAX ? -1 : step_trailer(c, b);
    if (next < 0)
        return false;
    if (next == DATA || next == SIZE_FIRST || (next == TRAILER_FIRST && c->state == SIZE_LF))
        c->line_n = 0;
    c->state = (uint8_t)next;
    return true;
}

int64_t http1_chunk(struct http1_chunks *c, const uint8_t *p, size_t n, struct bytes *ret, bool *ret_end)
{
    size_t i = 0;
    while (i < n && c->state != DATA && c->state != END)
        if (!step(c, p[i++]))
            return BAD;
    size_t k = 0;
    if (c->state == DATA) {
        k = n - i < c->left ? n - i : (size_t)c->left;
        c->left -= k;
        if (c->left == 0)
            c->state = DATA_CR;
    }
    *ret = (struct bytes){n ? p + i : p, k};
    *ret_end = c->state == END;
    return (int64_t)(i + k);
}
