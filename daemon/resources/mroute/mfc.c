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
#include "mfc.h"

#include "admission.h"
#include "demand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mfc *mfc_new(struct mfc_host *host, uint8_t family, uint32_t table, uint64_t seed)
{
    struct mfc *mfc = calloc(1, sizeof *mfc);

    if (!mfc)
        return NULL;
    mfc->socket = (struct mroute_socket){-1, family, table};
    mfc->host = host;
    TAILQ_INIT(&mfc->learned);
    ports_init(&mfc->ports, &mfc->socket);
    rules_init(&mfc->rules, host->rules, family, table);
    if (route_set_init(&mfc->routes, seed) && ranges_init(&mfc->ranges, seed))
        return mfc;
    free(mfc->routes.buckets);
    free(mfc);
    return NULL;
}

void mfc_free(struct mfc *mfc)
{
    if (mfc->socket.fd >= 0)
        close(mfc->socket.fd);
    mfc->host->learned -= mfc->learned_count;
    ranges_clear(&mfc->ranges);
    route_set_clear(&mfc->routes);
    ports_clear(&mfc->ports);
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
        has |= route->oifs[i].port->pattern;
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
        if (route->oifs[i].port->vif >= 0)
            ret->ttls[route->oifs[i].port->vif] = route->oifs[i].ttl;
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
    result = mroute_mfc_del(&mfc->socket, &route->source.address, &route->group.address);
    return result == -ENOENT ? 0 : result;
}

