/* Privileges on Linux: capabilities(7) by libcap-ng, no_new_privs, and signalfd(2). */
#include "platform/process.h"

#include "log.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS /* of include/uapi/asm-generic/socket.h, since Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

void process_hide(void)
{
    struct rlimit none = {0, 0};

    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &none);
}

int process_memory_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* In a user namespace only some user ids exist; one that does not cannot be taken. */
static bool uid_is_mapped(uid_t uid)
{
    FILE *file = fopen("/proc/self/uid_map", "re");
    unsigned long first, outside, count;
    bool mapped = false;

    if (!file)
        return true;
    while (!mapped && fscanf(file, "%lu %lu %lu", &first, &outside, &count) == 3)
        mapped = uid >= first && uid - first < count;
    fclose(file);
    return mapped;
}

static bool select_capabilities(struct error *error)
{
    capng_clear(CAPNG_SELECT_BOTH);
    return capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW, CAP_NET_ADMIN,
                         -1) == 0 ||
           error_set(error, ERROR_INTERNAL, NULL, "libcap-ng cannot select the capabilities");
}

static bool change_user(const struct passwd *user, struct error *error)
{
    int result;

    if (!select_capabilities(error))
        return false;
    result = capng_change_id((int)user->pw_uid, (int)user->pw_gid,
                             CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT);
    return result == 0 || error_set(error, ERROR_INTERNAL, NULL,
                                    "cannot become user %s (libcap-ng: %d)", user->pw_name, result);
}

/* Without a user to change to: the same process keeps only the two capabilities. */
static bool restrict_capabilities(struct error *error)
{
    bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

    if (!select_capabilities(error))
        return false;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* Only a process with CAP_SETPCAP may also empty the bounding set. */
    if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
        return error_set(error, ERROR_INTERNAL, NULL,
                         "cannot empty the bounding set of capabilities: %s", strerror(errno));
    if (capng_apply(CAPNG_SELECT_CAPS) != 0)
        return error_set(error, ERROR_INTERNAL, NULL, "cannot give up capabilities: %s",
                         strerror(errno));
    return true;
}

static bool have_capabilities(struct error *error)
{
    if (capng_get_caps_process() != 0)
        return error_set(error, ERROR_INTERNAL, NULL, "cannot read the capabilities: %s",
                         strerror(errno));
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW) &&
        capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
        return true;
    return error_set(error, ERROR_INTERNAL, NULL,
                     "the capabilities CAP_NET_RAW and CAP_NET_ADMIN are missing; start "
                     "netbrokerd as root, or from a service manager that gives it both");
}

bool process_become_keeper(const char *user, struct error *error)
{
    const struct passwd *entry = getpwnam(user);
    bool done;

    if (!have_capabilities(error))
        return false;
    if (!entry)
        entry = getpwnam("nobody");
    if (geteuid() == 0 && entry && uid_is_mapped(entry->pw_uid)) {
        done = change_user(entry, error);
    } else {
        if (geteuid() == 0)
            log_line(LOG_WARNING, "this user namespace has no user but root; continuing as "
                                  "root, without its privileges");
        done = restrict_capabilities(error);
    }
    if (done && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        done =
            error_set(error, ERROR_INTERNAL, NULL, "cannot set no_new_privs: %s", strerror(errno));
    prctl(PR_SET_DUMPABLE, 0); /* changing the user made it dumpable again */
    return done;
}

/* #syscalls keeper: capget capset prctl getppid */
bool process_become_broker(struct error *error)
{
    pid_t parent = getppid();

    capng_clear(CAPNG_SELECT_CAPS);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0)
        return error_set(error, ERROR_INTERNAL, NULL, "cannot give up capabilities: %s",
                         strerror(errno));
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NAME, "netbroker-brk");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return getppid() == parent ||
           error_set(error, ERROR_INTERNAL, NULL, "the keeper has ended already");
}

void process_privileges_describe(char *text, size_t size)
{
    char *names;

    if (capng_get_caps_process() != 0) {
        snprintf(text, size, "unknown");
        return;
    }
    names = capng_print_caps_text(CAPNG_PRINT_BUFFER, CAPNG_PERMITTED);
    snprintf(text, size, "%s", names && *names ? names : "none");
    free(names);
}

int process_signals_open(const int *signals, size_t count)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int process_signal_read(int fd)
{
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : -1;
}

/* The kernel says how much room the groups need, and then gives them (unix(7), SO_PEERGROUPS). */
static int read_groups(int fd, struct peer *peer)
{
    socklen_t length = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) == 0 || length == 0)
        return 0;
    if (errno != ERANGE)
        return -errno;
    peer->groups = malloc(length);
    if (!peer->groups)
        return -ENOMEM;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &length) < 0)
        return -errno;
    peer->group_count = length / sizeof *peer->groups;
    return 0;
}

/* #syscalls broker: getsockopt */
int peer_identify(int fd, struct peer *ret)
{
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    int result;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return -errno;
    *ret = (struct peer){.uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid};
    result = read_groups(fd, ret);
    if (result < 0)
        peer_release(ret);
    return result;
}

/* Older kernels drop what is received without room for control messages, which is how we receive:
 * this here also keeps it from being sent. A socket that is connected inherits it from its
 * listener. */
void peer_refuse_descriptors(int fd)
{
    int no = 0;

    setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof no);
}
