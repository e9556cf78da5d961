#include "policy.h"

#include <fnmatch.h>
#include <string.h>

static bool is_subject(const struct rule *rule, const struct peer *peer)
{
    if (rule->everyone)
        return true;
    for (unsigned i = 0; i < rule->user_count; i++)
        if (rule->users[i] == peer->uid)
            return true;
    for (unsigned i = 0; i < rule->group_count; i++)
        if (peer_in_group(peer, rule->groups[i]))
            return true;
    return false;
}

static bool has_verb(const struct rule *rule, const char *verb)
{
    for (unsigned i = 0; i < rule->verb_count; i++)
        if (fnmatch(rule->verbs[i], verb, 0) == 0)
            return true;
    return false;
}

static bool has_interface(const struct rule *rule, const char *name)
{
    for (unsigned i = 0; i < rule->interface_count; i++)
        if (fnmatch(rule->interfaces[i], name, 0) == 0)
            return true;
    return false;
}

static bool in_prefix(const struct prefix *prefix, const struct address *address)
{
    unsigned whole = prefix->length / 8, rest = prefix->length % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);

    if (prefix->address.family != address->family)
        return false;
    if (memcmp(prefix->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || ((prefix->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

static bool has_group(const struct rule *rule, const struct address *group)
{
    for (unsigned i = 0; i < rule->prefix_count; i++)
        if (in_prefix(&rule->prefixes[i], group))
            return true;
    return false;
}

static bool has_table(const struct rule *rule, uint32_t table)
{
    for (unsigned i = 0; i < rule->table_count; i++)
        if (rule->tables[i] == table)
            return true;
    return false;
}

static unsigned count_interfaces(const struct rule *rule, const struct target *target)
{
    unsigned count = 0;

    for (unsigned i = 0; i < target->interface_count; i++)
        count += has_interface(rule, target->interfaces[i]);
    return count;
}

/* Whether all of the target lies within the rule: it may be allowed. */
static bool covers(const struct rule *rule, const struct target *target)
{
    if (rule->interface_count &&
        (!target->interface_count || count_interfaces(rule, target) < target->interface_count))
        return false;
    if (rule->prefix_count && (!target->group.family || !has_group(rule, &target->group)))
        return false;
    return !rule->table_count || (target->table && has_table(rule, target->table));
}

/* Whether some of the target lies within the rule: it must be denied. */
static bool touches(const struct rule *rule, const struct target *target)
{
    if (rule->interface_count && target->interface_count && !count_interfaces(rule, target))
        return false;
    if (rule->prefix_count && target->group.family && !has_group(rule, &target->group))
        return false;
    return !rule->table_count || !target->table || has_table(rule, target->table);
}

static bool applies(const struct rule *rule, const struct peer *peer, const char *verb,
                    const struct target *target)
{
    return is_subject(rule, peer) && has_verb(rule, verb) &&
           (rule->deny ? touches(rule, target) : covers(rule, target));
}

struct decision policy_decide(const struct policy *policy, const struct peer *peer,
                              const char *verb, const struct target *target)
{
    struct decision decision = {.allowed = peer->uid == 0 || peer->uid == policy->administrator};

    for (size_t i = 0; i < policy->count; i++) {
        const struct rule *rule = &policy->rules[i];

        if (!applies(rule, peer, verb, target))
            continue;
        if (rule->deny)
            return (struct decision){false, rule};
        if (!decision.rule)
            decision = (struct decision){true, rule};
    }
    return decision;
}
