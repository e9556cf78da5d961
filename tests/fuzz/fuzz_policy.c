/* The policy file: a rule that is accepted has its parts within their limits, and whoever is no
 * administrator may do only what a rule allows. */
#include "broker/guard/policy_file.h"
#include "broker/guard/user_names.h"
#include "fuzz.h"
#include "log.h"
#include "table.h"

#include <string.h>

enum { SOMEBODY = 1000 };

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void check_prefix(const struct prefix *prefix)
{
    unsigned bits = prefix->address.family == FAMILY_IPV4 ? 32 : 128;

    must(address_is_multicast(&prefix->address), "a prefix is of groups");
    must(prefix->length > 0 && prefix->length <= bits, "a prefix has its limits");
}

static void check_rule(const struct rule *rule)
{
    must(ends(rule->name, sizeof rule->name), "a name ends");
    must(rule->everyone || rule->user_count || rule->group_count, "a rule is about somebody");
    must(rule->verb_count > 0, "a rule is about something");
    must(rule->user_count <= RULE_ITEMS_MAX && rule->group_count <= RULE_ITEMS_MAX &&
             rule->verb_count <= RULE_ITEMS_MAX && rule->interface_count <= RULE_ITEMS_MAX &&
             rule->prefix_count <= RULE_ITEMS_MAX && rule->table_count <= RULE_ITEMS_MAX,
         "lists have their limits");
    for (unsigned i = 0; i < rule->user_count; i++)
        must(rule->users[i].first <= rule->users[i].last && rule->users[i].last <= UID_LAST,
             "a range of users has its limits");
    must(!rule->any_netns || !rule->deny, "a rule that denies holds everywhere");
    for (unsigned i = 0; i < rule->verb_count; i++)
        must(ends(rule->verbs[i], sizeof rule->verbs[i]), "a verb ends");
    for (unsigned i = 0; i < rule->interface_count; i++)
        must(ends(rule->interfaces[i], sizeof rule->interfaces[i]), "an interface ends");
    for (unsigned i = 0; i < rule->prefix_count; i++)
        check_prefix(&rule->prefixes[i]);
    for (unsigned i = 0; i < rule->table_count; i++)
        must(rule->tables[i] >= 1 && rule->tables[i] <= TABLE_ID_MAX, "a table has its limits");
}

static void check_decisions(const struct policy *policy)
{
    struct peer peer = {.uid = SOMEBODY, .gid = SOMEBODY};
    struct target target = {.interface_count = 2, .interfaces = {"eth0", "veth1"}, .table = 100};

    must(prefix_parse("239.10.0.1", &target.group), "an address");
    for (enum action action = 0; action < ACTION_COUNT; action++) {
        struct decision decision =
            policy_decide(policy, &peer, action_row(action)->policy, &target);

        must(!decision.allowed || policy_is_administrator(policy, &peer) ||
                 (decision.rule && !decision.rule->deny),
             "a rule allows");
        must(decision.allowed || !decision.rule || decision.rule->deny, "a rule denies");
    }
}

static bool may(const struct policy *policy, const char *interface, const char *group)
{
    struct peer peer = {.uid = SOMEBODY, .gid = SOMEBODY};
    struct target target = {.interface_count = 1, .interfaces = {interface}, .table = 100};

    must(prefix_parse(group, &target.group), "a prefix");
    return policy_decide(policy, &peer, "mroute.write", &target).allowed;
}

/* Who may have all of something may have each of it, whatever the rules are. */
static void check_ranges(const struct policy *policy)
{
    static const char *const names[] = {"eth0", "eth", "eth+", "eth12", "veth1", "v", "lo"};
    static const char *const patterns[] = {"eth+", "e+", "veth+", "eth1+", "+"};
    static const char *const groups[] = {"239.10.0.1", "239.10.128.0/17", "239.10.0.0/16"};

    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            must(strncmp(names[j], patterns[i], strlen(patterns[i]) - 1) != 0 ||
                     !may(policy, patterns[i], groups[0]) || may(policy, names[j], groups[0]),
                 "a pattern is no way to an interface");
    for (size_t i = 0; i + 1 < sizeof groups / sizeof *groups; i++)
        must(!may(policy, "eth0", "239.10.0.0/16") || may(policy, "eth0", groups[i]),
             "a prefix is no way to a group");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct policy policy = {0};
    struct mistakes mistakes = {0};
    FILE *file = n ? fmemopen((void *)bytes, n, "r") : NULL;

    if (!file)
        return 0;
    log_set_level(LOG_ERR - 1); /* mistakes are told there */
    if (policy_parse(&policy, file, "policy.conf", &mistakes)) {
        must(policy.count <= RULES_MAX, "rules have their limit");
        for (size_t i = 0; i < policy.count; i++)
            check_rule(&policy.rules[i]);
        check_decisions(&policy);
        check_ranges(&policy);
    }
    fclose(file);
    policy_clear(&policy);
    return 0;
}
