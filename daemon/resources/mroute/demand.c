#include "demand.h"

#include "mroute_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* To write an entry takes the kernel some 20 us. */
enum { AT_ONCE = 16 };

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
    const struct iface *iif;
    unsigned count;
    struct route_oif list[VIFS_MAX];
};

static bool may_add(const struct outputs *outputs, const struct iface *iface)
{
    for (unsigned i = 0; i < outputs->count; i++)
        if (outputs->list[i].iface == iface)
            return false;
    return iface != outputs->iif && outputs->count < VIFS_MAX;
}

static void add_output(struct outputs *outputs, struct iface *iface, uint8_t ttl)
{
    if (!may_add(outputs, iface))
        return;
    iface->ref_count++;
    outputs->list[outputs->count++] = (struct route_oif){iface, ttl};
}

/* All interfaces that the pattern means today, as far as there are VIFs for them. */
static void add_pattern(struct outputs *outputs, const struct route_oif *oif, uid_t uid)
{
    struct ifaces *ifaces = &outputs->mfc->ifaces;
    const struct netifs *netifs = outputs->mfc->mroute->netifs;
    const struct netif *netif = NULL;

    while ((netif = netifs_next(netifs, netif))) {
        struct iface *iface;

        if (!iface_name_matches(oif->iface->name, netif->name))
            continue;
        iface = iface_acquire_meant(ifaces, netif, uid);
        if (!iface)
            continue;
        add_output(outputs, iface, oif->ttl);
        iface_release(ifaces, iface);
    }
}

