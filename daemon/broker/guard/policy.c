#include "policy.h"

#include "decode.h"

#include <fnmatch.h>
#include <string.h>

static bool has_user(const struct rule *rule, uid_t uid)
{
    for (unsigned i = 0; i < rule->user_count; i++)
        if (uid >= rule->users[i].first && uid <= rule->users[i].last)
            return true;
    return false;
}

/* A peer with a subordinate id is its owner, and is also named by the id. */
static bool is_subject(const struct rule *rule, const struct peer *peer)
{
    if (peer->elsewhere && !rule->any_netns && !rule->deny)
        return false;
    if (rule->everyone || has_user(rule, peer->uid) ||
        (peer->assigned && has_user(rule, peer->kernel_uid)))
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

/* What a request calls "eth+" is every interface whose name begins with "eth". */
static size_t common_start(const char *name)
{
    return interface_name_is_pattern(name) ? strlen(name) - 1 : 0;
}

/* Whether an item of a rule has all interfaces that a pattern of a request means: only one that is
 * nothing but its own beginning and a '*' is sure to. */
static bool item_covers(const char *item, const char *pattern)
{
    size_t literal = strcspn(item, "*?[\\");

    return strcmp(item, pattern) == 0 ||
           (strcmp(item + literal, "*") == 0 && literal <= common_start(pattern) &&
            strncmp(item, pattern, literal) == 0);
}

/* Whether it may have some of them. */
static bool item_touches(const char *item, const char *pattern)
{
    size_t literal = strcspn(item, "*?[\\"), start = common_start(pattern);

    return strncmp(item, pattern, literal < start ? literal : start) == 0 &&
           (item[literal] || literal >= start);
}

static bool has_interface(const struct rule *rule, const char *name)
{
    for (unsigned i = 0; i < rule->interface_count; i++) {
        const char *item = rule->interfaces[i];
        bool has = !interface_name_is_pattern(name) ? fnmatch(item, name, 0) == 0
                   : rule->deny                     ? item_touches(item, name)
                                                    : item_covers(item, name);

        if (has)
            return true;
    }
    return false;
}

static bool has_group(const struct rule *rule, const struct prefix *group)
{
    for (unsigned i = 0; i < rule->prefix_count; i++)
        if (rule->deny ? prefix_overlaps(&rule->prefixes[i], group)
                       : prefix_covers(&rule->prefixes[i], group))
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

static bool has_ethertype(const struct rule *rule, uint16_t type)
{
    for (unsigned i = 0; i < rule->ethertype_count; i++)
        if (rule->ethertypes[i] == type)
            return true;
    return false;
}

static unsigned count_ethertypes(const struct rule *rule, const struct target *target)
{
    unsigned count = 0;

    for (unsigned i = 0; i < target->ethertype_count; i++)
        count += has_ethertype(rule, target->ethertypes[i]);
    return count;
}

/* EtherTypes, directions and scopes: what a target does not say is all there is. */
static bool covers_protocols(const struct rule *rule, const struct target *target)
{
    uint8_t directions = target->directions ? target->directions : DIRECTION_BOTH;

    if (rule->ethertype_count &&
        (!target->ethertype_count || count_ethertypes(rule, target) < target->ethertype_count))
        return false;
    if (!scope_covers(&rule->scope, &target->scope) || (rule->rate && target->rate > rule->rate))
        return false;
    if (rule->promiscuous == PROMISCUOUS_NO && target->promiscuous)
        return false;
    return !rule->directions || !(directions & ~rule->directions);
}

static bool touches_protocols(const struct rule *rule, const struct target *target)
{
    if (rule->ethertype_count && target->ethertype_count && !count_ethertypes(rule, target))
        return false;
    if (!scope_touches(&rule->scope, &target->scope) ||
        (rule->promiscuous == PROMISCUOUS_YES && !target->promiscuous) ||
        (rule->promiscuous == PROMISCUOUS_NO && target->promiscuous))
        return false;
    return !rule->directions || !target->directions || (target->directions & rule->directions);
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
    if (rule->prefix_count && (!target->group.address.family || !has_group(rule, &target->group)))
        return false;
    if (rule->table_count && (!target->table || !has_table(rule, target->table)))
        return false;
    return covers_protocols(rule, target);
}

/* Whether some of the target lies within the rule: it must be denied. */
static bool touches(const struct rule *rule, const struct target *target)
{
    if (rule->interface_count && target->interface_count && !count_interfaces(rule, target))
        return false;
    if (rule->prefix_count && target->group.address.family && !has_group(rule, &target->group))
        return false;
    if (rule->table_count && target->table && !has_table(rule, target->table))
        return false;
    return touches_protocols(rule, target);
}

static bool applies(const struct rule *rule, const struct peer *peer, const char *verb,
                    const struct target *target)
{
    return is_subject(rule, peer) && has_verb(rule, verb) &&
           (rule->deny ? touches(rule, target) : covers(rule, target));
}

struct administrators policy_administrators(const struct policy *policy)
{
    if (policy->names_administrator && !policy->closed)
        return (struct administrators){{policy->administrator, (uid_t)-1}};
    return (struct administrators){{0, policy->started_by}};
}

bool administrators_have(const struct administrators *administrators, uid_t uid)
{
    return uid != (uid_t)-1 && (uid == administrators->uids[0] || uid == administrators->uids[1]);
}

bool policy_is_administrator_uid(const struct policy *policy, uid_t uid)
{
    struct administrators administrators = policy_administrators(policy);

    return administrators_have(&administrators, uid);
}

bool policy_is_administrator(const struct policy *policy, const struct peer *peer)
{
    return !peer->assigned && !peer->elsewhere && policy_is_administrator_uid(policy, peer->uid);
}

bool policy_names_uid(const struct policy *policy, uid_t uid)
{
    for (size_t i = 0; i < policy->count && !policy->closed; i++)
        if (!policy->rules[i].deny && has_user(&policy->rules[i], uid))
            return true;
    return false;
}

bool rule_concerns(const struct rule *rule, const struct peer *peer, const char *verb,
                   const char *interface)
{
    return is_subject(rule, peer) && has_verb(rule, verb) &&
           (!rule->interface_count || has_interface(rule, interface));
}

static bool denies_everything(const struct rule *rule)
{
    return rule->deny && !rule->interface_count && !rule->prefix_count && !rule->table_count &&
           !rule->ethertype_count && !rule->directions && !rule->promiscuous &&
           scope_is_open(&rule->scope);
}

struct decision policy_decide_somewhere(const struct policy *policy, const struct peer *peer,
                                        const char *verb)
{
    struct decision decision = {.allowed = policy_is_administrator(policy, peer)};

    for (size_t i = 0; i < policy->count && !policy->closed; i++) {
        const struct rule *rule = &policy->rules[i];

        if (!is_subject(rule, peer) || !has_verb(rule, verb))
            continue;
        if (denies_everything(rule))
            return (struct decision){false, rule};
        if (!rule->deny && !decision.rule)
            decision = (struct decision){true, rule};
    }
    return decision;
}

struct decision policy_decide(const struct policy *policy, const struct peer *peer,
                              const char *verb, const struct target *target)
{
    struct decision decision = {.allowed = policy_is_administrator(policy, peer)};

    for (size_t i = 0; i < policy->count && !policy->closed; i++) {
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
