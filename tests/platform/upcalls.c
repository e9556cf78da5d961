/* The kernel's messages about packets without a route, and what becomes of those packets.
 *
 * A packet that no entry matches makes the kernel send a message to the table's socket. It begins
 * with a struct igmpmsg, of which im_mbz is 0 where an IGMP packet has its protocol, 2; or with a
 * struct mrt6msg, of which im6_mbz is 0, which is no type of ICMPv6. More bytes may follow (Linux
 * 6.18 sends 28 and 80), and mean nothing. It names the VIF, the source and the group. A filter
 * that blocks every ICMPv6 type does not block it. Meanwhile a dump shows the flow as unresolved.
 * The kernel keeps the first four packets and forwards them when an entry is added.
 *
 * Sources: ipmr_cache_report(), ipmr_cache_unresolved() and ipmr_cache_resolve() of
 * net/ipv4/ipmr.c, ip6mr_cache_report() of net/ipv6/ip6mr.c; linux/mroute.h and linux/mroute6.h;
 * icmpv6_filter() of net/ipv6/raw.c. */
#include "ground.h"

#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SENT = 6, KEPT = 4, WAIT_MS = 3000 };

struct bytes {
    char start[256];
    ssize_t length;
    unsigned type, must_be_zero;
};

static void parse(uint8_t family, struct bytes *bytes)
{
    struct igmpmsg v4;
    struct mrt6msg v6;

    memcpy(&v4, bytes->start, sizeof v4);
    memcpy(&v6, bytes->start, sizeof v6);
    bytes->type = family == FAMILY_IPV4 ? v4.im_msgtype : v6.im6_msgtype;
    bytes->must_be_zero = family == FAMILY_IPV4 ? v4.im_mbz : v6.im6_mbz;
}

/* Reads messages until one is an upcall, passing over the IGMP that this host sends and hears. */
static void read_upcall(const struct mroute_socket *s, struct bytes *ret)
{
    struct pollfd polled = {.fd = s->fd, .events = POLLIN};

    do {
        memset(ret, 0, sizeof *ret);
        ground_require(poll(&polled, 1, WAIT_MS) == 1, "a message within three seconds");
        ret->length = recv(s->fd, ret->start, sizeof ret->start, MSG_DONTWAIT);
        ground_require(ret->length > 0, "recv");
        parse(s->family, ret);
    } while (s->family == FAMILY_IPV4 && ret->must_be_zero == IPPROTO_IGMP);
}

static bool is_same_flow(const struct upcall *upcall, const struct mfc_entry *flow)
{
    return address_equal(&upcall->source, &flow->source) &&
           address_equal(&upcall->group, &flow->group);
}

static void check_message(struct ground *ground, const struct mroute_socket *s,
                          const struct mfc_entry *flow)
{
    size_t size = s->family == FAMILY_IPV4 ? sizeof(struct igmpmsg) : sizeof(struct mrt6msg);
    struct bytes bytes;
    struct upcall upcall;

    read_upcall(s, &bytes);
    ground_expect(ground, "bytes of the struct that an upcall has", (long)size,
                  bytes.length < (ssize_t)size ? (long)bytes.length : (long)size);
    ground_expect(ground, "its byte that must be zero", 0, bytes.must_be_zero);
    ground_expect(ground, "its type (IGMPMSG_NOCACHE, MRT6MSG_NOCACHE)", 1, bytes.type);
    mroute_upcall_parse(s->family, bytes.start, (size_t)bytes.length, &upcall);
    ground_expect(ground, "its VIF", 0, upcall.vif);
    ground_expect(ground, "whether it names the flow", 1, is_same_flow(&upcall, flow));
    ground_expect_result(ground, "there is one for all packets of a flow", -EAGAIN,
                         recv(s->fd, bytes.start, sizeof bytes.start, MSG_DONTWAIT) < 0 ? -errno
                                                                                        : 0);
}

static void ignore_vif(void *context, unsigned vif, unsigned ifindex)
{
    (void)context, (void)vif, (void)ifindex;
}

static void count_unresolved(void *context, const struct mfc_found *found)
{
    *(long *)context += found->unresolved;
}

static long unresolved_flows(const struct mroute_socket *s)
{
    long count = 0;
    struct mroute_visitor visitor = {ignore_vif, count_unresolved, &count};

    ground_require(mroute_dump(s, &visitor) == 0, "dump");
    return count;
}

static void check_flow(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);
    struct mfc_entry flow = ground_entry(family, 1, 1 << 1);

    ground_send(ground, 0, &flow, 8, SENT);
    check_message(ground, &s, &flow);
    ground_expect(ground, "flows that a dump shows as unresolved", 1, unresolved_flows(&s));
    ground_require(mroute_mfc_set(&s, &flow) == 0, "entry");
    ground_expect(ground, "packets kept meanwhile, and forwarded now", KEPT,
                  ground_received(ground, 1, &flow.group, KEPT));
    ground_expect(ground, "flows that a dump shows as unresolved then", 0, unresolved_flows(&s));
    close(s.fd);
}

/* Sends an echo request to this host itself (RFC 4443 section 4.1). */
static int send_echo_request(void)
{
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct icmp6_hdr request = {.icmp6_type = ICMP6_ECHO_REQUEST};
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

    ground_require(fd >= 0, "raw socket");
    ground_require(sendto(fd, &request, sizeof request, 0, (const struct sockaddr *)&loopback,
                          sizeof loopback) == (ssize_t)sizeof request,
                   "echo request");
    return fd;
}

/* The message above came through this filter; now what the filter is for. */
static void check_filter(struct ground *ground)
{
    struct mroute_socket s = ground_router_open(ground, FAMILY_IPV6);
    int plain = send_echo_request();
    struct pollfd polled[] = {{.fd = plain, .events = POLLIN}, {.fd = s.fd, .events = POLLIN}};

    ground_require(poll(polled, 1, WAIT_MS) == 1, "an answer to the echo request");
    ground_expect(ground, "ICMPv6 packets that pass the filter which upcalls pass", 0,
                  poll(polled + 1, 1, 0));
    close(plain);
    close(s.fd);
}

static void check(struct ground *ground, uint8_t family)
{
    check_flow(ground, family);
    if (family == FAMILY_IPV6)
        check_filter(ground);
}

int main(void)
{
    return ground_run_families(check);
}
