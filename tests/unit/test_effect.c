/* The policy judges what a request displaces, and each output tells only what the asker may read:
 * one user routes between alpha and beta, another between gamma and delta, both also between e0 and
 * e1. */
#include "client.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HERE = 1001, THERE = 2002, ROOT_CLIENT = 0, HERE_CLIENT, THERE_CLIENT };

static struct rule *make_rules(void)
{
    struct rule *rules = calloc(4, sizeof *rules);

    ck_assert_ptr_nonnull(rules);
    rules[0] = (struct rule){.name = "here",
                             .user_count = 1,
                             .users = {{HERE, HERE}},
                             .verb_count = 2,
                             .verbs = {"mroute.*", "lease.read"},
                             .interface_count = 3,
                             .interfaces = {"alpha", "beta", "e*"}};
    rules[1] = (struct rule){.name = "there",
                             .user_count = 1,
                             .users = {{THERE, THERE}},
                             .verb_count = 1,
                             .verbs = {"mroute.write"},
                             .interface_count = 3,
                             .interfaces = {"gamma", "delta", "e*"}};
    rules[2] = (struct rule){
        .name = "all", .everyone = true, .verb_count = 2, .verbs = {"event.*", "service.read"}};
    rules[3] = (struct rule){.name = "more",
                             .user_count = 1,
                             .users = {{HERE, HERE}},
                             .verb_count = 1,
                             .verbs = {"none"},
                             .interface_count = 5,
                             .interfaces = {"alpha", "beta", "gamma", "delta", "e*"}};
    return rules;
}

static void begin(struct service *s)
{
    static const uid_t uids[] = {0, HERE, THERE};

    log_set_level(LOG_ERR);
    service_begin(s, "alpha beta gamma delta e0 e1");
    s->services.policy = (struct policy){.count = 4, .rules = make_rules()};
    for (int n = 0; n < 3; n++)
        client_connect_as(s, n, uids[n]);
}

static void end(struct service *s)
{
    free(s->services.policy.rules);
    service_end(s);
}

static char *request_text(const char *route)
{
    static char text[320];
    char source[64], group[64], iif[16], oif[16], more[64] = "";

    ck_assert_int_ge(sscanf(route, "%63s %63s %15s %15s %63[^\n]", source, group, iif, oif, more),
                     4);
    snprintf(text, sizeof text,
             "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"%s\",\"group\":\"%s\","
             "\"iif\":\"%s\",\"oifs\":[\"%s\"]%s}}",
             source, group, iif, oif, more);
    return text;
}

/* route: "SOURCE GROUP IIF OIF", and more members of the payload. */
static void add(struct service *s, int client, const char *route, const char *word)
{
    expect(client_ask(s, client, request_text(route)), word);
}

/* --- What a new route takes ---------------------------------------------------------------- */

#define EXACT "10.0.0.1 239.1.1.1 gamma delta"

