/* What the doctor says of the route that takes a flow, and of its interfaces. */
#include "doctor_checks.h"

#include "platform/diagnose.h"

#include <stdio.h>
#include <string.h>

enum {
    LIST_TEXT_MAX = 128,
    FLOWS_COUNTED_MAX = 1024, /* the kernel is asked for each */
};

const char *route_text(const struct route *route, char *text)
{
    char source[PREFIX_TEXT_MAX] = "*", group[PREFIX_TEXT_MAX];

    if (route->source.length > 0)
        prefix_format(&route->source, source);
    snprintf(text, FLOW_TEXT_MAX, "(%s, %s)", source, prefix_format(&route->group, group));
    return text;
}

/* --- Finding it ---------------------------------------------------------------------------- */

bool route_takes_from(const struct route *route, const char *iif)
{
    return strcmp(route->iif->name, iif) == 0 ||
           (route->iif->pattern && port_name_matches(route->iif->name, iif));
}

const struct route *wanted_route(const struct route *route)
{
    return route->learned ? route->learned->by : route;
}

/* The port of the interface that is asked for; *blank is one where the table has none. */
static const struct port *asked_port(const struct examination *e, struct port *blank)
{
    const struct link_info *link;
    const struct port *port;

    if (!e->asked_iif || port_name_is_pattern(e->asked_iif))
        return NULL;
    link = links_find(e->links, e->asked_iif);
    port = port_find(&e->mfc->ports, e->asked_iif, link ? link->ifindex : 0);
    *blank = (struct port){.vif = -1};
    snprintf(blank->name, sizeof blank->name, "%s", e->asked_iif);
    return port ? port : blank;
}

static const struct route *find_for_flow(const struct examination *e)
{
    struct port blank;
    const struct port *port = asked_port(e, &blank);
    const struct route *route = route_set_find_flow(&e->mfc->routes, &e->source, &e->group);

    if (!route && port)
        route = ranges_find(&e->mfc->ranges, &e->source, &e->group, port);
    return route ? route : ranges_find(&e->mfc->ranges, &e->source, &e->group, NULL);
}

/* How much the route has to do with the group that is asked for. What was learned is told of by the
 * range that it was learned from. */
static unsigned relevance(const struct examination *e, const struct route *route)
{
    bool is_there = !e->asked_iif || route_takes_from(route, e->asked_iif);

    return (is_there ? 512 : 0) + (route->learned ? 0 : 256) + route->group.length;
}

static const struct route *find_for_group(const struct examination *e)
{
    const struct route *best = NULL, *route;

    TAILQ_FOREACH (route, &e->mfc->routes.order, in_order)
        if (prefix_has(&route->group, &e->group) &&
            (!best || relevance(e, route) > relevance(e, best)))
            best = route;
    return best;
}

const struct route *find_route(const struct examination *e)
{
    return e->source.family ? find_for_flow(e) : find_for_group(e);
}

/* --- Counting ------------------------------------------------------------------------------ */

static void add_arrivals(struct arrivals *arrivals, const struct route *route)
{
    struct route_view view;

    route_describe(route, true, &view);
    arrivals->flows++;
    arrivals->packets += view.counters.packets - view.counters.wrong_interface;
    arrivals->bytes += view.counters.bytes;
    arrivals->wrong_interface += view.counters.wrong_interface;
}

void count_arrivals(const struct examination *e, struct arrivals *ret)
{
    const struct learned *learned;

    *ret = (struct arrivals){0};
    if (e->route->in_kernel) {
        add_arrivals(ret, e->route);
        return;
    }
    if (e->source.family)
        return;
    LIST_FOREACH (learned, &e->route->taught, in_range)
        if (ret->flows < FLOWS_COUNTED_MAX && prefix_has(&learned->route->group, &e->group))
            add_arrivals(ret, learned->route);
}

/* --- What to do ---------------------------------------------------------------------------- */

