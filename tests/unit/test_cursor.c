/* Walks over routes that stop and go on while routes come and go. */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The last number of the group of the next route; -1 at the end. */
static int next(struct route_cursor *cursor)
{
    const struct route *route = route_cursor_next(cursor);
    struct route_view view;

    if (!route)
        return -1;
    route_describe(route, false, &view);
    return view.group.address.bytes[view.family == V4 ? 3 : 15];
}

static void add(struct kernel *k, int n, const char *oif)
{
    char group[32];

    sprintf(group, "239.1.1.%d", n);
    ck_assert(kernel_add(k, "10.0.0.1", group, "a", oif));
}

static void del(struct kernel *k, int n)
{
    char group[32];

    sprintf(group, "239.1.1.%d", n);
    ck_assert(kernel_del(k, "10.0.0.1", group));
}

static void begin(struct kernel *k, struct route_cursor *cursor, int count)
{
    struct mroute_filter everything = {0};

    kernel_begin(k, "a b c");
    for (int n = 1; n <= count; n++)
        add(k, n, "b");
    route_cursor_open(cursor, k->mroute, &everything);
}

static void end(struct kernel *k, struct route_cursor *cursor)
{
    route_cursor_close(cursor);
    kernel_end(k);
}

START_TEST(it_goes_from_the_oldest_to_the_newest)
{
    struct kernel k;
    struct route_cursor cursor;

    begin(&k, &cursor, 3);
    ck_assert_int_eq(next(&cursor), 1);
    ck_assert_int_eq(next(&cursor), 2);
    ck_assert_int_eq(next(&cursor), 3);
    ck_assert_int_eq(next(&cursor), -1);
    ck_assert_int_eq(next(&cursor), -1);
    end(&k, &cursor);
}
END_TEST

START_TEST(routes_that_go_are_passed_over)
{
    struct kernel k;
    struct route_cursor cursor;

    begin(&k, &cursor, 5);
    ck_assert_int_eq(next(&cursor), 1);
    del(&k, 1);
    del(&k, 2); /* it stands there */
    del(&k, 3);
    ck_assert_int_eq(next(&cursor), 4);
    del(&k, 5);
    ck_assert_int_eq(next(&cursor), -1);
    end(&k, &cursor);
}
END_TEST

START_TEST(routes_that_come_are_passed_over_and_those_added_again_too)
{
    struct kernel k;
    struct route_cursor cursor;

    begin(&k, &cursor, 2);
    ck_assert_int_eq(next(&cursor), 1);
    add(&k, 3, "b");
    del(&k, 1);
    add(&k, 1, "b");
    ck_assert_int_eq(next(&cursor), 2);
    ck_assert_int_eq(next(&cursor), -1);
    end(&k, &cursor);
}
END_TEST

START_TEST(a_replaced_route_keeps_its_place)
{
    struct kernel k;
    struct route_cursor cursor;

    begin(&k, &cursor, 3);
    ck_assert_int_eq(next(&cursor), 1);
    add(&k, 1, "c");
    add(&k, 2, "c");
    ck_assert_int_eq(next(&cursor), 2);
    ck_assert_int_eq(next(&cursor), 3);
    ck_assert_int_eq(next(&cursor), -1);
    end(&k, &cursor);
}
END_TEST

START_TEST(a_flush_ends_it)
{
    struct kernel k;
    struct route_cursor cursor;
    struct mroute_filter everything = {0};

    begin(&k, &cursor, 3);
    ck_assert_int_eq(next(&cursor), 1);
    kernel_flush(&k, &everything, false);
    ck_assert_int_eq(next(&cursor), -1);
    add(&k, 9, "b");
    ck_assert_int_eq(next(&cursor), -1);
    end(&k, &cursor);
}
END_TEST

START_TEST(filters_select)
{
    struct kernel k;
    struct route_cursor cursor;
    struct mroute_filter filter = {.family = V6};

    kernel_begin(&k, "a b");
    add(&k, 1, "b");
    ck_assert(kernel_add(&k, "10.0.0.2", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, NULL, "239.1.1.2", "a", "b"));
    ck_assert(kernel_add(&k, "fd00::1", "ff05::6", "a", "b"));
    route_cursor_open(&cursor, k.mroute, &filter);
    ck_assert_int_eq(next(&cursor), 6);
    ck_assert_int_eq(next(&cursor), -1);
    route_cursor_close(&cursor);
    filter = (struct mroute_filter){0};
    filter.source = kernel_prefix("0.0.0.0");
    route_cursor_open(&cursor, k.mroute, &filter);
    ck_assert_int_eq(next(&cursor), 2);
    ck_assert_int_eq(next(&cursor), -1);
    route_cursor_close(&cursor);
    filter = (struct mroute_filter){.table = 253};
    filter.group = kernel_prefix("239.1.1.1");
    route_cursor_open(&cursor, k.mroute, &filter);
    ck_assert_int_eq(next(&cursor), 1);
    ck_assert_int_eq(next(&cursor), 1);
    ck_assert_int_eq(next(&cursor), -1);
    end(&k, &cursor);
}
END_TEST

/* The table under a cursor is closed, and another one follows. */
START_TEST(a_closed_table_does_not_stop_it)
{
    struct kernel k;
    struct route_cursor cursor;
    struct mroute_filter everything = {0}, seven = {.table = 7};

    kernel_begin(&k, "a b");
    for (uint32_t table = 7; table <= 8; table++)
        close(kernel_open_table(&k, V4, table));
    for (uint32_t n = 0; n < 4; n++) {
        char group[32];

        sprintf(group, "239.1.1.%u", n + 1);

        struct args_add_mfc args = route_args("10.0.0.1", group, "a", "b");

        args.table = n < 3 ? 7 : 8;
        ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    }
    route_cursor_open(&cursor, k.mroute, &everything);
    ck_assert_int_eq(next(&cursor), 1);
    ck_assert_uint_eq(kernel_flush(&k, &seven, false), 3);
    ck_assert(!mroute_table_is_open(k.mroute, V4, 7));
    ck_assert_int_eq(next(&cursor), 4);
    ck_assert_int_eq(next(&cursor), -1);
    end(&k, &cursor);
}
END_TEST

/* Each route that is there from begin to end is seen exactly once. */
START_TEST(what_stays_is_seen_once)
{
    struct kernel k;
    struct route_cursor cursor;
    unsigned seen[256] = {0};
    int n;

    srand((unsigned)_i);
    begin(&k, &cursor, 200);
    while ((n = next(&cursor)) >= 0) {
        int other = 1 + rand() % 200;

        seen[n]++;
        if (other % 4 == 0)
            kernel_del(&k, "10.0.0.1", "239.1.1.4");
        if (other % 3 == 0 && other % 2)
            add(&k, other, rand() % 2 ? "b" : "c");
        if (other == 100)
            add(&k, 201 + rand() % 50, "b");
    }
    for (n = 1; n <= 200; n++)
        if (n != 4)
            ck_assert_uint_eq(seen[n], 1);
    end(&k, &cursor);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, it_goes_from_the_oldest_to_the_newest);
    tcase_add_test(tests, routes_that_go_are_passed_over);
    tcase_add_test(tests, routes_that_come_are_passed_over_and_those_added_again_too);
    tcase_add_test(tests, a_replaced_route_keeps_its_place);
    tcase_add_test(tests, a_flush_ends_it);
    tcase_add_test(tests, filters_select);
    tcase_add_test(tests, a_closed_table_does_not_stop_it);
    tcase_add_loop_test(tests, what_stays_is_seen_once, 0, 10);
}

int main(void)
{
    return suite_run("cursor", add_tests);
}
