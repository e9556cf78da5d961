/* Sets of routes: what is decided when they are collected and again when they are applied, what
 * else happens in between, and the bounds that hold for all of a set. */
#include "client.h"
#include "log.h"
#include "resources/mroute/rules.h"
#include "resources/mroute/staging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALICE = 1001, BOB = 1002, MANY = 5000 };

#define BEGIN        "{\"action\":\"BEGIN_REPLACE\"}"
#define COMMIT       "{\"action\":\"COMMIT\"}"
#define ADD(payload) "{\"action\":\"ADD_MFC\",\"payload\":{" payload "}}"
#define FLOW(last, oif)                                                                            \
    "\"source\":\"10.0.0.1\",\"group\":\"239.1.1." last "\",\"iif\":\"a\",\"oifs\":[\"" oif "\"]"

static const struct rule anything = {.everyone = true, .verb_count = 1, .verbs = {"*"}};

/* Root is the first client, Alice the second, Bob the third; all may do everything. */
static void begin(struct service *s)
{
    log_set_level(LOG_ERR);
    service_begin(s, "a b c");
    s->services.policy.rules = calloc(4, sizeof(struct rule));
    ck_assert_ptr_nonnull(s->services.policy.rules);
    s->services.policy.rules[0] = anything;
    s->services.policy.count = 1;
    client_connect_as(s, 0, 0);
    client_connect_as(s, 1, ALICE);
    client_connect_as(s, 2, BOB);
}

static void end(struct service *s)
{
    service_settle(s);
    free(s->services.policy.rules);
    service_end(s);
}

static size_t routes(const struct service *s)
{
    return mroute_totals(s->kernel.mroute).routes;
}

/* Turns the loop until the nth client has a reply. */
static cJSON *await(struct service *s, int n)
{
    cJSON *reply = NULL;

    for (int i = 0; i < 1000 && !reply; i++)
        reply = client_line(s, n, NULL);
    return reply;
}

static void stage(struct service *s, int n, const char *request)
{
    expect(client_ask(s, n, BEGIN), "success");
    expect(client_ask(s, n, request), "success");
}

static void stage_many(struct service *s, int n, unsigned second)
{
    char request[160];

    expect(client_ask(s, n, BEGIN), "success");
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(request, sizeof request,
                 ADD("\"source\":\"10.0.0.1\",\"group\":\"239.%u.%u.%u\",\"iif\":\"a\","
                     "\"oifs\":[\"b\"]"),
                 second, i / 256, i % 256);
        expect(client_ask(s, n, request), "success");
    }
}

static double count_of(cJSON *reply, const char *name)
{
    const cJSON *payload = cJSON_GetObjectItem(reply, "payload");
    double count = cJSON_GetNumberValue(cJSON_GetObjectItem(payload, name));

    return count;
}

/* --- The policy ---------------------------------------------------------------------------- */

START_TEST(what_the_policy_forbids_meanwhile_is_not_applied)
{
    struct service s;
    struct rule *deny;

    begin(&s);
    deny = &s.services.policy.rules[1];
    stage(&s, 1, ADD(FLOW("1", "b")));
    expect(client_ask(&s, 1, ADD(FLOW("2", "c"))), "success");
    *deny = anything;
    deny->deny = true;
    deny->interface_count = 1;
    deny->interfaces[0][0] = 'c';
    s.services.policy.count = 2;
    expect(client_ask(&s, 1, COMMIT), "not-allowed");
    ck_assert_uint_eq(routes(&s), 0);
    expect(client_ask(&s, 1, COMMIT), "not-begun"); /* a refused set is over */
    end(&s);
}
END_TEST

START_TEST(a_set_that_may_not_be_committed_is_over)
{
    struct service s;

    begin(&s);
    stage(&s, 1, ADD(FLOW("1", "b")));
    s.services.policy.count = 0;
    expect(client_ask(&s, 1, COMMIT), "not-allowed");
    s.services.policy.count = 1;
    expect(client_ask(&s, 1, ADD(FLOW("1", "b"))), "success");
    ck_assert_uint_eq(routes(&s), 1);
    end(&s);
}
END_TEST

