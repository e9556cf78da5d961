#include "invariants.h"

#include "resources/mroute/mroute_internal.h"

#include <stdio.h>
#include <string.h>

#define TEXT_OF(line) #line
#define TEXT(line)    TEXT_OF(line)
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __FILE__ ":" TEXT(__LINE__) ": " #condition;                                    \
    } while (0)
#define PASS(call)                                                                                 \
    do {                                                                                           \
        const char *broken = call;                                                                 \
                                                                                                   \
        if (broken)                                                                                \
            return broken;                                                                         \
    } while (0)

struct audit {
    const struct mroute *mroute;
    const struct netifs *netifs;
    const struct mfc *mfc;
    enum invariants which;
};

/* --- Which route a flow is of -------------------------------------------------------------- */

static bool name_is_meant(const char *meant, const char *name)
{
    return strcmp(meant, name) == 0 ||
           (interface_name_is_pattern(meant) && strncmp(meant, name, strlen(meant) - 1) == 0);
}

/* The smallest range of groups, in it of sources, then an interface before a pattern and a long
 * pattern before a short one, then the oldest. */
static bool comes_before(const struct route_view *a, const struct route_view *b)
{
    bool a_named = !interface_name_is_pattern(a->iif), b_named = !interface_name_is_pattern(b->iif);

    if (a->group.length != b->group.length)
        return a->group.length > b->group.length;
    if (a->source.length != b->source.length)
        return a->source.length > b->source.length;
    if (a_named != b_named)
        return a_named;
    return !a_named && strlen(a->iif) > strlen(b->iif);
}

static bool is_flow_of(const struct route_view *view, const struct address *source,
                       const struct address *group)
{
    return !view->learned && prefix_has(&view->source, source) && prefix_has(&view->group, group);
}

static bool is_exact(const struct route_view *view)
{
    bool patterns = interface_name_is_pattern(view->iif);

    for (unsigned i = 0; i < view->oif_count; i++)
        patterns |= interface_name_is_pattern(view->oifs[i].name);
    return !patterns && prefix_is_single(&view->source) && prefix_is_single(&view->group);
}

/* The first one among equals is the oldest: routes are told in that order. */
static const struct route *find_winner(const struct mfc *mfc, const struct address *source,
                                       const struct address *group, const char *iif)
{
    const struct route *route, *best = NULL;
    struct route_view view, best_view = {0};

    TAILQ_FOREACH (route, &mfc->routes.order, in_order) {
        route_describe(route, false, &view);
        if (!is_flow_of(&view, source, group))
            continue;
        if (is_exact(&view))
            return route;
        if (!name_is_meant(view.iif, iif) || (best && !comes_before(&view, &best_view)))
            continue;
        best = route;
        best_view = view;
    }
    return best;
}

static void add_name(struct expected *expected, const char *name)
{
    for (unsigned i = 0; i < expected->count; i++)
        if (strcmp(expected->names[i], name) == 0)
            return;
    if (expected->count < VIFS_MAX)
        expected->names[expected->count++] = name;
}

static void add_meant(struct expected *expected, const struct netifs *netifs, const char *meant,
                      const char *iif)
{
    const struct netif *netif = NULL;

    while ((netif = netifs_next(netifs, netif)))
        if (name_is_meant(meant, netif->name) && strcmp(netif->name, iif) != 0)
            add_name(expected, netif->name);
}

struct expected expected_packet(struct mroute *mroute, const struct netifs *netifs, uint32_t table,
                                const struct address *source, const struct address *group,
                                const char *iif)
{
    const struct mfc *mfc = mroute_table(mroute, group->family, table);
    const struct route *route = mfc ? find_winner(mfc, source, group, iif) : NULL;
    struct expected expected = {0};
    struct route_view view;

    if (!route)
        return expected;
    route_describe(route, false, &view);
    if (name_is_meant(view.iif, iif))
        for (unsigned i = 0; i < view.oif_count; i++)
            add_meant(&expected, netifs, view.oifs[i].name, iif);
    return expected;
}

/* --- Ifaces --------------------------------------------------------------------------------- */

