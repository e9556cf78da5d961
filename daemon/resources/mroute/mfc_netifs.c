/* Interfaces that come, go, come back and change their names, and what follows for a table. */
#include "demand.h"
#include "mroute_internal.h"

#include <string.h>

static bool names_iface(const struct route *route, const struct iface *iface)
{
    if (route->iif == iface)
        return true;
    for (unsigned i = 0; i < route->oif_count; i++)
        if (route->oifs[i].iface == iface)
            return true;
    return false;
}

/* Makes an entry fit again, and tells where that gave the route another state. */
static bool sync_and_tell(struct mfc *mfc, struct route *route, enum route_event event)
{
    enum route_state was = route->state;
    bool done = mfc_sync(mfc, route) == 0;

    if (route->state != was)
        tell_route(route, event);
    return done;
}

/* False: the kernel kept an entry as it was. */
static bool sync_iface(struct mfc *mfc, const struct iface *iface, enum route_event event)
{
    struct route *route;
    bool done = true;

    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (names_iface(route, iface))
            done &= sync_and_tell(mfc, route, event);
    return done;
}

/* --- New names ----------------------------------------------------------------------------- */

/* The route names one interface by two ifaces: what it says by `from` it says by `into` now. */
static void move_oifs(struct mfc *mfc, struct route *route, struct iface *from, struct iface *into)
{
    bool has = names_iface(route, into);
    unsigned kept = 0;

    for (unsigned i = 0; i < route->oif_count; i++) {
        struct route_oif oif = route->oifs[i];

        if (oif.iface == from) {
            iface_release(&mfc->ifaces, from);
            if (has)
                continue;
            oif.iface = into;
            into->ref_count++;
        }
        route->oifs[kept++] = oif;
    }
    route->oif_count = (uint8_t)kept;
}

static void move_route(struct mfc *mfc, struct route *route, struct iface *from, struct iface *into)
{
    shares_exit(route);
    move_oifs(mfc, route, from, into);
    if (route->iif == from) {
        if (route->is_range)
            ranges_move(&mfc->ranges, route, into);
        route->iif = into;
        into->ref_count++;
        iface_count_iif(&mfc->ifaces, into, 1);
        iface_count_iif(&mfc->ifaces, from, -1);
        iface_release(&mfc->ifaces, from);
    }
    shares_enter(route);
    sync_and_tell(mfc, route, ROUTE_RESTORED_EVENT);
}

/* Routes waited for an interface of the name that this one has been given. */
static void merge_ifaces(struct mfc *mfc, struct iface *from, struct iface *into)
{
    struct route *route;

    from->ref_count++; /* it stays until all have left it */
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (names_iface(route, from))
            move_route(mfc, route, from, into);
    iface_release(&mfc->ifaces, from);
    demand_outdate(mfc); /* what flows come in by has routes that it had not */
}

static void rename_iface(struct mfc *mfc, struct iface *iface, const char *name)
{
    struct iface *waiting = iface_find_missing(&mfc->ifaces, name);
    struct route *route;

    iface_rename(&mfc->ifaces, iface, name);
    if (waiting)
        merge_ifaces(mfc, waiting, iface);
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (!route->learned && names_iface(route, iface))
            resource_changed(mfc->mroute->leases, &route->resource);
}

/* --- Patterns ------------------------------------------------------------------------------ */

/* What patterns mean has changed. */
static void sync_patterns(struct mfc *mfc)
{
    struct route *route;

    mfc->ifaces.passed_over = false;
    ifaces_gather(&mfc->ifaces, mfc->mroute->netifs);
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (route->iif->pattern) {
            bool open = iface_is_open(&mfc->ifaces, route->iif);

            sync_and_tell(mfc, route, open ? ROUTE_RESTORED_EVENT : ROUTE_WAITING_EVENT);
        }
    demand_outdate(mfc);
}

/* --- Interfaces that come and go ------------------------------------------------------------- */

void mfc_attach_ifaces(struct mfc *mfc)
{
    struct iface *iface;

    TAILQ_FOREACH (iface, &mfc->ifaces.list, in_ifaces)
        if (iface->ifindex && iface->vif < 0 && ifaces_free_vifs(&mfc->ifaces) > 0 &&
            iface_attach(&mfc->ifaces, iface, iface->ifindex))
            sync_iface(mfc, iface, ROUTE_RESTORED_EVENT);
    if (mfc->ifaces.passed_over && ifaces_free_vifs(&mfc->ifaces) > 0)
        sync_patterns(mfc);
}

static void gain_netif(struct mfc *mfc, const struct netif *netif)
{
    struct iface *iface = iface_find_missing(&mfc->ifaces, netif->name), *into;

    if (!iface)
        return;
    mfc_verify(mfc);
    into = iface_find(&mfc->ifaces, "", netif->ifindex);
    if (into) /* it had another name when it got its iface */
        merge_ifaces(mfc, iface, into);
    else if (iface_attach(&mfc->ifaces, iface, netif->ifindex))
        sync_iface(mfc, iface, ROUTE_RESTORED_EVENT);
}

/* A flow that came in by an interface that is gone may come in by another: it is learned anew. */
static void forget_flows_from(struct mfc *mfc, const struct iface *iface)
{
    struct learned *learned = TAILQ_FIRST(&mfc->learned);

    while (learned) {
        struct learned *next = TAILQ_NEXT(learned, in_table);

        if (learned->route->iif == iface)
            mfc_remove(mfc, learned->route, ROUTE_EXPIRED_EVENT);
        learned = next;
    }
}

static void lose_netif(struct mfc *mfc, unsigned ifindex)
{
    struct iface *iface = iface_find(&mfc->ifaces, "", ifindex);
    const struct netif *netif;
    char name[INTERFACE_NAME_MAX + 1];
    int vif;

    if (!iface)
        return;
    iface->ref_count++; /* it may be nobody's, when what was learned is forgotten */
    memcpy(name, iface->name, sizeof name);
    forget_flows_from(mfc, iface);
    vif = iface_detach(&mfc->ifaces, iface);
    if (sync_iface(mfc, iface, ROUTE_WAITING_EVENT) && vif >= 0)
        iface_free_vif(&mfc->ifaces, vif);
    iface_release(&mfc->ifaces, iface);
    mfc_attach_ifaces(mfc);
    netif = netifs_find(mfc->mroute->netifs, name);
    if (netif) /* made again already: word of the new one came before that of the old one's end */
        gain_netif(mfc, netif);
}

void mfc_netif_changed(struct mfc *mfc, const struct netif *was, const struct netif *is)
{
    struct iface *iface = is ? iface_find(&mfc->ifaces, is->name, is->ifindex) : NULL;

    if (!is)
        lose_netif(mfc, was->ifindex);
    else if (!iface)
        gain_netif(mfc, is);
    else if (strcmp(iface->name, is->name) != 0)
        rename_iface(mfc, iface, is->name);
    if (mfc->ifaces.pattern_count > 0 && (!was || !is || strcmp(was->name, is->name) != 0)) {
        mfc_verify(mfc);
        sync_patterns(mfc);
    }
}
