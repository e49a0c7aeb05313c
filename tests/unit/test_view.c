/* SPDX-License-Identifier: MIT
 * What passed, in lines. Runs in UTC. */
#include "test.h"
#include "tool/events.h"
#include "tool/tool.h"
#include "tool/view.h"

static const struct moment first = {1790000000123, 5000}, later = {1790000000623, 5500}, last = {1790000012000, 17000};

static void add(struct view *v, const char *data, size_t n, bool whole, struct moment at, const char *want)
{
    CHECK_INT(view_add(v, VIEW_IN, (dx_bytes){data, n}, whole, at), 0);
    CHECK_STR(v->out.n ? v->out.p : "", want);
}

TEST(hex_is_a_line_a_piece_with_time_and_delta)
{
    struct view v = {.hex = true, .stamps = true};
    add(&v, "\x01\xff", 2, false, first, "[14:13:20.123 +0.000] 01 FF\n");
    add(&v, "", 0, true, later, "[14:13:20.623 +0.500] \n");
    add(&v, "\n", 1, true, last, "[14:13:32.000 +11.500] 0A\n");
    view_free(&v);
}

TEST(text_lines_are_stamped_once_however_they_are_cut)
{
    static const char text[] = "one\ntwo\n";
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        struct show show = {.exact = true};
        struct view v = {.stamps = true, .show = &show};
        dx_text all = {0};
        for (int i = 0; i < 2; i++) {
            dx_bytes part = {text + (i ? cut : 0), i ? strlen(text) - cut : cut};
            CHECK_INT(view_add(&v, VIEW_IN, part, false, first), 0);
            CHECK_INT(dx_text_add(&all, v.out.p ? v.out.p : "", v.out.n), 0);
        }
        CHECK_STR(all.p, "[14:13:20.123 +0.000] one\n[14:13:20.123 +0.000] two\n");
        dx_text_free(&all);
        show_free(&show);
        view_free(&v);
    }
}

TEST(a_rest_that_was_shown_goes_on_in_its_line)
{
    struct show show = {.exact = true};
    struct view v = {.stamps = true, .ways = true, .show = &show};
    add(&v, "login: ", 7, false, first, "");
    CHECK_INT(view_rest(&v, first), 0);
    CHECK_STR(v.out.p, "[14:13:20.123 +0.000] < login: ");
    add(&v, "ok\nnext\n", 8, false, later, "ok\n[14:13:20.623 +0.500] < next\n");
    show_free(&show);
    view_free(&v);
}

/* "a温度" in GB18030, with a silence after each byte: half a character is shown when nothing else can come. */
TEST(half_a_character_waits_for_its_other_half_through_a_silence)
{
    static const char gb[] = "a\xce\xc2\xb6\xc8", *const codings[] = {"gb18030", "auto"};
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
        for (int ended = 0; ended < 2; ended++) {
            struct show show;
            struct view v = {.show = &show};
            dx_text all = {0};
            CHECK_INT(show_init(&show, codings[i], NULL), 0);
            CHECK_INT(view_add(&v, VIEW_IN, (dx_bytes){gb, 3}, false, first), 0); /* auto knows it by now */
            CHECK_INT(view_rest(&v, first), 0);
            CHECK_INT(dx_text_add(&all, v.out.p, v.out.n), 0);
            for (size_t at = 3; at < 5 - (size_t)ended; at++) {
                CHECK_INT(view_add(&v, VIEW_IN, (dx_bytes){gb + at, 1}, false, first), 0);
                CHECK_INT(view_rest(&v, later), 0);
                CHECK_INT(dx_text_add(&all, v.out.n ? v.out.p : "", v.out.n), 0);
            }
            CHECK_STR(all.p, ended ? "a温" : "a温度");
            show.ended = true;
            CHECK_INT(view_rest(&v, last), 0);
            CHECK_INT(dx_text_add(&all, v.out.n ? v.out.p : "", v.out.n), 0);
            CHECK_STR(all.p, ended ? "a温<B6>" : "a温度");
            dx_text_free(&all);
            show_free(&show);
            view_free(&v);
        }
}

TEST(a_checksum_is_taken_off_and_a_wrong_one_shown)
{
    struct view v = {.hex = true, .sum = "crc16-modbus"};
    add(&v, "\x01\x03\x00\x00\x00\x02\xc4\x0b", 8, true, first, "01 03 00 00 00 02\n");
    CHECK_INT(v.sums_bad, 0);
    add(&v, "\x01\x03\x00\x00\x00\x02\xc4\x0c", 8, true, first,
        "01 03 00 00 00 02 [crc16-modbus found C4 0C, expected C4 0B]\n");
    add(&v, "\x01", 1, true, first, " [crc16-modbus missing, expected FF FF]\n");
    CHECK_INT(v.sums_bad, 2);
    view_free(&v);
}

TEST(a_line_end_may_stand_behind_the_checksum)
{
    struct show show = {.exact = true};
    struct view v = {.sum = "xor", .eol = "\r\n", .show = &show};
    add(&v, "ab\x03\r\n", 5, true, first, "ab\n");
    add(&v, "ab\x03", 3, true, first, "ab\n");
    add(&v, "ab\x04\r\n", 5, true, first, "ab [xor found 04, expected 03]\n");
    show_free(&show);
    view_free(&v);
}

TEST(events_say_text_where_it_is_text_and_base64_where_not)
{
    struct events e = {.last = first};
    CHECK_INT(events_data(&e, later, VIEW_OUT, (dx_bytes){"\"hi\"\n", 5}, true), 0);
    CHECK_STR(e.out.p,
              "{\"v\":1,\"event\":\"data\",\"time\":1790000000623,\"delta_ms\":500,\"way\":\"out\",\"bytes\":5,"
              "\"text\":\"\\\"hi\\\"\\n\"}\n");
    static const char *const base64[] = {"/w==", "/2E=", "/2Fi", "/2FiYw=="};
    for (size_t n = 1; n <= 4; n++) {
        CHECK_INT(events_data(&e, later, VIEW_IN,
                              (dx_bytes){"\xff"
                                         "abc",
                                         n},
                              false),
                  0);
        CHECK_SAY(strstr(e.out.p, base64[n - 1]) && strstr(e.out.p, "\"part\":true"), "%s", e.out.p);
    }
    e.hex = true;
    e.sum = "sum8";
    CHECK_INT(events_data(&e, later, VIEW_IN, (dx_bytes){"\x01\x02\x04", 3}, true), 0);
    CHECK_SAY(strstr(e.out.p, "\"hex\":\"01 02\",\"checksum\":\"bad\",\"found\":\"04\",\"expected\":\"03\"}"), "%s",
              e.out.p);
    CHECK_INT(e.sums_bad, 1);
    CHECK_INT(events_close(&e, later, NULL, TOOL_UNMET, "unmet", "x"), 0);
    CHECK_STR(
        e.out.p,
        "{\"v\":1,\"event\":\"close\",\"time\":1790000000623,\"code\":119,\"reason\":\"unmet\",\"words\":\"x\"}\n");
    events_free(&e);
}

__attribute__((constructor)) static void in_utc(void)
{
    setenv("TZ", "UTC0", 1);
}

TEST_MAIN