static unsigned count_references(const struct audit *audit, const struct iface *iface,
                                 unsigned *ret_iifs)
{
    const struct route *route;
    unsigned count = iface->gathered;

    *ret_iifs = iface->gathered;
    TAILQ_FOREACH (route, &audit->mfc->routes.order, in_order) {
        *ret_iifs += route->iif == iface;
        count += route->iif == iface;
        for (unsigned i = 0; i < route->oif_count; i++)
            count += route->oifs[i].iface == iface;
    }
    return count;
}

static bool is_gathered_by_any(const struct audit *audit, const char *name)
{
    const struct route *route;

    TAILQ_FOREACH (route, &audit->mfc->routes.order, in_order)
        if (route->iif->pattern && name_is_meant(route->iif->name, name))
            return true;
    return false;
}

static const char *check_other_ifaces(const struct audit *audit, const struct iface *iface)
{
    const struct iface *other;

    TAILQ_FOREACH (other, &audit->mfc->ifaces.list, in_ifaces) {
        if (other == iface)
            continue;
        HOLDS(iface->vif < 0 || iface->vif != other->vif);
        HOLDS(iface->ifindex == 0 || iface->ifindex != other->ifindex);
        if (audit->which == INVARIANTS_NETIFS)
            HOLDS(strcmp(iface->name, other->name) != 0);
    }
    return NULL;
}

static const char *check_iface_in_kernel(const struct audit *audit, const struct iface *iface)
{
    const struct mroute_socket *socket = &audit->mfc->socket;

    HOLDS(iface->vif < 0 || (audit->mfc->ifaces.used_vifs & 1u << iface->vif));
    HOLDS(iface->vif < 0 || iface->ifindex > 0);
    if (audit->which < INVARIANTS_NETIFS)
        return NULL;
    HOLDS(!iface->ifindex || iface->vif >= 0 || ifaces_free_vifs(&audit->mfc->ifaces) == 0);

    const struct netif *netif = netifs_find(audit->netifs, iface->name);

    HOLDS(iface->pattern || iface->ifindex == (netif ? netif->ifindex : 0));
    HOLDS(iface->vif < 0 ||
          fake_vif_ifindex(socket->family, socket->table, (unsigned)iface->vif) == iface->ifindex);
    HOLDS(!iface->gathered || is_gathered_by_any(audit, iface->name));
    return NULL;
}

/* Each interface that inbound patterns mean has a VIF, as long as there is one, or it is kept in
 * mind that one has none, because there was no memory. */
static const char *check_gathering(const struct audit *audit)
{
    const struct netif *netif = NULL;

    if (audit->which < INVARIANTS_NETIFS || ifaces_free_vifs(&audit->mfc->ifaces) == 0)
        return NULL;
    while ((netif = netifs_next(audit->netifs, netif))) {
        const struct iface *iface = iface_find(&audit->mfc->ifaces, netif->name, netif->ifindex);

        HOLDS(!is_gathered_by_any(audit, netif->name) || (iface && iface->gathered) ||
              audit->mfc->ifaces.passed_over);
    }
    return NULL;
}

static const char *check_ifaces(const struct audit *audit)
{
    const struct ifaces *ifaces = &audit->mfc->ifaces;
    const struct iface *iface;
    unsigned count = 0, patterns = 0;

    TAILQ_FOREACH (iface, &ifaces->list, in_ifaces) {
        unsigned iifs, references = count_references(audit, iface, &iifs);

        count++;
        patterns += iface->pattern;
        HOLDS(iface->ref_count == references && references > 0);
        HOLDS(iface->iif_count == iifs);
        HOLDS(!iface->pattern || (iface->ifindex == 0 && iface->vif < 0 && !iface->gathered));
        PASS(check_other_ifaces(audit, iface));
        PASS(check_iface_in_kernel(audit, iface));
    }
    HOLDS(ifaces->count == count);
    HOLDS(ifaces->pattern_count == patterns);
    return check_gathering(audit);
}

/* --- Routes -------------------------------------------------------------------------------- */

/* Whether the kernel may have an entry of the range: all sources, one group, interfaces, alone. */
static bool is_native(const struct audit *audit, const struct route *route)
{
    const struct route *other;
    bool native = route->source.length == 0 && prefix_is_single(&route->group);

    native &= !route->iif->pattern;
    for (unsigned i = 0; i < route->oif_count; i++)
        native &= !route->oifs[i].iface->pattern;
    TAILQ_FOREACH (other, &audit->mfc->routes.order, in_order)
        native &=
            other == route || !other->is_range || !prefix_has(&other->group, &route->group.address);
    return native;
}

