/* SPDX-License-Identifier: MIT
 * edit.c - see edit.h: what keys do to the line. */
#include "tool/edit.h"
#include <stdlib.h>
#include <string.h>

static bool is_rest(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t left_of(const struct edit *e, size_t at)
{
    while (at && is_rest(e->text[--at]))
        ;
    return at;
}

static size_t right_of(const struct edit *e, size_t at)
{
    if (at < e->n)
        at++;
    while (at < e->n && is_rest(e->text[at]))
        at++;
    return at;
}

static enum edit_did cut(struct edit *e, size_t from, size_t to)
{
    if (from == to)
        return EDIT_NOTHING;
    memmove(e->text + from, e->text + to, e->n - to);
    e->n -= to - from;
    e->at = from;
    return EDIT_CHANGED;
}

static enum edit_did go(struct edit *e, size_t at)
{
    if (e->at == at)
        return EDIT_NOTHING;
    e->at = at;
    return EDIT_CHANGED;
}

static enum edit_did recall(struct edit *e, int step)
{
    int at = e->past_at + step;
    if (at < 0 || at > e->past_n)
        return EDIT_NOTHING;
    e->past_at = at;
    e->n = 0;
    if (at < e->past_n) {
        e->n = strlen(e->past[at]);
        memcpy(e->text, e->past[at], e->n);
    }
    e->at = e->n;
    return EDIT_CHANGED;
}

static enum edit_did cut_word(struct edit *e)
{
    size_t from = e->at;
    while (from && e->text[from - 1] == ' ')
        from--;
    while (from && e->text[from - 1] != ' ')
        from--;
    return cut(e, from, e->at);
}

/* ESC [ or O, perhaps digits and ';', then a letter or '~'. */
static enum edit_did escaped(struct edit *e, unsigned char c)
{
    if (e->esc_n < sizeof(e->esc))
        e->esc[e->esc_n++] = (char)c;
    if (e->esc_n == 2 && c == 0x1b) { /* the first was a key of its own */
        e->esc_n = 1;
        return EDIT_NOTHING;
    }
    if (e->esc_n == 2 && (c == '[' || c == 'O'))
        return EDIT_NOTHING;
    if (e->esc_n > 2 && c < 0x40 && c >= 0x20)
        return EDIT_NOTHING;
    bool wide = e->esc_n == 4 && c == '~'; /* ESC [ DIGIT ~ */
    if (e->esc_n == 6 && !memcmp(e->esc, "\033[20", 4) && c == '~' && (e->esc[4] == '0' || e->esc[4] == '1')) {
        e->paste = e->esc[4] == '0';
        e->cr = false;
    }
    bool meant = !e->paste; /* of other sequences inside a paste nothing is a key */
    e->esc_n = 0;
    if (!meant)
        return EDIT_NOTHING;
    switch (wide ? e->esc[2] : c) {
    case 'A':
        return recall(e, -1);
    case 'B':
        return recall(e, 1);
    case 'C':
        return go(e, right_of(e, e->at));
    case 'D':
        return go(e, left_of(e, e->at));
    case 'H':
    case '1':
    case '7':
        return go(e, 0);
    case 'F':
    case '4':
    case '8':
        return go(e, e->n);
    case '3':
        return cut(e, e->at, right_of(e, e->at));
    default:
        return EDIT_NOTHING;
    }
}

static enum edit_did insert(struct edit *e, unsigned char c)
{
    if (e->n >= sizeof(e->text) - 1) {
        e->full = true;
        return EDIT_NOTHING;
    }
    memmove(e->text + e->at + 1, e->text + e->at, e->n - e->at);
    e->text[e->at++] = (char)c;
    e->n++;
    return EDIT_CHANGED;
}

/* A line end is kept as one \n, whichever it was; other controls mean nothing here. */
static enum edit_did pasted(struct edit *e, unsigned char c)
{
    bool second = e->cr && c == '\n';
    e->cr = c == '\r';
    if (c == 0x1b) {
        e->esc[0] = (char)c;
        e->esc_n = 1;
        return EDIT_NOTHING;
    }
    if (second || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
        return EDIT_NOTHING;
    return insert(e, c == '\r' ? '\n' : c);
}

enum edit_did edit_byte(struct edit *e, unsigned char c)
{
    if (e->esc_n)
        return escaped(e, c);
    if (e->paste)
        return pasted(e, c);
    switch (c) {
    case '\r':
    case '\n':
        return EDIT_LINE;
    case 0x1b:
        e->esc[0] = (char)c;
        e->esc_n = 1;
        return EDIT_NOTHING;
    case 'D' & 31:
        return e->n ? cut(e, e->at, right_of(e, e->at)) : EDIT_END;
    case 'H' & 31:
    case 0x7f:
        return cut(e, left_of(e, e->at), e->at);
    case 'A' & 31:
        return go(e, 0);
    case 'E' & 31:
        return go(e, e->n);
    case 'B' & 31:
        return go(e, left_of(e, e->at));
    case 'F' & 31:
        return go(e, right_of(e, e->at));
    case 'P' & 31:
        return recall(e, -1);
    case 'N' & 31:
        return recall(e, 1);
    case 'U' & 31:
        return cut(e, 0, e->at);
    case 'K' & 31:
        return cut(e, e->at, e->n);
    case 'W' & 31:
        return cut_word(e);
    case 'L' & 31:
        return EDIT_CHANGED;
    default:
        return c >= 0x20 || c == '\t' ? insert(e, c == '\t' ? ' ' : c) : EDIT_NOTHING;
    }
}

void edit_remember(struct edit *e, const char *line, size_t n)
{
    bool again = e->past_n && strlen(e->past[e->past_n - 1]) == n && !memcmp(e->past[e->past_n - 1], line, n);
    char *copy = n && n < EDIT_BYTES_MAX && !again ? strndup(line, n) : NULL;
    if (copy && e->past_n == EDIT_HISTORY) {
        free(e->past[0]);
        memmove(e->past, e->past + 1, (EDIT_HISTORY - 1) * sizeof(*e->past));
        e->past_n--;
    }
    if (copy)
        e->past[e->past_n++] = copy;
    e->past_at = e->past_n;
}

void edit_next(struct edit *e)
{
    edit_remember(e, e->text, e->n);
    e->n = e->at = 0;
}

void edit_free(struct edit *e)
{
    while (e->past_n)
        free(e->past[--e->past_n]);
}
