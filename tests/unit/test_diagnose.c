/* The parsers of the kernel's answers to the doctor and on rules, with whole, cut and spoilt
 * messages. Run under AddressSanitizer they show that nothing behind a message is read. */
#include "platform/linux/diagnose_parse.h"
#include "platform/linux/mroute_rules.h"
#include "platform/linux/tap_facts_parse.h"
#include "suite.h"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct message {
    struct nlmsghdr header;
    char bytes[512];
};

static void begin(struct message *m, unsigned type, const void *fixed, size_t size)
{
    memset(m, 0, sizeof *m);
    m->header.nlmsg_type = (uint16_t)type;
    memcpy(m->bytes, fixed, size);
    m->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(NLMSG_ALIGN(size));
}

static struct rtattr *add(struct message *m, unsigned type, const void *value, size_t size)
{
    struct rtattr *attribute = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->header.nlmsg_len));

    attribute->rta_type = (uint16_t)type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(size);
    if (size)
        memcpy(RTA_DATA(attribute), value, size);
    m->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->header.nlmsg_len) + RTA_SPACE(size));
    return attribute;
}

static void add_u32(struct message *m, unsigned type, uint32_t value)
{
    add(m, type, &value, sizeof value);
}

/* Ends a nest that add(m, type, NULL, 0) began. */
static void end(const struct message *m, struct rtattr *nest)
{
    nest->rta_len = (uint16_t)((const char *)m + m->header.nlmsg_len - (char *)nest);
}

/* Each beginning of the message, as if it were the whole, and each byte spoilt in turn: in memory
 * of exactly that size. What the parser makes of it does not matter. */
static void mistreat(const struct message *m, netlink_message *parse, void *context, size_t size)
{
    size_t length = m->header.nlmsg_len;
    void *clean = malloc(size);

    memcpy(clean, context, size);
    for (size_t cut = sizeof m->header; cut <= length; cut++) {
        struct nlmsghdr *copy = malloc(cut);

        memcpy(copy, m, cut);
        copy->nlmsg_len = (uint32_t)cut;
        memcpy(context, clean, size);
        parse(context, copy);
        free(copy);
    }
    for (size_t i = sizeof m->header; i < length; i++)
        for (unsigned value = 0; value < 256; value += 5) {
            unsigned char *copy = malloc(length);

            memcpy(copy, m, length);
            copy[i] = (unsigned char)value;
            memcpy(context, clean, size);
            parse(context, (const struct nlmsghdr *)copy);
            free(copy);
        }
    free(clean);
}

START_TEST(netconf_is_read)
{
    struct netconfmsg fixed = {.ncm_family = AF_INET};
    struct netconf netconf = {0};
    struct message m;

    begin(&m, RTM_NEWNETCONF, &fixed, sizeof fixed);
    add_u32(&m, NETCONFA_IFINDEX, 3);
    add_u32(&m, NETCONFA_RP_FILTER, 1);
    add_u32(&m, NETCONFA_MC_FORWARDING, 1);
    netconf_parse(&netconf, &m.header);
    ck_assert_int_eq(netconf.filter, SOURCE_FILTER_STRICT);
    ck_assert(netconf.routes_multicast);
    mistreat(&m, netconf_parse, &netconf, sizeof netconf);
}
END_TEST

START_TEST(bridges_are_read)
{
    struct ifinfomsg fixed = {.ifi_index = 3};
    struct netif_facts facts = {0};
    struct message m;
    uint8_t on = 1, off = 0;

    begin(&m, RTM_NEWLINK, &fixed, sizeof fixed);
    add(&m, IFLA_IFNAME, "br0", 4);

    struct rtattr *info = add(&m, IFLA_LINKINFO, NULL, 0);

    add(&m, IFLA_INFO_KIND, "bridge", 7);

    struct rtattr *data = add(&m, IFLA_INFO_DATA, NULL, 0);

    add(&m, IFLA_BR_MCAST_SNOOPING, &on, 1);
    add(&m, IFLA_BR_MCAST_QUERIER, &off, 1);
    end(&m, data);
    end(&m, info);
    netif_facts_parse(&facts, &m.header);
    ck_assert_int_eq(facts.kind, NETIF_BRIDGE);
    ck_assert(facts.snooping && !facts.querier);
    mistreat(&m, netif_facts_parse, &facts, sizeof facts);
}
END_TEST

