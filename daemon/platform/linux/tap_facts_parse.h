/* The parsers of the kernel's answers on taps, one rtnetlink message each: any bytes may come. Each
 * is a netlink_message; a message of another kind changes nothing. */
#ifndef NB_LINUX_TAP_FACTS_PARSE_H
#define NB_LINUX_TAP_FACTS_PARSE_H

#include "platform/tap_facts.h"

#include "netlink.h"

/* RTM_NEWLINK; context is a struct tap_facts. */
void tap_facts_parse(void *facts, const struct nlmsghdr *header);

/* RTM_NEWADDR, one call for each address of the host. */
struct tap_addresses_reader {
    unsigned ifindex;
    struct tap_addresses *addresses;
};

void tap_addresses_parse(void *reader, const struct nlmsghdr *header);

/* RTM_NEWNEIGH, one call for each neighbour of the host. */
struct tap_neighbours_reader {
    unsigned ifindex;
    struct tap_neighbours *neighbours;
};

void tap_neighbours_parse(void *reader, const struct nlmsghdr *header);

#endif
