/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "tool/kept.h"
#include <time.h>

static struct kept k;
static char big[KEPT_BYTES_MAX + 1];

static void keep(uint64_t from, const char *p, size_t n, bool whole)
{
    const struct kept_piece piece = {1000, from, n, whole};
    CHECK_INT(kept_add(&k, &piece, p), 0);
}

static const char *text(void)
{
    static dx_text t;
    dx_text_clear(&t);
    CHECK_INT(kept_text(&k, "auto", &t), 0);
    return t.p ? t.p : "";
}

TEST(what_came_is_text_again)
{
    keep(0, "\xe4\xbd", 2, false);
    keep(0, "\xa0\r\nlog", 6, false);
    keep(0, "in: \x1b[2J", 8, false);
    CHECK_STR(text(), "你\nlogin: ␛[2J\n");
    kept_free(&k);
    keep(0, "message", 7, true);
    keep(0, "", 0, true);
    CHECK_STR(text(), "message\n\n");
    kept_free(&k);
    CHECK_STR(text(), "");
}

TEST(clients_keep_their_half_characters_apart)
{
    keep(1, "\xe4\xbd", 2, false);
    keep(2, "two\nand", 7, false);
    keep(1, "\xa0\n", 2, false);
    CHECK_STR(text(), "2> two\n1> 你\n2> and\n");
    kept_free(&k);
}

TEST(pieces_are_dumped_with_their_time)
{
    dx_text t = {0};
    setenv("TZ", "UTC0", 1);
    tzset();
    keep(0, "0123456789abcdef\n", 17, false);
    keep(3, "", 0, true);
    CHECK_INT(kept_dump(&k, &t), 0);
    CHECK_STR(t.p, "00:00:01.000 17 bytes\n"
                   "  000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
                   "  000010  0a                                                |.|\n"
                   "3> 00:00:01.000 0 bytes\n");
    dx_text_free(&t);
    kept_free(&k);
}

TEST(of_too_many_bytes_the_oldest_go)
{
    keep(0, "first\n", 6, false);
    keep(0, big, KEPT_BYTES_MAX - 6, false);
    CHECK_INT(k.count, 2);
    CHECK_INT(k.bytes.n, KEPT_BYTES_MAX);
    keep(0, "x", 1, false);
    CHECK_INT(k.count, 1);
    CHECK_MEM(k.bytes.p, k.bytes.n, "x", 1);
    big[0] = 'a', big[1] = 'b';
    keep(0, big, KEPT_BYTES_MAX + 1, false);
    CHECK_INT(k.count, 1);
    CHECK_INT(k.bytes.n, KEPT_BYTES_MAX);
    CHECK_INT(k.bytes.p[0], 'b');
    kept_free(&k);
}

TEST(of_too_many_pieces_the_oldest_go)
{
    for (int i = 0; i < KEPT_PIECES_MAX; i++)
        keep((uint64_t)i + 1, "x", 1, false);
    CHECK_INT(k.count, KEPT_PIECES_MAX);
    keep(7, "y", 1, false);
    CHECK_INT(k.count, KEPT_PIECES_MAX / 4 * 3 + 1);
    CHECK_INT(k.bytes.n, k.count);
    CHECK_INT(k.piece[0].from, KEPT_PIECES_MAX / 4 + 1);
    kept_free(&k);
}

TEST_MAIN
