/* The lists are made at build time from comments like the next ones, which stand beside the code
 * that makes the calls (collect-syscalls.cmake). The keeper may do what the broker may, too: a
 * broker is a copy of the keeper, and a filter can only be narrowed. What is on the list `lending`
 * the broker may do only where an action lends descriptors. Some calls are allowed with certain
 * arguments only: see arguments.c.
 *
 * What is not on the list fails with EPERM. To kill the process instead would turn a call that a
 * newer C library makes and could do without into a service that never starts; an attacker gains
 * nothing by the error.
 *
 * What the C library calls on its own account:
 * #syscalls broker: brk mmap mmap2 munmap mremap mprotect madvise futex futex_time64 sched_yield
 * #syscalls broker: rt_sigreturn sigreturn rt_sigaction rt_sigprocmask restart_syscall
 * #syscalls broker: exit exit_group getpid gettid getrandom clock_gettime clock_gettime64 time
 * #syscalls broker: gettimeofday rseq set_robust_list sched_getaffinity prctl prlimit64
 * and stdio and name services, which find no socket (names.h):
 * #syscalls broker: fstat fstat64 newfstatat fstatat64 stat stat64 statx lseek _llseek
 * #syscalls broker: socket send sendto recv recvfrom poll ppoll ppoll_time64 getuid geteuid
 */
#include "syscalls.h"

#include "arguments.h"
#include "syscall-lists.h"

#include <errno.h>
#include <seccomp.h>

struct list {
    const char *const *names;
    size_t count;
};

static struct list find_list(enum half half, const struct sandbox_needs *needs)
{
#define LIST(names) ((struct list){names, sizeof(names) / sizeof *(names)})
    if (half == HALF_KEEPER)
        return LIST(keeper_calls);
    return needs->lends ? LIST(lending_calls) : LIST(broker_calls);
#undef LIST
}

/* What is newer than the library it does not know. */
static int allow(scmp_filter_ctx filter, enum half half, const char *name, unsigned guarded)
{
    int number = seccomp_syscall_resolve_name(name);

    return number == __NR_SCMP_ERROR ? 0 : arguments_allow(filter, half, name, number, guarded);
}

static int fill(scmp_filter_ctx filter, enum half half, const struct sandbox_needs *needs)
{
    struct list list = find_list(half, needs);
    /* Its flags are in memory, where a filter cannot see them: make the C library take clone. */
    int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    for (size_t i = 0; i < list.count && result == 0; i++)
        result = allow(filter, half, list.names[i], needs->guarded);
    return result < 0 ? result : (int)list.count;
}

#ifdef NB_SANITIZED
/* Sanitizers make calls of their own, at times that nobody can foresee. */
static const bool possible = false;
#else
static const bool possible = true;
#endif

int syscalls_confine(enum half half, const struct sandbox_needs *needs)
{
    scmp_filter_ctx filter = possible ? seccomp_init(SCMP_ACT_ERRNO(EPERM)) : NULL;
    int count, result;

    if (!filter)
        return possible ? -ENOMEM : -EOPNOTSUPP;
    result = count = fill(filter, half, needs);
    if (result >= 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0); /* it is set */
    if (result >= 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result >= 0)
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* search, do not walk; if it can */
    if (result >= 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result < 0 ? result : count;
}
