/* SPDX-License-Identifier: MIT
 * test_histogram.c - percentiles beside the exact ones of the sorted values. */
#include "test.h"
#include "tool/histogram.h"
#include <time.h>

enum { VALUES = 200000 };
static const double shares[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
static uint64_t values[VALUES];
static uint64_t seed;

static uint64_t random64(void)
{
    if (!seed)
        printf("# seed %llu\n", (unsigned long long)(seed = (uint64_t)time(NULL) | 1));
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t exact_at(double share)
{
    double rank = share * (double)VALUES;
    size_t i = (size_t)rank;
    i += (double)i < rank;
    return values[i ? i - 1 : 0];
}

/* Three digits: at most 1 in 1024 above the exact one, never below. */
static void compare(const struct histogram *h)
{
    qsort(values, VALUES, sizeof *values, ascending);
    CHECK_INT(h->count, VALUES);
    CHECK_INT(h->min, values[0]);
    CHECK_INT(h->max, values[VALUES - 1]);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        uint64_t got = histogram_at(h, shares[i]), want = exact_at(shares[i]);
        CHECK_SAY(got >= want && got - want <= want / 1024, "%g: %llu, exact %llu, seed %llu", shares[i],
                  (unsigned long long)got, (unsigned long long)want, (unsigned long long)seed);
    }
}

static struct histogram *fresh(void)
{
    static struct histogram h[4];
    static unsigned at;
    h[at % 4] = (struct histogram){0};
    return &h[at++ % 4];
}

TEST(empty_says_nothing)
{
    struct histogram *h = fresh();
    CHECK_INT(histogram_at(h, 0.5), 0);
    CHECK_INT(histogram_at(h, 1), 0);
    CHECK(histogram_mean(h) == 0);
}

TEST(one_value_is_every_percentile)
{
    for (uint64_t v = 0; v < 1 << 20; v = v * 3 + 1) {
        struct histogram *h = fresh();
        histogram_add(h, v, 3);
        for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
            CHECK_INT(histogram_at(h, shares[i]), v);
        CHECK(histogram_mean(h) == (double)v);
    }
}

TEST(values_around_each_power_of_two_keep_three_digits)
{
    for (unsigned bit = 0; bit < 42; bit++)
        for (int off = -1; off <= 1; off++) {
            uint64_t v = ((uint64_t)1 << bit) + (uint64_t)(int64_t)off;
            struct histogram *h = fresh();
            if (v > HISTOGRAM_MAX)
                continue;
            histogram_add(h, v, 1);
            histogram_add(h, HISTOGRAM_MAX, 1); /* so that its own maximum does not hide the slot's */
            uint64_t got = histogram_at(h, 0.5);
            CHECK_SAY(got >= v && got - v <= v / 1024, "%llu is %llu", (unsigned long long)v, (unsigned long long)got);
        }
}

TEST(small_values_are_exact)
{
    struct histogram *h = fresh();
    for (uint64_t v = 0; v < HISTOGRAM_EXACT; v++)
        histogram_add(h, v, 1);
    for (uint64_t v = 1; v < HISTOGRAM_EXACT; v++)
        CHECK_INT(histogram_at(h, (double)v / (double)HISTOGRAM_EXACT), v - 1);
}

TEST(uniform_values_beside_the_exact_percentiles)
{
    struct histogram *h = fresh();
    for (size_t i = 0; i < VALUES; i++)
        histogram_add(h, values[i] = random64() % 1000000, 1);
    compare(h);
}

TEST(values_over_all_magnitudes_beside_the_exact_percentiles)
{
    struct histogram *h = fresh();
    double sum = 0;
    for (size_t i = 0; i < VALUES; i++) {
        histogram_add(h, values[i] = (random64() % HISTOGRAM_MAX) >> random64() % 40, 1);
        sum += (double)values[i];
    }
    compare(h);
    double mean = histogram_mean(h), want = sum / (double)VALUES;
    CHECK(mean > want * 0.999999 && mean < want * 1.000001);
}

TEST(a_rare_stall_shows_in_the_tail)
{
    struct histogram *h = fresh();
    histogram_add(h, 100000, 9990);
    histogram_add(h, 1000000000, 10);
    CHECK(histogram_at(h, 0.99) < 101000);
    CHECK(histogram_at(h, 0.9995) >= 1000000000);
    CHECK_INT(histogram_at(h, 1), 1000000000);
}

TEST(over_the_hour_is_the_hour)
{
    struct histogram *h = fresh();
    histogram_add(h, UINT64_MAX, 1);
    CHECK_INT(histogram_at(h, 1), HISTOGRAM_MAX);
}

TEST(merged_is_as_if_added_to_one)
{
    struct histogram *one = fresh(), *a = fresh(), *b = fresh();
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = random64() % HISTOGRAM_MAX >> random64() % 30;
        histogram_add(one, values[i], 1);
        histogram_add(i % 3 ? a : b, values[i], 1);
    }
    histogram_merge(a, b);
    histogram_merge(a, fresh());
    CHECK_MEM(a->n, sizeof a->n, one->n, sizeof one->n);
    compare(a);
}

TEST_MAIN
