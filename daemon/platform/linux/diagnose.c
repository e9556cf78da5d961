/* Diagnosis by rtnetlink(7): each fact is one question, which the kernel answers to anybody, also
 * where /proc/sys and /sys are hidden. */
#include "platform/diagnose.h"

#include "diagnose_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/netconf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int native_family(uint8_t family)
{
    return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

/* index: of an interface, or NETCONFA_IFINDEX_ALL. */
static int ask_netconf(uint8_t family, int index, struct netconf *ret)
{
    struct {
        struct nlmsghdr header;
        struct netconfmsg message;
        /* Named, so that the kernel gets zeros and nothing of the stack. */
        char padding[NLMSG_ALIGN(sizeof(struct netconfmsg)) - sizeof(struct netconfmsg)];
        struct rtattr attribute;
        int index;
    } request = {
        .header = {sizeof request, RTM_GETNETCONF, NLM_F_REQUEST, 1, 0},
        .message = {.ncm_family = (uint8_t)native_family(family)},
        .attribute = {RTA_LENGTH(sizeof index), NETCONFA_IFINDEX},
        .index = index,
    };

    *ret = (struct netconf){0};
    return netlink_ask(&request.header, netconf_parse, ret);
}

int diagnose_input(uint8_t family, unsigned ifindex, struct input_facts *ret)
{
    struct netconf own, all;
    struct address_search search = {.ifindex = ifindex};
    int result = ask_netconf(family, (int)ifindex, &own);

    *ret = (struct input_facts){0};
    if (result == 0)
        result = ask_netconf(family, NETCONFA_IFINDEX_ALL, &all);
    if (result == 0)
        result = netlink_ask_addresses(native_family(family), address_search_parse, &search);
    if (result == 0)
        *ret = (struct input_facts){
            .routes_multicast = own.routes_multicast,
            .all_routes_multicast = family == FAMILY_IPV6 && all.routes_multicast,
            .has_address = search.found,
            .own_filter = own.filter,
            .all_filter = all.filter,
        };
    return result;
}

int diagnose_netif(unsigned ifindex, struct netif_facts *ret)
{
    *ret = (struct netif_facts){0};
    return netlink_ask_link(ifindex, netif_facts_parse, ret);
}

/* #syscalls keeper: open openat */
int diagnose_counters_open(uint8_t family)
{
    int fd = open(family == FAMILY_IPV4 ? "/proc/self/net/netstat" : "/proc/self/net/snmp6",
                  O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* #syscalls broker: pread64 */
int diagnose_multicast_sent(uint8_t family, int fd, uint64_t *ret)
{
    char text[16 * 1024];
    ssize_t length = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

    if (length < 0)
        return fd < 0 ? -EBADF : -errno;
    text[length] = '\0';
    return multicast_sent_parse(family, text, ret) ? 0 : -EBADMSG;
}

int diagnose_return_path(const struct address *source, struct return_path *ret)
{
    size_t size = source->family == FAMILY_IPV4 ? 4 : 16;
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint8_t address[16];
    } request = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 1},
        /* The route with all its next hops, not the one that a packet would take now. */
        .route = {.rtm_family = (uint8_t)native_family(source->family),
                  .rtm_dst_len = (uint8_t)(size * 8),
                  .rtm_flags = RTM_F_FIB_MATCH},
        .attribute = {(uint16_t)RTA_LENGTH(size), RTA_DST},
    };
    int result;

    memcpy(request.address, source->bytes, size);
    request.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof request.route) + RTA_LENGTH(size));
    *ret = (struct return_path){0};
    result = netlink_ask(&request.header, return_path_parse, ret);
    /* How lookups say that there is none, the last three for routes that are there to say so. */
    return result == -ENETUNREACH || result == -EHOSTUNREACH || result == -EACCES ||
                   result == -EINVAL
               ? 0
               : result;
}

int diagnose_tables(uint8_t family, const char *iif, struct chosen_tables *ret)
{
    struct {
        struct nlmsghdr header;
        struct fib_rule_hdr rule;
    } request = {
        .header = {sizeof request, RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .rule = {.family = family == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR},
    };
    struct rule_reader reader = {iif, ret};

    *ret = (struct chosen_tables){0};
    return netlink_ask(&request.header, rule_parse, &reader);
}
