/* The acts of holders.h that are done with sockets of the network. */
#include "holders.h"

#include "platform/joins.h"

#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 4711, LOOPBACK = 1, LOOKS = 100, LOOK_MS = 10, OTHER_TABLE = 150 };

static int level_of(int which)
{
    return which == 0 ? IPPROTO_IP : IPPROTO_IPV6;
}

static bool sets(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* The one option or the other, which may have the same number. */
static bool sets_of(int fd, int which, int v4, int v6, int value)
{
    return sets(fd, level_of(which), which == 0 ? v4 : v6, value);
}

/* Somebody on the network, or this host there. */
static socklen_t address_of(int which, bool ours, struct sockaddr_storage *ret)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};

    inet_pton(AF_INET, ours ? "10.1.0.1" : "10.1.0.2", &v4.sin_addr);
    inet_pton(AF_INET6, ours ? "fd00:1::1" : "fd00:1::2", &v6.sin6_addr);
    *ret = (struct sockaddr_storage){0};
    if (which == 0)
        memcpy(ret, &v4, sizeof v4);
    else
        memcpy(ret, &v6, sizeof v6);
    return which == 0 ? sizeof v4 : sizeof v6;
}

static bool sends(int fd, int which, const void *bytes, size_t length)
{
    struct sockaddr_storage address;
    socklen_t size = address_of(which, false, &address);

    if (which == 1)
        ((struct sockaddr_in6 *)&address)->sin6_port = 0; /* a raw socket takes none */
    return sendto(fd, bytes, length, 0, (struct sockaddr *)&address, size) > 0;
}

static bool raises_interface(int fd)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

/* --- Of a table ---------------------------------------------------------------------------- */

bool table_routes(const struct held *held, int which)
{
    const struct mroute_socket *table = &held->tables[which];
    struct mfc_entry entry = {.parent = 0};
    struct mfc_counters counters;
    struct vif_counters vif;

    address_parse(which == 0 ? "10.0.0.1" : "fd00::1", &entry.source);
    address_parse(which == 0 ? "239.1.1.1" : "ff0e::1", &entry.group);
    return mroute_vif_add(table, 0, held->network) == 0 && mroute_mfc_set(table, &entry) == 0 &&
           mroute_mfc_count(table, &entry.source, &entry.group, &counters) == 0 &&
           mroute_vif_count(table, 0, &vif) == 0 &&
           mroute_mfc_del(table, &entry.source, &entry.group) == 0;
}

/* The script sends packets that nobody has a route for, and IGMP and ICMPv6 to this host. */
static bool reads(const struct mroute_socket *table, bool upcalls)
{
    struct upcall upcall;

    for (int i = 0; i < LOOKS; i++) {
        int result = mroute_upcall_read(table, &upcall);

        if (result == 0 && (upcall.kind != UPCALL_OTHER) == upcalls)
            return true;
        if (result == -EAGAIN)
            poll(NULL, 0, LOOK_MS);
    }
    return false;
}

bool table_upcalls(const struct held *held, int which)
{
    return reads(&held->tables[which], true);
}

bool table_listen(const struct held *held, int which)
{
    return reads(&held->tables[which], false);
}

bool table_open_filter(const struct held *held, int which)
{
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    struct sock_fprog filter = {1, &all};
    struct icmp6_filter icmp6;
    int fd = held->tables[which].fd;

    ICMP6_FILTER_SETPASSALL(&icmp6);
    setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &icmp6, sizeof icmp6);
    sets(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
    return reads(&held->tables[which], false);
}

bool table_interface(const struct held *held, int which)
{
    return raises_interface(held->tables[which].fd);
}

bool table_init(const struct held *held, int which)
{
    int fd = held->tables[which].fd;

    return sets_of(fd, which, MRT_TABLE, MRT6_TABLE, OTHER_TABLE) ||
           sets_of(fd, which, MRT_INIT, MRT6_INIT, 1);
}

bool table_send(const struct held *held, int which)
{
    static const char v4[8] = {0x16}, v6[8] = {(char)128};

    return sends(held->tables[which].fd, which, which == 0 ? v4 : v6, 8);
}

/* UDP from 1.2.3.4, or from an address of nobody's. */
bool table_forge(const struct held *held, int which)
{
    char v4[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 8, IPPROTO_UDP, 0, 0, 1, 2, 3, 4, 10, 1, 0, 2};
    char v6[48] = {0x60, 0, 0, 0,       0, 8, IPPROTO_UDP, 8, 0x20, 1, [24] = (char)0xfd,
                   0,    0, 1, [39] = 2};
    int fd = held->tables[which].fd;

    sets_of(fd, which, IP_HDRINCL, IPV6_HDRINCL, 1);
    return sends(fd, which, which == 0 ? v4 : v6, which == 0 ? sizeof v4 : sizeof v6);
}

/* As IP_PKTINFO of ip(7) and IPV6_PKTINFO of ipv6(7) choose it for one message. */
bool table_send_by(const struct held *held, int which)
{
    struct sockaddr_storage address;
    char bytes[8] = {0x16};
    struct iovec vector = {bytes, sizeof bytes};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = {.header = {.cmsg_level = level_of(which)}};
    struct in_pktinfo v4 = {.ipi_ifindex = (int)held->network};
    struct in6_pktinfo v6 = {.ipi6_ifindex = held->network};
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = address_of(which, false, &address),
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &control,
    };
    int fd = held->tables[which].fd;

    sets_of(fd, which, IP_HDRINCL, IPV6_HDRINCL, 0);
    ((struct sockaddr_in *)&address)->sin_port = 0;
    control.header.cmsg_type = which == 0 ? IP_PKTINFO : IPV6_PKTINFO;
    control.header.cmsg_len = which == 0 ? CMSG_LEN(sizeof v4) : CMSG_LEN(sizeof v6);
    message.msg_controllen = which == 0 ? CMSG_SPACE(sizeof v4) : CMSG_SPACE(sizeof v6);
    memcpy(CMSG_DATA(&control.header), which == 0 ? (void *)&v4 : (void *)&v6,
           which == 0 ? sizeof v4 : sizeof v6);
    return sendmsg(fd, &message, 0) > 0;
}

