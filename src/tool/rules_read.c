/* SPDX-License-Identifier: MIT
 * rules_read.c - a rules file, line by line: settings at the top, then rules. Reads on after a fault, so that all are told. */
#include "tool/rules_inside.h"
#include "tool/nearest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a rule begins ---- */

static struct rule *rule_add(struct reader *r, enum rule_kind kind)
{
    struct rules *x = r->rules;
    r->acted = false;
    r->rule = NULL;
    if (x->rule_n.count == RULES_COUNT_MAX) {
        fault(r, "more than %d rules", RULES_COUNT_MAX);
        return NULL;
    }
    if (!(r->rule = RULES_ADD(x, rule))) {
        fault_memory(r);
        return NULL;
    }
    *r->rule = (struct rule){.kind = (uint8_t)kind,
                             .line = r->line,
                             .item = x->item_n.count,
                             .group = x->group_n.count,
                             .cond = x->cond_n.count,
                             .action = x->action_n.count};
    return r->rule;
}

static int text_pattern(struct reader *r, struct cursor c, struct rule *rule)
{
    dx_text text = {0};
    int bad = text_read(r, c, &text);
    if (!bad && !text.n && rule->kind != RULE_TEXT)
        bad = fault(r, "after %s comes text", rule->kind == RULE_PREFIX ? "prefix" : "contains");
    if (!bad)
        bad = bytes_add(r, text.p ? text.p : "", text.n, &rule->at);
    rule->n = (uint32_t)text.n;
    dx_text_free(&text);
    if (bad || rule->kind != RULE_PREFIX)
        return bad;
    struct group *g = RULES_ADD(r->rules, group); /* what stands behind it */
    if (!g)
        return fault_memory(r);
    strcpy(g->name, "rest");
    rule->groups = 1;
    return 0;
}

static int line_match(struct reader *r, struct cursor c)
{
    static const struct {
        const char *name;
        enum rule_kind kind;
    } kinds[] = {{"text", RULE_TEXT},   {"prefix", RULE_PREFIX}, {"contains", RULE_CONTAINS},
                 {"regex", RULE_REGEX}, {"hex", RULE_HEX},       {"any", RULE_ANY}};
    const char *names[sizeof kinds / sizeof *kinds];
    char word[QUOTE_MAX + 1];
    struct word w = cursor_word(&c);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        names[i] = kinds[i].name;
        if (!word_is(w, kinds[i].name))
            continue;
        struct rule *rule = rule_add(r, kinds[i].kind);
        if (!rule)
            return -1;
        cursor_trim(&c);
        if (rule->kind == RULE_HEX)
            return hex_pattern_read(r, c, rule);
        if (rule->kind == RULE_REGEX)
            return regex_read(r, c, rule);
        if (rule->kind != RULE_ANY)
            return text_pattern(r, c, rule);
        cursor_no_comment(&c);
        return no_more(r, &c);
    }
    rule_add(r, RULE_ANY); /* so that the lines below it are read as its own */
    snprintf(word, sizeof word, "%.*s", shown(w), w.p);
    const char *near = nearest(word, names, sizeof kinds / sizeof *kinds);
    if (near)
        return fault(r, "match '%s': no such kind.  Did you mean %s?", word, near);
    return fault(r, "after match comes one of text, prefix, contains, regex, hex, any, not '%s'", word);
}

static int line_on(struct reader *r, struct cursor c)
{
    static const struct {
        const char *name;
        enum rule_kind kind;
    } events[] = {{"connect", RULE_CONNECT}, {"close", RULE_CLOSE}, {"bad", RULE_BAD}};
    cursor_no_comment(&c);
    struct word w = cursor_word(&c);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (word_is(w, events[i].name))
            return rule_add(r, events[i].kind) ? no_more(r, &c) : -1;
    rule_add(r, RULE_CONNECT);
    return fault(r, "after on comes one of connect, close, bad, not '%.*s'", shown(w), w.p);
}

static int line_else(struct reader *r, struct cursor c)
{
    cursor_no_comment(&c);
    return rule_add(r, RULE_ELSE) ? no_more(r, &c) : -1;
}

/* ---- what a rule does ---- */

static int line_if(struct reader *r, struct cursor c)
{
    if (r->acted)
        return fault(r, "a condition stands above what the rule does");
    if (r->rule->conds == CONDS_MAX)
        return fault(r, "more than %d conditions in a rule", CONDS_MAX);
    cursor_no_comment(&c);
    if (cond_read(r, c) < 0)
        return -1;
    r->rule->conds++;
    return 0;
}

