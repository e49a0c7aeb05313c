/* SPDX-License-Identifier: MIT
 * test_encode.c - want of memory while a file is compressed: each allocation of ours fails in turn, brotli's too, which would end the
 * process. */
#include "test.h"
#include "fails.h"
#include "files/inside.h"

enum { MUCH = 300000 };
static char text[MUCH];
static long countdown; /* 0: nothing fails */
static bool failed;

static bool fails(void)
{
    if (!countdown || --countdown)
        return false;
    failed = true;
    return true;
}

/* Did an allocation fail? */
static bool one_life(enum coding k, long nth)
{
    dx_text out = {0};
    failed = false;
    countdown = nth;
    struct encoder *e = encoder_new(k);
    int r = e ? 0 : DX_NOMEM;
    for (size_t at = 0; r == 0 && at < MUCH; at += MUCH / 3)
        r = encoder_take(e, text + at, MUCH / 3, at + MUCH / 3 == MUCH, &out);
    encoder_free(e);
    countdown = 0;
    dx_text_free(&out);
    CHECK_INT(r, failed ? DX_NOMEM : 0);
    return failed;
}

TEST(any_allocation_of_an_encoder_may_fail)
{
    static const struct {
        enum coding kind;
        long least; /* of ours; gzip's and zstd's own say it by themselves */
    } cases[] = {{CODING_GZIP, 1}, {CODING_ZSTD, 1}, {CODING_BR, 5}};
    for (int i = 0; i < MUCH; i++)
        text[i] = (char)((unsigned)i * (unsigned)i >> 7);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long nth = 1;
        while (nth < 2000 && one_life(cases[i].kind, nth))
            nth++;
        CHECK_SAY(nth > cases[i].least && nth < 2000, "%s: %ld allocations", coding_name(cases[i].kind), nth);
    }
}

TEST_MAIN
