#include "demand.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- Making a learned route ---------------------------------------------------------------- */

/* The outgoing interfaces of one flow, as they are found. */
struct outputs {
    struct mfc *mfc;
    const struct port *iif;
    unsigned count;
    struct route_oif list[VIFS_MAX];
};

static bool may_add(const struct outputs *outputs, const struct port *port)
{
    for (unsigned i = 0; i < outputs->count; i++)
        if (outputs->list[i].port == port)
            return false;
    return port != outputs->iif && outputs->count < VIFS_MAX;
}

static void add_output(struct outputs *outputs, struct port *port, uint8_t ttl)
{
    if (!may_add(outputs, port))
        return;
    port->ref_count++;
    outputs->list[outputs->count++] = (struct route_oif){port, ttl};
}

/* All interfaces that the pattern means today, as far as there are VIFs for them. */
static void add_pattern(struct outputs *outputs, const struct route_oif *oif)
{
    struct ports *ports = &outputs->mfc->ports;
    const struct links *links = outputs->mfc->host->links;
    const struct link_info *link = NULL;

    while ((link = links_next(links, link))) {
        struct port *port;

        if (!port_name_matches(oif->port->name, link->name))
            continue;
        port = port_acquire_meant(ports, link);
        if (!port)
            continue;
        add_output(outputs, port, oif->ttl);
        port_release(ports, port);
    }
}

static void collect_outputs(struct outputs *outputs, const struct route *range)
{
    for (unsigned i = 0; i < range->oif_count; i++) {
        if (range->oifs[i].port->pattern)
            add_pattern(outputs, &range->oifs[i]);
        else
            add_output(outputs, range->oifs[i].port, range->oifs[i].ttl);
    }
}

static struct route *new_learned(const struct address *source, const struct address *group,
                                 unsigned oif_count)
{
    struct prefix s = prefix_single(source), g = prefix_single(group);
    struct route *route = route_new(&s, &g, oif_count);

    if (!route)
        return NULL;
    route->learned = calloc(1, sizeof *route->learned);
    if (route->learned)
        return route;
    free(route);
    return NULL;
}

/* The exact route of a flow of the range, in no set yet. NULL: no memory. */
static struct route *build(struct mfc *mfc, const struct route *range, const struct address *source,
                           const struct address *group, struct port *iif)
{
    struct outputs outputs = {.mfc = mfc, .iif = iif};
    struct route *route;

    mfc_verify(mfc);
    collect_outputs(&outputs, range);
    route = new_learned(source, group, outputs.count);
    if (!route) {
        while (outputs.count > 0)
            port_release(&mfc->ports, outputs.list[--outputs.count].port);
        return NULL;
    }
    memcpy(route->oifs, outputs.list, outputs.count * sizeof outputs.list[0]);
    route->mfc = mfc;
    route->iif = iif;
    iif->ref_count++;
    port_count_iif(&mfc->ports, iif, 1);
    return route;
}

static void link_to_range(struct route *route, struct route *range)
{
    if (route->learned->by)
        LIST_REMOVE(route->learned, in_range);
    route->learned->by = range;
    LIST_INSERT_HEAD(&range->taught, route->learned, in_range);
}

/* Counts it among those that were learned. */
static void enrol(struct mfc *mfc, struct route *route, struct route *range)
{
    struct learned *learned = route->learned;

    learned->route = route;
    learned->active_ms = learned->looked_ms = now_ms();
    link_to_range(route, range);
    TAILQ_INSERT_TAIL(&mfc->learned, learned, in_table);
    mfc->learned_count++;
    mfc->host->learned++;
    mfc->host->needs_ticks(mfc->host->context);
}

void demand_forget(struct mfc *mfc, struct route *route)
{
    TAILQ_REMOVE(&mfc->learned, route->learned, in_table);
    LIST_REMOVE(route->learned, in_range);
    mfc->learned_count--;
    mfc->host->learned--;
    free(route->learned);
    route->learned = NULL;
}

/* Learns the route of a flow that has none and comes in by this port. False: no range has it, or
 * there is no memory, or the kernel has none, or as much was learned as may be. */
static bool learn(struct mfc *mfc, const struct address *source, const struct address *group,
                  struct port *iif)
{
    struct route *range, *route;