static const struct {
    const char *here, *there, *word;
} takes[] = {
    /* An exact route has its flow wherever it comes in. */
    {"0.0.0.0 239.1.1.1 alpha beta", EXACT, "in-use"},
    {"0.0.0.0 239.1.1.1 alpha beta", EXACT " ,\"dry_run\":true", "in-use"},
    {"0.0.0.0 239.1.1.1 alpha beta", EXACT " ,\"append\":true", "in-use"},
    {"0.0.0.0 239.1.1.1 alpha beta", EXACT " ,\"while_connected\":true", "in-use"},
    {"0.0.0.0 239.0.0.0/8 alpha beta", EXACT, "in-use"},
    {"10.0.0.0/8 239.0.0.0/8 alpha beta", EXACT, "in-use"},
    {"10.0.0.1 239.1.1.1 e+ beta", EXACT, "not-allowed"}, /* it would be replaced */
    {"0.0.0.0 239.1.1.1 e9 beta ,\"wait\":true", EXACT, "in-use"},
    {"0.0.0.0 239.1.1.1 alpha beta", "10.0.0.1 239.1.1.2 gamma delta", "success"},
    {"11.0.0.0/8 239.0.0.0/8 alpha beta", EXACT, "success"},
    {"0.0.0.0 238.0.0.0/8 alpha beta", EXACT, "success"},
    {"0.0.0.0 239.1.1.1 alpha beta ,\"table\":7", EXACT, "success"},
    {"0.0.0.0 239.1.1.1 e0 e1", EXACT, "success"}, /* on interfaces of both */
    {":: ff05::/16 alpha beta", "fd00::1 ff05::1 gamma delta", "in-use"},
    /* A range has what comes in by its own. */
    {"0.0.0.0 239.0.0.0/8 alpha beta", "0.0.0.0 239.1.0.0/16 gamma delta", "success"},
    {"0.0.0.0 239.0.0.0/8 e0 beta", "0.0.0.0 239.1.0.0/16 e1 delta", "success"},
    {"0.0.0.0 239.0.0.0/8 e0 beta", "0.0.0.0 239.1.0.0/16 e0 delta", "in-use"},
    {"0.0.0.0 239.0.0.0/8 e0 beta", "0.0.0.0 239.1.1.1 e0 delta", "in-use"},
    {"0.0.0.0 239.0.0.0/8 e0 beta", "10.0.0.0/8 239.0.0.0/8 e0 delta", "in-use"},
    {"0.0.0.0 239.0.0.0/8 e0 beta", "10.0.0.0/8 239.1.0.0/16 e+ delta", "in-use"},
    {"10.0.0.0/8 239.0.0.0/8 e0 beta", "0.0.0.0 239.1.0.0/16 e0 delta", "in-use"},
    {"0.0.0.0 239.0.0.0/8 e+ beta", "0.0.0.0 239.0.0.0/8 e0 delta", "in-use"},
    {"10.0.0.0/8 239.0.0.0/8 e0 beta", "11.0.0.0/8 239.1.0.0/16 e0 delta", "success"},
    /* What is less specific takes what is left, and so does what comes later. */
    {"0.0.0.0 239.1.0.0/16 e0 beta", "0.0.0.0 239.0.0.0/8 e0 delta", "success"},
    {"10.0.0.0/8 239.0.0.0/8 e0 beta", "0.0.0.0 239.0.0.0/8 e0 delta", "success"},
    {"0.0.0.0 239.0.0.0/8 e0 beta", "0.0.0.0 239.0.0.0/8 e+ delta", "success"},
    {"10.0.0.1 239.1.1.1 alpha beta", "0.0.0.0 239.1.1.1 gamma delta", "success"},
    {"10.0.0.1 239.1.1.1 e0 beta", "0.0.0.0 239.1.1.1 e0 delta", "success"},
    {"10.0.0.1 239.1.1.1 e0 beta", "10.0.0.0/8 239.0.0.0/8 e+ delta", "success"},
};

START_TEST(a_route_takes_only_what_its_user_may)
{
    struct service s;

    begin(&s);
    close(kernel_open_table(&s.kernel, FAMILY_IPV4, 7));
    add(&s, HERE_CLIENT, takes[_i].here, "success");
    add(&s, THERE_CLIENT, takes[_i].there, takes[_i].word);
    add(&s, ROOT_CLIENT, takes[_i].there, "success");
    end(&s);
}
END_TEST

/* Each is judged, and nobody waits for that of 60,000. */
START_TEST(one_request_takes_from_few_routes)
{
    struct service s;
    char route[64];

    begin(&s);
    for (int i = 0; i < 257; i++) {
        add(&s, HERE_CLIENT, "0.0.0.0 239.1.0.0/16 e0 beta ,\"dry_run\":true", "success");
        snprintf(route, sizeof route, "10.%d.%d.0/24 239.0.0.0/8 e0 e1", i / 256, i % 256);
        add(&s, THERE_CLIENT, route, "success");
    }
    add(&s, HERE_CLIENT, "0.0.0.0 239.1.0.0/16 e0 beta", "limit");
    add(&s, HERE_CLIENT, "10.0.0.0/16 239.1.0.0/16 e0 beta", "success");
    add(&s, ROOT_CLIENT, "0.0.0.0 239.1.0.0/16 e0 beta", "success");
    end(&s);
}
END_TEST