/* As DEL_MFC of it would be. */
START_TEST(what_may_not_be_deleted_is_not_left_out)
{
    struct service s;
    struct rule *deny;

    begin(&s);
    deny = &s.services.policy.rules[1];
    expect(client_ask(&s, 1, ADD(FLOW("1", "b"))), "success");
    expect(client_ask(&s, 1, ADD(FLOW("2", "c"))), "success");
    *deny = anything;
    deny->deny = true;
    deny->interface_count = 1;
    deny->interfaces[0][0] = 'c';
    s.services.policy.count = 2;
    stage(&s, 1, ADD(FLOW("1", "b")));
    expect(client_ask(&s, 1, COMMIT), "not-allowed");
    ck_assert_uint_eq(routes(&s), 2);
    s.services.policy.count = 1;
    stage(&s, 1, ADD(FLOW("1", "b")));
    expect(client_ask(&s, 1, COMMIT), "success");
    ck_assert_uint_eq(routes(&s), 1);
    end(&s);
}
END_TEST

/* --- Bounds -------------------------------------------------------------------------------- */

START_TEST(routes_that_others_hold_count_as_leases)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    s.services.users.limits.leases_per_user = 1;
    service_apply_limits(&s);
    expect(client_ask(&s, 0, ADD(FLOW("1", "b"))), "success");
    expect(client_ask(&s, 0, ADD(FLOW("2", "b"))), "success");
    stage(&s, 1, ADD(FLOW("1", "b")));
    expect(client_ask(&s, 1, ADD(FLOW("2", "b"))), "success");
    expect(client_ask(&s, 1, COMMIT), "limit");
    stage(&s, 1, ADD(FLOW("1", "b")));
    expect(client_ask(&s, 1, COMMIT), "success");
    stage(&s, 1, ADD(FLOW("2", "b"))); /* one goes, one comes, though the route stays */
    reply = client_ask(&s, 1, COMMIT);
    ck_assert(count_of(reply, "deleted") == 0 && count_of(reply, "unchanged") == 1);
    expect(reply, "success");
    ck_assert_uint_eq(routes(&s), 2);
    expect(client_ask(&s, 1, BEGIN), "success");
    reply = client_ask(&s, 1, "{\"action\":\"COMMIT\",\"payload\":{\"dry_run\":true}}");
    ck_assert(count_of(reply, "deleted") == 0);
    expect(reply, "success");
    end(&s);
}
END_TEST

/* The rule that comes first has no limit, but it does not allow this. */
START_TEST(the_leases_of_each_route_s_rule_count)
{
    struct service s;
    struct rule *rules;

    begin(&s);
    rules = s.services.policy.rules;
    rules[0].interface_count = 1;
    rules[0].interfaces[0][0] = 'c';
    rules[1] = anything;
    rules[1].leases = 1;
    s.services.policy.count = 2;
    stage(&s, 1, ADD(FLOW("1", "b")));
    expect(client_ask(&s, 1, ADD(FLOW("2", "b"))), "success");
    expect(client_ask(&s, 1, COMMIT), "limit");
    ck_assert_uint_eq(routes(&s), 0);
    end(&s);
}
END_TEST

/* The last one would be refused when the others are there already. */
START_TEST(a_set_that_names_too_many_interfaces_changes_nothing)
{
    struct service s;
    char request[200];

    begin(&s);
    expect(client_ask(&s, 1, BEGIN), "success");
    for (int i = 0; i < IFACES_MAX; i++) {
        snprintf(request, sizeof request,
                 ADD("\"source\":\"10.0.0.1\",\"group\":\"239.1.1.%d\",\"iif\":\"late%d\","
                     "\"oifs\":[\"b\"],\"wait\":true"),
                 i % 256, i);
        expect(client_ask(&s, 1, request), "success");
    }
    expect(client_ask(&s, 1, COMMIT), "limit");
    ck_assert_uint_eq(routes(&s), 0);
    end(&s);
}
END_TEST

START_TEST(a_set_with_too_many_tables_changes_nothing)
{
    struct service s;
    char request[200];

    begin(&s);
    expect(client_ask(&s, 1, BEGIN), "success");
    for (int i = 0; i < TABLES_MAX; i++) {
        snprintf(request, sizeof request, ADD(FLOW("1", "b") ",\"table\":%d"), 100 + i);
        expect(client_ask(&s, 1, request), "success");
    }
    client_say(&s, 1, COMMIT);
    for (uint32_t table = 100; table < 100 + TABLES_MAX; table++) {
        service_settle(&s);
        if (s.kernel.asked_table == table)
            mroute_table_opened(s.kernel.mroute, V4, table, mroute_socket_open(V4, table), NULL);
    }
    expect(await(&s, 1), "limit");
    ck_assert_uint_eq(routes(&s), 0);
    ck_assert_uint_eq(s.kernel.closed, TABLES_MAX - 2); /* none is kept for nothing */
    end(&s);
}
END_TEST

