/* Events: what happens, told to those who subscribed.
 *
 * There is one log of what happened, of bounded size: to publish costs the same, however many
 * listen. A subscriber has its place in the log, and takes what it wants and may see from there
 * when it has its turn: its user pays for the look at each event, and nobody else. Those who had
 * taken all are woken when something happens, some at a time. Numbers run without gaps; who is so
 * slow that the log has dropped what it had yet to see is told how many events it missed, and
 * nobody else notices. */
#ifndef NB_EVENTS_H
#define NB_EVENTS_H

#include "broker/guard/reader.h"
#include "json.h"
#include "table.h"
#include "turns.h"

#include <sys/queue.h>

enum {
    /* Bytes of the log: some 2000 events of usual size. It is there while somebody listens. */
    EVENT_LOG_SIZE = 1024 * 1024,
#define E(topic) +1
    EVENT_TOPIC_COUNT = 0 EVENT_TOPICS(E),
#undef E
};

/* Events of each topic. */
struct event_counts {
    uint64_t of[EVENT_TOPIC_COUNT];
};

struct subscriber {
    TAILQ_ENTRY(subscriber) in_events; /* events.sleepers or .woken; not owned */
    struct topic_list topics;
    uint32_t wanted;                             /* a bit for each topic */
    uint64_t place;                              /* in the log: of the next event to look at */
    struct event_counts passed;                  /* events before that place */
    uint64_t sequence;                           /* of the last event that it took */
    uint64_t lost;                               /* since then */
    void (*wake)(struct subscriber *subscriber); /* there is something to take */
    struct reader reader; /* who it is; only what that one may see is told. Of zeros: all */
    bool subscribed;
    bool sleeps;      /* it stands in events.sleepers, or in .woken: */
    uint64_t wakings; /* events.wakings, when it went to sleep */
};

/* What an event tells of, to those who decide who may see it. */
struct event_subject {
    const char *read_verb;
    const struct target *target;
    const struct resource *resource; /* whose holders may see it anyway; NULL: none */
};

TAILQ_HEAD(subscribers, subscriber);

struct events {
    struct subscribers sleepers; /* who had taken all, when they looked last */
    struct subscribers woken;    /* something has happened since, and they were not told */
    uint64_t wakings;            /* how often all sleepers were put there */
    struct turns *turns;         /* where they are woken; borrowed. NULL: at once */
    struct turn waking;
    struct account waker; /* whose turn that is */
    size_t count;         /* of subscribers */
    uint64_t lost;        /* events that subscribers missed, all together */
    char *log;            /* owned; EVENT_LOG_SIZE bytes, a ring; NULL: nobody listens */
    uint64_t begin, end;  /* places of the oldest event and behind the last */
    struct event_counts dropped, all; /* before `begin`; before `end` */
    unsigned wanting[EVENT_TOPIC_COUNT];
};

/* turns: NULL, or of a loop. */
void events_init(struct events *events, struct turns *turns);

/* Adds the subscriber, or gives it other topics from now on. No topics: all. False: no memory. */
bool events_subscribe(struct events *events, struct subscriber *subscriber,
                      const struct topic_list *topics);
void events_unsubscribe(struct events *events, struct subscriber *subscriber);

/* Whether anybody wants the topic, so that nobody writes a payload in vain. */
bool events_wanted(const struct events *events, const char *topic);

/* Tells all who want it and may see the subject (NULL: everybody may). The payload is one JSON
 * value; one that failed, or is larger than a part of the log, is counted as lost. */
void events_publish(struct events *events, const char *topic, const struct json *payload,
                    const struct event_subject *subject);

/* Whether there is something to look at. */
bool events_wait(const struct events *events, const struct subscriber *subscriber);

/* Looks at some events, a piece of work, and writes those that are for the subscriber to the end of
 * out, behind the word of what it missed. It sleeps when it has looked at all. */
void events_take(struct events *events, struct subscriber *subscriber, struct json *out);

#endif