START_TEST(the_same_in_a_set)
{
    bool goes = strcmp(takes[_i].word, "success") == 0;
    struct service s;

    if (strchr(takes[_i].there, ',')) /* what sets do not take */
        return;
    begin(&s);
    close(kernel_open_table(&s.kernel, FAMILY_IPV4, 7));
    add(&s, HERE_CLIENT, takes[_i].here, "success");
    expect(client_ask(&s, THERE_CLIENT, "{\"action\":\"BEGIN_REPLACE\"}"), "success");
    add(&s, THERE_CLIENT, takes[_i].there, takes[_i].word);
    expect(client_ask(&s, THERE_CLIENT, "{\"action\":\"COMMIT\"}"), goes ? "success" : "aborted");
    end(&s);
}
END_TEST

START_TEST(what_comes_between_staging_and_commit_counts)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, THERE_CLIENT, "{\"action\":\"BEGIN_REPLACE\"}"), "success");
    add(&s, THERE_CLIENT, EXACT, "success");
    add(&s, HERE_CLIENT, "0.0.0.0 239.1.1.1 alpha beta", "success");
    expect(client_ask(&s, THERE_CLIENT, "{\"action\":\"COMMIT\"}"), "in-use");
    end(&s);
}
END_TEST

START_TEST(what_somebody_has_already_is_not_taken_again)
{
    struct service s;

    begin(&s);
    add(&s, THERE_CLIENT, EXACT, "success");
    add(&s, THERE_CLIENT, "0.0.0.0 239.2.0.0/16 e0 delta", "success");
    add(&s, HERE_CLIENT, "0.0.0.0 239.0.0.0/8 e0 beta", "success");
    add(&s, THERE_CLIENT, "10.0.0.1 239.1.1.1 gamma e1", "success");
    add(&s, THERE_CLIENT, EXACT " ,\"append\":true", "success");
    add(&s, THERE_CLIENT, "10.0.0.1 239.2.1.1 e0 delta", "success"); /* of his own range */
    add(&s, THERE_CLIENT, "10.0.0.1 239.2.1.2 gamma delta", "success");
    add(&s, THERE_CLIENT, "10.0.0.1 239.3.1.1 gamma delta", "in-use");
    end(&s);
}
END_TEST

/* Of one source and group, from a pattern, a route is a range, and has only what comes in there. */
START_TEST(a_range_that_becomes_exact_takes_more)
{
    struct service s;

    begin(&s);
    s.services.policy.rules[1].interface_count = 4;
    strcpy(s.services.policy.rules[1].interfaces[3], "g*");
    add(&s, THERE_CLIENT, "10.0.0.1 239.1.1.1 g+ delta", "success");
    add(&s, HERE_CLIENT, "0.0.0.0 239.0.0.0/8 alpha beta", "success");
    add(&s, THERE_CLIENT, EXACT, "in-use");
    add(&s, THERE_CLIENT, "10.0.0.1 239.1.1.1 g+ e1", "success");
    add(&s, HERE_CLIENT, "0.0.0.0 239.1.0.0/16 e0 beta", "success");
    add(&s, THERE_CLIENT, "10.0.0.1 239.1.1.1 e+ delta", "in-use");
    end(&s);
}
END_TEST

/* Who holds the same as another does not take over what the other was allowed to take. */
START_TEST(to_share_a_route_takes_the_same_right)
{
    struct service s;

    begin(&s);
    add(&s, HERE_CLIENT, "0.0.0.0 239.1.1.1 alpha beta", "success");
    add(&s, ROOT_CLIENT, EXACT, "success");
    add(&s, THERE_CLIENT, EXACT, "in-use");
    add(&s, HERE_CLIENT, "0.0.0.0 239.0.0.0/8 e0 beta", "success");
    add(&s, ROOT_CLIENT, "0.0.0.0 239.2.0.0/16 e0 delta", "success");
    add(&s, THERE_CLIENT, "0.0.0.0 239.2.0.0/16 e0 delta", "in-use");
    end(&s);
}
END_TEST

START_TEST(a_rule_that_denies_counts_for_the_administrator_too)
{
    struct service s;

    begin(&s);
    add(&s, HERE_CLIENT, "0.0.0.0 239.1.1.1 alpha beta", "success");
    s.services.policy.rules[3].deny = s.services.policy.rules[3].everyone = true;
    s.services.policy.rules[3].interface_count = 1;
    strcpy(s.services.policy.rules[3].verbs[0], "mroute.write");
    add(&s, ROOT_CLIENT, EXACT, "in-use");
    end(&s);
}
END_TEST