START_TEST(ways_back_are_read)
{
    struct rtmsg fixed = {.rtm_type = RTN_UNICAST};
    struct rtnexthop hops[RETURN_NETIFS_MAX + 2];
    struct return_path path = {0};
    struct message m;

    for (int i = 0; i < RETURN_NETIFS_MAX + 2; i++)
        hops[i] = (struct rtnexthop){.rtnh_len = sizeof *hops, .rtnh_ifindex = i + 1};
    begin(&m, RTM_NEWROUTE, &fixed, sizeof fixed);
    add(&m, RTA_MULTIPATH, hops, sizeof hops);
    return_path_parse(&path, &m.header);
    ck_assert_uint_eq(path.count, RETURN_NETIFS_MAX); /* no more than there is room for */
    ck_assert_uint_eq(path.netifs[1], 2);
    path = (struct return_path){0};
    mistreat(&m, return_path_parse, &path, sizeof path);

    fixed.rtm_type = RTN_LOCAL;
    path = (struct return_path){0};
    begin(&m, RTM_NEWROUTE, &fixed, sizeof fixed);
    add_u32(&m, RTA_OIF, 1);
    return_path_parse(&path, &m.header);
    ck_assert(path.local);
    ck_assert_uint_eq(path.count, 0);
}
END_TEST

static unsigned tables_of(const struct message *m, const char *iif)
{
    struct chosen_tables chosen = {0};
    struct rule_reader reader = {iif, &chosen};

    rule_parse(&reader, &m->header);
    return chosen.count ? chosen.tables[0] : 0;
}

START_TEST(addresses_are_found_by_interface)
{
    struct ifaddrmsg fixed = {.ifa_family = AF_INET, .ifa_index = 3};
    struct address_search search = {.ifindex = 2};
    struct message m;

    begin(&m, RTM_NEWADDR, &fixed, sizeof fixed);
    address_search_parse(&search, &m.header);
    ck_assert(!search.found);
    search.ifindex = 3;
    address_search_parse(&search, &m.header);
    ck_assert(search.found);
    mistreat(&m, address_search_parse, &search, sizeof search);
}
END_TEST

START_TEST(rules_hold_for_their_interface)
{
    struct fib_rule_hdr fixed = {.action = FR_ACT_TO_TBL};
    struct chosen_tables chosen = {0};
    struct rule_reader reader = {"r0", &chosen};
    struct message m;

    begin(&m, RTM_NEWRULE, &fixed, sizeof fixed);
    add(&m, FRA_IIFNAME, "r0", 3);
    add_u32(&m, FRA_TABLE, 1000);
    ck_assert_uint_eq(tables_of(&m, "r0"), 1000);
    ck_assert_uint_eq(tables_of(&m, "r00"), 0);
    ck_assert_uint_eq(tables_of(&m, NULL), 0);
    mistreat(&m, rule_parse, &reader, sizeof reader);

    fixed.flags = FIB_RULE_INVERT;
    memcpy(m.bytes, &fixed, sizeof fixed);
    ck_assert_uint_eq(tables_of(&m, "r0"), 0);
    ck_assert_uint_eq(tables_of(&m, "r1"), 1000);

    fixed = (struct fib_rule_hdr){.action = FR_ACT_TO_TBL, .table = 253};
    begin(&m, RTM_NEWRULE, &fixed, sizeof fixed);
    ck_assert_uint_eq(tables_of(&m, NULL), 253);
    add_u32(&m, FRA_FWMARK, 7);
    ck_assert_uint_eq(tables_of(&m, NULL), 0);
}
END_TEST

