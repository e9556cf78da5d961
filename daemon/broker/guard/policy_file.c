/* A rule is a section of settings (settings.h); its heading begins with what it does:
 *
 *     [allow the operators of the video network]
 *     group = video
 *     verbs = mroute.write, *.read
 *     interfaces = eth1, veth*
 *     multicast = 239.10.0.0/16
 */
#include "policy_file.h"

#include "admin_files.h"
#include "decode.h"
#include "mistakes.h"
#include "names.h"
#include "settings.h"
#include "user_names.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* --- The parts of a rule ------------------------------------------------------------------- */

/* Each takes one item of a list. Returns NULL, or what would be right. */
typedef const char *take_item(struct rule *rule, const char *item);

static const char *take_user(struct rule *rule, const char *item)
{
    uid_t uid;

    if (!names_user(item, &uid))
        return "the name of a user of this machine; numbers stand in a line users";
    rule->users[rule->user_count++] = (struct uid_range){uid, uid};
    return NULL;
}

/* A number, or two with '-' between them. */
static const char *take_users(struct rule *rule, const char *item)
{
    static const char right[] =
        "the number of a user, or a range of numbers such as 100000-165535; "
        "names stand in a line user";
    struct uid_range *range = &rule->users[rule->user_count];
    char first[SETTINGS_LINE_MAX + 1];
    const char *last = strchr(item, '-');
    unsigned long from, to;

    snprintf(first, sizeof first, "%.*s", last ? (int)(last - item) : SETTINGS_LINE_MAX, item);
    if (!system_file_number(first, UID_LAST, &from) ||
        !system_file_number(last ? last + 1 : first, UID_LAST, &to) || from > to)
        return right;
    *range = (struct uid_range){(uid_t)from, (uid_t)to};
    rule->user_count++;
    return NULL;
}

static const char *take_netns(struct rule *rule, const char *item)
{
    if (rule->deny)
        return "in a rule that allows, own or any; a rule that denies holds for all";
    if (strcmp(item, "any") != 0 && strcmp(item, "own") != 0)
        return "own or any";
    rule->any_netns = item[0] == 'a';
    return NULL;
}

static const char *take_group(struct rule *rule, const char *item)
{
    if (!names_group(item, &rule->groups[rule->group_count]))
        return "the name of a group of this machine";
    rule->group_count++;
    return NULL;
}

static const char *take_everyone(struct rule *rule, const char *item)
{
    if (strcmp(item, "yes") != 0)
        return "yes, or leave the line out";
    rule->everyone = true;
    return NULL;
}

static const char *take_verb(struct rule *rule, const char *item)
{
    if (strlen(item) > WORD_LENGTH_MAX)
        return "a verb of at most 31 characters";
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (fnmatch(item, action_row(action)->policy, 0) == 0) {
            strcpy(rule->verbs[rule->verb_count++], item);
            return NULL;
        }
    return "a verb such as mroute.write or mroute.read, or a pattern such as *.read";
}

static const char *take_interface(struct rule *rule, const char *item)
{
    if (!interface_name_is_valid(item))
        return "the name of an interface, of at most 15 characters, or a pattern such as veth*";
    if (strchr(item, '+')) /* is the pattern of requests, and would be a name here */
        return "a pattern with '*', such as veth*; '+' is for requests";
    strcpy(rule->interfaces[rule->interface_count++], item);
    return NULL;
}

/* Digits and nothing else, of a number up to that of the last routing table. */
static bool parse_number(const char *text, uint32_t *ret)
{
    size_t length = strlen(text);

    if (length == 0 || length > 9 || strspn(text, "0123456789") != length)
        return false;
    *ret = (uint32_t)strtoul(text, NULL, 10);
    return true;
}

static const char *take_multicast(struct rule *rule, const char *item)
{
    static const char right[] = "a multicast group or prefix such as 239.10.0.0/16 or ff3e::/16";
    struct prefix *prefix = &rule->prefixes[rule->prefix_count];

    if (!prefix_parse(item, prefix) || !prefix_is_multicast(prefix))
        return right;
    rule->prefix_count++;
    return NULL;
}

static const char *take_table(struct rule *rule, const char *item)
{
    uint32_t id;

    if (!parse_number(item, &id) || id == 0)
        return "the number of a routing table, 1 to 999999999";
    rule->tables[rule->table_count++] = id;
    return NULL;
}

static const char *take_ethertype(struct rule *rule, const char *item)
{
    if (!ethertype_parse(item, &rule->ethertypes[rule->ethertype_count]))
        return "an EtherType from 0x0600 to 0xffff, such as 0x88ba, or one of " ETHERTYPE_WORDS;
    rule->ethertype_count++;
    return NULL;
}

static const char *take_direction(struct rule *rule, const char *item)
{
    uint8_t direction;

    if (!direction_parse(item, &direction))
        return "in, out or both";
    rule->directions |= direction;
    return NULL;
}

