/* SPDX-License-Identifier: MIT
 * How often --retry=N dials again. */
#include "test.h"
#include "tool/retry.h"

TEST(tries_in_a_row_are_counted)
{
    struct retry r = {.on = true, .tries_max = 2}, off = {0};
    CHECK(retry_wait_ms(&r) > 0);
    CHECK(retry_wait_ms(&r) > 0);
    CHECK_INT(retry_wait_ms(&r), -1);
    retry_stood(&r);
    CHECK(retry_wait_ms(&r) > 0);
    CHECK_INT(retry_wait_ms(&off), -1);
}

TEST_MAIN
