/* Rates of counters that grow, stand still, begin anew, come and go. */
#include "rates.h"
#include "suite.h"

#include <stdio.h>

static const uint64_t second = 1000000000;

static bool take(struct rates *rates, const char *key, uint64_t packets, uint64_t bytes,
                 double *ret)
{
    uint64_t counters[] = {packets, bytes};

    return rates_take(rates, key, counters, 2, ret);
}

START_TEST(what_grew_is_divided_by_the_time)
{
    struct rates *rates = rates_new();
    double seen[2] = {-1, -1};

    rates_begin(rates, 5 * second);
    ck_assert(!take(rates, "a", 100, 1000, seen));
    ck_assert_double_eq(seen[0], -1);
    rates_begin(rates, 7 * second);
    ck_assert(take(rates, "a", 300, 1000, seen));
    ck_assert_double_eq(seen[0], 100);
    ck_assert_double_eq(seen[1], 0);
    rates_begin(rates, 7 * second + second / 2);
    ck_assert(take(rates, "a", 301, UINT64_MAX, seen));
    ck_assert_double_eq(seen[0], 2);
    ck_assert_double_gt(seen[1], 3e19);
    rates_free(rates);
}
END_TEST

START_TEST(a_counter_that_shrinks_begins_anew)
{
    struct rates *rates = rates_new();
    double seen[2];

    rates_begin(rates, 1 * second);
    take(rates, "a", 100, 1000, seen);
    rates_begin(rates, 2 * second);
    ck_assert(!take(rates, "a", 200, 999, seen));
    rates_begin(rates, 3 * second);
    ck_assert(take(rates, "a", 210, 1000, seen));
    ck_assert_double_eq(seen[0], 10);
    rates_free(rates);
}
END_TEST

START_TEST(what_vanished_is_new_when_it_comes_again)
{
    struct rates *rates = rates_new();
    double seen[2];

    rates_begin(rates, 1 * second);
    take(rates, "a", 1, 1, seen);
    take(rates, "b", 1, 1, seen);
    rates_begin(rates, 2 * second);
    ck_assert(take(rates, "b", 2, 1, seen));
    rates_begin(rates, 3 * second);
    ck_assert(!take(rates, "a", 5, 5, seen));
    ck_assert(take(rates, "b", 2, 1, seen));
    ck_assert_double_eq(seen[0], 0);
    rates_free(rates);
}
END_TEST

START_TEST(no_time_is_no_rate)
{
    struct rates *rates = rates_new();
    double seen[2];

    rates_begin(rates, 2 * second);
    take(rates, "a", 1, 1, seen);
    rates_begin(rates, 2 * second);
    ck_assert(!take(rates, "a", 2, 2, seen));
    rates_begin(rates, 1 * second);
    ck_assert(!take(rates, "a", 3, 3, seen));
    rates_free(rates);
}
END_TEST

START_TEST(each_of_many_is_found)
{
    struct rates *rates = rates_new();
    double seen[2];
    char key[32];

    for (uint64_t time = 1; time < 4; time++) {
        rates_begin(rates, time * second);
        for (uint64_t i = 0; i < 10000; i++) {
            snprintf(key, sizeof key, "route %u", (unsigned)i);
            ck_assert(take(rates, key, time * i, i, seen) == (time > 1));
            if (time > 1)
                ck_assert_double_eq(seen[0], (double)i);
        }
    }
    rates_free(rates);
    rates_free(NULL);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, what_grew_is_divided_by_the_time);
    tcase_add_test(tests, a_counter_that_shrinks_begins_anew);
    tcase_add_test(tests, what_vanished_is_new_when_it_comes_again);
    tcase_add_test(tests, no_time_is_no_rate);
    tcase_add_test(tests, each_of_many_is_found);
}

int main(void)
{
    return suite_run("rates", add_tests);
}
