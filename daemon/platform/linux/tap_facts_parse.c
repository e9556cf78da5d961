#include "tap_facts_parse.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <string.h>
#include <sys/socket.h>

/* Milliseconds: the kernel tells in hundredths of a second (USER_HZ). */
enum { MS_OF_TICK = 10 };

static void read_counters(const struct rtattr *attribute, struct tap_counters *ret)
{
    struct rtnl_link_stats64 counters;
    size_t used = offsetof(struct rtnl_link_stats64, multicast);

    if (!attribute || RTA_PAYLOAD(attribute) < used)
        return;
    memcpy(&counters, RTA_DATA(attribute), used); /* they are not aligned */
    *ret = (struct tap_counters){
        .rx_frames = counters.rx_packets,
        .rx_bytes = counters.rx_bytes,
        .rx_dropped = counters.rx_dropped,
        .tx_frames = counters.tx_packets,
        .tx_bytes = counters.tx_bytes,
        .tx_dropped = counters.tx_dropped,
    };
}

/* A macvtap counts as its program sees it, and a tap as the host does. */
static void turn(struct tap_counters *counters)
{
    const struct tap_counters own = *counters;

    counters->rx_frames = own.tx_frames;
    counters->rx_bytes = own.tx_bytes;
    counters->rx_dropped = own.tx_dropped;
    counters->tx_frames = own.rx_frames;
    counters->tx_bytes = own.rx_bytes;
    counters->tx_dropped = own.rx_dropped;
}

/* The options that stand in an attribute of a link's kind; none where it is not there. */
static void read_options(const struct rtattr *data, const struct rtattr **options, size_t count)
{
    netlink_attributes(data ? RTA_DATA(data) : NULL, data ? RTA_PAYLOAD(data) : 0, options, count);
}

static void read_tap(const struct rtattr *data, struct tap_facts *ret)
{
    const struct rtattr *options[IFLA_TUN_MAX + 1];

    read_options(data, options, IFLA_TUN_MAX + 1);
    ret->kind = FACTS_TAP;
    ret->offload = netlink_flag(options[IFLA_TUN_VNET_HDR]);
    ret->persistent = netlink_flag(options[IFLA_TUN_PERSIST]);
}

static void read_bridge(const struct rtattr *data, struct tap_facts *ret)
{
    const struct rtattr *options[IFLA_BR_MAX + 1];

    read_options(data, options, IFLA_BR_MAX + 1);
    ret->kind = FACTS_BRIDGE;
    ret->stp = netlink_u32(options[IFLA_BR_STP_STATE], 0) != 0;
    ret->delay_ms = netlink_u32(options[IFLA_BR_FORWARD_DELAY], 0) * MS_OF_TICK;
}

static void read_port(const struct rtattr *data, struct tap_facts *ret)
{
    const struct rtattr *options[IFLA_BRPORT_MAX + 1], *state;

    read_options(data, options, IFLA_BRPORT_MAX + 1);
    state = options[IFLA_BRPORT_STATE];
    ret->forwards = state && RTA_PAYLOAD(state) == 1 &&
                    *(const uint8_t *)RTA_DATA(state) == BR_STATE_FORWARDING;
    ret->isolated = netlink_flag(options[IFLA_BRPORT_ISOLATED]);
}

static void read_kind(const struct rtattr *nest, struct tap_facts *ret)
{
    const struct rtattr *info[IFLA_INFO_MAX + 1];

    read_options(nest, info, IFLA_INFO_MAX + 1);
    if (netlink_text_equal(info[IFLA_INFO_KIND], "tun"))
        read_tap(info[IFLA_INFO_DATA], ret);
    else if (netlink_text_equal(info[IFLA_INFO_KIND], "macvtap"))
        turn(&ret->counters);
    else if (netlink_text_equal(info[IFLA_INFO_KIND], "bridge"))
        read_bridge(info[IFLA_INFO_DATA], ret);
    if (netlink_text_equal(info[IFLA_INFO_SLAVE_KIND], "bridge"))
        read_port(info[IFLA_INFO_SLAVE_DATA], ret);
}

void tap_facts_parse(void *facts, const struct nlmsghdr *header)
{
    struct tap_facts *ret = facts;
    const struct rtattr *attributes[IFLA_MAX + 1], *name;
    const struct ifinfomsg *link =
        netlink_read(header, RTM_NEWLINK, sizeof *link, attributes, IFLA_MAX + 1);

    if (!link || link->ifi_family != AF_UNSPEC)
        return;
    *ret = (struct tap_facts){
        .up = link->ifi_flags & IFF_UP,
        .carrier = link->ifi_flags & IFF_LOWER_UP,
        .mtu = netlink_u32(attributes[IFLA_MTU], 0),
        .master = netlink_u32(attributes[IFLA_MASTER], 0),
    };
    name = attributes[IFLA_IFNAME];
    if (name && RTA_PAYLOAD(name) <= sizeof ret->name)
        memcpy(ret->name, RTA_DATA(name), RTA_PAYLOAD(name));
    ret->name[INTERFACE_NAME_MAX] = '\0';
    read_counters(attributes[IFLA_STATS64], &ret->counters);
    read_kind(attributes[IFLA_LINKINFO], ret);
}

/* --- Addresses ----------------------------------------------------------------------------- */

/* False: it is none of a family that we know. */
static bool read_address(unsigned native, const struct rtattr *attribute, struct address *ret)
{
    size_t size = native == AF_INET ? 4 : 16;

    if ((native != AF_INET && native != AF_INET6) || !attribute || RTA_PAYLOAD(attribute) != size)
        return false;
    *ret = (struct address){.family = native == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6};
    memcpy(ret->bytes, RTA_DATA(attribute), size);
    return true;
}

void tap_addresses_parse(void *reader, const struct nlmsghdr *header)
{
    const struct tap_addresses_reader *r = reader;
    struct tap_addresses *ret = r->addresses;
    const struct rtattr *attributes[IFA_MAX + 1], *own;
    const struct ifaddrmsg *message =
        netlink_read(header, RTM_NEWADDR, sizeof *message, attributes, IFA_MAX + 1);
    struct host_address host;

    if (!message || message->ifa_index != r->ifindex || ret->count == FACTS_ADDRESSES_MAX)
        return;
    /* IFA_ADDRESS is the other end's where there are two (linux/if_addr.h). */
    own = attributes[IFA_LOCAL] ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
    if (!read_address(message->ifa_family, own, &host.address))
        return;
    host.length = message->ifa_prefixlen;
    ret->list[ret->count++] = host;
}

void tap_neighbours_parse(void *reader, const struct nlmsghdr *header)
{
    const struct tap_neighbours_reader *r = reader;
    const struct rtattr *attributes[NDA_MAX + 1];
    const struct ndmsg *message =
        netlink_read(header, RTM_NEWNEIGH, sizeof *message, attributes, NDA_MAX + 1);
    struct address address;

    if (!message || message->ndm_ifindex < 0 || (unsigned)message->ndm_ifindex != r->ifindex ||
        message->ndm_state & NUD_NOARP ||
        !read_address(message->ndm_family, attributes[NDA_DST], &address))
        return;
    if (!(message->ndm_state & (NUD_FAILED | NUD_INCOMPLETE))) {
        r->neighbours->known++;
        return;
    }
    r->neighbours->unanswered++;
    r->neighbours->one = address;
}
