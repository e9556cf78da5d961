/* A route leads to the link itself: the host asks there for its neighbour (ARP, or neighbour
 * discovery). The kernel has no question for one prefix of a table: RTM_GETROUTE answers with the
 * longest one that an address has, so all are looked at. */
#include "taps_route.h"

#include "netlink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* if_nametoindex(3) has it; see taps.c. */
extern char *if_indextoname(unsigned ifindex, char *name);

static size_t bytes_of(const struct prefix *prefix)
{
    return family_bits(prefix->address.family) / 8;
}

static uint8_t family_of(const struct prefix *prefix)
{
    return prefix->address.family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

static int add_route(int link, unsigned ifindex, const struct prefix *route)
{
    struct rtmsg message = {
        .rtm_family = family_of(route),
        .rtm_dst_len = route->length,
        .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = RTPROT_STATIC,
        .rtm_scope = route->address.family == FAMILY_IPV4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
        .rtm_type = RTN_UNICAST,
    };
    uint32_t out = ifindex;
    struct netlink_request request;

    netlink_request_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &message,
                          sizeof message);
    netlink_append(&request, RTA_DST, route->address.bytes, bytes_of(route));
    netlink_append(&request, RTA_OIF, &out, sizeof out);
    return netlink_do(link, &request);
}

int taps_add_routes(int link, unsigned ifindex, const struct tap_config *config)
{
    int result = 0;

    for (uint32_t i = 0; i < config->route_count && result == 0; i++)
        result = add_route(link, ifindex, &config->routes[i]);
    return result;
}

/* --- What is there ------------------------------------------------------------------------- */

struct search {
    const struct prefix *network;
    bool found;
    unsigned ifindex; /* 0: it leads to none, or to several */
};

static void take_route(void *context, const struct nlmsghdr *header)
{
    const struct rtattr *attributes[RTA_MAX + 1], *to;
    const struct rtmsg *route =
        netlink_read(header, RTM_NEWROUTE, sizeof *route, attributes, RTA_MAX + 1);
    struct search *search = context;

    if (!route || route->rtm_dst_len != search->network->length ||
        route->rtm_family != family_of(search->network))
        return;
    to = attributes[RTA_DST];
    if (netlink_u32(attributes[RTA_TABLE], route->rtm_table) != RT_TABLE_MAIN || !to ||
        RTA_PAYLOAD(to) != bytes_of(search->network) ||
        memcmp(RTA_DATA(to), search->network->address.bytes, RTA_PAYLOAD(to)) != 0)
        return;
    search->found = true;
    search->ifindex = netlink_u32(attributes[RTA_OIF], 0);
}

int taps_find_route(const struct prefix *network, char *ret)
{
    struct rtmsg message = {.rtm_family = family_of(network)};
    struct search search = {.network = network};
    struct netlink_request request;
    int result;

    netlink_request_begin(&request, RTM_GETROUTE, 0, &message, sizeof message);
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    result = netlink_ask(&request.header, take_route, &search);
    if (result < 0 || !search.found)
        return result;
    if (!search.ifindex || !if_indextoname(search.ifindex, ret))
        ret[0] = '\0';
    return 1;
}
