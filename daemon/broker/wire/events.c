#include "events.h"

#include "event_log.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIME_TEXT_MAX = 64,
    LOOKS_A_PIECE = 8,  /* to write an event takes 1 us, to ask the policy some more */
    WOKEN_A_PIECE = 64, /* 0.1 us each */
    WAKER_FORGETS = 16, /* so much of the time that it used counts in its next turn */
};

/* --- Topics -------------------------------------------------------------------------------- */

/* EVENT_TOPIC_COUNT: there is none of this name. */
static unsigned find_topic(const char *topic)
{
    unsigned i = 0;

    while (i < EVENT_TOPIC_COUNT && strcmp(event_topic(i), topic) != 0)
        i++;
    return i;
}

static bool matches(const struct topic_list *topics, const char *topic)
{
    for (uint32_t i = 0; i < topics->count; i++)
        if (fnmatch(topics->patterns[i], topic, 0) == 0)
            return true;
    return topics->count == 0;
}

static uint32_t find_wanted(const struct topic_list *topics)
{
    uint32_t wanted = 0;

    for (unsigned i = 0; i < EVENT_TOPIC_COUNT; i++)
        wanted |= (uint32_t)matches(topics, event_topic(i)) << i;
    return wanted;
}

static void count_wanting(struct events *events, uint32_t wanted, unsigned change)
{
    for (unsigned i = 0; i < EVENT_TOPIC_COUNT; i++)
        if (wanted >> i & 1)
            events->wanting[i] += change;
}

bool events_wanted(const struct events *events, const char *topic)
{
    unsigned i = events->count > 0 ? find_topic(topic) : EVENT_TOPIC_COUNT;

    return i < EVENT_TOPIC_COUNT && events->wanting[i] > 0;
}

/* --- Sleep --------------------------------------------------------------------------------- */

static void leave_list(struct events *events, struct subscriber *subscriber)
{
    if (!subscriber->sleeps)
        return;
    subscriber->sleeps = false;
    if (subscriber->wakings == events->wakings)
        TAILQ_REMOVE(&events->sleepers, subscriber, in_events);
    else
        TAILQ_REMOVE(&events->woken, subscriber, in_events);
}

static void fall_asleep(struct events *events, struct subscriber *subscriber)
{
    leave_list(events, subscriber);
    TAILQ_INSERT_TAIL(&events->sleepers, subscriber, in_events);
    subscriber->sleeps = true;
    subscriber->wakings = events->wakings;
}

static uint64_t count_wanted(const struct subscriber *subscriber, const struct event_counts *until)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < EVENT_TOPIC_COUNT; i++)
        if (subscriber->wanted >> i & 1)
            count += until->of[i] - subscriber->passed.of[i];
    return count;
}

/* Of what happened it may want nothing. */
static void wake_next(struct events *events)
{
    struct subscriber *subscriber = TAILQ_FIRST(&events->woken);

    leave_list(events, subscriber);
    if (count_wanted(subscriber, &events->all) > 0) {
        subscriber->wake(subscriber);
        return;
    }
    subscriber->place = events->end;
    subscriber->passed = events->all;
    fall_asleep(events, subscriber);
}

static bool wake_some(struct events *events)
{
    for (int i = 0; i < WOKEN_A_PIECE && !TAILQ_EMPTY(&events->woken); i++)
        wake_next(events);
    return !TAILQ_EMPTY(&events->woken);
}

static struct events *events_of(struct turn *turn)
{
    return (struct events *)((char *)turn - offsetof(struct events, waking));
}

static void take_turn(struct turn *turn)
{
    struct events *events = events_of(turn);

    while (wake_some(events) && !turns_are_over(events->turns))
        ;
    events->waker.busy_ns -= events->waker.busy_ns / WAKER_FORGETS;
}

static void settle_turn(struct turn *turn)
{
    struct events *events = events_of(turn);

    if (!TAILQ_EMPTY(&events->woken))
        turns_enter(events->turns, turn, &events->waker);
}

static void wake_all(struct events *events)
{
    if (TAILQ_EMPTY(&events->sleepers))
        return;
    events->wakings++;
    TAILQ_CONCAT(&events->woken, &events->sleepers, in_events);
    if (events->turns)
        turns_enter(events->turns, &events->waking, &events->waker);
    while (!events->turns && wake_some(events))
        ;
}

/* --- Subscribers --------------------------------------------------------------------------- */

void events_init(struct events *events, struct turns *turns)
{
    *events = (struct events){.turns = turns, .waking = {.take = take_turn, .settle = settle_turn}};
    TAILQ_INIT(&events->sleepers);
    TAILQ_INIT(&events->woken);
    TAILQ_INIT(&events->waker.turns);
}

