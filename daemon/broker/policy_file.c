/* The INI style, read by inih. A section is a rule, its name begins with what it does:
 *
 *     [allow the operators of the video network]
 *     group = video
 *     verbs = mroute.write, *.read
 *     interfaces = eth1, veth*
 *     multicast = 239.10.0.0/16
 */
#include "policy_file.h"

#include "log.h"
#include "table.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <grp.h>
#include <ini.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- The parts of a rule ------------------------------------------------------------------- */

/* Each takes one item of a list. Returns NULL, or what would be right. */
typedef const char *take_item(struct rule *rule, const char *item);

static const char *take_user(struct rule *rule, const char *item)
{
    const struct passwd *entry = getpwnam(item);

    if (!entry)
        return "the name of a user of this machine";
    rule->users[rule->user_count++] = entry->pw_uid;
    return NULL;
}

static const char *take_group(struct rule *rule, const char *item)
{
    const struct group *entry = getgrnam(item);

    if (!entry)
        return "the name of a group of this machine";
    rule->groups[rule->group_count++] = entry->gr_gid;
    return NULL;
}

static const char *take_everyone(struct rule *rule, const char *item)
{
    if (strcmp(item, "yes") != 0)
        return "yes, or no such line";
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
    if (strlen(item) > INTERFACE_NAME_MAX)
        return "the name of an interface, of at most 15 characters, or a pattern such as veth*";
    strcpy(rule->interfaces[rule->interface_count++], item);
    return NULL;
}

static const char *take_multicast(struct rule *rule, const char *item)
{
    static const char right[] = "a multicast group or prefix such as 239.10.0.0/16 or ff3e::/16";
    struct prefix *prefix = &rule->prefixes[rule->prefix_count];
    char address[ADDRESS_TEXT_MAX];
    const char *slash = strchr(item, '/');
    size_t length = slash ? (size_t)(slash - item) : strlen(item);

    if (length >= sizeof address)
        return right;
    memcpy(address, item, length);
    address[length] = '\0';
    if (!address_parse(address, &prefix->address) || !address_is_multicast(&prefix->address))
        return right;

    int most = prefix->address.family == FAMILY_IPV4 ? 32 : 128;
    int bits = slash ? atoi(slash + 1) : most;

    if (bits < (most == 32 ? 4 : 8) || bits > most ||
        (slash && strspn(slash + 1, "0123456789") != strlen(slash + 1)))
        return right;
    prefix->length = (uint8_t)bits;
    rule->prefix_count++;
    return NULL;
}

static const char *take_table(struct rule *rule, const char *item)
{
    char *end;
    unsigned long id = strtoul(item, &end, 10);

    if (end == item || *end || id == 0 || id > TABLE_ID_MAX)
        return "the number of a routing table, 1 to 999999999";
    rule->tables[rule->table_count++] = (uint32_t)id;
    return NULL;
}

static const struct {
    const char *name;
    take_item *take;
    size_t count_offset; /* of the number of items there are; for `everyone`, none */
} parts[] = {
    {"user", take_user, offsetof(struct rule, user_count)},
    {"group", take_group, offsetof(struct rule, group_count)},
    {"everyone", take_everyone, 0},
    {"verbs", take_verb, offsetof(struct rule, verb_count)},
    {"interfaces", take_interface, offsetof(struct rule, interface_count)},
    {"multicast", take_multicast, offsetof(struct rule, prefix_count)},
    {"tables", take_table, offsetof(struct rule, table_count)},
};

/* --- A file -------------------------------------------------------------------------------- */

struct parsing {
    struct policy *policy;
    FILE *file;
    const char *name;
    int line;
    char section[RULE_NAME_MAX + 16]; /* of the rule that is being read */
    bool failed;
};

static void complain(struct parsing *parsing, const char *what, const char *right)
{
    log_line(LOG_ERR, "%s:%d: '%s' is a mistake; right would be %s.", parsing->name, parsing->line,
             what, right);
    parsing->failed = true;
}

static struct rule *add_rule(struct policy *policy)
{
    struct rule *rules = policy->count < RULES_MAX
                             ? realloc(policy->rules, (policy->count + 1) * sizeof *rules)
                             : NULL;

    if (!rules)
        return NULL;
    policy->rules = rules;
    memset(&rules[policy->count], 0, sizeof *rules);
    return &rules[policy->count++];
}

/* A new section begins a rule: "allow NAME" or "deny NAME". */
static struct rule *begin_rule(struct parsing *parsing, const char *section)
{
    static const char right[] = "[allow NAME] or [deny NAME], with a name of at most 40 characters";
    bool deny = strncmp(section, "deny ", 5) == 0;
    const char *name = deny ? section + 5 : section + 6;
    struct rule *rule;

