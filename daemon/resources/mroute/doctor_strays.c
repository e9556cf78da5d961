/* What the doctor says of flows that came in and had no route. */
#include "doctor_checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_wanted(const struct examination *e, const struct stray *stray,
                      const struct link_info *link)
{
    return link && (!e->source.family || address_equal(&e->source, &stray->source)) &&
           (!e->group.family || address_equal(&e->group, &stray->group)) &&
           (!e->asked_iif || e->group.family || strcmp(e->asked_iif, link->name) == 0);
}

/* The range that takes the flow from where it came in, or NULL. */
static const struct route *range_of(const struct examination *e, const struct stray *stray)
{
    const struct port *port = port_find(&e->mfc->ports, "", stray->ifindex);

    return port ? ranges_find(&e->mfc->ranges, &stray->source, &stray->group, port) : NULL;
}

static bool may_learn(const struct examination *e)
{
    return e->mfc->host->learned < e->mfc->host->limits.learned;
}

/* Whether the route that there is by now takes the flow. */
static bool is_taken(const struct examination *e, const struct stray *stray)
{
    const struct route *route = route_set_find_flow(&e->mfc->routes, &stray->source, &stray->group);
    const struct route *range = range_of(e, stray);

    return (route && route->in_kernel) || (range && (range->in_kernel || may_learn(e)));
}

/* The next flow, from place *at on, that is asked for and not taken, or NULL; *ret_link is where it
 * came in. */
static const struct stray *next_stray(const struct examination *e, uint64_t now, unsigned *at,
                                      const struct link_info **ret_link)
{
    const struct stray *stray;

    while ((stray = strays_recent(&e->mfc->strays, (*at)++, now))) {
        *ret_link = links_find_index(e->links, stray->ifindex);
        if (is_wanted(e, stray, *ret_link) && !is_taken(e, stray))
            return stray;
    }
    return NULL;
}

/* A route that takes the flow from elsewhere is the model of the one that it lacks. */
static void report_stray(struct examination *e, const struct stray *stray, const char *iif,
                         uint64_t now)
{
    struct examination flow = *e;
    const struct route *range = range_of(e, stray);
    char text[FLOW_TEXT_MAX], range_text[FLOW_TEXT_MAX], hint[HINT_MAX];

    flow.source = stray->source;
    flow.group = stray->group;
    flow.asked_iif = NULL;
    flow.route = find_route(&flow);
    flow_text(&stray->source, &stray->group, text);
    suggest_route(&flow, iif, hint);
    if (range)
        add_finding(e, VERDICT_PROBLEM,
                    "Raise learned-routes of netbrokerd.conf(5), or make --idle shorter.",
                    "Packets of %s came in from %s, and the route %s takes them, but %u routes are "
                    "learned already, and not more may be.",
                    text, iif, route_text(range, range_text), e->mfc->host->limits.learned);
    else
        add_finding(e, VERDICT_PROBLEM, hint,
                    "Packets of %s came in from %s %u s ago, and no route of table %u takes them "
                    "from there.",
                    text, iif, (unsigned)(now - stray->seen), e->table);
}

/* Of the flows that there was no room for nothing is known but how many they were. */
static void report_dropped(struct examination *e, uint64_t now)
{
    unsigned limit = e->mfc->host->limits.unmatched;

    if (strays_waiting(&e->mfc->strays, limit, now))
        add_finding(e, VERDICT_WARNING, "unmatched-flows of netbrokerd.conf(5) is how many may.",
                    "%u flows without a route wait in the kernel, and not more may: others are "
                    "dropped at once, and are not listed here; %" PRIu64 " were so far.",
                    limit, e->mfc->unmatched_dropped);
    else if (e->mfc->unmatched_dropped > 0 && !e->group.family)
        add_finding(e, VERDICT_INFO, "unmatched-flows of netbrokerd.conf(5) is how many may wait.",
                    "Flows without a route that were dropped at once since the start, because too "
                    "many came: %" PRIu64 ".",
                    e->mfc->unmatched_dropped);
}

void check_strays(struct examination *e)
{
    uint64_t now = strays_now();
    const struct link_info *link;
    const struct stray *stray;
    unsigned at = 0, shown = 0, more = 0;

    if (!e->mfc)
        return;
    while ((stray = next_stray(e, now, &at, &link))) {
        if (shown == STRAYS_SHOWN_MAX) {
            more++;
            continue;
        }
        report_stray(e, stray, link->name, now);
        shown++;
    }
    if (shown == 0)
        add_finding(e, VERDICT_OK, "",
                    "No packets came lately that no route of table %u (%s) takes.", e->table,
                    family_name(e->family));
    if (more > 0)
        add_finding(e, VERDICT_INFO, "A route for a prefix of groups takes many flows.",
                    "More flows without a route: %u.", more);
    report_dropped(e, now);
}
