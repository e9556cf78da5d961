/* Requests that wait, and what ends meanwhile: each goes on once, with what comes after the wait,
 * or is answered and leaves nothing behind. */
#include "broker/wire/session_internal.h"
#include "client.h"
#include "log.h"
#include "log_capture.h"
#include "resources/mroute/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOT, FIRST, SECOND, OTHER }; /* clients: Alice has two */
enum { ALICE = 1001, BOB = 1002 };

/* What a request can wait for. */
enum wait_for { FOR_TABLE, FOR_RULE, FOR_JOIN, FOR_SET, WAIT_KINDS };

#define ADD(payload) "{\"action\":\"ADD_MFC\",\"payload\":{\"oifs\":[\"b\"]," payload "}}"
#define IN(table)    "\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\",\"table\":" table
#define PING         "{\"action\":\"PING\",\"id\":1}"

static const char *const requests[WAIT_KINDS] = {
    [FOR_TABLE] = ADD(IN("7") ",\"iif\":\"a\""),
    [FOR_RULE] = ADD(IN("7") ",\"iif\":\"a\""),
    [FOR_JOIN] = "{\"action\":\"ADD_JOIN\",\"payload\":{\"group\":\"239.1.1.1\",\"iif\":\"a\"}}",
    [FOR_SET] = ADD(IN("253") ",\"iif\":\"a\""),
};

/* --- The ground ---------------------------------------------------------------------------- */

static uint64_t no_time(void)
{
    return 1;
}

/* Rules are made at once; that they are is answered when a test says so. */
static bool change_rule(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    (void)context;
    if (ifindex)
        ck_assert_int_eq(mroute_rule_add(rule->family, rule->table, ifindex), 0);
    else
        mroute_rule_del(rule);
    return ifindex != 0;
}

static const struct rules_host rules = {change_rule, NULL};

/* Everybody may do everything. */
static void begin(struct service *s)
{
    static const uid_t uids[] = {[ROOT] = 0, [FIRST] = ALICE, [SECOND] = ALICE, [OTHER] = BOB};

    log_set_level(LOG_ERR);
    service_begin(s, "a b c");
    s->services.policy.rules = calloc(1, sizeof(struct rule));
    ck_assert_ptr_nonnull(s->services.policy.rules);
    s->services.policy.rules[0] =
        (struct rule){.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};
    s->services.policy.count = 1;
    audit_open(&s->services.audit, no_time);
    for (int n = ROOT; n <= OTHER; n++)
        client_connect_as(s, n, uids[n]);
}

static void end(struct service *s)
{
    service_settle(s);
    ck_assert(LIST_EMPTY(&s->services.pendings));
    free(s->services.policy.rules);
    s->services.policy.count = 0;
    service_end(s);
}

static void set_policy(struct service *s, bool allows)
{
    s->services.policy.count = allows;
    pendings_policy_changed(&s->services);
    sessions_check_policy(&s->services);
}

static void open_table(struct service *s, uint32_t table)
{
    mroute_table_opened(s->kernel.mroute, V4, table, mroute_socket_open(V4, table), NULL);
    service_settle(s);
}

static void answer_rule(struct service *s)
{
    mroute_rule_answered(s->kernel.mroute, V4, 7);
    service_settle(s);
}

/* Bob's set of one route, which needs a table: nobody waits for it until that is open. */
static void begin_set(struct service *s)
{
    expect(client_ask(s, OTHER, "{\"action\":\"BEGIN_REPLACE\"}"), "success");
    expect(client_ask(s, OTHER, ADD(IN("9") ",\"iif\":\"c\"")), "success");
    client_say(s, OTHER, "{\"action\":\"COMMIT\"}");
    service_settle(s);
    ck_assert(slices_are_busy(&s->services.slices));
}

/* A set that others have to wait for, until a test says that it is applied. */
static struct held_up {
    struct slice_job job; /* first */
    struct slices *slices;
    bool over;
} held_up;

static enum slice_step hold_up(struct slice_job *job)
{
    ck_assert(slices_hold(held_up.slices, job, HOLD_OTHERS));
    return held_up.over ? SLICE_DONE : SLICE_WAIT;
}

static void note_end(struct slice_job *job)
{
    (void)job;
}

static void begin_hold(struct service *s)
{
    held_up = (struct held_up){
        .job = {.step = hold_up, .end = note_end},
        .slices = &s->services.slices,
    };
    slices_add(held_up.slices, &held_up.slices->service, &held_up.job);
    service_settle(s);
}