START_TEST(what_is_listed_counts_as_memory)
{
    struct service s;
    size_t before;

    begin(&s);
    stage_many(&s, 1, 5);
    before = s.services.users.bytes.used;
    ck_assert_uint_gt(before, MANY * sizeof(struct staged));
    client_say(&s, 1, "{\"action\":\"COMMIT\",\"payload\":{\"dry_run\":true}}");
    for (int i = 0; i < 100; i++)
        service_settle(&s); /* and the client does not read */
    ck_assert_uint_ge(s.services.users.bytes.used, before);
    cJSON *reply = await(&s, 1);
    ck_assert(count_of(reply, "added") == MANY);
    expect(reply, "success");
    end(&s);
}
END_TEST

START_TEST(a_set_takes_its_share_of_the_memory)
{
    struct service s;

    begin(&s);
    s.services.users.limits.queued_bytes_per_user = 65536;
    service_apply_limits(&s);
    expect(client_ask(&s, 1, BEGIN), "success");
    for (int i = 0; i < 1000; i++) {
        cJSON *reply = client_ask(&s, 1, ADD(FLOW("1", "b")));
        bool full = cJSON_GetObjectItem(reply, "code") != NULL;

        expect(reply, full ? "limit" : "success");
        if (full) {
            ck_assert_uint_ge(s.services.users.bytes.used, 32768 - REQUEST_MAX);
            expect(client_ask(&s, 1, COMMIT), "aborted");
            ck_assert_uint_lt(s.services.users.bytes.used, 32768);
            end(&s);
            return;
        }
    }
    ck_abort_msg("there is no limit");
}
END_TEST

/* --- What belongs to a set ----------------------------------------------------------------- */

START_TEST(a_set_is_of_what_the_user_holds)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 1, BEGIN), "success");
    expect(client_ask(&s, 1, ADD(FLOW("1", "b") ",\"while_connected\":true")), "unsupported");
    expect(client_ask(&s, 1, BEGIN), "in-use"); /* and what was collected is there still */
    expect(client_ask(&s, 1, COMMIT), "aborted");
    expect(client_ask(&s, 1, BEGIN), "success");
    expect(client_ask(&s, 1, ADD(FLOW("1", "b") ",\"dry_run\":true")), "unsupported");
    expect(client_ask(&s, 1, COMMIT), "aborted");
    ck_assert_uint_eq(routes(&s), 0);
    end(&s);
}
END_TEST

START_TEST(a_set_is_of_the_family_and_table_that_were_named)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 1, "{\"action\":\"BEGIN_REPLACE\",\"payload\":{\"family\":\"ipv6\"}}"),
           "success");
    expect(client_ask(&s, 1, ADD(FLOW("1", "b"))), "out-of-range");
    expect(client_ask(&s, 1, "{\"action\":\"ABORT\"}"), "success");
    expect(client_ask(&s, 1, "{\"action\":\"BEGIN_REPLACE\",\"payload\":{\"table\":101}}"),
           "success");
    expect(client_ask(&s, 1, ADD(FLOW("1", "b"))), "out-of-range");
    expect(client_ask(&s, 1, "{\"action\":\"ABORT\"}"), "success");
    end(&s);
}
END_TEST

/* --- Tables -------------------------------------------------------------------------------- */

static void answer_table(struct service *s, uint32_t table)
{
    service_settle(s);
    ck_assert_uint_eq(s->kernel.asked_table, table);
    mroute_table_opened(s->kernel.mroute, V4, table, mroute_socket_open(V4, table), NULL);
}

