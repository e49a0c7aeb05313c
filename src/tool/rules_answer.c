/* SPDX-License-Identifier: MIT
 * rules_answer.c - makes the bytes of an answer: fields filled in, in the peer's coding, with checksum and line end. */
#include "tool/rules_inside.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- numbers ---- */

static int64_t from_bytes(const uint8_t *p, size_t n, struct number how)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x = x << 8 | p[how.little ? n - 1 - i : i];
    if (how.is_signed && n < 8 && n && x >> (8 * n - 1))
        x -= UINT64_C(1) << 8 * n;
    return (int64_t)x;
}

/* Decimal text; what is none counts as 0, and what is too big as the biggest. */
static int64_t from_text(const uint8_t *p, size_t n)
{
    bool minus = n && *p == '-';
    int64_t x = 0;
    for (size_t i = minus || (n && *p == '+'); i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return 0;
        if (__builtin_mul_overflow(x, 10, &x) || __builtin_add_overflow(x, p[i] - '0', &x))
            return minus ? INT64_MIN : INT64_MAX;
    }
    return minus ? -x : x;
}

/* splitmix64 */
static uint64_t chance(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static int64_t group_value(const struct scene *s, const struct field *f)
{
    if (f->index >= s->found->count)
        return 0;
    const uint8_t *p = s->found->group[f->index].p;
    size_t n = s->found->group[f->index].n;
    if (s->rule->kind != RULE_HEX)
        return from_text(p, n);
    return from_bytes(p, n, s->rules->group[s->rule->group + f->index].number);
}

static int64_t value_of(const struct scene *s, const struct field *f)
{
    switch (f->kind) {
    case F_NUMBER:
        return f->a;
    case F_GROUP:
        return group_value(s, f);
    case F_VAR:
        return s->vars[f->index];
    case F_LEN:
        return (int64_t)s->message.raw.n;
    case F_COUNT:
        return (int64_t)s->count;
    case F_RULE_COUNT:
        return (int64_t)s->rule_count;
    case F_UNIX:
        return s->moment->unix_ms / 1000;
    case F_MS:
        return s->moment->unix_ms;
    case F_RANDOM:
        return (int64_t)(chance(s->random) % (uint64_t)f->a);
    default:
        return 0;
    }
}

int64_t expr_value(const struct scene *s, struct expr e)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < e.count; i++) {
        const struct term *t = &s->rules->term[e.first + i];
        int64_t x = value_of(s, &s->rules->field[t->field]);
        bool over = t->minus ? __builtin_sub_overflow(sum, x, &sum) : __builtin_add_overflow(sum, x, &sum);
        if (over) /* the sum has wrapped round to the other sign */
            sum = sum < 0 ? INT64_MAX : INT64_MIN;
    }
    return sum;
}

bool conds_hold(const struct scene *s, const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->conds; i++) {
        const struct cond *k = &s->rules->cond[rule->cond + i];
        int64_t a = expr_value(s, k->left), b = expr_value(s, k->right);
        const bool holds[] = {[IS_EQUAL] = a == b,
                              [IS_OTHER] = a != b,
                              [IS_BELOW] = a<b, [IS_AT_MOST] = a <= b, [IS_ABOVE] = a> b,
                              [IS_AT_LEAST] = a >= b};
        if (!holds[k->compare])
            return false;
    }
    return true;
}

/* ---- fields ---- */

struct making {
    const struct scene *scene;
    bool hex;
    dx_text *out;
    size_t from;  /* where the answer begins in out         */
    dx_text utf8; /* text that is not yet in the peer's coding */
};

static int add(struct making *m, const void *p, size_t n)
{
    return dx_text_add(m->hex ? m->out : &m->utf8, p, n);
}

/* Text, wherever it goes. */
static int add_text(struct making *m, const void *p, size_t n)
{
    if (!m->hex || !strcasecmp(m->scene->coding, "utf-8"))
        return add(m, p, n);
    int r = dx_encode(m->scene->coding, p, n, m->out);
    return r < 0 ? r : 0;
}

static int into_coding(struct making *m)
{
    int r = 0;
    if (m->utf8.n && !strcasecmp(m->scene->coding, "utf-8"))
        r = dx_text_add(m->out, m->utf8.p, m->utf8.n);
    else if (m->utf8.n)
        r = dx_encode(m->scene->coding, m->utf8.p, m->utf8.n, m->out);
    dx_text_clear(&m->utf8);
    return r < 0 ? r : 0;
}

static int add_number(struct making *m, const struct field *f)
{
    char text[100], digits[40];
    int64_t x = value_of(m->scene, f);
    if (f->number.bytes) {
        uint8_t bytes[8];
        for (int i = 0; i < f->number.bytes; i++)
            bytes[i] = (uint8_t)((uint64_t)x >> 8 * (f->number.little ? i : f->number.bytes - 1 - i));
        return add(m, bytes, f->number.bytes);
    }
    const char *sign = f->base == 'd' && x < 0 ? "-" : "";
    uint64_t size = *sign ? 0 - (uint64_t)x : (uint64_t)x;
    int n = snprintf(digits, sizeof digits,
                     f->base == 'd'   ? "%0*" PRIu64
                     : f->base == 'x' ? "%0*" PRIx64
                                      : "%0*" PRIX64,
                     f->decimals + 1, size);
    int whole = n - f->decimals, width = f->width - (int)strlen(sign);
    if (f->decimals)
        n = snprintf(text, sizeof text, "%s%.*s.%s", sign, whole, digits, digits + whole);
    else if (f->zeros && width > n)
        n = snprintf(text, sizeof text, "%s%0*d%s", sign, width - n, 0, digits);
    else
        n = snprintf(text, sizeof text, "%*s%s", width > n ? width - n + (int)strlen(sign) : (int)strlen(sign), sign,
                     digits);
    return add_text(m, text, (size_t)n);
}

