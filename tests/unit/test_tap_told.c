/* What relays tell of their clients: from whom it is taken, how much, how long it is kept, and that
 * no lie of a relay's hurts anybody. And what the kernel counts on taps. */
#include "client.h"
#include "log.h"
#include "platform/memory.h"
#include "resources/tap/kind.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROOT, ALICES, BOBS, WATCHER }; /* clients */
enum { ALICE = 1001, BOB = 1002 };

#define OPEN(name)                                                                                 \
    "{\"action\":\"OPEN_TAP\",\"payload\":{\"name\":\"" name "\",\"persistent\":true}}"
#define CLOSE      "{\"action\":\"CLOSE_TAP\",\"payload\":{\"name\":\"nb-a\"}}"
#define TELL(rest) "{\"action\":\"TELL_LINK\",\"payload\":{\"tap\":\"nb-a\"," rest "}}"
#define SHOW       "{\"action\":\"SHOW_LINK\"}"

/* Everybody may do everything. */
static struct rule rule = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

static void connect_all(struct service *s)
{
    s->services.policy.rules = &rule;
    s->services.policy.count = 1;
    client_connect(s, ROOT);
    client_connect_as(s, ALICES, ALICE);
    client_connect_as(s, BOBS, BOB);
    client_connect(s, WATCHER);
}

static void begin(struct service *s)
{
    log_set_level(LOG_CRIT);
    service_begin(s, "a");
    connect_all(s);
    expect(client_ask(s, ALICES, OPEN("nb-a")), "success");
}

static struct taps *taps_in(struct service *s)
{
    return &((struct tap_kind *)kind_self(&s->services.kinds, &tap_ops))->taps;
}

static void pass_seconds(struct service *s, int seconds)
{
    for (int i = 0; i < seconds; i++)
        tap_ops.tick(kind_self(&s->services.kinds, &tap_ops));
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItem(object, key);

    return cJSON_IsString(value) ? value->valuestring : "";
}

static long number_of(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItem(object, key);

    return cJSON_IsNumber(value) ? (long)value->valuedouble : -1;
}

/* The payload's list of a reply, the caller's. */
static cJSON *list_of(struct service *s, int n, const char *request, const char *key)
{
    cJSON *reply = client_ask(s, n, request);
    cJSON *list = cJSON_DetachItemFromObject(cJSON_GetObjectItem(reply, "payload"), key);

    cJSON_Delete(reply);
    ck_assert_ptr_nonnull(list);
    return list;
}

static int count_links(struct service *s)
{
    cJSON *list = list_of(s, ROOT, SHOW, "links");
    int count = cJSON_GetArraySize(list);

    cJSON_Delete(list);
    return count;
}

static void tell(struct service *s, unsigned port, const char *rest)
{
    char request[512];

    snprintf(request, sizeof request, TELL("\"port\":%u%s%s"), port, rest[0] ? "," : "", rest);
    expect(client_ask(s, ALICES, request), "success");
}

/* --- What is shown ------------------------------------------------------------------------- */

START_TEST(what_a_relay_says_is_shown_as_its_word)
{
    struct service s;
    cJSON *list;
    const cJSON *one;

    begin(&s);
    tell(&s, 7,
         "\"name\":\"/tmp/dolphin-tap\",\"framing\":\"u16le\",\"pid\":4711,\"uid\":1000,"
         "\"since\":1764000000123,\"rx_frames\":1,\"rx_bytes\":60,\"rx_refused\":2,"
         "\"tx_frames\":3,\"tx_bytes\":180,\"tx_dropped\":999999999999999,\"pending\":4");
    list = list_of(&s, BOBS, SHOW, "links"); /* he may read all taps */
    one = cJSON_GetArrayItem(list, 0);
    ck_assert_int_eq(cJSON_GetArraySize(list), 1);
    ck_assert_str_eq(text_of(one, "tap"), "nb-a");
    ck_assert_int_eq(number_of(one, "port"), 7);
    ck_assert_int_eq(number_of(one, "told_by"), ALICE);
    ck_assert_str_eq(text_of(one, "name"), "/tmp/dolphin-tap");
    ck_assert_str_eq(text_of(one, "framing"), "u16le");
    ck_assert_int_eq(number_of(one, "pid"), 4711);
    ck_assert_int_eq(number_of(one, "uid"), 1000);
    ck_assert_str_eq(text_of(one, "since"), "2025-11-24T16:00:00Z");
    ck_assert_int_eq(number_of(one, "rx_frames"), 1);
    ck_assert_int_eq(number_of(one, "rx_refused"), 2);
    ck_assert_int_eq(number_of(one, "tx_bytes"), 180);
    ck_assert_int_eq(number_of(one, "tx_dropped"), 999999999999999);
    ck_assert_int_eq(number_of(one, "pending"), 4);
    cJSON_Delete(list);
    tell(&s, 7, "\"pid\":4711,\"since\":1764000000123,\"rx_frames\":2");
    list = list_of(&s, ROOT, SHOW, "links");
    ck_assert_int_eq(cJSON_GetArraySize(list), 1);
    ck_assert_int_eq(number_of(cJSON_GetArrayItem(list, 0), "rx_frames"), 2);
    cJSON_Delete(list);
    service_end(&s);
}
END_TEST

