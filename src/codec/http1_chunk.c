/* SPDX-License-Identifier: MIT
 * http1_chunk.c - RFC 9112 section 7.1: a chunked body in pieces, up to its trailer section. As strict as the head: CR LF only,
 * sizes of hex digits alone, extensions by the grammar of 7.1.1, no control bytes anywhere. */
#include "http1.h"
#include "http1_scan.h"

enum { SIZE_DIGITS_MAX = 16, SIZE_LINE_MAX = 256, CHUNK_FREE = 16, EXTRA_MAX = 16384, BAD = -400 };
enum state {
    SIZE_FIRST, /* the first digit of a size */
    SIZE,
    EXT_BLANK, /* "5 ;x": a blank before ';' is bad style, not a breach */
    EXT_FIRST, /* behind ';' */
    EXT_NAME,
    EXT_NAME_BLANK,
    EXT_EQUALS, /* behind '=' */
    EXT_VALUE,
    EXT_QUOTED,
    EXT_PAIR, /* behind a backslash */
    EXT_QUOTED_END,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    END
};

static int digit_of(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    return is_hex(c) ? (c | 0x20) - 'a' + 10 : -1;
}

static bool is_blank(uint8_t b)
{
    return b == ' ' || b == '\t';
}

static bool is_token(uint8_t b)
{
    return char_class[b] & IN_TOKEN;
}

/* Behind a size, a name or a value; blank: the state of a blank there. */
static int after_part(uint8_t b, int blank)
{
    return b == '\r' ? SIZE_LF : b == ';' ? EXT_FIRST : is_blank(b) ? blank : -1;
}

static int step_digit(struct http1_chunks *c, uint8_t b)
{
    int d = digit_of(b);
    if (d < 0)
        return c->state == SIZE ? after_part(b, EXT_BLANK) : -1;
    if (++c->digits > SIZE_DIGITS_MAX || c->left >> 59) /* over 2^63 - 1 after this digit */
        return -1;
    c->left = c->left << 4 | (uint64_t)d;
    return SIZE;
}

/* Which state follows within an extension; -1: none may. */
static int step_extension(enum state state, uint8_t b)
{
    switch (state) {
    case EXT_BLANK:
        return b == ';' ? EXT_FIRST : is_blank(b) ? EXT_BLANK : -1;
    case EXT_FIRST:
        return is_token(b) ? EXT_NAME : is_blank(b) ? EXT_FIRST : -1;
    case EXT_NAME:
        return is_token(b) ? EXT_NAME : b == '=' ? EXT_EQUALS : after_part(b, EXT_NAME_BLANK);
    case EXT_NAME_BLANK:
        return b == '=' ? EXT_EQUALS : b == ';' ? EXT_FIRST : is_blank(b) ? EXT_NAME_BLANK : -1;
    case EXT_EQUALS:
        return b == '"' ? EXT_QUOTED : is_token(b) ? EXT_VALUE : is_blank(b) ? EXT_EQUALS : -1;
    case EXT_VALUE:
        return is_token(b) ? EXT_VALUE : after_part(b, EXT_BLANK);
    case EXT_QUOTED:
        return b == '"' ? EXT_QUOTED_END : b == '\\' ? EXT_PAIR : char_class[b] & IN_VALUE ? EXT_QUOTED : -1;
    case EXT_PAIR:
        return char_class[b] & IN_VALUE ? EXT_QUOTED : -1;
    default: /* EXT_QUOTED_END */
        return after_part(b, EXT_BLANK);
    }
}

/* A size line is through: who sends more of them than of data wastes our time. */
static int end_size_line(struct http1_chunks *c)
{
    uint64_t extra = (uint64_t)c->extra + c->line_n,
             paid = CHUNK_FREE + (c->left < EXTRA_MAX ? 2 * c->left : 2 * EXTRA_MAX);
    c->extra = extra > paid ? (uint32_t)(extra - paid) : 0;
    c->line_n = c->digits = 0;
    return c->extra > EXTRA_MAX ? -1 : c->left ? DATA : END;
}

static int step_size_line(struct http1_chunks *c, uint8_t b)
{
    if (++c->line_n > SIZE_LINE_MAX)
        return -1;
    if (c->state <= SIZE)
        return step_digit(c, b);
    if (c->state == SIZE_LF)
        return b == '\n' ? end_size_line(c) : -1;
    return step_extension((enum state)c->state, b);
}

/* One byte that is not data. */
static bool step(struct http1_chunks *c, uint8_t b)
{
    int next;
    if (c->state == DATA_CR)
        next = b == '\r' ? DATA_LF : -1;
    else if (c->state == DATA_LF)
        next = b == '\n' ? SIZE_FIRST : -1;
    else
        next = step_size_line(c, b);
    if (next < 0)
        return false;
    c->state = (uint8_t)next;
    return true;
}

int64_t http1_chunk(struct http1_chunks *c, const uint8_t *p, size_t n, struct bytes *ret, bool *ret_end)
{
    size_t i = 0;
    if (c->state == DATA_CR && n > 1 && p[0] == '\r' && p[1] == '\n') {
        c->state = SIZE_FIRST;
        i = 2;
    }
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
