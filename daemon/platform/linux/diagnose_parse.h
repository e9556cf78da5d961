/* The parsers of the kernel's answers that diagnosis asks for, one rtnetlink message each: any
 * bytes may come. Each is a netlink_message; a message of another kind changes nothing. */
#ifndef NB_LINUX_DIAGNOSE_PARSE_H
#define NB_LINUX_DIAGNOSE_PARSE_H

#include "platform/diagnose.h"

#include "netlink.h"

/* RTM_NEWNETCONF, of an interface or of all. */
struct netconf {
    bool routes_multicast;
    enum source_filter filter;
};

void netconf_parse(void *netconf, const struct nlmsghdr *header);

/* RTM_NEWLINK; context is a struct netif_facts. */
void netif_facts_parse(void *facts, const struct nlmsghdr *header);

/* The counter of multicast packets sent in the text of /proc/net/netstat (IPv4) or snmp6. */
bool multicast_sent_parse(uint8_t family, const char *text, uint64_t *ret);

/* RTM_NEWADDR, one call for each address of the host. */
struct address_search {
    unsigned ifindex;
    bool found;
};

void address_search_parse(void *search, const struct nlmsghdr *header);

/* RTM_NEWROUTE of unicast routing; context is a struct return_path. */
void return_path_parse(void *path, const struct nlmsghdr *header);

/* RTM_NEWRULE of multicast routing, one call for each rule in the order of their priority. */
struct rule_reader {
    const char *iif; /* or NULL */
    struct chosen_tables *chosen;
};

void rule_parse(void *reader, const struct nlmsghdr *header);

#endif
