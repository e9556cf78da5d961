/* Patterns of interfaces, and interfaces that change their names. */
#include "kernel.h"

#include <stdio.h>
#include <string.h>

static size_t learn(struct kernel *k, const char *iif, const char *source, const char *group)
{
    const struct netif *netif = netifs_find(k->netifs, iif);
    struct address s, g;

    ck_assert(netif && address_parse(source, &s) && address_parse(group, &g));
    fake_packet(V4, 253, netif->ifindex, &s, &g);
    mroute_read_upcalls(k->mroute, V4, 253);
    return mroute_totals(k->mroute).learned;
}

static bool has_route(struct kernel *k, const char *line)
{
    return strstr(kernel_routes(k), line) != NULL;
}

START_TEST(a_pattern_means_interfaces_that_come_and_go)
{
    struct kernel k;

    kernel_begin(&k, "eth0 w");
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "eth+", "w"));
    ck_assert_str_eq(kernel_routes(&k), "0.0.0.0 239.1.1.1 eth+ w on-demand\n");
    ck_assert_uint_eq(fake_vif_count(V4, 253), 2);
    fake_netif_add("eth1");
    kernel_update(&k);
    ck_assert_uint_eq(fake_vif_count(V4, 253), 3);
    ck_assert_uint_eq(learn(&k, "eth1", "10.0.0.1", "239.1.1.1"), 1);
    kernel_check(&k);
    fake_netif_del("eth0");
    fake_netif_del("eth1");
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), "0.0.0.0 239.1.1.1 eth+ w waiting\n");
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 1);
    kernel_check(&k);
    fake_netif_add("eth2");
    kernel_update(&k);
    ck_assert(has_route(&k, "eth+ w on-demand"));
    ck_assert_ptr_nonnull(strstr(k.event, "mfc.waiting 0.0.0.0 239.1.1.1\n"
                                          "mfc.restored 0.0.0.0 239.1.1.1\n"));
    kernel_check(&k);
    ck_assert(kernel_del(&k, NULL, "239.1.1.1"));
    ck_assert_uint_eq(fake_vif_count(V4, 253), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(a_new_name_may_be_of_a_pattern_or_of_none)
{
    struct kernel k;

    kernel_begin(&k, "eth0 w x");
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "eth+", "w"));
    learn(&k, "eth0", "10.0.0.1", "239.1.1.1");
    fake_netif_rename("x", "eth1");
    kernel_update(&k);
    kernel_check(&k);
    ck_assert_uint_eq(learn(&k, "eth1", "10.0.0.2", "239.1.1.1"), 2);
    fake_netif_rename("eth0", "y");
    kernel_update(&k);
    kernel_check(&k);
    mroute_tick(k.mroute, 0);
    ck_assert_uint_eq(mroute_totals(k.mroute).learned, 1);
    ck_assert_uint_eq(fake_vif_count(V4, 253), 2);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(the_longest_pattern_wins_and_a_name_before_it)
{
    struct kernel k;

    kernel_begin(&k, "eth0 eth1 w x y");
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "+", "w"));
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "eth+", "x"));
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "eth1", "y"));
    learn(&k, "w", "10.0.0.1", "239.1.1.1");
    learn(&k, "eth0", "10.0.0.2", "239.1.1.1");
    learn(&k, "eth1", "10.0.0.3", "239.1.1.1");
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "w");
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.2", "239.1.1.1"), "eth0 x:1");
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.3", "239.1.1.1"), "eth1 y:1");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(outgoing_patterns_follow_the_interfaces)
{
    struct kernel k;
    struct args_add_mfc args = route_args(NULL, "239.1.0.0/16", "a", "b,e+,+");

    kernel_begin(&k, "a b e0");
    args.ttls = (struct number_list){3, {5, 6, 7}};
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    learn(&k, "a", "10.0.0.1", "239.1.1.1");
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:5 e0:6");
    fake_netif_add("e1");
    fake_netif_add("z");
    fake_netif_del("e0");
    kernel_update(&k);
    ck_assert(mroute_tick(k.mroute, 0));
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:5 e1:6 z:7");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* The last of the interfaces gets the VIF that another route gives back. */
START_TEST(an_interface_that_was_passed_over_gets_a_vif_later)
{
    struct kernel k;
    char names[1024] = "a", *at = names + 1;

    for (int i = 0; i < VIFS_MAX - 1; i++)
        at += sprintf(at, " i%d", i);
    kernel_begin(&k, names);
    for (int i = 0; i < VIFS_MAX - 1; i++) {
        char group[32], name[16];

        sprintf(group, "239.2.2.%d", i);
        sprintf(name, "i%d", i);
        ck_assert(kernel_add(&k, "10.0.0.1", group, "a", name));
    }
    fake_netif_add("eth0");
    fake_netif_add("eth1");
    kernel_update(&k);
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "eth+", "a"));
    ck_assert(has_route(&k, "eth+ a waiting"));
    kernel_check(&k);
    ck_assert(kernel_del(&k, "10.0.0.1", "239.2.2.0"));
    ck_assert(has_route(&k, "eth+ a on-demand"));
    kernel_check(&k);
    ck_assert_uint_eq(learn(&k, "eth0", "10.0.0.1", "239.1.1.1"), 1);
    ck_assert(kernel_add(&k, "10.0.0.2", "239.1.1.1", "a", "i1"));
    ck_assert(!kernel_add(&k, "10.0.0.3", "239.1.1.1", "a", "eth1"));
    ck_assert_int_eq(k.error.code, ERROR_LIMIT);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* The route names the interface that comes in, and by the new name the one that goes out. */
START_TEST(no_route_sends_packets_back_after_a_new_name)
{
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "later", "a,b");

    kernel_begin(&k, "a b");
    args.wait = true;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    fake_netif_rename("a", "later");
    kernel_update(&k);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "later b:1");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* Word of the interface's new name comes before that of the end of the one that had it. */
START_TEST(an_interface_never_has_two_vifs)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.2", "a", "c"));
    fake_netif_del("b");
    fake_netif_rename("c", "b");
    fake_netifs_overrun();
    kernel_update(&k);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1");
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.2"), "a b:1");
    ck_assert_uint_eq(fake_vif_count(V4, 253), 2);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* The range waited for the name: it is more specific than the one that the flow was learned from.
 */
START_TEST(a_new_name_brings_another_range)
{
    struct kernel k;
    struct args_add_mfc args = route_args(NULL, "239.1.0.0/16", "later", "c");

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    args.wait = true;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    learn(&k, "a", "10.0.0.1", "239.1.1.1");
    mroute_tick(k.mroute, 0);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1");
    fake_netif_rename("a", "later");
    kernel_update(&k);
    mroute_tick(k.mroute, 0);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "later c:1");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_pattern_means_interfaces_that_come_and_go);
    tcase_add_test(tests, a_new_name_may_be_of_a_pattern_or_of_none);
    tcase_add_test(tests, the_longest_pattern_wins_and_a_name_before_it);
    tcase_add_test(tests, outgoing_patterns_follow_the_interfaces);
    tcase_add_test(tests, an_interface_that_was_passed_over_gets_a_vif_later);
    tcase_add_test(tests, no_route_sends_packets_back_after_a_new_name);
    tcase_add_test(tests, an_interface_never_has_two_vifs);
    tcase_add_test(tests, a_new_name_brings_another_range);
}

int main(void)
{
    return suite_run("patterns", add_tests);
}
