/* SPDX-License-Identifier: MIT */
#include "test.h"
#include <duplex/text.h>

TEST(a_path_has_one_spelling)
{
    static const char *const t[][2] = {
        {"/", "/"},
        {"", "/"},
        {"/a/b", "/a/b"},
        {"/a/b/", "/a/b/"},
        {"//a///b//", "/a/b/"},
        {"/./a/./b/.", "/a/b/"},
        {"/a/../b", "/b"},
        {"/a/b/..", "/a/"},
        {"/a/b/../", "/a/"},
        {"/../../a", "/a"},
        {"/..", "/"},
        {"/%61%2e", "/a."},
        {"/a/%2e%2E/b", "/b"},
        {"/a/.%2e/b", "/b"},
        {"/a%2fb", "/a%2Fb"},
        {"/a%252fb", "/a%252fb"},
        {"/%00%zz%4", "/%00%25zz%254"},
        {"/...", "/..."},
        {"/.a/..b", "/.a/..b"},
        {"*", "/*"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text out = {0};
        CHECK_INT(dx_path_clean(t[i][0], strlen(t[i][0]), &out), 0);
        CHECK_STR(out.p, t[i][1]);
        dx_text_free(&out);
    }
}

TEST(percent_decoding_is_strict_and_leaves_out_as_it_was)
{
    static const struct {
        const char *in, *out;
        bool plus;
        int code;
    } t[] = {{"a%20b", "a b", false, 0},   {"a+b", "a+b", false, 0}, {"a+b", "a b", true, 0},
             {"%e4%Bd%A0", "你", true, 0}, {"", "", true, 0},        {"%", "", true, DX_URL},
             {"ab%4", "", true, DX_URL},   {"%4g", "", true, DX_URL}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text out = {0};
        dx_text_add(&out, ">", 1);
        CHECK_INT(dx_percent_decode(t[i].in, strlen(t[i].in), t[i].plus, &out), t[i].code);
        CHECK_STR(out.p + 1, t[i].out);
        CHECK_INT(out.n, strlen(out.p));
        dx_text_free(&out);
    }
}

TEST(percent_encoding_keeps_what_it_is_told_to)
{
    dx_text out = {0};
    static const char in[] = "a b/你?\0~";
    CHECK_INT(dx_percent_encode(in, sizeof in - 1, "/", &out), 0);
    CHECK_STR(out.p, "a%20b/%E4%BD%A0%3F%00~");
    dx_text_free(&out);
}

TEST(fields_of_a_form_are_found_by_name_and_number)
{
    static const char form[] = "a=1&&b=two+w%6Frds&a=2&c&=x&%61=3&d=%zz";
    static const struct {
        const char *name;
        size_t nth;
        int code;
        const char *value;
    } t[] = {{"a", 0, 1, "1"}, {"a", 1, 1, "2"}, {"a", 2, 1, "3"}, {"a", 3, 0, ""},     {"b", 0, 1, "two words"},
             {"c", 0, 1, ""},  {"", 0, 1, "x"},  {"e", 0, 0, ""},  {"d", 0, DX_URL, ""}};
    dx_text out = {0}, name = {0};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text_clear(&out);
        CHECK_INT(dx_form_get(form, sizeof form - 1, t[i].name, t[i].nth, &out), t[i].code);
        CHECK_STR(out.p ? out.p : "", t[i].value);
    }
    CHECK_INT(dx_form_at(form, sizeof form - 1, 1, &name, &out), 1);
    CHECK_STR(name.p, "b");
    CHECK_STR(out.p, "two words");
    CHECK_INT(dx_form_at(form, sizeof form - 1, 6, &name, &out), DX_URL);
    CHECK_INT(dx_form_at(form, sizeof form - 1, 7, &name, &out), 0);
    CHECK_INT(dx_form_get(NULL, 0, "a", 0, &out), 0);
    dx_text_free(&out);
    dx_text_free(&name);
}

TEST_MAIN
