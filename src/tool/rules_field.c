/* SPDX-License-Identifier: MIT
 * rules_field.c - reads what a rule answers: fields in braces and what stands between them; sums of numbers, conditions. */
#include "tool/rules_inside.h"
#include "tool/nearest.h"
#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 10 + VARS_MAX + GROUPS_MAX, WIDTH_MAX = 64, RANDOM_MAX = 2000000000 };

/* What stands before the first colon; w is what stands behind it. */
static struct word part(struct word *w)
{
    const char *colon = memchr(w->p, ':', w->n);
    struct word first = {w->p, colon ? (size_t)(colon - w->p) : w->n};
    *w = colon ? (struct word){colon + 1, w->n - first.n - 1} : (struct word){w->p + w->n, 0};
    return first;
}

/* ---- formats ---- */

int number_read(struct reader *r, struct word w, struct number *ret)
{
    struct number x = {.is_signed = w.n && *w.p == 'i'};
    struct word rest = {w.p + 1, w.n - 1};
    int bits = 0;
    if (w.n && (*w.p == 'u' || *w.p == 'i'))
        for (; rest.n && *rest.p >= '0' && *rest.p <= '9' && bits < 100; rest.p++, rest.n--)
            bits = bits * 10 + (*rest.p - '0');
    x.bytes = (uint8_t)(bits / 8);
    x.little = word_is(rest, "le");
    bool known = bits == 8 || bits == 16 || bits == 24 || bits == 32 || bits == 48 || bits == 64;
    if (known && bits > 8 && !rest.n)
        return fault(r, "'%.*s': high byte first is %.*sbe, low byte first %.*sle", shown(w), w.p, shown(w), w.p,
                     shown(w), w.p);
    if (!known || (!word_is(rest, "be") && !x.little && rest.n))
        return fault(r, "'%.*s' is no format: u8, i16be, u32le and the like are numbers in bytes", shown(w), w.p);
    *ret = x;
    return 0;
}

/* A number as text: 04d x 04X .1 */
static bool text_format(struct word w, struct field *f)
{
    if (w.n == 2 && *w.p == '.' && w.p[1] >= '1' && w.p[1] <= '9') {
        f->decimals = (uint8_t)(w.p[1] - '0');
        return true;
    }
    int width = 0;
    f->zeros = w.n && *w.p == '0';
    while (w.n && *w.p >= '0' && *w.p <= '9' && width <= WIDTH_MAX) {
        width = width * 10 + (*w.p - '0');
        w.p++;
        w.n--;
    }
    if (width > WIDTH_MAX || w.n != 1 || !strchr("dxX", *w.p))
        return false;
    f->width = (uint8_t)width;
    f->base = *w.p;
    return true;
}

static bool has_value(const struct reader *r, const struct field *f)
{
    if (f->kind == F_GROUP && r->rule->kind == RULE_HEX)
        return r->rules->group[r->rule->group + f->index].number.bytes != 0;
    return f->kind != F_BYTES && f->kind != F_MESSAGE && f->kind != F_TIME && f->kind != F_PEER && f->kind != F_SUM;
}

/* ---- names ---- */

static const struct {
    const char *name;
    enum field_kind kind;
} builtins[] = {{"msg", F_MESSAGE}, {"len", F_LEN},   {"count", F_COUNT}, {"time", F_TIME},     {"unix", F_UNIX},
                {"ms", F_MS},       {"peer", F_PEER}, {"sum", F_SUM},     {"random", F_RANDOM}, {"hex", F_BYTES}};
enum { BUILTINS = sizeof builtins / sizeof *builtins };

static int unknown(struct reader *r, struct word w)
{
    const struct rules *x = r->rules;
    const char *names[NAMES_MAX];
    char word[QUOTE_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < BUILTINS; i++)
        names[n++] = builtins[i].name;
    for (uint32_t i = 0; i < x->var_count; i++)
        names[n++] = x->vars[i].name;
    for (uint32_t i = 0; i < r->rule->groups; i++)
        names[n++] = x->group[r->rule->group + i].name;
    snprintf(word, sizeof word, "%.*s", shown(w), w.p);
    const char *near = nearest(word, names, n);
    if (near)
        return fault(r, "there is no {%s} here.  Did you mean {%s}?", word, near);
    return fault(r, "there is no {%s} here: no capture and no variable of that name; {{ is the brace itself", word);
}

