/* Multicast routing on Linux: the socket options of net/ipv4/ipmr.c and net/ipv6/ip6mr.c, which
 * want exact structs, and rtnetlink to read the tables back. */
#include "platform/mroute.h"

#include "mroute_routes.h"
#include "mroute_socket.h"
#include "netlink.h"

/* net/if.h and netinet/in.h before the kernel's headers, which then leave their parts out. */
#include <net/if.h>
#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(VIFS_MAX == MAXVIFS, "the kernel's limit is ours");
_Static_assert(VIFS_MAX == MAXMIFS, "the kernel's limit is ours");
_Static_assert(TABLE_ID_DEFAULT_IPV4 == (int)RT_TABLE_DEFAULT, "the kernel's table is ours");
_Static_assert(TABLE_ID_DEFAULT_IPV6 == (int)RT_TABLE_MAIN, "the kernel's table is ours");

int mroute_set_option(const struct mroute_socket *s, int v4, int v6, const void *value,
                      socklen_t length)
{
    bool is_v4 = s->family == FAMILY_IPV4;

    if (setsockopt(s->fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? v4 : v6, value, length) < 0)
        return -errno;
    return 0;
}

int mroute_vif_add(const struct mroute_socket *s, unsigned vif, unsigned ifindex)
{
    struct vifctl v4 = {
        .vifc_vifi = (vifi_t)vif,
        .vifc_flags = VIFF_USE_IFINDEX,
        .vifc_threshold = 1,
        .vifc_lcl_ifindex = (int)ifindex,
    };
    struct mif6ctl v6 = {
        .mif6c_mifi = (mifi_t)vif,
        .vifc_threshold = 1,
        .mif6c_pifi = (unsigned short)ifindex,
    };

    if (s->family == FAMILY_IPV4)
        return mroute_set_option(s, MRT_ADD_VIF, 0, &v4, sizeof v4);
    if (ifindex > UINT16_MAX) /* mif6c_pifi has 16 bits: it would name another interface */
        return -EADDRNOTAVAIL;
    return mroute_set_option(s, 0, MRT6_ADD_MIF, &v6, sizeof v6);
}

int mroute_vif_del(const struct mroute_socket *s, unsigned vif)
{
    struct vifctl v4 = {.vifc_vifi = (vifi_t)vif};
    mifi_t v6 = (mifi_t)vif;

    if (s->family == FAMILY_IPV4)
        return mroute_set_option(s, MRT_DEL_VIF, 0, &v4, sizeof v4);
    return mroute_set_option(s, 0, MRT6_DEL_MIF, &v6, sizeof v6);
}

static struct in_addr to_in_addr(const struct address *address)
{
    struct in_addr in;

    memcpy(&in, address->bytes, sizeof in);
    return in;
}

static struct sockaddr_in6 to_sockaddr_in6(const struct address *address)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6};

    memcpy(&in.sin6_addr, address->bytes, sizeof in.sin6_addr);
    return in;
}

static struct address from_bytes(uint8_t family, const void *bytes)
{
    struct address address = {.family = family};

    memcpy(address.bytes, bytes, family == FAMILY_IPV4 ? 4 : 16);
    return address;
}

/* The *_cnt members of the structs below are ignored by the kernel; they are zeroed all the same,
 * and so is the padding behind mfcc_ttls. */
static int change_mfc4(const struct mroute_socket *s, int operation, const struct mfc_entry *entry)
{
    struct mfcctl control;

    memset(&control, 0, sizeof control);
    control.mfcc_origin = to_in_addr(&entry->source);
    control.mfcc_mcastgrp = to_in_addr(&entry->group);
    control.mfcc_parent = (vifi_t)entry->parent;
    memcpy(control.mfcc_ttls, entry->ttls, sizeof control.mfcc_ttls);
    return mroute_set_option(s, operation, 0, &control, sizeof control);
}

