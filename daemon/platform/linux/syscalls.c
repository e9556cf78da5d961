/* The lists are made at build time from comments like the next ones, which stand beside the code
 * that makes the calls (collect-syscalls.cmake). The keeper may do what the broker may, too: a
 * broker is a copy of the keeper, and a filter can only be narrowed. Some calls are allowed with
 * certain arguments only: those are below.
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
 * and stdio, name services and syslog(3), which connect to sockets with a path:
 * #syscalls broker: fstat fstat64 newfstatat fstatat64 stat stat64 statx lseek _llseek
 * #syscalls broker: socket connect send sendto recv recvfrom poll ppoll ppoll_time64 getuid geteuid
 */
#include "syscalls.h"

#include "syscall-lists.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>
#include <linux/netlink.h>

enum {
    CONDITIONS_MAX = 3,
    TYPE = 0xf, /* of a socket, without SOCK_CLOEXEC and SOCK_NONBLOCK */
    NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                     CLONE_NEWPID | CLONE_NEWNET,
    KEEPER = HALF_KEEPER,
    BROKER = HALF_BROKER,
    BOTH = KEEPER | BROKER,
};

#define WHOLE   0xffffffffU /* the kernel looks at the lower half of these arguments only */
#define POINTER UINT64_MAX

/* One way in which a call is allowed; without a row here, all are. */
static const struct form {
    const char *name;
    unsigned halves;
    struct {
        unsigned argument;
        uint64_t mask; /* 0: no more conditions */
        uint64_t value;
    } conditions[CONDITIONS_MAX];
} forms[] = {
    {"socket", BOTH, {{0, WHOLE, AF_UNIX}}},
    {"socket", BOTH, {{0, WHOLE, AF_NETLINK}, {2, WHOLE, NETLINK_ROUTE}}},
    {"socket", KEEPER, {{0, WHOLE, AF_INET}, {1, TYPE, SOCK_RAW}, {2, WHOLE, IPPROTO_IGMP}}},
    {"socket", KEEPER, {{0, WHOLE, AF_INET6}, {1, TYPE, SOCK_RAW}, {2, WHOLE, IPPROTO_ICMPV6}}},
    {"socket", KEEPER, {{0, WHOLE, AF_INET}, {1, TYPE, SOCK_DGRAM}, {2, WHOLE, IPPROTO_UDP}}},
    {"socket", KEEPER, {{0, WHOLE, AF_INET6}, {1, TYPE, SOCK_DGRAM}, {2, WHOLE, IPPROTO_UDP}}},
    /* The keeper forks; the broker starts threads, no processes. Neither makes namespaces. */
    {"clone", KEEPER, {{0, NEW_NAMESPACES, 0}}},
    {"clone", BROKER, {{0, NEW_NAMESPACES | CLONE_THREAD, CLONE_THREAD}}},
    /* No memory that was written becomes code. */
    {"mmap", BOTH, {{2, PROT_EXEC, 0}}},
    {"mmap2", BOTH, {{2, PROT_EXEC, 0}}},
    {"mprotect", BOTH, {{2, PROT_EXEC, 0}}},
    /* Limits are read, not set. */
    {"prlimit64", BOTH, {{0, WHOLE, 0}, {2, POINTER, 0}}},
    /* Counters, and what libuv sets; nothing of a terminal's. The IPv6 numbers are the same. */
    {"ioctl", BOTH, {{1, WHOLE, SIOCGETVIFCNT}}},
    {"ioctl", BOTH, {{1, WHOLE, SIOCGETSGCNT}}},
    {"ioctl", BOTH, {{1, WHOLE, FIONBIO}}},
    {"ioctl", BOTH, {{1, WHOLE, FIOCLEX}}},
    /* How a child of the keeper becomes a broker. */
    {"prctl", KEEPER, {{0, WHOLE, PR_SET_DUMPABLE}, {1, WHOLE, 0}}},
    {"prctl", KEEPER, {{0, WHOLE, PR_SET_NO_NEW_PRIVS}, {1, WHOLE, 1}}},
    {"prctl", KEEPER, {{0, WHOLE, PR_SET_PDEATHSIG}}},
    {"prctl", KEEPER, {{0, WHOLE, PR_CAPBSET_READ}}},
    {"prctl", KEEPER, {{0, WHOLE, PR_CAP_AMBIENT}, {1, WHOLE, PR_CAP_AMBIENT_IS_SET}}},
    {"prctl", BOTH, {{0, WHOLE, PR_SET_NAME}}},
};

/* NOLINTNEXTLINE(misc-redundant-expression): equal numbers are what is asserted */
_Static_assert(SIOCGETVIFCNT == SIOCGETMIFCNT_IN6 && SIOCGETSGCNT == SIOCGETSGCNT_IN6,
               "a row each in forms");

static int allow_form(scmp_filter_ctx filter, int number, const struct form *form)
{
    struct scmp_arg_cmp arguments[CONDITIONS_MAX];
    unsigned count = 0;

    for (; count < CONDITIONS_MAX && form->conditions[count].mask; count++)
        arguments[count] = (struct scmp_arg_cmp){
            form->conditions[count].argument,
            SCMP_CMP_MASKED_EQ,
            form->conditions[count].mask,
            form->conditions[count].value,
        };
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, arguments);
}

static int allow(scmp_filter_ctx filter, enum half half, const char *name)
{
    int number = seccomp_syscall_resolve_name(name), result = 0;
    bool narrowed = false;

    if (number == __NR_SCMP_ERROR) /* newer than the library */
        return 0;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && result == 0; i++) {
        const struct form *form = &forms[i];

        if (strcmp(form->name, name) != 0)
            continue;
        narrowed = true;
        if (form->halves & half)
            result = allow_form(filter, number, form);
    }
    return narrowed ? result : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 0, NULL);
}

static int fill(scmp_filter_ctx filter, enum half half)
{
    const char *const *names = half == HALF_KEEPER ? keeper_calls : broker_calls;
    size_t count = half == HALF_KEEPER ? sizeof keeper_calls / sizeof *keeper_calls
                                       : sizeof broker_calls / sizeof *broker_calls;
    /* Its flags are in memory, where a filter cannot see them: make the C library take clone. */
    int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    for (size_t i = 0; i < count && result == 0; i++)
        result = allow(filter, half, names[i]);
    return result < 0 ? result : (int)count;
}

#ifdef NB_SANITIZED
/* Sanitizers make calls of their own, at times that nobody can foresee. */
static const bool possible = false;
#else
static const bool possible = true;
#endif

int syscalls_confine(enum half half)
{
    scmp_filter_ctx filter = possible ? seccomp_init(SCMP_ACT_ERRNO(EPERM)) : NULL;
    int count, result;

    if (!filter)
        return possible ? -ENOMEM : -EOPNOTSUPP;
    result = count = fill(filter, half);
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
