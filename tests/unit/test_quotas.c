/* Sessions under the limits of their users, and of time: the seconds pass when the test says so. */
#include "client.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { GREEDY = 1000, MODEST = 1001 };

static const char ping[] = "{\"action\":\"PING\"}";

static struct limits *limits_of(struct service *s)
{
    return &s->services.users.limits;
}

static void pass_seconds(struct service *s, unsigned count)
{
    while (count-- > 0)
        sessions_tick(&s->services);
    service_settle(s);
}

static uint64_t ended(const struct service *s, enum wait wait)
{
    return s->services.sessions.ended[wait];
}

/* --- Deadlines ----------------------------------------------------------------------------- */

START_TEST(half_a_request_is_too_slow)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_connect(&s, 1);
    expect(client_ask(&s, 0, ping), "success");
    client_say(&s, 0, "{\"action\":");
    service_settle(&s);
    pass_seconds(&s, limits_of(&s)->request_seconds);
    ck_assert_uint_eq(s.closed, 0);
    expect(client_ask(&s, 1, ping), "success");
    pass_seconds(&s, 1);
    expect(client_line(&s, 0, NULL), "too-slow");
    ck_assert(client_at_end(&s, 0));
    ck_assert_uint_eq(ended(&s, WAIT_REST), 1);
    expect(client_ask(&s, 1, ping), "success");
    service_end(&s);
}
END_TEST

START_TEST(a_byte_each_second_is_too_slow)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    for (unsigned i = 0; i <= limits_of(&s)->request_seconds; i++) {
        ck_assert_ptr_null(client_line(&s, 0, NULL));
        client_say(&s, 0, i == 0 ? "{" : " ");
        service_settle(&s);
        pass_seconds(&s, 1);
    }
    expect(client_line(&s, 0, NULL), "too-slow");
    service_end(&s);
}
END_TEST

/* Each time that a second passes, some request is half there; but it is never the same. */
START_TEST(many_requests_in_pieces_are_not_too_slow)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_say(&s, 0, "{\"action\":");
    for (int i = 0; i < 100; i++) {
        service_settle(&s);
        pass_seconds(&s, 1);
        expect(client_ask(&s, 0, "\"PING\"}{\"action\":"), "success");
    }
    service_end(&s);
}
END_TEST

START_TEST(an_idle_connection_ends)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_connect(&s, 1);
    pass_seconds(&s, limits_of(&s)->idle_seconds);
    expect(client_ask(&s, 0, ping), "success");
    client_say(&s, 1, " \n"); /* no request, so it does not count */
    service_settle(&s);
    ck_assert_uint_eq(s.closed, 0);
    pass_seconds(&s, limits_of(&s)->idle_seconds);
    expect(client_ask(&s, 0, ping), "success");
    expect(client_line(&s, 1, NULL), "too-slow");
    ck_assert(client_at_end(&s, 1));
    ck_assert_uint_eq(s.closed, 1);
    ck_assert_uint_eq(ended(&s, WAIT_REQUEST), 1);
    service_end(&s);
}
END_TEST

START_TEST(a_subscriber_may_be_silent_for_ever)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    expect(client_ask(&s, 0, "{\"action\":\"SUBSCRIBE\"}"), "success");
    pass_seconds(&s, 10 * limits_of(&s)->idle_seconds);
    ck_assert(kernel_add(&s.kernel, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert_uint_eq(s.closed, 0);
    cJSON_Delete(client_line(&s, 0, NULL));
    service_end(&s);
}
END_TEST

/* Asks without reading, until the service takes no more. */
static void ask_without_reading(struct service *s, int n)
{
    for (int full = 0; full < 10;) {
        full =
            send(s->clients[n], "{\"action\":\"DESCRIBE\"}", 21, MSG_NOSIGNAL) == 21 ? 0 : full + 1;
        service_settle(s);
    }
}

START_TEST(who_reads_nothing_is_not_waited_for)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    ask_without_reading(&s, 0);
    ck_assert_uint_gt(s.services.users.bytes.used, 0);
    pass_seconds(&s, limits_of(&s)->reply_seconds);
    ck_assert_uint_eq(s.closed, 0);
    pass_seconds(&s, 1);
    ck_assert_uint_eq(s.closed, 1);
    ck_assert_uint_eq(ended(&s, WAIT_READER), 1);
    ck_assert_uint_eq(s.services.users.bytes.used, 0);
    service_end(&s);
}
END_TEST

