/* The file has headings and settings (settings.h):
 *
 *     [service]
 *     socket = /run/netbroker/netbroker.sock
 *     state = /var/lib/netbroker/state
 *     policy = /etc/netbroker/policy.conf
 *     multicast = /etc/netbroker/multicast.conf
 *     user = netbroker
 *     log-level = info
 *     tables = default, 100-199
 *     require-sandbox = basic
 *     tap-prefix = nb-
 *     tap-spares = 4
 *     tap-bridges = br0, virbr0
 *     tap-uplinks = eth0
 *     tap-networks = 192.168.0.0/24
 *     capture-interfaces = eth1, veth*
 *     inject-interfaces = veth*
 *
 *     [limits]
 *     connections-per-user = 1000
 */
#include "config.h"

#include "admin_file.h"
#include "log.h"
#include "settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    TEXT,
    LEVEL,
    NUMBER,
    SANDBOX,
    TABLES,
    TAP_PREFIX,
    TAP_BRIDGES,
    TAP_NETWORKS,
    INTERFACES
};

struct setting {
    const char *name;
    enum kind kind;
    size_t offset, size;
    const char *right;
    unsigned least, most;
};

static const struct setting service_settings[] = {
    {"socket", TEXT, offsetof(struct config, socket), sizeof((struct config *)0)->socket,
     "a path of at most 107 bytes", 0, 0},
    {"state", TEXT, offsetof(struct config, state), sizeof((struct config *)0)->state, "a path", 0,
     0},
    {"policy", TEXT, offsetof(struct config, policy), sizeof((struct config *)0)->policy, "a path",
     0, 0},
    {"multicast", TEXT, offsetof(struct config, multicast), sizeof((struct config *)0)->multicast,
     "a path", 0, 0},
    {"user", TEXT, offsetof(struct config, user), sizeof((struct config *)0)->user,
     "the name of a user", 0, 0},
    {"log-level", LEVEL, offsetof(struct config, log_level), sizeof(int),
     "error, warning, notice, info or debug", 0, 0},
    {"tables", TABLES, offsetof(struct config, tables), sizeof(struct tables_allowed),
     "any, or a list like 'default, 100-199' of at most 16 tables and ranges", 0, 0},
    {"require-sandbox", SANDBOX, offsetof(struct config, require_sandbox),
     sizeof(enum sandbox_level), "no, basic or full; yes is basic", 0, 0},
    {"tap-prefix", TAP_PREFIX, offsetof(struct config, tap_prefix), TAP_PREFIX_MAX + 1,
     "a letter, and up to 7 letters, digits, '-', '_' or '.'", 0, 0},
    {"tap-spares", NUMBER, offsetof(struct config, tap_spares), sizeof(unsigned),
     "a number from 0 to 64", 0, TAP_SPARES_MAX},
    {"tap-bridges", TAP_BRIDGES, offsetof(struct config, tap_bridges), sizeof(struct tap_bridges),
     "none, or a list like 'br0, virbr0' of at most 16 interfaces", 0, 0},
    {"tap-uplinks", TAP_BRIDGES, offsetof(struct config, tap_uplinks), sizeof(struct tap_bridges),
     "none, or a list like 'eth0, eth1' of at most 16 interfaces", 0, 0},
    {"tap-networks", TAP_NETWORKS, offsetof(struct config, tap_networks),
     sizeof(struct tap_networks),
     "none, or a list like '192.168.0.0/24, fd00:1::/64' of at most 16 prefixes", 0, 0},
    {"capture-interfaces", INTERFACES, offsetof(struct config, capture_interfaces),
     sizeof(struct interface_set), "none, or a list like 'eth1, veth*' of at most 16 interfaces", 0,
     0},
    {"inject-interfaces", INTERFACES, offsetof(struct config, inject_interfaces),
     sizeof(struct interface_set), "none, or a list like 'eth1, veth*' of at most 16 interfaces", 0,
     0},
};