bool table_bind(const struct held *held, int which)
{
    struct sockaddr_storage address;
    socklen_t length = address_of(which, true, &address);

    return bind(held->tables[which].fd, (struct sockaddr *)&address, length) == 0;
}

/* Another than that it may be bound to. */
bool table_device(const struct held *held, int which)
{
    return setsockopt(held->tables[which].fd, SOL_SOCKET, SO_BINDTODEVICE, NETWORK,
                      sizeof NETWORK) == 0;
}

static bool joins_group(int fd, int which)
{
    struct membership_key key = {.ifindex = LOOPBACK};

    address_parse(which == 0 ? "239.2.2.2" : "ff0e::2", &key.group);
    return joins_join(fd, &key) == 0 && joins_leave(fd, &key) == 0;
}

static bool joins_by_older_option(int fd)
{
    struct ip_mreqn request = {.imr_ifindex = LOOPBACK};

    inet_pton(AF_INET, "239.2.2.3", &request.imr_multiaddr);
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
}

bool table_join(const struct held *held, int which)
{
    int fd = held->tables[which].fd;

    return joins_group(fd, which) || (which == 0 && joins_by_older_option(fd));
}

/* fcntl(2): SIGIO, or what F_SETSIG says, to a process of the same user. */
bool owner_of_table(const struct held *held, int which)
{
    return fcntl(held->tables[which].fd, F_SETOWN, held->keeper) == 0;
}

bool table_flush(const struct held *held, int which)
{
    int fd = held->tables[which].fd;

    return which == 0 ? sets(fd, IPPROTO_IP, MRT_FLUSH, MRT_FLUSH_MFC)
                      : sets(fd, IPPROTO_IPV6, MRT6_FLUSH, MRT6_FLUSH_MFC);
}

bool table_done(const struct held *held, int which)
{
    return sets_of(held->tables[which].fd, which, MRT_DONE, MRT6_DONE, 1);
}

/* --- Of joins ------------------------------------------------------------------------------ */

bool joins_groups(const struct held *held, int which)
{
    return joins_group(held->joins[which], which);
}

bool joins_send(const struct held *held, int which)
{
    struct sockaddr_storage address;
    socklen_t length = address_of(which, false, &address);

    return sendto(held->joins[which], "x", 1, 0, (struct sockaddr *)&address, length) > 0;
}

bool joins_bind(const struct held *held, int which)
{
    struct sockaddr_storage address;
    socklen_t length = address_of(which, true, &address);

    return bind(held->joins[which], (struct sockaddr *)&address, length) == 0;
}

/* The script sends to this port. */
bool joins_receive(const struct held *held, int which)
{
    char byte;
    ssize_t length = -1;

    for (int i = 0; i < LOOKS && length < 0; i++) {
        length = recv(held->joins[which], &byte, 1, MSG_DONTWAIT);
        if (length < 0)
            poll(NULL, 0, LOOK_MS);
    }
    return length > 0;
}

bool joins_interface(const struct held *held, int which)
{
    return raises_interface(held->joins[which]);
}

/* --- Of netlink: the process's own sockets, as the broker makes them ----------------------- */

/* What the kernel answers, as it begins; 0: nothing. */
static int ask_kernel(struct nlmsghdr *request)
{
    char answer[32768];
    const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    ssize_t length = -1;

    if (fd >= 0 && send(fd, request, request->nlmsg_len, 0) > 0)
        length = recv(fd, answer, sizeof answer, 0);
    if (fd >= 0)
        close(fd);
    if (length < (ssize_t)sizeof *header)
        return -EPERM;
    return header->nlmsg_type == NLMSG_ERROR ? ((const struct nlmsgerr *)NLMSG_DATA(header))->error
                                             : 0;
}

static int ask_about_link(int type, int flags, unsigned interface_flags)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {sizeof request, (uint16_t)type, (uint16_t)(NLM_F_REQUEST | flags), 1, 0},
        .link = {.ifi_index = LOOPBACK,
                 .ifi_flags = interface_flags,
                 .ifi_change = interface_flags},
    };

    return ask_kernel(&request.header);
}

bool netlink_interfaces(const struct held *held, int which)
{
    (void)held, (void)which;
    return ask_about_link(RTM_GETLINK, NLM_F_DUMP, 0) == 0;
}

bool netlink_change(const struct held *held, int which)
{
    (void)held, (void)which;
    return ask_about_link(RTM_NEWLINK, NLM_F_ACK, IFF_UP) == 0;
}

bool netlink_rule(const struct held *held, int which)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg rule;
    } request = {
        .header = {sizeof request, RTM_NEWRULE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0},
        .rule = {.rtm_family = RTNL_FAMILY_IPMR, .rtm_table = OTHER_TABLE, .rtm_type = RTN_UNICAST},
    };

    (void)held, (void)which;
    return ask_kernel(&request.header) == 0;
}

bool netlink_other(const struct held *held, int which)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

    (void)held, (void)which;
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}