/* --- The words ----------------------------------------------------------------------------- */

static cJSON *refusal(struct service *s, int client, const char *route)
{
    cJSON *reply = client_ask(s, client, request_text(route));

    ck_assert_str_eq(cJSON_GetObjectItem(reply, "status")->valuestring, "error");
    return reply;
}

static const char *message_of(const cJSON *reply)
{
    return cJSON_GetObjectItem(reply, "message")->valuestring;
}

START_TEST(a_refusal_tells_no_more_than_its_reader_may_read)
{
    struct service s;
    cJSON *reply;

    begin(&s);
    add(&s, HERE_CLIENT, "0.0.0.0 239.1.1.1 alpha beta", "success");
    reply = refusal(&s, THERE_CLIENT, EXACT);
    ck_assert_msg(strstr(message_of(reply), "may not read") &&
                      !strstr(message_of(reply), "alpha") && !strstr(message_of(reply), "1001") &&
                      !strstr(message_of(reply), "beta"),
                  "%s", message_of(reply));
    cJSON_Delete(reply);
    reply = refusal(&s, THERE_CLIENT, "0.0.0.0 239.1.1.1 alpha delta");
    ck_assert_msg(!strstr(message_of(reply), "beta"), "%s", message_of(reply));
    cJSON_Delete(reply);
    strcpy(s.services.policy.rules[1].verbs[1], "*.read");
    s.services.policy.rules[1].verb_count = 2;
    s.services.policy.rules[3] = s.services.policy.rules[1];
    s.services.policy.rules[3].verb_count = 1;
    strcpy(s.services.policy.rules[3].verbs[0], "mroute.read");
    s.services.policy.rules[3].interface_count = 0;
    reply = refusal(&s, THERE_CLIENT, EXACT);
    ck_assert_msg(strstr(message_of(reply), "(0.0.0.0, 239.1.1.1) from alpha") &&
                      strstr(message_of(reply), "Another user") &&
                      strstr(message_of(reply), "interfaces=alpha,beta"),
                  "%s", message_of(reply));
    cJSON_Delete(reply);
    strcpy(s.services.policy.rules[3].verbs[0], "*.read");
    reply = refusal(&s, THERE_CLIENT, EXACT);
    ck_assert_msg(strstr(message_of(reply), "User 1001 holds"), "%s", message_of(reply));
    cJSON_Delete(reply);
    end(&s);
}
END_TEST

/* --- Learned flows ------------------------------------------------------------------------- */

static void packet(struct service *s, const char *iif)
{
    struct address source, group;

    ck_assert(address_parse("10.0.0.1", &source) && address_parse("239.1.1.1", &group));
    fake_packet(FAMILY_IPV4, 253, netifs_find(s->kernel.netifs, iif)->ifindex, &source, &group);
    mroute_read_upcalls(s->kernel.mroute, FAMILY_IPV4, 253);
}

static bool flow_is_from(struct service *s, const char *iif)
{
    char text[64];

    snprintf(text, sizeof text, "10.0.0.1 239.1.1.1 %s ", iif);
    return strstr(kernel_routes(&s->kernel), text) != NULL;
}

static void add_ranges(struct service *s, int first, int second)
{
    static const char *const ranges[] = {
        [ROOT_CLIENT] = "0.0.0.0 239.0.0.0/8 e1 beta",
        [HERE_CLIENT] = "0.0.0.0 239.0.0.0/8 alpha beta",
        [THERE_CLIENT] = "0.0.0.0 239.0.0.0/8 gamma delta",
    };

    add(s, first, ranges[first], "success");
    add(s, second, ranges[second], "success");
}

START_TEST(a_flow_stays_with_the_elder_of_two_holders)
{
    struct service s;

    begin(&s);
    add_ranges(&s, HERE_CLIENT, THERE_CLIENT);
    packet(&s, "alpha");
    ck_assert(flow_is_from(&s, "alpha"));
    packet(&s, "gamma");
    ck_assert(flow_is_from(&s, "alpha"));
    expect(client_ask(&s, ROOT_CLIENT, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"learned\":true}}"),
           "success");
    packet(&s, "gamma");
    ck_assert(flow_is_from(&s, "gamma"));
    packet(&s, "alpha");
    ck_assert(flow_is_from(&s, "alpha"));
    end(&s);
}
END_TEST

