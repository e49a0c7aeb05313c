/* SPDX-License-Identifier: MIT */
#include <duplex/text.h>
#include "test.h"

/* The check of each: the checksum of "123456789", as it goes on the wire. */
TEST(every_checksum_has_its_check)
{
    static const char *const t[][2] = {
        {"crc8", "F4"},
        {"crc8-maxim", "A1"},
        {"crc8-rohc", "D0"},
        {"crc16-modbus", "374B"},
        {"crc16-arc", "3DBB"},
        {"crc16-usb", "C8B4"},
        {"crc16-maxim", "C244"},
        {"crc16-xmodem", "31C3"},
        {"crc16-ccitt", "29B1"},
        {"crc16-kermit", "8921"},
        {"crc16-x25", "6E90"},
        {"crc16-dnp", "82EA"},
        {"crc32", "2639F4CB"},
        {"crc32-bzip2", "FC891918"},
        {"crc32-mpeg2", "0376E6E7"},
        {"CRC32C", "839206E3"},
        {"sum8", "DD"},
        {"sum16", "01DD"},
        {"xor", "31"},
        {"lrc", "23"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        uint8_t sum[8];
        dx_text hex = {0};
        int n = dx_checksum(t[i][0], "123456789", 9, sum);
        CHECK_SAY(n > 0, "%s: %d", t[i][0], n);
        dx_hex(sum, (size_t)n, "", &hex);
        CHECK_SAY(!strcmp(hex.p, t[i][1]), "%s: %s, not %s", t[i][0], hex.p, t[i][1]);
        dx_text_free(&hex);
    }
}

TEST(no_bytes_have_a_checksum_and_no_name_has_none)
{
    uint8_t sum[8];
    CHECK_INT(dx_checksum("crc32", "", 0, sum), 4);
    CHECK_MEM(sum, 4, "\0\0\0\0", 4);
    CHECK_INT(dx_checksum("crc16-modbus", NULL, 0, sum), 2);
    CHECK_MEM(sum, 2, "\xFF\xFF", 2);
    CHECK_INT(dx_checksum("lrc", "\x01", 1, sum), 1);
    CHECK_INT(sum[0], 0xFF);
    CHECK_INT(dx_checksum("md5", "", 0, sum), DX_URL);
    CHECK_INT(dx_checksum("", "", 0, sum), DX_URL);
}

TEST_MAIN