/* A capture by name or number, a variable, or a builtin. */
static int name_read(struct reader *r, struct word w, struct field *f)
{
    const struct rules *x = r->rules;
    int64_t number;
    f->kind = F_GROUP;
    if (word_number(w, &number)) {
        f->index = (uint32_t)(number - 1);
        if (number >= 1 && number <= r->rule->groups)
            return 0;
        return fault(r, "there is no capture {%.*s}: the rule has %u", shown(w), w.p, r->rule->groups);
    }
    for (f->index = 0; f->index < r->rule->groups; f->index++)
        if (word_is(w, x->group[r->rule->group + f->index].name))
            return 0;
    f->kind = F_VAR;
    for (f->index = 0; f->index < x->var_count; f->index++)
        if (word_is(w, x->vars[f->index].name))
            return 0;
    for (size_t i = 0; i < BUILTINS; i++)
        if (word_is(w, builtins[i].name)) {
            f->kind = (uint8_t)builtins[i].kind;
            return 0;
        }
    return unknown(r, w);
}

/* 2..5, 4.. or nothing */
static int range_read(struct reader *r, struct word *rest, struct field *f)
{
    f->a = 0;
    f->b = -1;
    if (!rest->n)
        return 0;
    struct word w = part(rest), low = w;
    const char *dots = w.n > 2 ? memmem(w.p, w.n, "..", 2) : NULL;
    if (dots) {
        low.n = (size_t)(dots - w.p);
        struct word high = {dots + 2, w.n - low.n - 2};
        if (word_number(low, &f->a) && (!high.n || word_number(high, &f->b)) && f->a >= 0 &&
            (f->b == -1 || f->b >= f->a))
            return 0;
    }
    return fault(r, "'%.*s' is no range: bytes are counted from 0, {msg:0..3} or {msg:4..}", shown(w), w.p);
}

/* A number behind the last colon, which is taken off. */
static bool last_number(struct word *w, int64_t *ret)
{
    const char *colon = memrchr(w->p, ':', w->n);
    if (!colon || !word_number((struct word){colon + 1, (size_t)(w->p + w->n - colon - 1)}, ret))
        return false;
    w->n = (size_t)(colon - w->p);
    return true;
}

/* {sum:NAME} {sum:NAME:FRONT} {sum:NAME:FRONT:BACK}; a name may have a colon of its own */
static int sum_read(struct reader *r, struct word *rest, struct field *f)
{
    char name[40];
    uint8_t sum[8];
    struct word w = *rest;
    if (last_number(&w, &f->a) && last_number(&w, &f->b)) {
        int64_t back = f->a;
        f->a = f->b;
        f->b = back;
    }
    rest->n = 0;
    snprintf(name, sizeof name, "%.*s", (int)(w.n < sizeof name ? w.n : sizeof name), w.p);
    if (w.n >= sizeof name || f->a < 0 || f->b < 0 || dx_checksum(name, "", 0, sum) <= 0)
        return fault(r, "{sum:NAME}: there is no checksum '%s'", name);
    f->n = (uint32_t)strlen(name) + 1;
    return bytes_add(r, name, f->n, &f->at);
}

static int arguments_read(struct reader *r, struct word *rest, struct field *f)
{
    struct word before = *rest;
    if (f->kind == F_MESSAGE)
        return range_read(r, rest, f);
    if (f->kind == F_SUM)
        return sum_read(r, rest, f);
    if (f->kind == F_COUNT && word_is(part(rest), "rule"))
        f->kind = F_RULE_COUNT;
    else if (f->kind == F_COUNT)
        *rest = before;
    if (f->kind == F_RANDOM && (!word_number(part(rest), &f->a) || f->a < 1 || f->a > RANDOM_MAX))
        return fault(r, "{random:N} is a number from 0 to N - 1, N from 1 to %d", RANDOM_MAX);
    return 0;
}

