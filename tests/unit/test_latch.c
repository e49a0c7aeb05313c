/* SPDX-License-Identifier: MIT */
#include "codec/latch.h"
#include "test.h"

/* clang-format off */
static const struct {
    const char *what, *in;
    enum latch gb, utf8;     /* read as, by the guess    */
    enum latch latched;
    bool guessed;
} table[] = {
    {"empty", "", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, false},
    {"ASCII", "hello\r\n\x1b[1m", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, false},
    {"nihao in UTF-8", "\xE4\xBD\xA0\xE5\xA5\xBD", LATCH_UTF8, LATCH_UTF8, LATCH_UTF8, false},
    {"an emoji", "ok \xF0\x9F\x98\x80", LATCH_UTF8, LATCH_UTF8, LATCH_UTF8, false},
    {"UTF-8 cut in its last character", "\xE4\xBD\xA0\xE5\xA5", LATCH_UTF8, LATCH_UTF8, LATCH_UTF8, false},
    {"nihao in GB2312", "\xC4\xE3\xBA\xC3", LATCH_GB, LATCH_GB, LATCH_GB, false},
    {"nihao in GB2312, cut", "\xC4\xE3\xBA", LATCH_GB, LATCH_GB, LATCH_GB, false},
    {"GB18030 of four bytes", "\x94\x39\xFC\x36", LATCH_GB, LATCH_GB, LATCH_GB, false},
    {"full-width punctuation", "\xA3\xAC\xA1\xA3", LATCH_GB, LATCH_GB, LATCH_GB, false},
    {"shenme", "\xCA\xB2\xC3\xB4", LATCH_GB, LATCH_UTF8, LATCH_NONE, true},
    {"xiexie", "\xD0\xBB\xD0\xBB", LATCH_GB, LATCH_UTF8, LATCH_NONE, true},
    {"mei", "\xC3\xBB", LATCH_GB, LATCH_UTF8, LATCH_NONE, true},
    {"shui", "\xCB\xAD", LATCH_GB, LATCH_UTF8, LATCH_NONE, true},
    {"xuexi xitong in a line", "1. \xD1\xA7\xCF\xB0 \xCF\xB5\xCD\xB3\n", LATCH_GB, LATCH_UTF8, LATCH_NONE, true},
    {"degrees", "25\xC2\xB0" "C", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, false},
    {"plus-minus, micro", "\xC2\xB1" "5 \xC2\xB5m", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, false},
    {"cafe", "caf\xC3\xA9", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, false},
    {"Mueller", "M\xC3\xBCller", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, false},
    {"Russian", "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, false},
    {"one pair outside makes it UTF-8", "\xC3\xBB\xC3\xA0", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, false},
    {"traditional GBK alone: read, not latched", "\xDF\x40\x82\x80", LATCH_GB, LATCH_GB, LATCH_NONE, true},
    {"Latin-1", "na\xEFve", LATCH_GB, LATCH_GB, LATCH_NONE, true},
    {"Latin-1 at the end", "caf\xE9", LATCH_GB, LATCH_UTF8, LATCH_NONE, true},
    {"bad in both", "\xFF", LATCH_GB, LATCH_UTF8, LATCH_NONE, true},
    {"more is bad in GB", "\xE4\xBD\xA0 \xFF\xFF", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, true},
    {"UTF-8 with its head cut off", "\xBD\xA0\xE5\xA5\xBD\xE5\x95\x8A\xE5\x95\x8A", LATCH_UTF8, LATCH_UTF8, LATCH_NONE, true},
    {"binary that would be GB", "\x01\xC4\xE3\xBA\xC3", LATCH_GB, LATCH_GB, LATCH_NONE, true},
};
/* clang-format on */

TEST(the_first_message_is_read_and_latched_by_the_table)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int gb = 0; gb < 2; gb++) {
            struct latch_state s = {0};
            const uint8_t *p = (const uint8_t *)table[i].in;
            enum latch got = latch_message(&s, p, strlen(table[i].in), gb), want = gb ? table[i].gb : table[i].utf8;
            CHECK_SAY(got == want, "%s, guess %d: read as %d", table[i].what, gb, got);
            CHECK_SAY(s.latched == table[i].latched, "%s, guess %d: latched %d", table[i].what, gb, s.latched);
            CHECK_SAY(s.guessed == table[i].guessed, "%s, guess %d: guessed %d", table[i].what, gb, s.guessed);
        }
}

static enum latch say(struct latch_state *s, const char *in, bool guess_gb)
{
    return latch_message(s, (const uint8_t *)in, strlen(in), guess_gb);
}

TEST(a_latch_is_for_good)
{
    struct latch_state s = {0};
    say(&s, "\xC4\xE3\xBA\xC3", false);
    CHECK_INT(say(&s, "\xCA\xB2\xC3\xB4", false), LATCH_GB);
    CHECK_INT(s.guessed, false);
    CHECK_INT(say(&s, "\xE4\xBD\xA0\xE5\xA5\xBD", false), LATCH_GB);
    CHECK_INT(s.latched, LATCH_GB);
    s = (struct latch_state){0};
    say(&s, "\xE4\xBD\xA0", true);
    CHECK_INT(say(&s, "\xCA\xB2\xC3\xB4", true), LATCH_UTF8);
    CHECK_INT(say(&s, "\xC4\xE3\xBA\xC3", true), LATCH_UTF8);
    CHECK_INT(s.latched, LATCH_UTF8);
}

TEST(a_guess_latches_nothing_and_the_next_message_may_decide)
{
    struct latch_state s = {0};
    CHECK_INT(say(&s, "\xC3\xBB", true), LATCH_GB);
    CHECK_INT(s.last, LATCH_GB);
    CHECK_INT(say(&s, "ok", true), LATCH_UTF8);
    CHECK_INT(s.guessed, false);
    CHECK_INT(s.last, LATCH_GB);
    CHECK_INT(say(&s, "\xE4\xBD\xA0", true), LATCH_UTF8);
    CHECK_INT(s.latched, LATCH_UTF8);
}

TEST(bytes_bad_in_both_follow_the_last_reading)
{
    struct latch_state s = {0};
    say(&s, "\xC3\xBB", true);
    CHECK_INT(say(&s, "\xFF", false), LATCH_GB);
    CHECK_INT(s.guessed, true);
    CHECK_INT(s.latched, LATCH_NONE);
}

TEST_MAIN
