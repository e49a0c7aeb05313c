/* SPDX-License-Identifier: MIT
 * hex_sum.c - duplex hex --checksum, --check, --list. */
#include "tool/hex.h"
#include "tool/options.h"
#include "tool/tool.h"
#include <ctype.h>
#include <string.h>

/* ---- names ---- */

enum { NAMES_MAX = 256, NAME_ROOM = 40 };

/* CRC-16/MODBUS as we write it: crc16-modbus. */
static void our_spelling(const char *name, char *ret, size_t room)
{
    size_t n = 0;
    for (; *name && n + 1 < room; name++) {
        char c = (char)tolower((unsigned char)*name);
        if (c == '-' && n == 3 && isdigit((unsigned char)name[1]) && !memcmp(ret, "crc", 3))
            continue;
        ret[n++] = (char)(strchr("/_ ", c) ? '-' : c);
    }
    ret[n] = '\0';
}

/* A name that is there and looks like that one; NULL: none. */
static const char *near_name(const char *name)
{
    static char wanted[NAME_ROOM];
    const char *names[NAMES_MAX];
    const dx_sum_info *k;
    size_t n = 0;
    dx_sum s;
    our_spelling(name, wanted, sizeof wanted);
    if (dx_sum_begin(&s, wanted) > 0)
        return wanted;
    for (; n < NAMES_MAX && (k = dx_sum_at(n)); n++)
        names[n] = k->name;
    return nearest(wanted, names, n);
}

int hex_sum_begin(dx_sum *s, const char *name)
{
    if (dx_sum_begin(s, name) > 0)
        return TOOL_DONE;
    const char *near = near_name(name);
    if (near)
        tool_say("no checksum '%.60s'.  Did you mean %s?  duplex hex --list shows them all", name, near);
    else
        tool_say("no checksum '%.60s'.  Try: duplex hex --list", name);
    return TOOL_USAGE;
}

/* ---- showing ---- */

/* The bytes in pairs, as they go on the wire. */
static const char *pairs(const uint8_t *p, size_t n, bool upper, char ret[3 * HEX_SUM_BYTES + 1])
{
    char digits[2 * HEX_SUM_BYTES];
    hex_digits(p, n, upper, digits);
    for (size_t i = 0; i < n; i++)
        snprintf(ret + 3 * i, 4, "%.2s ", digits + 2 * i);
    ret[n ? 3 * n - 1 : 0] = '\0';
    return ret;
}

static void print_value(const char *name, uint64_t value, int bits, FILE *to)
{
    fprintf(to, "%s0x%0*llx", name, (bits + 3) / 4, (unsigned long long)value);
}

void hex_sum_print(const dx_sum *s, const char *name, bool upper, FILE *to)
{
    uint8_t wire[HEX_SUM_BYTES];
    char text[3 * HEX_SUM_BYTES + 1];
    size_t n = (size_t)dx_sum_end(s, wire);
    fprintf(to, upper ? "%s  0x%0*llX  %s\n" : "%s  0x%0*llx  %s\n", name, (s->info->bits + 3) / 4,
            (unsigned long long)dx_sum_value(s), pairs(wire, n, upper, text));
}

/* As the catalogue writes it, a line a kind. */
int hex_list(FILE *to)
{
    static const char *const words[] = {"false", "true"};
    const dx_sum_info *k;
    for (size_t i = 0; (k = dx_sum_at(i)); i++) {
        fprintf(to, "%-24s width=%d", k->name, k->bits);
        if (k->crc) {
            print_value(" poly=", k->poly, k->bits, to);
            print_value(" init=", k->init, k->bits, to);
            fprintf(to, " refin=%s refout=%s", words[k->refin], words[k->refout]);
            print_value(" xorout=", k->xor_out, k->bits, to);
        }
        print_value(" check=", k->check, k->bits, to);
        fprintf(to, " order=%s%s", k->refin && k->refout ? "le" : "be", *k->aliases ? " alias=" : "");
        for (const char *p = k->aliases; *p; p++)
            fputc(*p == ' ' ? ',' : *p, to);
        fputc('\n', to);
    }
    return TOOL_DONE;
}

/* ---- --check ---- */

int hex_check_begin(struct hex_check *c, const char *name)
{
    int r = hex_sum_begin(&c->sum, name);
    uint8_t sum[HEX_SUM_BYTES];
    if (r != TOOL_DONE)
        return r;
    c->name = name;
    c->want = dx_sum_end(&c->sum, sum);
    c->held_n = 0;
    return TOOL_DONE;
}

void hex_check_add(struct hex_check *c, const uint8_t *p, size_t n)
{
    size_t want = (size_t)c->want, held = (size_t)c->held_n;
    size_t go = held + n > want ? held + n - want : 0; /* so many are not among the last ones any more */
    size_t of_held = go < held ? go : held;
    dx_sum_add(&c->sum, c->held, of_held);
    dx_sum_add(&c->sum, p, go - of_held);
    memmove(c->held, c->held + of_held, held - of_held);
    memcpy(c->held + held - of_held, p + (go - of_held), n - (go - of_held));
    c->held_n = (int)(held + n - go);
}

static bool are_swapped(const uint8_t *a, const uint8_t *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i] != b[n - 1 - i])
            return false;
    return true;
}

int hex_check_print(const struct hex_check *c, bool upper, FILE *to)
{
    uint8_t sum[HEX_SUM_BYTES];
    char expected[3 * HEX_SUM_BYTES + 1], found[3 * HEX_SUM_BYTES + 1];
    int n = dx_sum_end(&c->sum, sum);
    pairs(sum, (size_t)n, upper, expected);
    pairs(c->held, (size_t)c->held_n, upper, found);
    if (c->held_n < n) {
        fprintf(to, "%s  mismatch  the checksum alone has %d byte%s, and there are %d\n", c->name, n, n > 1 ? "s" : "",
                c->held_n);
        return TOOL_UNMET;
    }
    if (!memcmp(sum, c->held, (size_t)n)) {
        fprintf(to, "%s  ok  %s\n", c->name, found);
        return TOOL_DONE;
    }
    fprintf(to, "%s  mismatch  expected %s  found %s\n", c->name, expected, found);
    if (are_swapped(sum, c->held, n))
        tool_say("the bytes of the checksum stand the other way round.  Try: --check %.*s:%s",
                 (int)strcspn(c->name, ":"), c->name, c->sum.low_first ? "be" : "le");
    return TOOL_UNMET;
}
