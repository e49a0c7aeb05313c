/* SPDX-License-Identifier: MIT
 * What reads as a rules file, and the words for what does not. */
#include "rules_try.h"

struct row {
    const char *text, *words;
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = try_read(rows[i].text);
        CHECK_SAY(!strcmp(got, rows[i].words), "%s\n# gives: %s# not:   %s", rows[i].text, got, rows[i].words);
    }
}
#define CHECK_ROWS(rows) check(rows, sizeof rows / sizeof *rows)

TEST(settings_read_or_say_why_not)
{
    static const struct row rows[] = {
        {"match any", ""},
        {"\xEF\xBB\xBF# a BOM, CR LF\r\nframe line\r\nmatch any\r\n", ""},
        {"frame length:0,2,le,-1 # why\nencoding big5\neol crlf\nchecksum check sum8 from 2\nvar a = -0x10\nmatch any",
         ""},
        {"", "r: there is no rule in it\n"},
        {"frame gapp\nmatch any", "r:1: frame 'gapp': it is one of none, line, delim:, gap:, fixed:, length:, auto\n"},
        {"frame line now\nmatch any", "r:1: 'now' is one word too many\n"},
        {"encoding gb1803\nmatch any", "r:1: encoding 'gb1803': there is no such coding.  Did you mean gb18030?\n"},
        {"encoding klingon\nmatch any", "r:1: encoding 'klingon': there is no such coding\n"},
        {"eol dos\nmatch any", "r:1: eol is one of same, none, lf, crlf, cr, not 'dos'\n"},
        {"checksum crc17\nmatch any", "r:1: checksum 'crc17': there is no such checksum\n"},
        {"checksum lrc from x\nmatch any",
         "r:1: after from comes the number of the first byte that is summed, from 0 on\n"},
        {"var a\nmatch any", "r:1: a variable begins with a number: var a = 0\n"},
        {"var a = 1\nvar a = 2\nmatch any", "r:2: the variable a is there already\n"},
        {"var 1a = 1\nmatch any", "r:1: '1a' is no name: letters, digits and _, no digit first\n"},
        {"var len = 1\nmatch any", "r:1: 'len' has a meaning of its own: choose another name\n"},
        {"var a23456789012345678901234 = 1\nmatch any",
         "r:1: the name 'a23456789012345678901234' is too long: at most 23 letters\n"},
        {"match any\nframe line", "r:2: frame stands at the top, above the first rule\n"},
        {"match any\nanswer text \xFF", "r:2: this is not UTF-8\n"},
    };
    CHECK_ROWS(rows);
}

TEST(patterns_read_or_say_why_not)
{
    static const struct row rows[] = {
        {"match hex AA 55 ?? A? ?1 0x01,02 \"ok\" {a:2} {b:i16le} ... {c:...} # so", ""},
        {"match text\nmatch text \"a # b\" # the empty one too\nmatch prefix a # b\nmatch contains \"\\x00\\\"\"", ""},
        {"match hex A", "r:1: 'A' is half a byte\n"},
        {"match hex AA 5 01", "r:1: '5' is half a byte\n"},
        {"match hex AA A", "r:1: 'A' is half a byte\n"},
        {"match hex AA G1", "r:1: 'G1' is no hex: a byte is two of 0-9 A-F\n"},
        {"match hex AA\xE4\xBD\xA0", "r:1: '\xE4\xBD\xA0' is no hex: a byte is two of 0-9 A-F\n"},
        {"match hex # none", "r:1: after hex come bytes, such as AA 55 ?? 01\n"},
        {"match hex {a}",
         "r:1: a capture says how much it takes: {name:4} bytes, {name:u16be} a number, {name:...} any\n"},
        {"match hex {a:u16}", "r:1: 'u16': high byte first is u16be, low byte first u16le\n"},
        {"match hex {a:u12be}", "r:1: 'u12be' is no format: u8, i16be, u32le and the like are numbers in bytes\n"},
        {"match hex {a:1} {a:1}", "r:1: 'a' is captured twice\n"},
        {"match hex {a:600}", "r:1: a capture takes 1 to 512 bytes\n"},
        {"match hex {a:1", "r:1: a '{' without its '}'\n"},
        {"match hex \"a", "r:1: the closing quote is missing\n"},
        {"match text \"\\xFF\"", "r:1: a backslash in quotes is one of \\n \\r \\t \\\\ \\\" and \\x00 to \\x7F; other "
                                 "bytes belong into hex\n"},
        {"match text \"a\" b", "r:1: after the closing quote stands more: a quote inside is \\\"\n"},
        {"match prefix", "r:1: after prefix comes text\n"},
        {"match regx a", "r:1: match 'regx': no such kind.  Did you mean regex?\n"},
        {"match", "r:1: after match comes one of text, prefix, contains, regex, hex, any, not ''\n"},
        {"match regex (a", "r:1: regex: missing closing parenthesis, at character 3\n"},
        {"match regex", "r:1: after regex comes an expression\n"},
        {"match regex \\C", "r:1: regex: using \\C is disabled by the application, at character 3\n"},
        {"on fire", "r:1: after on comes one of connect, close, bad, not 'fire'\n"},
        {"mach any", "r:1: 'mach' begins no line.  Did you mean match?\n"},
    };
    CHECK_ROWS(rows);
}

