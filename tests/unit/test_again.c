/* SPDX-License-Identifier: MIT
 * When to dial again, and whether. */
#include "test.h"
#include <duplex/duplex.h>
#include <errno.h>

TEST(the_wait_doubles_to_its_bound_and_half_of_it_is_chance)
{
    static const struct {
        int64_t first, most, want_first, want_most;
    } t[] = {{0, 0, 250, 30000},
             {100, 1000, 100, 1000},
             {5000, 2000, 2000, 2000},
             {1, 1, 1, 1},
             {3, INT64_MAX / 4, 3, 3 << 20}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int64_t want = t[i].want_first;
        for (int64_t tries = 0; tries < 20; tries++) {
            int64_t low = INT64_MAX, high = 0;
            for (int k = 0; k < 300; k++) {
                dx_again a = {.first_ms = t[i].first, .most_ms = t[i].most, .tries = tries};
                int64_t ms = dx_again_ms(&a);
                CHECK_INT(a.tries, tries + 1);
                CHECK_SAY(ms >= want / 2 && ms <= want, "try %d: %lld of %lld", (int)tries, (long long)ms,
                          (long long)want);
                low = ms < low ? ms : low;
                high = ms > high ? ms : high;
            }
            CHECK(want < 100 || high - low > want / 4); /* 300 draws: chance, and all of its half */
            want = want * 2 > t[i].want_most ? t[i].want_most : want * 2;
        }
    }
}

TEST(only_what_may_pass_is_tried_again)
{
    static const struct {
        dx_err why;
        bool helps;
    } t[] = {{{.code = DX_REFUSED}, true},
             {{.code = DX_RESET}, true},
             {{.code = DX_TIMEOUT}, true},
             {{.code = DX_RESOLVE}, true},
             {{.code = DX_TRUNCATED}, true},
             {{.code = DX_END}, true},
             {{.code = DX_SYS, .detail = EHOSTUNREACH}, true},
             {{.code = DX_SYS, .detail = EACCES}, false},
             {{.code = DX_CLOSED}, false},
             {{.code = DX_URL}, false},
             {{.code = DX_TLS}, false},
             {{.code = DX_PROTO}, false},
             {{.code = DX_PROTO, .detail_of = DX_OF_WS, .detail = 1001}, true},
             {{.code = DX_PROTO, .detail_of = DX_OF_WS, .detail = 1002}, false},
             {{.code = DX_PROTO, .detail_of = DX_OF_WS, .detail = 1012}, true},
             {{.code = DX_LIMIT, .detail_of = DX_OF_WS, .detail = 1013}, true},
             {{.code = DX_PROTO, .detail_of = DX_OF_WS, .detail = 4000}, false},
             {{.code = DX_PROTO, .detail_of = DX_OF_HTTP, .detail = 503}, true},
             {{.code = DX_PROTO, .detail_of = DX_OF_HTTP, .detail = 429}, true},
             {{.code = DX_PROTO, .detail_of = DX_OF_HTTP, .detail = 401}, false},
             {{.code = DX_PROTO, .detail_of = DX_OF_ERRNO, .detail = 503}, false}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_SAY(dx_again_helps(&t[i].why) == t[i].helps, "%d %d %d", t[i].why.code, t[i].why.detail_of,
                  t[i].why.detail);
}

TEST_MAIN
