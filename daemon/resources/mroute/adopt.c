/* Adoption: what a table holds already becomes its routes. */
#include "demand.h"
#include "mfc.h"

#include <stdlib.h>
#include <string.h>

static void adopt_vif(void *context, unsigned vif, unsigned ifindex)
{
    struct mfc *mfc = context;
    const struct link_info *link = links_find_index(mfc->host->links, ifindex);

    if (link && !port_find(&mfc->ports, link->name, ifindex))
        port_adopt(&mfc->ports, link->name, ifindex, vif);
    else
        mfc->ports.used_vifs |= 1u << vif; /* not ours to use */
}

static void adopt_oifs(struct mfc *mfc, struct route *route, const struct mfc_found *found)
{
    bool any = address_is_any(&found->source);

    route->oif_count = 0;
    for (unsigned i = 0; i < found->oif_count; i++) {
        struct port *port = port_find(&mfc->ports, "", found->oifs[i].ifindex);
        bool implied = any && found->oif_count > 1 && port == route->iif;

        if (!port || implied)
            continue;
        port->ref_count++;
        route->oifs[route->oif_count++] = (struct route_oif){port, found->oifs[i].ttl};
    }
}

/* NULL: no memory, or it names no inbound interface that lives. */
static struct route *new_found(struct mfc *mfc, const struct mfc_found *found,
                               const struct prefix *source, const struct prefix *group)
{
    struct port *iif = found->iif ? port_find(&mfc->ports, "", found->iif) : NULL;
    struct route *route = iif ? route_new(source, group, found->oif_count) : NULL;

    if (!route)
        return NULL;
    route->is_range = source->length == 0;
    if (route->is_range && !ranges_add(&mfc->ranges, route)) {
        free(route);
        return NULL;
    }
    iif->ref_count++;
    port_count_iif(&mfc->ports, iif, 1);
    route->iif = iif;
    route->mfc = mfc;
    holding_init(&route->holding, mfc->host->holding_class);
    route->idle = IDLE_SECONDS_DEFAULT;
    route->in_kernel = true;
    return route;
}

static void adopt_mfc(void *context, const struct mfc_found *found)
{
    struct mfc *mfc = context;
    struct prefix source = prefix_single(&found->source), group = prefix_single(&found->group);
    struct route *route;

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
    route->serial = mfc->host->serial++;
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

    ports_drop_unused(&mfc->ports);
    rules_load(&mfc->rules);
    return result;
}

/* Nobody asked for it as far as is known. */
static void hold_found(struct mfc *mfc, struct route *route)
{
    struct owner nobody = {
        .kind = HOLD_FOUND,
        .lease = lease_new(mfc->host->leases, LEASE_UID_UNKNOWN),
    };
    bool is_new;

    holding_add(&route->holding, &nobody, &is_new);
}

void mfc_settle(struct mfc *mfc)
{
    struct route *route;

    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (!route->learned && holding_is_empty(&route->holding) && !demand_claim(mfc, route))
            hold_found(mfc, route);
    demand_outdate(mfc);
}