TEST(answers_read_or_say_why_not)
{
    static const struct row rows[] = {
        {"var x = 1\nmatch hex {a:2} {n:u8}\nanswer hex {a} {n} {n:u32le} {x:u8} {msg} {sum:lrc} {len:u8} {time}", ""},
        {"var x = 1\nmatch regex (?<a>b)(c)\nanswer text {a} {2} {a:04d} {x:04x} {x:.1} {sum:xor:1} {hex:a} "
         "{count:rule:3d}",
         ""},
        {"match any\nanswer text {\"a\": 1} {{len} {} { a } {msg:1..} {random:6}", ""},
        {"match any\nafter 1s every 10ms answer text {time} {unix} {ms:x} {peer}\nclose\nstop", ""},
        {"answer text a\nmatch any", "r:1: answer belongs to a rule: above it stands match, on or else\n"},
        {"match any\nanswer", "r:2: after answer comes text or hex, not ''\n"},
        {"match any\nanswer hex", "r:2: after answer hex come bytes\n"},
        {"match any\nanswer hex A? 01", "r:2: an answer has no wildcards: {msg:2..2} is what came there\n"},
        {"match any\nanswer hex 0", "r:2: '0' is half a byte\n"},
        {"var temp = 1\nmatch any\nanswer text {tmp}", "r:3: there is no {tmp} here.  Did you mean {temp}?\n"},
        {"match any\nanswer text {zzzz}",
         "r:2: there is no {zzzz} here: no capture and no variable of that name; {{ is the brace itself\n"},
        {"match any\nanswer text {1}", "r:2: there is no capture {1}: the rule has 0\n"},
        {"match hex {a:2}\nanswer text {a}", "r:2: {a} is bytes: as text it is {hex:a}\n"},
        {"match hex {a:2}\nanswer hex {a:u16be}", "r:2: {a:u16be} is no number, so it has no format\n"},
        {"match any\nanswer hex {len}", "r:2: {len} is a number: say how it goes, as {len:u16be}\n"},
        {"match any\nanswer hex {len:04d}", "r:2: '04d' is a format for text; in hex a number is u16be and the like\n"},
        {"match any\nanswer text {len:u8}", "r:2: 'u8' is no format for text: 04d, x, 04X and .1 are\n"},
        {"match any\nanswer text {msg:2}", "r:2: '2' is no range: bytes are counted from 0, {msg:0..3} or {msg:4..}\n"},
        {"match any\nanswer text {sum:md5}", "r:2: {sum:NAME}: there is no checksum 'md5'\n"},
        {"match any\nanswer text {random:0}", "r:2: {random:N} is a number from 0 to N - 1, N from 1 to 2000000000\n"},
        {"match any\nanswer text {hex:len}", "r:2: {hex:NAME} shows bytes that came: a capture, or msg\n"},
        {"match any\nevery 1s answer text {msg}",
         "r:2: {msg} is gone when the answer of an every is sent: keep it in a variable\n"},
        {"match any\nafter 2 answer text x",
         "r:2: after wants a duration such as 200ms or 2s, a day at most, not '2'\n"},
        {"match any\nevery 5ms answer text x",
         "r:2: every wants a duration such as 200ms or 2s, from 10ms on, not '5ms'\n"},
        {"match any\nevery 1s close", "r:2: only an answer comes every so often\n"},
        {"match any\nafter 1s set x = 1", "r:2: set happens at once: no after before it\n"},
        {"match any\nafter 1s", "r:2: after the time comes answer or close, not ''\n"},
        {"on close\nafter 1s answer text x",
         "r:2: a client that goes waits for nothing: no after or every in on close\n"},
    };
    CHECK_ROWS(rows);
}