/* The first one has no route yet when the second one opens. */
START_TEST(two_new_tables_are_opened_once_each)
{
    struct service s;

    begin(&s);
    stage(&s, 1, ADD(FLOW("1", "b") ",\"table\":101"));
    expect(client_ask(&s, 1, ADD(FLOW("2", "b") ",\"table\":103")), "success");
    client_say(&s, 1, COMMIT);
    answer_table(&s, 101);
    answer_table(&s, 103);
    expect(await(&s, 1), "success");
    ck_assert_uint_eq(s.kernel.asked, 2);
    ck_assert_uint_eq(s.kernel.closed, 0);
    ck_assert_uint_eq(routes(&s), 2);
    stage(&s, 1, ADD(FLOW("1", "b")));
    expect(client_ask(&s, 1, COMMIT), "success");
    ck_assert_uint_eq(s.kernel.closed, 2); /* with their last routes */
    end(&s);
}
END_TEST

START_TEST(a_table_that_does_not_open_is_the_end_of_the_set)
{
    struct service s;
    struct error error;

    begin(&s);
    stage(&s, 1, ADD(FLOW("1", "b")));
    expect(client_ask(&s, 1, ADD(FLOW("2", "b") ",\"table\":101")), "success");
    client_say(&s, 1, COMMIT);
    service_settle(&s);
    error_set(&error, ERROR_IN_USE, "table", "owned");
    mroute_table_opened(s.kernel.mroute, V4, 101, -1, &error);
    expect(await(&s, 1), "in-use");
    ck_assert_uint_eq(routes(&s), 0);
    expect(client_ask(&s, 1, BEGIN), "success");
    end(&s);
}
END_TEST

/* The service ends the session of the client that came last. */
static void end_session(struct service *s)
{
    session_close(LIST_FIRST(&s->services.sessions.list));
    client_close(s, 2);
}

START_TEST(who_goes_while_a_table_opens_leaves_nothing)
{
    struct service s;

    begin(&s);
    stage(&s, 2, ADD(FLOW("1", "b") ",\"table\":101"));
    client_say(&s, 2, COMMIT);
    service_settle(&s);
    end_session(&s);
    answer_table(&s, 101);
    service_settle(&s);
    ck_assert_uint_eq(routes(&s), 0);
    ck_assert_uint_eq(s.kernel.closed, 1);
    expect(client_ask(&s, 1, ADD(FLOW("2", "b"))), "success"); /* nobody waits for it any more */
    end(&s);
}
END_TEST

static bool promise_answer(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    (void)context;
    (void)rule;
    return ifindex != 0;
}

START_TEST(the_reply_comes_when_packets_are_led_to_the_table)
{
    static const struct rules_host host = {promise_answer, NULL};
    struct service s;

    begin(&s);
    mroute_keep_rules(s.kernel.mroute, &host);
    stage(&s, 1, ADD(FLOW("1", "b") ",\"table\":101"));
    client_say(&s, 1, COMMIT);
    answer_table(&s, 101);
    ck_assert_ptr_null(client_line(&s, 1, NULL));
    ck_assert_uint_eq(routes(&s), 1);
    mroute_rule_answered(s.kernel.mroute, V4, 101);
    expect(await(&s, 1), "success");
    end(&s);
}
END_TEST

/* --- At the same time ---------------------------------------------------------------------- */

static void turn_until(struct service *s, bool (*is_so)(const struct service *s))
{
    for (int i = 0; i < 100000 && !is_so(s); i++)
        uv_run(&s->loop, UV_RUN_NOWAIT);
    ck_assert(is_so(s));
}

static bool has_begun_to_apply(const struct service *s)
{
    return routes(s) > 0;
}

static bool is_idle(const struct service *s)
{
    return !slices_are_busy(&s->services.slices);
}

START_TEST(others_ask_in_between_and_change_afterwards)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    stage_many(&s, 1, 5);
    client_say(&s, 1, COMMIT);
    turn_until(&s, has_begun_to_apply);
    ck_assert(slices_are_busy(&s.services.slices));
    client_say(&s, 0, "{\"action\":\"PING\"}");
    client_say(&s, 2, ADD(FLOW("1", "b")));
    uv_run(&s.loop, UV_RUN_NOWAIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    ck_assert(slices_are_busy(&s.services.slices));
    ck_assert_uint_lt(routes(&s), MANY);
    expect(client_line(&s, 0, NULL), "success");
    turn_until(&s, is_idle);
    ck_assert_uint_eq(routes(&s), MANY);
    expect(await(&s, 2), "success");
    ck_assert_uint_eq(routes(&s), MANY + 1);
    reply = await(&s, 1);
    ck_assert(count_of(reply, "added") == MANY);
    expect(reply, "success");
    end(&s);
}
END_TEST