    if (mfc->host->learned >= mfc->host->limits.learned)
        return false;
    range = ranges_find(&mfc->ranges, source, group, iif);
    route = range ? build(mfc, range, source, group, iif) : NULL;
    if (!route)
        return false;
    if (mfc_sync(mfc, route) < 0) {
        mfc_discard(mfc, route);
        return false;
    }
    route->serial = mfc->host->serial++;
    route_set_insert(&mfc->routes, route);
    enrol(mfc, route, range);
    mfc->host->route_news(mfc->host->context, ROUTE_LEARNED_NEWS, route);
    return true;
}

/* --- Changing it --------------------------------------------------------------------------- */

static bool is_same(const struct route *a, const struct route *b)
{
    if (a->iif != b->iif || a->oif_count != b->oif_count)
        return false;
    for (unsigned i = 0; i < a->oif_count; i++)
        if (a->oifs[i].port != b->oifs[i].port || a->oifs[i].ttl != b->oifs[i].ttl)
            return false;
    return true;
}

/* The flow is of this range and comes in by this port: its route is made so, in one write, and
 * untouched where it is so already. */
static void renew(struct mfc *mfc, struct route *old, struct route *range, struct port *iif)
{
    struct route *new = build(mfc, range, &old->source.address, &old->group.address, iif);
    enum route_news news = old->iif == iif ? ROUTE_REPLACED_NEWS : ROUTE_MOVED_NEWS;

    if (!new) {
        mfc_remove(mfc, old, ROUTE_EXPIRED_NEWS);
        return;
    }
    if (is_same(old, new)) {
        link_to_range(old, range);
        mfc_discard(mfc, new);
        return;
    }
    new->in_kernel = old->in_kernel;
    if (mfc_sync(mfc, new) < 0) { /* the entry is the old one, whose VIFs may go */
        mfc_discard(mfc, new);
        mfc_remove(mfc, old, ROUTE_EXPIRED_NEWS);
        return;
    }
    enrol(mfc, new, range);
    new->learned->packets = old->learned->packets;
    if (news == ROUTE_REPLACED_NEWS)
        new->learned->active_ms = old->learned->active_ms;
    demand_forget(mfc, old);
    mfc_replace(mfc, old, new);
    mfc->host->route_news(mfc->host->context, news, new);
}

/* Makes it of the range that has it now, or ends it. */
static void reconsider(struct mfc *mfc, struct route *route)
{
    struct route *range =
        ranges_find(&mfc->ranges, &route->source.address, &route->group.address, route->iif);

    if (range)
        renew(mfc, route, range, route->iif);
    else
        mfc_remove(mfc, route, ROUTE_EXPIRED_NEWS);
}

void demand_update(struct mfc *mfc, struct route *range)
{
    struct learned *learned = LIST_FIRST(&range->taught);

    while (learned) {
        struct learned *next = LIST_NEXT(learned, in_range);

        reconsider(mfc, learned->route);
        learned = next;
    }
}

void demand_end(struct mfc *mfc, struct route *range)
{
    while (!LIST_EMPTY(&range->taught))
        reconsider(mfc, LIST_FIRST(&range->taught)->route);
}

void demand_outdate(struct mfc *mfc)
{
    mfc->outdated = mfc->learned_count;
}

/* It waits, as far as is known: it may have been learned from another interface since, or be
 * wanted by name. */
static void retry_stray(struct mfc *mfc, struct stray *stray)
{
    struct port *port = port_find(&mfc->ports, "", stray->ifindex);

    if (port && port->vif >= 0 &&
        !route_set_find_flow(&mfc->routes, &stray->source, &stray->group) &&
        learn(mfc, &stray->source, &stray->group, port))
        stray->seen = 0;
}

void demand_begin(struct mfc *mfc, struct route *range)
{
    uint64_t now = strays_now();

    demand_outdate(mfc);
    for (unsigned i = 0; i < STRAYS_MAX; i++) {
        struct stray *stray = &mfc->strays.list[i];

        if (stray_waits(stray, now) && prefix_has(&range->group, &stray->group))
            retry_stray(mfc, stray);
    }
}

bool demand_claim(struct mfc *mfc, struct route *route)
{
    struct route *range =
        ranges_find(&mfc->ranges, &route->source.address, &route->group.address, route->iif);

    if (route->is_range || !range)
        return false;
    route->learned = calloc(1, sizeof *route->learned);
    if (!route->learned)
        return false;
    enrol(mfc, route, range);
    return true;
}

/* --- What the kernel says ------------------------------------------------------------------ */

