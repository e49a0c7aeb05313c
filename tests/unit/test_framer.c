/* SPDX-License-Identifier: MIT */
#include <duplex/text.h>
#include "test.h"

enum { FAR_MS = 1000000 };
static dx_text got;

/* Pulls what is there into got, a '|' behind each message; returns the last answer of dx_framer_next. */
static int pull(dx_framer *f, int64_t now_ms, bool last)
{
    dx_bytes m;
    int r;
    while ((r = dx_framer_next(f, now_ms, last, &m)) > 0) {
        dx_text_add(&got, m.p, m.n);
        dx_text_add(&got, "|", 1);
    }
    dx_text_add(&got, "", 0);
    return r;
}

static dx_framer *start(const char *spec, size_t max)
{
    dx_err e = {0};
    dx_framer *f = dx_framer_new(spec, max, &e);
    CHECK_SAY(f, "%s", e.text);
    dx_text_clear(&got);
    return f;
}

TEST(a_bad_spec_is_no_framer)
{
    dx_err e = {0};
    CHECK(dx_framer_new("fixed:x", 0, &e) == NULL);
    CHECK_INT(e.code, DX_URL);
    dx_framer_free(NULL);
}

TEST(lines_wait_until_they_are_asked_for)
{
    dx_framer *f = start("line", 0);
    CHECK_STR(dx_framer_eol(f), "\n");
    CHECK_INT(dx_framer_take(f, "a\nb", 3, 0), 0);
    CHECK_INT(dx_framer_take(f, "c\r\nd", 4, 0), 0);
    CHECK_INT(pull(f, 0, false), 0);
    CHECK_STR(got.p, "a|bc|");
    CHECK_STR(dx_framer_eol(f), "\r\n");
    CHECK_INT(pull(f, 0, true), 0);
    CHECK_STR(got.p, "a|bc|d|");
    dx_framer_free(f);
}

TEST(gaps_part_messages_that_nobody_has_asked_for_yet)
{
    dx_framer *f = start("gap:20ms", 0);
    CHECK_INT(dx_framer_due(f), -1);
    char digit[2] = "0";
    for (int i = 0; i < 100; i++) {
        digit[0] = (char)('0' + i % 10);
        CHECK_INT(dx_framer_take(f, digit, 1, i * 25), 0);
        CHECK_INT(dx_framer_take(f, "x", 1, i * 25 + 5), 0);
        CHECK_INT(dx_framer_take(f, "yyyyyyy", 7, i * 25 + 5), 0);
        i += i % 10 == 7; /* also longer silences */
    }
    CHECK_INT(dx_framer_due(f), 0);
    CHECK_INT(pull(f, FAR_MS, false), 0);
    CHECK(got.n % 10 == 0 && !memcmp(got.p, "0xyyyyyyy|1xyyyyyyy|", 20));
    dx_framer_free(f);
}

TEST(a_gap_is_parted_only_when_it_is_long_enough)
{
    dx_framer *f = start("gap:20ms", 0);
    dx_framer_take(f, "a", 1, 0);
    dx_framer_take(f, "b", 1, 19);
    dx_framer_take(f, "c", 1, 39);
    CHECK_INT(dx_framer_due(f), 0);
    CHECK_INT(pull(f, 39, false), 0);
    CHECK_STR(got.p, "ab|");
    CHECK_INT(dx_framer_due(f), 59);
    pull(f, 59, false);
    CHECK_STR(got.p, "ab|c|");
    dx_framer_free(f);
}

TEST(breaches_are_for_good)
{
    dx_framer *f = start("line", 4);
    CHECK_INT(dx_framer_take(f, "ok\n12345", 8, 0), 0);
    CHECK_INT(pull(f, 0, false), DX_BIG);
    CHECK_STR(got.p, "ok|");
    CHECK_INT(dx_framer_take(f, "\n", 1, 0), DX_BIG);
    CHECK_INT(pull(f, 0, true), DX_BIG);
    dx_framer_free(f);
    f = start("fixed:4", 0);
    CHECK_INT(dx_framer_take(f, "123", 3, 0), 0);
    CHECK_INT(pull(f, 0, false), 0);
    CHECK_INT(pull(f, 0, true), DX_TRUNCATED);
    dx_framer_free(f);
}

TEST(telnet_is_answered_once)
{
    dx_framer *f = start("auto", 0);
    CHECK_INT(dx_framer_answer(f).n, 0);
    CHECK_INT(dx_framer_take(f, "\xFF\xFB\x01hi", 5, 0), 0);
    dx_bytes a = dx_framer_answer(f);
    CHECK_MEM(a.p, a.n, "\xFF\xFE\x01", 3);
    CHECK_INT(dx_framer_answer(f).n, 0);
    CHECK_INT(pull(f, 60, false), 0);
    CHECK_STR(got.p, "hi|");
    CHECK_STR(dx_framer_eol(f), "");
    dx_framer_free(f);
}

TEST(a_long_stream_in_small_bites_keeps_its_order)
{
    dx_framer *f = start("delim:7C7C", 0);
    CHECK_STR(dx_framer_eol(f), "||");
    dx_text in = {0};
    char word[16];
    for (int i = 0; i < 3000; i++)
        dx_text_add(&in, word, (size_t)snprintf(word, sizeof word, "%d||", i));
    for (size_t i = 0, k = 1; i < in.n; i += k, k = k % 97 + 1) {
        CHECK_INT(dx_framer_take(f, in.p + i, in.n - i < k ? in.n - i : k, 0), 0);
        if (k % 3 == 0)
            CHECK_INT(pull(f, 0, false), 0);
    }
    CHECK_INT(pull(f, 0, true), 0);
    size_t at = 0;
    for (int i = 0; i < 3000; i++) {
        size_t n = (size_t)snprintf(word, sizeof word, "%d|", i);
        CHECK(at + n <= got.n && !memcmp(got.p + at, word, n));
        at += n;
    }
    CHECK_INT(at, got.n);
    dx_text_free(&in);
    dx_framer_free(f);
}

TEST_MAIN
