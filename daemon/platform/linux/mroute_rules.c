/* Rules of multicast routing by rtnetlink(7): what `ip mrule` shows and changes.
 *
 * A rule names its interface by name: the kernel detaches it when the interface goes or is renamed,
 * and attaches it to the next one of that name (fib_rules_event() of net/core/fib_rules.c). */
#include "mroute_rules.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CLEARED_A_ROUND = 64, /* rules; they are collected first, as a walk and deletions do not mix */
    ROUNDS_MAX = 64,
};

static uint8_t rule_family(uint8_t family)
{
    return family == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR;
}

/* --- Changing ------------------------------------------------------------------------------ */

struct rule_message {
    struct nlmsghdr header;
    struct fib_rule_hdr rule;
    char attributes[RTA_SPACE(sizeof(uint32_t)) * 2 + RTA_SPACE(sizeof(uint8_t)) +
                    RTA_SPACE(INTERFACE_NAME_MAX + 1)];
};

static void append(struct rule_message *message, uint16_t type, const void *value, size_t size)
{
    struct rtattr *attribute =
        (struct rtattr *)((char *)message + NLMSG_ALIGN(message->header.nlmsg_len));

    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), value, size);
    message->header.nlmsg_len =
        (uint32_t)(NLMSG_ALIGN(message->header.nlmsg_len) + RTA_SPACE(size));
}

static void ignore(void *context, const struct nlmsghdr *header)
{
    (void)context;
    (void)header;
}

static int change_rule(const struct mroute_rule *rule, unsigned type, unsigned flags)
{
    struct rule_message message = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof message.rule),
                   .nlmsg_type = (uint16_t)type,
                   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
                   .nlmsg_seq = 1},
        .rule = {.family = rule_family(rule->family), .action = FR_ACT_TO_TBL},
    };
    uint32_t priority = RULE_PRIORITY;
    uint8_t protocol = RULE_PROTOCOL;

    append(&message, FRA_TABLE, &rule->table, sizeof rule->table);
    append(&message, FRA_PRIORITY, &priority, sizeof priority);
    append(&message, FRA_PROTOCOL, &protocol, sizeof protocol);
    append(&message, FRA_IIFNAME, rule->iif, strlen(rule->iif) + 1);
    return netlink_ask(&message.header, ignore, NULL);
}

static void take_name(void *name, const struct nlmsghdr *header)
{
    const struct rtattr *attributes[IFLA_MAX + 1];
    const struct ifinfomsg *link = NLMSG_DATA(header);

    if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < NLMSG_LENGTH(sizeof *link))
        return;
    netlink_attributes(IFLA_RTA(link), header->nlmsg_len - NLMSG_LENGTH(sizeof *link), attributes,
                       IFLA_MAX + 1);
    if (attributes[IFLA_IFNAME] && RTA_PAYLOAD(attributes[IFLA_IFNAME]) <= INTERFACE_NAME_MAX + 1)
        memcpy(name, RTA_DATA(attributes[IFLA_IFNAME]), RTA_PAYLOAD(attributes[IFLA_IFNAME]));
}

int mroute_rule_add(uint8_t family, uint32_t table, unsigned ifindex)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {sizeof request, RTM_GETLINK, NLM_F_REQUEST, 1, 0},
        .link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex},
    };
    struct mroute_rule rule = {.family = family, .table = table};
    int result = netlink_ask(&request.header, take_name, rule.iif);

    rule.iif[INTERFACE_NAME_MAX] = '\0';
    if (result == 0 && !rule.iif[0])
        result = -ENODEV;
    return result < 0 ? result : change_rule(&rule, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
}

int mroute_rule_del(const struct mroute_rule *rule)
{
    return change_rule(rule, RTM_DELRULE, 0);
}

/* --- Reading ------------------------------------------------------------------------------- */

