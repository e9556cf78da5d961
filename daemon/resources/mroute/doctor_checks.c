/* What the doctor looks at, and in which order. */
#include "doctor_findings.h"
#include "foreign.h"
#include "mroute_internal.h"

#include "platform/diagnose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- The question -------------------------------------------------------------------------- */

static void check_group(struct examination *e)
{
    if (!e->group.family)
        return;
    e->hopeless = true;
    if (!address_is_multicast(&e->group))
        found(e, GROUP_UNICAST);
    else if (address_is_link_scoped(&e->group))
        found(e, GROUP_LINK_LOCAL);
    else
        e->hopeless = false;
    if (!e->hopeless)
        found(e, GROUP);
}

#define MDNS_RELAY  "Run a relay on this host, e.g. avahi-daemon with enable-reflector=yes."
#define NAME_SERVER "Use DNS, or mDNS with a relay; no relay of LLMNR is common."
#define SSDP_RELAY                                                                                 \
    "Run a relay on this host, e.g. a UDP broadcast relay for port 1900, or 3702 for "             \
    "WS-Discovery."

/* Protocols by which programs find each other in one subnet; people want them across two. For an
 * IPv6 group of any scope the row has the scope ff02 and its group id. */
static const struct {
    const char *group, *protocol, *relay;
} discoveries[] = {
    {"224.0.0.251", "mDNS (RFC 6762)", MDNS_RELAY},
    {"ff02::fb", "mDNS (RFC 6762)", MDNS_RELAY},
    {"224.0.0.252", "LLMNR (RFC 4795)", NAME_SERVER},
    {"ff02::1:3", "LLMNR (RFC 4795)", NAME_SERVER},
    {"239.255.255.250", "SSDP (UPnP, DLNA) and WS-Discovery", SSDP_RELAY},
    {"ff02::c", "SSDP (UPnP, DLNA) and WS-Discovery", SSDP_RELAY},
};

/* Whether the groups are the same but for an IPv6 scope (RFC 4291, 2.7). */
static bool same_group_id(const struct address *group, const char *text)
{
    struct address row, any_scope = *group;

    if (!address_parse(text, &row) || row.family != group->family)
        return false;
    if (group->family == FAMILY_IPV6)
        any_scope.bytes[1] = row.bytes[1];
    return address_equal(&row, &any_scope);
}

static void check_discovery(struct examination *e)
{
    for (size_t i = 0; e->group.family && i < sizeof discoveries / sizeof *discoveries; i++) {
        if (!same_group_id(&e->group, discoveries[i].group))
            continue;
        e->hopeless = address_is_link_scoped(&e->group);
        if (e->hopeless)
            found(e, DISCOVERY_LINK_LOCAL, .name = discoveries[i].protocol,
                  .advice = discoveries[i].relay);
        else
            found(e, DISCOVERY, .name = discoveries[i].protocol, .advice = discoveries[i].relay);
    }
}

static void check_source(struct examination *e)
{
    if (!e->source.family)
        return;
    e->hopeless = true;
    if (e->source.family != e->family)
        found(e, SOURCE_FAMILY);
    else if (address_is_multicast(&e->source))
        found(e, SOURCE_MULTICAST);
    else
        e->hopeless = false;
}

static void check_table(struct examination *e)
{
    if (e->mfc)
        found(e, TABLE);
    else if (e->table == family_table(e->family, 0))
        found(e, TABLE_FOREIGN);
    else
        found(e, TABLE_UNUSED);
}

/* --- The kernel ---------------------------------------------------------------------------- */

/* Any process with CAP_NET_ADMIN may change the entries and VIFs of a table that is not its own, by
 * another raw socket or by netlink. The service undoes that (foreign.c), but not at once. */

/* -EINVAL: there is no VIF above it either (ipmr_ioctl() of net/ipv4/ipmr.c). */
static bool vif_is_there(struct examination *e, const struct iface *iface)
{
    struct vif_counters counters;
    int result =
        iface->vif < 0 ? 0 : mroute_vif_count(&e->mfc->socket, (unsigned)iface->vif, &counters);

    if (result != -EADDRNOTAVAIL && result != -EINVAL)
        return true;
    found(e, KERNEL_VIF_GONE, .name = iface->name);
    return false;
}

/* The iface of the interface that packets come in by, or NULL. */
static const struct iface *iface_in(const struct examination *e)
{
    return e->mfc && e->netif_in ? iface_find(&e->mfc->ifaces, "", e->netif_in->ifindex) : NULL;
}

