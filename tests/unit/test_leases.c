/* Who holds a route: users, sessions and the configuration, and what happens when they give it up.
 */
#include "client.h"
#include "kernel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct held_leases sessions[2];

static struct holder user(uid_t uid)
{
    static uint64_t id = 100;

    return (struct holder){.kind = HOLDER_USER, .lease = {.id = id++, .uid = uid}};
}

static struct holder session(uid_t uid, int n)
{
    struct holder holder = user(uid);

    holder.kind = HOLDER_SESSION;
    holder.session = &sessions[n];
    return holder;
}

static struct holder configuration(uint32_t generation)
{
    struct holder holder = user(0);

    holder.kind = HOLDER_CONFIGURATION;
    holder.generation = generation;
    holder.administrator = true;
    return holder;
}

static void begin(struct kernel *k)
{
    kernel_begin(k, "a b c");
    TAILQ_INIT(&sessions[0]);
    TAILQ_INIT(&sessions[1]);
}

static bool add_as(struct kernel *k, struct holder holder, const char *oifs)
{
    k->holder = holder;
    return kernel_add(k, "10.0.0.1", "239.1.1.1", "a", oifs);
}

static bool del_as(struct kernel *k, struct holder holder)
{
    k->holder = holder;
    return kernel_del(k, "10.0.0.1", "239.1.1.1");
}

static size_t routes(struct kernel *k)
{
    kernel_check(k);
    return mroute_totals(k->mroute).routes;
}

