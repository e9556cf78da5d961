/* Outgoing interfaces that are added to a route and taken from it: what the route becomes, what the
 * kernel is told, who may do it, and what is refused. */
#include "kernel.h"

#include <stdio.h>
#include <string.h>

/* The request's own route, or what `append` makes of it. */
static bool append(struct kernel *k, const struct args_add_mfc *args)
{
    struct args_add_mfc whole;

    return mroute_append(k->mroute, args, &whole, &k->error) &&
           mroute_add(k->mroute, &whole, &k->holder, &k->change, &k->error);
}

static bool append_to(struct kernel *k, const char *source, const char *group, const char *iif,
                      const char *oifs)
{
    struct args_add_mfc args = route_args(source, group, iif, oifs);

    return append(k, &args);
}

static bool take(struct kernel *k, const char *source, const char *group, const char *oifs,
                 bool dry_run)
{
    struct args_add_mfc names = route_args(source, group, "", oifs);
    struct args_del_mfc args = {
        .source = names.source, .group = names.group, .oifs = names.oifs, .dry_run = dry_run};

    return mroute_del(k->mroute, &args, &k->holder, &k->deletion, &k->error);
}

#define FLOW "10.0.0.1", "239.1.1.1"

START_TEST(what_is_appended_is_one_write)
{
    struct kernel k;
    unsigned writes;

    kernel_begin(&k, "a b c d");
    ck_assert(append_to(&k, FLOW, "a", "b"));
    ck_assert_int_eq(k.change, CHANGE_ADDED);
    writes = fake_writes();
    ck_assert(append_to(&k, FLOW, "a", "c,d"));
    ck_assert_int_eq(k.change, CHANGE_REPLACED);
    ck_assert_uint_eq(fake_writes(), writes + 3); /* two VIFs, and the entry in place */
    ck_assert_str_eq(kernel_entry(&k, FLOW), "a b:1 c:1 d:1");
    writes = fake_writes();
    ck_assert(append_to(&k, FLOW, "a", "d,b"));
    ck_assert_int_eq(k.change, CHANGE_NONE);
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert_uint_eq(mroute_totals(k.mroute).routes, 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(thresholds_stay_unless_they_are_given)
{
    struct args_add_mfc args = route_args(FLOW, "a", "b");
    struct kernel k;

    kernel_begin(&k, "a b c d");
    args.ttls = (struct number_list){1, {16}};
    ck_assert(append(&k, &args));
    args = route_args(FLOW, "a", "b,c");
    ck_assert(append(&k, &args));
    ck_assert_str_eq(kernel_entry(&k, FLOW), "a b:16 c:1");
    args.ttls = (struct number_list){2, {16, 9}};
    ck_assert(append(&k, &args));
    ck_assert_int_eq(k.change, CHANGE_REPLACED);
    ck_assert_str_eq(kernel_entry(&k, FLOW), "a b:16 c:9");
    args.ttls.count = 1;
    ck_assert(!append(&k, &args));
    assert_error(&k.error, "out-of-range");
    kernel_end(&k);
}
END_TEST

START_TEST(a_dry_run_appends_and_takes_nothing)
{
    struct args_add_mfc args = route_args(FLOW, "a", "c");
    struct kernel k;
    unsigned writes;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, FLOW, "a", "b"));
    writes = fake_writes();
    args.dry_run = true;
    ck_assert(append(&k, &args));
    ck_assert_int_eq(k.change, CHANGE_REPLACED);
    ck_assert(take(&k, FLOW, "b", true));
    ck_assert_uint_eq(k.deletion.deleted, 1);
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b installed\n");
    kernel_end(&k);
}
END_TEST

START_TEST(interfaces_that_do_not_exist_are_known_or_waited_for)
{
    struct args_add_mfc args = route_args(FLOW, "a", "b,late");
    struct kernel k;

    kernel_begin(&k, "a b c");
    args.wait = true;
    ck_assert(append(&k, &args));
    ck_assert(append_to(&k, FLOW, "a", "c")); /* though late is not there */
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b,late,c partial\n");
    ck_assert(!append_to(&k, FLOW, "a", "d"));
    assert_error(&k.error, "not-found");
    ck_assert_str_eq(k.error.field, "oifs");
    ck_assert(take(&k, FLOW, "late", false));
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b,c installed\n");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(another_inbound_interface_is_refused)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, FLOW, "a", "b"));
    ck_assert(!append_to(&k, FLOW, "c", "b"));
    assert_error(&k.error, "not-found");
    ck_assert_str_eq(k.error.field, "iif");
    ck_assert(!append_to(&k, FLOW, "a", "a"));
    assert_error(&k.error, "loop");
    /* Of any source there is one route from each interface. */
    ck_assert(kernel_add(&k, NULL, "239.1.1.2", "a", "b"));
    ck_assert(append_to(&k, NULL, "239.1.1.2", "c", "b"));
    ck_assert_int_eq(k.change, CHANGE_ADDED);
    kernel_end(&k);
}
END_TEST

START_TEST(more_than_there_may_be_are_refused)
{
    struct kernel k;
    struct args_add_mfc args = route_args(FLOW, "a", "");

    kernel_begin(&k, "a b");
    args.wait = true;
    for (int i = 0; i < VIFS_MAX; i++)
        snprintf(args.oifs.names[args.oifs.count++].text, 8, "n%d", i);
    ck_assert(append(&k, &args));
    ck_assert(!append_to(&k, FLOW, "a", "b"));
    assert_error(&k.error, "limit");
    kernel_end(&k);
}
END_TEST