static bool is_complete(const struct route *route)
{
    for (unsigned i = 0; i < route->oif_count; i++)
        if (route->oifs[i].iface->vif < 0)
            return false;
    return true;
}

static bool is_open(const struct audit *audit, const struct iface *iface)
{
    const struct iface *other;

    if (!iface->pattern)
        return iface->vif >= 0;
    TAILQ_FOREACH (other, &audit->mfc->ifaces.list, in_ifaces)
        if (other->vif >= 0 && name_is_meant(iface->name, other->name))
            return true;
    return false;
}

static const char *check_state(const struct audit *audit, const struct route *route)
{
    bool open = is_open(audit, route->iif);

    HOLDS(route->in_kernel == (route->state == ROUTE_INSTALLED || route->state == ROUTE_PARTIAL));
    HOLDS(route->is_range || route->state != ROUTE_ON_DEMAND);
    if (audit->which < INVARIANTS_KERNEL)
        return NULL;
    HOLDS((route->state == ROUTE_WAITING) == !open);
    if (!open)
        return NULL;
    HOLDS((route->state == ROUTE_ON_DEMAND) == (route->is_range && !is_native(audit, route)));
    HOLDS(!route->in_kernel || (route->state == ROUTE_INSTALLED) == is_complete(route));
    return NULL;
}

static unsigned expected_ttl(const struct route *route, unsigned vif)
{
    bool from = route->iif->vif == (int)vif;

    if (from && route->source.length > 0)
        return 0;
    for (unsigned i = 0; i < route->oif_count; i++)
        if (route->oifs[i].iface->vif == (int)vif)
            return route->oifs[i].ttl;
    return from;
}

/* What an earlier process wrote may name VIFs that are gone, until the first new one is made. */
static const char *check_entry(const struct audit *audit, const struct route *route)
{
    const struct mroute_socket *socket = &audit->mfc->socket;
    char source[ADDRESS_TEXT_MAX], group[ADDRESS_TEXT_MAX];
    const struct mfc_entry *entry =
        fake_mfc_find(socket->family, socket->table, address_format(&route->source.address, source),
                      address_format(&route->group.address, group));

    if (audit->which < INVARIANTS_KERNEL || !route->in_kernel)
        return NULL;
    HOLDS(entry != NULL);
    HOLDS(entry->parent == (unsigned)route->iif->vif);
    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        HOLDS(entry->ttls[vif] == expected_ttl(route, vif) ||
              (!route->verified && audit->mfc->unverified));
    return NULL;
}

static const char *check_learned(const struct audit *audit, const struct route *route)
{
    const struct learned *learned = route->learned, *other;
    const struct route *winner;
    bool learned_flows = false;

    HOLDS(!route->is_range && LIST_EMPTY(&route->resource.leases) && learned->route == route);
    HOLDS(learned->by && learned->by->is_range && learned->by->mfc == audit->mfc);
    LIST_FOREACH (other, &learned->by->learned_flows, in_range)
        learned_flows |= other == learned;
    HOLDS(learned_flows);
    HOLDS(prefix_covers(&learned->by->source, &route->source));
    HOLDS(prefix_covers(&learned->by->group, &route->group));
    if (audit->which < INVARIANTS_KERNEL)
        return NULL;
    HOLDS(route->in_kernel);
    if (audit->mfc->outdated > 0)
        return NULL;
    winner =
        find_winner(audit->mfc, &route->source.address, &route->group.address, route->iif->name);
    HOLDS(winner == learned->by);
    return NULL;
}

static const char *check_leases(const struct audit *audit, const struct route *route)
{
    const struct lease *lease, *other;

    HOLDS(!audit->mroute->settled || route->learned || !LIST_EMPTY(&route->resource.leases));
    LIST_FOREACH (lease, &route->resource.leases, in_resource) {
        HOLDS(lease->resource == &route->resource);
        HOLDS(*lease->in_holder.tqe_prev == lease);
        LIST_FOREACH (other, &route->resource.leases, in_resource)
            HOLDS(other == lease || other->kind != lease->kind || other->holder != lease->holder ||
                  other->info.uid != lease->info.uid);
    }
    return NULL;
}

