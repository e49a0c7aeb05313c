/* SPDX-License-Identifier: MIT
 * of src/net/text.c */
#include <duplex/text.h>
#include "test.h"

static dx_text out;

static dx_decoder *open_as(const char *coding, enum dx_guess guess)
{
    dx_err e = {0};
    dx_decoder *d = dx_decoder_new(coding, guess, &e);
    CHECK_SAY(d, "%s", e.text);
    dx_text_clear(&out);
    return d;
}

/* clang-format off */
static const struct {
    const char *coding, *in;
    size_t n;
    const char *want;
    int bad;
} table[] = {
#define S(x) x, sizeof x - 1
    {"utf-8", S(""), "", 0},
    {"utf-8", S("a\xE4\xBD\xA0\xF0\x9F\x98\x80\xC3\xA9z"), "a\xE4\xBD\xA0\xF0\x9F\x98\x80\xC3\xA9z", 0},
    {"utf-8", S("a\xFF" "b\xE4\xBD" "c\xC0\x80\xED\xA0\x80"), "a<FF>b<E4><BD>c<C0><80><ED><A0><80>", 8},
    {"utf-8", S("\xE4\xBD\xA0\xE5\xA5"), "\xE4\xBD\xA0<E5><A5>", 2},
    {"UTF8", S("\xF0\x9F\x98"), "<F0><9F><98>", 3},
    {"gb18030", S("\xC4\xE3\xBA\xC3, A\x94\x39\xFC\x36!\xA2\xE3"), "\xE4\xBD\xA0\xE5\xA5\xBD, A\xF0\x9F\x98\x80!\xE2\x82\xAC", 0},
    {"gb18030", S("\xC4\xE3\xFF\xBA\xC3\x81"), "\xE4\xBD\xA0<FF>\xE5\xA5\xBD<81>", 2},
    {"gb18030", S("\x94\x39\xFC"), "<94><39><FC>", 3},
    {"gb18030", S("\x94\x39" "ab"), "<94>9ab", 1},
    {"gbk", S("\xE9\x46 \x82\x80"), "\xE9\x95\x95 \xE5\x80\x8B", 0},
    {"gb2312", S("\xCA\xB2\xC3\xB4\xA1\xAA\xA1\xA4\xE9\x46"), "\xE4\xBB\x80\xE4\xB9\x88\xE2\x80\x94\xC2\xB7\xE9\x95\x95", 0},
    {"big5", S("\xA7\x41\xA6\x6E"), "\xE4\xBD\xA0\xE5\xA5\xBD", 0},
    {"Shift_JIS", S("\x82\xA0\xB1z"), "\xE3\x81\x82\xEF\xBD\xB1z", 0},
    {"euc-kr", S("\xB0\xA1\xB0"), "\xEA\xB0\x80<B0>", 1},
    {"utf-16le", S("a\0\x60\x4F\x3D\xD8\x00\xDE"), "a\xE4\xBD\xA0\xF0\x9F\x98\x80", 0},
    {"utf-16le", S("\x00\xDC" "a\0b"), "<00><DC>a<62>", 3},
    {"utf-16be", S("\0a\x4F\x60"), "a\xE4\xBD\xA0", 0},
    {"iso-8859-1", S("caf\xE9"), "caf\xC3\xA9", 0},
    {"iso-2022-jp", S("\x1b$B$\"$$\x1b(Bz"), "\xE3\x81\x82\xE3\x81\x84z", 0},
    {"auto", S("plain"), "plain", 0},
    {"auto", S("a\xC4\xE3\xBA\xC3\xC4\xE3\x94\x39\xFC\x36"), "a\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0\xF0\x9F\x98\x80", 0},
    {"auto", S("\xE4\xBD\xA0\xE5\xA5\xBD"), "\xE4\xBD\xA0\xE5\xA5\xBD", 0},
};
/* clang-format on */

