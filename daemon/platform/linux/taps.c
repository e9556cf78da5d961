/* Taps on Linux: Documentation/networking/tuntap.rst and drivers/net/tun.c of the kernel for the
 * device, rtnetlink(7) for all else of it.
 *
 * The device is made, then marked, and up last: what it shall not do or be is settled before the
 * first frame. It has a descriptor from its first moment, and with it a carrier: a queue that gets
 * its carrier later is started by the kernel at some later time, and the first frame is lost.
 *
 * What is ours has our mark, an alias. Who holds the descriptor may change much of the device, but
 * neither its alias nor its name: that takes CAP_NET_ADMIN. The owner is always set: a device
 * without one may be attached by everybody (tun_not_capable()). */
#include "platform/taps.h"

#include "netlink.h"
#include "taps_route.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE "/dev/net/tun"
#define MARK   "netbroker" /* IFLA_IFALIAS of ours */
#define KIND   "tun"       /* IFLA_INFO_KIND of taps as well */
#define CONF   "/proc/sys/net/ipv6/conf"

/* Frames that wait in the kernel for who takes them. By default there is no bound: a holder's
 * frames would fill memory when they go to a slow interface. */
enum { SEND_BUFFER = 1 << 20 };

/* if_nametoindex(3) is in net/if.h, which cannot be included with linux/if.h. */
extern unsigned if_nametoindex(const char *name);
extern char *if_indextoname(unsigned ifindex, char *name);

/* #syscalls keeper: socket ioctl close */
unsigned taps_find(const char *name)
{
    return if_nametoindex(name);
}

/* --- What is ours -------------------------------------------------------------------------- */

struct look {
    bool marked, tap, seen;
};

static bool has_text(const struct rtattr *attribute, const char *text)
{
    return attribute && RTA_PAYLOAD(attribute) == strlen(text) + 1 &&
           memcmp(RTA_DATA(attribute), text, strlen(text) + 1) == 0;
}

static void take_link(void *context, const struct nlmsghdr *header)
{
    const struct rtattr *attributes[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1] = {NULL};
    const struct ifinfomsg *link = NLMSG_DATA(header);
    struct look *look = context;

    if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < NLMSG_LENGTH(sizeof *link))
        return;
    netlink_attributes(IFLA_RTA(link), header->nlmsg_len - NLMSG_LENGTH(sizeof *link), attributes,
                       IFLA_MAX + 1);
    if (attributes[IFLA_LINKINFO])
        netlink_attributes(RTA_DATA(attributes[IFLA_LINKINFO]),
                           RTA_PAYLOAD(attributes[IFLA_LINKINFO]), info, IFLA_INFO_MAX + 1);
    look->seen = true;
    look->marked = has_text(attributes[IFLA_IFALIAS], MARK);
    look->tap = has_text(info[IFLA_INFO_KIND], KIND);
}

static void begin_link(struct netlink_request *request, uint16_t type, unsigned ifindex)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

    netlink_request_begin(request, type, 0, &link, sizeof link);
}

/* 0, -ENODEV or -EPERM. */
static int judge(unsigned ifindex)
{
    struct netlink_request request;
    struct look look = {0};
    int result;

    begin_link(&request, RTM_GETLINK, ifindex);
    request.header.nlmsg_flags = NLM_F_REQUEST;
    result = netlink_ask(&request.header, take_link, &look);
    if (result < 0)
        return result;
    return look.seen && look.marked && look.tap ? 0 : -EPERM;
}

int taps_delete(unsigned ifindex)
{
    struct netlink_request request;
    int result = judge(ifindex);

    if (result == 0) {
        begin_link(&request, RTM_DELLINK, ifindex);
        result = netlink_do(&request);
    }
    return result == -ENODEV ? 0 : result;
}

/* --- The bridge ---------------------------------------------------------------------------- */

static int set_master(unsigned ifindex, unsigned bridge)
{
    struct netlink_request request;
    uint32_t master = bridge;

    begin_link(&request, RTM_SETLINK, ifindex);
    netlink_append(&request, IFLA_MASTER, &master, sizeof master);
    return netlink_do(&request);
}

/* Only a bridge's ports know isolation: those of others, such as Open vSwitch, say EOPNOTSUPP. */
static int set_isolated(unsigned ifindex, bool isolated)
{
    struct ifinfomsg port = {.ifi_family = AF_BRIDGE, .ifi_index = (int)ifindex};
    struct netlink_request request;
    struct rtattr *nest;
    uint8_t value = isolated;

    netlink_request_begin(&request, RTM_SETLINK, 0, &port, sizeof port);
    nest = netlink_nest_begin(&request, IFLA_PROTINFO);
    netlink_append(&request, IFLA_BRPORT_ISOLATED, &value, sizeof value);
    netlink_nest_end(&request, nest);
    return netlink_do(&request);
}

static int join(unsigned ifindex, const char *bridge, bool isolated)
{
    unsigned master = if_nametoindex(bridge);
    int result = master ? set_master(ifindex, master) : -ENODEV;

    if (result < 0)
        return result;
    result = set_isolated(ifindex, isolated);
    return result == -EOPNOTSUPP && !isolated ? 0 : result;
}

