#include "broker/wire/events.h"
#include "resources/join/joins.h"
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
    ck_assert(!subscriber->sleeps);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.out.limit = 1 << 24};
    events_init(&f->events, NULL);
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

    events_publish(&f->events, topic, &json, NULL);
}

static void subscribe(struct fixture *f, struct subscriber *subscriber,
                      const struct topic_list *list)
{
    ck_assert(events_subscribe(&f->events, subscriber, list));
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
    while (events_wait(&f->events, subscriber))
        events_take(&f->events, subscriber, &f->out);
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
    struct topic_list all = topics(NULL, NULL), some = topics("join.*", NULL);

    begin(&f);
    subscribe(&f, &f.one, &all);
    subscribe(&f, &f.two, &some);
    publish(&f, "mfc.added", "1");
    publish(&f, "join.added", "{}");
    ck_assert_str_eq(take(&f, &f.one), "mfc.added:1 join.added:2 ");
    publish(&f, "join.deleted", "null");
    ck_assert_str_eq(take(&f, &f.one), "join.deleted:3 ");
    ck_assert_str_eq(take(&f, &f.two), "join.added:1 join.deleted:2 ");
    ck_assert_str_eq(take(&f, &f.two), "");
    end(&f);
}
END_TEST

static const struct {
    const char *pattern, *topic;
    bool wanted;
} patterns[] = {
    {"mfc.added", "mfc.added", true}, {"mfc.adde", "mfc.added", false},
    {"mfc.*", "mfc.added", true},     {"mfc.addedx", "mfc.added", false},
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
    subscribe(&f, &f.one, &list);
    ck_assert_int_eq(events_wanted(&f.events, patterns[_i].topic), patterns[_i].wanted);
    publish(&f, patterns[_i].topic, "1");
    ck_assert_int_eq(strlen(take(&f, &f.one)) > 0, patterns[_i].wanted);
    end(&f);
}
END_TEST

START_TEST(subscribing_again_changes_the_topics_and_nothing_else)
{
    struct fixture f;
    struct topic_list added = topics("mfc.added", NULL), deleted = topics("mfc.deleted", NULL);

    begin(&f);
    subscribe(&f, &f.one, &added);
    publish(&f, "mfc.added", "1");
    ck_assert_str_eq(take(&f, &f.one), "mfc.added:1 ");
    subscribe(&f, &f.one, &deleted);
    ck_assert_uint_eq(f.events.count, 1);
    publish(&f, "mfc.added", "1");
    publish(&f, "mfc.deleted", "1");
    ck_assert_str_eq(take(&f, &f.one), "mfc.deleted:2 ");
    end(&f);
}
END_TEST

/* Publishes until the log has dropped some; returns how many there were in all. */
static unsigned flood(struct fixture *f, size_t length)
{
    char payload[4096];
    unsigned count = 0;

    memset(payload, '1', length);
    payload[length] = '\0';
    for (; f->events.begin == 0; count++)
        publish(f, "mfc.added", payload);
    return count;
}

START_TEST(a_full_log_counts_what_is_lost_and_says_so)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL), joins = topics("join.*", NULL);
    char expected[64];
    unsigned count;

    begin(&f);
    subscribe(&f, &f.one, &all);
    subscribe(&f, &f.two, &joins);
    publish(&f, "join.added", "1");
    count = flood(&f, 1000 + (size_t)_i);
    publish(&f, "join.deleted", "1");

    ck_assert_uint_gt(count, 500);
    take(&f, &f.one);
    ck_assert_ptr_nonnull(strstr(f.out.text, "\"event\":\"lost\",\"seq\":1,"));
    sprintf(expected, "\"event\":\"join.deleted\",\"seq\":%llu,",
            (unsigned long long)(count + 2 - f.events.lost + 1));
    ck_assert_ptr_nonnull(strstr(f.out.text, expected));
    /* What the other one did not want was not lost for it. */
    ck_assert_str_eq(take(&f, &f.two), "lost:1 join.deleted:2 ");
    ck_assert_ptr_nonnull(strstr(f.out.text, "\"payload\":{\"count\":1}"));
    publish(&f, "mfc.added", "1");
    sprintf(expected, "mfc.added:%llu ", (unsigned long long)(f.one.sequence + 1));
    ck_assert_str_eq(take(&f, &f.one), expected);
    end(&f);
}
END_TEST

