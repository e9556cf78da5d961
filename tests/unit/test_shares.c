/* What one user's routes take of tables, VIFs and learned routes, and what is left to others. */
#include "client.h"
#include "resources/mroute/demand.h"
#include "resources/mroute/mroute_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALICE = 1000, BOB = 1001, TABLE = 253 };

static struct rule rule = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

static void begin(struct service *s, const char *interfaces)
{
    service_begin(s, interfaces);
    s->services.policy.rules = &rule;
    s->services.policy.count = 1;
    client_connect(s, 0);
    client_connect_as(s, 1, ALICE);
    client_connect_as(s, 2, BOB);
}

static struct mroute_shares *shares(struct service *s)
{
    return &s->kernel.mroute->shares;
}

static struct pool *vifs(struct service *s)
{
    return &find_table(s->kernel.mroute, V4, TABLE)->shares.vifs;
}

static cJSON *add(struct service *s, int n, const char *group, const char *iif, const char *oif,
                  uint32_t table)
{
    char text[256];

    sprintf(
        text,
        "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"%s\",\"iif\":\"%s\",\"oifs\":[\"%s\"],"
        "\"table\":%u}}",
        group, iif, oif, table);
    return client_ask(s, n, text);
}

static cJSON *del(struct service *s, int n, const char *group, uint32_t table)
{
    char text[128];

    sprintf(text, "{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"%s\",\"table\":%u}}", group,
            table);
    return client_ask(s, n, text);
}

static uint64_t used_by(struct service *s, const struct pool *pool, uid_t uid)
{
    const struct account *user = pools_find(&s->services.users.pools, uid);

    return user ? user->used[pool->place] : 0;
}

/* --- Tables -------------------------------------------------------------------------------- */

/* The keeper's answer comes at once. */
static void open_table(struct service *s, uint32_t table)
{
    close(kernel_open_table(&s->kernel, V4, table));
}

START_TEST(one_user_has_a_share_of_the_tables)
{
    struct service s;

    begin(&s, "a b");
    for (uint32_t table = 1; table <= 5; table++) {
        open_table(&s, table);
        expect(add(&s, 1, "239.1.1.1", "a", "b", table), table <= 4 ? "success" : "limit");
    }
    expect(add(&s, 1, "239.1.1.1", "a", "b", 6), "limit"); /* that is not open */
    ck_assert_uint_eq(shares(&s)->tables.refused, 2);
    expect(add(&s, 2, "239.1.1.1", "a", "b", 5), "success");
    expect(add(&s, 2, "239.1.1.1", "a", "b", 1), "success");
    expect(add(&s, 1, "239.1.1.1", "a", "b", 5), "success"); /* the other is charged for it */
    ck_assert_uint_eq(shares(&s)->tables.used, 5);
    expect(del(&s, 1, "239.1.1.1", 1), "success");
    ck_assert_uint_eq(used_by(&s, &shares(&s)->tables, ALICE), 3);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->tables, BOB), 2);
    expect(add(&s, 1, "239.1.1.1", "a", "b", TABLE), "success"); /* it costs nothing */
    ck_assert_uint_eq(shares(&s)->tables.used, 5);
    service_end(&s);
}
END_TEST

/* --- VIFs ---------------------------------------------------------------------------------- */

#define TWENTY "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11 e12 e13 e14 e15 e16 e17 e18 e19 e20"

static cJSON *add_nth(struct service *s, int n, int i)
{
    char group[32], oif[8];

    sprintf(group, "239.1.1.%d", i);
    sprintf(oif, "e%d", i);
    return add(s, n, group, "e1", oif, TABLE);
}