    if ((!deny && strncmp(section, "allow ", 6) != 0) || strlen(name) > RULE_NAME_MAX) {
        complain(parsing, section, right);
        return NULL;
    }
    rule = add_rule(parsing->policy);
    if (!rule) {
        complain(parsing, section, "one of 256 rules at most");
        return NULL;
    }
    rule->deny = deny;
    strcpy(rule->name, name);
    strcpy(parsing->section, section);
    return rule;
}

static const char *take_list(struct rule *rule, size_t part, char *text)
{
    const unsigned *count = (const unsigned *)((char *)rule + parts[part].count_offset);
    char *rest = text, *item;

    while ((item = strsep(&rest, ","))) {
        const char *right;

        item += strspn(item, " \t");
        item[strcspn(item, " \t")] = '\0';
        if (parts[part].count_offset && *count == RULE_ITEMS_MAX)
            return "a list of at most 32; write a second rule for the others";
        right = parts[part].take(rule, item);
        if (right)
            return right;
    }
    return NULL;
}

static void take_part(struct parsing *parsing, struct rule *rule, const char *name,
                      const char *value)
{
    char text[1024];
    const char *right = "user, group, everyone, verbs, interfaces, multicast or tables";

    snprintf(text, sizeof text, "%s", value);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, name) == 0) {
            right = take_list(rule, i, text);
            if (right)
                complain(parsing, value, right);
            return;
        }
    complain(parsing, name, right);
}

static int take_setting(void *context, const char *section, const char *name, const char *value)
{
    struct parsing *parsing = context;
    struct policy *policy = parsing->policy;
    struct rule *rule;

    /* Lines before the first section are no part of the last rule of the file before. */
    if (parsing->section[0] && strcmp(section, parsing->section) == 0)
        rule = &policy->rules[policy->count - 1];
    else
        rule = begin_rule(parsing, section);
    if (rule)
        take_part(parsing, rule, name, value);
    return 1;
}

static char *read_line(char *text, int size, void *context)
{
    struct parsing *parsing = context;

    parsing->line++;
    return fgets(text, size, parsing->file);
}

/* A rule without subjects or verbs says nothing: it was meant otherwise. */
static void check_rule(struct parsing *parsing, const struct rule *rule)
{
    if (!rule->everyone && !rule->user_count && !rule->group_count)
        complain(parsing, rule->name, "a rule with a line user, group or everyone");
    if (!rule->verb_count)
        complain(parsing, rule->name, "a rule with a line verbs");
}

bool policy_parse(struct policy *policy, FILE *file, const char *name)
{
    struct parsing parsing = {.policy = policy, .file = file, .name = name};
    size_t first = policy->count;
    int line = ini_parse_stream(read_line, &parsing, take_setting, &parsing);

    if (line != 0) {
        log_line(LOG_ERR, "%s:%d: no setting; right would be NAME = VALUE.", name, line);
        return false;
    }
    for (size_t i = first; i < policy->count; i++)
        check_rule(&parsing, &policy->rules[i]);
    return !parsing.failed;
}

void policy_clear(struct policy *policy)
{
    free(policy->rules);
    *policy = (struct policy){0};
}

/* --- The files there are ------------------------------------------------------------------- */

static const char *judge_file(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return "it is no regular file";
    if (status.st_uid != 0)
        return "it must belong to root";
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return "nobody but root may have the right to write it";
    return NULL;
}

static bool parse_file(struct policy *policy, const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    const char *why = fd < 0 ? strerror(errno) : judge_file(fd);
    FILE *file = why ? NULL : fdopen(fd, "r");
    bool parsed;

    if (fd < 0 && errno == ENOENT)
        return true;
    if (!file) {
        log_line(LOG_ERR, "the policy file %s is not used: %s.", path, why ? why : strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    parsed = policy_parse(policy, file, path);
    fclose(file);
    return parsed;
}

static int is_drop_in(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && fnmatch("*.conf", entry->d_name, 0) == 0;
}

static bool parse_folder(struct policy *policy, const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, is_drop_in, alphasort);
    bool parsed = count >= 0 || errno == ENOENT;

    if (!parsed)
        log_line(LOG_ERR, "cannot read the folder %s: %s.", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX + 512];

        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        parsed &= parse_file(policy, path);
        free(names[i]);
    }
    free(names);
    return parsed;
}

/* /etc/netbroker/policy.conf has its drop-ins in /etc/netbroker/policy.d. */
static void drop_in_folder(const char *path, char *folder, size_t size)
{
    size_t length = strlen(path);

    if (length > 5 && strcmp(path + length - 5, ".conf") == 0)
        length -= 5;
    snprintf(folder, size, "%.*s.d", (int)length, path);
}

bool policy_load(struct policy *policy, const char *path)
{
    struct policy loaded = {.administrator = policy->administrator};
    char folder[PATH_MAX + 8];

    drop_in_folder(path, folder, sizeof folder);

    bool parsed = parse_file(&loaded, path);

    parsed &= parse_folder(&loaded, folder);
    if (!parsed) {
        policy_clear(&loaded);
        return false;
    }
    policy_clear(policy);
    *policy = loaded;
    return true;
}
