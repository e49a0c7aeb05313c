/* SPDX-License-Identifier: MIT
 * rules_inside.h - a rules file in memory, and what its files say to each other. Everything is an index into arrays of struct
 * rules, so that it is freed as a whole; the file's size bounds them all. */
#ifndef TOOL_RULES_INSIDE_H
#define TOOL_RULES_INSIDE_H
#include "tool/rules.h"

enum {
    NAME_MAX_BYTES = 24,
    VARS_MAX = 32,
    GROUPS_MAX = 32,       /* captures of one pattern                     */
    ITEMS_MAX = 512,       /* bytes of one hex pattern                    */
    ACTIONS_MAX = 100,     /* of one rule                                 */
    ANSWERS_MAX = 16,      /* of them, answers                            */
    CONDS_MAX = 16,
    TERMS_MAX = 16,
    PENDING_MAX = 128,     /* answers of one client that wait             */
    PENDING_BYTES_MAX = 256 << 10, /* past it no more messages are taken  */
    EVERY_MS_MIN = 10,
    DELAY_MS_MAX = 24 * 3600 * 1000,
    REGEX_PATTERN_MAX = 4096,
    QUOTE_MAX = 40,        /* bytes of a word that a fault quotes         */
};

struct number { /* as bytes on the wire */
    uint8_t bytes; /* 0: it is none */
    bool is_signed, little;
};

enum field_kind {
    F_BYTES,   /* literal: bytes of the answer, or UTF-8 text            */
    F_NUMBER,  /* literal: a                                             */
    F_GROUP,   /* index: a capture of the rule, from 0                   */
    F_MESSAGE, /* bytes a to b of what came, both included; b -1: to end */
    F_VAR,     /* index                                                  */
    F_LEN, F_COUNT, F_RULE_COUNT, F_UNIX, F_MS,
    F_RANDOM,  /* below a                                                */
    F_TIME, F_PEER,
    F_SUM,     /* the checksum named at, of the answer but a bytes in front and b at its end */
};
struct field {
    uint8_t kind;
    bool in_hex;           /* {hex:...}                                  */
    struct number number;
    char base;             /* of a number as text: d x X                 */
    uint8_t width, decimals;
    bool zeros;
    uint32_t index;
    uint32_t at, n;        /* of F_BYTES and F_SUM, in rules.bytes       */
    int64_t a, b;
};
struct term {
    bool minus;
    uint32_t field;
};
struct expr {
    uint32_t first, count; /* terms */
};
enum compare { IS_EQUAL, IS_OTHER, IS_BELOW, IS_AT_MOST, IS_ABOVE, IS_AT_LEAST };
struct cond {
    struct expr left, right;
    uint8_t compare;
};
enum action_kind { ACT_SEND, ACT_CLOSE, ACT_SET, ACT_STOP };
struct action {
    uint8_t kind;
    bool hex;
    uint32_t line;
    int64_t after_ms, every_ms;
    uint32_t first, count; /* fields of the answer */
    uint32_t var;
    struct expr value;
};

struct group {
    char name[NAME_MAX_BYTES];
    struct number number;  /* of a hex capture that is a number    */
    uint32_t item, items;  /* of a hex pattern                     */
};
struct item {
    uint8_t value, mask;
    bool run;              /* any number of any bytes              */
};
enum rule_kind { RULE_TEXT, RULE_PREFIX, RULE_CONTAINS, RULE_REGEX, RULE_HEX, RULE_ANY, RULE_ELSE, RULE_CONNECT, RULE_CLOSE, RULE_BAD };
struct rule {
    uint8_t kind;
    bool complained;       /* said already that it takes too long  */
    uint32_t line;
    uint32_t at, n;        /* the text in rules.bytes              */
    struct regex *regex;
    uint32_t item, items, group, groups, cond, conds, action, actions;
    uint32_t answers;
};

struct rules {
    unsigned refs;
    char name[200];
    char frame[120], encoding[40];
    char eol[4];
    bool eol_given;
    struct {
        char name[40];
        bool check, append;
        uint32_t from;
        uint8_t bytes;
    } sum;
    struct var {
        char name[NAME_MAX_BYTES];
        int64_t start;
    } vars[VARS_MAX];
    uint32_t var_count;
    dx_text bytes;
    /* Each grows by rules_grow. */
    struct rule *rule;
    struct group *group;
    struct item *item;
    struct cond *cond;
    struct term *term;
    struct field *field;
    struct action *action;
    struct sizes {
        uint32_t count, cap;
    } rule_n, group_n, item_n, cond_n, term_n, field_n, action_n;
};
/* One more, zeroed, at the end of an array; NULL: no memory. */
void *rules_grow(void *array, struct sizes *s, size_t size);
#define RULES_ADD(r, what) rules_grow(&(r)->what, &(r)->what##_n, sizeof *(r)->what)

/* ---- reading ---- */