/* Where a route like this one would send what comes in by iif, as options. */
static void copy_outputs(const struct route *like, const char *iif, char *text, size_t size)
{
    char oifs[HINT_MAX] = "", ttls[HINT_MAX] = "";
    size_t at = 0, ttl_at = 0;
    unsigned greatest = 1;

    for (unsigned i = 0; i < like->oif_count && at < sizeof oifs && ttl_at < sizeof ttls; i++) {
        const struct route_oif *oif = &like->oifs[i];

        if (iif && strcmp(oif->port->name, iif) == 0)
            continue;
        at += (size_t)snprintf(oifs + at, sizeof oifs - at, "%s%s", at ? "," : "", oif->port->name);
        ttl_at += (size_t)snprintf(ttls + ttl_at, sizeof ttls - ttl_at, "%s%u", ttl_at ? "," : "",
                                   oif->ttl);
        greatest = oif->ttl > greatest ? oif->ttl : greatest;
    }
    if (at > 0 && greatest > 1)
        snprintf(text, size, "%s --ttls %s", oifs, ttls);
    else
        snprintf(text, size, "%s", at > 0 ? oifs : "INTERFACE,...");
}

/* " --source PREFIX", or nothing where it is any. */
static void format_source(const struct prefix *source, char *text, size_t size)
{
    char prefix[PREFIX_TEXT_MAX];

    text[0] = '\0';
    if (source->address.family && source->length > 0)
        snprintf(text, size, " --source %s", prefix_format(source, prefix));
}

static bool is_configured(const struct route *wanted)
{
    const struct hold *first = holding_first(&wanted->holding);

    return first && first->kind == HOLD_CONFIGURATION;
}

static void write_command(const struct examination *e, const struct route *like, const char *iif,
                          char *hint)
{
    struct prefix source = {0}, any_group = {0};
    char source_text[PREFIX_TEXT_MAX + 16], group[PREFIX_TEXT_MAX] = "GROUP";
    char table[32] = "", outputs[2 * HINT_MAX + 8] = "INTERFACE,...";
    const struct prefix *groups = like ? &like->group : &any_group;
    static const char form[] = "netbroker mfc add%s --group %s --iif %s --oifs %s%s";

    if (e->source.family)
        source = prefix_single(&e->source);
    if (!like && e->group.family)
        any_group = prefix_single(&e->group);
    format_source(like ? &like->source : &source, source_text, sizeof source_text);
    if (groups->address.family)
        prefix_format(groups, group);
    if (e->table != family_table(e->family, 0))
        snprintf(table, sizeof table, " --table %u", e->table);
    if (like)
        copy_outputs(like, iif, outputs, sizeof outputs);
    iif = iif ? iif : "INTERFACE";
    if (snprintf(hint, HINT_MAX, form, source_text, group, iif, outputs, table) >= HINT_MAX)
        snprintf(hint, HINT_MAX, form, source_text, group, iif, "INTERFACE,...", table);
}

/* An exact route would be replaced, which lasts until the configuration is read again. */
void suggest_route(const struct examination *e, const char *iif, char *hint)
{
    const struct route *like = e->route ? wanted_route(e->route) : NULL;

    if (like && !like->is_range && is_configured(like))
        snprintf(hint, HINT_MAX, "Change its line in the files of netbroker-multicast.conf(5).");
    else
        write_command(e, like, iif, hint);
}

/* --- The route ----------------------------------------------------------------------------- */

static void report_waiting(struct examination *e)
{
    const char *iif = e->route->iif->name;
    char route[FLOW_TEXT_MAX];

    route_text(e->route, route);
    if (e->route->iif->pattern)
        add_finding(e, VERDICT_PROBLEM, "It begins as soon as there is one.",
                    "The route %s waits for an interface whose name begins as in %s.", route, iif);
    else if (links_find(e->links, iif))
        add_finding(e, VERDICT_PROBLEM, "'netbroker vif show' tells which interfaces have one.",
                    "The route %s waits for a VIF for its inbound interface %s: all %d of table %u "
                    "are taken.",
                    route, iif, VIFS_MAX, e->table);
    else
        add_finding(e, VERDICT_PROBLEM, "It is completed as soon as the interface is there.",
                    "The route %s waits for its inbound interface %s.", route, iif);
}

