/* What another process changes in our tables is undone. */
#include "kernel.h"
#include "resources/mroute/foreign.h"
#include "resources/mroute/rules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SOON_MS = 200, ROUNDS_MAX = 1000, A_TABLE_MS = 1200 };

#define S  "10.0.0.1"
#define G  "239.1.1.1"
#define G2 "239.1.1.2"

struct world {
    struct kernel kernel;
    uint64_t now_ms;
};

/* As the loop does: what is said is heard, and healing comes when it is due. */
static void pass(struct world *w, unsigned ms)
{
    uint64_t end = w->now_ms + ms;
    struct mroute_listening listening = mroute_read_changes(w->kernel.mroute, w->now_ms);

    for (int i = 0; i < ROUNDS_MAX && listening.heal_ms && w->now_ms + listening.heal_ms <= end;
         i++) {
        w->now_ms += listening.heal_ms;
        listening = mroute_heal(w->kernel.mroute, w->now_ms);
        if (listening.listen)
            listening = mroute_read_changes(w->kernel.mroute, w->now_ms);
    }
    w->now_ms = end;
}

static void begin(struct world *w)
{
    kernel_begin(&w->kernel, "a b c");
    mroute_settle(w->kernel.mroute, false);
    ck_assert(kernel_add(&w->kernel, S, G, "a", "b"));
    ck_assert(kernel_add(&w->kernel, S, G2, "a", "b,c"));
    w->kernel.event[0] = '\0';
    w->now_ms = 100000;
    pass(w, SOON_MS);
}

static void end(struct world *w)
{
    kernel_check(&w->kernel);
    kernel_end(&w->kernel);
}

START_TEST(a_deleted_entry_is_written_again)
{
    struct world w;

    begin(&w);
    fake_foreign_del(S, G);
    pass(&w, SOON_MS);
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G), "a b:1");
    ck_assert_uint_eq(w.kernel.healed.restored, 1);
    ck_assert_uint_eq(w.kernel.rounds, 1);
    ck_assert_str_eq(w.kernel.event, "");
    end(&w);
}
END_TEST

START_TEST(a_changed_entry_is_written_again)
{
    struct world w;

    begin(&w);
    fake_foreign_set(S, G, 0, 2);
    pass(&w, SOON_MS);
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G), "a b:1");
    ck_assert_uint_eq(w.kernel.healed.restored, 1);
    fake_foreign_set(S, G, 0, 1); /* the same, but it would outlive us */
    pass(&w, SOON_MS);
    ck_assert_uint_eq(w.kernel.healed.restored, 1);
    ck_assert_uint_eq(w.kernel.rounds, 2);
    pass(&w, A_TABLE_MS);
    ck_assert_uint_eq(w.kernel.rounds, 2);
    end(&w);
}
END_TEST

START_TEST(an_entry_of_no_route_is_deleted)
{
    struct world w;

    begin(&w);
    fake_foreign_set("10.0.0.9", G, 0, 1);
    pass(&w, SOON_MS);
    ck_assert_ptr_null(fake_mfc_find(V4, TABLE_ID_DEFAULT_IPV4, "10.0.0.9", G));
    ck_assert_uint_eq(w.kernel.healed.deleted, 1);
    end(&w);
}
END_TEST

START_TEST(our_own_changes_are_no_ones_elses)
{
    struct world w;
    unsigned writes;

    begin(&w);
    ck_assert(kernel_del(&w.kernel, S, G));
    ck_assert(kernel_del(&w.kernel, S, G2));
    ck_assert(kernel_add(&w.kernel, S, G, "a", "c"));
    writes = fake_writes();
    pass(&w, A_TABLE_MS);
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert_uint_eq(w.kernel.rounds, 0);
    end(&w);
}
END_TEST

