/* Who may do what, from the bytes of a request to what the kernel holds: every action against four
 * users, what a request is about, and names that pretend to be others. */
#include "broker/wire/authorise.h"
#include "client.h"
#include "log.h"
#include "log_capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MEMBER = 300, OPERATOR = 1001, STRANGER = 2002 };

/* Members may look; the operator may route 239.1.0.0/16 between a, b and eth*. */
static void set_policy(struct policy *policy)
{
    struct rule *rules = calloc(2, sizeof *rules);

    ck_assert_ptr_nonnull(rules);
    rules[0] = (struct rule){.name = "members look",
                             .group_count = 1,
                             .groups = {MEMBER},
                             .verb_count = 1,
                             .verbs = {"*.read"}};
    rules[1] = (struct rule){.name = "the operator routes",
                             .user_count = 1,
                             .users = {{OPERATOR, OPERATOR}},
                             .verb_count = 2,
                             .verbs = {"mroute.write", "join.write"},
                             .interface_count = 3,
                             .interfaces = {"a", "b", "eth*"},
                             .prefix_count = 1,
                             .prefixes = {{.length = 16}}};
    ck_assert(address_parse("239.1.0.0", &rules[1].prefixes[0].address));
    *policy = (struct policy){.count = 2, .rules = rules};
}

static uint64_t no_time(void)
{
    return 1;
}

static void begin(struct service *s)
{
    static const uid_t uids[] = {0, MEMBER, OPERATOR, STRANGER};

    log_set_level(LOG_ERR);
    service_begin(s, "a b c eth0 eth1");
    ck_assert(interface_set_parse("a", &s->keeper.config.capture_interfaces));
    ck_assert(interface_set_parse("a", &s->keeper.config.inject_interfaces));
    set_policy(&s->services.policy);
    audit_open(&s->services.audit, no_time);
    for (int n = 0; n < 4; n++)
        client_connect_as(s, n, uids[n]);
}

static void end(struct service *s)
{
    free(s->services.policy.rules);
    service_end(s);
}

#define ADD(payload) "{\"action\":\"ADD_MFC\",\"payload\":{" payload "}}"
#define DEL(payload) "{\"action\":\"DEL_MFC\",\"payload\":{" payload "}}"
#define ONE          "\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\"]"

static bool is_refused(struct service *s, int n, const char *request)
{
    cJSON *reply = client_ask(s, n, request);
    const cJSON *code = cJSON_GetObjectItem(reply, "code");
    bool refused = code && strcmp(code->valuestring, "not-allowed") == 0;

    cJSON_Delete(reply);
    return refused;
}

/* --- The matrix ---------------------------------------------------------------------------- */

struct expectation {
    const char *payload; /* one within the operator's rule, where there is one */
    const char *allowed; /* root, the member, the operator, the stranger: y or n */
};

/* An action that is not here is not compiled. */
#define EXPECT_ADD_MFC                                                                             \
    {                                                                                              \
        "{" ONE "}", "ynyn"                                                                        \
    }
#define EXPECT_DEL_MFC                                                                             \
    {                                                                                              \
        "{\"group\":\"239.1.1.1\"}", "ynyn"                                                        \
    }
#define EXPECT_FLUSH_MFC                                                                           \
    {                                                                                              \
        "{}", "ynyn"                                                                               \
    }
#define EXPECT_BEGIN_REPLACE                                                                       \
    {                                                                                              \
        "{}", "ynyn"                                                                               \
    }
#define EXPECT_COMMIT                                                                              \
    {                                                                                              \
        "{}", "ynyn"                                                                               \
    }
#define EXPECT_ABORT                                                                               \
    {                                                                                              \
        "{}", "ynyn"                                                                               \
    }
#define EXPECT_SHOW_MFC                                                                            \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_SHOW_VIF                                                                            \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_SHOW                                                                                \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_ADD_JOIN                                                                            \
    {                                                                                              \
        "{\"group\":\"239.1.1.0/24\",\"iif\":\"a\"}", "ynyn"                                       \
    }
#define EXPECT_DEL_JOIN                                                                            \
    {                                                                                              \
        "{\"group\":\"239.1.1.1\",\"iif\":\"a\"}", "ynyn"                                          \
    }
#define EXPECT_SHOW_JOIN                                                                           \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_OPEN_TAP                                                                            \
    {                                                                                              \
        "{\"dry_run\":true}", "ynnn"                                                               \
    }
