/* SPDX-License-Identifier: MIT
 * When to dial again. */
#include "test.h"
#include "tool/retry.h"
#include <errno.h>

TEST(the_wait_doubles_to_its_bound_and_chance_is_half_of_it)
{
    struct retry low = {.on = true}, high = {.on = true};
    int64_t want = RETRY_FIRST_MS;
    for (int i = 0; i < 100; i++) {
        CHECK_INT(retry_wait_ms(&low, 0), want / 2);
        CHECK_INT(retry_wait_ms(&high, (uint32_t)(want / 2)), want);
        want = want * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : want * 2;
    }
    retry_stood(&low);
    CHECK_INT(retry_wait_ms(&low, 0), RETRY_FIRST_MS / 2);
}

TEST(tries_in_a_row_are_counted)
{
    struct retry r = {.on = true, .tries_max = 2}, off = {0};
    CHECK(retry_wait_ms(&r, 1) > 0);
    CHECK(retry_wait_ms(&r, 1) > 0);
    CHECK_INT(retry_wait_ms(&r, 1), -1);
    retry_stood(&r);
    CHECK(retry_wait_ms(&r, 1) > 0);
    CHECK_INT(retry_wait_ms(&off, 1), -1);
}

TEST(only_what_may_pass_is_tried_again)
{
    CHECK(retry_helps(&(dx_err){.code = DX_REFUSED}));
    CHECK(retry_helps(&(dx_err){.code = DX_RESET}));
    CHECK(retry_helps(&(dx_err){.code = DX_SYS, .detail = EHOSTUNREACH}));
    CHECK(!retry_helps(&(dx_err){.code = DX_SYS, .detail = EACCES}));
    CHECK(!retry_helps(&(dx_err){.code = DX_TLS}));
    CHECK(!retry_helps(&(dx_err){.code = DX_PROTO}));
}

TEST_MAIN