static void end_hold(struct service *s)
{
    held_up.over = true;
    slices_wake(held_up.slices, &held_up.job);
    service_settle(s);
}

/* The nth client's request is made to wait. */
static void begin_wait(struct service *s, int n, enum wait_for what)
{
    switch (what) {
    case FOR_RULE:
        close(kernel_open_table(&s->kernel, V4, 7));
        mroute_keep_rules(s->kernel.mroute, &rules);
        break;
    case FOR_JOIN:
        keeper_end_listen(&s->keeper, false);
        break;
    case FOR_SET:
        begin_hold(s);
        break;
    default:
        break;
    }
    client_say(s, n, requests[what]);
    ck_assert_ptr_null(client_line(s, n, NULL));
}

/* What it waits for is there. */
static void end_wait(struct service *s, enum wait_for what)
{
    switch (what) {
    case FOR_TABLE:
        open_table(s, 7);
        break;
    case FOR_RULE:
        answer_rule(s);
        break;
    case FOR_JOIN:
        keeper_end_listen(&s->keeper, true);
        break;
    default:
        end_hold(s);
    }
    service_settle(s);
}

/* What Alice has of the request, by the service and by the kernel. */
static bool is_there(const struct service *s, enum wait_for what)
{
    const struct prefix source = kernel_prefix("10.0.0.1"), group = kernel_prefix("239.1.1.1");
    const struct join_key key = {.group = group, .iif = {"a"}};
    uint32_t table = what == FOR_SET ? 253 : 7;
    bool wanted;
    bool joined = fake_is_member(1, NULL, "239.1.1.1");
    bool routed = fake_table_is_owned(V4, table) && fake_mfc_count(V4, table) > 0;

    if (what == FOR_JOIN)
        wanted = joins_find(s->kernel.joins, &key);
    else
        wanted = mroute_find(s->kernel.mroute, &source, &group, NULL, table);
    ck_assert(wanted == (what == FOR_JOIN ? joined : routed));
    return wanted;
}

/* As when its connection is found broken, or the service stops. */
static void end_session(struct service *s, int n)
{
    struct session *session = LIST_FIRST(&s->services.sessions.list); /* the newest */

    for (int i = OTHER; i > n; i--)
        session = LIST_NEXT(session, in_sessions);
    session_close(session);
    service_settle(s);
    ck_assert_uint_eq(s->closed, 1);
}

/* No second reply came, and the connection is served. */
static void expect_served(struct service *s, int n)
{
    cJSON *reply = client_ask(s, n, PING);

    ck_assert_ptr_nonnull(cJSON_GetObjectItem(reply, "id"));
    cJSON_Delete(reply);
}

/* --- One wait ------------------------------------------------------------------------------ */

START_TEST(a_request_goes_on_once)
{
    struct service s;
    struct log_capture log;

    begin(&s);
    log_set_level(LOG_NOTICE);
    log_capture_begin(&log);
    begin_wait(&s, FIRST, _i);
    set_policy(&s, true); /* the new one allows it as well */
    end_wait(&s, _i);
    expect(client_line(&s, FIRST, NULL), "success");
    ck_assert(is_there(&s, _i));
    log_capture_end(&log);
    ck_assert_uint_eq(log_count(&log, "audit granted action=ADD_MFC") +
                          log_count(&log, "audit granted action=ADD_JOIN"),
                      1);
    expect_served(&s, FIRST);
    end(&s);
}
END_TEST

START_TEST(a_new_policy_ends_the_wait_and_what_was_begun)
{
    struct service s;

    begin(&s);
    begin_wait(&s, FIRST, _i);
    set_policy(&s, false);
    expect(client_line(&s, FIRST, NULL), "not-allowed");
    ck_assert(!is_there(&s, _i));
    end_wait(&s, _i);
    set_policy(&s, true);
    expect_served(&s, FIRST);
    ck_assert(!is_there(&s, _i));
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 0);
    end(&s);
}
END_TEST

/* What was read behind the request takes the place where its id was. */
START_TEST(an_id_outlives_the_bytes_of_its_request)
{
    struct service s;
    char *line, text[256];

    begin(&s);
    snprintf(text, sizeof text, "{\"id\":{\"mine\":true},%s%s", requests[FOR_TABLE] + 1, PING PING);
    client_say(&s, FIRST, text);
    service_settle(&s);
    open_table(&s, 7);
    cJSON_Delete(client_line(&s, FIRST, &line));
    ck_assert_ptr_nonnull(strstr(line, "\"id\":{\"mine\":true}"));
    free(line);
    expect_served(&s, FIRST);
    end(&s);
}
END_TEST

