/* The actions of group memberships, as clients see them. */
#include "client.h"
#include "log.h"
#include "platform/process.h"
#include "resources/join/join.h"
#include "resources/join/operations.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ALICE = 1000, BOB = 1001 };

#define ADD(payload)  "{\"action\":\"ADD_JOIN\",\"payload\":{" payload "}}"
#define DEL(payload)  "{\"action\":\"DEL_JOIN\",\"payload\":{" payload "}}"
#define SHOW(payload) "{\"action\":\"SHOW_JOIN\",\"payload\":{" payload "}}"
#define ONE           "\"group\":\"239.1.1.1\",\"iif\":\"a\""

/* Everybody may do everything. */
static struct rule rule = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

static void begin(struct service *s)
{
    service_begin(s, "a b");
    s->services.policy.rules = &rule;
    s->services.policy.count = 1;
    client_connect(s, 0);
    client_connect_as(s, 1, ALICE);
    client_connect_as(s, 2, BOB);
}

static void assert_message(cJSON *reply, const char *text)
{
    ck_assert_str_eq(cJSON_GetObjectItem(reply, "message")->valuestring, text);
    cJSON_Delete(reply);
}

static cJSON *take_list(struct service *s, const char *request, const char *key)
{
    cJSON *reply = client_ask(s, 0, request);
    cJSON *payload = cJSON_GetObjectItem(reply, "payload");
    cJSON *list = cJSON_DetachItemFromObject(payload, key);

    ck_assert_ptr_nonnull(list);
    cJSON_Delete(reply);
    return list;
}

static size_t count_in(struct service *s, const char *request, const char *key)
{
    cJSON *list = take_list(s, request, key);
    size_t count = (size_t)cJSON_GetArraySize(list);

    cJSON_Delete(list);
    return count;
}

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItem(object, key)->valuestring;
}

START_TEST(a_join_is_added_shown_and_deleted)
{
    struct service s;
    cJSON *list, *join;

    begin(&s);
    assert_message(client_ask(&s, 1, ADD("\"group\":\"239.1.1.0/24\",\"iif\":\"a\"")),
                   "Join of 239.1.1.0/24 on a added.");
    ck_assert_uint_eq(fake_memberships(1), 256);
    assert_message(
        client_ask(&s, 1, ADD("\"source\":\"fd00::1\",\"group\":\"ff3e::1\",\"iif\":\"b\"")),
        "Join of ff3e::1 from fd00::1 on b added.");
    list = take_list(&s, SHOW(""), "joins");
    ck_assert_int_eq(cJSON_GetArraySize(list), 2);
    join = cJSON_GetArrayItem(list, 0);
    ck_assert_str_eq(text_of(join, "group"), "239.1.1.0/24");
    ck_assert_str_eq(text_of(join, "source"), "0.0.0.0");
    ck_assert_str_eq(text_of(join, "iif"), "a");
    ck_assert_str_eq(text_of(join, "state"), "joined");
    ck_assert_str_eq(text_of(join, "origin"), "client");
    ck_assert_int_eq(cJSON_GetObjectItem(join, "memberships")->valueint, 256);
    ck_assert_int_eq(cJSON_GetObjectItem(join, "owners")->valueint, 1);
    cJSON_Delete(list);
    ck_assert_uint_eq(count_in(&s, SHOW("\"family\":\"ipv6\""), "joins"), 1);
    assert_message(client_ask(&s, 1, DEL("\"group\":\"239.1.1.0/24\",\"iif\":\"a\"")),
                   "Join of 239.1.1.0/24 on a deleted.");
    service_settle(&s);
    ck_assert_uint_eq(fake_memberships(1), 0);
    service_end(&s);
}
END_TEST

START_TEST(two_users_hold_a_join)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 1, ADD(ONE)), "success");
    expect(client_ask(&s, 2, ADD(ONE)), "success");
    ck_assert_uint_eq(count_in(&s, "{\"action\":\"LEASES\"}", "leases"), 2);
    assert_message(client_ask(&s, 1, DEL(ONE ",\"dry_run\":true")),
                   "Join of 239.1.1.1 on a would be released; others still hold it.");
    assert_message(client_ask(&s, 1, DEL(ONE)),
                   "Join of 239.1.1.1 on a released; others still hold it.");
    expect(client_ask(&s, 1, DEL(ONE)), "not-allowed");
    assert_message(client_ask(&s, 2, DEL(ONE)), "Join of 239.1.1.1 on a deleted.");
    expect(client_ask(&s, 2, DEL(ONE)), "not-found");
    service_end(&s);
}
END_TEST