int taps_join(const char *name, const char *bridge, bool isolated)
{
    unsigned ifindex = if_nametoindex(name);
    int result = ifindex ? judge(ifindex) : -ENODEV;

    return result < 0 ? result : join(ifindex, bridge, isolated);
}

/* --- IPv6 ---------------------------------------------------------------------------------- */

/* #syscalls keeper: open openat write close */
static int write_setting(const char *name, const char *setting, const char *value)
{
    char path[sizeof CONF + INTERFACE_NAME_MAX + 32];
    int fd, result = 0;

    snprintf(path, sizeof path, CONF "/%s/%s", name, setting);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -EROFS : -errno; /* hidden by a service manager */
    if (write(fd, value, strlen(value)) < 0)
        result = -errno;
    close(fd);
    return result;
}

/* No address of its own, and so no word on the link. -EAFNOSUPPORT: there is no IPv6 on it. */
static int set_no_addresses(unsigned ifindex)
{
    struct netlink_request request;
    struct rtattr *families, *family;
    uint8_t mode = IN6_ADDR_GEN_MODE_NONE;

    begin_link(&request, RTM_SETLINK, ifindex);
    families = netlink_nest_begin(&request, IFLA_AF_SPEC);
    family = netlink_nest_begin(&request, AF_INET6);
    netlink_append(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    netlink_nest_end(&request, family);
    netlink_nest_end(&request, families);
    return netlink_do(&request);
}

static bool has_ipv6(const struct tap_config *config)
{
    for (uint32_t i = 0; i < config->host_count; i++)
        if (config->hosts[i].address.family == FAMILY_IPV6)
            return true;
    return false;
}

/* Whoever holds the tap may send router advertisements: no host takes its routes and addresses from
 * those (accept_ra). A port of a bridge gives its frames to the bridge, so nothing is taken from it
 * in any case. */
static int settle_ipv6(const struct tap_config *config, unsigned ifindex)
{
    int result;

    if (has_ipv6(config))
        return write_setting(config->name, "accept_ra", "0");
    result = set_no_addresses(ifindex);
    if (result < 0)
        return result == -EAFNOSUPPORT ? 0 : result;
    return config->bridge[0] ? 0 : write_setting(config->name, "disable_ipv6", "1");
}

/* --- Addresses ----------------------------------------------------------------------------- */

static size_t bytes_of(const struct address *address)
{
    return family_bits(address->family) / 8;
}

static void append_broadcast(struct netlink_request *request, const struct host_address *host)
{
    struct address last = host->address;

    for (unsigned i = host->length; i < 32; i++)
        last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    netlink_append(request, IFA_BROADCAST, last.bytes, 4);
}

/* It serves at once: nobody else can have it before the tap is handed over (IFA_F_NODAD). */
static int add_host(unsigned ifindex, const struct host_address *host)
{
    bool v4 = host->address.family == FAMILY_IPV4;
    struct ifaddrmsg info = {
        .ifa_family = v4 ? AF_INET : AF_INET6,
        .ifa_prefixlen = host->length,
        .ifa_index = ifindex,
    };
    uint32_t flags = IFA_F_NODAD;
    struct netlink_request request;

    netlink_request_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    netlink_append(&request, IFA_LOCAL, host->address.bytes, bytes_of(&host->address));
    netlink_append(&request, IFA_ADDRESS, host->address.bytes, bytes_of(&host->address));
    if (v4 && host->length < 31)
        append_broadcast(&request, host);
    if (!v4)
        netlink_append(&request, IFA_FLAGS, &flags, sizeof flags);
    return netlink_do(&request);
}

static int add_hosts(unsigned ifindex, const struct tap_config *config)
{
    int result = 0;

    for (uint32_t i = 0; i < config->host_count && result == 0; i++)
        result = add_host(ifindex, &config->hosts[i]);
    return result;
}

struct search {
    const struct prefix *network;
    unsigned found; /* the interface's index; 0: none yet */
};

/* On a link between two, the prefix is around the other's address (IFA_ADDRESS). */
static void take_address(void *context, const struct nlmsghdr *header)
{
    const struct ifaddrmsg *info = NLMSG_DATA(header);
    const struct rtattr *attributes[IFA_MAX + 1], *there;
    struct search *search = context;
    struct address address = {0};
    struct prefix prefix;

    if (header->nlmsg_type != RTM_NEWADDR || header->nlmsg_len < NLMSG_LENGTH(sizeof *info))
        return;
    netlink_attributes(IFA_RTA(info), header->nlmsg_len - NLMSG_LENGTH(sizeof *info), attributes,
                       IFA_MAX + 1);
    there = attributes[IFA_ADDRESS];
    address.family = info->ifa_family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
    if (!there || RTA_PAYLOAD(there) != bytes_of(&address) ||
        info->ifa_prefixlen > family_bits(address.family))
        return;
    memcpy(address.bytes, RTA_DATA(there), RTA_PAYLOAD(there));
    prefix = prefix_of(&address, info->ifa_prefixlen);
    if (prefix_overlaps(&prefix, search->network))
        search->found = info->ifa_index;
}

int taps_find_overlap(const struct prefix *network, char *ret)
{
    struct ifaddrmsg info = {.ifa_family = AF_UNSPEC};
    struct search search = {.network = network};
    struct netlink_request request;
    int result;

    netlink_request_begin(&request, RTM_GETADDR, NLM_F_DUMP, &info, sizeof info);
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    result = netlink_ask(&request.header, take_address, &search);
    if (result < 0 || !search.found)
        return result;
    if (!if_indextoname(search.found, ret))
        snprintf(ret, INTERFACE_NAME_MAX + 1, "%u", search.found);
    return 1;
}

/* --- Making one ---------------------------------------------------------------------------- */

/* Which queue of what a descriptor becomes. */
static struct ifreq queue_of(const struct tap_config *config)
{
    struct ifreq request = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI)};

    if (config->flags & TAP_OFFLOAD)
        request.ifr_flags |= IFF_VNET_HDR;
    if (config->queues > 1)
        request.ifr_flags |= IFF_MULTI_QUEUE;
    memcpy(request.ifr_name, config->name, sizeof config->name);
    return request;
}