static struct action *action_add(struct reader *r, enum action_kind kind)
{
    if (r->rule->actions == ACTIONS_MAX) {
        fault(r, "more than %d lines in a rule", ACTIONS_MAX);
        return NULL;
    }
    struct action *a = RULES_ADD(r->rules, action);
    if (!a) {
        fault_memory(r);
        return NULL;
    }
    *a = (struct action){.kind = (uint8_t)kind, .line = r->line};
    r->rule->actions++;
    return a;
}

static int read_set(struct reader *r, struct cursor *c, struct action *a)
{
    const struct rules *x = r->rules;
    cursor_no_comment(c);
    struct word w = cursor_word(c);
    for (a->var = 0; a->var < x->var_count; a->var++)
        if (word_is(w, x->vars[a->var].name))
            break;
    if (a->var == x->var_count)
        return fault(r, "set '%.*s': no such variable; at the top stands var %.*s = 0", shown(w), w.p, shown(w), w.p);
    if (!word_is(cursor_word(c), "="))
        return fault(r, "set wants NAME = VALUE");
    return expr_read(r, c, &a->value) < 0 ? -1 : no_more(r, c);
}

static int read_answer(struct reader *r, struct cursor *c, struct action *a)
{
    struct word w = cursor_word(c);
    a->hex = word_is(w, "hex");
    if (!a->hex && !word_is(w, "text"))
        return fault(r, "after answer comes text or hex, not '%.*s'", shown(w), w.p);
    if (++r->rule->answers > ANSWERS_MAX)
        return fault(r, "more than %d answers in a rule", ANSWERS_MAX);
    cursor_trim(c);
    return answer_read(r, *c, a->hex, a);
}

/* after TIME, every TIME: what they say of the action that follows. */
static int read_times(struct reader *r, struct cursor *c, struct word *w, int64_t *after, int64_t *every)
{
    bool wait;
    *after = *every = 0;
    while ((wait = word_is(*w, "after")) || word_is(*w, "every")) {
        struct word time = cursor_word(c);
        int64_t *ret = wait ? after : every;
        if (*ret)
            return fault(r, "%s stands twice", wait ? "after" : "every");
        if (!word_duration(time, ret) || (!wait && *ret < EVERY_MS_MIN))
            return fault(r, "%s wants a duration such as 200ms or 2s%s, not '%.*s'", wait ? "after" : "every",
                         wait ? ", a day at most" : ", from 10ms on", shown(time), time.p);
        if (r->rule->kind == RULE_CLOSE)
            return fault(r, "a client that goes waits for nothing: no after or every in on close");
        *w = cursor_word(c);
    }
    return 0;
}

static int line_action(struct reader *r, struct cursor c)
{
    static const struct {
        const char *name;
        enum action_kind kind;
    } kinds[] = {{"answer", ACT_SEND}, {"close", ACT_CLOSE}, {"set", ACT_SET}, {"stop", ACT_STOP}};
    int64_t after, every;
    struct word w = cursor_word(&c);
    r->acted = true;
    if (read_times(r, &c, &w, &after, &every) < 0)
        return -1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!word_is(w, kinds[i].name))
            continue;
        if (every && kinds[i].kind != ACT_SEND)
            return fault(r, "only an answer comes every so often");
        if (after && (kinds[i].kind == ACT_SET || kinds[i].kind == ACT_STOP))
            return fault(r, "%s happens at once: no after before it", kinds[i].name);
        struct action *a = action_add(r, kinds[i].kind);
        if (!a)
            return -1;
        a->after_ms = after;
        a->every_ms = every;
        r->repeating = every > 0;
        if (a->kind == ACT_SEND)
            return read_answer(r, &c, a);
        if (a->kind == ACT_SET)
            return read_set(r, &c, a);
        cursor_no_comment(&c);
        return no_more(r, &c);
    }
    return fault(r, "after the time comes answer or close, not '%.*s'", shown(w), w.p);
}

/* ---- lines ---- */

