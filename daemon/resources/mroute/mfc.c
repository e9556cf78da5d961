/* How VIFs are never lent to a stranger.
 *
 * The kernel's entries name VIFs by number and are not told when a VIF goes; whoever gets the
 * number next receives the old traffic (measured on Linux 6.18: a route to a deleted interface
 * went on to the next interface that was given its slot). So a number is free only when no entry
 * names it: when an interface goes, the entries that name its VIF are rewritten first, and the
 * entries that a process before us wrote, which may name numbers that went while nobody looked,
 * are rewritten before the first new VIF is made. */
#include "mfc.h"

#include "admission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mfc *mfc_new(const struct mfc_host *host, uint8_t family, uint32_t table, uint64_t seed)
{
    struct mfc *mfc = calloc(1, sizeof *mfc);

    if (!mfc)
        return NULL;
    mfc->socket = (struct mroute_socket){-1, family, table};
    mfc->host = host;
    ports_init(&mfc->ports, &mfc->socket);
    rules_init(&mfc->rules, host->rules, family, table);
    if (route_set_init(&mfc->routes, seed))
        return mfc;
    free(mfc);
    return NULL;
}

void mfc_free(struct mfc *mfc)
{
    if (mfc->socket.fd >= 0)
        close(mfc->socket.fd);
    route_set_clear(&mfc->routes);
    ports_clear(&mfc->ports);
    free(mfc);
}

/* --- Into the kernel ----------------------------------------------------------------------- */

static void set_state(struct mfc *mfc, struct route *route, enum route_state state)
{
    mfc->waiting += (size_t)(state == ROUTE_WAITING);
    mfc->waiting -= (size_t)(route->state == ROUTE_WAITING);
    route->state = state;
}

/* The entry that stands for a route whose inbound interface exists. */
static enum route_state make_entry(const struct route *route, struct mfc_entry *ret)
{
    enum route_state state = ROUTE_INSTALLED;

    *ret = (struct mfc_entry){
        .source = route->source,
        .group = route->group,
        .parent = (unsigned)route->iif->vif,
    };
    for (unsigned i = 0; i < route->oif_count; i++) {
        if (route->oifs[i].port->vif >= 0)
            ret->ttls[route->oifs[i].port->vif] = route->oifs[i].ttl;
        else
            state = ROUTE_PARTIAL;
    }
    /* An entry for any source matches only interfaces of its own set; the kernel never sends a
     * packet back where it came from (ipmr_cache_find_any() and ip_mr_forward(), net/ipv4). */
    if (address_is_any(&route->source) && ret->ttls[ret->parent] == 0)
        ret->ttls[ret->parent] = 1;
    return state;
}

/* Makes the kernel's entry fit the route and the interfaces there are now. */
static int sync_route(struct mfc *mfc, struct route *route)
{
    struct mfc_entry entry;
    int result = 0;

    if (route->iif->vif < 0) {
        if (route->state != ROUTE_WAITING) {
            mfc->writes++;
            result = mroute_mfc_del(&mfc->socket, &route->source, &route->group);
        }
        set_state(mfc, route, ROUTE_WAITING);
        return result == -ENOENT ? 0 : result;
    }
    enum route_state state = make_entry(route, &entry);

    mfc->writes++;
    result = mroute_mfc_set(&mfc->socket, &entry);
    if (result == 0) {
        set_state(mfc, route, state);
        route->verified = true;
    }
    return result;
}

/* Rewrites what an earlier process wrote, so that no entry names a VIF that is not ours. */
static void verify_routes(struct mfc *mfc)
{
    struct route *route;

    if (!mfc->unverified)
        return;
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (!route->verified)
            sync_route(mfc, route);
    mfc->unverified = false;
}

/* --- Adding -------------------------------------------------------------------------------- */

static void release_ports(struct mfc *mfc, struct route *route)
{
    for (unsigned i = route->oif_count; i > 0; i--)
        port_release(&mfc->ports, route->oifs[i - 1].port);
    if (!route->iif)
        return;
    port_count_iif(&mfc->ports, route->iif, -1);
    port_release(&mfc->ports, route->iif);
}

