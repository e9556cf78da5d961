/* Scopes: what they say is what the policy decides, whatever its rules. */
#include "broker/guard/scopes.h"
#include "suite.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct peer root = {.uid = 0}, user = {.uid = 1000, .gid = 100};
static const uint16_t types[] = {0x0800, 0x0806, 0x88b8, 0x88ba};
enum { TYPES = sizeof types / sizeof *types, RULES = 5, POLICIES = 20000 };

/* About everyone, and every verb. */
static struct rule rule_of(bool deny)
{
    return (struct rule){
        .name = "r", .deny = deny, .everyone = true, .verb_count = 1, .verbs = {"*"}};
}

static unsigned scopes_of(struct rule *rules, size_t count, const struct peer *peer,
                          struct scope ret[SCOPES_MAX])
{
    const struct policy policy = {.started_by = 500, .count = count, .rules = rules};

    return policy_scopes(&policy, peer, "raw.capture", "a", ret);
}

static bool scope_has(const struct scope *scope, uint16_t type, const struct target *target)
{
    bool named = false;

    for (unsigned i = 0; i < scope->type_count; i++)
        named |= scope->types[i] == type;
    return named != scope->all_but && !(target->directions & ~scope->directions) &&
           (scope->promiscuous || !target->promiscuous);
}

static bool any_has(const struct scope *scopes, unsigned count, const struct target *target)
{
    for (unsigned i = 0; i < count; i++)
        if (scope_has(&scopes[i], target->ethertypes[0], target))
            return true;
    return false;
}

static void assert_agrees(const struct policy *policy, const struct peer *peer)
{
    struct scope scopes[SCOPES_MAX];
    unsigned count = policy_scopes(policy, peer, "raw.capture", "a", scopes);
    bool everything = false;

    for (unsigned i = 0; i < count; i++)
        everything |= scopes[i].all_but && scopes[i].type_count == 0 &&
                      scopes[i].directions == DIRECTION_BOTH;
    for (unsigned i = 0; i < TYPES * 6; i++) {
        struct target target = {.interface_count = 1,
                                .interfaces = {"a"},
                                .ethertype_count = 1,
                                .ethertypes = {types[i / 6]},
                                .directions = (uint8_t)(i % 3 + 1),
                                .promiscuous = i / 3 % 2};

        ck_assert_int_eq(policy_decide(policy, peer, "raw.capture", &target).allowed,
                         any_has(scopes, count, &target));
    }
    struct target all = {.interface_count = 1, .interfaces = {"a"}};

    ck_assert_int_eq(policy_decide(policy, peer, "raw.capture", &all).allowed, everything);
}

static unsigned chance(unsigned n)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static struct rule random_rule(void)
{
    struct rule rule = rule_of(chance(3) == 0);

    rule.everyone = chance(8) != 0;
    if (chance(6) == 0)
        strcpy(rule.verbs[0], "tap.*");
    if (chance(3) == 0)
        strcpy(rule.interfaces[rule.interface_count++], chance(2) ? "a" : "b*");
    for (unsigned i = 0; i < TYPES && chance(2); i++)
        if (chance(2))
            rule.ethertypes[rule.ethertype_count++] = types[i];
    rule.directions = (uint8_t)(chance(3) ? 0 : chance(2) + 1);
    if (chance(3) == 0)
        rule.promiscuous = rule.deny ? PROMISCUOUS_YES : PROMISCUOUS_NO;
    if (chance(10) == 0)
        rule.scope.vlans.ids[rule.scope.vlans.count++] = 5;
    if (chance(10) == 0)
        rule.tables[rule.table_count++] = 1;
    return rule;
}

START_TEST(scopes_are_what_the_policy_decides)
{
    struct rule rules[RULES];
    struct policy policy = {.started_by = 500, .count = RULES, .rules = rules};

    for (unsigned i = 0; i < POLICIES; i++) {
        for (unsigned j = 0; j < RULES; j++)
            rules[j] = random_rule();
        policy.closed = chance(50) == 0;
        assert_agrees(&policy, chance(4) ? &user : &root);
    }
}
END_TEST

START_TEST(each_type_of_a_scope_may_be_asked_with_the_others)
{
    struct rule rules[] = {rule_of(false), rule_of(true)};
    struct scope scopes[SCOPES_MAX];

    rules[0].ethertype_count = 3;
    memcpy(rules[0].ethertypes, types, 3 * sizeof *types);
    rules[1].ethertype_count = 1;
    rules[1].ethertypes[0] = types[1];
    rules[1].directions = DIRECTION_OUT;
    ck_assert_uint_eq(scopes_of(rules, 2, &user, scopes), 2);
    ck_assert_uint_eq(scopes[0].directions, DIRECTION_BOTH);
    ck_assert_uint_eq(scopes[0].type_count, 2);
    ck_assert_uint_eq(scopes[0].types[1], types[2]);
    ck_assert_uint_eq(scopes[1].directions, DIRECTION_IN);
    ck_assert_uint_eq(scopes[1].type_count, 3);
}
END_TEST

START_TEST(none_lies_within_another)
{
    struct rule rules[] = {rule_of(false), rule_of(false), rule_of(false)};
    struct scope scopes[SCOPES_MAX];

    rules[0].ethertype_count = 1;
    rules[0].ethertypes[0] = types[0];
    rules[1].directions = DIRECTION_IN;
    ck_assert_uint_eq(scopes_of(rules, 2, &user, scopes), 2);
    ck_assert_uint_eq(scopes_of(rules, 3, &user, scopes), 1);
    ck_assert(scopes[0].all_but);
    ck_assert_uint_eq(scopes[0].type_count, 0);
    ck_assert_uint_eq(scopes[0].directions, DIRECTION_BOTH);
}
END_TEST

/* As many as there is room for, and what all leave out as long as there is room for that. */
START_TEST(there_is_an_end_to_what_is_told)
{
    static struct rule rules[RULES_MAX];
    struct scope scopes[SCOPES_MAX];

    for (unsigned i = 0; i < RULES_MAX; i++) {
        rules[i] = rule_of(false);
        rules[i].ethertype_count = 1;
        rules[i].ethertypes[0] = (uint16_t)(0x0600 + i);
    }
    ck_assert_uint_eq(scopes_of(rules, RULES_MAX, &user, scopes), SCOPES_MAX);
    for (unsigned i = 0; i < RULES_MAX; i++)
        rules[i].deny = true;
    rules[0] = rule_of(false);
    ck_assert_uint_eq(scopes_of(rules, SCOPE_TYPES_MAX + 1, &user, scopes), 1);
    ck_assert_uint_eq(scopes[0].type_count, SCOPE_TYPES_MAX);
    ck_assert_uint_eq(scopes_of(rules, SCOPE_TYPES_MAX + 2, &user, scopes), 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, scopes_are_what_the_policy_decides);
    tcase_add_test(tests, each_type_of_a_scope_may_be_asked_with_the_others);
    tcase_add_test(tests, none_lies_within_another);
    tcase_add_test(tests, there_is_an_end_to_what_is_told);
}

int main(void)
{
    return suite_run("scopes", add_tests);
}
