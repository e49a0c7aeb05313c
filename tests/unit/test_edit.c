/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "tool/edit.h"
#include <locale.h>
#include <unistd.h>

static struct edit e;

static enum edit_did type(const char *keys)
{
    enum edit_did did = EDIT_NOTHING;
    for (; *keys; keys++)
        did = edit_byte(&e, (unsigned char)*keys);
    return did;
}

static const char *typed(const char *keys)
{
    static char line[EDIT_BYTES_MAX + 1];
    edit_free(&e);
    e = (struct edit){0};
    type(keys);
    memcpy(line, e.text, e.n);
    line[e.n] = 0;
    return line;
}

TEST(keys_edit_the_line)
{
    static const struct {
        const char *keys, *line;
    } table[] = {
        {"hello", "hello"},
        {"你好", "你好"},
        {"你好\x7f", "你"},
        {"ab\x08", "a"},
        {"\x7f", ""},
        {"one two\x17", "one "},
        {"one two  \x17", "one "},
        {"abc\x15", ""},
        {"bc\x01"
         "a",
         "abc"},
        {"abc\x01\x04", "bc"},
        {"ac\x02"
         "b",
         "abc"},
        {"abc\x02\x0b", "ab"},
        {"ac\x1b[Db", "abc"},
        {"ac\x1bODb", "abc"},
        {"你好\x1b[D\x1b[D她", "她你好"},
        {"bc\x1b[Ha\x1b[Fd", "abcd"},
        {"bc\x1b[1~a\x1b[4~d", "abcd"},
        {"abc\x1b[D\x1b[3~", "ab"},
        {"a\x1b[1;5Cb\x1b[201~c", "abc"},
        {"a\x00"
         "b",
         "a"},
        {"a\tb", "a b"},
        {"\x1b[200~a\r\nb\rc\nd\x1b[201~e", "a\nb\nc\nde"},
        {"\x1b[200~a\tb\x04\x03\x7f\x1b[A\x1b[201~", "a\tb"},
        {"\x1b\x1b[D", ""},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        CHECK_STR(typed(table[i].keys), table[i].line);
}

TEST(ctrl_d_ends_an_empty_line_alone)
{
    typed("");
    CHECK_INT(type("\x04"), EDIT_END);
    typed("a");
    CHECK_INT(type("\x04"), EDIT_NOTHING);
}

TEST(history_comes_back_and_is_bounded)
{
    char line[16];
    typed("");
    for (int i = 0; i < EDIT_HISTORY + 10; i++) {
        snprintf(line, sizeof(line), "line %d", i);
        CHECK_INT((type(line), type("\r")), EDIT_LINE);
        edit_next(&e);
        type(line);
        edit_next(&e); /* said twice: kept once */
    }
    CHECK_INT(e.past_n, EDIT_HISTORY);
    type("\x1b[A\x1b[A");
    snprintf(line, sizeof(line), "line %d", EDIT_HISTORY + 8);
    CHECK_MEM(e.text, e.n, line, strlen(line));
    type("\x1b[B\x1b[B\x1b[B");
    CHECK_INT(e.n, 0);
    for (int i = 0; i < 2 * EDIT_HISTORY; i++)
        type("\x10");
    CHECK_MEM(e.text, e.n, "line 10", 7);
    edit_free(&e);
}

TEST(a_line_is_bounded)
{
    typed("");
    for (int i = 0; i < EDIT_BYTES_MAX - 1; i++)
        type("x");
    CHECK_INT(e.n, EDIT_BYTES_MAX - 1);
    CHECK(!e.full);
    type("x");
    CHECK_INT(e.n, EDIT_BYTES_MAX - 1);
    CHECK(e.full);
}

TEST(a_pasted_line_end_is_text_until_enter)
{
    typed("");
    CHECK_INT(type("\x1b[200~one\ntwo\n"), EDIT_CHANGED);
    CHECK_INT(type("\x1b[201~"), EDIT_NOTHING);
    CHECK_INT(type("\r"), EDIT_LINE);
    CHECK_MEM(e.text, e.n, "one\ntwo\n", 8);
}

static const char *drawn(const char *keys, int columns, int rows_max, struct edit_place *ret)
{
    static dx_text out;
    setlocale(LC_CTYPE, "C.UTF-8");
    typed(keys);
    dx_text_clear(&out);
    edit_draw(&e, "> ", columns, rows_max, &out, ret);
    return out.p;
}

TEST(a_line_lies_in_rows)
{
    static const struct {
        const char *keys, *drawn;
        int above;
    } table[] = {
        {"", "> ", 0},
        {"abc", "> abc", 0},
        {"12345678", "> 12345678", 0},
        {"123456789", "> 12345678\r\n9", 1},
        {"1234567你", "> 1234567\r\n你", 1}, /* half of it would stand in the last column */
        {"你好世界你好", "> 你好世界\r\n你好", 1},
        {"abc\x1b[D", "> abc\r> ab", 0},
        {"123456789\x1b[D", "> 12345678\r\n9\r\033[1A> 12345678\r\n", 1},
        {"123456789\x1b[D\x1b[D", "> 12345678\r\n9\r\033[1A> 1234567", 0},
        {"1234567e\xcc\x81", "> 1234567e\xcc\x81", 0},
        {"\xe4\xbd", "> ", 0},
        {"\x1b[200~a\nb\x1b[201~",
         "> a\xe2\x90\x8a"
         "b",
         0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct edit_place at = {-1, -1};
        CHECK_STR(drawn(table[i].keys, 10, 9, &at), table[i].drawn);
        CHECK_INT(at.above, table[i].above);
    }
}

TEST(of_more_rows_than_the_screen_has_the_cursors_is_shown)
{
    struct edit_place at = {-1, -1};
    CHECK_STR(drawn("aaaaaaaabbbbbbbbbbccccccccccd", 10, 2, &at), "cccccccccc\r\nd");
    CHECK_INT(at.column, 1);
    CHECK_INT(at.above, 1);
    CHECK_STR(drawn("aaaaaaaabbbbbbbbbbccccccccccd\x01", 10, 2, &at), "> aaaaaaaa\r\nbbbbbbbbbb\r\033[1A> ");
    CHECK_INT(at.above, 0);
    CHECK_STR(drawn("aaaaaaaabbbbbbbbbbc\x1b[D", 10, 1, &at), "c\r");
    CHECK_INT(at.above, 0);
}

TEST(columns_are_those_of_a_terminal_or_more)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    CHECK_INT(edit_columns("a你b", 5), 4);
    CHECK_INT(edit_columns("e\xcc\x81", 3), 1);
    CHECK_INT(edit_columns("\xf0\x9f\x98\x80", 4), 2);
    CHECK_INT(edit_columns("\xe2\x9d\xa4\xef\xb8\x8f", 6), 2);
    CHECK_INT(edit_columns("\xff", 1), 1);
}

/* Whatever comes as keys: the line stays within its bounds, and what is drawn leaves the cursor in it. */
TEST(any_keys_and_any_width)
{
    static const char *const keys[] = {"\x1b[200~",      "\x1b[201~", "\x1b[D",   "\x1b[A", "\x1b[3~", "\x01",
                                       "\x05",           "\x0b",      "\x17",     "\x7f",   "你",      "e\xcc\x81",
                                       "👨\xe2\x80\x8d👩", "\xff",      "\xe4\xbd", "\n"};
    const char *given = getenv("SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    dx_text out = {0};
    setlocale(LC_CTYPE, "C.UTF-8");
    printf("# SEED=%u\n", seed);
    srand(seed);
    typed("");
    for (int i = 0; i < 20000; i++) {
        int what = rand() % 4, columns = 1 + rand() % 40, rows_max = 1 + rand() % 6;
        enum edit_did did = EDIT_NOTHING;
        if (what == 0)
            did = edit_byte(&e, (unsigned char)(rand() % 256));
        else
            did = type(keys[rand() % (int)(sizeof keys / sizeof *keys)]);
        if (did == EDIT_LINE)
            edit_next(&e);
        struct edit_place at = {-1, -1};
        dx_text_clear(&out);
        CHECK_INT(edit_draw(&e, ">> ", columns, rows_max, &out, &at), 0);
        CHECK(e.at <= e.n && e.n < EDIT_BYTES_MAX);
        CHECK(at.above >= 0 && at.above < rows_max && at.column >= 0);
        CHECK(at.column <= columns || columns < 3);
    }
    dx_text_free(&out);
    edit_free(&e);
}

TEST_MAIN
