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
                    "%s is no multicast address.", group);
    else if (address_is_link_scoped(&e->group))
        add_finding(e, VERDICT_PROBLEM,
                    "Send to another group, e.g. in 239.0.0.0/8 (RFC 2365) or ff05::/16.",
                    "%s is link-local: no router ever forwards it (RFC 5771, RFC 7346).", group);
    else
        e->hopeless = false;
    if (!e->hopeless)
        add_finding(e, VERDICT_OK, "", "%s is a group that routers forward.", group);
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

/* --- The route ----------------------------------------------------------------------------- */

static const struct route *find_any_source(const struct mfc *mfc, const struct address *group)
{
    const struct route *route;

    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (prefix_has(&route->group, group))
            return route;
    return NULL;
}

const struct route *find_route(const struct mfc *mfc, const struct address *source,
                               const struct address *group)
{
    const struct route *route;

    if (!source->family)
        return find_any_source(mfc, group);
    route = route_set_find_flow(&mfc->routes, source, group);
    return route ? route : ranges_find(&mfc->ranges, source, group, NULL);
}

void suggest_route(const struct examination *e, const char *iif, char *hint)
{
    char source[ADDRESS_TEXT_MAX] = "ADDRESS", group[ADDRESS_TEXT_MAX] = "GROUP";
    char table[32] = "";

    if (e->source.family)
        address_format(&e->source, source);
    if (e->group.family)
        address_format(&e->group, group);
    if (e->table != family_table(e->family, 0))
        snprintf(table, sizeof table, " --table %u", e->table);
    snprintf(hint, HINT_MAX,
             "netbroker mfc add --source %s --group %s --iif %s --oifs INTERFACE,...%s", source,
             group, iif ? iif : "INTERFACE", table);
}

static void check_route(struct examination *e)
{
    char hint[HINT_MAX], flow[FLOW_TEXT_MAX];

    if (!e->group.family)
        return;
    flow_text(&e->source, &e->group, flow);
    suggest_route(e, e->iif, hint);
    if (!e->route)
        add_finding(e, VERDICT_PROBLEM, hint, "No route of table %u takes %s.", e->table, flow);
    else if (e->view.state == ROUTE_WAITING)
        add_finding(e, VERDICT_PROBLEM, "It is completed as soon as the interface is there.",
                    "The route of %s waits for its inbound interface %s.", flow, e->view.iif);
    else if (e->view.oif_count == 0)
        add_finding(e, VERDICT_PROBLEM, hint,
                    "The route of %s names no outgoing interface: it stops the flow.", flow);
    else
        add_finding(e, VERDICT_OK, "", "A route takes %s from %s; outgoing interfaces: %u.", flow,
                    e->view.iif, e->view.oif_count);
}

/* --- Interfaces ---------------------------------------------------------------------------- */

static bool report_link(struct examination *e, const char *name, const struct link_info *link)
{
    char hint[HINT_MAX];

    if (!link) {
        add_finding(e, VERDICT_PROBLEM, "'ip link' lists those that there are.",
                    "There is no interface %s.", name);
    } else if (!link->up) {
        snprintf(hint, sizeof hint, "ip link set %s up", name);
        add_finding(e, VERDICT_PROBLEM, hint, "The interface %s is down.", name);
    } else if (!link->running) {
        add_finding(e, VERDICT_PROBLEM, "Look at the cable, or at the other end of the link.",
                    "The interface %s has no carrier.", name);
    }
    return link && link->up && link->running;
}

static void check_iif(struct examination *e)
{
    char hint[HINT_MAX];

    if (!e->iif)
        return;
    if (e->route && strcmp(e->view.iif, e->iif) != 0) {
        suggest_route(e, e->iif, hint);
        add_finding(e, VERDICT_PROBLEM, hint, "The route takes packets from %s, not from %s.",
                    e->view.iif, e->iif);
    }
    if (report_link(e, e->iif, e->iif_link))
        add_finding(e, VERDICT_OK, "", "The inbound interface %s is up.", e->iif);
}

