/* How VIFs are never lent to a stranger.
 *
 * The kernel's entries name VIFs by number and are not told when a VIF goes; whoever gets the
 * number next receives the old traffic (measured on Linux 6.18: a route to a deleted interface
 * went on to the next interface that was given its slot). So a number is free only when no entry
 * names it: when an interface goes, the entries that name its VIF are rewritten first, and the
 * entries that a process before us wrote, which may name numbers that went while nobody looked,
 * are rewritten before the first new VIF is made.
 *
 * How ranges are realised. An entry of the kernel for any source takes the packets of all
 * interfaces in its set, and asks nothing (ipmr_cache_find_any(), net/ipv4/ipmr.c): beside it no
 * other route of that group would ever be asked for. So a range is such a native entry only while
 * it is alone. */
#include "admission.h"
#include "demand.h"
#include "mroute_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mfc *mfc_new(struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc = calloc(1, sizeof *mfc);

    if (!mfc)
        return NULL;
    mfc->socket = (struct mroute_socket){-1, family, table};
    mfc->mroute = mroute;
    TAILQ_INIT(&mfc->learned);
    TAILQ_INIT(&mfc->lingering);
    TAILQ_INIT(&mfc->waiters);
    ifaces_init(&mfc->ifaces, &mfc->socket);
    rules_init(&mfc->rules, mroute->rules.change ? &mroute->rules : NULL, family, table);
    route_set_init(&mfc->routes, mroute->seed);
    mfc->ranges.seed = mroute->seed;
    table_shares_init(&mroute->shares, mfc);
    return mfc;
}

void mfc_free(struct mfc *mfc)
{
    struct route *route;

    neighbours_end(mfc);
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        resource_forget(mfc->mroute->leases, &route->resource);
    if (mfc->socket.fd >= 0)
        close(mfc->socket.fd);
    mfc->mroute->learned -= mfc->learned_count;
    while ((route = TAILQ_FIRST(&mfc->lingering))) {
        TAILQ_REMOVE(&mfc->lingering, route, in_order);
        route_free(route);
    }
    ranges_clear(&mfc->ranges);
    route_set_clear(&mfc->routes);
    ifaces_clear(&mfc->ifaces);
    table_shares_end(&mfc->mroute->shares, mfc);
    free(mfc);
}

/* --- Into the kernel ----------------------------------------------------------------------- */

/* A route is counted as waiting when it is, whether or not it is in the set already. */
static void set_state(struct mfc *mfc, struct route *route, enum route_state state)
{
    mfc->waiting += (size_t)(state == ROUTE_WAITING);
    mfc->waiting -= (size_t)(route->state == ROUTE_WAITING);
    route->state = state;
}

static bool has_patterns(const struct route *route)
{
    bool has = route->iif->pattern;

    for (unsigned i = 0; i < route->oif_count; i++)
        has |= route->oifs[i].iface->pattern;
    return has;
}

/* The range could be an entry of the kernel if it were alone. */
static bool can_be_native(const struct route *route)
{
    return route->source.length == 0 && prefix_is_single(&route->group) && !has_patterns(route);
}

static bool wants_entry(const struct mfc *mfc, const struct route *route)
{
    if (route->iif->vif < 0)
        return false;
    return !route->is_range ||
           (can_be_native(route) && ranges_count(&mfc->ranges, &route->group.address) == 1);
}

/* The entry that stands for a route whose inbound interface exists. */
static enum route_state make_entry(const struct route *route, struct mfc_entry *ret)
{
    enum route_state state = ROUTE_INSTALLED;

    *ret = (struct mfc_entry){
        .source = route->source.address,
        .group = route->group.address,
        .parent = (unsigned)route->iif->vif,
    };
    for (unsigned i = 0; i < route->oif_count; i++) {
        if (route->oifs[i].iface->vif >= 0)
            ret->ttls[route->oifs[i].iface->vif] = route->oifs[i].ttl;
        else
            state = ROUTE_PARTIAL;
    }
    /* An entry of one source sends packets back where they came from, if it says so; and it may,
     * after an interface was given a new name. */
    if (!address_is_any(&ret->source))
        ret->ttls[ret->parent] = 0;
    /* An entry for any source matches only interfaces of its own set; the kernel never sends a
     * packet back where it came from (ipmr_cache_find_any() and ip_mr_forward(), net/ipv4). */
    if (address_is_any(&ret->source) && ret->ttls[ret->parent] == 0)
        ret->ttls[ret->parent] = 1;
    return state;
}

static int erase_entry(struct mfc *mfc, struct route *route)
{
    int result;

    if (!route->in_kernel)
        return 0;
    route->in_kernel = false;
    mfc->writes++;
    mfc->mroute->erased++;
    result = mroute_mfc_del(&mfc->socket, &route->source.address, &route->group.address);
    return result == -ENOENT ? 0 : result;
}

