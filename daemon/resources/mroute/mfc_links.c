/* Interfaces that come, go, come back and change their names, and what follows for a table. */
#include "demand.h"
#include "mfc.h"

#include <string.h>

static bool names_port(const struct route *route, const struct port *port)
{
    if (route->iif == port)
        return true;
    for (unsigned i = 0; i < route->oif_count; i++)
        if (route->oifs[i].port == port)
            return true;
    return false;
}

/* Makes an entry fit again, and tells where that gave the route another state. */
static bool sync_and_tell(struct mfc *mfc, struct route *route, enum route_news news)
{
    enum route_state was = route->state;
    bool done = mfc_sync(mfc, route) == 0;

    if (route->state != was)
        mfc->host->route_news(mfc->host->context, news, route);
    return done;
}

/* False: the kernel kept an entry as it was. */
static bool sync_port(struct mfc *mfc, const struct port *port, enum route_news news)
{
    struct route *route;
    bool done = true;

    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (names_port(route, port))
            done &= sync_and_tell(mfc, route, news);
    return done;
}

/* --- New names ----------------------------------------------------------------------------- */

/* The route names one interface by two ports: what it says by `from` it says by `into` now. */
static void move_oifs(struct mfc *mfc, struct route *route, struct port *from, struct port *into)
{
    bool has = names_port(route, into);
    unsigned kept = 0;

    for (unsigned i = 0; i < route->oif_count; i++) {
        struct route_oif oif = route->oifs[i];

        if (oif.port == from) {
            port_release(&mfc->ports, from);
            if (has)
                continue;
            oif.port = into;
            into->ref_count++;
        }
        route->oifs[kept++] = oif;
    }
    route->oif_count = (uint8_t)kept;
}

static void move_route(struct mfc *mfc, struct route *route, struct port *from, struct port *into)
{
    move_oifs(mfc, route, from, into);
    if (route->iif == from) {
        route->iif = into;
        into->ref_count++;
        port_count_iif(&mfc->ports, into, 1);
        port_count_iif(&mfc->ports, from, -1);
        port_release(&mfc->ports, from);
    }
    sync_and_tell(mfc, route, ROUTE_RESTORED_NEWS);
}

/* Routes waited for an interface of the name that this one has been given. */
static void merge_ports(struct mfc *mfc, struct port *from, struct port *into)
{
    struct route *route;

    from->ref_count++; /* it stays until all have left it */
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (names_port(route, from))
            move_route(mfc, route, from, into);
    port_release(&mfc->ports, from);
    demand_outdate(mfc); /* what flows come in by has routes that it had not */
}

static void rename_port(struct mfc *mfc, struct port *port, const char *name)
{
    struct port *waiting = port_find_missing(&mfc->ports, name);

    port_rename(&mfc->ports, port, name);
    if (waiting)
        merge_ports(mfc, waiting, port);
}

/* --- Patterns ------------------------------------------------------------------------------ */

/* What patterns mean has changed. */
static void sync_patterns(struct mfc *mfc)
{
    struct route *route;

    mfc->ports.passed_over = false;
    ports_gather(&mfc->ports, mfc->host->links);
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (route->iif->pattern) {
            bool open = port_is_open(&mfc->ports, route->iif);

            sync_and_tell(mfc, route, open ? ROUTE_RESTORED_NEWS : ROUTE_WAITING_NEWS);
        }
    demand_outdate(mfc);
}

/* --- Interfaces that come and go ------------------------------------------------------------- */

void mfc_attach_ports(struct mfc *mfc)
{
    struct port *port;

    TAILQ_FOREACH (port, &mfc->ports.list, in_ports)
        if (port->ifindex && port->vif < 0 && ports_free_vifs(&mfc->ports) > 0 &&
            port_attach(&mfc->ports, port, port->ifindex))
            sync_port(mfc, port, ROUTE_RESTORED_NEWS);
    if (mfc->ports.passed_over && ports_free_vifs(&mfc->ports) > 0)
        sync_patterns(mfc);
}

static void gain_link(struct mfc *mfc, const struct link_info *link)
{
    struct port *port = port_find_missing(&mfc->ports, link->name), *into;

    if (!port)
        return;
    mfc_verify(mfc);
    into = port_find(&mfc->ports, "", link->ifindex);
    if (into) /* it had another name when it got its port */
        merge_ports(mfc, port, into);
    else if (port_attach(&mfc->ports, port, link->ifindex))
        sync_port(mfc, port, ROUTE_RESTORED_NEWS);
}

/* A flow that came in by an interface that is gone may come in by another: it is learned anew. */
static void forget_flows_from(struct mfc *mfc, const struct port *port)
{
    struct learned *learned = TAILQ_FIRST(&mfc->learned);

    while (learned) {
        struct learned *next = TAILQ_NEXT(learned, in_table);

        if (learned->route->iif == port)
            mfc_remove(mfc, learned->route, ROUTE_EXPIRED_NEWS);
        learned = next;
    }
}

static void lose_link(struct mfc *mfc, unsigned ifindex)
{
    struct port *port = port_find(&mfc->ports, "", ifindex);
    const struct link_info *link;
    char name[INTERFACE_NAME_MAX + 1];
    int vif;

    if (!port)
        return;
    port->ref_count++; /* it may be nobody's, when what was learned is forgotten */
    memcpy(name, port->name, sizeof name);
    forget_flows_from(mfc, port);
    vif = port_detach(&mfc->ports, port);
    if (sync_port(mfc, port, ROUTE_WAITING_NEWS) && vif >= 0)
        port_free_vif(&mfc->ports, vif);
    port_release(&mfc->ports, port);
    mfc_attach_ports(mfc);
    link = links_find(mfc->host->links, name);
    if (link) /* made again already: word of the new one came before that of the old one's end */
        gain_link(mfc, link);
}

void mfc_link_changed(struct mfc *mfc, const struct link_info *was, const struct link_info *is)
{
    struct port *port = is ? port_find(&mfc->ports, is->name, is->ifindex) : NULL;

    if (!is)
        lose_link(mfc, was->ifindex);
    else if (!port)
        gain_link(mfc, is);
    else if (strcmp(port->name, is->name) != 0)
        rename_port(mfc, port, is->name);
    if (mfc->ports.pattern_count > 0 && (!was || !is || strcmp(was->name, is->name) != 0)) {
        mfc_verify(mfc);
        sync_patterns(mfc);
    }
}
