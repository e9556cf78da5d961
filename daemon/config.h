/* What the administrator decides: the configuration file, below the command line. */
#ifndef NB_CONFIG_H
#define NB_CONFIG_H

#include "limit.h"
#include "tables_allowed.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define CONFIG_SOCKET_DEFAULT    "/run/netbroker/netbroker.sock"
#define CONFIG_POLICY_DEFAULT    "/etc/netbroker/policy.conf"
#define CONFIG_FILE_DEFAULT      "/etc/netbroker/netbrokerd.conf"
#define CONFIG_MULTICAST_DEFAULT "/etc/netbroker/multicast.conf"

struct config {
    char file[PATH_MAX];      /* the configuration file */
    bool file_required;       /* it was named, so it must be there */
    char socket[108];         /* where clients connect; sun_path's size */
    char state[PATH_MAX];     /* where routes are kept over a restart; "": nowhere */
    char policy[PATH_MAX];    /* who may do what */
    char multicast[PATH_MAX]; /* routes and joins that the administrator wants */
    char user[32];            /* what root becomes */
    struct limits limits;     /* see limit.h */
    int log_level;            /* of syslog(3) */
    bool require_sandbox;     /* do not run where the system lacks a part of the cage */
    struct tables_allowed tables;
    bool foreground;
    uid_t started_by;     /* who may do all, beside root */
    bool check_only;      /* --check-config */
    bool log_level_fixed; /* by the command line, which stands above the file */
};

/* What holds without a file and without options. */
void config_init(struct config *config);

/* Reads the file over what is there. A missing file is fine unless it is required. On a mistake it
 * says where and what would be right in the log, returns false and leaves *config as it was. */
bool config_read(struct config *config);

/* Sets one value by its name in [service] of the file. Returns NULL, or what would be right. */
const char *config_set(struct config *config, const char *name, const char *value);

#endif
