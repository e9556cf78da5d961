/* Group memberships on Linux: the protocol-independent options of RFC 3678, by interface index. */
#include "platform/joins.h"

#include "netlink.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int level_of(const struct membership_key *key)
{
    return key->group.family == FAMILY_IPV4 ? IPPROTO_IP : IPPROTO_IPV6;
}

static struct sockaddr_storage to_sockaddr(const struct address *address)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (address->family == FAMILY_IPV4) {
        memcpy(&v4.sin_addr, address->bytes, sizeof v4.sin_addr);
        memcpy(&storage, &v4, sizeof v4);
    } else {
        memcpy(&v6.sin6_addr, address->bytes, sizeof v6.sin6_addr);
        memcpy(&storage, &v6, sizeof v6);
    }
    return storage;
}

static int set_group(int fd, int option, const struct membership_key *key)
{
    struct group_req request;

    memset(&request, 0, sizeof request); /* also what is between its members */
    request.gr_interface = key->ifindex;
    request.gr_group = to_sockaddr(&key->group);
    return setsockopt(fd, level_of(key), option, &request, sizeof request) < 0 ? -errno : 0;
}

static int set_source(int fd, int option, const struct membership_key *key)
{
    struct group_source_req request;

    memset(&request, 0, sizeof request);
    request.gsr_interface = key->ifindex;
    request.gsr_group = to_sockaddr(&key->group);
    request.gsr_source = to_sockaddr(&key->source);
    return setsockopt(fd, level_of(key), option, &request, sizeof request) < 0 ? -errno : 0;
}

/* It is lent: whoever has it shall neither send nor receive by it. A socket that is not connected
 * is shut, too, although shutdown(2) says ENOTCONN (tests/platform/lent.c). */
static int fence(int fd)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {1, &drop};
    int yes = 1;

    if ((shutdown(fd, SHUT_WR) < 0 && errno != ENOTCONN) ||
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof yes) < 0)
        return -errno;
    return 0;
}

/* #syscalls keeper: socket setsockopt shutdown close */
int joins_socket_open(uint8_t family)
{
    int fd = socket(family == FAMILY_IPV4 ? AF_INET : AF_INET6,
                    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);

    int result;

    if (fd < 0)
        return -errno;
    result = fence(fd);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

/* #syscalls broker: setsockopt */
int joins_join(int fd, const struct membership_key *key)
{
    return key->source.family ? set_source(fd, MCAST_JOIN_SOURCE_GROUP, key)
                              : set_group(fd, MCAST_JOIN_GROUP, key);
}

/* The options for a source want a live interface (ip_mc_source of net/ipv4/igmp.c, ip6_mc_source of
 * net/ipv6/mcast.c), that for a group does not. */
int joins_leave(int fd, const struct membership_key *key)
{
    int result = key->source.family ? set_source(fd, MCAST_LEAVE_SOURCE_GROUP, key) : -ENODEV;

    return result == -ENODEV ? set_group(fd, MCAST_LEAVE_GROUP, key) : result;
}

struct members_reader {
    joins_member_visit *visit;
    void *context;
};

/* The answers have the type of the question (inet6_fill_ifmcaddr() of net/ipv6/addrconf.c). */
static void take_member(void *reader, const struct nlmsghdr *header)
{
    const struct members_reader *r = reader;
    const struct ifaddrmsg *info = NLMSG_DATA(header);
    const struct rtattr *attributes[IFA_MAX + 1];
    struct address group = {.family = FAMILY_IPV6};

    if (header->nlmsg_type != RTM_GETMULTICAST || header->nlmsg_len < NLMSG_LENGTH(sizeof *info))
        return;
    netlink_attributes(IFA_RTA(info), header->nlmsg_len - NLMSG_LENGTH(sizeof *info), attributes,
                       IFA_MAX + 1);
    if (!attributes[IFA_MULTICAST] || RTA_PAYLOAD(attributes[IFA_MULTICAST]) != sizeof group.bytes)
        return;
    memcpy(group.bytes, RTA_DATA(attributes[IFA_MULTICAST]), sizeof group.bytes);
    r->visit(r->context, info->ifa_index, &group);
}

int joins_members_read(joins_member_visit *visit, void *context)
{
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg info;
    } request = {
        .header = {sizeof request, RTM_GETMULTICAST, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .info = {.ifa_family = AF_INET6},
    };
    struct members_reader reader = {visit, context};

    return netlink_ask(&request.header, take_member, &reader);
}
