/* What the counters and the source filter say of a flow's packets. */
#include "doctor_checks.h"

#include "platform/diagnose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void report_none(struct examination *e, const char *flow)
{
    bool is_meant = e->iif && route_takes_from(wanted_route(e->route), e->iif);
    const char *iif = is_meant ? e->iif : e->view.iif;
    bool is_pattern = port_name_is_pattern(iif);
    char group[ADDRESS_TEXT_MAX], hint[HINT_MAX];

    address_format(&e->group, group);
    snprintf(hint, sizeof hint,
             "'tcpdump -ni %s multicast' shows what arrives. If a switch keeps it back: netbroker "
             "join add --group %s --iif %s",
             is_pattern ? "any" : iif, group, is_pattern ? "INTERFACE" : iif);
    if (e->view.state == ROUTE_ON_DEMAND)
        add_finding(e, VERDICT_WARNING, hint,
                    "No packet of %s came in by %s in the last %u seconds: nobody sends, or they "
                    "are dropped before they are routed. When one comes, the flow is learned.",
                    flow, iif, e->view.idle);
    else
        add_finding(e, VERDICT_WARNING, hint,
                    "No packet of %s has arrived on %s since the route was installed: nobody "
                    "sends, or they are dropped before they are routed.",
                    flow, iif);
}

void check_arrival(struct examination *e)
{
    const struct arrivals *arrivals = &e->arrivals;
    char flow[FLOW_TEXT_MAX], flows[32] = "";

    if (!e->route || e->view.state == ROUTE_WAITING)
        return;
    flow_text(&e->source, &e->group, flow);
    if (arrivals->flows > 1)
        snprintf(flows, sizeof flows, " in %u flows", arrivals->flows);
    if (arrivals->packets > 0)
        add_finding(e, VERDICT_OK, "", "%" PRIu64 " packets of %s (%" PRIu64 " bytes) have come%s.",
                    arrivals->packets, flow, arrivals->bytes, flows);
    else if (arrivals->wrong_interface == 0)
        report_none(e, flow);
}

/* The first interface that leads back to the source, or NULL. */
static const struct link_info *way_back(const struct examination *e)
{
    struct return_path path;

    if (!e->source.family || diagnose_return_path(&e->source, &path) < 0 || path.count == 0)
        return NULL;
    return links_find_index(e->links, path.links[0]);
}

void check_wrong_interface(struct examination *e)
{
    const struct arrivals *arrivals = &e->arrivals;
    const struct link_info *back = way_back(e);
    char hint[HINT_MAX];

    if (!e->route || arrivals->wrong_interface == 0)
        return;
    suggest_route(e, back && strcmp(back->name, e->view.iif) != 0 ? back->name : NULL, hint);
    add_finding(e, arrivals->packets > 0 ? VERDICT_WARNING : VERDICT_PROBLEM, hint,
                "%" PRIu64 " packets came in by another interface than %s and were dropped.",
                arrivals->wrong_interface, e->view.iif);
}

static uint64_t packets_out(const struct examination *e, const char *name)
{
    const struct link_info *link = links_find(e->links, name);
    const struct port *port = link ? port_find(&e->mfc->ports, name, link->ifindex) : NULL;
    struct vif_counters counters = {0};

    if (!port || port->vif < 0 ||
        mroute_vif_count(&e->mfc->socket, (unsigned)port->vif, &counters) < 0)
        return 1; /* it is not known that none left */
    return counters.packets_out;
}

/* A packet whose TTL is too low is counted by the route, but not by the outgoing interface. */
void check_ttl(struct examination *e)
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
            add_finding(e, VERDICT_PROBLEM, TTL_HINT,
                        "Packets have come, but none left by %s: their TTL is not greater than "
                        "%u, or they are longer than its MTU.",
                        name, ttl);
        else if (ttl > 1 || !came)
            add_finding(e, VERDICT_INFO, "",
                        "Only packets with a TTL greater than %u leave by %s; senders that set "
                        "none send with 1.",
                        ttl, name);
    }
}

static bool leads_by(const struct return_path *path, unsigned ifindex)
{
    for (unsigned i = 0; i < path->count; i++)
        if (path->links[i] == ifindex)
            return true;
    return false;
}

static void report_no_way_back(struct examination *e, const char *source)
{
    char hint[HINT_MAX];

    snprintf(hint, sizeof hint,
             "ip route add %s dev %s, or sysctl -w net/ipv4/conf/%s/rp_filter=0 "
             "net/ipv4/conf/all/rp_filter=0",
             source, e->iif, e->iif);
    add_finding(e, VERDICT_PROBLEM, hint,
                "rp_filter of %s drops packets from %s, because there is no route back to it.",
                e->iif, source);
}

static void report_way_back(struct examination *e, const struct return_path *path,
                            enum source_filter filter)
{
    const struct link_info *back = links_find_index(e->links, path->links[0]);
    char source[ADDRESS_TEXT_MAX], hint[HINT_MAX];

    address_format(&e->source, source);
    if (filter == SOURCE_FILTER_STRICT)
        snprintf(hint, sizeof hint,
                 "sysctl -w net/ipv4/conf/%s/rp_filter=2, or a route to %s by %s", e->iif, source,
                 e->iif);
    else
        snprintf(hint, sizeof hint, "Give %s an address, or a route to %s by it.", e->iif, source);
    add_finding(e, VERDICT_PROBLEM, hint,
                "rp_filter of %s (%d, %s) drops packets from %s, because the way back to it leads "
                "by %s.",
                e->iif, filter,
                filter == SOURCE_FILTER_STRICT ? "strict" : "strict where there is no address",
                source, back ? back->name : "another interface");
}

static void judge_filter(struct examination *e, const struct input_facts *facts,
                         enum source_filter filter)
{
    bool strict = filter == SOURCE_FILTER_STRICT || !facts->has_address;
    struct return_path path;
    char source[ADDRESS_TEXT_MAX];

    if (diagnose_return_path(&e->source, &path) < 0)
        return;
    address_format(&e->source, source);
    if (path.local)
        add_finding(e, VERDICT_WARNING, "",
                    "%s is an address of this host: packets from it that come in from outside are "
                    "dropped.",
                    source);
    else if (filter == SOURCE_FILTER_OFF)
        add_finding(e, VERDICT_OK, "", "rp_filter of %s is off (0).", e->iif);
    else if (path.count == 0)
        report_no_way_back(e, source);
    else if (strict && !leads_by(&path, e->iif_link->ifindex))
        report_way_back(e, &path, filter);
    else
        add_finding(e, VERDICT_OK, "", "rp_filter of %s (%d) lets packets from %s pass.", e->iif,
                    filter, source);
}

void check_source_filter(struct examination *e)
{
    struct input_facts facts;

    if (e->family != FAMILY_IPV4 || !e->iif_link ||
        diagnose_input(e->family, e->iif_link->ifindex, &facts) < 0)
        return;

    enum source_filter filter =
        facts.own_filter > facts.all_filter ? facts.own_filter : facts.all_filter;

    if (e->source.family)
        judge_filter(e, &facts, filter);
    else if (filter == SOURCE_FILTER_OFF)
        add_finding(e, VERDICT_OK, "", "rp_filter of %s is off (0).", e->iif);
    else
        add_finding(e, VERDICT_INFO, "Give --source to have it judged.",
                    "rp_filter of %s is %d: packets from sources to which no route leads back%s "
                    "are dropped.",
                    e->iif, filter, filter == SOURCE_FILTER_STRICT ? " by it" : "");
}
