/* Connections: bytes in any pieces, in order, with limits. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void expect_id(cJSON *reply, int id)
{
    ck_assert_msg(reply != NULL, "no reply, id %d was expected", id);
    ck_assert_int_eq(cJSON_GetObjectItem(reply, "id")->valueint, id);
    cJSON_Delete(reply);
}

START_TEST(a_request_is_answered_however_it_is_split)
{
    static const char text[] = " {\"action\":\"PING\",\"id\":\"}{\\\"\"}";
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    for (size_t cut = 1; cut < strlen(text); cut++) {
        client_send(&s, 0, text, cut);
        service_settle(&s);
        expect(client_ask(&s, 0, text + cut), "success");
    }
    for (size_t i = 0; i < strlen(text); i++) {
        client_send(&s, 0, text + i, 1);
        service_settle(&s);
    }
    expect(client_line(&s, 0, NULL), "success");
    ck_assert_ptr_null(client_line(&s, 0, NULL));
    service_end(&s);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
    struct service s;
    char text[64];

    service_begin(&s, "a b");
    client_connect(&s, 0);
    for (int id = 0; id < 5000; id++) {
        sprintf(text, "{\"action\":\"PING\",\"id\":%d}%s", id, id % 3 ? "" : "\r\n ");
        client_say(&s, 0, text);
    }
    for (int id = 0; id < 5000; id++)
        expect_id(client_line(&s, 0, NULL), id);
    ck_assert_ptr_null(client_line(&s, 0, NULL));
    service_end(&s);
}
END_TEST

/* A client that never reads: what is held for it stays small, and others are served. */
START_TEST(who_does_not_read_stops_itself)
{
    struct service s;
    size_t sent = 0;
    int full = 0;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_connect(&s, 1);
    while (full < 10) {
        if (send(s.clients[0], "{\"action\":\"DESCRIBE\"}", 21, MSG_NOSIGNAL) == 21) {
            sent++;
            full = 0;
        } else {
            full++;
        }
        service_settle(&s);
        ck_assert_uint_lt(sent, 100000);
    }
    expect(client_ask(&s, 1, "{\"action\":\"PING\"}"), "success");
    for (size_t i = 0; i < sent; i++)
        expect(client_line(&s, 0, NULL), "success");
    service_end(&s);
}
END_TEST

START_TEST(a_request_of_16384_bytes_is_the_largest)
{
    static char text[REQUEST_MAX + 1];
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    memset(text, ' ', sizeof text);
    memcpy(text, "{\"action\":\"PING\"", 16);
    text[REQUEST_MAX - 1] = '}';
    client_send(&s, 0, text, REQUEST_MAX);
    expect(client_line(&s, 0, NULL), "success");
    text[REQUEST_MAX - 1] = ' ';
    client_send(&s, 0, text, REQUEST_MAX);
    expect(client_line(&s, 0, NULL), "too-large");
    ck_assert(client_at_end(&s, 0));
    ck_assert_uint_eq(s.closed, 1);
    service_end(&s);
}
END_TEST

START_TEST(white_space_has_no_limit)
{
    static char space[100000];
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    memset(space, ' ', sizeof space);
    client_send(&s, 0, space, sizeof space);
    expect(client_ask(&s, 0, "{\"action\":\"PING\"}"), "success");
    service_end(&s);
}
END_TEST

START_TEST(garbage_ends_the_connection_behind_the_replies_before_it)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_say(&s, 0, "{\"action\":\"PING\"}{}GET / HTTP/1.1\r\n\r\n{\"action\":\"PING\"}");
    expect(client_line(&s, 0, NULL), "success");
    expect(client_line(&s, 0, NULL), "missing-field");
    expect(client_line(&s, 0, NULL), "invalid-json");
    ck_assert(client_at_end(&s, 0));
    service_end(&s);
}
END_TEST

START_TEST(a_wrong_request_does_not_end_the_connection)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    expect(client_ask(&s, 0, "{\"action\":\"PING\",}"), "invalid-json");
    expect(client_ask(&s, 0, "{\"a\":[}}{\"action\":\"PING\"}"), "invalid-json");
    expect(client_line(&s, 0, NULL), "success");
    service_end(&s);
}
END_TEST

START_TEST(a_half_closed_connection_is_answered_and_ends)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_say(&s, 0, "{\"action\":\"PING\"}{\"action\":\"SHOW\"}{\"action\":");
    shutdown(s.clients[0], SHUT_WR);
    expect(client_line(&s, 0, NULL), "success");
    expect(client_line(&s, 0, NULL), "success");
    ck_assert_ptr_null(client_line(&s, 0, NULL));
    ck_assert(client_at_end(&s, 0));
    ck_assert_uint_eq(s.closed, 1);
    service_end(&s);
}
END_TEST

