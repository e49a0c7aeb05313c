/* SPDX-License-Identifier: MIT
 * edit_draw.c - how a line lies on a screen. Rows are broken here and not by the terminal, and the cursor gets to its place by
 * drawing up to it: so a terminal that thinks a character narrower than we do (emoji joined into one) shows all the same
 * what is there. */
#include "tool/edit.h"
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { VARIATION_WIDE = 0xFE0F };

/* One character. What has no width of its own may make the one before it wider. */
static int columns_of(const char *p, size_t n, size_t *ret_n)
{
    wchar_t w = 0;
    mbstate_t state = {0};
    size_t used = mbrtowc(&w, p, n, &state);
    if (used == 0 || used > n) {
        *ret_n = 1;
        return 1;
    }
    *ret_n = used;
    int columns = w == VARIATION_WIDE ? 1 : wcwidth(w);
    return columns < 0 ? 1 : columns;
}

int edit_columns(const char *utf8, size_t n)
{
    int columns = 0;
    for (size_t i = 0, step; i < n; i += step)
        columns += columns_of(utf8 + i, n - i, &step);
    return columns;
}

/* Bytes of a character that is not whole yet are not drawn. */
static size_t whole(const char *s, size_t n)
{
    size_t at = n;
    while (at && n - at < 4 && ((unsigned char)s[at - 1] & 0xc0) == 0x80)
        at--;
    return at && !dx_is_utf8(s + at - 1, n - at + 1) ? at - 1 : n;
}

/* What is drawn: the mark and the line, as one text. */
struct drawn {
    dx_text text;
    size_t cursor; /* an offset in it */
    int columns;
};

static int prepare(const struct edit *e, const char *mark, struct drawn *d)
{
    int r = dx_text_add(&d->text, mark, strlen(mark));
    if (r >= 0)
        r = dx_visible(e->text, whole(e->text, e->at), NULL, &d->text);
    d->cursor = d->text.n;
    return r < 0 ? r : dx_visible(e->text + e->at, e->n - e->at, NULL, &d->text);
}

/* Where the row that begins at from ends. */
static size_t row_end(const struct drawn *d, size_t from)
{
    size_t at = from, step;
    for (int used = 0; at < d->text.n; at += step) {
        used += columns_of(d->text.p + at, d->text.n - at, &step);
        if (used > d->columns && at > from)
            break;
    }
    return at;
}

static size_t row_begin(const struct drawn *d, int row)
{
    size_t from = 0;
    for (; row; row--)
        from = row_end(d, from);
    return from;
}

/* The rows from row on, each from the left, until the text or so many of them end. Returns how many there were. */
static int add_rows(const struct drawn *d, int row, int count, size_t until, dx_text *out)
{
    size_t from = row_begin(d, row), end = row_end(d, from);
    for (int i = 1;; i++) {
        dx_text_add(out, d->text.p + from, (end < until ? end : until) - from);
        if (end >= until || i == count)
            return i;
        dx_text_add(out, "\r\n", 2);
        from = end;
        end = row_end(d, from);
    }
}

static int row_of(const struct drawn *d, size_t at)
{
    int row = 0;
    for (size_t end = row_end(d, 0); end <= at && end < d->text.n; end = row_end(d, end))
        row++;
    return row;
}

int edit_draw(const struct edit *e, const char *mark, int columns, int rows_max, dx_text *out, struct edit_place *ret)
{
    struct drawn d = {.columns = columns};
    char up[24];
    if (prepare(e, mark, &d) < 0) {
        dx_text_free(&d.text);
        return DX_NOMEM;
    }
    int row = row_of(&d, d.cursor), first = row < rows_max ? 0 : row - rows_max + 1;
    int rows = add_rows(&d, first, rows_max, d.text.n, out);
    if (d.cursor < d.text.n) {
        dx_text_add(out, "\r", 1);
        if (rows > 1)
            dx_text_add(out, up, (size_t)snprintf(up, sizeof up, "\033[%dA", rows - 1));
        /* Up to the cursor; a row that ends at it goes on in the next one. */
        add_rows(&d, first, row - first + 1, d.cursor, out);
        if (row > first && row_of(&d, d.cursor) != row_of(&d, d.cursor - 1))
            dx_text_add(out, "\r\n", 2);
    }
    ret->above = row - first;
    ret->column = edit_columns(d.text.p + row_begin(&d, row), d.cursor - row_begin(&d, row));
    dx_text_free(&d.text);
    return 0;
}
