/* SPDX-License-Identifier: MIT
 * Dates of HTTP: written, and read in all three forms. */
#include "test.h"
#include <duplex/http.h>
#include <time.h>

enum { FIRST_DAY = -719528, LAST_DAY = 2932896, DAY_S = 86400 }; /* of the years 0 to 9999 */

static dx_bytes of(const char *s)
{
    return (dx_bytes){s, strlen(s)};
}

TEST(dates_in_all_three_forms)
{
    static const struct {
        const char *text;
        int64_t at; /* -1: none */
    } all[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Tue, 29 Feb 2000 23:59:60 GMT", 951868800},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Wednesday, 01-Jan-69 00:00:00 GMT", 3124224000}, /* 2069: not 50 years ahead of 2026 */
        {"Saturday, 01-Jan-77 00:00:00 GMT", 220924800},   /* 1977: 2077 would be           */
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {"Sun, 06 Nov 1994 08:49:37", -1},
        {"Sun, 06 Foo 1994 08:49:37 GMT", -1},
        {"Sun, 06 nov 1994 08:49:37 GMT", -1},
        {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
        {"Thu, 29 Feb 1900 08:49:37 GMT", -1},
        {"Sun, 32 Dec 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 -8:49:37 GMT", -1},
        {"Sun, 06 Nov 1994  8:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:60:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:61 GMT", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"Sun,06 Nov 1994 08:49:37 GMT", -1},
        {"S\xc3\xb6n, 06 Nov 1994 08:49:37 GMT", -1},
        {"Sunday Nov  6 08:49:37 1994", -1},
        {"Su, 06 Nov 1994 08:49:37 GMT", -1},
        {"Sun, ", -1},
        {"Sun,", -1},
        {"Sun", -1},
        {",", -1},
        {"yesterday", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        int64_t t = -1;
        int r = dx_http_date_read(of(all[i].text), 1795700000 /* 2026 */, &t);
        CHECK_SAY(t == all[i].at && r == (all[i].at < 0 ? DX_URL : 0), "%s: %lld", all[i].text, (long long)t);
    }
    int64_t t;
    CHECK_INT(dx_http_date_read((dx_bytes){NULL, 0}, 0, &t), DX_URL);
}

TEST(the_years_0_to_9999_are_written_as_the_c_library_has_them_and_read_again)
{
    char ours[30], theirs[64];
    for (int64_t day = FIRST_DAY; day <= LAST_DAY; day += 37) {
        int64_t s = day * DAY_S + (day * 7919 % DAY_S + DAY_S) % DAY_S, again = -1;
        time_t at = (time_t)s;
        struct tm m;
        gmtime_r(&at, &m);
        size_t n = strftime(theirs, sizeof theirs, "%a, %d %b ", &m);
        n += (size_t)snprintf(theirs + n, sizeof theirs - n, "%04d", m.tm_year + 1900);
        strftime(theirs + n, sizeof theirs - n, " %H:%M:%S GMT", &m);
        dx_http_date(ours, s);
        CHECK_STR(ours, theirs);
        CHECK_INT(dx_http_date_read(of(ours), 0, &again), 0);
        CHECK_INT(again, s);
    }
}

TEST(what_no_four_digits_can_say_is_the_nearest_that_they_can)
{
    char s[30];
    dx_http_date(s, INT64_MAX);
    CHECK_STR(s, "Fri, 31 Dec 9999 23:59:59 GMT");
    dx_http_date(s, INT64_MIN);
    CHECK_STR(s, "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST_MAIN
