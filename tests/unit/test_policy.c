/* The decision: a pure function of the rules, the peer, the verb and the target. */
#include "broker/guard/policy.h"
#include "suite.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

static gid_t groups[] = {50, 60};
static const struct peer root = {.uid = 0}, holder = {.uid = 500, .gid = 500},
                         user = {.uid = 1000, .gid = 100, .groups = groups, .group_count = 2},
                         stranger = {.uid = 2000, .gid = 200};

/* A rule about everyone and every verb, to be narrowed. */
static struct rule rule_of(const char *name, bool deny)
{
    struct rule rule = {.deny = deny, .everyone = true, .verb_count = 1};

    strcpy(rule.name, name);
    strcpy(rule.verbs[0], "*");
    return rule;
}

static void add_interface(struct rule *rule, const char *name)
{
    strcpy(rule->interfaces[rule->interface_count++], name);
}

static void add_prefix(struct rule *rule, const char *address, unsigned length)
{
    struct prefix *prefix = &rule->prefixes[rule->prefix_count++];

    ck_assert(address_parse(address, &prefix->address));
    prefix->length = (uint8_t)length;
}

/* A target with the interfaces that a list names (NULL: none), a group (NULL: none), a table. */
static struct target target_from(char *list, const char *group, uint32_t table)
{
    struct target target = {.table = table};
    char *name;

    while (list && (name = strsep(&list, ",")))
        target.interfaces[target.interface_count++] = name;
    if (group)
        ck_assert(prefix_parse(group, &target.group));
    return target;
}

/* What the rules decide for the user: "yes NAME", "no NAME", with "-" where no rule decides. */
static const char *decide(struct rule *rules, size_t count, const struct peer *peer,
                          const char *verb, const char *interfaces, const char *group,
                          uint32_t table)
{
    static char text[64];
    char list[256];
    struct policy policy = {.started_by = 500, .count = count, .rules = rules};
    struct decision decision;

    snprintf(list, sizeof list, "%s", interfaces ? interfaces : "");

    struct target target = target_from(interfaces ? list : NULL, group, table);

    decision = policy_decide(&policy, peer, verb, &target);
    snprintf(text, sizeof text, "%s %s", decision.allowed ? "yes" : "no",
             decision.rule ? decision.rule->name : "-");
    return text;
}

START_TEST(nothing_that_matches_means_no_but_to_administrators)
{
    ck_assert_str_eq(decide(NULL, 0, &user, "mroute.read", NULL, NULL, 0), "no -");
    ck_assert_str_eq(decide(NULL, 0, &stranger, "mroute.write", "a", NULL, 0), "no -");
    ck_assert_str_eq(decide(NULL, 0, &root, "mroute.write", NULL, NULL, 0), "yes -");
    ck_assert_str_eq(decide(NULL, 0, &holder, "mroute.write", NULL, NULL, 0), "yes -");
}
END_TEST

/* By a subordinate id or from elsewhere nobody is the administrator, and a rule that allows has to
 * say that it holds there. */
START_TEST(a_rule_holds_where_it_says)
{
    const struct peer subordinate = {.uid = 500, .kernel_uid = 100005, .assigned = true},
                      elsewhere = {.uid = 500, .kernel_uid = 500, .elsewhere = true},
                      other_root = {
                          .uid = (uid_t)-2, .kernel_uid = 0, .assigned = true, .elsewhere = true};
    struct rule rule = rule_of("x", false);

    ck_assert_str_eq(decide(NULL, 0, &holder, "v", NULL, NULL, 0), "yes -");
    ck_assert_str_eq(decide(NULL, 0, &subordinate, "v", NULL, NULL, 0), "no -");
    ck_assert_str_eq(decide(NULL, 0, &elsewhere, "v", NULL, NULL, 0), "no -");
    ck_assert_str_eq(decide(NULL, 0, &other_root, "v", NULL, NULL, 0), "no -");
    ck_assert_str_eq(decide(&rule, 1, &subordinate, "v", NULL, NULL, 0), "yes x");
    ck_assert_str_eq(decide(&rule, 1, &elsewhere, "v", NULL, NULL, 0), "no -");
    rule.any_netns = true;
    ck_assert_str_eq(decide(&rule, 1, &elsewhere, "v", NULL, NULL, 0), "yes x");
    ck_assert_str_eq(decide(&rule, 1, &other_root, "v", NULL, NULL, 0), "yes x");
    rule.everyone = false;
    rule.users[rule.user_count++] = (struct uid_range){100000, 165535};
    ck_assert_str_eq(decide(&rule, 1, &subordinate, "v", NULL, NULL, 0), "yes x");
    ck_assert_str_eq(decide(&rule, 1, &elsewhere, "v", NULL, NULL, 0), "no -");
    rule.users[0] = (struct uid_range){0, 0};
    ck_assert_str_eq(decide(&rule, 1, &other_root, "v", NULL, NULL, 0), "yes x");
    rule.any_netns = false;
    rule.deny = true; /* which needs no such line */
    ck_assert_str_eq(decide(&rule, 1, &other_root, "v", NULL, NULL, 0), "no x");
}
END_TEST

