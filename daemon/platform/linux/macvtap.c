/* Macvtaps on Linux: drivers/net/macvtap.c and drivers/net/tap.c of the kernel.
 *
 * The kernel names the device node after the interface's index, and the node is of a devtmpfs that
 * all network namespaces share: two interfaces with the same index in two of them have one node
 * between them, that of the first. So the index is chosen at random among a thousand million, and
 * the node is trusted when its number is what sysfs says of the interface of this name and index.
 *
 * The node is root's when the kernel makes it; udev(7) gives it to the service, some time later.
 * The interface stays until then, and whoever asks again finds it. */
#include "platform/taps.h"

#include "taps_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* See taps.c. */
extern unsigned if_nametoindex(const char *name);

enum {
    INDEX_FIRST = 1 << 30, /* and the last is INT32_MAX */
    ATTEMPTS = 3,          /* at an index that is free */
};

/* --- Its uplink ---------------------------------------------------------------------------- */

/* What the kernel tells of an interface. */
struct facts {
    unsigned mtu;
    unsigned lower; /* index of what it is on; 0: nothing */
};

static void take_facts(void *context, const struct nlmsghdr *header)
{
    const struct rtattr *attributes[IFLA_MAX + 1];
    struct facts *facts = context;

    if (!netlink_read(header, RTM_NEWLINK, sizeof(struct ifinfomsg), attributes, IFLA_MAX + 1))
        return;
    facts->mtu = netlink_u32(attributes[IFLA_MTU], 0);
    facts->lower = netlink_u32(attributes[IFLA_LINK], 0);
}

static struct facts facts_of(unsigned ifindex)
{
    struct facts facts = {0};

    netlink_ask_link(ifindex, take_facts, &facts);
    return facts;
}

/* --- The interface ------------------------------------------------------------------------- */

/* #syscalls keeper: getrandom */
static unsigned choose_index(void)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
        return 0; /* the kernel chooses */
    return INDEX_FIRST | (number & (INDEX_FIRST - 1));
}

static void append_kind(struct netlink_request *request, const struct tap_config *config)
{
    uint32_t mode = config->flags & TAP_ISOLATED ? MACVLAN_MODE_PRIVATE : MACVLAN_MODE_BRIDGE;
    struct rtattr *info = netlink_nest_begin(request, IFLA_LINKINFO), *data;

    netlink_append(request, IFLA_INFO_KIND, MACVTAP_KIND, sizeof MACVTAP_KIND);
    data = netlink_nest_begin(request, IFLA_INFO_DATA);
    netlink_append(request, IFLA_MACVLAN_MODE, &mode, sizeof mode);
    netlink_nest_end(request, data);
    netlink_nest_end(request, info);
}

static int add(int link, const struct tap_config *config, uint32_t uplink)
{
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = (int)choose_index()};
    struct netlink_request request;

    netlink_request_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    netlink_append(&request, IFLA_IFNAME, config->name, strlen(config->name) + 1);
    netlink_append(&request, IFLA_LINK, &uplink, sizeof uplink);
    append_kind(&request, config);
    return netlink_do(link, &request);
}

/* The kernel refuses a second one that takes what the uplink receives (EBUSY), as a bridge does,
 * and interfaces that are not Ethernet (EINVAL). */
static int add_some_index(int link, const struct tap_config *config, unsigned uplink)
{
    int result = -EEXIST;

    for (unsigned i = 0; i < ATTEMPTS && result == -EEXIST; i++)
        result = if_nametoindex(config->name) ? -EBUSY : add(link, config, uplink);
    if (result == -EBUSY && !if_nametoindex(config->name))
        return -EMLINK;
    return result == -EEXIST ? -EBUSY : result == -EINVAL ? -EPROTOTYPE : result;
}

static int make(int link, const struct tap_config *config, unsigned uplink, unsigned *ret_ifindex)
{
    int result = add_some_index(link, config, uplink);

    if (result < 0)
        return result;
    *ret_ifindex = if_nametoindex(config->name);
    result = *ret_ifindex ? tap_settle(link, *ret_ifindex, config) : -ENODEV;
    return result < 0 ? result : tap_set_up(link, *ret_ifindex);
}

