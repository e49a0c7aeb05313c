/* SPDX-License-Identifier: MIT
 * Escapes of TEXT arguments. */
#include "test.h"
#include "tool/escape.h"

TEST(each_escape_reads_and_all_else_stays)
{
    static const struct {
        const char *in, *out;
        size_t n;
    } t[] = {
        {"", "", 0},
        {"plain 不", "plain 不", 9},
        {"AT\\r\\n", "AT\r\n", 4},
        {"\\t\\\\\\0x", "\t\\\0x", 4},
        {"\\x00\\xfF9",
         "\0\xff"
         "9",
         3},
        {"\\\\n", "\\n", 2},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text out = {0};
        size_t at;
        CHECK_INT(escape_read(t[i].in, &out, &at), 0);
        CHECK_MEM(out.p, out.n, t[i].out, t[i].n);
        dx_text_free(&out);
    }
}

TEST(what_is_no_escape_is_named_by_its_place)
{
    static const struct {
        const char *in;
        size_t at;
    } t[] = {{"\\", 0}, {"ab\\q", 2}, {"\\x", 0}, {"\\x4", 0}, {"\\n\\x4g", 2}, {"\\u4e0d", 0}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        dx_text out = {0};
        size_t at = 99;
        CHECK_INT(escape_read(t[i].in, &out, &at), DX_URL);
        CHECK_INT(at, t[i].at);
        dx_text_free(&out);
    }
}

TEST_MAIN
