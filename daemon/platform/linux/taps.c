/* Taps on Linux: Documentation/networking/tuntap.rst and drivers/net/tun.c of the kernel for the
 * device, rtnetlink(7) for all else of it.
 *
 * The device is made, then marked, and up last: what it shall not do or be is settled before the
 * first frame. It has a descriptor from its first moment, and with it a carrier: a queue that gets
 * its carrier later is started by the kernel at some later time, and the first frame is lost.
 *
 * What is ours has our mark, an alias, with the name by which it was made: root may give it another
 * name. Who holds the descriptor may change much of the device, but neither its alias nor its name:
 * that takes CAP_NET_ADMIN. The owner is always set: a device
 * without one may be attached by everybody (tun_not_capable()). */
#include "platform/taps.h"

#include "taps_internal.h"
#include "taps_route.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE "/dev/net/tun"
#define CONF   "/proc/sys/net/ipv6/conf"

enum { IPV6_MTU_MIN = 1280 };

/* if_nametoindex(3) is in net/if.h, which cannot be included with linux/if.h. */
extern unsigned if_nametoindex(const char *name);
extern char *if_indextoname(unsigned ifindex, char *name);

/* #syscalls keeper: socket ioctl close */
unsigned taps_find(const char *name)
{
    return if_nametoindex(name);
}

int taps_open_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    return fd;
}

/* Any socket will do for the question. */
unsigned taps_find_by(int socket, const char *name)
{
    struct ifreq request = {.ifr_ifindex = 0};

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(socket, SIOCGIFINDEX, &request) < 0 ? 0 : (unsigned)request.ifr_ifindex;
}

bool taps_is_here(unsigned ifindex)
{
    char name[IFNAMSIZ];

    return if_indextoname(ifindex, name) != NULL;
}

/* tun_chr_poll() of drivers/net/tun.c. Most questions by ioctl(2) wait for the lock of all changes
 * to interfaces; this one does not. #syscalls keeper: poll ppoll */
bool taps_is_gone(int fd)
{
    struct pollfd polled = {.fd = fd};

    return poll(&polled, 1, 0) == 1 && polled.revents & POLLERR;
}

/* --- The bridge ---------------------------------------------------------------------------- */

/* Only a bridge's ports know isolation: those of others, such as Open vSwitch, say EOPNOTSUPP. */
static int set_isolated(int link, unsigned ifindex, bool isolated)
{
    struct ifinfomsg port = {.ifi_family = AF_BRIDGE, .ifi_index = (int)ifindex};
    struct netlink_request request;
    struct rtattr *nest;
    uint8_t value = isolated;

    netlink_request_begin(&request, RTM_SETLINK, 0, &port, sizeof port);
    nest = netlink_nest_begin(&request, IFLA_PROTINFO);
    netlink_append(&request, IFLA_BRPORT_ISOLATED, &value, sizeof value);
    netlink_nest_end(&request, nest);
    return netlink_do(link, &request);
}

static int join(int link, unsigned ifindex, const char *bridge, bool isolated)
{
    uint32_t master = if_nametoindex(bridge);
    struct netlink_request request;
    int result;

    if (!master)
        return -ENODEV;
    tap_begin_link(&request, RTM_SETLINK, ifindex);
    netlink_append(&request, IFLA_MASTER, &master, sizeof master);
    result = netlink_do(link, &request);
    if (result < 0)
        return result;
    result = set_isolated(link, ifindex, isolated);
    return result == -EOPNOTSUPP && !isolated ? 0 : result;
}

