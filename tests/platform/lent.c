/* What a process without privileges can do with the sockets that the keeper lends, when nothing
 * else confines it.
 *
 * A table's socket sends nothing by an interface but the loopback: to send, a raw socket asks for
 * no privilege of the caller. shutdown(2) ends what is sent with a header of the caller's
 * (IP_HDRINCL); it is not asked for other packets, so the socket is bound to the loopback, which
 * only CAP_NET_RAW can undo. With IP_PKTINFO in a message of sendmsg(2), IPv4 packets still leave
 * by another interface: that is left to seccomp. It receives nothing but the two kinds of upcalls,
 * and no byte of a packet beyond its addresses: the filter is locked. Entries, VIFs and upcalls are
 * as before. A socket of joins sends and receives nothing.
 *
 * Sources: inet_shutdown() of net/ipv4/af_inet.c, which marks a socket although it says ENOTCONN;
 * raw_send_hdrinc() and raw_sendmsg() of net/ipv4/raw.c, rawv6_send_hdrinc() of net/ipv6/raw.c;
 * sock_queue_rcv_skb_reason() and sk_setsockopt() of net/core/sock.c (SO_LOCK_FILTER,
 * SO_BINDTODEVICE). */
#include "ground.h"
#include "platform/joins.h"
#include "platform/process.h"

#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 3000, PORT = 4711 };

static int set_number(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* To everybody on the link: 224.0.0.1 or ff02::1. */
static int send_to_link(int fd, uint8_t family, const void *bytes, size_t length)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = family == FAMILY_IPV4;

    v4.sin_addr.s_addr = htonl(INADDR_ALLHOSTS_GROUP);
    inet_pton(AF_INET6, "ff02::1", &v6.sin6_addr);
    return sendto(fd, bytes, length, 0,
                  is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6,
                  is_v4 ? sizeof v4 : sizeof v6) < 0
               ? -errno
               : 0;
}

/* --- Sending ------------------------------------------------------------------------------- */

/* UDP from 1.2.3.4. */
static int send_forged4(int fd)
{
    char packet[28] = {0x45, 0, 0, 28, 0, 0, 0,         0, 8, IPPROTO_UDP,
                       0,    0, 1, 2,  3, 4, (char)224, 0, 0, 1};

    return send_to_link(fd, FAMILY_IPV4, packet, sizeof packet);
}

/* The loopback has a route to itself only. */
static int send_forged6(int fd)
{
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    char packet[48] = {0x60, 0, 0, 0, 0, 8, IPPROTO_UDP, 8};

    packet[23] = packet[39] = 1;
    return sendto(fd, packet, sizeof packet, 0, (const struct sockaddr *)&loopback,
                  sizeof loopback) < 0
               ? -errno
               : 0;
}

static void try_forging(struct ground *ground, const struct mroute_socket *s)
{
    bool is_v4 = s->family == FAMILY_IPV4;
    int on = is_v4 ? set_number(s->fd, IPPROTO_IP, IP_HDRINCL, 1)
                   : set_number(s->fd, IPPROTO_IPV6, IPV6_HDRINCL, 1);

    ground_expect_result(ground, "asking to send with a header of one's own", 0, on);
    ground_expect_result(ground, "but none leaves", -EPIPE,
                         is_v4 ? send_forged4(s->fd) : send_forged6(s->fd));
    on = is_v4 ? set_number(s->fd, IPPROTO_IP, IP_HDRINCL, 0)
               : set_number(s->fd, IPPROTO_IPV6, IPV6_HDRINCL, 0);
    ground_require(on == 0, "without a header");
}

static int choose_interface(int fd, uint8_t family, unsigned ifindex)
{
    struct ip_mreqn v4 = {.imr_ifindex = (int)ifindex};

    if (family == FAMILY_IPV6)
        return set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)ifindex);
    return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof v4) < 0 ? -errno : 0;
}

static void try_interfaces(struct ground *ground, const struct mroute_socket *s)
{
    unsigned other = ground->netifs[1].ifindex;
    unsigned char bytes[8] = {0};

    ground_expect_result(ground, "sending by another interface than the loopback", -EINVAL,
                         choose_interface(s->fd, s->family, other));
    ground_expect_result(ground, "binding to another", -EPERM,
                         setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, "r1", 3) < 0 ? -errno : 0);
    ground_expect_result(ground, "binding to none", -EPERM,
                         setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, "", 1) < 0 ? -errno : 0);
    send_to_link(s->fd, s->family, bytes, sizeof bytes); /* it may go to the loopback */
}

