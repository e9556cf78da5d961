/* What several users share is charged to one of them, as long as one of them uses it. */
#include "broker/shared.h"
#include "suite.h"

#include "log.h"

enum { FIRST = 1000, SECOND = 2000 };

static const struct pool_words words = {"pears", "pears", NULL, NULL, "Eat some.", false};

static uint64_t used_by(const struct pools *pools, const struct pool *pool, uid_t uid)
{
    const struct account *user = pools_find(pools, uid);

    return user ? user->used[pool->place] : 0;
}

static struct shared begin(struct pools *pools, struct pool *pool)
{
    log_set_level(LOG_ERR);
    pools_init(pools, 0);
    pools_add(pools, pool, &words);
    pool_bound(pool, &(struct pool_bounds){100, 10, 0, 0});
    return (struct shared){.pool = pool, .n = 5};
}

START_TEST(who_came_first_is_charged_then_the_next_one)
{
    struct pools pools;
    struct pool pool;
    struct shared shared = begin(&pools, &pool);
    uid_t payer;

    ck_assert(!shared_payer(&shared, &payer));
    shared_use(&shared, FIRST);
    shared_use(&shared, SECOND);
    shared_use(&shared, FIRST);
    ck_assert(shared_payer(&shared, &payer));
    ck_assert_uint_eq(payer, FIRST);
    shared_leave(&shared, FIRST);
    ck_assert_uint_eq(used_by(&pools, &pool, FIRST), 5);
    ck_assert_uint_eq(pool.used, 5);
    shared_leave(&shared, FIRST);
    ck_assert_uint_eq(used_by(&pools, &pool, FIRST), 0);
    ck_assert_uint_eq(used_by(&pools, &pool, SECOND), 5);
    shared_set_cost(&shared, 7);
    ck_assert_uint_eq(used_by(&pools, &pool, SECOND), 7);
    shared_leave(&shared, SECOND);
    shared_leave(&shared, SECOND); /* that was not counted */
    ck_assert_uint_eq(pool.used, 0);
    ck_assert_uint_eq(pools.accounts.count, 0);
    shared_clear(&shared);
    pools_clear(&pools);
}
END_TEST

START_TEST(who_would_be_charged_needs_room)
{
    struct pools pools;
    struct pool pool;
    struct shared shared = begin(&pools, &pool);
    struct error error;

    ck_assert(pool_force(&pool, FIRST, 8));
    ck_assert(!shared_may_use(&shared, FIRST, &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert(shared_may_use(&shared, SECOND, &error));
    shared_use(&shared, SECOND);
    ck_assert(shared_may_use(&shared, FIRST, &error)); /* another is */
    shared_clear(&shared);
    ck_assert_uint_eq(pool.used, 8);
    pools_clear(&pools);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, who_came_first_is_charged_then_the_next_one);
    tcase_add_test(tests, who_would_be_charged_needs_room);
}

int main(void)
{
    return suite_run("shared", add_tests);
}
