/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "test.h"
#include <errno.h>

TEST(set_fills_all_fields_and_returns_the_code)
{
    dx_err e = {.detail = 7, .detail_of = 7};
    CHECK_INT(err_set(&e, DX_URL, "frame '%s': %d", "x", 3), DX_URL);
    CHECK_STR(e.text, "frame 'x': 3");
    CHECK_INT(e.code, DX_URL);
    CHECK_INT(e.detail, 0);
    CHECK_INT(e.detail_of, DX_OF_NOTHING);
    CHECK_INT(err_set(NULL, DX_FULL, "%s", ""), DX_FULL);
}

TEST(sys_adds_the_words_of_errno)
{
    dx_err e;
    CHECK_INT(err_sys(&e, 0, ECONNREFUSED, "dial %s", "tcp://a:1"), DX_REFUSED);
    CHECK_STR(e.text, "dial tcp://a:1: Connection refused");
    CHECK_INT(e.detail, ECONNREFUSED);
    CHECK_INT(e.detail_of, DX_OF_ERRNO);
    CHECK_INT(err_sys(&e, DX_BUSY, EACCES, "x"), DX_BUSY);
    CHECK_INT(err_sys(NULL, 0, EACCES, "x"), DX_SYS);
}

TEST(errnos_have_codes)
{
    static const struct {
        int no, code;
    } t[] = {{ECONNREFUSED, DX_REFUSED}, {ECONNRESET, DX_RESET}, {EPIPE, DX_RESET},  {ETIMEDOUT, DX_TIMEOUT},
             {EADDRINUSE, DX_BUSY},      {EMFILE, DX_LIMIT},     {ENFILE, DX_LIMIT}, {ENOMEM, DX_NOMEM},
             {ENOBUFS, DX_NOMEM},        {EACCES, DX_SYS},       {0, DX_SYS}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_INT(err_code_of_errno(t[i].no), t[i].code);
}

TEST(long_text_is_cut_at_a_characters_edge_and_keeps_its_cause)
{
    char url[400];
    for (int shift = 0; shift < 3; shift++) {
        memset(url, 'a', sizeof url);
        for (size_t i = (size_t)shift; i + 3 < sizeof url; i += 3)
            memcpy(url + i, "\xE4\xBD\xA0", 3);
        url[sizeof url - 1] = '\0';
        dx_err e;
        err_set(&e, DX_URL, "%s", url);
        size_t n = strlen(e.text), tail = (n - (size_t)shift) % 3;
        CHECK_INT(tail, 0);
        CHECK(n > 240);
        err_sys(&e, 0, ECONNREFUSED, "%s", url);
        CHECK(strstr(e.text, ": Connection refused"));
        CHECK((unsigned char)strstr(e.text, ": Conn")[-1] == 0xA0);
    }
}

TEST(text_never_carries_control_bytes)
{
    dx_err e;
    err_set(&e, DX_TLS, "name %s", "\x1b]52;x\a\r\n\x7f");
    CHECK_STR(e.text, "name ?]52;x????");
}

TEST(every_code_has_words)
{
    for (int c = 0; c >= DX_STATE; c--)
        CHECK(strcmp(dx_code_text(c), "an unknown error") != 0);
    CHECK_STR(dx_code_text(DX_REFUSED), "nobody listens there");
    CHECK_STR(dx_code_text(DX_STATE - 1), "an unknown error");
    CHECK_STR(dx_code_text(1), "an unknown error");
    CHECK_STR(dx_code_text(-2147483647 - 1), "an unknown error");
}

TEST_MAIN