int taps_join(const char *name, const char *bridge, bool isolated)
{
    unsigned ifindex = if_nametoindex(name);
    int link = netlink_open(), result;

    if (link < 0)
        return link;
    result = ifindex ? tap_is_ours(link, ifindex) : -ENODEV;
    if (result == 0)
        result = join(link, ifindex, bridge, isolated);
    close(link);
    return result;
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
static int settle_ipv6(const struct tap_config *config)
{
    if (has_ipv6(config))
        return write_setting(config->name, "accept_ra", "0");
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
static int add_host(int link, unsigned ifindex, const struct host_address *host)
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
    return netlink_do(link, &request);
}

static int add_hosts(int link, unsigned ifindex, const struct tap_config *config)
{
    int result = 0;

    for (uint32_t i = 0; i < config->host_count && result == 0; i++)
        result = add_host(link, ifindex, &config->hosts[i]);
    return result;
}

struct search {
    const struct prefix *network;
    unsigned found; /* the interface's index; 0: none yet */
};

/* On a link between two, the prefix is around the other's address (IFA_ADDRESS). */
static void take_address(void *context, const struct nlmsghdr *header)
{
    const struct rtattr *attributes[IFA_MAX + 1], *there;
    const struct ifaddrmsg *info =
        netlink_read(header, RTM_NEWADDR, sizeof *info, attributes, IFA_MAX + 1);
    struct search *search = context;
    struct address address = {0};
    struct prefix prefix;

    if (!info)
        return;
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
    struct search search = {.network = network};
    int result = netlink_ask_addresses(AF_UNSPEC, take_address, &search);

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
    int size = TAP_SEND_BUFFER;

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

/* On no address of its own, there is no word of the host's on the link. */
static void append_no_addresses(struct netlink_request *request)
{
    uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
    struct rtattr *families, *family;

    families = netlink_nest_begin(request, IFLA_AF_SPEC);
    family = netlink_nest_begin(request, AF_INET6);
    netlink_append(request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    netlink_nest_end(request, family);
    netlink_nest_end(request, families);
}

/* All of it in one message: whatever else the kernel does to interfaces may be before each. */
static int set_properties(int link, unsigned ifindex, const struct tap_config *config, bool silent)
{
    uint32_t mtu = config->mtu, master = config->bridge[0] ? if_nametoindex(config->bridge) : 0;
    char mark[sizeof TAP_MARK + sizeof config->name];
    struct netlink_request request;

    if (config->bridge[0] && !master)
        return -ENODEV;
    snprintf(mark, sizeof mark, TAP_MARK "%s", config->name);
    tap_begin_link(&request, RTM_SETLINK, ifindex);
    netlink_append(&request, IFLA_IFALIAS, mark, strlen(mark) + 1);
    netlink_append(&request, IFLA_ADDRESS, config->mac, MAC_BYTES);
    netlink_append(&request, IFLA_MTU, &mtu, sizeof mtu);
    if (master)
        netlink_append(&request, IFLA_MASTER, &master, sizeof master);
    if (silent)
        append_no_addresses(&request);
    return netlink_do(link, &request);
}

/* Below its least MTU there is no IPv6 on it, and none where the kernel has none: EAFNOSUPPORT
 * comes before anything else is done (validate_linkmsg() of net/core/rtnetlink.c). */
int tap_settle(int link, unsigned ifindex, const struct tap_config *config)
{
    bool silent = !has_ipv6(config) && config->mtu >= IPV6_MTU_MIN;
    int result = set_properties(link, ifindex, config, silent);

    if (result == -EAFNOSUPPORT && silent)
        return set_properties(link, ifindex, config, false);
    return result == 0 && (silent || has_ipv6(config)) ? settle_ipv6(config) : result;
}

int tap_set_up(int link, unsigned ifindex)
{
    struct ifinfomsg info = {
        .ifi_family = AF_UNSPEC,
        .ifi_index = (int)ifindex,
        .ifi_flags = IFF_UP,
        .ifi_change = IFF_UP,
    };
    struct netlink_request request;

    netlink_request_begin(&request, RTM_SETLINK, 0, &info, sizeof info);
    return netlink_do(link, &request);
}

static int configure(int link, int fd, const struct tap_config *config)
{
    unsigned ifindex = taps_find_by(link, config->name);
    int result = ifindex ? tap_settle(link, ifindex, config) : -ENODEV;

    if (result == 0 && config->flags & TAP_ISOLATED)
        result = set_isolated(link, ifindex, true);
    if (result == 0)
        result = tap_set_up(link, ifindex);
    if (result == 0)
        result = add_hosts(link, ifindex, config);
    if (result == 0)
        result = taps_add_routes(link, ifindex, config);
    if (result == 0 && config->flags & TAP_PERSISTENT && ioctl(fd, TUNSETPERSIST, 1UL) < 0)
        result = -errno;
    return result;
}

static int attach_and_configure(int fd, const struct tap_config *config)
{
    int link = netlink_open(), result;

    if (link < 0)
        return link;
    result = attach(fd, config);
    if (result == 0)
        result = configure(link, fd, config);
    close(link);
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
    result = attach_and_configure(fd, config);
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