START_TEST(what_is_taken_leaves_the_rest)
{
    struct kernel k;
    unsigned writes;

    kernel_begin(&k, "a b c d");
    ck_assert(kernel_add(&k, FLOW, "a", "b,c,d"));
    k.event[0] = '\0';
    writes = fake_writes();
    ck_assert(take(&k, FLOW, "c", false));
    ck_assert_uint_eq(k.deletion.replaced, 1);
    ck_assert_uint_eq(fake_writes(), writes + 2); /* the entry in place, and the VIF */
    ck_assert_str_eq(kernel_entry(&k, FLOW), "a b:1 d:1");
    ck_assert(!take(&k, FLOW, "b,c", false));
    assert_error(&k.error, "not-found");
    ck_assert_ptr_nonnull(strstr(k.error.message, "'c'"));
    ck_assert_str_eq(kernel_entry(&k, FLOW), "a b:1 d:1");
    ck_assert(take(&k, FLOW, "d,b", false));
    ck_assert_uint_eq(k.deletion.deleted, 1);
    ck_assert_uint_eq(mroute_totals(k.mroute).routes, 0);
    ck_assert_int_eq(k.owned, 0);
    ck_assert_str_eq(k.event, "mfc.replaced 10.0.0.1 239.1.1.1\nmfc.deleted 10.0.0.1 239.1.1.1\n");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(any_source_prefixes_and_ipv6_too)
{
    static const struct {
        const char *source, *group;
    } keys[] = {{NULL, "239.1.1.1"},         {NULL, "ff05::1"},      {"fd00::1", "ff05::1"},
                {"10.0.0.0/8", "239.1.1.1"}, {NULL, "239.2.0.0/16"}, {"fd00::/64", "ff3e::/32"}};
    struct kernel k;

    kernel_begin(&k, "a b c");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        ck_assert(append_to(&k, keys[i].source, keys[i].group, "a", "b"));
        ck_assert(append_to(&k, keys[i].source, keys[i].group, "a", "c"));
        ck_assert_int_eq(k.change, CHANGE_REPLACED);
        ck_assert_ptr_nonnull(strstr(kernel_routes(&k), " a b,c "));
        ck_assert(take(&k, keys[i].source, keys[i].group, "b", false));
        ck_assert_ptr_nonnull(strstr(kernel_routes(&k), " a c "));
        kernel_check(&k);
        ck_assert(take(&k, keys[i].source, keys[i].group, "c", false));
        ck_assert_uint_eq(mroute_totals(k.mroute).routes, 0);
        kernel_check(&k);
    }
    kernel_end(&k);
}
END_TEST

/* Of a route with patterns; and the idle time of a range stays. */
START_TEST(a_pattern_goes_as_a_whole)
{
    struct args_add_mfc args = route_args(NULL, "239.2.0.0/16", "a", "n+");
    const struct route *route;
    struct route_view view;
    struct kernel k;

    kernel_begin(&k, "a b n1 n2");
    args.idle = 77;
    ck_assert(append(&k, &args));
    args = route_args(NULL, "239.2.0.0/16", "a", "b");
    args.idle = 300;
    ck_assert(append(&k, &args));
    route = mroute_find(k.mroute, &args.source, &args.group, NULL, 0);
    route_describe(route, false, &view);
    ck_assert_uint_eq(view.idle, 77);
    ck_assert_uint_eq(view.oif_count, 2);
    ck_assert(!take(&k, NULL, "239.2.0.0/16", "n1", false));
    assert_error(&k.error, "not-found");
    ck_assert(take(&k, NULL, "239.2.0.0/16", "n+", false));
    ck_assert_uint_eq(k.deletion.replaced, 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

static struct holder user(uid_t uid)
{
    static uint64_t id = 100;

    return (struct holder){.kind = HOLDER_USER, .lease = {.id = id++, .uid = uid}};
}

START_TEST(what_others_hold_is_not_changed)
{
    struct holder root = user(0);
    struct kernel k;

    kernel_begin(&k, "a b c");
    root.administrator = true;
    k.holder = user(1000);
    ck_assert(kernel_add(&k, FLOW, "a", "b,c"));
    k.holder = user(1001);
    ck_assert(!take(&k, FLOW, "c", false));
    assert_error(&k.error, "not-allowed");
    ck_assert(kernel_add(&k, FLOW, "a", "b,c"));
    ck_assert(!take(&k, FLOW, "c", false));
    assert_error(&k.error, "in-use");
    ck_assert(!take(&k, FLOW, "b,c", false));
    assert_error(&k.error, "in-use");
    ck_assert(append_to(&k, FLOW, "a", "c")); /* it is there */
    ck_assert_int_eq(k.change, CHANGE_NONE);
    ck_assert_str_eq(kernel_entry(&k, FLOW), "a b:1 c:1");
    k.holder = root;
    ck_assert(take(&k, FLOW, "c", false));
    ck_assert_int_eq(k.owned, 2); /* both hold what is left, and root does not */
    ck_assert(take(&k, FLOW, "b", false));
    ck_assert_int_eq(k.owned, 0);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, what_is_appended_is_one_write);
    tcase_add_test(tests, thresholds_stay_unless_they_are_given);
    tcase_add_test(tests, a_dry_run_appends_and_takes_nothing);
    tcase_add_test(tests, interfaces_that_do_not_exist_are_known_or_waited_for);
    tcase_add_test(tests, another_inbound_interface_is_refused);
    tcase_add_test(tests, more_than_there_may_be_are_refused);
    tcase_add_test(tests, what_is_taken_leaves_the_rest);
    tcase_add_test(tests, any_source_prefixes_and_ipv6_too);
    tcase_add_test(tests, a_pattern_goes_as_a_whole);
    tcase_add_test(tests, what_others_hold_is_not_changed);
}

int main(void)
{
    return suite_run("oifs", add_tests);
}
