/* Quantiles are at most a quarter too high, and never above the largest value. */
#include "quantiles.h"
#include "suite.h"

#include <string.h>

static struct quantiles quantiles;

START_TEST(each_value_is_in_its_bucket)
{
    for (unsigned bits = 0; bits < 32; bits++)
        for (uint64_t more = 0; more < 9; more++) {
            uint64_t value = (UINT64_C(1) << bits) + (more << bits) / 9, found;

            memset(&quantiles, 0, sizeof quantiles);
            quantiles_take(&quantiles, value);
            quantiles_take(&quantiles, UINT64_MAX);
            found = quantiles_at(&quantiles, 500000);
            ck_assert_msg(found >= value && found <= value + value / 4, "%lu: %lu",
                          (unsigned long)value, (unsigned long)found);
        }
}
END_TEST

START_TEST(quantiles_are_in_order)
{
    memset(&quantiles, 0, sizeof quantiles);
    ck_assert_uint_eq(quantiles_at(&quantiles, 500000), 0);
    for (uint64_t value = 1; value <= 1000; value++)
        quantiles_take(&quantiles, value);
    ck_assert_uint_ge(quantiles_at(&quantiles, 500000), 500);
    ck_assert_uint_le(quantiles_at(&quantiles, 500000), 625);
    ck_assert_uint_ge(quantiles_at(&quantiles, 990000), 990);
    ck_assert_uint_eq(quantiles_at(&quantiles, 1000000), 1000);
    quantiles_take(&quantiles, UINT64_MAX);
    ck_assert_uint_eq(quantiles_at(&quantiles, 1000000), UINT64_MAX);
    ck_assert_uint_eq(quantiles_at(&quantiles, 0), 1);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, each_value_is_in_its_bucket);
    tcase_add_test(tests, quantiles_are_in_order);
}

int main(void)
{
    return suite_run("quantiles", add_tests);
}
