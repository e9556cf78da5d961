/* What stays readable are folders where files are replaced by renaming another over them, as
 * editors and package managers do; a file itself only where a link leads out of its folder:
 *
 *   - those of configuration, policy and routes, to be read again at SIGHUP;
 *   - /etc, for the names of users and groups in rules (passwd(5), group(5), nsswitch.conf(5)). The
 *     service's own user decides what it may read there: what everybody may;
 *   - the state file's folder, which alone is writable.
 *
 * #syscalls broker: open openat read lseek getdents64 close */
#include "confine.h"

#include "log.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

struct folders {
    char config[PATH_MAX];
    char policy[PATH_MAX];
    char multicast[PATH_MAX];
    char state[PATH_MAX];
};

static const char *folder_of(const char *path, char *copy)
{
    snprintf(copy, PATH_MAX, "%s", path);
    return dirname(copy);
}

static void find_needs(const struct config *config, struct folders *folders,
                       struct sandbox_needs *ret)
{
    const char *manager = getenv("NOTIFY_SOCKET");

    *ret = (struct sandbox_needs){
        .readable = {folder_of(config->file, folders->config), config->file,
                     folder_of(config->policy, folders->policy),
                     folder_of(config->multicast, folders->multicast), "/etc"},
        .readable_count = 5,
        .writable = config->state[0] ? folder_of(config->state, folders->state) : NULL,
        .abstract_sockets = manager && manager[0] == '@',
    };
}

static bool judge(const struct config *config, const char *who, const struct sandbox_report *report)
{
    if (!report->missing[0])
        return true;
    log_line(config->require_sandbox ? LOG_ERR : LOG_WARNING, "the %s runs without %s%s.", who,
             report->missing, config->require_sandbox ? ", which require-sandbox forbids" : "");
    return !config->require_sandbox;
}

bool confine_keeper(const struct config *config, struct sandbox_report *ret)
{
    struct sandbox_needs needs;
    struct folders folders;

    find_needs(config, &folders, &needs);
    sandbox_keeper(&needs, ret);
    return judge(config, "keeper", ret);
}

bool confine_broker(const struct config *config, struct sandbox_report *ret)
{
    struct sandbox_needs needs;
    struct folders folders;

    find_needs(config, &folders, &needs);
    needs.abstract_sockets = false; /* the keeper talks to the manager */
    sandbox_broker(&needs, ret);
    return judge(config, "broker", ret);
}
