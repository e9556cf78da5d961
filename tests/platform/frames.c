/* Packets at the far ends: made and read as bytes, RFC 791, RFC 8200 and RFC 768. */
#include "ground.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>

enum { PORT = 5001, WAIT_MS = 3000, QUIET_MS = 100 };

struct packet {
    size_t length;
    char bytes[sizeof(struct ip6_hdr) + sizeof(struct udphdr)];
};

/* RFC 1071, over a header of whole 16-bit words. */
static uint16_t checksum(const void *header, size_t length)
{
    uint32_t sum = 0;
    uint16_t word;

    for (size_t i = 0; i < length; i += sizeof word) {
        memcpy(&word, (const char *)header + i, sizeof word);
        sum += word;
    }
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t) ~(sum + (sum >> 16));
}

static size_t make_header4(const struct mfc_entry *flow, unsigned ttl, void *bytes)
{
    struct iphdr header = {
        .version = 4,
        .ihl = 5,
        .tot_len = htons(sizeof header + sizeof(struct udphdr)),
        .ttl = (uint8_t)ttl,
        .protocol = IPPROTO_UDP,
    };

    memcpy(&header.saddr, flow->source.bytes, sizeof header.saddr);
    memcpy(&header.daddr, flow->group.bytes, sizeof header.daddr);
    header.check = checksum(&header, sizeof header);
    memcpy(bytes, &header, sizeof header);
    return sizeof header;
}

static size_t make_header6(const struct mfc_entry *flow, unsigned ttl, void *bytes)
{
    struct ip6_hdr header = {
        .ip6_flow = htonl(6u << 28),
        .ip6_plen = htons(sizeof(struct udphdr)),
        .ip6_nxt = IPPROTO_UDP,
        .ip6_hlim = (uint8_t)ttl,
    };

    memcpy(&header.ip6_src, flow->source.bytes, sizeof header.ip6_src);
    memcpy(&header.ip6_dst, flow->group.bytes, sizeof header.ip6_dst);
    memcpy(bytes, &header, sizeof header);
    return sizeof header;
}

static void make_packet(const struct mfc_entry *flow, unsigned ttl, struct packet *ret)
{
    struct udphdr udp = {
        .source = htons(PORT),
        .dest = htons(PORT),
        .len = htons(sizeof udp),
    };

    ret->length = flow->group.family == FAMILY_IPV4 ? make_header4(flow, ttl, ret->bytes)
                                                    : make_header6(flow, ttl, ret->bytes);
    memcpy(ret->bytes + ret->length, &udp, sizeof udp);
    ret->length += sizeof udp;
}

/* The link-layer address of a group: RFC 1112 section 6.4, RFC 2464 section 7. */
static struct sockaddr_ll netif_address(const struct address *group)
{
    bool is_v4 = group->family == FAMILY_IPV4;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(is_v4 ? ETH_P_IP : ETH_P_IPV6),
        .sll_halen = ETH_ALEN,
    };

    if (is_v4) {
        memcpy(address.sll_addr, (const uint8_t[]){1, 0, 0x5e}, 3);
        memcpy(address.sll_addr + 3, group->bytes + 1, 3);
        address.sll_addr[3] &= 0x7f;
    } else {
        memcpy(address.sll_addr, (const uint8_t[]){0x33, 0x33}, 2);
        memcpy(address.sll_addr + 2, group->bytes + 12, 4);
    }
    return address;
}

void ground_send(const struct ground *ground, unsigned netif, const struct mfc_entry *flow,
                 unsigned ttl, unsigned count)
{
    int fd = ground->netifs[netif].end;
    struct sockaddr_ll address = netif_address(&flow->group), own = {0};
    socklen_t length = sizeof own;
    struct packet packet;

    ground_require(getsockname(fd, (struct sockaddr *)&own, &length) == 0, "getsockname");
    address.sll_ifindex = own.sll_ifindex;
    make_packet(flow, ttl, &packet);
    for (unsigned i = 0; i < count; i++)
        ground_require(sendto(fd, packet.bytes, packet.length, 0, (const struct sockaddr *)&address,
                              sizeof address) == (ssize_t)packet.length,
                       "sendto");
}

static bool is_to_group(const char *bytes, size_t length, const struct sockaddr_ll *from,
                        const struct address *group)
{
    bool is_v4 = group->family == FAMILY_IPV4;
    size_t offset = is_v4 ? offsetof(struct iphdr, daddr) : offsetof(struct ip6_hdr, ip6_dst);
    size_t size = is_v4 ? 4 : 16;

    return from->sll_pkttype != PACKET_OUTGOING &&
           from->sll_protocol == htons(is_v4 ? ETH_P_IP : ETH_P_IPV6) && length >= offset + size &&
           memcmp(bytes + offset, group->bytes, size) == 0;
}

static long read_all(int fd, const struct address *group)
{
    char bytes[256];
    struct sockaddr_ll from = {0};
    long count = 0;

    for (;;) {
        socklen_t size = sizeof from;
        ssize_t length = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);

        if (length < 0) {
            ground_require(errno == EAGAIN, "recvfrom");
            return count;
        }
        count += is_to_group(bytes, (size_t)length, &from, group);
    }
}

long ground_received(const struct ground *ground, unsigned netif, const struct address *group,
                     long expected)
{
    struct pollfd polled = {.fd = ground->netifs[netif].end, .events = POLLIN};
    long count = 0;

    while (poll(&polled, 1, count < expected ? WAIT_MS : QUIET_MS) > 0)
        count += read_all(polled.fd, group);
    return count;
}
