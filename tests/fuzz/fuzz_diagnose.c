/* The kernel's answers to the doctor and on rules: the first byte chooses the parser, the rest is a
 * datagram. */
#include "fuzz.h"
#include "platform/linux/diagnose_parse.h"
#include "platform/linux/mroute_rules.h"
#include "platform/linux/tap_facts_parse.h"

#include <string.h>

union results {
    struct netconf netconf;
    struct netif_facts netif;
    struct address_search search;
    struct return_path path;
    struct rule_reader reader;
    struct rules_reader rules;
    struct tap_facts facts;
    struct tap_addresses_reader addresses;
    struct tap_neighbours_reader neighbours;
};

static void see_rule(void *context, const struct mroute_rule *rule, bool ours)
{
    (void)context;
    (void)ours;
    must(rule->table && rule->iif[0] && !rule->iif[INTERFACE_NAME_MAX], "a rule is whole");
}

/* The parsers alone are tried here. */
int netlink_ask(const struct nlmsghdr *request, netlink_message *message, void *context)
{
    (void)request;
    (void)message;
    (void)context;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static netlink_message *const parsers[] = {
        netconf_parse,     netif_facts_parse, address_search_parse, return_path_parse,   rule_parse,
        mroute_rule_parse, tap_facts_parse,   tap_addresses_parse,  tap_neighbours_parse};
    struct chosen_tables chosen = {.count = 0};
    struct tap_addresses addresses = {.count = 0};
    struct tap_neighbours neighbours = {.known = 0};
    union results results;
    unsigned parser;
    void *copy;
    uint64_t sent;

    if (n == 0)
        return 0;
    memset(&results, 0, sizeof results);
    parser = bytes[0] % (sizeof parsers / sizeof *parsers);
    if (parsers[parser] == rule_parse)
        results.reader = (struct rule_reader){bytes[0] & 0x80 ? "eth0" : NULL, &chosen};
    if (parsers[parser] == mroute_rule_parse)
        results.rules = (struct rules_reader){FAMILY_IPV4, see_rule, NULL};
    if (parsers[parser] == address_search_parse)
        results.search.ifindex = 1;
    if (parsers[parser] == tap_addresses_parse)
        results.addresses = (struct tap_addresses_reader){1, &addresses};
    if (parsers[parser] == tap_neighbours_parse)
        results.neighbours = (struct tap_neighbours_reader){1, &neighbours};
    copy = malloc(n - 1); /* aligned */
    memcpy(copy, bytes + 1, n - 1);
    netlink_walk(copy, n - 1, parsers[parser], &results);
    free(copy);
    copy = strndup((const char *)bytes + 1, n - 1);
    multicast_sent_parse(bytes[0] & 1 ? FAMILY_IPV4 : FAMILY_IPV6, copy, &sent);
    free(copy);
    must(chosen.count <= CHOSEN_TABLES_MAX, "tables have their limit");
    must(addresses.count <= FACTS_ADDRESSES_MAX, "addresses have their limit");
    if (parsers[parser] == return_path_parse)
        must(results.path.count <= RETURN_NETIFS_MAX, "links have their limit");
    return 0;
}