#define EXPECT_CLOSE_TAP                                                                           \
    {                                                                                              \
        "{\"name\":\"nb-0\"}", "ynnn"                                                              \
    }
#define EXPECT_SHOW_TAP                                                                            \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_GET_TAP                                                                             \
    {                                                                                              \
        "{\"name\":\"nb-0\"}", "yynn"                                                              \
    }
#define EXPECT_TELL_LINK                                                                           \
    {                                                                                              \
        "{\"tap\":\"nb-0\",\"port\":1}", "ynnn"                                                    \
    }
#define EXPECT_SHOW_LINK                                                                           \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_OPEN_CAPTURE                                                                        \
    {                                                                                              \
        "{\"interface\":\"a\",\"dry_run\":true}", "ynnn"                                           \
    }
#define EXPECT_CLOSE_CAPTURE                                                                       \
    {                                                                                              \
        "{\"capture\":1}", "yynn"                                                                  \
    }
#define EXPECT_SHOW_CAPTURE                                                                        \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_SHOW_CAPTURE_INTERFACES                                                             \
    {                                                                                              \
        "{}", "ynnn"                                                                               \
    }
#define EXPECT_OPEN_INJECT                                                                         \
    {                                                                                              \
        "{\"interface\":\"a\",\"dry_run\":true}", "ynnn"                                           \
    }
#define EXPECT_CLOSE_INJECT                                                                        \
    {                                                                                              \
        "{\"inject\":1}", "yynn"                                                                   \
    }
#define EXPECT_SHOW_INJECT                                                                         \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_DIAGNOSE                                                                            \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_DIAGNOSE_TAP                                                                        \
    {                                                                                              \
        "{\"name\":\"nb-0\"}", "yynn"                                                              \
    }
#define EXPECT_SUBSCRIBE                                                                           \
    {                                                                                              \
        "{\"topics\":[\"lost\"]}", "yynn"                                                          \
    }
#define EXPECT_LEASES                                                                              \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_REVOKE                                                                              \
    {                                                                                              \
        "{\"lease\":\"000000000001\"}", "ynnn"                                                     \
    }
#define EXPECT_CHECK_POLICY                                                                        \
    {                                                                                              \
        "{\"verb\":\"mroute.write\"}", "yynn"                                                      \
    }
#define EXPECT_STATUS                                                                              \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_METRICS                                                                             \
    {                                                                                              \
        "{\"routes\":true}", "yynn"                                                                \
    }
#define EXPECT_PING                                                                                \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }
#define EXPECT_DESCRIBE                                                                            \
    {                                                                                              \
        "{}", "yynn"                                                                               \
    }

static const struct expectation expectations[ACTION_COUNT] = {
#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    [ACTION_##NAME] = EXPECT_##NAME,
    ACTIONS(A)
#undef A
};

#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    _Static_assert(sizeof(policy) > 1, #NAME " needs a policy verb");
ACTIONS(A)
#undef A

/* Each of the users asks for it, while the route of the operator is there. */
START_TEST(every_action_is_decided_for_every_user)
{
    const char *name = action_row((enum action)_i)->name;
    bool deletes = _i == ACTION_DEL_MFC || _i == ACTION_FLUSH_MFC || _i == ACTION_DEL_JOIN;
    char request[256];
    struct service s;

    begin(&s);
    snprintf(request, sizeof request, "{\"action\":\"%s\",\"payload\":%s}", name,
             expectations[_i].payload);
    for (int n = 3; n >= 0; n--) {
        unsigned writes;
        bool refused;
        int holder;

        holder = deletes && expectations[_i].allowed[n] == 'y' ? n : 0;
        expect(client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true}}"),
               "success");
        expect(client_ask(&s, holder, ADD(ONE)), "success");
        if (_i == ACTION_DEL_JOIN)
            expect(client_ask(&s, holder,
                              "{\"action\":\"ADD_JOIN\",\"payload\":{\"group\":\"239.1.1.1\","
                              "\"iif\":\"a\"}}"),
                   "success");
        if (_i == ACTION_CLOSE_TAP && n == 3)
            expect(client_ask(&s, 0,
                              "{\"action\":\"OPEN_TAP\",\"payload\":{\"name\":\"nb-0\","
                              "\"persistent\":true}}"),
                   "success");
        writes = fake_writes();
        refused = is_refused(&s, n, request);
        ck_assert_msg(refused == (expectations[_i].allowed[n] == 'n'), "%s of user %d", name, n);
        ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes,
                          refused || (_i != ACTION_DEL_MFC && _i != ACTION_FLUSH_MFC));
        if (refused)
            ck_assert_uint_eq(fake_writes(), writes);
    }
    end(&s);
}
END_TEST