START_TEST(the_kernel_counts_on_taps)
{
    static const struct tap_counters counters = {1, 2, 3, 4, 5, 6};
    struct service s;
    cJSON *list;
    const cJSON *one;

    begin(&s);
    fake_tap_set_counters("nb-a", &counters);
    list = list_of(&s, ALICES, "{\"action\":\"GET_TAP\",\"payload\":{\"name\":\"nb-a\"}}", "taps");
    one = cJSON_GetArrayItem(list, 0);
    ck_assert_int_eq(number_of(one, "rx_frames"), 1);
    ck_assert_int_eq(number_of(one, "rx_bytes"), 2);
    ck_assert_int_eq(number_of(one, "rx_dropped"), 3);
    ck_assert_int_eq(number_of(one, "tx_frames"), 4);
    ck_assert_int_eq(number_of(one, "tx_bytes"), 5);
    ck_assert_int_eq(number_of(one, "tx_dropped"), 6);
    ck_assert_uint_eq(strlen(text_of(one, "lease")), LEASE_ID_LENGTH);
    ck_assert_uint_eq(strlen(text_of(one, "since")), strlen("2026-01-31T23:59:59Z"));
    cJSON_Delete(list);
    expect(client_ask(&s, ALICES, "{\"action\":\"GET_TAP\",\"payload\":{\"name\":\"nb-b\"}}"),
           "not-found");
    service_end(&s);
}
END_TEST

/* Who may read one tap is not told of another, nor whether it is there. */
START_TEST(a_tap_of_another_is_as_good_as_none)
{
    static struct rule narrow = {.name = "narrow",
                                 .everyone = true,
                                 .verb_count = 1,
                                 .verbs = {"tap.read"},
                                 .interface_count = 2,
                                 .interfaces = {"nb-b", "nb-c"}};
    struct service s;

    begin(&s);
    fake_netif_add("br0");
    tap_bridges_parse("br0", &s.keeper.config.tap_bridges);
    expect(client_ask(&s, ALICES,
                      "{\"action\":\"OPEN_TAP\",\"payload\":{\"name\":\"nb-b\","
                      "\"persistent\":true,\"bridge\":\"br0\"}}"),
           "success");
    s.services.policy.rules = &narrow;
    expect(client_ask(&s, BOBS, "{\"action\":\"GET_TAP\",\"payload\":{\"name\":\"nb-a\"}}"),
           "not-allowed");
    expect(client_ask(&s, BOBS, "{\"action\":\"GET_TAP\",\"payload\":{\"name\":\"nb-b\"}}"),
           "not-found"); /* its bridge is none that he may read */
    expect(client_ask(&s, BOBS, "{\"action\":\"GET_TAP\",\"payload\":{\"name\":\"nb-c\"}}"),
           "not-found");
    expect(client_ask(&s, ALICES, "{\"action\":\"GET_TAP\",\"payload\":{\"name\":\"nb-b\"}}"),
           "success");
    expect(client_ask(&s, BOBS, SHOW), "not-allowed");
    s.services.policy.rules = &rule;
    service_end(&s);
}
END_TEST

/* The message of the doctor's finding on this, "" where there is none. Valid until the next call.
 */
static const char *found(struct service *s, const char *check)
{
    static char text[512];
    cJSON *list = list_of(s, BOBS, "{\"action\":\"DIAGNOSE_TAP\",\"payload\":{\"name\":\"nb-a\"}}",
                          "findings");
    const cJSON *one;

    text[0] = '\0';
    cJSON_ArrayForEach(one, list)
    {
        if (strcmp(text_of(one, "check"), check) == 0)
            snprintf(text, sizeof text, "%s: %s", text_of(one, "verdict"), text_of(one, "message"));
    }
    cJSON_Delete(list);
    return text;
}

