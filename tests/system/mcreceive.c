/* Joins a multicast group and counts the numbered packets that arrive.
 *
 *     mcreceive INTERFACE GROUP EXPECTED SECONDS [GROUPS]
 *
 * With GROUPS it counts the packets of so many groups, from GROUP on, as they come in by INTERFACE,
 * and joins none of them. It prints "joined", and at its end one line, e.g. "received 99 lost 1
 * duplicates 0 gap 1": gap is the longest row of numbers that did not come. It ends when EXPECTED
 * different packets are there, after SECONDS, or at SIGTERM once what had arrived by then is
 * counted. */
#include "packets.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

struct counts {
    unsigned char seen[NUMBERS_MAX]; /* how often, by number */
    long received, duplicates;
};

static void join(int fd, const struct sockaddr_storage *group, unsigned ifindex)
{
    struct group_req request = {.gr_interface = ifindex, .gr_group = *group};
    int level = group->ss_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;

    if (setsockopt(fd, level, MCAST_JOIN_GROUP, &request, sizeof request) < 0)
        give_up("join");
}

/* Bound to the group itself, so that packets of other groups do not count. */
static int open_socket(const struct sockaddr_storage *group, unsigned ifindex)
{
    int fd = socket(group->ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int size = 8 << 20, one = 1;

    if (fd < 0)
        give_up("socket");
    /* Without the privilege, as much as everybody may have. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)group, address_length(group)) < 0)
        give_up("bind");
    join(fd, group, ifindex);
    return fd;
}

/* What comes in by the interface, joined or not (packet(7)). */
static int open_packets(uint8_t family, unsigned ifindex)
{
    int protocol = htons(family == AF_INET ? ETH_P_IP : ETH_P_IPV6), size = 64 << 20;
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, protocol);
    struct sockaddr_ll here = {
        .sll_family = AF_PACKET,
        .sll_protocol = (uint16_t)protocol,
        .sll_ifindex = (int)ifindex,
    };

    if (fd < 0)
        give_up("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (const struct sockaddr *)&here, sizeof here) < 0)
        give_up("bind");
    return fd;
}

static int open_termination(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, 0);
}

/* What is received, and from whom it is read. */
struct reception {
    int fd;
    struct sockaddr_storage group;
    long groups; /* 0: the socket's own group */
};

static void count_packet(struct counts *counts, const void *data)
{
    struct packet packet;
    uint32_t number;

    memcpy(&packet, data, sizeof packet);
    number = ntohl(packet.number);
    if (number >= NUMBERS_MAX)
        return;
    if (counts->seen[number]++)
        counts->duplicates++;
    else
        counts->received++;
}

static bool is_of_range(const struct reception *reception, const void *last)
{
    const struct sockaddr_storage *first = &reception->group;
    uint32_t from, group;

    memcpy(&from, (const char *)address_bytes(first) + address_size(first) - sizeof from,
           sizeof from);
    memcpy(&group, last, sizeof group);
    return ntohl(group) - ntohl(from) < (uint32_t)reception->groups;
}

/* The packet of one of the groups within an IP packet, or NULL. */
static const void *find_packet(const struct reception *reception, const char *data, size_t length)
{
    const struct iphdr *v4 = (const struct iphdr *)data;
    const struct ip6_hdr *v6 = (const struct ip6_hdr *)data;
    bool is_v4 = reception->group.ss_family == AF_INET;
    size_t header = is_v4 ? (size_t)v4->ihl * 4 : sizeof *v6;
    struct udphdr udp;

    if (length != header + sizeof udp + sizeof(struct packet))
        return NULL;
    memcpy(&udp, data + header, sizeof udp);
    if ((is_v4 ? v4->protocol : v6->ip6_nxt) != IPPROTO_UDP || udp.dest != htons(PORT))
        return NULL;
    if (!is_of_range(reception, is_v4 ? (const void *)&v4->daddr : &v6->ip6_dst.s6_addr[12]))
        return NULL;
    return data + header + sizeof udp;
}

static void take_all(const struct reception *reception, struct counts *counts, long expected)
{
    _Alignas(struct ip6_hdr) char data[256];
    ssize_t length;

    while (counts->received < expected &&
           (length = recv(reception->fd, data, sizeof data, 0)) > 0) {
        const void *packet = reception->groups ? find_packet(reception, data, (size_t)length)
                             : length == (ssize_t)sizeof(struct packet) ? data
                                                                        : NULL;

        if (packet)
            count_packet(counts, packet);
    }
}

static long longest_gap(const struct counts *counts, long expected)
{
    long gap = 0, longest = 0;

    for (long i = 0; i < expected; i++) {
        gap = counts->seen[i] ? 0 : gap + 1;
        if (gap > longest)
            longest = gap;
    }
    return longest;
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct reception begin(int argc, char **argv)
{
    unsigned ifindex;
    struct reception reception = {.group = group_address(argv[2], argv[1], &ifindex)};

    reception.groups = argc == 6 ? number_of(argv[5]) : 0;
    reception.fd = reception.groups ? open_packets((uint8_t)reception.group.ss_family, ifindex)
                                    : open_socket(&reception.group, ifindex);
    return reception;
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 6) {
        fputs("Usage: mcreceive INTERFACE GROUP EXPECTED SECONDS [GROUPS]\n", stderr);
        return 2;
    }

    struct counts *counts = calloc(1, sizeof *counts);
    struct pollfd polled[2] = {{.fd = open_termination(), .events = POLLIN}};
    struct reception reception = begin(argc, argv);
    long expected = number_of(argv[3]), end = now_ms() + number_of(argv[4]) * 1000, left;

    if (!counts)
        give_up("memory");
    polled[1] = (struct pollfd){.fd = reception.fd, .events = POLLIN};
    puts("joined");
    fflush(stdout);
    while (counts->received < expected && (left = end - now_ms()) > 0 && !polled[0].revents) {
        poll(polled, 2, (int)left);
        take_all(&reception, counts, expected);
    }
    printf("received %ld lost %ld duplicates %ld gap %ld\n", counts->received,
           expected - counts->received, counts->duplicates, longest_gap(counts, expected));
    free(counts);
    return 0;
}