/* Alice's set is of table 253. Bob changes another table at once, and what she holds besides makes
 * nobody wait; her own other connection waits, whatever its table is. */
START_TEST(a_set_makes_others_wait_only_for_its_tables)
{
    struct service s;

    begin(&s);
    client_connect_as(&s, 3, ALICE);
    close(kernel_open_table(&s.kernel, V4, 7));
    expect(client_ask(&s, 1, ADD(FLOW("1", "b") ",\"table\":7")), "success");
    stage_many(&s, 1, 5);
    client_say(&s, 1, COMMIT);
    while (routes(&s) < 2)
        uv_run(&s.loop, UV_RUN_NOWAIT);
    client_say(&s, 2, ADD(FLOW("2", "b") ",\"table\":7"));
    client_say(&s, 3, ADD(FLOW("3", "b") ",\"table\":7"));
    uv_run(&s.loop, UV_RUN_NOWAIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    ck_assert(slices_are_busy(&s.services.slices));
    ck_assert_uint_eq(fake_mfc_count(V4, 7), 2);
    expect(await(&s, 2), "success");
    turn_until(&s, is_idle);
    expect(await(&s, 1), "success");
    expect(await(&s, 3), "success");
    ck_assert_uint_eq(routes(&s), MANY + 2); /* her first one of table 7 was not in the set */
    end(&s);
}
END_TEST

#define FLUSH(more) "{\"action\":\"FLUSH_MFC\",\"payload\":{" more "}}"

/* What looks makes nobody wait, and what deletes what its holder has only the holder. */
START_TEST(a_flush_makes_nobody_else_wait)
{
    static const char *const requests[] = {
        "{\"action\":\"COMMIT\",\"payload\":{\"dry_run\":true}}",
        FLUSH("\"dry_run\":true"),
        FLUSH(""),
    };
    struct service s;

    begin(&s);
    client_connect_as(&s, 3, ALICE);
    stage_many(&s, 1, 5);
    client_say(&s, 1, COMMIT);
    expect(await(&s, 1), "success");
    if (_i == 0)
        stage_many(&s, 1, 5);
    client_say(&s, 1, requests[_i]);
    while (!slices_are_busy(&s.services.slices))
        uv_run(&s.loop, UV_RUN_NOWAIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    ck_assert(slices_are_busy(&s.services.slices));
    while (_i < 2 && slices_are_busy(&s.services.slices)) {
        ck_assert_ptr_null(s.services.slices.holder);
        uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    ck_assert_ptr_null(s.services.slices.holder);
    client_say(&s, 2, ADD(FLOW("1", "b")));
    client_say(&s, 3, ADD(FLOW("2", "b")));
    for (int i = 0; i < 3; i++)
        uv_run(&s.loop, UV_RUN_NOWAIT);
    ck_assert(_i < 2 || slices_are_busy(&s.services.slices));
    expect(client_line(&s, 2, NULL), "success");
    turn_until(&s, is_idle);
    expect(await(&s, 3), "success");
    ck_assert_uint_eq(routes(&s), _i == 2 ? 2 : MANY + 2);
    end(&s);
}
END_TEST

START_TEST(one_user_s_long_work_is_bounded)
{
    struct service s;

    begin(&s);
    for (int i = 0; i < 2; i++) {
        struct account *alice = pools_find(&s.services.users.pools, ALICE);

        ck_assert_ptr_nonnull(alice);
        alice->work.job_count += i == 0 ? SLICE_JOBS_MAX : 0;
        expect(client_ask(&s, 1, BEGIN), "success");
        expect(client_ask(&s, 1, COMMIT), i == 0 ? "limit" : "success");
        expect(client_ask(&s, 1, FLUSH("")), i == 0 ? "limit" : "success");
        expect(client_ask(&s, 2, FLUSH("")), "success");
        alice->work.job_count = 0;
    }
    end(&s);
}
END_TEST

START_TEST(who_waits_to_change_something_may_go)
{
    struct service s;

    begin(&s);
    stage_many(&s, 1, 5);
    client_say(&s, 1, COMMIT);
    turn_until(&s, has_begun_to_apply);
    client_say(&s, 2, ADD(FLOW("1", "b")));
    uv_run(&s.loop, UV_RUN_NOWAIT);
    end_session(&s);
    turn_until(&s, is_idle);
    service_settle(&s);
    ck_assert_uint_eq(routes(&s), MANY);
    end(&s);
}
END_TEST

START_TEST(a_set_whose_client_goes_is_applied_to_its_end)
{
    struct service s;

    begin(&s);
    stage_many(&s, 2, 5);
    client_say(&s, 2, COMMIT);
    turn_until(&s, has_begun_to_apply);
    end_session(&s);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    ck_assert_uint_lt(routes(&s), MANY);
    turn_until(&s, is_idle);
    ck_assert_uint_eq(routes(&s), MANY);
    end(&s);
}
END_TEST

START_TEST(a_set_whose_client_goes_before_changes_nothing)
{
    struct service s;

    begin(&s);
    stage_many(&s, 2, 5);
    client_say(&s, 2, COMMIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(routes(&s), 0);
    end_session(&s);
    service_settle(&s);
    ck_assert(!slices_are_busy(&s.services.slices));
    ck_assert_uint_eq(routes(&s), 0);
    end(&s);
}
END_TEST

/* The first routes were checked when the old policy held; the new one forbids them, or does not. */
START_TEST(a_new_policy_has_a_set_checked_anew)
{
    struct service s;
    struct rule *rule;

    begin(&s);
    rule = &s.services.policy.rules[1];
    *rule = anything;
    rule->deny = _i == 0;
    rule->prefix_count = 1;
    rule->prefixes[0] = kernel_prefix("239.5.0.0");
    s.services.users.limits.leases_per_user = MANY;
    service_apply_limits(&s);
    stage_many(&s, 2, 5);
    client_say(&s, 2, COMMIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    ck_assert(slices_are_busy(&s.services.slices));
    ck_assert_uint_eq(routes(&s), 0);
    s.services.policy.count = 2;
    pendings_policy_changed(&s.services);
    sessions_check_policy(&s.services);
    expect(await(&s, 2), rule->deny ? "not-allowed" : "success");
    ck_assert_uint_eq(routes(&s), rule->deny ? 0 : MANY);
    end(&s);
}
END_TEST

START_TEST(two_sets_come_one_after_the_other)
{
    struct service s;

    begin(&s);
    stage_many(&s, 1, 5);
    stage_many(&s, 2, 6);
    client_say(&s, 1, COMMIT);
    client_say(&s, 2, COMMIT);
    expect(await(&s, 1), "success");
    expect(await(&s, 2), "success");
    ck_assert_uint_eq(routes(&s), MANY + (size_t)MANY);
    expect(client_ask(&s, 1, BEGIN), "success");
    client_say(&s, 1, COMMIT);
    expect(await(&s, 1), "success");
    ck_assert_uint_eq(routes(&s), MANY); /* the other user's */
    end(&s);
}
END_TEST

/* Of what somebody else holds with another content, an owner changes nothing; nor by a set. */
START_TEST(a_set_changes_nothing_of_others)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 2, ADD(FLOW("1", "b"))), "success");
    expect(client_ask(&s, 1, BEGIN), "success");
    expect(client_ask(&s, 1, ADD(FLOW("1", "c"))), "in-use");
    expect(client_ask(&s, 1, COMMIT), "aborted");
    stage(&s, 1, ADD(FLOW("2", "c")));
    expect(client_ask(&s, 2, ADD(FLOW("2", "b"))), "success"); /* between the two */
    expect(client_ask(&s, 1, COMMIT), "in-use");
    ck_assert_uint_eq(routes(&s), 2);
    end(&s);
}
END_TEST

/* --- What ends with a session -------------------------------------------------------------- */

START_TEST(what_a_session_held_goes_while_others_are_served)
{
    struct service s;
    char request[200];

    begin(&s);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(request, sizeof request,
                 ADD("\"source\":\"10.0.0.1\",\"group\":\"239.9.%u.%u\",\"iif\":\"a\","
                     "\"oifs\":[\"b\"],\"while_connected\":true"),
                 i / 256, i % 256);
        expect(client_ask(&s, 2, request), "success");
    }
    client_close(&s, 2);
    client_say(&s, 0, "{\"action\":\"PING\"}");
    for (int i = 0; i < 3; i++)
        uv_run(&s.loop, UV_RUN_NOWAIT);
    ck_assert(slices_are_busy(&s.services.slices));
    expect(client_line(&s, 0, NULL), "success");
    turn_until(&s, is_idle);
    ck_assert_uint_eq(routes(&s), 0);
    ck_assert_uint_eq(s.services.users.leases.used, 0);
    end(&s);
}
END_TEST

/* Alice holds routes alone, together with Bob, and by her connection; and Bob, root and nobody hold
 * others. */
static void make_mixed(struct service *s)
{
    struct holder nobody = {.kind = HOLDER_FOUND, .lease = {.uid = LEASE_UID_UNKNOWN}};
    struct args_add_mfc found = route_args("10.0.0.1", "239.1.1.9", "a", "b");
    enum route_change change;
    struct error error;

    expect(client_ask(s, 1, ADD(FLOW("1", "b"))), "success");
    expect(client_ask(s, 1, ADD(FLOW("2", "b"))), "success");
    expect(client_ask(s, 1, ADD(FLOW("4", "b") ",\"while_connected\":true")), "success");
    expect(client_ask(s, 1, ADD("\"group\":\"239.2.0.0/16\",\"iif\":\"a\",\"oifs\":[\"c\"]")),
           "success");
    expect(client_ask(s, 1, ADD("\"group\":\"ff3e::1\",\"iif\":\"a\",\"oifs\":[\"c\"]")),
           "success");
    expect(client_ask(s, 2, ADD(FLOW("2", "b"))), "success");
    expect(client_ask(s, 2, ADD(FLOW("3", "b"))), "success");
    expect(client_ask(s, 0, ADD(FLOW("5", "b"))), "success");
    ck_assert(mroute_add(s->kernel.mroute, &found, &nobody, &change, &error));
}

static cJSON *flush_with(struct service *s, int n, const char *payload, bool by_set)
{
    char request[160];

    if (!by_set) {
        snprintf(request, sizeof request, "{\"action\":\"FLUSH_MFC\",\"payload\":{%s}}", payload);
        return client_ask(s, n, request);
    }
    snprintf(request, sizeof request, "{\"action\":\"BEGIN_REPLACE\",\"payload\":{%s}}", payload);
    expect(client_ask(s, n, request), "success");
    return client_ask(s, n, COMMIT);
}

/* The same routes are left and the same are told of, for a user and for root, of all or some. */
START_TEST(a_flush_is_a_replacement_by_nothing)
{
    static const char *const payloads[] = {"", "\"family\":\"ipv6\"",
                                           "\"family\":\"ipv4\",\"table\":253"};
    char *left[2];
    double deleted[2];

    for (int by_set = 0; by_set < 2; by_set++) {
        struct service s;
        cJSON *reply;

        begin(&s);
        make_mixed(&s);
        reply = flush_with(&s, _i % 2, payloads[_i / 2], by_set);
        deleted[by_set] = count_of(reply, by_set ? "deleted" : "count");
        expect(reply, "success");
        s.kernel.mroute = s.kernel.mroute;
        left[by_set] = strdup(kernel_routes(&s.kernel));
        end(&s);
    }
    ck_assert_str_eq(left[0], left[1]);
    ck_assert(deleted[0] == deleted[1]);
    free(left[0]);
    free(left[1]);
}
END_TEST

START_TEST(a_user_flushes_what_is_his)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    make_mixed(&s);
    reply = client_ask(&s, 1, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"dry_run\":true}}");
    ck_assert(count_of(reply, "count") == 3);
    ck_assert(count_of(reply, "kept") == 1);
    expect(reply, "success");
    ck_assert_uint_eq(routes(&s), 8);
    reply = client_ask(&s, 1, "{\"action\":\"FLUSH_MFC\"}");
    ck_assert(count_of(reply, "count") == 3);
    ck_assert(count_of(reply, "kept") == 1);
    expect(reply, "success");
    ck_assert_uint_eq(routes(&s), 5);
    expect(client_ask(&s, 1, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true}}"),
           "not-allowed");
    expect(client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\"}"), "success");
    ck_assert_uint_eq(routes(&s), 4);
    expect(client_ask(&s, 0, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true}}"), "success");
    ck_assert_uint_eq(routes(&s), 0);
    end(&s);
}
END_TEST

