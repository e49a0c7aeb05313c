/* SPDX-License-Identifier: MIT
 * rules_match.c - does a rule's pattern fit a message? Text by its characters, hex by its bytes. */
#include "tool/rules_inside.h"
#include <string.h>

/* pos[k]: where item k begins. After a run that does not lead on, the last one is made longer; earlier ones need not be, as in
 * any pattern of wildcards alone. */
static int hex_match(const struct item *item, uint32_t items, const uint8_t *p, size_t n, uint32_t *pos, int64_t *steps)
{
    size_t i = 0, run_to = 0;
    uint32_t k = 0, run = UINT32_MAX;
    for (;;) {
        if (--*steps < 0)
            return DX_LIMIT;
        if (k < items && item[k].run) {
            pos[k] = (uint32_t)i;
            run = k++;
            run_to = i;
        } else if (k < items && i < n && (p[i] & item[k].mask) == item[k].value) {
            pos[k++] = (uint32_t)i++;
        } else if (k == items && i == n) {
            pos[k] = (uint32_t)n;
            return 1;
        } else if (run == UINT32_MAX || run_to == n) {
            return 0;
        } else {
            i = ++run_to;
            k = run + 1;
        }
    }
}

static int match_hex(const struct rules *r, const struct rule *rule, dx_bytes raw, struct found *ret, int64_t *steps)
{
    uint32_t pos[ITEMS_MAX + 1];
    int matched = hex_match(r->item + rule->item, rule->items, raw.p, raw.n, pos, steps);
    if (matched <= 0)
        return matched;
    ret->count = rule->groups;
    for (uint32_t i = 0; i < rule->groups; i++) {
        const struct group *g = &r->group[rule->group + i];
        ret->group[i].p = (const uint8_t *)raw.p + pos[g->item];
        ret->group[i].n = pos[g->item + g->items] - pos[g->item];
    }
    return 1;
}

static int match_text(const struct rules *r, const struct rule *rule, dx_bytes text, struct found *ret)
{
    const char *want = r->bytes.p + rule->at;
    bool begins = text.n >= rule->n && (!rule->n || !memcmp(text.p, want, rule->n));
    if (rule->kind == RULE_CONTAINS)
        return memmem(text.p, text.n, want, rule->n) != NULL;
    if (rule->kind == RULE_PREFIX && begins) {
        ret->count = 1;
        ret->group[0].p = (const uint8_t *)text.p + rule->n;
        ret->group[0].n = text.n - rule->n;
    }
    return begins && (rule->kind == RULE_PREFIX || text.n == rule->n);
}

int rule_match(const struct rules *r, const struct rule *rule, const struct message *m, struct found *ret,
               int64_t *steps)
{
    ret->count = 0;
    switch (rule->kind) {
    case RULE_TEXT:
    case RULE_PREFIX:
    case RULE_CONTAINS:
        return match_text(r, rule, m->text, ret);
    case RULE_REGEX:
        return regex_match(rule->regex, m->text.p, m->text.n, ret, steps);
    case RULE_HEX:
        return match_hex(r, rule, m->raw, ret, steps);
    default:
        return rule->kind == RULE_ANY;
    }
}