static bool begin(struct events *events, struct subscriber *subscriber)
{
    if (!events->log)
        events->log = malloc(EVENT_LOG_SIZE);
    if (!events->log)
        return false;
    events->count++;
    subscriber->subscribed = true;
    subscriber->place = events->end;
    subscriber->passed = events->all;
    fall_asleep(events, subscriber);
    return true;
}

bool events_subscribe(struct events *events, struct subscriber *subscriber,
                      const struct topic_list *topics)
{
    if (!subscriber->subscribed && !begin(events, subscriber))
        return false;
    count_wanting(events, subscriber->wanted, -1U);
    subscriber->topics = *topics;
    subscriber->wanted = find_wanted(topics);
    count_wanting(events, subscriber->wanted, 1);
    return true;
}

void events_unsubscribe(struct events *events, struct subscriber *subscriber)
{
    if (!subscriber->subscribed)
        return;
    leave_list(events, subscriber);
    count_wanting(events, subscriber->wanted, -1U);
    subscriber->wanted = 0;
    subscriber->subscribed = false;
    if (--events->count > 0)
        return;
    free(events->log);
    events->log = NULL;
    events->begin = events->end = 0;
    events->dropped = events->all;
}

/* --- Events -------------------------------------------------------------------------------- */

void events_publish(struct events *events, const char *topic, const struct json *payload,
                    const struct event_subject *subject)
{
    unsigned i = find_topic(topic);

    if (i == EVENT_TOPIC_COUNT || events->wanting[i] == 0)
        return;
    event_log_add(events, i, payload, subject);
    wake_all(events);
}

bool events_wait(const struct events *events, const struct subscriber *subscriber)
{
    return subscriber->subscribed && (subscriber->place < events->end || subscriber->lost > 0);
}

static void format_time(const struct timespec *time, char *text)
{
    struct tm date;
    char seconds[24];

    gmtime_r(&time->tv_sec, &date);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &date);
    snprintf(text, TIME_TEXT_MAX, "%s.%06ldZ", seconds, time->tv_nsec / 1000);
}

/* Writes one event with the next number, or nothing. */
static bool append_event(struct subscriber *subscriber, struct json *out, const char *topic,
                         const struct timespec *time, const char *payload, size_t length)
{
    size_t start = out->length;
    char text[TIME_TEXT_MAX];

    format_time(time, text);
    out->comma = false;
    json_open(out, '{');
    json_member_string(out, "event", topic);
    json_member_unsigned(out, "seq", subscriber->sequence + 1);
    json_member_string(out, "time", text);
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

/* Behind a gap, no event comes before the word of the gap itself. False: there is no memory for
 * it. */
static bool tell_lost(struct subscriber *subscriber, struct json *out)
{
    char payload[48];
    struct timespec now;
    int length;

    if (subscriber->lost == 0)
        return true;
    clock_gettime(CLOCK_REALTIME, &now);
    length =
        snprintf(payload, sizeof payload, "{\"count\":%llu}", (unsigned long long)subscriber->lost);
    if (!append_event(subscriber, out, "lost", &now, payload, (size_t)length))
        return false;
    subscriber->lost = 0;
    return true;
}

static void lose(struct events *events, struct subscriber *subscriber, uint64_t count)
{
    subscriber->lost += count;
    events->lost += count;
}

/* What was dropped from the log before it was seen. */
static void catch_up(struct events *events, struct subscriber *subscriber)
{
    if (subscriber->place >= events->begin)
        return;
    lose(events, subscriber, count_wanted(subscriber, &events->dropped));
    subscriber->place = events->begin;
    subscriber->passed = events->dropped;
}

static void look_at_next(struct events *events, struct subscriber *subscriber, struct json *out)
{
    const struct event_record *record = event_log_at(events, subscriber->place);

    subscriber->place = event_log_after(events, subscriber->place);
    subscriber->passed.of[record->topic]++;
    if (!(subscriber->wanted >> record->topic & 1) ||
        !event_record_may_be_seen(record, &subscriber->reader))
        return;
    if (record->payload == 0 ||
        !append_event(subscriber, out, event_topic(record->topic), &record->time,
                      event_record_payload(record), record->payload))
        lose(events, subscriber, 1);
}

void events_take(struct events *events, struct subscriber *subscriber, struct json *out)
{
    catch_up(events, subscriber);
    for (int i = 0; i < LOOKS_A_PIECE && subscriber->place < events->end; i++) {
        if (!tell_lost(subscriber, out))
            return;
        look_at_next(events, subscriber, out);
    }
    if (subscriber->place == events->end && tell_lost(subscriber, out))
        fall_asleep(events, subscriber);
}