/* Counts the route on its ports; on an error those that it was counted on are released. */
static bool acquire_ports(struct mfc *mfc, struct route *route, const struct args_add_mfc *args,
                          const struct resolved *resolved, struct error *error)
{
    route->oif_count = 0;
    route->iif = port_acquire(&mfc->ports, args->iif.text, resolved->iif, error);
    if (route->iif)
        port_count_iif(&mfc->ports, route->iif, 1);
    for (uint32_t i = 0; route->iif && i < args->oifs.count; i++) {
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
    return route->iif != NULL;
}

static struct route *build_route(struct mfc *mfc, const struct args_add_mfc *args,
                                 const struct resolved *resolved, struct error *error)
{
    struct address source = admission_source(args);
    struct route *route = route_new(&source, &args->group, args->oifs.count);

    if (!route) {
        error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another route.");
        return NULL;
    }
    route->mfc = mfc;
    if (acquire_ports(mfc, route, args, resolved, error))
        return route;
    free(route);
    return NULL;
}

/* The route takes the place of the old one in the kernel, or a new place. */
static bool install_route(struct mfc *mfc, struct route *route, const struct route *old,
                          struct error *error)
{
    route->state = old ? old->state : ROUTE_WAITING;
    mfc->waiting += (size_t)!old;

    int result = sync_route(mfc, route);

    if (result == 0)
        return true;
    mfc->waiting -= (size_t)!old;
    return error_set(error, result == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INTERNAL, NULL,
                     "The kernel refused the route: %s.", strerror(-result));
}

bool mfc_add(struct mfc *mfc, const struct args_add_mfc *args, const struct lease *lease, bool wait,
             uint64_t serial, struct mfc_change *ret, struct error *error)
{
    struct resolved resolved = {0};
    struct address source = admission_source(args);

    *ret = (struct mfc_change){0};
    if (!admission_check(mfc, mfc->host->links, args, wait, &resolved, &ret->kind, error))
        return false;
    if (ret->kind == CHANGE_NONE)
        return true;
    verify_routes(mfc);

    struct route *old = route_set_find(&mfc->routes, &source, &args->group);
    struct route *route = build_route(mfc, args, &resolved, error);

    if (!route)
        return false;
    if (!install_route(mfc, route, old, error)) {
        release_ports(mfc, route);
        free(route);
        return false;
    }
    route->lease = *lease;
    route->serial = old ? old->serial : serial;
    if (old)
        route_set_replace(&mfc->routes, old, route);
    else
        route_set_insert(&mfc->routes, route);
    ret->old = old;
    ret->new = route;
    return true;
}

/* --- Packets without a route -------------------------------------------------------------- */

void mfc_note_upcall(struct mfc *mfc, const struct upcall *upcall)
{
    const struct port *port = port_of_vif(&mfc->ports, upcall->vif);

    mfc->no_route += upcall->kind == UPCALL_NO_ROUTE;
    mfc->wrong_interface += upcall->kind == UPCALL_WRONG_INTERFACE;
    if (upcall->kind == UPCALL_NO_ROUTE && port)
        strays_note(&mfc->strays, upcall, port->ifindex, strays_now());
}

/* --- Interfaces that come and go ----------------------------------------------------------- */

static bool names_port(const struct route *route, const struct port *port)
{
    if (route->iif == port)
        return true;
    for (unsigned i = 0; i < route->oif_count; i++)
        if (route->oifs[i].port == port)
            return true;
    return false;
}

/* False: the kernel kept an entry as it was. */
static bool sync_port(struct mfc *mfc, const struct port *port, enum route_news news)
{
    struct route *route;
    bool done = true;

    TAILQ_FOREACH (route, &mfc->routes.order, in_order) {
        if (!names_port(route, port))
            continue;

        enum route_state was = route->state;

        done &= sync_route(mfc, route) == 0;
        if (route->state != was)
            mfc->host->route_news(mfc->host->context, news, route);
    }
    return done;
}

/* Interfaces that came while all VIFs were taken get those that are free now. */
static void attach_ports(struct mfc *mfc)
{
    struct port *port;

    TAILQ_FOREACH (port, &mfc->ports.list, in_ports)
        if (port->ifindex && port->vif < 0 && ports_free_vifs(&mfc->ports) > 0 &&
            port_attach(&mfc->ports, port, port->ifindex))
            sync_port(mfc, port, ROUTE_RESTORED_NEWS);
}

static void gain_link(struct mfc *mfc, const struct link_info *link)
{
    struct port *port = port_find(&mfc->ports, link->name, 0);

    if (!port)
        return;
    verify_routes(mfc);
    if (port_attach(&mfc->ports, port, link->ifindex))
        sync_port(mfc, port, ROUTE_RESTORED_NEWS);
}

static void lose_link(struct mfc *mfc, unsigned ifindex)
{
    struct port *port = port_find(&mfc->ports, "", ifindex);

    if (!port)
        return;

    int vif = port_detach(&mfc->ports, port);
    bool erased = sync_port(mfc, port, ROUTE_WAITING_NEWS);
    const struct link_info *link = links_find(mfc->host->links, port->name);

    if (vif >= 0 && erased)
        port_free_vif(&mfc->ports, vif);
    attach_ports(mfc);
    if (link) /* made again already: word of the new one came before that of the old one's end */
        gain_link(mfc, link);
}

void mfc_link_changed(struct mfc *mfc, const struct link_info *was, const struct link_info *is)
{
    if (was && !is) {
        lose_link(mfc, was->ifindex);
        return;
    }
    struct port *port = port_find(&mfc->ports, is->name, is->ifindex);

    if (port) /* the same interface, perhaps under another name */
        port_rename(&mfc->ports, port, is->name);
    else
        gain_link(mfc, is);
}

/* --- Deleting ------------------------------------------------------------------------------ */

void mfc_drop_old(struct mfc *mfc, struct route *old)
{
    release_ports(mfc, old);
    free(old);
    attach_ports(mfc);
}

void mfc_del(struct mfc *mfc, struct route *route)
{
    if (route->state != ROUTE_WAITING) {
        mfc->writes++;
        mroute_mfc_del(&mfc->socket, &route->source, &route->group);
    }
    set_state(mfc, route, ROUTE_INSTALLED);
    route_set_remove(&mfc->routes, route);
    release_ports(mfc, route);
    free(route);
    attach_ports(mfc);
}
