/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "tool/prompt.h"
#include <locale.h>

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
        {"a\x1b[1;5Cb\x1b[200~c", "abc"},
        {"a\x00"
         "b",
         "a"},
        {"a\tb", "a b"},
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
    CHECK_MEM(e.text, e.n, "line 58", 7);
    type("\x1b[B\x1b[B\x1b[B");
    CHECK_INT(e.n, 0);
    for (int i = 0; i < 100; i++)
        type("\x10");
    CHECK_MEM(e.text, e.n, "line 10", 7);
    edit_free(&e);
}

TEST(a_line_is_bounded)
{
    typed("");
    for (int i = 0; i < 2 * EDIT_BYTES_MAX; i++)
        type("x");
    CHECK_INT(e.n, EDIT_BYTES_MAX - 1);
}

TEST(the_window_holds_the_cursor)
{
    size_t from, to;
    setlocale(LC_CTYPE, "C.UTF-8");
    CHECK_INT(edit_columns("a你b", 5), 4);
    typed("你好世界你好世界");
    edit_window(&e, 9, &from, &to);
    CHECK_INT(to, e.n);
    CHECK_INT(edit_columns(e.text + from, to - from), 8);
    type("\x01");
    edit_window(&e, 9, &from, &to);
    CHECK_INT(from, 0);
    CHECK_INT(edit_columns(e.text, to), 8);
    typed("short");
    edit_window(&e, 80, &from, &to);
    CHECK_INT(from, 0);
    CHECK_INT(to, 5);
}

TEST_MAIN