START_TEST(a_rule_is_about_its_subjects)
{
    struct rule rule = rule_of("x", false);

    rule.everyone = false;
    ck_assert_str_eq(decide(&rule, 1, &user, "v", NULL, NULL, 0), "no -");
    rule.users[rule.user_count++] = (struct uid_range){1000, 1000};
    ck_assert_str_eq(decide(&rule, 1, &user, "v", NULL, NULL, 0), "yes x");
    ck_assert_str_eq(decide(&rule, 1, &stranger, "v", NULL, NULL, 0), "no -");
    rule.user_count = 0;
    rule.groups[rule.group_count++] = 100; /* the user's own */
    ck_assert_str_eq(decide(&rule, 1, &user, "v", NULL, NULL, 0), "yes x");
    rule.groups[0] = 60; /* a supplementary one */
    ck_assert_str_eq(decide(&rule, 1, &user, "v", NULL, NULL, 0), "yes x");
    rule.groups[0] = 1000; /* a group is not the user of the same number */
    ck_assert_str_eq(decide(&rule, 1, &user, "v", NULL, NULL, 0), "no -");
    rule.everyone = true;
    ck_assert_str_eq(decide(&rule, 1, &stranger, "v", NULL, NULL, 0), "yes x");
}
END_TEST

static const struct {
    const char *pattern, *verb;
    bool matches;
} verbs[] = {
    {"mroute.write", "mroute.write", true},
    {"mroute.write", "mroute.read", false},
    {"mroute.write", "mroute.writer", false},
    {"mroute.writer", "mroute.write", false},
    {"*.read", "mroute.read", true},
    {"*.read", "mroute.write", false},
    {"mroute.*", "mroute.write", true},
    {"mroute.*", "lease.read", false},
    {"*", "a.b", true},
    {"MROUTE.write", "mroute.write", false},
};

START_TEST(verbs_match_by_pattern)
{
    struct rule rule = rule_of("x", false);

    strcpy(rule.verbs[0], verbs[_i].pattern);
    ck_assert_str_eq(decide(&rule, 1, &user, verbs[_i].verb, NULL, NULL, 0),
                     verbs[_i].matches ? "yes x" : "no -");
}
END_TEST

/* What a rule for a, veth* and 239.10.0.0/16 in table 100 allows and denies. */
static const struct {
    const char *interfaces, *group;
    uint32_t table;
    bool allows, denies;
} targets[] = {
    {"a", "239.10.0.1", 100, true, true},
    {"a,veth7,veth", "239.10.0.1", 100, true, true},
    {"a,b", "239.10.0.1", 100, false, true}, /* one of them is within */
    {"b", "239.10.0.1", 100, false, false},
    {"A", "239.10.0.1", 100, false, false},
    {"aa", "239.10.0.1", 100, false, false},
    {"xveth0", "239.10.0.1", 100, false, false},
    {"a", "239.11.0.1", 100, false, false},
    {"a", "ff05::1", 100, false, false},
    {"a", "239.10.0.1", 101, false, false},
    /* What is not narrowed is about all there is. */
    {NULL, "239.10.0.1", 100, false, true},
    {"a", NULL, 100, false, true},
    {"a", "239.10.0.1", 0, false, true},
    {NULL, NULL, 0, false, true},
    {"b", NULL, 0, false, false},
    {NULL, "239.11.0.1", 0, false, false},
    {NULL, NULL, 101, false, false},
};

