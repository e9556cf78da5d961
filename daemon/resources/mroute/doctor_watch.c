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
#include "doctor_checks.h"

#include "platform/diagnose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    FLOWS_LOOKED_MAX = 8192, /* nobody else is served meanwhile */
    FLOWS_ADDED_MAX = 1024,  /* the kernel is asked for each */
    PACKETS_ENOUGH = 3,      /* to say what becomes of them */
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

static void count_oif(const struct mfc *mfc, struct watched_oif *oif)
{
    struct vif_counters vif = {0};

    oif->known = mroute_vif_count(&mfc->socket, oif->vif, &vif) == 0;
    oif->given = vif.packets_out;
}

static void count_sent(struct watched_oif *oif)
{
    struct link_facts link;

    oif->sent_known = diagnose_link(oif->ifindex, &link) == 0 && link.counts;
    oif->sent = link.sent;
    oif->mtu = link.mtu;
}

static void add_given(void *context, const struct mroute_socket *socket)
{
    struct all_given *all = context;
    struct vif_counters counters;

    for (unsigned vif = 0; socket->family == all->family && vif < VIFS_MAX; vif++)
        if (mroute_vif_count(socket, vif, &counters) == 0)
            all->packets += counters.packets_out;
}

static void count_all_sent(const struct examination *e, const int *counters,
                           struct flow_sample *sample)
{
    int fd = counters ? counters[e->family == FAMILY_IPV6] : -1;

    sample->all_known = diagnose_multicast_sent(e->family, fd, &sample->all_sent) == 0;
}

static void count_all_given(const struct examination *e, struct flow_sample *sample)
{
    struct all_given all = {e->family, 0};

    mroute_visit_sockets(e->mroute, add_given, &all);
    sample->all_given = all.packets;
}

static struct watched_oif *find_watched(struct flow_sample *sample, const struct port *port)
{
    for (unsigned i = 0; i < sample->oif_count; i++)
        if (sample->oifs[i].ifindex == port->ifindex)
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
            struct watched_oif *oif = route->oifs[i].port != route->iif
                                          ? find_watched(sample, route->oifs[i].port)
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
        const struct port *port = e->route->oifs[i].port;

