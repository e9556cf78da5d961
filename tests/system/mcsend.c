/* Sends numbered UDP packets to a multicast group, evenly in time, and prints how many it sent.
 *
 *     mcsend INTERFACE GROUP COUNT PACKETS_A_SECOND TTL [GROUPS]
 *
 * With GROUPS they go to so many groups, one after another, from GROUP on. SIGTERM ends it early.
 * A packet that is late does not delay those behind it: the times are counted from the start.
 *
 * Behind the first packet of a single flow there is a pause: a kernel that has to ask for the route
 * keeps the first packets until it has the answer, but no more than four of them
 * (ipmr_cache_unresolved(), net/ipv4/ipmr.c), and on a machine that runs many tests at a time the
 * one who answers may have to wait for a processor. */
#include "packets.h"

#include <signal.h>
#include <time.h>

static int open_socket(const struct sockaddr_storage *group, unsigned ifindex, int ttl)
{
    int fd = socket(group->ss_family, SOCK_DGRAM, 0);
    struct ip_mreqn request = {.imr_ifindex = (int)ifindex};
    int result;

    if (fd < 0)
        give_up("socket");
    if (group->ss_family == AF_INET)
        result = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) |
                 setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
    else
        result = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex, sizeof ifindex) |
                 setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &ttl, sizeof ttl);
    if (result != 0)
        give_up("setsockopt");
    return fd;
}

enum { PAUSE_MS = 200 };

static void wait_for(const struct timespec *start, long packet, long a_second)
{
    struct timespec time = *start;

    time.tv_sec += packet / a_second;
    time.tv_nsec += packet % a_second * (1000000000 / a_second);
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* The clock of the others begins after it. */
static void pause_after(struct timespec *start)
{
    start->tv_nsec += PAUSE_MS * 1000000L;
    if (start->tv_nsec >= 1000000000) {
        start->tv_sec++;
        start->tv_nsec -= 1000000000;
    }
}

/* Whether SIGTERM has come, which must be blocked. */
static bool is_told_to_stop(void)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, SIGTERM) == 1;
}

static void block_stop(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7) {
        fputs("Usage: mcsend INTERFACE GROUP COUNT PACKETS_A_SECOND TTL [GROUPS]\n", stderr);
        return 2;
    }

    unsigned ifindex;
    struct sockaddr_storage group = group_address(argv[2], argv[1], &ifindex);
    long count = number_of(argv[3]), a_second = number_of(argv[4]), sent = 0;
    long groups = argc == 7 ? number_of(argv[6]) : 1;
    int fd = open_socket(&group, ifindex, (int)number_of(argv[5]));
    struct packet packet = {0};
    struct timespec start;
    long i;

    block_stop();
    for (i = 0; i < count && !is_told_to_stop(); i++) {
        struct sockaddr_storage to = group_after(&group, i % groups);

        if (i == 0)
            clock_gettime(CLOCK_MONOTONIC, &start);
        wait_for(&start, i, a_second);
        packet.number = htonl((uint32_t)i);
        sent += sendto(fd, &packet, sizeof packet, 0, (const struct sockaddr *)&to,
                       address_length(&to)) == (ssize_t)sizeof packet;
        if (i == 0 && groups == 1)
            pause_after(&start);
    }
    printf("sent %ld\n", sent);
    return sent == i ? 0 : 1;
}
