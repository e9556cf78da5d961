#include "route.h"

#include "mfc.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 64 };

struct route *route_new(const struct address *source, const struct address *group,
                        unsigned oif_count)
{
    struct route *route = calloc(1, sizeof *route + oif_count * sizeof route->oifs[0]);

    if (!route)
        return NULL;
    route->source = *source;
    route->group = *group;
    route->oif_count = (uint8_t)oif_count;
    return route;
}

/* The finaliser of MurmurHash3, keyed by what came before. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return hash ^ hash >> 33;
}

static uint64_t mix_address(uint64_t hash, const struct address *address)
{
    uint64_t words[2];

    memcpy(words, address->bytes, sizeof words);
    return mix(mix(hash, words[0]), words[1]);
}

static struct route **bucket_of(const struct route_set *set, const struct address *source,
                                const struct address *group)
{
    uint64_t hash = mix_address(mix_address(set->seed, source), group);

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
        free(route);
    }
    free(set->buckets);
}

struct route *route_set_find(const struct route_set *set, const struct address *source,
                             const struct address *group)
{
    struct route *route = *bucket_of(set, source, group);

    while (route && !(address_equal(&route->source, source) && address_equal(&route->group, group)))
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
    ret->lease = route->lease;
    ret->iif = route->iif->name;
    ret->state = route->state;
    ret->counters = (struct mfc_counters){0};
    ret->oif_count = route->oif_count;
    for (unsigned i = 0; i < route->oif_count; i++) {
        ret->oifs[i].name = route->oifs[i].port->name;
        ret->oifs[i].ttl = route->oifs[i].ttl;
    }
    if (with_counters && route->state != ROUTE_WAITING)
        mroute_mfc_count(socket, &route->source, &route->group, &ret->counters);
}

bool table_matches(const struct mroute_filter *filter, const struct mroute_socket *table)
{
    return (!filter->family || filter->family == table->family) &&
           (!filter->table || filter->table == table->table);
}

bool route_matches(const struct mroute_filter *filter, const struct route *route)
{
    return table_matches(filter, &route->mfc->socket) &&
           (!filter->source.family || address_equal(&filter->source, &route->source)) &&
           (!filter->group.family || address_equal(&filter->group, &route->group)) &&
           (!filter->lease || filter->lease == route->lease.id);
}