START_TEST(a_slow_reader_gets_all)
{
    struct service s;
    char bytes[16384];

    service_begin(&s, "a b");
    client_connect(&s, 0);
    ask_without_reading(&s, 0);
    for (int i = 0; i < 3; i++) {
        size_t got = 0;

        pass_seconds(&s, limits_of(&s)->reply_seconds);
        for (ssize_t n; (n = recv(s.clients[0], bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
            got += (size_t)n;
        ck_assert_uint_gt(got, 0);
        service_settle(&s);
    }
    ck_assert_uint_eq(s.closed, 0);
    service_end(&s);
}
END_TEST

/* --- Requests ------------------------------------------------------------------------------ */

/* Everyone may do everything, so that quotas are what remains. */
static void allow_all(struct service *s, struct rule *rule)
{
    *rule = (struct rule){.everyone = true, .verb_count = 1, .verbs = {"*"}};
    s->services.policy = (struct policy){.count = 1, .rules = rule};
}

static int count_answers(struct service *s, int n)
{
    int count = 0;

    for (cJSON *reply; (reply = client_line(s, n, NULL)); count++)
        expect(reply, "success");
    return count;
}

START_TEST(who_asks_too_fast_waits_for_the_next_second)
{
    struct service s;
    struct rule rule;

    service_begin(&s, "a b");
    allow_all(&s, &rule);
    limits_of(&s)->requests_per_second = 5;
    client_connect_as(&s, 0, GREEDY);
    client_connect_as(&s, 1, GREEDY); /* the same user */
    client_connect_as(&s, 2, MODEST);
    for (int i = 0; i < 12; i++)
        client_say(&s, 0, ping);
    ck_assert_int_eq(count_answers(&s, 0), 5);
    client_say(&s, 1, ping);
    ck_assert_int_eq(count_answers(&s, 1), 0);
    expect(client_ask(&s, 2, ping), "success");
    pass_seconds(&s, 1);
    ck_assert_int_eq(count_answers(&s, 0) + count_answers(&s, 1), 5);
    pass_seconds(&s, 1);
    pass_seconds(&s, 1);
    ck_assert_int_eq(count_answers(&s, 0) + count_answers(&s, 1), 3);
    ck_assert_uint_ge(s.services.users.throttled_seconds, 2);
    service_end(&s);
}
END_TEST

START_TEST(the_administrator_may_ask_as_fast_as_he_can)
{
    struct service s;

    service_begin(&s, "a b");
    limits_of(&s)->requests_per_second = 5;
    client_connect_as(&s, 0, 0);
    for (int i = 0; i < 100; i++)
        client_say(&s, 0, ping);
    ck_assert_int_eq(count_answers(&s, 0), 100);
    service_end(&s);
}
END_TEST

/* --- Memory -------------------------------------------------------------------------------- */

START_TEST(who_does_not_read_fills_his_own_memory_only)
{
    struct service s;
    struct rule rule;

    service_begin(&s, "a b");
    allow_all(&s, &rule);
    limits_of(&s)->queued_bytes_per_user = 131072;
    service_apply_limits(&s);
    client_connect_as(&s, 0, GREEDY);
    client_connect_as(&s, 1, GREEDY);
    client_connect_as(&s, 2, MODEST);
    ask_without_reading(&s, 0);
    ck_assert_uint_ge(s.services.users.bytes.used, OUT_ROOM);
    ck_assert_uint_lt(s.services.users.bytes.used, 3UL * 131072); /* one reply, not many */
    expect(client_ask(&s, 2, ping), "success");
    ck_assert_int_gt(count_answers(&s, 0), 1); /* nothing is lost */
    expect(client_ask(&s, 1, ping), "success");
    service_end(&s);
}
END_TEST

/* What is begun and not whole counts: 64 KiB are four of them. */
START_TEST(half_requests_take_memory_and_those_who_get_none_are_told)
{
    struct service s;
    struct rule rule;
    cJSON *reply;

    service_begin(&s, "a b");
    allow_all(&s, &rule);
    limits_of(&s)->queued_bytes_per_user = 65536;
    limits_of(&s)->request_seconds = 1000;
    service_apply_limits(&s);
    for (int n = 0; n < 3; n++) {
        client_connect_as(&s, n, GREEDY);
        client_say(&s, n, "{\"action\":");
        service_settle(&s);
        ck_assert_uint_eq(s.services.users.bytes.used, (uintmax_t)(n + 1) * REQUEST_MAX);
    }
    client_connect_as(&s, 3, GREEDY);
    ck_assert(pool_charge_account(&s.services.users.bytes,
                                  pools_find(&s.services.users.pools, GREEDY), REQUEST_MAX, NULL));
    client_say(&s, 3, ping);
    ck_assert_ptr_null(client_line(&s, 3, NULL));
    pass_seconds(&s, limits_of(&s)->reply_seconds + 1);
    ck_assert_ptr_nonnull(reply = client_line(&s, 3, NULL));
    ck_assert_ptr_nonnull(
        strstr(cJSON_GetObjectItem(reply, "message")->valuestring, "queued-bytes-per-user"));
    expect(reply, "limit");
    ck_assert(client_at_end(&s, 3));
    for (int n = 0; n < 3; n++) /* nor could they be answered */
        expect(client_line(&s, n, NULL), "limit");
    ck_assert_uint_eq(ended(&s, WAIT_MEMORY), 4);
    pool_return(&s.services.users.bytes, GREEDY, REQUEST_MAX);
    client_close(&s, 3);
    client_connect_as(&s, 3, MODEST);
    expect(client_ask(&s, 3, ping), "success");
    service_end(&s);
}
END_TEST

static void expect_event(struct service *s, int n, const char *topic)
{
    cJSON *event = client_line(s, n, NULL);

    ck_assert_ptr_nonnull(event);
    ck_assert_str_eq(cJSON_GetObjectItem(event, "event")->valuestring, topic);
    cJSON_Delete(event);
}

START_TEST(events_of_a_user_without_memory_wait)
{
    struct service s;
    struct rule rule;

    service_begin(&s, "a b");
    allow_all(&s, &rule);
    client_connect_as(&s, 0, GREEDY);
    client_connect_as(&s, 1, MODEST);
    for (int n = 0; n < 2; n++)
        expect(client_ask(&s, n, "{\"action\":\"SUBSCRIBE\"}"), "success");
    limits_of(&s)->queued_bytes_per_user = 65536;
    service_apply_limits(&s);
    pool_force(&s.services.users.bytes, GREEDY, 64000);
    ck_assert(kernel_add(&s.kernel, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&s.kernel, "10.0.0.1", "239.1.1.2", "a", "b"));
    ck_assert_ptr_null(client_line(&s, 0, NULL));
    expect_event(&s, 1, "mfc.added");
    pool_return(&s.services.users.bytes, GREEDY, 64000);
    pass_seconds(&s, 1);
    expect_event(&s, 0, "mfc.added");
    expect_event(&s, 0, "mfc.added");
    service_end(&s);
}
END_TEST

/* --- Leases -------------------------------------------------------------------------------- */

static cJSON *add_route(struct service *s, int n, int group, const char *oif)
{
    char text[160];

    sprintf(text,
            "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.1.1.%d\",\"iif\":\"a\","
            "\"oifs\":[\"%s\"]}}",
            group, oif);
    return client_ask(s, n, text);
}

START_TEST(a_user_holds_so_many_leases)
{
    struct service s;
    struct rule rule;

    service_begin(&s, "a b c");
    allow_all(&s, &rule);
    limits_of(&s)->leases_per_user = 2;
    service_apply_limits(&s);
    client_connect_as(&s, 0, GREEDY);
    client_connect_as(&s, 1, MODEST);
    expect(add_route(&s, 0, 1, "b"), "success");
    expect(add_route(&s, 0, 2, "b"), "success");
    ck_assert_uint_eq(s.services.users.leases.refused, 0);
    expect(add_route(&s, 0, 2, "b"), "success");
    ck_assert_uint_eq(s.services.users.leases.refused, 0); /* his already */
    expect(add_route(&s, 0, 3, "b"), "limit");
    ck_assert_uint_eq(s.services.users.leases.refused, 1);
    expect(add_route(&s, 0, 2, "b"), "success");
    expect(add_route(&s, 0, 2, "c"), "success"); /* in place of his own */
    expect(add_route(&s, 1, 3, "b"), "success");
    expect(add_route(&s, 0, 3, "c"), "limit"); /* another's */
    ck_assert_uint_eq(fake_mfc_count(V4, TABLE_ID_DEFAULT_IPV4), 3);
    service_end(&s);
}
END_TEST

START_TEST(a_lease_that_goes_makes_room)
{
    struct service s;
    struct rule rule;

    service_begin(&s, "a b c");
    allow_all(&s, &rule);
    limits_of(&s)->leases_per_user = 1;
    service_apply_limits(&s);
    client_connect_as(&s, 0, GREEDY);
    client_connect_as(&s, 1, MODEST);
    for (int i = 0; i < 3; i++) {
        expect(add_route(&s, 0, i, "b"), "success");
        expect(client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\"}"), "success");
    }
    expect(add_route(&s, 0, 1, "b"), "success");
    expect(add_route(&s, 1, 1, "c"), "in-use");
    expect(add_route(&s, 1, 1, "b"), "success"); /* both hold it */
    expect(add_route(&s, 1, 2, "b"), "limit");
    expect(add_route(&s, 0, 2, "b"), "limit");
    service_end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, half_a_request_is_too_slow);
    tcase_add_test(tests, a_byte_each_second_is_too_slow);
    tcase_add_test(tests, many_requests_in_pieces_are_not_too_slow);
    tcase_add_test(tests, an_idle_connection_ends);
    tcase_add_test(tests, a_subscriber_may_be_silent_for_ever);
    tcase_add_test(tests, who_reads_nothing_is_not_waited_for);
    tcase_add_test(tests, a_slow_reader_gets_all);
    tcase_add_test(tests, who_asks_too_fast_waits_for_the_next_second);
    tcase_add_test(tests, the_administrator_may_ask_as_fast_as_he_can);
    tcase_add_test(tests, who_does_not_read_fills_his_own_memory_only);
    tcase_add_test(tests, half_requests_take_memory_and_those_who_get_none_are_told);
    tcase_add_test(tests, events_of_a_user_without_memory_wait);
    tcase_add_test(tests, a_user_holds_so_many_leases);
    tcase_add_test(tests, a_lease_that_goes_makes_room);
}

int main(void)
{
    return suite_run("quotas", add_tests);
}