int mfc_sync(struct mfc *mfc, struct route *route)
{
    struct mfc_entry entry;
    enum route_state state;
    int result;

    if (!wants_entry(mfc, route)) {
        bool open = iface_is_open(&mfc->ifaces, route->iif);

        set_state(mfc, route, open ? ROUTE_ON_DEMAND : ROUTE_WAITING);
        return erase_entry(mfc, route);
    }
    state = make_entry(route, &entry);
    mfc->writes++;
    result = mroute_mfc_set(&mfc->socket, &entry);
    if (result < 0)
        return result;
    set_state(mfc, route, state);
    route->in_kernel = route->verified = true;
    return 0;
}

bool mfc_restore(struct mfc *mfc, struct route *route, bool rewrite)
{
    if (rewrite)
        erase_entry(mfc, route);
    if (mfc_sync(mfc, route) == 0)
        return true;
    erase_entry(mfc, route);
    set_state(mfc, route, ROUTE_WAITING);
    return false;
}

void mfc_verify(struct mfc *mfc)
{
    struct route *route;

    if (!mfc->unverified)
        return;
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (route->in_kernel && !route->verified)
            mfc_restore(mfc, route, false);
    mfc->unverified = false;
}

bool mfc_entry_is_wrong(const struct mfc *mfc, const struct route *route)
{
    return route->in_kernel != wants_entry(mfc, route);
}

/* --- Ifaces --------------------------------------------------------------------------------- */

static void release_ifaces(struct mfc *mfc, struct route *route)
{
    for (unsigned i = route->oif_count; i > 0; i--)
        iface_release(&mfc->ifaces, route->oifs[i - 1].iface);
    if (route->iif) {
        iface_count_iif(&mfc->ifaces, route->iif, -1);
        iface_release(&mfc->ifaces, route->iif);
    }
}

void mfc_discard(struct mfc *mfc, struct route *route)
{
    set_state(mfc, route, ROUTE_INSTALLED);
    release_ifaces(mfc, route);
    route_free(route);
}

/* Counts the route on its ifaces; on an error those that it was counted on are released. */
static bool acquire_ifaces(struct mfc *mfc, struct route *route, const struct args_add_mfc *args,
                           const struct resolved *resolved, struct error *error)
{
    route->oif_count = 0;
    route->iif = iface_acquire(&mfc->ifaces, args->iif.text, resolved->iif, args->wait, error);
    if (!route->iif)
        return false;
    iface_count_iif(&mfc->ifaces, route->iif, 1);
    for (uint32_t i = 0; i < args->oifs.count; i++) {
        if (admission_is_implied(args, i))
            continue;

        struct iface *iface = iface_acquire(&mfc->ifaces, args->oifs.names[i].text,
                                            resolved->oifs[i], args->wait, error);

        if (!iface) {
            release_ifaces(mfc, route);
            return false;
        }
        route->oifs[route->oif_count++] = (struct route_oif){iface, admission_ttl_of(args, i)};
    }
    return true;
}

/* --- Adding -------------------------------------------------------------------------------- */

static struct route *build_route(struct mfc *mfc, const struct args_add_mfc *args,
                                 const struct resolved *resolved, struct error *error)
{
    struct prefix source = admission_source(args);
    struct route *route = route_new(&source, &args->group, args->oifs.count);

    if (!route) {
        error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another route.");
        return NULL;
    }
    route->mfc = mfc;
    resource_init(&route->resource, &mroute_ops);
    if (!acquire_ifaces(mfc, route, args, resolved, error)) {
        free(route);
        return NULL;
    }
    route->idle = args->idle;
    route->is_range =
        !prefix_is_single(&source) || !prefix_is_single(&args->group) || has_patterns(route);
    return route;
}

/* Of one source and one group there is one route, whichever pattern it is from. */
static bool takes_place(const struct route *route, const struct route *old)
{
    return old && old->is_range && old->iif == route->iif;
}

/* Among the ranges the route takes the old one's place, or a new one; and back. */
static bool enter_ranges(struct mfc *mfc, struct route *route, struct route *old,
                         struct error *error)
{
    if (!route->is_range)
        return true;
    if (takes_place(route, old))
        ranges_replace(&mfc->ranges, old, route);
    else if (!ranges_add(&mfc->ranges, route))
        return error_set(error, ERROR_NO_MEMORY, NULL,
                         "The service has no memory for another route.");
    return true;
}

static void leave_ranges(struct mfc *mfc, struct route *route, struct route *old)
{
    if (!route->is_range)
        return;
    if (takes_place(route, old))
        ranges_replace(&mfc->ranges, route, old);
    else
        ranges_remove(&mfc->ranges, route);
}

/* The route takes the place in the kernel of one that is there already (NULL: none). */
static bool install_route(struct mfc *mfc, struct route *route, const struct route *there,
                          struct error *error)
{
    int result;

