/* SPDX-License-Identifier: MIT */
#include "codec/frame.h"
#include "test.h"
#include <duplex/text.h>

enum { FAR_MS = 1000000 };

/* Feeds the runs of s between the cuts, all at once in time, then the end; messages come joined by '|', an error as its
 * number. Input is copied, since the engine writes in it. */
struct feed {
    struct frame_spec spec;
    struct frame f;
    uint8_t buf[70000];
    size_t n;
    dx_text out, answers;
    int64_t bad;
};

static void feed_start(struct feed *d, const char *spec, uint64_t max)
{
    dx_err e = {0};
    dx_text_clear(&d->out);
    dx_text_clear(&d->answers);
    d->n = 0;
    d->bad = 0;
    CHECK_SAY(frame_spec_parse(spec, max, &d->spec, &e) == 0, "%s", e.text);
    frame_init(&d->f, &d->spec);
    dx_text_add(&d->out, "", 0);
}

static void feed_pull(struct feed *d, int64_t now_ms, bool last)
{
    struct bytes m;
    int64_t used;
    while (d->bad == 0 && (used = frame_next(&d->f, d->buf, d->n, now_ms, last, &m)) != 0) {
        if (used < 0) {
            char word[16];
            dx_text_add(&d->out, word, (size_t)snprintf(word, sizeof word, "!%d", (int)used));
            d->bad = used;
            break;
        }
        dx_text_add(&d->out, m.p, m.n);
        dx_text_add(&d->out, "|", 1);
        memmove(d->buf, d->buf + used, d->n - (size_t)used);
        d->n -= (size_t)used;
    }
}

static void feed_run(struct feed *d, const char *p, size_t n, int64_t now_ms)
{
    int64_t due = frame_due(&d->f, d->n);
    if (due >= 0 && now_ms >= due)
        feed_pull(d, now_ms, false);
    CHECK(d->n + n <= sizeof d->buf);
    memcpy(d->buf + d->n, p, n);
    d->n += frame_arrive(&d->f, d->buf + d->n, n, now_ms);
    dx_text_add(&d->answers, d->f.answer, d->f.answer_n);
    d->f.answer_n = 0;
    feed_pull(d, now_ms, false);
}

static struct feed feed;

