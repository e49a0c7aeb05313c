/* SPDX-License-Identifier: MIT
 * How much a datagram echo answers one source. */
#include "test.h"
#include "tool/bucket.h"

static int answered(struct bucket *b, int asked, bool loopback, bool same, int64_t at_ms, int64_t step_ms)
{
    int count = 0;
    for (int i = 0; i < asked; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "datagram %d", same ? 0 : i);
        if (bucket_take(b, text, (size_t)n, loopback, at_ms + i * step_ms)) {
            bucket_said(b, text, (size_t)n);
            count++;
        }
    }
    return count;
}

TEST(off_loopback_a_source_is_answered_so_often_and_no_more)
{
    struct bucket b = {0};
    CHECK_INT(answered(&b, 5000, false, false, 1, 0), BUCKET_TOKENS_MAX);
    CHECK_INT(answered(&b, 5000, false, false, 1001, 0), BUCKET_PER_S);
    CHECK_INT(answered(&b, 5000, false, false, 1000000, 0), BUCKET_TOKENS_MAX);
}

TEST(a_slow_source_is_always_answered)
{
    struct bucket b = {0};
    CHECK_INT(answered(&b, 20000, false, true, 1, 10), 20000);
}

TEST(on_loopback_what_is_new_is_always_answered)
{
    struct bucket b = {0};
    CHECK_INT(answered(&b, 50000, true, false, 1, 0), 50000);
}

TEST(on_loopback_an_echo_of_our_echo_falls_silent)
{
    struct bucket b = {0};
    CHECK_INT(answered(&b, 50000, true, true, 1, 0), BUCKET_TOKENS_MAX + 1);
}

TEST(on_loopback_several_datagrams_going_round_fall_silent_too)
{
    struct bucket b = {0};
    int count = 0;
    for (int round = 0; round < 10000; round++)
        for (uint8_t k = 0; k < BUCKET_SAID; k++)
            if (bucket_take(&b, &k, 1, true, 1)) {
                bucket_said(&b, &k, 1);
                count++;
            }
    CHECK_INT(count, BUCKET_TOKENS_MAX + BUCKET_SAID);
}

TEST(the_memory_of_answers_goes_round_without_losing_its_place)
{
    struct bucket b = {0};
    for (uint32_t i = 0; i < 1000; i++)
        bucket_said(&b, &i, sizeof i);
    CHECK(b.said_n >= BUCKET_SAID);
    for (uint32_t i = 1000 - BUCKET_SAID; i < 1000; i++)
        CHECK(bucket_take(&b, &i, sizeof i, true, 1));
    CHECK_INT(b.spent_milli, BUCKET_SAID * 1000);
}

TEST_MAIN