static const char *check_flow_is_one(const struct audit *audit, const struct route *route)
{
    const struct route *other;

    if (route->is_range)
        return NULL;
    TAILQ_FOREACH (other, &audit->mfc->routes.order, in_order)
        HOLDS(other == route || other->is_range || !prefix_equal(&other->source, &route->source) ||
              !prefix_equal(&other->group, &route->group));
    return NULL;
}

static const char *check_route(const struct audit *audit, const struct route *route)
{
    HOLDS(route->mfc == audit->mfc);
    PASS(check_state(audit, route));
    PASS(check_entry(audit, route));
    PASS(check_leases(audit, route));
    PASS(check_flow_is_one(audit, route));
    return route->learned ? check_learned(audit, route) : NULL;
}

/* --- Counts and indexes -------------------------------------------------------------------- */

static const char *check_part(const struct range *range, const struct part *part, unsigned *count)
{
    const struct route *route;
    unsigned in_part = 0;

    LIST_FOREACH (route, &part->routes, in_part) {
        HOLDS(route->is_range && prefix_equal(&route->group, &range->group));
        HOLDS(route->part == part);
        HOLDS(part->mixed || route->iif == LIST_FIRST(&part->routes)->iif);
        in_part++;
    }
    HOLDS(in_part == part->count && in_part > 0);
    *count += in_part;
    return NULL;
}

static const char *check_ranges(const struct audit *audit, size_t range_routes)
{
    const struct ranges *ranges = &audit->mfc->ranges;
    const struct range *range;
    const struct part *part;
    unsigned lengths[129] = {0};
    size_t count = 0, routes = 0;

    HASH_FOREACH_ALL (range, &ranges->groups, in_groups) {
        unsigned in_range = 0;

        LIST_FOREACH (part, &range->parts, in_range) {
            const char *mistake = check_part(range, part, &in_range);

            if (mistake)
                return mistake;
        }
        HOLDS(in_range == range->count && in_range > 0);
        lengths[range->group.length]++;
        routes += in_range;
        count++;
    }
    HOLDS(count == ranges->groups.count && routes == range_routes);
    HOLDS(memcmp(lengths, ranges->lengths, sizeof lengths) == 0);
    return NULL;
}

struct counts {
    size_t routes, ranges, learned, waiting, in_kernel;
};

static struct counts count_routes_of(const struct mfc *mfc)
{
    const struct route *route;
    struct counts counts = {0};

    TAILQ_FOREACH (route, &mfc->routes.order, in_order) {
        counts.routes++;
        counts.ranges += route->is_range;
        counts.learned += route->learned != NULL;
        counts.waiting += route->state == ROUTE_WAITING;
        counts.in_kernel += route->in_kernel;
    }
    return counts;
}

static const char *check_counts(const struct audit *audit)
{
    const struct mfc *mfc = audit->mfc;
    struct counts counts = count_routes_of(mfc);
    const struct learned *learned;
    size_t enrolled = 0;

    TAILQ_FOREACH (learned, &mfc->learned, in_table)
        enrolled++;
    HOLDS(counts.routes == mfc->routes.keys.count);
    HOLDS(counts.waiting == mfc->waiting);
    HOLDS(counts.learned == mfc->learned_count && enrolled == mfc->learned_count);
    PASS(check_ranges(audit, counts.ranges));
    if (audit->which < INVARIANTS_KERNEL)
        return NULL;
    HOLDS(counts.in_kernel == fake_mfc_count(mfc->socket.family, mfc->socket.table));
    return NULL;
}

static const char *check_table(const struct audit *audit)
{
    const struct route *route;

    PASS(check_counts(audit));
    PASS(check_ifaces(audit));
    TAILQ_FOREACH (route, &audit->mfc->routes.order, in_order)
        PASS(check_route(audit, route));
    return NULL;
}

const char *invariants_broken(const struct mroute *mroute, const struct netifs *netifs,
                              enum invariants which)
{
    const struct mfc *mfc;
    size_t learned = 0, tables = 0;

    HOLDS(fake_strangers() == 0);
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        struct audit audit = {mroute, netifs, mfc, which};

        tables++;
        learned += mfc->learned_count;
        if (mfc->socket.fd >= 0)
            PASS(check_table(&audit));
    }
    HOLDS(tables == mroute->table_count);
    HOLDS(learned == mroute->learned);
    return NULL;
}
