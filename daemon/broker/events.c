#include "events.h"

#include <fnmatch.h>
#include <stdio.h>
#include <time.h>

enum { TIME_TEXT_MAX = 64 };

void events_init(struct events *events)
{
    TAILQ_INIT(&events->subscribers);
    events->count = 0;
}

void events_subscribe(struct events *events, struct subscriber *subscriber,
                      const struct topic_list *topics)
{
    subscriber->topics = *topics;
    if (subscriber->subscribed)
        return;
    subscriber->subscribed = true;
    subscriber->queue.limit = EVENT_QUEUE_MAX;
    TAILQ_INSERT_TAIL(&events->subscribers, subscriber, in_events);
    events->count++;
}

void events_unsubscribe(struct events *events, struct subscriber *subscriber)
{
    if (!subscriber->subscribed)
        return;
    subscriber->subscribed = false;
    TAILQ_REMOVE(&events->subscribers, subscriber, in_events);
    events->count--;
    json_clear(&subscriber->queue);
}

static bool wants(const struct subscriber *subscriber, const char *topic)
{
    for (uint32_t i = 0; i < subscriber->topics.count; i++)
        if (fnmatch(subscriber->topics.patterns[i], topic, 0) == 0)
            return true;
    return subscriber->topics.count == 0;
}

bool events_wanted(const struct events *events, const char *topic)
{
    const struct subscriber *subscriber;

    TAILQ_FOREACH (subscriber, &events->subscribers, in_events)
        if (wants(subscriber, topic))
            return true;
    return false;
}

static void format_time(char *text)
{
    struct timespec now;
    struct tm date;
    char seconds[24];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &date);
    snprintf(text, TIME_TEXT_MAX, "%s.%06ldZ", seconds, now.tv_nsec / 1000);
}

/* Writes one event with the next number, or nothing. */
static bool append_event(struct subscriber *subscriber, struct json *out, const char *topic,
                         const char *payload, size_t length)
{
    size_t start = out->length;
    char time[TIME_TEXT_MAX];

    format_time(time);
    out->comma = false;
    json_open(out, '{');
    json_member_string(out, "event", topic);
    json_member_unsigned(out, "seq", subscriber->sequence + 1);
    json_member_string(out, "time", time);
    json_key(out, "payload");
    json_raw(out, payload, length);
    json_close(out, '}');
    json_bytes(out, "\n", 1);
    if (out->failed) {
        json_cut(out, start);
        return false;
    }
    subscriber->sequence++;
    return true;
}

static bool append_lost(struct subscriber *subscriber, struct json *out)
{
    char payload[48];
    int length =
        snprintf(payload, sizeof payload, "{\"count\":%llu}", (unsigned long long)subscriber->lost);

    if (!append_event(subscriber, out, "lost", payload, (size_t)length))
        return false;
    subscriber->lost = 0;
    return true;
}

/* Behind a gap, nothing may be queued before the word of the gap itself. */
static bool may_queue(const struct subscriber *subscriber)
{
    return !subscriber->lost && (!subscriber->has_memory || subscriber->has_memory(subscriber));
}

void events_publish(struct events *events, const char *topic, const struct json *payload)
{
    struct subscriber *subscriber;

    TAILQ_FOREACH (subscriber, &events->subscribers, in_events) {
        if (!wants(subscriber, topic))
            continue;
        if (payload->failed || !may_queue(subscriber) ||
            !append_event(subscriber, &subscriber->queue, topic, payload->text, payload->length)) {
            subscriber->lost++;
            events->lost++;
        }
        subscriber->wake(subscriber);
    }
}

void events_take(struct subscriber *subscriber, struct json *out)
{
    struct json *queue = &subscriber->queue;

    json_bytes(out, queue->text, queue->length);
    json_clear(queue);
    if (subscriber->lost)
        append_lost(subscriber, out);
}