/* The owner and the size of the buffer are the device's, and the descriptor's no more. */
static int attach(int fd, const struct tap_config *config)
{
    struct ifreq request = queue_of(config);
    int size = SEND_BUFFER;

    request.ifr_flags |= (short)IFF_TUN_EXCL;
    if (ioctl(fd, TUNSETIFF, &request) < 0 ||
        ioctl(fd, TUNSETOWNER, (unsigned long)config->owner) < 0 ||
        ioctl(fd, TUNSETSNDBUF, &size) < 0)
        return -errno;
    return 0;
}

/* Each queue has the size of the device's buffer (tun_attach() of drivers/net/tun.c). */
int taps_open_queue(const struct tap_config *config)
{
    struct ifreq request = queue_of(config);
    int fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    int error;

    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) == 0)
        return fd < 0 ? -errno : fd;
    error = -errno;
    close(fd);
    return error;
}

static int set_properties(unsigned ifindex, const struct tap_config *config)
{
    struct netlink_request request;
    uint32_t mtu = config->mtu;

    begin_link(&request, RTM_SETLINK, ifindex);
    netlink_append(&request, IFLA_IFALIAS, MARK, sizeof MARK);
    netlink_append(&request, IFLA_ADDRESS, config->mac, MAC_BYTES);
    netlink_append(&request, IFLA_MTU, &mtu, sizeof mtu);
    return netlink_do(&request);
}

static int set_up(unsigned ifindex)
{
    struct ifinfomsg link = {
        .ifi_family = AF_UNSPEC,
        .ifi_index = (int)ifindex,
        .ifi_flags = IFF_UP,
        .ifi_change = IFF_UP,
    };
    struct netlink_request request;

    netlink_request_begin(&request, RTM_SETLINK, 0, &link, sizeof link);
    return netlink_do(&request);
}

static int configure(int fd, const struct tap_config *config)
{
    unsigned ifindex = if_nametoindex(config->name);
    int result = ifindex ? set_properties(ifindex, config) : -ENODEV;

    if (result == 0)
        result = settle_ipv6(config, ifindex);
    if (result == 0 && config->bridge[0])
        result = join(ifindex, config->bridge, config->flags & TAP_ISOLATED);
    if (result == 0)
        result = set_up(ifindex);
    if (result == 0)
        result = add_hosts(ifindex, config);
    if (result == 0)
        result = taps_add_routes(ifindex, config);
    if (result == 0 && config->flags & TAP_PERSISTENT && ioctl(fd, TUNSETPERSIST, 1UL) < 0)
        result = -errno;
    return result;
}

/* A bridge that is not there is found before anything is made: to unmake it takes long. */
int taps_open(const struct tap_config *config)
{
    int fd, result;

    if (config->bridge[0] && !if_nametoindex(config->bridge))
        return -ENODEV;
    fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    result = attach(fd, config);
    if (result == 0)
        result = configure(fd, config);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

const char *taps_explain(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {-ENOENT, "there is no " DEVICE "; load the driver (modprobe tun), and start the service "
                  "again"},
        {-ENODEV, "the kernel has no driver for " DEVICE " (modprobe tun), or the bridge is gone"},
        {-ENXIO, "the kernel has no driver for " DEVICE " (modprobe tun)"},
        {-EACCES, "the service's user may not open " DEVICE "; udev makes it accessible to all "
                  "(chmod 0666 " DEVICE ")"},
        {-EPERM, "the system keeps " DEVICE " from the service (DeviceAllow= of its unit, or the "
                 "rules of its container)"},
        {-EROFS, "the service cannot write to " CONF " (ReadWritePaths= and ProcSubset= of its "
                 "unit), and so cannot keep the host from taking routes of a link's holder"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return NULL;
}