START_TEST(a_rule_allows_what_it_contains_and_denies_what_it_touches)
{
    struct rule rules[] = {rule_of("most", false), rule_of("x", false)};
    struct rule *rule = &rules[1];
    bool allows = targets[_i].allows, denies = targets[_i].denies;

    add_interface(rule, "a");
    add_interface(rule, "veth*");
    add_prefix(rule, "239.10.0.0", 16);
    rule->tables[rule->table_count++] = 100;
    ck_assert_str_eq(
        decide(rule, 1, &user, "v", targets[_i].interfaces, targets[_i].group, targets[_i].table),
        allows ? "yes x" : "no -");
    rule->deny = true;
    ck_assert_str_eq(
        decide(rules, 2, &user, "v", targets[_i].interfaces, targets[_i].group, targets[_i].table),
        denies ? "no x" : "yes most");
    ck_assert_str_eq(
        decide(rule, 1, &root, "v", targets[_i].interfaces, targets[_i].group, targets[_i].table),
        denies ? "no x" : "yes -");
}
END_TEST

START_TEST(deny_wins_wherever_it_stands)
{
    struct rule rules[] = {rule_of("first", false), rule_of("never", true), rule_of("last", false)};

    for (int i = 0; i < 3; i++) {
        struct rule moved = rules[1];

        ck_assert_str_eq(decide(rules, 3, &user, "v", "a", NULL, 0), "no never");
        rules[1] = rules[i];
        rules[i] = moved;
        ck_assert_str_eq(decide(rules, 3, &root, "v", "a", NULL, 0), "no never");
        rules[i] = rules[1];
        rules[1] = moved;
    }
}
END_TEST

START_TEST(the_first_rule_that_allows_is_named)
{
    struct rule rules[] = {rule_of("other", false), rule_of("first", false),
                           rule_of("second", false)};

    add_interface(&rules[0], "b");
    ck_assert_str_eq(decide(rules, 3, &user, "v", "a", NULL, 0), "yes first");
}
END_TEST

START_TEST(rules_are_not_added_up)
{
    struct rule rules[] = {rule_of("x", false), rule_of("y", false)};

    add_interface(&rules[0], "a");
    add_interface(&rules[1], "b");
    ck_assert_str_eq(decide(rules, 2, &user, "v", "a", NULL, 0), "yes x");
    ck_assert_str_eq(decide(rules, 2, &user, "v", "b", NULL, 0), "yes y");
    ck_assert_str_eq(decide(rules, 2, &user, "v", "a,b", NULL, 0), "no -");
}
END_TEST

/* For every length: the prefix has the address, also with any bit behind it turned, and has not the
 * address with any bit within it turned. */
static void try_prefix(const char *address, unsigned length)
{
    struct rule rule = rule_of("x", false);
    struct policy policy = {.started_by = 500, .count = 1, .rules = &rule};
    struct target target = {0};
    unsigned bits;

    add_prefix(&rule, address, length);
    target.group = prefix_single(&rule.prefixes[0].address);
    bits = target.group.address.family == FAMILY_IPV4 ? 32 : 128;
    ck_assert(policy_decide(&policy, &user, "v", &target).allowed);
    for (unsigned bit = 0; bit < bits; bit++) {
        uint8_t *byte = &target.group.address.bytes[bit / 8], mask = (uint8_t)(0x80 >> bit % 8);

        *byte ^= mask;
        ck_assert_msg(policy_decide(&policy, &user, "v", &target).allowed == (bit >= length),
                      "%s/%u with bit %u turned", address, length, bit);
        *byte ^= mask;
    }
}

START_TEST(prefixes_match_at_every_bit)
{
    for (unsigned length = 4; length <= 32; length++)
        try_prefix("239.170.85.204", length);
    for (unsigned length = 8; length <= 128; length++)
        try_prefix("ff3e:aaaa:5555:cccc:3333:f0f0:0f0f:9696", length);
}
END_TEST

START_TEST(an_ipv6_prefix_is_not_an_ipv4_one)
{
    struct rule rule = rule_of("x", false);

    add_prefix(&rule, "ef0a::", 16); /* the same first bytes as 239.10 */
    ck_assert_str_eq(decide(&rule, 1, &user, "v", NULL, "239.10.0.1", 0), "no -");
}
END_TEST

/* What a request calls "eth+" may be any interface whose name begins so: a rule allows it only if
 * it has them all, and denies it if it may have one. */