        if (port->vif >= 0 && port != e->route->iif)
            sample->oifs[sample->oif_count++] = (struct watched_oif){
                .ifindex = port->ifindex,
                .vif = (unsigned)port->vif,
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

static struct flow_sample new_sample(const struct examination *e)
{
    struct flow_sample sample = {.serial = e->route->serial, .writes = e->mfc->writes};

    list_oifs(e, &sample);
    return sample;
}

static struct flow_sample sample_begin(const struct examination *e, const int *counters)
{
    struct flow_sample sample = new_sample(e);

    count_all_sent(e, counters, &sample);
    count_all_given(e, &sample);
    for (unsigned i = 0; i < sample.oif_count; i++)
        count_sent(&sample.oifs[i]);
    for (unsigned i = 0; i < sample.oif_count; i++)
        count_oif(e->mfc, &sample.oifs[i]);
    count_flow(e, &sample);
    count_others(e, &sample);
    return sample;
}

static struct flow_sample sample_end(const struct examination *e, const int *counters)
{
    struct flow_sample sample = new_sample(e);

    count_others(e, &sample);
    count_flow(e, &sample);
    for (unsigned i = 0; i < sample.oif_count; i++)
        count_oif(e->mfc, &sample.oifs[i]);
    for (unsigned i = 0; i < sample.oif_count; i++)
        count_sent(&sample.oifs[i]);
    count_all_given(e, &sample);
    count_all_sent(e, counters, &sample);
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

void watch_begin(const struct examination *e, struct flow_watch *ret)
{
    *ret = (struct flow_watch){.counters = ret->counters};
    if (!e->route || !e->route->in_kernel || packets_of(e->route) == 0)
        return;
    ret->begin = sample_begin(e, ret->counters);
    ret->runs = ret->begin.oif_count > 0;
}

void watch_look(const struct examination *e, struct flow_watch *watch)
{
    struct flow_sample end;

    if (!watch->runs)
        return;
    watch->runs = false;
    watch->grown.packets = 0;
    if (!e->route || !e->route->in_kernel)
        return;
    end = sample_end(e, watch->counters);
    if (!is_comparable(&watch->begin, &end))
        return;
    subtract(watch, &end);
    watch->runs = !is_clear(&watch->grown) || may_be_late(watch);
}

/* --- What is told -------------------------------------------------------------------------- */

static void report_loss(struct examination *e, const struct watched_oif *oif, const char *name,
                        enum loss loss)
{
    const struct flow_sample *grown = &e->watch->grown;
    uint64_t others = grown->others_known ? oif->others : 0;
    bool is_long = oif->mtu > 0 && grown->bytes / grown->packets > oif->mtu;
    char why[96];

    if (is_long)
        snprintf(why, sizeof why, "they are longer than its MTU of %u", oif->mtu);
    else
        snprintf(why, sizeof why, "their TTL is not greater than %u", oif->ttl);
    add_finding(e, loss == LOSS_POSSIBLE ? VERDICT_WARNING : VERDICT_PROBLEM,
                is_long ? "Have the sender send shorter packets, or allow them to be divided."
                        : TTL_HINT,
                "While the doctor watched, %" PRIu64 " packets of the flow and %" PRIu64
                " of others came for %s, and %" PRIu64 " were routed there: %s. %s.",
                grown->packets, others, name, oif->given, why, certainty[loss]);
}

void check_watched_ttl(struct examination *e)
{
    const struct flow_sample *grown = &e->watch->grown;

    for (unsigned i = 0; i < grown->oif_count; i++) {
        const struct link_info *link = links_find_index(e->links, grown->oifs[i].ifindex);
        enum loss loss = judge_loss(grown, &grown->oifs[i]);

        if (link && loss != LOSS_NONE)
            report_loss(e, &grown->oifs[i], link->name, loss);
        else if (link)
            add_finding(e, VERDICT_OK, "", "Packets of the flow leave for %s.", link->name);
    }
}

static void report_drop(struct examination *e, enum loss loss)
{
    const struct flow_sample *grown = &e->watch->grown;
    char hint[HINT_MAX];

    snprintf(hint, sizeof hint, "As root: 'nft list ruleset' and '%s -S FORWARD' show its rules.",
             e->family == FAMILY_IPV4 ? "iptables" : "ip6tables");
    add_finding(
        e, loss == LOSS_POSSIBLE ? VERDICT_WARNING : VERDICT_PROBLEM, hint,
        "While the doctor watched, %" PRIu64 " multicast packets were routed to interfaces, "
        "%" PRIu64 " of them of this flow, and %" PRIu64 " were sent: a firewall drops them "
        "in its forward or postrouting hook. %s.",
        grown->all_given, grown->packets, grown->all_sent, certainty[loss]);
}

/* A host without the counters of all packets. */
static void report_silent_link(struct examination *e, const struct watched_oif *oif,
                               const char *name)
{
    add_finding(e, VERDICT_PROBLEM,
                "As root: 'nft list ruleset'. A network card that counts late looks the same: ask "
                "again with --observe 5000.",
                "While the doctor watched, %" PRIu64 " packets were routed to %s, and it sent "
                "%" PRIu64 ": a firewall or a queue discipline drops them.",
                oif->given, name, oif->sent);
}

void check_firewall(struct examination *e)
{
    const struct flow_sample *grown = e->watch ? &e->watch->grown : NULL;
    enum loss loss;

    if (!grown) {
        if (e->route && e->route->in_kernel)
            add_finding(e, VERDICT_INFO,
                        "Ask while packets come, with --source; or as root: 'nft list ruleset' and "
                        "'iptables -S FORWARD'.",
                        "No packet came while the doctor watched, so it cannot say whether a "
                        "firewall drops them.");
        return;
    }
    loss = judge_drop(grown);
    if (loss != LOSS_NONE)
        report_drop(e, loss);
    for (unsigned i = 0; !grown->all_known && i < grown->oif_count; i++) {
        const struct link_info *link = links_find_index(e->links, grown->oifs[i].ifindex);

        if (link && is_dropped(&grown->oifs[i]))
            report_silent_link(e, &grown->oifs[i], link->name);
    }
    if (grown->all_known && loss == LOSS_NONE)
        add_finding(e, VERDICT_OK, "", "No firewall drops packets that were routed.");
}
