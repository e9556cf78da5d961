/* What the doctor says of the route that takes a flow, and of its interfaces. */
#include "doctor_findings.h"

#include "platform/diagnose.h"

#include <stdio.h>
#include <string.h>

enum {
    LIST_TEXT_MAX = 128,
    FLOWS_COUNTED_MAX = 256, /* the kernel is asked for each */
};

/* --- Finding it ---------------------------------------------------------------------------- */

bool route_takes_from(const struct route *route, const char *iif)
{
    return strcmp(route->iif->name, iif) == 0 ||
           (route->iif->pattern && iface_name_matches(route->iif->name, iif));
}

bool route_names_oif(const struct route *route, const char *oif)
{
    for (unsigned i = 0; i < route->oif_count; i++)
        if (strcmp(route->oifs[i].iface->name, oif) == 0)
            return true;
    return false;
}

const struct route *wanted_route(const struct route *route)
{
    return route->learned ? route->learned->by : route;
}

/* The iface of the interface that is asked for; *blank is one where the table has none. */
static const struct iface *asked_iface(const struct examination *e, struct iface *blank)
{
    const struct netif *netif;
    const struct iface *iface;

    if (!e->asked_iif || interface_name_is_pattern(e->asked_iif))
        return NULL;
    netif = netifs_find(e->netifs, e->asked_iif);
    iface = iface_find(&e->mfc->ifaces, e->asked_iif, netif ? netif->ifindex : 0);
    *blank = (struct iface){.vif = -1};
    snprintf(blank->name, sizeof blank->name, "%s", e->asked_iif);
    return iface ? iface : blank;
}

static const struct route *find_for_flow(const struct examination *e)
{
    struct iface blank;
    const struct iface *iface = asked_iface(e, &blank);
    const struct route *route = route_set_find_flow(&e->mfc->routes, &e->source, &e->group);

    if (!route && iface)
        route = ranges_find(&e->mfc->ranges, &e->source, &e->group, iface);
    return route ? route : ranges_find(&e->mfc->ranges, &e->source, &e->group, NULL);
}

/* How much the route has to do with the group that is asked for. What was learned is told of by the
 * range that it was learned from. */
static unsigned relevance(const struct args_diagnose *question, const struct route *route)
{
    bool is_there = !question->iif.text[0] || route_takes_from(route, question->iif.text);

    return 1 + (is_there ? 512 : 0) + (route->learned ? 0 : 256) + route->group.length;
}

static void find(const struct route *route, unsigned how_much, struct found_route *found)
{
    found->is_there = true;
    found->relevance = how_much;
    found->learned = route->learned;
    found->source = route->source;
    found->group = route->group;
    snprintf(found->iif, sizeof found->iif, "%s", route->iif->name);
}

void consider_route(const struct inquiry *inquiry, const struct route *route,
                    struct found_route *found)
{
    struct examination e = {.reader = inquiry->reader};
    unsigned how_much;

    if (!prefix_has(&route->group, &inquiry->question->group))
        return;
    if (!may_tell_route(&e, route)) {
        found->hidden = true;
        return;
    }
    found->wanted += !route->learned;
    how_much = relevance(inquiry->question, route);
    if (how_much > found->relevance)
        find(route, how_much, found);
}

/* It may have gone since. */
static const struct route *find_again(struct examination *e, const struct found_route *found)
{
    const struct route_set *routes = &e->mfc->routes;

    e->hidden = found->hidden && !found->is_there;
    if (!found->is_there)
        return NULL;
    if (found->learned)
        return route_set_find_flow(routes, &found->source.address, &found->group.address);
    return route_set_find(routes, &found->source, &found->group, found->iif);
}

const struct route *find_route(struct examination *e)
{
    if (e->found && !e->source.family)
        return find_again(e, e->found);
    return e->source.family ? tell_route_of(e, find_for_flow(e)) : NULL;
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
    LIST_FOREACH (learned, &e->route->learned_flows, in_range)
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

        if (iif && strcmp(oif->iface->name, iif) == 0)
            continue;
        at +=
            (size_t)snprintf(oifs + at, sizeof oifs - at, "%s%s", at ? "," : "", oif->iface->name);
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
    const struct lease *first = resource_first_lease(&wanted->resource);

    return first && first->kind == HOLDER_CONFIGURATION;
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
    if (e->route->iif->pattern)
        found(e, ROUTE_WAITS_FOR_NAMES);
    else if (netifs_find(e->netifs, e->route->iif->name))
        found(e, ROUTE_WAITS_FOR_VIF, .numbers = {VIFS_MAX});
    else
        found(e, ROUTE_WAITS);
}

