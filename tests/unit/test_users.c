/* What each user may have, and that one who takes all of it leaves the others theirs. */
#include "broker/guard/users.h"
#include "suite.h"

#include "log.h"

#include <string.h>

enum { ADMINISTRATOR = 7, GREEDY = 1000, MODEST = 1001, DESCRIPTORS = 100 };

static struct limits small_limits(void)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.connections = 40;
    limits.leases_per_user = 3;
    limits.requests_per_second = 5;
    limits.queued_bytes = 1000;
    limits.queued_bytes_per_user = 400;
    return limits;
}

static void begin(struct users *users)
{
    struct limits limits = small_limits();

    log_set_level(LOG_ERR);
    users_init(users, &limits, DESCRIPTORS, ADMINISTRATOR);
}

/* As many connections as the user gets. */
static unsigned connect_all(struct users *users, uid_t uid, struct account **ret)
{
    struct error error;
    unsigned count = 0;

    *ret = NULL;
    while (users_may_connect(users, uid, false, &error) && !users_are_full(users)) {
        *ret = users_connect(users, uid);
        ck_assert_ptr_nonnull(*ret);
        count++;
    }
    return count;
}

START_TEST(one_user_has_a_quarter_of_the_connections)
{
    struct account *greedy, *modest;
    struct users users;
    struct error error;

    begin(&users);
    ck_assert_uint_eq(connect_all(&users, GREEDY, &greedy), 10);
    ck_assert(!users_may_connect(&users, GREEDY, false, &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "connections-per-user"));
    ck_assert_uint_eq(users.connections.refused, 2);
    ck_assert_uint_eq(connect_all(&users, MODEST, &modest), 10);
    users_disconnect(&users, greedy);
    ck_assert(users_may_connect(&users, GREEDY, false, &error));
    users_clear(&users);
}
END_TEST

START_TEST(the_administrator_has_no_share_of_connections)
{
    struct account *account;
    struct users users;

    begin(&users);
    ck_assert_uint_eq(connect_all(&users, GREEDY, &account), 10);
    ck_assert_uint_eq(connect_all(&users, 0, &account), 30);
    ck_assert(users_are_full(&users));
    users_clear(&users);
}
END_TEST

START_TEST(there_are_no_more_connections_than_descriptors)
{
    struct limits limits = LIMITS_DEFAULT;
    struct account *account;
    struct users users;

    unsigned most = DESCRIPTORS - DESCRIPTORS / DESCRIPTORS_TO_ONE_SENT -
                    DESCRIPTORS / DESCRIPTORS_TO_ONE_RECEIVED -
                    DESCRIPTORS / DESCRIPTORS_TO_ONE_OF_CROWD;

    limits.connections_per_user = 1000000;
    users_init(&users, &limits, DESCRIPTORS, 0);
    ck_assert_uint_eq(connect_all(&users, 0, &account), most);
    ck_assert(users_are_full(&users));
    users_disconnect(&users, account);
    ck_assert(!users_are_full(&users));
    users_clear(&users);
}
END_TEST