struct reader {
    struct rules *rules;
    const struct rules_given *given;
    struct rules_faults *faults;
    uint32_t line;
    bool no_memory;
    struct rule *rule;      /* the one being read; NULL: still at the top   */
    bool acted;             /* it has an action: no more conditions          */
    bool repeating;         /* of an `every`: nothing of the message is left */
};
/* Words on a line: what is behind p moves past it. A word ends at a blank. */
struct cursor {
    const char *p, *end;
};
struct word {
    const char *p;
    size_t n;
};
struct word cursor_word(struct cursor *c); /* n 0: none left; blanks before it are skipped */
void cursor_trim(struct cursor *c);        /* blanks at both ends                          */
void cursor_no_comment(struct cursor *c);  /* what stands behind # goes                    */
bool word_is(struct word w, const char *s);
bool word_number(struct word w, int64_t *ret); /* 12, -3, 0x1F                             */
bool word_duration(struct word w, int64_t *ret_ms);
/* Notes a fault of the line; -1. */
int fault(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int fault_memory(struct reader *r);
int shown(struct word w);                       /* how much of it a fault quotes, for %.*s */
int no_more(struct reader *r, struct cursor *c); /* a fault, -1, where a word is left       */
/* Is w a name for a variable or capture, and free to be one? else a fault, -1. */
int name_check(struct reader *r, struct word w);
/* Appends to rules.bytes; where it stands in *ret_at. 0 or -1. */
int bytes_add(struct reader *r, const void *p, size_t n, uint32_t *ret_at);

/* A line of the top each, behind its keyword: 0, or -1 with the fault noted. rules_settings.c */
int line_frame(struct reader *r, struct cursor c);
int line_encoding(struct reader *r, struct cursor c);
int line_eol(struct reader *r, struct cursor c);
int line_checksum(struct reader *r, struct cursor c);
int line_var(struct reader *r, struct cursor c);
/* rules_field.c: all return 0, or -1 with the fault noted */
int number_read(struct reader *r, struct word w, struct number *ret); /* u16be */
int answer_read(struct reader *r, struct cursor c, bool hex, struct action *a);
int expr_read(struct reader *r, struct cursor *c, struct expr *ret); /* stops before a comparison */
int cond_read(struct reader *r, struct cursor c);
/* rules_pattern.c */
int hex_pattern_read(struct reader *r, struct cursor c, struct rule *rule);
int regex_read(struct reader *r, struct cursor c, struct rule *rule);
/* Text after a keyword: bare to the line's end, or "quoted" with escapes. Appended to *out. */
int text_read(struct reader *r, struct cursor c, dx_text *out);
/* One quoted string at the cursor, which stands on its first quote. */
int quoted_read(struct reader *r, struct cursor *c, dx_text *out);
/* The next byte of a hex line: HEX_BYTE fills value and mask, HEX_RUN is "...", HEX_TEXT a quote, HEX_FIELD a brace; HEX_END,
 * or -1. The cursor stands behind a byte or a run, and on the quote or the brace. */
enum hex_next { HEX_END, HEX_BYTE, HEX_RUN, HEX_TEXT, HEX_FIELD };
int hex_next(struct reader *r, struct cursor *c, uint8_t *ret_value, uint8_t *ret_mask);
/* What stands in the braces at the cursor, which moves behind them. */
int brace_read(struct reader *r, struct cursor *c, struct word *ret);

/* ---- matching ---- */

struct found {
    size_t count;
    struct {
        const uint8_t *p;
        size_t n;
    } group[GROUPS_MAX];
};
struct message {
    dx_bytes raw;  /* without a checksum                     */
    dx_bytes text; /* UTF-8, without a line end              */
};
/* 1, 0, or DX_LIMIT: *steps are used up, or the expression's own limits; or DX_NOMEM. A rule for connect and the like is 0. */
int rule_match(const struct rules *r, const struct rule *rule, const struct message *m, struct found *ret, int64_t *steps);

struct regex; /* one of PCRE2, compiled */
/* NULL: why says what is wrong. */
struct regex *regex_new(const char *pattern, size_t n, char *why, size_t why_n);
void regex_free(struct regex *x);
uint32_t regex_groups(const struct regex *x);
/* The name of group i, from 1; n 0: it has none. */
struct word regex_group_name(const struct regex *x, uint32_t i);
int regex_match(struct regex *x, const char *text, size_t n, struct found *ret, int64_t *steps);

/* ---- answering ---- */

struct scene { /* all that an answer may name */
    const struct rules *rules;
    const struct rule *rule;
    const struct found *found;
    struct message message;
    const int64_t *vars;
    uint64_t count, rule_count;
    const struct rules_moment *moment;
    const char *peer, *coding;
    uint64_t *random;
};
int64_t expr_value(const struct scene *s, struct expr e); /* kept within 64 bits */
bool conds_hold(const struct scene *s, const struct rule *rule);
/* Appends the answer as it goes on the wire, checksum and line end with it. 0, DX_BIG, DX_NOMEM. */
int answer_make(const struct scene *s, const struct action *a, const char *eol, dx_text *out);
#endif