START_TEST(a_route_goes_with_the_last_that_holds_it)
{
    struct kernel k;

    begin(&k);
    ck_assert(add_as(&k, user(1000), "b"));
    ck_assert(add_as(&k, user(1001), "b"));
    ck_assert_int_eq(k.change, CHANGE_NONE);
    ck_assert_int_eq(k.owned, 2);
    ck_assert(add_as(&k, user(1001), "b"));
    ck_assert_int_eq(k.owned, 2);
    ck_assert(del_as(&k, user(1000)));
    ck_assert_uint_eq(k.deletion.kept, 1);
    ck_assert_int_eq(k.owned, 1);
    ck_assert_uint_eq(routes(&k), 1);
    ck_assert(!del_as(&k, user(1000)));
    ck_assert_int_eq(k.error.code, ERROR_NOT_ALLOWED);
    ck_assert(del_as(&k, user(1001)));
    ck_assert_uint_eq(k.deletion.kept, 0);
    ck_assert_int_eq(k.owned, 0);
    ck_assert_uint_eq(routes(&k), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(what_others_hold_is_changed_by_administrators)
{
    struct holder administrator = user(0);
    struct kernel k;

    begin(&k);
    administrator.administrator = true;
    ck_assert(add_as(&k, user(1000), "b"));
    ck_assert(add_as(&k, user(1000), "c")); /* its own */
    ck_assert(!add_as(&k, user(1001), "b"));
    ck_assert_int_eq(k.error.code, ERROR_IN_USE);
    ck_assert_int_eq(k.owned, 1);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a c:1");
    ck_assert(add_as(&k, administrator, "b,c"));
    ck_assert_int_eq(k.change, CHANGE_REPLACED);
    ck_assert_int_eq(k.owned, 2);
    ck_assert_uint_eq(routes(&k), 1);
    ck_assert(!add_as(&k, user(1000), "b"));
    ck_assert(del_as(&k, administrator)); /* its own hold */
    ck_assert_uint_eq(k.deletion.kept, 1);
    ck_assert(del_as(&k, administrator)); /* that of all others */
    ck_assert_uint_eq(k.deletion.kept, 0);
    ck_assert_int_eq(k.owned, 0);
    ck_assert_uint_eq(routes(&k), 0);
    kernel_end(&k);
}
END_TEST

/* A change that the kernel refuses leaves no hold behind. */
START_TEST(who_could_not_change_it_does_not_hold_it)
{
    struct holder administrator = user(0);
    struct kernel k;

    begin(&k);
    administrator.administrator = true;
    ck_assert(add_as(&k, user(1000), "b"));
    fake_fail(1, -12);
    ck_assert(!add_as(&k, administrator, "c"));
    ck_assert_int_eq(k.owned, 1);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1");
    ck_assert(del_as(&k, user(1000)));
    ck_assert_uint_eq(routes(&k), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(what_a_session_holds_ends_with_it)
{
    struct kernel k;

    begin(&k);
    ck_assert(add_as(&k, session(1000, 0), "b"));
    ck_assert(add_as(&k, session(1000, 1), "b"));
    ck_assert(kernel_add(&k, NULL, "239.2.0.0/16", "+", "c"));
    ck_assert_int_eq(k.owned, 3);
    end_leases(&k.leases, &sessions[1]);
    ck_assert_uint_eq(routes(&k), 1);
    end_leases(&k.leases, &sessions[0]);
    ck_assert_uint_eq(routes(&k), 0);
    ck_assert_int_eq(k.owned, 0);
    ck_assert_uint_eq(fake_vif_count(V4, 253), 0);
    kernel_end(&k);
}
END_TEST

/* Its hold moves to what takes the route's place, whoever puts it there. */
START_TEST(a_session_ends_after_its_route_was_replaced)
{
    struct holder administrator = user(0);
    struct kernel k;

    begin(&k);
    administrator.administrator = true;
    ck_assert(add_as(&k, session(1000, 0), "b"));
    ck_assert(add_as(&k, session(1000, 0), "c"));
    ck_assert(add_as(&k, administrator, "b,c"));
    ck_assert(del_as(&k, administrator));
    ck_assert_uint_eq(routes(&k), 1);
    end_leases(&k.leases, &sessions[0]);
    ck_assert_uint_eq(routes(&k), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(a_table_closes_with_the_session_that_used_it)
{
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "a", "b");
    struct holder holder;
    struct kernel k;

    begin(&k);
    holder = session(1000, 0);
    args.table = 9;
    close(kernel_open_table(&k, V4, 9));
    ck_assert(mroute_add(k.mroute, &args, &holder, &k.change, &k.error));
    args.group = kernel_prefix("239.1.0.0/16");
    ck_assert(mroute_add(k.mroute, &args, &holder, &k.change, &k.error));
    end_leases(&k.leases, &sessions[0]);
    ck_assert_uint_eq(k.closed, 1);
    ck_assert(!fake_table_is_owned(V4, 9));
    ck_assert_uint_eq(routes(&k), 0);
    kernel_end(&k);
}
END_TEST

/* How many routes go, or would. */
static size_t sweep(struct kernel *k, uint32_t generation, bool dry_run)
{
    struct mroute_filter everything = {0};
    struct holder holder = configuration(generation);
    struct route_cursor cursor;
    struct route *route;
    size_t count = 0;

    route_cursor_open(&cursor, k->mroute, &everything);
    while ((route = (struct route *)route_cursor_next(&cursor)))
        count += dry_run ? mroute_would_sweep(route, &holder) == SWEEP_ROUTE
                         : mroute_sweep(k->mroute, route, &holder);
    route_cursor_close(&cursor);
    return count;
}

START_TEST(the_configuration_lets_go_of_what_it_names_no_more)
{
    struct kernel k;

    begin(&k);
    k.holder = configuration(mroute_next_generation(k.mroute));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.2", "a", "b"));
    ck_assert(kernel_add(&k, NULL, "239.2.0.0/16", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.3", "a", "b"));
    k.holder = user(1000);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.3", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.4", "a", "b"));
    k.holder = configuration(mroute_next_generation(k.mroute));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert_int_eq(k.change, CHANGE_NONE);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.2", "a", "c"));
    ck_assert_uint_eq(sweep(&k, k.holder.generation, true), 1);
    ck_assert_int_eq(k.owned, 6);
    ck_assert_uint_eq(sweep(&k, k.holder.generation, false), 1);
    ck_assert_int_eq(k.owned, 4);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b installed\n"
                                        "10.0.0.1 239.1.1.2 a c installed\n"
                                        "10.0.0.1 239.1.1.3 a b installed\n"
                                        "10.0.0.1 239.1.1.4 a b installed\n");
    ck_assert_uint_eq(sweep(&k, mroute_next_generation(k.mroute), false), 2);
    ck_assert_uint_eq(routes(&k), 2);
    kernel_end(&k);
}
END_TEST

START_TEST(one_of_two_leases_is_revoked)
{
    struct kernel k;
    struct holder one = user(1000), two = user(1001);

    begin(&k);
    ck_assert(add_as(&k, one, "b"));
    ck_assert(add_as(&k, two, "b"));
    ck_assert(!lease_end(&k.leases, leases_find(&k.leases, one.lease.id)));
    ck_assert(!leases_find(&k.leases, one.lease.id));
    ck_assert_uint_eq(routes(&k), 1);
    ck_assert(!del_as(&k, user(1000)));
    ck_assert(lease_end(&k.leases, leases_find(&k.leases, two.lease.id)));
    ck_assert_uint_eq(routes(&k), 0);
    ck_assert_int_eq(k.owned, 0);
    kernel_end(&k);
}
END_TEST

START_TEST(a_group_from_several_interfaces_is_deleted_whole_or_in_part)
{
    struct args_del_mfc args = {.group = kernel_prefix("239.1.1.1"), .iif.text = "b"};
    struct holder holder = user(1000);
    struct kernel k;

    begin(&k);
    k.holder = holder;
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "a", "c"));
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "b", "c"));
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "b+", "c"));
    ck_assert(mroute_del(k.mroute, &args, &holder, &k.deletion, &k.error));
    ck_assert_uint_eq(routes(&k), 2);
    ck_assert(!mroute_del(k.mroute, &args, &holder, &k.deletion, &k.error));
    ck_assert_int_eq(k.error.code, ERROR_NOT_FOUND);
    k.holder = user(1001);
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "b", "c"));
    ck_assert(!kernel_del(&k, NULL, "239.1.1.1")); /* two are another's: none goes */
    ck_assert_uint_eq(routes(&k), 3);
    k.holder.administrator = true;
    ck_assert(kernel_del(&k, NULL, "239.1.1.1"));
    ck_assert_uint_eq(routes(&k), 0);
    kernel_end(&k);
}
END_TEST

