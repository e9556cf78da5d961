/* The end of taps on Linux.
 *
 * The kernel waits for all processors (synchronize_net()) when it destroys an interface, some 16
 * ms, and everything else that changes interfaces waits with it. It waits once for all interfaces
 * of a group (rtnl_group_dellink() of net/core/rtnetlink.c). So those that go together are put into
 * a group of our own first. A group's members are looked at again before it goes: somebody else may
 * have chosen the number. */
#include "platform/taps.h"

#include "taps_internal.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KIND "tun" /* IFLA_INFO_KIND of taps as well */

enum { GROUP = 0x6e62726b }; /* "nbrk" */

/* NULL: it tells of no interface. */
static const struct ifinfomsg *parse(const struct nlmsghdr *header,
                                     const struct rtattr *attributes[IFLA_MAX + 1])
{
    return netlink_read(header, RTM_NEWLINK, sizeof(struct ifinfomsg), attributes, IFLA_MAX + 1);
}

/* Whether it is a tap or macvtap with our mark. */
static bool tells_of_ours(const struct rtattr *const attributes[IFLA_MAX + 1])
{
    const struct rtattr *nest = attributes[IFLA_LINKINFO], *info[IFLA_INFO_MAX + 1] = {NULL};
    char name[INTERFACE_NAME_MAX + 1];

    if (nest)
        netlink_attributes(RTA_DATA(nest), RTA_PAYLOAD(nest), info, IFLA_INFO_MAX + 1);
    return tap_read_mark(attributes[IFLA_IFALIAS], name) &&
           (netlink_text_equal(info[IFLA_INFO_KIND], KIND) ||
            netlink_text_equal(info[IFLA_INFO_KIND], MACVTAP_KIND));
}

static void take_link(void *context, const struct nlmsghdr *header)
{
    const struct rtattr *attributes[IFLA_MAX + 1];
    bool *ours = context;

    if (parse(header, attributes))
        *ours = tells_of_ours(attributes);
}

void tap_begin_link(struct netlink_request *request, uint16_t type, unsigned ifindex)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

    netlink_request_begin(request, type, 0, &link, sizeof link);
}

int tap_is_ours(int link, unsigned ifindex)
{
    struct netlink_request request;
    bool ours = false;
    int result;

    tap_begin_link(&request, RTM_GETLINK, ifindex);
    request.header.nlmsg_flags = NLM_F_REQUEST;
    result = netlink_ask_by(link, &request.header, take_link, &ours);
    if (result < 0)
        return result;
    return ours ? 0 : -EPERM;
}

int taps_delete(unsigned ifindex)
{
    struct netlink_request request;
    int link = netlink_open(), result;

    if (link < 0)
        return link;
    result = tap_is_ours(link, ifindex);
    if (result == 0) {
        tap_begin_link(&request, RTM_DELLINK, ifindex);
        result = netlink_do(link, &request);
    }
    close(link);
    return result == -ENODEV ? 0 : result;
}

/* --- Together ------------------------------------------------------------------------------ */

struct members {
    const unsigned *ifindexes;
    size_t count;
    bool strange; /* one is in the group that we have not put there */
};

static bool is_member(const struct members *members, int ifindex)
{
    for (size_t i = 0; i < members->count; i++)
        if (members->ifindexes[i] == (unsigned)ifindex)
            return true;
    return false;
}

/* What was asked for may be another's, and in the group by somebody else. */
static void take_member(void *context, const struct nlmsghdr *header)
{
    const struct rtattr *attributes[IFLA_MAX + 1];
    const struct ifinfomsg *link = parse(header, attributes);
    struct members *members = context;

    if (!link || netlink_u32(attributes[IFLA_GROUP], 0) != GROUP)
        return;
    if (!is_member(members, link->ifi_index) || !tells_of_ours(attributes))
        members->strange = true;
}

/* Whether all members of the group are among these, and ours. */
static bool group_is_ours(int link, const unsigned *ifindexes, size_t count)
{
    struct members members = {ifindexes, count, false};
    struct netlink_request request;

    tap_begin_link(&request, RTM_GETLINK, 0);
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    return netlink_ask_by(link, &request.header, take_member, &members) == 0 && !members.strange;
}

/* Returns how many of them are ours, and in the group. */
static size_t set_group(int link, const unsigned *ifindexes, size_t count)
{
    struct netlink_request request;
    uint32_t group = GROUP;
    size_t done = 0;

    for (size_t i = 0; i < count; i++) {
        if (tap_is_ours(link, ifindexes[i]) < 0)
            continue;
        tap_begin_link(&request, RTM_SETLINK, ifindexes[i]);
        netlink_append(&request, IFLA_GROUP, &group, sizeof group);
        done += netlink_do(link, &request) == 0;
    }
    return done;
}

void taps_delete_together(const unsigned *ifindexes, size_t count)
{
    struct netlink_request request;
    uint32_t group = GROUP;
    int link = netlink_open();

    if (link < 0)
        return;
    if (set_group(link, ifindexes, count) > 0 && group_is_ours(link, ifindexes, count)) {
        tap_begin_link(&request, RTM_DELLINK, 0);
        netlink_append(&request, IFLA_GROUP, &group, sizeof group);
        netlink_do(link, &request);
    }
    close(link);
}