enum place { AT_TOP, ANYWHERE, IN_RULE };
static const struct {
    const char *name;
    enum place place;
    int (*read)(struct reader *r, struct cursor c);
} keywords[] = {
    {"frame", AT_TOP, line_frame},       {"encoding", AT_TOP, line_encoding}, {"eol", AT_TOP, line_eol},
    {"checksum", AT_TOP, line_checksum}, {"var", AT_TOP, line_var},           {"match", ANYWHERE, line_match},
    {"on", ANYWHERE, line_on},           {"else", ANYWHERE, line_else},       {"if", IN_RULE, line_if},
    {"answer", IN_RULE, line_action},    {"after", IN_RULE, line_action},     {"every", IN_RULE, line_action},
    {"set", IN_RULE, line_action},       {"close", IN_RULE, line_action},     {"stop", IN_RULE, line_action},
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

static int unknown(struct reader *r, struct word w)
{
    const char *names[KEYWORDS];
    char word[QUOTE_MAX + 1];
    snprintf(word, sizeof word, "%.*s", shown(w), w.p);
    for (size_t i = 0; i < KEYWORDS; i++)
        names[i] = keywords[i].name;
    const char *near = nearest(word, names, KEYWORDS);
    if (near)
        return fault(r, "'%s' begins no line.  Did you mean %s?", word, near);
    return fault(r, "'%s' begins no line: match, on, else, if, answer, after, every, set, close, stop do", word);
}

static int read_line(struct reader *r, struct cursor c)
{
    struct cursor all = c;
    struct word w = cursor_word(&c);
    if (!w.n || *w.p == '#')
        return 0;
    if (!dx_is_utf8(all.p, (size_t)(all.end - all.p)))
        return fault(r, "this is not UTF-8");
    if (memchr(all.p, 0, (size_t)(all.end - all.p)))
        return fault(r, "a NUL byte in text");
    for (size_t i = 0; i < KEYWORDS; i++) {
        if (!word_is(w, keywords[i].name))
            continue;
        if (keywords[i].place == AT_TOP && r->rules->rule_n.count)
            return fault(r, "%s stands at the top, above the first rule", keywords[i].name);
        if (keywords[i].place == IN_RULE && !r->rule)
            return fault(r, "%s belongs to a rule: above it stands match, on or else", keywords[i].name);
        return keywords[i].read(r, keywords[i].read == line_action ? all : c);
    }
    return unknown(r, w);
}

static void read_lines(struct reader *r, const char *p, const char *end)
{
    if (end - p >= 3 && !memcmp(p, "\xEF\xBB\xBF", 3))
        p += 3;
    while (p < end && !r->no_memory && r->faults->count <= RULES_FAULTS_MAX) {
        const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
        r->line++;
        read_line(r, (struct cursor){p, stop > p && stop[-1] == '\r' ? stop - 1 : stop});
        p = nl ? nl + 1 : end;
    }
    r->line = 0;
}

/* What the command line says wins; what nobody says depends on what the rules are about. */
static void settle(struct reader *r)
{
    struct rules *x = r->rules;
    bool bytes = x->sum.check;
    const char *frame = r->given->frame, *encoding = r->given->encoding;
    for (uint32_t i = 0; i < x->rule_n.count; i++)
        bytes |= x->rule[i].kind == RULE_HEX;
    if (!frame && !x->frame[0])
        frame = bytes ? "gap:20ms" : "auto";
    if (!encoding && !x->encoding[0])
        encoding = "auto";
    if (frame)
        line_frame(r, (struct cursor){frame, frame + strlen(frame)});
    if (encoding)
        line_encoding(r, (struct cursor){encoding, encoding + strlen(encoding)});
    if (!x->rule_n.count && !r->faults->count)
        fault(r, "there is no rule in it");
}

struct rules *rules_read(const struct rules_given *given, const char *text, size_t n, struct rules_faults *faults)
{
    struct reader r = {.given = given, .faults = faults, .rules = calloc(1, sizeof *r.rules)};
    if (!r.rules) {
        fault(&r, "no memory");
        return NULL;
    }
    r.rules->refs = 1;
    snprintf(r.rules->name, sizeof r.rules->name, "%s", given->name);
    if (n > RULES_FILE_MAX)
        fault(&r, "it is over the limit of 1 MiB");
    else
        read_lines(&r, text, text + n);
    if (faults->count <= RULES_FAULTS_MAX && n <= RULES_FILE_MAX)
        settle(&r);
    if (r.no_memory)
        fault(&r, "no memory");
    if (!faults->count)
        return r.rules;
    rules_drop(r.rules);
    return NULL;
}

struct rules *rules_ref(struct rules *r)
{
    r->refs++;
    return r;
}

void rules_drop(struct rules *r)
{
    if (!r || --r->refs)
        return;
    for (uint32_t i = 0; i < r->rule_n.count; i++)
        regex_free(r->rule[i].regex);
    dx_text_free(&r->bytes);
    free(r->rule);
    free(r->group);
    free(r->item);
    free(r->cond);
    free(r->term);
    free(r->field);
    free(r->action);
    free(r);
}

size_t rules_count(const struct rules *r)
{
    return r->rule_n.count;
}
