#include "shares.h"

#include "limit.h"
#include "mroute_internal.h"

#include <stdio.h>

static const struct pool_words tables_words = {"tables",
                                               "multicast routing tables",
                                               "tables-per-user of netbrokerd.conf(5)",
                                               NULL,
                                               "Delete the routes of one of them first.",
                                               false};
static const struct pool_words learned_words = {"learned_routes",
                                                "learned routes",
                                                "learned-routes-per-user of netbrokerd.conf(5)",
                                                "learned-routes of netbrokerd.conf(5)",
                                                "Make the idle time of the routes shorter.",
                                                false};

void shares_init(struct mroute_shares *shares, struct pools *registry)
{
    struct limits limits = LIMITS_DEFAULT;

    shares->registry = registry;
    if (registry) {
        pools_add(registry, &shares->tables, &tables_words);
        pools_add(registry, &shares->learned, &learned_words);
    }
    shares_set_limits(shares, &limits);
}

void shares_set_limits(struct mroute_shares *shares, const struct limits *limits)
{
    struct limits all = *limits;

    limits_fill_in(&all);
    pool_bound(&shares->tables,
               &(struct pool_bounds){TABLES_MAX - 2, all.tables_per_user, TABLES_RESERVE, 0});
    pool_bound(&shares->learned,
               &(struct pool_bounds){all.learned_routes, all.learned_routes_per_user,
                                     all.learned_routes / 16, 16});
    shares->vifs_per_user = all.interfaces_per_user;
    shares->idle_max = all.learned_idle;
}

/* --- Tables -------------------------------------------------------------------------------- */

void table_shares_init(struct mroute_shares *shares, struct mfc *mfc)
{
    struct table_shares *own = &mfc->shares;
    uint8_t family = mfc->socket.family;
    uint32_t table = mfc->socket.table;

    mfc->ifaces.pool = &own->vifs;
    if (!shares->registry)
        return;
    if (table != family_table(family, 0))
        own->shared = (struct shared){.pool = &shares->tables, .n = 1};
    snprintf(own->name, sizeof own->name, "vifs_%s_%u", family == FAMILY_IPV4 ? "ipv4" : "ipv6",
             table);
    snprintf(own->noun, sizeof own->noun, "interfaces in use by %s table %u", family_name(family),
             table);
    own->words = (struct pool_words){own->name,
                                     own->noun,
                                     "interfaces-per-user of netbrokerd.conf(5)",
                                     NULL,
                                     "Delete the routes of some of them first.",
                                     true};
    pools_add(shares->registry, &own->vifs, &own->words);
    table_shares_bound(shares, mfc);
}

void table_shares_bound(const struct mroute_shares *shares, struct mfc *mfc)
{
    pool_bound(&mfc->shares.vifs,
               &(struct pool_bounds){VIFS_MAX, shares->vifs_per_user, VIFS_RESERVE, 0});
}

void table_shares_end(struct mroute_shares *shares, struct mfc *mfc)
{
    shared_clear(&mfc->shares.shared);
    if (shares->registry)
        pools_remove(shares->registry, &mfc->shares.vifs);
}

bool mroute_may_open(const struct mroute *mroute, uid_t uid, struct error *error)
{
    struct pool *tables = (struct pool *)&mroute->shares.tables;

    return pool_may(tables, uid, &(struct pool_request){.more = 1}, error);
}

bool shares_would_charge(const struct mroute *mroute, uint8_t family, uint32_t table)
{
    const struct mfc *mfc = find_table(mroute, family, table);

    return table != family_table(family, 0) && !(mfc && mfc->shares.shared.payer);
}

bool shares_have_room(const struct mroute *mroute, struct mfc *mfc, uid_t uid, unsigned tables,
                      unsigned vifs, struct error *error)
{
    struct pool *pool = (struct pool *)&mroute->shares.tables;

    return pool_may(pool, uid, &(struct pool_request){.more = tables}, error) &&
           (!mfc || pool_may(&mfc->shares.vifs, uid, &(struct pool_request){.more = vifs}, error));
}

/* Those for which he would be charged. */
static unsigned names_of(const struct ifaces *ifaces, uid_t uid)
{
    const struct iface *iface;
    unsigned count = 0;
    uid_t payer;

    TAILQ_FOREACH (iface, &ifaces->list, in_ifaces)
        count += shared_payer(&iface->shared, &payer) && payer == uid;
    return count;
}

