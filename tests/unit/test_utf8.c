/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include "test.h"
#include <time.h>

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

/* Byte by byte is the plain way; at once goes by blocks, where the machine can. */
static void agree(const uint8_t *p, size_t n)
{
    uint32_t plain = 0, blocks = 0;
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = utf8_check(&plain, p + i, 1);
    bool says = utf8_check(&blocks, p, n);
    CHECK_SAY(says == ok && (!ok || blocks == plain), "%zu bytes: %d, not %d; state %x, not %x", n, says, ok, blocks,
              plain);
}

TEST(blocks_find_what_the_plain_way_finds_wherever_it_lies)
{
    enum { N = 160, ROOM = N + 8 };
    unsigned seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    srand(seed);
    for (size_t c = 0; c < sizeof table / sizeof *table; c++)
        for (size_t at = 0; at < 80; at++)
            for (int filler = 0; filler < 3; filler++) {
                static const char *const fillers[] = {"a", "\xC3\xA9", "\xE4\xBD\xA0"};
                size_t n = 0, k = strlen(fillers[filler]), len = strlen(table[c].s);
                uint8_t *p = malloc(ROOM + 64);
                while (n + k <= at)
                    n += (size_t)snprintf((char *)p + n, ROOM - n, "%s", fillers[filler]);
                memcpy(p + n, table[c].s, len);
                n += len;
                while (n + k <= N)
                    n += (size_t)snprintf((char *)p + n, ROOM - n, "%s", fillers[filler]);
                uint8_t *exact = malloc(n); /* so that a sanitizer sees one byte too far */
                memcpy(exact, p, n);
                agree(exact, n);
                free(exact);
                free(p);
            }
    for (int i = 0; i < 20000; i++) { /* good characters of all lengths, and then a byte or two is changed */
        uint8_t p[N];
        size_t n = 0, max = 32 + (size_t)rand() % (N - 36);
        while (n < max)
            n += utf8_put((uint32_t)rand() % (0x80u << rand() % 14), p + n);
        for (int k = rand() % 3; k > 0; k--)
            p[(size_t)rand() % n] = (uint8_t)rand();
        agree(p, n - (size_t)rand() % 4);
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