/* After a restart the order of the leases may be another, but not their age. */
START_TEST(the_elder_is_who_has_held_longer)
{
    const struct route *range;
    struct prefix any = {0}, group = kernel_prefix("239.0.0.0/8");
    struct service s;

    begin(&s);
    add_ranges(&s, HERE_CLIENT, THERE_CLIENT);
    range = mroute_find(s.kernel.mroute, &any, &group, "gamma", 0);
    ((struct lease *)resource_first_lease(route_resource(range)))->info.since -= 100; /* s */
    packet(&s, "alpha");
    ck_assert(flow_is_from(&s, "alpha"));
    packet(&s, "gamma");
    ck_assert(flow_is_from(&s, "gamma"));
    packet(&s, "alpha");
    ck_assert(flow_is_from(&s, "gamma"));
    end(&s);
}
END_TEST

/* However young, who may write on the other's interfaces takes the flow, and not the other way. */
START_TEST(a_rule_may_say_that_a_flow_moves)
{
    struct service s;
    struct rule *more;

    begin(&s);
    more = &s.services.policy.rules[3];
    add_ranges(&s, HERE_CLIENT, THERE_CLIENT);
    packet(&s, "alpha");
    strcpy(more->verbs[0], "mroute.write");
    more->users[0] = (struct uid_range){THERE, THERE};
    packet(&s, "gamma");
    ck_assert(flow_is_from(&s, "gamma"));
    packet(&s, "alpha");
    ck_assert(flow_is_from(&s, "gamma"));
    more->user_count = 2;
    more->users[1] = (struct uid_range){HERE, HERE};
    packet(&s, "alpha");
    ck_assert(flow_is_from(&s, "alpha"));
    packet(&s, "gamma");
    ck_assert(flow_is_from(&s, "gamma"));
    end(&s);
}
END_TEST

START_TEST(the_administrator_s_ranges_keep_their_flows)
{
    struct service s;

    begin(&s);
    add_ranges(&s, THERE_CLIENT, ROOT_CLIENT);
    packet(&s, "gamma");
    packet(&s, "e1");
    ck_assert(flow_is_from(&s, "e1"));
    packet(&s, "gamma");
    ck_assert(flow_is_from(&s, "e1"));
    end(&s);
}
END_TEST

START_TEST(between_ranges_of_one_holder_a_flow_moves)
{
    struct service s;

    begin(&s);
    add(&s, HERE_CLIENT, "0.0.0.0 239.0.0.0/8 alpha beta", "success");
    add(&s, HERE_CLIENT, "0.0.0.0 239.1.0.0/16 e0 beta", "success");
    packet(&s, "alpha");
    packet(&s, "e0");
    ck_assert(flow_is_from(&s, "e0"));
    packet(&s, "alpha");
    ck_assert(flow_is_from(&s, "alpha"));
    end(&s);
}
END_TEST

/* --- Events -------------------------------------------------------------------------------- */

static void subscribe(struct service *s, int client)
{
    expect(client_ask(s, client, "{\"action\":\"SUBSCRIBE\"}"), "success");
}

/* The topics that came, e.g. "mfc.added mfc.deleted". */
static const char *events_of(struct service *s, int client)
{
    static char text[512];
    cJSON *event;

    text[0] = '\0';
    service_settle(s);
    while ((event = client_line(s, client, NULL))) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] ? " " : "",
                 cJSON_GetObjectItem(event, "event")->valuestring);
        cJSON_Delete(event);
    }
    return text;
}