/* IF_SET() of the kernel's header shifts a signed 1, which has no bit 31. */
static int change_mfc6(const struct mroute_socket *s, int operation, const struct mfc_entry *entry)
{
    struct mf6cctl control;

    memset(&control, 0, sizeof control);
    control.mf6cc_origin = to_sockaddr_in6(&entry->source);
    control.mf6cc_mcastgrp = to_sockaddr_in6(&entry->group);
    control.mf6cc_parent = (mifi_t)entry->parent;
    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        if (entry->ttls[vif])
            control.mf6cc_ifset.ifs_bits[vif / NIFBITS] |= UINT32_C(1) << vif % NIFBITS;
    return mroute_set_option(s, 0, operation, &control, sizeof control);
}

int mroute_mfc_set(const struct mroute_socket *s, const struct mfc_entry *entry)
{
    if (s->family == FAMILY_IPV4)
        return change_mfc4(s, MRT_ADD_MFC, entry);
    return change_mfc6(s, MRT6_ADD_MFC, entry);
}

int mroute_mfc_del(const struct mroute_socket *s, const struct address *source,
                   const struct address *group)
{
    struct mfc_entry entry = {.source = *source, .group = *group};

    if (s->family == FAMILY_IPV4)
        return change_mfc4(s, MRT_DEL_MFC, &entry);
    return change_mfc6(s, MRT6_DEL_MFC, &entry);
}

int mroute_mfc_count(const struct mroute_socket *s, const struct address *source,
                     const struct address *group, struct mfc_counters *ret)
{
    if (s->family == FAMILY_IPV4) {
        struct sioc_sg_req v4 = {.src = to_in_addr(source), .grp = to_in_addr(group)};

        if (ioctl(s->fd, SIOCGETSGCNT, &v4) < 0)
            return -errno;
        *ret = (struct mfc_counters){v4.pktcnt, v4.bytecnt, v4.wrong_if};
    } else {
        struct sioc_sg_req6 v6 = {.src = to_sockaddr_in6(source), .grp = to_sockaddr_in6(group)};

        if (ioctl(s->fd, SIOCGETSGCNT_IN6, &v6) < 0)
            return -errno;
        *ret = (struct mfc_counters){v6.pktcnt, v6.bytecnt, v6.wrong_if};
    }
    return 0;
}

int mroute_vif_count(const struct mroute_socket *s, unsigned vif, struct vif_counters *ret)
{
    if (s->family == FAMILY_IPV4) {
        struct sioc_vif_req v4 = {.vifi = (vifi_t)vif};

        if (ioctl(s->fd, SIOCGETVIFCNT, &v4) < 0)
            return -errno;
        *ret = (struct vif_counters){v4.icount, v4.ibytes, v4.ocount, v4.obytes};
    } else {
        struct sioc_mif_req6 v6 = {.mifi = (mifi_t)vif};

        if (ioctl(s->fd, SIOCGETMIFCNT_IN6, &v6) < 0)
            return -errno;
        *ret = (struct vif_counters){v6.icount, v6.ibytes, v6.ocount, v6.obytes};
    }
    return 0;
}

/* --- Reading the tables back --------------------------------------------------------------- */

struct dump {
    const struct mroute_socket *socket;
    const struct mroute_visitor *visitor;
};

/* IPv6 has no dump of its VIFs, and its routes name interfaces, not VIFs. So each VIF that answers
 * a question about its counters gets an entry of its own for a moment, from a source that no route
 * can have (a multicast address), and the dump of the entries tells the interface. */
static void probe_key(unsigned vif, struct mfc_entry *ret)
{
    static const uint8_t prefix[] = {0xff, 0x0f, 'n', 'e', 't', 'b', 'r', 'o', 'k', 'e', 'r'};

    *ret = (struct mfc_entry){.parent = vif};
    ret->source.family = ret->group.family = FAMILY_IPV6;
    memcpy(ret->source.bytes, prefix, sizeof prefix);
    memcpy(ret->group.bytes, prefix, sizeof prefix);
    ret->group.bytes[15] = (uint8_t)vif;
}

