/* Facts on taps by rtnetlink(7): each is one question, which the kernel answers to anybody. */
#include "platform/tap_facts.h"

#include "tap_facts_parse.h"

#include <linux/neighbour.h>
#include <sys/socket.h>

int tap_facts_read(unsigned ifindex, struct tap_facts *ret)
{
    *ret = (struct tap_facts){.mtu = 0};
    return netlink_ask_link(ifindex, tap_facts_parse, ret);
}

int tap_facts_count(unsigned ifindex, struct tap_counters *ret)
{
    struct tap_facts facts;
    int result = tap_facts_read(ifindex, &facts);

    *ret = facts.counters;
    return result;
}

int tap_facts_addresses(unsigned ifindex, struct tap_addresses *ret)
{
    struct tap_addresses_reader reader;

    *ret = (struct tap_addresses){.count = 0};
    reader = (struct tap_addresses_reader){ifindex, ret};
    return netlink_ask_addresses(AF_UNSPEC, tap_addresses_parse, &reader);
}

/* The kernel leaves out those of other interfaces: neigh_dump_table() of net/core/neighbour.c. */
int tap_facts_neighbours(unsigned ifindex, struct tap_neighbours *ret)
{
    struct {
        struct nlmsghdr header;
        struct ndmsg neighbour;
        struct rtattr attribute;
        unsigned ifindex;
    } request = {
        .header = {sizeof request, RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .neighbour = {.ndm_family = AF_UNSPEC},
        .attribute = {RTA_LENGTH(sizeof request.ifindex), NDA_IFINDEX},
        .ifindex = ifindex,
    };
    struct tap_neighbours_reader reader;

    *ret = (struct tap_neighbours){.known = 0};
    reader = (struct tap_neighbours_reader){ifindex, ret};
    return netlink_ask(&request.header, tap_neighbours_parse, &reader);
}
