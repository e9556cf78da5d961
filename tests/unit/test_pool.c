/* Pools: each user has his share and no more, the administrator his reserve, and everybody who has
 * little a little more, however full the pool is. */
#include "broker/pool.h"
#include "log_capture.h"
#include "suite.h"

#include "log.h"

#include <string.h>

enum { ADMINISTRATOR = 7, GREEDY = 1000, MODEST = 2000 };

static const struct pool_words words = {
    "apples", "apples", "apples-per-user of the conf", "apples of the conf", "Eat some.", false};

static void begin(struct pools *pools, struct pool *pool, const struct pool_bounds *bounds)
{
    log_set_level(LOG_ERR);
    pools_init(pools, ADMINISTRATOR);
    pools_add(pools, pool, &words);
    pool_bound(pool, bounds);
}

/* As many as the user gets, one by one. */
static unsigned take_all(struct pool *pool, uid_t uid)
{
    unsigned count = 0;

    while (pool_charge(pool, uid, 1, NULL))
        count++;
    return count;
}

START_TEST(one_user_has_a_share)
{
    struct pools pools;
    struct pool pool;
    struct error error;

    begin(&pools, &pool, &(struct pool_bounds){1000, 100, 0, 0});
    ck_assert_uint_eq(take_all(&pool, GREEDY), 100);
    ck_assert(!pool_charge(&pool, GREEDY, 1, &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert_str_eq(error.message, "User 1000 has 100 apples, and one user may have at most 100 "
                                    "(apples-per-user of the conf). Eat some.");
    ck_assert_uint_eq(pool.refused, 1);
    ck_assert(!pool_may(&pool, GREEDY, &(struct pool_request){.more = 1}, NULL));
    ck_assert_uint_eq(pool.refused, 1); /* that was a question */
    ck_assert(pool_charge(&pool, MODEST, 100, &error));
    ck_assert_uint_eq(pool.used, 200);
    pool_return(&pool, GREEDY, 1);
    ck_assert(!pool_charge(&pool, GREEDY, 2, &error));
    ck_assert(pool_charge(&pool, GREEDY, 1, &error));
    pools_clear(&pools);
}
END_TEST

START_TEST(who_asks_again_and_again_is_told_of_once)
{
    struct log_capture log;
    struct pools pools;
    struct pool pool;
    struct error error;

    log_capture_begin(&log);
    begin(&pools, &pool, &(struct pool_bounds){200, 100, 0, 0});
    log_set_level(LOG_INFO);
    take_all(&pool, GREEDY);
    take_all(&pool, MODEST);
    for (int i = 0; i < 100; i++) {
        ck_assert(!pool_charge(&pool, GREEDY, 1, &error));
        ck_assert(!pool_charge(&pool, MODEST + 1, 1, &error));
    }
    log_capture_end(&log);
    ck_assert_uint_eq(log_count(&log, "user 1000 has 100 apples; more are refused"), 1);
    ck_assert_uint_eq(log_count(&log, "all users together have 200 apples of 200"), 1);
    pools_clear(&pools);
}
END_TEST

START_TEST(the_rest_is_for_the_administrator)
{
    const uid_t administrators[] = {0, ADMINISTRATOR};
    struct pools pools;
    struct pool pool;
    struct error error;

    begin(&pools, &pool, &(struct pool_bounds){1000, 500, 100, 0});
    ck_assert_uint_eq(take_all(&pool, GREEDY), 500);
    ck_assert_uint_eq(take_all(&pool, MODEST), 400);
    ck_assert(!pool_charge(&pool, MODEST, 1, &error));
    ck_assert_str_eq(error.message,
                     "All users together have 900 apples of 1000 that there may be (apples of the "
                     "conf); 100 are kept for root and for those who have none. Try again later.");
    ck_assert_uint_eq(take_all(&pool, administrators[_i]), 100);
    ck_assert(!pool_charge(&pool, 0, 1, &error));
    pools_clear(&pools);
}
END_TEST

/* What he takes out of the reserve is not kept a second time. */
START_TEST(the_administrator_has_no_share)
{
    struct pools pools;
    struct pool pool;

    begin(&pools, &pool, &(struct pool_bounds){1000, 500, 100, 0});
    ck_assert(pool_charge(&pool, 0, 80, NULL));
    ck_assert_uint_eq(take_all(&pool, GREEDY) + take_all(&pool, MODEST), 900);
    ck_assert_uint_eq(take_all(&pool, 0), 20);
    pools_clear(&pools);

    begin(&pools, &pool, &(struct pool_bounds){1000, 500, 100, 0});
    ck_assert_uint_eq(take_all(&pool, 0), 1000);
    ck_assert_uint_eq(take_all(&pool, GREEDY), 0);
    pools_clear(&pools);
}
END_TEST

START_TEST(who_has_little_is_never_refused)
{
    enum { LEAST = 2, SIZE = 4 * LEAST * POOL_USERS };
    struct pools pools;
    struct pool pool;

    begin(&pools, &pool, &(struct pool_bounds){SIZE, SIZE, 0, LEAST});
    ck_assert_uint_eq(take_all(&pool, GREEDY), SIZE - LEAST * POOL_USERS + LEAST);
    for (uid_t uid = 0; uid < POOL_USERS - 1; uid++)
        ck_assert(pool_charge(&pool, MODEST + uid, LEAST, NULL));
    ck_assert(!pool_charge(&pool, MODEST, 1, NULL)); /* what is beyond it, is everybody's */
    pool_return(&pool, GREEDY, 1);
    ck_assert(pool_charge(&pool, MODEST, 1, NULL));
    pools_clear(&pools);
}
END_TEST

START_TEST(what_is_returned_can_be_had_again)
{
    struct pools pools;
    struct pool pool;

    begin(&pools, &pool, &(struct pool_bounds){1000, 900, 100, 3});
    for (int round = 0; round < 3; round++) {
        unsigned count = take_all(&pool, GREEDY);

        ck_assert_uint_gt(count, 500);
        ck_assert(pool_force(&pool, GREEDY, 5000)); /* was there before */
        ck_assert(!pool_charge(&pool, MODEST, 4, NULL));
        pool_return(&pool, GREEDY, 5000 + count);
        ck_assert_uint_eq(pool.used + pool.common, 0);
        ck_assert_uint_eq(pools.accounts.count, 0);
    }
    pool_return(&pool, GREEDY, 1); /* what nobody counted */
    ck_assert_uint_eq(pool.used, 0);
    pools_clear(&pools);
}
END_TEST

START_TEST(a_request_gives_back_or_has_another_share)
{
    struct pools pools;
    struct pool pool;
    struct error error;

    begin(&pools, &pool, &(struct pool_bounds){1000, 10, 0, 0});
    ck_assert(pool_force(&pool, GREEDY, 10));
    ck_assert(pool_may(&pool, GREEDY, &(struct pool_request){.more = 5, .less = 5}, &error));
    ck_assert(!pool_may(&pool, GREEDY, &(struct pool_request){.more = 5, .less = 4}, &error));
    ck_assert(pool_may(&pool, GREEDY, &(struct pool_request){.more = 5, .share = 15}, &error));
    ck_assert(!pool_may(&pool, GREEDY, &(struct pool_request){6, 0, 15, "a rule"}, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "at most 15 (a rule)"));
    ck_assert_uint_eq(pools.accounts.count, 1); /* who only asks has no record */
    ck_assert(!pool_may(&pool, MODEST, &(struct pool_request){.more = 11}, &error));
    ck_assert_uint_eq(pools.accounts.count, 1);
    pools_clear(&pools);
}
END_TEST

START_TEST(small_pools_are_divided_all_the_same)
{
    struct pools pools;
    struct pool pool;

    begin(&pools, &pool, &(struct pool_bounds){16, 100, 100, 100});
    ck_assert_uint_eq(pool.bounds.share, 16);
    ck_assert_uint_eq(pool.bounds.reserve, 16 / POOL_RESERVE_PART);
    ck_assert_uint_eq(pool.kept, 16 / POOL_LEAST_PART);
    pools_clear(&pools);
}
END_TEST

START_TEST(a_pool_of_nobody_counts_nothing)
{
    struct pool pool = {0};

    ck_assert(pool_charge(&pool, GREEDY, 1000, NULL));
    ck_assert(pool_force(&pool, GREEDY, 1000));
    pool_return(&pool, GREEDY, 1000);
    ck_assert_uint_eq(pool.used, 0);
}
END_TEST

START_TEST(the_largest_users_are_known)
{
    struct pools pools;
    struct pool apples, pears;
    const struct account *largest[POOLS_MAX];

    begin(&pools, &apples, &(struct pool_bounds){1000, 1000, 0, 0});
    pools_add(&pools, &pears, &words);
    pool_bound(&pears, &(struct pool_bounds){1000, 1000, 0, 0});
    pools_find_largest(&pools, largest);
    ck_assert_ptr_null(largest[apples.place]);
    ck_assert(pool_charge(&apples, GREEDY, 7, NULL) && pool_charge(&pears, GREEDY, 7, NULL));
    ck_assert(pool_charge(&apples, MODEST, 6, NULL) && pool_charge(&pears, MODEST, 8, NULL));
    pools_find_largest(&pools, largest);
    ck_assert_uint_eq(largest[apples.place]->uid, GREEDY);
    ck_assert_uint_eq(largest[pears.place]->uid, MODEST);
    pools_clear(&pools);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, one_user_has_a_share);
    tcase_add_test(tests, who_asks_again_and_again_is_told_of_once);
    tcase_add_loop_test(tests, the_rest_is_for_the_administrator, 0, 2);
    tcase_add_test(tests, the_administrator_has_no_share);
    tcase_add_test(tests, who_has_little_is_never_refused);
    tcase_add_test(tests, what_is_returned_can_be_had_again);
    tcase_add_test(tests, a_request_gives_back_or_has_another_share);
    tcase_add_test(tests, small_pools_are_divided_all_the_same);
    tcase_add_test(tests, a_pool_of_nobody_counts_nothing);
    tcase_add_test(tests, the_largest_users_are_known);
}

int main(void)
{
    return suite_run("pool", add_tests);
}
