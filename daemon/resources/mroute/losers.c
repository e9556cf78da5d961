/* What others lose to a new route: asked before it is added, and told after. */
#include "admission.h"
#include "kind.h"
#include "override.h"

#include <string.h>

/* --- Before -------------------------------------------------------------------------------- */

/* Of what a holder would take from others. */
struct overriding {
    const struct mfc *mfc;
    const struct args_add_mfc *args;
    struct override_key key;
    const struct holder *holder;
    bool (*visit)(void *context, const struct resource *loser, const struct target *lost);
    void *context;
};

/* Of one source and group a route may be exact, or a range of a pattern's interfaces. */
static bool takes_as_much(const struct override_key *key, const struct route *own)
{
    return own->is_range == key->is_range &&
           (!key->is_range || strcmp(own->iif->name, key->iif) == 0);
}

/* Who holds the route already takes no more by changing it, also from ranges that came later. */
static bool holds_it_already(const struct overriding *overriding)
{
    const struct args_add_mfc *args = overriding->args;
    struct prefix source = admission_source(args);
    const struct route *own =
        route_set_find(&overriding->mfc->routes, &source, &args->group, args->iif.text);

    if (!own || !takes_as_much(&overriding->key, own))
        return false;
    return resource_has_user(&own->resource, overriding->holder->lease.uid);
}

static bool judge_loser(void *context, const struct route *loser)
{
    const struct overriding *overriding = context;
    struct target lost;

    if (!resource_has_others(&loser->resource, overriding->holder))
        return true;
    if (holds_it_already(overriding))
        return false;
    mroute_ops.get_target(&loser->resource, &lost);
    lost.group = *smaller_prefix(&loser->group, &overriding->key.group);
    return overriding->visit(overriding->context, &loser->resource, &lost);
}

void mroute_visit_overridden(void *self, const struct request *request, const struct holder *holder,
                             bool (*visit)(void *context, const struct resource *loser,
                                           const struct target *lost),
                             void *context)
{
    const struct args_add_mfc *args = &request->args.add_mfc;
    const struct mroute_kind *kind = self;
    struct overriding overriding = {.args = args, .holder = holder, .visit = visit};

    if (request->action != ACTION_ADD_MFC)
        return;
    overriding.mfc = mroute_table(kind->mroute, args->group.address.family, args->table);
    overriding.context = context;
    if (!overriding.mfc || overriding.mfc->ranges.groups.count == 0)
        return;
    overriding.key = override_key_of_args(args);
    override_visit(overriding.mfc, &overriding.key, judge_loser, &overriding);
}

/* --- After --------------------------------------------------------------------------------- */

/* Who tells of the losers of a new route. */
struct telling {
    struct events *events;
    const struct route *winner;
    struct holder holder;
};

static bool tell_loser(void *context, const struct route *loser)
{
    const struct telling *telling = context;
    const struct route *winner = telling->winner;

    if (resource_has_others(route_resource(loser), &telling->holder))
        publish_overridden(telling->events, loser, smaller_prefix(&winner->source, &loser->source),
                           smaller_prefix(&winner->group, &loser->group));
    return true;
}

void publish_losers(struct events *events, const struct route *route)
{
    const struct lease *lease = resource_first_lease(route_resource(route));
    struct override_key key = override_key_of_route(route);
    struct telling telling = {.events = events, .winner = route};

    if (!lease || !events_wanted(events, MFC_OVERRIDDEN))
        return;
    telling.holder = (struct holder){.kind = lease->kind, .lease = lease->info};
    override_visit(route->mfc, &key, tell_loser, &telling);
}
