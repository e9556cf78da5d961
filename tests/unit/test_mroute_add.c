/* Adding, replacing and deleting: what the kernel is told, and what happens when it refuses. */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

START_TEST(a_route_becomes_an_entry_and_goes_with_all_it_took)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b,c"));
    ck_assert_int_eq(k.change, CHANGE_ADDED);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1 c:1");
    kernel_check(&k);
    ck_assert(kernel_del(&k, "10.0.0.1", "239.1.1.1"));
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 0);
    ck_assert_uint_eq(fake_vif_count(V4, 253), 0);
    ck_assert_str_eq(k.event, "mfc.added 10.0.0.1 239.1.1.1\nmfc.deleted 10.0.0.1 239.1.1.1\n");
    kernel_end(&k);
}
END_TEST

START_TEST(the_same_again_writes_nothing)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b,c"));

    unsigned writes = fake_writes();

    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "c,b"));
    ck_assert_int_eq(k.change, CHANGE_NONE);
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert_uint_eq(mroute_totals(k.mroute).routes, 1);
    ck_assert_ptr_null(strstr(k.event, "replaced"));
    kernel_end(&k);
}
END_TEST

START_TEST(a_replacement_is_one_write_of_the_entry)
{
    struct kernel k;

    kernel_begin(&k, "a b c d");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b,c"));

    unsigned writes = fake_writes();

    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "c,d"));
    ck_assert_int_eq(k.change, CHANGE_REPLACED);
    ck_assert_uint_eq(fake_writes(), writes + 3); /* VIF of d, the entry, VIF of b */
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a c:1 d:1");
    kernel_check(&k);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "d", "a"));
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "d a:1");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(thresholds_are_those_of_their_interfaces)
{
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "a", "c,b");

    kernel_begin(&k, "a b c");
    args.ttls = (struct number_list){2, {16, 254}};
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a c:16 b:254");
    args.ttls.values[0] = 17;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert_int_eq(k.change, CHANGE_REPLACED);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a c:17 b:254");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(any_source_needs_its_inbound_interface_in_the_entry)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "a", "b"));
    ck_assert_str_eq(kernel_entry(&k, "0.0.0.0", "239.1.1.1"), "a a:1 b:1");
    ck_assert(kernel_add(&k, "0.0.0.0", "239.1.1.1", "a", "a,b"));
    ck_assert_int_eq(k.change, CHANGE_NONE);
    ck_assert_str_eq(kernel_routes(&k), "0.0.0.0 239.1.1.1 a b installed\n");
    ck_assert(kernel_add(&k, NULL, "ff05::1", "a", "b"));
    ck_assert_str_eq(kernel_entry(&k, "::", "ff05::1"), "a a:1 b:1");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_route_without_outgoing_interfaces_stops_its_flow)
{
    struct kernel k;

    kernel_begin(&k, "a");
    ck_assert(kernel_add(&k, "fd00::1", "ff05::1", "a", ""));
    ck_assert_str_eq(kernel_entry(&k, "fd00::1", "ff05::1"), "a");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

static const struct {
    const char *source, *group, *iif, *oifs, *code;
} refusals[] = {
    {"10.0.0.1", "239.1.1.1", "x", "b", "not-found"},
    {"10.0.0.1", "239.1.1.1", "a", "b,x", "not-found"},
    {"10.0.0.1", "239.1.1.1", "a", "b,a", "loop"},
    {NULL, "239.1.1.1", "a", "", "out-of-range"},
    {"10.0.0.1", "ff05::1", "a", "b", "invalid-address"},
    {"fd00::1", "239.1.1.1", "a", "b", "invalid-address"},
};

START_TEST(a_refused_route_touches_nothing)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(!kernel_add(&k, refusals[_i].source, refusals[_i].group, refusals[_i].iif,
                          refusals[_i].oifs));
    assert_error(&k.error, refusals[_i].code);
    ck_assert_uint_eq(fake_writes(), 0);
    ck_assert_str_eq(k.event, "");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(thresholds_must_fit)
{
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "a", "b");

    kernel_begin(&k, "a b");
    args.ttls = (struct number_list){2, {1, 2}};
    ck_assert(!mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    assert_error(&k.error, "out-of-range");
    args = route_args("fd00::1", "ff05::1", "a", "b");
    args.ttls = (struct number_list){1, {1}};
    ck_assert(!mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    assert_error(&k.error, "unsupported");
    kernel_end(&k);
}
END_TEST

START_TEST(a_route_that_is_not_there_cannot_be_deleted)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(!kernel_del(&k, NULL, "239.1.1.1"));
    assert_error(&k.error, "not-found");
    ck_assert(!kernel_del(&k, "10.0.0.2", "239.1.1.1"));
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_dry_run_says_what_would_be_done)
{
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "a", "b");
    struct args_del_mfc del = {.group = args.group, .source = args.source, .dry_run = true};
    struct mroute_filter everything = {0};

    kernel_begin(&k, "a b");
    args.dry_run = true;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert_int_eq(k.change, CHANGE_ADDED);
    args.table = 7; /* which is not open */
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    args.table = 0;
    ck_assert(!mroute_del(k.mroute, &del, &k.holder, &k.deletion, &k.error));
    ck_assert_uint_eq(fake_writes(), 0);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert_int_eq(k.change, CHANGE_NONE);
    strcpy(args.iif.text, "b");
    ck_assert(!mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    assert_error(&k.error, "loop");
    ck_assert(mroute_del(k.mroute, &del, &k.holder, &k.deletion, &k.error));
    ck_assert_uint_eq(kernel_flush(&k, &everything, true), 1);
    ck_assert_uint_eq(mroute_totals(k.mroute).routes, 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* The kernel refuses the nth write of an addition: everything is as it was before. */
START_TEST(an_addition_that_fails_leaves_nothing)
{
    for (unsigned nth = 1; nth <= 5; nth++) {
        struct kernel k;

        kernel_begin(&k, "a b c d");
        ck_assert(kernel_add(&k, "10.0.0.9", "239.9.9.9", "a", "b"));
        k.event[0] = '\0';
        fake_fail(nth, -ENOMEM);

        bool added = kernel_add(&k, "10.0.0.1", "239.1.1.1", "c", "a,d");

        ck_assert_int_eq(added, nth > 3); /* VIFs of c and d, and the entry */
        if (!added) {
            ck_assert_str_eq(kernel_routes(&k), "10.0.0.9 239.9.9.9 a b installed\n");
            ck_assert_str_eq(k.event, "");
            ck_assert_uint_eq(fake_vif_count(V4, 253), 2);
        }
        kernel_check(&k);
        kernel_end(&k);
    }
}
END_TEST

START_TEST(a_replacement_that_fails_leaves_the_old_route)
{
    for (unsigned nth = 1; nth <= 4; nth++) {
        struct kernel k;

        kernel_begin(&k, "a b c d");
        ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
        fake_fail(nth, -ENOMEM);

        bool replaced = kernel_add(&k, "10.0.0.1", "239.1.1.1", "c", "b,d");

        ck_assert_int_eq(replaced, nth > 3);
        if (!replaced)
            ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1");
        fake_fail(0, 0);
        ck_assert(kernel_del(&k, "10.0.0.1", "239.1.1.1"));
        ck_assert_uint_eq(fake_vif_count(V4, 253), 0);
        kernel_end(&k);
    }
}
END_TEST

static void add_pair(struct kernel *k, int n)
{
    char group[32], iif[16], oif[16];

    sprintf(group, "239.1.1.%d", n);
    sprintf(iif, "i%d", n);
    sprintf(oif, "i%d", n + 1);
    ck_assert(kernel_add(k, "10.0.0.1", group, iif, oif));
}

static void begin_with_many(struct kernel *k, int count)
{
    char names[1024] = "a", *at = names + 1;

    for (int i = 0; i < count; i++)
        at += sprintf(at, " i%d", i);
    kernel_begin(k, names);
}

START_TEST(the_33rd_interface_is_refused)
{
    struct kernel k;

    begin_with_many(&k, 34);
    for (int n = 0; n < VIFS_MAX; n += 2)
        add_pair(&k, n);
    ck_assert_uint_eq(fake_vif_count(V4, 253), VIFS_MAX);

    unsigned writes = fake_writes();

    ck_assert(!kernel_add(&k, "10.0.0.1", "239.2.2.2", "i0", "i32"));
    assert_error(&k.error, "limit");
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.2.2.2", "i0", "i31"));
    ck_assert(kernel_del(&k, "10.0.0.1", "239.1.1.0"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.2.2.3", "i0", "i32"));
    ck_assert(kernel_add(&k, "fd00::1", "ff05::1", "i32", "i33")); /* IPv6 has its own 32 */
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_flush_takes_what_the_filter_selects)
{
    struct kernel k;
    struct mroute_filter v6 = {.family = V6}, everything = {0};

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.2", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, "fd00::1", "ff05::1", "a", "b"));
    ck_assert_uint_eq(kernel_flush(&k, &v6, false), 1);
    ck_assert_uint_eq(fake_mfc_count(V6, 254), 0);
    ck_assert_uint_eq(fake_vif_count(V6, 254), 0);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 2);
    kernel_check(&k);
    ck_assert_uint_eq(kernel_flush(&k, &everything, false), 2);
    ck_assert_uint_eq(kernel_flush(&k, &everything, false), 0);
    ck_assert_uint_eq(mroute_totals(k.mroute).routes, 0);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_route_becomes_an_entry_and_goes_with_all_it_took);
    tcase_add_test(tests, the_same_again_writes_nothing);
    tcase_add_test(tests, a_replacement_is_one_write_of_the_entry);
    tcase_add_test(tests, thresholds_are_those_of_their_interfaces);
    tcase_add_test(tests, any_source_needs_its_inbound_interface_in_the_entry);
    tcase_add_test(tests, a_route_without_outgoing_interfaces_stops_its_flow);
    tcase_add_loop_test(tests, a_refused_route_touches_nothing, 0,
                        (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(tests, thresholds_must_fit);
    tcase_add_test(tests, a_route_that_is_not_there_cannot_be_deleted);
    tcase_add_test(tests, a_dry_run_says_what_would_be_done);
    tcase_add_test(tests, an_addition_that_fails_leaves_nothing);
    tcase_add_test(tests, a_replacement_that_fails_leaves_the_old_route);
    tcase_add_test(tests, the_33rd_interface_is_refused);
    tcase_add_test(tests, a_flush_takes_what_the_filter_selects);
}

int main(void)
{
    return suite_run("mroute_add", add_tests);
}
