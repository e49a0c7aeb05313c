/* SPDX-License-Identifier: MIT
 * rules_words.c - the words of a rules file: splitting a line, numbers, durations, names, and faults with their line. */
#include "tool/rules_inside.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

void cursor_trim(struct cursor *c)
{
    while (c->p < c->end && is_blank(*c->p))
        c->p++;
    while (c->p < c->end && is_blank(c->end[-1]))
        c->end--;
}

struct word cursor_word(struct cursor *c)
{
    cursor_trim(c);
    struct word w = {c->p, 0};
    while (c->p < c->end && !is_blank(*c->p))
        c->p++;
    w.n = (size_t)(c->p - w.p);
    return w;
}

void cursor_no_comment(struct cursor *c)
{
    bool quoted = false;
    for (const char *p = c->p; p < c->end; p++) {
        if (quoted && *p == '\\' && p + 1 < c->end)
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (*p == '#' && !quoted) {
            c->end = p;
            break;
        }
    }
    cursor_trim(c);
}

bool word_is(struct word w, const char *s)
{
    return w.n == strlen(s) && !memcmp(w.p, s, w.n);
}

static int digit_of(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch |= 0x20;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : 99;
}

/* Digits alone, of base 10 or 16, up to 2^63 - 1. */
static bool digits(struct word w, int base, int64_t *ret)
{
    int64_t x = 0;
    if (!w.n)
        return false;
    for (size_t i = 0; i < w.n; i++) {
        int d = digit_of(w.p[i]);
        if (d >= base || x > (INT64_MAX - d) / base)
            return false;
        x = x * base + d;
    }
    *ret = x;
    return true;
}

bool word_number(struct word w, int64_t *ret)
{
    bool minus = w.n && w.p[0] == '-';
    int64_t x;
    w.p += minus;
    w.n -= minus;
    bool hex = w.n > 2 && w.p[0] == '0' && (w.p[1] | 0x20) == 'x';
    if (hex)
        w.p += 2, w.n -= 2;
    if (!digits(w, hex ? 16 : 10, &x))
        return false;
    *ret = minus ? -x : x;
    return true;
}

/* The unit is a must: a device's page says 200ms, and whoever reads "after 2" does not know which it is. */
bool word_duration(struct word w, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    size_t n = 0;
    int64_t x;
    while (n < w.n && digit_of(w.p[n]) < 10)
        n++;
    if (n > 9 || !digits((struct word){w.p, n}, 10, &x))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (word_is((struct word){w.p + n, w.n - n}, units[i].unit)) {
            *ret_ms = x * units[i].ms;
            return *ret_ms <= DELAY_MS_MAX;
        }
    return false;
}

int fault(struct reader *r, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    size_t n = (size_t)snprintf(line, sizeof line, "%.200s", r->given->name);
    if (r->line)
        n += (size_t)snprintf(line + n, sizeof line - n, ":%u", r->line);
    n += (size_t)snprintf(line + n, sizeof line - n, ": ");
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
    va_end(ap);
    n = strlen(line);
    line[n++] = '\n';
    if (r->faults->count++ < RULES_FAULTS_MAX && dx_text_add(&r->faults->words, line, n) < 0)
        r->no_memory = true;
    return -1;
}

int fault_memory(struct reader *r)
{
    r->no_memory = true;
    return -1;
}

int shown(struct word w)
{
    size_t n = w.n < QUOTE_MAX ? w.n : QUOTE_MAX;
    while (n && n < w.n && ((unsigned char)w.p[n] & 0xC0) == 0x80)
        n--; /* whole characters */
    return (int)n;
}

int no_more(struct reader *r, struct cursor *c)
{
    struct word w = cursor_word(c);
    return w.n ? fault(r, "'%.*s' is one word too many", shown(w), w.p) : 0;
}

static bool is_name(struct word w)
{
    for (size_t i = 0; i < w.n; i++) {
        char low = w.p[i] | 0x20;
        if (!(low >= 'a' && low <= 'z') && w.p[i] != '_' && (i == 0 || digit_of(w.p[i]) > 9))
            return false;
    }
    return w.n > 0;
}

int name_check(struct reader *r, struct word w)
{
    static const char *const taken[] = {"msg", "len", "count", "time", "unix", "ms", "peer", "random", "sum", "hex"};
    if (!is_name(w))
        return fault(r, "'%.*s' is no name: letters, digits and _, no digit first", shown(w), w.p);
    if (w.n >= NAME_MAX_BYTES)
        return fault(r, "the name '%.*s' is too long: at most %d letters", shown(w), w.p, NAME_MAX_BYTES - 1);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (word_is(w, taken[i]))
            return fault(r, "'%s' has a meaning of its own: choose another name", taken[i]);
    return 0;
}

int bytes_add(struct reader *r, const void *p, size_t n, uint32_t *ret_at)
{
    *ret_at = (uint32_t)r->rules->bytes.n;
    return dx_text_add(&r->rules->bytes, p, n) < 0 ? fault_memory(r) : 0;
}

void *rules_grow(void *array, struct sizes *s, size_t size)
{
    void *p;
    memcpy(&p, array, sizeof p);
    if (s->count == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 16; /* the size of the file keeps it small */
        if (!(p = realloc(p, cap * size)))
            return NULL;
        memcpy(array, &p, sizeof p);
        s->cap = cap;
    }
    void *new = (char *)p + s->count++ *size;
    memset(new, 0, size);
    return new;
}
