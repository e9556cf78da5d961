#include "event_log.h"

#include "broker/lease.h"

#include <string.h>

/* A larger payload is lost. */
enum { PAYLOAD_MAX = EVENT_LOG_SIZE / 8 };

/* --- The ring ------------------------------------------------------------------------------ */

/* Records are not divided: where the rest of the ring is too small for one, its bytes are passed
 * over. */
static size_t left_at(uint64_t place)
{
    return EVENT_LOG_SIZE - place % EVENT_LOG_SIZE;
}

static struct event_record *record_at(const struct events *events, uint64_t place)
{
    return (struct event_record *)(events->log + place % EVENT_LOG_SIZE);
}

static bool is_gap(const struct events *events, uint64_t place)
{
    return left_at(place) < sizeof(struct event_record) || record_at(events, place)->size == 0;
}

static uint64_t pass_gap(const struct events *events, uint64_t place)
{
    return place < events->end && is_gap(events, place) ? place + left_at(place) : place;
}

const struct event_record *event_log_at(const struct events *events, uint64_t place)
{
    return record_at(events, pass_gap(events, place));
}

uint64_t event_log_after(const struct events *events, uint64_t place)
{
    place = pass_gap(events, place);
    return pass_gap(events, place + record_at(events, place)->size);
}

static void drop_oldest(struct events *events)
{
    events->dropped.of[event_log_at(events, events->begin)->topic]++;
    events->begin = event_log_after(events, events->begin);
}

static struct event_record *make_room(struct events *events, size_t size)
{
    size_t left = left_at(events->end), gap = left < size ? left : 0;

    while (events->begin < events->end && events->end + gap + size - events->begin > EVENT_LOG_SIZE)
        drop_oldest(events);
    if (gap >= sizeof(struct event_record))
        record_at(events, events->end)->size = 0;
    events->end += gap;
    if (events->begin + gap == events->end)
        events->begin = events->end; /* it was empty */
    events->end += size;
    return record_at(events, events->end - size);
}

/* --- Records ------------------------------------------------------------------------------- */

static bool is_a_user(const struct lease *lease)
{
    return lease->kind == HOLDER_USER || lease->kind == HOLDER_SESSION;
}

static unsigned count_holders(const struct resource *resource)
{
    const struct lease *lease;
    unsigned count = 0;

    if (resource)
        LIST_FOREACH (lease, &resource->leases, in_resource)
            count += is_a_user(lease);
    return count;
}

static char *add_holders(uid_t *at, const struct resource *resource)
{
    const struct lease *lease;

    if (resource)
        LIST_FOREACH (lease, &resource->leases, in_resource)
            if (is_a_user(lease))
                *at++ = lease->info.uid;
    return (char *)at;
}

static size_t names_length(const struct target *target)
{
    size_t length = 0;

    for (unsigned i = 0; i < target->interface_count; i++)
        length += strlen(target->interfaces[i]) + 1;
    return length;
}

static char *add_names(char *at, const struct target *target)
{
    for (unsigned i = 0; i < target->interface_count; i++)
        at = stpcpy(at, target->interfaces[i]) + 1;
    return at;
}

static size_t align(size_t size)
{
    return (size + EVENT_ALIGNMENT - 1) / EVENT_ALIGNMENT * EVENT_ALIGNMENT;
}

void event_log_add(struct events *events, unsigned topic, const struct json *payload,
                   const struct event_subject *subject)
{
    static const struct target nothing;
    const struct target *target = subject ? subject->target : &nothing;
    const struct resource *resource = subject ? subject->resource : NULL;
    size_t length = payload->failed || payload->length > PAYLOAD_MAX ? 0 : payload->length;
    unsigned holders = count_holders(resource);
    size_t size = align(sizeof(struct event_record) + holders * sizeof(uid_t) +
                        names_length(target) + length);
    struct event_record *record = make_room(events, size);
    char *at;

    *record = (struct event_record){
        .size = (uint32_t)size,
        .payload = (uint32_t)length,
        .holders = holders,
        .interfaces = (uint16_t)target->interface_count,
        .topic = (uint8_t)topic,
        .everywhere = target->everywhere,
        .read_verb = subject ? subject->read_verb : NULL,
        .group = target->group,
        .table = target->table,
    };
    clock_gettime(CLOCK_REALTIME, &record->time);
    at = add_names(add_holders(record->bytes, resource), target);
    if (length > 0) /* else there may have been no memory for the text */
        memcpy(at, payload->text, length);
    events->all.of[topic]++;
}

/* Returns what stands behind the names. */
static const char *read_names(const struct event_record *record, struct target *ret)
{
    const char *name = (const char *)(record->bytes + record->holders);

    for (unsigned i = 0; i < record->interfaces; i++) {
        ret->interfaces[i] = name;
        name += strlen(name) + 1;
    }
    ret->interface_count = record->interfaces;
    return name;
}

const char *event_record_payload(const struct event_record *record)
{
    struct target target;

    return read_names(record, &target);
}

static bool was_held_by(const struct event_record *record, const struct reader *reader)
{
    for (uint32_t i = 0; reader->peer && i < record->holders; i++)
        if (record->bytes[i] == reader->peer->uid)
            return true;
    return false;
}

bool event_record_may_be_seen(const struct event_record *record, const struct reader *reader)
{
    struct target target = {
        .group = record->group, .table = record->table, .everywhere = record->everywhere};

    if (!record->read_verb || was_held_by(record, reader))
        return true;
    read_names(record, &target);
    return reader_may_read(reader, record->read_verb, &target);
}