struct seen_rules {
    unsigned ours, others;
    struct mroute_rule last;
};

static void see_rule(void *context, const struct mroute_rule *rule, bool ours)
{
    struct seen_rules *seen = context;

    seen->ours += ours;
    seen->others += !ours;
    seen->last = *rule;
}

START_TEST(our_rules_are_known_by_their_marks)
{
    struct fib_rule_hdr fixed = {.action = FR_ACT_TO_TBL, .table = 100};
    uint8_t protocol = RULE_PROTOCOL;
    struct rules_reader reader;
    struct seen_rules seen = {0};
    struct message m;

    begin(&m, RTM_NEWRULE, &fixed, sizeof fixed);
    add(&m, FRA_IIFNAME, "eth0", 5);
    add_u32(&m, FRA_FWMARK, 0); /* the kernel tells of none */
    reader = (struct rules_reader){FAMILY_IPV4, see_rule, &seen};
    mroute_rule_parse(&reader, &m.header);
    ck_assert_uint_eq(seen.others, 1);
    ck_assert_str_eq(seen.last.iif, "eth0");
    ck_assert_uint_eq(seen.last.table, 100);
    add(&m, FRA_PROTOCOL, &protocol, 1);
    mroute_rule_parse(&reader, &m.header);
    ck_assert_uint_eq(seen.ours, 0); /* of another priority */
    add_u32(&m, FRA_PRIORITY, RULE_PRIORITY);
    add_u32(&m, FRA_TABLE, 70000);
    mroute_rule_parse(&reader, &m.header);
    ck_assert_uint_eq(seen.ours, 1);
    ck_assert_uint_eq(seen.last.table, 70000);
    mistreat(&m, mroute_rule_parse, &reader, sizeof reader);
    add_u32(&m, FRA_FWMARK, 1); /* it asks more than the interface */
    seen = (struct seen_rules){0};
    mroute_rule_parse(&reader, &m.header);
    ck_assert_uint_eq(seen.ours + seen.others, 0);
}
END_TEST

START_TEST(other_messages_say_nothing)
{
    struct rtmsg fixed = {.rtm_type = RTN_LOCAL};
    struct return_path path = {0};
    struct message m;

    begin(&m, RTM_DELROUTE, &fixed, sizeof fixed);
    return_path_parse(&path, &m.header);
    ck_assert(!path.local);
}
END_TEST

START_TEST(multicast_packets_are_found_among_the_counters)
{
    static const char v4[] = "TcpExt: OutMcastPkts B\nTcpExt: 1 2\n"
                             "IpExt: InMcastPkts OutMcastPktsOfAll OutMcastPkts InBcastPkts\n"
                             "IpExt: 3 4 18446744073709551615 6\n";
    static const char v6[] = "Ip6InMcastPkts \t1\nIp6OutMcastPkts                 \t77\n";
    static const char *const bad[] = {"",
                                      "\nIpExt: OutMcastPkts",
                                      "\nIpExt: OutMcastPkts\n",
                                      "\nIpExt: A OutMcastPkts\nIpExt: 1\n",
                                      "\nIpExt: A\nIpExt: 1 2\n",
                                      "Ip6OutMcastPkts"};
    uint64_t sent = 5;

    ck_assert(multicast_sent_parse(FAMILY_IPV4, v4, &sent));
    ck_assert(sent == UINT64_MAX);
    ck_assert(multicast_sent_parse(FAMILY_IPV6, v6, &sent));
    ck_assert(sent == 77);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert(!multicast_sent_parse(FAMILY_IPV4, bad[i], &sent));
        ck_assert(!multicast_sent_parse(FAMILY_IPV6, bad[i], &sent));
    }
}
END_TEST

