#include "route.h"

#include "mfc.h"

#include <stdlib.h>
#include <string.h>

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
    free(route->learned);
    free(route);
}

static uint64_t hash_key(const struct route_set *set, const struct prefix *source,
                         const struct prefix *group)
{
    return hash_prefix(hash_prefix(set->seed, source), group);
}

void route_set_init(struct route_set *set, uint64_t seed)
{
    *set = (struct route_set){.seed = seed};
    TAILQ_INIT(&set->order);
}

void route_set_clear(struct route_set *set)
{
    struct route *route;

    while ((route = TAILQ_FIRST(&set->order))) {
        TAILQ_REMOVE(&set->order, route, in_order);
        route_free(route);
    }
    hash_clear(&set->keys);
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
    struct route *route;

    HASH_FOREACH (route, &set->keys, hash_key(set, source, group), in_keys)
        if (!route->learned && has_key(route, source, group) && is_from(route, iif))
            return route;
    return NULL;
}

struct route *route_set_next(const struct route *before)
{
    const struct hash_link *link = &before->in_keys;
    struct route *route;

    while ((link = hash_skip(link->next, link->hash))) {
        route = HASH_ELEMENT(link, route, in_keys);
        if (!route->learned && has_key(route, &before->source, &before->group))
            return route;
    }
    return NULL;
}

struct route *route_set_find_flow(const struct route_set *set, const struct address *source,
                                  const struct address *group)
{
    struct prefix s = prefix_single(source), g = prefix_single(group);
    struct route *route;

    HASH_FOREACH (route, &set->keys, hash_key(set, &s, &g), in_keys)
        if (!route->is_range && has_key(route, &s, &g))
            return route;
    return NULL;
}

void route_set_insert(struct route_set *set, struct route *route)
{
    TAILQ_INSERT_TAIL(&set->order, route, in_order);
    hash_insert(&set->keys, &route->in_keys, hash_key(set, &route->source, &route->group));
}

void route_set_remove(struct route_set *set, struct route *route)
{
    hash_remove(&set->keys, &route->in_keys);
    TAILQ_REMOVE(&set->order, route, in_order);
}

void route_set_replace(struct route_set *set, struct route *old, struct route *new)
{
    hash_replace(&set->keys, &old->in_keys, &new->in_keys);
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
    ret->resource = &route->resource;
    ret->learned = route->learned != NULL;
    ret->idle = route->is_range ? route->idle : route->learned ? route->learned->by->idle : 0;
    ret->iif = route->iif->name;
    ret->state = route->state;
    ret->counters = (struct mfc_counters){0};
    ret->oif_count = route->oif_count;
    for (unsigned i = 0; i < route->oif_count; i++) {
        ret->oifs[i].name = route->oifs[i].iface->name;
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
           within(&filter->group, &route->group) && (!filter->learned || route->learned);
}
