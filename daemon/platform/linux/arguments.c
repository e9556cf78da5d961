/* Which descriptor a call works on, a filter cannot see: what a row allows, it allows on all that
 * the process has. So the broker has no way to name another's socket (connect, sendto and bind with
 * an address), to have signals sent (F_SETOWN), or to set an option that makes a lent socket more
 * than it is. Numbers of newer kernels that older headers lack stand here, as part of the ABI.
 *
 * An address cannot be seen either, but its length can: bind's is that of netlink's, which is
 * shorter than any of IPv4 or IPv6. A Unix socket takes one of any length as a name, which the
 * log's would have for all later brokers. */
#include "arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/mroute.h>
#include <linux/mroute6.h>
#include <linux/netlink.h>
#include <linux/sockios.h>

#ifndef PACKET_IGNORE_OUTGOING /* include/uapi/linux/if_packet.h, since Linux 4.20 */
#define PACKET_IGNORE_OUTGOING 23
#endif
#ifndef SO_NETNS_COOKIE /* include/uapi/asm-generic/socket.h, since Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif
#ifndef SO_PASSRIGHTS /* the same, since Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

enum {
    CONDITIONS_MAX = 3,
    TYPE = 0xf, /* of a socket, without SOCK_CLOEXEC and SOCK_NONBLOCK */
    NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                     CLONE_NEWPID | CLONE_NEWNET,
    KEEPER = HALF_KEEPER,
    BROKER = HALF_BROKER,
    BOTH = KEEPER | BROKER,
    SPARES = 4,
    FD_BITS = 31,
    SCHED_RESET = 0x40000000,                               /* SCHED_RESET_ON_FORK of sched(7) */
    RING_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, /* platform/memory.h */
};

#define WHOLE   0xffffffffU /* the kernel looks at the lower half of these arguments only */
#define POINTER UINT64_MAX

/* One way in which a call is allowed; without a row here, all are. What the broker may, a row must
 * allow the keeper too, whose filter holds for the broker as well. */
