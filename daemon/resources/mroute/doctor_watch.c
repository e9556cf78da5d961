/* What becomes of a flow's packets while somebody watches.
 *
 * The kernel tells nobody which packets of a flow left by which interface. It counts the packets
 * that each entry took, before it looks at their TTL; those that each VIF was given, behind that
 * and before the firewall's forward hook (ip_mr_forward() and ipmr_queue_xmit() of net/ipv4/ipmr.c,
 * ip6_mr_forward() of net/ipv6/ip6mr.c); and those that each interface sent. The differences
 * between two moments say where packets were lost: what is lost before the VIF has too low a TTL or
 * is too long, and what is lost behind it was dropped by a firewall or a queue.
 *
 * The counters are not read at one moment. What is counted later in a packet's way is read first at
 * the begin and last at the end, so that a loss is never seen where there is none. */
#include "doctor_findings.h"

#include "platform/diagnose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    /* Nobody else is served meanwhile: a look at a flow takes 20 ns, and to ask the kernel 1 us. */
    FLOWS_LOOKED_MAX = 4096,
    FLOWS_ADDED_MAX = 256,
    PACKETS_ENOUGH = 3, /* to say what becomes of them */
    PACKETS_ENOUGH_AMONG_OTHERS = 30,
};

/* The tables of one family. */
struct all_given {
    uint8_t family;
    uint64_t packets;
};

static uint64_t packets_of(const struct route *route)
{
    struct mfc_counters counters = {0};

    if (mroute_mfc_count(&route->mfc->socket, &route->source.address, &route->group.address,
                         &counters) < 0)
        return 0;
    return counters.packets - counters.wrong_interface;
}

static void count_oifs(const struct examination *e, struct flow_sample *sample)
{
    for (unsigned i = 0; i < sample->oif_count; i++) {
        struct watched_oif *oif = &sample->oifs[i];
        struct vif_counters vif = {0};

        oif->known = mroute_vif_count(&e->mfc->socket, oif->vif, &vif) == 0;
        oif->given = vif.packets_out;
    }
}

static void count_sent(const struct examination *e, struct flow_sample *sample)
{
    struct netif_facts netif;

    (void)e;
    for (unsigned i = 0; i < sample->oif_count; i++) {
        struct watched_oif *oif = &sample->oifs[i];

        oif->sent_known = diagnose_netif(oif->ifindex, &netif) == 0 && netif.counts;
        oif->sent = netif.sent;
        oif->mtu = netif.mtu;
    }
}

static void add_given(void *context, const struct mroute_socket *socket)
{
    struct all_given *all = context;
    struct vif_counters counters;

    for (unsigned vif = 0; socket->family == all->family && vif < VIFS_MAX; vif++)
        if (mroute_vif_count(socket, vif, &counters) == 0)
            all->packets += counters.packets_out;
}

static void count_all_sent(const struct examination *e, struct flow_sample *sample)
{
    int fd = e->counters ? e->counters[e->family == FAMILY_IPV6] : -1;

    sample->all_known = diagnose_multicast_sent(e->family, fd, &sample->all_sent) == 0;
}

static void count_all_given(const struct examination *e, struct flow_sample *sample)
{
    struct all_given all = {e->family, 0};

    mroute_visit_sockets(e->mroute, add_given, &all);
    sample->all_given = all.packets;
}

static struct watched_oif *find_watched(struct flow_sample *sample, const struct iface *iface)
{
    for (unsigned i = 0; i < sample->oif_count; i++)
        if (sample->oifs[i].ifindex == iface->ifindex)
            return &sample->oifs[i];
    return NULL;
}

/* Adds what other entries took to the interfaces that they share with the flow. */
static void count_others(const struct examination *e, struct flow_sample *sample)
{
    const struct route *route;
    unsigned asked = 0, looked = 0;

    sample->others_known = true;
    TAILQ_FOREACH (route, &e->mfc->routes.order, in_order) {
        bool counted = false;
        uint64_t packets = 0;

        if (looked++ == FLOWS_LOOKED_MAX) {
            sample->others_known = false;
            return;
        }
        if (route == e->route || !route->in_kernel)
            continue;
        for (unsigned i = 0; i < route->oif_count; i++) {
            struct watched_oif *oif = route->oifs[i].iface != route->iif
                                          ? find_watched(sample, route->oifs[i].iface)
                                          : NULL;

            if (!oif)
                continue;
            if (!counted && asked++ == FLOWS_ADDED_MAX) {
                sample->others_known = false;
                return;
            }
            packets = counted ? packets : packets_of(route);
            counted = true;
            oif->others += packets;
        }
    }
}