START_TEST(one_user_has_a_share_of_the_vifs)
{
    struct service s;

    begin(&s, TWENTY);
    for (int i = 2; i <= 16; i++)
        expect(add_nth(&s, 1, i), "success");
    ck_assert_uint_eq(used_by(&s, vifs(&s), ALICE), 16);
    expect(add_nth(&s, 1, 17), "limit");
    expect(add_nth(&s, 2, 17), "success");
    expect(add_nth(&s, 2, 16), "success");
    ck_assert_uint_eq(used_by(&s, vifs(&s), BOB), 1);
    expect(add(&s, 1, "239.2.1.1", "e17", "e16", TABLE), "success"); /* they are there already */
    expect(del(&s, 1, "239.1.1.16", TABLE), "success");
    expect(del(&s, 1, "239.2.1.1", TABLE), "success");
    ck_assert_uint_eq(used_by(&s, vifs(&s), ALICE), 15);
    ck_assert_uint_eq(used_by(&s, vifs(&s), BOB), 2);
    expect(add_nth(&s, 0, 18), "success"); /* root has no share */
    service_end(&s);
}
END_TEST

/* A pattern means interfaces that are no more than the share either. */
START_TEST(patterns_have_the_share_of_their_user)
{
    struct service s;

    begin(&s, TWENTY);
    expect(add(&s, 1, "239.1.0.0/16", "e+", "e1", TABLE), "success");
    ck_assert_uint_eq(used_by(&s, vifs(&s), ALICE), 16);
    ck_assert_uint_eq(vifs(&s)->used, 16);
    expect(add(&s, 2, "239.2.1.1", "e19", "e20", TABLE), "success");
    expect(del(&s, 1, "239.1.0.0/16", TABLE), "success");
    ck_assert_uint_eq(vifs(&s)->used, 2);
    service_end(&s);
}
END_TEST

START_TEST(what_is_replaced_is_charged_anew)
{
    struct service s;

    begin(&s, "a b c d");
    expect(add(&s, 1, "239.1.1.1", "a", "b", TABLE), "success");
    expect(add(&s, 1, "239.1.1.1", "a", "c\",\"d", TABLE), "success");
    ck_assert_uint_eq(used_by(&s, vifs(&s), ALICE), 3);
    expect(add(&s, 1, "239.1.1.1", "a", "d", TABLE), "success");
    ck_assert_uint_eq(used_by(&s, vifs(&s), ALICE), 2);
    expect(del(&s, 1, "239.1.1.1", TABLE), "success");
    ck_assert_uint_eq(vifs(&s)->used, 0);
    service_end(&s);
}
END_TEST

/* Who came first has used his share of the VIFs while the interface was away: it is charged to
 * another one of those who use it, who has room. */
START_TEST(an_interface_that_returns_is_charged_to_who_has_room)
{
    struct service s;

    begin(&s, TWENTY);
    expect(add_nth(&s, 1, 20), "success");
    expect(add_nth(&s, 0, 20), "success");
    fake_netif_del("e20");
    kernel_update(&s.kernel);
    for (int i = 2; i <= 16; i++)
        expect(add_nth(&s, 1, i), "success");
    fake_netif_add("e20");
    kernel_update(&s.kernel);
    ck_assert_str_eq(kernel_entry(&s.kernel, "0.0.0.0", "239.1.1.20"), "e1 e1:1 e20:1");
    service_end(&s);
}
END_TEST

/* Nor is an interface lost that two patterns mean, where one user has his share already. */
START_TEST(who_has_room_gathers_what_two_patterns_mean)
{
    struct service s;

    begin(&s, TWENTY);
    expect(add(&s, 1, "239.1.0.0/16", "e+", "e1", TABLE), "success");
    expect(add(&s, 2, "239.2.0.0/16", "e1+", "e1", TABLE), "success");
    ck_assert_uint_eq(used_by(&s, vifs(&s), BOB), 3); /* e17 to e19 */
    expect(add(&s, 0, "239.1.0.0/16", "e+", "e1", TABLE), "success");
    fake_netif_add("e30");
    kernel_update(&s.kernel);
    ck_assert_uint_eq(vifs(&s)->used, 21);
    service_end(&s);
}
END_TEST

static cJSON *wait_for(struct service *s, int n, int i)
{
    char text[160];

    sprintf(text,
            "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.1.%d.%d\",\"iif\":\"a\","
            "\"oifs\":[\"w%d\"],\"wait\":true}}",
            i / 200, i % 200 + 1, i);
    return client_ask(s, n, text);
}

