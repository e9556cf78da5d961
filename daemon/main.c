/* netbrokerd: the story of a start and a stop. */
#include "broker/broker.h"
#include "broker/guard/policy_file.h"
#include "broker/service/configured.h"
#include "descriptors.h"
#include "keeper/keeper.h"
#include "keeper/listener.h"
#include "log.h"
#include "platform/process.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

#define SHORT_OPTIONS "fs:c:S:p:m:u:l:CRVh"

static const char usage[] =
    "Usage: netbrokerd [OPTION...]\n"
    "Privileged networking for programs that are not root; see netbrokerd(8).\n"
    "\n"
    "  -f, --foreground        stay in the foreground and log to standard error\n"
    "  -s, --socket PATH       where clients connect (" CONFIG_SOCKET_DEFAULT ")\n"
    "  -c, --config FILE       the configuration (" CONFIG_FILE_DEFAULT ")\n"
    "  -S, --state FILE        keep routes, joins and taps in FILE (not kept)\n"
    "  -p, --policy FILE       who may do what (" CONFIG_POLICY_DEFAULT ")\n"
    "  -m, --multicast FILE    routes and joins (" CONFIG_MULTICAST_DEFAULT ")\n"
    "  -u, --user NAME         the user to run as if root starts it (netbroker)\n"
    "  -l, --log-level LEVEL   error, warning, notice, info or debug (info)\n"
    "  -C, --check-config      report mistakes in configuration, policy and routes, and exit\n"
    "  -R, --require-sandbox[=LEVEL]\n"
    "                          do not start where the system cannot confine the service so far:\n"
    "                          basic (without LEVEL) or full\n"
    "  -V, --version           print the version and exit\n"
    "  -h, --help              print this and exit\n";

static const struct option options[] = {
    {"foreground", no_argument, NULL, 'f'},
    {"socket", required_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"state", required_argument, NULL, 'S'},
    {"user", required_argument, NULL, 'u'},
    {"log-level", required_argument, NULL, 'l'},
    {"require-sandbox", optional_argument, NULL, 'R'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {"policy", required_argument, NULL, 'p'},
    {"multicast", required_argument, NULL, 'm'},
    {"check-config", no_argument, NULL, 'C'},
    {NULL, 0, NULL, 0},
};

static const char *setting_name(int option)
{
    for (const struct option *o = options; o->name; o++)
        if (o->val == option)
            return o->name;
    return "";
}

/* Returns false when there is nothing more to do; *status is then the exit status. */
static bool take_option(struct config *config, int option, const char *value, int *status)
{
    const char *right;

    *status = EXIT_SUCCESS;
    switch (option) {
    case 'f':
        config->foreground = true;
        return true;
    case 'C':
        config->check_only = true;
        return true;
    case 'c':
        return true; /* taken before the others */
    case 'h':
        fputs(usage, stdout);
        return false;
    case 'V':
        puts("netbrokerd " NB_VERSION);
        return false;
    case '?':
        fputs("Try 'netbrokerd --help'.\n", stderr);
        *status = EXIT_USAGE;
        return false;
    default:
        right = config_set(config, setting_name(option), value ? value : "yes");
        config->log_level_fixed |= option == 'l';
        config->policy_fixed |= option == 'p';
        if (!right)
            return true;
        fprintf(stderr, "netbrokerd: --%s takes %s.\n", setting_name(option), right);
        *status = EXIT_USAGE;
        return false;
    }
}

/* The file first, wherever --config stands, and the other options over it. */
static bool read_config(struct config *config, int argc, char **argv, int *status)
{
    int option;

    *status = EXIT_FAILURE;
    opterr = 0;
    while ((option = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL)) != -1)
        if (option == 'c') {
            snprintf(config->file, sizeof config->file, "%s", optarg);
            config->file_required = true;
        }
    config_read_for_start(config);
    optind = 1;
    opterr = 1;
    while ((option = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL)) != -1)
        if (!take_option(config, option, optarg, status))
            return false;
    if (optind == argc)
        return true;
    fprintf(stderr,
            "netbrokerd: '%s' is no option; values of options with [=...] stand behind '='.\n"
            "Try 'netbrokerd --help'.\n",
            argv[optind]);
    *status = EXIT_USAGE;
    return false;
}