START_TEST(the_doctor_hears_the_relay)
{
    static const struct tap_counters counters = {1, 2, 3, 4, 5, 6};
    struct service s;

    begin(&s);
    fake_tap_set_counters("nb-a", &counters);
    ck_assert_str_eq(found(&s, "relay"), "");
    ck_assert_str_eq(found(&s, "drops"),
                     "warning: The host dropped 3 frames of the program's, of 1.");
    tell(&s, 1, "\"tx_dropped\":0");
    ck_assert_str_eq(found(&s, "relay"), "ok: The relay on nb-a tells of 1 clients.");
    tell(&s, 2, "\"name\":\"/tmp/a\",\"tx_dropped\":7");
    tell(&s, 3, "\"name\":\"/tmp/b\",\"tx_dropped\":9");
    ck_assert_str_eq(found(&s, "relay"),
                     "warning: The relay on nb-a says that its client #3 /tmp/b did not read 9 "
                     "frames in time; 2 of its clients lose frames.");
    ck_assert_ptr_nonnull(strstr(found(&s, "carrier"), ": "));
    expect(client_ask(&s, BOBS, "{\"action\":\"DIAGNOSE_TAP\",\"payload\":{\"name\":\"nb-b\"}}"),
           "not-found");
    service_end(&s);
}
END_TEST

/* A port of a bridge, and a tap that is none. */
START_TEST(the_doctor_says_what_there_is_no_interface_for)
{
    static const struct {
        enum tap_state state;
        const char *bridge, *found;
    } cases[] = {
        {TAP_OPENING, "", "info: nb-a is being made."},
        {TAP_OPENING, "br0", "info: nb-a is being made."},
        {TAP_WAITING, "",
         "problem: nb-a could not be made again; the service tries it every 5 seconds."},
        {TAP_WAITING, "br0", "problem: nb-a waits for its bridge br0, which is not there."},
    };
    struct service s;
    struct tap *tap, was;

    begin(&s);
    tap = taps_find_tap(taps_in(&s), "nb-a");
    was = *tap;
    tap->ifindex = 0;
    tap->state = cases[_i].state;
    strcpy(tap->config.bridge, cases[_i].bridge);
    ck_assert_str_eq(found(&s, "state"), cases[_i].found);
    tap->ifindex = was.ifindex;
    tap->state = was.state;
    strcpy(tap->config.bridge, was.config.bridge);
    service_end(&s);
}
END_TEST

static const char *metrics(struct service *s)
{
    static char text[256 * 1024];
    cJSON *reply = client_ask(s, ROOT, "{\"action\":\"METRICS\"}");

    snprintf(text, sizeof text, "%s", text_of(cJSON_GetObjectItem(reply, "payload"), "text"));
    cJSON_Delete(reply);
    return text;
}

START_TEST(metrics_have_taps_and_relays)
{
    static const struct tap_counters counters = {1, 2, 3, 4, 5, 6};
    struct service s;

    begin(&s);
    fake_tap_set_counters("nb-a", &counters);
    ck_assert_ptr_nonnull(
        strstr(metrics(&s), "netbroker_tap_receive_frames_total{tap=\"nb-a\"} 1\n"));
    ck_assert_ptr_nonnull(
        strstr(metrics(&s), "netbroker_tap_transmit_dropped_total{tap=\"nb-a\"} 6\n"));
    ck_assert_ptr_null(strstr(metrics(&s), "netbroker_link_clients{")); /* no relay */
    tell(&s, 1, "\"rx_frames\":10,\"tx_dropped\":5");
    tell(&s, 2, "\"rx_frames\":20");
    ck_assert_ptr_nonnull(strstr(metrics(&s), "netbroker_link_clients{tap=\"nb-a\"} 2\n"));
    ck_assert_ptr_nonnull(
        strstr(metrics(&s), "netbroker_link_receive_frames_total{tap=\"nb-a\"} 30\n"));
    tell(&s, 1, "\"rx_frames\":11,\"tx_dropped\":6,\"gone\":\"it left\"");
    ck_assert_ptr_nonnull(strstr(metrics(&s), "netbroker_link_clients{tap=\"nb-a\"} 1\n"));
    ck_assert_ptr_nonnull(
        strstr(metrics(&s), "netbroker_link_receive_frames_total{tap=\"nb-a\"} 31\n"));
    ck_assert_ptr_nonnull(strstr(metrics(&s), "netbroker_link_dropped_total{tap=\"nb-a\"} 6\n"));
    service_end(&s);
}
END_TEST