START_TEST(the_loser_is_told)
{
    struct service s;
    cJSON *event;
    const cJSON *lost;

    begin(&s);
    client_connect_as(&s, 3, HERE);
    subscribe(&s, 3);
    add(&s, HERE_CLIENT, "0.0.0.0 239.0.0.0/8 alpha beta", "success");
    ck_assert_str_eq(events_of(&s, 3), "mfc.added");
    add(&s, ROOT_CLIENT, EXACT, "success");
    service_settle(&s);
    event = client_line(&s, 3, NULL);
    ck_assert_str_eq(cJSON_GetObjectItem(event, "event")->valuestring, "mfc.overridden");
    lost = cJSON_GetObjectItem(cJSON_GetObjectItem(event, "payload"), "lost");
    ck_assert_str_eq(cJSON_GetObjectItem(lost, "source")->valuestring, "10.0.0.1");
    ck_assert_str_eq(cJSON_GetObjectItem(lost, "group")->valuestring, "239.1.1.1");
    cJSON_Delete(event);
    ck_assert_str_eq(events_of(&s, 3), "");
    add(&s, ROOT_CLIENT, "0.0.0.0 239.5.0.0/16 alpha delta", "success"); /* a range's part */
    ck_assert_str_eq(events_of(&s, 3), "mfc.overridden");
    add(&s, HERE_CLIENT, "10.0.0.1 239.1.1.7 alpha beta", "success"); /* from himself */
    ck_assert_str_eq(events_of(&s, 3), "mfc.added");
    end(&s);
}
END_TEST

START_TEST(who_loses_a_learned_flow_is_told)
{
    struct service s;

    begin(&s);
    client_connect_as(&s, 3, THERE);
    add_ranges(&s, HERE_CLIENT, THERE_CLIENT);
    packet(&s, "gamma");
    subscribe(&s, 3);
    packet(&s, "alpha");
    ck_assert_str_eq(events_of(&s, 3), "mfc.overridden");
    end(&s);
}
END_TEST

START_TEST(events_tell_what_their_reader_may_read_or_holds)
{
    struct service s;

    begin(&s);
    client_connect_as(&s, 3, THERE);
    subscribe(&s, 3);
    add(&s, HERE_CLIENT, "10.0.0.1 239.2.1.1 alpha beta", "success");
    ck_assert_str_eq(events_of(&s, 3), "");
    add(&s, THERE_CLIENT, EXACT, "success");
    ck_assert_str_eq(events_of(&s, 3), "mfc.added");
    packet(&s, "alpha");
    ck_assert_str_eq(events_of(&s, 3), "");
    expect(client_ask(&s, ROOT_CLIENT,
                      "{\"action\":\"ADD_JOIN\",\"payload\":{\"group\":\"239.1.1.1\","
                      "\"iif\":\"alpha\"}}"),
           "success");
    ck_assert_str_eq(events_of(&s, 3), "");
    end(&s);
}
END_TEST

/* --- Outputs ------------------------------------------------------------------------------- */

/* The reply's bytes; valid until the next call. */
static const char *ask(struct service *s, int client, const char *request)
{
    static char *line;
    cJSON *reply;

    free(line);
    line = NULL;
    client_say(s, client, request);
    reply = client_line(s, client, &line);
    ck_assert_ptr_nonnull(reply);
    cJSON_Delete(reply);
    return line;
}

static void has_none_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        ck_assert_msg(!strstr(text, *words), "'%s' is in %.600s", *words, text);
}

static const char *const words_of_there[] = {"gamma",  "delta",      "239.77.",
                                             "10.77.", "uid\":2002", NULL};

/* THERE has routes, a join and packets without a route; HERE may read its own interfaces only. */
static void begin_with_neighbours(struct service *s)
{
    struct address source, group;

    begin(s);
    close(kernel_open_table(&s->kernel, FAMILY_IPV4, 77));
    s->services.policy.rules[0].verb_count = 3;
    strcpy(s->services.policy.rules[0].verbs[2], "join.read");
    add(s, THERE_CLIENT, "10.77.0.1 239.77.1.1 gamma delta", "success");
    add(s, THERE_CLIENT, "0.0.0.0 239.77.0.0/16 gamma delta", "success");
    add(s, THERE_CLIENT, "10.77.0.1 239.77.1.1 gamma delta ,\"table\":77", "success");
    add(s, HERE_CLIENT, "10.0.0.1 239.1.1.1 alpha beta", "success");
    ck_assert(address_parse("10.77.0.9", &source) && address_parse("238.1.1.1", &group));
    fake_packet(FAMILY_IPV4, 253, netifs_find(s->kernel.netifs, "gamma")->ifindex, &source, &group);
    mroute_read_upcalls(s->kernel.mroute, FAMILY_IPV4, 253);
}

#define DIAGNOSE(payload) "{\"action\":\"DIAGNOSE\",\"payload\":{" payload "}}"