/* clang-format off */
static const struct {
    const char *spec, *in;
    size_t n;
    const char *want;
    uint64_t max;
} streams[] = {
#define S(x) x, sizeof x - 1
    {"line", S(""), "", 0},
    {"line", S("a\nbc\r\n\n\r\nrest"), "a|bc|||rest|", 0},
    {"line", S("a\r\r\nb\rc\n"), "a\r|b\rc|", 0},
    {"line", S("\xE4\xBD\xA0\n\xC4\xE3\r\n"), "\xE4\xBD\xA0|\xC4\xE3|", 0},
    {"line", S("1234\n12345\n12"), "1234|!-5", 4},
    {"line", S("1234\r\n12345"), "1234|!-5", 4},
    {"line", S("12345\r\n"), "!-5", 4},
    {"line", S("1234\r"), "!-5", 4},
    {"delim:0D0A", S("a\r\nb\r\r\n\r\nc\nd"), "a|b\r||c\nd|", 0},
    {"delim:7e", S("~ab~~c~"), "|ab||c|", 0},
    {"delim:61 61 62", S("aaab.aab"), "a|.|", 0},
    {"delim:0D0A", S("1234\r\n1234\r"), "1234|!-5", 4},
    {"delim:0D0A", S("12345\r\n"), "!-5", 4},
    {"fixed:3", S("abcdef"), "abc|def|", 0},
    {"fixed:3", S("abcd"), "abc|!-11", 0},
    {"fixed:3", S("abc"), "abc|", 3},
    {"length:0,1", S("\1a\0\3abc"), "", 0},
    {"length:0,2,be,0",
     S("\x00\x02"
       "ab\x00\x01"
       "c"),
     "", 0},
    {"length:1,2,le,1", S("#\x02\x01"), "!-5", 64},
    {"length:1,2,le,1",
     S("#\x02\x00"
       "abC#\x00\x00"
       "C"),
     "", 0},
    {"length:0,1,be,-1",
     S("\x03"
       "ab\x01\x02"
       "c"),
     "\x03"
     "ab|\x01|\x02"
     "c|",
     0},
    {"length:0,1,be,-1",
     S("\x02"
       "a\x00zz"),
     "\x02"
     "a|!-10",
     0},
    {"length:0,1",
     S("\x02"
       "a"),
     "!-11", 0},
    {"length:2,1", S("ab"), "!-11", 0},
    {"length:0,1",
     S("\x03"
       "abc\x04"
       "abcd"),
     "\x03"
     "abc|!-5",
     4},
    {"length:0,4,le", S("\xFF\xFF\xFF\xFF"), "!-5", 0},
    {"length:0,8", S("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "!-5", 0},
    {"length:0,8,be,-2147483647", S("\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "!-5", 0},
    {"length:0,3,be", S("\x00\x00\x01z"), "", 0},
    {"length:60,4", S("a"), "!-5", 63},
    {"gap:20ms", S("all at once\nis one"), "all at once\nis one|", 0},
    {"gap:20ms", S("1234"), "1234|", 4},
    {"gap:20ms", S("12345"), "!-5", 4},
    {"auto", S("no newline"), "no newline|", 0},
    {"auto", S("two\nlines, no end"), "two\nlines, no end|", 0},
    {"auto", S("two\r\nlines\n"), "two|lines|", 0},
    {"auto", S("\n"), "|", 0},
    {"auto",
     S("\xFF\xFB\x18"
       "a\xFF\xFD\x01"
       "b\xFF\xF1"
       "c\xFF\xFA\x18\x00xterm\xFF\xFF\xFF\xF0"
       "d\xFF\xFF"
       "e\n"),
     "abcd\xFF"
     "e|",
     0},
    {"auto", S("\xFF\xFC\x01\xFF\xFE\x03ok"), "ok|", 0},
    {"auto", S("12345"), "!-5", 4},
};
/* clang-format on */

static dx_text want_of(size_t i)
{
    dx_text t = {0};
    dx_text_add(&t, "", 0);
    if (streams[i].want[0] || streams[i].n == 0) {
        dx_text_add(&t, streams[i].want, strlen(streams[i].want));
        return t;
    }
    /* Cases with NULs inside: what the uncut stream gives, checked for its count of messages below. */
    feed_start(&feed, streams[i].spec, streams[i].max);
    feed_run(&feed, streams[i].in, streams[i].n, 0);
    feed_pull(&feed, 0, true);
    dx_text_add(&t, feed.out.p, feed.out.n);
    return t;
}

TEST(every_kind_gives_the_same_messages_cut_anywhere)
{
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        dx_text want = want_of(i);
        for (size_t a = 0; a <= streams[i].n; a++)
            for (size_t b = a; b <= streams[i].n; b++) {
                feed_start(&feed, streams[i].spec, streams[i].max);
                feed_run(&feed, streams[i].in, a, 0);
                feed_run(&feed, streams[i].in + a, b - a, 0);
                feed_run(&feed, streams[i].in + b, streams[i].n - b, 0);
                feed_pull(&feed, 0, true);
                CHECK_SAY(feed.out.n == want.n && !memcmp(feed.out.p, want.p, want.n),
                          "case %zu, %s, cut at %zu and %zu: '%s', not '%s'", i, streams[i].spec, a, b, feed.out.p,
                          want.p);
            }
        dx_text_free(&want);
    }
}

TEST(length_fields_of_every_size_and_order_keep_the_whole_message)
{
    static const struct {
        const char *spec, *in;
        size_t n;
    } t[] = {
        {"length:0,1", S("\x02"
                         "ab")},
        {"length:0,2,be,0", S("\x00\x02"
                              "ab")},
        {"length:0,2,le,0", S("\x02\x00"
                              "ab")},
        {"length:0,3,be", S("\x00\x00\x02"
                            "ab")},
        {"length:0,4,le", S("\x02\x00\x00\x00"
                            "ab")},
        {"length:1,8,be,+1", S("#\x00\x00\x00\x00\x00\x00\x00\x01"
                               "ab")},
        {"length:2,1,be,-3", S("##\x05"
                               "ab")},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct bytes m;
        feed_start(&feed, t[i].spec, 0);
        for (size_t n = 0; n < t[i].n; n++)
            CHECK_INT(frame_next(&feed.f, (const uint8_t *)t[i].in, n, 0, false, &m), 0);
        CHECK_INT(frame_next(&feed.f, (const uint8_t *)t[i].in, t[i].n, 0, false, &m), t[i].n);
        CHECK_MEM(m.p, m.n, t[i].in, t[i].n);
    }
}

TEST(bad_specs_say_what_is_wrong)
{
    static const char *const t[][2] = {
        {"", "frame '': it is one of none, line, delim:, gap:, fixed:, length:, auto"},
        {"lines", "frame 'lines': it is one of none, line, delim:, gap:, fixed:, length:, auto"},
        {"line:cr", "frame 'line:cr': after 'line:' comes what sending adds: lf, crlf or none"},
        {"delim:", "frame 'delim:': a delimiter has 1 to 8 bytes"},
        {"delim:010203040506070809", "frame 'delim:010203040506070809': a delimiter has 1 to 8 bytes"},
        {"delim:\\n", "frame 'delim:\\n': after 'delim:' come bytes in hex, such as 0D0A"},
        {"gap:", "frame 'gap:': a gap is 1ms to 3600s"},
        {"gap:0", "frame 'gap:0': a gap is 1ms to 3600s"},
        {"gap:3601s", "frame 'gap:3601s': a gap is 1ms to 3600s"},
        {"gap:99999999999999999999", "frame 'gap:99999999999999999999': a gap is 1ms to 3600s"},
        {"gap:20m", "frame 'gap:20m': a gap is a number of ms or s, such as 20ms"},
        {"fixed:0", "frame 'fixed:0': after 'fixed:' comes a number of bytes"},
        {"fixed:8b", "frame 'fixed:8b': after 'fixed:' comes a number of bytes"},
        {"fixed:101", "frame 'fixed:101': it is over the limit for one message"},
        {"length:", "frame 'length:': the offset is 0 to 65535"},
        {"length:0", "frame 'length:0': after 'length:' come OFFSET,SIZE,be|le,ADJUST"},
        {"length:0,5", "frame 'length:0,5': the size is 1, 2, 3, 4 or 8"},
        {"length:0,0", "frame 'length:0,0': the size is 1, 2, 3, 4 or 8"},
        {"length:0,2,xe", "frame 'length:0,2,xe': after the size comes be or le"},
        {"length:0,2,be4", "frame 'length:0,2,be4': after be or le come ',' and a number"},
        {"length:0,2,be,", "frame 'length:0,2,be,': the last part is a number of bytes to add to the length"},
        {"length:0,2,be,4x", "frame 'length:0,2,be,4x': the last part is a number of bytes to add to the length"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct frame_spec f;
        dx_err e = {0};
        CHECK_INT(frame_spec_parse(t[i][0], 100, &f, &e), DX_URL);
        CHECK_STR(e.text, t[i][1]);
    }
}

TEST(good_specs_read)
{
    struct frame_spec f;
    CHECK_INT(frame_spec_parse("gap:2s", 0, &f, NULL), 0);
    CHECK_INT(f.gap_ms, 2000);
    CHECK_INT(f.message_max, 16 << 20);
    CHECK_INT(frame_spec_parse("gap:15", 7, &f, NULL), 0);
    CHECK_INT(f.gap_ms, 15);
    CHECK_INT(f.message_max, 7);
    CHECK_INT(frame_spec_parse("none", 0, &f, NULL), 0);
    CHECK_INT(f.kind, FRAME_NONE);
}

TEST(none_passes_bytes_as_they_come)
{
    feed_start(&feed, "none", 1);
    feed_run(&feed, "ab", 2, 0);
    feed_run(&feed, "\xFF\xFB\x01", 3, 0);
    CHECK_STR(feed.out.p, "ab|\xFF\xFB\x01|");
    CHECK_INT(frame_due(&feed.f, 5), -1);
}

TEST(a_gap_ends_a_message)
{
    feed_start(&feed, "gap:20ms", 0);
    feed_run(&feed, "a", 1, 100);
    CHECK_INT(frame_due(&feed.f, feed.n), 120);
    feed_run(&feed, "b", 1, 119);
    feed_pull(&feed, 138, false);
    CHECK_STR(feed.out.p, "");
    feed_run(&feed, "c", 1, 139);
    CHECK_STR(feed.out.p, "ab|");
    feed_pull(&feed, 159, false);
    CHECK_STR(feed.out.p, "ab|c|");
    CHECK_INT(frame_due(&feed.f, feed.n), -1);
}

TEST(auto_goes_by_silence_until_a_newline_ended_message_then_by_lines)
{
    feed_start(&feed, "auto", 0);
    feed_run(&feed, "hello", 5, 0);
    CHECK_INT(frame_due(&feed.f, feed.n), 60);
    feed_pull(&feed, 59, false);
    CHECK_STR(feed.out.p, "");
    CHECK_MEM(frame_tail(&feed.f).p, frame_tail(&feed.f).n, "\n", 1);
    feed_pull(&feed, 60, false);
    CHECK_STR(feed.out.p, "hello|");
    CHECK_INT(frame_tail(&feed.f).n, 0);
    feed_run(&feed, "a\r\nb\r\n", 6, 100);
    CHECK_STR(feed.out.p, "hello|");
    feed_pull(&feed, 160, false);
    CHECK_STR(feed.out.p, "hello|a|b|");
    CHECK_MEM(frame_tail(&feed.f).p, frame_tail(&feed.f).n, "\r\n", 2);
    feed_run(&feed, "c\nd", 3, 200);
    CHECK_STR(feed.out.p, "hello|a|b|c|");
    CHECK_MEM(frame_tail(&feed.f).p, frame_tail(&feed.f).n, "\n", 1);
    CHECK_INT(frame_due(&feed.f, feed.n), 700);
    feed_pull(&feed, 700, false);
    CHECK_STR(feed.out.p, "hello|a|b|c|d|");
    CHECK_INT(frame_tail(&feed.f).n, 1);
}

TEST(auto_sees_lines_in_a_stream_without_silence)
{
    feed_start(&feed, "auto", 65536);
    int lines = 0;
    for (int i = 0; i < 20000; i++) {
        char line[16];
        feed_run(&feed, line, (size_t)snprintf(line, sizeof line, "%d\n", i), 0);
    }
    feed_pull(&feed, 0, true);
    CHECK_INT(feed.bad, 0);
    for (size_t i = 0; i < feed.out.n; i++)
        lines += feed.out.p[i] == '|';
    CHECK_INT(lines, 20000);
}

TEST(auto_without_newline_is_bounded)
{
    static char big[65537];
    memset(big, 'x', sizeof big);
    feed_start(&feed, "auto", 65536);
    feed_run(&feed, big, 65536, 0);
    feed_pull(&feed, FAR_MS, false);
    CHECK_INT(feed.out.n, 65537);
    feed_start(&feed, "auto", 65536);
    feed_run(&feed, big, 65537, 0);
    CHECK_INT(feed.bad, DX_BIG);
}

TEST(telnet_offers_are_refused_wherever_they_are_cut)
{
    static const char in[] = "\xFF\xFB\x1F\xFF\xFD\x03hi\xFF\xFC\x01\xFF\xFE\x01\xFF\xFB\x18\r\n";
    static const char want[] = "\xFF\xFE\x1F\xFF\xFC\x03\xFF\xFE\x18";
    for (size_t a = 0; a < sizeof in; a++) {
        feed_start(&feed, "auto", 0);
        feed_run(&feed, in, a, 0);
        feed_run(&feed, in + a, sizeof in - 1 - a, 0);
        feed_pull(&feed, FAR_MS, false);
        CHECK_STR(feed.out.p, "hi|");
        CHECK_MEM(feed.answers.p, feed.answers.n, want, sizeof want - 1);
    }
}

TEST(telnet_answers_are_bounded)
{
    char in[300];
    feed_start(&feed, "auto", 0);
    for (size_t i = 0; i < sizeof in; i += 3)
        memcpy(in + i, "\xFF\xFB\x01", 3);
    memcpy(feed.buf, in, sizeof in);
    CHECK_INT(frame_arrive(&feed.f, feed.buf, sizeof in, 0), 0);
    CHECK_INT(feed.f.answer_n, 30);
}

TEST(bytes_that_are_not_telnet_stay_whole)
{
    static const struct {
        const char *in;
        size_t n;
    } t[] = {{S("\xFF\xD8\xFF\xE0 jpeg \xFF\xFB\x01")},
             {S("y\xFF\xFF\xFB\x01")},
             {S("\xFF"
                "a\xFF\xF4")}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        feed_start(&feed, "auto", 0);
        feed_run(&feed, t[i].in, t[i].n, 0);
        feed_pull(&feed, FAR_MS, false);
        CHECK_INT(feed.out.n, t[i].n + 1);
        CHECK(!memcmp(feed.out.p, t[i].in, t[i].n));
        CHECK_INT(feed.answers.n, 0);
    }
}

TEST(tails_go_behind_what_is_sent)
{
    feed_start(&feed, "line", 0);
    CHECK_MEM(frame_tail(&feed.f).p, frame_tail(&feed.f).n, "\n", 1);
    feed_run(&feed, "x\r\n", 3, 0);
    CHECK_MEM(frame_tail(&feed.f).p, frame_tail(&feed.f).n, "\r\n", 2);
    feed_start(&feed, "line:crlf", 0);
    feed_run(&feed, "x\n", 2, 0);
    CHECK_MEM(frame_tail(&feed.f).p, frame_tail(&feed.f).n, "\r\n", 2);
    feed_start(&feed, "line:none", 0);
    feed_run(&feed, "x\r\n", 3, 0);
    CHECK_INT(frame_tail(&feed.f).n, 0);
    feed_start(&feed, "delim:00FF", 0);
    CHECK_MEM(frame_tail(&feed.f).p, frame_tail(&feed.f).n, "\x00\xFF", 2);
    feed_start(&feed, "fixed:2", 0);
    CHECK_INT(frame_tail(&feed.f).n, 0);
}

TEST_MAIN