/* --- From whom it is taken, and how long it is kept ----------------------------------------- */

START_TEST(only_who_has_the_tap_tells_of_it)
{
    struct service s;

    begin(&s);
    expect(client_ask(&s, BOBS, TELL("\"port\":1")), "not-found");
    expect(client_ask(&s, ROOT, TELL("\"port\":1")), "not-found");
    expect(client_ask(&s, ALICES,
                      "{\"action\":\"TELL_LINK\",\"payload\":{\"tap\":\"nb-b\",\"port\":1}}"),
           "not-found");
    expect(
        client_ask(&s, ALICES, "{\"action\":\"TELL_LINK\",\"payload\":{\"tap\":\"a\",\"port\":1}}"),
        "not-found");
    ck_assert_int_eq(count_links(&s), 0);
    tell(&s, 1, "");
    expect(client_ask(&s, BOBS, TELL("\"port\":1,\"gone\":\"away\"")), "not-found");
    ck_assert_int_eq(count_links(&s), 1);
    service_end(&s);
}
END_TEST

START_TEST(it_goes_with_the_tap)
{
    struct service s;

    begin(&s);
    tell(&s, 1, "");
    tell(&s, 2, "");
    expect(client_ask(&s, ALICES, CLOSE), "success");
    ck_assert_int_eq(count_links(&s), 0);
    ck_assert_uint_eq(taps_in(&s)->links.pool.used, 0);
    expect(client_ask(&s, ALICES, TELL("\"port\":1")), "not-found");
    service_end(&s);
}
END_TEST

START_TEST(it_goes_when_the_relay_is_silent)
{
    struct service s;

    begin(&s);
    tell(&s, 1, "");
    tell(&s, 2, "");
    pass_seconds(&s, TOLD_SILENCE_SECONDS);
    tell(&s, 2, "");
    ck_assert_int_eq(count_links(&s), 2);
    pass_seconds(&s, 1);
    ck_assert_int_eq(count_links(&s), 1);
    ck_assert_uint_eq(taps_in(&s)->links.pool.used, 1);
    pass_seconds(&s, TOLD_SILENCE_SECONDS);
    ck_assert_int_eq(count_links(&s), 0);
    service_end(&s);
}
END_TEST

/* The next broker has the tap, and knows nothing of the relay until that tells it. */
START_TEST(it_is_in_no_journal)
{
    static struct service s, next;
    int journal = memory_make("journal", 16 << 20);

    begin(&s);
    service_keep(&s, journal, "");
    expect(client_ask(&s, ALICES, OPEN("nb-b")), "success");
    expect(client_ask(&s, ALICES,
                      "{\"action\":\"TELL_LINK\",\"payload\":{\"tap\":\"nb-b\",\"port\":1,"
                      "\"name\":\"a-name-of-no-other\"}}"),
           "success");
    service_follow(&next, &s);
    service_keep(&next, journal, "");
    connect_all(&next);
    ck_assert_ptr_nonnull(taps_find_tap(taps_in(&next), "nb-b"));
    ck_assert_int_eq(count_links(&next), 0);
    service_end(&next);
    close(journal);
}
END_TEST

/* --- How much ------------------------------------------------------------------------------ */

START_TEST(a_tap_has_no_more_than_so_many)
{
    struct service s;

    begin(&s);
    for (unsigned port = 1; port <= LINK_TOLD_MAX; port++)
        tell(&s, port, "");
    expect(client_ask(&s, ALICES, TELL("\"port\":200")), "limit");
    tell(&s, 1, "\"rx_frames\":1"); /* the others go on */
    tell(&s, 2, "\"gone\":\"it left\"");
    tell(&s, 200, "");
    ck_assert_int_eq(count_links(&s), LINK_TOLD_MAX);
    service_end(&s);
}
END_TEST

START_TEST(a_user_is_charged_before_it_is_kept)
{
    struct service s;
    struct taps *taps;

    begin(&s);
    taps = taps_in(&s);
    taps_set_limits(taps, &(struct limits){.taps = 16, .taps_per_user = 1});
    for (unsigned port = 1; port <= LINK_TOLD_MAX / 2; port++)
        tell(&s, port, "");
    expect(client_ask(&s, ALICES, TELL("\"port\":200")), "limit");
    ck_assert_uint_eq(taps->links.pool.used, LINK_TOLD_MAX / 2);
    ck_assert_int_eq(count_links(&s), LINK_TOLD_MAX / 2);
    service_end(&s);
}
END_TEST

