#include "range.h"

#include <stdlib.h>
#include <string.h>

static struct range *find(const struct ranges *ranges, const struct prefix *group)
{
    struct range *range;

    HASH_FOREACH (range, &ranges->groups, hash_prefix(ranges->seed, group), in_groups)
        if (prefix_equal(&range->group, group))
            return range;
    return NULL;
}

static struct range *find_or_add(struct ranges *ranges, const struct prefix *group)
{
    struct range *range = find(ranges, group);

    if (range)
        return range;
    range = calloc(1, sizeof *range);
    if (!range)
        return NULL;
    range->group = *group;
    hash_insert(&ranges->groups, &range->in_groups, hash_prefix(ranges->seed, group));
    ranges->lengths[group->length]++;
    return range;
}

static void free_range(struct range *range)
{
    struct part *part;

    while ((part = LIST_FIRST(&range->parts))) {
        LIST_REMOVE(part, in_range);
        free(part);
    }
    free(range->source_lengths);
    free(range);
}

static void drop(struct ranges *ranges, struct range *range)
{
    hash_remove(&ranges->groups, &range->in_groups);
    ranges->lengths[range->group.length]--;
    free_range(range);
}

void ranges_clear(struct ranges *ranges)
{
    struct range *range;

    HASH_FOREACH_ALL (range, &ranges->groups, in_groups)
        free_range(range);
    hash_clear(&ranges->groups);
    hash_clear(&ranges->keys);
}

static uint64_t hash_key(const struct ranges *ranges, const struct prefix *group,
                         const struct prefix *source)
{
    return hash_prefix(hash_prefix(ranges->seed, group), source);
}

/* How many routes the range has of this length of source prefix. */
static unsigned *count_of(struct range *range, unsigned length)
{
    return length == 0 ? &range->any_count : &range->source_lengths[length];
}

/* Most ranges are of all sources, and need no counts of others. */
static bool make_counts(struct range *range, const struct prefix *source)
{
    unsigned lengths = family_bits(source->address.family) + 1;

    if (source->length > 0 && !range->source_lengths)
        range->source_lengths = calloc(lengths, sizeof range->source_lengths[0]);
    return source->length == 0 || range->source_lengths;
}

/* --- Parts --------------------------------------------------------------------------------- */

/* NULL: no memory. */
static struct part *find_or_add_part(struct range *range, const struct iface *iif)
{
    struct part *part;

    LIST_FOREACH (part, &range->parts, in_range)
        if (!part->mixed && LIST_FIRST(&part->routes)->iif == iif)
            return part;
    part = calloc(1, sizeof *part);
    if (part)
        LIST_INSERT_HEAD(&range->parts, part, in_range);
    return part;
}

static void join_part(struct part *part, struct route *route)
{
    LIST_INSERT_HEAD(&part->routes, route, in_part);
    route->part = part;
    part->count++;
}

static void leave_part(struct route *route)
{
    LIST_REMOVE(route, in_part);
    if (--route->part->count > 0)
        return;
    LIST_REMOVE(route->part, in_range);
    free(route->part);
}

/* --- Changes ------------------------------------------------------------------------------- */

bool ranges_add(struct ranges *ranges, struct route *route)
{
    struct range *range = find_or_add(ranges, &route->group);
    struct part *part =
        range && make_counts(range, &route->source) ? find_or_add_part(range, route->iif) : NULL;

    if (!part) {
        if (range && range->count == 0)
            drop(ranges, range);
        return false;
    }
    join_part(part, route);
    hash_insert(&ranges->keys, &route->in_sources, hash_key(ranges, &route->group, &route->source));
    range->count++;
    ++*count_of(range, route->source.length);
    return true;
}

void ranges_remove(struct ranges *ranges, struct route *route)
{
    struct range *range = find(ranges, &route->group);

    leave_part(route);
    hash_remove(&ranges->keys, &route->in_sources);
    --*count_of(range, route->source.length);
    if (--range->count == 0)
        drop(ranges, range);
}

void ranges_move(struct ranges *ranges, struct route *route, const struct iface *into)
{
    struct part *part = find_or_add_part(find(ranges, &route->group), into);

    if (!part) {
        route->part->mixed = true;
        return;
    }
    leave_part(route);
    join_part(part, route);
}

void ranges_replace(struct ranges *ranges, struct route *old, struct route *new)
{
    new->part = old->part;
    LIST_INSERT_AFTER(old, new, in_part);
    LIST_REMOVE(old, in_part);
    hash_replace(&ranges->keys, &old->in_sources, &new->in_sources);
}