/* The VIF of the interface that is asked for, which an inbound pattern may mean, counts, too. */
static bool vifs_are_there(struct examination *e)
{
    const struct iface *iface = iface_in(e);
    bool all = !iface || vif_is_there(e, iface);

    if (!e->route)
        return all;
    if (!e->netif_in || e->netif_in->ifindex != e->route->iif->ifindex)
        all = vif_is_there(e, e->route->iif) && all;
    for (unsigned i = 0; i < e->route->oif_count; i++)
        all = vif_is_there(e, e->route->oifs[i].iface) && all;
    return all;
}

/* Whether the kernel still has what the service wrote there. */
static void check_kernel(struct examination *e)
{
    struct mfc_found entry;
    int result;

    e->hopeless = !vifs_are_there(e);
    if (e->hopeless || !e->route || !e->route->in_kernel)
        return;
    result = mroute_mfc_find(&e->mfc->socket, &e->route->source.address, &e->route->group.address,
                             &entry);
    if (result == -ENOENT)
        found(e, KERNEL_ENTRY_GONE);
    else if (result == 0 && !entry_fits(e->route, &entry))
        found(e, KERNEL_ENTRY_CHANGED);
    else if (result == 0)
        found(e, KERNEL_ENTRY);
    e->hopeless = result == -ENOENT;
}

/* --- What the counters tell ---------------------------------------------------------------- */

static void report_none(struct examination *e)
{
    bool is_meant = e->iif && route_takes_from(wanted_route(e->route), e->iif);
    const char *iif = is_meant ? e->iif : e->view.iif;
    bool is_pattern = interface_name_is_pattern(iif);
    const char *any = is_pattern ? "any" : iif, *one = is_pattern ? "INTERFACE" : iif;

    if (e->view.state == ROUTE_ON_DEMAND)
        found(e, ARRIVAL_NONE_LATELY, .name = iif, .other = any, .advice = one,
              .numbers = {e->view.idle});
    else
        found(e, ARRIVAL_NONE, .name = iif, .other = any, .advice = one);
}

static void check_arrival(struct examination *e)
{
    const struct arrivals *arrivals = &e->arrivals;
    char flows[32] = "";

    if (!e->route || e->view.state == ROUTE_WAITING)
        return;
    if (arrivals->flows > 1)
        snprintf(flows, sizeof flows, " in %u flows", arrivals->flows);
    if (arrivals->packets > 0)
        found(e, ARRIVAL, .name = flows, .numbers = {arrivals->packets, arrivals->bytes});
    else if (arrivals->wrong_interface == 0)
        report_none(e);
}

/* The interface, if the asker may read what comes in by it, or NULL. */
static const struct netif *tell_netif(const struct examination *e, unsigned ifindex)
{
    const struct netif *netif = netifs_find_index(e->netifs, ifindex);

    return netif && may_tell_netif(e, netif->name, e->table) ? netif : NULL;
}

/* The first interface that leads back to the source, or NULL. */
static const struct netif *way_back(const struct examination *e)
{
    struct return_path path;

    if (!e->source.family || diagnose_return_path(&e->source, &path) < 0 || path.count == 0)
        return NULL;
    return tell_netif(e, path.netifs[0]);
}

static void check_wrong_interface(struct examination *e)
{
    const struct arrivals *arrivals = &e->arrivals;
    const struct netif *back = way_back(e);
    char command[HINT_MAX];

    if (!e->route || arrivals->wrong_interface == 0)
        return;
    suggest_route(e, back && strcmp(back->name, e->view.iif) != 0 ? back->name : NULL, command);
    found(e, WRONG_INTERFACE, .verdict = arrivals->packets > 0 ? VERDICT_WARNING : VERDICT_PROBLEM,
          .advice = command, .numbers = {arrivals->wrong_interface});
}

static uint64_t packets_out(const struct examination *e, const char *name)
{
    const struct netif *netif = netifs_find(e->netifs, name);
    const struct iface *iface = netif ? iface_find(&e->mfc->ifaces, name, netif->ifindex) : NULL;
    struct vif_counters counters = {0};

    if (!iface || iface->vif < 0 ||
        mroute_vif_count(&e->mfc->socket, (unsigned)iface->vif, &counters) < 0)
        return 1; /* it is not known that none left */
    return counters.packets_out;
}

