/* SPDX-License-Identifier: MIT
 * duplex hex: what reads as hex, where it stops, and dumps; cut anywhere. */
#include "test.h"
#include "tool/hex.h"
#include "tool/tool.h"
#include <locale.h>
#include <strings.h>

static struct hex_reader reader;

/* Reads text in two parts; the digits as they were typed. -1 or 0 in *ret. */
static const char *typed(const char *text, size_t n, size_t cut, char *ret_odd, int *ret)
{
    static char digits[600];
    size_t at = 0;
    hex_reader_init(&reader);
    for (size_t from = 0, to = cut;; from = to, to = n) {
        *ret = hex_read(&reader, text + from, to - from);
        memcpy(digits + at, reader.digits, 2 * reader.n);
        for (size_t i = 0; i < reader.n; i++) {
            char again[3];
            hex_digits(reader.bytes + i, 1, reader.digits[2 * i] < 'a', again);
            CHECK_SAY(!strncasecmp(again, reader.digits + 2 * i, 2), "byte %zu", i);
        }
        at += 2 * reader.n;
        if (*ret < 0 || to == n)
            break;
    }
    digits[at] = '\0';
    *ret_odd = '\0';
    if (*ret == 0)
        *ret = hex_read_end(&reader, ret_odd);
    return digits;
}

