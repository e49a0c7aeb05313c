/* SPDX-License-Identifier: MIT
 * A client of a rules file: messages cut anywhere, checksums, times, what waits, and a file that changes. */
#include "rules_try.h"

static const char modbus[] = "%s"
                             "checksum crc16-modbus\n"
                             "match hex 01 03 00 {register:u8} 00 01\nanswer hex 01 03 02 {register:u16be}\n"
                             "on bad\nanswer text bad\n";

/* Two questions, cut at every byte: the answers are the same, however the messages are told apart. */
TEST(messages_cut_at_every_byte_are_the_same)
{
    static const struct {
        const char *frame, *came;
        bool one_by_one; /* only time tells where one ends */
        const char *want;
    } rows[] = {
        {"frame gap:20ms\n", "01 03 00 07 00 01 35 CB", true, "01 03 02 00 07 F9 86|"},
        {"frame fixed:8\n", "01 03 00 07 00 01 35 CB 01 03 00 08 00 01 05 C8", false,
         "01 03 02 00 07 F9 86|01 03 02 00 08 B9 82|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[400];
        dx_text b = {0};
        snprintf(text, sizeof text, modbus, rows[i].frame);
        CHECK(dx_unhex(rows[i].came, strlen(rows[i].came), &b, NULL) == 0);
        for (size_t cut = 0; cut <= b.n; cut++) {
            try_begin(text, false);
            try_in_hex = true;
            try_bytes(b.p, cut);
            try_wait(5);
            try_bytes(b.p + cut, b.n - cut);
            try_wait(5);
            if (rows[i].one_by_one) {
                CHECK_STR(try_heard, "");
                CHECK_INT(rules_talk_due(try_talk) - try_now.now_ms, cut == b.n ? 10 : 15);
                try_wait(15);
            }
            CHECK_STR(try_heard, rows[i].want);
        }
        dx_text_free(&b);
    }
}

TEST(lines_and_lengths_cut_at_every_byte_are_the_same)
{
    static const struct {
        const char *text, *came;
        size_t n;
        const char *want;
    } rows[] = {
        {"frame line\nmatch any\nanswer text <{msg}>", "one\r\ntwo\r\n", 10, "<one>\r\n|<two>\r\n|"},
        {"frame line\neol none\nmatch any\nanswer text <{msg}>", "one\r\ntwo\r\n", 10, "<one>|<two>|"},
        {"frame delim:3B\nmatch any\nanswer text <{msg}>", "one;two;", 8, "<one>;|<two>;|"},
        {"frame length:0,2\nmatch hex {n:u16be} {body:...}\nanswer text {n} {hex:body}", "\0\2ab\0\0\0\1c", 9,
         "2 61 62|0 |1 63|"},
        {"frame line\nencoding gb18030\nmatch prefix 查\nanswer text 余{rest}", "\xB2\xE9\xCE\xD2\n", 5,
         "\xD3\xE0\xCE\xD2\n|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 0; cut <= rows[i].n; cut++) {
            try_begin(rows[i].text, false);
            try_bytes(rows[i].came, cut);
            try_bytes(rows[i].came + cut, rows[i].n - cut);
            CHECK_SAY(!strcmp(try_heard, rows[i].want), "%s cut at %zu: %s", rows[i].text, cut, try_heard);
        }
}

TEST(a_wrong_checksum_is_no_message)
{
    char text[400];
    snprintf(text, sizeof text, modbus, "");
    try_begin(text, true);
    CHECK_STR(try_ask_hex("01 03 00 07 00 01 35 CB"), "01 03 02 00 07 F9 86|");
    CHECK_STR(try_ask_hex("01 03 00 07 00 01 35 C0"), "62 61 64 F8 65|");
    CHECK_STR(try_ask_hex("01"), "62 61 64 F8 65|");
    CHECK_STR(try_ask_hex("40 BF"), "62 61 64 F8 65|");
    try_begin("checksum check sum8 from 1\nmatch hex ...\nanswer hex {msg}", true);
    CHECK_STR(try_ask_hex("AA 01 02 03"), "AA 01 02|");
    CHECK_STR(try_ask_hex("AA 01 02 04"), "");
    CHECK_STR(try_said, "r:2: matches\nthe checksum of AA 01 02 04 is another\n");
    try_begin("checksum append sum8 from 1\nmatch any\nanswer hex AA 01 02", true);
    CHECK_STR(try_ask_hex("AA"), "AA 01 02 03|");
}

TEST(a_text_answer_ends_as_the_question_did)
{
    try_begin("match any\nanswer text b", true);
    CHECK_STR(try_ask("a"), "b|");
    CHECK_STR(try_ask("a\n"), "b\n|");
    CHECK_STR(try_ask("a\r\n"), "b\r\n|");
    CHECK_STR(try_ask("a\r"), "b\r|");
    try_begin("eol lf\nmatch any\nanswer text b\nanswer hex 62", true);
    CHECK_STR(try_ask("a\r\n"), "b\n|b|");
}

TEST(delays_add_up_within_a_rule_and_hold_up_no_other)
{
    try_begin("match text slow\nanswer text a\nafter 200ms answer text b\nafter 100ms answer text c\nclose\n"
              "match text quick\nanswer text q",
              true);
    CHECK_STR(try_ask("slow"), "a|");
    CHECK_INT(rules_talk_due(try_talk) - try_now.now_ms, 200);
    CHECK_STR(try_ask("quick"), "q|");
    try_wait(199);
    CHECK_STR(try_heard, "q|");
    try_wait(1);
    CHECK_STR(try_heard, "q|b|");
    try_wait(100);
    CHECK_STR(try_heard, "q|b|c|#");
}

TEST(all_of_a_rule_is_worked_out_when_its_message_comes)
{
    try_begin("var x = 0\nmatch any\nanswer text {x}\nset x = x + 1\nafter 1s answer text {x} {msg}", true);
    CHECK_STR(try_ask("a"), "0|");
    CHECK_STR(try_ask("b"), "1|");
    try_wait(1000);
    CHECK_STR(try_heard, "1|1 a|2 b|");
}

TEST(a_repeat_goes_on_until_stop)
{
    try_begin(
        "var x = 0\nmatch text go\nevery 100ms answer text {x}\nmatch text up\nset x = x + 1\nmatch text stop\nstop",
        true);
    CHECK_STR(try_ask("go"), "0|");
    try_wait(100);
    try_ask("up");
    try_wait(101);
    CHECK_STR(try_heard, "1|");
    CHECK_INT(rules_talk_due(try_talk) - try_now.now_ms, 99); /* a beat late is made up for */
    try_wait(1000);
    CHECK_STR(try_heard, "1|1|"); /* and many are not */
    try_ask("go");                /* begins anew, once */
    CHECK_STR(try_heard, "1|");
    CHECK_STR(try_ask("stop"), "");
    CHECK_INT(rules_talk_due(try_talk), -1);
}

TEST(repeats_end_with_the_peer_and_the_rest_is_sent)
{
    try_begin(
        "frame line\nmatch any\nevery 100ms answer text tick\nafter 50ms answer text {msg}\non close\nanswer text bye",
        false);
    CHECK_INT(rules_talk_open(try_talk, &try_now), 0);
    CHECK_STR(try_ask("a\nb"), "tick\n|");
    CHECK_INT(rules_talk_end(try_talk, &try_now), 0); /* b is a line, too */
    CHECK_INT(try_pull(), RULES_NOTHING);
    CHECK_STR(try_heard, "tick\n|bye\n|");
    try_wait(50);
    CHECK_STR(try_heard, "tick\n|bye\n|a\n|b\n|#");
}

TEST(half_a_message_at_the_end_is_none)
{
    try_begin("frame fixed:4\nmatch any\nafter 10ms answer text ok", false);
    CHECK_STR(try_ask("abcdef"), "");
    CHECK_INT(rules_talk_end(try_talk, &try_now), 0);
    CHECK_INT(try_pull(), RULES_NOTHING);
    try_wait(10);
    CHECK_STR(try_heard, "ok|#");
}

TEST(connect_speaks_first)
{
    try_begin("on connect\nanswer text hello {peer} {count}", false);
    CHECK_INT(rules_talk_open(try_talk, &try_now), 0);
    try_pull();
    CHECK_STR(try_heard, "hello tcp://here:1 0\n|");
}

TEST(who_has_too_much_under_way_is_read_no_further)
{
    try_begin("frame line\nmatch any\nafter 1s answer text {msg}", false);
    for (int i = 0; i < 300; i++) {
        char line[20];
        snprintf(line, sizeof line, "%d\n", i);
        try_bytes(line, strlen(line));
    }
    CHECK(rules_talk_full(try_talk));
    CHECK_STR(try_heard, "");
    int lines = 0;
    for (int i = 0; i < 10; i++)
        try_wait(1000);
    for (const char *p = try_heard; *p; p++)
        lines += *p == '|';
    CHECK_INT(lines, 300); /* and nothing is lost */
    CHECK(!rules_talk_full(try_talk));
}

TEST(errors_of_the_frame_are_told)
{
    static char big[RULES_MESSAGE_MAX + 2];
    struct rules_out out;
    memset(big, 'a', sizeof big);
    try_begin("frame line\nmatch any", false);
    int r = rules_talk_take(try_talk, big, sizeof big, &try_now);
    CHECK_INT(r < 0 ? r : rules_talk_next(try_talk, &try_now, &out), DX_BIG);
    try_begin("frame length:0,2,be,-5\nmatch any", false);
    r = rules_talk_take(try_talk, "\0\1aaa", 5, &try_now);
    CHECK_INT(r < 0 ? r : rules_talk_next(try_talk, &try_now, &out), DX_PROTO);
}

TEST(telnet_is_answered_under_auto)
{
    try_begin("frame auto\nmatch text hi\nanswer text ho", false);
    try_in_hex = true;
    try_bytes("\xFF\xFB\x01hi\r\n", 7);
    CHECK_STR(try_heard, "FF FE 01|");
    try_wait(60);
    CHECK_STR(try_heard, "FF FE 01|68 6F 0D 0A|");
}

TEST(a_new_file_keeps_variables_by_name_and_what_is_under_way)
{
    try_begin("frame line\nvar a = 1\nvar b = 2\nmatch text up\nset b = b + 5\nevery 10ms answer text tick\n"
              "match text later\nafter 1s answer text old",
              false);
    CHECK_STR(try_ask("up\nlater\nhal"), "tick\n|");
    struct rules *old = rules_ref(try_rules);
    CHECK_STR(try_read("frame line\nvar b = 0\nvar c = 3\nmatch any\nanswer text {msg} {b} {c} {count:rule}"), "");
    rules_drop(old);
    CHECK_INT(rules_talk_adopt(try_talk, try_rules), 0);
    CHECK_INT(rules_talk_adopt(try_talk, try_rules), 0);
    CHECK_STR(try_ask("f\n"), "half 7 3 1\n|"); /* the same frame goes on, also inside of a message */
    try_wait(1000);
    CHECK_STR(try_heard, "half 7 3 1\n|old\n|");
    CHECK_STR(try_read("frame fixed:2\nmatch any\nanswer text <{msg}>"), "");
    CHECK_INT(rules_talk_adopt(try_talk, try_rules), 0);
    CHECK_STR(try_ask("abc"), "<ab>|");
}

TEST_MAIN
