/* The line for the service manager: what it counts, what it says of mistakes, and that nothing in
 * it breaks the manager's protocol. */
#include "broker/service/status_line.h"
#include "client.h"
#include "log.h"
#include "suite.h"

#include <string.h>

static void begin(struct service *s)
{
    log_set_level(LOG_ERR - 1); /* mistakes are told there */
    service_begin(s, "a b");
}

static void expect_line(struct service *s, const char *expected)
{
    char text[256];

    status_line_format(&s->services, text, sizeof text);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_service_at_rest_counts_nothing)
{
    struct service s;

    begin(&s);
    expect_line(&s, "Serving; 0 routes, 0 joins, 0 taps, 0 captures, 0 injectors, 0 connections");
    service_end(&s);
}
END_TEST

START_TEST(it_counts_routes_and_connections)
{
    struct service s;

    begin(&s);
    client_connect(&s, 0);
    expect(client_ask(&s, 0,
                      "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\","
                      "\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\"]}}"),
           "success");
    expect_line(&s, "Serving; 1 route, 0 joins, 0 taps, 0 captures, 0 injectors, 1 connection");
    service_end(&s);
}
END_TEST

START_TEST(it_says_the_first_mistake_and_who_is_answered)
{
    struct service s;

    begin(&s);
    mistakes_add(&s.services.mistakes.multicast, "m.conf:3: no");
    expect_line(&s, "Serving; 0 routes, 0 joins, 0 taps, 0 captures, 0 injectors, 0 connections; 1 "
                    "mistake, the first: "
                    "m.conf:3: no");
    mistakes_add(&s.services.mistakes.policy, "p.conf:2: no");
    s.services.policy.closed = true;
    expect_line(
        &s,
        "Serving root only; 0 routes, 0 joins, 0 taps, 0 captures, 0 injectors, 0 connections; 2 "
        "mistakes, the first: "
        "p.conf:2: no");
    service_end(&s);
}
END_TEST

START_TEST(what_is_not_printable_is_escaped)
{
    struct service s;

    begin(&s);
    mistakes_add(&s.services.mistakes.policy, "a\nFDSTORE=1\x1b\xc3\xa9\x7f");
    expect_line(&s, "Serving; 0 routes, 0 joins, 0 taps, 0 captures, 0 injectors, 0 connections; 1 "
                    "mistake, the first: "
                    "a\\x0aFDSTORE=1\\x1b\\xc3\\xa9\\x7f");
    service_end(&s);
}
END_TEST

START_TEST(it_ends_within_its_room)
{
    struct service s;
    char text[300], long_text[300];

    begin(&s);
    memset(long_text, '\n', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    mistakes_add(&s.services.mistakes.policy, "%s", long_text);
    for (size_t size = 1; size < sizeof text; size++) {
        memset(text, 'x', sizeof text);
        status_line_format(&s.services, text, size);
        ck_assert_uint_lt(strlen(text), size);
        ck_assert_int_eq(text[size], 'x');
    }
    service_end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_service_at_rest_counts_nothing);
    tcase_add_test(tests, it_counts_routes_and_connections);
    tcase_add_test(tests, it_says_the_first_mistake_and_who_is_answered);
    tcase_add_test(tests, what_is_not_printable_is_escaped);
    tcase_add_test(tests, it_ends_within_its_room);
}

int main(void)
{
    return suite_run("status_line", add_tests);
}