/* --- --check-config ------------------------------------------------------------------------ */

static bool check_policy(const struct config *config)
{
    struct mistakes mistakes = {0};
    struct policy policy = {0};

    if (!policy_load(&policy, config->policy, config_requires_policy(config), &mistakes))
        return false;
    printf("%s: %zu rules, no mistakes.\n", config->policy, policy.count);
    policy_clear(&policy);
    return true;
}

static bool check_multicast(const struct config *config)
{
    bool required = config_requires_multicast(config);
    struct mistakes mistakes = {0};
    size_t count;

    if (!configured_check(config->multicast, required, config->started_by, &mistakes, &count))
        return false;
    printf("%s: %zu routes and joins, no mistakes.\n", config->multicast, count);
    return true;
}

/* Tells the mistakes of all files, as the user that reads them when the service runs. Without the
 * capabilities of a start, it is whoever asks. */
static int check_files(const struct config *config)
{
    bool right = config->mistakes.count == 0;
    struct error ignored;

    if (geteuid() == 0)
        process_become_keeper(config->user, &ignored);
    right &= check_policy(config);
    right &= check_multicast(config);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- The start ----------------------------------------------------------------------------- */

static bool open_all(const struct config *config, struct kept *kept)
{
    struct error error;

    listener_inherit(kept);
    if (!kept_start(kept, config))
        return false;
    if (kept->listener_count == 0 &&
        !listener_open(config->socket, config->user, "netbroker", kept, &error)) {
        log_line(LOG_ERR, "%s.", error.message);
        return false;
    }
    return true;
}

/* What a state file is kept in must be writable for the user that the service becomes. */
static bool check_state_folder(const struct config *config)
{
    char folder[PATH_MAX];
    char *slash;

    if (!config->state[0])
        return true;
    memcpy(folder, config->state, sizeof folder);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    if (access(slash ? folder : ".", W_OK | X_OK) == 0)
        return true;
    log_line(LOG_ERR, "the folder of the state file %s is not writable by uid %d: %s.",
             config->state, (int)geteuid(), strerror(errno));
    return false;
}

/* The first process waits until the service serves, and ends with its word. */
static int wait_for_service(int fd, pid_t service)
{
    char byte;
    int status = 0;

    if (read(fd, &byte, 1) == 1)
        return EXIT_SUCCESS;
    waitpid(service, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* Returns in the process that serves. *ready_fd wants a byte when it does. */
static void go_to_background(int *ready_fd)
{
    int ends[2];
    pid_t service;

    if (pipe(ends) < 0 || (service = fork()) < 0) {
        log_line(LOG_ERR, "cannot go to the background: %s.", strerror(errno));
        exit(EXIT_FAILURE);
    }
    if (service > 0) {
        close(ends[1]);
        exit(wait_for_service(ends[0], service));
    }
    close(ends[0]);
    setsid();
    if (chdir("/") < 0)
        log_line(LOG_WARNING, "cannot leave the working folder: %s.", strerror(errno));
    log_want_syslog();
    *ready_fd = ends[1];
}

/* Descriptors cost little, and the limit that a shell gives is for programs that use select(2). */
static void allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve(const struct config *config, struct kept *kept, int ready_fd)
{
    struct error error;

    if (!process_become_keeper(config->user, &error)) {
        log_line(LOG_ERR, "%s.", error.message);
        return EXIT_FAILURE;
    }
    if (!check_state_folder(config))
        return EXIT_FAILURE;
    return keeper_run(config, kept, ready_fd, broker_run);
}

int main(int argc, char **argv)
{
    struct config config;
    struct kept kept = {0};
    int status, ready_fd = -1;

    if (!descriptors_reserve())
        return EXIT_FAILURE; /* there may be nowhere to say why */
    process_hide();
    config_init(&config);
    config.started_by = geteuid();
    process_find_place(&config.place);
    if (!read_config(&config, argc, argv, &status))
        return status;
    log_set_level(config.log_level);
    if (config.check_only)
        return check_files(&config);
    if (!config.foreground)
        go_to_background(&ready_fd);
    allow_descriptors();
    if (!open_all(&config, &kept))
        return EXIT_FAILURE;
    status = serve(&config, &kept, ready_fd);
    listener_remove(config.socket, &kept);
    return status;
}
