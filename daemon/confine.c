/* What stays readable are folders where files are replaced by renaming another over them, as
 * editors and package managers do:
 *
 *   - those of configuration, policy and routes, to be read again at SIGHUP;
 *   - /etc, for the names of users and groups in rules (passwd(5), group(5), nsswitch.conf(5)). The
 *     service's own user decides what it may read there: what everybody may;
 *   - the state file's folder, which alone is writable;
 *   - the folder of the socket that the service made, from which the keeper removes it;
 *   - what the keeper makes taps of.
 *
 * #syscalls broker: open openat read lseek getdents64 close */
#include "confine.h"

#include "descriptors.h"
#include "log.h"
#include "table.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

struct folders {
    char config[PATH_MAX];
    char policy[PATH_MAX];
    char multicast[PATH_MAX];
    char state[PATH_MAX];
    char socket[PATH_MAX];
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
        .readable = {folder_of(config->file, folders->config),
                     folder_of(config->policy, folders->policy),
                     folder_of(config->multicast, folders->multicast), "/etc"},
        .readable_count = 4,
        .writable = config->state[0] ? folder_of(config->state, folders->state) : NULL,
        .lends = actions_lend_fds(),
        .takes = actions_take_fds(),
        .without = config->without_fences,
        .guarded = DESCRIPTORS_GUARDED,
        .abstract_sockets = manager && manager[0] == '@',
    };
}

static const char *const level_words[] = {
    [SANDBOX_NONE] = "no",
    [SANDBOX_BASIC] = "basic",
    [SANDBOX_FULL] = "full",
};

static bool judge(const struct config *config, const char *who, const struct sandbox_report *report)
{
    enum sandbox_level wanted = config->require_sandbox;

    if (report->level < wanted)
        log_line(LOG_ERR, "the %s runs without %s, which require-sandbox=%s forbids.", who,
                 report->missing, level_words[wanted]);
    else if (report->missing[0])
        log_line(LOG_WARNING, "the %s runs without %s.", who, report->missing);
    return report->level >= wanted;
}

bool confine_keeper(const struct config *config, bool made_socket, struct sandbox_report *ret)
{
    struct sandbox_needs needs;
    struct folders folders;

    find_needs(config, &folders, &needs);
    needs.taps = true;
    needs.uplinks = config->tap_uplinks.count > 0;
    needs.removable = made_socket ? folder_of(config->socket, folders.socket) : NULL;
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
