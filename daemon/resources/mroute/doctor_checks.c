#include "doctor_checks.h"

#include "platform/diagnose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void add_finding(struct examination *e, enum verdict verdict, const char *hint, const char *format,
                 ...)
{
    struct findings *findings = e->findings;
    va_list arguments;

    if (verdict == VERDICT_OK && e->quiet)
        return;
    if (findings->count == FINDINGS_MAX) {
        findings->omitted++;
        return;
    }
    struct finding *finding = &findings->list[findings->count++];

    finding->check = e->check;
    finding->verdict = verdict;
    snprintf(finding->hint, sizeof finding->hint, "%s", hint);
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof finding->message, format, arguments);
    va_end(arguments);
}

const char *flow_text(const struct address *source, const struct address *group, char *text)
{
    char source_text[ADDRESS_TEXT_MAX] = "*", group_text[ADDRESS_TEXT_MAX] = "*";

    if (source->family && !address_is_any(source))
        address_format(source, source_text);
    if (group->family)
        address_format(group, group_text);
    snprintf(text, FLOW_TEXT_MAX, "(%s, %s)", source_text, group_text);
    return text;
}

static const char *ip_command(const struct examination *e)
{
    return e->family == FAMILY_IPV4 ? "ip" : "ip -6";
}

#define MDNS_RELAY  "Run a relay on this host, e.g. avahi-daemon with enable-reflector=yes."
#define NAME_SERVER "Use DNS, or mDNS with a relay; no relay of LLMNR is common."
#define SSDP_RELAY                                                                                 \
    "Run a relay on this host, e.g. a UDP broadcast relay for port 1900, or 3702 for "             \
    "WS-Discovery."

/* --- The question -------------------------------------------------------------------------- */

static void check_group(struct examination *e)
{
    char group[ADDRESS_TEXT_MAX];

    if (!e->group.family)
        return;
    address_format(&e->group, group);
    e->hopeless = true;
    if (!address_is_multicast(&e->group))
        add_finding(e, VERDICT_PROBLEM,
                    "Groups are 224.0.1.0 to 239.255.255.255, and ff03:: and above.",
                    "%s is not a multicast address.", group);
    else if (address_is_link_scoped(&e->group))
        add_finding(e, VERDICT_PROBLEM,
                    "Send to another group, e.g. in 239.0.0.0/8 (RFC 2365) or ff05::/16.",
                    "%s is link-local: no router ever forwards it (RFC 5771, RFC 7346).", group);
    else
        e->hopeless = false;
    if (!e->hopeless)
        add_finding(e, VERDICT_OK, "", "%s is a group that routers forward.", group);
}

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
    char group[ADDRESS_TEXT_MAX];

    for (size_t i = 0; e->group.family && i < sizeof discoveries / sizeof *discoveries; i++) {
        if (!same_group_id(&e->group, discoveries[i].group))
            continue;
        address_format(&e->group, group);
        e->hopeless = address_is_link_scoped(&e->group);
        if (e->hopeless)
            add_finding(e, VERDICT_PROBLEM, discoveries[i].relay,
                        "%s is the group of %s, which works in one subnet only: to reach another "
                        "one it needs a relay, not a route.",
                        group, discoveries[i].protocol);
        else
            add_finding(e, VERDICT_WARNING, discoveries[i].relay,
                        "%s is the group of %s. Many devices send it with a TTL of 1 to 4 and "
                        "answer only to their own subnet: a route alone is seldom enough, and a "
                        "relay is needed.",
                        group, discoveries[i].protocol);
    }
}

static void check_source(struct examination *e)
{
    char source[ADDRESS_TEXT_MAX];

    if (!e->source.family)
        return;
    address_format(&e->source, source);
    e->hopeless = true;
    if (e->source.family != e->family)
        add_finding(e, VERDICT_PROBLEM, "Give an IPv4 source with an IPv4 group, or both IPv6.",
                    "The source %s and the group are of different families.", source);
    else if (address_is_multicast(&e->source))
        add_finding(e, VERDICT_PROBLEM, "Give the sender's own address.",
                    "The source %s is a multicast address; packets from it are dropped.", source);
    else
        e->hopeless = false;
}

