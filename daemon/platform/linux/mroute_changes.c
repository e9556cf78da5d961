/* What the kernel tells of changes to multicast routing (rtnetlink(7)).
 *
 * The notifications do not say who made a change. But an entry that another than the table's owner
 * wrote is marked (see mroute.c), so a filter in the kernel drops those of the owner: 50,000 routes
 * that are added wake nobody. Deletions look alike. VIFs have no notification of their own; an
 * interface's mc_forwarding does, which the kernel counts up and down with them.
 *
 * Who writes with RTPROT_MROUTED by rtnetlink, or by a copy of the owner's socket, looks like the
 * owner. */
#include "mroute_routes.h"
#include "netlink.h"

/* netinet/in.h before the kernel's headers, which then leave their parts out. */
#include <netinet/in.h>

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/netconf.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 8 * 1024, RECEIVE_BUFFER = 1 << 20 };

/* Where fields of a message are. */
#define TYPE_AT        ((uint32_t)offsetof(struct nlmsghdr, nlmsg_type))
#define PROTOCOL_AT    ((uint32_t)(NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol)))
#define FLAGS_AT       ((uint32_t)(NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_flags)))
#define RULE_FAMILY_AT ((uint32_t)(NLMSG_HDRLEN + offsetof(struct fib_rule_hdr, family)))

#define LOAD(size, at)             BPF_STMT(BPF_LD | (size) | BPF_ABS, at)
#define JUMP(test, value, yes, no) BPF_JUMP(BPF_JMP | (test) | BPF_K, value, yes, no)

/* Passes what mroute_changes_parse knows, but not what the owner wrote, nor that packets wait for a
 * route, nor rules of unicast. A jump is told how many instructions to pass over. The filter loads
 * numbers in network order. */