static void list_oifs(const struct examination *e, struct flow_sample *sample)
{
    for (unsigned i = 0; i < e->route->oif_count; i++) {
        const struct iface *iface = e->route->oifs[i].iface;

        if (iface->vif >= 0 && iface != e->route->iif)
            sample->oifs[sample->oif_count++] = (struct watched_oif){
                .ifindex = iface->ifindex,
                .vif = (unsigned)iface->vif,
                .ttl = e->route->oifs[i].ttl,
            };
    }
}

static void count_flow(const struct examination *e, struct flow_sample *sample)
{
    struct mfc_counters own = {0};

    mroute_mfc_count(&e->mfc->socket, &e->route->source.address, &e->route->group.address, &own);
    sample->packets = own.packets - own.wrong_interface;
    sample->bytes = own.bytes;
}

/* In the order of the begin. */
static void (*const counts[])(const struct examination *e, struct flow_sample *sample) = {
    count_all_sent, count_all_given, count_sent, count_oifs, count_flow, count_others,
};

static struct flow_sample take_sample(const struct examination *e, bool at_end)
{
    struct flow_sample sample = {.serial = e->route->serial, .writes = e->mfc->writes};
    size_t count = sizeof counts / sizeof *counts;

    list_oifs(e, &sample);
    for (size_t i = 0; i < count; i++)
        counts[at_end ? count - 1 - i : i](e, &sample);
    return sample;
}

/* Both samples are of the same route and the same interfaces. */
static bool is_comparable(const struct flow_sample *begin, const struct flow_sample *end)
{
    if (begin->serial != end->serial || begin->oif_count != end->oif_count)
        return false;
    for (unsigned i = 0; i < begin->oif_count; i++)
        if (begin->oifs[i].vif != end->oifs[i].vif ||
            begin->oifs[i].ifindex != end->oifs[i].ifindex)
            return false;
    return true;
}

static void subtract(struct flow_watch *watch, const struct flow_sample *end)
{
    const struct flow_sample *begin = &watch->begin;
    struct flow_sample *grown = &watch->grown;

    *grown = *end;
    grown->packets -= begin->packets;
    grown->bytes -= begin->bytes;
    grown->all_given -= begin->all_given;
    grown->all_sent -= begin->all_sent;
    grown->all_known = begin->all_known && end->all_known;
    grown->others_known = begin->others_known && end->others_known && begin->writes == end->writes;
    for (unsigned i = 0; i < end->oif_count; i++) {
        grown->oifs[i].given -= begin->oifs[i].given;
        grown->oifs[i].others -= begin->oifs[i].others;
        grown->oifs[i].sent -= begin->oifs[i].sent;
        grown->oifs[i].known = begin->oifs[i].known && end->oifs[i].known;
        grown->oifs[i].sent_known = begin->oifs[i].sent_known && end->oifs[i].sent_known;
    }
}

/* --- What it means ------------------------------------------------------------------------- */

enum loss { LOSS_NONE, LOSS_POSSIBLE, LOSS_LIKELY, LOSS_SURE };

static const char *const certainty[] = {
    [LOSS_POSSIBLE] = "This flow's may be among them, or another's",
    [LOSS_LIKELY] = "About as many are missing as this flow has, so they are likely this flow's",
    [LOSS_SURE] = "It is sure that packets of this flow are missing",
};

/* A flow's packets mostly have one TTL, so that all are lost or none. */
static enum loss judge_loss(const struct flow_sample *grown, const struct watched_oif *oif)
{
    uint64_t came = grown->packets, missing;

    if (!oif->known || came == 0)
        return LOSS_NONE;
    if (oif->given < came)
        return LOSS_SURE;
    if (!grown->others_known || oif->others + came <= oif->given)
        return LOSS_NONE;
    missing = oif->others + came - oif->given;
    if (missing * 2 < came)
        return LOSS_NONE;
    return missing * 2 <= came * 3 ? LOSS_LIKELY : LOSS_POSSIBLE;
}

/* What the host's own multicast packets hide is at most their number, and mostly small. */
static enum loss judge_drop(const struct flow_sample *grown)
{
    uint64_t missing = grown->all_given > grown->all_sent ? grown->all_given - grown->all_sent : 0;
    uint64_t flow = 0;

    if (!grown->all_known)
        return LOSS_NONE;
    for (unsigned i = 0; i < grown->oif_count; i++)
        flow += judge_loss(grown, &grown->oifs[i]) == LOSS_NONE ? grown->packets : 0;
    if (flow > 0 && grown->all_sent < grown->packets)
        return LOSS_SURE;
    if (flow == 0 || missing * 2 < grown->packets)
        return LOSS_NONE;
    return missing * 2 <= flow * 3 ? LOSS_LIKELY : LOSS_POSSIBLE;
}

/* Half of what was given is missing; a few may wait in a queue. Unicast packets that the interface
 * sends hide it. */
static bool is_dropped(const struct watched_oif *oif)
{
    return oif->known && oif->sent_known && oif->given > 0 && oif->sent * 2 <= oif->given;
}

