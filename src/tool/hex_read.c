/* SPDX-License-Identifier: MIT
 * hex_read.c - hex text as people write it, cut anywhere. A digit without its other one is no byte: at the end it is kept
 * and told, before other digits it is a fault, for nobody knows which of two bytes it belongs to. */
#include "tool/hex.h"
#include "tool/nibble.h"
#include <string.h>

void hex_reader_init(struct hex_reader *r)
{
    r->state = HEX_BETWEEN;
    r->half = '\0';
    r->line = r->column = 1;
    r->n = 0;
}

static bool is_between(char c)
{
    return c && strchr(" \t\r\n\v\f,:", c);
}

static int refuse(struct hex_reader *r, char c, uint64_t line, uint64_t column)
{
    r->fault = c;
    r->fault_line = line;
    r->fault_column = column;
    return -1;
}

static void keep_half(struct hex_reader *r, char c)
{
    r->half = c;
    r->half_line = r->line;
    r->half_column = r->column;
}

static void put(struct hex_reader *r, char c)
{
    r->digits[2 * r->n] = r->half;
    r->digits[2 * r->n + 1] = c;
    r->bytes[r->n++] = (uint8_t)(nibble(r->half) << 4 | nibble(c));
    r->state = HEX_BETWEEN;
}

static int take_digit(struct hex_reader *r, char c)
{
    switch (r->state) {
    case HEX_LONE:
        return refuse(r, r->half, r->half_line, r->half_column);
    case HEX_ZERO:
    case HEX_HALF:
        put(r, c);
        return 0;
    default:
        keep_half(r, c);
        r->state = c == '0' && r->state == HEX_BETWEEN ? HEX_ZERO : HEX_HALF;
        return 0;
    }
}

static int take(struct hex_reader *r, char c)
{
    if (nibble(c) >= 0)
        return take_digit(r, c);
    if (r->state == HEX_ZERO && (c == 'x' || c == 'X')) {
        r->state = HEX_PREFIX;
        return 0;
    }
    if (!is_between(c) || r->state == HEX_PREFIX)
        return refuse(r, c, r->line, r->column);
    if (r->state == HEX_ZERO || r->state == HEX_HALF)
        r->state = HEX_LONE;
    return 0;
}

int hex_read(struct hex_reader *r, const char *p, size_t n)
{
    r->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (take(r, p[i]) < 0)
            return -1;
        r->column++;
        if (p[i] == '\n') {
            r->line++;
            r->column = 1;
        }
    }
    return 0;
}

int hex_read_end(struct hex_reader *r, char *ret_odd)
{
    r->n = 0;
    if (r->state == HEX_PREFIX)
        return refuse(r, '\0', r->line, r->column);
    *ret_odd = r->state == HEX_BETWEEN ? '\0' : r->half;
    return 0;
}

void hex_fault(const struct hex_reader *r, char *buf, size_t n)
{
    char line[40] = "", where[80], c = r->fault;
    if (r->fault_line > 1)
        snprintf(line, sizeof line, "line %llu, ", (unsigned long long)r->fault_line);
    snprintf(where, sizeof where, "%sposition %llu", line, (unsigned long long)r->fault_column);
    if (nibble(c) >= 0)
        snprintf(buf, n, "%s: the digit %c stands alone, and a byte has two", where, c);
    else if (r->state == HEX_PREFIX)
        snprintf(buf, n, "%s: no digits after 0x", where);
    else if (c > ' ' && c < 0x7F)
        snprintf(buf, n, "%s: '%c' is no hex digit", where, c);
    else
        snprintf(buf, n, "%s: the byte %02X is no hex digit", where, (uint8_t)c);
}

void hex_digits(const uint8_t *p, size_t n, bool upper, char *ret)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
}

/* A digit's letters differ in one bit, and 0 to 9 have it set. */
void hex_case(char *digits, size_t n, char which)
{
    for (size_t i = 0; which && i < n; i++)
        if (digits[i] > '9')
            digits[i] = (char)(which == 'U' ? digits[i] & ~0x20 : digits[i] | 0x20);
}
