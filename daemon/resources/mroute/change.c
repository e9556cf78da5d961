/* Routes are added, held, let go and deleted. */
#include "admission.h"
#include "mroute_internal.h"
#include "oifs.h"

#include <string.h>

/* --- Holds --------------------------------------------------------------------------------- */

static struct mroute *mroute_of(const struct route *route)
{
    return route->mfc->host->context;
}

/* Tells of the end of a hold, which is freed. */
static void end_hold(struct mroute *mroute, const struct route *route, struct hold *hold)
{
    if (hold->kind != HOLD_FOUND)
        mroute->callbacks.hold_ends(mroute->callbacks.context, route, &hold->lease);
    hold_release(hold);
}

void delete_route(struct mroute *mroute, struct route *route)
{
    struct hold *hold;

    while ((hold = LIST_FIRST(&route->holding.holds)))
        end_hold(mroute, route, hold);
    mfc_del(route->mfc, route, ROUTE_DELETED_NEWS);
}

/* Ends one hold; with the last one goes the route. Returns whether it went. */
static bool let_go(struct mroute *mroute, struct hold *hold)
{
    struct route *route = route_of_hold(hold);

    end_hold(mroute, route, hold);
    if (!holding_is_empty(&route->holding))
        return false;
    mfc_del(route->mfc, route, ROUTE_DELETED_NEWS);
    return true;
}

static void session_ended(struct hold *hold)
{
    struct route *route = route_of_hold(hold);
    struct mroute *mroute = mroute_of(route);
    struct mfc *mfc = route->mfc;

    let_go(mroute, hold);
    close_if_empty(mroute, mfc);
}

const struct holding_class route_holding_class = {session_ended};

/* Whoever holds what was found takes it over. */
static void drop_found(struct route *route)
{
    struct hold *hold, *next;

    for (hold = LIST_FIRST(&route->holding.holds); hold; hold = next) {
        next = LIST_NEXT(hold, in_holding);
        if (hold->kind == HOLD_FOUND)
            hold_release(hold);
    }
}

/* Tells of a hold that is new. */
static void begin_hold(struct mroute *mroute, struct route *route, const struct hold *hold)
{
    if (hold->kind == HOLD_FOUND)
        return;
    drop_found(route);
    mroute->callbacks.hold_begins(mroute->callbacks.context, &hold->lease);
}

/* False: no memory. */
static bool hold_route(struct mroute *mroute, struct route *route, const struct owner *owner)
{
    bool is_new;
    struct hold *hold = holding_add(&route->holding, owner, &is_new);

    if (hold && is_new)
        begin_hold(mroute, route, hold);
    return hold != NULL;
}

const struct hold *route_hold(const struct route *route, const struct owner *owner)
{
    return holding_find(&route->holding, owner);
}

/* --- Adding -------------------------------------------------------------------------------- */

static bool check_limits(const struct mroute *mroute, const struct mfc *mfc,
                         const struct args_add_mfc *args, struct error *error)
{
    if (!mfc && mroute->table_count >= TABLES_MAX)
        return error_set(error, ERROR_LIMIT, "table",
                         "Table %u would be one too many: the service keeps at most %d open.",
                         family_table(args->group.address.family, args->table), TABLES_MAX);
    if (count_routes(mroute) >= ROUTES_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "The service keeps at most %d routes; delete some first.", ROUTES_MAX);
    return true;
}

bool check_owner(const struct route *old, const struct owner *owner, struct error *error)
{
    if (!old || owner->administrator || !holding_has_others(&old->holding, owner))
        return true;
    return error_set(error, ERROR_IN_USE, NULL,
                     "Another user holds this route with other interfaces, thresholds or idle "
                     "time; 'netbroker leases' shows who. Add it as it is, or ask an "
                     "administrator to change it.");
}

static bool refuse_hold(struct error *error)
{
    return error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another lease.");
}

/* Adds the route, and holds it: both or nothing. */
static bool put_new(struct mroute *mroute, struct mfc *mfc, const struct args_add_mfc *args,
                    const struct resolved *resolved, const struct owner *owner, struct error *error)
{
    struct route *route = mfc_add(mfc, args, resolved, NULL, error);

    if (!route)
        return false;
    if (!hold_route(mroute, route, owner)) {
        mfc_del(mfc, route, ROUTE_DELETED_NEWS);
        return refuse_hold(error);
    }
    mroute->callbacks.route_news(mroute->callbacks.context, ROUTE_ADDED_NEWS, route);
    return true;
}