static int drop_the_owners(int fd)
{
    enum { WRITTEN = 5, FLAGS = 7, RULE = 9, PASS = 11, DROP = 12 };
    struct sock_filter code[] = {
        [0] = LOAD(BPF_H, TYPE_AT),
        [1] = JUMP(BPF_JEQ, htons(RTM_NEWNETCONF), PASS - 2, 0),
        [2] = JUMP(BPF_JEQ, htons(RTM_DELROUTE), FLAGS - 3, 0),
        [3] = JUMP(BPF_JEQ, htons(RTM_NEWROUTE), WRITTEN - 4, 0),
        [4] = JUMP(BPF_JEQ, htons(RTM_DELRULE), RULE - 5, DROP - 5),
        [WRITTEN] = LOAD(BPF_B, PROTOCOL_AT),
        [6] = JUMP(BPF_JEQ, RTPROT_MROUTED, DROP - 7, 0),
        [FLAGS] = LOAD(BPF_W, FLAGS_AT),
        [8] = JUMP(BPF_JSET, htonl(RTNH_F_UNRESOLVED), DROP - 9, PASS - 9),
        [RULE] = LOAD(BPF_B, RULE_FAMILY_AT),
        [10] = JUMP(BPF_JGE, RTNL_FAMILY_IPMR, PASS - 11, DROP - 11),
        [PASS] = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        [DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0 ? -errno : 0;
}

/* The kernel's messages come from port 0, and do not reach a socket that has no port of its own. */
static int join_groups(int fd)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    static const int groups[] = {RTNLGRP_IPV4_MROUTE, RTNLGRP_IPV6_MROUTE,  RTNLGRP_IPV4_RULE,
                                 RTNLGRP_IPV6_RULE,   RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};
    int size = RECEIVE_BUFFER;

    /* As far as net.core.rmem_max lets it grow: overruns are handled, but cost a dump. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]) < 0)
            return -errno;
    return 0;
}

/* #syscalls broker: socket bind setsockopt close */
int mroute_changes_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), result;

    if (fd < 0)
        return -errno;
    result = drop_the_owners(fd);
    if (result == 0)
        result = join_groups(fd);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

struct changes {
    mroute_change_visit *visit;
    void *context;
};

/* 0: another family. */
static uint8_t routing_family(unsigned rtnetlink_family)
{
    return rtnetlink_family == RTNL_FAMILY_IPMR || rtnetlink_family == AF_INET     ? FAMILY_IPV4
           : rtnetlink_family == RTNL_FAMILY_IP6MR || rtnetlink_family == AF_INET6 ? FAMILY_IPV6
                                                                                   : FAMILY_NONE;
}

static bool parse_entry(const struct nlmsghdr *header, struct mroute_change *change)
{
    struct mfc_found found;

    if (!mroute_route_parse(header, change->family, &change->table, &found) || found.unresolved)
        return false;
    change->kind = header->nlmsg_type == RTM_NEWROUTE ? MROUTE_ENTRY_WRITTEN : MROUTE_ENTRY_DELETED;
    change->source = found.source;
    change->group = found.group;
    return change->kind == MROUTE_ENTRY_DELETED || found.foreign;
}

static bool parse_rule(const struct nlmsghdr *header, struct mroute_change *change)
{
    const struct fib_rule_hdr *rule = NLMSG_DATA(header);
    const struct rtattr *attributes[FRA_MAX + 1];

    if (header->nlmsg_len < NLMSG_LENGTH(sizeof *rule))
        return false;
    netlink_attributes((const char *)rule + NLMSG_ALIGN(sizeof *rule),
                       header->nlmsg_len - NLMSG_LENGTH(sizeof *rule), attributes, FRA_MAX + 1);
    change->kind = MROUTE_RULE_DELETED;
    change->table = netlink_u32(attributes[FRA_TABLE], rule->table);
    return true;
}

/* An interface counts its VIFs in mc_forwarding. */
static bool parse_netconf(const struct nlmsghdr *header, struct mroute_change *change)
{
    const struct netconfmsg *message = NLMSG_DATA(header);
    const struct rtattr *attributes[NETCONFA_MAX + 1];

    netlink_attributes((const char *)message + NLMSG_ALIGN(sizeof *message),
                       header->nlmsg_len - NLMSG_LENGTH(NLMSG_ALIGN(sizeof *message)), attributes,
                       NETCONFA_MAX + 1);
    change->kind = MROUTE_VIFS_CHANGED;
    return attributes[NETCONFA_MC_FORWARDING] &&
           (int)netlink_u32(attributes[NETCONFA_IFINDEX], 0) > 0;
}

static bool parse_change(const struct nlmsghdr *header, struct mroute_change *change)
{
    switch (header->nlmsg_type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return parse_entry(header, change);
    case RTM_DELRULE:
        return parse_rule(header, change);
    case RTM_NEWNETCONF:
        return parse_netconf(header, change);
    default:
        return false;
    }
}

static void take_message(void *context, const struct nlmsghdr *header)
{
    const struct changes *changes = context;
    struct mroute_change change = {0};

    /* Each begins with its family, and fills four bytes at least. */
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(uint32_t)))
        return;
    change.family = routing_family(*(const uint8_t *)NLMSG_DATA(header));
    if (change.family != FAMILY_NONE && parse_change(header, &change))
        changes->visit(changes->context, &change);
}

void mroute_changes_parse(const void *bytes, size_t length, mroute_change_visit *visit,
                          void *context)
{
    struct changes changes = {visit, context};

    netlink_walk(bytes, length, take_message, &changes);
}

/* #syscalls broker: recv recvfrom */
int mroute_changes_read(int fd, unsigned limit, mroute_change_visit *visit, void *context)
{
    char buffer[DATAGRAM_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
    unsigned count = 0;

    while (count < limit) {
        ssize_t length = recv(fd, buffer, sizeof buffer, 0);

        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return errno == EAGAIN ? (int)count : -errno;
        mroute_changes_parse(buffer, (size_t)length, visit, context);
        count++;
    }
    return (int)count;
}
