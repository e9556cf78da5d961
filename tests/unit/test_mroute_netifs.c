/* Interfaces that go, come back and change their names under routes. */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel frees the VIF of a deleted interface without a word, and the entries keep its number:
 * whoever gets the number next must not get the traffic. */
START_TEST(a_freed_number_is_given_to_nobody_while_an_entry_names_it)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, NULL, "239.1.1.2", "b", "a"));
    fake_netif_del("b");
    fake_netif_add("stranger");
    kernel_update(&k);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a");
    ck_assert_ptr_null(fake_mfc_find(V4, 253, "0.0.0.0", "239.1.1.2"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.2.2.2", "a", "stranger"));
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_route_waits_for_its_inbound_interface_and_comes_back)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    k.event[0] = '\0';
    fake_netif_del("a");
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b waiting\n");
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 0);
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 1);
    kernel_check(&k);
    fake_netif_add("a");
    kernel_update(&k);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1");
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 0);
    ck_assert_str_eq(k.event, "mfc.waiting 10.0.0.1 239.1.1.1\nmfc.restored 10.0.0.1 239.1.1.1\n");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_route_is_partial_without_an_outgoing_interface_and_completed_later)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b,c"));
    k.event[0] = '\0';
    fake_netif_del("b");
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b,c partial\n");
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a c:1");
    kernel_check(&k);
    fake_netif_add("b");
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b,c installed\n");
    ck_assert_str_eq(k.event, "mfc.waiting 10.0.0.1 239.1.1.1\nmfc.restored 10.0.0.1 239.1.1.1\n");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(other_routes_are_not_rewritten)
{
    struct kernel k;

    kernel_begin(&k, "a b c d");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.2", "c", "d"));

    unsigned writes = fake_writes();

    fake_netif_del("d");
    kernel_update(&k);
    ck_assert_uint_eq(fake_writes(), writes + 1);
    fake_netif_add("e");
    fake_netif_set_running("a", false);
    kernel_update(&k);
    ck_assert_uint_eq(fake_writes(), writes + 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_renamed_interface_keeps_its_routes)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));

    unsigned writes = fake_writes();

    fake_netif_rename("b", "wan");
    kernel_update(&k);
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a wan installed\n");
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a wan:1");
    fake_netif_add("b"); /* another one: the route is not its */
    kernel_update(&k);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a wan:1");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(an_interface_that_gets_the_awaited_name_is_taken)
{
    struct kernel k;

    kernel_begin(&k, "a b spare");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    fake_netif_del("b");
    kernel_update(&k);
    fake_netif_rename("spare", "b");
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b installed\n");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(waiting_routes_can_be_deleted_and_replaced)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.2", "a", "b"));
    fake_netif_del("a");
    kernel_update(&k);
    ck_assert(kernel_del(&k, "10.0.0.1", "239.1.1.1"));
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 1);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.2", "c", "b"));
    ck_assert_int_eq(k.change, CHANGE_REPLACED);
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 0);
    kernel_check(&k);
    fake_netif_add("a"); /* nobody waits for it any more */
    kernel_update(&k);
    ck_assert_uint_eq(fake_vif_count(V4, 253), 2);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_route_may_be_added_for_interfaces_that_are_missing)
{
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "later", "b,never");

    kernel_begin(&k, "b");
    args.wait = true;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 later b,never waiting\n");
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 1);
    kernel_check(&k);
    fake_netif_add("later");
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 later b,never partial\n");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* What the kernel tells of an interface comes after it went. */
START_TEST(a_route_that_waits_is_not_refused_because_an_interface_just_went)
{
    static const char *const states[] = {"waiting", "partial"};
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "a", "b");
    const char *gone = _i ? "b" : "a";
    char expected[64];

    kernel_begin(&k, "a b");
    fake_netif_del(gone);
    ck_assert(!mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert_int_eq(k.error.code, ERROR_NOT_FOUND);
    args.wait = true;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    snprintf(expected, sizeof expected, "10.0.0.1 239.1.1.1 a b %s\n", states[_i]);
    ck_assert_str_eq(kernel_routes(&k), expected);
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), expected);
    kernel_check(&k);
    fake_netif_add(gone);
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b installed\n");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* Deleted and made again before anybody looked: two words in one turn. */
START_TEST(an_interface_made_again_at_once_is_the_routes_again)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    for (int i = 0; i < 40; i++) { /* more often than there are VIFs */
        fake_netif_del(i % 2 ? "a" : "b");
        fake_netif_add(i % 2 ? "a" : "b");
        if (i % 3 == 0)
            fake_netifs_overrun();
        kernel_update(&k);
        ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1");
    }
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* A kernel that refuses to take the number out of an entry: it stays taken. */
START_TEST(a_number_stays_taken_when_an_entry_could_not_be_changed)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    fake_netif_del("b");
    fake_fail(1, -ENOMEM);
    kernel_update(&k);
    fake_netif_add("c");
    kernel_update(&k);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.2", "a", "c"));
    ck_assert_uint_eq(fake_strangers(), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(interfaces_that_found_no_vif_get_one_when_another_goes)
{
    struct kernel k;
    char names[1024] = "a late", *at = names + strlen(names);

    for (int i = 0; i < VIFS_MAX - 1; i++)
        at += sprintf(at, " i%d", i);
    kernel_begin(&k, names);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "late"));
    fake_netif_del("late");
    kernel_update(&k);
    for (int i = 0; i < VIFS_MAX - 1; i++) {
        char group[32], name[16];

        sprintf(group, "239.2.2.%d", i);
        sprintf(name, "i%d", i);
        ck_assert(kernel_add(&k, "10.0.0.1", group, "a", name));
    }
    fake_netif_add("late");
    kernel_update(&k);
    ck_assert_ptr_nonnull(strstr(kernel_routes(&k), "239.1.1.1 a late partial"));
    ck_assert(kernel_del(&k, "10.0.0.1", "239.2.2.0"));
    ck_assert_ptr_nonnull(strstr(kernel_routes(&k), "239.1.1.1 a late installed"));
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* It found none before the broker died, and it is not lost because there is none still. */
START_TEST(a_route_that_is_restored_waits_for_a_vif)
{
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "a", "late");
    char names[1024] = "a late", *at = names + strlen(names);

    for (int i = 0; i < VIFS_MAX - 1; i++)
        at += sprintf(at, " i%d", i);
    kernel_begin(&k, names);
    for (int i = 0; i < VIFS_MAX - 1; i++) {
        char group[32], name[16];

        sprintf(group, "239.2.2.%d", i);
        sprintf(name, "i%d", i);
        ck_assert(kernel_add(&k, "10.0.0.1", group, "a", name));
    }
    args.wait = true;
    ck_assert(!mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert_int_eq(k.error.code, ERROR_LIMIT);
    ck_assert(mroute_restore(k.mroute, &args, &k.holder, &k.error));
    ck_assert_ptr_nonnull(strstr(kernel_routes(&k), "239.1.1.1 a late partial"));
    kernel_check(&k);
    ck_assert(kernel_del(&k, "10.0.0.1", "239.2.2.0"));
    ck_assert_ptr_nonnull(strstr(kernel_routes(&k), "239.1.1.1 a late installed"));
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

static const char *const pool[] = {"a", "b", "c", "d", "e", "f"};

enum { POOL = sizeof pool / sizeof *pool };

static void toggle_netif(struct kernel *k, const char *name)
{
    kernel_update(k);
    if (netifs_find(k->netifs, name))
        fake_netif_del(name);
    else
        fake_netif_add(name);
    if (rand() % 2)
        kernel_update(k);
}

static void change_route(struct kernel *k)
{
    char group[32], oifs[32];

    sprintf(group, "239.1.1.%d", rand() % 8);
    sprintf(oifs, "%s,%s", pool[rand() % POOL], pool[rand() % POOL]);
    kernel_update(k); /* as the session does before requests */
    if (rand() % 3 == 0)
        kernel_del(k, "10.0.0.1", group);
    else if (strcmp(oifs, "a,a") != 0 && oifs[0] != oifs[2])
        kernel_add(k, rand() % 2 ? "10.0.0.1" : NULL, group, pool[rand() % POOL], oifs);
}

/* Anything in any order: what always holds, holds. */
START_TEST(no_sequence_breaks_what_always_holds)
{
    struct kernel k;

    srand((unsigned)_i);
    kernel_begin(&k, "a b c d e f");
    for (int i = 0; i < 2000; i++) {
        if (rand() % 4 == 0)
            toggle_netif(&k, pool[rand() % POOL]);
        else
            change_route(&k);
        if (i % 7 == 0) {
            kernel_update(&k);
            ck_assert_uint_eq(fake_strangers(), 0);
        }
    }
    kernel_update(&k);
    for (int i = 0; i < POOL; i++)
        if (!netifs_find(k.netifs, pool[i]))
            fake_netif_add(pool[i]);
    kernel_update(&k);
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 0);
    ck_assert_uint_eq(fake_strangers(), 0);
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_route_that_waits_is_not_refused_because_an_interface_just_went, 0,
                        2);
    tcase_add_test(tests, a_route_that_is_restored_waits_for_a_vif);
    tcase_add_test(tests, a_freed_number_is_given_to_nobody_while_an_entry_names_it);
    tcase_add_test(tests, a_route_waits_for_its_inbound_interface_and_comes_back);
    tcase_add_test(tests, a_route_is_partial_without_an_outgoing_interface_and_completed_later);
    tcase_add_test(tests, other_routes_are_not_rewritten);
    tcase_add_test(tests, a_renamed_interface_keeps_its_routes);
    tcase_add_test(tests, an_interface_that_gets_the_awaited_name_is_taken);
    tcase_add_test(tests, waiting_routes_can_be_deleted_and_replaced);
    tcase_add_test(tests, a_route_may_be_added_for_interfaces_that_are_missing);
    tcase_add_test(tests, an_interface_made_again_at_once_is_the_routes_again);
    tcase_add_test(tests, a_number_stays_taken_when_an_entry_could_not_be_changed);
    tcase_add_test(tests, interfaces_that_found_no_vif_get_one_when_another_goes);
    tcase_add_loop_test(tests, no_sequence_breaks_what_always_holds, 0, 10);
}

int main(void)
{
    return suite_run("mroute_netifs", add_tests);
}