START_TEST(a_join_may_end_with_its_connection)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 1, ADD(ONE ",\"while_connected\":true")), "success");
    expect(client_ask(&s, 2, ADD("\"group\":\"239.1.1.2\",\"iif\":\"a\"")), "success");
    ck_assert_uint_eq(fake_memberships(1), 2);
    client_close(&s, 1);
    client_close(&s, 2);
    service_settle(&s);
    ck_assert_uint_eq(fake_memberships(1), 1);
    service_end(&s);
}
END_TEST

START_TEST(a_lease_on_a_join_is_revoked)
{
    struct service s;
    char request[96];
    cJSON *list, *lease;

    begin(&s);
    expect(client_ask(&s, 1, ADD("\"source\":\"10.0.0.0/30\"," ONE)), "success");
    list = take_list(&s, "{\"action\":\"LEASES\"}", "leases");
    lease = cJSON_GetArrayItem(list, 0);
    ck_assert_str_eq(text_of(lease, "kind"), "join");
    ck_assert_str_eq(text_of(lease, "what"), "239.1.1.1 from 10.0.0.0/30 on a");
    ck_assert_int_eq(cJSON_GetObjectItem(lease, "uid")->valueint, ALICE);
    snprintf(request, sizeof request, "{\"action\":\"REVOKE\",\"payload\":{\"lease\":\"%s\"}}",
             text_of(lease, "lease"));
    cJSON_Delete(list);
    expect(client_ask(&s, 0, request), "success");
    expect(client_ask(&s, 0, request), "not-found");
    service_settle(&s);
    ck_assert_uint_eq(fake_memberships(1), 0);
    service_end(&s);
}
END_TEST

START_TEST(leases_of_joins_are_counted)
{
    struct service s;

    begin(&s);
    s.services.users.limits.leases_per_user = 1;
    service_apply_limits(&s);
    expect(client_ask(&s, 1, ADD(ONE)), "success");
    expect(client_ask(&s, 1, ADD(ONE)), "success"); /* the same again */
    expect(client_ask(&s, 1, ADD("\"group\":\"239.1.1.2\",\"iif\":\"a\"")), "limit");
    expect(client_ask(&s, 1, DEL(ONE)), "success");
    expect(client_ask(&s, 1, ADD("\"group\":\"239.1.1.2\",\"iif\":\"a\"")), "success");
    service_end(&s);
}
END_TEST

/* A /21 is 2,048 memberships, and one user may have 2,560 of 10,240. */
START_TEST(one_user_takes_no_more_than_his_share_of_memberships)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 1, ADD("\"group\":\"239.1.0.0/21\",\"iif\":\"a\"")), "success");
    expect(client_ask(&s, 1, ADD("\"group\":\"239.2.0.0/22\",\"iif\":\"a\"")), "limit");
    expect(client_ask(&s, 2, ADD("\"group\":\"239.1.0.0/21\",\"iif\":\"a\"")), "success");
    expect(client_ask(&s, 2, ADD("\"group\":\"239.2.0.0/21\",\"iif\":\"a\"")), "success");
    expect(client_ask(&s, 0, ADD("\"group\":\"239.3.0.0/20\",\"iif\":\"a\"")), "success");
    ck_assert_uint_eq(s.join->joins->memberships.used, 2 * 2048 + 4096);
    /* He leaves, and the other is charged for what both had. */
    expect(client_ask(&s, 1, DEL("\"group\":\"239.1.0.0/21\",\"iif\":\"a\"")), "success");
    ck_assert_uint_eq(s.join->joins->memberships.used, 2 * 2048 + 4096);
    expect(client_ask(&s, 1, ADD("\"group\":\"239.4.0.0/22\",\"iif\":\"a\"")), "success");
    expect(client_ask(&s, 2, ADD("\"group\":\"239.5.0.0/29\",\"iif\":\"a\"")), "limit");
    service_end(&s);
}
END_TEST

START_TEST(a_join_waits_for_an_interface_where_it_is_asked_to)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 1, ADD("\"group\":\"239.1.1.1\",\"iif\":\"late\"")), "not-found");
    assert_message(client_ask(&s, 1, ADD("\"group\":\"239.1.1.1\",\"iif\":\"late\",\"wait\":true")),
                   "Join of 239.1.1.1 on late added; it waits for the interface.");
    fake_netif_add("late");
    expect(client_ask(&s, 1, "{\"action\":\"PING\"}"), "success");
    service_settle(&s);
    ck_assert_uint_eq(fake_memberships(3), 1);
    service_end(&s);
}
END_TEST