TEST(texts_read_whole_and_cut_at_every_byte)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t a = 0; a <= table[i].n; a++)
            for (size_t b = a; b <= table[i].n; b++) {
                dx_decoder *d = open_as(table[i].coding, DX_GUESS_UTF8);
                int bad = dx_decode(d, table[i].in, a, false, &out);
                bad += dx_decode(d, table[i].in + a, b - a, false, &out);
                bad += dx_decode(d, table[i].in + b, table[i].n - b, true, &out);
                CHECK_SAY(out.n == strlen(table[i].want) && !memcmp(out.p, table[i].want, out.n),
                          "case %zu, %s, cut at %zu and %zu: '%s', not '%s'", i, table[i].coding, a, b, out.p,
                          table[i].want);
                CHECK_SAY(bad == table[i].bad, "case %zu: %d bad", i, bad);
                dx_decoder_free(d);
            }
    }
}

TEST(texts_read_byte_by_byte)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        dx_decoder *d = open_as(table[i].coding, DX_GUESS_GB);
        for (int twice = 0; twice < 2; twice++) { /* a message that has ended leaves nothing behind */
            dx_text_clear(&out);
            for (size_t k = 0; k < table[i].n; k++)
                CHECK(dx_decode(d, table[i].in + k, 1, false, &out) >= 0);
            CHECK(dx_decode(d, NULL, 0, true, &out) >= 0);
            CHECK_SAY(out.n == strlen(table[i].want) && !memcmp(out.p, table[i].want, out.n), "case %zu: '%s'", i,
                      out.p);
        }
        dx_decoder_free(d);
    }
}

TEST(a_long_gb_text_is_the_same_in_bites_of_every_size)
{
    dx_text gb = {0}, want = {0};
    for (int i = 0; i < 2000; i++) {
        dx_text_add(&gb, "\xC4\xE3x\x94\x39\xFC\x36\xBA\xC3", 9);
        dx_text_add(&want, "\xE4\xBD\xA0x\xF0\x9F\x98\x80\xE5\xA5\xBD", 11);
    }
    for (size_t bite = 1; bite < 5000; bite += bite < 20 ? 1 : 977) {
        dx_decoder *d = open_as("gb18030", DX_GUESS_GB);
        for (size_t i = 0; i < gb.n; i += bite)
            CHECK_INT(dx_decode(d, gb.p + i, gb.n - i < bite ? gb.n - i : bite, i + bite >= gb.n, &out), 0);
        CHECK_MEM(out.p, out.n, want.p, want.n);
        dx_decoder_free(d);
    }
    dx_text_free(&gb);
    dx_text_free(&want);
}

static void say(dx_decoder *d, const char *in, const char *want, bool guessed, const char *reply)
{
    dx_text_clear(&out);
    CHECK(dx_decode(d, in, strlen(in), true, &out) >= 0);
    CHECK_STR(out.p, want);
    CHECK_INT(dx_decoder_guessed(d), guessed);
    CHECK_STR(dx_decoder_reply_coding(d), reply);
}

TEST(auto_guesses_then_latches_gb)
{
    dx_decoder *d = open_as("auto", DX_GUESS_GB);
    CHECK_STR(dx_decoder_coding(d), "utf-8");
    CHECK_STR(dx_decoder_reply_coding(d), "utf-8");
    say(d, "hi", "hi", false, "utf-8");
    say(d, "\xCA\xB2\xC3\xB4", "\xE4\xBB\x80\xE4\xB9\x88", true, "gbk");
    CHECK_STR(dx_decoder_coding(d), "gb18030");
    say(d, "ok", "ok", false, "gbk");
    say(d, "\xC4\xE3\xBA\xC3", "\xE4\xBD\xA0\xE5\xA5\xBD", false, "gbk");
    say(d, "\xC3\xBB", "\xE6\xB2\xA1", false, "gbk");
    dx_decoder_free(d);
    d = open_as("AUTO", DX_GUESS_UTF8);
    say(d, "\xC3\xBB", "\xC3\xBB", true, "utf-8");
    say(d, "\xE4\xBD\xA0", "\xE4\xBD\xA0", false, "utf-8");
    say(d, "\xC4\xE3", "<C4><E3>", false, "utf-8");
    dx_decoder_free(d);
}

TEST(auto_guesses_by_the_locale)
{
    setenv("LC_ALL", "zh_CN.UTF-8", 1);
    dx_decoder *d = open_as("auto", DX_GUESS_LOCALE);
    say(d, "\xC3\xBB", "\xE6\xB2\xA1", true, "gbk");
    dx_decoder_free(d);
    setenv("LC_ALL", "C", 1);
    d = open_as("auto", DX_GUESS_LOCALE);
    say(d, "\xC3\xBB", "\xC3\xBB", true, "utf-8");
    dx_decoder_free(d);
}