/* --- What a request is about --------------------------------------------------------------- */

#define SENDER "\"source\":\"10.0.0.1\","

/* A route that root has made, and what the operator asks for then. */
static const struct {
    const char *route, *request;
    bool refused;
} abouts[] = {
    {NULL, ADD(ONE), false},
    {NULL, ADD("\"group\":\"239.2.1.1\",\"iif\":\"a\",\"oifs\":[\"b\"]"), true},
    {NULL, ADD("\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"b\"]"), true},
    {NULL, ADD("\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\",\"c\"]"), true},
    {NULL, ADD("\"group\":\"ff05::1\",\"iif\":\"a\",\"oifs\":[\"b\"]"), true},
    {NULL, ADD(ONE ",\"dry_run\":true"), false},
    {NULL, ADD("\"dry_run\":true,\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"b\"]"), true},
    {NULL, DEL("\"group\":\"239.1.1.1\""), true}, /* about no interface of his */
    /* Whose interfaces would be taken from a route are asked for as well. */
    {ADD(SENDER "\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"b\"]"), ADD(SENDER ONE), true},
    {ADD(SENDER "\"group\":\"239.1.1.1\",\"iif\":\"b\",\"oifs\":[\"a\",\"c\"]"), ADD(SENDER ONE),
     true},
    {ADD(SENDER "\"group\":\"239.1.1.1\",\"iif\":\"b\",\"oifs\":[\"a\"]"), ADD(SENDER ONE), false},
    {ADD(SENDER "\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"b\"]"), ADD(ONE), false},
    {ADD(SENDER "\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"b\"]"),
     ADD("\"table\":253," SENDER ONE), true},
    {ADD("\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\",\"c\"]"), ADD(ONE), true},
    {ADD("\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\",\"c\"]"),
     ADD("\"source\":\"0.0.0.0\"," ONE), true},
    /* Of any source, there is one from each interface. */
    {ADD("\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"b\"]"), ADD(ONE), false},
    {ADD("\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"b\"]"), DEL("\"group\":\"239.1.1.1\""),
     true},
    {ADD("\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"b\"]"),
     DEL("\"group\":\"239.1.1.1\",\"iif\":\"c\""), true},
    {ADD("\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\",\"c\"]"),
     DEL("\"group\":\"239.1.1.1\",\"table\":253"), true},
    /* A join is about its groups and its interface, and no table. */
    {NULL, "{\"action\":\"ADD_JOIN\",\"payload\":{\"group\":\"239.1.0.0/24\",\"iif\":\"eth0\"}}",
     false},
    {NULL, "{\"action\":\"ADD_JOIN\",\"payload\":{\"group\":\"239.0.0.0/15\",\"iif\":\"eth0\"}}",
     true},
    {NULL, "{\"action\":\"ADD_JOIN\",\"payload\":{\"group\":\"239.1.1.1\",\"iif\":\"c\"}}", true},
    /* The policy allows it, but it is not his. */
    {ADD(ONE), DEL("\"group\":\"239.1.1.1\""), true},
    {ADD(ONE), "{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":253,\"all\":true}}", true},
    {ADD(ONE), "{\"action\":\"FLUSH_MFC\",\"payload\":{\"learned\":true}}", true},
    {ADD(ONE), "{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":253}}", false},
};

START_TEST(a_request_is_about_all_that_it_changes)
{
    struct service s;

    begin(&s);
    if (abouts[_i].route)
        expect(client_ask(&s, 0, abouts[_i].route), "success");
    ck_assert(is_refused(&s, 2, abouts[_i].request) == abouts[_i].refused);
    end(&s);
}
END_TEST

