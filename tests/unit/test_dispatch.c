/* What each action replies. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *at(const cJSON *tree, const char *path)
{
    char copy[128], *rest = copy, *name;

    snprintf(copy, sizeof copy, "%s", path);
    while (tree && (name = strsep(&rest, ".")))
        tree = *name >= '0' && *name <= '9' ? cJSON_GetArrayItem(tree, atoi(name))
                                            : cJSON_GetObjectItem(tree, name);
    ck_assert_msg(tree != NULL, "no %s", path);
    return tree;
}

static const char *text_at(const cJSON *tree, const char *path)
{
    return at(tree, path)->valuestring;
}

static int number_at(const cJSON *tree, const char *path)
{
    return at(tree, path)->valueint;
}

static void begin(struct service *s)
{
    service_begin(s, "a b c");
    client_connect(s, 0);
}

static void assert_message(struct service *s, const char *request, const char *message)
{
    cJSON *reply = client_ask(s, 0, request);

    ck_assert_str_eq(text_at(reply, "message"), message);
    cJSON_Delete(reply);
}

#define ADD(payload) "{\"action\":\"ADD_MFC\",\"payload\":{" payload "}}"
#define ONE          "\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\",\"iif\":\"a\""

START_TEST(add_and_del_say_what_existing_clients_expect)
{
    struct service s;

    begin(&s);
    assert_message(&s, ADD(ONE ",\"oifs\":[\"b\"]"), "MFC entry for (10.0.0.1, 239.1.1.1) added.");
    assert_message(&s, ADD("\"group\":\"ff05::1\",\"iif\":\"a\",\"oifs\":[\"b\"]"),
                   "MFC entry for (::, ff05::1) added.");
    assert_message(&s, "{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"ff05::1\"}}",
                   "MFC entry for (::, ff05::1) deleted.");
    expect(client_ask(&s, 0, "{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"ff05::1\"}}"),
           "not-found");
    service_end(&s);
}
END_TEST

START_TEST(a_dry_run_tells_which_of_three_it_would_be)
{
    struct service s;

    begin(&s);
    assert_message(&s, ADD(ONE ",\"oifs\":[\"b\"],\"dry_run\":true"),
                   "MFC entry for (10.0.0.1, 239.1.1.1) would be added.");
    ck_assert_uint_eq(fake_writes(), 0);
    expect(client_ask(&s, 0, ADD(ONE ",\"oifs\":[\"b\"]")), "success");
    assert_message(&s, ADD(ONE ",\"oifs\":[\"b\"],\"dry_run\":true"),
                   "MFC entry for (10.0.0.1, 239.1.1.1) exists already, nothing would be "
                   "written.");
    assert_message(&s, ADD(ONE ",\"oifs\":[\"c\"],\"dry_run\":true"),
                   "MFC entry for (10.0.0.1, 239.1.1.1) would be replaced.");
    service_end(&s);
}
END_TEST

START_TEST(an_error_names_code_field_and_id)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    reply = client_ask(
        &s, 0, "{\"id\":[1e2],\"action\":\"ADD_MFC\",\"payload\":{" ONE ",\"oifs\":[\"eth99\"]}}");
    ck_assert_str_eq(text_at(reply, "status"), "error");
    ck_assert_str_eq(text_at(reply, "code"), "not-found");
    ck_assert_str_eq(text_at(reply, "field"), "oifs");
    ck_assert_int_eq(number_at(reply, "id.0"), 100);
    ck_assert_ptr_nonnull(
        strstr(text_at(reply, "message"), "Invalid argument: Interface 'eth99' not found."));
    cJSON_Delete(reply);
    service_end(&s);
}
END_TEST

START_TEST(show_has_the_shape_that_existing_clients_expect)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    expect(client_ask(&s, 0, ADD(ONE ",\"oifs\":[\"b\",\"c\"],\"ttls\":[3,4]")), "success");
    expect(client_ask(&s, 0, ADD("\"group\":\"ff05::1\",\"iif\":\"b\",\"oifs\":[\"a\"]")),
           "success");
    reply = client_ask(&s, 0, "{\"action\":\"SHOW\"}");
    ck_assert_int_eq(number_at(reply, "payload.vif_map.a.vifi"), 0);
    ck_assert_int_eq(number_at(reply, "payload.vif_map.a.ref_count"), 2);
    ck_assert_int_eq(number_at(reply, "payload.vif_map.c.ifindex"), 3);
    ck_assert_str_eq(text_at(reply, "payload.mfc_rules.0.source"), "10.0.0.1");
    ck_assert_str_eq(text_at(reply, "payload.mfc_rules.0.group"), "239.1.1.1");
    ck_assert_str_eq(text_at(reply, "payload.mfc_rules.0.iif"), "a");
    ck_assert_str_eq(text_at(reply, "payload.mfc_rules.0.oifs.1"), "c");
    ck_assert_int_eq(number_at(reply, "payload.mfc_rules.0.ttls.1"), 4);
    ck_assert_int_eq(number_at(reply, "payload.mfc_rules.0.table"), 253);
    ck_assert_str_eq(text_at(reply, "payload.mfc_rules.0.state"), "installed");
    ck_assert_str_eq(text_at(reply, "payload.mfc_rules.1.family"), "ipv6");
    ck_assert(!cJSON_HasObjectItem(at(reply, "payload.mfc_rules.1"), "ttls"));
    cJSON_Delete(reply);
    service_end(&s);
}
END_TEST

START_TEST(show_mfc_and_show_vif_filter)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    expect(client_ask(&s, 0, ADD(ONE ",\"oifs\":[\"b\"]")), "success");
    expect(client_ask(&s, 0, ADD("\"group\":\"ff05::1\",\"iif\":\"b\",\"oifs\":[\"a\"]")),
           "success");
    reply = client_ask(&s, 0, "{\"action\":\"SHOW_MFC\",\"payload\":{\"family\":\"ipv6\"}}");
    ck_assert_int_eq(cJSON_GetArraySize(at(reply, "payload.mfc_rules")), 1);
    cJSON_Delete(reply);
    reply = client_ask(&s, 0, "{\"action\":\"SHOW_MFC\",\"payload\":{\"group\":\"239.9.9.9\"}}");
    ck_assert_int_eq(cJSON_GetArraySize(at(reply, "payload.mfc_rules")), 0);
    cJSON_Delete(reply);
    reply = client_ask(&s, 0, "{\"action\":\"SHOW_VIF\",\"payload\":{\"table\":254}}");
    ck_assert_int_eq(cJSON_GetArraySize(at(reply, "payload.vifs")), 2);
    ck_assert_str_eq(text_at(reply, "payload.vifs.0.name"), "b");
    ck_assert_str_eq(text_at(reply, "payload.vifs.0.family"), "ipv6");
    cJSON_Delete(reply);
    service_end(&s);
}
END_TEST

/* The word that a request's reply has as its result; the message ends so, too. */
static void assert_result(struct service *s, int n, const char *request, const char *result,
                          const char *end)
{
    cJSON *reply = client_ask(s, n, request);
    const char *message = text_at(reply, "message");
    size_t length = strlen(message), tail = strlen(end);

    ck_assert_str_eq(text_at(reply, "payload.result"), result);
    ck_assert_msg(length >= tail && strcmp(message + length - tail, end) == 0, "%s", message);
    expect(reply, "success");
}

