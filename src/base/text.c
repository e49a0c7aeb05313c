/* SPDX-License-Identifier: MIT
 * text.c - the parts of <duplex/text.h> that are nothing but bytes: growing text, hex, safe showing, JSON. */
#include <duplex/text.h>
#include "utf8.h"
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* Room for n more and the NUL. */
static int text_room(dx_text *t, size_t n)
{
    if (t->cap > t->n && t->cap - t->n > n)
        return 0;
    if (n > SIZE_MAX / 4 || t->n > SIZE_MAX / 4)
        return DX_NOMEM;
    size_t cap = t->cap ? t->cap : 64;
    while (cap <= t->n + n)
        cap *= 2;
    char *p = realloc(t->p, cap);
    if (!p)
        return DX_NOMEM;
    t->p = p;
    t->cap = cap;
    return 0;
}

int dx_text_add(dx_text *t, const void *p, size_t n)
{
    if (text_room(t, n) < 0)
        return DX_NOMEM;
    if (n)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = '\0';
    return 0;
}

void dx_text_clear(dx_text *t)
{
    t->n = 0;
    if (t->p)
        t->p[0] = '\0';
}

void dx_text_free(dx_text *t)
{
    if (!t)
        return;
    free(t->p);
    *t = (dx_text){0};
}

bool dx_is_utf8(const void *p, size_t n)
{
    uint32_t state = 0;
    return utf8_is_short_ascii(p, n) || (utf8_check(&state, p, n) && state == 0);
}

static const char hex_digit[] = "0123456789ABCDEF";

int dx_hex(const void *p, size_t n, const char *sep, dx_text *out)
{
    const uint8_t *b = p;
    size_t sep_n = strlen(sep);
    if (n > SIZE_MAX / 8 / (sep_n + 2) || text_room(out, n * (2 + sep_n)) < 0)
        return DX_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            memcpy(out->p + out->n, sep, sep_n);
            out->n += sep_n;
        }
        out->p[out->n++] = hex_digit[b[i] >> 4];
        out->p[out->n++] = hex_digit[b[i] & 15];
    }
    out->p[out->n] = '\0';
    return 0;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int dx_unhex(const char *hex, size_t n, dx_text *out, size_t *ret_at)
{
    size_t i = 0, start = out->n;
    if (text_room(out, n / 2) < 0)
        return DX_NOMEM;
    while (i < n) {
        if (hex[i] && strchr(" \t\r\n,:", hex[i])) {
            i++;
            continue;
        }
        if (n - i >= 2 && hex[i] == '0' && (hex[i + 1] | 0x20) == 'x')
            i += 2;
        int hi = i < n ? nibble(hex[i]) : -1, lo = n - i >= 2 && hi >= 0 ? nibble(hex[i + 1]) : -1;
        if (lo < 0) {
            out->n = start;
            out->p[start] = '\0';
            if (ret_at)
                *ret_at = i;
            return DX_URL;
        }
        out->p[out->n++] = (char)(hi << 4 | lo);
        i += 2;
    }
    out->p[out->n] = '\0';
    return 0;
}

