/* Rules: made with the first route that takes packets from an interface, deleted with the last. */
#include "kernel.h"
#include "resources/mroute/rules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TABLE = 7 };

/* The keeper, which does at once, or later, what it is asked. */
struct keeper {
    unsigned asked;
    bool answers; /* later */
};

static bool change(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    struct keeper *keeper = context;

    keeper->asked++;
    if (ifindex)
        ck_assert_int_eq(mroute_rule_add(rule->family, rule->table, ifindex), 0);
    else
        mroute_rule_del(rule);
    return ifindex && keeper->answers;
}

struct fixture {
    struct kernel kernel;
    struct keeper keeper;
    struct rules_host host;
};

static void keep_rules(struct fixture *f)
{
    f->keeper = (struct keeper){0};
    f->host = (struct rules_host){change, &f->keeper};
    mroute_keep_rules(f->kernel.mroute, &f->host);
}

static void begin(struct fixture *f)
{
    kernel_begin(&f->kernel, "a b c");
    close(kernel_open_table(&f->kernel, V4, TABLE));
    keep_rules(f);
}

static void add(struct fixture *f, const char *source, const char *iif, uint32_t table)
{
    struct args_add_mfc args = route_args(source, "239.1.1.1", iif, "b");

    args.table = table;
    args.wait = true;
    ck_assert(mroute_add(f->kernel.mroute, &args, &f->kernel.holder, &f->kernel.change,
                         &f->kernel.error));
}

static void del(struct fixture *f, const char *source, uint32_t table)
{
    struct args_del_mfc args = {.table = table};

    args.source = kernel_prefix(source);
    args.group = kernel_prefix("239.1.1.1");
    ck_assert(mroute_del(f->kernel.mroute, &args, &f->kernel.holder, &f->kernel.deletion,
                         &f->kernel.error));
}

static bool leads(const char *iif)
{
    return fake_rule_exists(V4, TABLE, iif, true);
}

START_TEST(comes_with_the_first_route_and_goes_with_the_last)
{
    struct fixture f;

    begin(&f);
    add(&f, "10.0.0.1", "a", TABLE);
    ck_assert(leads("a") && fake_rule_count() == 1);
    add(&f, "10.0.0.2", "a", TABLE);
    add(&f, "10.0.0.3", "c", TABLE);
    ck_assert(leads("c"));
    ck_assert_uint_eq(f.keeper.asked, 2);
    del(&f, "10.0.0.1", TABLE);
    ck_assert(leads("a"));
    del(&f, "10.0.0.2", TABLE);
    ck_assert(!leads("a") && leads("c"));
    del(&f, "10.0.0.3", TABLE);
    ck_assert_uint_eq(fake_rule_count(), 0);
    kernel_end(&f.kernel);
}
END_TEST

START_TEST(follows_a_route_to_another_interface)
{
    struct fixture f;

    begin(&f);
    add(&f, "10.0.0.1", "a", TABLE);
    add(&f, "10.0.0.1", "c", TABLE);
    ck_assert(!leads("a") && leads("c"));
    kernel_end(&f.kernel);
}
END_TEST

START_TEST(the_default_table_needs_none)
{
    struct fixture f;

    begin(&f);
    add(&f, "10.0.0.1", "a", 0);
    add(&f, "10.0.0.2", "a", TABLE_ID_DEFAULT_IPV4);
    ck_assert_uint_eq(f.keeper.asked, 0);
    kernel_end(&f.kernel);
}
END_TEST

static uint32_t elsewhere(const struct fixture *f, uint32_t table, const char *iif)
{
    return mroute_packets_elsewhere(f->kernel.mroute, V4, table, iif);
}

START_TEST(an_interface_belongs_to_the_first_table)
{
    struct fixture f;

    begin(&f);
    close(kernel_open_table(&f.kernel, V4, 8));
    add(&f, "10.0.0.1", "a", 0);
    add(&f, "10.0.0.1", "a", TABLE);
    ck_assert_uint_eq(f.keeper.asked, 0);
    ck_assert_uint_eq(elsewhere(&f, TABLE, "a"), TABLE_ID_DEFAULT_IPV4);
    ck_assert_uint_eq(elsewhere(&f, 0, "a"), 0);
    del(&f, "10.0.0.1", TABLE_ID_DEFAULT_IPV4);
    ck_assert(leads("a"));
    ck_assert_uint_eq(elsewhere(&f, TABLE, "a"), 0);
    add(&f, "10.0.0.1", "a", 0);
    add(&f, "10.0.0.1", "a", 8);
    ck_assert_uint_eq(elsewhere(&f, 0, "a"), TABLE);
    ck_assert_uint_eq(elsewhere(&f, 8, "a"), TABLE);
    ck_assert_uint_eq(elsewhere(&f, 8, "b"), 0);
    ck_assert_uint_eq(elsewhere(&f, 9, "a"), 0);
    ck_assert(leads("a") && fake_rule_count() == 1);
    add(&f, "10.0.0.1", "c", 0);
    del(&f, "10.0.0.1", TABLE);
    ck_assert(fake_rule_exists(V4, 8, "a", true) && fake_rule_count() == 1);
    kernel_end(&f.kernel);
}
END_TEST

