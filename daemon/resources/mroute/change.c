/* Routes are added, held, given up and deleted. */
#include "admission.h"
#include "mroute_internal.h"
#include "oifs.h"

#include <string.h>

/* --- Leases -------------------------------------------------------------------------------- */

struct route *route_of_resource(const struct resource *resource)
{
    return resource_container(resource, struct route);
}

const struct resource *route_resource(const struct route *route)
{
    return &route->resource;
}

void delete_route(struct mroute *mroute, struct route *route)
{
    resource_end_leases(mroute->leases, &route->resource);
    mfc_del(route->mfc, route, ROUTE_DELETED_EVENT);
}

void route_release(struct resource *resource)
{
    struct route *route = route_of_resource(resource);
    struct mroute *mroute = route->mfc->mroute;
    struct mfc *mfc = route->mfc;

    mfc_del(mfc, route, ROUTE_DELETED_EVENT);
    close_if_empty(mroute, mfc);
}

/* --- Adding -------------------------------------------------------------------------------- */

static bool check_shares(const struct mroute *mroute, const struct mfc *mfc,
                         const struct args_add_mfc *args, const struct holder *holder,
                         struct error *error)
{
    uid_t uid = holder->lease.uid;

    return (mfc ? shared_may_use(&mfc->shares.shared, uid, error)
                : mroute_may_open(mroute, uid, error)) &&
           shares_may_idle(mroute, uid, args->idle, error);
}

/* A set was judged as a whole. */
static bool check_limits(const struct mroute *mroute, const struct mfc *mfc,
                         const struct args_add_mfc *args, const struct holder *holder,
                         struct error *error)
{
    if (!mfc && mroute->table_count >= TABLES_MAX)
        return error_set(error, ERROR_LIMIT, "table",
                         "Table %u would be one too many: the service keeps at most %d open.",
                         family_table(args->group.address.family, args->table), TABLES_MAX);
    if (holder->generation == 0 && count_routes(mroute) + mroute->promised >= ROUTES_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "The service keeps at most %d routes; delete some first.", ROUTES_MAX);
    return true;
}

bool check_holder(const struct route *old, const struct holder *holder, struct error *error)
{
    if (!old || holder->administrator || !resource_has_others(&old->resource, holder))
        return true;
    return error_set(error, ERROR_IN_USE, NULL,
                     "Another user holds this route with other interfaces, thresholds or idle "
                     "time; 'netbroker leases' shows who. Add it as it is, or ask an "
                     "administrator to change it.");
}

/* Puts a route in the place of the old one, whose leases are the new one's, or of none (NULL), and
 * holds it: both or nothing. */
static bool put(struct mroute *mroute, struct mfc *mfc, const struct args_add_mfc *args,
                const struct resolved *resolved, struct route *old, const struct holder *holder,
                struct error *error)
{
    struct route *route;

    if (!leases_reserve(mroute->leases, error))
        return false;
    route = mfc_add(mfc, args, resolved, old, error);
    if (!route)
        return false;
    if (old)
        resource_changed(mroute->leases, &route->resource);
    lease_begin(mroute->leases, &route->resource, holder);
    tell_route(route, old ? ROUTE_REPLACED_EVENT : ROUTE_ADDED_EVENT);
    return true;
}

static bool add_to(struct mroute *mroute, struct mfc *mfc, const struct args_add_mfc *args,
                   struct resolved *resolved, const struct holder *holder, enum route_change *ret,
                   struct error *error)
{
    struct route *old;
    bool done;

    if (!check_limits(mroute, mfc, args, holder, error) ||
        (resolved->judges_shares && !check_shares(mroute, mfc, args, holder, error)) ||
        !admission_check(mfc, mroute->netifs, args, resolved, &old, ret, error))
        return false;
    if (*ret == CHANGE_REPLACED && !check_holder(old, holder, error))
        return false;
    if (old && !resource_has_room(&old->resource, holder, error))
        return false;
    if (args->dry_run)
        return true;
    if (!mfc)
        return error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for a table.");
    if (*ret == CHANGE_NONE)
        return leases_reserve(mroute->leases, error) &&
               lease_begin(mroute->leases, &old->resource, holder);
    done = put(mroute, mfc, args, resolved, old, holder, error);
    if (done)
        rules_settle_tables(&mroute->tables, mfc->socket.family);
    else
        close_if_empty(mroute, mfc);
    return done;
}