static void check_oifs(struct examination *e)
{
    unsigned good = 0;

    if (!e->route || e->view.oif_count == 0)
        return;
    for (unsigned i = 0; i < e->view.oif_count; i++)
        good += report_link(e, e->view.oifs[i].name, links_find(e->links, e->view.oifs[i].name));
    if (good == e->view.oif_count)
        add_finding(e, VERDICT_OK, "", "All outgoing interfaces are up: %s%s.",
                    e->view.oifs[0].name, good > 1 ? " and the others" : "");
}

static void check_forwarding(struct examination *e)
{
    struct input_facts facts;
    char hint[HINT_MAX];

    if (!e->iif_link || diagnose_input(e->family, e->iif_link->ifindex, &facts) < 0)
        return;
    if (facts.routes_multicast) {
        add_finding(e, VERDICT_OK, "", "The kernel takes multicast packets in from %s.", e->iif);
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
                    "The bridge %s snoops but is no querier: switches that snoop stop a group's "
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

/* --- Strays -------------------------------------------------------------------------------- */

static bool is_wanted(const struct examination *e, const struct stray *stray,
                      const struct link_info *link)
{
    return link && (!e->source.family || address_equal(&e->source, &stray->source)) &&
           (!e->group.family || address_equal(&e->group, &stray->group)) &&
           (!e->asked_iif || e->group.family || strcmp(e->asked_iif, link->name) == 0);
}

/* Whether the route that there is by now takes the flow. */
static bool is_taken(const struct examination *e, const struct stray *stray,
                     const struct link_info *link)
{
    const struct port *port = port_find(&e->mfc->ports, "", link->ifindex);

    return route_set_find_flow(&e->mfc->routes, &stray->source, &stray->group) ||
           (port && ranges_find(&e->mfc->ranges, &stray->source, &stray->group, port));
}

static void report_stray(struct examination *e, const struct stray *stray, const char *iif,
                         uint64_t now)
{
    struct examination flow = *e;
    char text[FLOW_TEXT_MAX], hint[HINT_MAX];

    flow.source = stray->source;
    flow.group = stray->group;
    suggest_route(&flow, iif, hint);
    add_finding(e, VERDICT_PROBLEM, hint,
                "Packets of %s came in from %s, the last new ones %u seconds ago, and no route of "
                "table %u takes them from there.",
                flow_text(&stray->source, &stray->group, text), iif, (unsigned)(now - stray->seen),
                e->table);
}

void check_strays(struct examination *e)
{
    uint64_t now = strays_now();
    const struct stray *stray;
    unsigned shown = 0;

    for (unsigned i = 0; e->mfc && shown < STRAYS_SHOWN_MAX; i++) {
        stray = strays_recent(&e->mfc->strays, i, now);
        if (!stray)
            break;

        const struct link_info *link = links_find_index(e->links, stray->ifindex);

        if (!is_wanted(e, stray, link) || is_taken(e, stray, link))
            continue;
        report_stray(e, stray, link->name, now);
        shown++;
    }
    if (shown == 0)
        add_finding(e, VERDICT_OK, "", "No packets came lately that no route of table %u takes.",
                    e->table);
}

/* --- The order ----------------------------------------------------------------------------- */

const struct check flow_checks[] = {
    {"group", check_group},
    {"source", check_source},
    {"table", check_table},
    {"route", check_route},
    {"iif", check_iif},
    {"oif", check_oifs},
    {"arrival", check_arrival},
    {"wrong-interface", check_wrong_interface},
    {"unrouted", check_strays},
    {"ttl", check_ttl},
    {"rp-filter", check_source_filter},
    {"mc-forwarding", check_forwarding},
    {"bridge", check_bridge},
    {"rule", check_rules},
};

const struct check interface_checks[] = {
    {"iif", check_iif},
    {"rp-filter", check_source_filter},
    {"mc-forwarding", check_forwarding},
    {"bridge", check_bridge},
    {"rule", check_rules},
};

const size_t flow_check_count = sizeof flow_checks / sizeof *flow_checks;
const size_t interface_check_count = sizeof interface_checks / sizeof *interface_checks;
