/* SPDX-License-Identifier: MIT
 * Lines put together by printf's formats, of any length. */
#include "test.h"
#include "tool/add.h"

TEST(addf_appends_all_of_it_however_long)
{
    static const int lengths[] = {0, 1, 198, 199, 200, 201, 5000};
    char long_one[5001];
    memset(long_one, 'x', sizeof long_one);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        dx_text t = {0};
        CHECK_INT(add(&t, "<"), 0);
        CHECK_INT(addf(&t, "%.*s%d", lengths[i], long_one, 7), 0);
        CHECK_INT(t.n, (size_t)lengths[i] + 2);
        CHECK(t.p[0] == '<' && t.p[t.n - 1] == '7');
        CHECK(!lengths[i] || (t.p[1] == 'x' && t.p[t.n - 2] == 'x'));
        dx_text_free(&t);
    }
}

TEST_MAIN
