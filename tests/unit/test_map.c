/* SPDX-License-Identifier: MIT */
#include "base/map.h"
#include "test.h"
#include <time.h>

TEST(what_was_put_is_found_and_nothing_else)
{
    struct map m = {0};
    int a = 1, b = 2;
    CHECK(map_get(&m, "x", 1) == NULL);
    CHECK(map_del(&m, "x", 1) == NULL);
    CHECK_INT(map_put(&m, "key", 3, &a), 0);
    CHECK_INT(map_put(&m, "", 0, &b), 0);
    CHECK(map_get(&m, "key", 3) == &a);
    CHECK(map_get(&m, NULL, 0) == &b);
    CHECK(map_get(&m, "ke", 2) == NULL);
    CHECK_INT(map_put(&m, "key", 3, &b), 0);
    CHECK_INT(m.n, 2);
    CHECK(map_del(&m, "key", 3) == &b);
    CHECK(map_get(&m, "key", 3) == NULL);
    map_free(&m);
    map_free(&m);
}

TEST(replacing_keeps_the_new_keys_bytes)
{
    struct map m = {0};
    char one[] = "nick", two[] = "nick";
    map_put(&m, one, 4, one);
    map_put(&m, two, 4, two);
    memset(one, 'x', 4);
    CHECK(map_get(&m, "nick", 4) == two);
    map_free(&m);
}

TEST(a_walk_sees_each_once_and_may_delete_what_it_was_given)
{
    enum { N = 1000 };
    static int key[N];
    static char seen[N];
    struct map m = {.seed = {1, 2}};
    for (int i = 0; i < N; i++) {
        key[i] = i;
        CHECK_INT(map_put(&m, &key[i], sizeof key[i], &key[i]), 0);
    }
    size_t at = 0;
    for (int *v; (v = map_next(&m, &at));) {
        CHECK_INT(seen[*v]++, 0);
        if (*v % 2)
            CHECK(map_del(&m, v, sizeof *v) == v);
    }
    for (int i = 0; i < N; i++) {
        CHECK_INT(seen[i], 1);
        CHECK(map_get(&m, &i, sizeof i) == (i % 2 ? NULL : &key[i]));
    }
    CHECK_INT(m.n, N / 2);
    map_free(&m);
}

TEST(coming_and_going_does_not_grow_the_table)
{
    static int key[100000];
    struct map m = {0};
    for (int i = 0; i < 100000; i++) {
        key[i] = i;
        CHECK_INT(map_put(&m, &key[i], sizeof key[i], &key[i]), 0);
        if (i >= 10)
            CHECK(map_del(&m, &key[i - 10], sizeof *key) == &key[i - 10]);
        CHECK(m.cap <= 64);
    }
    map_free(&m);
}

TEST(any_mix_agrees_with_an_array)
{
    enum { N = 300 };
    static char key[N][8];
    static void *want[N];
    unsigned seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    struct map m = {.seed = {seed, 9}};
    for (int i = 0; i < N; i++)
        snprintf(key[i], sizeof key[i], "k%d", i);
    for (int i = 0; i < 50000; i++) {
        int k = rand_r(&seed) % N;
        if (rand_r(&seed) % 2) {
            CHECK_INT(map_put(&m, key[k], strlen(key[k]), key[k]), 0);
            want[k] = key[k];
        } else {
            CHECK(map_del(&m, key[k], strlen(key[k])) == want[k]);
            want[k] = NULL;
        }
        k = rand_r(&seed) % N;
        CHECK(map_get(&m, key[k], strlen(key[k])) == want[k]);
    }
    map_free(&m);
}

TEST_MAIN