static bool add(struct mroute *mroute, const struct args_add_mfc *args, struct resolved *resolved,
                const struct holder *holder, enum route_change *ret, struct error *error)
{
    struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    bool done;

    resolved->judges_shares = !resolved->restores && holder->generation == 0;
    if (mfc)
        mfc->ifaces.asker = holder->lease.uid;
    done = add_to(mroute, mfc, args, resolved, holder, ret, error);
    mfc = find_open_table(mroute, args->group.address.family, args->table);
    if (mfc)
        mfc->ifaces.asker = POOL_UID_NOBODY;
    return done;
}

bool mroute_add(struct mroute *mroute, const struct args_add_mfc *args, const struct holder *holder,
                enum route_change *ret, struct error *error)
{
    struct resolved resolved = {0};

    return add(mroute, args, &resolved, holder, ret, error);
}

/* What is there may know less than the request: the kernel keeps no idle times. */
static void set_idle(struct mroute *mroute, const struct args_add_mfc *args)
{
    struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    struct prefix source = admission_source(args);
    struct route *route =
        mfc ? route_set_find(&mfc->routes, &source, &args->group, args->iif.text) : NULL;

    if (route && resource_is_free(&route->resource))
        route->idle = args->idle;
}

bool mroute_restore(struct mroute *mroute, const struct args_add_mfc *wanted,
                    const struct holder *holder, struct error *error)
{
    struct resolved resolved = {.restores = true};
    struct args_add_mfc args = *wanted;
    enum route_change change;

    args.wait = true; /* for its interfaces */
    args.dry_run = args.append = false;
    set_idle(mroute, &args);
    return add(mroute, &args, &resolved, holder, &change, error);
}

const struct route *mroute_find(const struct mroute *mroute, const struct prefix *source,
                                const struct prefix *group, const char *iif, uint32_t table)
{
    struct mfc *mfc = find_open_table(mroute, group->address.family, table);
    struct prefix any = {.address = address_any(group->address.family)};

    return mfc ? route_set_find(&mfc->routes, source->address.family ? source : &any, group, iif)
               : NULL;
}

const struct route *mroute_find_next(const struct route *route)
{
    return route_set_next(route);
}

/* --- Deleting ------------------------------------------------------------------------------ */

static void collect_named(const struct mroute *mroute, const struct args_del_mfc *args,
                          struct named *ret)
{
    const char *iif = args->iif.text[0] ? args->iif.text : NULL;
    const struct route *found = mroute_find(mroute, &args->source, &args->group, NULL, args->table);

    ret->count = 0;
    for (struct route *route = (struct route *)found; route && ret->count < NAMED_MAX;
         route = route_set_next(route))
        if (!iif || strcmp(route->iif->name, iif) == 0)
            ret->routes[ret->count++] = route;
}

/* What was learned goes by itself, or with what it was learned from, which may be another's. */
static bool refuse_learned(struct error *error)
{
    return error_set(
        error, ERROR_NOT_FOUND, NULL,
        "Invalid argument: this route was learned for a route of a range, and ends with it, or "
        "when its flow is silent. 'netbroker mfc flush --learned' deletes all learned routes, and "
        "flows are learned again.");
}

static const struct route *find_learned(const struct mfc *mfc, const struct args_del_mfc *args)
{
    const struct route *route;

    if (!mfc || !args->source.address.family || !prefix_is_single(&args->source) ||
        !prefix_is_single(&args->group))
        return NULL;
    route = route_set_find_flow(&mfc->routes, &args->source.address, &args->group.address);
    return route && route->learned ? route : NULL;
}

static bool refuse_missing(const struct args_del_mfc *args, struct error *error)
{
    struct prefix any = {.address = address_any(args->group.address.family)};
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];

    return error_set(error, ERROR_NOT_FOUND, NULL,
                     "Invalid argument: there is no MFC entry for (%s, %s)%s%s in table %u. "
                     "'netbroker mfc show' lists them.",
                     prefix_format(args->source.address.family ? &args->source : &any, source),
                     prefix_format(&args->group, group), args->iif.text[0] ? " from " : "",
                     args->iif.text, family_table(args->group.address.family, args->table));
}

