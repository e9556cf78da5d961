/* Starts a multicast routing daemon, and prints after how many milliseconds so many routes were in
 * the kernel, and the process of the daemon, which stays.
 *
 * usage: active COUNT SECONDS COMMAND...
 *
 * The clock starts before the fork. The kernel tells everybody who listens to
 * RTNLGRP_IPV4_MROUTE (rtnetlink(7)) of each entry that it takes; the clock stops with the COUNTth.
 * That no entry was counted twice is seen afterwards, in /proc/net/ip_mr_cache. */
#include "bench.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 256 << 20 }; /* nothing may be lost while the daemon has the processor */

static int open_monitor(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    int group = RTNLGRP_IPV4_MROUTE, room = ROOM;

    bench_require(fd >= 0, "netlink");
    bench_require(bind(fd, (const struct sockaddr *)&address, sizeof address) == 0, "bind");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    bench_require(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0,
                  "RTNLGRP_IPV4_MROUTE");
    return fd;
}

static pid_t start(char **command)
{
    pid_t pid = fork();

    bench_require(pid >= 0, "fork");
    if (pid > 0)
        return pid;
    dup2(STDERR_FILENO, STDOUT_FILENO); /* the caller reads ours to its end */
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

/* How many entries the messages in the buffer tell of. */
static long count_entries(const char *bytes, size_t length)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
    long count = 0;

    for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length))
        count += message->nlmsg_type == RTM_NEWROUTE;
    return count;
}

static long read_entries(int fd)
{
    static char bytes[65536] __attribute__((aligned(8)));
    ssize_t length;
    long count = 0;

    while ((length = recv(fd, bytes, sizeof bytes, 0)) > 0)
        count += count_entries(bytes, (size_t)length);
    return count;
}

/* Until so many are told of, or the time is over. It sleeps instead of waiting for messages, for
 * the daemon would spend its time waking it. */
static void await(int fd, long wanted, double end)
{
    struct timespec pause = {0, 500000};
    long count = 0;

    while ((count += read_entries(fd)) < wanted && bench_now() < end)
        nanosleep(&pause, NULL);
    if (count >= wanted)
        return;
    fprintf(stderr, "only %ld of %ld routes in time\n", count, wanted);
    exit(1);
}

static long count_active(void)
{
    FILE *file = fopen("/proc/net/ip_mr_cache", "re");
    char line[1024];
    long lines = -1; /* the head */

    bench_require(file != NULL, "/proc/net/ip_mr_cache");
    while (fgets(line, sizeof line, file))
        lines++;
    fclose(file);
    return lines;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;

    long wanted = atol(argv[1]);
    int fd = open_monitor();
    double begin = bench_now();
    pid_t pid = start(argv + 3);

    await(fd, wanted, begin + atof(argv[2]) * 1e6);
    printf("%.1f %d\n", (bench_now() - begin) / 1000, (int)pid);
    bench_require(count_active() == wanted, "the number of entries");
    return 0;
}
