#include "range.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 16 };

bool ranges_init(struct ranges *ranges, uint64_t seed)
{
    *ranges = (struct ranges){.bucket_count = BUCKETS_MIN, .seed = seed};
    ranges->buckets = calloc(ranges->bucket_count, sizeof *ranges->buckets);
    return ranges->buckets != NULL;
}

static struct range **bucket_of(const struct ranges *ranges, const struct prefix *group)
{
    return &ranges->buckets[hash_prefix(ranges->seed, group) & (ranges->bucket_count - 1)];
}

static struct range *find(const struct ranges *ranges, const struct prefix *group)
{
    struct range *range = *bucket_of(ranges, group);

    while (range && !prefix_equal(&range->group, group))
        range = range->in_bucket;
    return range;
}

/* Doubles the buckets. Without memory all goes on, only slower. */
static void grow(struct ranges *ranges)
{
    struct ranges grown = {.bucket_count = ranges->bucket_count * 2, .seed = ranges->seed};

    grown.buckets = calloc(grown.bucket_count, sizeof *grown.buckets);
    if (!grown.buckets)
        return;
    for (size_t i = 0; i < ranges->bucket_count; i++)
        for (struct range *range = ranges->buckets[i], *next; range; range = next) {
            struct range **bucket = bucket_of(&grown, &range->group);

            next = range->in_bucket;
            range->in_bucket = *bucket;
            *bucket = range;
        }
    free(ranges->buckets);
    ranges->buckets = grown.buckets;
    ranges->bucket_count = grown.bucket_count;
}

static struct range *find_or_add(struct ranges *ranges, const struct prefix *group)
{
    struct range *range = find(ranges, group);
    struct range **bucket;

    if (range)
        return range;
    range = calloc(1, sizeof *range);
    if (!range)
        return NULL;
    if (ranges->count == ranges->bucket_count)
        grow(ranges);
    range->group = *group;
    bucket = bucket_of(ranges, group);
    range->in_bucket = *bucket;
    *bucket = range;
    ranges->count++;
    ranges->lengths[group->length]++;
    return range;
}

static void drop(struct ranges *ranges, struct range *range)
{
    struct range **link = bucket_of(ranges, &range->group);

    while (*link != range)
        link = &(*link)->in_bucket;
    *link = range->in_bucket;
    ranges->count--;
    ranges->lengths[range->group.length]--;
    free(range);
}

void ranges_clear(struct ranges *ranges)
{
    for (size_t i = 0; i < ranges->bucket_count; i++)
        while (ranges->buckets[i])
            drop(ranges, ranges->buckets[i]);
    free(ranges->buckets);
}

bool ranges_add(struct ranges *ranges, struct route *route)
{
    struct range *range = find_or_add(ranges, &route->group);

    if (!range)
        return false;
    LIST_INSERT_HEAD(&range->routes, route, in_range);
    range->count++;
    return true;
}

void ranges_remove(struct ranges *ranges, struct route *route)
{
    struct range *range = find(ranges, &route->group);

    LIST_REMOVE(route, in_range);
    if (range && --range->count == 0)
        drop(ranges, range);
}

void ranges_replace(struct route *old, struct route *new)
{
    LIST_INSERT_AFTER(old, new, in_range);
    LIST_REMOVE(old, in_range);
}

/* The range of this length that has the group, or NULL. */
static const struct range *find_around(const struct ranges *ranges, const struct address *group,
                                       unsigned length)
{
    struct prefix prefix;

    if (ranges->lengths[length] == 0)
        return NULL;
    prefix = prefix_of(group, length);
    return find(ranges, &prefix);
}

unsigned ranges_count(const struct ranges *ranges, const struct address *group)
{
    unsigned count = 0;

    for (unsigned length = 0; length <= family_bits(group->family); length++) {
        const struct range *range = find_around(ranges, group, length);

        count += range ? range->count : 0;
    }
    return count;
}

static bool port_is_meant(const struct port *meant, const struct port *port)
{
    return !port || meant == port || (meant->pattern && port_name_matches(meant->name, port->name));
}

/* How well a route's interface is known: the length of its pattern, or more than any pattern's. */
static size_t precision(const struct port *port)
{
    return port->pattern ? strlen(port->name) : sizeof port->name;
}

/* Whether a comes before b, which has the flow too and is NULL at first. */
static bool is_better(const struct route *a, const struct route *b)
{
    if (!b || a->source.length != b->source.length)
        return !b || a->source.length > b->source.length;
    if (precision(a->iif) != precision(b->iif))
        return precision(a->iif) > precision(b->iif);
    return a->serial < b->serial;
}

static struct route *find_in(const struct range *range, const struct address *source,
                             const struct port *port)
{
    struct route *best = NULL, *route;

    LIST_FOREACH (route, &range->routes, in_range)
        if (prefix_has(&route->source, source) && port_is_meant(route->iif, port) &&
            is_better(route, best))
            best = route;
    return best;
}

struct route *ranges_find(const struct ranges *ranges, const struct address *source,
                          const struct address *group, const struct port *port)
{
    for (unsigned length = family_bits(group->family) + 1; length-- > 0;) {
        const struct range *range = find_around(ranges, group, length);
        struct route *route = range ? find_in(range, source, port) : NULL;

        if (route)
            return route;
    }
    return NULL;
}

void ranges_visit(const struct ranges *ranges, const struct prefix *group,
                  void (*visit)(void *context, struct route *route), void *context)
{
    for (size_t i = 0; i < ranges->bucket_count; i++)
        for (struct range *range = ranges->buckets[i]; range; range = range->in_bucket) {
            struct route *route;

            if (!prefix_covers(group, &range->group))
                continue;
            LIST_FOREACH (route, &range->routes, in_range)
                visit(context, route);
        }
}