/* A table has room for 256 names. */
START_TEST(names_that_are_waited_for_are_shared_out)
{
    struct service s;

    begin(&s, "a b c");
    for (int i = 1; i < NAMES_PER_USER; i++)
        expect(wait_for(&s, 1, i), "success");
    expect(wait_for(&s, 1, 200), "limit");
    expect(wait_for(&s, 1, 1), "success");
    for (int i = 201; i <= 296; i++)
        expect(wait_for(&s, 2, i), "success");
    expect(wait_for(&s, 2, 297), "limit"); /* what is left is root's */
    expect(add(&s, 0, "239.9.9.9", "b", "c", TABLE), "success");
    expect(wait_for(&s, 0, 298), "success");
    service_end(&s);
}
END_TEST

/* --- Learned routes ------------------------------------------------------------------------ */

static void flood(struct service *s, const char *group, unsigned count)
{
    unsigned ifindex = netifs_find(s->kernel.netifs, "a")->ifindex;
    struct address from, to;
    char text[32];

    ck_assert(address_parse(group, &to));
    for (unsigned i = 0; i < count; i++) {
        sprintf(text, "10.9.%u.%u", i / 250, i % 250 + 1);
        ck_assert(address_parse(text, &from));
        fake_packet(V4, TABLE, ifindex, &from, &to);
        mroute_read_upcalls(s->kernel.mroute, V4, TABLE);
    }
}

static void limit_learned(struct service *s, unsigned learned)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.learned_routes = learned;
    mroute_set_shares(s->kernel.mroute, &limits);
}

START_TEST(a_flood_at_one_range_leaves_the_others_theirs)
{
    struct service s;

    begin(&s, "a b");
    limit_learned(&s, 400); /* 100 a user, 50 a range */
    expect(add(&s, 1, "239.1.0.0/16", "a", "b", TABLE), "success");
    expect(add(&s, 1, "239.2.0.0/16", "a", "b", TABLE), "success");
    expect(add(&s, 1, "239.3.0.0/16", "a", "b", TABLE), "success");
    expect(add(&s, 2, "239.4.0.0/16", "a", "b", TABLE), "success");
    flood(&s, "239.1.1.1", 400);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, ALICE), 50);
    flood(&s, "239.2.1.1", 400);
    flood(&s, "239.3.1.1", 400);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, ALICE), 100);
    ck_assert_uint_gt(shares(&s)->learned.refused, 0);
    flood(&s, "239.4.1.1", 30);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, BOB), 30);
    expect(del(&s, 1, "239.1.0.0/16", TABLE), "success");
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, ALICE), 50);
    expect(client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true}}"), "success");
    for (int i = 0; i < 10; i++)
        service_settle(&s);
    ck_assert_uint_eq(shares(&s)->learned.used, 0);
    ck_assert_uint_eq(vifs(&s)->used, 0);
    service_end(&s);
}
END_TEST

/* The administrator wrote it, so it has no share: of all there is, one range has half. */
START_TEST(what_is_configured_has_no_share)
{
    struct args_add_mfc args = route_args(NULL, "239.1.0.0/16", "a", "b");
    struct holder holder = {.kind = HOLDER_CONFIGURATION};
    enum route_change change;
    struct service s;

    begin(&s, "a b");
    limit_learned(&s, 400);
    holder.lease = lease_prepare(&s.services.leases, LEASE_UID_UNKNOWN);
    ck_assert(mroute_add(s.kernel.mroute, &args, &holder, &change, &s.kernel.error));
    ck_assert_uint_eq(used_by(&s, vifs(&s), POOL_UID_NOBODY), 2);
    flood(&s, "239.1.1.1", 300);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, POOL_UID_NOBODY), 200);
    ck_assert_uint_eq(shares(&s)->learned.used_by_exempt, 200);
    service_end(&s);
}
END_TEST

START_TEST(a_configured_set_has_no_share)
{
    struct vif_needs *needs;
    struct error error;
    struct service s;

    begin(&s, TWENTY);
    needs = mroute_needs_new(s.kernel.mroute, LEASE_UID_UNKNOWN);
    for (int i = 2; i <= 20; i++) {
        struct args_add_mfc args;
        char oif[8];

        sprintf(oif, "e%d", i);
        args = route_args(NULL, "239.1.1.1", "e1", oif);
        args.table = (uint32_t)i % 6 ? 0 : 100 + (uint32_t)i;
        ck_assert(mroute_needs_add(needs, &args, &error));
    }
    free(needs);
    service_end(&s);
}
END_TEST

