#include "override.h"

#include "admission.h"

#include <string.h>

static bool names_patterns(const struct args_add_mfc *args)
{
    bool has = interface_name_is_pattern(args->iif.text);

    for (uint32_t i = 0; i < args->oifs.count && !has; i++)
        has = interface_name_is_pattern(args->oifs.names[i].text);
    return has;
}

struct override_key override_key_of_args(const struct args_add_mfc *args)
{
    struct override_key key = {
        .source = admission_source(args),
        .group = args->group,
        .iif = args->iif.text,
    };

    key.is_range =
        !prefix_is_single(&key.source) || !prefix_is_single(&key.group) || names_patterns(args);
    return key;
}

struct override_key override_key_of_route(const struct route *route)
{
    return (struct override_key){route->source, route->group, route->iif->name, route->is_range};
}

const struct prefix *smaller_prefix(const struct prefix *a, const struct prefix *b)
{
    return a->length > b->length ? a : b;
}

/* --- Interfaces ---------------------------------------------------------------------------- */

/* Whether all interfaces that `name` stands for are among those of `other`. */
static bool is_within(const char *name, const char *other)
{
    return interface_name_is_pattern(other) ? interface_pattern_has(other, name)
                                            : strcmp(name, other) == 0;
}

/* How well an interface is known: a pattern by its length, a name better than any pattern. */
static size_t precision(const char *iif)
{
    return interface_name_is_pattern(iif) ? strlen(iif) : INTERFACE_NAME_MAX + 2;
}

/* --- The walk ------------------------------------------------------------------------------- */

enum { TAKEN_MAX = 64 };

struct walk {
    const struct override_key *key;
    bool (*visit)(void *context, const struct route *loser);
    void *context;
    /* Where more specific routes have all that the key has: beyond so many, losers may be visited
     * that lose nothing. */
    unsigned taken_count, before_count;
    const char *taken[TAKEN_MAX];
    const struct route *last;
};

static bool same_ranges(const struct route *a, const struct route *b)
{
    return prefix_equal(&a->source, &b->source) && prefix_equal(&a->group, &b->group);
}

/* Whether a more specific route has all that the key could take from this one. */
static bool is_taken(const struct walk *walk, const struct route *route)
{
    for (unsigned i = 0; i < walk->before_count; i++)
        if (is_within(route->iif->name, walk->taken[i]) ||
            (walk->key->is_range && is_within(walk->key->iif, walk->taken[i])))
            return true;
    return false;
}

/* The routes of one source and group come one after the other, and take nothing from each other
 * that is visited here. */
static void note_taken(struct walk *walk, const struct route *route)
{
    if (!prefix_covers(&route->source, &walk->key->source) || walk->taken_count == TAKEN_MAX)
        return;
    walk->taken[walk->taken_count++] = route->iif->name;
}

static bool loses(const struct walk *walk, const struct route *route)
{
    const struct override_key *key = walk->key;

    if (!key->is_range)
        return true;
    if (!interface_names_overlap(route->iif->name, key->iif))
        return false;
    return route->group.length < key->group.length || route->source.length < key->source.length ||
           precision(route->iif->name) < precision(key->iif);
}

/* The route itself, or the one that others hold and the key is the same as. */
static bool is_same(const struct override_key *key, const struct route *route)
{
    return key->is_range && prefix_equal(&key->source, &route->source) &&
           prefix_equal(&key->group, &route->group) && strcmp(key->iif, route->iif->name) == 0;
}

static bool consider(void *context, struct route *route)
{
    struct walk *walk = context;

    if (!walk->last || !same_ranges(walk->last, route))
        walk->before_count = walk->taken_count;
    walk->last = route;
    if (is_same(walk->key, route) || is_taken(walk, route))
        return true;
    if (loses(walk, route) && !walk->visit(walk->context, route))
        return false;
    note_taken(walk, route);
    return true;
}

void override_visit(const struct mfc *mfc, const struct override_key *key,
                    bool (*visit)(void *context, const struct route *loser), void *context)
{
    struct walk walk = {.key = key, .visit = visit, .context = context};

    ranges_visit_around(&mfc->ranges, &key->source, &key->group, key->is_range ? key->iif : NULL,
                        consider, &walk);
}
