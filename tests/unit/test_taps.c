/* Taps as clients see them: lease and interface begin and end together, whoever ends, and whenever
 * a broker is killed. */
#include "broker/wire/session_internal.h"
#include "client.h"
#include "fdpass.h"
#include "log.h"
#include "platform/memory.h"
#include "resources/tap/kind.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROOT, FIRST, SECOND, OTHER }; /* clients: Alice has two */
enum { ALICE = 1001, BOB = 1002 };

#define OPEN(payload)  "{\"action\":\"OPEN_TAP\",\"payload\":{" payload "}}"
#define CLOSE(payload) "{\"action\":\"CLOSE_TAP\",\"payload\":{" payload "}}"
#define SHOW           "{\"action\":\"SHOW_TAP\"}"
#define A              "\"name\":\"nb-a\""

#define HOST ",\"hosts\":[\"192.168.0.129/25\"]"

/* Everybody may do everything. */
static struct rule rule = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

static void connect_all(struct service *s)
{
    s->services.policy.rules = &rule;
    s->services.policy.count = 1;
    client_connect(s, ROOT);
    client_connect_as(s, FIRST, ALICE);
    client_connect_as(s, SECOND, ALICE);
    client_connect_as(s, OTHER, BOB);
    tap_bridges_parse("br0", &s->keeper.config.tap_bridges);
    tap_networks_parse("192.168.0.0/24, fd00:1::/64", &s->keeper.config.tap_networks);
}

static void begin(struct service *s)
{
    log_set_level(LOG_CRIT);
    service_begin(s, "a");
    connect_all(s);
}

/* What the service's thread has to close is closed. */
static void close_all(struct service *s)
{
    closer_stop(s->services.closer, NULL);
    s->services.closer = NULL;
}

/* The kernel notices what was closed, and the service what the kernel tells. */
static void notice(struct service *s)
{
    service_settle(s);
    close_all(s);
    fake_taps_settle();
    netifs_update(s->services.netifs);
    service_settle(s);
}

static void end(struct service *s)
{
    notice(s);
    ck_assert(LIST_EMPTY(&s->services.pendings));
    service_end(s);
}

static struct taps *taps_in(struct service *s)
{
    return &((struct tap_kind *)kind_self(&s->services.kinds, &tap_ops))->taps;
}

/* Until the service has seen that what it lent is read: it takes no request before. */
static void wait_until_read(struct service *s)
{
    for (int i = 0; i < 2000 && s->services.users.sent.used > 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        service_settle(s);
    }
    ck_assert_uint_eq(s->services.users.sent.used, 0);
}

/* The descriptor of a reply, the caller's, and the reply's payload. */
static int receive_tap(struct service *s, int n, cJSON **ret_payload)
{
    struct fdpass_list list = {0};
    char text[4096];
    ssize_t length;
    cJSON *reply;

    service_settle(s);
    length = fdpass_receive_some(s->clients[n], text, sizeof text - 1, &list, FDPASS_MAX);
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_msg(list.count == 1, "%zu descriptors with %s", list.count, text);
    reply = cJSON_Parse(text);
    if (ret_payload)
        *ret_payload = cJSON_DetachItemFromObject(reply, "payload");
    cJSON_Delete(reply);
    return list.fds[0];
}

static int take_tap(struct service *s, int n, cJSON **ret_payload)
{
    int fd = receive_tap(s, n, ret_payload);

    wait_until_read(s);
    return fd;
}

static int open_tap(struct service *s, int n, const char *request)
{
    client_say(s, n, request);
    return take_tap(s, n, NULL);
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItem(object, key);

    return cJSON_IsString(value) ? value->valuestring : "";
}

/* The taps there are, each as "NAME STATE UID ". Valid until the next call. */
static const char *taps_shown(struct service *s)
{
    static char text[4096];
    cJSON *reply = client_ask(s, ROOT, SHOW);
    const cJSON *tap, *payload = cJSON_GetObjectItem(reply, "payload");
    size_t used = 0;

    text[0] = '\0';
    cJSON_ArrayForEach(tap, cJSON_GetObjectItem(payload, "taps"))
    {
        const cJSON *uid = cJSON_GetObjectItem(tap, "uid");

        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s %d ", text_of(tap, "name"),
                                 text_of(tap, "state"), uid ? uid->valueint : -1);
    }
    cJSON_Delete(reply);
    return text;
}

/* Nothing of any tap is left. */
static void assert_nothing(struct service *s)
{
    ck_assert_uint_eq(fake_tap_count(), 0);
    ck_assert_uint_eq(s->services.leases.by_id.count, 0);
    ck_assert_uint_eq(taps_in(s)->names.count, 0);
    ck_assert_uint_eq(taps_in(s)->pool.used, 0);
}

static void pass_seconds(struct service *s, int count)
{
    service_settle(s);
    for (int i = 0; i < count; i++) {
        tap_ops.tick(kind_self(&s->services.kinds, &tap_ops));
        service_settle(s);
    }
}

/* --- Life ---------------------------------------------------------------------------------- */

START_TEST(a_tap_lasts_as_long_as_its_descriptor)
{
    const struct tap_config *made;
    struct service s;
    cJSON *payload;
    int fd;

    begin(&s);
    client_say(&s, FIRST, OPEN(A ",\"mtu\":9000,\"offload\":true"));
    fd = take_tap(&s, FIRST, &payload);
    ck_assert_str_eq(text_of(payload, "name"), "nb-a");
    ck_assert_str_eq(text_of(payload, "mac"), "fe:97:e2:e5:9c:ba");
    ck_assert_int_eq(cJSON_GetObjectItem(payload, "mtu")->valueint, 9000);
    ck_assert_int_gt(cJSON_GetObjectItem(payload, "ifindex")->valueint, 0);
    ck_assert_uint_eq(strlen(text_of(payload, "lease")), LEASE_ID_LENGTH);
    cJSON_Delete(payload);
    made = fake_tap_find("nb-a");
    ck_assert_ptr_nonnull(made);
    ck_assert_uint_eq(made->owner, ALICE);
    ck_assert_uint_eq(made->flags, TAP_OFFLOAD | TAP_QUIET);
    ck_assert_uint_eq(made->mtu, 9000);
    ck_assert_str_eq(taps_shown(&s), "nb-a open 1001 ");
    client_close(&s, FIRST); /* the connection is not what it hangs on */
    notice(&s);
    ck_assert_str_eq(taps_shown(&s), "nb-a open 1001 ");
    close(fd);
    notice(&s);
    ck_assert_str_eq(taps_shown(&s), "");
    assert_nothing(&s);
    end(&s);
}
END_TEST

