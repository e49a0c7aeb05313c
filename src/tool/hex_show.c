/* SPDX-License-Identifier: MIT
 * hex_show.c - bytes as pairs of digits, as a dump (that of hexdump -C, no line left out), or as they are. */
#include "tool/hex.h"
#include "tool/edit.h"
#include <string.h>

/* ---- pairs ---- */

static void show_pairs(struct hex_show *s, const char *digits, size_t n)
{
    for (size_t i = 0; i < n; i++, s->offset++) {
        if (s->offset && s->offset % s->group == 0)
            fputs(s->sep, s->to);
        putc_unlocked(digits[2 * i], s->to);
        putc_unlocked(digits[2 * i + 1], s->to);
    }
}

static void end_pairs(struct hex_show *s, char odd)
{
    if (odd && s->offset && s->offset % s->group == 0)
        fputs(s->sep, s->to);
    if (odd)
        putc_unlocked(odd, s->to);
    if (odd || s->offset)
        putc_unlocked('\n', s->to);
}

/* ---- a dump's column of text ---- */

/* How many bytes of p are one character that may be shown, and its columns; else 1 byte, 0 columns. */
static size_t character(const uint8_t *p, size_t n, int *ret_columns)
{
    size_t k = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    dx_text shown = {0};
    *ret_columns = k == 1 && p[0] >= 0x20 && p[0] < 0x7F;
    if (k == 1 || k > n || !dx_is_utf8(p, k))
        return 1;
    /* What dx_visible leaves as it is moves no cursor and turns no text round. */
    if (dx_visible((const char *)p, k, NULL, &shown) >= 0 && shown.n == k && !memcmp(shown.p, p, k))
        *ret_columns = edit_columns(shown.p, k);
    dx_text_free(&shown);
    return *ret_columns > 0 ? k : 1;
}

static void blanks(FILE *to, size_t n)
{
    while (n--)
        putc_unlocked(' ', to);
}

/* A character stands where its first byte does; blanks stand for bytes of it that have no column. */
static void utf8_column(struct hex_show *s, size_t n)
{
    size_t i = s->skip < n ? s->skip : n;
    blanks(s->to, i);
    s->skip -= i;
    while (i < n) {
        int columns;
        size_t k = character(s->line + i, s->n - i, &columns), here = k < n - i ? k : n - i;
        if (columns)
            fwrite(s->line + i, 1, k, s->to);
        else
            putc_unlocked('.', s->to);
        if (columns && here > (size_t)columns)
            blanks(s->to, here - (size_t)columns);
        s->skip = k - here;
        i += here;
    }
}

static void ascii_column(struct hex_show *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        putc_unlocked(s->line[i] >= 0x20 && s->line[i] < 0x7F ? s->line[i] : '.', s->to);
}

/* ---- a dump ---- */

/* The first n bytes of line. odd: a digit behind them. */
static void dump_line(struct hex_show *s, size_t n, char odd)
{
    char cells[3 * HEX_LINE + 2];
    memset(cells, ' ', sizeof cells);
    for (size_t i = 0; i < n; i++)
        memcpy(cells + 3 * i + (i >= HEX_LINE / 2), s->digits + 2 * i, 2);
    if (odd)
        cells[3 * n + (n >= HEX_LINE / 2)] = odd;
    fprintf(s->to, "%08llx  %.*s |", (unsigned long long)s->offset, (int)sizeof cells - 1, cells);
    if (s->utf8)
        utf8_column(s, n);
    else
        ascii_column(s, n);
    fputs("|\n", s->to);
    s->offset += n;
    s->n -= n;
    memmove(s->line, s->line + n, s->n);
    memmove(s->digits, s->digits + 2 * n, 2 * s->n);
}

static void show_dump(struct hex_show *s, const uint8_t *bytes, const char *digits, size_t n)
{
    size_t full = s->utf8 ? sizeof s->line : HEX_LINE; /* a line's last character may end in the next one */
    while (n) {
        size_t k = full - s->n < n ? full - s->n : n;
        memcpy(s->line + s->n, bytes, k);
        memcpy(s->digits + 2 * s->n, digits, 2 * k);
        s->n += k;
        bytes += k;
        digits += 2 * k;
        n -= k;
        if (s->n == full)
            dump_line(s, HEX_LINE, '\0');
    }
}

static void end_dump(struct hex_show *s, char odd)
{
    while (s->n >= HEX_LINE)
        dump_line(s, HEX_LINE, '\0');
    if (s->n || odd)
        dump_line(s, s->n, odd);
    if (s->offset)
        fprintf(s->to, "%08llx\n", (unsigned long long)s->offset);
}

/* ---- which ---- */

void hex_show_add(struct hex_show *s, const uint8_t *bytes, const char *digits, size_t n)
{
    if (s->form == HEX_PAIRS)
        show_pairs(s, digits, n);
    else if (s->form == HEX_DUMP)
        show_dump(s, bytes, digits, n);
    else
        fwrite(bytes, 1, n, s->to);
}

void hex_show_end(struct hex_show *s, char odd)
{
    if (s->form == HEX_PAIRS)
        end_pairs(s, odd);
    else if (s->form == HEX_DUMP)
        end_dump(s, odd);
}