TEST(numbers_read_or_say_why_not)
{
    static const struct row rows[] = {
        {"var x = 1\nmatch regex (?<a>.)\nif x == 1\nif a - 2 <= {random:3} + 0x10\nset x = x - 1 + len + {1}", ""},
        {"match any\nset x = 1", "r:2: set 'x': no such variable; at the top stands var x = 0\n"},
        {"var x = 1\nmatch any\nset x 1", "r:3: set wants NAME = VALUE\n"},
        {"var x = 1\nmatch any\nset x = 1 +", "r:3: a number is missing: 12, 0x1F, a variable, {random:10} ...\n"},
        {"var x = 1\nmatch any\nset x = 1 2", "r:3: '2' is one word too many\n"},
        {"var x = 1\nmatch any\nset x = msg", "r:3: 'msg' is no number here\n"},
        {"var x = 1\nmatch any\nif x = 1", "r:3: a condition compares with ==, !=, <, <=, > or >=\n"},
        {"var x = 1\nmatch any\nclose\nif x == 1", "r:4: a condition stands above what the rule does\n"},
    };
    CHECK_ROWS(rows);
}

TEST(all_faults_are_told_up_to_twenty)
{
    char text[2000] = "", line[20];
    CHECK_STR(try_read("match hex A\n\n# a\nanswer text {no}\nnonsense"),
              "r:1: 'A' is half a byte\n"
              "r:4: there is no {no} here: no capture and no variable of that name; {{ is the brace itself\n"
              "r:5: 'nonsense' begins no line: match, on, else, if, answer, after, every, set, close, stop do\n");
    for (int i = 1; i <= 30; i++) {
        snprintf(line, sizeof line, "match hex %d\n", i % 10);
        strcat(text, line);
    }
    const char *got = try_read(text);
    int lines = 0;
    for (const char *p = got; *p; p++)
        lines += *p == '\n';
    CHECK_INT(lines, RULES_FAULTS_MAX);
    CHECK_SAY(strstr(got, "r:20: "), "%s", got);
}

/* One below, at, and one above. */
static const char *try_times(const char *before, const char *line, int times)
{
    size_t n = strlen(line), at = strlen(before);
    char *text = malloc(at + n * (size_t)times + 1);
    CHECK(text != NULL);
    strcpy(text, before);
    for (int i = 0; i < times; i++, at += n)
        memcpy(text + at, line, n + 1);
    const char *got = try_read(text);
    free(text);
    return got;
}

TEST(everything_has_a_bound)
{
    static const struct {
        const char *before, *line;
        int max;
        const char *words;
    } rows[] = {
        {"", "match any\n", RULES_COUNT_MAX, "more than 1000 rules\n"},
        {"match any\n", "answer text a\n", 16, "more than 16 answers in a rule\n"},
        {"var x = 0\nmatch any\n", "set x = 1\n", 100, "more than 100 lines in a rule\n"},
        {"var x = 0\nmatch any\n", "if x == 1\n", 16, "more than 16 conditions in a rule\n"},
        {"match hex ", "00", 512, "a pattern of more than 512 bytes\n"},
        {"match regex ", "(a)", 32, "more than 32 captures\n"},
        {"var x = 0\nmatch any\nset x = 1", " + x", 15, "more than 16 terms\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_STR(try_times(rows[i].before, rows[i].line, rows[i].max - 1), "");
        CHECK_STR(try_times(rows[i].before, rows[i].line, rows[i].max), "");
        const char *got = try_times(rows[i].before, rows[i].line, rows[i].max + 1);
        CHECK_SAY(strstr(got, rows[i].words), "%s: %s", rows[i].words, got);
    }
    CHECK_STR(try_times("match any\n", "#aaaaaaa", (RULES_FILE_MAX - 16) / 8), "");
    CHECK_STR(try_times("match any\n", "#aaaaaaa", RULES_FILE_MAX / 8), "r: it is over the limit of 1 MiB\n");
}

TEST(what_the_command_line_says_wins)
{
    struct rules_given given = {.name = "r", .frame = "fixed:2", .encoding = "utf-8"};
    struct rules_faults faults = {0};
    static const char text[] = "frame line\nencoding big5\nmatch any\nanswer hex {msg}";
    rules_drop(try_rules);
    try_rules = rules_read(&given, text, sizeof text - 1, &faults);
    CHECK(try_rules != NULL);
    struct rules_wire wire = {.peer = ""};
    rules_talk_free(try_talk);
    try_talk = rules_talk_new(try_rules, &wire);
    try_heard[0] = 0;
    try_in_hex = false;
    try_bytes("abcd", 4);
    CHECK_STR(try_heard, "ab|cd|");
    CHECK_STR(rules_talk_coding(try_talk), "utf-8");
}

TEST_MAIN