static void collect_outputs(struct outputs *outputs, const struct route *range)
{
    for (unsigned i = 0; i < range->oif_count; i++) {
        if (range->oifs[i].iface->pattern)
            add_pattern(outputs, &range->oifs[i], shares_range_payer(range));
        else
            add_output(outputs, range->oifs[i].iface, range->oifs[i].ttl);
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
                           const struct address *group, struct iface *iif)
{
    struct outputs outputs = {.mfc = mfc, .iif = iif};
    struct route *route;

    mfc_verify(mfc);
    collect_outputs(&outputs, range);
    route = new_learned(source, group, outputs.count);
    if (!route) {
        while (outputs.count > 0)
            iface_release(&mfc->ifaces, outputs.list[--outputs.count].iface);
        return NULL;
    }
    memcpy(route->oifs, outputs.list, outputs.count * sizeof outputs.list[0]);
    route->mfc = mfc;
    route->iif = iif;
    iif->ref_count++;
    iface_count_iif(&mfc->ifaces, iif, 1);
    return route;
}

static void link_to_range(struct route *route, struct route *range)
{
    struct learned *learned = route->learned;

    if (learned->by) {
        LIST_REMOVE(learned, in_range);
        learned->by->learned_count--;
        shares_exit_learned(route);
    }
    learned->by = range;
    LIST_INSERT_HEAD(&range->learned_flows, learned, in_range);
    range->learned_count++;
    shares_enter_learned(route);
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
    mfc->mroute->learned++;
    mfc->mroute->callbacks.needs_ticks(mfc->mroute->callbacks.context);
}

void demand_forget(struct mfc *mfc, struct route *route)
{
    TAILQ_REMOVE(&mfc->learned, route->learned, in_table);
    LIST_REMOVE(route->learned, in_range);
    route->learned->by->learned_count--;
    shares_exit_learned(route);
    mfc->learned_count--;
    mfc->mroute->learned--;
    free(route->learned);
    route->learned = NULL;
}

/* Learns the route of a flow that has none and comes in by this iface. False: no range has it, or
 * there is no memory, or the kernel has none, or as much was learned as may be. */
static bool learn(struct mfc *mfc, const struct address *source, const struct address *group,
                  struct iface *iif)
{
    struct route *range, *route;

    if (mfc->mroute->learned >= mfc->mroute->limits.learned)
        return false;
    range = ranges_find(&mfc->ranges, source, group, iif);
    if (range && !shares_may_learn(range)) {
        mfc->mroute->shares.learned.refused++;
        return false;
    }
    route = range ? build(mfc, range, source, group, iif) : NULL;
    if (!route)
        return false;
    if (mfc_sync(mfc, route) < 0) {
        mfc_discard(mfc, route);
        return false;
    }
    route->serial = mfc->mroute->serial++;
    route_set_insert(&mfc->routes, route);
    enrol(mfc, route, range);
    tell_route(route, ROUTE_LEARNED_EVENT);
    return true;
}

/* --- Changing it --------------------------------------------------------------------------- */

static bool is_same(const struct route *a, const struct route *b)
{
    if (a->iif != b->iif || a->oif_count != b->oif_count)
        return false;
    for (unsigned i = 0; i < a->oif_count; i++)
        if (a->oifs[i].iface != b->oifs[i].iface || a->oifs[i].ttl != b->oifs[i].ttl)
            return false;
    return true;
}

/* The flow is of this range and comes in by this iface: its route is made so, in one write, and
 * untouched where it is so already. */
static void renew(struct mfc *mfc, struct route *old, struct route *range, struct iface *iif)
{
    struct route *new = build(mfc, range, &old->source.address, &old->group.address, iif);
    enum route_event event = old->iif == iif ? ROUTE_REPLACED_EVENT : ROUTE_MOVED_EVENT;

    if (!new) {
        mfc_remove(mfc, old, ROUTE_EXPIRED_EVENT);
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
        mfc_remove(mfc, old, ROUTE_EXPIRED_EVENT);
        return;
    }
    enrol(mfc, new, range);
    new->learned->packets = old->learned->packets;
    if (event == ROUTE_REPLACED_EVENT)
        new->learned->active_ms = old->learned->active_ms;
    demand_forget(mfc, old);
    mfc_replace(mfc, old, new);
    tell_route(new, event);
}

/* Makes it of the range that has it now, or ends it. */
static void reconsider(struct mfc *mfc, struct route *route)
{
    struct route *range =
        ranges_find(&mfc->ranges, &route->source.address, &route->group.address, route->iif);

    if (range)
        renew(mfc, route, range, route->iif);
    else
        mfc_remove(mfc, route, ROUTE_EXPIRED_EVENT);
}

/* Whether so much is more than what is done at once. */
static bool is_much(const struct mfc *mfc, const struct route *range)
{
    return range->learned_count > AT_ONCE && mfc->mroute->callbacks.needs_work;
}

void demand_update(struct mfc *mfc, struct route *range)
{
    struct learned *learned = LIST_FIRST(&range->learned_flows);

    if (is_much(mfc, range)) {
        demand_outdate(mfc);
        demand_tick(mfc, (unsigned)mfc->learned_count);
        need_work(mfc->mroute);
        return;
    }
    while (learned) {
        struct learned *next = LIST_NEXT(learned, in_range);

        reconsider(mfc, learned->route);
        learned = next;
    }
}

bool demand_end(struct mfc *mfc, struct route *range)
{
    if (is_much(mfc, range)) {
        need_work(mfc->mroute);
        return false;
    }
    while (!LIST_EMPTY(&range->learned_flows))
        reconsider(mfc, LIST_FIRST(&range->learned_flows)->route);
    return true;
}

/* The table is closed where this was the last that it had. */
static void end_lingering(struct mfc *mfc, struct route *range)
{
    if (!LIST_EMPTY(&range->learned_flows)) {
        reconsider(mfc, LIST_FIRST(&range->learned_flows)->route);
        return;
    }
    mfc_forget(mfc, range);
    close_if_empty(mfc->mroute, mfc);
}

void demand_outdate(struct mfc *mfc)
{
    mfc->outdated = mfc->learned_count;
}

/* It waits, as far as is known: it may have been learned from another interface since, or be
 * wanted by name. */
static void retry_unrouted(struct mfc *mfc, struct unrouted_flow *flow)
{
    struct iface *iface = iface_find(&mfc->ifaces, "", flow->ifindex);

    if (iface && iface->vif >= 0 &&
        !route_set_find_flow(&mfc->routes, &flow->source, &flow->group) &&
        learn(mfc, &flow->source, &flow->group, iface))
        flow->seen = 0;
}

void demand_begin(struct mfc *mfc, struct route *range)
{
    uint64_t now = unrouted_now();

    demand_outdate(mfc);
    for (unsigned i = 0; i < UNROUTED_MAX; i++) {
        struct unrouted_flow *flow = &mfc->unrouted.list[i];

        if (unrouted_flow_waits(flow, now) && prefix_has(&range->group, &flow->group))
            retry_unrouted(mfc, flow);
    }
}

bool demand_claim(struct mfc *mfc, struct route *route, bool whole)
{
    struct route *range =
        ranges_find(&mfc->ranges, &route->source.address, &route->group.address, route->iif);

    if (route->is_range || !range)
        return false;
    route->learned = calloc(1, sizeof *route->learned);
    if (!route->learned)
        return false;
    enrol(mfc, route, range);
    if (whole)
        renew(mfc, route, range, route->iif);
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
    if (mroute_mfc_set(&mfc->socket, &stop) != 0)
        return;
    mroute_mfc_del(&mfc->socket, &stop.source, &stop.group);
    mfc->mroute->erased++; /* the kernel tells of it, as of each deletion */
}

static void note_unmatched(struct mfc *mfc, const struct upcall *upcall, const struct iface *iface)
{
    uint64_t now = unrouted_now();

    if (unrouted_is_full(&mfc->unrouted, mfc->mroute->limits.unmatched, now))
        drop_flow(mfc, upcall);
    else
        unrouted_note(&mfc->unrouted, upcall, iface->ifindex, now);
}

/* Whether the flow has a route by now. It may have got one after the kernel asked. */
static bool take_flow(struct mfc *mfc, const struct upcall *upcall, struct iface *iface)
{
    const struct route *known = route_set_find_flow(&mfc->routes, &upcall->source, &upcall->group);

    if (known ? known->in_kernel : learn(mfc, &upcall->source, &upcall->group, iface))
        return true;
    note_unmatched(mfc, upcall, iface);
    return false;
}

static bool may_move(const struct mfc *mfc, const struct route *route, const struct route *range)
{
    const struct mroute_callbacks *callbacks = &mfc->mroute->callbacks;

    return !callbacks->may_move || callbacks->may_move(callbacks->context, route->learned->by,
                                                       range, &route->group.address);
}

/* The flow is of another range now. */
static void tell_overridden(const struct mfc *mfc, const struct route *loser,
                            const struct upcall *upcall)
{
    const struct mroute_callbacks *callbacks = &mfc->mroute->callbacks;
    struct prefix source = prefix_single(&upcall->source), group = prefix_single(&upcall->group);

    if (callbacks->overridden)
        callbacks->overridden(callbacks->context, loser, &source, &group);
}

/* What is wanted by name stays where it was wanted. */
static void take_wrong_interface(struct mfc *mfc, const struct upcall *upcall, struct iface *iface)
{
    struct route *route = route_set_find_flow(&mfc->routes, &upcall->source, &upcall->group);
    struct route *range, *from;

    if (!route || !route->learned || route->iif == iface)
        return;
    range = ranges_find(&mfc->ranges, &upcall->source, &upcall->group, iface);
    from = route->learned->by;
    if (!range || !may_move(mfc, route, range))
        return;
    renew(mfc, route, range, iface);
    if (range != from)
        tell_overridden(mfc, from, upcall);
}

bool demand_take(struct mfc *mfc, const struct upcall *upcall)
{
    struct iface *iface = iface_of_vif(&mfc->ifaces, upcall->vif);
    bool is_sound = iface && is_flow(upcall);

    mfc->wrong_interface += upcall->kind == UPCALL_WRONG_INTERFACE;
    if (upcall->kind == UPCALL_NO_ROUTE && is_sound && take_flow(mfc, upcall, iface))
        return true;
    mfc->no_route += upcall->kind == UPCALL_NO_ROUTE;
    if (upcall->kind == UPCALL_WRONG_INTERFACE && is_sound)
        take_wrong_interface(mfc, upcall, iface);
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
        mfc_del(mfc, learned->route, ROUTE_EXPIRED_EVENT);
        return;
    }
    shares_settle_learned(learned->route);
    if (mfc->outdated == 0)
        return;
    mfc->outdated--;
    reconsider(mfc, learned->route);
}

void demand_tick(struct mfc *mfc, unsigned budget)
{
    if (mfc->looks < budget)
        mfc->looks = budget < mfc->learned_count ? budget : mfc->learned_count;
}

bool demand_go_on(struct mfc *mfc)
{
    struct route *range = TAILQ_FIRST(&mfc->lingering);
    struct learned *learned = TAILQ_FIRST(&mfc->learned);

    if (range) {
        end_lingering(mfc, range);
        return true;
    }
    if (!learned || mfc->looks == 0)
        return false;
    mfc->looks--;
    TAILQ_REMOVE(&mfc->learned, learned, in_table);
    TAILQ_INSERT_TAIL(&mfc->learned, learned, in_table);
    look_at(mfc, learned, mfc->mroute->now_ms);
    return true;
}
