/* SPDX-License-Identifier: MIT
 * rules_talk.c - one client of a rules file: from its bytes to messages, from a message to the first rule that fits, from the
 * rule to what is sent and when. All of a rule is worked out at once when its message comes; only the sending waits. */
#include "tool/rules_pending.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rules_talk {
    struct rules *rules;
    struct rules_wire wire;
    dx_framer *framer; /* NULL: the wire has messages */
    dx_decoder *decoder;
    char peer[128];
    int64_t vars[VARS_MAX];
    uint64_t count;
    uint64_t *rule_count; /* an entry a rule */
    uint64_t random;
    char eol[4]; /* of the last message that had one to take off */
    bool answered, opened, ended, closing, cut_short;
    struct pendings pending;
    dx_text given, text; /* what rules_talk_next lent; the message as UTF-8 */
};

static void say(struct rules_talk *t, bool trouble, uint32_t line, const char *words)
{
    char all[400];
    if (!t->wire.say)
        return;
    snprintf(all, sizeof all, "%s:%u: %s", t->rules->name, line, words);
    t->wire.say(t->wire.arg, trouble, all);
}

/* ---- beginning and end ---- */

/* What depends on the file. 0 or DX_NOMEM, and then *t is as before. */
static int take_rules(struct rules_talk *t, struct rules *r)
{
    const struct rules *old = t->rules;
    const char *coding = t->wire.utf8 ? "utf-8" : r->encoding;
    bool cut_anew = !t->wire.messages && (!old || strcmp(old->frame, r->frame) != 0);
    bool read_anew = !old || (!t->wire.utf8 && strcmp(old->encoding, r->encoding) != 0);
    dx_framer *framer = cut_anew ? dx_framer_new(r->frame, RULES_MESSAGE_MAX, NULL) : NULL;
    dx_decoder *decoder = read_anew ? dx_decoder_new(coding, DX_GUESS_LOCALE, NULL) : NULL;
    uint64_t *count = calloc(r->rule_n.count, sizeof *count);
    if (!count || (cut_anew && !framer) || (read_anew && !decoder)) {
        dx_framer_free(framer);
        dx_decoder_free(decoder);
        free(count);
        return DX_NOMEM;
    }
    if (cut_anew) {
        dx_framer_free(t->framer);
        t->framer = framer;
    }
    if (read_anew) {
        dx_decoder_free(t->decoder);
        t->decoder = decoder;
    }
    free(t->rule_count);
    t->rule_count = count;
    return 0;
}

static void vars_start(struct rules_talk *t, const struct rules *old, const struct rules *r)
{
    int64_t before[VARS_MAX];
    memcpy(before, t->vars, sizeof before);
    for (uint32_t i = 0; i < r->var_count; i++) {
        t->vars[i] = r->vars[i].start;
        for (uint32_t k = 0; old && k < old->var_count; k++)
            if (!strcmp(old->vars[k].name, r->vars[i].name))
                t->vars[i] = before[k];
    }
}

struct rules_talk *rules_talk_new(struct rules *r, const struct rules_wire *wire)
{
    struct rules_talk *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->wire = *wire;
    snprintf(t->peer, sizeof t->peer, "%s", wire->peer ? wire->peer : "");
    t->wire.peer = t->peer;
    t->random = wire->seed;
    if (take_rules(t, r) < 0) {
        free(t);
        return NULL;
    }
    vars_start(t, NULL, r);
    t->rules = rules_ref(r);
    return t;
}

void rules_talk_free(struct rules_talk *t)
{
    if (!t)
        return;
    pending_free(&t->pending);
    dx_framer_free(t->framer);
    dx_decoder_free(t->decoder);
    dx_text_free(&t->given);
    dx_text_free(&t->text);
    free(t->rule_count);
    rules_drop(t->rules);
    free(t);
}

int rules_talk_adopt(struct rules_talk *t, struct rules *r)
{
    struct rules *old = t->rules;
    if (old == r)
        return 0;
    if (take_rules(t, r) < 0)
        return DX_NOMEM;
    repeats_end(&t->pending, NULL);
    vars_start(t, old, r);
    t->rules = rules_ref(r);
    rules_drop(old);
    return 0;
}

bool rules_talk_full(const struct rules_talk *t)
{
    return pending_full(&t->pending);
}

/* ---- a rule ---- */

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

/* 1: a rule of that kind, or a pattern, has matched and was played. 0: none; or < 0. */
static int try_rules(struct rules_talk *t, int kind, const struct message *message, const struct rules_moment *m)
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

/* ---- a message ---- */

/* Without the checksum that it ends with; false: it has none, or another. */
static bool take_sum(const struct rules *r, dx_bytes *raw)
{
    uint8_t sum[8];
    if (!r->sum.check)
        return true;
    if (raw->n < (size_t)r->sum.from + r->sum.bytes)
        return false;
    size_t n = raw->n - r->sum.bytes;
    dx_checksum(r->sum.name, (const char *)raw->p + r->sum.from, n - r->sum.from, sum);
    if (memcmp((const char *)raw->p + n, sum, r->sum.bytes) != 0)
        return false;
    raw->n = n;
    return true;
}

static size_t eol_length(const char *p, size_t n)
{
    if (!n || p[n - 1] != '\n')
        return n && p[n - 1] == '\r';
    return n > 1 && p[n - 2] == '\r' ? 2 : 1;
}

/* The text of what came, without a line end. */
static int decode(struct rules_talk *t, dx_bytes raw, dx_bytes *ret)
{
    dx_text_clear(&t->text);
    int r = dx_decode(t->decoder, raw.p, raw.n, true, &t->text);
    if (r < 0)
        return r;
    size_t eol = eol_length(t->text.p, t->text.n);
    memcpy(t->eol, t->text.p ? t->text.p + t->text.n - eol : "", eol);
    t->eol[eol] = 0;
    *ret = (dx_bytes){t->text.p ? t->text.p : "", t->text.n - eol};
    return 0;
}

