#include "scopes.h"

#include "table.h"

#include <string.h>

/* The rules that are about this. */
struct concerned {
    size_t allow_count, deny_count;
    const struct rule *allow[RULES_MAX], *deny[RULES_MAX];
};

/* A rule with groups, tables or a scope of what is sent allows nothing on an interface alone, and
 * denies all on it: a target that does not name any means all there are. */
static bool may_allow(const struct rule *rule)
{
    static const struct target any;

    return !rule->prefix_count && !rule->table_count && scope_covers(&rule->scope, &any.scope);
}

static void collect(const struct policy *policy, const struct peer *peer, const char *verb,
                    const char *interface, struct concerned *ret)
{
    ret->allow_count = ret->deny_count = 0;
    for (size_t i = 0; i < policy->count && i < RULES_MAX && !policy->closed; i++) {
        const struct rule *rule = &policy->rules[i];

        if (!rule_concerns(rule, peer, verb, interface))
            continue;
        if (rule->deny)
            ret->deny[ret->deny_count++] = rule;
        else if (may_allow(rule))
            ret->allow[ret->allow_count++] = rule;
    }
}

static bool has_type(const struct scope *scope, uint16_t type)
{
    for (unsigned i = 0; i < scope->type_count; i++)
        if (scope->types[i] == type)
            return true;
    return false;
}

static void drop_type(struct scope *scope, uint16_t type)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < scope->type_count; i++)
        if (scope->types[i] != type)
            scope->types[kept++] = scope->types[i];
    scope->type_count = kept;
}

/* Takes a type out of the scope. False: so many cannot be told. */
static bool exclude(struct scope *scope, uint16_t type)
{
    if (!scope->all_but) {
        drop_type(scope, type);
        return true;
    }
    if (has_type(scope, type))
        return true;
    if (scope->type_count == SCOPE_TYPES_MAX)
        return false;
    scope->types[scope->type_count++] = type;
    return true;
}

/* Takes out what the rules forbid. False: nothing is left, or nothing that can be told. */
static bool narrow(struct scope *scope, const struct concerned *rules)
{
    for (size_t i = 0; i < rules->deny_count; i++) {
        const struct rule *rule = rules->deny[i];

        if ((rule->directions && !(rule->directions & scope->directions)) ||
            (rule->promiscuous == PROMISCUOUS_YES && !scope->promiscuous))
            continue;
        if (!rule->ethertype_count)
            return false;
        for (unsigned j = 0; j < rule->ethertype_count; j++)
            if (!exclude(scope, rule->ethertypes[j]))
                return false;
    }
    return scope->all_but || scope->type_count > 0;
}

static bool allows_type(const struct scope *scope, uint16_t type)
{
    return has_type(scope, type) != scope->all_but;
}

/* Whether all that the inner one allows, the outer one allows. */
static bool contains(const struct scope *outer, const struct scope *inner)
{
    const struct scope *with_types = inner->all_but ? outer : inner;

    if ((inner->directions & ~outer->directions) || (inner->all_but && !outer->all_but) ||
        (inner->promiscuous && !outer->promiscuous))
        return false;
    for (unsigned i = 0; i < with_types->type_count; i++) {
        uint16_t type = with_types->types[i];

        if (inner->all_but ? allows_type(inner, type) : !allows_type(outer, type))
            return false;
    }
    return true;
}

struct scopes {
    unsigned count;
    struct scope *list;
};

static void add(struct scopes *scopes, const struct scope *scope)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < scopes->count; i++)
        if (contains(&scopes->list[i], scope))
            return;
    for (unsigned i = 0; i < scopes->count; i++)
        if (!contains(scope, &scopes->list[i]))
            scopes->list[kept++] = scopes->list[i];
    scopes->count = kept;
    if (kept < SCOPES_MAX)
        scopes->list[scopes->count++] = *scope;
}

/* Both directions, and each by itself where more is left of it; and the same with what is for other
 * stations, which takes the place of the first where that costs nothing. */
static void add_granted(struct scopes *scopes, const struct scope *granted,
                        const struct concerned *rules)
{
    static const uint8_t ways[] = {DIRECTION_BOTH, DIRECTION_IN, DIRECTION_OUT};

    for (size_t i = 0; i < 2 * sizeof ways; i++) {
        struct scope scope = *granted;

        scope.directions = ways[i % sizeof ways];
        scope.promiscuous = i >= sizeof ways;
        if (!(scope.directions & ~granted->directions) &&
            (granted->promiscuous || !scope.promiscuous) && narrow(&scope, rules))
            add(scopes, &scope);
    }
}

static struct scope scope_of(const struct rule *rule)
{
    struct scope scope = {
        .directions = rule->directions ? rule->directions : DIRECTION_BOTH,
        .promiscuous = rule->promiscuous != PROMISCUOUS_NO,
        .all_but = rule->ethertype_count == 0,
        .type_count = rule->ethertype_count,
    };

    memcpy(scope.types, rule->ethertypes, rule->ethertype_count * sizeof *rule->ethertypes);
    return scope;
}

unsigned policy_scopes(const struct policy *policy, const struct peer *peer, const char *verb,
                       const char *interface, struct scope ret[SCOPES_MAX])
{
    const struct scope everything = {
        .directions = DIRECTION_BOTH, .promiscuous = true, .all_but = true};
    struct scopes scopes = {0, ret};
    struct concerned rules;

    collect(policy, peer, verb, interface, &rules);
    if (policy_is_administrator(policy, peer))
        add_granted(&scopes, &everything, &rules);
    for (size_t i = 0; i < rules.allow_count; i++) {
        struct scope granted = scope_of(rules.allow[i]);

        add_granted(&scopes, &granted, &rules);
    }
    return scopes.count;
}
