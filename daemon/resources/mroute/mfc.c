/* How VIFs are never lent to a stranger.
 *
 * The kernel's entries name VIFs by number and are not told when a VIF goes; whoever gets the
 * number next receives the old traffic (measured on Linux 6.18: a route to a deleted interface
 * went on to the next interface that was given its slot). So a number is free only when no entry
 * names it: when an interface goes, the entries that name its VIF are rewritten first, and the
 * entries that a process before us wrote, which may name numbers that went while nobody looked,
 * are rewritten before the first new VIF is made. */
#include "mfc.h"

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

/* The interfaces of a request, resolved to the kernel's indexes. */
struct resolved {
    unsigned iif;
    unsigned oifs[VIFS_MAX];
};

static bool refuse_interface(const char *field, const char *name, struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND, field,
                     "Invalid argument: Interface '%s' not found. '%s' takes interfaces that 'ip "
                     "link' lists.",
                     name, field);
}

static bool resolve(const struct links *links, const struct args_add_mfc *args, bool wait,
                    struct resolved *ret, struct error *error)
{
    const struct link_info *link = links_find(links, args->iif.text);

    if (!link && !wait)
        return refuse_interface("iif", args->iif.text, error);
    ret->iif = link ? link->ifindex : 0;
    for (uint32_t i = 0; i < args->oifs.count; i++) {
        link = links_find(links, args->oifs.names[i].text);
        if (!link && !wait)
            return refuse_interface("oifs", args->oifs.names[i].text, error);
        ret->oifs[i] = link ? link->ifindex : 0;
    }
    return true;
}

static struct address effective_source(const struct args_add_mfc *args)
{
    return args->source.family ? args->source : address_any(args->group.family);
}

static bool check_ttls(const struct args_add_mfc *args, struct error *error)
{
    if (args->ttls.count == 0)
        return true;
    if (args->group.family == FAMILY_IPV6)
        return error_set(error, ERROR_UNSUPPORTED, "ttls",
                         "Invalid argument: 'ttls' is for IPv4; the kernel has no hop limit "
                         "threshold for IPv6 routes. Leave it out.");
    if (args->ttls.count != args->oifs.count)
        return error_set(error, ERROR_OUT_OF_RANGE, "ttls",
                         "Invalid argument: 'ttls' has %u numbers and 'oifs' %u interfaces; it "
                         "takes one number for each.",
                         args->ttls.count, args->oifs.count);
    return true;
}

/* What one request cannot be judged by field by field. */
static bool check_args(const struct args_add_mfc *args, struct error *error)
{
    struct address source = effective_source(args);

    if (source.family != args->group.family)
        return error_set(error, ERROR_INVALID_ADDRESS, "source",
                         "Invalid argument: 'source' is an %s address and 'group' an %s one; both "
                         "take the same family.",
                         source.family == FAMILY_IPV4 ? "IPv4" : "IPv6",
                         args->group.family == FAMILY_IPV4 ? "IPv4" : "IPv6");
    if (address_is_any(&source) && args->oifs.count == 0)
        return error_set(error, ERROR_OUT_OF_RANGE, "oifs",
                         "Invalid argument: 'oifs' is empty, so a route for any source would "
                         "forward nothing; it takes one interface or more. To stop one sender, "
                         "name it as 'source'.");
    for (uint32_t i = 0; i < args->oifs.count && !address_is_any(&source); i++)
        if (strcmp(args->oifs.names[i].text, args->iif.text) == 0)
            return error_set(error, ERROR_LOOP, "oifs",
                             "Invalid argument: 'oifs' holds the inbound interface '%s'; the "
                             "packets would be sent back onto their own link. Leave it out.",
                             args->iif.text);
    return check_ttls(args, error);
}

/* In a route for any source the iif among the oifs says nothing, but where it stands alone. */
static bool is_implied(const struct args_add_mfc *args, uint32_t i)
{
    return args->oifs.count > 1 && strcmp(args->oifs.names[i].text, args->iif.text) == 0;
}

static uint8_t ttl_of(const struct args_add_mfc *args, uint32_t i)
{
    return args->ttls.count ? (uint8_t)args->ttls.values[i] : 1;
}

static bool has_oif(const struct route *route, const struct args_add_mfc *args, uint32_t i)
{
    for (unsigned j = 0; j < route->oif_count; j++)
        if (strcmp(route->oifs[j].port->name, args->oifs.names[i].text) == 0)
            return route->oifs[j].ttl == ttl_of(args, i);
    return false;
}

