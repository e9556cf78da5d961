#include "diagnose_parse.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void netconf_parse(void *netconf, const struct nlmsghdr *header)
{
    struct netconf *ret = netconf;
    const struct rtattr *attributes[NETCONFA_MAX + 1];

    if (!netlink_read(header, RTM_NEWNETCONF, sizeof(struct netconfmsg), attributes,
                      NETCONFA_MAX + 1))
        return;

    unsigned filter = netlink_u32(attributes[NETCONFA_RP_FILTER], SOURCE_FILTER_OFF);

    ret->routes_multicast = netlink_u32(attributes[NETCONFA_MC_FORWARDING], 0) != 0;
    ret->filter = filter <= SOURCE_FILTER_LOOSE ? (enum source_filter)filter : SOURCE_FILTER_LOOSE;
}

/* The next line that begins so, behind this one, or NULL. */
static const char *next_line(const char *text, const char *word)
{
    const char *end = text ? strchr(text, '\n') : NULL;

    while (end && strncmp(end + 1, word, strlen(word)) != 0)
        end = strchr(end + 1, '\n');
    return end ? end + 1 : NULL;
}

/* A line of names, then one of values, each word behind one space. */
static const char *find_column(const char *names, const char *values, const char *name)
{
    size_t length = strlen(name);

    for (;;) {
        names = strpbrk(names, " \n");
        values = strpbrk(values, " \n");
        if (!names || !values || *names == '\n' || *values == '\n')
            return NULL;
        names++;
        values++;
        if (strncmp(names, name, length) == 0 && strchr(" \n", names[length]))
            return values;
    }
}

bool multicast_sent_parse(uint8_t family, const char *text, uint64_t *ret)
{
    static const char name6[] = "Ip6OutMcastPkts";
    const char *names = family == FAMILY_IPV4 ? next_line(text, "IpExt:") : NULL;
    const char *values = next_line(names, "IpExt:"), *value;

    if (family == FAMILY_IPV6) {
        value = next_line(text, name6);
        value = value ? value + strlen(name6) : NULL;
    } else {
        value = values ? find_column(names, values, "OutMcastPkts") : NULL;
    }
    if (value)
        *ret = strtoull(value, NULL, 10);
    return value != NULL;
}

static void read_bridge(const struct rtattr *data, struct netif_facts *ret)
{
    const struct rtattr *options[IFLA_BR_MAX + 1];

    ret->kind = NETIF_BRIDGE;
    if (!data)
        return;
    netlink_attributes(RTA_DATA(data), RTA_PAYLOAD(data), options, IFLA_BR_MAX + 1);
    ret->snooping = netlink_flag(options[IFLA_BR_MCAST_SNOOPING]);
    ret->querier = netlink_flag(options[IFLA_BR_MCAST_QUERIER]);
}

/* The kernel's struct may be longer than the header's; the counters are not aligned. */
static void read_counters(const struct rtattr *attribute, struct netif_facts *ret)
{
    struct rtnl_link_stats64 counters;

    ret->counts =
        attribute && RTA_PAYLOAD(attribute) >= offsetof(struct rtnl_link_stats64, rx_bytes);
    if (!ret->counts)
        return;
    memcpy(&counters, RTA_DATA(attribute), offsetof(struct rtnl_link_stats64, rx_bytes));
    ret->sent = counters.tx_packets;
}

void netif_facts_parse(void *facts, const struct nlmsghdr *header)
{
    struct netif_facts *ret = facts;
    const struct rtattr *attributes[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];

    if (!netlink_read(header, RTM_NEWLINK, sizeof(struct ifinfomsg), attributes, IFLA_MAX + 1))
        return;
    ret->mtu = netlink_u32(attributes[IFLA_MTU], 0);
    read_counters(attributes[IFLA_STATS64], ret);
    if (!attributes[IFLA_LINKINFO])
        return;
    netlink_attributes(RTA_DATA(attributes[IFLA_LINKINFO]), RTA_PAYLOAD(attributes[IFLA_LINKINFO]),
                       info, IFLA_INFO_MAX + 1);
    if (netlink_text_equal(info[IFLA_INFO_KIND], "bridge"))
        read_bridge(info[IFLA_INFO_DATA], ret);
    else if (netlink_text_equal(info[IFLA_INFO_KIND], "bond") ||
             netlink_text_equal(info[IFLA_INFO_KIND], "team"))
        ret->kind = NETIF_AGGREGATE;
}

void address_search_parse(void *search, const struct nlmsghdr *header)
{
    struct address_search *ret = search;
    const struct rtattr *attributes[IFA_MAX + 1];
    const struct ifaddrmsg *address =
        netlink_read(header, RTM_NEWADDR, sizeof *address, attributes, IFA_MAX + 1);

    if (address && address->ifa_index == ret->ifindex)
        ret->found = true;
}

static void add_netif(struct return_path *path, unsigned ifindex)
{
    if (ifindex && path->count < RETURN_NETIFS_MAX)
        path->netifs[path->count++] = ifindex;
}

static void read_multipath(const struct rtattr *multipath, struct return_path *path)
{
    const struct rtnexthop *hop = RTA_DATA(multipath);
    int left = (int)RTA_PAYLOAD(multipath);

    while (netlink_hop_ok(hop, left)) {
        add_netif(path, (unsigned)hop->rtnh_ifindex);
        left -= (int)RTNH_ALIGN(hop->rtnh_len);
        hop = RTNH_NEXT(hop);
    }
}

void return_path_parse(void *path, const struct nlmsghdr *header)
{
    struct return_path *ret = path;
    const struct rtattr *attributes[RTA_MAX + 1];
    const struct rtmsg *route =
        netlink_read(header, RTM_NEWROUTE, sizeof *route, attributes, RTA_MAX + 1);

    if (!route)
        return;
    ret->local = route->rtm_type == RTN_LOCAL;
    if (route->rtm_type != RTN_UNICAST)
        return;
    if (attributes[RTA_MULTIPATH])
        read_multipath(attributes[RTA_MULTIPATH], ret);
    else
        add_netif(ret, netlink_u32(attributes[RTA_OIF], 0));
}

/* A rule for marked packets holds for none of those that nobody marked. */
static bool rule_holds(const struct fib_rule_hdr *rule, const struct rtattr *const *attributes,
                       const char *iif)
{
    const struct rtattr *name = attributes[FRA_IIFNAME];
    bool matches = (!name || (iif && netlink_text_equal(name, iif))) && !attributes[FRA_OIFNAME] &&
                   netlink_u32(attributes[FRA_FWMARK], 0) == 0;

    return matches != ((rule->flags & FIB_RULE_INVERT) != 0);
}

void rule_parse(void *reader, const struct nlmsghdr *header)
{
    const struct rule_reader *r = reader;
    const struct rtattr *attributes[FRA_MAX + 1];
    const struct fib_rule_hdr *rule =
        netlink_read(header, RTM_NEWRULE, sizeof *rule, attributes, FRA_MAX + 1);

    if (rule && rule->action == FR_ACT_TO_TBL && rule_holds(rule, attributes, r->iif) &&
        r->chosen->count < CHOSEN_TABLES_MAX)
        r->chosen->tables[r->chosen->count++] = netlink_u32(attributes[FRA_TABLE], rule->table);
}
