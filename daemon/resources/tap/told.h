/* What relays tell of their clients.
 *
 * A relay is a process of the user who has the tap (client/link), so the service sees nothing of
 * it. It says itself who is there and what went through, about once a second. What it says is shown
 * to people as its word, and believed by nobody: no decision of the service looks at it. It is kept
 * in memory alone, is charged to the tap's user, and goes with the tap, or when the relay is
 * silent. */
#ifndef NB_TAP_TOLD_H
#define NB_TAP_TOLD_H

#include "broker/pool.h"
#include "broker/resource.h"
#include "table.h"

enum {
    TOLD_SILENCE_SECONDS = 5, /* then a client is forgotten: a relay tells each second */
    /* Events of one tap in a second, so that a relay that tells of a thousand coming and going
     * fills nobody's log. */
    TOLD_EVENTS_MAX = 16,
    TOLD_DROPS_SECONDS = 10, /* between two events on the drops of one client */
};

/* V(NAME, topic): what a relay has told of a client. */
#define LINK_EVENTS(V)                                                                             \
    V(ATTACHED, "link.attached")                                                                   \
    V(DETACHED, "link.detached")                                                                   \
    V(DROPPED, "link.dropped")

enum link_event {
#define V(name, topic) LINK_##name##_EVENT,
    LINK_EVENTS(V)
#undef V
};

struct tap;
struct taps;
struct told_cursor;

/* A client of a relay, as that told of it last. */
struct told {
    TAILQ_ENTRY(told) in_order; /* struct told_links owns it */
    LIST_ENTRY(told) in_tap;    /* struct told_link */
    struct tap *tap;
    struct args_tell_link said;
    uint64_t serial;
    uint64_t dropped; /* tx_dropped, when an event told of it last */
    uint64_t lost;    /* since the event before that; of a LINK_DROPPED event */
    unsigned silent;  /* seconds in which it was not told of */
    unsigned calm;    /* seconds until drops are an event again */
};

enum { TOLD_COUNTERS = 7 };

/* What a tap has of them. */
struct told_link {
    LIST_HEAD(, told) list;
    unsigned count;
    bool relayed;                 /* it has been told of */
    unsigned events;              /* published in this second */
    uint64_t past[TOLD_COUNTERS]; /* of those that are gone, together */
};

/* All that there are. */
struct told_links {
    TAILQ_HEAD(, told) order;         /* oldest first */
    LIST_HEAD(, told_cursor) cursors; /* open ones */
    struct pool pool;
    uint64_t serial;   /* of the next one */
    uint64_t withheld; /* events that were too many */
};

/* pools: NULL: nothing is charged. */
void told_init(struct told_links *links, struct pools *pools);
void told_set_limits(struct told_links *links, const struct limits *limits);

/* Keeps what the relay on the tap says. False with *error: it is more than there is room for. */
bool told_take(struct tap *tap, const struct args_tell_link *said, struct error *error);

/* The relay has no tap any more; why is for people. */
void told_forget(struct tap *tap, const char *why);

/* A second has passed: who was not told of for long is forgotten. */
void told_tick(struct taps *taps);

/* A walk over all, oldest first, that may stop and go on later while they come and go; it passes
 * over those that come after its start. */
struct told_cursor {
    struct told_links *links;
    struct told *next;
    uint64_t end;                    /* serial */
    LIST_ENTRY(told_cursor) in_open; /* links->cursors */
};

void told_cursor_open(struct told_cursor *cursor, struct told_links *links);
const struct told *told_cursor_next(struct told_cursor *cursor); /* NULL: the end */
void told_cursor_close(struct told_cursor *cursor);

/* --- Counters ------------------------------------------------------------------------------ */

/* A member of struct args_tell_link that counts. */
struct told_counter {
    const char *key;
    size_t offset;
    const char *metric, *help; /* of METRICS; NULL: it is none of them */
};

extern const struct told_counter told_counters[TOLD_COUNTERS];

uint64_t told_value(const struct args_tell_link *said, unsigned counter);

/* Of the clients that a tap has, and had. */
uint64_t told_total(const struct tap *tap, unsigned counter);

#endif