START_TEST(a_range_that_is_an_entry_is_written_again)
{
    struct world w;

    begin(&w);
    ck_assert(kernel_add(&w.kernel, NULL, "239.2.2.2", "a", "b"));
    ck_assert(kernel_add(&w.kernel, NULL, "ff0e::1", "a", "b"));
    fake_foreign_del("0.0.0.0", "239.2.2.2");
    fake_foreign_del("::", "ff0e::1");
    pass(&w, SOON_MS);
    ck_assert_ptr_nonnull(fake_mfc_find(V4, TABLE_ID_DEFAULT_IPV4, "0.0.0.0", "239.2.2.2"));
    ck_assert_ptr_nonnull(fake_mfc_find(V6, TABLE_ID_DEFAULT_IPV6, "::", "ff0e::1"));
    ck_assert_uint_eq(w.kernel.rounds, 2); /* one a table */
    end(&w);
}
END_TEST

/* The flow's next packet asks for a route again. */
START_TEST(a_learned_route_is_forgotten)
{
    struct world w;
    struct upcall upcall = {.kind = UPCALL_NO_ROUTE};

    begin(&w);
    ck_assert(kernel_add(&w.kernel, NULL, "239.3.0.0/16", "a", "b"));
    ck_assert(address_parse(S, &upcall.source) && address_parse("239.3.1.1", &upcall.group));
    fake_upcall(V4, TABLE_ID_DEFAULT_IPV4, &upcall);
    mroute_read_upcalls(w.kernel.mroute, V4, TABLE_ID_DEFAULT_IPV4);
    ck_assert_uint_eq(mroute_totals(w.kernel.mroute).learned, 1);
    fake_foreign_del(S, "239.3.1.1");
    pass(&w, SOON_MS);
    ck_assert_uint_eq(mroute_totals(w.kernel.mroute).learned, 0);
    ck_assert_uint_eq(w.kernel.healed.forgotten, 1);
    ck_assert_ptr_nonnull(strstr(w.kernel.event, "mfc.expired"));
    end(&w);
}
END_TEST

START_TEST(vifs_come_back_with_their_entries)
{
    struct world w;
    unsigned a, b;

    begin(&w);
    a = fake_vif_ifindex(V4, TABLE_ID_DEFAULT_IPV4, 0);
    b = fake_vif_ifindex(V4, TABLE_ID_DEFAULT_IPV4, 1);
    fake_foreign_vif(V4, 0, 0);
    fake_foreign_vif(V4, 1, 0);
    fake_foreign_vif(V4, 1, a); /* another interface's number */
    fake_foreign_vif(V4, 9, b); /* one that we have not */
    pass(&w, A_TABLE_MS);
    ck_assert_uint_eq(fake_vif_ifindex(V4, TABLE_ID_DEFAULT_IPV4, 0), a);
    ck_assert_uint_eq(fake_vif_ifindex(V4, TABLE_ID_DEFAULT_IPV4, 1), b);
    ck_assert_uint_eq(fake_vif_ifindex(V4, TABLE_ID_DEFAULT_IPV4, 9), 0);
    ck_assert_uint_eq(w.kernel.healed.vifs, 3);
    ck_assert_uint_eq(w.kernel.rounds, 1);
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G), "a b:1");
    end(&w);
}
END_TEST

START_TEST(an_interface_that_went_is_no_ones_doing)
{
    struct world w;

    begin(&w);
    fake_netif_del("b");
    fake_foreign_set("10.0.0.9", G, 0, 0);
    fake_foreign_vif(V4, 9, fake_vif_ifindex(V4, TABLE_ID_DEFAULT_IPV4, 0));
    pass(&w, A_TABLE_MS);
    ck_assert_uint_eq(w.kernel.healed.vifs, 1);
    kernel_update(&w.kernel);
    fake_netif_add("b");
    kernel_update(&w.kernel);
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G), "a b:1");
    end(&w);
}
END_TEST