static const struct {
    const char *item, *asked;
    bool allows, denies;
} patterns[] = {
    {"eth*", "eth+", true, true},   {"*", "eth+", true, true},      {"e*", "eth+", true, true},
    {"eth0", "eth+", false, true},  {"eth?", "eth+", false, true},  {"eth*0", "eth+", false, true},
    {"et", "eth+", false, false},   {"eth", "eth+", false, true},   {"wlan*", "eth+", false, false},
    {"eth1*", "eth+", false, true}, {"*", "+", true, true},         {"eth0", "+", false, true},
    {"[e]*", "eth+", false, true},  {"eth+", "eth+", true, true},   {"abc*", "eth+", false, false},
    {"w*", "eth+", false, false},   {"eth+*", "eth+", false, true},
};

START_TEST(a_pattern_of_a_request_is_all_that_it_may_mean)
{
    struct rule rules[] = {rule_of("x", true), rule_of("y", false)};

    add_interface(&rules[0], patterns[_i].item);
    ck_assert_msg(*decide(rules, 2, &user, "v", patterns[_i].asked, NULL, 0) ==
                      (patterns[_i].denies ? 'n' : 'y'),
                  "deny %s: %s", patterns[_i].item, patterns[_i].asked);
    rules[0].deny = false;
    ck_assert_msg(*decide(rules, 1, &user, "v", patterns[_i].asked, NULL, 0) ==
                      (patterns[_i].allows ? 'y' : 'n'),
                  "allow %s: %s", patterns[_i].item, patterns[_i].asked);
}
END_TEST

START_TEST(a_range_of_groups_is_all_of_them)
{
    struct rule rules[] = {rule_of("x", true), rule_of("y", false)};

    add_prefix(&rules[0], "239.1.0.0", 16);
    ck_assert_str_eq(decide(rules, 2, &user, "v", NULL, "239.1.2.0/24", 0), "no x");
    ck_assert_str_eq(decide(rules, 2, &user, "v", NULL, "239.0.0.0/8", 0), "no x");
    ck_assert_str_eq(decide(rules, 2, &user, "v", NULL, "239.2.0.0/16", 0), "yes y");
    rules[0].deny = false;
    ck_assert_str_eq(decide(rules, 1, &user, "v", NULL, "239.1.2.0/24", 0), "yes x");
    ck_assert_str_eq(decide(rules, 1, &user, "v", NULL, "239.0.0.0/8", 0), "no -");
}
END_TEST

/* What rules for arp and sampled values, and for what comes in, allow and deny. */
static const struct {
    unsigned count;
    uint16_t types[2];
    uint8_t directions;
    const char *allowed, *denied;
} protocols[] = {
    {1, {0x88ba}, DIRECTION_IN, "yes r", "no r"},
    {2, {0x0806, 0x88ba}, DIRECTION_IN, "yes r", "no r"},
    {2, {0x0806, 0x0800}, DIRECTION_IN, "no -", "no r"},
    {1, {0x0800}, DIRECTION_IN, "no -", "yes all"},
    {0, {0}, DIRECTION_IN, "no -", "no r"},
    {1, {0x88ba}, DIRECTION_OUT, "no -", "yes all"},
    {1, {0x88ba}, DIRECTION_BOTH, "no -", "no r"},
    {1, {0x88ba}, 0, "no -", "no r"},
    {0, {0}, 0, "no -", "no r"},
};

START_TEST(ethertypes_and_directions_narrow_a_rule)
{
    struct rule rules[] = {rule_of("r", _i % 2), rule_of("all", false)};
    struct policy policy = {.started_by = 500, .count = _i % 2 ? 2 : 1, .rules = rules};
    struct target target = {.ethertype_count = protocols[_i / 2].count,
                            .directions = protocols[_i / 2].directions};
    struct decision decision;
    char text[64];

    memcpy(target.ethertypes, protocols[_i / 2].types, sizeof protocols[_i / 2].types);
    rules[0].ethertype_count = 2;
    rules[0].ethertypes[0] = 0x0806;
    rules[0].ethertypes[1] = 0x88ba;
    rules[0].directions = DIRECTION_IN;
    decision = policy_decide(&policy, &user, "v", &target);
    snprintf(text, sizeof text, "%s %s", decision.allowed ? "yes" : "no",
             decision.rule ? decision.rule->name : "-");
    ck_assert_str_eq(text, _i % 2 ? protocols[_i / 2].denied : protocols[_i / 2].allowed);
}
END_TEST