/* A learned route is empty where the patterns that it was learned from mean nothing else. */
static void report_stop(struct examination *e)
{
    const struct route *wanted = wanted_route(e->route);
    char command[HINT_MAX];

    suggest_route(e, e->view.iif, command);
    if (wanted->oif_count > 0)
        found(e, ROUTE_TO_NOWHERE, .name = wanted->oifs[0].iface->name);
    else
        found(e, ROUTE_STOPS, .advice = command);
}

static void report_route(struct examination *e)
{
    const char *whose = is_configured(wanted_route(e->route)) ? " (configuration)" : "";

    if (e->route->learned)
        found(e, ROUTE_LEARNED, .other = whose, .numbers = {e->view.oif_count});
    else
        found(e, ROUTE, .other = whose, .numbers = {e->view.oif_count});
}

void check_route(struct examination *e)
{
    char command[HINT_MAX];

    if (!e->group.family)
        return;
    if (!e->route && e->hidden) {
        found(e, ROUTE_HIDDEN);
        return;
    }
    if (!e->route) {
        suggest_route(e, e->iif, command);
        found(e, ROUTE_NONE, .advice = command);
        return;
    }
    if (e->view.state == ROUTE_WAITING)
        report_waiting(e);
    else if (e->view.oif_count == 0)
        report_stop(e);
    else
        report_route(e);
    if (e->any_source && e->others > 0) /* of a group alone only one route is looked at */
        found(e, ROUTE_OTHERS, .numbers = {e->others});
}

/* --- Interfaces ---------------------------------------------------------------------------- */

static bool report_netif(struct examination *e, const char *name, const struct netif *netif)
{
    enum verdict verdict = e->one_of_many ? VERDICT_INFO : VERDICT_PROBLEM;

    if (!netif)
        found(e, NETIF_MISSING, .verdict = verdict, .name = name);
    else if (!netif->up)
        found(e, NETIF_DOWN, .verdict = verdict, .name = name);
    else if (!netif->running)
        found(e, NETIF_WITHOUT_CARRIER, .verdict = verdict, .name = name);
    return netif && netif->up && netif->running;
}

/* "eth0, eth1": what the pattern means today, but for one. Returns how many. */
static unsigned list_meant(const struct examination *e, const char *pattern, const char *but,
                           char *text)
{
    const struct netif *netif = NULL;
    unsigned count = 0;
    size_t used = 0;

    text[0] = '\0';
    while ((netif = netifs_next(e->netifs, netif))) {
        if (!iface_name_matches(pattern, netif->name) || (but && strcmp(netif->name, but) == 0))
            continue;
        count++;
        if (used + strlen(netif->name) + sizeof ", ..." < LIST_TEXT_MAX)
            used += (size_t)sprintf(text + used, "%s%s", used ? ", " : "", netif->name);
        else
            strcpy(text + used, ", ...");
    }
    return count;
}

static void report_pattern(struct examination *e)
{
    char names[LIST_TEXT_MAX];

    if (list_meant(e, e->pattern, NULL, names) > 0)
        found(e, IIF_NAMES, .name = names);
    else if (!e->route)
        found(e, IIF_NAMES_NONE);
}

/* What is learned moves by itself, where the range has the other interface, too. */
static void report_mismatch(struct examination *e)
{
    const struct route *wanted = wanted_route(e->route);
    char command[HINT_MAX];

    suggest_route(e, e->asked_iif, command);
    if (wanted != e->route && route_takes_from(wanted, e->asked_iif))
        found(e, IIF_MOVES);
    else
        found(e, IIF_OTHER, .advice = e->netif_in ? command : "");
}

void check_iif(struct examination *e)
{
    if (e->pattern)
        report_pattern(e);
    if (!e->iif)
        return;
    if (e->route && e->asked_iif && !route_takes_from(e->route, e->asked_iif))
        report_mismatch(e);
    if (report_netif(e, e->iif, e->netif_in))
        found(e, IIF);
}

static bool check_oif_pattern(struct examination *e, const char *pattern)
{
    char names[LIST_TEXT_MAX];

    if (list_meant(e, pattern, e->iif, names) > 0) {
        found(e, OIF_NAMES, .name = pattern, .other = names);
        return true;
    }
    found(e, OIF_NAMES_NONE, .name = pattern,
          .verdict = e->view.oif_count == 1 ? VERDICT_PROBLEM : VERDICT_WARNING);
    return false;
}

static bool check_oif(struct examination *e, const char *name)
{
    bool good;

    if (interface_name_is_pattern(name))
        return check_oif_pattern(e, name);
    e->one_of_many = !route_names_oif(wanted_route(e->route), name);
    good = report_netif(e, name, netifs_find(e->netifs, name));
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
    if (good == e->view.oif_count && !interface_name_is_pattern(e->view.oifs[0].name))
        found(e, OIFS, .name = e->view.oifs[0].name, .other = good > 1 ? " and the others" : "");
}