static const char *take_promiscuous(struct rule *rule, const char *item)
{
    bool is_yes = strcmp(item, "yes") == 0;

    if (!is_yes && strcmp(item, "no") != 0)
        return "yes or no";
    rule->promiscuous = is_yes ? PROMISCUOUS_YES : PROMISCUOUS_NO;
    return NULL;
}

/* What is there twice is there. */
static const char *take_source_mac(struct rule *rule, const char *item)
{
    enum scope_added added = source_list_add(&rule->scope.sources, item);

    return added == SCOPE_ADDED || added == SCOPE_TWICE
               ? NULL
               : "own, any, or at most 32 unicast Ethernet addresses such as 52:54:00:12:34:56";
}

static const char *take_destination_mac(struct rule *rule, const char *item)
{
    enum scope_added added = destination_list_add(&rule->scope.destinations, item);

    return added == SCOPE_ADDED || added == SCOPE_TWICE
               ? NULL
               : "at most 32 Ethernet addresses, with a number of bits or without, such as "
                 "01:0c:cd:04:00:00/32";
}

static const char *take_vlan(struct rule *rule, const char *item)
{
    enum scope_added added = vlan_list_add(&rule->scope.vlans, item);

    return added == SCOPE_ADDED || added == SCOPE_TWICE ? NULL
                                                        : "none, or at most 32 VLANs, 0 to 4094";
}

static const char *take_rate(struct rule *rule, const char *item)
{
    uint32_t rate;

    if (rule->deny || !parse_number(item, &rate) || rate == 0)
        return "in a rule that allows, how many frames a second, 1 or more";
    rule->rate = rate;
    return NULL;
}

static const char *take_leases(struct rule *rule, const char *item)
{
    uint32_t count;

    if (rule->deny || !parse_number(item, &count) || count == 0)
        return "in a rule that allows, how many leases a user may hold, 1 or more";
    rule->leases = count;
    return NULL;
}

static const struct {
    const char *name;
    take_item *take;
    size_t count_offset; /* of the number of items there are; for what is no list, none */
} parts[] = {
    {"user", take_user, offsetof(struct rule, user_count)},
    {"users", take_users, offsetof(struct rule, user_count)},
    {"group", take_group, offsetof(struct rule, group_count)},
    {"everyone", take_everyone, 0},
    {"netns", take_netns, 0},
    {"verbs", take_verb, offsetof(struct rule, verb_count)},
    {"interfaces", take_interface, offsetof(struct rule, interface_count)},
    {"multicast", take_multicast, offsetof(struct rule, prefix_count)},
    {"tables", take_table, offsetof(struct rule, table_count)},
    {"ethertypes", take_ethertype, offsetof(struct rule, ethertype_count)},
    {"direction", take_direction, 0},
    {"promiscuous", take_promiscuous, 0},
    {"source-macs", take_source_mac, 0},
    {"destination-macs", take_destination_mac, 0},
    {"vlans", take_vlan, 0},
    {"frames-per-second", take_rate, 0},
    {"leases", take_leases, 0},
};

/* --- A file -------------------------------------------------------------------------------- */

struct parsing {
    struct policy *policy;
    const char *name;
    int heading;       /* the line of the section's heading; 0: none yet */
    bool empty;        /* no line of the section was read yet */
    struct rule *rule; /* of the section; NULL: none, or its heading is a mistake */
    bool is_general;   /* the section is [policy] */
    bool spoilt;       /* a line of the section has a mistake: what it lacks is no second one */
    struct mistakes *mistakes;
};

static void complain(void *context, int line, const char *what, const char *right)
{
    struct parsing *parsing = context;

    mistakes_add(parsing->mistakes, "%s:%d: '%s' is wrong; right would be %s.", parsing->name, line,
                 what, right);
    parsing->spoilt = true;
}

static struct rule *add_rule(struct policy *policy)
{
    return policy->count < RULES_MAX ? &policy->rules[policy->count++] : NULL;
}

/* A heading begins a rule: "allow NAME" or "deny NAME". NULL on a mistake. */
static struct rule *begin_rule(struct parsing *parsing, int line, const char *heading)
{
    static const char right[] =
        "[allow NAME], [deny NAME] or [policy], with a name of at most 40 characters";
    bool deny = strncmp(heading, "deny ", 5) == 0;
    const char *name = deny ? heading + 5 : heading + 6;
    struct rule *rule;

    if ((!deny && strncmp(heading, "allow ", 6) != 0) || strlen(name) > RULE_NAME_MAX) {
        complain(parsing, line, heading, right);
        return NULL;
    }
    rule = add_rule(parsing->policy);
    if (!rule) {
        complain(parsing, line, heading, "at most 256 rules");
        return NULL;
    }
    rule->deny = deny;
    strcpy(rule->name, name);
    return rule;
}

static const char *take_list(struct rule *rule, size_t part, char *text)
{
    const unsigned *count = (const unsigned *)((char *)rule + parts[part].count_offset);
    char *rest = text, *item;

    while ((item = strsep(&rest, ","))) {
        const char *right;
        size_t length;

        item += strspn(item, " \t");
        length = strlen(item);
        while (length > 0 && strchr(" \t", item[length - 1]))
            length--;
        item[length] = '\0';
        if (parts[part].count_offset && *count == RULE_ITEMS_MAX)
            return "a list of at most 32; write a second rule for the others";
        right = parts[part].take(rule, item);
        if (right)
            return right;
    }
    return NULL;
}