START_TEST(a_connection_that_breaks_is_forgotten)
{
    struct service s;

    service_begin(&s, "a b");
    for (int n = 0; n < CLIENTS_MAX; n++)
        client_connect(&s, n);
    client_close(&s, 0);
    client_say(&s, 1, "{\"action\":\"SHOW\"");
    client_close(&s, 1);
    client_say(&s, 2, "{\"action\":\"DESCRIBE\"}{\"action\":\"DESCRIBE\"}");
    client_close(&s, 2);
    service_settle(&s);
    ck_assert_uint_eq(s.closed, 3);
    expect(client_ask(&s, 3, "{\"action\":\"PING\"}"), "success");
    service_end(&s);
}
END_TEST

static void add_routes(struct service *s, int count)
{
    for (int n = 0; n < count; n++) {
        char group[32];

        sprintf(group, "239.%d.%d.%d", 1 + n / 65536, n / 256 % 256, n % 256);
        ck_assert(kernel_add(&s->kernel, "10.0.0.1", group, "a", "b"));
    }
}

static void expect_rules(cJSON *reply, int count)
{
    const cJSON *payload, *rule;
    int n = 0;

    ck_assert_ptr_nonnull(reply);
    payload = cJSON_GetObjectItem(reply, "payload");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(payload, "vif_map")), 2);
    cJSON_ArrayForEach(rule, cJSON_GetObjectItem(payload, "mfc_rules"))
    {
        char group[32];

        sprintf(group, "239.%d.%d.%d", 1 + n / 65536, n / 256 % 256, n % 256);
        ck_assert_str_eq(cJSON_GetObjectItem(rule, "group")->valuestring, group);
        n++;
    }
    ck_assert_int_eq(n, count);
    cJSON_Delete(reply);
}

START_TEST(a_long_list_comes_in_slices_while_others_are_served)
{
    struct service s;

    service_begin(&s, "a b");
    add_routes(&s, 5000);
    client_connect(&s, 0);
    client_connect(&s, 1);
    client_say(&s, 0, "{\"action\":\"SHOW\"}{\"action\":\"PING\",\"id\":1}");
    service_settle(&s);
    /* The reply has a megabyte; its client has read nothing of it. */
    expect(client_ask(&s, 1, "{\"action\":\"PING\"}"), "success");
    expect(client_ask(&s, 1,
                      "{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"10.0.0.1\","
                      "\"group\":\"239.1.19.135\"}}"),
           "success"); /* the last route of all */
    expect_rules(client_line(&s, 0, NULL), 4999);
    expect_id(client_line(&s, 0, NULL), 1);
    service_end(&s);
}
END_TEST

START_TEST(a_list_that_nobody_reads_to_its_end_is_given_up)
{
    struct service s;

    service_begin(&s, "a b");
    add_routes(&s, 5000);
    client_connect(&s, 0);
    client_say(&s, 0, "{\"action\":\"SHOW\"}");
    service_settle(&s);
    client_close(&s, 0);
    service_settle(&s);
    ck_assert_uint_eq(s.closed, 1);
    add_routes(&s, 1);
    service_end(&s);
}
END_TEST

START_TEST(a_half_closed_connection_gets_its_long_list)
{
    struct service s;

    service_begin(&s, "a b");
    add_routes(&s, 1000);
    client_connect(&s, 0);
    client_say(&s, 0, "{\"action\":\"SHOW\"}");
    shutdown(s.clients[0], SHUT_WR);
    expect_rules(client_line(&s, 0, NULL), 1000);
    ck_assert(client_at_end(&s, 0));
    service_end(&s);
}
END_TEST

static const char add_in_7[] =
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\","
    "\"iif\":\"a\",\"oifs\":[\"b\"],\"table\":7},\"id\":1}";

static void open_7(struct service *s)
{
    int fd = mroute_socket_open(V4, 7);

    ck_assert_int_ge(fd, 0);
    mroute_table_opened(s->kernel.mroute, V4, 7, fd, NULL);
}

START_TEST(a_request_that_waits_keeps_those_behind_it_waiting)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_connect(&s, 1);
    client_say(&s, 0, add_in_7);
    client_say(&s, 0, "{\"action\":\"PING\",\"id\":2}");
    ck_assert_ptr_null(client_line(&s, 0, NULL));
    expect(client_ask(&s, 1, "{\"action\":\"PING\"}"), "success");
    ck_assert_uint_eq(s.kernel.asked_table, 7);
    open_7(&s);
    expect_id(client_line(&s, 0, NULL), 1);
    expect_id(client_line(&s, 0, NULL), 2);
    ck_assert_uint_eq(fake_mfc_count(V4, 7), 1);
    service_end(&s);
}
END_TEST

START_TEST(a_refused_table_answers_the_request_that_waits)
{
    struct service s;
    struct error error;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_say(&s, 0, add_in_7);
    client_say(&s, 0, "{\"action\":\"PING\",\"id\":2}");
    service_settle(&s);
    error_set(&error, ERROR_IN_USE, "table", "owned");
    mroute_table_opened(s.kernel.mroute, V4, 7, -1, &error);
    expect(client_line(&s, 0, NULL), "in-use");
    expect_id(client_line(&s, 0, NULL), 2);
    service_end(&s);
}
END_TEST