static const struct setting limit_settings[] = {
#define L(member, name, value, least, most)                                                        \
    {name,                                                                                         \
     NUMBER,                                                                                       \
     offsetof(struct config, limits.member),                                                       \
     sizeof(unsigned),                                                                             \
     "a number from " #least " to " #most,                                                         \
     least,                                                                                        \
     most},
    LIMITS(L)
#undef L
};

#define L(member, name, value, least, most) " " name
static const struct section {
    const char *name;
    const struct setting *settings;
    size_t count;
    const char *names;
} sections[] = {
    {"service", service_settings, sizeof service_settings / sizeof *service_settings,
     "socket, state, policy, multicast, user, log-level, tables, require-sandbox, tap-prefix, "
     "tap-spares, tap-bridges, tap-uplinks, tap-networks, capture-interfaces or inject-interfaces"},
    {"limits", limit_settings, sizeof limit_settings / sizeof *limit_settings, "one of" LIMITS(L)},
};
#undef L

void config_init(struct config *config)
{
    *config = (struct config){.log_level = LOG_INFO, .limits = LIMITS_DEFAULT};
    strcpy(config->file, CONFIG_FILE_DEFAULT);
    strcpy(config->socket, CONFIG_SOCKET_DEFAULT);
    strcpy(config->policy, CONFIG_POLICY_DEFAULT);
    strcpy(config->multicast, CONFIG_MULTICAST_DEFAULT);
    strcpy(config->user, "netbroker");
    strcpy(config->tap_prefix, TAP_PREFIX_DEFAULT);
    config->tap_spares = TAP_SPARES_DEFAULT;
}

bool config_requires_policy(const struct config *config)
{
    return strcmp(config->policy, CONFIG_POLICY_DEFAULT) != 0;
}

bool config_requires_multicast(const struct config *config)
{
    return strcmp(config->multicast, CONFIG_MULTICAST_DEFAULT) != 0;
}

static bool set_level(int *target, const char *value)
{
    int level = log_level_parse(value);

    if (level >= 0)
        *target = level;
    return level >= 0;
}

static bool set_number(unsigned *target, const struct setting *setting, const char *value)
{
    unsigned long number;

    if (strspn(value, "0123456789") != strlen(value) || value[0] == '\0')
        return false;
    number = strtoul(value, NULL, 10); /* ULONG_MAX where it is too large */
    if (number < setting->least || number > setting->most)
        return false;
    *target = (unsigned)number;
    return true;
}

static bool set_sandbox(enum sandbox_level *target, const char *value)
{
    static const struct {
        const char *word;
        enum sandbox_level level;
    } words[] = {
        {"no", SANDBOX_NONE},
        {"yes", SANDBOX_BASIC},
        {"basic", SANDBOX_BASIC},
        {"full", SANDBOX_FULL},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, value) == 0) {
            *target = words[i].level;
            return true;
        }
    return false;
}

static bool set_text(char *target, size_t size, const char *value)
{
    if (value[0] == '\0' || strlen(value) >= size)
        return false;
    strcpy(target, value);
    return true;
}

static bool set_value(struct config *config, const struct setting *setting, const char *value)
{
    void *target = (char *)config + setting->offset;

    switch (setting->kind) {
    case LEVEL:
        return set_level(target, value);
    case NUMBER:
        return set_number(target, setting, value);
    case SANDBOX:
        return set_sandbox(target, value);
    case TABLES:
        return tables_allowed_parse(value, target);
    case TAP_PREFIX:
        return tap_prefix_parse(value, target);
    case TAP_BRIDGES:
        return tap_bridges_parse(value, target);
    case TAP_NETWORKS:
        return tap_networks_parse(value, target);
    case INTERFACES:
        return interface_set_parse(value, target);
    default:
        return set_text(target, setting->size, value);
    }
}

static const struct setting *find_setting(const struct section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++)
        if (strcmp(section->settings[i].name, name) == 0)
            return &section->settings[i];
    return NULL;
}