START_TEST(a_netif_tells_its_mtu_and_what_it_sent)
{
    struct ifinfomsg info = {0};
    struct rtnl_link_stats64 counters = {.tx_packets = 9, .rx_packets = 3};
    struct netif_facts facts = {0};
    struct message m;

    begin(&m, RTM_NEWLINK, &info, sizeof info);
    add_u32(&m, IFLA_MTU, 1280);
    add(&m, IFLA_STATS64, &counters, sizeof counters);
    netif_facts_parse(&facts, &m.header);
    ck_assert_uint_eq(facts.mtu, 1280);
    ck_assert(facts.counts && facts.sent == 9);
    mistreat(&m, netif_facts_parse, &facts, sizeof facts);
}
END_TEST

/* --- Taps ---------------------------------------------------------------------------------- */

static void begin_link(struct message *m, const char *name)
{
    struct ifinfomsg fixed = {.ifi_index = 3, .ifi_flags = IFF_UP | IFF_LOWER_UP};

    begin(m, RTM_NEWLINK, &fixed, sizeof fixed);
    add(m, IFLA_IFNAME, name, strlen(name) + 1);
    add_u32(m, IFLA_MTU, 1400);
}

START_TEST(a_tap_is_read_as_a_port)
{
    struct rtnl_link_stats64 counters = {.rx_packets = 1,
                                         .tx_packets = 2,
                                         .rx_bytes = 3,
                                         .tx_bytes = 4,
                                         .rx_dropped = 5,
                                         .tx_dropped = 6};
    struct tap_facts facts = {0};
    struct rtattr *info, *data;
    struct message m;
    uint8_t on = 1, state = BR_STATE_FORWARDING;

    begin_link(&m, "nb-a");
    add_u32(&m, IFLA_MASTER, 9);
    add(&m, IFLA_STATS64, &counters, sizeof counters);
    info = add(&m, IFLA_LINKINFO, NULL, 0);
    add(&m, IFLA_INFO_KIND, "tun", 4);
    data = add(&m, IFLA_INFO_DATA, NULL, 0);
    add(&m, IFLA_TUN_VNET_HDR, &on, 1);
    add(&m, IFLA_TUN_PERSIST, &on, 1);
    end(&m, data);
    add(&m, IFLA_INFO_SLAVE_KIND, "bridge", 7);
    data = add(&m, IFLA_INFO_SLAVE_DATA, NULL, 0);
    add(&m, IFLA_BRPORT_STATE, &state, 1);
    add(&m, IFLA_BRPORT_ISOLATED, &on, 1);
    end(&m, data);
    end(&m, info);
    tap_facts_parse(&facts, &m.header);
    ck_assert_str_eq(facts.name, "nb-a");
    ck_assert_int_eq(facts.kind, FACTS_TAP);
    ck_assert(facts.up && facts.carrier && facts.offload && facts.persistent);
    ck_assert(facts.forwards && facts.isolated);
    ck_assert_uint_eq(facts.mtu, 1400);
    ck_assert_uint_eq(facts.master, 9);
    ck_assert_uint_eq(facts.counters.rx_frames, 1);
    ck_assert_uint_eq(facts.counters.tx_frames, 2);
    ck_assert_uint_eq(facts.counters.rx_bytes, 3);
    ck_assert_uint_eq(facts.counters.tx_bytes, 4);
    ck_assert_uint_eq(facts.counters.rx_dropped, 5);
    ck_assert_uint_eq(facts.counters.tx_dropped, 6);
    mistreat(&m, tap_facts_parse, &facts, sizeof facts);
}
END_TEST

START_TEST(a_bridge_is_read_with_its_delay)
{
    struct tap_facts facts = {0};
    struct rtattr *info, *data;
    struct message m;

    begin_link(&m, "br0");
    info = add(&m, IFLA_LINKINFO, NULL, 0);
    add(&m, IFLA_INFO_KIND, "bridge", 7);
    data = add(&m, IFLA_INFO_DATA, NULL, 0);
    add_u32(&m, IFLA_BR_STP_STATE, 1);
    add_u32(&m, IFLA_BR_FORWARD_DELAY, 1500);
    end(&m, data);
    end(&m, info);
    tap_facts_parse(&facts, &m.header);
    ck_assert_int_eq(facts.kind, FACTS_BRIDGE);
    ck_assert(facts.stp && !facts.forwards && !facts.isolated);
    ck_assert_uint_eq(facts.delay_ms, 15000);
    mistreat(&m, tap_facts_parse, &facts, sizeof facts);
}
END_TEST