/* Who may see frames to other stations: what a rule that allows and one that denies decide. */
static const struct {
    enum rule_promiscuous rule;
    bool asked;
    const char *allowed, *denied;
} promiscuities[] = {
    {PROMISCUOUS_ANY, false, "yes r", "no r"},    {PROMISCUOUS_ANY, true, "yes r", "no r"},
    {PROMISCUOUS_NO, false, "yes r", "no r"},     {PROMISCUOUS_NO, true, "no -", "yes all"},
    {PROMISCUOUS_YES, false, "yes r", "yes all"}, {PROMISCUOUS_YES, true, "yes r", "no r"},
};

START_TEST(promiscuity_narrows_a_rule)
{
    struct rule rules[] = {rule_of("r", _i % 2), rule_of("all", false)};
    struct policy policy = {.started_by = 500, .count = _i % 2 ? 2 : 1, .rules = rules};
    struct target target = {.promiscuous = promiscuities[_i / 2].asked};
    struct decision decision;
    char text[64];

    rules[0].promiscuous = promiscuities[_i / 2].rule;
    decision = policy_decide(&policy, &user, "v", &target);
    snprintf(text, sizeof text, "%s %s", decision.allowed ? "yes" : "no",
             decision.rule ? decision.rule->name : "-");
    ck_assert_str_eq(text, _i % 2 ? promiscuities[_i / 2].denied : promiscuities[_i / 2].allowed);
}
END_TEST

/* What a rule is about of what is sent, and what is asked; a part that is not said is "". */
static const struct {
    struct sending {
        const char *source, *destination, *vlan;
    } rule, asked;
    const char *allowed, *denied;
} sendings[] = {
    {{"own", "", ""}, {"own", "", ""}, "yes r", "no r"},
    {{"own", "", ""}, {"02:00:00:00:00:09", "", ""}, "no -", "no r"}, /* it may be its own */
    {{"02:00:00:00:00:08", "", ""}, {"02:00:00:00:00:09", "", ""}, "no -", "yes all"},
    {{"own", "", ""}, {"any", "", ""}, "no -", "no r"},
    {{"any", "", ""}, {"02:00:00:00:00:09", "", ""}, "yes r", "no r"},
    {{"", "01:0c:cd:04:00:00/32", ""}, {"own", "01:0c:cd:04:00:01", ""}, "yes r", "no r"},
    {{"", "01:0c:cd:04:00:00/32", ""}, {"own", "01:0c:cd:01:00:01", ""}, "no -", "yes all"},
    {{"", "01:0c:cd:04:00:00/32", ""}, {"own", "01:0c:cd:00:00:00/24", ""}, "no -", "no r"},
    {{"", "01:0c:cd:04:00:00/32", ""}, {"own", "", ""}, "no -", "no r"},
    {{"", "", "100"}, {"own", "", "100"}, "yes r", "no r"},
    {{"", "", "100"}, {"own", "", "none"}, "no -", "yes all"},
    {{"", "", "100"}, {"own", "", ""}, "no -", "no r"},
    {{"", "", "none"}, {"own", "", "none"}, "yes r", "no r"},
    {{"own", "01:0c:cd:04:00:00/32", "100"},
     {"own", "01:0c:cd:04:00:00", "101"},
     "no -",
     "yes all"},
};

static void fill_scope(struct send_scope *scope, const struct sending *from)
{
    if (from->source[0])
        ck_assert_int_eq(source_list_add(&scope->sources, from->source), SCOPE_ADDED);
    if (from->destination[0])
        ck_assert_int_eq(destination_list_add(&scope->destinations, from->destination),
                         SCOPE_ADDED);
    if (from->vlan[0])
        ck_assert_int_eq(vlan_list_add(&scope->vlans, from->vlan), SCOPE_ADDED);
}