START_TEST(follows_names)
{
    struct fixture f;

    begin(&f);
    add(&f, "10.0.0.1", "a", TABLE);
    fake_netif_rename("a", "x");
    kernel_update(&f.kernel);
    ck_assert(!leads("a") && leads("x") && fake_rule_count() == 1);
    kernel_end(&f.kernel);
}
END_TEST

START_TEST(follows_interfaces_that_go_and_come)
{
    struct fixture f;

    begin(&f);
    add(&f, "10.0.0.1", "later", TABLE);
    ck_assert_uint_eq(fake_rule_count(), 0);
    fake_netif_add("later");
    kernel_update(&f.kernel);
    ck_assert(leads("later"));
    fake_netif_del("later");
    kernel_update(&f.kernel);
    ck_assert(!leads("later"));
    fake_netif_add("later");
    kernel_update(&f.kernel);
    ck_assert(leads("later") && fake_rule_count() == 1);
    kernel_end(&f.kernel);
}
END_TEST

START_TEST(an_administrators_is_enough)
{
    struct fixture f;

    begin(&f);
    fake_rule_add(V4, TABLE, "a", false);
    add(&f, "10.0.0.1", "a", TABLE);
    ck_assert_uint_eq(f.keeper.asked, 0);
    del(&f, "10.0.0.1", TABLE);
    ck_assert(fake_rule_exists(V4, TABLE, "a", false));
    ck_assert_uint_eq(f.keeper.asked, 0);
    kernel_end(&f.kernel);
}
END_TEST

START_TEST(the_next_process_takes_them_over)
{
    struct fixture f;
    int kept;

    kernel_begin(&f.kernel, "a b c");
    kept = kernel_open_table(&f.kernel, V4, TABLE);
    keep_rules(&f);
    add(&f, "10.0.0.1", "a", TABLE);
    kernel_end(&f.kernel);
    fake_rule_add(V4, TABLE, "b", true); /* which nobody needs */

    struct mroute_socket socket = {kept, V4, TABLE};

    kernel_start(&f.kernel);
    ck_assert_int_eq(mroute_adopt(f.kernel.mroute, &socket), 0);
    keep_rules(&f);
    ck_assert(leads("a"));
    ck_assert_uint_eq(fake_rule_count(), 1);
    ck_assert_uint_eq(f.keeper.asked, 1);
    del(&f, "10.0.0.1", TABLE);
    ck_assert(!leads("a"));
    kernel_end(&f.kernel);
}
END_TEST

START_TEST(a_request_waits_for_its_rule)
{
    struct fixture f;

    begin(&f);
    f.keeper.answers = true;
    add(&f, "10.0.0.1", "a", TABLE);
    ck_assert(mroute_rules_pending(f.kernel.mroute, V4, TABLE));
    add(&f, "10.0.0.2", "c", TABLE);
    mroute_rule_answered(f.kernel.mroute, V4, TABLE);
    ck_assert(mroute_rules_pending(f.kernel.mroute, V4, TABLE));
    mroute_rule_answered(f.kernel.mroute, V4, TABLE);
    ck_assert(!mroute_rules_pending(f.kernel.mroute, V4, TABLE));
    mroute_rule_answered(f.kernel.mroute, V4, TABLE); /* one too many */
    mroute_rule_answered(f.kernel.mroute, V4, 8);
    ck_assert(!mroute_rules_pending(f.kernel.mroute, V4, TABLE));
    kernel_end(&f.kernel);
}
END_TEST

START_TEST(hostile_names_are_only_names)
{
    struct rules_host host = {NULL, NULL};
    struct rules rules;
    char name[INTERFACE_NAME_MAX + 1];

    fake_reset();
    for (unsigned i = 0; i < 2 * TABLE_RULES_MAX; i++) {
        snprintf(name, sizeof name, "%%n\"%u", i);
        fake_rule_add(V4, TABLE, name, true);
    }
    rules_init(&rules, &host, V4, TABLE);
    rules_load(&rules);
    ck_assert_uint_eq(rules.count, TABLE_RULES_MAX);
    rules_want(&rules, "one more", 1);
    ck_assert_uint_eq(rules.count, TABLE_RULES_MAX);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, comes_with_the_first_route_and_goes_with_the_last);
    tcase_add_test(tests, follows_a_route_to_another_interface);
    tcase_add_test(tests, the_default_table_needs_none);
    tcase_add_test(tests, an_interface_belongs_to_the_first_table);
    tcase_add_test(tests, follows_names);
    tcase_add_test(tests, follows_interfaces_that_go_and_come);
    tcase_add_test(tests, an_administrators_is_enough);
    tcase_add_test(tests, the_next_process_takes_them_over);
    tcase_add_test(tests, a_request_waits_for_its_rule);
    tcase_add_test(tests, hostile_names_are_only_names);
}

int main(void)
{
    return suite_run("rules", add_tests);
}