static void check_table(struct examination *e)
{
    bool is_default = e->table == family_table(e->family, 0);

    if (e->mfc)
        add_finding(e, VERDICT_OK, "", "netbrokerd owns multicast routing table %u (%s).", e->table,
                    family_name(e->family));
    else if (is_default)
        add_finding(e, VERDICT_PROBLEM, "The log of netbrokerd says why.",
                    "netbrokerd does not own the table for %s.", family_name(e->family));
    else
        add_finding(e, VERDICT_PROBLEM, "Add a route to the table; that opens it.",
                    "netbrokerd has no route in multicast routing table %u (%s).", e->table,
                    family_name(e->family));
}

/* --- Input ---------------------------------------------------------------------------------- */

/* IPv6 asks for the interface's VIF only; the interface's own mc_forwarding begins anew at 0 when
 * its MTU was below 1280 for a moment (ip6_mc_input() of net/ipv6/ip6_input.c). */
static bool is_open(const struct examination *e, const struct input_facts *facts)
{
    struct vif_counters counters;
    const struct port *port = e->mfc ? port_find(&e->mfc->ports, "", e->iif_link->ifindex) : NULL;

    return facts->routes_multicast ||
           (facts->all_routes_multicast && port && port->vif >= 0 &&
            mroute_vif_count(&e->mfc->socket, (unsigned)port->vif, &counters) == 0);
}

static void check_forwarding(struct examination *e)
{
    struct input_facts facts;
    char hint[HINT_MAX];

    if (!e->iif_link || diagnose_input(e->family, e->iif_link->ifindex, &facts) < 0)
        return;
    if (is_open(e, &facts)) {
        add_finding(e, VERDICT_OK, "", "The kernel takes multicast packets in from %s.", e->iif);
        return;
    }
    if (e->mfc && ports_free_vifs(&e->mfc->ports) == 0) {
        add_finding(e, VERDICT_PROBLEM, "'netbroker vif show' tells which interfaces have one.",
                    "%s has no VIF: the kernel routes between %d interfaces of a table, and all of "
                    "table %u are taken.",
                    e->iif, VIFS_MAX, e->table);
        return;
    }
    snprintf(hint, sizeof hint, "tcpdump -ni %s multicast", e->iif);
    add_finding(e, e->route ? VERDICT_PROBLEM : VERDICT_WARNING, hint,
                "The kernel takes no multicast packets in from %s, because no route names it; so "
                "nobody counts whether any arrive.",
                e->iif);
}

/* --- Bridges ------------------------------------------------------------------------------- */

static void report_port(struct examination *e)
{
    const struct link_info *master = links_find_index(e->links, e->iif_link->master);
    struct link_facts facts;
    char hint[HINT_MAX];

    if (!master || diagnose_link(master->ifindex, &facts) < 0 || facts.kind == LINK_OTHER)
        return;
    snprintf(hint, sizeof hint, "Name %s as the inbound interface.", master->name);
    add_finding(e, e->route || e->asked_iif ? VERDICT_PROBLEM : VERDICT_WARNING, hint,
                "%s is a port of %s: packets that come in there are packets of %s to the kernel's "
                "routing.",
                e->iif, master->name, master->name);
}

/* Measured on Linux 6.18: a bridge without a querier floods, and one that is an inbound interface
 * takes everything in. */
static void report_snooping(struct examination *e, const struct link_info *link)
{
    struct link_facts facts;
    char hint[HINT_MAX];

    if (!link || diagnose_link(link->ifindex, &facts) < 0 || !facts.snooping)
        return;
    snprintf(hint, sizeof hint, "ip link set %s type bridge mcast_querier 1", link->name);
    if (facts.querier)
        add_finding(e, VERDICT_INFO, "'bridge mdb show' lists who has joined.",
                    "The bridge %s snoops: it sends a group's packets only to the ports where "
                    "somebody has joined it.",
                    link->name);
    else
        add_finding(e, VERDICT_WARNING, hint,
                    "The bridge %s snoops but is not a querier: switches that snoop stop a group's "
                    "packets when no querier asks for its members.",
                    link->name);
}

