/* Whether the kernel still has what the service wrote there. Any process with CAP_NET_ADMIN may
 * change the entries and VIFs of a table that is not its own, by another raw socket or by netlink;
 * the kernel tells nobody. */
#include "doctor_checks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WHO_DID_IT " 'ss -wap' lists the processes with raw sockets, of which one did it."

/* A service that takes a table over keeps it as it is, so a restart is not enough. */
static const char vif_hint[] = "Stop netbrokerd, then start it: it makes all anew." WHO_DID_IT;
static const char entry_hint[] =
    "Delete the route and add it again, or stop and start netbrokerd." WHO_DID_IT;

/* -EINVAL: there is no VIF above it either (ipmr_ioctl() of net/ipv4/ipmr.c). */
static bool vif_is_there(struct examination *e, const struct port *port)
{
    struct vif_counters counters;
    int result =
        port->vif < 0 ? 0 : mroute_vif_count(&e->mfc->socket, (unsigned)port->vif, &counters);

    if (result != -EADDRNOTAVAIL && result != -EINVAL)
        return true;
    add_finding(e, VERDICT_PROBLEM, vif_hint,
                "The kernel has no VIF for %s any more: another process deleted it, and no packet "
                "is routed from there or to there.",
                port->name);
    return false;
}

/* The VIF of the interface that is asked for, which an inbound pattern may mean. */
static bool iif_is_there(struct examination *e)
{
    const struct port *port =
        e->mfc && e->iif_link ? port_find(&e->mfc->ports, "", e->iif_link->ifindex) : NULL;

    return !port || vif_is_there(e, port);
}

static bool vifs_are_there(struct examination *e)
{
    bool all = iif_is_there(e);

    if (!e->route)
        return all;
    if (!e->iif_link || e->iif_link->ifindex != e->route->iif->ifindex)
        all = vif_is_there(e, e->route->iif) && all;
    for (unsigned i = 0; i < e->route->oif_count; i++)
        all = vif_is_there(e, e->route->oifs[i].port) && all;
    return all;
}

/* The threshold that the kernel has for the interface; 0: it does not send there. */
static unsigned found_ttl(const struct mfc_found *found, unsigned ifindex)
{
    for (unsigned i = 0; i < found->oif_count; i++)
        if (found->oifs[i].ifindex == ifindex)
            return found->oifs[i].ttl;
    return 0;
}

/* Whether the kernel sends by the interface as the route says; the VIF of the inbound interface may
 * be in the entry, too. IPv6 has no thresholds. */
static bool oif_fits(const struct examination *e, const struct mfc_found *found,
                     const struct route_oif *oif)
{
    unsigned ttl = found_ttl(found, oif->port->ifindex);

    return oif->port->vif < 0 || oif->port == e->route->iif ||
           (e->family == FAMILY_IPV4 ? ttl == oif->ttl : ttl > 0);
}

static bool is_outgoing(const struct route *route, unsigned ifindex)
{
    for (unsigned i = 0; i < route->oif_count; i++)
        if (route->oifs[i].port->ifindex == ifindex)
            return true;
    return route->iif->ifindex == ifindex;
}

static bool entry_fits(const struct examination *e, const struct mfc_found *found)
{
    if (found->iif != e->route->iif->ifindex)
        return false;
    for (unsigned i = 0; i < e->route->oif_count; i++)
        if (!oif_fits(e, found, &e->route->oifs[i]))
            return false;
    for (unsigned i = 0; i < found->oif_count; i++)
        if (!is_outgoing(e->route, found->oifs[i].ifindex))
            return false;
    return true;
}

void check_kernel(struct examination *e)
{
    struct mfc_found found;
    char text[FLOW_TEXT_MAX];
    int result;

    e->hopeless = !vifs_are_there(e);
    if (e->hopeless || !e->route || !e->route->in_kernel)
        return;
    result = mroute_mfc_find(&e->mfc->socket, &e->route->source.address, &e->route->group.address,
                             &found);
    route_text(e->route, text);
    if (result == -ENOENT)
        add_finding(e, VERDICT_PROBLEM, entry_hint,
                    "The kernel has no entry for %s any more: another process deleted it.", text);
    else if (result == 0 && !entry_fits(e, &found))
        add_finding(e, VERDICT_PROBLEM, entry_hint,
                    "The kernel's entry for %s is not the one that the service wrote: another "
                    "process changed it.",
                    text);
    else if (result == 0)
        add_finding(e, VERDICT_OK, "", "The kernel's entry for %s is the route's.", text);
    e->hopeless = result == -ENOENT;
}
