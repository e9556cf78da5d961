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
    FLOWS_ADDED_MAX = 1024, /* the kernel is asked for each */
    PACKETS_ENOUGH = 3,     /* to say what becomes of them */
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
    unsigned asked = 0;

    sample->others_known = true;
    TAILQ_FOREACH (route, &e->mfc->routes.order, in_order) {
        bool counted = false;
        uint64_t packets = 0;

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

static void take_sample(const struct examination *e, bool is_end, struct flow_sample *ret)
{
    struct mfc_counters own = {0};

    *ret = (struct flow_sample){.serial = e->route->serial, .writes = e->mfc->writes};
    list_oifs(e, ret);
    if (is_end)
        count_others(e, ret);
    for (unsigned i = 0; !is_end && i < ret->oif_count; i++)
        count_sent(&ret->oifs[i]);
    for (unsigned i = 0; !is_end && i < ret->oif_count; i++)
        count_oif(e->mfc, &ret->oifs[i]);
    mroute_mfc_count(&e->mfc->socket, &e->route->source.address, &e->route->group.address, &own);
    ret->packets = own.packets - own.wrong_interface;
    ret->bytes = own.bytes;
    for (unsigned i = 0; is_end && i < ret->oif_count; i++)
        count_oif(e->mfc, &ret->oifs[i]);
    for (unsigned i = 0; is_end && i < ret->oif_count; i++)
        count_sent(&ret->oifs[i]);
    if (!is_end)
        count_others(e, ret);
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
    grown->others_known = begin->others_known && end->others_known && begin->writes == end->writes;
    for (unsigned i = 0; i < end->oif_count; i++) {
        grown->oifs[i].given -= begin->oifs[i].given;
        grown->oifs[i].others -= begin->oifs[i].others;
        grown->oifs[i].sent -= begin->oifs[i].sent;
        grown->oifs[i].known = begin->oifs[i].known && end->oifs[i].known;
        grown->oifs[i].sent_known = begin->oifs[i].sent_known && end->oifs[i].sent_known;
    }
}

/* Half of what was given is missing; a few may wait in a queue. */
static bool is_dropped(const struct watched_oif *oif)
{
    return oif->known && oif->sent_known && oif->given > 0 && oif->sent * 2 <= oif->given;
}

/* Some network cards tell what they sent a second later. */
static bool may_be_late(const struct flow_watch *watch)
{
    for (unsigned i = 0; i < watch->grown.oif_count; i++)
        if (is_dropped(&watch->grown.oifs[i]))
            return true;
    return false;
}

void watch_begin(const struct examination *e, struct flow_watch *ret)
{
    *ret = (struct flow_watch){0};
    if (!e->route || !e->route->in_kernel || packets_of(e->route) == 0)
        return;
    take_sample(e, false, &ret->begin);
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
    take_sample(e, true, &end);
    if (!is_comparable(&watch->begin, &end))
        return;
    subtract(watch, &end);
    watch->runs = watch->grown.packets < PACKETS_ENOUGH || may_be_late(watch);
}

/* --- What it means ------------------------------------------------------------------------- */

enum loss { LOSS_NONE, LOSS_POSSIBLE, LOSS_LIKELY, LOSS_SURE };

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

static void report_loss(struct examination *e, const struct watched_oif *oif, const char *name,
                        enum loss loss)
{
    static const char *const certainty[] = {
        [LOSS_POSSIBLE] = "This flow's may be among them, or another's",
        [LOSS_LIKELY] = "As many are this flow's, so it is likely",
        [LOSS_SURE] = "So it is sure that some are this flow's",
    };
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
                " of others came for %s, and %" PRIu64 " left. %s: %s.",
                grown->packets, others, name, oif->given, certainty[loss], why);
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

void check_firewall(struct examination *e)
{
    const struct flow_sample *grown = e->watch ? &e->watch->grown : NULL;
    char hint[HINT_MAX];

    for (unsigned i = 0; grown && grown->packets && i < grown->oif_count; i++) {
        const struct watched_oif *oif = &grown->oifs[i];
        const struct link_info *link = links_find_index(e->links, oif->ifindex);

        if (!link || !is_dropped(oif))
            continue;
        snprintf(hint, sizeof hint,
                 "As root: 'nft list ruleset' or '%s -S FORWARD'. A network card that counts late "
                 "looks the same: ask again with --observe 5000.",
                 e->family == FAMILY_IPV4 ? "iptables" : "ip6tables");
        add_finding(e, VERDICT_PROBLEM, hint,
                    "While the doctor watched, %" PRIu64 " packets were routed to %s, and it sent "
                    "%" PRIu64 ": a firewall drops them in its forward hook, or a queue discipline "
                    "does.",
                    oif->given, link->name, oif->sent);
    }
}
