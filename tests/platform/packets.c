/* What becomes of packets, and of an entry that is changed.
 *
 * Deleting an entry that is not there is ENOENT. Replacing one keeps its counters. Of IPv4's two
 * TTL thresholds only the entry's counts: a packet leaves with a TTL greater than it. The VIF's
 * threshold does nothing, and for IPv6 there is no other. A packet with TTL 1 is never forwarded.
 * Entries for groups that stay on their link are accepted, but no packet of theirs is forwarded.
 *
 * Sources: ipmr_mfc_add(), ipmr_mfc_delete(), ipmr_update_thresholds() and ip_mr_forward() of
 * net/ipv4/ipmr.c, ip6_mr_forward() of net/ipv6/ip6mr.c; ip_mr_input() is not reached for
 * ipv4_is_local_multicast() in ip_route_input_mc() of net/ipv4/route.c, nor ip6_mr_input() for
 * link-local scope in ip6_mc_input() of net/ipv6/ip6_input.c. */
#include "ground.h"

#include <net/if.h>
#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COUNT = 5, VIF_THRESHOLD = 10 };

/* Sends COUNT packets from link 0; returns how many came out of link 1. */
static long forward(struct ground *ground, const struct mfc_entry *flow, unsigned ttl,
                    long expected)
{
    ground_send(ground, 0, flow, ttl, COUNT);
    return ground_received(ground, 1, &flow->group, expected);
}

static long packets_counted(const struct mroute_socket *s, const struct mfc_entry *entry)
{
    struct mfc_counters counters;
    int result = mroute_mfc_count(s, &entry->source, &entry->group, &counters);

    return result < 0 ? result : (long)counters.packets;
}

static void check_changes(struct ground *ground, const struct mroute_socket *s)
{
    struct mfc_entry entry = ground_entry(s->family, 1, 1 << 1);

    ground_expect_result(ground, "deleting an entry that is not there", -ENOENT,
                         mroute_mfc_del(s, &entry.source, &entry.group));
    ground_require(mroute_mfc_set(s, &entry) == 0, "entry");
    ground_expect(ground, "packets forwarded by an entry", COUNT,
                  forward(ground, &entry, 8, COUNT));
    entry.ttls[1] = 0;
    entry.ttls[2] = 1;
    ground_expect_result(ground, "adding an entry that is there replaces it", 0,
                         mroute_mfc_set(s, &entry));
    ground_expect(ground, "which keeps its counters", COUNT, packets_counted(s, &entry));
    ground_expect(ground, "packets sent to the interface that it left out", 0,
                  forward(ground, &entry, 8, 0));
    ground_expect(ground, "packets sent to the one that it named instead", COUNT,
                  ground_received(ground, 2, &entry.group, COUNT));
}

static void replace_vif(struct ground *ground, const struct mroute_socket *s, unsigned vif)
{
    bool is_v4 = s->family == FAMILY_IPV4;
    struct vifctl v4 = {
        .vifc_vifi = (vifi_t)vif,
        .vifc_flags = VIFF_USE_IFINDEX,
        .vifc_threshold = VIF_THRESHOLD,
        .vifc_lcl_ifindex = (int)ground->netifs[vif].ifindex,
    };
    struct mif6ctl v6 = {
        .mif6c_mifi = (mifi_t)vif,
        .vifc_threshold = VIF_THRESHOLD,
        .mif6c_pifi = (unsigned short)ground->netifs[vif].ifindex,
    };

    ground_require(mroute_vif_del(s, vif) == 0, "VIF");
    ground_require(setsockopt(s->fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                              MRT_ADD_VIF, /* the number of MRT6_ADD_MIF, too */
                              is_v4 ? (const void *)&v4 : (const void *)&v6,
                              is_v4 ? sizeof v4 : sizeof v6) == 0,
                   "VIF with a threshold");
}

static void check_hop_limits(struct ground *ground, const struct mroute_socket *s)
{
    struct mfc_entry entry = ground_entry(s->family, 2, 1 << 1);

    ground_require(mroute_mfc_set(s, &entry) == 0, "entry");
    ground_expect(ground, "packets of TTL 1 forwarded", 0, forward(ground, &entry, 1, 0));
    ground_expect(ground, "packets of TTL 2 forwarded", COUNT, forward(ground, &entry, 2, COUNT));
    replace_vif(ground, s, 0);
    replace_vif(ground, s, 1);
    ground_require(mroute_mfc_set(s, &entry) == 0, "entry");
    ground_expect(ground, "packets of TTL 5 forwarded by VIFs of threshold 10", COUNT,
                  forward(ground, &entry, 5, COUNT));
}

static void check_thresholds(struct ground *ground, const struct mroute_socket *s)
{
    struct mfc_entry entry = ground_entry(s->family, 3, 1 << 1);

    entry.ttls[1] = 5;
    ground_require(mroute_mfc_set(s, &entry) == 0, "entry");
    ground_expect(ground, "packets of TTL 5 forwarded by an entry of threshold 5", 0,
                  forward(ground, &entry, 5, 0));
    ground_expect(ground, "packets of TTL 6 forwarded by it", COUNT,
                  forward(ground, &entry, 6, COUNT));
}

static void check_scope(struct ground *ground, const struct mroute_socket *s)
{
    bool is_v4 = s->family == FAMILY_IPV4;
    struct mfc_entry entry = ground_entry(s->family, 4, 1 << 1);

    ground_require(address_parse(is_v4 ? "224.0.0.77" : "ff02::77", &entry.group), "group");
    ground_expect_result(ground, "an entry for a group of the link is accepted", 0,
                         mroute_mfc_set(s, &entry));
    ground_expect(ground, "but packets of it forwarded", 0, forward(ground, &entry, 8, 0));
    ground_require(address_parse(is_v4 ? "224.0.1.77" : "ff05::77", &entry.group), "group");
    ground_require(mroute_mfc_set(s, &entry) == 0, "entry");
    ground_expect(ground, "packets of the next greater scope forwarded", COUNT,
                  forward(ground, &entry, 8, COUNT));
}

static void check(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);

    check_changes(ground, &s);
    check_hop_limits(ground, &s);
    if (family == FAMILY_IPV4)
        check_thresholds(ground, &s);
    check_scope(ground, &s);
    close(s.fd);
}

int main(void)
{
    return ground_run_families(check);
}