/* Holds the old route and replaces it: both or nothing. The holds of the old are the new one's. */
static bool put_instead(struct mroute *mroute, struct mfc *mfc, const struct args_add_mfc *args,
                        const struct resolved *resolved, struct route *old,
                        const struct owner *owner, struct error *error)
{
    bool is_new;
    struct hold *hold = holding_find(&old->holding, owner);
    uint32_t generation = hold ? hold->generation : 0;
    struct route *route;

    hold = holding_add(&old->holding, owner, &is_new);
    if (!hold)
        return refuse_hold(error);
    route = mfc_add(mfc, args, resolved, old, error);
    if (!route) {
        hold->generation = generation;
        if (is_new)
            hold_release(hold);
        return false;
    }
    if (is_new)
        begin_hold(mroute, route, hold);
    mroute->callbacks.route_news(mroute->callbacks.context, ROUTE_REPLACED_NEWS, route);
    return true;
}

bool mroute_add(struct mroute *mroute, const struct args_add_mfc *args, const struct owner *owner,
                enum route_change *ret, struct error *error)
{
    struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    struct resolved resolved = {0};
    struct route *old;
    bool done;

    if (!check_limits(mroute, mfc, args, error) ||
        !admission_check(mfc, mroute->host.links, args, &resolved, &old, ret, error))
        return false;
    if (*ret == CHANGE_REPLACED && !check_owner(old, owner, error))
        return false;
    if (old && !holding_has_room(&old->holding, owner, error))
        return false;
    if (args->dry_run)
        return true;
    if (!mfc)
        return error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for a table.");
    if (*ret == CHANGE_NONE)
        return hold_route(mroute, old, owner) || refuse_hold(error);
    done = old ? put_instead(mroute, mfc, args, &resolved, old, owner, error)
               : put_new(mroute, mfc, args, &resolved, owner, error);
    if (done)
        rules_settle_tables(&mroute->tables, mfc->socket.family);
    else
        close_if_empty(mroute, mfc);
    return done;
}

bool mroute_hold(struct mroute *mroute, const struct args_add_mfc *args, const struct owner *owner)
{
    struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    struct prefix source = admission_source(args);
    struct route *route =
        mfc ? route_set_find(&mfc->routes, &source, &args->group, args->iif.text) : NULL;

    if (!route || !hold_route(mroute, route, owner))
        return false;
    route->idle = args->idle; /* of a range that was found in the kernel, which knows none */
    return true;
}

struct lease mroute_lease(struct mroute *mroute, uid_t uid)
{
    return lease_new(&mroute->leases, uid);
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

/* The hold is one that the owner may let go by itself. */
static bool is_own(const struct hold *hold, const struct owner *owner)
{
    if (hold->kind == HOLD_USER)
        return hold->lease.uid == owner->lease.uid;
    return hold->kind == HOLD_FOUND ||
           (hold->kind == HOLD_SESSION && hold->session == owner->session);
}

static bool has_own(const struct route *route, const struct owner *owner)
{
    const struct hold *hold;

    LIST_FOREACH (hold, &route->holding.holds, in_holding)
        if (is_own(hold, owner))
            return true;
    return false;
}

/* What was learned goes by itself, or with what it was learned from. */
static bool refuse_learned(const struct route *route, struct error *error)
{
    const struct route *range = route->learned->by;
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];

    return error_set(
        error, ERROR_NOT_FOUND, NULL,
        "Invalid argument: this route was learned for the route of (%s, %s), and ends with it, "
        "or when its flow is silent. 'netbroker mfc flush --learned' deletes all learned "
        "routes, and flows are learned again.",
        prefix_format(&range->source, source), prefix_format(&range->group, group));
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

    return learned ? refuse_learned(learned, error) : refuse_missing(args, error);
}

static bool check_named(const struct named *named, const struct owner *owner, struct error *error)
{
    for (unsigned i = 0; i < named->count; i++)
        if (!owner->administrator && !has_own(named->routes[i], owner))
            return error_set(error, ERROR_NOT_ALLOWED, NULL,
                             "Only others hold this route; 'netbroker leases' shows who. They "
                             "or an administrator can delete it.");
    return true;
}