START_TEST(several_clients_wait_for_one_table)
{
    struct service s;

    service_begin(&s, "a b");
    for (int n = 0; n < 3; n++) {
        client_connect(&s, n);
        client_say(&s, n, add_in_7);
    }
    service_settle(&s);
    ck_assert_uint_eq(s.kernel.asked, 1);
    open_7(&s);
    for (int n = 0; n < 3; n++)
        expect_id(client_line(&s, n, NULL), 1);
    service_end(&s);
}
END_TEST

START_TEST(a_half_closed_connection_waits_for_its_table)
{
    struct service s;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_say(&s, 0, add_in_7);
    shutdown(s.clients[0], SHUT_WR);
    service_settle(&s);
    ck_assert_uint_eq(s.closed, 0);
    open_7(&s);
    expect_id(client_line(&s, 0, NULL), 1);
    ck_assert(client_at_end(&s, 0));
    service_end(&s);
}
END_TEST

START_TEST(events_come_between_replies)
{
    struct service s;
    cJSON *event;
    char *line;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    client_connect(&s, 1);
    expect(client_ask(&s, 0, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"mfc.*\"]}}"),
           "success");
    expect(client_ask(&s, 1,
                      "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.1.1.1\","
                      "\"iif\":\"a\",\"oifs\":[\"b\"]}}"),
           "success");
    event = client_line(&s, 0, &line);
    ck_assert_ptr_nonnull(event);
    ck_assert_str_eq(cJSON_GetObjectItem(event, "event")->valuestring, "mfc.added");
    ck_assert_int_eq(cJSON_GetObjectItem(event, "seq")->valueint, 1);
    ck_assert_ptr_nonnull(strstr(line, "\"group\":\"239.1.1.1\""));
    free(line);
    cJSON_Delete(event);
    expect(client_ask(&s, 0, "{\"action\":\"PING\"}"), "success");
    client_close(&s, 0);
    service_settle(&s);
    ck_assert_uint_eq(s.services.events.count, 0);
    service_end(&s);
}
END_TEST

static void expect_next_event(struct service *s, int n, uint64_t *sequence, uint64_t *lost)
{
    cJSON *event = client_line(s, n, NULL);
    const cJSON *payload;

    if (!event)
        return;
    payload = cJSON_GetObjectItem(event, "payload");
    ck_assert_uint_eq((uint64_t)cJSON_GetObjectItem(event, "seq")->valueint, ++*sequence);
    if (strcmp(cJSON_GetObjectItem(event, "event")->valuestring, "lost") == 0)
        *lost += (uint64_t)cJSON_GetObjectItem(payload, "count")->valueint;
    cJSON_Delete(event);
}

START_TEST(a_slow_subscriber_is_told_how_much_it_missed)
{
    struct service s;
    uint64_t sequence = 0, before, lost = 0;

    service_begin(&s, "a b");
    client_connect(&s, 0);
    expect(client_ask(&s, 0, "{\"action\":\"SUBSCRIBE\"}"), "success");
    for (int i = 0; i < 50; i++) {
        add_routes(&s, 100);
        kernel_flush(&s.kernel, &(struct mroute_filter){0}, false);
        service_settle(&s);
    }
    do {
        before = sequence;
        expect_next_event(&s, 0, &sequence, &lost);
    } while (sequence > before);
    ck_assert_uint_gt(lost, 0);
    /* Each word of a loss stands for the events that it counts. */
    ck_assert_uint_ge(sequence + lost, 10000);
    ck_assert_uint_le(sequence + lost, 10000 + sequence);
    service_end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_request_is_answered_however_it_is_split);
    tcase_add_test(tests, pipelined_requests_are_answered_in_order);
    tcase_add_test(tests, who_does_not_read_stops_itself);
    tcase_add_test(tests, a_request_of_16384_bytes_is_the_largest);
    tcase_add_test(tests, white_space_has_no_limit);
    tcase_add_test(tests, garbage_ends_the_connection_behind_the_replies_before_it);
    tcase_add_test(tests, a_wrong_request_does_not_end_the_connection);
    tcase_add_test(tests, a_half_closed_connection_is_answered_and_ends);
    tcase_add_test(tests, a_connection_that_breaks_is_forgotten);
    tcase_add_test(tests, a_long_list_comes_in_slices_while_others_are_served);
    tcase_add_test(tests, a_list_that_nobody_reads_to_its_end_is_given_up);
    tcase_add_test(tests, a_half_closed_connection_gets_its_long_list);
    tcase_add_test(tests, a_request_that_waits_keeps_those_behind_it_waiting);
    tcase_add_test(tests, a_refused_table_answers_the_request_that_waits);
    tcase_add_test(tests, several_clients_wait_for_one_table);
    tcase_add_test(tests, a_half_closed_connection_waits_for_its_table);
    tcase_add_test(tests, events_come_between_replies);
    tcase_add_test(tests, a_slow_subscriber_is_told_how_much_it_missed);
}

int main(void)
{
    return suite_run("session", add_tests);
}