/* His routes from the interfaces n0 to n69, and from c, which is not his any more. */
START_TEST(nothing_hides_among_many_interfaces)
{
    struct service s;
    char request[160];

    begin(&s);
    s.services.policy.rules[1].interface_count = 0;
    for (int i = -1; i < 71; i++) {
        bool other = _i ? i == 70 : i == -1;

        if (!other && (i < 0 || i == 70))
            continue;
        snprintf(request, sizeof request,
                 ADD("\"group\":\"239.1.1.1\",\"wait\":true,\"oifs\":[\"b\"],\"iif\":\"%c%.0d\""),
                 other ? 'c' : 'n', other ? 0 : i + 1);
        expect(client_ask(&s, 2, request), "success");
    }
    s.services.policy.rules[1].interface_count = 2;
    strcpy(s.services.policy.rules[1].interfaces[0], "n*");
    strcpy(s.services.policy.rules[1].interfaces[1], "b");
    ck_assert(is_refused(&s, 2, DEL("\"group\":\"239.1.1.1\",\"iif\":\"c\"")));
    ck_assert(!is_refused(&s, 2, DEL("\"group\":\"239.1.1.1\",\"iif\":\"n1\"")));
    ck_assert(is_refused(&s, 2, DEL("\"group\":\"239.1.1.1\"")));
    end(&s);
}
END_TEST

START_TEST(the_table_of_a_route_is_its_family_s_default)
{
    struct service s;
    struct call call = {.services = &s.services};
    struct target target;

    begin(&s);
    call.request.action = ACTION_ADD_MFC;
    call.request.args.add_mfc = route_args(NULL, "239.1.1.1", "a", "b,a,b,c");
    target_of(&call, &target);
    ck_assert_uint_eq(target.table, TABLE_ID_DEFAULT_IPV4);
    ck_assert_uint_eq(target.interface_count, 3); /* each once */
    call.request.args.add_mfc = route_args(NULL, "ff05::1", "a", "b");
    target_of(&call, &target);
    ck_assert_uint_eq(target.table, TABLE_ID_DEFAULT_IPV6);
    call.request.args.add_mfc.table = 7;
    target_of(&call, &target);
    ck_assert_uint_eq(target.table, 7);
    end(&s);
}
END_TEST

/* --- Time passes --------------------------------------------------------------------------- */

static void open_table_100(struct service *s)
{
    mroute_table_opened(s->kernel.mroute, V4, 100, mroute_socket_open(V4, 100), NULL);
}

/* Both find no route there when they ask, and wait for the table. */
START_TEST(what_has_changed_during_a_wait_counts)
{
    struct service s;

    begin(&s);
    client_say(
        &s, 0,
        ADD(SENDER "\"table\":100,\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"eth0\"]"));
    service_settle(&s);
    client_say(&s, 2, ADD(SENDER "\"table\":100," ONE));
    service_settle(&s);
    open_table_100(&s);
    expect(client_line(&s, 0, NULL), "success");
    expect(client_line(&s, 2, NULL), "not-allowed");
    end(&s);
}
END_TEST

START_TEST(a_rule_that_is_gone_does_not_hold_for_those_who_wait)
{
    struct service s;

    begin(&s);
    client_say(&s, 2, ADD("\"table\":100," ONE));
    service_settle(&s);
    s.services.policy.count = 1;
    open_table_100(&s);
    expect(client_line(&s, 2, NULL), "not-allowed");
    expect(client_ask(&s, 2, ADD(ONE)), "not-allowed"); /* nor for open connections */
    end(&s);
}
END_TEST

/* --- The record ---------------------------------------------------------------------------- */

static void assert_record(const struct log_capture *log, const char *format, const char *lease)
{
    char line[256];

    snprintf(line, sizeof line, format, lease);
    assert_logged(log, line);
}