/* No entry of ours may be made of an address that means something else in one. */
static bool is_flow(const struct upcall *upcall)
{
    return !address_is_any(&upcall->source) && !address_is_multicast(&upcall->source) &&
           address_is_multicast(&upcall->group) && !address_is_link_scoped(&upcall->group);
}

/* The kernel forgets the flow, and will ask again. */
static void drop_flow(struct mfc *mfc, const struct upcall *upcall)
{
    struct mfc_entry stop = {
        .source = upcall->source, .group = upcall->group, .parent = upcall->vif};

    mfc->unmatched_dropped++;
    mfc->writes += 2;
    if (mroute_mfc_set(&mfc->socket, &stop) == 0)
        mroute_mfc_del(&mfc->socket, &stop.source, &stop.group);
}

static void note_unmatched(struct mfc *mfc, const struct upcall *upcall, const struct port *port)
{
    uint64_t now = strays_now();

    if (strays_waiting(&mfc->strays, mfc->host->limits.unmatched, now))
        drop_flow(mfc, upcall);
    else
        strays_note(&mfc->strays, upcall, port->ifindex, now);
}

/* Whether the flow has a route by now. It may have got one after the kernel asked. */
static bool take_flow(struct mfc *mfc, const struct upcall *upcall, struct port *port)
{
    const struct route *known = route_set_find_flow(&mfc->routes, &upcall->source, &upcall->group);

    if (known ? known->in_kernel : learn(mfc, &upcall->source, &upcall->group, port))
        return true;
    note_unmatched(mfc, upcall, port);
    return false;
}

/* What is wanted by name stays where it was wanted. */
static void take_wrong_interface(struct mfc *mfc, const struct upcall *upcall, struct port *port)
{
    struct route *route = route_set_find_flow(&mfc->routes, &upcall->source, &upcall->group);
    struct route *range;

    if (!route || !route->learned || route->iif == port)
        return;
    range = ranges_find(&mfc->ranges, &upcall->source, &upcall->group, port);
    if (range)
        renew(mfc, route, range, port);
}

bool demand_take(struct mfc *mfc, const struct upcall *upcall)
{
    struct port *port = port_of_vif(&mfc->ports, upcall->vif);
    bool is_sound = port && is_flow(upcall);

    mfc->wrong_interface += upcall->kind == UPCALL_WRONG_INTERFACE;
    if (upcall->kind == UPCALL_NO_ROUTE && is_sound && take_flow(mfc, upcall, port))
        return true;
    mfc->no_route += upcall->kind == UPCALL_NO_ROUTE;
    if (upcall->kind == UPCALL_WRONG_INTERFACE && is_sound)
        take_wrong_interface(mfc, upcall, port);
    return false;
}

/* --- Time ---------------------------------------------------------------------------------- */

/* Each look is a system call, so there are some 32 in an idle time, and one at its end. */
static bool is_due(const struct learned *learned, uint64_t now)
{
    uint64_t idle_ms = learned->by->idle * UINT64_C(1000);

    return now >= learned->looked_ms + idle_ms / 32 || now >= learned->active_ms + idle_ms;
}

/* Packets that came in by a wrong interface are no sign of life. */
static bool is_silent(struct mfc *mfc, struct learned *learned, uint64_t now)
{
    const struct route *route = learned->route;
    struct mfc_counters counters = {0};
    uint64_t packets;

    learned->looked_ms = now;
    mroute_mfc_count(&mfc->socket, &route->source.address, &route->group.address, &counters);
    packets = counters.packets - counters.wrong_interface;
    if (packets != learned->packets) {
        learned->packets = packets;
        learned->active_ms = now;
    }
    return now >= learned->active_ms + learned->by->idle * UINT64_C(1000);
}

static void look_at(struct mfc *mfc, struct learned *learned, uint64_t now)
{
    if (is_due(learned, now) && is_silent(mfc, learned, now)) {
        mfc_del(mfc, learned->route, ROUTE_EXPIRED_NEWS);
        return;
    }
    if (mfc->outdated == 0)
        return;
    mfc->outdated--;
    reconsider(mfc, learned->route);
}

void demand_tick(struct mfc *mfc, uint64_t now, unsigned *budget)
{
    for (size_t left = mfc->learned_count; left > 0 && *budget > 0; left--, --*budget) {
        struct learned *learned = TAILQ_FIRST(&mfc->learned);

        if (!learned)
            return;
        TAILQ_REMOVE(&mfc->learned, learned, in_table);
        TAILQ_INSERT_TAIL(&mfc->learned, learned, in_table);
        look_at(mfc, learned, now);
    }
}