/* --- Through the service ------------------------------------------------------------------- */

#define ADD_FOR_NOW                                                                                \
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\","        \
    "\"iif\":\"a\",\"oifs\":[\"b\"],\"while_connected\":true}}"
#define ADD_FOR_GOOD                                                                               \
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\","        \
    "\"iif\":\"a\",\"oifs\":[\"b\"]}}"
#define ADD_RANGE_FOR_NOW                                                                          \
    "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.0.0.0/8\",\"iif\":\"+\",\"oifs\":["      \
    "\"c\"],\"while_connected\":true}}"
#define DEL "{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\"}}"

static size_t service_routes(struct service *service)
{
    return routes(&service->kernel);
}

START_TEST(a_client_that_goes_takes_its_routes_along)
{
    struct service service;

    service_begin(&service, "a b c");
    client_connect(&service, 0);
    client_connect(&service, 1);
    expect(client_ask(&service, 0, ADD_FOR_NOW), "success");
    expect(client_ask(&service, 0, ADD_RANGE_FOR_NOW), "success");
    expect(client_ask(&service, 1, ADD_FOR_NOW), "success");
    ck_assert_uint_eq(service_routes(&service), 2);
    client_close(&service, 0);
    service_settle(&service);
    ck_assert_uint_eq(service_routes(&service), 1);
    client_close(&service, 1);
    service_settle(&service);
    ck_assert_uint_eq(service_routes(&service), 0);
    ck_assert_uint_eq(fake_vif_count(V4, 253), 0);
    service_end(&service);
}
END_TEST

START_TEST(a_user_may_hold_it_for_now_and_for_good)
{
    struct service service;

    service_begin(&service, "a b c");
    client_connect(&service, 0);
    expect(client_ask(&service, 0, ADD_FOR_NOW), "success");
    expect(client_ask(&service, 0, ADD_FOR_GOOD), "success");
    client_close(&service, 0);
    service_settle(&service);
    ck_assert_uint_eq(service_routes(&service), 1);
    client_connect(&service, 1);
    expect(client_ask(&service, 1, ADD_FOR_NOW), "success");
    expect(client_ask(&service, 1, DEL), "success"); /* both of its own */
    ck_assert_uint_eq(service_routes(&service), 0);
    client_close(&service, 1);
    service_settle(&service);
    ck_assert_uint_eq(service_routes(&service), 0);
    service_end(&service);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_route_goes_with_the_last_that_holds_it);
    tcase_add_test(tests, what_others_hold_is_changed_by_administrators);
    tcase_add_test(tests, who_could_not_change_it_does_not_hold_it);
    tcase_add_test(tests, what_a_session_holds_ends_with_it);
    tcase_add_test(tests, a_session_ends_after_its_route_was_replaced);
    tcase_add_test(tests, a_table_closes_with_the_session_that_used_it);
    tcase_add_test(tests, the_configuration_lets_go_of_what_it_names_no_more);
    tcase_add_test(tests, one_of_two_leases_is_revoked);
    tcase_add_test(tests, a_group_from_several_interfaces_is_deleted_whole_or_in_part);
    tcase_add_test(tests, a_client_that_goes_takes_its_routes_along);
    tcase_add_test(tests, a_user_may_hold_it_for_now_and_for_good);
}

int main(void)
{
    return suite_run("leases", add_tests);
}