#define DEL(payload) "{\"action\":\"DEL_MFC\",\"payload\":{" payload "}}"
#define KEY          "\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\""

/* Programs compare the message of an addition, so it is always the same. */
START_TEST(a_reply_says_what_became_of_it)
{
    struct service s;

    begin(&s);
    client_connect(&s, 1);
    assert_result(&s, 0, ADD(ONE ",\"oifs\":[\"b\"],\"dry_run\":true"), "added", "would be added.");
    assert_result(&s, 0, ADD(ONE ",\"oifs\":[\"b\"]"), "added", ") added.");
    assert_result(&s, 0, ADD(ONE ",\"oifs\":[\"b\"]"), "unchanged", ") added.");
    assert_result(&s, 0, ADD(ONE ",\"oifs\":[\"c\"],\"append\":true,\"dry_run\":true"), "replaced",
                  "would be replaced.");
    assert_result(&s, 0, ADD(ONE ",\"oifs\":[\"c\"],\"append\":true"), "replaced", ") added.");
    assert_result(&s, 0, DEL(KEY ",\"oifs\":[\"b\"],\"dry_run\":true"), "replaced",
                  "would be replaced.");
    assert_result(&s, 0, DEL(KEY ",\"oifs\":[\"b\"]"), "replaced", ") replaced.");
    assert_result(&s, 0, ADD(ONE ",\"oifs\":[\"b\"]"), "replaced", ") added.");
    assert_result(&s, 1, ADD(ONE ",\"oifs\":[\"b\"],\"while_connected\":true"), "unchanged",
                  ") added.");
    assert_result(&s, 0, DEL(KEY), "kept", "others still hold it.");
    assert_result(&s, 1, DEL(KEY ",\"oifs\":[\"b\"]"), "deleted", ") deleted.");
    expect(client_ask(&s, 0, DEL(KEY ",\"oifs\":[\"b\"]")), "not-found");
    expect(client_ask(&s, 0, DEL(KEY ",\"oifs\":[]")), "out-of-range");
    service_end(&s);
}
END_TEST

START_TEST(flush_counts)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    expect(client_ask(&s, 0, ADD(ONE ",\"oifs\":[\"b\"]")), "success");
    reply = client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"dry_run\":true}}");
    ck_assert_int_eq(number_at(reply, "payload.count"), 1);
    cJSON_Delete(reply);
    assert_message(&s, "{\"action\":\"FLUSH_MFC\"}", "1 MFC entry deleted.");
    assert_message(&s, "{\"action\":\"FLUSH_MFC\"}", "0 MFC entries deleted.");
    service_end(&s);
}
END_TEST

