/* SPDX-License-Identifier: MIT
 * test.h - the whole test framework: TEST(name_of_the_behaviour) { CHECK(...); } and TEST_MAIN.
 * Prints TAP, so that the runner counts cases; a failed CHECK ends its case and names file, line and values. */
#ifndef TEST_H
#define TEST_H
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void test_fn(void);
struct test_case {
    const char *name;
    test_fn *fn;
    struct test_case *next;
};
static struct test_case *test_first, **test_last = &test_first;
static jmp_buf test_out;
static int test_failed_count;

#define TEST(fn_name)                                                                                                  \
    static void fn_name(void);                                                                                         \
    static struct test_case fn_name##_case = {#fn_name, fn_name, NULL};                                                \
    __attribute__((constructor)) static void fn_name##_add(void)                                                       \
    {                                                                                                                  \
        *test_last = &fn_name##_case;                                                                                  \
        test_last = &fn_name##_case.next;                                                                              \
    }                                                                                                                  \
    static void fn_name(void)

#define CHECK_SAY(cond, ...)                                                                                           \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            printf("# %s:%d: ", __FILE__, __LINE__);                                                                   \
            printf(__VA_ARGS__);                                                                                       \
            printf("\n");                                                                                              \
            longjmp(test_out, 1);                                                                                      \
        }                                                                                                              \
    } while (0)
#define CHECK(cond) CHECK_SAY(cond, "%s", #cond)
#define CHECK_INT(got, want)                                                                                           \
    do {                                                                                                               \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                  \
        CHECK_SAY(got_ == want_, "%s is %lld, not %lld", #got, got_, want_);                                           \
    } while (0)
#define CHECK_STR(got, want)                                                                                           \
    do {                                                                                                               \
        const char *got_ = (got), *want_ = (want);                                                                     \
        CHECK_SAY(got_ && !strcmp(got_, want_), "%s is \"%s\", not \"%s\"", #got, got_ ? got_ : "(null)", want_);      \
    } while (0)
#define CHECK_MEM(got, got_n, want, want_n)                                                                            \
    do {                                                                                                               \
        CHECK_INT(got_n, want_n);                                                                                      \
        CHECK_SAY(!(want_n) || !memcmp(got, want, want_n), "%s differs from %s", #got, #want);                         \
    } while (0)

/* Its own function: a longjmp spoils the locals of the one that called setjmp. */
static inline bool test_passes(test_fn *fn)
{
    if (setjmp(test_out))
        return false;
    fn();
    return true;
}

/* Runs all cases, or those whose name holds argv[1]. */
#define TEST_MAIN                                                                                                      \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        int n = 0;                                                                                                     \
        for (struct test_case *t = test_first; t; t = t->next) {                                                       \
            if (argc > 1 && !strstr(t->name, argv[1]))                                                                 \
                continue;                                                                                              \
            bool ok = test_passes(t->fn);                                                                              \
            printf("%sok %d - %s\n", ok ? "" : "not ", ++n, t->name);                                                  \
            test_failed_count += !ok;                                                                                  \
            fflush(stdout);                                                                                            \
        }                                                                                                              \
        printf("1..%d\n", n);                                                                                          \
        return test_failed_count > 0;                                                                                  \
    }
#endif