/* Whether a found entry is such a probe; *ret_vif says for which. */
static bool is_probe(const struct mfc_found *found, unsigned *ret_vif)
{
    struct mfc_entry probe;

    *ret_vif = found->group.bytes[15];
    probe_key(*ret_vif, &probe);
    return *ret_vif < VIFS_MAX && address_equal(&probe.source, &found->source) &&
           address_equal(&probe.group, &found->group);
}

static void change_probes(const struct mroute_socket *s, bool add)
{
    for (unsigned vif = 0; vif < VIFS_MAX; vif++) {
        struct vif_counters counters;
        struct mfc_entry probe;

        probe_key(vif, &probe);
        if (!add)
            mroute_mfc_del(s, &probe.source, &probe.group);
        else if (mroute_vif_count(s, vif, &counters) == 0)
            mroute_mfc_set(s, &probe);
    }
}

static void parse_oifs(const struct rtattr *multipath, struct mfc_found *found)
{
    const struct rtnexthop *hop = RTA_DATA(multipath);
    int left = (int)RTA_PAYLOAD(multipath);

    while (found->oif_count < VIFS_MAX && netlink_hop_ok(hop, left)) {
        found->oifs[found->oif_count].ifindex = (unsigned)hop->rtnh_ifindex;
        found->oifs[found->oif_count].ttl = hop->rtnh_hops;
        found->oif_count++;
        left -= NLMSG_ALIGN(hop->rtnh_len);
        hop = RTNH_NEXT(hop);
    }
}

/* What another than the owner wrote is marked (MFC_STATIC): the kernel tells of it as
 * RTPROT_STATIC. */
bool mroute_route_parse(const struct nlmsghdr *header, uint8_t family, uint32_t *ret_table,
                        struct mfc_found *found)
{
    const struct rtmsg *route = NLMSG_DATA(header);
    const struct rtattr *attributes[RTA_MAX + 1];
    size_t size = family == FAMILY_IPV4 ? 4 : 16;

    if (header->nlmsg_len < NLMSG_LENGTH(sizeof *route))
        return false;
    netlink_attributes(RTM_RTA(route), header->nlmsg_len - NLMSG_LENGTH(sizeof *route), attributes,
                       RTA_MAX + 1);
    if (!attributes[RTA_DST] || RTA_PAYLOAD(attributes[RTA_DST]) != size)
        return false;
    *ret_table = netlink_u32(attributes[RTA_TABLE], route->rtm_table);
    *found = (struct mfc_found){
        .source = address_any(family),
        .group = from_bytes(family, RTA_DATA(attributes[RTA_DST])),
        .iif = netlink_u32(attributes[RTA_IIF], 0),
        .unresolved = route->rtm_flags & RTNH_F_UNRESOLVED,
        .foreign = route->rtm_protocol != RTPROT_MROUTED,
    };
    if (attributes[RTA_SRC] && RTA_PAYLOAD(attributes[RTA_SRC]) == size)
        found->source = from_bytes(family, RTA_DATA(attributes[RTA_SRC]));
    if (attributes[RTA_MULTIPATH])
        parse_oifs(attributes[RTA_MULTIPATH], found);
    return true;
}

/* An entry of the socket's table, of a dump. */
static bool parse_route(const struct nlmsghdr *header, const struct mroute_socket *s,
                        struct mfc_found *found)
{
    uint32_t table;

    return header->nlmsg_type == RTM_NEWROUTE &&
           mroute_route_parse(header, s->family, &table, found) && table == s->table;
}

static void take_route(void *context, const struct nlmsghdr *header)
{
    const struct dump *dump = context;
    struct mfc_found found;
    unsigned vif;

    if (!parse_route(header, dump->socket, &found))
        return;
    if (dump->socket->family == FAMILY_IPV6 && is_probe(&found, &vif))
        return;
    dump->visitor->mfc(dump->visitor->context, &found);
}

static void take_probe(void *context, const struct nlmsghdr *header)
{
    const struct dump *dump = context;
    struct mfc_found found;
    unsigned vif;

    if (parse_route(header, dump->socket, &found) && is_probe(&found, &vif) && found.iif)
        dump->visitor->vif(dump->visitor->context, vif, found.iif);
}

