/* Events: what happens, told to those who subscribed.
 *
 * Each subscriber has a queue of its own, with a limit. Numbers run without gaps; who is too slow
 * is told how many events it missed, and nobody else notices. */
#ifndef NB_EVENTS_H
#define NB_EVENTS_H

#include "json.h"
#include "table.h"

#include <sys/queue.h>

enum {
    /* About 250 events of usual size. */
    EVENT_QUEUE_MAX = 64 * 1024,
};

struct subscriber {
    TAILQ_ENTRY(subscriber) in_events; /* struct events; not owned */
    struct topic_list topics;
    struct json queue;                           /* whole events, each with its newline */
    uint64_t sequence;                           /* of the last event in the queue */
    uint64_t lost;                               /* since then */
    void (*wake)(struct subscriber *subscriber); /* the queue is not empty any more */
    /* Whether there is memory for more in the queue, which has room. NULL: always. */
    bool (*has_memory)(const struct subscriber *subscriber);
    bool subscribed;
};

struct events {
    TAILQ_HEAD(, subscriber) subscribers;
    size_t count;
    uint64_t lost; /* events that subscribers missed, all together */
};

void events_init(struct events *events);

/* Adds the subscriber, or gives it other topics. No topics: all. */
void events_subscribe(struct events *events, struct subscriber *subscriber,
                      const struct topic_list *topics);
void events_unsubscribe(struct events *events, struct subscriber *subscriber);

/* Whether anybody wants the topic, so that nobody writes a payload in vain. */
bool events_wanted(const struct events *events, const char *topic);

/* Tells all who want it. The payload is one JSON value; one that failed is counted as lost. */
void events_publish(struct events *events, const char *topic, const struct json *payload);

/* Moves what waits to the end of out, and then, where some were lost, says how many. */
void events_take(struct subscriber *subscriber, struct json *out);

#endif
