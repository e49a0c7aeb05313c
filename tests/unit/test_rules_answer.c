/* SPDX-License-Identifier: MIT
 * What an answer's fields become. */
#include "rules_try.h"

static const char *made(const char *answer, const char *came)
{
    char text[600];
    snprintf(text, sizeof text, "var x = 215\nvar y = -7\nmatch regex ^(?<a>-?\\d+)?(.*)$\nanswer %s", answer);
    try_begin(text, true);
    try_ask("first"); /* so that the one looked at is the second */
    try_in_hex = !strncmp(answer, "hex", 3);
    return try_ask(came);
}

TEST(fields_become_text)
{
    static const struct {
        const char *answer, *came, *want;
    } rows[] = {
        {"text x is {x}", "", "x is 215|"},
        {"text {y} {y:04d} {y:4d}| {x:6d} {x:06d}", "", "-7 -007   -7|    215 000215|"},
        {"text {x:x} {x:X} {x:04X} {x:.1} {x:.3} {x:.4} {y:.1}", "", "d7 D7 00D7 21.5 0.215 0.0215 -0.7|"},
        {"text {a}:{2}", "12 b", "12: b|"},
        {"text {a:05d} {a:x}", "255", "00255 ff|"},
        {"text {a:d}", "255", "255|"},
        {"text {msg} {len} {msg:1..2} {msg:1..} {msg:7..9}|", "abcd", "abcd 4 bc bcd ||"},
        {"text {msg:0..0}{msg:1..3}.", "\xE4\xBD\xA0z", "z.|"}, /* no half characters */
        {"text {hex:msg} {hex:a} {hex:msg:1..}", "12", "31 32 31 32 32|"},
        {"text {count} {count:rule:03d}", "", "2 002|"},
        {"text {time} {unix} {ms}", "", "2026-01-02 04:04:05 1767323045 1767323045678|"},
        {"text {peer}", "", "tcp://here:1|"},
        {"text $GPGLL,5300.97914,N,00259.98174,E,125926,A*{sum:xor:1:1}", "",
         "$GPGLL,5300.97914,N,00259.98174,E,125926,A*28|"},
        {"text \"a\\tb\\n\"", "", "a\tb\n|"},
        {"text {\"x\": {x}, \"o\": {}, \"l\": [{x}]}", "", "{\"x\": 215, \"o\": {}, \"l\": [215]}|"},
        {"text {{x} {{{x} } {{", "", "{x} {215 } {|"},
        {"text", "", "|"},
        {"text \xE4\xBD\xA0 # no comment", "", "\xE4\xBD\xA0 # no comment|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = made(rows[i].answer, rows[i].came);
        CHECK_SAY(!strcmp(got, rows[i].want), "%s: '%s', not '%s'", rows[i].answer, got, rows[i].want);
    }
}

TEST(fields_become_bytes)
{
    static const struct {
        const char *answer, *came, *want;
    } rows[] = {
        {"hex 01 \"A\" FF", "", "01 41 FF|"},
        {"hex {x:u8} {x:u16be} {x:u16le} {x:u24be} {x:u32le}", "", "D7 00 D7 D7 00 00 00 D7 D7 00 00 00|"},
        {"hex {y:i8} {y:i16be} {y:i64le}", "", "F9 FF F9 F9 FF FF FF FF FF FF FF|"},
        {"hex {a:u16be} {2} {msg}", "258b", "01 02 62 32 35 38 62|"},
        {"hex {len:u8} {count:u8} {unix:u32be}", "abc", "03 02 69 57 35 A5|"},
        {"hex 01 03 02 00 D7 {sum:crc16-modbus}", "", "01 03 02 00 D7 F8 1A|"},
        {"hex AA 55 01 02 {sum:sum8:2} {sum:xor}", "", "AA 55 01 02 03 FF|"},
        {"hex {peer} 00 # the end", "", "74 63 70 3A 2F 2F 68 65 72 65 3A 31 00|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = made(rows[i].answer, rows[i].came);
        CHECK_SAY(!strcmp(got, rows[i].want), "%s: '%s', not '%s'", rows[i].answer, got, rows[i].want);
    }
}

TEST(captured_numbers_are_read_and_written_in_any_order)
{
    try_begin("match hex {a:i16le} {b:u24be}\nanswer hex {a:i16be} {b:u24le} {a}\nanswer text {a} {b} {a:05d}", true);
    CHECK_STR(try_ask_hex("FE FF 01 02 03"), "FF FE 03 02 01 FE FF|2D 32 20 36 36 30 35 31 20 2D 30 30 30 32|");
}

TEST(sums_stay_within_64_bits)
{
    try_begin("var x = 9223372036854775807\nvar y = -9223372036854775807\nmatch regex (\\d+)\nset x = x + 1\n"
              "set y = y - 2 - 1\nanswer text {x} {y} {1:d} {1:x}",
              true);
    CHECK_STR(try_ask("99999999999999999999"), "9223372036854775807 -9223372036854775808 99999999999999999999 "
                                               "7fffffffffffffff|");
}

TEST(conditions_compare)
{
    static const struct {
        const char *sign;
        bool below, same, above;
    } rows[] = {{"==", false, true, false}, {"!=", true, false, true}, {"<", true, false, false},
                {"<=", true, true, false},  {">", false, false, true}, {">=", false, true, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "match regex (-?\\d+)\nif {1} + 1 %s 4 - 1\nanswer text yes\nelse\nanswer text no",
                 rows[i].sign);
        try_begin(text, true);
        CHECK_STR(try_ask("-2"), rows[i].below ? "yes|" : "no|");
        CHECK_STR(try_ask("2"), rows[i].same ? "yes|" : "no|");
        CHECK_STR(try_ask("3"), rows[i].above ? "yes|" : "no|");
    }
}

TEST(text_goes_in_the_peers_coding)
{
    try_begin("encoding gb18030\neol crlf\nmatch prefix 查\nanswer text 余 {rest} {hex:rest}\n"
              "answer hex {rest}",
              true);
    CHECK_STR(try_ask("\xB2\xE9\xCE\xD2"), "\xD3\xE0 \xCE\xD2 E6 88 91\r\n|\xCE\xD2|");
}

TEST(chance_stays_below_its_bound_and_follows_the_seed)
{
    bool seen[6] = {false};
    char first[100];
    try_begin("match any\nanswer text {random:6}", true);
    for (int i = 0; i < 100; i++) {
        const char *got = try_ask("");
        CHECK_SAY(got[0] >= '0' && got[0] <= '5' && got[1] == '|', "%s", got);
        seen[got[0] - '0'] = true;
        first[i] = got[0];
    }
    for (int i = 0; i < 6; i++)
        CHECK(seen[i]);
    try_begin("match any\nanswer text {random:6}", true);
    for (int i = 0; i < 100; i++)
        CHECK_INT(try_ask("")[0], first[i]);
}

TEST(an_answer_over_its_limit_is_not_sent)
{
    static char big[RULES_MESSAGE_MAX + 1];
    memset(big, 'a', RULES_MESSAGE_MAX);
    struct rules_out out;
    try_begin("match any\nanswer hex {msg}\nmatch any", true);
    CHECK_INT(rules_talk_take(try_talk, big, RULES_MESSAGE_MAX, &try_now), 0);
    CHECK_INT(rules_talk_next(try_talk, &try_now, &out), RULES_SEND);
    CHECK_INT(out.bytes.n, RULES_ANSWER_MAX);
    try_begin("match any\nanswer hex {msg} 00\nanswer text b", true);
    CHECK_INT(rules_talk_take(try_talk, big, RULES_MESSAGE_MAX, &try_now), 0);
    try_pull();
    CHECK_STR(try_heard, "b|");
    CHECK_SAY(strstr(try_said, "! r:2: the answer would be over 64 KiB: not sent"), "%s", try_said);
    CHECK_INT(rules_talk_take(try_talk, big, RULES_MESSAGE_MAX + 1, &try_now), DX_BIG);
}

TEST_MAIN