/* Reorders, hides or fakes what stands around it. Variation selectors 1-16 stay: they only choose a glyph. */
static bool is_hidden(uint32_t cp)
{
    static const struct {
        uint32_t from, to;
    } hidden[] = {
        {0x0080, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F}, {0x061C, 0x061C}, {0x115F, 0x1160},
        {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},
        {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0x1BCA0, 0x1BCA3},
        {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (cp >= hidden[i].from && cp <= hidden[i].to)
            return true;
    return false;
}

static bool is_pictograph(uint32_t cp)
{
    return (cp >= 0x1F000 && cp < 0x1FB00) || (cp >= 0x2190 && cp < 0x2C00) || cp == 0xFE0F;
}

/* The joiner inside a family of emoji is what its writer meant; anywhere else it hides. */
static bool joins_pictographs(uint32_t before, const uint8_t *after, size_t n)
{
    uint32_t cp = 0;
    return is_pictograph(before) && utf8_next(after, n, &cp) && is_pictograph(cp);
}

static int visible_control(uint8_t c, const char *indent, dx_text *out)
{
    uint8_t picture[4];
    if (c == '\n' && indent) {
        int r = dx_text_add(out, "\n", 1);
        return r < 0 ? r : dx_text_add(out, indent, strlen(indent));
    }
    return dx_text_add(out, picture, utf8_put(c == 0x7F ? 0x2421u : 0x2400u + c, picture));
}

/* One character or one bad byte at p; returns its length or < 0. */
static int visible_one(const uint8_t *p, size_t n, uint32_t *before, const char *indent, dx_text *out)
{
    char mark[16];
    uint32_t cp = 0;
    size_t k = utf8_next(p, n, &cp);
    int r;
    if (k == 0) {
        k = 1;
        r = dx_text_add(out, mark, (size_t)snprintf(mark, sizeof mark, "<%02X>", p[0]));
    } else if (cp < 0x20 || cp == 0x7F) {
        bool crlf = cp == '\r' && indent && n > 1 && p[1] == '\n'; /* one line end, not a picture and one */
        r = crlf ? 0 : visible_control((uint8_t)cp, indent, out);
    } else if (is_hidden(cp) && !(cp == 0x200D && joins_pictographs(*before, p + k, n - k))) {
        r = dx_text_add(out, mark, (size_t)snprintf(mark, sizeof mark, "<U+%04X>", (unsigned)cp));
    } else {
        r = dx_text_add(out, p, k);
    }
    *before = cp;
    return r < 0 ? r : (int)k;
}

/* In a name a tab is a picture too: it would forge a column. */
static bool is_plain(uint8_t c, const char *indent)
{
    return (c >= 0x20 && c < 0x7F) || (c == '\t' && indent);
}

int dx_visible(const char *utf8, size_t n, const char *indent, dx_text *out)
{
    const uint8_t *p = (const uint8_t *)utf8;
    uint32_t before = 0;
    size_t i = 0;
    if (text_room(out, n) < 0)
        return DX_NOMEM;
    while (i < n) {
        size_t run = i;
        while (run < n && is_plain(p[run], indent))
            run++;
        if (run > i) {
            if (dx_text_add(out, p + i, run - i) < 0)
                return DX_NOMEM;
            before = 0;
            i = run;
            continue;
        }
        int k = visible_one(p + i, n - i, &before, indent, out);
        if (k < 0)
            return k;
        i += (size_t)k;
    }
    return dx_text_add(out, "", 0);
}

/* DEL and C1 are legal in JSON as they are, and escaped all the same: NDJSON is read on terminals. So are the line
 * separators that JavaScript takes for line ends. */
static int json_one(const uint8_t *p, size_t n, dx_text *out)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    char esc[8];
    uint32_t cp = 0;
    size_t k = utf8_next(p, n, &cp);
    int r;
    if (k == 0) {
        k = 1;
        r = dx_text_add(out, "\xEF\xBF\xBD", 3);
    } else if (cp && cp < 0x80 && strchr(from, (int)cp)) {
        esc[0] = '\\';
        esc[1] = to[strchr(from, (int)cp) - from];
        r = dx_text_add(out, esc, 2);
    } else if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0x2028 || cp == 0x2029) {
        r = dx_text_add(out, esc, (size_t)snprintf(esc, sizeof esc, "\\u%04x", (unsigned)cp));
    } else {
        r = dx_text_add(out, p, k);
    }
    return r < 0 ? r : (int)k;
}

int dx_json_escape(const char *utf8, size_t n, dx_text *out)
{
    const uint8_t *p = (const uint8_t *)utf8;
    size_t i = 0;
    while (i < n) {
        size_t run = i;
        while (run < n && p[run] >= 0x20 && p[run] < 0x7F && p[run] != '"' && p[run] != '\\')
            run++;
        if (run > i && dx_text_add(out, p + i, run - i) < 0)
            return DX_NOMEM;
        i = run;
        if (i == n)
            break;
        int k = json_one(p + i, n - i, out);
        if (k < 0)
            return k;
        i += (size_t)k;
    }
    return dx_text_add(out, "", 0);
}