/* A learned route is empty where the patterns that it was learned from mean nothing else. */
static void report_stop(struct examination *e)
{
    const struct route *wanted = wanted_route(e->route);
    char flow[FLOW_TEXT_MAX], text[FLOW_TEXT_MAX], hint[HINT_MAX];

    flow_text(&e->source, &e->group, flow);
    route_text(wanted, text);
    if (wanted->oif_count > 0) {
        add_finding(
            e, VERDICT_PROBLEM, "'ip link' lists the interfaces that there are.",
            "%s goes nowhere: the route %s sends to %s, but beside %s, where the flow comes in, "
            "there is no such interface.",
            flow, text, wanted->oifs[0].port->name, e->view.iif);
        return;
    }
    suggest_route(e, e->view.iif, hint);
    add_finding(e, VERDICT_PROBLEM, hint,
                "The route of %s names no outgoing interface: it stops the flow.", flow);
}

static void report_route(struct examination *e)
{
    const struct route *wanted = wanted_route(e->route);
    const char *whose = is_configured(wanted) ? " (configuration)" : "";
    char flow[FLOW_TEXT_MAX], text[FLOW_TEXT_MAX];

    flow_text(&e->source, &e->group, flow);
    route_text(wanted, text);
    if (e->route->learned)
        add_finding(e, VERDICT_OK, "",
                    "%s comes in by %s; the route %s from %s%s takes it; outgoing interfaces: %u.",
                    flow, e->view.iif, text, wanted->iif->name, whose, e->view.oif_count);
    else
        add_finding(e, VERDICT_OK, "", "The route %s from %s%s takes %s; outgoing interfaces: %u.",
                    text, e->view.iif, whose, flow, e->view.oif_count);
}

/* Of a group alone only one route is looked at. */
static void report_others(struct examination *e)
{
    const struct route *route;
    unsigned others = 0;

    TAILQ_FOREACH (route, &e->mfc->routes.order, in_order)
        others += route != e->route && !route->learned && prefix_has(&route->group, &e->group);
    if (others > 0)
        add_finding(e, VERDICT_INFO, "Give --source, and --iif, to have another one looked at.",
                    "Other routes that take packets of this group: %u.", others);
}

void check_route(struct examination *e)
{
    char hint[HINT_MAX], flow[FLOW_TEXT_MAX];

    if (!e->group.family)
        return;
    if (!e->route) {
        suggest_route(e, e->iif, hint);
        add_finding(e, VERDICT_PROBLEM, hint, "No route of table %u takes %s.", e->table,
                    flow_text(&e->source, &e->group, flow));
        return;
    }
    if (e->view.state == ROUTE_WAITING)
        report_waiting(e);
    else if (e->view.oif_count == 0)
        report_stop(e);
    else
        report_route(e);
    if (e->any_source)
        report_others(e);
}

/* --- Interfaces ---------------------------------------------------------------------------- */

static bool report_link(struct examination *e, const char *name, const struct link_info *link)
{
    enum verdict verdict = e->one_of_many ? VERDICT_INFO : VERDICT_PROBLEM;
    char hint[HINT_MAX];

    if (!link) {
        add_finding(e, verdict, "'ip link' lists those that there are.",
                    "There is no interface %s.", name);
    } else if (!link->up) {
        snprintf(hint, sizeof hint, "ip link set %s up", name);
        add_finding(e, verdict, hint, "The interface %s is down.", name);
    } else if (!link->running) {
        add_finding(e, verdict, "Look at the cable, or at the other end of the link.",
                    "The interface %s has no carrier.", name);
    }
    return link && link->up && link->running;
}

