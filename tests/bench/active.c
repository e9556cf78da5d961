/* Starts a multicast routing daemon, and prints after how many milliseconds all its routes were in
 * the kernel, and the process of the daemon, which stays.
 *
 * usage: active SOURCE GROUP COUNT SECONDS COMMAND...
 *
 * The clock starts before the fork. Every half a millisecond the kernel is asked for the route
 * (SOURCE, GROUP), which is to be the daemon's last: any raw socket may ask (SIOCGETSGCNT), and the
 * daemon notices nothing of it. The clock stops when it is there; then /proc/net/ip_mr_cache must
 * have COUNT entries. Needs CAP_NET_RAW. */
#include "bench.h"

#include <netinet/in.h>

#include <linux/mroute.h>

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

static bool is_active(int fd, const struct sioc_sg_req *route)
{
    struct sioc_sg_req request = *route;

    return ioctl(fd, SIOCGETSGCNT, &request) == 0;
}

static void await(int fd, const struct sioc_sg_req *route, double end)
{
    struct timespec pause = {0, 500000};

    while (!is_active(fd, route)) {
        bench_require(bench_now() < end, "the last route, in time");
        nanosleep(&pause, NULL);
    }
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
    struct sioc_sg_req last = {0};
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_IGMP);
    double begin;
    pid_t pid;

    if (argc < 6)
        return 2;
    bench_require(fd >= 0, "raw socket");
    bench_require(inet_pton(AF_INET, argv[1], &last.src) == 1, argv[1]);
    bench_require(inet_pton(AF_INET, argv[2], &last.grp) == 1, argv[2]);
    begin = bench_now();
    pid = start(argv + 5);
    await(fd, &last, begin + atof(argv[4]) * 1e6);
    printf("%.1f %d\n", (bench_now() - begin) / 1000, (int)pid);
    bench_require(count_active() == atol(argv[3]), "the number of entries");
    return 0;
}
