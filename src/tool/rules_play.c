/* SPDX-License-Identifier: MIT
 * rules_play.c - from a message to the first rule that fits, from the rule to what is to be sent and when. All of a rule is worked out at
 * once when its message comes; only the sending waits. */
#include "tool/rules_talk_inside.h"
#include <stdio.h>
#include <string.h>

static void say(struct rules_talk *t, bool trouble, uint32_t line, const char *words)
{
    char all[400];
    if (!t->wire.say)
        return;
    snprintf(all, sizeof all, "%s:%u: %s", t->rules->name, line, words);
    t->wire.say(t->wire.arg, trouble, all);
}

static const char *eol_of(const struct rules_talk *t)
{
    const char *frame = t->rules->frame;
    if (t->rules->eol_given)
        return t->rules->eol;
    bool has_ends = !strcmp(frame, "line") || !strcmp(frame, "auto") || !strncmp(frame, "delim:", 6);
    return t->framer && has_ends ? dx_framer_eol(t->framer) : t->eol;
}

static struct scene scene_of(struct rules_talk *t, const struct rule *rule, const struct found *found,
                             const struct message *message, const struct rules_moment *m)
{
    return (struct scene){.rules = t->rules,
                          .rule = rule,
                          .found = found,
                          .message = *message,
                          .vars = t->vars,
                          .count = t->count,
                          .rule_count = t->rule_count[rule - t->rules->rule],
                          .moment = m,
                          .peer = t->peer,
                          .coding = rules_talk_coding(t),
                          .random = &t->random};
}

static int make(struct rules_talk *t, const struct scene *s, const struct action *a, dx_text *out)
{
    dx_text_clear(out);
    int r = answer_make(s, a, eol_of(t), out);
    if (r == DX_BIG)
        say(t, true, a->line, "the answer would be over 64 KiB: not sent");
    return r;
}

static int do_send(struct rules_talk *t, const struct scene *s, const struct action *a, int64_t due)
{
    struct pending p = {.due = due, .text = !a->hex};
    if (a->every_ms) {
        repeats_end(&t->pending, a);
        p.every = a;
        if (!t->ended)
            pending_add(&t->pending, p);
        return 0;
    }
    int r = make(t, s, a, &p.bytes);
    if (r < 0)
        dx_text_free(&p.bytes);
    else
        pending_add(&t->pending, p);
    return r == DX_BIG ? 0 : r;
}

static int play(struct rules_talk *t, struct scene *s)
{
    int64_t due = s->moment->now_ms;
    int r = 0;
    for (uint32_t i = 0; i < s->rule->actions && r >= 0; i++) {
        const struct action *a = &t->rules->action[s->rule->action + i];
        due += a->after_ms;
        if (a->kind == ACT_SEND)
            r = do_send(t, s, a, due);
        else if (a->kind == ACT_SET)
            t->vars[a->var] = expr_value(s, a->value);
        else if (a->kind == ACT_STOP)
            repeats_end(&t->pending, NULL);
        else {
            pending_add(&t->pending, (struct pending){.due = due, .close = true});
            break;
        }
    }
    return r;
}

static void complain(struct rules_talk *t, struct rule *rule)
{
    if (!rule->complained)
        say(t, true, rule->line, "this takes too long on what came, so it counts as no match (said once)");
    rule->complained = true;
}

int rules_try(struct rules_talk *t, int kind, const struct message *message, const struct rules_moment *m)
{
    int64_t steps = RULES_STEPS_MAX;
    for (uint32_t i = 0; i < t->rules->rule_n.count; i++) {
        struct rule *rule = &t->rules->rule[i];
        struct found found = {0};
        int64_t before = steps;
        int r = rule->kind == kind;
        if (!r && kind == RULE_ANY && rule->kind < RULE_ANY)
            r = rule_match(t->rules, rule, message, &found, &steps);
        if (r == DX_LIMIT && before > 0) /* else an earlier one has used them up */
            complain(t, rule);
        if (r == DX_NOMEM)
            return r;
        struct scene s = scene_of(t, rule, &found, message, m);
        if (r <= 0 || !conds_hold(&s, rule))
            continue;
        s.rule_count = ++t->rule_count[i];
        say(t, false, rule->line, "matches");
        r = play(t, &s);
        return r < 0 ? r : 1;
    }
    return 0;
}

/* The next time counts from when it was due, so that a second stays a second; after a pause it begins anew. */
int rules_repeat(struct rules_talk *t, const struct rules_moment *m, struct rules_out *ret)
{
    struct pending p = t->pending.item[0];
    const struct message none = {{"", 0}, {"", 0}};
    const struct found found = {0};
    const struct rule *rule = t->rules->rule;
    while (p.every < t->rules->action + rule->action || p.every >= t->rules->action + rule->action + rule->actions)
        rule++;
    struct scene s = scene_of(t, rule, &found, &none, m);
    pending_drop(&t->pending, 0);
    int r = make(t, &s, p.every, &t->given);
    if (r < 0) /* too big: it will be the next time, too */
        return r == DX_BIG ? RULES_NOTHING : r;
    p.due = p.due + p.every->every_ms > m->now_ms ? p.due + p.every->every_ms : m->now_ms + p.every->every_ms;
    pending_add(&t->pending, p);
    *ret = (struct rules_out){{t->given.p ? t->given.p : "", t->given.n}, p.text, true};
    return RULES_SEND;
}