static int add_time(struct making *m)
{
    char text[40];
    struct tm tm;
    time_t local = (time_t)(m->scene->moment->unix_ms / 1000 + m->scene->moment->east_s);
    if (!gmtime_r(&local, &tm))
        return 0;
    return add_text(m, text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm));
}

static int add_sum(struct making *m, const struct field *f)
{
    uint8_t sum[8];
    char digits[17] = "";
    int r = into_coding(m);
    if (r < 0)
        return r;
    size_t n = m->out->n - m->from;
    n = (size_t)f->b < n ? n - (size_t)f->b : 0;
    size_t from = (size_t)f->a < n ? (size_t)f->a : n;
    int count = dx_checksum(m->scene->rules->bytes.p + f->at, n ? m->out->p + m->from + from : "", n - from, sum);
    if (count < 0 || m->hex)
        return count < 0 ? count : add(m, sum, (size_t)count);
    for (int i = 0; i < count; i++)
        snprintf(digits + 2 * i, 3, "%02X", sum[i]);
    return add(m, digits, strlen(digits));
}

/* What came, from byte a to b. */
static dx_bytes range(dx_bytes all, int64_t a, int64_t b)
{
    size_t n = all.n, from = (size_t)a < n ? (size_t)a : n;
    size_t to = b < 0 || (size_t)b >= n ? n : (size_t)b + 1;
    return (dx_bytes){n ? (const char *)all.p + from : "", to > from ? to - from : 0};
}

/* Characters are not cut: a range of text begins and ends where they do. */
static dx_bytes whole_characters(dx_bytes all, dx_bytes part)
{
    const char *p = part.p, *end = p + part.n, *stop = (const char *)all.p + all.n;
    while (p < end && ((unsigned char)*p & 0xC0) == 0x80)
        p++;
    while (all.n && end > p && end < stop && ((unsigned char)*end & 0xC0) == 0x80)
        end--;
    return (dx_bytes){p, (size_t)(end - p)};
}

static int add_came(struct making *m, const struct field *f)
{
    const struct scene *s = m->scene;
    dx_bytes b = {"", 0};
    bool bytes = m->hex || f->in_hex;
    if (f->kind == F_GROUP && f->index < s->found->count)
        b = (dx_bytes){s->found->group[f->index].p, s->found->group[f->index].n};
    else if (f->kind == F_MESSAGE)
        b = range(bytes ? s->message.raw : s->message.text, f->a, f->b);
    if (f->kind == F_MESSAGE && !bytes)
        b = whole_characters(s->message.text, b);
    if (f->in_hex)
        return dx_hex(b.p, b.n, " ", &m->utf8);
    return f->kind == F_GROUP && s->rule->kind != RULE_HEX ? add_text(m, b.p, b.n) : add(m, b.p, b.n);
}

static int add_field(struct making *m, const struct field *f)
{
    bool typed = f->kind == F_GROUP && m->scene->rule->kind == RULE_HEX && !m->hex && !f->in_hex;
    switch (f->kind) {
    case F_BYTES:
        return add(m, m->scene->rules->bytes.p + f->at, f->n);
    case F_GROUP:
        return typed || f->number.bytes || f->base != 'd' || f->width || f->decimals ? add_number(m, f)
                                                                                     : add_came(m, f);
    case F_MESSAGE:
        return add_came(m, f);
    case F_TIME:
        return add_time(m);
    case F_PEER:
        return add_text(m, m->scene->peer, strlen(m->scene->peer));
    case F_SUM:
        return add_sum(m, f);
    default:
        return add_number(m, f);
    }
}

/* ---- the whole ---- */

static int add_tail(struct making *m, const char *eol)
{
    const struct rules *r = m->scene->rules;
    uint8_t sum[8];
    int bad = into_coding(m);
    if (r->sum.append && !bad) {
        size_t n = m->out->n - m->from, from = r->sum.from < n ? r->sum.from : n;
        int count = dx_checksum(r->sum.name, n ? m->out->p + m->from + from : "", n - from, sum);
        bad = count < 0 ? count : dx_text_add(m->out, sum, (size_t)count);
    }
    if (m->hex || bad) /* an answer in hex is what it says */
        return bad;
    bad = dx_text_add(&m->utf8, eol, strlen(eol));
    return bad ? bad : into_coding(m);
}

int answer_make(const struct scene *s, const struct action *a, const char *eol, dx_text *out)
{
    struct making m = {.scene = s, .hex = a->hex, .out = out, .from = out->n};
    int bad = 0;
    for (uint32_t i = 0; i < a->count && !bad; i++) {
        bad = add_field(&m, &s->rules->field[a->first + i]);
        if (out->n - m.from + m.utf8.n > RULES_ANSWER_MAX)
            bad = DX_BIG;
    }
    if (!bad)
        bad = add_tail(&m, eol);
    dx_text_free(&m.utf8);
    return bad || out->n - m.from <= RULES_ANSWER_MAX ? bad : DX_BIG;
}
