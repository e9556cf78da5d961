/* Adoption: what a table holds already becomes its routes. */
#include "demand.h"
#include "mroute_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKS_A_WORD = 1024 }; /* some milliseconds */

static void note_look(struct mroute *mroute)
{
    if (++mroute->looks % LOOKS_A_WORD == 0 && mroute->callbacks.works)
        mroute->callbacks.works(mroute->callbacks.context);
}

static void adopt_vif(void *context, unsigned vif, unsigned ifindex)
{
    struct mfc *mfc = context;
    const struct netif *netif = netifs_find_index(mfc->mroute->netifs, ifindex);

    if (netif && !iface_find(&mfc->ifaces, netif->name, ifindex))
        iface_adopt(&mfc->ifaces, netif->name, ifindex, vif);
    else
        mfc->ifaces.used_vifs |= 1u << vif; /* not ours to use */
}

static void adopt_oifs(struct mfc *mfc, struct route *route, const struct mfc_found *found)
{
    bool any = address_is_any(&found->source);

    route->oif_count = 0;
    for (unsigned i = 0; i < found->oif_count; i++) {
        struct iface *iface = iface_find(&mfc->ifaces, "", found->oifs[i].ifindex);
        bool implied = any && found->oif_count > 1 && iface == route->iif;

        if (!iface || implied)
            continue;
        iface->ref_count++;
        route->oifs[route->oif_count++] = (struct route_oif){iface, found->oifs[i].ttl};
    }
}

/* NULL: no memory, or it names no inbound interface that lives. */
static struct route *new_found(struct mfc *mfc, const struct mfc_found *found,
                               const struct prefix *source, const struct prefix *group)
{
    struct iface *iif = found->iif ? iface_find(&mfc->ifaces, "", found->iif) : NULL;
    struct route *route = iif ? route_new(source, group, found->oif_count) : NULL;

    if (!route)
        return NULL;
    route->is_range = source->length == 0;
    if (route->is_range && !ranges_add(&mfc->ranges, route)) {
        free(route);
        return NULL;
    }
    iif->ref_count++;
    iface_count_iif(&mfc->ifaces, iif, 1);
    route->iif = iif;
    route->mfc = mfc;
    resource_init(&route->resource, &mroute_ops);
    route->idle = IDLE_SECONDS_DEFAULT;
    route->in_kernel = true;
    return route;
}

static void adopt_mfc(void *context, const struct mfc_found *found)
{
    struct mfc *mfc = context;
    struct prefix source = prefix_single(&found->source), group = prefix_single(&found->group);
    struct route *route;

    note_look(mfc->mroute);
    if (address_is_any(&found->source))
        source.length = 0;
    if (found->unresolved || route_set_find(&mfc->routes, &source, &group, NULL))
        return;
    route = new_found(mfc, found, &source, &group);
    if (!route) { /* it would leak to whoever gets the VIF that it names */
        mfc->writes++;
        mroute_mfc_del(&mfc->socket, &found->source, &found->group);
        return;
    }
    route->serial = mfc->mroute->serial++;
    adopt_oifs(mfc, route, found);
    route_set_insert(&mfc->routes, route);
    mfc->unverified = true;
}

int mfc_adopt(struct mfc *mfc)
{
    struct mroute_visitor visitor = {adopt_vif, adopt_mfc, mfc};
    int result;

    /* The keeper may have opened it for a version of the service that did not want to know. */
    mroute_tell_wrong_interfaces(&mfc->socket);
    result = mroute_dump(&mfc->socket, &visitor);

    ifaces_drop_unused(&mfc->ifaces);
    rules_load(&mfc->rules);
    return result;
}

/* Nobody asked for it as far as is known. */
static void hold_found(struct mfc *mfc, struct route *route)
{
    struct holder nobody = {
        .kind = HOLDER_FOUND,
        .lease = lease_prepare(mfc->mroute->leases, LEASE_UID_UNKNOWN),
    };

    lease_begin(mfc->mroute->leases, &route->resource, &nobody);
}

void mfc_settle(struct mfc *mfc, bool whole)
{
    struct route *route, *next;

    for (route = TAILQ_FIRST(&mfc->routes.order); route; route = next) {
        next = TAILQ_NEXT(route, in_order);
        note_look(mfc->mroute);
        if (route->learned || !resource_is_free(&route->resource) ||
            demand_claim(mfc, route, whole))
            continue;
        if (whole)
            mfc_del(mfc, route, ROUTE_DELETED_EVENT);
        else
            hold_found(mfc, route);
    }
    demand_outdate(mfc);
}