static void unmake(int link, unsigned ifindex)
{
    struct netlink_request request;

    tap_begin_link(&request, RTM_DELLINK, ifindex);
    netlink_do(link, &request);
}

/* Makes it, or finds the one that was made before. What it leaves behind when it fails has its
 * index in *ret_ifindex, or that is 0. */
static int make_or_find(int link, const struct tap_config *config, bool again,
                        unsigned *ret_ifindex)
{
    unsigned uplink = if_nametoindex(config->uplink), there = if_nametoindex(config->name);

    *ret_ifindex = 0;
    if (!uplink)
        return -ENODEV;
    if (config->mtu > facts_of(uplink).mtu)
        return -EMSGSIZE;
    if (!there)
        return make(link, config, uplink, ret_ifindex);
    if (!again || tap_is_ours(link, there) < 0 || facts_of(there).lower != uplink)
        return -EBUSY;
    *ret_ifindex = there;
    return 0;
}

/* --- The device ---------------------------------------------------------------------------- */

/* The number of its device node, as "246:1"; false: sysfs is not of this network namespace.
 * #syscalls keeper: open openat read close */
static bool read_number(const char *name, unsigned ifindex, dev_t *ret)
{
    char path[128], text[32] = "", *colon;
    int fd;

    snprintf(path, sizeof path, "/sys/class/net/%s/tap%u/dev", name, ifindex);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(fd);
    colon = strchr(text, ':');
    if (!colon)
        return false;
    *ret = makedev((unsigned)strtoul(text, NULL, 10), (unsigned)strtoul(colon + 1, NULL, 10));
    return true;
}

static bool is_node(const struct stat *status, dev_t number)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == number;
}

/* To open another's would take frames of it, so it is looked at before as well.
 * #syscalls keeper: stat stat64 newfstatat fstatat64 statx fstat fstat64 */
static int open_node(const char *name, unsigned ifindex)
{
    struct stat status;
    char path[32];
    dev_t number;
    int fd;

    snprintf(path, sizeof path, "/dev/tap%u", ifindex);
    if (!read_number(name, ifindex, &number) || stat(path, &status) < 0 ||
        !is_node(&status, number))
        return -EXDEV;
    fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? -EINPROGRESS : -errno;
    if (fstat(fd, &status) == 0 && is_node(&status, number))
        return fd;
    close(fd);
    return -EXDEV;
}

/* Without a word, each frame has a struct virtio_net_hdr before it. */
static int set_up_queue(int fd, const struct tap_config *config)
{
    struct ifreq request = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI)};
    int size = TAP_SEND_BUFFER;

    if (config->flags & TAP_OFFLOAD)
        request.ifr_flags |= IFF_VNET_HDR;
    memcpy(request.ifr_name, config->name, sizeof config->name);
    if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETSNDBUF, &size) < 0)
        return -errno;
    return 0;
}

static int open_queue(const struct tap_config *config, unsigned ifindex)
{
    int fd = open_node(config->name, ifindex), result;

    if (fd < 0)
        return fd;
    result = set_up_queue(fd, config);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

int taps_open_on_uplink(const struct tap_config *config, bool again)
{
    int link = netlink_open(), result;
    unsigned ifindex;

    if (link < 0)
        return link;
    result = make_or_find(link, config, again, &ifindex);
    if (result == 0)
        result = open_queue(config, ifindex);
    if (result < 0 && result != -EINPROGRESS && ifindex)
        unmake(link, ifindex);
    close(link);
    return result;
}

const char *taps_explain_uplink(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {-EOPNOTSUPP, "the kernel has no driver for it (modprobe macvtap)"},
        {-EXDEV, "its device node is missing, or another's: /dev must be a devtmpfs, and /sys of "
                 "the service's network namespace"},
        {-EINPROGRESS, "the service's user may not open its device node: a rule of udev(7) must "
                       "give it that"},
        {-EPERM, "the system keeps its device node from the service (DeviceAllow= of its unit, or "
                 "the rules of its container)"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return NULL;
}
