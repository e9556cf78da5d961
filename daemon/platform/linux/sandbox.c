/* The cage on Linux, in the order in which each part needs the ones before: no_new_privs, without
 * which the kernel accepts neither of the others from a process that is not root; Landlock, which
 * opens the paths that are to stay reachable; seccomp, which would forbid all this.
 *
 * The child of the keeper that becomes a broker confines itself by:
 * #syscalls keeper: landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp
 * #syscalls keeper: open openat stat stat64 newfstatat fstatat64 statx
 */
#include "platform/sandbox.h"

#include "landlock.h"
#include "platform/process.h"
#include "syscalls.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

static void append(char *text, size_t size, const char *separator, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void append(char *text, size_t size, const char *separator, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    if (used > 0 && used < size)
        used += (size_t)snprintf(text + used, size - used, "%s", separator);
    if (used >= size)
        return;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void miss(struct sandbox_report *ret, enum sandbox_level level, const char *part,
                 const char *why)
{
    append(ret->missing, sizeof ret->missing, "; ", "%s (%s)", part, why);
    if (ret->level > level)
        ret->level = level;
}

/* part_result: what it has of a version or a size, or a negative errno. */
static void report(struct sandbox_report *ret, const char *part, int part_result)
{
    const char *why = part_result == -ENOSYS       ? "this kernel has none"
                      : part_result == -EOPNOTSUPP ? "off in the kernel or in this build"
                                                   : strerror(-part_result);

    if (part_result < 0)
        miss(ret, SANDBOX_NONE, part, why);
    else
        append(ret->in_force, sizeof ret->in_force, " ", "%s-%d", part, part_result);
}

/* Threads that run already would stay outside of Landlock. The directory has a link for each. */
static void check_threads(struct sandbox_report *ret)
{
    struct stat tasks;
    char count[16];

    if (stat("/proc/self/task", &tasks) < 0 || tasks.st_nlink <= 3)
        return;
    snprintf(count, sizeof count, "%d", (int)tasks.st_nlink - 3);
    miss(ret, SANDBOX_NONE, "threads that run already", count);
}

static void confine_files(const struct sandbox_needs *needs, struct sandbox_report *ret)
{
    int abi = landlock_confine(needs, &ret->held);

    report(ret, "landlock", abi);
    if (abi >= 0 && abi < LANDLOCK_SCOPES)
        miss(ret, SANDBOX_BASIC, "landlock's scopes of signals and sockets",
             "this kernel is older than Linux 6.12");
}

/* Before seccomp forbids to make such a socket. */
static void check_passing(enum half half, const struct sandbox_needs *needs,
                          struct sandbox_report *ret)
{
    if (half == HALF_KEEPER && !needs->takes &&
        (needs->without & FENCE_PASSRIGHTS || !peer_can_refuse_descriptors()))
        miss(ret, SANDBOX_BASIC, "the refusal of clients' descriptors",
             "this kernel is older than Linux 6.16");
}

static int confine_calls(enum half half, const struct sandbox_needs *needs)
{
    return needs->without & FENCE_SECCOMP ? -EOPNOTSUPP : syscalls_confine(half, needs);
}

static void confine(enum half half, const struct sandbox_needs *needs, struct sandbox_report *ret)
{
    *ret = (struct sandbox_report){.level = SANDBOX_FULL};
    check_threads(ret);
    check_passing(half, needs, ret);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        append(ret->in_force, sizeof ret->in_force, " ", "no_new_privs");
    else
        miss(ret, SANDBOX_NONE, "no_new_privs", strerror(errno));
    confine_files(needs, ret);
    report(ret, "seccomp", confine_calls(half, needs));
}

/* Files that will not be reachable: the time zone, and the name services' libraries, which are
 * loaded for the first name that the files do not have. No name has a colon (passwd(5)). */
static void load_early(void)
{
    tzset();
    (void)getpwnam(":");
    (void)getgrnam(":");
}

void sandbox_keeper(const struct sandbox_needs *needs, struct sandbox_report *ret)
{
    load_early();
    confine(HALF_KEEPER, needs, ret);
}

void sandbox_broker(const struct sandbox_needs *needs, struct sandbox_report *ret)
{
    confine(HALF_BROKER, needs, ret);
}
