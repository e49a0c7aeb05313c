/* SPDX-License-Identifier: MIT
 * rules_pattern.c - reads what a rule matches: text, hex with wildcards and captures, an expression. */
#include "tool/rules_inside.h"
#include "tool/nibble.h"
#include <stdio.h>
#include <string.h>

/* ---- text ---- */

/* What stands behind a backslash at the cursor; -1: nothing known. */
static int escape(struct cursor *c)
{
    static const char names[] = "nrt\\\"0", bytes[] = "\n\r\t\\\"";
    const char *at = c->p < c->end ? strchr(names, *c->p) : NULL;
    if (at && *c->p != '0') {
        c->p++;
        return (unsigned char)bytes[at - names];
    }
    if (c->end - c->p < 3 || *c->p != 'x')
        return -1;
    int high = nibble(c->p[1]), low = nibble(c->p[2]);
    c->p += 3;
    return high < 0 || low < 0 || high > 7 ? -1 : high << 4 | low;
}

int quoted_read(struct reader *r, struct cursor *c, dx_text *out)
{
    for (c->p++; c->p < c->end && *c->p != '"';) {
        int ch = (unsigned char)*c->p++;
        if (ch == '\\' && (ch = escape(c)) < 0)
            return fault(r,
                         "a backslash in quotes is one of \\n \\r \\t \\\\ \\\" and \\x00 to \\x7F; other bytes belong "
                         "into hex");
        char byte = (char)ch;
        if (dx_text_add(out, &byte, 1) < 0)
            return fault_memory(r);
    }
    if (c->p == c->end)
        return fault(r, "the closing quote is missing");
    c->p++;
    return 0;
}

int text_read(struct reader *r, struct cursor c, dx_text *out)
{
    cursor_trim(&c);
    if (c.p == c.end || *c.p != '"')
        return dx_text_add(out, c.p, (size_t)(c.end - c.p)) < 0 ? fault_memory(r) : 0;
    if (quoted_read(r, &c, out) < 0)
        return -1;
    cursor_no_comment(&c);
    return c.p == c.end ? 0 : fault(r, "after the closing quote stands more: a quote inside is \\\"");
}

/* ---- hex ---- */

static bool is_between(char ch)
{
    return ch == ' ' || ch == '\t' || ch == ',';
}

static bool is_half(char ch)
{
    return ch == '?' || nibble(ch) >= 0;
}

static int no_hex(struct reader *r, const struct cursor *c)
{
    struct word w = {c->p, 0};
    while (w.p + w.n < c->end && !is_between(w.p[w.n]))
        w.n++;
    return fault(r, "'%.*s' is no hex: a byte is two of 0-9 A-F", shown(w), w.p);
}

int hex_next(struct reader *r, struct cursor *c, uint8_t *ret_value, uint8_t *ret_mask)
{
    while (c->p < c->end && is_between(*c->p))
        c->p++;
    if (c->end - c->p > 2 && c->p[0] == '0' && (c->p[1] | 0x20) == 'x')
        c->p += 2;
    if (c->p == c->end)
        return HEX_END;
    if (*c->p == '"')
        return HEX_TEXT;
    if (*c->p == '{')
        return HEX_FIELD;
    if (c->end - c->p >= 3 && !memcmp(c->p, "...", 3)) {
        c->p += 3;
        return HEX_RUN;
    }
    if (!is_half(*c->p))
        return no_hex(r, c);
    if (c->p + 1 == c->end || !is_half(c->p[1])) {
        bool alone = c->p + 1 == c->end || is_between(c->p[1]) || c->p[1] == '"' || c->p[1] == '{';
        return alone ? fault(r, "'%c' is half a byte", *c->p) : no_hex(r, c);
    }
    int high = nibble(c->p[0]), low = nibble(c->p[1]);
    *ret_value = (uint8_t)((high < 0 ? 0 : high << 4) | (low < 0 ? 0 : low));
    *ret_mask = (uint8_t)((high < 0 ? 0 : 0xF0) | (low < 0 ? 0 : 0x0F));
    c->p += 2;
    return HEX_BYTE;
}

int brace_read(struct reader *r, struct cursor *c, struct word *ret)
{
    const char *end = memchr(c->p, '}', (size_t)(c->end - c->p));
    if (!end)
        return fault(r, "a '{' without its '}'");
    *ret = (struct word){c->p + 1, (size_t)(end - c->p - 1)};
    c->p = end + 1;
    return 0;
}

