/* Privileges on Linux: capabilities(7) by libcap-ng, no_new_privs, and signalfd(2). */
#include "platform/process.h"

#include "log.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#ifndef SO_NETNS_COOKIE /* of include/uapi/asm-generic/socket.h, since Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif

#ifndef SO_PASSRIGHTS /* of include/uapi/asm-generic/socket.h, since Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

void process_hide(void)
{
    struct rlimit none = {0, 0};

    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &none);
}

/* What from_kuid_munged() of the kernel's kernel/user_namespace.c gives where a user has no number;
 * /proc/sys/kernel/overflowuid has its default. */
enum { OVERFLOW_UID = 65534 };

/* In a user namespace only some user ids exist; one that does not cannot be taken. *ret_same, if it
 * is not NULL: all ids are what they are outside. */
static bool uid_is_mapped(uid_t uid, bool *ret_same)
{
    FILE *file = fopen("/proc/self/uid_map", "re");
    unsigned long first, outside, count;
    bool mapped = false, same = !file;

    while (file && fscanf(file, "%lu %lu %lu", &first, &outside, &count) == 3) {
        mapped |= uid >= first && uid - first < count;
        same |= first == 0 && outside == 0 && count == UINT32_MAX;
    }
    if (file)
        fclose(file);
    if (ret_same)
        *ret_same = same;
    return mapped || same;
}

/* Of the namespace that the socket was made in. */
static uint64_t socket_netns(int fd)
{
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;

    return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0 ? 0 : cookie;
}

void process_find_place(struct place *ret)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has_nobody, same;

    has_nobody = uid_is_mapped(OVERFLOW_UID, &same);
    *ret = (struct place){
        .netns = fd < 0 ? 0 : socket_netns(fd),
        .maps_users = !same,
        .unmapped_uid = has_nobody ? 0 : OVERFLOW_UID,
    };
    if (fd >= 0)
        close(fd);
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

/* Processes of the same user may send signals to the keeper, and trace it: it shares its user with
 * nobody, unless the administrator says so. */
static bool refuse_user(const char *user, struct error *error)
{
    return error_set(error, ERROR_INTERNAL, NULL,
                     "there is no user '%s' to run as; make it, e.g. by 'useradd --system %s', or "
                     "name another one by --user, that no other program runs as",
                     user, user);
}

bool process_become_keeper(const char *user, struct error *error)
{
    const struct passwd *entry = getpwnam(user);
    bool done;

    if (!have_capabilities(error))
        return false;
    if (geteuid() == 0 && uid_is_mapped(entry ? entry->pw_uid : OVERFLOW_UID, NULL)) {
        done = entry ? change_user(entry, error) : refuse_user(user, error);
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

static void end_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
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
    end_with_parent();
    return getppid() == parent ||
           error_set(error, ERROR_INTERNAL, NULL, "the keeper has ended already");
}

/* The system call has no number in the C library's older headers. A kernel without it (before Linux
 * 5.9) has no Landlock, either.
 * #syscalls keeper: close_range dup3 prctl */
static void close_from(int first)
{
    enum { SYS_CLOSE_RANGE = 436, MOST = 4096 };

    if (syscall(SYS_CLOSE_RANGE, first, UINT32_MAX, 0) < 0)
        for (int other = first; other < MOST; other++)
            close(other);
}

int process_serve_parent(const char *name, int fd)
{
    enum { PLACE = STDERR_FILENO + 1 };

    prctl(PR_SET_NAME, name);
    end_with_parent();
    if (fd != PLACE)
        dup3(fd, PLACE, O_CLOEXEC);
    close_from(PLACE + 1);
    return PLACE;
}

void process_work_for_parent(const char *name, int fd)
{
    prctl(PR_SET_NAME, name);
    end_with_parent();
    for (int other = STDERR_FILENO + 1; other < fd; other++)
        close(other);
    close_from(fd + 1);
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

/* The kernel says how much room the groups need, and then gives them (unix(7), SO_PEERGROUPS).
 * #syscalls broker: getsockopt */
int peer_find_groups(int fd, struct peer *peer)
{
    socklen_t length = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) == 0 || length == 0)
        return 0;
    if (errno != ERANGE)
        return -errno;
    peer->in_too_many_groups = length > PEER_GROUPS_MAX * sizeof *peer->groups;
    if (peer->in_too_many_groups)
        return 0;
    peer->groups = malloc(length);
    if (!peer->groups)
        return -ENOMEM;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &length) < 0) {
        int error = errno;

        peer_release(peer);
        return -error;
    }
    peer->group_count = length / sizeof *peer->groups;
    return 0;
}

/* #syscalls broker: accept4 */
int peer_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* A connected socket of the listener lies in the network namespace of the socket that connected
 * (unix_stream_connect() of the kernel's net/unix/af_unix.c).
 * #syscalls broker: getsockopt */
int peer_identify(int fd, struct peer *ret)
{
    struct ucred credentials;
    socklen_t length = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return -errno;
    *ret = (struct peer){
        .uid = credentials.uid,
        .kernel_uid = credentials.uid,
        .netns = socket_netns(fd),
        .gid = credentials.gid,
        .pid = credentials.pid,
    };
    return 0;
}

/* A socket that is connected inherits it from its listener. */
void peer_refuse_descriptors(int fd)
{
    int no = 0;

    setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof no);
}

bool peer_can_refuse_descriptors(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool can;

    if (fd < 0)
        return false;
    peer_refuse_descriptors(fd);
    can = !peer_passes_descriptors(fd);
    close(fd);
    return can;
}

/* They do where the kernel is older, or where somebody connected before the listener refused. */
bool peer_passes_descriptors(int fd)
{
    int passes = 1;
    socklen_t length = sizeof passes;

    return getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &passes, &length) < 0 || passes;
}

/* What the peer has yet to read is charged to the sender (unix_outq_len() of the kernel's
 * net/unix/af_unix.c).
 * #syscalls broker: ioctl */
bool peer_has_read(int fd)
{
    int charged = 0;

    return ioctl(fd, SIOCOUTQ, &charged) < 0 || charged == 0;
}