static bool refuse_unknown(const struct mroute *mroute, const struct args_del_mfc *args,
                           struct error *error)
{
    uint8_t family = args->group.address.family;
    const struct route *learned =
        find_learned(find_open_table(mroute, family, family_table(family, args->table)), args);

    return learned ? refuse_learned(error) : refuse_missing(args, error);
}

static bool check_named(const struct named *named, const struct holder *holder, struct error *error)
{
    for (unsigned i = 0; i < named->count; i++)
        if (!resource_may_give_up(&named->routes[i]->resource, holder, error))
            return false;
    return true;
}

bool mroute_del(struct mroute *mroute, const struct args_del_mfc *args, const struct holder *holder,
                struct route_deletion *ret, struct error *error)
{
    struct named named;
    struct mfc *mfc;
    bool done = true;

    *ret = (struct route_deletion){0};
    collect_named(mroute, args, &named);
    if (named.count == 0)
        return refuse_unknown(mroute, args, error);
    if (!check_named(&named, holder, error))
        return false;
    mfc = named.routes[0]->mfc;
    mfc->keepers++; /* it stays while the routes go */
    if (args->oifs.count > 0)
        done = oifs_del(mroute, &named, args, holder, ret, error);
    for (unsigned i = 0; i < named.count && args->oifs.count == 0; i++) {
        if (resource_give_up(mroute->leases, &named.routes[i]->resource, holder, args->dry_run))
            ret->kept++;
        else
            ret->deleted++;
    }
    mfc->keepers--;
    if (!args->dry_run)
        close_if_empty(mroute, mfc);
    return done;
}

/* --- Many at once -------------------------------------------------------------------------- */

/* Its leases end with it, whoever has them. */
static void flush_one(struct mroute *mroute, struct route *route)
{
    struct mfc *mfc = route->mfc;

    if (route->learned)
        mfc_del(mfc, route, ROUTE_EXPIRED_EVENT);
    else
        delete_route(mroute, route);
    close_if_empty(mroute, mfc);
}

bool mroute_flush_next(struct route_cursor *cursor, size_t *count)
{
    const struct route *route;

    if (!route_cursor_look(cursor, &route))
        return false;
    if (!route || (route->learned && !cursor->filter.learned))
        return true;
    ++*count;
    flush_one(cursor->mroute, (struct route *)route);
    return true;
}

size_t mroute_flush_count(const struct mroute *mroute, const struct mroute_filter *filter)
{
    const struct mfc *mfc;
    size_t count = 0;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        if (!table_matches(filter, &mfc->socket))
            continue;
        count += filter->learned ? mfc->learned_count : mfc->routes.keys.count - mfc->learned_count;
    }
    return count;
}

struct route *mroute_leased(const struct lease *lease, const struct mroute_filter *filter)
{
    struct route *route =
        lease->resource->ops == &mroute_ops ? route_of_resource(lease->resource) : NULL;

    return route && route_matches(filter, route) ? route : NULL;
}

void mroute_promise(struct mroute *mroute, size_t routes)
{
    mroute->promised = routes;
}

enum sweep mroute_would_sweep(const struct route *route, const struct holder *holder)
{
    const struct lease *lease = resource_lease(&route->resource, holder);

    if (!lease || lease->generation == holder->generation)
        return SWEEP_NONE;
    return LIST_NEXT(LIST_FIRST(&route->resource.leases), in_resource) ? SWEEP_LEASE : SWEEP_ROUTE;
}

bool mroute_sweep(struct mroute *mroute, struct route *route, const struct holder *holder)
{
    return mroute_would_sweep(route, holder) != SWEEP_NONE &&
           lease_end(mroute->leases, resource_lease(&route->resource, holder));
}

uint32_t mroute_next_generation(struct mroute *mroute)
{
    if (++mroute->generation == 0)
        mroute->generation = 1; /* 0 is that of what belongs to no set */
    return mroute->generation;
}
