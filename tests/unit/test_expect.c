/* SPDX-License-Identifier: MIT
 * A pattern in what comes, however it is cut. */
#include "test.h"
#include "tool/expect.h"

static const struct {
    const char *pattern, *text;
    bool there;
} cases[] = {
    {"OK", "AT\r\nOK\r\n", true},   {"OK", "O", false},        {"OK", "OOK", true},
    {"aab", "aaaab", true},         {"abab", "abaabab", true}, {"abcabd", "abcabcabd", true},
    {"aaaa", "aaabaaabaaa", false}, {"x", "", false},          {"abacab", "abacabacab", true},
};

TEST(a_pattern_is_seen_cut_at_every_place_and_only_when_it_is_there)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t cut = 0; cut <= strlen(cases[i].text); cut++) {
            struct expect e;
            const char *text = cases[i].text;
            CHECK_INT(expect_init(&e, cases[i].pattern, strlen(cases[i].pattern)), 0);
            expect_seen(&e, text, cut);
            bool seen = expect_seen(&e, text + cut, strlen(text) - cut);
            CHECK_SAY(seen == cases[i].there, "%s in %s", cases[i].pattern, text);
            expect_free(&e);
        }
}

TEST(once_seen_it_stays_seen)
{
    struct expect e;
    CHECK_INT(expect_init(&e, "\0\1", 2), 0);
    CHECK(expect_seen(&e, "x\0\1y", 4));
    CHECK(expect_seen(&e, "zzz", 3));
    expect_free(&e);
}

TEST_MAIN