bool shares_may_name(const struct mfc *mfc, uid_t uid, unsigned names, struct error *error)
{
    const struct pools *pools = mfc->mroute->shares.registry;
    unsigned most = IFACES_MAX - NAMES_RESERVE;

    if (!pools || names == 0 || pools_is_exempt(pools, uid))
        return true;
    if (mfc->ifaces.count + names > most)
        return error_set(error, ERROR_LIMIT, NULL,
                         "The routes of table %u name %u interfaces, and those of users may name "
                         "at most %u. Try again later.",
                         mfc->socket.table, mfc->ifaces.count, most);
    return names_of(&mfc->ifaces, uid) + names <= NAMES_PER_USER ||
           error_set(error, ERROR_LIMIT, NULL,
                     "Your routes of table %u would be the only ones to name more than %d "
                     "interfaces, the limit of one user; delete some first.",
                     mfc->socket.table, NAMES_PER_USER);
}

bool shares_may_idle(const struct mroute *mroute, uid_t uid, uint32_t idle, struct error *error)
{
    const struct mroute_shares *shares = &mroute->shares;

    if (!shares->registry || idle <= shares->idle_max || pools_is_exempt(shares->registry, uid))
        return true;
    return error_set(error, ERROR_LIMIT, "idle",
                     "'idle' takes at most %u seconds (learned-idle-seconds of "
                     "netbrokerd.conf(5)): what is learned takes room from others.",
                     shares->idle_max);
}

/* --- Interfaces ---------------------------------------------------------------------------- */

static void charge_ifaces(struct route *route, uid_t uid, bool begins)
{
    void (*change)(struct shared *, uid_t) = begins ? shared_use : shared_leave;

    change(&route->iif->shared, uid);
    for (unsigned i = 0; i < route->oif_count; i++)
        change(&route->oifs[i].iface->shared, uid);
}

void route_leased(struct resource *resource, uid_t uid, bool begins)
{
    struct route *route = route_of_resource(resource);
    struct shared *table = &route->mfc->shares.shared;

    if (!route->mfc->mroute->shares.registry)
        return;
    if (begins)
        shared_use(table, uid);
    else
        shared_leave(table, uid);
    charge_ifaces(route, uid, begins);
}

static void charge_holders(struct route *route, bool begins)
{
    const struct lease *lease;

    if (!route->mfc->mroute->shares.registry)
        return;
    if (route->learned)
        charge_ifaces(route, route->learned->payer, begins);
    LIST_FOREACH (lease, &route->resource.leases, in_resource)
        charge_ifaces(route, lease->info.uid, begins);
}

void shares_enter(struct route *route)
{
    charge_holders(route, true);
}

void shares_exit(struct route *route)
{
    charge_holders(route, false);
}

/* --- Learned routes ------------------------------------------------------------------------ */

uid_t shares_range_payer(const struct route *range)
{
    const struct pool *learned = &range->mfc->mroute->shares.learned;
    const struct lease *first = resource_first_lease(&range->resource), *lease;
    unsigned asked = 0;

    LIST_FOREACH (lease, &range->resource.leases, in_resource) {
        if (pool_would_have(learned, lease->info.uid, 1))
            return lease->info.uid;
        if (++asked == HOLDERS_ASKED_MAX)
            break;
    }
    return first ? first->info.uid : LEASE_UID_UNKNOWN;
}

static bool may_pay(const struct route *range, uid_t uid)
{
    const struct lease *lease;
    unsigned asked = 0;

    LIST_FOREACH (lease, &range->resource.leases, in_resource) {
        if (lease->info.uid == uid)
            return true;
        if (++asked == HOLDERS_ASKED_MAX)
            break;
    }
    return false;
}

static uint64_t share_of(const struct mroute_shares *shares, uid_t uid)
{
    const struct pool_bounds *bounds = &shares->learned.bounds;

    return pools_is_exempt(shares->registry, uid) ? bounds->size : bounds->share;
}

bool shares_may_learn(const struct route *range)
{
    struct mroute_shares *shares = &range->mfc->mroute->shares;
    uid_t uid = shares_range_payer(range);

    if (!shares->registry)
        return true;
    if (range->learned_count >= (share_of(shares, uid) + 1) / RANGE_PART)
        return false;
    return pool_may(&shares->learned, uid, &(struct pool_request){.more = 1}, NULL);
}

void shares_enter_learned(struct route *route)
{
    struct mroute_shares *shares = &route->mfc->mroute->shares;

    route->learned->payer = shares_range_payer(route->learned->by);
    pool_force(&shares->learned, route->learned->payer, 1);
    shares_enter(route);
}

void shares_settle_learned(struct route *route)
{
    if (may_pay(route->learned->by, route->learned->payer))
        return;
    shares_exit_learned(route);
    shares_enter_learned(route);
}

void shares_exit_learned(struct route *route)
{
    struct mroute_shares *shares = &route->mfc->mroute->shares;

    pool_return(&shares->learned, route->learned->payer, 1);
    shares_exit(route);
}