/* Nothing of it is done where the policy forbids a part, by either. */
START_TEST(a_flush_ends_where_the_policy_does)
{
    struct service s;
    struct rule *deny;

    begin(&s);
    make_mixed(&s);
    deny = &s.services.policy.rules[1];
    *deny = anything;
    deny->deny = true;
    deny->interface_count = 1;
    deny->interfaces[0][0] = 'c';
    s.services.policy.count = 2;
    expect(flush_with(&s, 1, "", _i), "not-allowed");
    ck_assert_uint_eq(routes(&s), 8);
    deny->interfaces[0][0] = 'x';
    expect(flush_with(&s, 1, "", _i), "success");
    ck_assert_uint_eq(routes(&s), 5);
    end(&s);
}
END_TEST

/* A flush in the middle of a set that is collected is none of it. */
START_TEST(a_flush_leaves_a_set_alone)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 1, ADD(FLOW("1", "b"))), "success");
    stage(&s, 1, ADD(FLOW("2", "b")));
    expect(client_ask(&s, 1, "{\"action\":\"FLUSH_MFC\"}"), "success");
    ck_assert_uint_eq(routes(&s), 0);
    expect(client_ask(&s, 1, COMMIT), "success");
    ck_assert_uint_eq(routes(&s), 1);
    end(&s);
}
END_TEST

