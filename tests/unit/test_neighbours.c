/* What follows for others when a range comes or goes: little in one piece, and in the end all. */
#include "kernel.h"
#include "resources/mroute/mroute_internal.h"

#include <netinet/in.h>
#include <stdio.h>

enum { MANY = 2000, AT_ONCE = 32 };

static unsigned needed;

static void need(void *context)
{
    (void)context;
    needed++;
}

/* Routes of all sources and one group, each an entry of the kernel. */
static void begin(struct kernel *k)
{
    char group[INET6_ADDRSTRLEN];

    kernel_begin(k, "a b c");
    needed = 0;
    k->mroute->callbacks.needs_work = need;
    for (int i = 0; i < MANY; i++) {
        snprintf(group, sizeof group, "239.1.%d.%d", i / 250, i % 250 + 1);
        ck_assert(kernel_add(k, NULL, group, "a", "b"));
    }
    ck_assert_uint_eq(fake_mfc_count(V4, family_table(V4, 0)), MANY);
}

static size_t entries(void)
{
    return fake_mfc_count(V4, family_table(V4, 0));
}

static void finish(struct kernel *k)
{
    uint64_t writes = mroute_totals(k->mroute).kernel_writes;

    while (mroute_go_on(k->mroute)) {
        ck_assert_uint_le(mroute_totals(k->mroute).kernel_writes, writes + 1);
        writes = mroute_totals(k->mroute).kernel_writes;
    }
    kernel_check(k);
}

START_TEST(a_large_range_changes_others_a_few_at_a_time)
{
    struct kernel k;
    uint64_t writes;

    begin(&k);
    writes = mroute_totals(k.mroute).kernel_writes;
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "c"));
    ck_assert_uint_le(mroute_totals(k.mroute).kernel_writes, writes + AT_ONCE);
    ck_assert_uint_eq(needed, 1);
    finish(&k);
    ck_assert_uint_eq(entries(), 0);

    writes = mroute_totals(k.mroute).kernel_writes;
    ck_assert(kernel_del(&k, NULL, "239.0.0.0/8"));
    ck_assert_uint_le(mroute_totals(k.mroute).kernel_writes, writes + AT_ONCE);
    finish(&k);
    ck_assert_uint_eq(entries(), MANY);
    kernel_end(&k);
}
END_TEST

START_TEST(what_changes_behind_the_walk_is_looked_at_again)
{
    struct kernel k;

    begin(&k);
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "c"));
    for (int i = 0; i < MANY / 2; i++)
        ck_assert(mroute_go_on(k.mroute));
    ck_assert(kernel_del(&k, NULL, "239.0.0.0/8"));
    finish(&k);
    ck_assert_uint_eq(entries(), MANY);
    kernel_end(&k);
}
END_TEST

START_TEST(routes_that_go_meanwhile_are_passed_over)
{
    struct mroute_filter all = {0};
    struct kernel k;

    begin(&k);
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "c"));
    kernel_flush(&k, &all, false);
    finish(&k);
    ck_assert_uint_eq(entries(), 0);

    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "a", "b"));
    ck_assert_uint_eq(entries(), 1);
    kernel_end(&k);
}
END_TEST

/* Without a look at all of them. */
START_TEST(beside_another_of_the_same_groups_a_range_changes_nothing)
{
    struct kernel k;

    begin(&k);
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "c"));
    finish(&k);
    needed = 0;
    ck_assert(kernel_add(&k, "10.0.0.0/8", "239.0.0.0/8", "a", "c"));
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "b", "c"));
    ck_assert(kernel_del(&k, "10.0.0.0/8", "239.0.0.0/8"));
    ck_assert_uint_eq(needed, 0);
    ck_assert(!k.mroute->cursors.lh_first);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(of_one_group_all_is_done_at_once)
{
    struct kernel k;

    begin(&k);
    ck_assert(kernel_add(&k, "10.0.0.0/8", "239.1.0.1", "b", "c"));
    ck_assert_uint_eq(entries(), MANY - 1);
    ck_assert(kernel_add(&k, "11.0.0.0/8", "239.1.0.1", "b", "c"));
    ck_assert(kernel_del(&k, "10.0.0.0/8", "239.1.0.1"));
    ck_assert_uint_eq(entries(), MANY - 1);
    ck_assert(kernel_del(&k, "11.0.0.0/8", "239.1.0.1"));
    ck_assert_uint_eq(entries(), MANY);
    ck_assert_uint_eq(needed, 0);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_large_range_changes_others_a_few_at_a_time);
    tcase_add_test(tests, what_changes_behind_the_walk_is_looked_at_again);
    tcase_add_test(tests, routes_that_go_meanwhile_are_passed_over);
    tcase_add_test(tests, beside_another_of_the_same_groups_a_range_changes_nothing);
    tcase_add_test(tests, of_one_group_all_is_done_at_once);
}

int main(void)
{
    return suite_run("neighbours", add_tests);
}