/* Returns whether the route is still there. */
static bool let_go_own(struct mroute *mroute, struct route *route, const struct owner *owner)
{
    struct hold *hold, *next;

    for (hold = LIST_FIRST(&route->holding.holds); hold; hold = next) {
        next = LIST_NEXT(hold, in_holding);
        if (is_own(hold, owner) && let_go(mroute, hold))
            return false;
    }
    return true;
}

/* Returns whether the route is still there, or would be. */
static bool release(struct mroute *mroute, struct route *route, const struct owner *owner,
                    bool dry_run)
{
    const struct hold *hold;

    if (!has_own(route, owner)) { /* an administrator's word */
        if (!dry_run)
            delete_route(mroute, route);
        return false;
    }
    if (!dry_run)
        return let_go_own(mroute, route, owner);
    LIST_FOREACH (hold, &route->holding.holds, in_holding)
        if (!is_own(hold, owner))
            return true;
    return false;
}

bool mroute_del(struct mroute *mroute, const struct args_del_mfc *args, const struct owner *owner,
                struct route_deletion *ret, struct error *error)
{
    struct named named;
    struct mfc *mfc;
    bool done = true;

    *ret = (struct route_deletion){0};
    collect_named(mroute, args, &named);
    if (named.count == 0)
        return refuse_unknown(mroute, args, error);
    if (!check_named(&named, owner, error))
        return false;
    mfc = named.routes[0]->mfc;
    if (args->oifs.count > 0)
        done = oifs_del(mroute, &named, args, owner, ret, error);
    for (unsigned i = 0; i < named.count && args->oifs.count == 0; i++) {
        if (release(mroute, named.routes[i], owner, args->dry_run))
            ret->kept++;
        else
            ret->deleted++;
    }
    if (!args->dry_run)
        close_if_empty(mroute, mfc);
    return done;
}

/* --- Many at once -------------------------------------------------------------------------- */

/* Its holds end with it, whoever has them. */
static void flush_one(struct mroute *mroute, struct route *route)
{
    struct mfc *mfc = route->mfc;

    if (route->learned)
        mfc_del(mfc, route, ROUTE_EXPIRED_NEWS);
    else
        delete_route(mroute, route);
    close_if_empty(mroute, mfc);
}

bool mroute_flush_next(struct route_cursor *cursor, bool dry_run, size_t *count)
{
    struct route *route = (struct route *)route_cursor_next(cursor);

    if (!route)
        return false;
    if (route->learned && !cursor->filter.learned) /* it goes with the range that it is of */
        return true;
    ++*count;
    if (!dry_run)
        flush_one(cursor->mroute, route);
    return true;
}

size_t mroute_flush(struct mroute *mroute, const struct mroute_filter *filter, bool dry_run)
{
    struct route_cursor cursor;
    size_t count = 0;

    route_cursor_open(&cursor, mroute, filter);
    while (mroute_flush_next(&cursor, dry_run, &count))
        ;
    route_cursor_close(&cursor);
    return count;
}

enum sweep mroute_would_sweep(const struct route *route, const struct owner *owner)
{
    const struct hold *hold = holding_find(&route->holding, owner);

    if (!hold || hold->generation == owner->generation)
        return SWEEP_NONE;
    return LIST_NEXT(LIST_FIRST(&route->holding.holds), in_holding) ? SWEEP_HOLD : SWEEP_ROUTE;
}

bool mroute_sweep(struct mroute *mroute, struct route *route, const struct owner *owner)
{
    struct mfc *mfc = route->mfc;

    if (mroute_would_sweep(route, owner) == SWEEP_NONE ||
        !let_go(mroute, holding_find(&route->holding, owner)))
        return false;
    close_if_empty(mroute, mfc);
    return true;
}

uint32_t mroute_next_generation(struct mroute *mroute)
{
    if (++mroute->generation == 0)
        mroute->generation = 1; /* 0 is that of what belongs to no set */
    return mroute->generation;
}

bool mroute_revoke(struct mroute *mroute, uint64_t lease)
{
    struct mroute_filter filter = {.lease = lease};
    struct route_cursor cursor;
    struct route *route;
    struct hold *hold;

    route_cursor_open(&cursor, mroute, &filter);
    route = (struct route *)route_cursor_next(&cursor);
    route_cursor_close(&cursor);
    if (!route)
        return false;
    LIST_FOREACH (hold, &route->holding.holds, in_holding)
        if (hold->lease.id == lease) {
            struct mfc *mfc = route->mfc;

            let_go(mroute, hold);
            close_if_empty(mroute, mfc);
            return true;
        }
    return false;
}