/* --- Receiving ----------------------------------------------------------------------------- */

static void send_to_itself(uint8_t family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool is_v4 = family == FAMILY_IPV4;
    char bytes[8] = {(char)ICMP6_ECHO_REQUEST};
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
                    is_v4 ? (int)IPPROTO_IGMP : (int)IPPROTO_ICMPV6);
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ground_require(fd >= 0, "raw socket");
    ground_require(sendto(fd, bytes, sizeof bytes, 0,
                          is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6,
                          is_v4 ? sizeof v4 : sizeof v6) == (ssize_t)sizeof bytes,
                   "sending to this host");
    ground_require(poll(&polled, 1, WAIT_MS) == 1, "a packet of this host");
    close(fd);
}

static void open_filters(struct ground *ground, const struct mroute_socket *s)
{
    struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    struct sock_fprog program = {1, &pass};
    struct icmp6_filter all;

    ground_expect_result(
        ground, "replacing the filter of what is received", -EPERM,
        setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0);
    ground_expect_result(ground, "taking it off", -EPERM,
                         set_number(s->fd, SOL_SOCKET, SO_DETACH_FILTER, 1));
    ground_expect_result(ground, "unlocking it", -EPERM,
                         set_number(s->fd, SOL_SOCKET, SO_LOCK_FILTER, 0));
    ICMP6_FILTER_SETPASSALL(&all);
    if (s->family == FAMILY_IPV6)
        ground_require(setsockopt(s->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &all, sizeof all) == 0,
                       "ICMP6_FILTER");
}

static ssize_t receive(int fd, void *bytes, size_t size)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    poll(&polled, 1, WAIT_MS);
    return recv(fd, bytes, size, MSG_DONTWAIT);
}

static void use_upcall(struct ground *ground, const struct mroute_socket *s)
{
    struct mfc_entry flow = ground_entry(s->family, 1, 1 << 1);
    struct upcall upcall;
    char bytes[256];
    ssize_t length;

    ground_send(ground, 0, &flow, 8, 1);
    length = receive(s->fd, bytes, sizeof bytes);
    ground_expect(ground, "bytes of an upcall: only its addresses",
                  s->family == FAMILY_IPV4 ? 20 : 40, (long)length);
    mroute_upcall_parse(s->family, bytes, length < 0 ? 0 : (size_t)length, &upcall);
    ground_expect(ground, "it tells of a missing route", UPCALL_NO_ROUTE, upcall.kind);
    ground_expect_result(ground, "adding the entry", 0, mroute_mfc_set(s, &flow));
    ground_expect(ground, "the packet is forwarded", 1, ground_received(ground, 1, &flow.group, 1));
    ground_send(ground, 2, &flow, 8, 1);
    ground_require(receive(s->fd, bytes, sizeof bytes) > 0, "an upcall");
    mroute_upcall_parse(s->family, bytes, sizeof bytes, &upcall);
    ground_expect(ground, "an upcall tells of a wrong interface", UPCALL_WRONG_INTERFACE,
                  upcall.kind);
}

/* A VIF of PIM's register messages makes the kernel tell of whole packets. */
static void try_register_vif(struct ground *ground, const struct mroute_socket *s)
{
    struct vifctl v4 = {.vifc_vifi = 3, .vifc_flags = VIFF_REGISTER, .vifc_threshold = 1};
    struct mif6ctl v6 = {.mif6c_mifi = 3, .mif6c_flags = MIFF_REGISTER, .vifc_threshold = 1};
    struct mfc_entry flow = ground_entry(s->family, 2, 1 << 3);
    int result = s->family == FAMILY_IPV4
                     ? setsockopt(s->fd, IPPROTO_IP, MRT_ADD_VIF, &v4, sizeof v4)
                     : setsockopt(s->fd, IPPROTO_IPV6, MRT6_ADD_MIF, &v6, sizeof v6);
    char bytes[256];

    if (result < 0) /* this kernel has none */
        return;
    ground_require(mroute_mfc_set(s, &flow) == 0, "entry");
    ground_send(ground, 0, &flow, 8, 1);
    usleep(100000);
    ground_expect_result(ground, "whole packets are not received", -EAGAIN,
                         recv(s->fd, bytes, sizeof bytes, MSG_DONTWAIT) < 0 ? -errno : 0);
}

