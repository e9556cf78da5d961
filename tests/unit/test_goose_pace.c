/* Gaps between GOOSE messages double from the shortest to the longest one, and each message says
 * for how long it is valid. */
#include "goose_pace.h"
#include "suite.h"

#define MS UINT64_C(1000000)

static const struct goose_pace pace = {4 * MS, 1000 * MS, 2};

START_TEST(gaps_double)
{
    static const uint64_t gaps[] = {4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000};

    for (uint32_t i = 0; i < 10; i++)
        ck_assert_uint_eq(goose_gap(&pace, i), gaps[i] * MS);
    ck_assert_uint_eq(goose_gap(&pace, UINT32_MAX), 1000 * MS);
}
END_TEST

START_TEST(one_gap_may_be_all)
{
    struct goose_pace same = {5 * MS, 5 * MS, 3};

    ck_assert_uint_eq(goose_gap(&same, 0), 5 * MS);
    ck_assert_uint_eq(goose_gap(&same, 9), 5 * MS);
    ck_assert_uint_eq(goose_life(&same, 0), 15);
}
END_TEST

START_TEST(lives_are_rounded_up)
{
    struct goose_pace short_pace = {MS / 10, UINT64_MAX / 4, 100};

    ck_assert_uint_eq(goose_life(&pace, 0), 8);
    ck_assert_uint_eq(goose_life(&pace, 20), 2000);
    ck_assert_uint_eq(goose_life(&short_pace, 0), 100);
    ck_assert_uint_eq(goose_life(&short_pace, 100), UINT32_MAX);
}
END_TEST

START_TEST(zero_is_for_new_states)
{
    ck_assert_uint_eq(goose_next_sq(0), 1);
    ck_assert_uint_eq(goose_next_sq(UINT32_MAX), 1);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, gaps_double);
    tcase_add_test(tests, one_gap_may_be_all);
    tcase_add_test(tests, lives_are_rounded_up);
    tcase_add_test(tests, zero_is_for_new_states);
}

int main(void)
{
    return suite_run("goose_pace", add_tests);
}