START_TEST(status_tells_of_routes_and_clients)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    expect(client_ask(&s, 0, ADD(ONE ",\"oifs\":[\"b\"]")), "success");
    expect(client_ask(&s, 0, "{\"action\":\"SUBSCRIBE\"}"), "success");
    fake_netif_del("a");
    kernel_update(&s.kernel);
    cJSON_Delete(client_line(&s, 0, NULL)); /* the event */
    reply = client_ask(&s, 0, "{\"action\":\"STATUS\"}");
    ck_assert_str_eq(text_at(reply, "payload.version"), NB_VERSION);
    ck_assert_int_eq(number_at(reply, "payload.subscribers"), 1);
    ck_assert_int_eq(number_at(reply, "payload.mroute.routes"), 1);
    ck_assert_int_eq(number_at(reply, "payload.mroute.waiting"), 1);
    ck_assert_int_eq(number_at(reply, "payload.mroute.tables.1.table"), 254);
    cJSON_Delete(reply);
    service_end(&s);
}
END_TEST

START_TEST(describe_is_the_schema)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    reply = client_ask(&s, 0, "{\"action\":\"DESCRIBE\"}");
    ck_assert_int_eq(cJSON_GetArraySize(at(reply, "payload.oneOf")), ACTION_COUNT);
    cJSON_Delete(reply);
    reply = client_ask(&s, 0, "{\"action\":\"DESCRIBE\",\"payload\":{\"name\":\"SHOW\"}}");
    ck_assert_str_eq(text_at(reply, "payload.oneOf.0.title"), "SHOW");
    cJSON_Delete(reply);
    expect(client_ask(&s, 0, "{\"action\":\"DESCRIBE\",\"payload\":{\"name\":\"NOPE\"}}"),
           "not-found");
    service_end(&s);
}
END_TEST

/* An interface made a moment before the request is found by it. */
START_TEST(requests_see_the_interfaces_of_this_moment)
{
    struct service s;

    begin(&s);
    fake_netif_add("new");
    expect(client_ask(&s, 0, ADD(ONE ",\"oifs\":[\"new\"]")), "success");
    fake_netif_del("new");
    expect(client_ask(&s, 0, ADD("\"group\":\"239.1.1.2\",\"iif\":\"a\",\"oifs\":[\"new\"]")),
           "not-found");
    service_end(&s);
}
END_TEST

START_TEST(upcalls_are_events)
{
    struct upcall upcall = {.kind = UPCALL_NO_ROUTE, .vif = 5};
    struct service s;
    cJSON *event;

    begin(&s);
    ck_assert(address_parse("10.0.0.1", &upcall.source));
    ck_assert(address_parse("239.1.1.1", &upcall.group));
    expect(client_ask(&s, 0, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"mfc.no-*\"]}}"),
           "success");
    fake_upcall(V4, 253, &upcall);
    mroute_read_upcalls(s.kernel.mroute, V4, 253);
    event = client_line(&s, 0, NULL);
    ck_assert_str_eq(text_at(event, "event"), "mfc.no-route");
    ck_assert_str_eq(text_at(event, "payload.group"), "239.1.1.1");
    ck_assert_int_eq(number_at(event, "payload.vifi"), 5);
    ck_assert_str_eq(text_at(event, "payload.iif"), ""); /* there is none of this VIF */
    cJSON_Delete(event);
    service_end(&s);
}
END_TEST

/* The id comes back as it was, in replies of every kind. */
START_TEST(every_action_returns_the_id)
{
    const char *name = action_row((enum action)_i)->name;
    struct service s;
    char text[128], *line = NULL;

    begin(&s);
    snprintf(text, sizeof text, "{\"action\":\"%s\",\"id\":{ \"x\" : [1.50]}}", name);
    client_say(&s, 0, text);
    cJSON_Delete(client_line(&s, 0, &line));
    ck_assert_ptr_nonnull(line);
    ck_assert_ptr_nonnull(strstr(line, "\"id\":{ \"x\" : [1.50]}"));
    free(line);
    service_end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, add_and_del_say_what_existing_clients_expect);
    tcase_add_test(tests, a_dry_run_tells_which_of_three_it_would_be);
    tcase_add_test(tests, an_error_names_code_field_and_id);
    tcase_add_test(tests, show_has_the_shape_that_existing_clients_expect);
    tcase_add_test(tests, show_mfc_and_show_vif_filter);
    tcase_add_test(tests, a_reply_says_what_became_of_it);
    tcase_add_test(tests, flush_counts);
    tcase_add_test(tests, status_tells_of_routes_and_clients);
    tcase_add_test(tests, describe_is_the_schema);
    tcase_add_test(tests, requests_see_the_interfaces_of_this_moment);
    tcase_add_test(tests, upcalls_are_events);
    tcase_add_loop_test(tests, every_action_returns_the_id, 0, ACTION_COUNT);
}

int main(void)
{
    return suite_run("dispatch", add_tests);
}