static const struct {
    const char *rest, *code;
} lies[] = {
    {"\"port\":0", "out-of-range"},
    {"\"port\":256", "out-of-range"},
    {"\"port\":-1", "out-of-range"},
    {"\"port\":\"1\"", "invalid-type"},
    {"\"port\":1,\"rx_frames\":-1", "out-of-range"},
    {"\"port\":1,\"rx_frames\":1000000000000000", "invalid-json"},
    {"\"port\":1,\"rx_frames\":18446744073709551615", "invalid-json"},
    {"\"port\":1,\"rx_frames\":1e3", "invalid-json"},
    {"\"port\":1,\"rx_frames\":true", "invalid-type"},
    {"\"port\":1,\"name\":\"\"", "out-of-range"},
    {"\"port\":1,\"name\":\"\\u001b[2J\"", "out-of-range"},
    {"\"port\":1,\"name\":\"a\\nb\"", "out-of-range"},
    {"\"port\":1,\"name\":\"\\u007f\"", "out-of-range"},
    {"\"port\":1,\"name\":\"\\u009b2J\"", "out-of-range"},
    {"\"port\":1,\"gone\":\"\\r\"", "out-of-range"},
    {"\"port\":1,\"framing\":\"sixteen-and-more\"", "out-of-range"},
    {"\"port\":1,\"pid\":4294967295", "out-of-range"},
    {"\"port\":1,\"name\":[\"a\"]", "invalid-type"},
    {"\"port\":1,\"told_by\":0", "unknown-field"},
};

START_TEST(what_nobody_would_say_is_refused)
{
    char request[256];
    struct service s;

    begin(&s);
    snprintf(request, sizeof request, TELL("%s"), lies[_i].rest);
    expect(client_ask(&s, ALICES, request), lies[_i].code);
    ck_assert_int_eq(count_links(&s), 0);
    service_end(&s);
}
END_TEST

START_TEST(a_name_has_its_limit)
{
    char request[512], name[LABEL_LENGTH_MAX + 2];
    struct service s;

    begin(&s);
    memset(name, 'x', sizeof name);
    name[LABEL_LENGTH_MAX + 1] = '\0';
    snprintf(request, sizeof request, TELL("\"port\":1,\"name\":\"%s\""), name);
    expect(client_ask(&s, ALICES, request), "out-of-range");
    snprintf(request, sizeof request, TELL("\"port\":1,\"name\":\"%s\""), name + 1);
    expect(client_ask(&s, ALICES, request), "success");
    tell(&s, 2, "\"name\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xac\"");
    service_end(&s);
}
END_TEST

/* --- Events -------------------------------------------------------------------------------- */

static void subscribe(struct service *s)
{
    expect(
        client_ask(s, WATCHER, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"link.*\"]}}"),
        "success");
}

/* The payload of the next event, the caller's. */
static cJSON *take_event(struct service *s, const char *topic)
{
    cJSON *event = client_line(s, WATCHER, NULL), *payload;

    ck_assert_msg(event != NULL, "no event, %s was expected", topic);
    ck_assert_str_eq(text_of(event, "event"), topic);
    payload = cJSON_DetachItemFromObject(event, "payload");
    cJSON_Delete(event);
    return payload;
}

static void expect_event(struct service *s, const char *topic, const char *why, long lost)
{
    cJSON *payload = take_event(s, topic);

    ck_assert_str_eq(text_of(payload, "why"), why);
    ck_assert_int_eq(number_of(payload, "lost"), lost);
    ck_assert_int_eq(number_of(payload, "told_by"), ALICE);
    cJSON_Delete(payload);
}

static void expect_silence(struct service *s)
{
    ck_assert_ptr_null(client_line(s, WATCHER, NULL));
}