/* A packet whose TTL is too low is counted by the route, but not by the outgoing interface. */
static void check_ttl(struct examination *e)
{
    bool came = e->arrivals.packets > 0;

    if (!e->route || e->view.state == ROUTE_WAITING)
        return;
    if (e->watch) {
        check_watched_ttl(e);
        return;
    }
    for (unsigned i = 0; i < e->view.oif_count; i++) {
        const char *name = e->view.oifs[i].name;
        unsigned ttl = e->view.oifs[i].ttl;

        if (strcmp(name, e->view.iif) == 0)
            continue;
        if (came && packets_out(e, name) == 0)
            found(e, TTL_NONE_LEFT, .name = name, .numbers = {ttl});
        else if (ttl > 1 || !came)
            found(e, TTL_THRESHOLD, .name = name, .numbers = {ttl});
    }
}

/* --- The filter of source addresses -------------------------------------------------------- */

static bool leads_by(const struct return_path *path, unsigned ifindex)
{
    for (unsigned i = 0; i < path->count; i++)
        if (path->netifs[i] == ifindex)
            return true;
    return false;
}

static void report_way_back(struct examination *e, const struct return_path *path,
                            enum source_filter filter)
{
    const struct netif *back = tell_netif(e, path->netifs[0]);
    const char *name = back ? back->name : "another interface";

    if (filter == SOURCE_FILTER_STRICT)
        found(e, FILTER_STRICT, .name = name, .numbers = {filter});
    else
        found(e, FILTER_WITHOUT_ADDRESS, .name = name, .numbers = {filter});
}

static void judge_filter(struct examination *e, const struct input_facts *facts,
                         enum source_filter filter)
{
    bool strict = filter == SOURCE_FILTER_STRICT || !facts->has_address;
    struct return_path path;

    if (diagnose_return_path(&e->source, &path) < 0)
        return;
    if (path.local)
        found(e, FILTER_OWN_SOURCE);
    else if (filter == SOURCE_FILTER_OFF)
        found(e, FILTER_OFF);
    else if (path.count == 0)
        found(e, FILTER_NO_WAY_BACK);
    else if (strict && !leads_by(&path, e->netif_in->ifindex))
        report_way_back(e, &path, filter);
    else
        found(e, FILTER, .numbers = {filter});
}

static void check_source_filter(struct examination *e)
{
    struct input_facts facts;

    if (e->family != FAMILY_IPV4 || !e->netif_in ||
        diagnose_input(e->family, e->netif_in->ifindex, &facts) < 0)
        return;

    enum source_filter filter =
        facts.own_filter > facts.all_filter ? facts.own_filter : facts.all_filter;

    if (e->source.family)
        judge_filter(e, &facts, filter);
    else if (filter == SOURCE_FILTER_OFF)
        found(e, FILTER_OFF);
    else
        found(e, FILTER_UNKNOWN, .name = filter == SOURCE_FILTER_STRICT ? " by it" : "",
              .numbers = {filter});
}

/* --- Input --------------------------------------------------------------------------------- */

/* IPv6 asks for the interface's VIF only; the interface's own mc_forwarding begins anew at 0 when
 * its MTU was below 1280 for a moment (ip6_mc_input() of net/ipv6/ip6_input.c). */
static bool is_open(const struct examination *e, const struct input_facts *facts)
{
    struct vif_counters counters;
    const struct iface *iface = iface_in(e);

    return facts->routes_multicast ||
           (facts->all_routes_multicast && iface && iface->vif >= 0 &&
            mroute_vif_count(&e->mfc->socket, (unsigned)iface->vif, &counters) == 0);
}

static void check_forwarding(struct examination *e)
{
    struct input_facts facts;

    if (!e->netif_in || diagnose_input(e->family, e->netif_in->ifindex, &facts) < 0)
        return;
    if (is_open(e, &facts))
        found(e, FORWARDING);
    else if (e->mfc && ifaces_free_vifs(&e->mfc->ifaces) == 0)
        found(e, FORWARDING_WITHOUT_VIF, .numbers = {VIFS_MAX});
    else
        found(e, FORWARDING_OFF, .verdict = e->route ? VERDICT_PROBLEM : VERDICT_WARNING);
}

/* --- Bridges ------------------------------------------------------------------------------- */

static void report_port(struct examination *e)
{
    const struct netif *master = netifs_find_index(e->netifs, e->netif_in->master);
    struct netif_facts facts;

    if (!master || diagnose_netif(master->ifindex, &facts) < 0 || facts.kind == NETIF_OTHER)
        return;
    found(e, BRIDGE_PORT, .verdict = e->route || e->asked_iif ? VERDICT_PROBLEM : VERDICT_WARNING,
          .name = tell_netif(e, master->ifindex) ? master->name : "another interface");
}