static void check_bridge(struct examination *e)
{
    if (e->iif_link && e->iif_link->master)
        report_port(e);
    report_snooping(e, e->iif_link);
    for (unsigned i = 0; e->route && i < e->view.oif_count; i++)
        if (strcmp(e->view.oifs[i].name, e->iif ? e->iif : "") != 0)
            report_snooping(e, links_find(e->links, e->view.oifs[i].name));
}

/* --- Rules --------------------------------------------------------------------------------- */

/* Whether routes of the table take packets from the interface. */
static bool takes_from(const struct examination *e, uint32_t table, const char *iif)
{
    const struct link_info *link = iif ? links_find(e->links, iif) : NULL;
    const struct mfc *mfc = mroute_table(e->mroute, e->family, table);
    const struct port *port = mfc && link ? port_find(&mfc->ports, iif, link->ifindex) : NULL;

    return port && port->iif_count > 0;
}

/* first: the table that is asked, 0: none. Where no other has the interface, the rule that came
 * with the route must have been deleted by somebody else. */
static void report_no_rule(struct examination *e, uint32_t first)
{
    char hint[HINT_MAX];

    if (takes_from(e, first, e->iif)) {
        snprintf(hint, sizeof hint, "Add the route to table %u as well, or delete those of it.",
                 first);
        add_finding(e, VERDICT_PROBLEM, hint,
                    "Packets from %s are led to multicast routing table %u, whose routes name it, "
                    "and not to %u: the kernel asks one table only.",
                    e->iif, first, e->table);
        return;
    }
    if (e->route)
        snprintf(hint, sizeof hint, "%s mrule add iif %s lookup %u", ip_command(e),
                 e->iif ? e->iif : "INTERFACE", e->table);
    else
        snprintf(hint, sizeof hint, "The service makes it with the first route from there.");
    add_finding(
        e, VERDICT_PROBLEM, hint, "No rule leads packets from %s to multicast routing table %u%s.",
        e->iif ? e->iif : "any interface", e->table, e->route ? "; the service's own is gone" : "");
}

/* The first table that exists takes a packet; those that netbrokerd owns are known to. */
static void check_rules(struct examination *e)
{
    struct chosen_tables chosen;
    unsigned i = 0;
    char hint[HINT_MAX];

    if (diagnose_tables(e->family, e->iif, &chosen) < 0)
        return;
    while (i < chosen.count && chosen.tables[i] != e->table)
        i++;
    if (i == chosen.count) {
        report_no_rule(e, chosen.count ? chosen.tables[0] : 0);
    } else if (i == 0) {
        add_finding(e, VERDICT_OK, "", "A rule leads packets to multicast routing table %u.",
                    e->table);
    } else {
        snprintf(hint, sizeof hint, "'%s mrule' lists the rules.", ip_command(e));
        add_finding(e,
                    mroute_table(e->mroute, e->family, chosen.tables[0]) ? VERDICT_PROBLEM
                                                                         : VERDICT_WARNING,
                    hint, "A rule leads packets from %s to multicast routing table %u before %u.",
                    e->iif ? e->iif : "any interface", chosen.tables[0], e->table);
    }
}

/* --- The order ----------------------------------------------------------------------------- */

const struct check flow_checks[] = {
    {"discovery", check_discovery},
    {"group", check_group},
    {"source", check_source},
    {"table", check_table},
    {"route", check_route},
    {"iif", check_iif},
    {"oif", check_oifs},
    {"kernel", check_kernel},
    {"arrival", check_arrival},
    {"wrong-interface", check_wrong_interface},
    {"unrouted", check_strays},
    {"ttl", check_ttl},
    {"firewall", check_firewall},
    {"rp-filter", check_source_filter},
    {"mc-forwarding", check_forwarding},
    {"bridge", check_bridge},
    {"rule", check_rules},
};

const struct check interface_checks[] = {
    {"iif", check_iif},
    {"kernel", check_kernel},
    {"rp-filter", check_source_filter},
    {"mc-forwarding", check_forwarding},
    {"bridge", check_bridge},
    {"rule", check_rules},
};

const size_t flow_check_count = sizeof flow_checks / sizeof *flow_checks;
const size_t interface_check_count = sizeof interface_checks / sizeof *interface_checks;
