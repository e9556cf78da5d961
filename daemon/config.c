/* The file is in the INI style, read by inih:
 *
 *     [service]
 *     socket = /run/netbroker/netbroker.sock
 *     state = /var/lib/netbroker/state
 *     policy = /etc/netbroker/policy.conf
 *     user = netbroker
 *     log-level = info
 */
#include "config.h"

#include "log.h"

#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum kind { TEXT, LEVEL };

static const struct {
    const char *name;
    enum kind kind;
    size_t offset, size;
    const char *right;
} settings[] = {
    {"socket", TEXT, offsetof(struct config, socket), sizeof((struct config *)0)->socket,
     "a path of at most 107 bytes"},
    {"state", TEXT, offsetof(struct config, state), sizeof((struct config *)0)->state, "a path"},
    {"policy", TEXT, offsetof(struct config, policy), sizeof((struct config *)0)->policy, "a path"},
    {"user", TEXT, offsetof(struct config, user), sizeof((struct config *)0)->user,
     "the name of a user"},
    {"log-level", LEVEL, offsetof(struct config, log_level), sizeof(int),
     "error, warning, notice, info or debug"},
};

void config_init(struct config *config)
{
    *config = (struct config){.log_level = LOG_INFO};
    strcpy(config->file, CONFIG_FILE_DEFAULT);
    strcpy(config->socket, CONFIG_SOCKET_DEFAULT);
    strcpy(config->policy, CONFIG_POLICY_DEFAULT);
    strcpy(config->user, "netbroker");
}

static bool set_value(struct config *config, size_t i, const char *value)
{
    char *target = (char *)config + settings[i].offset;

    if (settings[i].kind == LEVEL) {
        int level = log_level_parse(value);

        if (level >= 0)
            memcpy(target, &level, sizeof level);
        return level >= 0;
    }
    if (value[0] == '\0' || strlen(value) >= settings[i].size)
        return false;
    strcpy(target, value);
    return true;
}

const char *config_set(struct config *config, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (strcmp(settings[i].name, name) == 0)
            return set_value(config, i, value) ? NULL : settings[i].right;
    return "socket, state, policy, user or log-level";
}

struct reading {
    struct config config;
    FILE *file;
    int line; /* inih tells its handler no line number as distributions build it */
    bool failed;
};

static char *read_line(char *text, int size, void *context)
{
    struct reading *reading = context;

    reading->line++;
    return fgets(text, size, reading->file);
}

static int take_setting(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    const char *right = strcmp(section, "service") == 0 ? config_set(&reading->config, name, value)
                                                        : "the section [service]";

    if (!right)
        return 1;
    log_line(LOG_ERR, "%s:%d: [%s] %s = %s is a mistake; right would be %s.", reading->config.file,
             reading->line, section, name, value, right);
    reading->failed = true;
    return 1;
}

bool config_read(struct config *config)
{
    struct reading reading = {.config = *config};
    FILE *file = reading.file = fopen(config->file, "re");

    if (!file && errno == ENOENT && !config->file_required)
        return true;
    if (!file) {
        log_line(LOG_ERR, "cannot read %s: %s.", config->file, strerror(errno));
        return false;
    }
    int line = ini_parse_stream(read_line, &reading, take_setting, &reading);

    fclose(file);
    if (line > 0)
        log_line(LOG_ERR, "%s:%d: no setting; right would be NAME = VALUE.", config->file, line);
    if (line != 0 || reading.failed)
        return false;
    *config = reading.config;
    return true;
}
