/* SPDX-License-Identifier: MIT */
#include "os/charset.h"
#include "test.h"
#include <errno.h>

TEST(codings_are_found_by_name_without_case)
{
    static const char *const there[] = {"gb18030", "GBK",   "gb2312",   "Big5",      "shift_jis",
                                        "euc-kr",  "utf-8", "utf-16le", "iso-8859-1"};
    static const char *const none[] = {"", "no-such", "gbk//translit", "gbk//ignore", "gbk,x", "/etc/passwd"};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
        struct charset *c = charset_new("utf-8", there[i]);
        CHECK_SAY(c, "%s", there[i]);
        charset_free(c);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_SAY(!charset_new("utf-8", none[i]) && errno == EINVAL, "%s", none[i]);
        CHECK(!charset_new(none[i], "utf-8"));
    }
    charset_free(NULL);
}

TEST(each_end_is_named)
{
    struct charset *c = charset_new("utf-8", "gb18030");
    uint8_t out[8], *to = out;
    size_t out_n = 4;
    const uint8_t *in = (const uint8_t *)"\xC4\xE3\xBA\xC3\xC4";
    size_t in_n = 5;
    CHECK_INT(charset_run(c, &in, &in_n, &to, &out_n), CHARSET_FULL);
    CHECK_MEM(out, to - out, "\xE4\xBD\xA0", 3);
    CHECK_INT(in_n, 3);
    to = out, out_n = sizeof out;
    CHECK_INT(charset_run(c, &in, &in_n, &to, &out_n), CHARSET_CUT);
    CHECK_MEM(out, to - out, "\xE5\xA5\xBD", 3);
    CHECK_INT(in_n, 1);
    in = (const uint8_t *)"\xFF", in_n = 1;
    CHECK_INT(charset_run(c, &in, &in_n, &to, &out_n), CHARSET_BAD);
    CHECK_INT(in_n, 1);
    in = (const uint8_t *)"a", in_n = 1;
    CHECK_INT(charset_run(c, &in, &in_n, &to, &out_n), CHARSET_DONE);
    CHECK_INT(in_n, 0);
    CHECK_INT(charset_reset(c, out, sizeof out), 0);
    charset_free(c);
}

TEST(a_reset_writes_what_is_still_inside)
{
    struct charset *c = charset_new("iso-2022-jp", "utf-8");
    uint8_t out[32], *to = out;
    size_t out_n = sizeof out, in_n = 3;
    const uint8_t *in = (const uint8_t *)"\xE3\x81\x82";
    CHECK_INT(charset_run(c, &in, &in_n, &to, &out_n), CHARSET_DONE);
    CHECK_MEM(out, to - out, "\x1b$B$\"", 5);
    CHECK_INT(charset_reset(c, out, sizeof out), 3);
    CHECK(!memcmp(out, "\x1b(B", 3));
    charset_free(c);
}

TEST(the_first_variable_that_is_set_names_the_locale)
{
    setenv("LC_ALL", "", 1);
    setenv("LC_CTYPE", "zh_CN.GB18030", 1);
    setenv("LANG", "C", 1);
    CHECK(charset_locale_is_zh());
    setenv("LC_ALL", "C.UTF-8", 1);
    CHECK(!charset_locale_is_zh());
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    unsetenv("LANG");
    CHECK(!charset_locale_is_zh());
}

TEST_MAIN
