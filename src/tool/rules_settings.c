/* SPDX-License-Identifier: MIT
 * rules_settings.c - the top of a rules file: how messages are told apart, coding, line ends, checksum, variables. */
#include "tool/rules_inside.h"
#include "tool/tool.h"
#include <string.h>

static int copy(struct reader *r, struct word w, char *to, size_t size)
{
    if (w.n >= size)
        return fault(r, "'%.*s...' is too long", shown(w), w.p);
    memcpy(to, w.p, w.n);
    to[w.n] = 0;
    return 0;
}

int line_frame(struct reader *r, struct cursor c)
{
    struct rules *x = r->rules;
    dx_err err = {0};
    cursor_no_comment(&c);
    if (copy(r, cursor_word(&c), x->frame, sizeof x->frame) < 0 || no_more(r, &c) < 0)
        return -1;
    dx_framer *f = dx_framer_new(x->frame, RULES_MESSAGE_MAX, &err);
    dx_framer_free(f);
    return f ? 0 : fault(r, "%s", err.text);
}

int line_encoding(struct reader *r, struct cursor c)
{
    struct rules *x = r->rules;
    dx_err err = {0};
    cursor_no_comment(&c);
    if (copy(r, cursor_word(&c), x->encoding, sizeof x->encoding) < 0 || no_more(r, &c) < 0)
        return -1;
    dx_decoder *d = dx_decoder_new(x->encoding, DX_GUESS_LOCALE, &err);
    dx_decoder_free(d);
    const char *near = d ? NULL : nearest_coding(x->encoding);
    return d      ? 0
           : near ? fault(r, "encoding '%s': there is no such coding.  Did you mean %s?", x->encoding, near)
                  : fault(r, "encoding '%s': there is no such coding", x->encoding);
}

int line_eol(struct reader *r, struct cursor c)
{
    static const struct {
        const char *name, *bytes;
    } ends[] = {{"none", ""}, {"lf", "\n"}, {"crlf", "\r\n"}, {"cr", "\r"}};
    cursor_no_comment(&c);
    struct word w = cursor_word(&c);
    r->rules->eol_given = !word_is(w, "same");
    if (!r->rules->eol_given)
        return no_more(r, &c);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (word_is(w, ends[i].name)) {
            strcpy(r->rules->eol, ends[i].bytes);
            return no_more(r, &c);
        }
    return fault(r, "eol is one of same, none, lf, crlf, cr, not '%.*s'", shown(w), w.p);
}

/* checksum [check|append] NAME [from N] */
int line_checksum(struct reader *r, struct cursor c)
{
    struct rules *x = r->rules;
    uint8_t sum[8];
    int64_t from = 0;
    cursor_no_comment(&c);
    struct word w = cursor_word(&c);
    bool check = word_is(w, "check"), append = word_is(w, "append");
    if (check || append)
        w = cursor_word(&c);
    if (copy(r, w, x->sum.name, sizeof x->sum.name) < 0)
        return -1;
    int n = dx_checksum(x->sum.name, "", 0, sum);
    if (n <= 0)
        return fault(r, "checksum '%s': there is no such checksum", x->sum.name);
    w = cursor_word(&c);
    if (word_is(w, "from")) {
        if (!word_number(cursor_word(&c), &from) || from < 0 || from > RULES_MESSAGE_MAX)
            return fault(r, "after from comes the number of the first byte that is summed, from 0 on");
        w = cursor_word(&c);
    }
    x->sum.check = !append;
    x->sum.append = !check;
    x->sum.from = (uint32_t)from;
    x->sum.bytes = (uint8_t)n;
    return w.n ? fault(r, "'%.*s' is one word too many", shown(w), w.p) : 0;
}

/* var NAME = NUMBER */
int line_var(struct reader *r, struct cursor c)
{
    struct rules *x = r->rules;
    int64_t start;
    cursor_no_comment(&c);
    struct word name = cursor_word(&c);
    if (name_check(r, name) < 0)
        return -1;
    for (uint32_t i = 0; i < x->var_count; i++)
        if (word_is(name, x->vars[i].name))
            return fault(r, "the variable %s is there already", x->vars[i].name);
    if (x->var_count == VARS_MAX)
        return fault(r, "more than %d variables", VARS_MAX);
    if (!word_is(cursor_word(&c), "=") || !word_number(cursor_word(&c), &start))
        return fault(r, "a variable begins with a number: var %.*s = 0", (int)name.n, name.p);
    struct var *v = &x->vars[x->var_count++];
    memcpy(v->name, name.p, name.n);
    v->start = start;
    return no_more(r, &c);
}
