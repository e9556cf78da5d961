#include "taps.h"

#include <stdlib.h>
#include <string.h>

#define C(member, metric, help)                                                                    \
    {                                                                                              \
#member, offsetof(struct args_tell_link, member), metric, help                             \
    }
const struct told_counter told_counters[TOLD_COUNTERS] = {
    C(rx_frames, "link_receive_frames_total", "Frames that came from the clients of a relay."),
    C(rx_bytes, "link_receive_bytes_total", "Their bytes."),
    C(rx_refused, "link_refused_total", "Frames of theirs that were not relayed."),
    C(tx_frames, "link_transmit_frames_total", "Frames that went to the clients of a relay."),
    C(tx_bytes, "link_transmit_bytes_total", "Their bytes."),
    C(tx_dropped, "link_dropped_total", "Frames that they did not read in time."),
    C(pending, NULL, NULL),
};
#undef C

uint64_t told_value(const struct args_tell_link *said, unsigned counter)
{
    return *(const uint64_t *)((const char *)said + told_counters[counter].offset);
}

uint64_t told_total(const struct tap *tap, unsigned counter)
{
    uint64_t total = tap->relay.past[counter];
    const struct told *told;

    LIST_FOREACH (told, &tap->relay.list, in_tap)
        total += told_value(&told->said, counter);
    return total;
}

static void add_past(struct told_link *link, const struct args_tell_link *said)
{
    for (unsigned i = 0; i < TOLD_COUNTERS; i++)
        link->past[i] += told_value(said, i);
}

/* --- Room ---------------------------------------------------------------------------------- */

static const struct pool_words words = {
    "link_clients",
    "clients of relays that are told of",
    "taps-per-user of netbrokerd.conf(5)",
    "taps of netbrokerd.conf(5)",
    "What is not told is relayed all the same.",
    false,
};

void told_init(struct told_links *links, struct pools *pools)
{
    TAILQ_INIT(&links->order);
    LIST_INIT(&links->cursors);
    if (pools)
        pools_add(pools, &links->pool, &words);
}

/* Few taps have many clients: half of what all could have. */
void told_set_limits(struct told_links *links, const struct limits *limits)
{
    uint64_t each = LINK_TOLD_MAX / 2, size = limits->taps * each;

    pool_bound(&links->pool, &(struct pool_bounds){size, limits->taps_per_user * each,
                                                   size / POOL_RESERVE_PART, 1});
}

/* --- Events -------------------------------------------------------------------------------- */

static void publish(const struct told *told, enum link_event event, const char *why)
{
    struct taps *taps = told->tap->taps;

    if (!taps->callbacks.told)
        return;
    if (told->tap->relay.events == TOLD_EVENTS_MAX) {
        taps->links.withheld++;
        return;
    }
    told->tap->relay.events++;
    taps->callbacks.told(taps->callbacks.context, event, told, why);
}

static void tell_drops(struct told *told)
{
    if (told->calm > 0 || told->said.tx_dropped <= told->dropped)
        return;
    told->lost = told->said.tx_dropped - told->dropped;
    told->dropped = told->said.tx_dropped;
    told->calm = TOLD_DROPS_SECONDS;
    publish(told, LINK_DROPPED_EVENT, "");
}

/* --- Coming and going ---------------------------------------------------------------------- */

static struct told *find(const struct tap *tap, uint32_t port)
{
    struct told *told;

    LIST_FOREACH (told, &tap->relay.list, in_tap)
        if (told->said.port == port)
            break;
    return told;
}

static void remove_told(struct told *told, const char *why)
{
    struct told_links *links = &told->tap->taps->links;
    struct told_cursor *cursor;

    LIST_FOREACH (cursor, &links->cursors, in_open)
        if (cursor->next == told)
            cursor->next = TAILQ_NEXT(told, in_order);
    LIST_REMOVE(told, in_tap);
    TAILQ_REMOVE(&links->order, told, in_order);
    told->tap->relay.count--;
    add_past(&told->tap->relay, &told->said);
    pool_return(&links->pool, told->tap->uid, 1);
    publish(told, LINK_DETACHED_EVENT, why);
    free(told);
}

/* What was dropped before it was told of is no news. */
static struct told *add(struct tap *tap, const struct args_tell_link *said, struct error *error)
{
    struct told_links *links = &tap->taps->links;
    struct told *told;

    if (tap->relay.count == LINK_TOLD_MAX) {
        error_set(error, ERROR_LIMIT, "port",
                  "The relay on tap '%s' has told of %d clients already, and that is the most.",
                  tap->config.name, LINK_TOLD_MAX);
        return NULL;
    }
    if (!pool_charge(&links->pool, tap->uid, 1, error))
        return NULL;
    told = calloc(1, sizeof *told);
    if (!told) {
        pool_return(&links->pool, tap->uid, 1);
        error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory to remember that.");
        return NULL;
    }
    told->tap = tap;
    told->said = *said;
    told->dropped = said->tx_dropped;
    told->serial = links->serial++;
    tap->relay.count++;
    tap->relay.relayed = true;
    LIST_INSERT_HEAD(&tap->relay.list, told, in_tap);
    TAILQ_INSERT_TAIL(&links->order, told, in_order);
    return told;
}

static bool is_another(const struct told *told, const struct args_tell_link *said)
{
    return told->said.since != said->since || told->said.pid != said->pid;
}

bool told_take(struct tap *tap, const struct args_tell_link *said, struct error *error)
{
    struct told *told = find(tap, said->port);

    if (told && is_another(told, said)) {
        remove_told(told, "another has its place");
        told = NULL;
    }
    if (!told && said->gone.text[0])
        return true; /* it was never told of */
    if (!told) {
        told = add(tap, said, error);
        if (told)
            publish(told, LINK_ATTACHED_EVENT, "");
        return told != NULL;
    }
    told->said = *said;
    told->silent = 0;
    tell_drops(told);
    if (said->gone.text[0])
        remove_told(told, said->gone.text);
    return true;
}

void told_forget(struct tap *tap, const char *why)
{
    while (!LIST_EMPTY(&tap->relay.list))
        remove_told(LIST_FIRST(&tap->relay.list), why);
}

void told_tick(struct taps *taps)
{
    struct told *told, *next;
    struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order)
        tap->relay.events = 0;
    for (told = TAILQ_FIRST(&taps->links.order); told; told = next) {
        next = TAILQ_NEXT(told, in_order);
        if (told->calm > 0)
            told->calm--;
        if (++told->silent > TOLD_SILENCE_SECONDS)
            remove_told(told, "its relay is silent");
    }
}

/* --- Walks --------------------------------------------------------------------------------- */

void told_cursor_open(struct told_cursor *cursor, struct told_links *links)
{
    *cursor = (struct told_cursor){
        .links = links, .next = TAILQ_FIRST(&links->order), .end = links->serial};
    LIST_INSERT_HEAD(&links->cursors, cursor, in_open);
}

const struct told *told_cursor_next(struct told_cursor *cursor)
{
    struct told *told = cursor->next;

    if (!told || told->serial >= cursor->end)
        return NULL;
    cursor->next = TAILQ_NEXT(told, in_order);
    return told;
}

void told_cursor_close(struct told_cursor *cursor)
{
    LIST_REMOVE(cursor, in_open);
}