static const struct form {
    const char *name;
    unsigned halves; /* | SPARES: its first argument is no guarded descriptor */
    struct {
        unsigned argument;
        uint64_t mask; /* 0: no more conditions */
        uint64_t value;
    } conditions[CONDITIONS_MAX];
} forms[] = {
    {"socket", KEEPER, {{0, WHOLE, AF_UNIX}}},
    {"socket", BOTH, {{0, WHOLE, AF_NETLINK}, {2, WHOLE, NETLINK_ROUTE}}},
    {"socket", KEEPER, {{0, WHOLE, AF_INET}, {1, TYPE, SOCK_RAW}, {2, WHOLE, IPPROTO_IGMP}}},
    {"socket", KEEPER, {{0, WHOLE, AF_INET6}, {1, TYPE, SOCK_RAW}, {2, WHOLE, IPPROTO_ICMPV6}}},
    {"socket", KEEPER, {{0, WHOLE, AF_INET}, {1, TYPE, SOCK_DGRAM}, {2, WHOLE, IPPROTO_UDP}}},
    {"socket", KEEPER, {{0, WHOLE, AF_INET6}, {1, TYPE, SOCK_DGRAM}, {2, WHOLE, IPPROTO_UDP}}},
    {"socket", KEEPER, {{0, WHOLE, AF_PACKET}, {1, TYPE, SOCK_RAW}, {2, WHOLE, 0}}},
    {"bind", KEEPER, {{2, WHOLE, sizeof(struct sockaddr_ll)}}},
    {"bind", BOTH | SPARES, {{2, WHOLE, sizeof(struct sockaddr_nl)}}},
    {"sendto", BOTH, {{4, POINTER, 0}}}, /* what send(2) is */
    /* Descriptors go to clients, and no packet leaves by a lent socket (libproto/fdpass.c); nor
     * does a word by the log's, to a name. */
    {"sendmsg", KEEPER, {{0}}},
    {"sendmsg", BROKER | SPARES, {{2, WHOLE, MSG_MORE}}},
    /* Frames leave many at a time, which can no more than as many of the former could. */
    {"sendmmsg", KEEPER, {{3, WHOLE, MSG_MORE}}},
    {"sendmmsg", BROKER | SPARES, {{3, WHOLE, MSG_MORE}}},
    {"shutdown", BOTH | SPARES, {{0}}},
    /* What a table's owner changes in it, but not that it owns it. */
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_ADD_VIF}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_DEL_VIF}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_ADD_MFC}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_DEL_MFC}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_ASSERT}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_PIM}}},
    {"setsockopt", KEEPER, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_INIT}}},
    {"setsockopt", KEEPER, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_DONE}}},
    {"setsockopt", KEEPER, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MRT_TABLE}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_ADD_MIF}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_DEL_MIF}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_ADD_MFC}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_DEL_MFC}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_ASSERT}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_PIM}}},
    {"setsockopt", KEEPER, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_INIT}}},
    {"setsockopt", KEEPER, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_DONE}}},
    {"setsockopt", KEEPER, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MRT6_TABLE}}},
    {"setsockopt", KEEPER, {{1, WHOLE, IPPROTO_ICMPV6}, {2, WHOLE, ICMP6_FILTER}}},
    /* Memberships. */
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MCAST_JOIN_GROUP}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MCAST_LEAVE_GROUP}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MCAST_JOIN_SOURCE_GROUP}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IP}, {2, WHOLE, MCAST_LEAVE_SOURCE_GROUP}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MCAST_JOIN_GROUP}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MCAST_LEAVE_GROUP}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MCAST_JOIN_SOURCE_GROUP}}},
    {"setsockopt", BOTH, {{1, WHOLE, IPPROTO_IPV6}, {2, WHOLE, MCAST_LEAVE_SOURCE_GROUP}}},
    /* What the kernel tells of changes; connections of clients. */
    {"setsockopt", BOTH, {{1, WHOLE, SOL_NETLINK}, {2, WHOLE, NETLINK_ADD_MEMBERSHIP}}},
    {"setsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_ATTACH_FILTER}}},
    {"setsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_RCVBUF}}},
    {"setsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_OOBINLINE}}},
    {"setsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_SNDBUF}}},
    {"getsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_SNDBUF}}},
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_RCVBUFFORCE}}},
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_LOCK_FILTER}}},
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_BINDTOIFINDEX}}},
    /* Sockets of packets: who has one in the broker reads it, and changes nothing. */
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_PACKET}, {2, WHOLE, PACKET_VERSION}}},
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_PACKET}, {2, WHOLE, PACKET_RESERVE}}},
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_PACKET}, {2, WHOLE, PACKET_RX_RING}}},
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_PACKET}, {2, WHOLE, PACKET_TX_RING}}},
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_PACKET}, {2, WHOLE, PACKET_ADD_MEMBERSHIP}}},
    {"setsockopt", KEEPER, {{1, WHOLE, SOL_PACKET}, {2, WHOLE, PACKET_IGNORE_OUTGOING}}},
    {"getsockopt", BOTH, {{1, WHOLE, SOL_PACKET}, {2, WHOLE, PACKET_STATISTICS}}},
    {"getsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_ERROR}}},
    {"getsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_TYPE}}},
    {"getsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_PEERCRED}}},
    {"getsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_PEERGROUPS}}},
    {"getsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_PASSRIGHTS}}},
    {"getsockopt", BOTH, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_NETNS_COOKIE}}},
    {"getsockopt", KEEPER, {{1, WHOLE, SOL_SOCKET}, {2, WHOLE, SO_ACCEPTCONN}}},
    /* The closer's thread is interrupted by a signal that others ignore, unless they want it. */
    {"tgkill", BOTH, {{2, WHOLE, SIGURG}}},
    {"tkill", BOTH, {{1, WHOLE, SIGURG}}},
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
    {"ioctl", BOTH, {{1, WHOLE, SIOCOUTQ}}},
    {"ioctl", BOTH, {{1, WHOLE, FIOCLEX}}},
    {"ioctl", BOTH, {{1, WHOLE, FIONREAD}}},
    /* Taps are made; what else their descriptors could do is their holders' affair. */
    {"ioctl", KEEPER, {{1, WHOLE, TUNSETIFF}}},
    {"ioctl", KEEPER, {{1, WHOLE, TUNSETOWNER}}},
    {"ioctl", KEEPER, {{1, WHOLE, TUNSETSNDBUF}}},
    {"ioctl", KEEPER, {{1, WHOLE, TUNSETPERSIST}, {2, WHOLE, 1}}},
    {"ioctl", KEEPER, {{1, WHOLE, SIOCGIFINDEX}}},
    {"ioctl", KEEPER, {{1, WHOLE, SIOCGIFNAME}}},
    /* An interface's clock, for captures. */
    {"ioctl", KEEPER, {{1, WHOLE, SIOCETHTOOL}}},
    {"ioctl", KEEPER, {{1, WHOLE, SIOCGHWTSTAMP}}},
    {"ioctl", KEEPER, {{1, WHOLE, SIOCSHWTSTAMP}}},
    /* No signal is sent for a descriptor: F_SETOWN would choose to whom, and F_SETSIG which one.
     * The broker seals the memory of rings; what the keeper lends has its seals. */
    {"fcntl", BOTH, {{1, WHOLE, F_GETFD}}},
    {"fcntl", BOTH, {{1, WHOLE, F_SETFD}}},
    {"fcntl", BOTH, {{1, WHOLE, F_GETFL}}},
    {"fcntl", BOTH, {{1, WHOLE, F_SETFL}, {2, O_ASYNC, 0}}},
    {"fcntl", BOTH | SPARES, {{1, WHOLE, F_DUPFD_CLOEXEC}}},
    {"fcntl", BOTH, {{1, WHOLE, F_GET_SEALS}}},
    {"fcntl", KEEPER, {{1, WHOLE, F_ADD_SEALS}}},
    {"fcntl", BROKER, {{1, WHOLE, F_ADD_SEALS}, {2, WHOLE, RING_SEALS}}},
    {"fcntl64", BOTH, {{1, WHOLE, F_GETFD}}},
    {"fcntl64", BOTH, {{1, WHOLE, F_SETFD}}},
    {"fcntl64", BOTH, {{1, WHOLE, F_GETFL}}},
    {"fcntl64", BOTH, {{1, WHOLE, F_SETFL}, {2, O_ASYNC, 0}}},
    {"fcntl64", BOTH | SPARES, {{1, WHOLE, F_DUPFD_CLOEXEC}}},
    {"fcntl64", BOTH, {{1, WHOLE, F_GET_SEALS}}},
    {"fcntl64", KEEPER, {{1, WHOLE, F_ADD_SEALS}}},
    {"fcntl64", BROKER, {{1, WHOLE, F_ADD_SEALS}, {2, WHOLE, RING_SEALS}}},
    /* Memory gets its size, and the log keeps its own. */
    {"ftruncate", KEEPER, {{0}}},
    {"ftruncate", BROKER | SPARES, {{0}}},
    {"ftruncate64", KEEPER, {{0}}},
    {"ftruncate64", BROKER | SPARES, {{0}}},
    /* What a client may only look at, nobody may open anew. It gives no right to anybody. */
    {"fchmod", BOTH | SPARES, {{1, WHOLE, 0}}},
    /* Standard streams are replaced (log.c). */
    {"dup2", BOTH, {{1, WHOLE ^ 3, 0}}},
    {"dup3", BOTH, {{1, WHOLE ^ 3, 0}}},
    /* How a child of the keeper becomes a broker. */
    {"prctl", KEEPER, {{0, WHOLE, PR_SET_DUMPABLE}, {1, WHOLE, 0}}},
    {"prctl", KEEPER, {{0, WHOLE, PR_SET_NO_NEW_PRIVS}, {1, WHOLE, 1}}},
    {"prctl", KEEPER, {{0, WHOLE, PR_SET_PDEATHSIG}}},
    {"prctl", KEEPER, {{0, WHOLE, PR_CAPBSET_READ}}},
    {"prctl", KEEPER, {{0, WHOLE, PR_CAP_AMBIENT}, {1, WHOLE, PR_CAP_AMBIENT_IS_SET}}},
    {"prctl", BOTH, {{0, WHOLE, PR_SET_NAME}}},
    /* The thread that sends at certain moments: nobody else is made to run sooner, or later. */
    {"prctl", BOTH, {{0, WHOLE, PR_SET_TIMERSLACK}, {1, POINTER, 1}}},
    {"sched_setscheduler", BOTH, {{0, WHOLE, 0}, {1, WHOLE, SCHED_FIFO | SCHED_RESET}}},
};

/* NOLINTNEXTLINE(misc-redundant-expression): equal numbers are what is asserted */
_Static_assert(SIOCGETVIFCNT == SIOCGETMIFCNT_IN6 && SIOCGETSGCNT == SIOCGETSGCNT_IN6,
               "a row each in forms");
_Static_assert(sizeof(struct sockaddr_nl) < sizeof(struct sockaddr_in),
               "bind's length tells them apart");

static unsigned write_conditions(const struct form *form, struct scmp_arg_cmp *arguments)
{
    unsigned count = 0;

    for (; count < CONDITIONS_MAX && form->conditions[count].mask; count++)
        arguments[count] = (struct scmp_arg_cmp){
            form->conditions[count].argument,
            SCMP_CMP_MASKED_EQ,
            form->conditions[count].mask,
            form->conditions[count].value,
        };
    return count;
}

/* A descriptor is not below a power of two if one of the higher bits is set: a rule for each. To
 * compare it as a number would look at the upper half as well, which the kernel does not. */
static int allow_form(scmp_filter_ctx filter, int number, const struct form *form, unsigned guarded)
{
    struct scmp_arg_cmp arguments[CONDITIONS_MAX + 1];
    unsigned count = write_conditions(form, arguments);
    int result = 0;

    if (!(form->halves & SPARES) || guarded == 0)
        return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, arguments);
    for (unsigned bit = 0; bit < FD_BITS && result == 0; bit++) {
        uint64_t value = UINT64_C(1) << bit;

        if (value < guarded)
            continue;
        arguments[count] = (struct scmp_arg_cmp){0, SCMP_CMP_MASKED_EQ, value, value};
        result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count + 1, arguments);
    }
    return result;
}

int arguments_allow(scmp_filter_ctx filter, enum half half, const char *name, int number,
                    unsigned guarded)
{
    bool narrowed = false;
    int result = 0;

    for (size_t i = 0; i < sizeof forms / sizeof *forms && result == 0; i++) {
        if (strcmp(forms[i].name, name) != 0)
            continue;
        narrowed = true;
        if (forms[i].halves & half)
            result = allow_form(filter, number, &forms[i], guarded);
    }
    return narrowed ? result : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 0, NULL);
}
