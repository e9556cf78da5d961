#include "events.h"
#include "resources/joins/joins.h"
#include "resources/mroute/mroute.h"
#include "suite.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct events events;
    struct subscriber one, two;
    struct json out;
};

static void wake(struct subscriber *subscriber)
{
    ck_assert(subscriber->queue.length > 0 || subscriber->lost > 0);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.out.limit = 1 << 24};
    events_init(&f->events);
    f->one.wake = f->two.wake = wake;
}

static void end(struct fixture *f)
{
    events_unsubscribe(&f->events, &f->one);
    events_unsubscribe(&f->events, &f->two);
    ck_assert_uint_eq(f->events.count, 0);
    json_clear(&f->out);
}

static void publish(struct fixture *f, const char *topic, const char *payload)
{
    struct json json = {(char *)payload, strlen(payload), 0, 0, false, false};

    events_publish(&f->events, topic, &json);
}

static struct topic_list topics(const char *a, const char *b)
{
    struct topic_list list = {.count = b ? 2 : a ? 1 : 0};

    if (a)
        strcpy(list.patterns[0], a);
    if (b)
        strcpy(list.patterns[1], b);
    return list;
}

/* Takes what waits and hands out its lines as "TOPIC:SEQ ". */
static const char *take(struct fixture *f, struct subscriber *subscriber)
{
    static char text[65536];
    char *at = text, *lines, *line, *rest;

    text[0] = '\0';
    json_clear(&f->out);
    events_take(subscriber, &f->out);
    json_bytes(&f->out, "", 1);
    rest = lines = strdup(f->out.text);
    while ((line = strsep(&rest, "\n")) && *line && at < text + sizeof text - 64) {
        cJSON *event = cJSON_Parse(line);

        ck_assert_msg(event != NULL, "%s", line);
        at += sprintf(at, "%s:%d ", cJSON_GetObjectItem(event, "event")->valuestring,
                      cJSON_GetObjectItem(event, "seq")->valueint);
        cJSON_Delete(event);
    }
    free(lines);
    return text;
}

START_TEST(numbers_run_without_gaps_for_each_subscriber)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL), some = topics("b.*", NULL);

    begin(&f);
    events_subscribe(&f.events, &f.one, &all);
    events_subscribe(&f.events, &f.two, &some);
    publish(&f, "a.x", "1");
    publish(&f, "b.x", "{}");
    ck_assert_str_eq(take(&f, &f.one), "a.x:1 b.x:2 ");
    publish(&f, "b.y", "null");
    ck_assert_str_eq(take(&f, &f.one), "b.y:3 ");
    ck_assert_str_eq(take(&f, &f.two), "b.x:1 b.y:2 ");
    ck_assert_str_eq(take(&f, &f.two), "");
    end(&f);
}
END_TEST

static const struct {
    const char *pattern, *topic;
    bool wanted;
} patterns[] = {
    {"mfc.added", "mfc.added", true}, {"mfc.added", "mfc.addedx", false},
    {"mfc.*", "mfc.added", true},     {"mfc.*", "mfc", false},
    {"*", "mfc.added", true},         {"*.added", "mfc.added", true},
    {"vif.*", "mfc.added", false},    {"mfc.?dded", "mfc.added", true},
    {"[", "mfc.added", false},        {"MFC.*", "mfc.added", false},
};

START_TEST(patterns_select_topics)
{
    struct fixture f;
    struct topic_list list = topics("nothing", patterns[_i].pattern);

    begin(&f);
    ck_assert(!events_wanted(&f.events, patterns[_i].topic));
    events_subscribe(&f.events, &f.one, &list);
    ck_assert_int_eq(events_wanted(&f.events, patterns[_i].topic), patterns[_i].wanted);
    publish(&f, patterns[_i].topic, "1");
    ck_assert_int_eq(f.one.queue.length > 0, patterns[_i].wanted);
    end(&f);
}
END_TEST