TEST(names_that_are_none_are_said)
{
    static const char *const t[] = {"", "nonsense", "gbk//ignore", "a-name-that-is-much-longer-than-any-coding-has"};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_err e = {0};
        CHECK(!dx_decoder_new(t[i], DX_GUESS_GB, &e));
        CHECK_INT(e.code, DX_URL);
        CHECK_INT(dx_encode(t[i], "a", 1, &out), DX_URL);
    }
    dx_err e;
    dx_decoder_new("nonsense", DX_GUESS_GB, &e);
    CHECK_STR(e.text, "coding 'nonsense': there is none of that name here");
    dx_decoder_free(NULL);
    dx_decoder *d = open_as("GBK", DX_GUESS_GB);
    CHECK_STR(dx_decoder_coding(d), "gbk");
    CHECK_STR(dx_decoder_reply_coding(d), "gbk");
    dx_decoder_free(d);
}

TEST(what_a_coding_lacks_is_shown_and_counted)
{
    /* clang-format off */
    static const struct {
        const char *coding, *in, *want;
        size_t n;
        int missing;
    } t[] = {
        {"utf-8", "\xE4\xBD\xA0 \xF0\x9F\x98\x80", S("\xE4\xBD\xA0 \xF0\x9F\x98\x80"), 0},
        {"auto", "a\xFF\xE4\xBD" "b", S("a<FF><E4><BD>b"), 3},
        {"gbk", "\xE4\xBD\xA0\xE5\xA5\xBD a", S("\xC4\xE3\xBA\xC3 a"), 0},
        {"gbk", "\xF0\x9F\x98\x80\xE9\x95\x95!", S("[U+1F600]\xE9\x46!"), 1},
        {"gb18030", "\xF0\x9F\x98\x80", S("\x94\x39\xFC\x36"), 0},
        {"GB2312", "\xE4\xBB\x80\xE4\xB9\x88\xE2\x80\x94\xC2\xB7\xE9\x95\x95.", S("\xCA\xB2\xC3\xB4\xA1\xAA\xA1\xA4[U+9555]."), 1},
        {"gb2312", "\xFF\xE4\xBD", S("<FF><E4><BD>"), 3},
        {"gbk", "x\xFFy\xE4\xBD", S("x<FF>y<E4><BD>"), 3},
        {"big5", "\xE4\xBD\xA0\xE4\xBB\xAC", S("\xA7\x41[U+4EEC]"), 1},
        {"iso-8859-1", "\xC3\xA9\xE4\xBD\xA0", S("\xE9[U+4F60]"), 1},
        {"utf-16le", "a\xFF", S("a\0<\0F\0F\0>\0"), 1},
        {"iso-2022-jp", "\xE3\x81\x82", S("\x1b$B$\"\x1b(B"), 0},
        {"gbk", "", S(""), 0},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text_clear(&out);
        CHECK_INT(dx_encode(t[i].coding, t[i].in, strlen(t[i].in), &out), t[i].missing);
        CHECK_SAY(out.n == t[i].n && !memcmp(out.p, t[i].want, out.n), "case %zu: '%s'", i, out.p);
    }
}

TEST(long_texts_survive_the_way_there_and_back)
{
    dx_text utf8 = {0}, gb = {0};
    for (uint32_t cp = 0x4E00; cp < 0x9FA6; cp++) {
        char c[] = {(char)(0xE0 | cp >> 12), (char)(0x80 | (cp >> 6 & 0x3F)), (char)(0x80 | (cp & 0x3F))};
        dx_text_add(&utf8, c, 3);
    }
    CHECK_INT(dx_encode("gbk", utf8.p, utf8.n, &gb), 0);
    CHECK_INT(gb.n, utf8.n / 3 * 2);
    dx_decoder *d = open_as("auto", DX_GUESS_UTF8);
    CHECK_INT(dx_decode(d, gb.p, gb.n, true, &out), 0);
    CHECK_MEM(out.p, out.n, utf8.p, utf8.n);
    dx_decoder_free(d);
    dx_text_free(&utf8);
    dx_text_free(&gb);
}

TEST_MAIN