START_TEST(events_tell_of_clients)
{
    struct service s;

    begin(&s);
    subscribe(&s);
    tell(&s, 1, "\"since\":5,\"tx_dropped\":3");
    expect_event(&s, "link.attached", "", -1);
    tell(&s, 1, "\"since\":5,\"tx_dropped\":3");
    expect_silence(&s); /* that was so before */
    tell(&s, 1, "\"since\":5,\"tx_dropped\":13");
    expect_event(&s, "link.dropped", "", 10);
    tell(&s, 1, "\"since\":5,\"tx_dropped\":23");
    expect_silence(&s);
    for (int i = 0; i < TOLD_DROPS_SECONDS; i++) {
        pass_seconds(&s, 1);
        tell(&s, 1, "\"since\":5,\"tx_dropped\":33");
    }
    expect_event(&s, "link.dropped", "", 20);
    tell(&s, 1, "\"since\":5,\"tx_dropped\":2"); /* less: a lie, or nonsense */
    expect_silence(&s);
    tell(&s, 1, "\"since\":6");
    expect_event(&s, "link.detached", "another has its place", -1);
    expect_event(&s, "link.attached", "", -1);
    tell(&s, 1, "\"since\":6,\"gone\":\"its peer has closed\"");
    expect_event(&s, "link.detached", "its peer has closed", -1);
    tell(&s, 1, "\"since\":6,\"gone\":\"its peer has closed\"");
    expect_silence(&s);
    tell(&s, 2, "");
    expect_event(&s, "link.attached", "", -1);
    pass_seconds(&s, TOLD_SILENCE_SECONDS + 1);
    expect_event(&s, "link.detached", "its relay is silent", -1);
    tell(&s, 3, "");
    expect_event(&s, "link.attached", "", -1);
    expect(client_ask(&s, ALICES, CLOSE), "success");
    expect_event(&s, "link.detached", "the tap was closed", -1);
    service_end(&s);
}
END_TEST

START_TEST(a_relay_floods_nobody_with_events)
{
    char rest[32];
    struct service s;

    begin(&s);
    subscribe(&s);
    for (unsigned i = 1; i <= 100; i++) {
        snprintf(rest, sizeof rest, "\"since\":%u", i);
        tell(&s, 1, rest);
    }
    for (int i = 0; i < TOLD_EVENTS_MAX; i++)
        cJSON_Delete(take_event(&s, i % 2 ? "link.detached" : "link.attached"));
    expect_silence(&s);
    ck_assert_uint_eq(taps_in(&s)->links.withheld, 199 - TOLD_EVENTS_MAX);
    pass_seconds(&s, 1);
    tell(&s, 2, "");
    expect_event(&s, "link.attached", "", -1);
    service_end(&s);
}
END_TEST

/* --- Walks --------------------------------------------------------------------------------- */

START_TEST(a_walk_goes_on_while_clients_come_and_go)
{
    struct told_cursor cursor;
    struct service s;

    begin(&s);
    tell(&s, 1, "");
    tell(&s, 2, "");
    tell(&s, 3, "");
    told_cursor_open(&cursor, &taps_in(&s)->links);
    ck_assert_uint_eq(told_cursor_next(&cursor)->said.port, 1);
    tell(&s, 2, "\"gone\":\"it left\""); /* where the walk stands */
    tell(&s, 1, "\"gone\":\"it left\"");
    tell(&s, 4, "");
    ck_assert_uint_eq(told_cursor_next(&cursor)->said.port, 3);
    ck_assert_ptr_null(told_cursor_next(&cursor));
    told_cursor_close(&cursor);
    service_end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, what_a_relay_says_is_shown_as_its_word);
    tcase_add_test(tests, the_kernel_counts_on_taps);
    tcase_add_test(tests, a_tap_of_another_is_as_good_as_none);
    tcase_add_loop_test(tests, the_doctor_says_what_there_is_no_interface_for, 0, 4);
    tcase_add_test(tests, the_doctor_hears_the_relay);
    tcase_add_test(tests, metrics_have_taps_and_relays);
    tcase_add_test(tests, only_who_has_the_tap_tells_of_it);
    tcase_add_test(tests, it_goes_with_the_tap);
    tcase_add_test(tests, it_goes_when_the_relay_is_silent);
    tcase_add_test(tests, it_is_in_no_journal);
    tcase_add_test(tests, a_tap_has_no_more_than_so_many);
    tcase_add_test(tests, a_user_is_charged_before_it_is_kept);
    tcase_add_loop_test(tests, what_nobody_would_say_is_refused, 0, sizeof lies / sizeof *lies);
    tcase_add_test(tests, a_name_has_its_limit);
    tcase_add_test(tests, events_tell_of_clients);
    tcase_add_test(tests, a_relay_floods_nobody_with_events);
    tcase_add_test(tests, a_walk_goes_on_while_clients_come_and_go);
}

int main(void)
{
    return suite_run("tap_told", add_tests);
}