START_TEST(what_is_sent_narrows_a_rule)
{
    struct rule rules[] = {rule_of("r", _i % 2), rule_of("all", false)};
    struct policy policy = {.started_by = 500, .count = _i % 2 ? 2 : 1, .rules = rules};
    struct target target = {.rate = 1};
    struct decision decision;
    char text[64];

    fill_scope(&rules[0].scope, &sendings[_i / 2].rule);
    fill_scope(&target.scope, &sendings[_i / 2].asked);
    decision = policy_decide(&policy, &user, "v", &target);
    snprintf(text, sizeof text, "%s %s", decision.allowed ? "yes" : "no",
             decision.rule ? decision.rule->name : "-");
    ck_assert_str_eq(text, _i % 2 ? sendings[_i / 2].denied : sendings[_i / 2].allowed);
}
END_TEST

/* Who names no rate gets at most that of the rule, which the decision names. */
START_TEST(a_rate_narrows_a_rule)
{
    struct rule rules[] = {rule_of("slow", false), rule_of("fast", false)};
    struct policy policy = {.started_by = 500, .count = 2, .rules = rules};
    static const struct {
        uint32_t rate;
        const char *rule; /* NULL: it is not allowed */
    } rates[] = {{0, "slow"},   {1, "slow"},   {100, "slow"},
                 {101, "fast"}, {500, "fast"}, {501, NULL}};

    rules[0].rate = 100;
    rules[1].rate = 500;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const struct target target = {.rate = rates[i].rate};
        struct decision decision = policy_decide(&policy, &user, "v", &target);

        ck_assert_int_eq(decision.allowed, rates[i].rule != NULL);
        if (rates[i].rule)
            ck_assert_str_eq(decision.rule->name, rates[i].rule);
    }
}
END_TEST

START_TEST(a_narrow_denial_is_not_everything)
{
    struct rule rules[] = {rule_of("r", true), rule_of("all", false)};
    struct policy policy = {.started_by = 500, .count = 2, .rules = rules};

    ck_assert(!policy_decide_somewhere(&policy, &user, "v").allowed);
    rules[0].directions = DIRECTION_OUT;
    ck_assert(policy_decide_somewhere(&policy, &user, "v").allowed);
    rules[0].directions = 0;
    rules[0].ethertype_count = 1;
    ck_assert(policy_decide_somewhere(&policy, &user, "v").allowed);
    rules[0].ethertype_count = 0;
    rules[0].promiscuous = PROMISCUOUS_YES;
    ck_assert(policy_decide_somewhere(&policy, &user, "v").allowed);
    rules[0].promiscuous = PROMISCUOUS_ANY;
    fill_scope(&rules[0].scope, &(struct sending){"", "", "100"});
    ck_assert(policy_decide_somewhere(&policy, &user, "v").allowed);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, nothing_that_matches_means_no_but_to_administrators);
    tcase_add_test(tests, a_rule_is_about_its_subjects);
    tcase_add_test(tests, a_rule_holds_where_it_says);
    tcase_add_loop_test(tests, verbs_match_by_pattern, 0, (int)(sizeof verbs / sizeof *verbs));
    tcase_add_loop_test(tests, a_rule_allows_what_it_contains_and_denies_what_it_touches, 0,
                        (int)(sizeof targets / sizeof *targets));
    tcase_add_test(tests, deny_wins_wherever_it_stands);
    tcase_add_test(tests, the_first_rule_that_allows_is_named);
    tcase_add_test(tests, rules_are_not_added_up);
    tcase_add_test(tests, prefixes_match_at_every_bit);
    tcase_add_test(tests, an_ipv6_prefix_is_not_an_ipv4_one);
    tcase_add_loop_test(tests, a_pattern_of_a_request_is_all_that_it_may_mean, 0,
                        (int)(sizeof patterns / sizeof *patterns));
    tcase_add_test(tests, a_range_of_groups_is_all_of_them);
    tcase_add_loop_test(tests, ethertypes_and_directions_narrow_a_rule, 0,
                        2 * (int)(sizeof protocols / sizeof *protocols));
    tcase_add_loop_test(tests, promiscuity_narrows_a_rule, 0,
                        2 * (int)(sizeof promiscuities / sizeof *promiscuities));
    tcase_add_loop_test(tests, what_is_sent_narrows_a_rule, 0,
                        2 * (int)(sizeof sendings / sizeof *sendings));
    tcase_add_test(tests, a_rate_narrows_a_rule);
    tcase_add_test(tests, a_narrow_denial_is_not_everything);
}

int main(void)
{
    return suite_run("policy", add_tests);
}