/* As it is, whatever sizes they have and wherever the ring ends. */
START_TEST(the_log_keeps_what_happened)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL);
    char payload[5000], expected[32];

    begin(&f);
    subscribe(&f, &f.one, &all);
    for (unsigned i = 1; i <= 3000; i++) {
        size_t length = (size_t)i * 2654435761U % (sizeof payload - 1) + 1;

        memset(payload, '1' + (char)(i % 9), length);
        payload[length] = '\0';
        publish(&f, "mfc.added", payload);
        if (i % 3)
            continue;
        take(&f, &f.one);
        ck_assert_ptr_nonnull(memmem(f.out.text, f.out.length, payload, length));
        sprintf(expected, "\"seq\":%u,", i);
        ck_assert_ptr_nonnull(strstr(f.out.text, expected));
    }
    ck_assert_uint_eq(f.events.lost, 0);
    end(&f);
}
END_TEST

START_TEST(what_is_too_large_is_lost)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL);
    char *payload = malloc(EVENT_LOG_SIZE);

    begin(&f);
    subscribe(&f, &f.one, &all);
    memset(payload, '1', EVENT_LOG_SIZE - 1);
    payload[EVENT_LOG_SIZE - 1] = '\0';
    publish(&f, "mfc.added", payload);
    ck_assert_str_eq(take(&f, &f.one), "lost:1 ");
    end(&f);
    free(payload);
}
END_TEST

START_TEST(a_slow_subscriber_takes_nothing_from_another)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL);

    begin(&f);
    subscribe(&f, &f.one, &all);
    subscribe(&f, &f.two, &all);
    for (int i = 1; i <= 20000; i++) {
        char expected[32];

        publish(&f, "mfc.added", "1");
        sprintf(expected, "mfc.added:%d ", i);
        ck_assert_str_eq(take(&f, &f.two), expected);
    }
    ck_assert_uint_eq(f.events.lost, 0);
    take(&f, &f.one);
    ck_assert_uint_gt(f.events.lost, 0);
    end(&f);
}
END_TEST

START_TEST(who_left_is_told_nothing)
{
    struct fixture f;
    struct topic_list all = topics(NULL, NULL);

    begin(&f);
    events_unsubscribe(&f.events, &f.one);
    subscribe(&f, &f.one, &all);
    publish(&f, "mfc.added", "1");
    events_unsubscribe(&f.events, &f.one);
    events_unsubscribe(&f.events, &f.one);
    publish(&f, "mfc.added", "1");
    ck_assert(!events_wait(&f.events, &f.one));
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
    ROUTE_EVENTS(T)
    JOIN_EVENTS(T)
#undef T
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, numbers_run_without_gaps_for_each_subscriber);
    tcase_add_loop_test(tests, patterns_select_topics, 0,
                        (int)(sizeof patterns / sizeof *patterns));
    tcase_add_test(tests, subscribing_again_changes_the_topics_and_nothing_else);
    tcase_add_loop_test(tests, a_full_log_counts_what_is_lost_and_says_so, 0, 100);
    tcase_add_test(tests, the_log_keeps_what_happened);
    tcase_add_test(tests, what_is_too_large_is_lost);
    tcase_add_test(tests, a_slow_subscriber_takes_nothing_from_another);
    tcase_add_test(tests, what_can_happen_can_be_subscribed_to);
    tcase_add_test(tests, who_left_is_told_nothing);
}

int main(void)
{
    return suite_run("events", add_tests);
}