/* Some network cards tell what they sent a second later. */
static bool may_be_late(const struct flow_watch *watch)
{
    for (unsigned i = 0; !watch->grown.all_known && i < watch->grown.oif_count; i++)
        if (is_dropped(&watch->grown.oifs[i]))
            return true;
    return false;
}

/* The counters of many flows are not read at one moment, so a few packets of this one may be too
 * many or too few among those of others. */
static bool is_clear(const struct flow_sample *grown)
{
    enum loss worst = judge_drop(grown), loss;
    bool alone = grown->all_given <= grown->packets * grown->oif_count;

    for (unsigned i = 0; i < grown->oif_count; i++) {
        loss = judge_loss(grown, &grown->oifs[i]);
        worst = loss > worst ? loss : worst;
        alone = alone && grown->others_known && grown->oifs[i].others == 0;
    }
    if (alone || worst == LOSS_SURE)
        return grown->packets >= PACKETS_ENOUGH;
    return grown->packets >= PACKETS_ENOUGH_AMONG_OTHERS && worst != LOSS_POSSIBLE;
}

/* --- Watching ------------------------------------------------------------------------------ */

bool doctor_watch_begin(const struct inquiry *inquiry, struct flow_watch *ret)
{
    struct examination e = open_examination(inquiry);

    e.counters = ret->counters;
    *ret = (struct flow_watch){.counters = ret->counters};
    if (!e.route || !e.route->in_kernel || packets_of(e.route) == 0)
        return false;
    ret->begin = take_sample(&e, false);
    ret->runs = ret->begin.oif_count > 0;
    return ret->runs;
}

bool doctor_watch_look(const struct inquiry *inquiry, struct flow_watch *watch)
{
    struct examination e = open_examination(inquiry);
    struct flow_sample end;

    if (!watch->runs)
        return false;
    watch->runs = false;
    watch->grown.packets = 0;
    if (!e.route || !e.route->in_kernel)
        return false;
    e.counters = watch->counters;
    end = take_sample(&e, true);
    if (!is_comparable(&watch->begin, &end))
        return false;
    subtract(watch, &end);
    watch->runs = !is_clear(&watch->grown) || may_be_late(watch);
    return watch->runs;
}

/* --- What is told -------------------------------------------------------------------------- */

static void report_loss(struct examination *e, const struct watched_oif *oif, const char *name,
                        enum loss loss)
{
    const struct flow_sample *grown = &e->watch->grown;
    uint64_t others = grown->others_known ? oif->others : 0;
    enum verdict verdict = loss == LOSS_POSSIBLE ? VERDICT_WARNING : VERDICT_PROBLEM;

    if (oif->mtu > 0 && grown->bytes / grown->packets > oif->mtu)
        found(e, WATCHED_TOO_LONG, .verdict = verdict, .name = name, .other = certainty[loss],
              .numbers = {grown->packets, others, oif->given, oif->mtu});
    else
        found(e, WATCHED_TTL, .verdict = verdict, .name = name, .other = certainty[loss],
              .numbers = {grown->packets, others, oif->given, oif->ttl});
}

void check_watched_ttl(struct examination *e)
{
    const struct flow_sample *grown = &e->watch->grown;

    for (unsigned i = 0; i < grown->oif_count; i++) {
        const struct netif *netif = netifs_find_index(e->netifs, grown->oifs[i].ifindex);
        enum loss loss = judge_loss(grown, &grown->oifs[i]);

        if (netif && loss != LOSS_NONE)
            report_loss(e, &grown->oifs[i], netif->name, loss);
        else if (netif)
            found(e, WATCHED, .name = netif->name);
    }
}

void check_firewall(struct examination *e)
{
    const struct flow_sample *grown = e->watch ? &e->watch->grown : NULL;
    enum loss loss;

    if (!grown) {
        if (e->route && e->route->in_kernel)
            found(e, FIREWALL_UNKNOWN);
        return;
    }
    loss = judge_drop(grown);
    if (loss != LOSS_NONE)
        found(e, FIREWALL_DROPS,
              .verdict = loss == LOSS_POSSIBLE ? VERDICT_WARNING : VERDICT_PROBLEM,
              .name = e->family == FAMILY_IPV4 ? "iptables" : "ip6tables", .other = certainty[loss],
              .numbers = {grown->all_given, grown->packets, grown->all_sent});
    /* a host without the counters of all packets */
    for (unsigned i = 0; !grown->all_known && i < grown->oif_count; i++) {
        const struct watched_oif *oif = &grown->oifs[i];
        const struct netif *netif = netifs_find_index(e->netifs, oif->ifindex);

        if (netif && is_dropped(oif))
            found(e, FIREWALL_OR_QUEUE, .name = netif->name, .numbers = {oif->given, oif->sent});
    }
    if (grown->all_known && loss == LOSS_NONE)
        found(e, FIREWALL);
}