static const char *set_in(const struct section *section, struct config *config, const char *name,
                          const char *value)
{
    const struct setting *setting = find_setting(section, name);

    if (!setting)
        return section->names;
    return set_value(config, setting, value) ? NULL : setting->right;
}

const char *config_set(struct config *config, const char *name, const char *value)
{
    return set_in(&sections[0], config, name, value);
}

struct reading {
    struct config config;
    char heading[SETTINGS_LINE_MAX + 1]; /* as it was written, for messages; "": none */
    const struct section *section;       /* NULL: there is none of this heading */
    bool ignoring;                       /* the heading is a mistake that was told */
    struct mistakes *mistakes;
};

static void report_mistake(void *context, int line, const char *what, const char *right)
{
    struct reading *reading = context;

    mistakes_add(reading->mistakes, "%s:%d: '%s' is wrong; right would be %s.",
                 reading->config.file, line, what, right);
    reading->config.doubtful = true;
}

static void take_heading(void *context, int line, const char *heading)
{
    struct reading *reading = context;

    (void)line;
    reading->ignoring = heading == NULL;
    reading->section = NULL;
    snprintf(reading->heading, sizeof reading->heading, "%s", heading ? heading : "");
    for (size_t i = 0; heading && i < sizeof sections / sizeof *sections; i++)
        if (strcmp(sections[i].name, heading) == 0)
            reading->section = &sections[i];
}

/* A setting whose value is wrong, or a line that may have been meant for any: the side that permits
 * less. */
static void fall_to_safe_side(struct config *config, const struct section *section,
                              const char *name)
{
    const struct setting *setting = section ? find_setting(section, name) : NULL;

    if (setting && setting->kind == SANDBOX)
        config->require_sandbox = SANDBOX_FULL;
    else if (!setting || setting->kind == TABLES || strcmp(name, "policy") == 0)
        config->doubtful = true;
}

static void take_setting(void *context, int line, const char *name, const char *value)
{
    struct reading *reading = context;
    const char *right = "the section [service] or [limits]";

    if (reading->ignoring)
        return;
    if (reading->section)
        right = set_in(reading->section, &reading->config, name, value);
    if (!right)
        return;
    mistakes_add(reading->mistakes, "%s:%d: [%s] %s = %s is wrong; right would be %s.",
                 reading->config.file, line, reading->heading, name, value, right);
    fall_to_safe_side(&reading->config, reading->section, name);
}

static void read_settings(struct reading *reading, FILE *file)
{
    const struct settings_reader reader = {.heading = take_heading,
                                           .setting = take_setting,
                                           .mistake = report_mistake,
                                           .context = reading};
    int result = settings_read(file, &reader);

    if (result == 0)
        return;
    mistakes_add(reading->mistakes, "cannot read %s: %s.", reading->config.file, strerror(-result));
    reading->config.doubtful = true;
}

/* A file that is not used may have had anything in it. */
static void read_file(struct reading *reading)
{
    char why[ADMIN_FILE_WHY_MAX];
    FILE *file = admin_file_open(reading->config.file, reading->config.started_by, why);

    if (file) {
        read_settings(reading, file);
        fclose(file);
        return;
    }
    if (errno == ENOENT && !reading->config.file_required)
        return;
    mistakes_add(reading->mistakes, "the configuration file %s is not used: %s.",
                 reading->config.file, why);
    reading->config.doubtful = true;
}

bool config_read(struct config *config, struct mistakes *mistakes)
{
    struct reading reading = {.config = *config, .mistakes = mistakes};
    size_t before = mistakes->count;

    read_file(&reading);
    if (mistakes->count > before)
        return false;
    *config = reading.config;
    return true;
}

void config_read_for_start(struct config *config)
{
    struct reading reading = {.config = *config, .mistakes = &config->mistakes};

    read_file(&reading);
    reading.config.mistakes = config->mistakes;
    *config = reading.config;
}
