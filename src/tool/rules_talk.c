/* SPDX-License-Identifier: MIT
 * rules_talk.c - one client of a rules file: from its bytes to messages, for each of which a rule is tried (rules_play.c), and what is due
 * of what the rules want sent. */
#include "tool/rules_talk_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    r = rules_try(t, good ? RULE_ANY : RULE_BAD, &message, m);
    if (!r && good)
        r = rules_try(t, RULE_ELSE, &message, m);
    t->answered = r > 0;
    if (!r)
        tell_unmatched(t, raw, !good);
    return r < 0 ? r : 0;
}

/* connect and close: nothing came */
static int happen(struct rules_talk *t, int kind, const struct rules_moment *m)
{
    const struct message none = {{"", 0}, {"", 0}};
    int r = rules_try(t, kind, &none, m);
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

static int give(struct rules_talk *t, const struct rules_moment *m, struct rules_out *ret)
{
    struct pending *p = &t->pending.item[0];
    if (p->close)
        return RULES_CLOSE;
    if (p->every)
        return rules_repeat(t, m, ret);
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