/* Measured on Linux 6.18: a bridge without a querier floods, and one that is an inbound interface
 * takes everything in. */
static void report_snooping(struct examination *e, const struct netif *netif)
{
    struct netif_facts facts;

    if (!netif || diagnose_netif(netif->ifindex, &facts) < 0 || !facts.snooping)
        return;
    if (facts.querier)
        found(e, BRIDGE_SNOOPS, .name = netif->name);
    else
        found(e, BRIDGE_WITHOUT_QUERIER, .name = netif->name);
}

static void check_bridge(struct examination *e)
{
    if (e->netif_in && e->netif_in->master)
        report_port(e);
    report_snooping(e, e->netif_in);
    for (unsigned i = 0; e->route && i < e->view.oif_count; i++)
        if (strcmp(e->view.oifs[i].name, e->iif ? e->iif : "") != 0)
            report_snooping(e, netifs_find(e->netifs, e->view.oifs[i].name));
}

/* --- Rules --------------------------------------------------------------------------------- */

/* Whether routes of the table take packets from the interface. */
static bool takes_from(const struct examination *e, uint32_t table, const char *iif)
{
    const struct netif *netif = iif ? netifs_find(e->netifs, iif) : NULL;
    const struct mfc *mfc = mroute_table(e->mroute, e->family, table);
    const struct iface *iface = mfc && netif ? iface_find(&mfc->ifaces, iif, netif->ifindex) : NULL;

    return iface && iface->iif_count > 0;
}

/* The first table that exists takes a packet; those that netbrokerd owns are known to. Where no
 * other has the interface, the rule that came with the route must have been deleted by somebody
 * else. */
static void check_rules(struct examination *e)
{
    struct chosen_tables chosen;
    char name[TABLE_TEXT_MAX];
    uint32_t first;
    unsigned i = 0;
    bool is_ours;

    if (diagnose_tables(e->family, e->iif, &chosen) < 0)
        return;
    first = chosen.count ? chosen.tables[0] : 0;
    is_ours = mroute_table(e->mroute, e->family, first);
    while (i < chosen.count && chosen.tables[i] != e->table)
        i++;
    if (i < chosen.count && i == 0)
        found(e, RULE);
    else if (i < chosen.count)
        found(e, RULE_BEFORE, .verdict = is_ours ? VERDICT_PROBLEM : VERDICT_WARNING,
              .name = tell_table(e, first, name));
    else if (takes_from(e, first, e->iif))
        found(e, RULE_TO_OTHER, .name = tell_table(e, first, name));
    else if (e->route)
        found(e, RULE_GONE, .name = e->iif ? e->iif : "INTERFACE");
    else
        found(e, RULE_NONE);
}

/* --- Flows that came in and had no route --------------------------------------------------- */

static bool is_wanted(const struct examination *e, const struct unrouted_flow *flow,
                      const struct netif *netif)
{
    return netif && may_tell_netif(e, netif->name, e->table) &&
           (!e->source.family || address_equal(&e->source, &flow->source)) &&
           (!e->group.family || address_equal(&e->group, &flow->group)) &&
           (!e->asked_iif || e->group.family || strcmp(e->asked_iif, netif->name) == 0);
}

/* The range that takes the flow from where it came in, or NULL. */
static const struct route *range_of(const struct examination *e, const struct unrouted_flow *flow)
{
    const struct iface *iface = iface_find(&e->mfc->ifaces, "", flow->ifindex);

    return iface ? ranges_find(&e->mfc->ranges, &flow->source, &flow->group, iface) : NULL;
}

static bool may_learn(const struct examination *e, const struct route *range)
{
    return e->mroute->learned < e->mroute->limits.learned && shares_may_learn(range);
}

/* Whether the route that there is by now takes the flow. */
static bool is_taken(const struct examination *e, const struct unrouted_flow *flow)
{
    const struct route *route = route_set_find_flow(&e->mfc->routes, &flow->source, &flow->group);
    const struct route *range = range_of(e, flow);

    return (route && route->in_kernel) || (range && (range->in_kernel || may_learn(e, range)));
}

/* The next flow, from place *at on, that is asked for and not taken, or NULL; *ret_netif is where
 * it came in. */
static const struct unrouted_flow *next_unrouted(const struct examination *e, uint64_t now,
                                                 unsigned *at, const struct netif **ret_netif)
{
    const struct unrouted_flow *flow;

    while ((flow = unrouted_recent(&e->mfc->unrouted, (*at)++, now))) {
        *ret_netif = netifs_find_index(e->netifs, flow->ifindex);
        if (is_wanted(e, flow, *ret_netif) && !is_taken(e, flow))
            return flow;
    }
    return NULL;
}