/* Of what HERE may ask; nothing of it tells of THERE. */
static const char *const questions[] = {
    "{\"action\":\"METRICS\"}",
    "{\"action\":\"STATUS\"}",
    DIAGNOSE("\"iif\":\"alpha\""),
    DIAGNOSE("\"iif\":\"alpha\",\"group\":\"239.1.1.1\""),
    DIAGNOSE("\"iif\":\"alpha\",\"group\":\"238.1.1.1\""),
    DIAGNOSE("\"iif\":\"alpha\",\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\""),
    DIAGNOSE("\"iif\":\"alpha\",\"source\":\"10.0.0.2\",\"group\":\"238.1.1.1\""),
    DIAGNOSE("\"iif\":\"e0\",\"table\":253"),
};

START_TEST(no_output_tells_of_what_its_reader_may_not_read)
{
    struct service s;
    const char *reply;

    begin_with_neighbours(&s);
    reply = ask(&s, HERE_CLIENT, questions[_i]);
    ck_assert_msg(strstr(reply, "\"success\"") != NULL, "%.600s", reply);
    has_none_of(reply, words_of_there);
    ck_assert_msg(!strstr(reply, "table=\\\"77") && !strstr(reply, "\"table\":77"), "%.600s",
                  reply);
    end(&s);
}
END_TEST

/* That something is there is no secret; whose it is, and where, is. */
START_TEST(the_doctor_says_that_there_is_a_route_that_may_not_be_read)
{
    static const char *const names[] = {"gamma", "delta", "10.77.", "/16", "uid\":2002", NULL};
    struct service s;
    const char *reply;

    begin_with_neighbours(&s);
    reply = ask(&s, HERE_CLIENT,
                DIAGNOSE("\"iif\":\"alpha\",\"source\":\"10.0.0.1\",\"group\":\"239.77.1.1\""));
    ck_assert_msg(strstr(reply, "may not read") != NULL, "%.600s", reply);
    has_none_of(reply, names);
    reply = ask(&s, HERE_CLIENT, DIAGNOSE("\"iif\":\"alpha\",\"group\":\"239.77.1.1\""));
    ck_assert_msg(strstr(reply, "may not read") != NULL, "%.600s", reply);
    has_none_of(reply, names);
    end(&s);
}
END_TEST

START_TEST(the_doctor_tells_all_that_may_be_read)
{
    struct service s;
    const char *reply;

    begin_with_neighbours(&s);
    reply = ask(&s, HERE_CLIENT, DIAGNOSE("\"iif\":\"alpha\",\"group\":\"239.1.1.1\""));
    ck_assert_msg(strstr(reply, "The route (10.0.0.1, 239.1.1.1) from alpha") != NULL, "%.600s",
                  reply);
    reply = ask(&s, ROOT_CLIENT, DIAGNOSE("\"group\":\"239.77.1.1\""));
    ck_assert_msg(strstr(reply, "from gamma") != NULL, "%.600s", reply);
    reply = ask(&s, ROOT_CLIENT, DIAGNOSE("\"group\":\"238.1.1.1\""));
    ck_assert_msg(strstr(reply, "came in from gamma") != NULL, "%.600s", reply);
    end(&s);
}
END_TEST

START_TEST(metrics_name_the_interfaces_and_tables_that_may_be_read)
{
    struct service s;
    const char *reply;

    begin_with_neighbours(&s);
    reply = ask(&s, HERE_CLIENT, "{\"action\":\"METRICS\"}");
    ck_assert_msg(strstr(reply, "alpha") && strstr(reply, "netbroker_upcalls_total"), "%.600s",
                  reply);
    reply = ask(&s, THERE_CLIENT, "{\"action\":\"METRICS\"}");
    ck_assert_msg(!strstr(reply, "alpha") && !strstr(reply, "gamma"), "%.600s", reply);
    reply = ask(&s, ROOT_CLIENT, "{\"action\":\"METRICS\"}");
    ck_assert_msg(strstr(reply, "alpha") && strstr(reply, "gamma") &&
                      strstr(reply, "table=\\\"77\\\",state"),
                  "%.600s", reply);
    end(&s);
}
END_TEST

