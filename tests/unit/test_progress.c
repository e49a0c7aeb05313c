/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "tool/progress.h"

enum { GIB = 1 << 30 };

TEST(bytes_have_two_or_three_digits_and_a_unit)
{
    static const struct {
        double bytes;
        const char *words;
    } rows[] = {
        {0, "0 B"},
        {1, "1 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {102348, "99.9 KiB"},
        {102400, "100 KiB"},
        {1048063, "1023 KiB"},
        {1048575, "1.0 MiB"},
        {1048576, "1.0 MiB"},
        {432013312, "412 MiB"},
        {GIB, "1.0 GiB"},
        {1e15, "909 TiB"},
        {9e18, "7994 PiB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[PROGRESS_WORDS];
        progress_bytes(rows[i].bytes, words);
        CHECK_STR(words, rows[i].words);
    }
}

static const char *words_of(int64_t size, int64_t bytes, int64_t ms)
{
    static char words[PROGRESS_WORDS];
    struct progress p;
    progress_begin(&p, size, 1000);
    progress_note(&p, bytes, 1000 + ms);
    progress_words(&p, words);
    return words;
}

TEST(what_is_left_is_said_where_the_size_is_known)
{
    CHECK_STR(words_of(GIB, 0, 0), "0 B of 1.0 GiB, 0 %");
    CHECK_STR(words_of(GIB, GIB / 4, 1000), "256 MiB of 1.0 GiB, 25 %, 256 MiB/s, 0:03 left");
    CHECK_STR(words_of(GIB, GIB, 1000), "1.0 GiB of 1.0 GiB, 100 %, 1.0 GiB/s");
    CHECK_STR(words_of(-1, GIB, 2000), "1.0 GiB, 512 MiB/s");
    CHECK_STR(words_of(0, 0, 2000), "0 B, 0 B/s");
    CHECK_STR(words_of(GIB, 100, 1000), "100 B of 1.0 GiB, 0 %, 100 B/s");
    CHECK_STR(words_of(36000000, 10000, 1000), "9.8 KiB of 34.3 MiB, 0 %, 9.8 KiB/s, 59:59 left");
    CHECK_STR(words_of(36010000, 10000, 1000), "9.8 KiB of 34.3 MiB, 0 %, 9.8 KiB/s, 1:00:00 left");
    CHECK(strlen(words_of(INT64_MAX, INT64_MAX / 3, 123456789)) < 60);
}

TEST(the_rate_is_that_of_the_last_seconds)
{
    struct progress p;
    int64_t at = 0, now = 0;
    progress_begin(&p, -1, now);
    while (now < 60000)
        progress_note(&p, at += 100000, now += 100);
    CHECK_SAY(p.rate > 999000 && p.rate < 1001000, "%f", p.rate);
    for (int i = 0; i < 100; i++)
        progress_note(&p, at += 10000, now += 100);
    CHECK_SAY(p.rate > 99000 && p.rate < 150000, "%f", p.rate);
    for (int i = 0; i < 300; i++)
        progress_note(&p, at, now += 100);
    CHECK_SAY(p.rate >= 0 && p.rate < 100, "%f", p.rate);
    progress_note(&p, at, now); /* no time has passed */
    CHECK(p.rate >= 0);
}

TEST(the_total_is_of_all_the_time)
{
    char words[PROGRESS_WORDS];
    struct progress p;
    progress_begin(&p, GIB, 500);
    progress_total(&p, GIB, 1400, words);
    CHECK_STR(words, "1.0 GiB in 0.9 s, 1.1 GiB/s");
    progress_total(&p, 0, 500, words);
    CHECK_STR(words, "0 B in 0.0 s");
    progress_total(&p, GIB, 125500, words);
    CHECK_STR(words, "1.0 GiB in 2:05, 8.2 MiB/s");
}

TEST_MAIN