/* What was done stays done, the rest is not done. */
START_TEST(what_waits_is_charged_to_its_user)
{
    struct service s;
    const struct account *alice;
    static char text[REQUEST_MAX];

    begin(&s);
    alice = pools_find(&s.services.users.pools, ALICE);
    ck_assert_uint_eq(users_queued_by(&s.services.users, alice), 0);
    sprintf(text,
            "{\"action\":\"ADD_MFC\",\"id\":\"%016000d\",\"payload\":"
            "{\"oifs\":[\"b\"],\"iif\":\"a\"," IN("7") "}}",
            0);
    client_say(&s, FIRST, text);
    ck_assert_ptr_null(client_line(&s, FIRST, NULL));
    ck_assert(!LIST_EMPTY(&s.services.pendings));
    ck_assert_uint_ge(users_queued_by(&s.services.users, alice), 16000 + sizeof(struct pending));
    open_table(&s, 7);
    expect(client_line(&s, FIRST, NULL), "success");
    ck_assert_uint_eq(users_queued_by(&s.services.users, alice), 0);
    end(&s);
}
END_TEST

START_TEST(who_has_gone_is_not_answered)
{
    struct service s;

    begin(&s);
    begin_wait(&s, FIRST, _i);
    end_session(&s, FIRST);
    end_wait(&s, _i);
    ck_assert(is_there(&s, _i) == (_i == FOR_RULE || _i == FOR_JOIN));
    end(&s);
}
END_TEST

/* --- The lease ----------------------------------------------------------------------------- */

static void revoke_first(struct service *s)
{
    cJSON *reply = client_ask(s, ROOT, "{\"action\":\"LEASES\"}");
    const cJSON *payload = cJSON_GetObjectItem(reply, "payload");
    const cJSON *lease = cJSON_GetArrayItem(cJSON_GetObjectItem(payload, "leases"), 0);
    char request[96];

    snprintf(request, sizeof request, "{\"action\":\"REVOKE\",\"payload\":{\"lease\":\"%s\"}}",
             cJSON_GetObjectItem(lease, "lease")->valuestring);
    cJSON_Delete(reply);
    expect(client_ask(s, ROOT, request), "success");
}

static void expect_ended(cJSON *reply)
{
    ck_assert_ptr_nonnull(reply);
    ck_assert_ptr_nonnull(strstr(cJSON_GetObjectItem(reply, "message")->valuestring,
                                 "ended while the request waited"));
    expect(reply, "not-found");
}

START_TEST(a_lease_that_is_revoked_meanwhile_does_not_come_back)
{
    struct service s;

    begin(&s);
    begin_wait(&s, FIRST, _i);
    client_say(&s, SECOND, requests[_i]); /* the same lease */
    service_settle(&s);
    revoke_first(&s);
    expect_ended(client_line(&s, FIRST, NULL));
    expect_ended(client_line(&s, SECOND, NULL));
    end_wait(&s, _i);
    ck_assert(!is_there(&s, _i));
    expect_served(&s, FIRST);
    expect_served(&s, SECOND);
    end(&s);
}
END_TEST

START_TEST(what_is_deleted_meanwhile_does_not_come_back)
{
    const char *deletion = _i == FOR_RULE
                               ? "{\"action\":\"DEL_MFC\",\"payload\":{" IN("7") "}}"
                               : "{\"action\":\"DEL_JOIN\",\"payload\":{\"group\":\"239.1.1.1\","
                                 "\"iif\":\"a\"}}";
    struct service s;

    begin(&s);
    begin_wait(&s, FIRST, _i);
    expect(client_ask(&s, SECOND, deletion), "success");
    expect_ended(client_line(&s, FIRST, NULL));
    end_wait(&s, _i);
    ck_assert(!is_there(&s, _i));
    expect_served(&s, FIRST);
    end(&s);
}
END_TEST

START_TEST(a_lease_from_before_stays_when_it_may_not_be_asked_for_again)
{
    struct service s;

    begin(&s);
    begin_wait(&s, FIRST, _i);
    end_session(&s, FIRST); /* what it has begun is done */
    client_say(&s, SECOND, requests[_i]);
    service_settle(&s);
    set_policy(&s, false);
    expect(client_line(&s, SECOND, NULL), "not-allowed");
    end_wait(&s, _i);
    ck_assert(is_there(&s, _i));
    end(&s);
}
END_TEST