    route->in_kernel = there && there->in_kernel;
    if (route->iif->pattern)
        ifaces_gather(&mfc->ifaces, mfc->mroute->netifs);
    result = mfc_sync(mfc, route);
    return result == 0 || error_set(error, result == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INTERNAL,
                                    NULL, "The kernel refused the route: %s.", strerror(-result));
}

static void give_up(struct mfc *mfc, struct route *route)
{
    bool gathers = route->iif->pattern;

    mfc_discard(mfc, route);
    if (gathers)
        ifaces_gather(&mfc->ifaces, mfc->mroute->netifs);
}

void mfc_replace(struct mfc *mfc, struct route *old, struct route *new)
{
    bool gathers = old->iif->pattern || new->iif->pattern;

    new->serial = old->serial;
    shares_exit(old);
    resource_move_leases(&new->resource, &old->resource);
    shares_enter(new);
    route_set_replace(&mfc->routes, old, new);
    move_cursors(mfc->mroute, old, new);
    if (old->is_range && (!new->is_range || new->iif != old->iif))
        ranges_remove(&mfc->ranges, old);
    while (!LIST_EMPTY(&old->learned_flows)) {
        struct learned *learned = LIST_FIRST(&old->learned_flows);

        LIST_REMOVE(learned, in_range);
        LIST_INSERT_HEAD(&new->learned_flows, learned, in_range);
        learned->by = new;
    }
    new->learned_count += old->learned_count;
    mfc_discard(mfc, old);
    mfc_attach_ifaces(mfc);
    if (gathers)
        ifaces_gather(&mfc->ifaces, mfc->mroute->netifs);
}

/* What follows for others when a range is there, or is another, or is not there any more. */
static void range_changed(struct mfc *mfc, struct route *range, bool is_new)
{
    neighbours_changed(mfc, &range->group, range);
    if (range->is_range && is_new)
        demand_begin(mfc, range);
    else if (range->is_range)
        demand_update(mfc, range);
}

/* The learned route whose entry of the kernel the new one is going to be, or NULL. */
static struct route *find_learned(const struct mfc *mfc, const struct route *route)
{
    struct route *flow = route->is_range ? NULL
                                         : route_set_find_flow(&mfc->routes, &route->source.address,
                                                               &route->group.address);

    return flow && flow->learned ? flow : NULL;
}

/* The route is in the kernel: it takes its place among the others. */
static void enter_set(struct mfc *mfc, struct route *route, struct route *old,
                      struct route *learned)
{
    if (learned) { /* its entry is the new route's by now */
        learned->in_kernel = false;
        mfc_remove(mfc, learned, ROUTE_EXPIRED_EVENT);
    }
    if (old) {
        mfc_replace(mfc, old, route);
    } else {
        route->serial = mfc->mroute->serial++;
        route_set_insert(&mfc->routes, route);
    }
    if (learned)
        mfc_attach_ifaces(mfc);
}

struct route *mfc_add(struct mfc *mfc, const struct args_add_mfc *args,
                      const struct resolved *resolved, struct route *old, struct error *error)
{
    bool was_range = old && old->is_range;
    struct route *route, *learned;

    mfc_verify(mfc);
    route = build_route(mfc, args, resolved, error);
    if (!route)
        return NULL;
    if (!enter_ranges(mfc, route, old, error)) {
        give_up(mfc, route);
        return NULL;
    }
    learned = find_learned(mfc, route);
    if (!install_route(mfc, route, learned ? learned : old, error)) {
        leave_ranges(mfc, route, old);
        give_up(mfc, route);
        return NULL;
    }
    enter_set(mfc, route, old, learned);
    if (route->is_range || was_range)
        range_changed(mfc, route, !was_range);
    return route;
}

/* --- Deleting ------------------------------------------------------------------------------ */

void mfc_forget(struct mfc *mfc, struct route *range)
{
    TAILQ_REMOVE(&mfc->lingering, range, in_order);
    give_up(mfc, range);
    mfc_attach_ifaces(mfc);
}

void mfc_remove(struct mfc *mfc, struct route *route, enum route_event event)
{
    struct prefix group = route->group;
    bool was_range = route->is_range, gathers = route->iif->pattern, lingers = false;

    tell_route(route, event);
    erase_entry(mfc, route);
    if (was_range) { /* before walks pass it over: those routes may come before it */
        ranges_remove(&mfc->ranges, route);
        lingers = !demand_end(mfc, route);
    }
    move_cursors(mfc->mroute, route, NULL);
    if (route->learned)
        demand_forget(mfc, route);
    route_set_remove(&mfc->routes, route);
    if (lingers)
        TAILQ_INSERT_TAIL(&mfc->lingering, route, in_order);
    else
        mfc_discard(mfc, route);
    if (gathers)
        ifaces_gather(&mfc->ifaces, mfc->mroute->netifs);
    if (was_range)
        neighbours_changed(mfc, &group, NULL);
}

void mfc_del(struct mfc *mfc, struct route *route, enum route_event event)
{
    mfc_remove(mfc, route, event);
    mfc_attach_ifaces(mfc);
}