/* Who holds the same range as another one learns as long as one of them has room, and who gave it
 * up pays for it no more. */
START_TEST(what_a_shared_range_learns_is_charged_to_who_has_room)
{
    struct service s;

    begin(&s, "a b");
    limit_learned(&s, 400);
    for (int i = 1; i <= 3; i++) {
        char group[32];

        sprintf(group, "239.%d.0.0/16", i);
        expect(add(&s, 1, group, "a", "b", TABLE), "success");
    }
    expect(add(&s, 2, "239.3.0.0/16", "a", "b", TABLE), "success");
    flood(&s, "239.1.1.1", 100);
    flood(&s, "239.2.1.1", 100);
    flood(&s, "239.3.1.1", 30);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, ALICE), 100);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, BOB), 30);
    expect(del(&s, 1, "239.1.0.0/16", TABLE), "success");
    flood(&s, "239.3.2.1", 10);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, ALICE), 60);
    expect(del(&s, 1, "239.3.0.0/16", TABLE), "success");
    mroute_tick(s.kernel.mroute, 0);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, ALICE), 50);
    ck_assert_uint_eq(used_by(&s, &shares(&s)->learned, BOB), 40);
    service_end(&s);
}
END_TEST

START_TEST(a_pool_that_is_nearly_full_is_told)
{
    struct service s;
    cJSON *reply;
    char *line;

    begin(&s, "a b");
    ck_assert(pool_force(&shares(&s)->learned, BOB, 60000));
    cJSON_Delete(client_ask(&s, 0, "{\"action\":\"STATUS\"}"));
    client_say(&s, 0, "{\"action\":\"STATUS\"}");
    reply = client_line(&s, 0, &line);
    ck_assert_ptr_nonnull(strstr(line, "{\"name\":\"learned_routes\",\"used\":60000,"));
    ck_assert_ptr_nonnull(strstr(line, "\"largest_uid\":1001,\"largest_used\":60000}"));
    free(line);
    expect(reply, "success");
    client_say(&s, 0, "{\"action\":\"DIAGNOSE\",\"payload\":{\"group\":\"239.1.1.1\"}}");
    reply = client_line(&s, 0, &line);
    ck_assert_ptr_nonnull(strstr(line, "60000 learned routes of 65536"));
    ck_assert_ptr_nonnull(strstr(line, "user 1001 most of them"));
    free(line);
    expect(reply, "success");
    pool_return(&shares(&s)->learned, BOB, 60000);
    service_end(&s);
}
END_TEST

START_TEST(idle_is_bounded_but_for_the_administrator)
{
    static const char long_idle[] =
        "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.1.0.0/16\",\"iif\":\"a\","
        "\"oifs\":[\"b\"],\"idle\":86400}}";
    struct service s;

    begin(&s, "a b");
    expect(client_ask(&s, 1, long_idle), "limit");
    expect(client_ask(&s, 0, long_idle), "success");
    service_end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, one_user_has_a_share_of_the_tables);
    tcase_add_test(tests, one_user_has_a_share_of_the_vifs);
    tcase_add_test(tests, patterns_have_the_share_of_their_user);
    tcase_add_test(tests, what_is_replaced_is_charged_anew);
    tcase_add_test(tests, names_that_are_waited_for_are_shared_out);
    tcase_add_test(tests, who_has_room_gathers_what_two_patterns_mean);
    tcase_add_test(tests, an_interface_that_returns_is_charged_to_who_has_room);
    tcase_add_test(tests, a_flood_at_one_range_leaves_the_others_theirs);
    tcase_add_test(tests, what_is_configured_has_no_share);
    tcase_add_test(tests, a_configured_set_has_no_share);
    tcase_add_test(tests, what_a_shared_range_learns_is_charged_to_who_has_room);
    tcase_add_test(tests, a_pool_that_is_nearly_full_is_told);
    tcase_add_test(tests, idle_is_bounded_but_for_the_administrator);
}

int main(void)
{
    return suite_run("shares", add_tests);
}