/* Of a set that names whole routes. */
START_TEST(a_set_takes_no_append)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, 1, BEGIN), "success");
    expect(client_ask(&s, 1, ADD(FLOW("1", "b") ",\"append\":true")), "unsupported");
    expect(client_ask(&s, 1, COMMIT), "aborted");
    end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, what_the_policy_forbids_meanwhile_is_not_applied);
    tcase_add_test(tests, a_set_that_may_not_be_committed_is_over);
    tcase_add_test(tests, what_may_not_be_deleted_is_not_left_out);
    tcase_add_test(tests, routes_that_others_hold_count_as_leases);
    tcase_add_test(tests, the_leases_of_each_route_s_rule_count);
    tcase_add_test(tests, a_set_that_names_too_many_interfaces_changes_nothing);
    tcase_add_test(tests, a_set_with_too_many_tables_changes_nothing);
    tcase_add_test(tests, what_is_listed_counts_as_memory);
    tcase_add_test(tests, a_set_takes_its_share_of_the_memory);
    tcase_add_test(tests, a_set_is_of_what_the_user_holds);
    tcase_add_test(tests, a_set_is_of_the_family_and_table_that_were_named);
    tcase_add_test(tests, the_reply_comes_when_packets_are_led_to_the_table);
    tcase_add_test(tests, two_new_tables_are_opened_once_each);
    tcase_add_test(tests, a_table_that_does_not_open_is_the_end_of_the_set);
    tcase_add_test(tests, who_goes_while_a_table_opens_leaves_nothing);
    tcase_add_test(tests, others_ask_in_between_and_change_afterwards);
    tcase_add_test(tests, a_set_makes_others_wait_only_for_its_tables);
    tcase_add_loop_test(tests, a_flush_makes_nobody_else_wait, 0, 3);
    tcase_add_test(tests, one_user_s_long_work_is_bounded);
    tcase_add_test(tests, who_waits_to_change_something_may_go);
    tcase_add_test(tests, a_set_whose_client_goes_is_applied_to_its_end);
    tcase_add_test(tests, a_set_whose_client_goes_before_changes_nothing);
    tcase_add_loop_test(tests, a_new_policy_has_a_set_checked_anew, 0, 2);
    tcase_add_test(tests, two_sets_come_one_after_the_other);
    tcase_add_test(tests, a_set_changes_nothing_of_others);
    tcase_add_test(tests, a_user_flushes_what_is_his);
    tcase_add_loop_test(tests, a_flush_is_a_replacement_by_nothing, 0, 6);
    tcase_add_loop_test(tests, a_flush_ends_where_the_policy_does, 0, 2);
    tcase_add_test(tests, a_flush_leaves_a_set_alone);
    tcase_add_test(tests, a_set_takes_no_append);
    tcase_add_test(tests, what_a_session_held_goes_while_others_are_served);
}

int main(void)
{
    return suite_run("sets", add_tests);
}
