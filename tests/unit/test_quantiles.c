/* Quantiles are at most a quarter too high, and never above the largest value. */
#include "quantiles.h"
#include "suite.h"

#include <string.h>

static struct quantiles quantiles;

START_TEST(each_value_is_in_its_class)
{
    for (unsigned bits = 0; bits < 32; bits++)
        for (uint64_t more = 0; more < 9; more++) {
            uint64_t value = (UINT64_C(1) << bits) + (more << bits) / 9, found;

            memset(&quantiles, 0, sizeof quantiles);
            quantiles_take(&quantiles, value);
            quantiles_take(&quantiles, UINT64_MAX);
            found = quantiles_at(&quantiles, 0.5);
            ck_assert_msg(found >= value && found <= value + value / 4, "%lu: %lu",
                          (unsigned long)value, (unsigned long)found);
        }
}
END_TEST

START_TEST(quantiles_are_in_order)
{
    memset(&quantiles, 0, sizeof quantiles);
    ck_assert_uint_eq(quantiles_at(&quantiles, 0.5), 0);
    for (uint64_t value = 1; value <= 1000; value++)
        quantiles_take(&quantiles, value);
    ck_assert_uint_ge(quantiles_at(&quantiles, 0.5), 500);
    ck_assert_uint_le(quantiles_at(&quantiles, 0.5), 625);
    ck_assert_uint_ge(quantiles_at(&quantiles, 0.99), 990);
    ck_assert_uint_eq(quantiles_at(&quantiles, 1), 1000);
    quantiles_take(&quantiles, UINT64_MAX);
    ck_assert_uint_eq(quantiles_at(&quantiles, 1), UINT64_MAX);
    ck_assert_uint_eq(quantiles_at(&quantiles, 0), 1);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, each_value_is_in_its_class);
    tcase_add_test(tests, quantiles_are_in_order);
}

int main(void)
{
    return suite_run("quantiles", add_tests);
}