static void use_table(struct ground *ground, void *context)
{
    const struct mroute_socket *s = context;
    struct error error;
    char bytes[256];

    ground_require(process_become_broker(&error), "giving up privileges");
    try_forging(ground, s);
    try_interfaces(ground, s);
    open_filters(ground, s);
    while (recv(s->fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

static void listen_on_table(struct ground *ground, void *context)
{
    const struct mroute_socket *s = context;
    struct error error;
    char bytes[256];

    ground_require(process_become_broker(&error), "giving up privileges");
    ground_expect_result(ground, "packets of this host are not received", -EAGAIN,
                         recv(s->fd, bytes, sizeof bytes, MSG_DONTWAIT) < 0 ? -errno : 0);
    use_upcall(ground, s);
    try_register_vif(ground, s);
}

/* --- A broker that spoils it --------------------------------------------------------------- */

static void give_up_table(struct ground *ground, void *context)
{
    const struct mroute_socket *s = context;

    struct error error;

    ground_require(process_become_broker(&error), "giving up privileges");
    mroute_socket_release(s);
    set_number(s->fd, SOL_SOCKET, SO_RCVBUF, 1);
    ground_expect_result(ground, "a socket that gave its table up takes no VIF", -EACCES,
                         mroute_vif_add(s, 9, ground->netifs[1].ifindex));
}

static int receive_buffer(int fd)
{
    int size = 0;
    socklen_t length = sizeof size;

    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length);
    return size;
}

static void check_renewal(struct ground *ground, const struct mroute_socket *s)
{
    int size = receive_buffer(s->fd);

    ground_expect_result(ground, "a table that nobody spoilt needs nothing", 0,
                         mroute_socket_renew(s));
    ground_in_child(ground, give_up_table, (void *)s);
    ground_expect(ground, "one that was given up is taken back", 1, mroute_socket_renew(s));
    ground_expect_result(ground, "and takes VIFs", 0,
                         mroute_vif_add(s, 0, ground->netifs[0].ifindex));
    ground_expect(ground, "its receive buffer is as it was", size, receive_buffer(s->fd));
    shutdown(s->fd, SHUT_RD);
    ground_expect_result(ground, "one that receives no more is told of", -ESHUTDOWN,
                         mroute_socket_renew(s));
}

/* --- Sockets of joins ---------------------------------------------------------------------- */

static int bind_to_port(int fd, uint8_t family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    bool is_v4 = family == FAMILY_IPV4;

    return bind(fd, is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6,
                is_v4 ? sizeof v4 : sizeof v6);
}

static int send_datagram(int fd, uint8_t family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool is_v4 = family == FAMILY_IPV4;

    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sendto(fd, "x", 1, 0,
                  is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6,
                  is_v4 ? sizeof v4 : sizeof v6) < 0
               ? -errno
               : 0;
}

static void check_joins(struct ground *ground, uint8_t family)
{
    int fd = joins_socket_open(family);
    int sender = socket(family == FAMILY_IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
    struct membership_key key = {.ifindex = ground->netifs[0].ifindex,
                                 .group = ground_entry(family, 7, 0).group};
    char byte;

    ground_require(fd >= 0 && sender >= 0, "sockets");
    ground_require(bind_to_port(fd, family) == 0, "bind");
    ground_expect_result(ground, "a socket of joins sends nothing", -EPIPE,
                         send_datagram(fd, family));
    ground_require(send_datagram(sender, family) == 0, "a datagram to it");
    ground_expect(ground, "and receives nothing", -1,
                  recv(fd, &byte, 1, MSG_DONTWAIT) > 0 ? 1 : -1);
    ground_expect_result(ground, "it joins", 0, joins_join(fd, &key));
    ground_expect_result(ground, "and leaves", 0, joins_leave(fd, &key));
    close(sender);
    close(fd);
}

static void check(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);

    ground_in_child(ground, use_table, &s);
    send_to_itself(family);
    ground_in_child(ground, listen_on_table, &s);
    check_renewal(ground, &s);
    close(s.fd);
    check_joins(ground, family);
}

int main(void)
{
    return ground_run_families(check);
}