START_TEST(events_tell_of_joins)
{
    struct service s;
    cJSON *event;

    begin(&s);
    expect(client_ask(&s, 0, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"join.*\"]}}"),
           "success");
    expect(client_ask(&s, 1, ADD(ONE)), "success");
    event = client_line(&s, 0, NULL);
    ck_assert_str_eq(text_of(event, "event"), "join.added");
    ck_assert_str_eq(text_of(cJSON_GetObjectItem(event, "payload"), "state"), "joined");
    cJSON_Delete(event);
    service_end(&s);
}
END_TEST

START_TEST(what_the_kernel_refuses_is_answered)
{
    struct service s;

    begin(&s);
    fake_fail(5, -EIO);
    expect(client_ask(&s, 1, ADD("\"group\":\"239.1.1.0/28\",\"iif\":\"a\"")), "internal");
    ck_assert_uint_eq(count_in(&s, SHOW(""), "joins"), 0);
    service_settle(&s); /* what was joined before the refusal is left by and by */
    ck_assert_uint_eq(fake_memberships(1), 0);
    service_end(&s);
}
END_TEST

/* It is done although nobody reads the reply. */
START_TEST(a_client_that_hangs_up_at_once_is_served)
{
    struct service s;

    begin(&s);
    client_say(&s, 1, ADD("\"group\":\"239.1.0.0/24\",\"iif\":\"a\""));
    client_close(&s, 1);
    service_settle(&s);
    ck_assert_uint_eq(fake_memberships(1), 256);
    service_end(&s);
}
END_TEST

static const struct {
    const char *payload, *code;
} wrong[] = {
    {"\"group\":\"239.1.1.1\"", "missing-field"},
    {"\"iif\":\"a\"", "missing-field"},
    {"\"group\":\"10.0.0.1\",\"iif\":\"a\"", "not-multicast"},
    {"\"group\":\"224.0.0.5\",\"iif\":\"a\"", "not-forwarded"},
    {"\"group\":\"239.1.1.0/33\",\"iif\":\"a\"", "invalid-address"},
    {"\"group\":\"239.0.0.0/8\",\"iif\":\"a\"", "limit"},
    {"\"source\":\"10.0.0.0/20\",\"group\":\"239.1.1.0/31\",\"iif\":\"a\"", "limit"},
    {"\"source\":\"239.1.1.1\",\"group\":\"239.1.1.1\",\"iif\":\"a\"", "invalid-address"},
    {"\"source\":\"fd00::1\",\"group\":\"239.1.1.1\",\"iif\":\"a\"", "invalid-address"},
    {"\"group\":\"239.1.1.1\",\"iif\":\"nowhere\"", "not-found"},
    {"\"group\":\"239.1.1.1\",\"iif\":\"+\"", "invalid-name"},
    {"\"group\":\"239.1.1.1\",\"iif\":\"e+\",\"wait\":true", "invalid-name"},
    {"\"group\":\"239.1.1.1\",\"iif\":\"a\",\"table\":100", "unknown-field"},
};

START_TEST(a_wrong_request_is_refused)
{
    char request[192];
    struct service s;

    begin(&s);
    snprintf(request, sizeof request, ADD("%s"), wrong[_i].payload);
    expect(client_ask(&s, 1, request), wrong[_i].code);
    ck_assert_uint_eq(joins_totals(s.kernel.joins).joins, 0);
    service_end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_join_is_added_shown_and_deleted);
    tcase_add_test(tests, two_users_hold_a_join);
    tcase_add_test(tests, a_join_may_end_with_its_connection);
    tcase_add_test(tests, a_lease_on_a_join_is_revoked);
    tcase_add_test(tests, leases_of_joins_are_counted);
    tcase_add_test(tests, one_user_takes_no_more_than_his_share_of_memberships);
    tcase_add_test(tests, a_join_waits_for_an_interface_where_it_is_asked_to);
    tcase_add_test(tests, events_tell_of_joins);
    tcase_add_test(tests, what_the_kernel_refuses_is_answered);
    tcase_add_test(tests, a_client_that_hangs_up_at_once_is_served);
    tcase_add_loop_test(tests, a_wrong_request_is_refused, 0, sizeof wrong / sizeof *wrong);
}

int main(void)
{
    return suite_run("join_actions", add_tests);
}
