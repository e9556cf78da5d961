/* Adoption: what a table holds already becomes its routes. */
#include "mfc.h"

#include <string.h>

struct adoption {
    struct mfc *mfc;
    uint64_t *serial;
};

static void adopt_vif(void *context, unsigned vif, unsigned ifindex)
{
    struct mfc *mfc = ((struct adoption *)context)->mfc;
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

static void adopt_mfc(void *context, const struct mfc_found *found)
{
    struct adoption *adoption = context;
    struct mfc *mfc = adoption->mfc;
    struct port *iif = found->iif ? port_find(&mfc->ports, "", found->iif) : NULL;

    if (found->unresolved || route_set_find(&mfc->routes, &found->source, &found->group))
        return;

    struct route *route = iif ? route_new(&found->source, &found->group, found->oif_count) : NULL;

    if (!route) { /* it names no interface that lives: it would leak to the next one */
        mfc->writes++;
        mroute_mfc_del(&mfc->socket, &found->source, &found->group);
        return;
    }
    iif->ref_count++;
    port_count_iif(&mfc->ports, iif, 1);
    route->iif = iif;
    route->mfc = mfc;
    route->lease = lease_new(mfc->host->leases, LEASE_UID_UNKNOWN);
    route->serial = (*adoption->serial)++;
    adopt_oifs(mfc, route, found);
    route_set_insert(&mfc->routes, route);
    mfc->unverified = true;
}

int mfc_adopt(struct mfc *mfc, uint64_t *serial)
{
    struct adoption adoption = {mfc, serial};
    struct mroute_visitor visitor = {adopt_vif, adopt_mfc, &adoption};
    int result = mroute_dump(&mfc->socket, &visitor);

    ports_drop_unused(&mfc->ports);
    rules_load(&mfc->rules);
    return result;
}