/* The range of this length that has the group, or NULL. */
static struct range *find_around(const struct ranges *ranges, const struct address *group,
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

static bool iface_is_meant(const struct iface *meant, const struct iface *iface)
{
    return !iface || meant == iface ||
           (meant->pattern && iface_name_matches(meant->name, iface->name));
}

/* How well a route's interface is known: the length of its pattern, or more than any pattern's. */
static size_t precision(const struct iface *iface)
{
    return iface->pattern ? strlen(iface->name) : sizeof iface->name;
}

/* --- Those around a flow -------------------------------------------------------------------- */

/* A walk over the routes around a source and a group. */
struct around {
    const struct ranges *ranges;
    const struct prefix *source, *group;
    const char *iif;
    bool (*visit)(void *context, struct route *route);
    void *context;
};

/* Those of the range that have all the sources: false when the walk ends. */
static bool visit_covering(const struct around *around, const struct range *range, unsigned length)
{
    struct prefix source = prefix_of(&around->source->address, length);
    struct route *route;

    HASH_FOREACH (route, &around->ranges->keys, hash_key(around->ranges, &range->group, &source),
                  in_sources)
        if (prefix_equal(&route->source, &source) && prefix_equal(&route->group, &range->group) &&
            !around->visit(around->context, route))
            return false;
    return true;
}

static bool may_share(const struct part *part, const char *iif)
{
    const char *name = LIST_FIRST(&part->routes)->iif->name;

    return part->mixed || interface_names_overlap(name, iif);
}

static bool visit_part(const struct around *around, const struct part *part)
{
    struct route *route;

    LIST_FOREACH (route, &part->routes, in_part)
        if (route->source.length > around->source->length &&
            prefix_covers(around->source, &route->source) && !around->visit(around->context, route))
            return false;
    return true;
}

/* Those that have some of the sources. */
static bool visit_within(const struct around *around, const struct range *range)
{
    const struct part *part;

    LIST_FOREACH (part, &range->parts, in_range)
        if (may_share(part, around->iif) && !visit_part(around, part))
            return false;
    return true;
}

static bool visit_range(const struct around *around, struct range *range)
{
    bool is_larger = range->group.length < around->group->length;
    bool has_parts = around->iif && range->any_count < range->count;

    if (is_larger && has_parts && !visit_within(around, range))
        return false;
    for (unsigned length = range->source_lengths ? around->source->length : 0; length > 0; length--)
        if (*count_of(range, length) > 0 && !visit_covering(around, range, length))
            return false;
    return range->any_count == 0 || visit_covering(around, range, 0);
}

void ranges_visit_around(const struct ranges *ranges, const struct prefix *source,
                         const struct prefix *group, const char *iif,
                         bool (*visit)(void *context, struct route *route), void *context)
{
    struct around around = {ranges, source, group, iif, visit, context};

    for (unsigned length = ranges->groups.count ? group->length + 1 : 0; length-- > 0;) {
        struct range *range = find_around(ranges, &group->address, length);

        if (range && !visit_range(&around, range))
            return;
    }
}

/* --- The one that has a flow ---------------------------------------------------------------- */

struct search {
    const struct iface *iface;
    struct route *best;
};

static bool has_same_key(const struct route *a, const struct route *b)
{
    return a->source.length == b->source.length && a->group.length == b->group.length;
}

/* Whether a comes before b, which has the same source and group and is NULL at first. */
static bool is_better(const struct route *a, const struct route *b)
{
    if (b && precision(a->iif) != precision(b->iif))
        return precision(a->iif) > precision(b->iif);
    return !b || a->serial < b->serial;
}

/* Goes on as long as there may be a better one. */
static bool compare(void *context, struct route *route)
{
    struct search *search = context;

    if (search->best && !has_same_key(search->best, route))
        return false;
    if (iface_is_meant(route->iif, search->iface) && is_better(route, search->best))
        search->best = route;
    return true;
}

struct route *ranges_find(const struct ranges *ranges, const struct address *source,
                          const struct address *group, const struct iface *iface)
{
    struct prefix s = prefix_single(source), g = prefix_single(group);
    struct search search = {.iface = iface};

    ranges_visit_around(ranges, &s, &g, NULL, compare, &search);
    return search.best;
}

/* --- Those of the same groups --------------------------------------------------------------- */

unsigned ranges_count_of(const struct ranges *ranges, const struct prefix *group)
{
    const struct range *range = find(ranges, group);

    return range ? range->count : 0;
}

bool ranges_have_single(const struct ranges *ranges)
{
    return ranges->lengths[family_bits(FAMILY_IPV4)] > 0 ||
           ranges->lengths[family_bits(FAMILY_IPV6)] > 0;
}

void ranges_visit_any(const struct ranges *ranges, const struct prefix *group,
                      bool (*visit)(void *context, struct route *route), void *context)
{
    struct prefix any = {.address = address_any(group->address.family)};
    struct around around = {ranges, &any, group, NULL, visit, context};
    const struct range *range = find(ranges, group);

    if (range)
        visit_covering(&around, range, 0);
}