/* A route that takes the flow from elsewhere is the model of the one that it lacks. */
static void report_unrouted(struct examination *e, const struct unrouted_flow *flow,
                            const char *iif, uint64_t now)
{
    struct examination other = *e;
    const struct route *range = range_of(e, flow);
    char command[HINT_MAX];

    other.source = flow->source;
    other.group = flow->group;
    other.asked_iif = NULL;
    other.route = range ? tell_route_of(&other, range) : find_route(&other);
    suggest_route(&other, iif, command);
    if (range && other.hidden)
        found(&other, ROUTE_HIDDEN);
    else if (range)
        found(&other, UNROUTED_LIMIT, .name = iif, .numbers = {range->learned_count});
    else
        found(&other, UNROUTED, .name = iif, .advice = command, .numbers = {now - flow->seen});
}

/* Of the flows that there was no room for nothing is known but how many they were. */
static void report_dropped(struct examination *e, uint64_t now)
{
    unsigned limit = e->mroute->limits.unmatched;
    uint64_t dropped = e->mfc->unmatched_dropped;

    if (unrouted_is_full(&e->mfc->unrouted, limit, now))
        found(e, UNROUTED_FULL, .numbers = {limit, dropped});
    else if (dropped > 0 && !e->group.family)
        found(e, UNROUTED_DROPPED, .numbers = {dropped});
}

void check_unrouted(struct examination *e)
{
    uint64_t now = unrouted_now();
    const struct netif *netif;
    const struct unrouted_flow *flow;
    unsigned at = 0, count = 0;

    if (!e->mfc)
        return;
    while ((flow = next_unrouted(e, now, &at, &netif)))
        if (count++ < UNROUTED_SHOWN_MAX)
            report_unrouted(e, flow, netif->name, now);
    if (count == 0)
        found(e, UNROUTED_NONE);
    if (count > UNROUTED_SHOWN_MAX)
        found(e, UNROUTED_MORE, .numbers = {count - UNROUTED_SHOWN_MAX});
    report_dropped(e, now);
}

/* --- What users share ----------------------------------------------------------------------- */

enum { FULL_PERCENT = 90 };

static void report_pool(struct examination *e, const struct pool *pool,
                        const struct account *largest)
{
    const struct pools *pools = pool->pools;
    char name[64];

    if (pools->name_user)
        pools->name_user(pools->context, largest->uid, name, sizeof name);
    else
        snprintf(name, sizeof name, "%u", (unsigned)largest->uid);
    found(e, POOL_FULL, .name = pool->words->noun, .other = name,
          .numbers = {pool->used, pool->bounds.size, largest->used[pool->place]});
}

/* Of who has how much only those hear who may read everything. */
static void check_pools(struct examination *e)
{
    const struct pools *pools = e->mroute->shares.registry;
    const struct account *largest[POOLS_MAX];
    struct target everything = {0};

    if (!pools || (e->reader && !reader_may_read(e->reader, "mroute.read", &everything)))
        return;
    pools_find_largest(pools, largest);
    for (unsigned i = 0; i < POOLS_MAX; i++)
        if (pools->list[i] && largest[i] &&
            pools->list[i]->used * 100 > pools->list[i]->bounds.size * FULL_PERCENT)
            report_pool(e, pools->list[i], largest[i]);
}

/* --- The order ----------------------------------------------------------------------------- */

static const struct check {
    const char *word;
    void (*run)(struct examination *e);
    bool of_interface; /* needs no flow */
} checks[] = {
    {"discovery", check_discovery, false},
    {"group", check_group, false},
    {"source", check_source, false},
    {"table", check_table, false},
    {"route", check_route, false},
    {"iif", check_iif, true},
    {"oif", check_oifs, false},
    {"kernel", check_kernel, true},
    {"arrival", check_arrival, false},
    {"wrong-interface", check_wrong_interface, false},
    {"unrouted", check_unrouted, false},
    {"pools", check_pools, true},
    {"ttl", check_ttl, false},
    {"firewall", check_firewall, false},
    {"rp-filter", check_source_filter, true},
    {"mc-forwarding", check_forwarding, true},
    {"bridge", check_bridge, true},
    {"rule", check_rules, true},
};

void run_checks(struct examination *e, bool of_interface)
{
    e->hopeless = false;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && !e->hopeless; i++) {
        e->check = checks[i].word;
        if (checks[i].of_interface || !of_interface)
            checks[i].run(e);
    }
}