START_TEST(what_was_not_heard_is_found)
{
    struct world w;

    begin(&w);
    fake_foreign_del(S, G);
    fake_foreign_set(S, G2, 0, 1);
    fake_foreign_set("10.0.0.9", G, 0, 1);
    fake_changes_overrun();
    pass(&w, A_TABLE_MS);
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G), "a b:1");
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G2), "a b:1 c:1");
    ck_assert_ptr_null(fake_mfc_find(V4, TABLE_ID_DEFAULT_IPV4, "10.0.0.9", G));
    ck_assert_uint_eq(w.kernel.healed.restored, 2);
    ck_assert_uint_eq(w.kernel.healed.deleted, 1);
    end(&w);
}
END_TEST

/* More flows than are kept in mind one by one. */
START_TEST(many_are_found_by_looking_at_all)
{
    struct world w;
    char group[16];

    begin(&w);
    for (unsigned i = 0; i < 3 * SUSPECTS_MAX; i++) {
        snprintf(group, sizeof group, "239.4.0.%u", i);
        ck_assert(kernel_add(&w.kernel, S, group, "a", "b"));
        fake_foreign_del(S, group);
    }
    pass(&w, A_TABLE_MS);
    ck_assert_uint_eq(fake_mfc_count(V4, TABLE_ID_DEFAULT_IPV4), 2 + 3 * SUSPECTS_MAX);
    ck_assert_uint_eq(w.kernel.healed.restored, 3UL * SUSPECTS_MAX);
    ck_assert_uint_eq(w.kernel.rounds, 1);
    end(&w);
}
END_TEST

/* Each time, as soon as it was written again. */
START_TEST(who_goes_on_waits_longer)
{
    struct world w;
    unsigned fought = 0;

    begin(&w);
    for (uint64_t end = w.now_ms + 60000; w.now_ms < end;) {
        unsigned rounds = w.kernel.rounds;

        if (fake_mfc_find(V4, TABLE_ID_DEFAULT_IPV4, S, G))
            fake_foreign_del(S, G);
        pass(&w, 10);
        fought += w.kernel.rounds > rounds && w.kernel.healed.fought;
    }
    ck_assert_uint_eq(fought, 1);
    ck_assert_uint_ge(w.kernel.rounds, 8);
    ck_assert_uint_le(w.kernel.rounds, 20);
    pass(&w, 8200);
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G), "a b:1");
    pass(&w, 20000);
    fake_foreign_del(S, G); /* after a calm, it is as soon as before */
    pass(&w, SOON_MS);
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G), "a b:1");
    end(&w);
}
END_TEST

START_TEST(who_says_too_much_is_not_listened_to)
{
    struct world w;
    struct mroute_listening listening;

    begin(&w);
    for (unsigned i = 0; i < 2000; i++) {
        fake_foreign_set("10.0.0.9", G, 0, 1);
        fake_foreign_del("10.0.0.9", G);
    }
    fake_foreign_del(S, G);
    do
        listening = mroute_read_changes(w.kernel.mroute, w.now_ms);
    while (listening.listen);
    ck_assert_uint_gt(listening.heal_ms, 0);
    for (int i = 0; i < ROUNDS_MAX && listening.heal_ms; i++) {
        w.now_ms += listening.heal_ms;
        listening = mroute_heal(w.kernel.mroute, w.now_ms);
    }
    ck_assert(listening.listen);
    ck_assert_str_eq(kernel_entry(&w.kernel, S, G), "a b:1");
    end(&w);
}
END_TEST

START_TEST(what_we_delete_is_not_too_much)
{
    struct world w;

    begin(&w);
    for (unsigned i = 0; i < 3000; i++) {
        ck_assert(kernel_add(&w.kernel, "10.0.0.9", G, "a", "b"));
        ck_assert(kernel_del(&w.kernel, "10.0.0.9", G));
    }
    for (unsigned i = 0; i < 10; i++)
        ck_assert(mroute_read_changes(w.kernel.mroute, w.now_ms).listen);
    ck_assert_uint_eq(mroute_read_changes(w.kernel.mroute, w.now_ms).heal_ms, 0);
    end(&w);
}
END_TEST