/* The other connection's lease goes with the first one's, and both hear why. */
START_TEST(two_that_wait_with_one_lease_are_both_refused)
{
    struct service s;

    begin(&s);
    begin_wait(&s, FIRST, _i);
    client_say(&s, SECOND, requests[_i]);
    service_settle(&s);
    set_policy(&s, false);
    for (int n = FIRST; n <= SECOND; n++) {
        cJSON *reply = client_line(&s, n, NULL);

        ck_assert_ptr_nonnull(reply);
        ck_assert_str_eq(cJSON_GetObjectItem(reply, "status")->valuestring, "error");
        cJSON_Delete(reply);
    }
    end_wait(&s, _i);
    ck_assert(!is_there(&s, _i));
    end(&s);
}
END_TEST

/* --- Two waits ----------------------------------------------------------------------------- */

static void begin_two_waits(struct service *s, unsigned passed)
{
    begin(s);
    mroute_keep_rules(s->kernel.mroute, &rules);
    begin_wait(s, FIRST, FOR_TABLE);
    if (passed > 0)
        open_table(s, 7);
    ck_assert_ptr_null(client_line(s, FIRST, NULL));
}

START_TEST(a_request_waits_for_its_table_and_then_for_its_rule)
{
    struct service s;

    begin_two_waits(&s, 1);
    answer_rule(&s);
    expect(client_line(&s, FIRST, NULL), "success");
    ck_assert(is_there(&s, FOR_RULE));
    expect_served(&s, FIRST);
    end(&s);
}
END_TEST

/* The first one has nothing done yet, the second one the route. */
START_TEST(who_has_gone_in_one_of_two_waits_is_not_answered)
{
    struct service s;

    begin_two_waits(&s, (unsigned)_i);
    end_session(&s, FIRST);
    if (_i)
        answer_rule(&s);
    else
        open_table(&s, 7);
    ck_assert(is_there(&s, FOR_RULE) == (_i == 1));
    end(&s);
}
END_TEST

START_TEST(a_new_policy_ends_either_of_two_waits)
{
    struct service s;

    begin_two_waits(&s, (unsigned)_i);
    set_policy(&s, false);
    expect(client_line(&s, FIRST, NULL), "not-allowed");
    if (!_i)
        open_table(&s, 7);
    ck_assert(!is_there(&s, FOR_RULE));
    ck_assert_uint_eq(fake_rule_count(), 0);
    end(&s);
}
END_TEST

/* The set has checked what there is: nothing comes in between, though the table is there. */
START_TEST(a_table_that_comes_while_a_set_is_at_work_is_not_used)
{
    struct service s;

    begin(&s);
    begin_wait(&s, FIRST, FOR_TABLE);
    begin_hold(&s);
    open_table(&s, 7);
    ck_assert_ptr_null(client_line(&s, FIRST, NULL));
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 0);
    end_hold(&s);
    ck_assert(!mroute_table_is_open(s.kernel.mroute, V4, 7)); /* nobody had it open */
    open_table(&s, 7);
    expect(client_line(&s, FIRST, NULL), "success");
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 1);
    end(&s);
}
END_TEST

/* --- Work of their own --------------------------------------------------------------------- */

START_TEST(a_new_policy_ends_a_set_that_is_checked)
{
    struct service s;

    begin(&s);
    begin_set(&s);
    set_policy(&s, false);
    expect(client_line(&s, OTHER, NULL), "not-allowed");
    ck_assert(!slices_are_busy(&s.services.slices));
    open_table(&s, 9);
    set_policy(&s, true);
    expect(client_ask(&s, OTHER, "{\"action\":\"COMMIT\"}"), "not-begun");
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 0);
    end(&s);
}
END_TEST

/* There is no way back: its routes are there, and it waits for their rules only. */
START_TEST(a_set_that_is_applied_is_not_judged_again)
{
    struct service s;

    begin(&s);
    mroute_keep_rules(s.kernel.mroute, &rules);
    begin_set(&s);
    open_table(&s, 9);
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 1);
    set_policy(&s, false);
    ck_assert_ptr_null(client_line(&s, OTHER, NULL));
    mroute_rule_answered(s.kernel.mroute, V4, 9);
    expect(client_line(&s, OTHER, NULL), "success");
    ck_assert_uint_eq(mroute_totals(s.kernel.mroute).routes, 1);
    end(&s);
}
END_TEST

