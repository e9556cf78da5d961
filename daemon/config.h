/* What the administrator decides: the configuration file, below the command line. */
#ifndef NB_CONFIG_H
#define NB_CONFIG_H

#include "interfaces_allowed.h"
#include "limit.h"
#include "mistakes.h"
#include "platform/process.h"
#include "platform/sandbox.h"
#include "tables_allowed.h"
#include "taps_allowed.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define CONFIG_SOCKET_DEFAULT    "/run/netbroker/netbroker.sock"
#define CONFIG_POLICY_DEFAULT    "/etc/netbroker/policy.conf"
#define CONFIG_FILE_DEFAULT      "/etc/netbroker/netbrokerd.conf"
#define CONFIG_MULTICAST_DEFAULT "/etc/netbroker/multicast.conf"

struct config {
    char file[PATH_MAX];                /* the configuration file */
    bool file_required;                 /* it was named, so it must be there */
    char socket[108];                   /* where clients connect; sun_path's size */
    char state[PATH_MAX];               /* where routes are kept over a restart; "": nowhere */
    char policy[PATH_MAX];              /* who may do what */
    char multicast[PATH_MAX];           /* routes and joins that the administrator wants */
    char user[32];                      /* what root becomes */
    struct limits limits;               /* see limit.h */
    int log_level;                      /* of syslog(3) */
    enum sandbox_level require_sandbox; /* do not run where the system has less of the cage */
    unsigned without_fences;            /* of enum sandbox_fence: tests set it, no setting does */
    struct tables_allowed tables;
    char tap_prefix[TAP_PREFIX_MAX + 1];     /* what the names of taps begin with */
    unsigned tap_spares;                     /* that are made before somebody asks for one */
    struct tap_bridges tap_bridges;          /* that taps may become ports of */
    struct tap_bridges tap_uplinks;          /* that taps may be macvtaps on */
    struct tap_networks tap_networks;        /* of addresses that the host may have on a tap */
    struct interface_set capture_interfaces; /* whose frames may be captured */
    struct interface_set inject_interfaces;  /* that frames may be sent out of */
    bool foreground;
    uid_t started_by;     /* who may do all, beside root, and who may own the file */
    struct place place;   /* of the process that started */
    bool check_only;      /* --check-config */
    bool log_level_fixed; /* by the command line, which stands above the file */
    bool policy_fixed;    /* the same */
    /* The file has a mistake that leaves open what the administrator permits: until it is
     * corrected, only root is answered. */
    bool doubtful;
    struct mistakes mistakes; /* of the file, where the service goes on in spite of them */
};

/* What holds without a file and without options. */
void config_init(struct config *config);

/* Whether the file must be there, because it was named: only the default's may be missing. */
bool config_requires_policy(const struct config *config);
bool config_requires_multicast(const struct config *config);

/* Reads the file over what is there. A missing file is fine unless it is required; one that others
 * than root and who started the service may have written (admin_file.h) is a mistake. On one it
 * adds to *mistakes where it is and what would be right, returns false and leaves *config as it
 * was. */
bool config_read(struct config *config, struct mistakes *mistakes);

/* The same for a start, which a mistake does not prevent: *config takes what is right. A setting
 * with a wrong value keeps its default, but require-sandbox is then on. What may have been meant
 * for `policy` or `tables`, and what is no setting at all, makes *config doubtful. The mistakes are
 * in config->mistakes. */
void config_read_for_start(struct config *config);

/* Sets one value by its name in [service] of the file. Returns NULL, or what would be right. */
const char *config_set(struct config *config, const char *name, const char *value);

#endif