/* Flows that nobody wants are dropped by an entry that comes and goes. */
START_TEST(flows_that_are_dropped_are_not_too_much)
{
    struct world w;
    struct mroute_limits limits = {.learned = 1, .unmatched = 1};
    struct upcall upcall = {.kind = UPCALL_NO_ROUTE};
    char group[24];

    begin(&w);
    mroute_set_limits(w.kernel.mroute, &limits);
    ck_assert(address_parse(S, &upcall.source));
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(group, sizeof group, "239.100.%u.%u", i / 250, i % 250);
        ck_assert(address_parse(group, &upcall.group));
        fake_upcall(V4, TABLE_ID_DEFAULT_IPV4, &upcall);
        mroute_read_upcalls(w.kernel.mroute, V4, TABLE_ID_DEFAULT_IPV4);
    }
    ck_assert_uint_gt(mroute_totals(w.kernel.mroute).unmatched_dropped, 2900);
    for (unsigned i = 0; i < 10; i++)
        ck_assert(mroute_read_changes(w.kernel.mroute, w.now_ms).listen);
    ck_assert_uint_eq(mroute_read_changes(w.kernel.mroute, w.now_ms).heal_ms, 0);
    end(&w);
}
END_TEST

/* --- Rules --------------------------------------------------------------------------------- */

enum { TABLE = 7 };

static bool change_rule(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    unsigned *asked = context;

    ++*asked;
    if (ifindex)
        ck_assert_int_eq(mroute_rule_add(rule->family, rule->table, ifindex), 0);
    else
        mroute_rule_del(rule);
    return false;
}

START_TEST(rules_are_made_again)
{
    struct args_add_mfc args = route_args(S, G, "a", "b");
    unsigned asked = 0;
    struct rules_host host = {change_rule, &asked};
    struct world w;

    begin(&w);
    close(kernel_open_table(&w.kernel, V4, TABLE));
    mroute_keep_rules(w.kernel.mroute, &host);
    args.table = TABLE;
    strcpy(args.iif.text, "c");
    ck_assert(
        mroute_add(w.kernel.mroute, &args, &w.kernel.holder, &w.kernel.change, &w.kernel.error));
    ck_assert_uint_eq(asked, 1);
    fake_foreign_rule_del(V4, TABLE, "c");
    pass(&w, SOON_MS);
    ck_assert(fake_rule_exists(V4, TABLE, "c", true));
    ck_assert_uint_eq(asked, 2);
    ck_assert_uint_eq(w.kernel.healed.rules, 1);
    ck_assert(kernel_del(&w.kernel, S, G));
    pass(&w, SOON_MS);
    ck_assert_uint_eq(w.kernel.rounds, 1);
    end(&w);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_deleted_entry_is_written_again);
    tcase_add_test(tests, a_changed_entry_is_written_again);
    tcase_add_test(tests, an_entry_of_no_route_is_deleted);
    tcase_add_test(tests, our_own_changes_are_no_ones_elses);
    tcase_add_test(tests, a_range_that_is_an_entry_is_written_again);
    tcase_add_test(tests, a_learned_route_is_forgotten);
    tcase_add_test(tests, vifs_come_back_with_their_entries);
    tcase_add_test(tests, an_interface_that_went_is_no_ones_doing);
    tcase_add_test(tests, what_was_not_heard_is_found);
    tcase_add_test(tests, many_are_found_by_looking_at_all);
    tcase_add_test(tests, who_goes_on_waits_longer);
    tcase_add_test(tests, who_says_too_much_is_not_listened_to);
    tcase_add_test(tests, what_we_delete_is_not_too_much);
    tcase_add_test(tests, flows_that_are_dropped_are_not_too_much);
    tcase_add_test(tests, rules_are_made_again);
}

int main(void)
{
    return suite_run("foreign", add_tests);
}
