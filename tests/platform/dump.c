/* Reading a table back: what a process that takes over can learn of it.
 *
 * For IPv4, RTM_GETLINK of family RTNL_FAMILY_IPMR lists each VIF with its interface. For IPv6
 * nothing does. But SIOCGETMIFCNT_IN6 succeeds for a MIF that exists, and fails for others (EINVAL
 * above the greatest number in use, else EADDRNOTAVAIL), an entry is accepted for any source, also
 * one that no packet can have (a multicast address), and RTM_GETROUTE tells an entry's interfaces:
 * so an entry made for each MIF tells its interface. RTM_GETROUTE tells source, group, iif, and the
 * oifs with their TTL thresholds; of IPv6, where there are none, 1. An oif whose interface is gone
 * is left out, and so is the iif.
 *
 * Sources: ipmr_rtm_dumplink() of net/ipv4/ipmr.c, mr_fill_mroute() of net/ipv4/ipmr_base.c,
 * ip6mr_ioctl() and ip6mr_mfc_add() of net/ipv6/ip6mr.c. */
#include "ground.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum { SPARE_VIF = 31 };

struct seen {
    unsigned ifindex[VIFS_MAX]; /* by VIF */
    long vifs, entries;
    struct mfc_found entry; /* the last */
};

static void take_vif(void *context, unsigned vif, unsigned ifindex)
{
    struct seen *seen = context;

    seen->vifs++;
    seen->ifindex[vif] = ifindex;
}

static void take_mfc(void *context, const struct mfc_found *found)
{
    struct seen *seen = context;

    seen->entries++;
    seen->entry = *found;
}

static void dump(const struct mroute_socket *s, struct seen *ret)
{
    struct mroute_visitor visitor = {take_vif, take_mfc, ret};

    memset(ret, 0, sizeof *ret);
    ground_require(mroute_dump(s, &visitor) == 0, "dump");
}

static void check_vifs(struct ground *ground, const struct mroute_socket *s)
{
    struct vif_counters counters;
    struct seen seen;

    ground_expect_result(ground, "the counters of a VIF above those that exist", -EINVAL,
                         mroute_vif_count(s, SPARE_VIF, &counters));
    ground_require(mroute_vif_del(s, 2) == 0, "VIF");
    ground_require(mroute_vif_add(s, SPARE_VIF, ground->netifs[2].ifindex) == 0, "VIF");
    ground_expect_result(ground, "of one that does not, below one that does", -EADDRNOTAVAIL,
                         mroute_vif_count(s, 2, &counters));
    ground_expect_result(ground, "of one that exists", 0,
                         mroute_vif_count(s, SPARE_VIF, &counters));
    dump(s, &seen);
    ground_expect(ground, "VIFs that can be found", LINKS, seen.vifs);
    ground_expect(ground, "the interface of VIF 0", ground->netifs[0].ifindex, seen.ifindex[0]);
    ground_expect(ground, "the interface of VIF 1", ground->netifs[1].ifindex, seen.ifindex[1]);
    ground_expect(ground, "the interface of VIF 31", ground->netifs[2].ifindex,
                  seen.ifindex[SPARE_VIF]);
}

static void check_entry(struct ground *ground, const struct mroute_socket *s)
{
    struct mfc_entry entry = ground_entry(s->family, 1, 1 << 1);
    struct seen seen;

    entry.ttls[1] = 7;
    ground_require(mroute_mfc_set(s, &entry) == 0, "entry");
    dump(s, &seen);
    ground_expect(ground, "entries that are told of", 1, seen.entries);
    ground_expect(ground, "whether source and group are", 1,
                  address_equal(&seen.entry.source, &entry.source) &&
                      address_equal(&seen.entry.group, &entry.group));
    ground_expect(ground, "the iif", ground->netifs[0].ifindex, seen.entry.iif);
    ground_expect(ground, "the number of oifs", 1, seen.entry.oif_count);
    ground_expect(ground, "the oif", ground->netifs[1].ifindex, seen.entry.oifs[0].ifindex);
    ground_expect(ground, "its TTL threshold", s->family == FAMILY_IPV4 ? 7 : 1,
                  seen.entry.oifs[0].ttl);
    ground_netif_del(ground, 1);
    dump(s, &seen);
    ground_expect(ground, "the number of oifs when the oif is deleted", 0, seen.entry.oif_count);
    ground_netif_del(ground, 0);
    dump(s, &seen);
    ground_expect(ground, "entries when the iif is deleted too", 1, seen.entries);
    ground_expect(ground, "the iif then", 0, seen.entry.iif);
}

static void check(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);

    check_vifs(ground, &s);
    check_entry(ground, &s);
    close(s.fd);
    ground_netif_add(ground, 0);
    ground_netif_add(ground, 1);
}

int main(void)
{
    return ground_run_families(check);
}