START_TEST(subscribing_again_changes_the_topics_and_nothing_else)
{
    struct fixture f;
    struct topic_list a = topics("a", NULL), b = topics("b", NULL);

    begin(&f);
    events_subscribe(&f.events, &f.one, &a);
    publish(&f, "a", "1");
    events_subscribe(&f.events, &f.one, &b);
    ck_assert_uint_eq(f.events.count, 1);
    publish(&f, "a", "1");
    publish(&f, "b", "1");
    ck_assert_str_eq(take(&f, &f.one), "a:1 b:2 ");
    end(&f);
}
END_TEST

START_TEST(a_full_queue_counts_what_is_lost_and_says_so)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL);
    char payload[1024];
    unsigned kept = 0;

    begin(&f);
    memset(payload, '1', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    events_subscribe(&f.events, &f.one, &all);
    while (f.one.lost == 0) {
        publish(&f, "big", payload);
        kept++;
    }
    publish(&f, "small", "1"); /* which would fit, but stands behind the gap */
    ck_assert_uint_le(f.one.queue.length, EVENT_QUEUE_MAX);
    ck_assert_uint_gt(kept, 32);

    const char *text = take(&f, &f.one);
    char expected[32];

    sprintf(expected, " lost:%u ", kept);
    ck_assert_ptr_nonnull(strstr(text, expected));
    ck_assert_ptr_nonnull(strstr(f.out.text, "\"payload\":{\"count\":2}"));
    ck_assert_ptr_null(strstr(text, "small"));
    publish(&f, "small", "1");
    sprintf(expected, "small:%u ", kept + 1);
    ck_assert_str_eq(take(&f, &f.one), expected);
    end(&f);
}
END_TEST

START_TEST(a_slow_subscriber_takes_nothing_from_another)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL);

    begin(&f);
    events_subscribe(&f.events, &f.one, &all);
    events_subscribe(&f.events, &f.two, &all);
    for (int i = 1; i <= 2000; i++) {
        char expected[32];

        publish(&f, "x", "1");
        sprintf(expected, "x:%d ", i);
        ck_assert_str_eq(take(&f, &f.two), expected);
    }
    ck_assert_uint_gt(f.one.lost, 0);
    ck_assert_uint_eq(f.two.lost, 0);
    end(&f);
}
END_TEST

START_TEST(who_left_is_told_nothing)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL);

    begin(&f);
    events_unsubscribe(&f.events, &f.one);
    events_subscribe(&f.events, &f.one, &all);
    publish(&f, "x", "1");
    events_unsubscribe(&f.events, &f.one);
    events_unsubscribe(&f.events, &f.one);
    publish(&f, "x", "1");
    ck_assert_uint_eq(f.one.queue.length, 0);
    ck_assert_uint_eq(f.events.count, 0);
    end(&f);
}
END_TEST

static bool is_known(const char *topic)
{
    for (size_t i = 0; event_topic(i); i++)
        if (strcmp(event_topic(i), topic) == 0)
            return true;
    return false;
}

START_TEST(what_can_happen_can_be_subscribed_to)
{
#define T(name, topic) ck_assert_msg(is_known(topic), "%s", topic);
    ROUTE_NEWS(T)
    JOIN_NEWS(T)
#undef T
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, numbers_run_without_gaps_for_each_subscriber);
    tcase_add_loop_test(tests, patterns_select_topics, 0,
                        (int)(sizeof patterns / sizeof *patterns));
    tcase_add_test(tests, subscribing_again_changes_the_topics_and_nothing_else);
    tcase_add_test(tests, a_full_queue_counts_what_is_lost_and_says_so);
    tcase_add_test(tests, a_slow_subscriber_takes_nothing_from_another);
    tcase_add_test(tests, what_can_happen_can_be_subscribed_to);
    tcase_add_test(tests, who_left_is_told_nothing);
}

int main(void)
{
    return suite_run("events", add_tests);
}