static bool is_same(const struct route *route, const struct args_add_mfc *args)
{
    unsigned count = 0;

    if (strcmp(route->iif->name, args->iif.text) != 0)
        return false;
    for (uint32_t i = 0; i < args->oifs.count; i++) {
        if (is_implied(args, i))
            continue;
        if (!has_oif(route, args, i))
            return false;
        count++;
    }
    return count == route->oif_count;
}

static bool needs_vif(const struct mfc *mfc, const char *name, unsigned ifindex)
{
    const struct port *port = mfc ? port_find(&mfc->ports, name, ifindex) : NULL;

    return ifindex && (!port || port->vif < 0);
}

static bool check_vifs(const struct mfc *mfc, const struct args_add_mfc *args,
                       const struct resolved *resolved, struct error *error)
{
    unsigned needed = needs_vif(mfc, args->iif.text, resolved->iif);
    unsigned available = mfc ? ports_free_vifs(&mfc->ports) : VIFS_MAX;

    for (uint32_t i = 0; i < args->oifs.count; i++)
        if (strcmp(args->oifs.names[i].text, args->iif.text) != 0)
            needed += needs_vif(mfc, args->oifs.names[i].text, resolved->oifs[i]);
    if (needed <= available)
        return true;
    return error_set(error, ERROR_LIMIT, "oifs",
                     "The route needs %u more interfaces, but table %u can take %u: the kernel "
                     "routes between %d at most. 'netbroker vif show' tells which are in use.",
                     needed, family_table(args->group.family, args->table), available, VIFS_MAX);
}

static bool check_add(const struct mfc *mfc, const struct links *links,
                      const struct args_add_mfc *args, bool wait, struct resolved *resolved,
                      enum route_change *ret, struct error *error)
{
    struct address source = effective_source(args);

    if (!check_args(args, error) || !resolve(links, args, wait, resolved, error))
        return false;

    const struct route *old = mfc ? route_set_find(&mfc->routes, &source, &args->group) : NULL;

    *ret = !old ? CHANGE_ADDED : is_same(old, args) ? CHANGE_NONE : CHANGE_REPLACED;
    return *ret == CHANGE_NONE || check_vifs(mfc, args, resolved, error);
}

bool mfc_check_add(const struct mfc *mfc, const struct links *links,
                   const struct args_add_mfc *args, bool wait, enum route_change *ret,
                   struct error *error)
{
    struct resolved resolved = {0};

    return check_add(mfc, links, args, wait, &resolved, ret, error);
}

static void release_ports(struct mfc *mfc, struct route *route)
{
    for (unsigned i = route->oif_count; i > 0; i--)
        port_release(&mfc->ports, route->oifs[i - 1].port);
    if (route->iif)
        port_release(&mfc->ports, route->iif);
}

/* Counts the route on its ports; on an error those that it was counted on are released. */
static bool acquire_ports(struct mfc *mfc, struct route *route, const struct args_add_mfc *args,
                          const struct resolved *resolved, struct error *error)
{
    route->oif_count = 0;
    route->iif = port_acquire(&mfc->ports, args->iif.text, resolved->iif, error);
    for (uint32_t i = 0; route->iif && i < args->oifs.count; i++) {
        if (is_implied(args, i))
            continue;

        struct port *port =
            port_acquire(&mfc->ports, args->oifs.names[i].text, resolved->oifs[i], error);

        if (!port) {
            release_ports(mfc, route);
            return false;
        }
        route->oifs[route->oif_count++] = (struct route_oif){port, ttl_of(args, i)};
    }
    return route->iif != NULL;
}

static struct route *build_route(struct mfc *mfc, const struct args_add_mfc *args,
                                 const struct resolved *resolved, struct error *error)
{
    struct address source = effective_source(args);
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
    return error_set(error, ERROR_INTERNAL, NULL, "The kernel refused the route: %s.",
                     strerror(-result));
}

bool mfc_add(struct mfc *mfc, const struct args_add_mfc *args, const struct lease *lease, bool wait,
             uint64_t serial, enum route_change *ret, struct route **ret_old,
             struct route **ret_new, struct error *error)
{
    struct resolved resolved = {0};
    struct address source = effective_source(args);

    *ret_old = NULL;
    if (!check_add(mfc, mfc->host->links, args, wait, &resolved, ret, error))
        return false;
    if (*ret == CHANGE_NONE)
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
    *ret_old = old;
    *ret_new = route;
    return true;
}

/* --- Adoption ------------------------------------------------------------------------------ */

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
    route->iif = iif;
    route->mfc = mfc;
    route->lease = lease_new(LEASE_UID_UNKNOWN);
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
    return result;
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

    int vif = port_detach(port);
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
        memcpy(port->name, is->name, sizeof port->name);
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