/* What stands in braces, without what the answer makes of it. */
static int field_read(struct reader *r, struct word in, struct field *f, struct word *ret_format)
{
    *f = (struct field){.base = 'd'};
    struct word rest = in, name = part(&rest);
    f->in_hex = word_is(name, "hex");
    if (f->in_hex)
        name = part(&rest);
    if (name_read(r, name, f) < 0)
        return -1;
    if (f->kind == F_BYTES || (f->in_hex && f->kind != F_GROUP && f->kind != F_MESSAGE))
        return fault(r, "{hex:NAME} shows bytes that came: a capture, or msg");
    if (r->repeating && (f->kind == F_GROUP || f->kind == F_MESSAGE || f->kind == F_LEN))
        return fault(r, "{%.*s} is gone when the answer of an every is sent: keep it in a variable", shown(in), in.p);
    if (arguments_read(r, &rest, f) < 0)
        return -1;
    *ret_format = rest;
    return 0;
}

static int format_read(struct reader *r, struct word in, struct word format, bool hex, struct field *f)
{
    struct field probe = *f;
    bool value = has_value(r, f);
    if (f->in_hex && (hex || format.n))
        return fault(r, "{%.*s}: hex digits are text, and have no format", shown(in), in.p);
    if (format.n && !value)
        return fault(r, "{%.*s} is no number, so it has no format", shown(in), in.p);
    if (format.n && text_format(format, &probe)) {
        if (hex)
            return fault(r, "'%.*s' is a format for text; in hex a number is u16be and the like", shown(format),
                         format.p);
        *f = probe;
        return 0;
    }
    if (format.n && !hex)
        return fault(r, "'%.*s' is no format for text: 04d, x, 04X and .1 are", shown(format), format.p);
    if (format.n)
        return number_read(r, format, &f->number);
    if (hex && f->kind == F_GROUP && r->rule->kind == RULE_HEX)
        return 0; /* as it came */
    if (hex && value && f->kind != F_GROUP)
        return fault(r, "{%.*s} is a number: say how it goes, as {%.*s:u16be}", shown(in), in.p, shown(in), in.p);
    if (!hex && !f->in_hex && f->kind == F_GROUP && r->rule->kind == RULE_HEX && !value)
        return fault(r, "{%.*s} is bytes: as text it is {hex:%.*s}", shown(in), in.p, shown(in), in.p);
    return 0;
}

/* ---- answers ---- */

static int field_add(struct reader *r, struct action *a, const struct field *f)
{
    struct field *at = RULES_ADD(r->rules, field);
    if (!at)
        return fault_memory(r);
    *at = *f;
    a->count++;
    return 0;
}

static int literal_add(struct reader *r, struct action *a, const void *p, size_t n)
{
    struct field f = {.kind = F_BYTES, .n = (uint32_t)n};
    return !n ? 0 : bytes_add(r, p, n, &f.at) < 0 ? -1 : field_add(r, a, &f);
}

static int brace_field(struct reader *r, struct cursor *c, bool hex, struct action *a)
{
    struct word in, format;
    struct field f;
    if (brace_read(r, c, &in) < 0 || field_read(r, in, &f, &format) < 0 || format_read(r, in, format, hex, &f) < 0)
        return -1;
    return field_add(r, a, &f);
}

static bool begins_field(const char *p, const char *end)
{
    if (end - p < 2 || *p != '{')
        return false;
    char low = p[1] | 0x20;
    return (low >= 'a' && low <= 'z') || p[1] == '_' || (p[1] >= '0' && p[1] <= '9');
}

/* A brace that no name follows is itself: {"ok":1}. {{ is one in any case. */
static int text_fields(struct reader *r, struct cursor c, struct action *a)
{
    const char *from = c.p;
    while (c.p < c.end) {
        bool twice = c.end - c.p > 1 && c.p[0] == '{' && c.p[1] == '{';
        if (!twice && !begins_field(c.p, c.end)) {
            c.p++;
            continue;
        }
        if (literal_add(r, a, from, (size_t)(c.p - from) + twice) < 0)
            return -1;
        if (twice)
            c.p += 2;
        else if (brace_field(r, &c, false, a) < 0)
            return -1;
        from = c.p;
    }
    return literal_add(r, a, from, (size_t)(c.p - from));
}