START_TEST(each_decision_leaves_its_line)
{
    struct service s;
    struct log_capture log;
    struct route_view view;
    struct prefix group;
    struct lease_info lease;
    char id[LEASE_ID_SIZE], request[128];

    group = kernel_prefix("239.1.1.1");
    begin(&s);
    log_set_level(LOG_NOTICE);
    log_capture_begin(&log);
    expect(client_ask(&s, 2, ADD(ONE)), "success");
    expect(client_ask(&s, 3, ADD(ONE)), "not-allowed");
    expect(client_ask(&s, 1, "{\"action\":\"PING\"}"), "success");
    expect(client_ask(&s, 3, "{\"action\":\"PING\"}"), "not-allowed");
    route_describe(mroute_find(s.kernel.mroute, &(struct prefix){0}, &group, NULL, 0), false,
                   &view);
    lease = resource_first_lease(view.resource)->info;
    lease_id_format(lease.id, id);
    snprintf(request, sizeof request, "{\"action\":\"REVOKE\",\"payload\":{\"lease\":\"%s\"}}", id);
    expect(client_ask(&s, 2, request), "not-allowed"); /* though it is his own */
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 1);
    record_release(&s.services, resource_first_lease(view.resource));
    expect(client_ask(&s, 0, request), "success");
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 0);
    end(&s);
    log_capture_end(&log);
    assert_record(&log,
                  "audit granted action=ADD_MFC verb=mroute.write uid=1001 pid=0 "
                  "rule='the operator routes' lease=%s interfaces=a,b group=239.1.1.1 table=253\n",
                  id);
    assert_logged(&log, "audit refused action=ADD_MFC verb=mroute.write uid=2002 pid=0 rule='none' "
                        "interfaces=a,b group=239.1.1.1 table=253\n");
    assert_not_logged(&log, "granted action=PING"); /* a monitor would fill the log */
    assert_logged(&log, "audit refused action=PING verb=service.read uid=2002");
    assert_record(&log,
                  "audit refused action=REVOKE verb=lease.revoke uid=1001 pid=0 rule='none' "
                  "lease=%s everything\n",
                  id);
    assert_record(&log,
                  "audit granted action=REVOKE verb=lease.revoke uid=0 pid=0 "
                  "rule='administrator' lease=%s everything\n",
                  id);
    assert_record(&log,
                  "audit released action=DEL_MFC verb=mroute.write uid=1001 pid=0 rule='-' "
                  "lease=%s interfaces=a,b group=239.1.1.1 table=253\n",
                  id);
}
END_TEST

START_TEST(what_waited_is_recorded_once)
{
    struct service s;
    struct log_capture log;

    begin(&s);
    log_set_level(LOG_NOTICE);
    log_capture_begin(&log);
    client_say(&s, 2, ADD("\"table\":100," ONE));
    service_settle(&s);
    open_table_100(&s);
    expect(client_line(&s, 2, NULL), "success");
    end(&s);
    log_capture_end(&log);
    ck_assert_uint_eq(log_count(&log, "audit granted"), 1);
}
END_TEST

/* Neither user 1 nor user 3 may delete; only the former may see the routes. */
START_TEST(what_is_not_there_is_told_to_those_who_may_look)
{
    static const char *const requests[] = {
        DEL("\"group\":\"239.1.1.9\""),
        DEL("\"group\":\"239.1.1.9\",\"oifs\":[\"b\"]"),
        DEL("\"group\":\"239.1.1.1\",\"iif\":\"b\""),
        "{\"action\":\"DEL_JOIN\",\"payload\":{\"group\":\"239.1.1.9\",\"iif\":\"a\"}}",
    };
    struct service s;

    begin(&s);
    expect(client_ask(&s, 0, ADD(ONE)), "success");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        expect(client_ask(&s, 0, requests[i]), "not-found");
        expect(client_ask(&s, 1, requests[i]), "not-found");
        expect(client_ask(&s, 3, requests[i]), "not-allowed");
    }
    expect(client_ask(&s, 1, DEL("\"group\":\"239.1.1.1\"")), "not-allowed");
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 1);
    end(&s);
}
END_TEST

/* Nor what reads, as above. */
START_TEST(only_what_was_done_is_recorded_as_granted)
{
    struct service s;
    struct log_capture log;

    begin(&s);
    log_set_level(LOG_NOTICE);
    log_capture_begin(&log);
    expect(client_ask(&s, 2, ADD(ONE ",\"dry_run\":true")), "success");
    expect(client_ask(&s, 2, ADD("\"group\":\"239.1.1.1\",\"iif\":\"b\",\"oifs\":[]")),
           "out-of-range");
    expect(client_ask(&s, 0, DEL("\"group\":\"239.1.1.1\"")), "not-found");
    expect(client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"dry_run\":true}}"),
           "success");
    expect(
        client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true,\"dry_run\":true}}"),
        "success");
    expect(client_ask(&s, 0,
                      "{\"action\":\"ADD_JOIN\",\"payload\":{\"group\":\"239.1.1.1\","
                      "\"iif\":\"a\",\"dry_run\":true}}"),
           "success");
    log_capture_end(&log);
    assert_not_logged(&log, "audit granted");
    log_capture_begin(&log);
    expect(client_ask(&s, 0, "{\"action\":\"BEGIN_REPLACE\"}"), "success");
    expect(client_ask(&s, 0, ADD(ONE)), "success");
    log_capture_end(&log);
    assert_logged(&log, "audit staged action=ADD_MFC verb=mroute.write uid=0");
    assert_not_logged(&log, "audit granted action=ADD_MFC");
    log_capture_begin(&log);
    expect(client_ask(&s, 0, "{\"action\":\"COMMIT\",\"payload\":{\"dry_run\":true}}"), "success");
    expect(client_ask(&s, 0, "{\"action\":\"COMMIT\"}"), "not-begun");
    log_capture_end(&log);
    assert_not_logged(&log, "audit granted");
    log_capture_begin(&log);
    expect(client_ask(&s, 0, "{\"action\":\"BEGIN_REPLACE\"}"), "success");
    expect(client_ask(&s, 0, ADD(ONE)), "success");
    expect(client_ask(&s, 0, "{\"action\":\"COMMIT\"}"), "success");
    expect(client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\"}"), "success");
    log_capture_end(&log);
    ck_assert_uint_eq(log_count(&log, "audit granted action=COMMIT"), 1);
    ck_assert_uint_eq(log_count(&log, "audit granted action=FLUSH_MFC"), 1);
    end(&s);
}
END_TEST

