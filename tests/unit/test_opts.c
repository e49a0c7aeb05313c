/* SPDX-License-Identifier: MIT */
#include "base/opts.h"
#include "test.h"
#include <stdlib.h>

struct ours {
    int a, b;
};
struct newer {
    struct ours ours;
    int c;
};

TEST(what_an_older_caller_does_not_have_is_zero)
{
    struct ours ret = {7, 7}, o = {1, 2};
    CHECK_INT(opts_read(&o, offsetof(struct ours, b), &ret, sizeof ret, NULL), 0);
    CHECK_INT(ret.a, 1);
    CHECK_INT(ret.b, 0);
    CHECK_INT(opts_read(NULL, sizeof o, &ret, sizeof ret, NULL), 0);
    CHECK_INT(ret.a, 0);
}

TEST(what_a_newer_caller_sets_is_refused_where_it_is_not_known)
{
    struct newer o = {{1, 2}, 0};
    struct ours ret;
    dx_err err = {0};
    CHECK_INT(opts_read(&o, sizeof o, &ret, sizeof ret, &err), 0);
    CHECK_INT(ret.b, 2);
    o.c = 1;
    o.ours.b = 3;
    CHECK_INT(opts_read(&o, sizeof o, &ret, sizeof ret, &err), DX_ABSENT);
    CHECK_INT(err.code, DX_ABSENT);
    CHECK_INT(ret.b, 2);
}

TEST(strings_are_copied_and_what_is_not_there_stays_so)
{
    char text[] = "abc";
    const char *a = text, *b = NULL, *c = "";
    const char **const all[] = {&a, &b, &c};
    char *block = NULL;
    CHECK_INT(opts_keep(all, 3, &block), 0);
    text[0] = 'x';
    CHECK_STR(a, "abc");
    CHECK(a == block && !b && c && !*c);
    free(block);
}

TEST_MAIN