static int quoted_bytes(struct reader *r, struct cursor *c, struct action *a)
{
    dx_text text = {0};
    int bad = quoted_read(r, c, &text);
    if (!bad)
        bad = literal_add(r, a, text.p ? text.p : "", text.n);
    dx_text_free(&text);
    return bad;
}

static int hex_fields(struct reader *r, struct cursor c, struct action *a)
{
    uint8_t value, mask;
    int what, bad = 0;
    cursor_no_comment(&c);
    while (!bad && (what = hex_next(r, &c, &value, &mask)) != HEX_END) {
        if (what < 0)
            return -1;
        if (what == HEX_RUN || (what == HEX_BYTE && mask != 0xFF))
            return fault(r, "an answer has no wildcards: {msg:2..2} is what came there");
        bad = what == HEX_TEXT    ? quoted_bytes(r, &c, a)
              : what == HEX_FIELD ? brace_field(r, &c, true, a)
                                  : literal_add(r, a, &value, 1);
    }
    return bad || a->count ? bad : fault(r, "after answer hex come bytes");
}

int answer_read(struct reader *r, struct cursor c, bool hex, struct action *a)
{
    dx_text text = {0};
    a->first = r->rules->field_n.count;
    if (hex)
        return hex_fields(r, c, a);
    int bad = text_read(r, c, &text);
    if (!bad)
        bad = text_fields(r, (struct cursor){text.p, text.p + text.n}, a);
    dx_text_free(&text);
    return bad;
}

/* ---- numbers ---- */

static int term_read(struct reader *r, struct word w, bool minus, struct expr *e)
{
    struct field f = {.kind = F_NUMBER};
    struct word format = {0};
    bool braces = w.n > 2 && w.p[0] == '{' && w.p[w.n - 1] == '}';
    struct word in = braces ? (struct word){w.p + 1, w.n - 2} : w;
    if (braces || !word_number(w, &f.a)) {
        if (field_read(r, in, &f, &format) < 0)
            return -1;
        if (f.in_hex || format.n || !has_value(r, &f))
            return fault(r, "'%.*s' is no number here", shown(w), w.p);
    }
    if (e->count == TERMS_MAX)
        return fault(r, "more than %d terms", TERMS_MAX);
    struct field *field = RULES_ADD(r->rules, field);
    struct term *t = field ? RULES_ADD(r->rules, term) : NULL;
    if (!t)
        return fault_memory(r);
    *field = f;
    *t = (struct term){minus, r->rules->field_n.count - 1};
    e->count++;
    return 0;
}

int expr_read(struct reader *r, struct cursor *c, struct expr *ret)
{
    bool minus = false;
    *ret = (struct expr){.first = r->rules->term_n.count};
    for (;;) {
        struct word w = cursor_word(c);
        if (!w.n || word_is(w, "+") || word_is(w, "-"))
            return fault(r, "a number is missing: 12, 0x1F, a variable, {random:10} ...");
        if (term_read(r, w, minus, ret) < 0)
            return -1;
        struct cursor before = *c;
        w = cursor_word(c);
        minus = word_is(w, "-");
        if (!minus && !word_is(w, "+")) {
            *c = before;
            return 0;
        }
    }
}

int cond_read(struct reader *r, struct cursor c)
{
    static const char *const signs[] = {[IS_EQUAL] = "==",   [IS_OTHER] = "!=", [IS_BELOW] = "<",
                                        [IS_AT_MOST] = "<=", [IS_ABOVE] = ">",  [IS_AT_LEAST] = ">="};
    struct cond k = {0};
    r->repeating = false;
    if (expr_read(r, &c, &k.left) < 0)
        return -1;
    struct word w = cursor_word(&c);
    while (k.compare < sizeof signs / sizeof *signs && !word_is(w, signs[k.compare]))
        k.compare++;
    if (k.compare == sizeof signs / sizeof *signs)
        return fault(r, "a condition compares with ==, !=, <, <=, > or >=");
    if (expr_read(r, &c, &k.right) < 0)
        return -1;
    if (no_more(r, &c) < 0)
        return -1;
    struct cond *at = RULES_ADD(r->rules, cond);
    if (!at)
        return fault_memory(r);
    *at = k;
    return 0;
}
