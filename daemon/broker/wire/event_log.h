/* What the log of events holds, for those who may see it to be found later. */
#ifndef NB_EVENT_LOG_H
#define NB_EVENT_LOG_H

#include "events.h"

#include <time.h>

/* One event. Behind it stand those who held what it tells of, the names of the interfaces, and the
 * payload. */
struct event_record {
    uint32_t size;    /* of all of it, a multiple of EVENT_ALIGNMENT */
    uint32_t payload; /* bytes; 0: it is lost */
    uint32_t holders;
    uint16_t interfaces;
    uint8_t topic;
    bool everywhere;       /* see struct target */
    const char *read_verb; /* borrowed for ever; NULL: everybody may see it */
    struct prefix group;
    uint32_t table;
    struct timespec time;
    uid_t bytes[];
};

enum { EVENT_ALIGNMENT = sizeof(uint64_t) };

/* Adds it at the end; what is oldest is dropped for it. */
void event_log_add(struct events *events, unsigned topic, const struct json *payload,
                   const struct event_subject *subject);

/* The event at a place between `begin` and `end`. */
const struct event_record *event_log_at(const struct events *events, uint64_t place);

/* What follows at the place behind it; places without an event are passed over. */
uint64_t event_log_after(const struct events *events, uint64_t place);

const char *event_record_payload(const struct event_record *record);

/* Whether the policy, as it is now, or a lease that was there then allows it. */
bool event_record_may_be_seen(const struct event_record *record, const struct reader *reader);

#endif