START_TEST(records_are_bounded_and_vanish)
{
    struct account *accounts[USERS_MAX];
    struct limits limits = LIMITS_DEFAULT;
    struct users users;
    struct error error;

    users_init(&users, &limits, 3UL * USERS_MAX, 0);
    for (uid_t uid = 0; uid < USERS_MAX; uid++)
        users_hold_lease(&users, GREEDY + USERS_MAX + uid); /* and nobody is kept away */
    for (uid_t uid = 0; uid < USERS_MAX; uid++) {
        ck_assert(users_may_connect(&users, GREEDY + uid, false, &error));
        accounts[uid] = users_connect(&users, GREEDY + uid);
    }
    ck_assert_uint_eq(users.pools.accounts.count, 2UL * USERS_MAX);
    ck_assert(!users_may_connect(&users, GREEDY + 2 * USERS_MAX, false, &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert(users_may_connect(&users, GREEDY + 2 * USERS_MAX, true, &error));
    ck_assert(users_may_connect(&users, GREEDY + USERS_MAX, false, &error)); /* a holder */
    ck_assert(users_may_connect(&users, 0, false, &error)); /* who must be able to look */
    for (uid_t uid = 0; uid < USERS_MAX; uid++)
        users_disconnect(&users, accounts[uid]);
    ck_assert_uint_eq(users.pools.accounts.count, USERS_MAX);
    for (uid_t uid = 0; uid < USERS_MAX; uid++)
        users_release_lease(&users, GREEDY + USERS_MAX + uid);
    ck_assert_uint_eq(users.pools.accounts.count, 0);
    users_clear(&users);
    ck_assert_uint_eq(users.connections.used, 0);
}
END_TEST

START_TEST(requests_are_counted_by_user_and_second)
{
    struct account *greedy, *modest, *root;
    struct users users;

    begin(&users);
    greedy = users_connect(&users, GREEDY);
    modest = users_connect(&users, MODEST);
    root = users_connect(&users, 0);
    ck_assert_ptr_eq(users_connect(&users, GREEDY), greedy); /* a second connection counts too */
    for (int i = 0; i < 5; i++) {
        ck_assert(users_may_request(&users, greedy));
        users_count_request(greedy);
        users_count_request(root);
    }
    ck_assert(!users_may_request(&users, greedy));
    ck_assert(users_may_request(&users, modest));
    ck_assert(users_may_request(&users, root));
    users_next_second(&users);
    ck_assert(users_may_request(&users, greedy));
    ck_assert_uint_eq(users.throttled_seconds, 1);
    users_clear(&users);
}
END_TEST

/* Who disconnects and comes again is not a new user. */
START_TEST(time_is_charged_and_forgotten_by_and_by)
{
    struct account *account;
    struct users users;

    begin(&users);
    account = users_connect(&users, GREEDY);
    users_charge_time(account, 3000000000);
    users_charge_time_of(&users, GREEDY, 1000000000);
    users_charge_time_of(&users, MODEST, 1000);
    users_disconnect(&users, account);
    ck_assert_uint_eq(users.pools.accounts.count, 2);
    users_next_second(&users);
    ck_assert_uint_eq(users.pools.accounts.count, 1);
    account = users_connect(&users, GREEDY);
    ck_assert_uint_eq(account->busy_ns, 3000000000);
    ck_assert_uint_eq(account->used_ns, 4000000000);
    users_disconnect(&users, account);
    for (int i = 0; i < 60; i++)
        users_next_second(&users);
    ck_assert_uint_eq(users.pools.accounts.count, 0);
    users_clear(&users);
}
END_TEST

START_TEST(requests_are_counted_although_the_user_connects_again)
{
    struct account *account;
    struct users users;

    begin(&users);
    account = users_connect(&users, GREEDY);
    for (int i = 0; i < 5; i++)
        users_count_request(account);
    users_disconnect(&users, account);
    account = users_connect(&users, GREEDY);
    ck_assert(!users_may_request(&users, account));
    users_clear(&users);
}
END_TEST

START_TEST(queued_bytes_are_counted_by_user_and_in_all)
{
    struct account *accounts[3];
    struct users users;

    begin(&users);
    for (uid_t i = 0; i < 3; i++)
        accounts[i] = users_connect(&users, GREEDY + i);
    users_count_queued(&users, accounts[0], 0, 400);
    ck_assert(!users_may_have(&users, accounts[0], 1));
    ck_assert(users_may_have(&users, accounts[1], 1));
    users_count_queued(&users, accounts[1], 0, 399);
    ck_assert(users_may_have(&users, accounts[2], 1));
    users_count_queued(&users, accounts[2], 0, 201);
    ck_assert(!users_may_have(&users, accounts[2], 1)); /* because of the others */
    users_count_queued(&users, accounts[0], 400, 100);
    ck_assert(users_may_have(&users, accounts[2], 1));
    ck_assert(users_may_have(&users, accounts[0], 1));
    ck_assert_uint_eq(users.bytes.used, 700);
    users_clear(&users);
}
END_TEST

START_TEST(leases_are_counted_also_without_a_connection)
{
    struct users users;
    struct error error;

    begin(&users);
    for (int i = 0; i < 3; i++) {
        ck_assert(users_may_hold_lease(&users, GREEDY, 0, &error));
        users_hold_lease(&users, GREEDY);
        users_hold_lease(&users, 0);
    }
    ck_assert(!users_may_hold_lease(&users, GREEDY, 0, &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "leases-per-user"));
    ck_assert(users_may_hold_lease(&users, GREEDY, 4, &error)); /* by a rule of the policy */
    ck_assert(!users_may_hold_lease(&users, GREEDY, 2, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "at most 2 (leases of netbroker-policy(5))"));
    ck_assert(users_may_hold_lease(&users, MODEST, 0, &error));
    ck_assert(users_may_hold_lease(&users, 0, 0, &error));
    users_release_lease(&users, GREEDY);
    ck_assert(users_may_hold_lease(&users, GREEDY, 0, &error));
    users_release_lease(&users, GREEDY);
    users_release_lease(&users, GREEDY);
    ck_assert_uint_eq(users.pools.accounts.count, 1); /* root */
    users_release_lease(&users, GREEDY);
    users_clear(&users);
}
END_TEST

START_TEST(a_lower_limit_ends_nothing_that_is_there)
{
    struct limits limits = small_limits();
    struct account *account;
    struct users users;
    struct error error;

    begin(&users);
    ck_assert_uint_eq(connect_all(&users, GREEDY, &account), 10);
    limits.connections_per_user = 9;
    users_set_limits(&users, &limits, DESCRIPTORS);
    users_disconnect(&users, account);
    ck_assert(!users_may_connect(&users, GREEDY, false, &error));
    users_disconnect(&users, account);
    ck_assert(users_may_connect(&users, GREEDY, false, &error));
    users_clear(&users);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, one_user_has_a_quarter_of_the_connections);
    tcase_add_test(tests, the_administrator_has_no_share_of_connections);
    tcase_add_test(tests, there_are_no_more_connections_than_descriptors);
    tcase_add_test(tests, records_are_bounded_and_vanish);
    tcase_add_test(tests, requests_are_counted_by_user_and_second);
    tcase_add_test(tests, time_is_charged_and_forgotten_by_and_by);
    tcase_add_test(tests, requests_are_counted_although_the_user_connects_again);
    tcase_add_test(tests, queued_bytes_are_counted_by_user_and_in_all);
    tcase_add_test(tests, leases_are_counted_also_without_a_connection);
    tcase_add_test(tests, a_lower_limit_ends_nothing_that_is_there);
}

int main(void)
{
    return suite_run("users", add_tests);
}
