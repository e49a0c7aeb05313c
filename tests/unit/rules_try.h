/* SPDX-License-Identifier: MIT
 * rules_try.h - a rules file as a string, and a client of it without a wire. */
#ifndef RULES_TRY_H
#define RULES_TRY_H
#include "test.h"
#include "tool/rules.h"

static struct rules *try_rules;
static struct rules_talk *try_talk;
static struct rules_moment try_now = {.now_ms = 1000, .unix_ms = 1767323045678, .east_s = 3600};
static char try_said[4000];  /* what the talk noted, a line each          */
static char try_heard[4000]; /* what it sent, in hex or as it is, | after each */
static bool try_in_hex;

static inline void try_say(void *arg, bool trouble, const char *words)
{
    (void)arg;
    size_t n = strlen(try_said);
    snprintf(try_said + n, sizeof try_said - n, "%s%s\n", trouble ? "! " : "", words);
}

/* The words for its faults, "" where it reads; try_rules has it then. */
static inline const char *try_read(const char *text)
{
    static char words[8000];
    struct rules_given given = {.name = "r"};
    struct rules_faults faults = {0};
    rules_drop(try_rules);
    try_rules = rules_read(&given, text, strlen(text), &faults);
    snprintf(words, sizeof words, "%s", faults.words.p ? faults.words.p : "");
    CHECK_SAY((try_rules == NULL) == (faults.count > 0), "%s", words);
    dx_text_free(&faults.words);
    return words;
}

static inline void try_begin(const char *text, bool messages)
{
    struct rules_wire wire = {.messages = messages, .peer = "tcp://here:1", .seed = 7, .say = try_say};
    rules_talk_free(try_talk);
    CHECK_STR(try_read(text), "");
    try_talk = rules_talk_new(try_rules, &wire);
    CHECK(try_talk != NULL);
    try_said[0] = try_heard[0] = 0;
    try_in_hex = false;
}

static inline void try_add(const void *p, size_t n)
{
    dx_text t = {0};
    CHECK((try_in_hex ? dx_hex(p, n, " ", &t) : dx_text_add(&t, p, n)) == 0);
    size_t have = strlen(try_heard);
    CHECK(have + t.n + 2 < sizeof try_heard);
    snprintf(try_heard + have, sizeof try_heard - have, "%s|", t.p ? t.p : "");
    dx_text_free(&t);
}

/* All that is due by now. */
static inline int try_pull(void)
{
    struct rules_out out;
    int r;
    while ((r = rules_talk_next(try_talk, &try_now, &out)) == RULES_SEND)
        try_add(out.bytes.p, out.bytes.n);
    if (r == RULES_CLOSE)
        strcat(try_heard, "#");
    return r;
}

static inline void try_bytes(const void *p, size_t n)
{
    CHECK_INT(rules_talk_take(try_talk, p, n, &try_now), 0);
    try_pull();
}

static inline void try_wait(int64_t ms)
{
    try_now.now_ms += ms;
    try_pull();
}

/* What comes back at once, and nothing of before. */
static inline const char *try_ask(const char *text)
{
    try_heard[0] = 0;
    try_bytes(text, strlen(text));
    return try_heard;
}

/* The same for bytes written in hex; the answer is in hex too. */
static inline const char *try_ask_hex(const char *hex)
{
    dx_text t = {0};
    size_t at;
    CHECK(dx_unhex(hex, strlen(hex), &t, &at) == 0);
    try_heard[0] = 0;
    try_in_hex = true;
    int r = rules_talk_take(try_talk, t.p, t.n, &try_now);
    dx_text_free(&t);
    CHECK_INT(r, 0);
    try_pull();
    return try_heard;
}
#endif