/* No more than there is room for; the host's own address where there are two. */
START_TEST(the_host_s_addresses_are_listed)
{
    struct ifaddrmsg fixed = {.ifa_family = AF_INET, .ifa_index = 3, .ifa_prefixlen = 24};
    struct tap_addresses addresses = {0};
    struct tap_addresses_reader reader = {2, &addresses};
    struct message m;
    char text[PREFIX_TEXT_MAX];

    begin(&m, RTM_NEWADDR, &fixed, sizeof fixed);
    add(&m, IFA_ADDRESS, "\x0a\0\0\x02", 4);
    add(&m, IFA_LOCAL, "\x0a\0\0\x01", 4);
    tap_addresses_parse(&reader, &m.header);
    ck_assert_uint_eq(addresses.count, 0);
    reader.ifindex = 3;
    for (int i = 0; i < FACTS_ADDRESSES_MAX + 3; i++)
        tap_addresses_parse(&reader, &m.header);
    ck_assert_uint_eq(addresses.count, FACTS_ADDRESSES_MAX);
    ck_assert_str_eq(host_address_format(&addresses.list[0], text), "10.0.0.1/24");
    addresses.count = 0;
    mistreat(&m, tap_addresses_parse, &reader, sizeof reader);
    ck_assert_uint_le(addresses.count, FACTS_ADDRESSES_MAX);
}
END_TEST

START_TEST(neighbours_are_counted)
{
    struct ndmsg fixed = {.ndm_family = AF_INET, .ndm_ifindex = 3, .ndm_state = NUD_FAILED};
    struct tap_neighbours neighbours = {0};
    struct tap_neighbours_reader reader = {3, &neighbours};
    struct message m;
    char text[ADDRESS_TEXT_MAX];

    begin(&m, RTM_NEWNEIGH, &fixed, sizeof fixed);
    add(&m, NDA_DST, "\x0a\0\0\x09", 4);
    tap_neighbours_parse(&reader, &m.header);
    fixed.ndm_state = NUD_REACHABLE;
    memcpy(m.bytes, &fixed, sizeof fixed);
    tap_neighbours_parse(&reader, &m.header);
    fixed.ndm_state = NUD_NOARP;
    memcpy(m.bytes, &fixed, sizeof fixed);
    tap_neighbours_parse(&reader, &m.header);
    reader.ifindex = 4;
    tap_neighbours_parse(&reader, &m.header);
    ck_assert_uint_eq(neighbours.known, 1);
    ck_assert_uint_eq(neighbours.unanswered, 1);
    ck_assert_str_eq(address_format(&neighbours.one, text), "10.0.0.9");
    mistreat(&m, tap_neighbours_parse, &reader, sizeof reader);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_tap_is_read_as_a_port);
    tcase_add_test(tests, a_bridge_is_read_with_its_delay);
    tcase_add_test(tests, the_host_s_addresses_are_listed);
    tcase_add_test(tests, neighbours_are_counted);
    tcase_add_test(tests, multicast_packets_are_found_among_the_counters);
    tcase_add_test(tests, a_netif_tells_its_mtu_and_what_it_sent);
    tcase_add_test(tests, netconf_is_read);
    tcase_add_test(tests, bridges_are_read);
    tcase_add_test(tests, ways_back_are_read);
    tcase_add_test(tests, addresses_are_found_by_interface);
    tcase_add_test(tests, rules_hold_for_their_interface);
    tcase_add_test(tests, our_rules_are_known_by_their_marks);
    tcase_add_test(tests, other_messages_say_nothing);
}

int main(void)
{
    return suite_run("diagnose", add_tests);
}