static void take_part(struct parsing *parsing, int line, const char *name, const char *value)
{
    char text[SETTINGS_LINE_MAX + 1];
    const char *right =
        "user, users, group, everyone, netns, verbs, interfaces, multicast, tables, "
        "ethertypes, direction, promiscuous, source-macs, destination-macs, vlans, "
        "frames-per-second or "
        "leases";

    snprintf(text, sizeof text, "%s", value);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, name) == 0) {
            right = take_list(parsing->rule, i, text);
            if (right)
                complain(parsing, line, value, right);
            return;
        }
    complain(parsing, line, name, right);
}

/* A rule without subjects or verbs says nothing: it was meant otherwise. */
static void judge_rule(struct parsing *parsing)
{
    const struct rule *rule = parsing->rule;
    int line = parsing->heading;

    if (parsing->empty) {
        complain(parsing, line, "a heading with nothing after it", "a rule");
        return;
    }
    if (parsing->spoilt)
        return;
    if (!rule->everyone && !rule->user_count && !rule->group_count)
        complain(parsing, line, rule->name, "a rule with a line user, users, group or everyone");
    if (!rule->verb_count)
        complain(parsing, line, rule->name, "a rule with a line verbs");
}

static void take_administrator(struct parsing *parsing, int line, const char *name,
                               const char *value)
{
    struct policy *policy = parsing->policy;
    bool is_none = strcmp(value, "none") == 0;
    uid_t uid = (uid_t)-1;
    bool is_right = is_none || names_user(value, &uid);

    if (strcmp(name, "administrator") != 0)
        complain(parsing, line, name, "administrator");
    else if (policy->names_administrator)
        complain(parsing, line, name, "one such line in all files of the policy");
    else if (!is_right)
        complain(parsing, line, value, "the name of a user of this machine, or none");
    else {
        policy->names_administrator = true;
        policy->administrator = uid;
    }
}

static void end_section(struct parsing *parsing)
{
    if (parsing->rule)
        judge_rule(parsing);
    parsing->rule = NULL;
    parsing->is_general = false;
    parsing->empty = true;
    parsing->spoilt = false;
}

static void take_heading(void *context, int line, const char *heading)
{
    struct parsing *parsing = context;

    end_section(parsing);
    parsing->heading = line;
    parsing->is_general = heading && strcmp(heading, "policy") == 0;
    parsing->rule = heading && !parsing->is_general ? begin_rule(parsing, line, heading) : NULL;
}

/* Settings below a heading that is a mistake are not judged. */
static void take_setting(void *context, int line, const char *name, const char *value)
{
    struct parsing *parsing = context;

    if (parsing->rule)
        take_part(parsing, line, name, value);
    else if (parsing->is_general)
        take_administrator(parsing, line, name, value);
    else if (!parsing->heading && parsing->empty)
        complain(parsing, line, name,
                 "a heading such as [allow NAME] or [policy] before the first setting");
    parsing->empty = false;
}

bool policy_parse(struct policy *policy, FILE *file, const char *name, struct mistakes *mistakes)
{
    struct parsing parsing = {.policy = policy, .name = name, .empty = true, .mistakes = mistakes};
    const struct settings_reader reader = {.heading = take_heading,
                                           .setting = take_setting,
                                           .mistake = complain,
                                           .lists = true,
                                           .context = &parsing};
    size_t before = mistakes->count;
    int result;

    /* Room for all there may be; the system gives memory only for those that come. */
    if (!policy->rules)
        policy->rules = calloc(RULES_MAX, sizeof *policy->rules);
    if (!policy->rules) {
        mistakes_add(mistakes, "no memory for the rules of %s.", name);
        return false;
    }
    result = settings_read(file, &reader);
    end_section(&parsing);
    if (result < 0)
        mistakes_add(mistakes, "cannot read %s: %s.", name, strerror(-result));
    return mistakes->count == before;
}

void policy_clear(struct policy *policy)
{
    free(policy->rules);
    *policy = (struct policy){0};
}

/* --- The files there are ------------------------------------------------------------------- */

struct loading {
    struct policy policy;
    struct mistakes *mistakes;
};

static bool parse_file(void *context, FILE *file, const char *path)
{
    struct loading *loading = context;

    return policy_parse(&loading->policy, file, path, loading->mistakes);
}

bool policy_load(struct policy *policy, const char *path, bool required, struct mistakes *mistakes)
{
    struct loading loading = {{.started_by = policy->started_by}, mistakes};
    struct admin_files files = {
        .path = path,
        .what = "policy",
        .required = required,
        .mistakes = mistakes,
        .read = parse_file,
        .context = &loading,
    };

    if (!admin_files_read(&files)) {
        policy_clear(&loading.policy);
        return false;
    }
    policy_clear(policy);
    *policy = loading.policy;
    return true;
}