int mfc_sync(struct mfc *mfc, struct route *route)
{
    struct mfc_entry entry;
    enum route_state state;
    int result;

    if (!wants_entry(mfc, route)) {
        bool open = port_is_open(&mfc->ports, route->iif);

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

void mfc_verify(struct mfc *mfc)
{
    struct route *route;

    if (!mfc->unverified)
        return;
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (route->in_kernel && !route->verified && mfc_sync(mfc, route) < 0) {
            erase_entry(mfc, route);
            set_state(mfc, route, ROUTE_WAITING);
        }
    mfc->unverified = false;
}

struct neighbours {
    struct mfc *mfc;
    const struct route *but;
};

static void sync_neighbour(void *context, struct route *route)
{
    struct neighbours *neighbours = context;

    if (route != neighbours->but && route->in_kernel != wants_entry(neighbours->mfc, route))
        mfc_sync(neighbours->mfc, route);
}

/* A range came or went: others, that are within it, are not alone any more, or are again. */
static void sync_neighbours(struct mfc *mfc, const struct prefix *group, const struct route *but)
{
    struct neighbours neighbours = {mfc, but};

    ranges_visit(&mfc->ranges, group, sync_neighbour, &neighbours);
}

/* --- Ports --------------------------------------------------------------------------------- */

static void release_ports(struct mfc *mfc, struct route *route)
{
    for (unsigned i = route->oif_count; i > 0; i--)
        port_release(&mfc->ports, route->oifs[i - 1].port);
    if (route->iif) {
        port_count_iif(&mfc->ports, route->iif, -1);
        port_release(&mfc->ports, route->iif);
    }
}

void mfc_discard(struct mfc *mfc, struct route *route)
{
    set_state(mfc, route, ROUTE_INSTALLED);
    release_ports(mfc, route);
    route_free(route);
}

/* Counts the route on its ports; on an error those that it was counted on are released. */
static bool acquire_ports(struct mfc *mfc, struct route *route, const struct args_add_mfc *args,
                          const struct resolved *resolved, struct error *error)
{
    route->oif_count = 0;
    route->iif = port_acquire(&mfc->ports, args->iif.text, resolved->iif, error);
    if (!route->iif)
        return false;
    port_count_iif(&mfc->ports, route->iif, 1);
    for (uint32_t i = 0; i < args->oifs.count; i++) {
        if (admission_is_implied(args, i))
            continue;

        struct port *port =
            port_acquire(&mfc->ports, args->oifs.names[i].text, resolved->oifs[i], error);

        if (!port) {
            release_ports(mfc, route);
            return false;
        }
        route->oifs[route->oif_count++] = (struct route_oif){port, admission_ttl_of(args, i)};
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
    holding_init(&route->holding, mfc->host->holding_class);
    if (!acquire_ports(mfc, route, args, resolved, error)) {
        free(route);
        return NULL;
    }
    route->idle = args->idle;
    route->is_range =
        !prefix_is_single(&source) || !prefix_is_single(&args->group) || has_patterns(route);
    return route;
}

/* Among the ranges the route takes the old one's place, or a new one; and back. */
static bool enter_ranges(struct mfc *mfc, struct route *route, struct route *old,
                         struct error *error)
{
    if (!route->is_range)
        return true;
    if (old && old->is_range)
        ranges_replace(old, route);
    else if (!ranges_add(&mfc->ranges, route))
        return error_set(error, ERROR_NO_MEMORY, NULL,
                         "The service has no memory for another route.");
    return true;
}

static void leave_ranges(struct mfc *mfc, struct route *route, struct route *old)
{
    if (!route->is_range)
        return;
    if (old && old->is_range)
        ranges_replace(route, old);
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
        ports_gather(&mfc->ports, mfc->host->links);
    result = mfc_sync(mfc, route);
    return result == 0 || error_set(error, result == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INTERNAL,
                                    NULL, "The kernel refused the route: %s.", strerror(-result));
}

static void give_up(struct mfc *mfc, struct route *route)
{
    bool gathers = route->iif->pattern;

    mfc_discard(mfc, route);
    if (gathers)
        ports_gather(&mfc->ports, mfc->host->links);
}

void mfc_replace(struct mfc *mfc, struct route *old, struct route *new)
{
    bool gathers = old->iif->pattern || new->iif->pattern;

    new->serial = old->serial;
    holding_move(&new->holding, &old->holding);
    route_set_replace(&mfc->routes, old, new);
    mfc->host->route_goes(mfc->host->context, old, new);
    if (old->is_range && !new->is_range)
        ranges_remove(&mfc->ranges, old);
    while (!LIST_EMPTY(&old->taught)) {
        struct learned *learned = LIST_FIRST(&old->taught);

        LIST_REMOVE(learned, in_range);
        LIST_INSERT_HEAD(&new->taught, learned, in_range);
        learned->by = new;
    }
    mfc_discard(mfc, old);
    mfc_attach_ports(mfc);
    if (gathers)
        ports_gather(&mfc->ports, mfc->host->links);
}

/* What follows for others when a range is there, or is another, or is not there any more. */
static void range_changed(struct mfc *mfc, struct route *range, bool is_new)
{
    sync_neighbours(mfc, &range->group, range);
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
        mfc_remove(mfc, learned, ROUTE_EXPIRED_NEWS);
    }
    if (old) {
        mfc_replace(mfc, old, route);
    } else {
        route->serial = mfc->host->serial++;
        route_set_insert(&mfc->routes, route);
    }
    if (learned)
        mfc_attach_ports(mfc);
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

void mfc_remove(struct mfc *mfc, struct route *route, enum route_news news)
{
    struct prefix group = route->group;
    bool was_range = route->is_range, gathers = route->iif->pattern;

    mfc->host->route_news(mfc->host->context, news, route);
    erase_entry(mfc, route);
    if (was_range) { /* before walks pass it over: those routes may come before it */
        ranges_remove(&mfc->ranges, route);
        demand_end(mfc, route);
    }
    mfc->host->route_goes(mfc->host->context, route, NULL);
    if (route->learned)
        demand_forget(mfc, route);
    route_set_remove(&mfc->routes, route);
    mfc_discard(mfc, route);
    if (gathers)
        ports_gather(&mfc->ports, mfc->host->links);
    if (was_range)
        sync_neighbours(mfc, &group, NULL);
}

void mfc_del(struct mfc *mfc, struct route *route, enum route_news news)
{
    mfc_remove(mfc, route, news);
    mfc_attach_ports(mfc);
}