/* "eth0, eth1": what the pattern means today, but for one. Returns how many. */
static unsigned list_meant(const struct examination *e, const char *pattern, const char *but,
                           char *text)
{
    const struct link_info *link = NULL;
    unsigned count = 0;
    size_t used = 0;

    text[0] = '\0';
    while ((link = links_next(e->links, link))) {
        if (!port_name_matches(pattern, link->name) || (but && strcmp(link->name, but) == 0))
            continue;
        count++;
        if (used + strlen(link->name) + sizeof ", ..." < LIST_TEXT_MAX)
            used += (size_t)sprintf(text + used, "%s%s", used ? ", " : "", link->name);
        else
            strcpy(text + used, ", ...");
    }
    return count;
}

static void report_pattern(struct examination *e)
{
    char names[LIST_TEXT_MAX];

    if (list_meant(e, e->pattern, NULL, names) > 0)
        add_finding(e, VERDICT_OK, "", "Inbound interfaces that %s means: %s.", e->pattern, names);
    else if (!e->route)
        add_finding(e, VERDICT_WARNING, "'ip link' lists those that there are.",
                    "There is no interface whose name begins as in %s.", e->pattern);
}

/* What is learned moves by itself, where the range has the other interface, too. */
static void report_mismatch(struct examination *e)
{
    const struct route *wanted = wanted_route(e->route);
    char hint[HINT_MAX], text[FLOW_TEXT_MAX];

    if (wanted != e->route && route_takes_from(wanted, e->asked_iif)) {
        add_finding(e, VERDICT_INFO, "",
                    "The flow came in by %s. If it comes by %s, its route is moved there.",
                    e->view.iif, e->asked_iif);
        return;
    }
    suggest_route(e, e->asked_iif, hint);
    add_finding(e, VERDICT_PROBLEM, e->iif_link ? hint : "",
                "The route %s takes packets from %s, not from %s.", route_text(wanted, text),
                wanted->iif->name, e->asked_iif);
}

void check_iif(struct examination *e)
{
    if (e->pattern)
        report_pattern(e);
    if (!e->iif)
        return;
    if (e->route && e->asked_iif && !route_takes_from(e->route, e->asked_iif))
        report_mismatch(e);
    if (report_link(e, e->iif, e->iif_link))
        add_finding(e, VERDICT_OK, "", "The inbound interface %s is up.", e->iif);
}

/* Whether the route that is wanted names the interface itself, and not by a pattern. */
static bool is_named(const struct route *route, const char *oif)
{
    for (unsigned i = 0; i < route->oif_count; i++)
        if (strcmp(route->oifs[i].port->name, oif) == 0)
            return true;
    return false;
}

static bool check_oif_pattern(struct examination *e, const char *pattern)
{
    char names[LIST_TEXT_MAX];

    if (list_meant(e, pattern, e->iif, names) > 0) {
        add_finding(e, VERDICT_OK, "", "Outgoing interfaces that %s means: %s.", pattern, names);
        return true;
    }
    add_finding(e, e->view.oif_count == 1 ? VERDICT_PROBLEM : VERDICT_WARNING,
                "'ip link' lists those that there are.",
                "There is no outgoing interface whose name begins as in %s.", pattern);
    return false;
}

static bool check_oif(struct examination *e, const char *name)
{
    bool good;

    if (port_name_is_pattern(name))
        return check_oif_pattern(e, name);
    e->one_of_many = !is_named(wanted_route(e->route), name);
    good = report_link(e, name, links_find(e->links, name));
    e->one_of_many = false;
    return good;
}

void check_oifs(struct examination *e)
{
    unsigned good = 0;

    if (!e->route || e->view.oif_count == 0)
        return;
    for (unsigned i = 0; i < e->view.oif_count; i++)
        good += check_oif(e, e->view.oifs[i].name);
    if (good == e->view.oif_count && !port_name_is_pattern(e->view.oifs[0].name))
        add_finding(e, VERDICT_OK, "", "All outgoing interfaces are up: %s%s.",
                    e->view.oifs[0].name, good > 1 ? " and the others" : "");
}
