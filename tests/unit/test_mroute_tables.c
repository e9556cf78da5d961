/* Tables that are opened when a route first needs them, and closed when the last one goes. */
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct counter {
    struct waiter waiter; /* first */
    unsigned resumed;
    enum error_code code;
};

static void resume(struct waiter *waiter, const struct error *error)
{
    struct counter *w = (struct counter *)waiter;

    w->resumed++;
    w->code = error ? error->code : ERROR_NONE;
}

static struct counter make_waiter(void)
{
    return (struct counter){.waiter.resume = resume};
}

/* The keeper's answer. */
static void answer(struct kernel *k, uint32_t table)
{
    int fd = mroute_socket_open(V4, table);

    ck_assert_int_ge(fd, 0);
    mroute_table_opened(k->mroute, V4, table, fd, NULL);
}

static bool add_in(struct kernel *k, uint32_t table, const char *group)
{
    struct args_add_mfc args = route_args("10.0.0.1", group, "a", "b");

    args.table = table;
    return mroute_add(k->mroute, &args, &k->holder, &k->change, &k->error);
}

static bool del_in(struct kernel *k, uint32_t table, const char *group)
{
    struct args_add_mfc add = route_args("10.0.0.1", group, "a", "b");
    struct args_del_mfc args = {.source = add.source, .group = add.group, .table = table};

    return mroute_del(k->mroute, &args, &k->holder, &k->deletion, &k->error);
}

struct adder {
    struct waiter waiter; /* first */
    struct kernel *kernel;
};

static void resume_adder(struct waiter *waiter, const struct error *error)
{
    struct adder *adder = (struct adder *)waiter;

    ck_assert_ptr_null(error);
    ck_assert(add_in(adder->kernel, 7, "239.1.1.1"));
}

START_TEST(a_table_is_asked_for_once_and_all_who_wait_go_on)
{
    struct kernel k;
    struct counter one = make_waiter(), two = make_waiter();
    struct adder adder = {.waiter.resume = resume_adder, .kernel = &k};

    kernel_begin(&k, "a b");
    ck_assert(!mroute_table_is_open(k.mroute, V4, 7));
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &one.waiter));
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &adder.waiter));
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &two.waiter));
    ck_assert_uint_eq(k.asked, 1);
    ck_assert_uint_eq(k.asked_table, 7);
    ck_assert(!mroute_table_is_open(k.mroute, V4, 7));
    answer(&k, 7);
    ck_assert_uint_eq(one.resumed, 1);
    ck_assert_uint_eq(two.resumed, 1);
    ck_assert_int_eq(two.code, ERROR_NONE);
    ck_assert(mroute_table_is_open(k.mroute, V4, 7));
    ck_assert_uint_eq(fake_mfc_count(V4, 7), 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_table_without_routes_is_closed)
{
    struct kernel k;
    struct adder adder = {.waiter.resume = resume_adder, .kernel = &k};

    kernel_begin(&k, "a b");
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &adder.waiter));
    answer(&k, 7);
    ck_assert(add_in(&k, 7, "239.1.1.2"));
    ck_assert(del_in(&k, 7, "239.1.1.1"));
    ck_assert_uint_eq(k.closed, 0);

    uint64_t writes = mroute_totals(k.mroute).kernel_writes;

    ck_assert(del_in(&k, 7, "239.1.1.2"));
    ck_assert_uint_eq(k.closed, 1);
    ck_assert(!fake_table_is_owned(V4, 7));
    ck_assert(!mroute_table_is_open(k.mroute, V4, 7));
    ck_assert_uint_eq(mroute_totals(k.mroute).kernel_writes, writes + 1);
    ck_assert(!del_in(&k, 7, "239.1.1.2"));
    kernel_end(&k);
}
END_TEST

START_TEST(a_flush_closes_tables_but_not_the_default_ones)
{
    struct kernel k;
    struct adder adder = {.waiter.resume = resume_adder, .kernel = &k};
    struct mroute_filter everything = {0};

    kernel_begin(&k, "a b");
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &adder.waiter));
    answer(&k, 7);
    ck_assert(add_in(&k, 0, "239.1.1.1"));
    ck_assert_uint_eq(kernel_flush(&k, &everything, false), 2);
    ck_assert_uint_eq(k.closed, 1);
    ck_assert(mroute_table_is_open(k.mroute, V4, 0));
    ck_assert(mroute_table_is_open(k.mroute, V4, 253));
    kernel_end(&k);
}
END_TEST

START_TEST(a_table_for_which_nobody_waits_any_more_is_closed_at_once)
{
    struct kernel k;
    struct counter one = make_waiter();

    kernel_begin(&k, "a b");
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &one.waiter));
    waiter_cancel(&one.waiter);
    answer(&k, 7);
    ck_assert_uint_eq(one.resumed, 0);
    ck_assert_uint_eq(k.closed, 1);
    ck_assert(!fake_table_is_owned(V4, 7));
    kernel_end(&k);
}
END_TEST

START_TEST(one_of_several_who_wait_may_leave)
{
    struct kernel k;
    struct counter waiters[3] = {make_waiter(), make_waiter(), make_waiter()};

    kernel_begin(&k, "a b");
    for (int i = 0; i < 3; i++)
        ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &waiters[i].waiter));
    waiter_cancel(&waiters[_i].waiter);
    waiter_cancel(&waiters[_i].waiter);
    answer(&k, 7);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(waiters[i].resumed, i == _i ? 0 : 1);
    kernel_end(&k);
}
END_TEST