TEST(hex_as_people_write_it_reads_with_its_case_wherever_it_is_cut)
{
    static const struct {
        const char *text, *digits;
        char odd;
    } t[] = {
        {"", "", 0},
        {"  \n", "", 0},
        {"fc2A00", "fc2A00", 0},
        {"fc 2A\t00\r\n01", "fc2A0001", 0},
        {"0xfc,0X2A", "fc2A", 0},
        {"0xfc2A00", "fc2A00", 0},
        {"0x00, 0x01,\n0x0a", "00010a", 0},
        {"00:1B:44", "001B44", 0},
        {"00", "00", 0},
        {"0", "", '0'},
        {"F", "", 'F'},
        {"0xF", "", 'F'},
        {"fc 2\n", "fc", '2'},
        {"fc2A0", "fc2A", '0'},
        {"fc 0 ,\n", "fc", '0'},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (size_t n = strlen(t[i].text), cut = 0; cut <= n; cut++) {
            char odd;
            int r;
            const char *digits = typed(t[i].text, n, cut, &odd, &r);
            CHECK_SAY(r == 0 && !strcmp(digits, t[i].digits) && odd == t[i].odd, "'%s' cut at %zu: %d '%s' '%c'",
                      t[i].text, cut, r, digits, odd);
        }
}

TEST(what_is_no_hex_is_said_with_its_place_wherever_it_is_cut)
{
    static const struct {
        const char *text;
        size_t n;
        const char *words;
    } t[] = {
        {"zz", 2, "position 1: 'z' is no hex digit"},
        {"12 3g", 5, "position 5: 'g' is no hex digit"},
        {"12\n34\n 5!", 9, "line 3, position 3: '!' is no hex digit"},
        {"a\0", 2, "position 2: the byte 00 is no hex digit"},
        {"\xE4\xB8\x96", 3, "position 1: the byte E4 is no hex digit"},
        {"ff \x1B[m", 6, "position 4: the byte 1B is no hex digit"},
        {"1 22", 4, "position 1: the digit 1 stands alone, and a byte has two"},
        {"11\n2 3 4", 8, "line 2, position 1: the digit 2 stands alone, and a byte has two"},
        {"0x", 2, "position 3: no digits after 0x"},
        {"12 0x,", 6, "position 6: no digits after 0x"},
        {"0x0x1", 5, "position 4: 'x' is no hex digit"},
        {"00x11", 5, "position 3: 'x' is no hex digit"},
        {"1-2", 3, "position 2: '-' is no hex digit"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (size_t cut = 0; cut <= t[i].n; cut++) {
            char odd, words[120];
            int r;
            typed(t[i].text, t[i].n, cut, &odd, &r);
            CHECK_INT(r, -1);
            hex_fault(&reader, words, sizeof words);
            CHECK_STR(words, t[i].words);
        }
}

TEST(a_step_s_worth_of_digits_fits)
{
    static char text[2 * HEX_STEP];
    memset(text, 'a', sizeof text);
    hex_reader_init(&reader);
    CHECK_INT(hex_read(&reader, "b", 1), 0);
    CHECK_INT(hex_read(&reader, text, sizeof text - 1), 0);
    CHECK_INT(reader.n, HEX_STEP);
    CHECK_MEM(reader.digits, 3, "baa", 3);
}

/* What s makes of bytes in two parts. Free it. */
static char *shown(struct hex_show s, const void *bytes, size_t n, size_t cut, char odd)
{
    char *text = NULL, digits[600];
    size_t text_n = 0;
    hex_digits(bytes, n, false, digits);
    s.to = open_memstream(&text, &text_n);
    hex_show_add(&s, bytes, digits, cut);
    hex_show_add(&s, (const uint8_t *)bytes + cut, digits + 2 * cut, n - cut);
    hex_show_end(&s, odd);
    fclose(s.to);
    return text;
}

static void check_shown(struct hex_show s, const void *bytes, size_t n, char odd, const char *want)
{
    for (size_t cut = 0; cut <= n; cut++) {
        char *text = shown(s, bytes, n, cut, odd);
        bool same = !strcmp(text, want);
        if (!same)
            printf("# cut at %zu:\n%s", cut, text);
        free(text);
        CHECK_SAY(same, "not as above but\n%s", want);
    }
}

TEST(pairs_stand_in_groups)
{
    struct hex_show s = {.form = HEX_PAIRS, .group = 1, .sep = " "};
    check_shown(s, "", 0, 0, "");
    check_shown(s, "", 0, 'a', "a\n");
    check_shown(s, "\x01\xAB", 2, 0, "01 ab\n");
    check_shown(s, "\x01\xAB", 2, 'c', "01 ab c\n");
    s.group = 2;
    check_shown(s, "12345", 5, 0, "3132 3334 35\n");
    check_shown(s, "12345", 5, 'c', "3132 3334 35c\n");
    check_shown(s, "1234", 4, 'c', "3132 3334 c\n");
    s.sep = "";
    check_shown(s, "1234", 4, 0, "31323334\n");
}

TEST(a_dump_is_that_of_hexdump)
{
    struct hex_show s = {.form = HEX_DUMP};
    check_shown(s, "", 0, 0, "");
    check_shown(s, "", 0, 'a', "00000000  a                                                 ||\n");
    check_shown(s, "hi\n\x7F\xFF", 5, 0,
                "00000000  68 69 0a 7f ff                                    |hi...|\n"
                "00000005\n");
    check_shown(s, "0123456789abcdefg", 17, 'e',
                "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
                "00000010  67 e                                              |g|\n"
                "00000011\n");
    check_shown(s, "01234567", 8, 'e',
                "00000000  30 31 32 33 34 35 36 37  e                        |01234567|\n"
                "00000008\n");
}

TEST(the_column_of_text_shows_whole_characters_and_nothing_that_a_terminal_obeys)
{
    struct hex_show s = {.form = HEX_DUMP, .utf8 = true};
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return;
    check_shown(s,
                "a\xE4\xB8\xAD"
                "b",
                5, 0,
                "00000000  61 e4 b8 ad 62                                    |a\xE4\xB8\xAD b|\n"
                "00000005\n");
    /* One that ends in the next line stands in its first. */
    check_shown(s, "0123456789abcd\xE4\xB8\xADx", 18, 0,
                "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 e4 b8  |0123456789abcd\xE4\xB8\xAD|\n"
                "00000010  ad 78                                             | x|\n"
                "00000012\n");
    check_shown(s, "0123456789abcde\xF0\x9F\x99\x82", 19, 0,
                "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 f0  |0123456789abcde\xF0\x9F\x99\x82|\n"
                "00000010  9f 99 82                                          |   |\n"
                "00000013\n");
    /* Half a character, a bad byte, C1, a turn of the text, an escape. */
    check_shown(s,
                "\xE4\xB8"
                "a\xFF\xC2\x9B\xE2\x80\xAE\x1B",
                10, 0,
                "00000000  e4 b8 61 ff c2 9b e2 80  ae 1b                    |..a.......|\n"
                "0000000a\n");
}

TEST(a_check_holds_back_the_last_bytes_wherever_it_is_cut)
{
    static const char request[] = "\x01\x03\x00\x00\x00\x02\xC4\x0B";
    for (size_t cut = 0; cut <= 8; cut++)
        for (size_t more = cut; more <= 8; more++) {
            struct hex_check c = {0};
            CHECK_INT(hex_check_begin(&c, "crc16-modbus"), TOOL_DONE);
            hex_check_add(&c, (const uint8_t *)request, cut);
            hex_check_add(&c, (const uint8_t *)request + cut, more - cut);
            hex_check_add(&c, (const uint8_t *)request + more, 8 - more);
            FILE *to = fopen("/dev/null", "w");
            int r = hex_check_print(&c, false, to);
            fclose(to);
            CHECK_INT(r, TOOL_DONE);
        }
}

TEST_MAIN
