/* Interfaces by rtnetlink: a dump at the start, then the messages of RTNLGRP_LINK. Both come on
 * one socket, so nothing is missed between the two. */
#include "platform/netifs.h"

#include "netlink.h"
#include "taps_internal.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 64 * 1024, RECEIVE_BUFFER = 1 << 20, IPV6_MTU_MIN = 1280 };

static int ask_for_all(int fd)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg netif;
    } request = {
        .header = {sizeof request, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 0, 0},
        .netif = {.ifi_family = AF_UNSPEC},
    };

    return send(fd, &request, sizeof request, 0) < 0 ? -errno : 0;
}

/* #syscalls broker: socket bind setsockopt send sendto close */
int netifs_socket_open(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    int size = RECEIVE_BUFFER, result;

    if (fd < 0)
        return -errno;
    /* As far as net.core.rmem_max lets it grow: overruns are handled, but cost a dump. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        result = -errno;
    else
        result = ask_for_all(fd);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

static enum netif_type type_of(unsigned short type)
{
    if (type == ARPHRD_LOOPBACK)
        return NETIF_TYPE_LOOPBACK;
    return type == ARPHRD_ETHER ? NETIF_TYPE_ETHERNET : NETIF_TYPE_OTHER;
}

static void parse_mac(const struct rtattr *attribute, uint8_t ret[MAC_BYTES])
{
    if (attribute && RTA_PAYLOAD(attribute) == MAC_BYTES)
        memcpy(ret, RTA_DATA(attribute), MAC_BYTES);
}

static bool parse_netif(const struct nlmsghdr *header, struct netif *ret)
{
    const struct ifinfomsg *info = NLMSG_DATA(header);
    const struct rtattr *attributes[IFLA_MAX + 1];

    if (header->nlmsg_len < NLMSG_LENGTH(sizeof *info) || info->ifi_index <= 0)
        return false;
    netlink_attributes(IFLA_RTA(info), header->nlmsg_len - NLMSG_LENGTH(sizeof *info), attributes,
                       IFLA_MAX + 1);
    *ret = (struct netif){
        .ifindex = (unsigned)info->ifi_index,
        .up = info->ifi_flags & IFF_UP,
        .running = info->ifi_flags & IFF_RUNNING,
        .ipv6 = netlink_u32(attributes[IFLA_MTU], IPV6_MTU_MIN) >= IPV6_MTU_MIN,
        .type = type_of(info->ifi_type),
        .master = netlink_u32(attributes[IFLA_MASTER], 0),
        .mtu = netlink_u32(attributes[IFLA_MTU], 0),
    };

    const struct rtattr *name = attributes[IFLA_IFNAME];

    if (name && RTA_PAYLOAD(name) <= sizeof ret->name)
        memcpy(ret->name, RTA_DATA(name), RTA_PAYLOAD(name));
    ret->name[INTERFACE_NAME_MAX] = '\0';
    parse_mac(attributes[IFLA_ADDRESS], ret->mac);
    tap_read_mark(attributes[IFLA_IFALIAS], ret->made_as);
    /* The bridge module tells of a port's bridge side in messages of its own family. */
    return info->ifi_family == AF_UNSPEC && ret->name[0] != '\0';
}

static void take_message(void *context, const struct nlmsghdr *header)
{
    const struct netif_visitor *visitor = context;
    struct netif netif;

    if (header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK)
        return;
    if (!parse_netif(header, &netif))
        return;
    if (header->nlmsg_type == RTM_NEWLINK)
        visitor->changed(visitor->context, &netif);
    else
        visitor->gone(visitor->context, netif.ifindex);
}

void netifs_parse(const void *bytes, size_t length, const struct netif_visitor *visitor)
{
    struct netif_visitor copy = *visitor;

    if (!netlink_walk(bytes, length, take_message, &copy))
        visitor->complete(visitor->context);
}

/* While an overrun socket holds messages, it is given no others, and nobody is told of their loss
 * (NETLINK_S_CONGESTED of net/netlink/af_netlink.c). So all is asked for when it is empty. */
int netifs_socket_read(int fd, const struct netif_visitor *visitor)
{
    char buffer[DATAGRAM_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
    bool overrun = false;

    for (;;) {
        ssize_t length = recv(fd, buffer, sizeof buffer, 0);

        if (length >= 0) {
            netifs_parse(buffer, (size_t)length, visitor);
        } else if (errno == ENOBUFS) {
            overrun = true;
        } else if (errno == EAGAIN && overrun) {
            overrun = false;
            visitor->restart(visitor->context);
            if (ask_for_all(fd) < 0)
                return -errno;
        } else if (errno != EINTR) {
            return errno == EAGAIN ? 0 : -errno;
        }
    }
}