START_TEST(all_who_wait_are_told_of_a_refusal)
{
    struct kernel k;
    struct counter one = make_waiter();
    struct error error;

    kernel_begin(&k, "a b");
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &one.waiter));
    error_set(&error, ERROR_IN_USE, "table", "x");
    mroute_table_opened(k.mroute, V4, 7, -1, &error);
    ck_assert_uint_eq(one.resumed, 1);
    ck_assert_int_eq(one.code, ERROR_IN_USE);
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &one.waiter));
    ck_assert_uint_eq(k.asked, 2);
    kernel_end(&k);
}
END_TEST

START_TEST(an_answer_that_nobody_asked_for_is_closed)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    answer(&k, 8);
    ck_assert(!fake_table_is_owned(V4, 8));
    kernel_end(&k);
}
END_TEST

START_TEST(a_refused_route_leaves_no_empty_table_open)
{
    struct kernel k;
    struct adder adder = {.waiter.resume = resume_adder, .kernel = &k};

    kernel_begin(&k, "a b");
    ck_assert(mroute_table_open(k.mroute, V4, 7, 0, &adder.waiter));
    answer(&k, 7);
    ck_assert(del_in(&k, 7, "239.1.1.1"));
    close(kernel_open_table(&k, V4, 7));
    fake_fail(1, -ENOMEM);
    ck_assert(!add_in(&k, 7, "239.1.1.1"));
    ck_assert_uint_eq(k.closed, 2);
    kernel_end(&k);
}
END_TEST

START_TEST(tables_are_limited)
{
    struct kernel k;
    struct counter waiters[TABLES_MAX];

    kernel_begin(&k, "a b"); /* opens two */
    for (uint32_t i = 0; i < TABLES_MAX - 2; i++) {
        waiters[i] = make_waiter();
        ck_assert(mroute_table_open(k.mroute, V4, 100 + i, 0, &waiters[i].waiter));
    }
    waiters[TABLES_MAX - 1] = make_waiter();
    ck_assert(!mroute_table_open(k.mroute, V4, 99, 0, &waiters[TABLES_MAX - 1].waiter));
    ck_assert(!add_in(&k, 99, "239.1.1.1"));
    assert_error(&k.error, "limit");
    kernel_end(&k);
}
END_TEST

START_TEST(upcalls_are_counted_and_passed_on)
{
    struct kernel k;
    struct upcall upcall = {.kind = UPCALL_NO_ROUTE, .vif = 3};

    kernel_begin(&k, "a b");
    fake_upcall(V4, 253, &upcall);
    upcall.kind = UPCALL_OTHER;
    fake_upcall(V4, 253, &upcall);
    upcall.kind = UPCALL_WRONG_INTERFACE;
    fake_upcall(V4, 253, &upcall);
    mroute_read_upcalls(k.mroute, V4, 253);
    ck_assert_int_eq(k.upcall.kind, UPCALL_WRONG_INTERFACE);
    ck_assert_uint_eq(k.upcall.vif, 3);
    ck_assert_uint_eq(mroute_totals(k.mroute).no_route, 1);
    ck_assert_uint_eq(mroute_totals(k.mroute).wrong_interface, 1);
    mroute_read_upcalls(k.mroute, V4, 99);
    kernel_end(&k);
}
END_TEST

static struct upcall question(const char *source, const char *group)
{
    return (struct upcall){
        .kind = UPCALL_NO_ROUTE,
        .source = kernel_prefix(source).address,
        .group = kernel_prefix(group).address,
    };
}

/* The route was added before its question was read, and as many flows wait as may. */
START_TEST(a_late_question_does_not_drop_the_flow_of_a_route)
{
    struct kernel k;
    struct mroute_limits limits = {.learned = 10, .unmatched = 1};
    struct upcall unknown = question("10.0.0.9", "239.1.1.9");
    struct upcall late = question("10.0.0.1", "239.1.1.1");

    kernel_begin(&k, "a b");
    mroute_set_limits(k.mroute, &limits);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    fake_upcall(V4, 253, &unknown);
    fake_upcall(V4, 253, &unknown);
    fake_upcall(V4, 253, &late);
    mroute_read_upcalls(k.mroute, V4, 253);
    ck_assert_uint_eq(mroute_totals(k.mroute).unmatched_dropped, 1);
    ck_assert_uint_eq(mroute_totals(k.mroute).no_route, 2);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1");
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_table_is_asked_for_once_and_all_who_wait_go_on);
    tcase_add_test(tests, a_table_without_routes_is_closed);
    tcase_add_test(tests, a_flush_closes_tables_but_not_the_default_ones);
    tcase_add_test(tests, a_table_for_which_nobody_waits_any_more_is_closed_at_once);
    tcase_add_loop_test(tests, one_of_several_who_wait_may_leave, 0, 3);
    tcase_add_test(tests, all_who_wait_are_told_of_a_refusal);
    tcase_add_test(tests, an_answer_that_nobody_asked_for_is_closed);
    tcase_add_test(tests, a_refused_route_leaves_no_empty_table_open);
    tcase_add_test(tests, tables_are_limited);
    tcase_add_test(tests, upcalls_are_counted_and_passed_on);
    tcase_add_test(tests, a_late_question_does_not_drop_the_flow_of_a_route);
}

int main(void)
{
    return suite_run("mroute_tables", add_tests);
}