START_TEST(refusals_and_records_name_the_user)
{
    char path[] = "/tmp/netbroker-users-XXXXXX", line[] = "looker:x:2002:2002::/:/bin/false\n";
    struct user_names names;
    struct log_capture log;
    struct service s;
    cJSON *reply;
    int fd = mkstemp(path);

    ck_assert_int_eq(write(fd, line, sizeof line - 1), sizeof line - 1);
    begin(&s);
    user_names_init(&names, path);
    s.services.names = s.services.audit.names = &names;
    log_set_level(LOG_NOTICE);
    log_capture_begin(&log);
    reply = client_ask(&s, 3, ADD(ONE));
    log_capture_end(&log);
    assert_logged(&log, "uid=2002 pid=0 user=looker rule='none'");
    ck_assert_ptr_nonnull(strstr(cJSON_GetObjectItem(reply, "message")->valuestring,
                                 "User looker (2002) may not do mroute.write"));
    expect(reply, "not-allowed");
    end(&s);
    user_names_clear(&names);
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(metrics_of_routes_are_for_those_who_may_read_routes)
{
    struct log_capture log;
    struct service s;

    begin(&s);
    log_set_level(LOG_NOTICE);
    strcpy(s.services.policy.rules[0].verbs[0], "service.read");
    expect(client_ask(&s, 1, "{\"action\":\"METRICS\"}"), "success");
    log_capture_begin(&log);
    ck_assert(is_refused(&s, 1, "{\"action\":\"METRICS\",\"payload\":{\"routes\":true}}"));
    log_capture_end(&log);
    ck_assert_uint_eq(log_count(&log, "audit refused action=METRICS verb=mroute.read uid=300"), 1);
    end(&s);
}
END_TEST

START_TEST(a_refusal_says_what_and_why_and_whom_to_ask)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    reply = client_ask(&s, 3, ADD(ONE));
    ck_assert_str_eq(cJSON_GetObjectItem(reply, "message")->valuestring,
                     "User 2002 may not do mroute.write on interfaces=a,b group=239.1.1.1 "
                     "table=253: no rule allows it. Ask your administrator for one; see "
                     "netbroker-policy(5).");
    cJSON_Delete(reply);
    s.services.policy.rules[0].deny = true;
    reply = client_ask(&s, 1, "{\"action\":\"PING\"}");
    ck_assert_str_eq(cJSON_GetObjectItem(reply, "message")->valuestring,
                     "User 300 may not do service.read on everything: the rule 'deny members look' "
                     "forbids it. Ask your administrator, who writes the policy; see "
                     "netbroker-policy(5).");
    cJSON_Delete(reply);
    end(&s);
}
END_TEST

/* --- Names --------------------------------------------------------------------------------- */

/* What a name may be made of. c is no interface of the operator's; the look-alikes are a Cyrillic e
 * and a full-width 0. */