START_TEST(a_new_policy_ends_a_long_look)
{
    const struct prefix source = kernel_prefix("10.0.0.1"), group = kernel_prefix("239.1.1.1");
    struct service s;

    begin(&s);
    s.mroute.host.loop = &s.loop;
    expect(client_ask(&s, ROOT, requests[FOR_SET]), "success");
    fake_packet(V4, 253, 1, &source.address, &group.address); /* else there is nothing to see */
    client_say(&s, FIRST,
               "{\"action\":\"DIAGNOSE\",\"payload\":{\"source\":\"10.0.0.1\","
               "\"group\":\"239.1.1.1\",\"observe\":5000}}");
    service_settle(&s);
    ck_assert(!LIST_EMPTY(&s.mroute.observations));
    set_policy(&s, false);
    expect(client_line(&s, FIRST, NULL), "not-allowed");
    ck_assert(LIST_EMPTY(&s.mroute.observations));
    end(&s);
}
END_TEST

/* It waits for its user's other work, as all that costs time does. */
START_TEST(a_long_look_is_its_users_work)
{
    const struct prefix source = kernel_prefix("10.0.0.1"), group = kernel_prefix("239.1.1.1");
    struct slice_user *alice;
    struct service s;

    begin(&s);
    s.mroute.host.loop = &s.loop;
    alice = &pools_find(&s.services.users.pools, ALICE)->work;
    expect(client_ask(&s, ROOT, requests[FOR_SET]), "success");
    fake_packet(V4, 253, 1, &source.address, &group.address);
    client_say(&s, FIRST,
               "{\"action\":\"DIAGNOSE\",\"payload\":{\"source\":\"10.0.0.1\","
               "\"group\":\"239.1.1.1\",\"observe\":300}}");
    service_settle(&s);
    ck_assert(!LIST_EMPTY(&s.mroute.observations));
    held_up = (struct held_up){{.step = hold_up, .end = note_end}, &s.services.slices, false};
    slices_add(held_up.slices, alice, &held_up.job);
    while (!LIST_EMPTY(&s.mroute.observations) && alice->job_count == 1)
        uv_run(&s.loop, UV_RUN_ONCE);
    ck_assert(!LIST_EMPTY(&s.mroute.observations)); /* it has not looked yet */
    ck_assert_uint_eq(alice->job_count, 2);
    end_hold(&s);
    while (!LIST_EMPTY(&s.mroute.observations))
        uv_run(&s.loop, UV_RUN_ONCE);
    expect(client_line(&s, FIRST, NULL), "success");
    end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_request_goes_on_once, 0, WAIT_KINDS);
    tcase_add_loop_test(tests, a_new_policy_ends_the_wait_and_what_was_begun, 0, WAIT_KINDS);
    tcase_add_test(tests, an_id_outlives_the_bytes_of_its_request);
    tcase_add_test(tests, what_waits_is_charged_to_its_user);
    tcase_add_loop_test(tests, who_has_gone_is_not_answered, 0, WAIT_KINDS);
    tcase_add_loop_test(tests, a_lease_that_is_revoked_meanwhile_does_not_come_back, FOR_RULE,
                        FOR_SET);
    tcase_add_loop_test(tests, what_is_deleted_meanwhile_does_not_come_back, FOR_RULE, FOR_SET);
    tcase_add_loop_test(tests, a_lease_from_before_stays_when_it_may_not_be_asked_for_again,
                        FOR_RULE, FOR_SET);
    tcase_add_loop_test(tests, two_that_wait_with_one_lease_are_both_refused, FOR_RULE, FOR_SET);
    tcase_add_test(tests, a_request_waits_for_its_table_and_then_for_its_rule);
    tcase_add_loop_test(tests, who_has_gone_in_one_of_two_waits_is_not_answered, 0, 2);
    tcase_add_loop_test(tests, a_new_policy_ends_either_of_two_waits, 0, 2);
    tcase_add_test(tests, a_table_that_comes_while_a_set_is_at_work_is_not_used);
    tcase_add_test(tests, a_new_policy_ends_a_set_that_is_checked);
    tcase_add_test(tests, a_set_that_is_applied_is_not_judged_again);
    tcase_add_test(tests, a_new_policy_ends_a_long_look);
    tcase_add_test(tests, a_long_look_is_its_users_work);
}

int main(void)
{
    return suite_run("pending", add_tests);
}
