/* SPDX-License-Identifier: MIT */
#include <duplex/text.h>
#include "test.h"

TEST(text_grows_and_always_ends_in_nul)
{
    dx_text t = {0};
    for (int i = 0; i < 1000; i++) {
        CHECK_INT(dx_text_add(&t, "0123456789", 10), 0);
        CHECK_INT(t.n, 10 * (i + 1));
        CHECK(t.p[t.n] == '\0' && t.cap > t.n);
    }
    size_t cap = t.cap;
    dx_text_clear(&t);
    CHECK_INT(t.n, 0);
    CHECK_STR(t.p, "");
    CHECK_INT(t.cap, cap);
    dx_text_free(&t);
    dx_text_free(&t);
    dx_text_free(NULL);
    CHECK(t.p == NULL);
    dx_text_clear(&t);
    CHECK_INT(dx_text_add(&t, "x", SIZE_MAX / 2), DX_NOMEM);
}

TEST(hex_and_back)
{
    dx_text t = {0}, back = {0};
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    CHECK_INT(dx_hex("\x01\xAB\xFF", 3, " ", &t), 0);
    CHECK_STR(t.p, "01 AB FF");
    CHECK_INT(dx_hex("\x02", 1, "", &t), 0);
    CHECK_STR(t.p, "01 AB FF02");
    dx_text_clear(&t);
    CHECK_INT(dx_hex("", 0, " ", &t), 0);
    CHECK_STR(t.p, "");
    CHECK_INT(dx_hex(all, 256, ", ", &t), 0);
    CHECK_INT(dx_unhex(t.p, t.n, &back, NULL), 0);
    CHECK_MEM(back.p, back.n, all, 256);
    dx_text_free(&t);
    dx_text_free(&back);
}

TEST(unhex_takes_what_people_write_and_says_where_it_stops)
{
    static const struct {
        const char *hex;
        long at; /* -1: reads */
        size_t n;
    } t[] = {
        {"", -1, 0},          {"aB", -1, 1},       {"AA bb\tcc\r\ndd", -1, 4},
        {"0x01,0X02", -1, 2}, {"01:02:03", -1, 3}, {"0102 0x03", -1, 3},
        {"a", 0, 0},          {"AAb", 2, 0},       {"AA b cc", 3, 0},
        {"0x", 2, 0},         {"0x1", 2, 0},       {"zz", 0, 0},
        {"12 z", 3, 0},       {"1-2", 0, 0},       {"00x11", 2, 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text out = {0};
        size_t at = 99;
        dx_text_add(&out, "#", 1);
        CHECK_SAY(dx_unhex(t[i].hex, strlen(t[i].hex), &out, &at) == (t[i].at < 0 ? 0 : DX_URL), "'%s'", t[i].hex);
        CHECK_INT(out.n, t[i].n + 1);
        CHECK_INT(out.p[out.n], 0);
        if (t[i].at >= 0)
            CHECK_SAY(at == (size_t)t[i].at, "'%s' at %zu", t[i].hex, at);
        dx_text_free(&out);
    }
    dx_text out = {0};
    CHECK_INT(dx_unhex("\0"
                       "11",
                       3, &out, NULL),
              DX_URL);
    dx_text_free(&out);
}

TEST(visible_text_obeys_nothing)
{
    static const struct {
        const char *in, *indent, *want;
    } t[] = {
        {"", "  ", ""},
        {"plain, \xE4\xBD\xA0\xE5\xA5\xBD", "  ", "plain, \xE4\xBD\xA0\xE5\xA5\xBD"},
        {"a\tb", "  ", "a\tb"},
        {"a\tb", NULL,
         "a\xE2\x90\x89"
         "b"},
        {"\x1b]52;c;aGk=\a", "  ", "\xE2\x90\x9B]52;c;aGk=\xE2\x90\x87"},
        {"\x7f", "", "\xE2\x90\xA1"},
        {"\xC2\x9B"
         "6n",
         "", "<U+009B>6n"},
        {"\x9B"
         "6n",
         "", "<9B>6n"},
        {"a\nbob: hi", "    ", "a\n    bob: hi"},
        {"a\r\nb", "  ", "a\n  b"},
        {"a\rb", "  ",
         "a\xE2\x90\x8D"
         "b"},
        {"a\r\nb", NULL,
         "a\xE2\x90\x8D\xE2\x90\x8A"
         "b"},
        {"gpj.\xE2\x80\xAE"
         "exe",
         "", "gpj.<U+202E>exe"},
        {"ali\xE2\x80\x8B"
         "ce",
         NULL, "ali<U+200B>ce"},
        {"ali\xE2\x80\x8D"
         "ce",
         NULL, "ali<U+200D>ce"},
        {"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB", "", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"},
        {"\xF0\x9F\x91\xA9\xE2\x80\x8D", "", "\xF0\x9F\x91\xA9<U+200D>"},
        {"\xF0\x9F\x91\xA9 x\xE2\x80\x8D\xF0\x9F\x92\xBB", "", "\xF0\x9F\x91\xA9 x<U+200D>\xF0\x9F\x92\xBB"},
        {"\xEF\xBB\xBF"
         "bom",
         "", "<U+FEFF>bom"},
        {"\xF3\xA0\x81\x81", "", "<U+E0041>"},
        {"\xFF\xC0\xE4\xBD", "", "<FF><C0><E4><BD>"},
        {"\xED\xA0\x80", "", "<ED><A0><80>"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text out = {0};
        CHECK_INT(dx_visible(t[i].in, strlen(t[i].in), t[i].indent, &out), 0);
        CHECK_STR(out.p, t[i].want);
        dx_text_free(&out);
    }
    dx_text out = {0};
    CHECK_INT(dx_visible("a\0b", 3, "", &out), 0);
    CHECK_STR(out.p, "a\xE2\x90\x80"
                     "b");
    dx_text_free(&out);
}

TEST(json_strings_are_whole)
{
    static const char *const t[][2] = {
        {"", ""},
        {"plain \xE4\xBD\xA0", "plain \xE4\xBD\xA0"},
        {"\"\\/", "\\\"\\\\/"},
        {"\b\f\n\r\t", "\\b\\f\\n\\r\\t"},
        {"\x01\x1b\x1f\x7f", "\\u0001\\u001b\\u001f\\u007f"},
        {"\xC2\x9B\xC2\xA0", "\\u009b\xC2\xA0"},
        {"\xE2\x80\xA8\xE2\x80\xA9", "\\u2028\\u2029"},
        {"a\xFF"
         "b\xE4\xBD",
         "a\xEF\xBF\xBD"
         "b\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text out = {0};
        CHECK_INT(dx_json_escape(t[i][0], strlen(t[i][0]), &out), 0);
        CHECK_STR(out.p, t[i][1]);
        dx_text_free(&out);
    }
    dx_text out = {0};
    CHECK_INT(dx_json_escape("\0", 1, &out), 0);
    CHECK_STR(out.p, "\\u0000");
    dx_text_free(&out);
}

TEST(is_utf8_wants_whole_characters)
{
    CHECK(dx_is_utf8("", 0));
    CHECK(dx_is_utf8("\xE4\xBD\xA0", 3));
    CHECK(!dx_is_utf8("\xE4\xBD", 2));
    CHECK(!dx_is_utf8("\xC4\xE3\xBA\xC3", 4));
}

TEST_MAIN
