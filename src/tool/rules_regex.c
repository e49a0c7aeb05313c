/* SPDX-License-Identifier: MIT
 * rules_regex.c - regular expressions by PCRE2, for texts from strangers: safe.md's rule 10. The text is short, and
 * every step of every try is counted: PCRE2's own match limit begins anew at each place of the text, so it alone would let an
 * expression run for its square. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "tool/rules_inside.h"
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PARENS_NEST_MAX = 50,
    MATCH_LIMIT = 1000000, /* behind RULES_STEPS_MAX, for what makes no callouts */
    DEPTH_LIMIT = 20000,
    HEAP_LIMIT_KIB = 8192,
};

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    uint32_t groups;
};

static int step(pcre2_callout_block *block, void *steps)
{
    (void)block;
    return --*(int64_t *)steps < 0 ? PCRE2_ERROR_CALLOUT : 0;
}

static pcre2_code *compile(const char *pattern, size_t n, char *why, size_t why_n)
{
    int code = 0;
    size_t at = 0;
    char words[120] = "no memory";
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_code *made = NULL;
    if (context) {
        pcre2_set_max_pattern_length(context, REGEX_PATTERN_MAX);
        pcre2_set_parens_nest_limit(context, PARENS_NEST_MAX);
        /* The text is UTF-8 by then. \C would cut it inside a character. */
        made = pcre2_compile((PCRE2_SPTR)pattern, n,
                             PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT, &code, &at, context);
        if (!made)
            pcre2_get_error_message(code, (PCRE2_UCHAR *)words, sizeof words);
    }
    if (!made)
        snprintf(why, why_n, "%s, at character %zu", words, at + 1);
    pcre2_compile_context_free(context);
    return made;
}

struct regex *regex_new(const char *pattern, size_t n, char *why, size_t why_n)
{
    struct regex *x = calloc(1, sizeof *x);
    snprintf(why, why_n, "no memory");
    if (!x || !(x->code = compile(pattern, n, why, why_n))) {
        regex_free(x);
        return NULL;
    }
    pcre2_jit_compile(x->code, PCRE2_JIT_COMPLETE); /* where there is none, it is interpreted */
    x->data = pcre2_match_data_create_from_pattern(x->code, NULL);
    x->context = pcre2_match_context_create(NULL);
    if (!x->data || !x->context) {
        regex_free(x);
        return NULL;
    }
    pcre2_set_match_limit(x->context, MATCH_LIMIT);
    pcre2_set_depth_limit(x->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(x->context, HEAP_LIMIT_KIB);
    pcre2_pattern_info(x->code, PCRE2_INFO_CAPTURECOUNT, &x->groups);
    return x;
}

void regex_free(struct regex *x)
{
    if (!x)
        return;
    pcre2_match_context_free(x->context);
    pcre2_match_data_free(x->data);
    pcre2_code_free(x->code);
    free(x);
}

uint32_t regex_groups(const struct regex *x)
{
    return x->groups;
}

struct word regex_group_name(const struct regex *x, uint32_t i)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(x->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(x->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(x->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t k = 0; k < count; k++, table += size) /* two bytes of number, the name, a NUL */
        if ((uint32_t)table[0] << 8 == (i & 0xFF00) && table[1] == (i & 0xFF)) {
            struct word w = {(const char *)table + 2, 0};
            while (w.p[w.n])
                w.n++;
            return w;
        }
    return (struct word){NULL, 0};
}

int regex_match(struct regex *x, const char *text, size_t n, struct found *ret, int64_t *steps)
{
    if (n > RULES_REGEX_TEXT_MAX)
        return 0;
    pcre2_set_callout(x->context, step, steps);
    int r = pcre2_match(x->code, (PCRE2_SPTR)text, n, 0, PCRE2_NO_UTF_CHECK, x->data, x->context);
    if (r == PCRE2_ERROR_JIT_STACKLIMIT) /* its stack is small; the interpreter's heap is not */
        r = pcre2_match(x->code, (PCRE2_SPTR)text, n, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, x->data, x->context);
    if (r == PCRE2_ERROR_NOMATCH)
        return 0;
    if (r < 0)
        return r == PCRE2_ERROR_NOMEMORY ? DX_NOMEM : DX_LIMIT;
    const size_t *at = pcre2_get_ovector_pointer(x->data);
    ret->count = x->groups;
    for (uint32_t i = 1; i <= x->groups; i++) {
        bool set = (int)i < r && at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1];
        ret->group[i - 1].p = (const uint8_t *)text + (set ? at[2 * i] : 0);
        ret->group[i - 1].n = set ? at[2 * i + 1] - at[2 * i] : 0;
    }
    return 1;
}