static void tell_unmatched(struct rules_talk *t, dx_bytes raw, bool bad_sum)
{
    dx_text words = {0};
    size_t n = raw.n < 32 ? raw.n : 32;
    if (t->wire.say && dx_text_add(&words, bad_sum ? "the checksum of " : "no rule for ", bad_sum ? 16 : 12) == 0 &&
        dx_hex(raw.p, n, " ", &words) == 0 && (n == raw.n || dx_text_add(&words, " ...", 4) == 0) &&
        (!bad_sum || dx_text_add(&words, " is another", 11) == 0))
        t->wire.say(t->wire.arg, false, words.p);
    dx_text_free(&words);
}

static int take_message(struct rules_talk *t, dx_bytes raw, const struct rules_moment *m)
{
    struct message message = {.text = {"", 0}};
    bool good = take_sum(t->rules, &raw);
    t->count++;
    message.raw = (dx_bytes){raw.n ? raw.p : "", raw.n};
    int r = decode(t, message.raw, &message.text);
    if (r < 0)
        return r;
    r = try_rules(t, good ? RULE_ANY : RULE_BAD, &message, m);
    if (!r && good)
        r = try_rules(t, RULE_ELSE, &message, m);
    t->answered = r > 0;
    if (!r)
        tell_unmatched(t, raw, !good);
    return r < 0 ? r : 0;
}

/* connect and close: nothing came */
static int happen(struct rules_talk *t, int kind, const struct rules_moment *m)
{
    const struct message none = {{"", 0}, {"", 0}};
    int r = try_rules(t, kind, &none, m);
    return r < 0 ? r : 0;
}

int rules_talk_open(struct rules_talk *t, const struct rules_moment *m)
{
    t->opened = true;
    return happen(t, RULE_CONNECT, m);
}

int rules_talk_take(struct rules_talk *t, const void *data, size_t n, const struct rules_moment *m)
{
    if (!t->framer)
        return n > RULES_MESSAGE_MAX ? DX_BIG : take_message(t, (dx_bytes){data, n}, m);
    int r = dx_framer_take(t->framer, data, n, m->now_ms);
    if (r < 0)
        return r;
    dx_bytes telnet = dx_framer_answer(t->framer);
    struct pending p = {.due = m->now_ms};
    if (telnet.n && (r = dx_text_add(&p.bytes, telnet.p, telnet.n)) == 0)
        pending_add(&t->pending, p);
    return r;
}

int rules_talk_end(struct rules_talk *t, const struct rules_moment *m)
{
    (void)m;
    t->ended = true;
    repeats_end(&t->pending, NULL);
    return 0;
}

/* ---- what to do next ---- */

/* The next time counts from when it was due, so that a second stays a second; after a pause it begins anew. */
static int give_repeat(struct rules_talk *t, const struct rules_moment *m, struct rules_out *ret)
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

static int give(struct rules_talk *t, const struct rules_moment *m, struct rules_out *ret)
{
    struct pending *p = &t->pending.item[0];
    if (p->close)
        return RULES_CLOSE;
    if (p->every)
        return give_repeat(t, m, ret);
    bool text = p->text;
    dx_text_free(&t->given);
    t->given = p->bytes;
    t->pending.bytes -= p->bytes.n;
    p->bytes = (dx_text){0};
    pending_drop(&t->pending, 0);
    *ret = (struct rules_out){{t->given.p ? t->given.p : "", t->given.n}, text, false};
    return RULES_SEND;
}

/* Takes one message from the framer. 1: took one. */
static int next_message(struct rules_talk *t, const struct rules_moment *m)
{
    dx_bytes raw;
    if (!t->framer || rules_talk_full(t))
        return 0;
    int r = dx_framer_next(t->framer, m->now_ms, t->ended, &raw);
    t->cut_short |= r == DX_TRUNCATED;
    if (r <= 0)
        return r == DX_TRUNCATED ? 0 : r; /* half a message is none; what is under way is still sent */
    r = take_message(t, raw, m);
    return r < 0 ? r : 1;
}

int rules_talk_next(struct rules_talk *t, const struct rules_moment *m, struct rules_out *ret)
{
    int r;
    for (;;) {
        if (t->pending.n && t->pending.item[0].due <= m->now_ms) {
            if ((r = give(t, m, ret)) != RULES_NOTHING)
                return r;
            continue;
        }
        if ((r = next_message(t, m)) < 0)
            return r;
        if (r > 0)
            continue;
        if (!t->ended || rules_talk_full(t))
            return RULES_NOTHING;
        if (t->closing)
            return t->pending.n ? RULES_NOTHING : RULES_CLOSE;
        t->closing = true;
        if (t->opened && (r = happen(t, RULE_CLOSE, m)) < 0)
            return r;
    }
}

int64_t rules_talk_due(const struct rules_talk *t)
{
    int64_t due = t->pending.n ? t->pending.item[0].due : -1;
    int64_t cut = t->framer && !rules_talk_full(t) ? dx_framer_due(t->framer) : -1;
    return cut < 0 || (due >= 0 && due < cut) ? due : cut;
}

bool rules_talk_cut_short(const struct rules_talk *t)
{
    return t->cut_short;
}

bool rules_talk_answered(const struct rules_talk *t)
{
    return t->answered;
}

const char *rules_talk_coding(const struct rules_talk *t)
{
    return dx_decoder_reply_coding(t->decoder);
}