static int item_add(struct reader *r, struct rule *rule, struct item item)
{
    if (rule->items == ITEMS_MAX)
        return fault(r, "a pattern of more than %d bytes", ITEMS_MAX);
    struct item *i = RULES_ADD(r->rules, item);
    if (!i)
        return fault_memory(r);
    *i = item;
    rule->items++;
    return 0;
}

static int text_items(struct reader *r, struct cursor *c, struct rule *rule)
{
    dx_text text = {0};
    int bad = quoted_read(r, c, &text);
    for (size_t i = 0; !bad && i < text.n; i++)
        bad = item_add(r, rule, (struct item){(uint8_t)text.p[i], 0xFF, false});
    dx_text_free(&text);
    return bad;
}

static int group_name(struct reader *r, const struct rule *rule, struct word name, char *to)
{
    if (name_check(r, name) < 0)
        return -1;
    for (uint32_t i = 0; i < rule->groups; i++)
        if (word_is(name, r->rules->group[rule->group + i].name))
            return fault(r, "'%.*s' is captured twice", (int)name.n, name.p);
    memcpy(to, name.p, name.n);
    return 0;
}

/* {name:u16be} {name:4} {name:...} */
static int capture_read(struct reader *r, struct cursor *c, struct rule *rule)
{
    struct word in = {0}, how;
    struct group g = {.item = rule->items};
    int64_t n = 0;
    if (brace_read(r, c, &in) < 0)
        return -1;
    const char *colon = memchr(in.p, ':', in.n);
    if (!colon)
        return fault(r, "a capture says how much it takes: {name:4} bytes, {name:u16be} a number, {name:...} any");
    how = (struct word){colon + 1, (size_t)(in.p + in.n - colon - 1)};
    if (group_name(r, rule, (struct word){in.p, (size_t)(colon - in.p)}, g.name) < 0)
        return -1;
    bool run = word_is(how, "...");
    if (!run && word_number(how, &n) && (n < 1 || n > ITEMS_MAX))
        return fault(r, "a capture takes 1 to %d bytes", ITEMS_MAX);
    if (!run && !n) {
        if (number_read(r, how, &g.number) < 0)
            return -1;
        n = g.number.bytes;
    }
    g.items = run ? 1 : (uint32_t)n;
    for (uint32_t i = 0; i < g.items; i++)
        if (item_add(r, rule, (struct item){.run = run}) < 0)
            return -1;
    if (rule->groups == GROUPS_MAX)
        return fault(r, "more than %d captures", GROUPS_MAX);
    struct group *at = RULES_ADD(r->rules, group);
    if (!at)
        return fault_memory(r);
    *at = g;
    rule->groups++;
    return 0;
}

int hex_pattern_read(struct reader *r, struct cursor c, struct rule *rule)
{
    int what, bad = 0;
    struct item byte = {0};
    cursor_no_comment(&c);
    while (!bad && (what = hex_next(r, &c, &byte.value, &byte.mask)) != HEX_END) {
        if (what < 0)
            return -1;
        if (what == HEX_TEXT)
            bad = text_items(r, &c, rule);
        else if (what == HEX_FIELD)
            bad = capture_read(r, &c, rule);
        else
            bad = item_add(r, rule, what == HEX_RUN ? (struct item){.run = true} : byte);
    }
    if (!bad && !rule->items)
        return fault(r, "after hex come bytes, such as AA 55 ?? 01");
    return bad;
}

/* ---- expressions ---- */

int regex_read(struct reader *r, struct cursor c, struct rule *rule)
{
    char why[160];
    if (c.p == c.end)
        return fault(r, "after regex comes an expression");
    rule->regex = regex_new(c.p, (size_t)(c.end - c.p), why, sizeof why);
    if (!rule->regex)
        return fault(r, "regex: %s", why);
    uint32_t count = regex_groups(rule->regex);
    if (count > GROUPS_MAX)
        return fault(r, "more than %d captures", GROUPS_MAX);
    for (uint32_t i = 1; i <= count; i++) {
        struct word name = regex_group_name(rule->regex, i);
        char kept[NAME_MAX_BYTES] = "";
        if (name.n && group_name(r, rule, name, kept) < 0)
            return -1;
        struct group *g = RULES_ADD(r->rules, group);
        if (!g)
            return fault_memory(r);
        memcpy(g->name, kept, sizeof kept);
        rule->groups++;
    }
    return 0;
}