/* What a rule may ask of a packet besides its interface. */
static const unsigned selectors[] = {
    FRA_SRC,      FRA_DST,       FRA_OIFNAME,     FRA_FWMARK,      FRA_FWMASK, FRA_L3MDEV,
    FRA_IP_PROTO, FRA_UID_RANGE, FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_TUN_ID,
};

static bool asks_more(const struct fib_rule_hdr *rule, const struct rtattr *const *attributes)
{
    if (rule->src_len || rule->dst_len || rule->tos || (rule->flags & FIB_RULE_INVERT))
        return true;
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        const struct rtattr *selector = attributes[selectors[i]];

        /* A value of zero is none; the kernel tells of some whether there is one or not. */
        for (size_t at = 0; selector && at < RTA_PAYLOAD(selector); at++)
            if (((const char *)RTA_DATA(selector))[at] != 0 && selectors[i] != FRA_UID_RANGE)
                return true;
    }
    return attributes[FRA_UID_RANGE] != NULL;
}

static bool is_ours(const struct rtattr *const *attributes)
{
    const struct rtattr *protocol = attributes[FRA_PROTOCOL];

    return protocol && RTA_PAYLOAD(protocol) == 1 &&
           *(const uint8_t *)RTA_DATA(protocol) == RULE_PROTOCOL &&
           netlink_u32(attributes[FRA_PRIORITY], 0) == RULE_PRIORITY;
}

void mroute_rule_parse(void *reader, const struct nlmsghdr *header)
{
    const struct rules_reader *r = reader;
    const struct fib_rule_hdr *rule = NLMSG_DATA(header);
    const struct rtattr *attributes[FRA_MAX + 1];
    struct mroute_rule found = {.family = r->family};

    if (header->nlmsg_type != RTM_NEWRULE || header->nlmsg_len < NLMSG_LENGTH(sizeof *rule))
        return;
    netlink_attributes((const char *)rule + NLMSG_ALIGN(sizeof *rule),
                       header->nlmsg_len - NLMSG_LENGTH(sizeof *rule), attributes, FRA_MAX + 1);

    const struct rtattr *name = attributes[FRA_IIFNAME];

    if (rule->action != FR_ACT_TO_TBL || asks_more(rule, attributes) || !name ||
        RTA_PAYLOAD(name) > sizeof found.iif)
        return;
    memcpy(found.iif, RTA_DATA(name), RTA_PAYLOAD(name));
    found.iif[INTERFACE_NAME_MAX] = '\0';
    found.table = netlink_u32(attributes[FRA_TABLE], rule->table);
    if (found.iif[0] && found.table)
        r->visit(r->context, &found, is_ours(attributes));
}

int mroute_rules_read(uint8_t family, mroute_rule_visit *visit, void *context)
{
    struct {
        struct nlmsghdr header;
        struct fib_rule_hdr rule;
    } request = {
        .header = {sizeof request, RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .rule = {.family = rule_family(family)},
    };
    struct rules_reader reader = {family, visit, context};

    return netlink_ask(&request.header, mroute_rule_parse, &reader);
}

/* --- Clearing ------------------------------------------------------------------------------ */

struct collection {
    uint32_t table;
    size_t count;
    struct mroute_rule rules[CLEARED_A_ROUND];
};

static void collect(void *context, const struct mroute_rule *rule, bool ours)
{
    struct collection *c = context;

    if (ours && (!c->table || rule->table == c->table) && c->count < CLEARED_A_ROUND)
        c->rules[c->count++] = *rule;
}

int mroute_rules_clear(uint8_t family, uint32_t table)
{
    struct collection found = {.table = table, .count = CLEARED_A_ROUND};
    int result = 0;

    for (int round = 0; found.count == CLEARED_A_ROUND && round < ROUNDS_MAX; round++) {
        found.count = 0;
        result = mroute_rules_read(family, collect, &found);
        for (size_t i = 0; i < found.count && result == 0; i++)
            result = mroute_rule_del(&found.rules[i]);
        if (result < 0)
            break;
    }
    return result;
}
