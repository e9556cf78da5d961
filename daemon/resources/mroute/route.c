#include "route.h"

#include "mfc.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 64 };

struct route *route_new(const struct prefix *source, const struct prefix *group, unsigned oif_count)
{
    struct route *route = calloc(1, sizeof *route + oif_count * sizeof route->oifs[0]);

    if (!route)
        return NULL;
    route->source = *source;
    route->group = *group;
    route->oif_count = (uint8_t)oif_count;
    return route;
}

void route_free(struct route *route)
{
    holding_clear(&route->holding);
    free(route->learned);
    free(route);
}

struct route *route_of_hold(const struct hold *hold)
{
    return (struct route *)((char *)hold->holding - offsetof(struct route, holding));
}

/* The finaliser of MurmurHash3, keyed by what came before. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return hash ^ hash >> 33;
}

uint64_t hash_prefix(uint64_t hash, const struct prefix *prefix)
{
    uint64_t words[2];

    memcpy(words, prefix->address.bytes, sizeof words);
    return mix(mix(hash ^ prefix->length, words[0]), words[1]);
}

static struct route **bucket_of(const struct route_set *set, const struct prefix *source,
                                const struct prefix *group)
{
    uint64_t hash = hash_prefix(hash_prefix(set->seed, source), group);

    return &set->buckets[hash & (set->bucket_count - 1)];
}

bool route_set_init(struct route_set *set, uint64_t seed)
{
    *set = (struct route_set){.bucket_count = BUCKETS_MIN, .seed = seed};
    TAILQ_INIT(&set->order);
    set->buckets = calloc(set->bucket_count, sizeof *set->buckets);
    return set->buckets != NULL;
}

void route_set_clear(struct route_set *set)
{
    struct route *route;

    while ((route = TAILQ_FIRST(&set->order))) {
        TAILQ_REMOVE(&set->order, route, in_order);
        route_free(route);
    }
    free(set->buckets);
}

static bool has_key(const struct route *route, const struct prefix *source,
                    const struct prefix *group)
{
    return prefix_equal(&route->source, source) && prefix_equal(&route->group, group);
}

/* One source and one group are one flow, whichever way it comes. */
static bool is_from(const struct route *route, const char *iif)
{
    return !iif || (prefix_is_single(&route->source) && prefix_is_single(&route->group)) ||
           strcmp(route->iif->name, iif) == 0;
}

struct route *route_set_find(const struct route_set *set, const struct prefix *source,
                             const struct prefix *group, const char *iif)
{
    struct route *route = *bucket_of(set, source, group);

    while (route && (route->learned || !has_key(route, source, group) || !is_from(route, iif)))
        route = route->in_bucket;
    return route;
}

struct route *route_set_next(const struct route *route)
{
    struct route *next = route->in_bucket;

    while (next && (next->learned || !has_key(next, &route->source, &route->group)))
        next = next->in_bucket;
    return next;
}

struct route *route_set_find_flow(const struct route_set *set, const struct address *source,
                                  const struct address *group)
{
    struct prefix s = prefix_single(source), g = prefix_single(group);
    struct route *route = *bucket_of(set, &s, &g);

    while (route && (route->is_range || !has_key(route, &s, &g)))
        route = route->in_bucket;
    return route;
}

static void link_bucket(struct route_set *set, struct route *route)
{
    struct route **bucket = bucket_of(set, &route->source, &route->group);

    route->in_bucket = *bucket;
    *bucket = route;
}

/* Doubles the buckets. Without memory the set goes on, only slower. */
static void grow(struct route_set *set)
{
    struct route **buckets = calloc(set->bucket_count * 2, sizeof *buckets);
    struct route *route;

    if (!buckets)
        return;
    free(set->buckets);
    set->buckets = buckets;
    set->bucket_count *= 2;
    TAILQ_FOREACH (route, &set->order, in_order)
        link_bucket(set, route);
}

void route_set_insert(struct route_set *set, struct route *route)
{
    if (set->count == set->bucket_count)
        grow(set);
    TAILQ_INSERT_TAIL(&set->order, route, in_order);
    link_bucket(set, route);
    set->count++;
}

static struct route **find_link(struct route_set *set, const struct route *route)
{
    struct route **link = bucket_of(set, &route->source, &route->group);

    while (*link != route)
        link = &(*link)->in_bucket;
    return link;
}

void route_set_remove(struct route_set *set, struct route *route)
{
    *find_link(set, route) = route->in_bucket;
    TAILQ_REMOVE(&set->order, route, in_order);
    set->count--;
}

void route_set_replace(struct route_set *set, struct route *old, struct route *new)
{
    struct route **link = find_link(set, old);

    new->in_bucket = old->in_bucket;
    *link = new;
    TAILQ_INSERT_AFTER(&set->order, old, new, in_order);
    TAILQ_REMOVE(&set->order, old, in_order);
}

void route_describe(const struct route *route, bool with_counters, struct route_view *ret)
{
    const struct mroute_socket *socket = &route->mfc->socket;

    ret->family = socket->family;
    ret->table = socket->table;
    ret->source = route->source;
    ret->group = route->group;
    ret->holding = &route->holding;
    ret->learned = route->learned != NULL;
    ret->idle = route->is_range ? route->idle : route->learned ? route->learned->by->idle : 0;
    ret->iif = route->iif->name;
    ret->iif_index = route->iif->ifindex;
    ret->state = route->state;
    ret->counters = (struct mfc_counters){0};
    ret->oif_count = route->oif_count;
    for (unsigned i = 0; i < route->oif_count; i++) {
        ret->oifs[i].name = route->oifs[i].port->name;
        ret->oifs[i].index = route->oifs[i].port->ifindex;
        ret->oifs[i].ttl = route->oifs[i].ttl;
    }
    if (with_counters && route->in_kernel)
        mroute_mfc_count(socket, &route->source.address, &route->group.address, &ret->counters);
}

bool table_matches(const struct mroute_filter *filter, const struct mroute_socket *table)
{
    return (!filter->family || filter->family == table->family) &&
           (!filter->table || filter->table == table->table);
}

static bool has_lease(const struct route *route, uint64_t id)
{
    const struct hold *hold;

    LIST_FOREACH (hold, &route->holding.holds, in_holding)
        if (hold->lease.id == id)
            return true;
    return false;
}

/* A prefix that is asked for means all that lies within; any source means any source alone. */
static bool within(const struct prefix *asked, const struct prefix *prefix)
{
    if (!asked->address.family)
        return true;
    return asked->length ? prefix_covers(asked, prefix) : prefix_equal(asked, prefix);
}

bool route_matches(const struct mroute_filter *filter, const struct route *route)
{
    return table_matches(filter, &route->mfc->socket) && within(&filter->source, &route->source) &&
           within(&filter->group, &route->group) && (!filter->learned || route->learned) &&
           (!filter->lease || has_lease(route, filter->lease));
}
