/* The socket that owns a table: a raw one, whose holder could send and receive packets without any
 * privilege. The keeper lends it, so it is fenced before it owns anything (tests/platform/lent.c):
 *
 *   - shutdown(2) ends packets with headers of the sender's own (IP_HDRINCL). Other packets of a
 * raw socket are sent all the same (ip_append_data() of net/ipv4/ip_output.c does not look), so
 *   - it is bound to the loopback, which only CAP_NET_RAW can undo;
 *   - a locked filter passes upcalls alone, cut to what mroute_upcall_parse reads: no packet's
 *     content, which upcalls of PIM's registers carry.
 *
 * What is left are options of the socket; the broker's cage has a list of them (arguments.c). */
#include "mroute_socket.h"

/* net/if.h and netinet/in.h before the kernel's headers, which then leave their parts out. */
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* 10,000 new flows can be told of before the first must be answered; the default of 208 KiB holds
 * 256 (each message costs 832 bytes of it, measured on Linux 6.18). */
enum { RECEIVE_BUFFER = 8 << 20 };

static int set_number(const struct mroute_socket *s, int v4, int v6, int value)
{
    return mroute_set_option(s, v4, v6, &value, sizeof value);
}

/* --- Fences -------------------------------------------------------------------------------- */

/* What must be zero stands, in an IGMP packet, where its protocol is, and in an ICMPv6 packet,
 * where its type is. */
static int pass_upcalls_only(const struct mroute_socket *s)
{
    enum { DROP = 6 };
    bool is_v4 = s->family == FAMILY_IPV4;
    uint32_t zero = is_v4 ? offsetof(struct igmpmsg, im_mbz) : offsetof(struct mrt6msg, im6_mbz);
    uint32_t type =
        is_v4 ? offsetof(struct igmpmsg, im_msgtype) : offsetof(struct mrt6msg, im6_msgtype);
    uint32_t size = is_v4 ? sizeof(struct igmpmsg) : sizeof(struct mrt6msg);
    struct sock_filter code[] = {
        [0] = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, zero),
        [1] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, DROP - 2),
        [2] = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, type),
        [3] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IGMPMSG_NOCACHE, 1, 0),
        [4] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IGMPMSG_WRONGVIF, 0, DROP - 5),
        [5] = BPF_STMT(BPF_RET | BPF_K, size),
        [DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    int yes = 1;

    if (setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0)
        return errno == EPERM ? 0 : -errno; /* it has the locked one */
    return setsockopt(s->fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof yes) < 0 ? -errno : 0;
}

_Static_assert(IGMPMSG_NOCACHE == MRT6MSG_NOCACHE && IGMPMSG_WRONGVIF == MRT6MSG_WRONGMIF,
               "one filter for both families");

/* The ICMPv6 packets of the host are not for this socket; upcalls pass the filter unseen. */
static int block_icmp6(int fd)
{
    struct icmp6_filter filter;

    ICMP6_FILTER_SETBLOCKALL(&filter);
    return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) < 0 ? -errno : 0;
}

/* The kernel marks a socket that is not connected as shut, too, and says ENOTCONN. */
static int send_nothing(int fd)
{
    int loopback = 1; /* LOOPBACK_IFINDEX of include/net/flow.h */

    if (shutdown(fd, SHUT_WR) < 0 && errno != ENOTCONN)
        return -errno;
    return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &loopback, sizeof loopback) < 0 ? -errno
                                                                                        : 0;
}

static int fence(const struct mroute_socket *s)
{
    int result = pass_upcalls_only(s);

    if (result == 0)
        result = send_nothing(s->fd);
    if (result == 0 && s->family == FAMILY_IPV6)
        result = block_icmp6(s->fd);
    return result;
}

/* --- Owning -------------------------------------------------------------------------------- */

/* It is what a PIM daemon is told. A kernel without PIM tells only of interfaces that the entry
 * sends to (ip_mr_forward() in net/ipv4/ipmr.c). */
int mroute_tell_wrong_interfaces(const struct mroute_socket *s)
{
    int result = set_number(s, MRT_PIM, MRT6_PIM, 1);

    return result == -ENOPROTOOPT ? set_number(s, MRT_ASSERT, MRT6_ASSERT, 1) : result;
}

static void make_room(const struct mroute_socket *s)
{
    int size = RECEIVE_BUFFER;

    if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static int own_table(const struct mroute_socket *s)
{
    int result = fence(s);

    if (result == 0 && s->table != family_table(s->family, 0))
        result = set_number(s, MRT_TABLE, MRT6_TABLE, (int)s->table);
    if (result == 0)
        result = set_number(s, MRT_INIT, MRT6_INIT, 1);
    if (result == 0)
        result = mroute_tell_wrong_interfaces(s);
    make_room(s);
    return result;
}

/* #syscalls keeper: socket setsockopt shutdown poll ppoll close */
int mroute_socket_open(uint8_t family, uint32_t table)
{
    bool is_v4 = family == FAMILY_IPV4;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    is_v4 ? (int)IPPROTO_IGMP : (int)IPPROTO_ICMPV6),
        result;

    if (fd < 0)
        return -errno;
    result = own_table(&(struct mroute_socket){fd, family, table});
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

/* A socket that is shut for receiving, too, never again says that there is nothing to read. */
static bool receives(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLRDHUP};

    return poll(&polled, 1, 0) <= 0 || !(polled.revents & (POLLRDHUP | POLLHUP));
}

/* The kernel lets a socket own a table that nobody owns, and says EADDRINUSE to all others and to
 * the owner itself (tests/platform/ownership.c). */
int mroute_socket_renew(const struct mroute_socket *s)
{
    int result = fence(s); /* of an older version, it has none */

    if (result == 0 && !receives(s->fd))
        result = -ESHUTDOWN;
    if (result < 0)
        return result;
    make_room(s);
    result = set_number(s, MRT_INIT, MRT6_INIT, 1);
    if (result == -EADDRINUSE)
        return 0;
    return result < 0 ? result : 1;
}

void mroute_socket_release(const struct mroute_socket *s)
{
    set_number(s, MRT_DONE, MRT6_DONE, 1);
}