static void take_vif(const struct dump *dump, const struct rtattr *attribute)
{
    const struct rtattr *fields[IPMRA_VIFA_MAX + 1];

    netlink_attributes(RTA_DATA(attribute), RTA_PAYLOAD(attribute), fields, IPMRA_VIFA_MAX + 1);

    unsigned vif = netlink_u32(fields[IPMRA_VIFA_VIF_ID], VIFS_MAX);
    unsigned ifindex = netlink_u32(fields[IPMRA_VIFA_IFINDEX], 0);

    if (vif < VIFS_MAX && ifindex)
        dump->visitor->vif(dump->visitor->context, vif, ifindex);
}

static void take_vif_table(void *context, const struct nlmsghdr *header)
{
    const struct dump *dump = context;
    const struct ifinfomsg *info = NLMSG_DATA(header);
    const struct rtattr *attributes[IFLA_MAX + 1], *tables[IPMRA_TABLE_MAX + 1];

    if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < NLMSG_LENGTH(sizeof *info))
        return;
    netlink_attributes(IFLA_RTA(info), header->nlmsg_len - NLMSG_LENGTH(sizeof *info), attributes,
                       IFLA_MAX + 1);
    if (!attributes[IFLA_AF_SPEC])
        return;
    netlink_attributes(RTA_DATA(attributes[IFLA_AF_SPEC]), RTA_PAYLOAD(attributes[IFLA_AF_SPEC]),
                       tables, IPMRA_TABLE_MAX + 1);
    if (netlink_u32(tables[IPMRA_TABLE_ID], 0) != dump->socket->table || !tables[IPMRA_TABLE_VIFS])
        return;

    const struct rtattr *vif = RTA_DATA(tables[IPMRA_TABLE_VIFS]);

    for (int left = (int)RTA_PAYLOAD(tables[IPMRA_TABLE_VIFS]); RTA_OK(vif, left);
         vif = RTA_NEXT(vif, left))
        take_vif(dump, vif);
}

struct routes_request {
    struct nlmsghdr header;
    struct rtmsg route;
};

static struct routes_request request_routes(uint8_t family)
{
    return (struct routes_request){
        .header = {sizeof(struct routes_request), RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .route = {.rtm_family = family == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR},
    };
}

static int ask_for_routes(const struct dump *dump, netlink_message *message)
{
    struct routes_request request = request_routes(dump->socket->family);

    return netlink_ask(&request.header, message, (void *)dump);
}

static int dump_vifs4(const struct dump *dump)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {sizeof request, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .link = {.ifi_family = RTNL_FAMILY_IPMR},
    };

    return netlink_ask(&request.header, take_vif_table, (void *)dump);
}

static int dump_vifs6(const struct dump *dump)
{
    int result;

    change_probes(dump->socket, true);
    result = ask_for_routes(dump, take_probe);
    change_probes(dump->socket, false);
    return result;
}

int mroute_dump_vifs(const struct mroute_socket *s, const struct mroute_visitor *visitor)
{
    struct dump dump = {s, visitor};

    return s->family == FAMILY_IPV4 ? dump_vifs4(&dump) : dump_vifs6(&dump);
}

int mroute_dump(const struct mroute_socket *s, const struct mroute_visitor *visitor)
{
    struct dump dump = {s, visitor};
    int result = mroute_dump_vifs(s, visitor);

    return result == 0 ? ask_for_routes(&dump, take_route) : result;
}

int mroute_dump_begin(const struct mroute_socket *s)
{
    struct routes_request request = request_routes(s->family);

    return netlink_begin(&request.header);
}

int mroute_dump_next(int fd, const struct mroute_socket *s, const struct mroute_visitor *visitor)
{
    struct dump dump = {s, visitor};

    return netlink_next(fd, take_route, &dump);
}

struct search {
    const struct mroute_socket *socket;
    struct mfc_found *ret;
    bool found;
};

