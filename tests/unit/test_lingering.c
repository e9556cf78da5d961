/* What was learned of a range follows its changes and its end: a little in one piece, and all soon.
 */
#include "kernel.h"
#include "resources/mroute/mroute_internal.h"

#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum { MANY = 200, AT_ONCE = 32, SEVEN = 7 };

static unsigned needed;

static void need(void *context)
{
    (void)context;
    needed++;
}

static void learn(struct kernel *k, uint32_t table)
{
    unsigned iif = netifs_find(k->netifs, "a")->ifindex;
    struct address group, source;
    char text[INET6_ADDRSTRLEN];

    ck_assert(address_parse("239.1.1.1", &group));
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250 + 1);
        ck_assert(address_parse(text, &source));
        fake_packet(V4, table, iif, &source, &group);
        mroute_read_upcalls(k->mroute, V4, table);
    }
    ck_assert_uint_eq(mroute_totals(k->mroute).learned, MANY);
}

static void begin(struct kernel *k)
{
    kernel_begin(k, "a b c");
    needed = 0;
    k->mroute->callbacks.needs_work = need;
    ck_assert(kernel_add(k, "10.0.0.0/8", "239.1.0.0/16", "a", "b"));
    learn(k, family_table(V4, 0));
}

static uint64_t writes(struct kernel *k)
{
    return mroute_totals(k->mroute).kernel_writes;
}

/* Returns how many steps there were. */
static unsigned finish(struct kernel *k)
{
    uint64_t before = writes(k);
    unsigned steps = 0;

    for (; mroute_go_on(k->mroute); steps++) {
        ck_assert_uint_le(writes(k), before + 1);
        before = writes(k);
    }
    kernel_check(k);
    return steps;
}

START_TEST(many_flows_follow_a_change_in_pieces)
{
    struct kernel k;
    uint64_t before;

    begin(&k);
    before = writes(&k);
    ck_assert(kernel_add(&k, "10.0.0.0/8", "239.1.0.0/16", "a", "c"));
    ck_assert_uint_le(writes(&k), before + AT_ONCE);
    ck_assert_uint_ge(needed, 1);
    finish(&k);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a c:1");
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.200", "239.1.1.1"), "a c:1");
    kernel_end(&k);
}
END_TEST

START_TEST(many_flows_end_after_their_range_in_pieces)
{
    struct kernel k;
    uint64_t before;

    begin(&k);
    before = writes(&k);
    ck_assert(kernel_del(&k, "10.0.0.0/8", "239.1.0.0/16"));
    ck_assert_uint_le(writes(&k), before + AT_ONCE);
    ck_assert_uint_ge(needed, 1);
    ck_assert_uint_ge(finish(&k), MANY);
    ck_assert_uint_eq(mroute_totals(k.mroute).learned, 0);
    ck_assert_uint_eq(mroute_totals(k.mroute).routes, 0);
    kernel_end(&k);
}
END_TEST

START_TEST(or_they_are_of_a_range_that_comes_meanwhile)
{
    struct kernel k;

    begin(&k);
    ck_assert(kernel_del(&k, "10.0.0.0/8", "239.1.0.0/16"));
    for (int i = 0; i < MANY / 2; i++)
        ck_assert(mroute_go_on(k.mroute));
    ck_assert(kernel_add(&k, "10.0.0.0/8", "239.0.0.0/8", "a", "c"));
    finish(&k);
    ck_assert_uint_eq(mroute_totals(k.mroute).learned, MANY / 2);
    kernel_end(&k);
}
END_TEST

START_TEST(an_interface_that_goes_waits_for_no_flow)
{
    struct kernel k;

    begin(&k);
    ck_assert(kernel_del(&k, "10.0.0.0/8", "239.1.0.0/16"));
    fake_netif_del("a");
    kernel_update(&k);
    finish(&k);
    ck_assert_uint_eq(mroute_totals(k.mroute).learned, 0);
    kernel_end(&k);
}
END_TEST

START_TEST(the_table_is_closed_when_the_last_flow_has_ended)
{
    struct args_add_mfc args = route_args("10.0.0.0/8", "239.1.0.0/16", "a", "b");
    struct mroute_filter all = {0};
    enum route_change change;
    struct kernel k;
    int copy;

    kernel_begin(&k, "a b c");
    copy = kernel_open_table(&k, V4, SEVEN);
    needed = 0;
    k.mroute->callbacks.needs_work = need;
    args.table = SEVEN;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &change, &k.error));
    learn(&k, SEVEN);
    kernel_flush(&k, &all, false);
    ck_assert_uint_eq(k.closed, 0);
    finish(&k);
    ck_assert_uint_eq(k.closed, 1);
    ck_assert(!mroute_table_is_open(k.mroute, V4, SEVEN));
    close(copy);
    kernel_end(&k);
}
END_TEST

START_TEST(what_lingers_is_freed_with_the_table)
{
    struct kernel k;

    begin(&k);
    ck_assert(kernel_del(&k, "10.0.0.0/8", "239.1.0.0/16"));
    kernel_end(&k);
}
END_TEST

START_TEST(a_tick_looks_at_few_in_one_piece)
{
    struct kernel k;

    begin(&k);
    ck_assert(kernel_add(&k, "10.0.0.0/8", "239.1.1.0/24", "a", "c"));
    ck_assert(mroute_tick(k.mroute, 0));
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1");
    ck_assert_uint_ge(finish(&k), MANY);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a c:1");
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, many_flows_follow_a_change_in_pieces);
    tcase_add_test(tests, many_flows_end_after_their_range_in_pieces);
    tcase_add_test(tests, or_they_are_of_a_range_that_comes_meanwhile);
    tcase_add_test(tests, an_interface_that_goes_waits_for_no_flow);
    tcase_add_test(tests, the_table_is_closed_when_the_last_flow_has_ended);
    tcase_add_test(tests, what_lingers_is_freed_with_the_table);
    tcase_add_test(tests, a_tick_looks_at_few_in_one_piece);
}

int main(void)
{
    return suite_run("lingering", add_tests);
}