START_TEST(the_first_free_name_is_taken)
{
    struct service s;
    cJSON *payload;
    int fds[3];

    begin(&s);
    fake_netif_add("nb-1"); /* somebody else's */
    fds[0] = open_tap(&s, FIRST, OPEN(""));
    fds[1] = open_tap(&s, OTHER, OPEN(""));
    ck_assert_str_eq(taps_shown(&s), "nb-0 open 1001 nb-2 open 1002 ");
    close(fds[0]);
    notice(&s);
    client_say(&s, OTHER, OPEN(""));
    fds[2] = take_tap(&s, OTHER, &payload);
    ck_assert_str_eq(text_of(payload, "name"), "nb-0");
    cJSON_Delete(payload);
    close(fds[1]);
    close(fds[2]);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

START_TEST(a_tap_is_closed_by_who_has_it_and_by_nobody_else)
{
    struct service s;
    int fd;

    begin(&s);
    fd = open_tap(&s, FIRST, OPEN(A));
    expect(client_ask(&s, OTHER, CLOSE(A)), "not-allowed");
    expect(client_ask(&s, OTHER, OPEN(A)), "in-use");
    expect(client_ask(&s, SECOND, OPEN(A)), "in-use");
    expect(client_ask(&s, SECOND, CLOSE(A ",\"dry_run\":true")), "success");
    ck_assert_uint_eq(fake_tap_count(), 1);
    expect(client_ask(&s, SECOND, CLOSE(A)), "success");
    expect(client_ask(&s, SECOND, CLOSE(A)), "not-found");
    notice(&s);
    assert_nothing(&s);
    close(fd);
    fd = open_tap(&s, OTHER, OPEN(A));
    expect(client_ask(&s, ROOT, CLOSE(A)), "success");
    notice(&s);
    assert_nothing(&s);
    close(fd);
    end(&s);
}
END_TEST

START_TEST(a_revoked_lease_ends_the_tap)
{
    char request[96], id[LEASE_ID_SIZE];
    struct service s;
    int fd;

    begin(&s);
    fd = open_tap(&s, FIRST, OPEN(A));
    snprintf(request, sizeof request, "{\"action\":\"REVOKE\",\"payload\":{\"lease\":\"%s\"}}",
             lease_id_format(TAILQ_FIRST(&s.services.leases.order)->info.id, id));
    expect(client_ask(&s, ROOT, request), "success");
    notice(&s);
    assert_nothing(&s);
    close(fd);
    end(&s);
}
END_TEST

/* A reply that nobody takes, and one that nobody waits for, leave nothing. */
START_TEST(who_hangs_up_has_no_tap)
{
    struct service s;

    begin(&s);
    client_say(&s, FIRST, OPEN(A));
    client_close(&s, FIRST);
    notice(&s);
    keeper_end_listen(&s.keeper, false);
    client_say(&s, SECOND, OPEN("\"name\":\"nb-b\""));
    service_settle(&s);
    client_close(&s, SECOND);
    session_close(LIST_NEXT(LIST_FIRST(&s.services.sessions.list), in_sessions)); /* SECOND's */
    ck_assert(LIST_EMPTY(&s.services.pendings));
    keeper_end_listen(&s.keeper, true);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

START_TEST(a_lease_that_ends_before_the_answer_leaves_nothing)
{
    struct service s;

    begin(&s);
    keeper_end_listen(&s.keeper, false);
    client_say(&s, FIRST, OPEN(A));
    service_settle(&s);
    ck_assert_str_eq(taps_shown(&s), "nb-a opening 1001 ");
    if (_i == 0) {
        expect(client_ask(&s, SECOND, CLOSE(A)), "success");
    } else {
        s.services.policy.count = 0;
        pendings_policy_changed(&s.services);
        s.services.policy.count = 1;
    }
    expect(client_line(&s, FIRST, NULL), _i == 0 ? "not-found" : "not-allowed");
    ck_assert_str_eq(taps_shown(&s), "");
    keeper_end_listen(&s.keeper, true);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* The name is not free before the interface is gone; who wants it waits for that. */
START_TEST(a_name_is_free_when_its_interface_is_gone)
{
    struct service s;
    int old, fd;

    begin(&s);
    old = open_tap(&s, FIRST, OPEN(A));
    keeper_end_listen(&s.keeper, false);
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    ck_assert_uint_eq(taps_in(&s)->pool.used, 1);
    client_say(&s, SECOND, OPEN(A));
    service_settle(&s);
    ck_assert_str_eq(taps_shown(&s), "");
    keeper_end_listen(&s.keeper, true);
    notice(&s);
    fd = take_tap(&s, SECOND, NULL);
    ck_assert_str_eq(taps_shown(&s), "nb-a open 1001 ");
    close(old);
    close(fd);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* Who wants the name waits so long, and no longer. */
START_TEST(an_interface_that_does_not_end_keeps_nobody)
{
    struct service s;
    int old, fd;

    begin(&s);
    old = open_tap(&s, FIRST, OPEN(A));
    keeper_end_listen(&s.keeper, false);
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    client_say(&s, FIRST, OPEN(A));
    pass_seconds(&s, 2);
    client_say(&s, SECOND, OPEN(A));
    service_settle(&s);
    ck_assert_uint_eq(s.received[FIRST].length, 0);
    pass_seconds(&s, 1);
    expect(client_line(&s, FIRST, NULL), "in-use");
    keeper_end_listen(&s.keeper, true);
    notice(&s);
    fd = take_tap(&s, SECOND, NULL);
    close(old);
    close(fd);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

static bool defer_nothing(void *context, const struct errand *errand)
{
    (void)context;
    (void)errand;
    return false;
}

/* The keeper has too much to delete: it is asked again. */
START_TEST(what_is_not_deleted_is_tried_again)
{
    struct service s;
    bool (*defer)(void *context, const struct errand *errand);
    int fd;

    begin(&s);
    fd = open_tap(&s, FIRST, OPEN(A));
    defer = s.keeper.operations.defer;
    s.keeper.operations.defer = defer_nothing;
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    notice(&s);
    ck_assert_uint_eq(fake_tap_count(), 1);
    s.keeper.operations.defer = defer;
    pass_seconds(&s, 5);
    notice(&s);
    assert_nothing(&s);
    close(fd);
    end(&s);
}
END_TEST

START_TEST(what_the_keeper_refuses_leaves_nothing)
{
    static const struct {
        int error;
        const char *code;
    } answers[] = {
        {-EIO, "internal"}, {-ENOENT, "unsupported"}, {-ENODEV, "unsupported"}, {-EBUSY, "in-use"}};
    struct service s;

    begin(&s);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        fake_fail(1, answers[i].error);
        expect(client_ask(&s, FIRST, OPEN(A)), answers[i].code);
        notice(&s);
        assert_nothing(&s);
    }
    fake_host_add("eth0", "192.168.0.9/24");
    expect(client_ask(&s, FIRST, OPEN(A ",\"hosts\":[\"192.168.0.5/24\"]")), "in-use");
    assert_nothing(&s);
    end(&s);
}
END_TEST

static const struct {
    const char *payload, *code;
} wrong[] = {
    {"\"name\":\"eth7\"", "invalid-name"},
    {"\"name\":\"nb-\"", "invalid-name"},
    {"\"name\":\"nb-a+\"", "invalid-name"},
    {"\"name\":\"nb-a*\"", "invalid-name"},
    {A ",\"isolated\":true", "missing-field"},
    {A ",\"bridge\":\"br0\"", "not-found"},
    {A ",\"bridge\":\"a\"", "not-allowed"},
    {A ",\"bridge\":\"br0\",\"hosts\":[\"192.168.0.1/24\"]", "invalid-address"},
    {A ",\"bridge\":\"br0\",\"mac\":\"52:54:00:00:00:01\"", "invalid-address"},
    {A ",\"hosts\":[\"192.168.0.1/16\"]", "not-allowed"},
    {A ",\"hosts\":[\"10.0.0.1/24\"]", "not-allowed"},
    {A ",\"routes\":[\"192.168.0.0/26\"]", "missing-field"},
    {A ",\"routes\":[\"192.168.0.0/26\"],\"hosts\":[\"fd00:1::1/64\"]", "missing-field"},
    {A HOST ",\"routes\":[\"192.168.0.128/25\"]", "invalid-address"},
    {A HOST ",\"routes\":[\"192.168.0.0/26\",\"10.0.0.0/24\"]", "not-allowed"},
    {A HOST ",\"routes\":[\"192.168.0.0/16\"]", "not-allowed"},
    {A ",\"bridge\":\"br0\",\"routes\":[\"192.168.0.0/26\"]", "invalid-address"},
};

START_TEST(a_wrong_request_is_refused)
{
    char request[192];
    struct service s;

    begin(&s);
    snprintf(request, sizeof request, OPEN("%s"), wrong[_i].payload);
    expect(client_ask(&s, FIRST, request), wrong[_i].code);
    assert_nothing(&s);
    end(&s);
}
END_TEST

START_TEST(a_dry_run_opens_nothing)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    reply = client_ask(&s, FIRST, OPEN("\"dry_run\":true"));
    ck_assert_str_eq(text_of(reply, "message"), "Tap nb-0 would be opened.");
    cJSON_Delete(reply);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* --- Shares, policy, events ---------------------------------------------------------------- */

START_TEST(one_user_takes_no_more_than_his_share)
{
    struct service s;
    int fds[4];

    begin(&s);
    taps_set_limits(taps_in(&s), &(struct limits){.taps = 16, .taps_per_user = 2});
    fds[0] = open_tap(&s, FIRST, OPEN(""));
    fds[1] = open_tap(&s, SECOND, OPEN(""));
    expect(client_ask(&s, FIRST, OPEN("\"dry_run\":true")), "limit");
    client_say(&s, FIRST, OPEN("")); /* a moment for what its programs may have closed */
    service_settle(&s);
    ck_assert(!LIST_EMPTY(&s.services.pendings));
    pass_seconds(&s, 3);
    expect(client_line(&s, FIRST, NULL), "limit");
    fds[2] = open_tap(&s, OTHER, OPEN(""));
    close(fds[0]);
    notice(&s);
    fds[3] = open_tap(&s, FIRST, OPEN(""));
    for (int i = 1; i < 4; i++)
        close(fds[i]);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* Two wait for the end of one that its user has closed, with the same name chosen: the first of
 * them has it. Those who wait too long are refused, and at once where persistent ones are all he
 * has. */
START_TEST(who_closes_a_tap_waits_for_its_end)
{
    struct service s;
    cJSON *payload;
    int fds[4];

    begin(&s);
    taps_set_limits(taps_in(&s), &(struct limits){.taps = 16, .taps_per_user = 2});
    fds[0] = open_tap(&s, FIRST, OPEN(A));
    fds[1] = open_tap(&s, FIRST, OPEN("\"name\":\"nb-b\""));
    keeper_end_listen(&s.keeper, false);
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    client_say(&s, FIRST, OPEN(""));
    client_say(&s, SECOND, OPEN(""));
    pass_seconds(&s, 2);
    ck_assert_str_eq(taps_shown(&s), "nb-b open 1001 ");
    expect(client_ask(&s, ROOT, CLOSE("\"name\":\"nb-b\"")), "success");
    keeper_end_listen(&s.keeper, true);
    notice(&s);
    fds[2] = receive_tap(&s, FIRST, &payload);
    ck_assert_str_eq(text_of(payload, "name"), "nb-0");
    cJSON_Delete(payload);
    fds[3] = take_tap(&s, SECOND, &payload);
    ck_assert_str_eq(text_of(payload, "name"), "nb-1");
    cJSON_Delete(payload);
    keeper_end_listen(&s.keeper, false);
    expect(client_ask(&s, FIRST, CLOSE("\"name\":\"nb-0\"")), "success");
    client_say(&s, FIRST, OPEN(""));
    pass_seconds(&s, 3);
    expect(client_line(&s, FIRST, NULL), "limit");
    keeper_end_listen(&s.keeper, true);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    notice(&s);
    for (int i = 0; i < 2; i++)
        expect(client_ask(&s, FIRST, OPEN("\"persistent\":true")), "success");
    expect(client_ask(&s, FIRST, OPEN("")), "limit");
    expect(client_ask(&s, FIRST, CLOSE("\"name\":\"nb-0\"")), "success");
    expect(client_ask(&s, FIRST, CLOSE("\"name\":\"nb-1\"")), "success");
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* Who waited with a name that another one has by now gets the next one only if the policy grants
 * that as well. */
START_TEST(a_name_that_is_chosen_again_is_judged_again)
{
    static struct rule narrow = {.name = "narrow",
                                 .everyone = true,
                                 .verb_count = 1,
                                 .verbs = {"tap.write"},
                                 .interface_count = 3,
                                 .interfaces = {"nb-0", "nb-a", "nb-b"}};
    struct service s;
    int fds[3];

    begin(&s);
    s.services.policy.rules = &narrow;
    taps_set_limits(taps_in(&s), &(struct limits){.taps = 16, .taps_per_user = 2});
    fds[0] = open_tap(&s, FIRST, OPEN(A));
    fds[1] = open_tap(&s, FIRST, OPEN("\"name\":\"nb-b\""));
    keeper_end_listen(&s.keeper, false);
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    client_say(&s, FIRST, OPEN(""));
    client_say(&s, SECOND, OPEN(""));
    service_settle(&s);
    expect(client_ask(&s, ROOT, CLOSE("\"name\":\"nb-b\"")), "success");
    keeper_end_listen(&s.keeper, true);
    notice(&s);
    fds[2] = take_tap(&s, FIRST, NULL);
    expect(client_line(&s, SECOND, NULL), "not-allowed");
    ck_assert_str_eq(taps_shown(&s), "nb-0 open 1001 ");
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    s.services.policy.rules = &rule;
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* Each who waits looks again at each end of a tap, so that few may wait. */
START_TEST(few_wait_for_the_end_of_a_tap)
{
    enum { CROWD = 4, CROWD_SIZE = 17 };
    struct service s;
    int fd;

    begin(&s);
    taps_set_limits(taps_in(&s), &(struct limits){.taps = 16, .taps_per_user = 1});
    fd = open_tap(&s, FIRST, OPEN(""));
    for (int i = 0; i < CROWD_SIZE; i++) {
        client_connect_as(&s, CROWD + i, ALICE);
        client_say(&s, CROWD + i, OPEN(""));
    }
    expect(client_line(&s, CROWD + CROWD_SIZE - 1, NULL), "limit");
    service_settle(&s);
    ck_assert_uint_eq(s.received[CROWD].length, 0);
    pass_seconds(&s, 3);
    for (int i = 0; i < CROWD_SIZE - 1; i++)
        expect(client_line(&s, CROWD + i, NULL), "limit");
    close(fd);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* What is chosen by the service is judged as what is named. */
START_TEST(the_policy_judges_name_and_bridge)
{
    static struct rule narrow = {.name = "narrow",
                                 .everyone = true,
                                 .verb_count = 1,
                                 .verbs = {"tap.write"},
                                 .interface_count = 2,
                                 .interfaces = {"nb-0", "nb-b*"}};
    struct service s;
    int fds[2];

    begin(&s);
    fake_netif_add("br0");
    s.services.policy.rules = &narrow;
    fds[0] = open_tap(&s, FIRST, OPEN(""));
    expect(client_ask(&s, FIRST, OPEN("")), "not-allowed");
    expect(client_ask(&s, FIRST, OPEN(A)), "not-allowed");
    expect(client_ask(&s, FIRST, OPEN("\"name\":\"nb-b1\",\"bridge\":\"br0\"")), "not-allowed");
    fds[1] = open_tap(&s, FIRST, OPEN("\"name\":\"nb-b1\""));
    expect(client_ask(&s, FIRST, SHOW), "not-allowed");
    s.services.policy.rules = &rule;
    close(fds[0]);
    close(fds[1]);
    end(&s);
}
END_TEST

static void assert_event(struct service *s, const char *topic)
{
    cJSON *event = client_line(s, ROOT, NULL);

    ck_assert_msg(event != NULL, "no event, %s was expected", topic);
    ck_assert_str_eq(text_of(event, "event"), topic);
    ck_assert_str_eq(text_of(cJSON_GetObjectItem(event, "payload"), "name"), "nb-a");
    cJSON_Delete(event);
}

START_TEST(events_tell_of_taps_and_their_bridges)
{
    struct service s;
    int fd;

    begin(&s);
    fake_netif_add("br0");
    expect(client_ask(&s, ROOT, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"tap.*\"]}}"),
           "success");
    fd = open_tap(&s, FIRST, OPEN(A ",\"bridge\":\"br0\",\"isolated\":true"));
    assert_event(&s, "tap.opened");
    fake_netif_del("br0");
    notice(&s);
    assert_event(&s, "tap.waiting");
    ck_assert_uint_eq(taps_in(&s)->waiting, 1);
    fake_netif_add("br0");
    notice(&s);
    assert_event(&s, "tap.restored");
    ck_assert_uint_eq(taps_in(&s)->waiting, 0);
    ck_assert_uint_eq(fake_tap_find("nb-a")->flags & TAP_ISOLATED, TAP_ISOLATED);
    close(fd);
    notice(&s);
    assert_event(&s, "tap.closed");
    end(&s);
}
END_TEST

/* It waits where others have taken it out, and they or the service bring it back. */
START_TEST(a_port_follows_its_bridge)
{
    struct service s;
    int fd;

    begin(&s);
    fake_netif_add("br0");
    fake_netif_add("br9");
    expect(client_ask(&s, ROOT, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"tap.*\"]}}"),
           "success");
    fd = open_tap(&s, FIRST, OPEN(A ",\"bridge\":\"br0\",\"isolated\":true"));
    assert_event(&s, "tap.opened");
    fake_netif_join("nb-a", "br9");
    notice(&s);
    assert_event(&s, "tap.waiting");
    fake_netif_join("nb-a", NULL);
    notice(&s);
    ck_assert_uint_eq(taps_in(&s)->waiting, 1);
    fake_netif_join("nb-a", "br0");
    notice(&s);
    assert_event(&s, "tap.restored");
    ck_assert_uint_eq(taps_in(&s)->waiting, 0);
    fake_netif_join("nb-a", NULL);
    notice(&s);
    assert_event(&s, "tap.waiting");
    for (int i = 0; i < 5; i++)
        tap_ops.tick(kind_self(&s.services.kinds, &tap_ops));
    notice(&s);
    assert_event(&s, "tap.restored");
    close(fd);
    end(&s);
}
END_TEST

/* The keeper refuses once; it is tried again some seconds later. */
START_TEST(a_port_is_tried_again)
{
    struct service s;
    int fd;

    begin(&s);
    fake_netif_add("br0");
    fd = open_tap(&s, FIRST, OPEN(A ",\"bridge\":\"br0\""));
    fake_netif_del("br0");
    notice(&s);
    tap_bridges_parse("none", &s.keeper.config.tap_bridges);
    fake_netif_add("br0");
    notice(&s);
    ck_assert_uint_eq(taps_in(&s)->waiting, 1);
    tap_bridges_parse("br0", &s.keeper.config.tap_bridges);
    for (int i = 0; i < 5; i++)
        tap_ops.tick(kind_self(&s.services.kinds, &tap_ops));
    notice(&s);
    ck_assert_uint_eq(taps_in(&s)->waiting, 0);
    close(fd);
    end(&s);
}
END_TEST

START_TEST(a_tap_that_is_renamed_is_still_closed)
{
    struct service s;
    int fd;

    begin(&s);
    fd = open_tap(&s, FIRST, OPEN(A));
    fake_netif_rename("nb-a", "nb-z");
    notice(&s);
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    notice(&s);
    assert_nothing(&s);
    close(fd);
    fd = open_tap(&s, FIRST, OPEN(A));
    fake_netif_rename("nb-a", "eth9"); /* it is ours all the same */
    notice(&s);
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    notice(&s);
    assert_nothing(&s);
    close(fd);
    end(&s);
}
END_TEST

/* A lease has what was asked for, and a list what there is. */
START_TEST(what_others_changed_is_told_as_it_is)
{
    static const uint8_t mac[MAC_BYTES] = {2, 0, 0, 0, 0, 7};
    struct service s;
    cJSON *reply, *tap;
    int fd;

    begin(&s);
    fd = open_tap(&s, FIRST, OPEN(A));
    reply = client_ask(&s, FIRST, SHOW);
    tap = cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetObjectItem(reply, "payload"), "taps"), 0);
    ck_assert(!cJSON_HasObjectItem(tap, "interface"));
    cJSON_Delete(reply);
    fake_netif_change("nb-a", mac, 1400);
    fake_netif_rename("nb-a", "nb-z");
    notice(&s);
    reply = client_ask(&s, FIRST, SHOW);
    tap = cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetObjectItem(reply, "payload"), "taps"), 0);
    ck_assert_str_eq(text_of(tap, "name"), "nb-a");
    ck_assert_str_eq(text_of(tap, "interface"), "nb-z");
    ck_assert_str_eq(text_of(tap, "mac"), "02:00:00:00:00:07");
    ck_assert_int_eq(cJSON_GetObjectItem(tap, "mtu")->valueint, 1400);
    ck_assert_uint_eq(taps_find_tap(taps_in(&s), "nb-a")->config.mtu, TAP_MTU_DEFAULT);
    cJSON_Delete(reply);
    close(fd);
    end(&s);
}
END_TEST

/* --- Persistent ones ----------------------------------------------------------------------- */

START_TEST(a_persistent_tap_lasts_until_it_is_closed)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, FIRST, OPEN(A ",\"persistent\":true")), "success");
    client_close(&s, FIRST);
    notice(&s);
    ck_assert_str_eq(taps_shown(&s), "nb-a open 1001 ");
    ck_assert_uint_eq(fake_tap_find("nb-a")->owner, ALICE);
    expect(client_ask(&s, SECOND, CLOSE(A)), "success");
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* --- A broker after another ---------------------------------------------------------------- */

static void follow(struct service *next, const struct service *s, int journal)
{
    service_follow(next, s);
    strcpy(next->keeper.config.tap_prefix, TAP_PREFIX_DEFAULT);
    tap_bridges_parse("br0", &next->keeper.config.tap_bridges);
    tap_networks_parse("192.168.0.0/24", &next->keeper.config.tap_networks);
    service_keep(next, journal, "");
    connect_all(next);
    notice(next);
}

START_TEST(another_broker_has_the_same_taps)
{
    static struct service s, next; /* s has what it has: nobody ends it */
    int fds[2], journal = memory_make("journal", 16 << 20);

    begin(&s);
    fake_netif_add("br0");
    service_keep(&s, journal, "");
    fds[0] = open_tap(&s, FIRST, OPEN(A ",\"bridge\":\"br0\""));
    fds[1] = open_tap(&s, OTHER, OPEN("\"name\":\"nb-b\""));
    expect(client_ask(&s, SECOND, OPEN("\"name\":\"nb-p\",\"persistent\":true")), "success");
    fake_netif_del("br0"); /* the dead one did not see that */
    close(fds[1]);
    close_all(&s);

    follow(&next, &s, journal);
    ck_assert_str_eq(taps_shown(&next), "nb-a waiting 1001 nb-p open 1001 ");
    fake_netif_add("br0");
    notice(&next);
    ck_assert_str_eq(taps_shown(&next), "nb-a open 1001 nb-p open 1001 ");
    ck_assert_uint_eq(fake_tap_count(), 2);
    close(fds[0]);
    expect(client_ask(&next, FIRST, CLOSE("\"name\":\"nb-p\"")), "success");
    notice(&next);
    assert_nothing(&next);
    end(&next);
    close(journal);
}
END_TEST

/* Names that others gave since, also while no broker was there. Of two the names are exchanged, and
 * one has a name that is none of the service's. */
START_TEST(another_broker_knows_taps_by_other_names)
{
    static struct service s, next;
    int fds[3], journal = memory_make("journal", 16 << 20);

    begin(&s);
    service_keep(&s, journal, "");
    fds[0] = open_tap(&s, FIRST, OPEN(A));
    fds[1] = open_tap(&s, OTHER, OPEN("\"name\":\"nb-b\""));
    fds[2] = open_tap(&s, SECOND, OPEN("\"name\":\"nb-c\""));
    fake_netif_rename("nb-a", "nb-z");
    notice(&s);
    fake_netif_rename("nb-b", "nb-a");
    fake_netif_rename("nb-z", "nb-b");
    fake_netif_rename("nb-c", "eth9");
    close_all(&s);

    follow(&next, &s, journal);
    ck_assert_str_eq(taps_shown(&next), "nb-a open 1001 nb-b open 1002 nb-c open 1001 ");
    ck_assert_uint_eq(fake_tap_count(), 3);
    expect(client_ask(&next, FIRST, CLOSE(A)), "success");
    notice(&next);
    ck_assert_ptr_null(fake_tap_find("nb-a"));
    ck_assert_uint_eq(fake_tap_count(), 2);
    close(fds[1]);
    notice(&next);
    ck_assert_str_eq(taps_shown(&next), "nb-c open 1001 ");
    expect(client_ask(&next, FIRST, CLOSE("\"name\":\"nb-c\"")), "success");
    notice(&next);
    assert_nothing(&next);
    close(fds[0]);
    close(fds[2]);
    end(&next);
    close(journal);
}
END_TEST

/* Others have taken its name for an interface of theirs: that is not held. */
START_TEST(another_broker_takes_nothing_of_others)
{
    static struct service s, next;
    int fd, journal = memory_make("journal", 16 << 20);

    begin(&s);
    service_keep(&s, journal, "");
    fd = open_tap(&s, FIRST, OPEN(A));
    close_all(&s);
    close(fd);
    fake_taps_settle();
    fake_netif_add("nb-a");

    follow(&next, &s, journal);
    ck_assert_str_eq(taps_shown(&next), "");
    ck_assert_uint_ne(taps_find("nb-a"), 0);
    fake_netif_del("nb-a");
    end(&next);
    close(journal);
}
END_TEST

START_TEST(another_broker_isolates_its_ports_again)
{
    static struct service s, next;
    int fd, journal = memory_make("journal", 16 << 20);

    begin(&s);
    fake_netif_add("br0");
    service_keep(&s, journal, "");
    fd = open_tap(&s, FIRST, OPEN(A ",\"bridge\":\"br0\",\"isolated\":true"));
    ck_assert_int_eq(taps_join("nb-a", "br0", false), 0);
    close_all(&s);

    follow(&next, &s, journal);
    ck_assert_str_eq(taps_shown(&next), "nb-a open 1001 ");
    ck_assert_uint_ne(fake_tap_find("nb-a")->flags & TAP_ISOLATED, 0);
    close(fd);
    notice(&next);
    assert_nothing(&next);
    end(&next);
    close(journal);
}
END_TEST

/* Which came over, and which did not: that one's holder saw its end. */
START_TEST(another_broker_has_the_lifelines)
{
    static struct service both[2], next; /* what a dead broker has, nobody ends */
    struct service *s = &both[_i];
    int journal = memory_make("journal", 16 << 20), end_read;
    struct fdpass_list list;
    void *self;

    begin(s);
    fake_netif_add("eth0");
    tap_bridges_parse("eth0", &s->keeper.config.tap_uplinks);
    service_keep(s, journal, "");
    client_say(s, FIRST, OPEN(A ",\"uplink\":\"eth0\""));
    service_settle(s);
    ck_assert_int_gt(
        fdpass_receive_some(s->clients[FIRST], (char[4096]){0}, 4096, &list, FDPASS_MAX), 0);
    ck_assert_uint_eq(list.count, 2);
    end_read = dup(kept_find(s->keeper.operations.kept, "lifeline-nb-a"));
    ck_assert_int_ge(end_read, 0);
    close_all(s);

    service_follow(&next, s);
    strcpy(next.keeper.config.tap_prefix, TAP_PREFIX_DEFAULT);
    self = kind_self(&next.services.kinds, &tap_ops);
    ck_assert(!tap_ops.inherit(self, "join-1-1", end_read));
    if (_i == 0)
        ck_assert(tap_ops.inherit(self, "lifeline-nb-a", end_read));
    else
        close(end_read);
    service_keep(&next, journal, "");
    connect_all(&next);
    notice(&next);
    ck_assert_str_eq(taps_shown(&next), _i == 0 ? "nb-a open 1001 " : "");
    close(list.fds[1]);
    notice(&next);
    notice(&next);
    assert_nothing(&next);
    close(list.fds[0]);
    end(&next);
    close(journal);
}
END_TEST

/* Killed after the lease was written down, and before the keeper acted: there is nothing. */
START_TEST(killed_before_the_keeper_acted)
{
    static struct service s, next;
    int journal = memory_make("journal", 16 << 20);

    begin(&s);
    service_keep(&s, journal, "");
    keeper_end_listen(&s.keeper, false);
    client_say(&s, FIRST, OPEN(A));
    service_settle(&s);
    ck_assert_uint_eq(s.services.leases.by_id.count, 1);

    follow(&next, &s, journal);
    assert_nothing(&next);
    end(&next);
    close(journal);
}
END_TEST

/* Killed before the descriptor was with the client: the kernel ends the tap, soon. */
START_TEST(killed_before_the_client_had_it)
{
    static struct service s, next;
    int fd, journal = memory_make("journal", 16 << 20);
    struct tap_config config;

    begin(&s);
    service_keep(&s, journal, "");
    keeper_end_listen(&s.keeper, false);
    client_say(&s, FIRST, OPEN(A));
    service_settle(&s);
    config = taps_find_tap(taps_in(&s), "nb-a")->config;
    fd = taps_open(&config); /* so far the keeper came */
    ck_assert_int_ge(fd, 0);

    follow(&next, &s, journal);
    ck_assert_str_eq(taps_shown(&next), "nb-a open 1001 ");
    close(fd);
    notice(&next);
    assert_nothing(&next);
    end(&next);
    close(journal);
}
END_TEST

/* Killed when the end of the lease was written down, and the keeper had not heard of it. */
START_TEST(killed_before_the_interface_was_deleted)
{
    static struct service s, next;
    int fd, journal = memory_make("journal", 16 << 20);

    begin(&s);
    service_keep(&s, journal, "");
    fd = open_tap(&s, FIRST, OPEN(A));
    keeper_end_listen(&s.keeper, false);
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    ck_assert_uint_eq(fake_tap_count(), 1);

    follow(&next, &s, journal);
    assert_nothing(&next);
    close(fd);
    end(&next);
    close(journal);
}
END_TEST

/* Without a journal nobody knows whose it is: it stays, and only the administrator may close it. */
START_TEST(what_nobody_knows_of_is_nobody_s)
{
    static struct service s, next;
    int fd, journal = memory_make("journal", 16 << 20);

    begin(&s);
    fd = open_tap(&s, FIRST, OPEN(A));

    follow(&next, &s, journal);
    ck_assert_str_eq(taps_shown(&next), "nb-a open -1 ");
    expect(client_ask(&next, FIRST, CLOSE(A)), "not-allowed");
    expect(client_ask(&next, ROOT, CLOSE(A)), "success");
    notice(&next);
    assert_nothing(&next);
    close(fd);
    end(&next);
    close(journal);
}
END_TEST

/* As after a reboot: it is made again, and where that fails, tried again. */
START_TEST(a_persistent_tap_is_made_again)
{
    static struct service s, next;
    int journal = memory_make("journal", 16 << 20);
    unsigned ifindex;

    begin(&s);
    service_keep(&s, journal, "");
    expect(client_ask(&s, FIRST, OPEN(A ",\"persistent\":true")), "success");
    ifindex = taps_find("nb-a");
    keeper_end_listen(&s.keeper, false);
    ck_assert_int_eq(taps_delete(ifindex), 0);

    fake_fail(1, -EIO);
    follow(&next, &s, journal);
    ck_assert_str_eq(taps_shown(&next), "nb-a waiting 1001 ");
    for (int i = 0; i < 5; i++)
        tap_ops.tick(kind_self(&next.services.kinds, &tap_ops));
    notice(&next);
    ck_assert_str_eq(taps_shown(&next), "nb-a open 1001 ");
    ck_assert_uint_eq(fake_tap_find("nb-a")->owner, ALICE);
    expect(client_ask(&next, FIRST, CLOSE(A)), "success");
    notice(&next);
    assert_nothing(&next);
    end(&next);
    close(journal);
}
END_TEST

/* --- Queues -------------------------------------------------------------------------------- */

/* The descriptors of a reply that names all of them "tap". */
static struct fdpass_list take_queues(struct service *s, int n)
{
    struct fdpass_list list = {0};
    char text[4096];
    ssize_t length;
    size_t named = 0;
    cJSON *reply, *name;

    service_settle(s);
    length = fdpass_receive_some(s->clients[n], text, sizeof text - 1, &list, FDPASS_MAX);
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    wait_until_read(s);
    reply = cJSON_Parse(text);
    cJSON_ArrayForEach(name, cJSON_GetObjectItem(reply, "fds")) named +=
        strcmp(name->valuestring, "tap") == 0;
    ck_assert_uint_eq(named, list.count);
    cJSON_Delete(reply);
    return list;
}

START_TEST(a_tap_lasts_as_long_as_one_of_its_queues)
{
    struct fdpass_list list;
    struct service s;

    begin(&s);
    client_say(&s, FIRST, OPEN(A ",\"queues\":8"));
    list = take_queues(&s, FIRST);
    ck_assert_uint_eq(list.count, 8);
    ck_assert_uint_eq(fake_tap_find("nb-a")->queues, 8);
    for (size_t i = 0; i < 7; i++)
        close(list.fds[i]);
    notice(&s);
    ck_assert_str_eq(taps_shown(&s), "nb-a open 1001 ");
    close(list.fds[7]);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* --- On an uplink -------------------------------------------------------------------------- */

#define ON_ETH0 A ",\"uplink\":\"eth0\""

static void begin_uplinks(struct service *s)
{
    begin(s);
    fake_netif_add("eth0");
    fake_netif_add("eth1");
    tap_bridges_parse("eth0", &s->keeper.config.tap_uplinks);
}

/* Waits for the reply, and returns its descriptors: the tap's, and the lifeline. */
static struct fdpass_list take_station(struct service *s, int n)
{
    struct fdpass_list list = {0};
    char text[4096];
    ssize_t length = -EAGAIN;

    for (int i = 0; i < 5000 && length == -EAGAIN; i++) {
        service_settle(s);
        length = fdpass_receive_some(s->clients[n], text, sizeof text - 1, &list, FDPASS_MAX);
        if (length == -EAGAIN)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_msg(list.count == 2, "%zu descriptors with %s", list.count, text);
    ck_assert_ptr_nonnull(strstr(text, "\"fds\":[\"tap\",\"lifeline\"]"));
    wait_until_read(s);
    return list;
}

static struct fdpass_list open_station(struct service *s, int n)
{
    client_say(s, n, OPEN(ON_ETH0));
    return take_station(s, n);
}

START_TEST(a_macvtap_lasts_as_long_as_its_lifeline)
{
    struct fdpass_list list;
    struct service s;

    begin_uplinks(&s);
    list = open_station(&s, FIRST);
    ck_assert_str_eq(fake_tap_find("nb-a")->uplink, "eth0");
    close(list.fds[0]);
    client_close(&s, FIRST);
    ck_assert_int_eq(write(list.fds[1], "x", 1), 1); /* nobody reads it */
    notice(&s);
    ck_assert_str_eq(taps_shown(&s), "nb-a open 1001 ");
    close(list.fds[1]);
    notice(&s);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

START_TEST(the_lifeline_tells_of_the_end)
{
    struct pollfd polled = {.fd = -1};
    struct fdpass_list list;
    struct service s;

    begin_uplinks(&s);
    list = open_station(&s, FIRST);
    polled.fd = list.fds[1];
    ck_assert_int_eq(poll(&polled, 1, 0), 0);
    if (_i == 0)
        expect(client_ask(&s, SECOND, CLOSE(A)), "success");
    else
        taps_delete(taps_find("nb-a")); /* as the kernel, with the uplink */
    notice(&s);
    notice(&s);
    ck_assert_int_eq(poll(&polled, 1, 0), 1);
    ck_assert_int_eq(polled.revents, POLLERR);
    assert_nothing(&s);
    fdpass_close(&list);
    end(&s);
}
END_TEST

START_TEST(what_an_uplink_cannot_have_is_refused)
{
    static const char *const cases[][2] = {
        {ON_ETH0 ",\"bridge\":\"br0\"", "invalid-address"},
        {ON_ETH0 HOST, "invalid-address"},
        {ON_ETH0 ",\"queues\":2", "invalid-address"},
        {ON_ETH0 ",\"persistent\":true", "invalid-address"},
        {A ",\"uplink\":\"eth1\"", "not-allowed"},
        {A ",\"uplink\":\"eth2\"", "not-found"},
        {ON_ETH0 ",\"dry_run\":true", "success"},
    };
    struct service s;
    char request[256];

    begin_uplinks(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tap_bridges_parse(i == 5 ? "eth0, eth2" : "eth0", &s.keeper.config.tap_uplinks);
        snprintf(request, sizeof request, OPEN("%s"), cases[i][0]);
        expect(client_ask(&s, FIRST, request), cases[i][1]);
    }
    assert_nothing(&s);
    ck_assert_uint_eq(s.services.users.sent.used, 0);
    end(&s);
}
END_TEST

static void wait_for_nothing(struct service *s)
{
    for (int i = 0; i < 5000 && taps_in(s)->names.count + fake_tap_count() > 0; i++) {
        notice(s);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_nothing(s);
}

/* udev(7) gives the service the device some time after it was made, or never. */
START_TEST(a_device_that_is_late_is_waited_for)
{
    struct fdpass_list list;
    struct service s;

    begin_uplinks(&s);
    fake_nodes_are_late(3);
    list = open_station(&s, FIRST);
    fdpass_close(&list);
    wait_for_nothing(&s);
    fake_nodes_are_late(1000);
    client_say(&s, FIRST, OPEN(ON_ETH0));
    service_settle(&s);
    ck_assert_uint_eq(taps_in(&s)->names.count, 1);
    wait_for_nothing(&s);
    end(&s);
}
END_TEST

/* Meanwhile the client leaves, or the uplink. */
START_TEST(a_device_is_not_waited_for_in_vain)
{
    struct service s;

    begin_uplinks(&s);
    fake_nodes_are_late(1000);
    client_say(&s, FIRST, OPEN(ON_ETH0));
    service_settle(&s);
    ck_assert_uint_eq(fake_tap_count(), 1);
    if (_i == 0)
        client_close(&s, FIRST);
    else
        fake_netif_del("eth0");
    if (_i == 1)
        taps_delete(taps_find("nb-a"));
    wait_for_nothing(&s);
    end(&s);
}
END_TEST

START_TEST(queues_of_a_tap_that_is_not_lent_are_none)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, FIRST, OPEN(A ",\"queues\":4,\"dry_run\":true")), "success");
    expect(client_ask(&s, FIRST, OPEN(A ",\"queues\":4,\"persistent\":true")), "success");
    ck_assert_uint_eq(fake_tap_find("nb-a")->queues, 4);
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    fake_fail(3, -EMFILE);
    expect(client_ask(&s, FIRST, OPEN("\"name\":\"nb-b\",\"queues\":4")), "internal");
    notice(&s);
    assert_nothing(&s);
    ck_assert_uint_eq(s.services.users.sent.used, 0);
    end(&s);
}
END_TEST

/* Each is charged, and where there is no room for all, there is none. */
START_TEST(queues_count_as_descriptors)
{
    struct fdpass_list list;
    struct service s;

    begin(&s);
    s.services.users.sent.bounds.size = 5;
    client_say(&s, FIRST, OPEN(A ",\"queues\":5"));
    list = take_queues(&s, FIRST);
    ck_assert_uint_eq(list.count, 5);
    fdpass_close(&list);
    notice(&s);
    s.services.users.sent.bounds.size = 4;
    expect(client_ask(&s, FIRST, OPEN(A ",\"queues\":5")), "limit");
    ck_assert_uint_eq(s.services.users.sent.used, 0);
    assert_nothing(&s);
    end(&s);
}
END_TEST

START_TEST(who_hangs_up_has_no_queue)
{
    struct service s;

    begin(&s);
    client_say(&s, FIRST, OPEN(A ",\"queues\":8"));
    client_close(&s, FIRST);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* --- Networks behind a tap ----------------------------------------------------------------- */

#define B(fields) OPEN("\"name\":\"nb-b\"," fields)

START_TEST(a_tap_has_its_routes_again)
{
    static struct service s, next;
    int journal = memory_make("journal", 16 << 20);
    const struct tap_config *made;
    char text[PREFIX_TEXT_MAX];

    begin(&s);
    service_keep(&s, journal, "");
    expect(client_ask(&s, FIRST,
                      OPEN(A HOST ",\"persistent\":true,\"routes\":[\"192.168.0.0/26\","
                                  "\"192.168.0.100\"]")),
           "success");
    ck_assert_uint_eq(fake_tap_find("nb-a")->route_count, 2);
    keeper_end_listen(&s.keeper, false);
    ck_assert_int_eq(taps_delete(taps_find("nb-a")), 0);

    follow(&next, &s, journal);
    made = fake_tap_find("nb-a");
    ck_assert_ptr_nonnull(made);
    ck_assert_uint_eq(made->route_count, 2);
    ck_assert_str_eq(prefix_format(&made->routes[0], text), "192.168.0.0/26");
    ck_assert_str_eq(prefix_format(&made->routes[1], text), "192.168.0.100");
    expect(client_ask(&next, FIRST, CLOSE(A)), "success");
    notice(&next);
    assert_nothing(&next);
    end(&next);
    close(journal);
}
END_TEST

/* Beside a tap with 192.168.0.129/25 and a route to 192.168.0.0/26. */
static const struct {
    const char *request, *code;
} beside[] = {
    {B("\"hosts\":[\"192.168.0.1/30\"]"), "in-use"},
    {B("\"hosts\":[\"192.168.0.65/26\"],\"routes\":[\"192.168.0.16/28\"]"), "in-use"},
    {B("\"hosts\":[\"192.168.0.65/26\"],\"routes\":[\"192.168.0.0/25\"]"), "in-use"},
    {B("\"hosts\":[\"192.168.0.65/26\"],\"routes\":[\"192.168.0.200\"]"), "in-use"},
    {B("\"hosts\":[\"192.168.0.65/27\"],\"routes\":[\"192.168.0.96/27\"],\"dry_run\":true"),
     "success"},
};

START_TEST(no_tap_takes_packets_of_another)
{
    struct service s;
    int fd;

    begin(&s);
    fd = open_tap(&s, FIRST, OPEN(A HOST ",\"routes\":[\"192.168.0.0/26\"]"));
    expect(client_ask(&s, OTHER, beside[_i].request), beside[_i].code);
    close(fd);
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

START_TEST(a_route_that_the_host_has_is_refused)
{
    struct service s;

    begin(&s);
    fake_route_add("eth0", "192.168.0.0/26");
    expect(client_ask(&s, FIRST, OPEN(A HOST ",\"routes\":[\"192.168.0.0/26\"]")), "in-use");
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* --- For other users ----------------------------------------------------------------------- */

/* Whoever asked for it: it is the owner's, who pays for it. */
START_TEST(a_tap_for_another_user_is_that_user_s)
{
    static struct service s, next;
    int journal = memory_make("journal", 16 << 20);

    begin(&s);
    service_keep(&s, journal, "");
    taps_set_limits(taps_in(&s), &(struct limits){.taps = 16, .taps_per_user = 1});
    expect(client_ask(&s, ROOT, OPEN(A ",\"persistent\":true,\"owner\":1001")), "success");
    ck_assert_str_eq(taps_shown(&s), "nb-a open 1001 ");
    ck_assert_uint_eq(fake_tap_find("nb-a")->owner, ALICE);
    expect(client_ask(&s, ROOT, OPEN("\"persistent\":true,\"owner\":1001")), "limit");
    expect(client_ask(&s, FIRST, OPEN("\"persistent\":true")), "limit");
    expect(client_ask(&s, ROOT, OPEN("\"persistent\":true,\"owner\":0")), "success");
    expect(client_ask(&s, ROOT, CLOSE("\"name\":\"nb-0\"")), "success");
    close_all(&s);

    follow(&next, &s, journal);
    ck_assert_str_eq(taps_shown(&next), "nb-a open 1001 ");
    expect(client_ask(&next, OTHER, CLOSE(A)), "not-allowed");
    expect(client_ask(&next, FIRST, CLOSE(A)), "success");
    notice(&next);
    assert_nothing(&next);
    end(&next);
    close(journal);
}
END_TEST

static const struct {
    int client;
    const char *payload, *code;
} for_others[] = {
    {FIRST, ",\"persistent\":true,\"owner\":1002", "not-allowed"},
    {FIRST, ",\"persistent\":true,\"owner\":0,\"dry_run\":true", "not-allowed"},
    {FIRST, ",\"persistent\":true,\"owner\":1001,\"dry_run\":true", "success"},
    {ROOT, ",\"owner\":1001", "missing-field"},
    {ROOT, ",\"owner\":0,\"dry_run\":true", "success"},
    {ROOT, ",\"persistent\":true,\"owner\":1001,\"dry_run\":true", "success"},
};

START_TEST(only_an_administrator_makes_a_tap_for_another)
{
    char request[192];
    struct service s;

    begin(&s);
    snprintf(request, sizeof request, OPEN(A "%s"), for_others[_i].payload);
    expect(client_ask(&s, for_others[_i].client, request), for_others[_i].code);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* What counts for the owner's leases is not what a rule allows to who asks. */
START_TEST(the_lease_counts_for_the_owner)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, ROOT, OPEN(A ",\"persistent\":true,\"owner\":1001")), "success");
    ck_assert_uint_eq(TAILQ_FIRST(&s.services.leases.order)->info.uid, ALICE);
    rule.leases = 1;
    expect(client_ask(&s, FIRST, OPEN("\"persistent\":true")), "limit");
    expect(client_ask(&s, OTHER, OPEN("\"persistent\":true,\"dry_run\":true")), "success");
    rule.leases = 0;
    expect(client_ask(&s, FIRST, CLOSE(A)), "success");
    notice(&s);
    assert_nothing(&s);
    end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_tap_lasts_as_long_as_its_descriptor);
    tcase_add_test(tests, the_first_free_name_is_taken);
    tcase_add_test(tests, a_tap_is_closed_by_who_has_it_and_by_nobody_else);
    tcase_add_test(tests, a_revoked_lease_ends_the_tap);
    tcase_add_test(tests, who_hangs_up_has_no_tap);
    tcase_add_loop_test(tests, a_lease_that_ends_before_the_answer_leaves_nothing, 0, 2);
    tcase_add_test(tests, a_name_is_free_when_its_interface_is_gone);
    tcase_add_test(tests, an_interface_that_does_not_end_keeps_nobody);
    tcase_add_test(tests, what_is_not_deleted_is_tried_again);
    tcase_add_test(tests, what_the_keeper_refuses_leaves_nothing);
    tcase_add_loop_test(tests, a_wrong_request_is_refused, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tests, a_dry_run_opens_nothing);
    tcase_add_test(tests, one_user_takes_no_more_than_his_share);
    tcase_add_test(tests, who_closes_a_tap_waits_for_its_end);
    tcase_add_test(tests, a_name_that_is_chosen_again_is_judged_again);
    tcase_add_test(tests, few_wait_for_the_end_of_a_tap);
    tcase_add_test(tests, the_policy_judges_name_and_bridge);
    tcase_add_test(tests, events_tell_of_taps_and_their_bridges);
    tcase_add_test(tests, a_port_follows_its_bridge);
    tcase_add_test(tests, a_port_is_tried_again);
    tcase_add_test(tests, a_tap_that_is_renamed_is_still_closed);
    tcase_add_test(tests, what_others_changed_is_told_as_it_is);
    tcase_add_test(tests, a_persistent_tap_lasts_until_it_is_closed);
    tcase_add_test(tests, another_broker_has_the_same_taps);
    tcase_add_test(tests, another_broker_knows_taps_by_other_names);
    tcase_add_test(tests, another_broker_takes_nothing_of_others);
    tcase_add_test(tests, another_broker_isolates_its_ports_again);
    tcase_add_test(tests, killed_before_the_keeper_acted);
    tcase_add_test(tests, killed_before_the_client_had_it);
    tcase_add_test(tests, killed_before_the_interface_was_deleted);
    tcase_add_test(tests, what_nobody_knows_of_is_nobody_s);
    tcase_add_test(tests, a_persistent_tap_is_made_again);
    tcase_add_test(tests, a_macvtap_lasts_as_long_as_its_lifeline);
    tcase_add_loop_test(tests, the_lifeline_tells_of_the_end, 0, 2);
    tcase_add_test(tests, what_an_uplink_cannot_have_is_refused);
    tcase_add_test(tests, a_device_that_is_late_is_waited_for);
    tcase_add_loop_test(tests, a_device_is_not_waited_for_in_vain, 0, 2);
    tcase_add_loop_test(tests, another_broker_has_the_lifelines, 0, 2);
    tcase_add_test(tests, a_tap_lasts_as_long_as_one_of_its_queues);
    tcase_add_test(tests, queues_of_a_tap_that_is_not_lent_are_none);
    tcase_add_test(tests, queues_count_as_descriptors);
    tcase_add_test(tests, who_hangs_up_has_no_queue);
    tcase_add_test(tests, a_tap_has_its_routes_again);
    tcase_add_loop_test(tests, no_tap_takes_packets_of_another, 0, sizeof beside / sizeof *beside);
    tcase_add_test(tests, a_route_that_the_host_has_is_refused);
    tcase_add_test(tests, a_tap_for_another_user_is_that_user_s);
    tcase_add_loop_test(tests, only_an_administrator_makes_a_tap_for_another, 0,
                        sizeof for_others / sizeof *for_others);
    tcase_add_test(tests, the_lease_counts_for_the_owner);
}

int main(void)
{
    return suite_run("taps", add_tests);
}
