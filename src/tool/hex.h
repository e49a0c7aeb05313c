/* SPDX-License-Identifier: MIT
 * hex.h - what the parts of `duplex hex` share. Everything is a stream: no part holds more than HEX_STEP bytes. */
#ifndef TOOL_HEX_H
#define TOOL_HEX_H
#include <duplex/text.h>
#include <stdio.h>

enum { HEX_STEP = 32768, HEX_LINE = 16 };

/* ---- hex_read.c: hex text into bytes, and the digits as they were typed ---- */

struct hex_reader {
    enum { HEX_BETWEEN, HEX_ZERO, HEX_PREFIX, HEX_HALF, HEX_LONE } state;
    char half;             /* the digit that waits for its other one                          */
    uint64_t line, column; /* of the next character, from 1 on                                */
    uint64_t half_line, half_column;
    char fault; /* after -1: the character there                                   */
    uint64_t fault_line, fault_column;
    uint8_t bytes[HEX_STEP];
    char digits[2 * HEX_STEP];
    size_t n; /* the bytes of the last call                                      */
};
void hex_reader_init(struct hex_reader *r);
/* The next n characters, at most 2 * HEX_STEP - 1: pairs of digits in any case; blanks, line ends, commas, colons and 0x
 * stand between them. 0, or -1: the text has something else, or a digit that stands alone before others. */
int hex_read(struct hex_reader *r, const char *p, size_t n);
/* The text ends here. 0 and the odd digit at its end, '\0': none; or -1: a 0x without digits. */
int hex_read_end(struct hex_reader *r, char *ret_odd);
/* What is wrong, and where, after -1. */
void hex_fault(const struct hex_reader *r, char *buf, size_t n);
/* The digits of bytes. */
void hex_digits(const uint8_t *p, size_t n, bool upper, char *ret);
/* In one case, or as they are: 'U', 'L', 0. */
void hex_case(char *digits, size_t n, char which);

/* ---- hex_show.c: bytes and their digits onto a stream ---- */

enum hex_form { HEX_PAIRS, HEX_DUMP, HEX_BYTES };
struct hex_show {
    FILE *to;
    enum hex_form form;
    size_t group;               /* pairs: so many bytes stand together, 1 and up                   */
    const char *sep;            /* pairs: between groups                                           */
    bool utf8;                  /* dump: the column on the right shows whole characters            */
    uint64_t offset;            /* bytes shown, but for those of line                              */
    uint8_t line[HEX_LINE + 3]; /* a dump's line, and what may belong to its last character   */
    char digits[2 * (HEX_LINE + 3)];
    size_t n;
    size_t skip; /* so many bytes of line belong to a character that the line before has shown */
};
/* Whether writing fails is asked of the stream. */
void hex_show_add(struct hex_show *s, const uint8_t *bytes, const char *digits, size_t n);
void hex_show_end(struct hex_show *s, char odd); /* odd: a digit that has no other; '\0': none */

/* ---- hex_sum.c: --checksum, --check, --list ---- */

enum { HEX_SUMS_MAX = 16, HEX_SUM_BYTES = 8 };
/* Begins s, or says which names there are. 0 or TOOL_USAGE. */
int hex_sum_begin(dx_sum *s, const char *name);
void hex_sum_print(const dx_sum *s, const char *name, bool upper, FILE *to);

/* The end of what comes is a checksum of all before it. */
struct hex_check {
    const char *name;
    dx_sum sum;
    int want;                    /* bytes of the checksum                                           */
    uint8_t held[HEX_SUM_BYTES]; /* the last bytes: they may be it                            */
    int held_n;
};
int hex_check_begin(struct hex_check *c, const char *name); /* as hex_sum_begin */
void hex_check_add(struct hex_check *c, const uint8_t *p, size_t n);
int hex_check_print(const struct hex_check *c, bool upper, FILE *to); /* TOOL_DONE or TOOL_UNMET */
int hex_list(FILE *to);
#endif