static const char *const parts[] = {
    "a",
    "c",
    "eth0",
    "eth1",
    "e",
    "th0",
    "..",
    "/",
    "../",
    "%d",
    "%s",
    "*",
    "?",
    "[a-c]",
    " ",
    "\\u0000",
    "\\u0063",
    "\\n",
    "\\\"",
    "\\\\",
    "\xff",
    "\xc0",
    "0123456789abcdef",
    "\xd0\xb5th0",
    "eth\xef\xbc\x90",
    "@",
    ":",
    "\\u0061",
    ",",
    "\x01",
    "\\ud800",
    "\xe2\x80\xae",
    "A",
    "\x7f",
    "",
};

static unsigned next_number(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16;
}

/* One to three parts, as a JSON text has them. */
static void make_name(char *name, unsigned *state)
{
    name[0] = '\0';
    for (unsigned count = next_number(state) % 3 + 1; count > 0; count--)
        strcat(name, parts[next_number(state) % (sizeof parts / sizeof *parts)]);
}

/* The route that was made must name one of the operator's interfaces, byte by byte. */
static void check_route(struct service *s)
{
    struct route_view view;
    struct prefix source, group;
    const struct route *route;

    group = kernel_prefix("239.1.1.1");
    source = kernel_prefix("10.0.0.1");
    route = mroute_find(s->kernel.mroute, &source, &group, NULL, 0);
    ck_assert_ptr_nonnull(route);
    route_describe(route, false, &view);
    ck_assert_msg(strcmp(view.iif, "a") == 0 || strcmp(view.iif, "eth0") == 0 ||
                      strcmp(view.iif, "eth1") == 0,
                  "%s", view.iif);
}

START_TEST(no_name_passes_for_another)
{
    struct service s;
    char name[128], request[256];
    unsigned state = 1, done = 0;

    begin(&s);
    s.services.users.limits.requests_per_second = 1000000;
    for (int i = 0; i < 20000; i++) {
        cJSON *reply;

        make_name(name, &state);
        snprintf(request, sizeof request,
                 ADD(SENDER "\"group\":\"239.1.1.1\",\"iif\":\"%s\",\"oifs\":[\"b\"]"), name);
        reply = client_ask(&s, 2, request);
        if (strcmp(cJSON_GetObjectItem(reply, "status")->valuestring, "success") == 0) {
            check_route(&s);
            done++;
        }
        cJSON_Delete(reply);
        ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, done > 0);
    }
    ck_assert_uint_gt(done, 100);
    end(&s);
}
END_TEST

/* The rules are there, and do not hold. */
START_TEST(a_closed_policy_allows_root_alone)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    s.services.policy.closed = true;
    ck_assert(is_refused(&s, 1, "{\"action\":\"PING\"}"));
    ck_assert(is_refused(&s, 2, ADD(ONE)));
    ck_assert(is_refused(&s, 2, "{\"action\":\"BEGIN_REPLACE\"}"));
    ck_assert(!is_refused(&s, 0, ADD(ONE)));
    reply = client_ask(&s, 2, ADD(ONE));
    ck_assert_ptr_nonnull(
        strstr(cJSON_GetObjectItem(reply, "message")->valuestring, "the policy has mistakes"));
    cJSON_Delete(reply);
    s.services.policy.closed = false;
    ck_assert(!is_refused(&s, 2, ADD(ONE)));
    end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_closed_policy_allows_root_alone);
    tcase_add_loop_test(tests, every_action_is_decided_for_every_user, 0, ACTION_COUNT);
    tcase_add_loop_test(tests, a_request_is_about_all_that_it_changes, 0,
                        (int)(sizeof abouts / sizeof *abouts));
    tcase_add_loop_test(tests, nothing_hides_among_many_interfaces, 0, 2);
    tcase_add_test(tests, the_table_of_a_route_is_its_family_s_default);
    tcase_add_test(tests, what_has_changed_during_a_wait_counts);
    tcase_add_test(tests, a_rule_that_is_gone_does_not_hold_for_those_who_wait);
    tcase_add_test(tests, each_decision_leaves_its_line);
    tcase_add_test(tests, what_waited_is_recorded_once);
    tcase_add_test(tests, what_is_not_there_is_told_to_those_who_may_look);
    tcase_add_test(tests, only_what_was_done_is_recorded_as_granted);
    tcase_add_test(tests, refusals_and_records_name_the_user);
    tcase_add_test(tests, metrics_of_routes_are_for_those_who_may_read_routes);
    tcase_add_test(tests, a_refusal_says_what_and_why_and_whom_to_ask);
    tcase_add_test(tests, no_name_passes_for_another);
}

int main(void)
{
    return suite_run("authorise", add_tests);
}
