/* Joins a multicast group and counts the numbered packets that arrive.
 *
 *     mcreceive INTERFACE GROUP EXPECTED SECONDS
 *
 * It prints "joined", and at its end one line, e.g. "received 99 lost 1 duplicates 0 gap 1": gap is
 * the longest row of numbers that did not come. It ends when EXPECTED different packets are there,
 * after SECONDS, or at SIGTERM once what had arrived by then is counted. */
#include "packets.h"

#include <errno.h>
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

static int open_termination(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, 0);
}

static void take_all(int fd, struct counts *counts, long expected)
{
    struct packet packet;

    while (counts->received < expected &&
           recv(fd, &packet, sizeof packet, 0) == (ssize_t)sizeof packet) {
        uint32_t number = ntohl(packet.number);

        if (number >= NUMBERS_MAX)
            continue;
        if (counts->seen[number]++)
            counts->duplicates++;
        else
            counts->received++;
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

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("Usage: mcreceive INTERFACE GROUP EXPECTED SECONDS\n", stderr);
        return 2;
    }

    unsigned ifindex;
    struct sockaddr_storage group = group_address(argv[2], argv[1], &ifindex);
    struct counts *counts = calloc(1, sizeof *counts);
    struct pollfd polled[] = {{.fd = open_termination(), .events = POLLIN},
                              {.fd = open_socket(&group, ifindex), .events = POLLIN}};
    long expected = number_of(argv[3]), end = now_ms() + number_of(argv[4]) * 1000, left;

    if (!counts)
        give_up("memory");
    puts("joined");
    fflush(stdout);
    while (counts->received < expected && (left = end - now_ms()) > 0 && !polled[0].revents) {
        poll(polled, 2, (int)left);
        take_all(polled[1].fd, counts, expected);
    }
    printf("received %ld lost %ld duplicates %ld gap %ld\n", counts->received,
           expected - counts->received, counts->duplicates, longest_gap(counts, expected));
    free(counts);
    return 0;
}
