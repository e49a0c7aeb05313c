/* SPDX-License-Identifier: MIT
 * What is typed becomes what goes. */
#include "test.h"
#include "tool/outgoing.h"

TEST(hex_coding_checksum_and_line_end_go_on_in_this_order)
{
    static const struct {
        struct outgoing how;
        const char *in, *out;
        size_t n;
    } t[] = {
        {{0}, "abc", "abc", 3},
        {{0}, "", "", 0},
        {{.eol = "\r\n"}, "AT", "AT\r\n", 4},
        {{.eol = ""}, "AT", "AT", 2},
        {{.hex = true}, "01 0xfF,ab", "\x01\xff\xab", 3},
        {{.hex = true}, "", "", 0},
        {{.hex = true, .sum = "crc16-modbus"}, "010300000002", "\x01\x03\x00\x00\x00\x02\xc4\x0b", 8},
        {{.sum = "sum8", .eol = "\n"}, "ab", "ab\xc3\n", 4},
        {{.coding = "gb18030", .sum = "xor"}, "不", "\xb2\xbb\x09", 3},
        {{.hex = true, .coding = "gb18030"}, "41", "A", 1},
        {{.sum = "crc16-modbus"}, "", "\xff\xff", 2},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct outgoing g = t[i].how;
        dx_bytes got = {0};
        size_t at = 0;
        CHECK_SAY(outgoing_make(&g, (dx_bytes){t[i].in, strlen(t[i].in)}, &got, &at) == 0, "case %zu", i);
        CHECK_MEM(got.p, got.n, t[i].out, t[i].n);
        outgoing_free(&g);
    }
}

TEST(what_is_no_hex_is_named_by_its_place)
{
    static const struct {
        const char *in;
        size_t at;
    } t[] = {{"01 0g", 3}, {"0", 0}, {"0102 3", 5}, {"zz", 0}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct outgoing g = {.hex = true};
        dx_bytes got = {0};
        size_t at = 99;
        CHECK_INT(outgoing_make(&g, (dx_bytes){t[i].in, strlen(t[i].in)}, &got, &at), DX_URL);
        CHECK_SAY(at <= strlen(t[i].in) && at >= t[i].at, "case %zu: at %zu", i, at);
        outgoing_free(&g);
    }
}

TEST(line_ends_have_names)
{
    CHECK_STR(outgoing_eol("crlf"), "\r\n");
    CHECK_STR(outgoing_eol("lf"), "\n");
    CHECK_STR(outgoing_eol("none"), "");
    CHECK(!outgoing_eol("cr"));
}

TEST_MAIN