static void take_found(void *context, const struct nlmsghdr *header)
{
    struct search *search = context;

    search->found = parse_route(header, search->socket, search->ret);
}

/* -ENODEV is how IPv4 says that there is no such entry (ipmr_rtm_getroute of net/ipv4/ipmr.c). */
int mroute_mfc_find(const struct mroute_socket *s, const struct address *source,
                    const struct address *group, struct mfc_found *ret)
{
    size_t size = s->family == FAMILY_IPV4 ? 4 : 16;
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr table;
        uint32_t table_id;
        char addresses[2 * RTA_LENGTH(16)];
    } request = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 1},
        .route = {.rtm_family = s->family == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR,
                  .rtm_src_len = (uint8_t)(size * 8),
                  .rtm_dst_len = (uint8_t)(size * 8)},
        .table = {RTA_LENGTH(sizeof(uint32_t)), RTA_TABLE},
        .table_id = s->table,
    };
    struct rtattr attribute = {(uint16_t)RTA_LENGTH(size), RTA_SRC};
    struct search search = {s, ret, false};
    int result;

    memcpy(request.addresses, &attribute, sizeof attribute);
    memcpy(request.addresses + sizeof attribute, source->bytes, size);
    attribute.rta_type = RTA_DST;
    memcpy(request.addresses + attribute.rta_len, &attribute, sizeof attribute);
    memcpy(request.addresses + attribute.rta_len + sizeof attribute, group->bytes, size);
    request.header.nlmsg_len =
        (uint32_t)(sizeof request - sizeof request.addresses + (size_t)2 * attribute.rta_len);
    result = netlink_ask(&request.header, take_found, &search);
    if (result == -ENODEV || (result == 0 && (!search.found || ret->unresolved)))
        return -ENOENT;
    return result;
}

/* --- Messages about packets ---------------------------------------------------------------- */

static enum upcall_kind upcall_kind(unsigned type)
{
    /* IGMPMSG_* and MRT6MSG_* have the same numbers. */
    return type == IGMPMSG_NOCACHE    ? UPCALL_NO_ROUTE
           : type == IGMPMSG_WRONGVIF ? UPCALL_WRONG_INTERFACE
                                      : UPCALL_OTHER;
}

static void parse_upcall4(const void *bytes, struct upcall *ret)
{
    struct igmpmsg message;

    memcpy(&message, bytes, sizeof message);
    if (message.im_mbz != 0) /* in an IGMP packet the protocol of its IP header stands here */
        return;
    ret->kind = upcall_kind(message.im_msgtype);
    ret->vif = message.im_vif | (unsigned)message.im_vif_hi << 8;
    ret->source = from_bytes(FAMILY_IPV4, &message.im_src);
    ret->group = from_bytes(FAMILY_IPV4, &message.im_dst);
}

static void parse_upcall6(const void *bytes, struct upcall *ret)
{
    struct mrt6msg message;

    memcpy(&message, bytes, sizeof message);
    if (message.im6_mbz != 0) /* in an ICMPv6 packet its type stands here */
        return;
    ret->kind = upcall_kind(message.im6_msgtype);
    ret->vif = message.im6_mif;
    ret->source = from_bytes(FAMILY_IPV6, &message.im6_src);
    ret->group = from_bytes(FAMILY_IPV6, &message.im6_dst);
}

void mroute_upcall_parse(uint8_t family, const void *bytes, size_t length, struct upcall *ret)
{
    *ret = (struct upcall){.kind = UPCALL_OTHER};
    if (family == FAMILY_IPV4 && length >= sizeof(struct igmpmsg))
        parse_upcall4(bytes, ret);
    if (family == FAMILY_IPV6 && length >= sizeof(struct mrt6msg))
        parse_upcall6(bytes, ret);
}

int mroute_upcall_read(const struct mroute_socket *s, struct upcall *ret)
{
    char bytes[256];
    ssize_t length = recv(s->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (length < 0)
        return -errno;
    mroute_upcall_parse(s->family, bytes, (size_t)length, ret);
    return 0;
}