START_TEST(leases_of_what_may_not_be_read_are_left_out)
{
    struct service s;
    const char *reply;

    begin_with_neighbours(&s);
    s.services.policy.rules[2].verb_count = 3;
    strcpy(s.services.policy.rules[2].verbs[2], "lease.read");
    reply = ask(&s, HERE_CLIENT, "{\"action\":\"LEASES\"}");
    ck_assert_msg(strstr(reply, "239.1.1.1") != NULL, "%.600s", reply);
    has_none_of(reply, words_of_there);
    reply = ask(&s, THERE_CLIENT, "{\"action\":\"LEASES\"}"); /* what it holds */
    ck_assert_msg(strstr(reply, "239.77.1.1") && !strstr(reply, "alpha"), "%.600s", reply);
    end(&s);
}
END_TEST

START_TEST(mistakes_are_for_those_who_may_read_the_policy)
{
    struct service s;
    const char *reply;

    begin(&s);
    mistakes_add(&s.services.mistakes.policy, "the rule 'office' has no verbs");
    reply = ask(&s, HERE_CLIENT, "{\"action\":\"STATUS\"}");
    ck_assert_msg(!strstr(reply, "office") && strstr(reply, "policy.read"), "%.600s", reply);
    reply = ask(&s, HERE_CLIENT, DIAGNOSE("\"iif\":\"alpha\""));
    ck_assert_msg(!strstr(reply, "office"), "%.600s", reply);
    reply = ask(&s, ROOT_CLIENT, "{\"action\":\"STATUS\"}");
    ck_assert_msg(strstr(reply, "office") != NULL, "%.600s", reply);
    end(&s);
}
END_TEST

/* Who may write may not always read. */
START_TEST(errors_and_notes_name_nothing_that_may_not_be_read)
{
    struct service s;
    const char *reply;

    begin_with_neighbours(&s);
    add(&s, HERE_CLIENT, "0.0.0.0 239.9.0.0/16 e0 beta", "success");
    reply = ask(&s, THERE_CLIENT, request_text("10.0.0.1 239.5.1.1 e0 delta ,\"table\":77"));
    ck_assert_msg(strstr(reply, "another table") && !strstr(reply, "253"), "%.600s", reply);
    end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_route_takes_only_what_its_user_may, 0,
                        sizeof takes / sizeof takes[0]);
    tcase_add_test(tests, one_request_takes_from_few_routes);
    tcase_add_loop_test(tests, the_same_in_a_set, 0, sizeof takes / sizeof takes[0]);
    tcase_add_test(tests, what_comes_between_staging_and_commit_counts);
    tcase_add_test(tests, what_somebody_has_already_is_not_taken_again);
    tcase_add_test(tests, a_range_that_becomes_exact_takes_more);
    tcase_add_test(tests, to_share_a_route_takes_the_same_right);
    tcase_add_test(tests, a_rule_that_denies_counts_for_the_administrator_too);
    tcase_add_test(tests, a_refusal_tells_no_more_than_its_reader_may_read);
    tcase_add_test(tests, a_flow_stays_with_the_elder_of_two_holders);
    tcase_add_test(tests, the_elder_is_who_has_held_longer);
    tcase_add_test(tests, a_rule_may_say_that_a_flow_moves);
    tcase_add_test(tests, the_administrator_s_ranges_keep_their_flows);
    tcase_add_test(tests, between_ranges_of_one_holder_a_flow_moves);
    tcase_add_test(tests, the_loser_is_told);
    tcase_add_test(tests, who_loses_a_learned_flow_is_told);
    tcase_add_loop_test(tests, no_output_tells_of_what_its_reader_may_not_read, 0,
                        sizeof questions / sizeof questions[0]);
    tcase_add_test(tests, the_doctor_says_that_there_is_a_route_that_may_not_be_read);
    tcase_add_test(tests, the_doctor_tells_all_that_may_be_read);
    tcase_add_test(tests, metrics_name_the_interfaces_and_tables_that_may_be_read);
    tcase_add_test(tests, leases_of_what_may_not_be_read_are_left_out);
    tcase_add_test(tests, mistakes_are_for_those_who_may_read_the_policy);
    tcase_add_test(tests, errors_and_notes_name_nothing_that_may_not_be_read);
    tcase_add_test(tests, events_tell_what_their_reader_may_read_or_holds);
}

int main(void)
{
    return suite_run("effect", add_tests);
}
