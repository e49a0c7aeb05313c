/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include "test.h"

static const struct {
    const char *s;
    bool ok, whole;
} table[] = {
    {"", true, true},
    {"hello", true, true},
    {"\xC2\x80", true, true},
    {"\xDF\xBF", true, true},
    {"\xE0\xA0\x80", true, true},
    {"\xED\x9F\xBF", true, true},
    {"\xEE\x80\x80", true, true},
    {"\xEF\xBF\xBF", true, true},
    {"\xF0\x90\x80\x80", true, true},
    {"\xF4\x8F\xBF\xBF", true, true},
    {"\xE4\xBD\xA0\xE5\xA5\xBD, a \xF0\x9F\x98\x80 \xC3\xA9!", true, true},
    {"\xC2", true, false},
    {"\xE4\xBD", true, false},
    {"\xF0\x9F\x98", true, false},
    {"\x80", false, false},
    {"\xBF", false, false},
    {"\xC0\x80", false, false},
    {"\xC1\xBF", false, false},
    {"\xC2\x41", false, false},
    {"\xC2\xC2", false, false},
    {"\xE0\x9F\xBF", false, false},
    {"\xED\xA0\x80", false, false},
    {"\xED\xBF\xBF", false, false},
    {"\xE4\xBD\x41", false, false},
    {"\xF0\x8F\xBF\xBF", false, false},
    {"\xF4\x90\x80\x80", false, false},
    {"\xF5\x80\x80\x80", false, false},
    {"\xFE", false, false},
    {"\xFF", false, false},
};

TEST(the_table_holds_however_it_is_cut)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n = strlen(table[i].s);
        for (size_t cut = 0; cut <= n; cut++) {
            uint32_t state = 0;
            const uint8_t *p = (const uint8_t *)table[i].s;
            bool ok = utf8_check(&state, p, cut);
            ok = utf8_check(&state, p + cut, n - cut) && ok;
            CHECK_SAY(ok == table[i].ok, "case %zu cut at %zu: %d", i, cut, ok);
            CHECK_SAY(!ok || (state == 0) == table[i].whole, "case %zu cut at %zu: state %u", i, cut, state);
        }
    }
}

TEST(bad_is_for_good)
{
    uint32_t state = 0;
    CHECK(!utf8_check(&state, (const uint8_t *)"\xFF", 1));
    CHECK(!utf8_check(&state, (const uint8_t *)"abc", 3));
}

TEST(a_bad_byte_is_found_at_every_place_of_a_long_ascii_text)
{
    enum { N = 300 };
    uint8_t p[N];
    for (size_t n = 1; n <= N; n += 7)
        for (size_t bad = 0; bad < n; bad++) {
            memset(p, 'a', n);
            uint32_t state = 0;
            CHECK(utf8_check(&state, p, n) && state == 0);
            p[bad] = 0xFF;
            CHECK_SAY(!utf8_check(&state, p, n), "missed at %zu of %zu", bad, n);
        }
}

TEST(every_character_survives_put_and_next)
{
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        uint8_t b[4];
        uint32_t back = 1, state = 0;
        size_t n = utf8_put(cp, b);
        CHECK(utf8_next(b, n, &back) == n);
        CHECK_INT(back, cp >= 0xD800 && cp < 0xE000 ? 0xFFFD : cp);
        CHECK(utf8_check(&state, b, n) && state == 0);
        CHECK_INT(utf8_next(b, n - 1, &back), 0);
    }
    uint8_t b[4];
    CHECK_INT(utf8_put(0x110000, b), 3);
}

TEST(next_agrees_with_the_table)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const uint8_t *p = (const uint8_t *)table[i].s, *end = p + strlen(table[i].s);
        uint32_t cp;
        size_t k = 1;
        while (p < end && (k = utf8_next(p, (size_t)(end - p), &cp)) > 0)
            p += k;
        CHECK_SAY((p == end) == (table[i].ok && table[i].whole), "case %zu", i);
    }
}

TEST_MAIN
